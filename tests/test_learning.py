"""Learning: a tiny policy gets better at every problem within seconds."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from city_tables import make_table
from test_models import small_policy

from nco.envs import environment
from nco.search.decoding.rollout import GREEDY
from nco.training.distribution import PLAIN
from nco.training.pools import Pools
from nco.training.sampler import DRAW
from nco.training.seeds import seeded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training.reinforce import rollout_loss

# Lightning's own deprecations and advice; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def sampled_costs(policy, name: str, steps: int, batch: int, stops: int) -> list[float]:
    """Trains a policy on a city; costs of each step's samples as shares of the untrained one's."""
    untrained = copy.deepcopy(policy)
    pools = Pools.of([make_table(points=90)])
    optimizer = torch.optim.Adam(policy.parameters(), 5e-3)
    sampled = []
    for k in range(steps):
        instance = DRAW[name](pools, batch, stops, PLAIN, seeded("cpu", k))
        starts = seeded("cpu", "samples", k)
        loss, cost = rollout_loss(environment(name), instance, policy, 8, starts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            starts = seeded("cpu", "samples", k)
            _, at_first = rollout_loss(environment(name), instance, untrained, 8, starts)
        sampled.append(float(cost.mean() / at_first.mean()))
    return sampled


@pytest.mark.parametrize("name", ("atsp", "rcvrp", "rcvrptw"))
def test_a_tiny_policy_learns(name):
    """Forty steps on a city beat the untrained policy on instances that it never saw."""
    env, policy = environment(name), small_policy(name)
    pools = Pools.of([make_table(points=90)])
    fresh = DRAW[name](pools, 64, 12, PLAIN, seeded("cpu", "fresh"))
    before = GREEDY.decode(env, fresh, policy).cost.mean()
    sampled = sampled_costs(policy, name, steps=40, batch=16, stops=12)
    after = GREEDY.decode(env, fresh, policy).cost.mean()
    assert sum(sampled[-10:]) < 0.9 * 10
    assert after < 0.95 * before
