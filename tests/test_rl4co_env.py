"""The RCVRP environment inside RL4CO: its checks, torchrl's, and RL4CO's own models."""

from __future__ import annotations

import warnings

import pytest
import torch
from directed import directed_rcvrp

from nco.envs.rcvrp import RCVRP
from nco.errors import ProblemError

# Third parties warn at import and in training; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.envs import rl4co as rl4co_env

STOPS = 9


def make_env(**kwargs):
    draw = iter(range(10**6))
    generator = rl4co_env.RCVRPGenerator(
        lambda batch: directed_rcvrp(batch, STOPS, seed=next(draw)), STOPS
    )
    return rl4co_env.RL4CORCVRP(generator, seed=3, **kwargs)


def random_rollout(env, td):
    actions = []
    while not td["done"].all():
        action = torch.multinomial(td["action_mask"].float(), 1).squeeze(-1)
        actions.append(action)
        td = env.step(td.set("action", action))["next"]
    return td, torch.stack(actions, 1)


def test_specs_hold():
    """What resets and steps return is what the specs say, by torchrl's own check."""
    from torchrl.envs.utils import check_env_specs

    check_env_specs(make_env(_torchrl_mode=True))


def test_random_rollouts_are_valid_and_cost_what_the_fast_environment_says():
    """One transition function serves both, so they cannot disagree; RL4CO's check agrees."""
    env = make_env()
    td = env.reset(batch_size=[5])
    done, actions = random_rollout(env, td)
    reward = env.get_reward(done, actions)
    cost = RCVRP().cost(rl4co_env._instance(done), actions[:, None])[:, 0]
    torch.testing.assert_close(reward, -cost)


def test_invalid_rollouts_are_refused():
    """A missing stop and an overloaded vehicle are both found."""
    env = make_env()
    td = env.reset(batch_size=[1])
    everything = torch.arange(1, STOPS + 1)[None]
    with pytest.raises(ProblemError, match="exactly once"):
        env.check_solution_validity(td, everything[:, 1:])
    with pytest.raises(ProblemError, match="carries more"):
        env.check_solution_validity(td, everything)


def test_drawn_instances_must_have_the_promised_size():
    """A generator that draws another number of stops is found at the first reset."""
    generator = rl4co_env.RCVRPGenerator(lambda batch: directed_rcvrp(batch, 5, 0), STOPS)
    with pytest.raises(ProblemError, match="num_loc"):
        rl4co_env.RL4CORCVRP(generator).reset(batch_size=[2])


def test_starts_are_stops():
    """RL4CO's multi-start begins at every stop and never at the depot."""
    env = make_env()
    td = env.reset(batch_size=[2])
    assert env.get_num_starts(td) == STOPS
    starts = env.select_start_nodes(td, STOPS)
    assert starts.tolist() == [s for s in range(1, STOPS + 1) for _ in range(2)]


def test_rl4co_models_train_a_step():
    """RL4CO's attention model learns on it through RL4CO's own POMO."""
    from rl4co.models import POMO
    from rl4co.models.zoo.am import AttentionModelPolicy

    env = make_env()
    policy = AttentionModelPolicy(
        env_name=env.name, embed_dim=16, num_encoder_layers=1, num_heads=2, feedforward_hidden=32
    )
    model = POMO(env, policy)
    out = policy(env.reset(batch_size=[4]), env, phase="train", decode_type="multistart_sampling",
                 num_starts=STOPS)  # fmt: skip
    assert out["reward"].shape == (4 * STOPS,)
    before = [p.clone() for p in policy.parameters()]
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    batch = env.generator([4])
    loss = model.shared_step(batch, 0, phase="train")["loss"]
    loss.backward()
    optimizer.step()
    assert any(not torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))
