"""Set-up, loading and unloading: when they are paid, and what they delay."""

import numpy as np
import pytest

import nco
from nco import Objective, Problem, Route, Solution, Vehicle
from nco.errors import ProblemError
from nco.problem.schedule import schedule

ADDRESS = np.array([0, 100, 100, 250.0])  # stops 1 and 2 share one


def street(vehicle: Vehicle | None = None, **fields: object) -> Problem:
    """Three stops along a street, driven at 1 m/s."""
    distance = np.abs(ADDRESS[:, None] - ADDRESS)
    vehicles = [vehicle or Vehicle()]
    objective = Objective(distance=0, duration=1)
    return Problem.from_matrices(distance, vehicles=vehicles, objective=objective, **fields)


@pytest.mark.parametrize(
    ("stops", "setups"), [((1, 2, 3), 10 + 30), ((2, 1, 3), 20 + 30), ((1, 3, 2), 10 + 30 + 20)]
)
def test_set_up_is_paid_once_at_a_place(stops: tuple[int, ...], setups: float) -> None:
    """Of stops in a row at one place the first sets up; who comes back sets up again."""
    problem = street(setup_s=[0, 10, 20, 30])
    found = Solution.from_routes(problem, [stops])
    driven = found.cost.distance_m
    assert found.cost.duration_s == driven + setups
    assert nco.check(problem, found)


def test_set_up_comes_before_the_window() -> None:
    """A stop whose window opens later is set up meanwhile; one that closes is missed by it."""
    problem = street(setup_s=[0, 50, 0, 0], window_s=[(0, 999), (160, 999), (0, 999), (0, 999)])
    (timetable,) = schedule(problem, Solution.from_routes(problem, [[1]]))
    visit = timetable.visits[1]
    assert (visit.start_s, visit.setup_s, visit.waiting_s) == (160, 50, 0)
    late = street(setup_s=[0, 50, 0, 0], window_s=[(0, 999), (0, 140), (0, 999), (0, 999)])
    found = Solution.from_routes(late, [[1]])
    assert [v.amount for v in found.violations] == [10]
    assert not nco.check(late, found)


def test_loading_waits_for_goods_and_unloading_ends_with_the_shift() -> None:
    """Each trip loads when its goods are there and unloads before the depot closes."""
    vehicle = Vehicle(loading_s=30, unloading_s=7, max_trips=2, shift_s=(0, 1000))
    problem = street(vehicle, release_s=[0, 0, 0, 400])
    found = Solution.from_routes(problem, [Route(0, (1, 2)), Route(0, (3,))])
    first, second = schedule(problem, found)
    assert (first.visits[0].start_s, first.visits[0].departure_s) == (163, 193)
    assert second.visits[0].start_s == 400
    assert second.visits[0].departure_s == 430
    assert second.visits[-1].start_s == 430 + 500 + 7
    assert nco.check(problem, found)
    short = street(Vehicle(loading_s=30, unloading_s=7, shift_s=(0, 236)))
    report = nco.check(short, Solution.from_routes(short, [[1]]))
    assert [finding.kind for finding in report.findings] == ["shift", "unserved", "unserved"]


def test_an_open_route_loads_and_unloads_nothing() -> None:
    """Who begins at the first stop sets up there, and is at no depot."""
    vehicle = Vehicle(loading_s=30, unloading_s=7, open_start=True, open_end=True)
    problem = street(vehicle, setup_s=[0, 10, 20, 30])
    found = nco.solve(problem, time_limit_s=0.2)
    assert nco.check(problem, found)
    assert found.cost.duration_s == 150 + 10 + 30


def test_every_method_knows_it_by_its_durations() -> None:
    """Solvers that know nothing of set-up find the best order with it."""
    problem = street(setup_s=[0, 10, 20, 300])
    for method in ("auto", "pyvrp", "ortools", "nearest"):
        found = nco.solve(problem, method, time_limit_s=0.3)
        assert nco.check(problem, found), method
        assert found.cost.duration_s == 500 + 10 + 300


def test_a_depot_has_no_set_up() -> None:
    """Depots load and unload; set-up is of stops."""
    with pytest.raises(ProblemError, match=r"setup_s\[0\] is not 0, but node 0 is a depot"):
        street(setup_s=[5, 0, 0, 0])
    with pytest.raises(ProblemError, match="loading_s is -1"):
        Vehicle(loading_s=-1)
