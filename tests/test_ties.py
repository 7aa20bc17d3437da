"""Ties: one vehicle, different ones, an order, a fixed part of a route."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from instances import directed, ruled_problems

import nco
from nco import (
    DifferentVehicles,
    Group,
    Precedence,
    Problem,
    Route,
    SameVehicle,
    Sequence,
    Shipment,
    Solution,
    Vehicle,
)
from nco.errors import ProblemError
from nco.fleet.reductions.reduced import reduced
from nco.search.lns.solver import LNS


def tied(*ties: object, stops: int = 4, **fields: object) -> Problem:
    """A few stops anywhere, three vehicles, and ties."""
    given_fields = {"vehicles": 3, **fields}
    return Problem.from_matrices(directed(stops + 1, 2), ties=ties, **given_fields)


@pytest.mark.parametrize(
    ("tie", "good", "bad", "message"),
    [
        (SameVehicle(stops=(1, 3)), [[1, 2, 3]], [[1, 2], [3]], "are for one vehicle"),
        (DifferentVehicles(stops=(1, 3)), [[1, 2], [3]], [[1, 2, 3]], "for different vehicles"),
        (Precedence(stops=(3, 1)), [[3, 2, 1]], [[1, 3]], "'1' is served before '3'"),
        (Precedence(stops=(3, 1)), [[3, 1]], [[3], [1]], "are for one vehicle"),
        (Sequence(stops=(3, 1)), [[2, 3, 1]], [[3, 2, 1]], "'1' does not come directly after '3'"),
        (Sequence(stops=(3, 1)), [[3, 1]], [[3], [1]], "'1' does not come directly after '3'"),
    ],
)
def test_what_a_tie_asks_for(tie, good, bad, message) -> None:
    """Evaluation and checker accept routes that keep a tie and name it in those that do not."""
    problem = tied(tie)
    kept = Solution.from_routes(problem, good)
    assert not kept.violations
    broken = Solution.from_routes(problem, bad)
    assert [v.kind for v in broken.violations] == [tie.kind]
    assert message in broken.violations[0].message
    kinds = {finding.kind for finding in nco.check(problem, broken).findings}
    assert kinds - {"unserved"} == {tie.kind}


def test_one_vehicle_has_several_trips() -> None:
    """A vehicle may load again between stops for it, in order, but not within a sequence."""
    vehicles = [Vehicle(max_trips=2)]
    trips = [Route(0, (3,)), Route(0, (1,))]
    for tie, kept in (
        (SameVehicle(stops=(1, 3)), True),
        (Precedence(stops=(3, 1)), True),
        (Precedence(stops=(1, 3)), False),
        (Sequence(stops=(3, 1)), False),
    ):
        problem = tied(tie, vehicles=vehicles)
        found = Solution.from_routes(problem, trips)
        assert bool(found.violations) != kept
        kinds = {finding.kind for finding in nco.check(problem, found).findings}
        assert (kinds == {"unserved"}) == kept


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(problem=ruled_problems(4, ("ties", "sequences", "groups", "skills")))
def test_searches_find_the_optimum(problem: Problem) -> None:
    """The neighbourhood search keeps ties and finds what trying everything finds."""
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles[:2]])
    assume(problem.ties and reduced(problem, LNS.supports).problem.features <= LNS.supports)
    found = nco.solve(problem, LNS(max_iterations=600), time_limit_s=2.0, seed=1)
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    best = optimum(problem)
    if np.isfinite(best):
        assert found.feasible
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("method", "stops"), [("auto", 40), ("ortools", 14)])
def test_many_ties_are_kept(method: str, stops: int) -> None:
    """Stops in chains, pairs and orders are served, and the checker agrees."""
    ties = [Sequence(stops=(1, 2, 3)), Sequence(stops=(5, 4)), Precedence(stops=(9, 3, 14))]
    ties += [SameVehicle(stops=(10, 11, 12)), DifferentVehicles(stops=(10, 13))]
    fields = {"demand": [0] + [1] * stops, "vehicles": [Vehicle(capacity=12)] * 5}
    problem = tied(*ties, stops=stops, **fields)
    found = nco.solve(problem, method, time_limit_s=0.7)
    kinds = {finding.kind for finding in nco.check(problem, found).findings}
    assert kinds <= (set() if method == "auto" else {"unserved"})


def test_a_sequence_differs_between_vehicles() -> None:
    """Where vehicles begin a sequence between different times, it is stated as it is or refused."""
    windows = [(0, 9000), (0, 500), (700, 900), (0, 9000), (0, 9000)]
    vehicles = [Vehicle(), Vehicle(speed=3.0)]
    problem = tied(Sequence(stops=(1, 2)), window_s=windows, vehicles=vehicles)
    assert reduced(problem, LNS.supports).problem.names == problem.names
    found = nco.solve(problem, "ortools", time_limit_s=0.5)
    assert nco.check(problem, found)


def test_left_out_together() -> None:
    """Of a sequence all is served or nothing, and its prizes add up."""
    prize = [0, 60, 60, 9e9, 9e9]
    problem = tied(Sequence(stops=(1, 2)), prize=prize)
    alone = Solution.from_routes(problem, [[3, 4]])
    assert alone.cost.unserved == 120
    torn = Solution.from_routes(problem, [[1, 3, 4]])
    assert [v.kind for v in torn.violations] == ["sequence"]
    found = nco.solve(problem, time_limit_s=0.2)
    assert found.cost.total == pytest.approx(optimum(problem))


@pytest.mark.parametrize(
    ("ties", "fields", "message"),
    [
        ([5], {}, r"ties\[0\] is 5; give nco.SameVehicle"),
        ([SameVehicle(stops=(0, 1))], {}, r"ties\[0\] \(same vehicle\) names node 0; stops are 1"),
        ([Sequence(stops=(1, 2)), Sequence(stops=(2, 3))], {}, "belongs to ties.0. .sequence."),
        ([Sequence(stops=(1, 2))], {"groups": [Group(stops=(2, 3))]}, r"belongs to groups\[0\]"),
        ([Sequence(stops=(1, 2))], {"prize": [0, 5, np.inf, 0, 0]}, "all of them are served or"),
        (
            [Sequence(stops=(1, 2))],
            {"shipments": [Shipment(pickup=2, delivery=3)]},
            r"has one end of shipments\[0\]",
        ),
        (
            [Precedence(stops=(1, 2, 3)), Precedence(stops=(3, 1))],
            {},
            r"ties\[0\] and ties\[1\]: the order of stops .* is circular",
        ),
        (
            [Precedence(stops=(3, 1))],
            {"shipments": [Shipment(pickup=1, delivery=3)], "prize": [0, 5, 5, 5, 5]},
            r"shipments\[0\] and ties\[0\]: the order of stops .* is circular",
        ),
        (
            [SameVehicle(stops=(1, 2)), SameVehicle(stops=(2, 3)), DifferentVehicles(stops=(1, 3))],
            {},
            r"ties\[2\] .* 1 \('1'\) and 3 \('3'\) are for different vehicles, but",
        ),
    ],
)
def test_contradictions_are_named(ties, fields, message) -> None:
    """What no answer can keep is refused at construction, with the stops involved."""
    with pytest.raises(ProblemError, match=message):
        tied(*ties, **fields)


def test_optional_stops_contradict_nothing() -> None:
    """A circular order of stops that may be left out is no error: one of them is left out."""
    ties = [Precedence(stops=(1, 2)), Precedence(stops=(2, 1))]
    problem = tied(*ties, prize=[0, 9999, 9999, np.inf, np.inf])
    found = nco.solve(problem, time_limit_s=0.3)
    assert nco.check(problem, found)
    assert len(found.unassigned) == 1


@pytest.mark.parametrize("given_stops", [(1,), (1, 1), 3, "12", (1, 2.5)])
def test_too_few_stops(given_stops) -> None:
    """A tie has two different stops or more."""
    with pytest.raises(ProblemError, match="precedence: stops"):
        Precedence(stops=given_stops)


@given(st.data())
@settings(max_examples=5, deadline=None)
def test_ties_are_drawn(data) -> None:
    """The generator of problems draws ties now and then."""
    problem = data.draw(ruled_problems(6, ("ties",)))
    assert all(set(tie.stops) <= set(problem.stops) for tie in problem.ties)
