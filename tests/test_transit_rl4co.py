"""Bus lines inside RL4CO and torchrl: their checks, rewards, and rollouts that must be complete."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from test_transit_env import grid

from nco.errors import ProblemError
from nco.transit.design.objective import ExactObjective
from nco.transit.policy.environment import TransitEnv

# Third parties warn at import and at use; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.transit.learn.rl4co import TransitRL4COEnv, direct_share

ENV = TransitEnv(grid(hub=4, max_stops=4))


def rolled_out(theirs: TransitRL4COEnv, rollouts: int):
    """The last tensor dictionary of random rollouts, their actions and summed rewards."""
    td, actions, total = theirs.reset(batch_size=[rollouts]), [], torch.zeros(rollouts)
    generator = torch.Generator().manual_seed(0)
    while not td["done"].all():
        action = torch.multinomial(td["action_mask"].float(), 1, generator=generator)[:, 0]
        actions.append(action)
        td = theirs.step(td.set("action", action))["next"]
        total += td["reward"][:, 0]
    return td, torch.stack(actions, 1), total


def test_specs_hold_by_the_check_of_torchrl():
    """Shapes, types and what a rollout gives agree with what is declared."""
    from torchrl.envs.utils import check_env_specs

    check_env_specs(TransitRL4COEnv(ENV, ExactObjective(ENV.instance), _torchrl_mode=True))


@pytest.mark.parametrize("shaped", [False, True])
def test_rewards_add_up_to_minus_the_cost(shaped):
    """With a potential they do so but for its value at the beginning."""
    objective = ExactObjective(ENV.instance)
    potential = direct_share(ENV) if shaped else None
    theirs = TransitRL4COEnv(ENV, objective, potential)
    td, actions, total = rolled_out(theirs, 5)
    cost = objective.costs(td["lines"].numpy().astype(np.int16))
    np.testing.assert_allclose(theirs.get_reward(td, actions), -cost, rtol=1e-6)
    begin = potential(ENV.reset(5)) if potential else torch.zeros(5)
    np.testing.assert_allclose(total + begin, -cost, rtol=1e-5)


def test_transitions_are_those_of_the_environment():
    """The same actions lead to the same lines."""
    td, actions, _ = rolled_out(TransitRL4COEnv(ENV, ExactObjective(ENV.instance)), 3)
    state = ENV.reset(3)
    for action in actions.T:
        state = ENV.step(state, action)
    assert torch.equal(state.lines, td["lines"])
    assert state.done.all()


def test_rollouts_that_are_not_complete_are_refused():
    """The message says which one."""
    theirs = TransitRL4COEnv(ENV, ExactObjective(ENV.instance))
    with pytest.raises(ProblemError, match="rollout 0 has lines that are not closed"):
        theirs.check_solution_validity(theirs.reset(batch_size=[2]), torch.zeros(2, 1))
