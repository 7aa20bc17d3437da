"""Learning: a tiny policy gets better at every problem within seconds."""

from __future__ import annotations

import warnings

import pytest
import torch
from city_tables import make_table
from test_models import small_policy

from nco.envs import ENVIRONMENTS, environment
from nco.search.decoding import rollout
from nco.training.distribution import PLAIN
from nco.training.pools import Pools
from nco.training.sampler import DRAW
from nco.training.seeds import seeded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training.reinforce import rollout_loss

# Lightning's own deprecations and advice; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_a_tiny_policy_learns(name):
    """Forty steps on a city beat the untrained policy on instances that it never saw."""
    env, policy, draw = environment(name), small_policy(name), DRAW[name]
    pools = Pools.of([make_table(points=90)])
    fresh = draw(pools, 64, 12, PLAIN, seeded("cpu", "fresh"))
    before = rollout(env, fresh, policy).cost.mean()
    optimizer = torch.optim.Adam(policy.parameters(), 5e-3)
    sampled = []
    for k in range(40):
        instance = draw(pools, 16, 12, PLAIN, seeded("cpu", k))
        loss, cost = rollout_loss(env, instance, policy, 8, seeded("cpu", "samples", k))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sampled.append(float(cost.mean()))
    after = rollout(env, fresh, policy).cost.mean()
    assert sum(sampled[-10:]) < 0.9 * sum(sampled[:10])
    assert after < 0.95 * before
