"""What comes behind a search: curves to choose from, fleets of one vehicle, reasons in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nco
from nco.fleet import ending
from nco.fleet.reductions.vehicles import changed
from nco.problem.curves import Curve, cost_at, lowest, snapped
from nco.problem.reasons import reasons_unassigned
from nco.problem.trying import NO_TIME


def curve(rng: np.random.Generator) -> Curve:
    """A random one, which falls at once at some of its times."""
    cost = float(rng.integers(20, 60))
    times = np.cumsum(rng.integers(1, 9, rng.integers(1, 5))).tolist()
    found = [(float(times[0]), cost)]
    for time in times[1:]:
        for fall in rng.integers(0, 9, rng.integers(1, 3)).tolist():
            cost -= fall
            found.append((float(time), cost))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_the_lowest_of_two_curves_is_the_cheaper_one_at_every_time(seed):
    """At each of many times it costs what the cheaper of the two costs, and no more points."""
    rng = np.random.default_rng(seed)
    first, second = sorted((curve(rng), curve(rng)), key=lambda points: points[0][0])
    found = lowest(first, second)
    for time in np.linspace(0.05, 35.05, 141):
        assert cost_at(found, time) == pytest.approx(
            min(cost_at(first, time), cost_at(second, time))
        )


def test_a_curve_that_is_never_worse_is_kept():
    """What rounding may explain is no difference, so that the first curve comes back itself."""
    first = [(1.0, 5.0), (4.0, 2.0)]
    assert lowest(first, [(2.0, 4.0 - 1e-14), (4.0, 2.0)]) is first


def test_a_time_just_before_a_fall_is_that_of_the_fall():
    """Times that are reckoned backwards miss a fall by the last digit of a number."""
    points = [(1.0, 5.0), (3.0, 5.0), (3.0, 1.0)]
    assert snapped(points, np.nextafter(3.0, 0.0)) == 3.0
    assert snapped(points, 2.999) == 2.999


@pytest.fixture
def problem():
    """Twenty stops of which two vehicles of one fleet hold a few, each vehicle its own object."""
    metres = np.ones((21, 21)) - np.eye(21)
    fleet = [nco.Vehicle(capacity=(2,)) for _ in range(2)]
    return nco.Problem.from_matrices(metres, demand=[0, *[1] * 20], vehicles=fleet)


def test_vehicles_that_differ_in_nothing_are_changed_once(problem):
    """One object stands for all of them then; a name or a detail makes another vehicle."""
    one, other = changed(problem, lambda vehicle: replace(vehicle, max_trips=2))
    assert one is other
    named = replace(problem, vehicles=(problem.vehicles[0], replace(one, name="b", max_trips=1)))
    one, other = changed(named, lambda vehicle: replace(vehicle, max_trips=2))
    assert (one.name, other.name) == ("", "b")


def test_answers_that_are_evaluated_again_need_more_time(problem):
    """Where a problem was said otherwise, its answer is evaluated on both."""
    routes = [nco.Route(0, (1, 2))]
    once_s = ending.least_ending_s(problem)
    with ending.evaluated_again(again=True):
        assert ending.least_ending_s(problem) == 2 * once_s
        assert ending.ending_s(problem, routes) > 0.0
    assert ending.least_ending_s(problem) == once_s
    assert ending.ending_s(problem, []) == 0.0


def test_reasons_for_many_stops_need_time(problem):
    """Without any, that is said; with some, what would have to give."""
    routes, missing = [nco.Route(0, (1, 2)), nco.Route(1, (3, 4))], list(range(5, 21))
    assert {r.text for r in reasons_unassigned(problem, routes, missing, 0.0)} == {NO_TIME}
    assert NO_TIME not in {r.text for r in reasons_unassigned(problem, routes, missing)}
    assert NO_TIME not in {r.text for r in reasons_unassigned(problem, routes, missing[:3], 0.0)}
