"""The checker agrees with the solvers' evaluation and finds each kind of violation."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from instances import (
    directed,
    early_and_late,
    line_of_four,
    one_way_street,
    problems_with_routes,
    ruled_problems_with_routes,
)

from nco import Objective, Problem, Route, Vehicle, check
from nco.problem.solution import Solution


def kinds(problem: Problem, routes) -> list[str]:
    """What the checker finds in routes."""
    return [
        finding.kind for finding in check(problem, Solution.from_routes(problem, routes)).findings
    ]


@settings(max_examples=500, deadline=None)
@given(problems_with_routes() | ruled_problems_with_routes())
def test_checker_and_evaluation_agree(case):
    """Two independent computations give the same parts of the cost and the same verdict."""
    problem, routes = case
    solution = Solution.from_routes(problem, routes)
    report = check(problem, solution)
    # Where times are chosen, the same cost may have other parts.
    rel, parts = (1e-6, ["distance", "fixed"]) if problem.timetabled else (1e-9, report.parts)
    for name in parts:
        known = getattr(solution.cost, name)
        assert report.parts[name] == pytest.approx(known, rel=rel, abs=1e-6), name
    assert report.cost == pytest.approx(
        solution.cost.total, rel=rel, abs=1e-4 if problem.timetabled else 1e-6
    )
    assert report.distance_m == pytest.approx(solution.cost.distance_m)
    if not problem.timetabled:
        assert report.duration_s == pytest.approx(solution.cost.duration_s)
    assert report.feasible == solution.feasible
    ours = {violation.kind for violation in solution.violations}
    ours |= {"unserved" for u in solution.unassigned if u.required}
    # The clock of evaluation begins no sooner than legal routes need, so that stops served again,
    # or more trips than allowed, may be called late beside that.
    late = {"shift", "time window"} if ours & {"trips", "served twice"} else set()
    assert {finding.kind for finding in report.findings} - late == ours - late


def test_late_return_counts_although_the_next_trip_never_ends():
    """Both computations report the shift that the first trip breaks before an unreachable pair."""
    away = [[0.0, 10.0, 10.0], [10.0, 0.0, 10.0], [np.inf, 10.0, 0.0]]
    vehicle = Vehicle(shift_s=(0.0, 15.0), max_trips=2)
    problem = Problem.from_matrices(away, away, vehicles=[vehicle])
    solution = Solution.from_routes(problem, [Route(0, (1,)), Route(0, (2,))])
    kinds = {"shift", "unreachable"}
    assert {violation.kind for violation in solution.violations} == kinds
    assert {finding.kind for finding in check(problem, solution).findings} == kinds


def test_distance_follows_the_direction_of_travel():
    """A tour with the one-way street costs 400 m, against it 4000 m."""
    problem = one_way_street()
    assert Solution.from_routes(problem, [[1, 2, 3]]).cost.total == 400
    assert Solution.from_routes(problem, [[3, 2, 1]]).cost.total == 4000


def test_departure_is_as_late_as_the_earliest_return_allows():
    """The vehicle that must wait for a window leaves later instead: 250 s on duty, not 650."""
    problem = early_and_late()
    solution = Solution.from_routes(problem, [[1]])
    assert solution.cost.duration_s == check(problem, solution).duration_s == 250


def test_duration_is_the_shortest_over_all_departures():
    """No departure time gives a shorter duty than the computed one (brute force over seconds)."""
    problem = early_and_late()
    found = check(problem, Solution.from_routes(problem, [[2, 1]])).duration_s
    best = np.inf
    for departure in range(600):
        clock = departure
        for here, there in itertools.pairwise((0, 2, 1, 0)):
            clock += problem.service_s[here] + problem.profiles[0].duration_s[here, there]
            clock = max(clock, problem.window_s[there, 0])
            if clock > problem.window_s[there, 1]:
                break
        else:
            best = min(best, clock - departure)
    assert found == best == 650


def test_capacity():
    """Three units on a vehicle that holds two are one unit too many, on the route that has them."""
    problem = line_of_four()
    assert kinds(problem, [[1, 2], [3]]) == []
    assert kinds(problem, [[1, 2, 3]]) == ["capacity"]


def test_time_window_and_shift():
    """Lateness is reported at the stop and at the end of the shift."""
    problem = early_and_late()
    report = check(problem, Solution.from_routes(problem, [[1, 2]]))
    assert [finding.kind for finding in report.findings] == ["time window"]
    assert report.findings[0].stop == 2
    assert "550 s after it closes" in report.findings[0].message
    shift = dataclasses.replace(problem, vehicles=(Vehicle(shift_s=(0, 640)),))
    assert "shift" in kinds(shift, [[2, 1]])


def test_each_other_violation():
    """Unserved, served twice, not allowed, too many trips, unreachable: each by its name."""
    problem = line_of_four()
    assert kinds(problem, [[1, 2]]) == ["unserved"]
    assert kinds(problem, [[1, 2], [3, 1]]) == ["served twice"]
    assert kinds(problem, [Route(0, (1, 2)), Route(0, (3,))]) == ["trips"]
    banned = Vehicle(capacity=(9,), allowed=np.array([1, 1, 0, 1]))
    assert kinds(dataclasses.replace(problem, vehicles=(banned,)), [[1, 2, 3]]) == ["not allowed"]
    distance = directed(3)
    distance[1, 2] = np.inf
    assert kinds(Problem.from_matrices(distance), [[1, 2]]) == ["unreachable"]
    assert kinds(Problem.from_matrices(distance), [[2, 1]]) == []


def test_a_depot_is_left_before_it_closes():
    """A shift that begins after the first depot has closed is late there, and only there."""
    late, early = (Vehicle(start=0, end=1, shift_s=(begin, 100.0)) for begin in (11.0, 10.0))
    distance = np.ones((3, 3)) - np.eye(3)
    problem = Problem.from_matrices(
        distance, depots=2, vehicles=[late], window_s=[[0, 10], [0, np.inf], [0, np.inf]]
    )
    solution = Solution.from_routes(problem, [Route(0, (2,))])
    assert [violation.kind for violation in solution.violations] == ["time window"]
    assert kinds(problem, [Route(0, (2,))]) == ["time window"]
    assert kinds(dataclasses.replace(problem, vehicles=(early,)), [Route(0, (2,))]) == []


def test_several_trips_share_the_shift():
    """The second trip of a vehicle begins when the first one ends."""
    vehicle = Vehicle(capacity=(2,), max_trips=2, shift_s=(0, 100))
    problem = dataclasses.replace(line_of_four(), vehicles=(vehicle,))
    solution = Solution.from_routes(problem, [Route(0, (1, 2)), Route(0, (3,))])
    assert solution.feasible
    assert solution.cost.duration_s == 100
    tight = dataclasses.replace(vehicle, shift_s=(0, 99))
    late = dataclasses.replace(problem, vehicles=(tight,))
    assert kinds(late, [Route(0, (1, 2)), Route(0, (3,))]) == ["shift"]


def test_objective_parts():
    """Each weight moves its own part and no other."""
    vehicle = Vehicle(fixed_cost=7, cost_per_m=2, cost_per_s=3, preference=np.array([0, 4, 5, 6.0]))
    problem = Problem.from_matrices(
        one_way_street().profiles[0].distance_m,
        one_way_street().profiles[0].duration_s,
        vehicles=[vehicle],
        prize=[np.inf, np.inf, np.inf, 11],
        objective=Objective(
            distance=1,
            duration=10,
            fixed=100,
            preference=1000,
            unserved=1e4,
            longest_route=0.5,
            longest_leg=0.25,
            makespan=2,
        ),
    )
    solution = Solution.from_routes(problem, [[1, 2]])
    assert check(problem, solution).parts == {
        "distance": 2 * 1200,
        "duration": 10 * 3 * 120,
        "fixed": 700,
        "preference": -9000,
        "unserved": 110000,
        "longest_route": 600,
        "longest_leg": 250,
        "makespan": 240,
        "soft_windows": 0,
        "overtime": 0,
    }


def test_claimed_cost_is_checked():
    """A solution that claims a better cost than it has is found out."""
    problem = line_of_four()
    solution = Solution.from_routes(problem, [[1, 2], [3]])
    lie = dataclasses.replace(solution, cost=dataclasses.replace(solution.cost, distance=1.0))
    assert [finding.kind for finding in check(problem, lie).findings] == ["cost"]


def test_wrong_numbers_are_findings_not_crashes():
    """A solution built by hand may name vehicles and stops that do not exist."""
    problem = line_of_four()
    fine = Solution.from_routes(problem, [[1, 2], [3]])
    strange = dataclasses.replace(fine, routes=(Route(9, (1,)), Route(0, (0, 77))))
    found = {finding.kind for finding in check(problem, strange).findings}
    assert {"unknown vehicle", "unknown stop", "unserved"} <= found


def test_report_reads_as_text():
    """Printing a report gives the verdict first, then one line a finding."""
    problem = line_of_four()
    assert str(check(problem, Solution.from_routes(problem, [[1, 2], [3]]))).startswith("feasible")
    text = str(check(problem, Solution.from_routes(problem, [[1, 2, 3]])))
    assert text.startswith("NOT feasible (1 finding)")
    assert "loads 3 of dimension 0, holds 2" in text
