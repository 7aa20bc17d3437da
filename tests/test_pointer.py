"""The pointer: compiled decisions are those of plain torch, and so are their gradients."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest
import torch
from directed import MAKE, PLAIN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_models import small_policy

from nco.envs import ENVIRONMENTS, environment
from nco.errors import PolicyError
from nco.models import pointer
from nco.models.attention import AttentionPolicy
from nco.models.pointer import Decisions, Encoded, decide, log_likelihood, logits, weighed
from nco.search.decoding.rollout import Strategy, joined, rollout
from nco.search.decoding.views import turned

pytestmark = pytest.mark.usefixtures("compiled")

EVERYTHING = reduce(or_, (env.features for env in ENVIRONMENTS.values()))


@pytest.fixture
def compiled(monkeypatch):
    """Compiled loops for the few decisions of tests, too."""
    monkeypatch.setattr(pointer, "LIGHT", 0)


def random_encoded(
    instances: int = 2, nodes: int = 7, views: int = 1, heads: int = 2, width: int = 8
) -> Encoded:
    """What a network might have encoded, with three roles and two context numbers."""
    generator = torch.Generator().manual_seed(instances + 10 * nodes + 100 * views)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    v, e = instances * views, heads * width
    return Encoded(
        draw(v, 3, nodes, e), draw(v, heads, nodes, width), draw(v, heads, nodes, width),
        draw(v, nodes, e) / e, draw(instances, nodes, nodes), draw(2, e), draw(e), 10.0,
    )  # fmt: skip


def random_decisions(encoded: Encoded, count: int, share: float = 0.6) -> Decisions:
    """Decisions with about that share of nodes allowed, one at least."""
    generator = torch.Generator().manual_seed(count)
    v, roles, nodes, _ = encoded.query.shape
    allowed = torch.rand(v, count, nodes, generator=generator) < share
    one = torch.randint(nodes, (v, count, 1), generator=generator)
    return Decisions(
        torch.randint(nodes, (v, count, roles), generator=generator),
        torch.randn(v, count, len(encoded.weight), generator=generator),
        allowed.scatter(2, one, True),
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    instances=st.integers(1, 3),
    nodes=st.integers(1, 40),
    count=st.integers(1, 70),
    views=st.sampled_from([1, 2]),
    share=st.floats(0.0, 1.0),
)
def test_compiled_likelihoods_are_those_of_torch(instances, nodes, count, views, share):
    """Any number of nodes and decisions, whole tiles or not, forced decisions or free ones."""
    encoded = random_encoded(instances, nodes, views)
    decisions = random_decisions(encoded, count, share)
    score = logits(encoded, decisions)
    best = decide(encoded, decisions)
    expected = score.log_softmax(-1).gather(2, best[..., None])[..., 0]
    torch.testing.assert_close(
        log_likelihood(encoded, decisions, best), expected, atol=1e-4, rtol=1e-4
    )
    top = score.amax(-1)
    torch.testing.assert_close(score.gather(2, best[..., None])[..., 0], top, atol=1e-3, rtol=0)


@pytest.mark.parametrize("views", [1, 2])
def test_compiled_gradients_are_those_of_autograd(views):
    """Every tensor of an encoding gets the gradient that torch finds."""
    encoded = random_encoded(2, 9, views)
    decisions = random_decisions(encoded, 50)
    leaves = [x.clone().requires_grad_() for x in encoded.tensors]
    known = Encoded.of(leaves, encoded.clip)
    action = decide(encoded, decisions, 1.0, torch.Generator().manual_seed(0))
    gain = torch.randn(action.shape, generator=torch.Generator().manual_seed(1))
    total, likelihood = weighed(known, decisions, action, gain)
    found = torch.autograd.grad(total, leaves)
    score = logits(known, decisions).log_softmax(-1)
    expected = (score.gather(2, action[..., None])[..., 0] * gain).sum()
    torch.testing.assert_close(total, expected, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close((likelihood * gain).sum(), expected.detach(), atol=1e-3, rtol=1e-4)
    for ours, theirs in zip(found, torch.autograd.grad(expected, leaves), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", PLAIN)
def test_one_network_learns_from_every_problem_by_the_same_gradients(name):
    """Built for all features, it takes those that an environment shows."""
    env, instance = environment(name), MAKE[name](2, 9, 0)
    torch.manual_seed(0)
    policy = AttentionPolicy(EVERYTHING, width=16, heads=2, decoder_heads=2, layers=1, hidden=16)
    encoded = policy.encode(env.observe(instance))
    trace: list[tuple[Decisions, torch.Tensor]] = []
    generator = torch.Generator().manual_seed(0)
    rollout(env, instance, encoded, Strategy(temperature=1.0), generator, trace=trace)
    decisions, action = joined(trace)
    gain = torch.randn(action.shape, generator=generator)
    weights = list(policy.parameters())
    ours = torch.autograd.grad(
        weighed(encoded, decisions, action, gain)[0], weights, allow_unused=True
    )
    score = logits(policy.encode(env.observe(instance)), decisions).log_softmax(-1)
    total = (score.gather(2, action[..., None])[..., 0] * gain).sum()
    theirs = torch.autograd.grad(total, weights, allow_unused=True)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, atol=2e-3, rtol=1e-2)


def test_samples_follow_their_probabilities():
    """Frequencies of 20 000 compiled draws are the softmax at the temperature."""
    encoded = random_encoded(1, 6)
    one = random_decisions(encoded, 1)
    many = Decisions(*(x.expand(-1, 20_000, -1).contiguous() for x in vars(one).values()))
    drawn = decide(encoded, many, 2.0, torch.Generator().manual_seed(0)).flatten()
    expected = (logits(encoded, one)[0, 0] / 2).softmax(-1)
    share = torch.bincount(drawn, minlength=6) / 20_000
    torch.testing.assert_close(share, expected, atol=0.015, rtol=0)


def test_threads_share_out_instances_and_decisions(monkeypatch):
    """Two threads decide what one does, whether there are many instances or one."""
    for instances in (1, 5):
        encoded = random_encoded(instances, 11)
        decisions = random_decisions(encoded, 45)
        answers = []
        for threads in (1, 2):
            monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
            answers.append(decide(encoded, decisions))
        assert torch.equal(*answers)


def test_logits_far_apart_do_not_overflow():
    """Scores of thousands still give probabilities, as the largest is taken off first."""
    encoded = random_encoded(1, 8)
    steep = Encoded.of([1000 * encoded.query, *encoded.tensors[1:]], encoded.clip)
    decisions = random_decisions(steep, 40)
    found = log_likelihood(steep, decisions, decide(steep, decisions))
    assert torch.isfinite(found).all()
    assert (found <= 1e-5).all()


def test_other_precisions_are_decided_in_torch(monkeypatch):
    """Double precision does not go through loops compiled for single precision."""
    monkeypatch.setattr(pointer, "_arrays", None)
    encoded = random_encoded(1, 8)
    double = Encoded.of([x.double() for x in encoded.tensors], encoded.clip)
    decisions = random_decisions(double, 5)
    decisions = Decisions(decisions.roles, decisions.context.double(), decisions.allowed)
    chosen = decide(double, decisions)
    total, _ = weighed(double, decisions, chosen, torch.ones(chosen.shape).double())
    torch.testing.assert_close(total, log_likelihood(double, decisions, chosen).sum())
    for temperature in (0.0, 1.0):
        assert decide(double, decisions, temperature).shape == (1, 5)


def test_features_that_a_network_does_not_know_are_refused():
    """A tour's network is not shown demands."""
    env, instance = environment("rcvrp"), MAKE["rcvrp"](1, 5, 0)
    with pytest.raises(PolicyError, match="does not know the feature"):
        small_policy("atsp").encode(env.observe(instance))


def test_views_of_an_instance_share_its_pair_scores():
    """Scores of pairs are not copied per view."""
    env, policy = environment("rcvrp"), small_policy()
    seen = turned(env.observe(MAKE["rcvrp"](2, 5, 0)), 8)
    encoded = policy.encode(seen)
    assert (len(encoded.query), len(encoded.pair)) == (16, 2)
