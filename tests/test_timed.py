"""Decoding until the time is over, on a clock that ticks whenever it is read."""

from __future__ import annotations

import time

import pytest
import torch
from directed import MAKE, check_plainly
from test_decoding import problem_of
from test_models import small_policy

import nco
from nco.envs import environment
from nco.models.files import save_policy
from nco.search.decoding import timed
from nco.search.decoding.active import ActiveSearch
from nco.search.decoding.beam import Beam
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.timed import decode
from nco.search.policy.solver import PolicySolver
from nco.solver import Clock

ENV, STOPS = environment("rcvrp"), 30


class Ticks(Clock):
    """A millisecond passes with every look at it."""

    count = 0

    @classmethod
    def now_s(cls) -> float:
        """Milliseconds counted."""
        cls.count += 1
        return cls.count / 1000


def decoded(decoder, limit_s: float):
    """What is found of one instance, which is valid if there is anything."""
    instance = MAKE["rcvrp"](1, STOPS, 0)
    clock = Ticks(limit_s)
    found = decode(ENV, instance, small_policy(), decoder, clock)
    if found is not None:
        check_plainly("rcvrp", instance, 0, found.actions[0, 0].tolist())
        assert clock.elapsed_s < 1.1 * limit_s + 0.05
    return found


def test_all_starts_are_decoded_at_once_where_there_is_time():
    """The answer is the best of one rollout from every start."""
    whole = Strategy(views=2).decode(ENV, MAKE["rcvrp"](1, STOPS, 0), small_policy()).best()
    found = decoded(Strategy(views=2), 10.0)
    assert float(found.cost) == pytest.approx(float(whole.cost))


def test_without_time_for_all_starts_one_is_decoded(monkeypatch):
    """Whether the network is slower than thought, or known to be slow."""
    greedy = decoded(Strategy(), 10.0)
    for guess_s in (1e-12, 1.0):
        monkeypatch.setattr(timed, "_DECISION_S", guess_s)
        found = decoded(Strategy(), 0.15)
        assert found is not None
        assert float(found.cost) >= float(greedy.cost) - 1e-3


@pytest.mark.parametrize("decoder", [Strategy(), Strategy(1.0), Beam(2), ActiveSearch(None)])
def test_without_any_time_there_is_no_answer(decoder):
    """Not even one rollout ends: the caller has to know something else."""
    assert decoded(decoder, 0.01) is None


@pytest.mark.parametrize("decoder", [Strategy(1.0), ActiveSearch(None, starts=8)])
def test_searching_goes_on_until_the_limit(decoder):
    """More time is used, and the answer is no worse than the greedy one."""
    greedy = decoded(Strategy(), 10.0)
    begin = Ticks.count
    found = decoded(decoder, 0.4)
    assert float(found.cost) <= float(greedy.cost)
    assert Ticks.count - begin > 350


def test_a_beam_that_does_not_end_leaves_the_greedy_answer():
    """What was given up half-way changes nothing."""
    greedy = decoded(Strategy(), 10.0)
    for limit_s in (0.2, 10.0):
        assert float(decoded(Beam(4), limit_s).cost) <= float(greedy.cost)


def test_what_must_be_loaded_is_loaded_before_the_clock_starts(tmp_path, monkeypatch):
    """A slow disk or compiler takes nothing from the time limit."""
    source = str(save_policy(tmp_path / "p.safetensors", small_policy(), ["rcvrp"]))
    monkeypatch.setattr(PolicySolver, "prepare", lambda *_: time.sleep(0.4))
    solver = PolicySolver("policy", source=source)
    with torch.inference_mode():  # a caller's mode is none of its business
        found = solver.solve(problem_of(5), 1.0, 0)
    assert found.feasible
    assert found.time_s < 0.4
    loaded = []
    monkeypatch.setattr(PolicySolver, "prepare", lambda _, problem: loaded.append(problem))
    problem = problem_of(5)
    nco.solve(problem, solver)
    assert loaded[0] is problem
