"""Mending: from any routes to routes that break nothing and serve what fits."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from instances import directed, line_of_four, problems_with_routes

import nco
from nco import Problem, Route, Solution, Vehicle
from nco.fleet.mending import completed, finished
from nco.solver import Clock

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@quick
@given(problems_with_routes())
def test_whatever_comes_in(pair):
    """Routes with any faults come out without; only unserved stops are left to be found."""
    problem, routes = pair
    for thorough in (False, True):
        mended = completed(problem, routes, Clock(5.0), thorough=thorough)
        solution = Solution.from_routes(problem, mended)
        assert solution.violations == ()
        assert {f.kind for f in nco.check(problem, solution).findings} <= {"unserved"}


@quick
@given(problems_with_routes())
def test_good_routes_stay(pair):
    """What breaks nothing and serves everything is returned as it is."""
    problem, routes = pair
    solution = Solution.from_routes(problem, routes)
    if solution.feasible:
        again = finished(problem, routes, None, Clock(5.0), method="test", seed=0)
        assert again.routes == solution.routes


def test_cheapest_place():
    """A stop between two others on a line goes between them."""
    problem = line_of_four()
    problem = Problem.from_matrices(problem.profiles[0].distance_m)
    routes = completed(problem, [Route(0, (1, 3))], Clock(1.0))
    assert Solution.from_routes(problem, routes).cost.total == 600.0


def test_room_is_made():
    """A large stop takes the place of a small one, which fits elsewhere."""
    problem = Problem.from_matrices(directed(5), demand=[0, 3, 5, 5, 8], capacity=11, vehicles=2)
    # 5 + 3 and 5 leave 3 and 6 free: the stop of 8 fits nowhere until one of 5 moves.
    routes = [Route(0, (1, 2)), Route(1, (3,))]
    assert not Solution.from_routes(problem, completed(problem, routes, Clock(1.0))).feasible
    mended = completed(problem, routes, Clock(1.0), thorough=True)
    assert Solution.from_routes(problem, mended).feasible


def test_new_trip():
    """Where a trip is full, the vehicle drives another one."""
    problem = Problem.from_matrices(
        directed(4),
        demand=[0, 2, 2, 2],
        vehicles=[Vehicle(capacity=(2,), max_trips=3)],
    )
    routes = completed(problem, [], Clock(1.0))
    assert len(routes) == 3
    assert Solution.from_routes(problem, routes).feasible


def test_optional_stops_must_pay():
    """An optional stop is inserted where the detour costs less than its prize, also later on."""
    distance = np.array([[0, 100.0, 100, 300], [100, 0, 100, 300], [100, 100, 0, 300], [300] * 4])
    np.fill_diagonal(distance, 0)
    problem = Problem.from_matrices(distance, prize=[np.inf, 150, 250, 400])
    routes = completed(problem, [], Clock(1.0))
    assert {j for route in routes for j in route.stops} == {1, 2}  # 1 pays once 2 is served
