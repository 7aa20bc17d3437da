"""Quick routes, and answers that are no worse however little time there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from instances import directed
from test_lns import ring

import nco
from nco import Objective, Problem, Route, Solution, Vehicle
from nco.baselines import pyvrp, quick
from nco.baselines.quick import better_of, quick_routes
from nco.fleet.kinds import kinds_of
from nco.search.auto import Auto
from nco.search.genetic.solver import Genetic
from nco.search.lns import solver as lns
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS
from nco.solver import Clock


class Over(Clock):
    """A clock by which all limits are over at once."""

    @property
    def left_s(self) -> float:
        """Nothing."""
        return 0.0


class Looks(Clock):
    """A clock that jumps to its end when it has been looked at so many times."""

    most = 0

    @property
    def left_s(self) -> float:
        """The whole limit, then nothing."""
        Looks.most -= 1
        return self._limit_s if Looks.most > 0 else 0.0


def starved(clock: type[Clock]) -> Auto:
    """The default method, all stages of which go by a clock."""
    return Auto(
        LNS(clock=clock),
        replace(Genetic("genetic", ()), clock=clock),
        pyvrp.PyVRP(clock=clock),
        LNS("lns-policy", guided=32, clock=clock),
    )


def town(stops: int, seed: int = 0, **changes: object) -> Problem:
    """Vans that hold about eight stops each, and two more of them than are needed."""
    demand = [0, *np.random.default_rng(seed).integers(1, 5, stops)]
    given = {"demand": demand, "capacity": 20, "vehicles": stops // 6 + 2, **changes}
    return Problem.from_matrices(directed(stops + 1, seed), **given)


def nearest(problem: Problem) -> Solution:
    """What nearest neighbour finds, with all the time it takes."""
    return nco.solve(problem, "nearest", time_limit_s=60.0)


@pytest.mark.parametrize("stops", [20, 160, 400])
def test_no_time_at_all_serves_all(stops):
    """Limits that are over at once still give all stops a route, no worse than the nearest."""
    problem = town(stops)
    found = starved(Over).solve(problem, 1.0, seed=0)
    assert found.feasible and nco.check(problem, found)
    assert found.cost.total <= nearest(problem).cost.total


@pytest.mark.parametrize("looks", [1, 2, 3, 5, 8, 13, 21, 34, 55])
def test_a_clock_that_ends_anywhere(looks):
    """Wherever a slow machine lets time run out, all stops are served, no worse than so."""
    problem = town(60)
    Looks.most = looks
    found = starved(Looks).solve(problem, 1.0, seed=0)
    assert found.feasible and nco.check(problem, found)
    assert found.cost.total <= nearest(problem).cost.total


@pytest.mark.parametrize("longest", [0.0, 1.0])
def test_no_time_at_all_for_several_trips(longest):
    """The same where vehicles drive several trips."""
    problem = town(
        20,
        capacity=None,
        vehicles=[Vehicle(capacity=(20.0,), max_trips=3)] * 2,
        objective=Objective(longest_route=longest),
    )
    found = starved(Over).solve(problem, 1.0, seed=0)
    assert found.feasible and nco.check(problem, found)


def test_what_a_search_leaves_out_is_offered_quick_routes(monkeypatch):
    """Where vehicles are all but full, a search goes on from routes that serve everything."""
    problem = Problem.from_matrices(
        directed(9), demand=[0, 6, 4, 5, 3, 2, 4, 3, 3], capacity=10, vehicles=3
    )
    assert Search(problem, kinds_of(problem), [], 0).incomplete
    whole = [Route(0, (1, 2)), Route(1, (3, 4, 5)), Route(2, (6, 7, 8))]
    monkeypatch.setattr(lns, "quick_routes", lambda *_: whole)
    monkeypatch.setattr(lns.Pace, "run_rounds", lambda *_, **__: None)
    monkeypatch.setattr(lns, "FEW", 0)
    found = LNS().solve(problem, 1.0, seed=0)
    assert found.feasible
    assert [route.stops for route in found.routes] == [route.stops for route in whole]


@dataclass
class Chosen:
    """A construction that gives what it is told."""

    routes: list[Route]

    def __call__(self, *_: object) -> list[Route]:
        """The same routes for whatever it is asked."""
        return self.routes


@pytest.mark.parametrize("savings_are_better", [False, True])
def test_the_better_of_both_constructions_counts(monkeypatch, savings_are_better):
    """Neither nearest neighbour nor savings wins everywhere: with time, both are tried."""
    problem = ring(8)
    good = [Route(0, (1, 2, 3, 4)), Route(1, (5, 6, 7, 8))]
    poor = [Route(0, (1, 5, 2, 6)), Route(1, (3, 7, 4, 8))]
    monkeypatch.setattr(quick, "nearest_routes", Chosen(poor if savings_are_better else good))
    monkeypatch.setattr(quick, "savings_routes", Chosen(good if savings_are_better else poor))
    kinds = kinds_of(problem)
    assert quick_routes(problem, kinds, Clock(9.0)) == good
    hasty = quick_routes(problem, kinds, Over(9.0))
    assert hasty == (poor if savings_are_better else good)  # there is no time for savings
    assert better_of(problem, poor, [Route(0, (1, 2, 3, 4))]) == poor


def test_nothing_is_begun_that_cannot_be_afforded(monkeypatch):
    """With a hundred vehicles that all differ, PyVRP's model alone takes longer than the limit."""
    rng = np.random.default_rng(1)
    vehicles = [
        Vehicle(capacity=(float(rng.integers(5, 20)),), cost_per_m=1.0 + v / 100, max_trips=2)
        for v in range(100)
    ]
    problem = town(100, capacity=None, vehicles=vehicles)
    asked = []
    monkeypatch.setattr(pyvrp, "Model", lambda *given: asked.append(given))
    found = nco.solve(problem, "auto", time_limit_s=0.05)
    assert not asked
    assert found.feasible and nco.check(problem, found)
    assert pyvrp.set_up_s(problem, kinds_of(problem)) > 0.05
