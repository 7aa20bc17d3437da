"""Several trips of a vehicle in the neighbourhood search: what it keeps of them, and finds."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, assume, given, settings
from instances import ruled_problems
from states import Begun, chained_searches, walk

import nco
from nco import Problem, Route, Vehicle
from nco.fleet.reductions.reduced import reduced
from nco.problem.duty import duty
from nco.search.lns.chains import spread
from nco.search.lns.solver import LNS

few = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TIMED = {"time window", "shift", "longest duty", "longest distance", "longest driving", "stops"}


@few
@given(begun=chained_searches())
def test_every_operator_and_every_undo_leaves_what_a_fresh_build_says(begun: Begun) -> None:
    """All arrays follow from the successors: after removal, insertion, and taking both back."""
    walk(begun, agrees)


def agrees(begun: Begun) -> None:
    """Duties, lateness and cost are those of the evaluation, which shares none of the code."""
    instance, state, problem, trips = begun.instance, begun.state, begun.problem, begun.trips()
    found = begun.solution()
    for places in begun.fleet.vehicles:
        head, number = places[0], begun.fleet.numbers[places[0]]
        routes = [route for route in found.routes if route.vehicle == number]
        assert state.trips[head] == len(routes) == sum(v in trips for v in places)
        broken = {violation.kind for violation in found.violations if violation.vehicle == number}
        assert not broken & {"capacity", "shipment", "group", "trips", "reload"}
        if not routes or "unreachable" in broken:
            continue
        assert bool(state.late[head]) == bool(broken & TIMED), broken
        whole = duty(problem, problem.vehicles[number], routes)
        if not state.late[head] and not problem.timetabled:
            assert state.duty[head] == pytest.approx(whole.duration_s)
            if instance.longest:
                measure = whole.duration_s if instance.by_time else whole.distance_m
                assert state.measure[head] == pytest.approx(measure, rel=1e-6)
    if not found.violations:
        mates = [problem.mates[j] for j in begun.absent if j in problem.mates]
        left_out = sum(float(instance.prize[j]) for j in [*begun.absent, *mates])
        left_out += float(instance.group_prize[state.group_served == 0].sum())
        routes_cost = found.cost.total - found.cost.unserved - found.cost.longest_route
        routes_cost -= found.cost.makespan + found.cost.longest_leg
        largest = found.cost.makespan, found.cost.longest_leg
        known = state.peak[:, :2].max(axis=0) * instance.peak
        assert known == pytest.approx(largest, rel=1e-6, abs=1e-2) or not instance.peaks
        assert state.total[0] - left_out == pytest.approx(routes_cost, rel=1e-6, abs=1e-2)
        assert routes_cost <= instance.reward


@settings(few, max_examples=12)
@given(
    problem=ruled_problems(
        3, ("reloads", "releases", "open", "handling", "limits", "pauses", "hours", "ties")
    )
)
def test_optimum_is_found(problem: Problem) -> None:
    """Tiny problems of several trips with all that goes with them are solved as well as can be."""
    vehicles = [
        replace(v, max_trips=max(2, v.max_trips), end=v.end if v.reload_at else v.start)
        for v in problem.vehicles[:2]
    ]
    problem = reduced(replace(problem, vehicles=vehicles), LNS.supports).problem
    assume(problem.features <= LNS.supports)
    found = nco.solve(problem, LNS(max_iterations=200), time_limit_s=5.0, seed=1)
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    best = optimum(problem)
    if np.isfinite(best):
        assert found.feasible
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)


def test_trips_are_spread() -> None:
    """Between trips there are empty places, as long as there are enough of them."""
    assert spread(2, 7) == [1, 3]
    assert spread(3, 4) == [0, 2, 3]
    assert spread(0, 1) == []


def test_goods_that_come_late_go_with_a_later_trip() -> None:
    """A van need not wait for what is released late: it drives twice, and loads in between."""
    metres = np.array([[0, 10, 10], [10, 0, 1], [10, 1, 0]], float)
    problem = Problem.from_matrices(
        metres, window_s=[[0, np.inf], [0, 15], [0, 99]], release_s=[0, 0, 50],
        vehicles=[Vehicle(max_trips=2)],
    )  # fmt: skip
    found = nco.solve(problem, LNS(max_iterations=50), time_limit_s=1.0)
    assert found.routes == (Route(0, (1,)), Route(0, (2,)))
    assert found.cost.total == 40
