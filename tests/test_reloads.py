"""Vehicles that load again between their trips at any of several depots."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, given, settings
from instances import ruled_problems

import nco
from nco import Feature, Objective, Problem, Route, Solution, Vehicle
from nco.errors import ProblemError, UnsupportedError
from nco.problem.schedule import schedule

few = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def street(**vehicle: object) -> Problem:
    """Depots at 0 and 1000 m, stops at 100, 900 and 1000 m, 10 m/s; the van holds 2 of 1 each."""
    position = np.array([0.0, 1000.0, 100.0, 900.0, 1000.0])
    distance = np.abs(position[:, None] - position[None])
    van = Vehicle(capacity=2, max_trips=2, reload_at=(0, 1), **vehicle)
    return Problem.from_matrices(
        distance, distance / 10, depots=2, demand=[0, 0, 1, 1, 2], vehicles=[van]
    )


def test_depots_between_trips_decide_the_way() -> None:
    """The same stops cost what the way over the named depot costs; without a name, the first."""
    problem = street()
    far = Solution.from_routes(problem, [Route(0, (2, 3), 1), Route(0, (4,))])
    home = Solution.from_routes(problem, [Route(0, (2, 3)), Route(0, (4,))])
    assert (far.cost.total, home.cost.total) == (2000, 3800)
    assert nco.check(problem, far)
    assert nco.check(problem, home)
    visits = [visit.node for trip in schedule(problem, far) for visit in trip.visits]
    assert visits == [0, 2, 3, 1, 1, 4, 0]


def test_what_says_nothing_is_left_out() -> None:
    """The first depot, and any behind the last trip, are what is meant without a name."""
    problem = street()
    found = Solution.from_routes(problem, [Route(0, (2, 3), 0), Route(0, (4,), 1)])
    assert found.routes == (Route(0, (2, 3)), Route(0, (4,)))


def test_other_depots_are_refused() -> None:
    """Evaluation and checker both tell a depot where the vehicle may not load."""
    problem = street()
    problem = replace(problem, vehicles=[replace(problem.vehicles[0], reload_at=(0,))])
    found = Solution.from_routes(problem, [Route(0, (2, 3), 1), Route(0, (4,))])
    assert [violation.kind for violation in found.violations] == ["reload"]
    assert [finding.kind for finding in nco.check(problem, found).findings] == ["reload"]
    with pytest.raises(ProblemError, match="reload_at is node 3; depots are 0 to 1"):
        Solution.from_routes(problem, [Route(0, (2,), 3)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 0), "name each depot once"),
        ((0, 2), "reload_at is node 2; depots are 0 to 1"),
        ((0.5,), r"reload_at\[0\] is 0.5; give a whole number"),
        (1, "a list of depots"),
    ],
)
def test_malformed(given: object, message: str) -> None:
    """A depot that is none, or is named twice, is said so."""
    with pytest.raises(ProblemError, match=message):
        replace(street(), vehicles=[Vehicle(capacity=2, max_trips=2, reload_at=given)])


def test_only_where_it_matters() -> None:
    """One depot for all is no feature; neither is who drives a single trip."""
    problem = street()
    assert Feature.RELOADS in problem.features
    for van in ({"reload_at": (0,)}, {"max_trips": 1}, {"reload_at": ()}):
        own = replace(problem, vehicles=[replace(problem.vehicles[0], **van)])
        assert Feature.RELOADS not in own.features
    away = replace(problem.vehicles[0], reload_at=(1,))
    assert Feature.RELOADS in replace(problem, vehicles=[away]).features


@pytest.mark.parametrize("suffix", [".json", ".csv", ".sol", ".geojson"])
def test_files_keep_the_depot(tmp_path, suffix: str) -> None:  # type: ignore[no-untyped-def]
    """Routes come back from every format with the depots between them."""
    problem = replace(street(), lonlat=[[25, 60.0 + k / 100] for k in range(5)])
    found = Solution.from_routes(problem, [Route(0, (2, 3), 1), Route(0, (4,))])
    path = tmp_path / f"routes{suffix}"
    nco.save(found, path, problem=problem)
    assert nco.load(path, problem=problem).routes == found.routes


@pytest.mark.parametrize("suffix", [".json", ".vrp"])
def test_problems_keep_the_depots(tmp_path, suffix: str) -> None:  # type: ignore[no-untyped-def]
    """Problems come back with the depots of each vehicle."""
    problem = street()
    distance = problem.profiles[0].distance_m
    problem = replace(
        problem, profiles=[replace(problem.profiles[0], duration_s=distance)], name="street"
    )
    nco.save(problem, tmp_path / f"street{suffix}")
    known = nco.load(tmp_path / f"street{suffix}")
    assert [v.reloads for v in known.vehicles] == [(0, 1)]
    assert known.features == problem.features


def test_pyvrp_finds_the_depot() -> None:
    """PyVRP is told of both depots, and of the way over the better one as a start."""
    problem = street()
    found = nco.solve(problem, "pyvrp", time_limit_s=0.3)
    assert found.cost.total == 2000
    start = Solution.from_routes(problem, [Route(0, (2, 3), 1), Route(0, (4,))])
    assert nco.solve(problem, "pyvrp", time_limit_s=0.1, initial=start).cost.total == 2000


@pytest.mark.parametrize("method", ["nearest", "ortools", "vroom"])
def test_others_refuse(method: str) -> None:
    """What cannot load at several depots says so by name."""
    with pytest.raises(UnsupportedError, match=r"several trips|again at several depots"):
        nco.solve(street(), method, time_limit_s=0.1)


def test_loading_takes_time_at_every_depot() -> None:
    """Loading before each trip and unloading behind it are on duty wherever they are."""
    problem = replace(street(loading_s=30, unloading_s=7), objective=Objective(duration=1))
    found = Solution.from_routes(problem, [Route(0, (2, 3), 1), Route(0, (4,))])
    assert found.cost.duration_s == 200 + 2 * 37
    assert nco.check(problem, found)


@few
@given(problem=ruled_problems(3, ("reloads", "releases", "open", "handling")))
def test_auto_finds_the_optimum(problem: Problem) -> None:
    """With reloads and what goes with them, tiny problems are solved as well as can be."""
    found = nco.solve(problem, time_limit_s=0.2, seed=1)
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    best = optimum(problem)
    if np.isfinite(best):
        assert found.feasible
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)
