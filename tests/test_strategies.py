"""Strategies: several sizes at once, narrowed samples, beams, and active search."""

from __future__ import annotations

import itertools

import pytest
import torch
from directed import MAKE, PLAIN, check_plainly, plain_cost
from test_models import small_policy

from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.instances import pad
from nco.errors import PolicyError
from nco.search.decoding.active import ActiveSearch, _Adam
from nco.search.decoding.beam import Beam
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Decoder, Strategy, narrowed

NAMES = PLAIN


def trained_a_little(name: str):
    """A policy that prefers near nodes, so that its choices are far from ties."""
    policy = small_policy(name)
    with torch.no_grad():
        hidden, output = policy.pointer.score.hidden, policy.pointer.score.output
        hidden.weight.zero_()
        hidden.weight[:, hidden.names.index("cost")] = 1.0
        output.weight.fill_(-0.1)
    return policy


def checked(name: str, instance, found) -> None:
    """Asserts the rules of every rollout, and its cost."""
    for b, s in itertools.product(range(found.cost.shape[0]), range(found.cost.shape[1])):
        taken = found.actions[b, s].tolist()
        if name == "atsp":
            taken = taken[: instance.nodes]
        check_plainly(name, instance, b, taken)
        expected = plain_cost(name, instance, b, taken)
        assert float(found.cost[b, s]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "decoder", [Strategy(), Strategy(views=3), Beam(3, views=2), Beam(4, given=False)]
)
def test_every_instance_of_a_mixed_batch_gets_what_it_gets_alone(name, decoder):
    """Neither the size of its neighbours nor the filling shows in routes and costs."""
    env, policy, convert = environment(name), trained_a_little(name), conversion(name)
    for seed in range(3):
        members = [MAKE[name](1, stops, 10 * seed + stops) for stops in (7, 2, 12, 1, 5)]
        whole = decoder.decode(env, pad(members), policy).best()
        for b, member in enumerate(members):
            alone = decoder.decode(env, member, policy).best()
            assert float(whole.cost[b]) == pytest.approx(float(alone.cost), rel=1e-5)
            asked, nodes = convert.problem(member, 0), range(member.nodes)
            pair = whole.actions[b, 0].tolist(), alone.actions[0, 0].tolist()
            routes = [{r.stops for r in convert.routes(asked, nodes, taken)} for taken in pair]
            assert routes[0] == routes[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "decoder",
    [
        Strategy(1.0, top_k=3, repeats=2),
        Strategy(1.0, top_p=0.6),
        Beam(4),
        Beam(50, starts=2),
        Beam(5, given=False, views=2),
        ActiveSearch(3, views=2, starts=4),
    ],
)
def test_every_strategy_keeps_every_rule(name, decoder):
    """All rollouts are valid, also those that only fill up a beam."""
    env, policy = environment(name), small_policy(name)
    instance = MAKE[name](2, 8, 1)
    found = decoder.decode(env, instance, policy, torch.Generator().manual_seed(0))
    checked(name, instance, found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("decoder", [Strategy(), Beam(3), ActiveSearch(2)])
def test_a_single_stop_is_decoded(name, decoder):
    """Where nothing is left to decide, there is still an answer."""
    instance = MAKE[name](1, 1, 0)
    checked(name, instance, decoder.decode(environment(name), instance, small_policy(name)))


def test_narrowed_samples_are_the_most_likely():
    """Top-k keeps k actions, top-p as many as it takes, and the best always stays."""
    score = torch.tensor([0.5, 0.1, 0.3, 0.1]).log()[None, None]
    kept = {
        (None, 1.0): [0, 1, 2, 3],
        (2, 1.0): [0, 2],
        (9, 1.0): [0, 1, 2, 3],
        (None, 0.5): [0],
        (None, 0.51): [0, 2],
        (None, 1e-9): [0],
        (2, 0.4): [0],
    }
    for (top_k, top_p), expected in kept.items():
        found = narrowed(score, top_k, top_p)
        assert found.isfinite()[0, 0].nonzero()[:, 0].tolist() == expected
        torch.testing.assert_close(found[0, 0, expected], score[0, 0, expected])


def test_narrowing_to_one_action_is_greedy():
    """Samples from the single best action are its greedy rollouts."""
    env, policy, instance = environment("rcvrp"), small_policy(), MAKE["rcvrp"](2, 9, 0)
    greedy = Strategy().decode(env, instance, policy)
    narrow = Strategy(1.0, top_k=1).decode(env, instance, policy)
    assert narrow.actions.tolist() == greedy.actions.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_beam_of_one_is_greedy(name):
    """The most likely action of one partial solution is the greedy one."""
    env, policy, instance = environment(name), trained_a_little(name), MAKE[name](2, 9, 0)
    greedy, beam = Strategy().decode(env, instance, policy), Beam(1).decode(env, instance, policy)
    assert beam.actions.tolist() == greedy.actions.tolist()


def test_wide_beams_hold_different_solutions_and_the_best_of_them():
    """A beam as wide as the problem finds the optimum; no two complete tours are alike."""
    env, policy, instance = environment("atsp"), small_policy("atsp"), MAKE["atsp"](1, 4, 3)
    found = Beam(500, starts=1).decode(env, instance, policy)
    tours = {tuple(t) for t in found.actions[0].tolist()}
    # Of the tours that end alike, dominance leaves the cheapest.
    assert 4 <= len(tours) <= 24
    optimum = min(
        plain_cost("atsp", instance, 0, [0, *rest]) for rest in itertools.permutations(range(1, 5))
    )
    assert float(found.best().cost) == pytest.approx(optimum, rel=1e-5)


def test_a_wider_beam_is_no_worse_here():
    """On average a beam of eight beats greedy decoding from the same starts."""
    env, policy, instance = environment("rcvrp"), trained_a_little("rcvrp"), MAKE["rcvrp"](8, 20, 0)
    greedy = Strategy().decode(env, instance, policy).best().cost.mean()
    assert Beam(8).decode(env, instance, policy).best().cost.mean() < greedy


@pytest.mark.parametrize("name", NAMES)
def test_active_search_beats_as_many_samples_and_leaves_the_network_alone(name):
    """Its gradient steps are worth more than drawing again, and they touch only copies."""
    env, policy, instance = environment(name), small_policy(name), MAKE[name](4, 20, 0)
    before = {key: value.clone() for key, value in policy.state_dict().items()}
    steps = 30
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    sampled = Strategy(1.0, repeats=steps).decode(env, instance, policy, generators[0]).best()
    active = ActiveSearch(steps, learning_rate=0.01).decode(env, instance, policy, generators[1])
    assert active.best().cost.mean() < 0.97 * sampled.cost.mean()
    for key, value in policy.state_dict().items():
        assert torch.equal(value, before[key])
    assert all(parameter.grad is None for parameter in policy.parameters())


def test_active_search_follows_the_seed_and_ends_in_time():
    """The same seed gives the same answer; time that is up after a round gives its best."""
    env, policy, instance = environment("rcvrp"), small_policy(), MAKE["rcvrp"](2, 10, 0)
    search = ActiveSearch(4)
    first, again = (
        search.decode(env, instance, policy, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert first.actions.tolist() == again.actions.tolist()
    asked = itertools.count()
    found = ActiveSearch(None).decode(env, instance, policy, expired=lambda: next(asked) > 100)
    checked("rcvrp", instance, found)


@pytest.mark.parametrize("decoder", [Strategy(), Beam(2), ActiveSearch(2), ActiveSearch(None)])
def test_every_strategy_can_be_given_up(decoder):
    """A deadline before the first answer is told from an answer."""
    with pytest.raises(TimeUp):
        decoder.decode(
            environment("rcvrp"), MAKE["rcvrp"](1, 5, 0), small_policy(), expired=lambda: True
        )


@pytest.mark.parametrize(
    ("kind", "wrong", "word"),
    [
        (Strategy, {"temperature": 1.0, "top_k": 0}, "top_k"),
        (Strategy, {"temperature": 1.0, "top_p": 0.0}, "top_p"),
        (Strategy, {"temperature": 1.0, "top_p": 1.1}, "top_p"),
        (Strategy, {"top_k": 3}, "temperature"),
        (Beam, {"width": 0}, "width"),
        (Beam, {"views": 17}, "views"),
        (ActiveSearch, {"steps": 0}, "steps"),
        (ActiveSearch, {"starts": 0}, "starts"),
        (ActiveSearch, {"learning_rate": 0.0}, "learning_rate"),
        (ActiveSearch, {"learning_rate": float("nan")}, "learning_rate"),
        (ActiveSearch, {"imitation": -1.0}, "imitation"),
    ],
)
def test_impossible_settings_are_refused(kind: type[Decoder], wrong, word):
    """The message names the setting."""
    with pytest.raises(PolicyError, match=word):
        kind(**wrong)


def test_a_search_without_end_needs_a_clock():
    """Neither steps nor a deadline: refused before anything is computed."""
    with pytest.raises(PolicyError, match="steps"):
        ActiveSearch(None).decode(environment("rcvrp"), MAKE["rcvrp"](1, 5, 0), small_policy())


def test_steps_are_those_of_adam():
    """Ours is torch's, without what that imports."""
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(3, 4, generator=generator).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    mine, optimizer = _Adam([ours], 0.1), torch.optim.Adam([theirs], 0.1)
    for _ in range(5):
        for x in (ours, theirs):
            (x**3 - x).sum().backward()
        mine.step()
        optimizer.step()
        optimizer.zero_grad()
        torch.testing.assert_close(ours, theirs)
