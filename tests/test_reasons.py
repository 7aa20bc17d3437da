"""What a reason names is what has to give: no more, no less, and nothing fits without it."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from instances import directed, problems

import nco
from nco import Objective, Problem, Route, Vehicle
from nco.problem import solution
from nco.problem.evaluate import evaluate
from nco.problem.obstacles import Obstacle
from nco.problem.reasons import Reason, reasons_unassigned
from nco.problem.slots import Limit
from nco.problem.solution import Solution


def partial(problem: Problem) -> tuple[Route, ...]:
    """Routes that break nothing, filled in order, not well: what a poor method leaves behind."""
    routes: tuple[Route, ...] = ()
    for stop in problem.stops:
        if len(routes) < 2:
            routes = next((r for r in insertions(problem, routes, stop)), routes)
    return routes


def insertions(problem: Problem, routes: tuple[Route, ...], stop: int):
    """Every way to put one more stop into routes, or onto a trip of its own, without a fault."""
    by_vehicle: dict[int, list[tuple[int, ...]]] = {v: [] for v in range(len(problem.vehicles))}
    for route in routes:
        by_vehicle[route.vehicle].append(route.stops)
    for v, trips in by_vehicle.items():
        options = [
            [*trips[:t], (*trip[:p], stop, *trip[p:]), *trips[t + 1 :]]
            for t, trip in enumerate(trips)
            for p in range(len(trip) + 1)
        ]
        options += [[*trips[:t], (stop,), *trips[t:]] for t in range(len(trips) + 1)]
        for option in options:
            others = [route for route in routes if route.vehicle != v]
            tried = (*others, *(Route(v, trip) for trip in option))
            if not evaluate(problem, tried)[1]:
                yield tried


def given_way(problem: Problem, obstacle: Obstacle, stop: int, share: float = 1.0) -> Problem:
    """The problem where one obstacle gives by a share of what was said."""
    vehicles, window = list(problem.vehicles), problem.window_s.copy()
    vehicle, more = vehicles[obstacle.vehicle], share * obstacle.amount
    match obstacle.limit:
        case Limit.SHIFT:
            begin, end = vehicle.shift_s
            vehicle = replace(vehicle, shift_s=(begin, end + more))
        case Limit.ROOM:
            vehicle = replace(vehicle, capacity=tuple(c + more for c in vehicle.capacity))
        case Limit.TRIPS:
            vehicle = replace(vehicle, max_trips=vehicle.max_trips + 1)
        case Limit.PERMISSION:
            vehicle = replace(vehicle, allowed=None)
        case Limit.WINDOW:
            window[stop, 1] += more
        case Limit.LATER_WINDOWS:
            window[problem.depots :, 1] += more
            window[stop] = problem.window_s[stop]
        case Limit.DEPOT_HOURS:
            window[: problem.depots, 1] += more
    vehicles[obstacle.vehicle] = vehicle
    return replace(problem, vehicles=vehicles, window_s=window)


def without_streets(reason: Reason) -> bool:
    return all(obstacle.limit is not Limit.STREET for obstacle in reason.obstacles)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(problem=problems(max_stops=5))
def test_what_gives_is_enough_and_needed(problem):
    """Nothing fits as it is, it fits when all that is named gives, and not when less gives."""
    routes = partial(problem)
    served = {j for route in routes for j in route.stops}
    missing = [j for j in problem.stops if j not in served]
    for stop, reason in zip(missing, reasons_unassigned(problem, routes, missing), strict=True):
        assert reason.text
        fits = any(True for _ in insertions(problem, routes, stop))
        assert fits == (not reason.obstacles), reason.text
        if not without_streets(reason) or not reason.obstacles:
            continue
        relaxed = problem
        for obstacle in reason.obstacles:
            relaxed = given_way(relaxed, obstacle, stop)
        found = any(True for _ in insertions(relaxed, routes, stop))
        if not any(True for _ in insertions(problem, (), stop)):
            found = found or any(True for _ in insertions(relaxed, (), stop))
        assert found, reason.text
        if len(reason.obstacles) == 1 and reason.obstacles[0].limit in (Limit.SHIFT, Limit.WINDOW):
            less = given_way(problem, reason.obstacles[0], stop, 0.9)
            assert not any(True for _ in insertions(less, routes, stop)), reason.text


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(problem=problems(max_stops=5))
def test_what_an_optional_stop_costs_is_what_it_costs(problem):
    """The cost that is said is that of the cheapest way to put the stop into the routes."""
    problem = replace(problem, prize=np.full(problem.size, 300.0))
    routes = partial(problem)
    served = {j for route in routes for j in route.stops}
    missing = [j for j in problem.stops if j not in served]
    weight = problem.objective.unserved
    now = evaluate(problem, routes)[0].total
    for stop, reason in zip(missing, reasons_unassigned(problem, routes, missing), strict=True):
        costs = [evaluate(problem, r)[0].total for r in insertions(problem, routes, stop)]
        if costs:
            extra = min(costs) - now + weight * float(problem.prize[stop])
            assert f"serving it costs {extra:.4g}"[:22] in reason.text or f"{extra:.6g}" in (
                reason.text
            )


def van(end: float, **more: object) -> Vehicle:
    return Vehicle(capacity=(3,), max_trips=3, shift_s=(0, end), **more)


STREETS = [[0, 60, 90], [60, 0, 45], [90, 45, 0]]


@pytest.mark.parametrize("method", ["nearest", "pyvrp"])
def test_the_shift_binds_and_not_room(method):
    """A van of several trips that is a second short says so (it held nothing too much)."""
    problem = Problem.from_matrices(
        STREETS, vehicles=[van(319)], demand=[0, 3, 3], service_s=[0, 10, 10]
    )
    [left] = nco.solve(problem, method, time_limit_s=0.2).unassigned
    assert "the shift of vehicle 0 ends 1 s too early" in left.reason


def test_times_are_written_as_they_were_given():
    """A window of a table of clock times closes at 10:30, of Unix seconds on a date."""
    base = Problem.from_matrices(
        STREETS, vehicles=1, window_s=[[0, np.inf], [0, np.inf], [0, 50]], service_s=[0, 1, 1]
    )
    for times, zero, text in (
        ("numbers", 0.0, "arrive at 90 s and its window closes at 50 s"),
        ("clock", 37_750.0, "arrive at 10:30:40 and its window closes at 10:30"),
        ("unix", 1_732_875_550.0, "arrive at 2024-11-29 10:20:40 UTC"),
    ):
        moved = replace(
            base,
            times=times,
            window_s=[[0, np.inf], [0, np.inf], [zero, zero + 50]],
            vehicles=[Vehicle(shift_s=(zero, np.inf))],
        )
        left = {u.stop: u.reason for u in Solution.from_routes(moved, [[1]]).unassigned}
        assert text in left[2]


def test_room_that_is_there_but_too_late_is_no_reason_to_speak_of_room():
    """Two vans that hold everything but come too late: the window is named, not the load."""
    problem = Problem.from_matrices(
        STREETS,
        vehicles=[Vehicle(capacity=(9,))] * 1,
        demand=[0, 3, 3],
        window_s=[[0, np.inf], [0, np.inf], [0, 50]],
    )
    [left] = Solution.from_routes(problem, [[1]]).unassigned
    assert "window closes at 50 s" in left.reason
    assert "room" not in left.reason


def test_a_prize_that_is_less_than_the_detour_says_both():
    """What serving costs and what leaving out costs stand side by side."""
    problem = Problem.from_matrices(
        directed(3) + 900 * (1 - np.eye(3)), prize=[np.inf, np.inf, 10.0], vehicles=1
    )
    solution = Solution.from_routes(problem, [[1]])
    assert "leaving it out 10" in solution.unassigned[0].reason


def test_reasons_of_a_thousand_stops_take_a_moment():
    """Fifty stops left out of a plan of a thousand are explained in a fifth of a second."""
    rng = np.random.default_rng(0)
    size = 1001
    xy = rng.uniform(0, 9000, (size, 2))
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    problem = Problem.from_matrices(
        metres,
        metres / 10,
        demand=[0, *[1.0] * (size - 1)],
        vehicles=[Vehicle(capacity=(10,), shift_s=(0, 30_000), max_trips=2)] * 95,
        window_s=[[0, np.inf], *([28_000 * k / size, np.inf] for k in range(size - 1))],
        objective=Objective(duration=0.1),
    )
    routes = [Route(v, tuple(range(1 + 10 * v, 11 + 10 * v))) for v in range(95)]
    missing = list(range(951, 1001))
    took_s = []
    for _ in range(4):  # the first one loads; another may be disturbed
        began = time.process_time()
        found = reasons_unassigned(problem, routes, missing)
        took_s.append(time.process_time() - began)
    assert min(took_s) < 0.3
    assert all(reason.text for reason in found)


@pytest.mark.parametrize("method", ["policy", "nearest", "savings"])
def test_reasons_are_asked_for_once(method, monkeypatch):
    """Why stops are left out is found once an answer, however often routes are compared."""
    distance = directed(8)
    problem = Problem.from_matrices(distance, demand=[0] + [1] * 7, capacity=3, vehicles=1)
    asked = []

    def counted(*given):
        asked.append(given)
        return reasons_unassigned(*given)

    monkeypatch.setattr(solution, "reasons_unassigned", counted)
    found = nco.solve(problem, method, time_limit_s=5.0)
    assert len(found.unassigned) == 4
    assert all(entry.reason for entry in found.unassigned)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "options", [{"groups": [nco.Group(stops=(1, 2), prize=3)]}, {"prize": [0, 3, 3]}]
)
def test_what_is_optional_under_newer_rules_is_said_to_be_left_out_for_its_prize(options):
    """A group and a stop that vehicles with limits could serve are no oversight of the method."""
    vehicles = [Vehicle(max_stops=2)]
    problem = Problem.from_matrices(10.0 * (1 - np.eye(3)), vehicles=vehicles, **options)
    found = reasons_unassigned(problem, (), [1])
    assert found[0].text == "it is optional, and leaving it out costs 3"


@pytest.mark.parametrize(
    ("count", "busy"), [(1, "the only vehicle is in use"), (2, "all 2 vehicles are in use")]
)
def test_vehicles_in_use_are_counted_in_plain_words(count, busy):
    """One vehicle is the only one, not all 1 vehicles."""
    metres = 10.0 * (1 - np.eye(4))
    problem = Problem.from_matrices(metres, vehicles=count, demand=[0, 1, 1, 1], capacity=1)
    routes = [Route(v, (v + 1,)) for v in range(count)]
    assert reasons_unassigned(problem, routes, [3])[0].text.startswith(busy)
