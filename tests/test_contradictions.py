"""Stops that no answer can serve are named before anything is planned."""

import re

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, given, settings
from instances import ruled_problems

import nco
from nco import (
    DifferentVehicles,
    Group,
    Problem,
    Profile,
    SameVehicle,
    Sequence,
    Shipment,
    Solution,
    Vehicle,
)


def line(**fields: object) -> Problem:
    """Depot and three stops 100 s apart on a line; a shift from 1000 s to 2000 s."""
    position = np.arange(4) * 100.0
    distance = np.abs(position[:, None] - position)
    fields = {"vehicles": [Vehicle(shift_s=(1000, 2000), skills={"cold"})], **fields}
    return Problem.from_matrices(distance, **fields)


OPEN = (0, 9e9)


@pytest.mark.parametrize(
    ("fields", "stops", "message"),
    [
        ({"skills": {2: {"cold", "lift"}}}, (2,), "no vehicle has the skill 'lift'"),
        ({"skills": {2: {"Cold"}}}, (2,), "the skill 'Cold'; did you mean 'cold'?"),
        (
            {"vehicles": [Vehicle(skills={"a"}), Vehicle(skills={"b"})], "skills": {1: {"a", "b"}}},
            (1,),
            "no vehicle has all of the skills 'a', 'b'",
        ),
        (
            {
                "vehicles": [Vehicle(skills={"a"}), Vehicle(skills={"b"})],
                "skills": {1: {"a"}, 2: {"b"}},
                "ties": [SameVehicle(stops=(1, 2))],
            },
            (1, 2),
            "stops 1 .'1'., 2 .'2'.: no vehicle has all of the skills 'a', 'b'",
        ),
        (
            {"ties": [DifferentVehicles(stops=(1, 2))]},
            (1, 2),
            "they are for different vehicles, of which there are 1",
        ),
        (
            {"vehicles": [Vehicle(allowed=[1, 1, 0, 0])], "groups": [Group(stops=(2, 3))]},
            (2, 3),
            "none of stops 2 .'2'., 3 .'3'. can be served: no vehicle may serve it",
        ),
        (
            {
                "shipments": [Shipment(pickup=3, delivery=1)],
                "window_s": [OPEN, (0, 1350), OPEN, OPEN],
            },
            (3, 1),
            "'1' is reached at 1400 s at the earliest and closes at 1350 s",
        ),
        (
            {"ties": [Sequence(stops=(3, 1, 2))], "window_s": [OPEN, OPEN, (0, 1450), OPEN]},
            (3, 1, 2),
            "'2' is reached at 1500 s at the earliest and closes at 1450 s",
        ),
        (
            {"window_s": [OPEN, OPEN, (20, 30), OPEN]},
            (2,),
            "closes at 30 s; times are seconds: was its window given in minutes?",
        ),
        (
            {"window_s": [OPEN, OPEN, (1.5e6, 1.6e6), OPEN]},
            (2,),
            "after all shifts .2000 s.; times are seconds: was its window given in milliseconds?",
        ),
    ],
)
def test_what_contradicts_is_named(fields, stops, message) -> None:
    """Skills, groups, shipments, fixed parts and windows that nobody can keep, with their stops."""
    problem = line(**fields)
    (found,) = nco.contradictions(problem)
    assert found.stops == stops
    assert re.search(message, found.text), found.text
    assert optimum(problem) == np.inf


def test_the_unit_is_guessed_where_a_stop_is_left_out() -> None:
    """A window in minutes is asked about by the reason, too, where nothing but windows is asked."""
    problem = line(window_s=[OPEN, OPEN, (20, 30), OPEN])
    (left, *_) = [u for u in Solution.from_routes(problem, [[1, 3]]).unassigned if u.stop == 2]
    assert left.reason.endswith("was its window given in minutes?"), left.reason


def test_what_may_be_left_out_is_no_contradiction() -> None:
    """Optional stops that nobody can serve are left out, and nothing is said before."""
    prize = [0, np.inf, 5, np.inf]
    assert not nco.contradictions(line(skills={2: {"lift"}}, prize=prize))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(problem=ruled_problems(3))
def test_what_can_be_served_is_never_named(problem: Problem) -> None:
    """Where something is named, trying everything finds no feasible answer."""
    if nco.contradictions(problem):
        assert optimum(problem) == np.inf


def test_a_contradiction_is_the_reason_in_the_answer() -> None:
    """What is certain before planning is said of the stops that the plan leaves out."""
    problem = line(skills={2: {"lift"}}, ties=[Sequence(stops=(2, 3))])
    found = nco.solve(problem, "ortools", time_limit_s=0.5)
    [contradiction] = nco.contradictions(problem)
    said = {u.stop: u.reason for u in found.unassigned}
    assert said == dict.fromkeys(contradiction.stops, contradiction.reason)
    assert contradiction.reason.endswith("no vehicle has the skill 'lift'")


def test_a_stop_that_only_forbidden_vehicles_reach_and_leave():
    """Who may serve a stop gets there but not away, and who gets away may not serve it."""
    there = np.array([[0, 1, 1], [np.inf, 0, np.inf], [1, 1, 0.0]])
    both = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.0]])
    profiles = [Profile(distance_m=d, duration_s=d, name=n) for d, n in ((there, "a"), (both, "b"))]
    allowed = np.array([True, False, True])
    vehicles = [Vehicle(profile=0), Vehicle(profile=1, allowed=allowed)]
    (found,) = nco.contradictions(Problem(profiles=profiles, vehicles=vehicles))
    assert found.stops == (1,)
    assert "no street leads away from '1'" in found.text
    assert not nco.contradictions(
        Problem(profiles=profiles, vehicles=[*vehicles, Vehicle(profile=1)])
    )
    opened = [Vehicle(profile=0, open_end=True)]
    assert not nco.contradictions(Problem(profiles=profiles, vehicles=opened))
