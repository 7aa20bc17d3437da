"""What a violation says: its amount is what would have to be given, its place is where it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from instances import directed, line_of_four, problems_with_routes

from nco import Objective, Problem, Route, Solution, Vehicle, check
from nco.problem.duty import duty

some = settings(max_examples=150, deadline=None, derandomize=True)


def given_to(problem: Problem, v: int, **fields: object) -> Problem:
    """The problem with another vehicle of a number."""
    vehicles = [replace(x, **fields) if k == v else x for k, x in enumerate(problem.vehicles)]
    return replace(problem, vehicles=tuple(vehicles))


def left(problem: Problem, routes: tuple[Route, ...], kind: str, v: int) -> list[float]:
    """Amounts of the violations of a kind by a vehicle."""
    found = Solution.from_routes(problem, routes).violations
    return [x.amount for x in found if (x.kind, x.vehicle) == (kind, v)]


@some
@given(case=problems_with_routes())
def test_amounts_are_what_would_have_to_be_given(case):
    """With so much more room, time or trips a violation is gone; with less it is smaller."""
    problem, routes = case
    for x in Solution.from_routes(problem, routes).violations:
        v, share = x.vehicle, 0.75
        if x.kind == "capacity":
            capacity = problem.vehicles[v].capacity
            most = max(left(problem, routes, "capacity", v))
            enough = tuple(c + most for c in capacity)
            assert left(given_to(problem, v, capacity=enough), routes, "capacity", v) == []
            less = tuple(c + share * most for c in capacity)
            assert max(
                left(given_to(problem, v, capacity=less), routes, "capacity", v)
            ) == pytest.approx((1 - share) * most)
        elif x.kind == "shift":
            begin, end = problem.vehicles[v].shift_s
            for part in (1.0, share):
                longer = given_to(problem, v, shift_s=(begin, end + part * x.amount))
                expected = [] if part == 1 else [pytest.approx((1 - part) * x.amount)]
                assert left(longer, routes, "shift", v) == expected
        elif x.kind == "trips":
            for part in (0, 1):
                more = problem.vehicles[v].max_trips + x.amount - part
                vehicle = {"max_trips": int(more), "end": problem.vehicles[v].start}
                expected = [part] if part else []
                assert left(given_to(problem, v, **vehicle), routes, "trips", v) == expected
        elif x.kind == "served twice":
            times = sum(route.stops.count(x.stop) for route in routes)
            assert x.amount == times - 1 and x.vehicle is None


@some
@given(case=problems_with_routes())
def test_lateness_is_counted_from_the_window(case):
    """A window that closes so much later is met."""
    problem, routes = case
    for x in Solution.from_routes(problem, routes).violations:
        if x.kind == "time window":
            window = problem.window_s.copy()
            late = [
                y
                for y in Solution.from_routes(problem, routes).violations
                if y.kind == "time window" and y.stop == x.stop
            ]
            window[x.stop, 1] += max(y.amount for y in late)
            found = Solution.from_routes(replace(problem, window_s=window), routes).violations
            assert not [y for y in found if y.kind == "time window" and y.stop == x.stop]


@some
@given(case=problems_with_routes())
def test_no_later_departure_shortens_a_duty(case):
    """Leaving a little later than the computed departure delays the return, or breaks a window."""
    problem, routes = case
    for route in routes:
        vehicle = problem.vehicles[route.vehicle]
        plan = duty(problem, vehicle, [route])
        if not np.isfinite(plan.duration_s) or plan.departure_s >= vehicle.shift_s[1]:
            continue
        later = plan.departure_s + 1.0
        if later > problem.window_s[vehicle.start, 1]:
            continue
        shift = (later, max(later, vehicle.shift_s[1]))
        other = duty(problem, replace(vehicle, shift_s=shift), [route])
        missed = [
            start > max(early, problem.window_s[j, 1]) + 1e-9
            for j, early, start in zip(plan.nodes, plan.start_s, other.start_s, strict=True)
        ][1:]
        saved = other.start_s[-1] - later < plan.duration_s - 1e-6
        assert not saved or any(missed) or later > vehicle.shift_s[1]


def test_where_nobody_returns_no_shift_is_broken():
    """A stop that is reached late, and from which no street leads back, is only unreachable."""
    metres = np.array([[0.0, 10.0], [np.inf, 0.0]])
    problem = Problem.from_matrices(metres, vehicles=[Vehicle(shift_s=(0.0, 0.0))])
    solution = Solution.from_routes(problem, [[1]])
    assert [violation.kind for violation in solution.violations] == ["unreachable"]
    assert [finding.kind for finding in check(problem, solution).findings] == ["unreachable"]


def test_findings_name_route_and_stop():
    """Both computations tell where: the last of too many trips, the second of two visits."""
    problem = replace(line_of_four(), vehicles=(Vehicle(capacity=(9,), max_trips=1),) * 2)
    routes = (Route(0, (1,)), Route(0, (2,)), Route(0, (3, 1)))
    found = {f.kind: f for f in check(problem, Solution.from_routes(problem, routes)).findings}
    assert {kind: (f.route, f.stop) for kind, f in found.items()} == {
        "trips": (2, None),
        "served twice": (2, 1),
    }


@pytest.mark.parametrize("number", [-1, 2])
def test_vehicles_that_do_not_exist_are_findings(number):
    """Numbers beyond either end of the fleet are found, and the rest is judged all the same."""
    problem = line_of_four()
    fine = Solution.from_routes(problem, [[1, 2], [3]])
    strange = replace(fine, routes=(Route(number, (1, 2)), Route(1, (3,))))
    kinds = [finding.kind for finding in check(problem, strange).findings]
    assert kinds == ["unknown vehicle", "unserved", "unserved", "cost"]


def test_what_weighs_nothing_costs_nothing_however_long():
    """An infinite length has no cost where its weight is 0, and one where it has not."""
    metres = directed(3)
    metres[1, 2] = np.inf
    for weights, expected in (
        (Objective(distance=0), 0.0),
        (Objective(distance=0, longest_route=1), np.inf),
        (Objective(distance=0, duration=1), np.inf),
    ):
        problem = Problem.from_matrices(metres, objective=weights)
        solution = Solution.from_routes(problem, [[1, 2]])
        assert solution.cost.total == expected == check(problem, solution).cost
