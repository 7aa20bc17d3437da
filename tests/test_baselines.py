"""What every baseline must do, whatever is inside it."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, given, settings
from instances import directed, line_of_four, problems, ruled_problems
from solvers import LIMIT_S, SEARCHES, SOLVERS, supported
from timing import within

import nco
from nco import Feature, Objective, Problem, Route, Solution, Vehicle
from nco.errors import UnsupportedError
from nco.problem.normal import normal
from nco.problem.objective import CLASSICAL
from nco.solve import solver as registered
from nco.solver import Prepares

every_solver = pytest.mark.parametrize("method", SOLVERS)
every_search = pytest.mark.parametrize("method", SEARCHES)
every_timed_solver = pytest.mark.parametrize("method", [m for m in SOLVERS if m != "hgs"])
random_problems = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def city(stops: int, seed: int = 0, vehicles: int | None = None) -> Problem:
    """Directed streets between random points; vehicles hold about ten stops each."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 10_000, (stops + 1, 2))
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    distance *= rng.uniform(1.1, 1.7, distance.shape)
    demand = np.concatenate([[0], rng.integers(1, 10, stops)])
    count = int(np.ceil(demand.sum() / 50 * 1.2)) if vehicles is None else vehicles
    return Problem.from_matrices(
        distance, distance / 10, demand=demand, capacity=50, vehicles=count
    )


def timed_city(stops: int, seed: int = 0) -> Problem:
    """The same with windows of an hour or two and a shift of ten hours."""
    problem = city(stops, seed)
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 20_000, stops + 1)
    windows = np.stack([start, start + rng.uniform(3600, 7200, stops + 1)], axis=1)
    windows[0] = (0, np.inf)
    vehicle = Vehicle(capacity=(50,), shift_s=(0, 36_000))
    service = np.concatenate([[0], np.full(stops, 120.0)])
    return replace(
        problem, window_s=windows, service_s=service, vehicles=(vehicle,) * (stops // 4 + 1)
    )


@every_solver
def test_protocol(method):
    """The registry holds each solver under its own name, with nothing but known features."""
    solver = registered(method)
    assert solver.name == method == SOLVERS[method].name
    assert solver.supports <= set(Feature)
    assert solver.supports == SOLVERS[method].supports


@every_solver
@random_problems
@given(problem=problems(max_stops=4))
def test_breaks_nothing(method, problem):
    """On any problem: no rule is broken, the cost is right, and nothing beats the optimum."""
    solver = SOLVERS[method]
    problem = supported(problem, solver)
    assert problem.features <= solver.supports
    found = solver.solve(problem, LIMIT_S, seed=2)
    assert found.violations == ()
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    assert all(u.reason for u in found.unassigned)
    if found.feasible:
        best = optimum(problem)
        assert found.cost.total >= best - 1e-6 * abs(best) - 1e-6


@pytest.mark.parametrize("method", [m for m in SOLVERS if SOLVERS[m].supports - CLASSICAL])
@random_problems
@given(problem=ruled_problems(4))
def test_breaks_no_further_rule(method, problem):
    """Whatever else is asked of routes that a solver supports, no answer breaks it."""
    solver = SOLVERS[method]
    problem = normal(supported(problem, solver)).problem
    assert problem.features <= solver.supports
    found = solver.solve(problem, LIMIT_S, seed=2)
    assert found.violations == ()
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    if found.feasible:
        best = optimum(problem)
        assert found.cost.total >= best - 1e-6 * abs(best) - 1e-6


@every_solver
@pytest.mark.parametrize("stops", [0, 1, 2])
def test_hardly_any_stops(method, stops):
    """No stop, one stop and fewer stops than vehicles are no special cases."""
    problem = Problem.from_matrices(
        directed(stops + 1), demand=[0] + [1] * stops, capacity=5, vehicles=4
    )
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert nco.check(problem, found)
    assert sum(len(route.stops) for route in found.routes) == stops


@every_solver
def test_too_few_vehicles(method):
    """What the vehicles can hold is served; each stop left out carries a reason."""
    problem = Problem.from_matrices(directed(6), demand=[0, 4, 4, 4, 4, 4], capacity=8, vehicles=2)
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert found.violations == ()
    assert len(found.unassigned) == 1
    assert "add vehicles" in found.unassigned[0].reason
    assert not found.feasible


@every_solver
def test_tight_fleet(method):
    """Vehicles that hold everything only if the stops are packed well are filled well."""
    problem = Problem.from_matrices(
        directed(7, 3), demand=[0, 7, 6, 4, 3, 5, 5], capacity=10, vehicles=3
    )
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert nco.check(problem, found), found.summary()


@every_solver
def test_stop_that_no_street_reaches(method):
    """It is reported as such; the others are served."""
    distance = directed(6)
    distance[:, 3] = distance[3, :] = np.inf
    distance[3, 3] = 0
    problem = Problem.from_matrices(distance, demand=[0] + [1] * 5, capacity=2, vehicles=3)
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert [u.stop for u in found.unassigned] == [3]
    assert "no street" in found.unassigned[0].reason
    assert found.violations == ()


@every_solver
def test_streets_that_do_not_exist_are_not_driven(method):
    """A tenth of the arcs among twenty stops is missing: all stops are served by the others."""
    whole = city(20)
    distance = np.array(whole.profiles[0].distance_m)
    missing = np.random.default_rng(1).random(distance.shape) < 0.1
    missing[0] = missing[:, 0] = False
    distance[missing & ~np.eye(21, dtype=bool)] = np.inf
    problem = Problem.from_matrices(distance, demand=whole.demand[:, 0], capacity=50, vehicles=9)
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert nco.check(problem, found), found.summary()
    assert not found.unassigned


@every_timed_solver
def test_impossible_window(method):
    """A stop that closes before anybody can be there is left out, with the times."""
    problem = Problem.from_matrices(
        directed(5), window_s=[[0, np.inf], [0, 1], [0, 1e5], [0, 1e5], [0, 1e5]], vehicles=2
    )
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert [u.stop for u in found.unassigned] == [1]
    assert "window closes" in found.unassigned[0].reason


@every_timed_solver
def test_windows_too_many_for_the_fleet(method):
    """Where all want service at once, one stop a vehicle is served."""
    problem = Problem.from_matrices(
        directed(7), window_s=[[0, np.inf]] + [[2000, 2001]] * 6, vehicles=3
    )
    found = SOLVERS[method].solve(problem, 1.0, seed=0)
    assert found.violations == ()
    assert len(found.unassigned) == 3


@every_timed_solver
def test_closed_depot(method):
    """A depot that closes before the shift begins serves nobody; the reason is there."""
    problem = Problem.from_matrices(
        directed(3), window_s=[[0, 10], [0, 1e5], [0, 1e5]], vehicles=2, shift_s=(50, 1e5)
    )
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0)
    assert found.routes == ()
    assert len(found.unassigned) == 2


KNOW_ALL = ("auto", "lns", "lns-policy")  # of what is asked here


@pytest.mark.parametrize("method", [m for m in SOLVERS if m not in KNOW_ALL])
def test_refusal(method):
    """What a solver does not support is named, before anything is computed."""
    lacking = {
        Feature.LONGEST_ROUTE: replace(line_of_four(), objective=Objective(longest_route=1.0)),
        Feature.TRIPS: replace(
            line_of_four(), vehicles=[Vehicle(capacity=(2,), max_trips=2, shift_s=(0, 1e6))]
        ),
        Feature.OPTIONAL_STOPS: replace(line_of_four(), prize=[0, 1, 1, 1]),
        Feature.MIXED_FLEET: replace(
            line_of_four(), vehicles=[Vehicle(capacity=(2,)), Vehicle(capacity=(3,))]
        ),
    }
    refused = [feature for feature in lacking if feature not in registered(method).supports]
    assert refused
    for feature in refused:
        with pytest.raises(UnsupportedError, match=str(feature)):
            nco.solve(lacking[feature], method, time_limit_s=1)


@every_solver
def test_initial_solution_is_never_lost(method):
    """Started from the best known routes, no solver returns worse ones."""
    problem = city(20, seed=4)
    best = SEARCHES["pyvrp"].solve(problem, 5.0, seed=0)
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0, initial=best)
    assert nco.check(problem, found)
    assert found.cost.total <= best.cost.total + 1e-6
    assert found.method == method


@every_solver
def test_initial_solution_that_breaks_rules(method):
    """It is not returned, nor does it stop the search."""
    problem = line_of_four()
    broken = Solution.from_routes(problem, [Route(0, (1, 2, 3)), Route(1, (3,))])
    assert broken.violations
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=0, initial=broken)
    assert nco.check(problem, found)


@every_search
def test_initial_solution_is_used(method):
    """A search that has no time for a search of its own still improves on what it is given."""
    problem = city(60, seed=5)
    start = SOLVERS["savings"].solve(problem, 5.0, seed=0)
    found = SOLVERS[method].solve(problem, 0.5, seed=0, initial=start)
    assert found.cost.total < start.cost.total


@every_solver
def test_seed(method):
    """The same seed and number of iterations give the same routes, bit for bit."""
    problem = city(30, seed=6)
    first, second = (SOLVERS[method].solve(problem, 30.0, seed=7) for _ in range(2))
    assert first.routes == second.routes
    assert first.seed == 7


@pytest.mark.parametrize("method", ["pyvrp", "hgs"])
def test_other_seed(method):
    """Another seed gives another search."""
    problem = city(40, seed=8)
    found = {SOLVERS[method].solve(problem, 30.0, seed=s).routes for s in range(4)}
    assert len(found) > 1


@every_solver
@pytest.mark.parametrize("limit_s", [0.25, 1.0])
@pytest.mark.parametrize("build", [city, timed_city])
def test_time_limit(method, limit_s, build):
    """100 stops: the limit is kept within 10 % + 50 ms, and 0.2 s for a busy machine."""
    problem, solver = build(100), registered(method)
    if not problem.features <= solver.supports:
        pytest.skip(f"{method} does not support the problem")
    if isinstance(solver, Prepares):
        solver.prepare(problem)
    found = within(limit_s, lambda: solver.solve(problem, limit_s, seed=0))
    assert nco.check(problem, found), found.summary()


@every_solver
def test_time_limit_far_too_short(method):
    """A millisecond for 300 stops gives an answer that breaks nothing."""
    problem = city(300)
    found = registered(method).solve(problem, 0.001, seed=0)
    assert found.violations == ()


@every_solver
def test_silence(method, capfd):
    """Neither a solver nor the library below it prints anything."""
    registered(method).solve(city(15), 0.2, seed=0)
    assert capfd.readouterr() == ("", "")


@every_search
def test_good_on_a_city(method):
    """At half a second on 50 stops every search is well ahead of the savings."""
    problem = city(50, seed=1)
    savings = SOLVERS["savings"].solve(problem, 5.0, seed=0).cost.total
    found = registered(method).solve(problem, 0.5, seed=0)
    assert nco.check(problem, found)
    assert found.cost.total < 0.99 * savings


def test_many_identical_vehicles():
    """A vehicle for each stop, as plain matrices give, slows nobody down."""
    problem = city(60, vehicles=60)
    for method in SOLVERS:
        found = registered(method).solve(problem, 0.5, seed=0)
        assert nco.check(problem, found)
        assert len(found.routes) < 12, method
