"""The attention policy: equivariance, any size, one encoding for all views, refused sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from directed import MAKE, PLAIN, directed_rcvrp

from nco.envs import environment
from nco.envs.rcvrp import RCVRPInstance
from nco.errors import PolicyError
from nco.models.attention import AttentionPolicy
from nco.models.pointer import Decisions, logits
from nco.search.decoding.rollout import GREEDY
from nco.search.decoding.views import turned


def small_policy(name: str = "rcvrp", **sizes) -> AttentionPolicy:
    """A policy that is built and run in milliseconds."""
    features = environment(name).features
    torch.manual_seed(0)
    small = {"width": 16, "heads": 2, "decoder_heads": 2, "layers": 2, "hidden": 16}
    return AttentionPolicy(features, **{**small, **sizes}).eval()


def first_logits(policy, name, instance) -> torch.Tensor:
    """Logits of the first decision of one rollout, `[B, 1, N]`."""
    env = environment(name)
    state = env.reset(instance, 1)
    with torch.no_grad():
        encoded = policy.encode(env.observe(instance))
        allowed = torch.ones_like(env.mask(instance, state))
        decisions = Decisions(env.roles(state), env.context(instance, state), allowed)
        return logits(encoded, decisions)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("stops", [1, 6, 40])
def test_every_problem_and_size_is_decoded(name, stops):
    """One class serves all problems and sizes by counts of features alone."""
    instance = MAKE[name](2, stops, 0)
    found = GREEDY.decode(environment(name), instance, small_policy(name))
    assert torch.isfinite(found.cost).all()


def test_stops_may_be_listed_in_any_order():
    """Permuting the stops permutes the logits and changes nothing else."""
    instance = directed_rcvrp(2, 8, 0)
    order = torch.cat([torch.zeros(1, dtype=torch.int64), 1 + torch.randperm(8)])
    shuffled = RCVRPInstance(
        instance.cost[:, order][:, :, order], instance.xy[:, order], instance.demand[:, order],
        instance.capacity, instance.vehicles,
    )  # fmt: skip
    policy = small_policy()
    expected = first_logits(policy, "rcvrp", instance)[..., order]
    found = first_logits(policy, "rcvrp", shuffled)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_direction_matters():
    """The policy sees a matrix and its transpose as different."""
    instance = directed_rcvrp(1, 8, 0)
    back = RCVRPInstance(**{**vars(instance), "cost": instance.cost.transpose(1, 2)})
    policy = small_policy()
    there = first_logits(policy, "rcvrp", instance)
    assert not torch.allclose(there, first_logits(policy, "rcvrp", back), atol=1e-4)


def test_views_share_the_work_on_pairs_and_nothing_else():
    """Encoding eight views at once is encoding each of them alone."""
    env, instance, policy = environment("rcvrp"), directed_rcvrp(2, 6, 0), small_policy()
    seen = turned(env.observe(instance), 8)
    with torch.no_grad():
        together = policy.encode(seen)
        for view in range(8):
            node = seen.node.view(2, 8, *seen.node.shape[1:])[:, view]
            alone = policy.encode(replace(seen, node=node))
            both = together.target.view(2, 8, *together.target.shape[1:])[:, view]
            torch.testing.assert_close(both, alone.target, rtol=1e-4, atol=1e-5)


def test_logits_of_closed_nodes_are_minus_infinity():
    """What the environment forbids has no probability at all."""
    env, instance = environment("rcvrp"), directed_rcvrp(1, 5, 0)
    state = env.reset(instance, 1)
    policy = small_policy()
    allowed = env.mask(instance, state)
    with torch.no_grad():
        encoded = policy.encode(env.observe(instance))
        found = logits(encoded, Decisions(env.roles(state), env.context(instance, state), allowed))
    assert found[0, 0, 0] == -torch.inf
    assert torch.isfinite(found[0, 0, 1:]).all()


@pytest.mark.parametrize(
    ("sizes", "named"),
    [({"width": 10, "heads": 4}, "heads"), ({"layers": 0}, "layers"), ({"width": 6.5}, "width")],
)
def test_impossible_sizes_are_refused(sizes, named):
    """The message names the size."""
    with pytest.raises(PolicyError, match=named):
        small_policy(**sizes)
