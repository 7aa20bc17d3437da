"""The default method: how it shares its time among others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

import nco
from nco import Group
from nco.fleet.columns import collector
from nco.problem import Problem
from nco.problem.objective import Objective
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle
from nco.search import auto
from nco.search.auto import Auto


@dataclass
class Told:
    """A method that takes the time it is given in turn, and notes what it was asked for."""

    name: str
    max_iterations: int | None = None
    asked: list[tuple[float, int, bool]] = field(default_factory=list)
    supports = Auto.supports

    def prepare(self, problem):
        """Nothing to load."""

    def solve(self, problem, time_limit_s, seed, initial=None):
        """Stops in an order drawn by the seed."""
        self.asked.append((time_limit_s, seed, initial is not None))
        auto.Clock.now += time_limit_s
        order = np.random.default_rng(seed).permutation(np.array(problem.stops))
        return Solution.from_routes(problem, [order.tolist()], seed=seed)


class Stopped(auto.Clock):
    """A clock that is set by hand."""

    now = 0.0

    @staticmethod
    def now_s() -> float:
        """What it is set to."""
        return Stopped.now


@pytest.fixture
def told(monkeypatch) -> Auto:
    """The default method on methods that only note what they are asked."""
    monkeypatch.setattr(auto, "Clock", Stopped)
    Stopped.now = 0.0
    return Auto(Told("lns"), Told("genetic"), Told("pyvrp"), Told("lns-policy"))


def plain(stops: int) -> Problem:
    """Stops on a line, two vehicles that carry all."""
    at = np.arange(stops + 1.0)
    distance = abs(at[:, None] - at)
    demand = np.r_[0.0, np.ones(stops)]
    return Problem.from_matrices(distance, demand=demand, capacity=[stops], vehicles=2)


@pytest.mark.parametrize(
    ("limit_s", "runs_s"), [(0.3, [0.3]), (9.0, [9.0]), (10.0, [5.0, 5.0]), (30.0, [15, 7.5, 7.5])]
)
def test_long_time_on_small_problems_is_several_runs(told, limit_s, runs_s):
    """Runs of 5 s or more by seeds of their own, the neighbourhood search first in each."""
    found = told.solve(plain(12), limit_s, 7)
    lns, genetic = told.lns.asked, told.genetic.asked
    assert [seed for _, seed, _ in lns] == list(range(7, 7 + len(runs_s)))
    whole = [time_s for time_s, _, _ in lns]
    if genetic:
        whole = [a + b for a, (b, _, _) in zip(whole, genetic, strict=True)]
        assert all(warm for _, _, warm in genetic)
    assert whole == pytest.approx(runs_s)
    costs = [told.lns.solve(plain(12), 0.0, seed).cost.total for seed in range(7, 7 + len(runs_s))]
    assert found.cost.total == min(costs)


def test_large_problems_are_one_run(told):
    """At 1600 stops the neighbourhood search gets all of the time."""
    told.solve(plain(1600), 30.0, 7)
    assert told.lns.asked == [(30.0, 7, False)]
    assert not told.genetic.asked and not told.guided.asked


def test_a_policy_guides_where_that_was_measured_to_gain(told):
    """Between 350 and 1500 stops a policy guides, unless there are routes to begin with."""
    problem = plain(400)
    told.solve(problem, 30.0, 7)
    assert told.guided.asked == [(30.0, 7, False)] and not told.lns.asked
    told.solve(problem, 30.0, 7, Solution.from_routes(problem, [list(problem.stops)]))
    assert told.lns.asked == [(30.0, 7, True)]


def test_given_routes_begin_the_first_run_only(told):
    """Later runs begin from nothing, so that they find other routes."""
    problem = plain(12)
    initial = Solution.from_routes(problem, [list(problem.stops)])
    told.solve(problem, 10.0, 7, initial)
    assert [warm for _, _, warm in told.lns.asked] == [True, False]


@pytest.mark.parametrize(("limit_s", "rest_s"), [(9.0, []), (10.0, [2.5, 2.5]), (30.0, [7.5, 7.5])])
def test_long_time_with_windows_is_shared_with_pyvrp(told, limit_s, rest_s):
    """Where there are 10 s PyVRP goes on from the neighbourhood search, then begins anew.

    In the end time is kept for a choice among all routes, which takes none here.
    """
    timed = replace(plain(12), window_s=np.tile([0.0, 500.0], (13, 1)))
    told.solve(timed, limit_s, 7)
    assert len(told.lns.asked) == 1
    assert [time_s for time_s, _, _ in told.pyvrp.asked] == pytest.approx(rest_s)
    assert [warm for _, _, warm in told.pyvrp.asked] == [True, False][: len(rest_s)]
    assert not told.genetic.asked


@pytest.mark.parametrize(("limit_s", "rest_s"), [(4.0, []), (6.0, [1.2, 1.2])])
def test_preferences_are_shared_with_pyvrp_sooner(told, limit_s, rest_s):
    """Where whom a stop suits counts, PyVRP goes on from 5 s on."""
    likes = np.arange(13.0)
    vehicles = [Vehicle(capacity=(9.0,), preference=likes), Vehicle(capacity=(9.0,))]
    told.solve(replace(plain(12), vehicles=vehicles), limit_s, 7)
    assert [time_s for time_s, _, _ in told.pyvrp.asked] == pytest.approx(rest_s)
    assert [warm for _, _, warm in told.pyvrp.asked] == [True, False][: len(rest_s)]


@pytest.mark.parametrize(("limit_s", "rest_s"), [(4.0, None), (6.0, 4.8)])
@pytest.mark.parametrize("stops", [12, 200])
def test_joined_trips_are_shared_with_pyvrp_sooner(told, stops, limit_s, rest_s):
    """Where a trip can be late for the one before it, PyVRP goes on from 5 s on."""
    vehicles = [Vehicle(capacity=(9.0,), max_trips=3, shift_s=(0.0, 1e6))] * 40
    told.solve(replace(plain(stops), vehicles=vehicles), limit_s, 7)
    asked = [(time_s, warm) for time_s, _, warm in told.pyvrp.asked]
    assert asked == ([] if rest_s is None else [(rest_s, True)])


SHORT = [Vehicle(capacity=(2.0,)), Vehicle(capacity=(4.0,), fixed_cost=5.0)] * 4
DAY = np.array([[0.0, 1e6]] * 13)


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"vehicles": [Vehicle(capacity=(90.0,)), Vehicle(capacity=(99.0,))]}, [(9.5, False)]),
        ({"vehicles": SHORT}, [(8.5, False)]),
        ({"vehicles": SHORT, "window_s": DAY}, [(3.5, True), (2.5, True)]),
        ({"groups": (Group(stops=(1, 2)),)}, [(9.5, False)]),
        ({"pickup": np.r_[0.0, np.ones(12)]}, [(5.0, True)]),
    ],
    ids=["vehicles", "short routes", "windows", "groups", "pickups"],
)
def test_much_of_a_long_time_is_for_pyvrp_where_more_than_an_order_is_chosen(told, fields, asked):
    """From 10 s on PyVRP goes on, or begins from nothing; a choice among routes is in between."""
    told.solve(replace(plain(12), **fields), 9.0, 7)
    assert not told.pyvrp.asked
    told.solve(replace(plain(12), **fields), 10.0, 7)
    found = [(time_s, warm) for time_s, _, warm in told.pyvrp.asked]
    assert [warm for _, warm in found] == [warm for _, warm in asked]
    assert [time_s for time_s, _ in found] == pytest.approx([time_s for time_s, _ in asked])


def test_the_best_choice_among_routes_seen_counts(told, monkeypatch):
    """Each search finds one good route and one bad one: from 5 s on the good ones are combined."""
    at = np.array([0.0, -200.0, -100.0, 100.0, 200.0])
    vehicles = [Vehicle(capacity=(2.0,)), Vehicle(capacity=(2.0,), fixed_cost=1.0)]
    problem = Problem.from_matrices(
        abs(at[:, None] - at), demand=[0, 1, 1, 1, 1], vehicles=vehicles
    )

    def crossed(problem, time_limit_s, seed, initial=None):
        collected = collector()
        if collected is not None:
            for vehicle, fixed in ((0, 0.0), (1, 1.0)):
                collected.note(vehicle, (1, 2), 400.0 + fixed)
                collected.note(vehicle, (3, 4), 400.0 + fixed)
        return Solution.from_routes(problem, [(1, 3), (2, 4)])

    monkeypatch.setattr(told.lns, "solve", crossed)
    assert told.solve(problem, 4.0, 0).cost.total > 801
    assert told.solve(problem, 6.0, 0).cost.total == 801


def test_several_trips_and_the_longest_route_together():
    """Two vans drive as many trips as it takes, and share them."""
    at = np.r_[0.0, 1:13, -1:-13:-1] * 100
    problem = Problem.from_matrices(
        abs(at[:, None] - at),
        demand=np.r_[0.0, np.ones(24)],
        vehicles=[Vehicle(capacity=(4.0,), max_trips=5)] * 2,
        objective=Objective(distance=0.0, longest_route=1.0),
    )
    found = nco.solve(problem, time_limit_s=1.0)
    assert found.feasible and nco.check(problem, found)
    assert found.cost.total <= 1.2 * 2 * (400 + 800 + 1200)
