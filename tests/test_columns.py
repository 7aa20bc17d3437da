"""The best choice among routes that searches came across."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import problems

import nco
from nco import Group, Problem, Route, Solution, Vehicle
from nco.baselines.pyvrp import PyVRP
from nco.fleet.columns import Columns, collecting, collector, separable
from nco.fleet.kinds import kinds_of
from nco.problem.objective import Objective
from nco.search.lns.solver import LNS

tiny = settings(max_examples=25, deadline=None, derandomize=True)


def pairs_on_a_line(**changes: object) -> Problem:
    """Four stops, 100 m apart, the depot in the middle; two vans that carry two stops each."""
    at = np.array([0.0, -200.0, -100.0, 100.0, 200.0])
    problem = Problem.from_matrices(
        abs(at[:, None] - at), demand=[0, 1, 1, 1, 1], capacity=2, vehicles=2
    )
    return replace(problem, **changes)


def noted(problem: Problem, *plans: list[tuple[int, ...]]) -> Columns:
    """The routes of plans, each at what it costs alone."""
    columns = Columns()
    for trip in (trip for plan in plans for trip in plan):
        alone = Solution.from_routes(problem, [trip]).cost
        columns.note(0, trip, alone.total - alone.unserved)
    return columns


def best(columns: Columns, problem: Problem, known: list[tuple[int, ...]]) -> Solution | None:
    """The best choice, evaluated."""
    start = Solution.from_routes(problem, known)
    routes = columns.best(problem, kinds_of(problem), start, 5.0)
    return None if routes is None else Solution.from_routes(problem, routes)


def test_good_routes_of_two_bad_plans_are_put_together():
    """Each plan has a good route that it had to give up: together they are the best plan."""
    problem = pairs_on_a_line()
    plans = [[(1, 2), (3,), (4,)], [(3, 4), (1,), (2,)], [(1, 3), (2, 4)]]
    found = best(noted(problem, *plans), problem, [(1, 3), (2, 4)])
    assert found is not None and found.feasible and nco.check(problem, found)
    assert {frozenset(route.stops) for route in found.routes} == {
        frozenset({1, 2}),
        frozenset({3, 4}),
    }


def test_a_small_gain_is_seen_beside_dear_vehicles():
    """One metre less counts also where each of two vehicles costs more than ten million metres."""
    at = np.array([0.0, -201.0, -200.0, 200.0, 201.0])
    problem = Problem.from_matrices(
        abs(at[:, None] - at) + np.triu(np.ones((5, 5)), 1),
        demand=[0, 1, 1, 1, 1],
        vehicles=[Vehicle(capacity=(2.0,), fixed_cost=2e7)] * 2,
    )
    plans = [[(2, 1), (3, 4)], [(1, 2), (4, 3)]]
    costs = [Solution.from_routes(problem, plan).cost.total for plan in plans]
    assert abs(costs[0] - costs[1]) < 1e-6 * min(costs)
    mixed = [(2, 1), (4, 3)]
    known = Solution.from_routes(problem, [(1, 2), (3, 4)])
    found = best(noted(problem, *plans), problem, [(1, 2), (3, 4)])
    assert found is not None and found.cost.total == Solution.from_routes(problem, mixed).cost.total
    assert 0 < known.cost.total - found.cost.total <= 4


def test_nothing_better_is_no_answer():
    """Where the known plan is the best choice, or a stop is on no route, there is none."""
    problem = pairs_on_a_line()
    known = [(1, 2), (3, 4)]
    assert best(noted(problem, known, [(1, 3), (2, 4)]), problem, known) is None
    assert best(noted(problem, [(1, 2)]), problem, known) is None
    assert best(Columns(), problem, known) is None


def test_of_one_set_of_stops_the_cheapest_order_stays():
    """Routes are the same by kind and stops; the order that costs more is forgotten."""
    columns = Columns()
    columns.note(0, (1, 2), 500.0)
    columns.note(0, (2, 1), 400.0)
    columns.note(0, (1, 2), 450.0)
    columns.note(0, (3, 4), 400.0)
    assert len(columns) == 2
    problem = pairs_on_a_line()
    found = columns.best(
        problem, kinds_of(problem), Solution.from_routes(problem, [(1, 3), (2, 4)]), 5.0
    )
    assert found is not None
    assert {route.stops for route in found} == {(2, 1), (3, 4)}


def test_a_stop_that_does_not_pay_and_a_group_are_chosen_by_price():
    """An optional stop far away is left out; of a group one stop is served."""
    prize = np.array([np.inf, 10.0, np.inf, np.inf, np.inf])
    problem = pairs_on_a_line(prize=prize)
    found = best(noted(problem, [(1, 2), (3, 4)], [(2,)]), problem, [(1, 2), (3, 4)])
    assert found is not None and [u.stop for u in found.unassigned] == [1]
    grouped = pairs_on_a_line(groups=(Group(stops=(1, 2)),))
    found = best(noted(grouped, [(1,), (3, 4)], [(2,)]), grouped, [(1,), (3, 4)])
    assert found is not None and {j for route in found.routes for j in route.stops} == {2, 3, 4}


def test_no_more_vehicles_of_a_kind_than_there_are():
    """One small van and a dear lorry: two routes cannot both have the van."""
    vans = [Vehicle(capacity=2.0), Vehicle(capacity=2.0, fixed_cost=50.0)]
    problem = pairs_on_a_line(vehicles=vans)
    columns = Columns()
    for vehicle, fixed in ((0, 0.0), (1, 50.0)):
        for trip in ((1, 2), (3, 4)):
            columns.note(vehicle, trip, 400.0 + fixed)
    found = best(columns, problem, [(1, 3), (2, 4)])
    assert found is not None and {route.vehicle for route in found.routes} == {0, 1}


@tiny
@given(seed=st.integers(0, 10_000), stops=st.integers(2, 6), vehicles=st.integers(1, 4))
def test_the_choice_is_the_best_of_all(seed: int, stops: int, vehicles: int):
    """Of random routes, against all subsets of them."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 100, (stops + 1, 2))
    metres = np.linalg.norm(at[:, None] - at, axis=2)
    problem = Problem.from_matrices(metres, vehicles=vehicles)
    known = [tuple(problem.stops)]
    trips = {tuple(sorted(rng.permutation(stops)[: rng.integers(1, 4)] + 1)) for _ in range(9)}
    trips = [tuple(map(int, trip)) for trip in trips]
    worth = {trip: Solution.from_routes(problem, [trip]).cost.total for trip in [*trips, *known]}
    options = [
        sum(worth[trip] for trip in some)
        for count in range(1, vehicles + 1)
        for some in combinations(worth, count)
        if sorted(j for trip in some for j in trip) == list(problem.stops)
    ]
    found = best(noted(problem, trips, known), problem, known)
    cost = worth[known[0]] if found is None else found.cost.total
    assert cost == pytest.approx(min(options), rel=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": Objective(longest_route=1.0)},
        {"objective": Objective(makespan=1.0)},
        {"vehicles": [Vehicle(capacity=2.0, max_trips=2)]},
    ],
)
def test_routes_that_depend_on_one_another_are_not_chosen_singly(changes):
    """The longest route, the makespan and trips of one vehicle are no sums over routes."""
    assert separable(pairs_on_a_line())
    assert not separable(pairs_on_a_line(**changes))


@tiny
@given(problem=problems(6), method=st.sampled_from(["lns", "pyvrp"]))
def test_noted_routes_cost_what_evaluation_says(problem: Problem, method: str):
    """The cost that a search notes of a route is that of the route alone, by the checker."""
    alone = [replace(vehicle, max_trips=1) for vehicle in problem.vehicles]
    objective = replace(problem.objective, longest_route=0.0)
    problem = replace(problem, vehicles=alone, objective=objective)
    assert separable(problem)
    solver = {"lns": LNS(max_iterations=60), "pyvrp": PyVRP(max_iterations=20)}[method]
    columns = Columns()
    with collecting(columns):
        assert collector() is columns
        solver.solve(problem, 5.0, 0)
    assert collector() is None
    for (vehicle, stops), (cost, trip) in columns._known.items():
        assert stops == frozenset(trip)
        found = Solution.from_routes(problem, [Route(vehicle, trip)])
        assert not found.violations
        assert found.cost.total - found.cost.unserved == pytest.approx(cost, rel=1e-3, abs=1.0)
