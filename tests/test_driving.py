"""Compiled rollouts: they are those that the environment's own steps give."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from directed import MAKE, check_plainly
from test_models import small_policy

from nco.envs import environment
from nco.envs.instances import pad
from nco.models import pointer
from nco.search.decoding import driving
from nco.search.decoding import rollout as decoding
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Strategy, joined, rollout
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import Seen

PROBLEMS = ("rcvrp", "rcvrptw")


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Everything is large enough for compiled loops."""
    monkeypatch.setattr(pointer, "LIGHT", 0)
    monkeypatch.setattr(driving, "LIGHT", 0)


def rolled_out(name: str, instance, strategy: Strategy):
    """Rollouts from a seed with all their decisions and what was taken."""
    env, trace = environment(name), []
    with torch.inference_mode():
        seen = Seen.of(env, instance, strategy.views)
        encoded = seen.encoded(env, small_policy(name))
    generator = torch.Generator().manual_seed(3)
    found = rollout(env, seen.instance, encoded, strategy, generator, trace=trace)
    return found, *joined(trace)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(),
        Strategy(temperature=1.0),
        Strategy(temperature=0.5, views=4, starts=3, repeats=2),
    ],
    ids=["greedy", "sampled", "views"],
)
@pytest.mark.parametrize("vehicles", [100, 2], ids=["many vehicles", "two vehicles"])
def test_one_loop_and_single_steps_take_the_same_decisions(name, strategy, vehicles, monkeypatch):
    """Instances of different sizes: every action, cost, violation and every decision agrees."""
    parts = [MAKE[name](2, stops, seed=stops, vehicles=vehicles) for stops in (9, 4, 13)]
    instance = pad(parts)
    driven = rolled_out(name, instance, strategy)
    monkeypatch.setattr(decoding, "drives", lambda *_: False)
    stepped = rolled_out(name, instance, strategy)
    for one, other in zip(driven[:2], stepped[:2], strict=True):
        for field in dataclasses.fields(one):
            there, here = getattr(one, field.name), getattr(other, field.name)
            torch.testing.assert_close(there, here, msg=f"{field.name} differ")
    assert torch.equal(driven[2], stepped[2])


@pytest.mark.parametrize("name", PROBLEMS)
def test_threads_share_out_the_rollouts_of_one_instance(name, monkeypatch):
    """Two threads take pieces of different lengths of time, and nothing else changes."""
    instance = MAKE[name](1, 12, seed=2)
    monkeypatch.setattr(driving.threads, "count", lambda: 1)
    alone = rolled_out(name, instance, Strategy(temperature=1.0))
    monkeypatch.setattr(driving.threads, "count", lambda: 2)
    shared = rolled_out(name, instance, Strategy(temperature=1.0))
    assert torch.equal(alone[0].actions, shared[0].actions)
    for field in dataclasses.fields(alone[1]):
        torch.testing.assert_close(getattr(alone[1], field.name), getattr(shared[1], field.name))


@pytest.mark.parametrize("name", PROBLEMS)
def test_compiled_rollouts_keep_every_rule(name):
    """More rollouts than a tile of decisions holds, checked leg by leg in plain loops."""
    instance = MAKE[name](2, 11, seed=5)
    found: Rollouts = rolled_out(name, instance, Strategy(temperature=1.0, repeats=7))[0]
    for b in range(2):
        for actions in found.actions[b].tolist():
            check_plainly(name, instance, b, actions)


def test_what_they_are_not_for_goes_step_by_step():
    """Tours, small batches, other precisions and masks beyond memory are left to torch."""
    instance = MAKE["rcvrp"](1, 5, seed=1)
    with torch.inference_mode():
        encoded = small_policy().encode(environment("rcvrp").observe(instance))
    first = torch.ones(1, 5, dtype=torch.int64)
    assert driving.drives(environment("rcvrp"), encoded, first)
    assert not driving.drives(environment("atsp"), encoded, first)
    assert not driving.drives(environment("rcvrp"), encoded, first.expand(2**23, -1))
    half = type(encoded).of([x.half() for x in encoded.tensors], encoded.clip)
    assert not driving.drives(environment("rcvrp"), half, first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driving, "LIGHT", 31)
        assert not driving.drives(environment("rcvrp"), encoded, first)


def test_a_compiled_rollout_can_be_given_up():
    """At once where time is over before; else a thread beside the loop ends it on its way."""
    instance, env = MAKE["rcvrp"](1, 150, seed=1), environment("rcvrp")
    with torch.inference_mode():
        encoded = small_policy().encode(env.observe(instance))
    with pytest.raises(TimeUp):
        rollout(env, instance, encoded, expired=lambda: True)
    asked = iter([False])
    many = Strategy(temperature=1.0, repeats=50)
    with pytest.raises(TimeUp):
        rollout(env, instance, encoded, many, expired=lambda: next(asked, True))
    assert rollout(env, instance, encoded, expired=lambda: False).cost.isfinite().all()
