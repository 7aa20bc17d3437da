"""Routes are mended by evaluating what is tried, where there are rules of any kind."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from instances import directed, ruled_problems_with_routes

from nco import Group, Problem, Route, Shipment, Solution, Vehicle
from nco.fleet.mending import completed, finished
from nco.solver import Clock

LONG_S = 10.0


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=ruled_problems_with_routes())
def test_mended_routes_break_nothing(drawn: tuple[Problem, tuple[Route, ...]]) -> None:
    """Whatever routes a solver ends with, what it returns breaks no rule."""
    problem, routes = drawn
    found = finished(problem, routes, None, Clock(LONG_S), method="any", seed=0)
    assert found.violations == ()
    late = finished(problem, routes, None, Clock(1e-9), method="any", seed=0)
    assert late.violations == ()


def test_what_is_missing_is_inserted() -> None:
    """Shipments go in as pairs, of a group the cheapest, and what costs more than its prize not."""
    problem = Problem.from_matrices(
        np.abs(np.subtract.outer([0, 10, 20, 30, 1, 500], [0, 10, 20, 30, 1, 500])),
        vehicles=[Vehicle(), Vehicle()],
        shipments=[Shipment(pickup=2, delivery=1)],
        groups=[Group(stops=(3, 4))],
        prize=[np.inf] * 5 + [100],
    )
    routes = completed(problem, [], Clock(LONG_S))
    found = Solution.from_routes(problem, routes)
    assert found.feasible
    assert sorted(j for route in routes for j in route.stops) == [1, 2, 4]
    assert found.cost.distance_m == 40


def test_only_what_breaks_a_rule_is_dropped() -> None:
    """Of a trip with one stop too many the others are kept, where they are."""
    problem = Problem.from_matrices(directed(5), vehicles=[Vehicle(max_stops=3)])
    routes = completed(problem, [Route(0, (4, 3, 2, 1))], Clock(LONG_S))
    assert len(routes[0].stops) == 3
    assert list(routes[0].stops) == sorted(routes[0].stops, reverse=True)


def test_torn_shipments_are_not_kept() -> None:
    """One end alone, or the delivery first, is taken out; both ends are put in again."""
    problem = Problem.from_matrices(
        directed(5), vehicles=2, shipments=[Shipment(pickup=1, delivery=2)]
    )
    for routes in ([Route(0, (2, 3, 1, 4))], [Route(0, (1, 3)), Route(1, (2, 4))]):
        found = Solution.from_routes(problem, completed(problem, routes, Clock(LONG_S)))
        assert found.feasible


@pytest.mark.parametrize("trips", [1, 2])
def test_limits_of_several_trips_count_together(trips: int) -> None:
    """A vehicle that may serve two stops serves two, on however many trips."""
    problem = Problem.from_matrices(directed(5), vehicles=[Vehicle(max_stops=2, max_trips=trips)])
    routes = completed(problem, [], Clock(LONG_S))
    assert sum(len(route.stops) for route in routes) == 2
