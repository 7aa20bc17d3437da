"""Any zero of the clock and any unit give the same routes, at the same cost, with every method."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import directed, early_and_late, problems_with_routes
from solvers import SOLVERS, supported

import nco
from nco import Objective, Problem, Profile, Route, Solution, Vehicle
from nco.problem.check import check
from nco.problem.normal import normal
from nco.search.tree.solver import TreeSearch, TreeSolver
from nco.solve import solver as registered

LIMITS_S = {"ortools": 0.2}  # there are too few solutions for a number of them to end it
MILLION, UNIX = 1e6, 1_732_838_400.0
METHODS = SOLVERS | {
    "mcts": TreeSolver("mcts", TreeSearch(rounds=1, views=1)),
    "policy": registered("policy"),
}
every_solver = pytest.mark.parametrize("method", METHODS)
# The last bit of a cost decides where tree search goes; what its network sees is in "policy".
every_steady_solver = pytest.mark.parametrize("method", [m for m in METHODS if m != "mcts"])


def morning(seed: int) -> Problem:
    """Nine stops for three vans that reload; windows, waiting that costs, and optional stops."""
    rng = np.random.default_rng(seed)
    n = 10
    distance = directed(n, seed)
    opens = 28_800 + rng.integers(0, 3, n) * 1800.0
    window = np.stack([opens, opens + 3600], axis=1)
    window[rng.random(n) < 0.3] = (0, np.inf)
    window[0] = (28_800, 43_200)
    van = Vehicle(capacity=(4,), shift_s=(28_800, 43_200), max_trips=2, fixed_cost=50)
    late = replace(van, shift_s=(30_600, 43_200), cost_per_s=2, capacity=(5,))
    return Problem.from_matrices(
        distance,
        distance / rng.uniform(3, 6, (n, n)),
        vehicles=[van, van, late],
        demand=[0, *rng.integers(1, 4, n - 1)],
        window_s=window,
        service_s=[0, *rng.integers(100, 200, n - 1)],
        prize=np.where(np.arange(n) % 4 == 3, 800.0, np.inf),
        objective=Objective(distance=1, duration=0.5),
    )


def later(problem: Problem, by_s: float) -> Problem:
    """The same day on a clock that shows so much more; what begins at 0 has no beginning."""
    shifts = [
        replace(v, shift_s=(v.shift_s[0] + by_s * (v.shift_s != (0, np.inf)), v.shift_s[1] + by_s))
        for v in problem.vehicles
    ]
    limited = (problem.window_s[:, :1] > 0) | np.isfinite(problem.window_s[:, 1:])
    return replace(problem, vehicles=shifts, window_s=problem.window_s + by_s * limited)


def rescaled(
    problem: Problem, *, metres: float = 1, seconds: float = 1, load: float = 1, cost: float = 1
) -> Problem:
    """The same problem in other units; its routes cost `cost` times as much."""
    weights = problem.objective
    return replace(
        problem,
        profiles=[
            Profile(distance_m=p.distance_m * metres, duration_s=p.duration_s * seconds)
            for p in problem.profiles
        ],
        vehicles=[
            replace(
                v,
                shift_s=tuple(time * seconds for time in v.shift_s),
                capacity=tuple(amount * load for amount in v.capacity),
            )
            for v in problem.vehicles
        ],
        demand=problem.demand * load,
        window_s=problem.window_s * seconds,
        service_s=problem.service_s * seconds,
        objective=replace(
            weights,
            distance=weights.distance * cost / metres,
            duration=weights.duration * cost / seconds,
            fixed=weights.fixed * cost,
            preference=weights.preference * cost,
            unserved=weights.unserved * cost,
        ),
    )


def solved(problem: Problem, method: str) -> Solution:
    """What a method makes of a problem, ended by iterations."""
    found = nco.solve(problem, METHODS[method], time_limit_s=LIMITS_S.get(method, 30), seed=1)
    assert check(problem, found).feasible == found.feasible
    return found


@every_solver
def test_the_zero_of_the_clock_changes_nothing(method):
    """From midnight, a million seconds later or since 1970: the same cost, and it is feasible."""
    for seed in range(1 if method == "mcts" else 2):
        problem = supported(morning(seed), METHODS[method])
        found = solved(problem, method)
        for by_s in (MILLION, UNIX):
            moved = solved(later(problem, by_s), method)
            assert (moved.feasible, moved.cost.total) == (
                found.feasible,
                pytest.approx(found.cost.total, rel=1e-9),
            )


@every_solver
def test_vehicles_without_a_shift_need_not_wait_since_1970(method):
    """Windows of a Tuesday are no further away from vehicles that may leave at any time."""
    if "shifts" not in METHODS[method].supports or method == "mcts":
        pytest.skip("no windows, or as slow as above")
    anytime = replace(later(morning(0), 86_400), vehicles=[Vehicle(capacity=(5,))] * 5)
    problem = supported(anytime, METHODS[method])
    found = solved(problem, method)
    for by_s in (MILLION, UNIX):
        moved = solved(later(problem, by_s), method)
        assert moved.cost.total == pytest.approx(found.cost.total, rel=1e-9)


UNITS = {
    "tiny": {"metres": 1e-6, "seconds": 1e-6, "load": 1e-12, "cost": 1e-9},
    "huge": {"metres": 1e9, "seconds": 1e9, "load": 1e6, "cost": 1e12},
}


@every_steady_solver
@pytest.mark.parametrize("units", UNITS)
def test_units_change_nothing(method, units):
    """Whatever metres, seconds, loads and costs are counted in, the answer costs the same."""
    problem = supported(morning(3), METHODS[method])
    found, other = (solved(p, method) for p in (problem, rescaled(problem, **UNITS[units])))
    assert other.feasible == found.feasible
    expected = found.cost.total * UNITS[units].get("cost", 1)
    # Whole numbers of other units are rounded otherwise: one more search, not one less good.
    assert other.cost.total == pytest.approx(expected, rel=0.01)


@every_steady_solver
def test_vehicles_may_cost_more_than_all_streets(method):
    """Where each vehicle costs a thousand million more, as few drive, by ways as short."""
    problem = supported(replace(morning(1), prize=None), METHODS[method])
    dear = [replace(v, fixed_cost=v.fixed_cost + 1e9) for v in problem.vehicles]
    found = solved(replace(problem, vehicles=dear), method)
    extreme = [replace(v, fixed_cost=v.fixed_cost + 1e14) for v in problem.vehicles]
    other = solved(replace(problem, vehicles=extreme), method)
    assert other.cost.distance + other.cost.duration == pytest.approx(
        found.cost.distance + found.cost.duration, rel=0.02
    )
    assert len({r.vehicle for r in other.routes}) == len({r.vehicle for r in found.routes})


@settings(max_examples=200, deadline=None)
@given(problems_with_routes(), st.sampled_from([MILLION, UNIX]), st.sampled_from([1e-9, 1.0, 1e9]))
def test_evaluation_and_checker_are_exact_at_any_zero_and_unit(case, by_s, scale):
    """The same violations and parts of the cost, however the clock and the units are chosen."""
    problem, routes = case
    whole = replace(problem, window_s=np.floor(problem.window_s))
    other = later(whole, by_s)
    if scale != 1:
        other = rescaled(whole, metres=scale, seconds=scale, load=scale)
    here, there = (Solution.from_routes(p, routes) for p in (whole, other))
    assert [v.kind for v in there.violations] == [v.kind for v in here.violations]
    for name in ("distance", "duration", "fixed", "preference", "unserved"):
        assert getattr(there.cost, name) == pytest.approx(getattr(here.cost, name), rel=1e-9)
    report = check(other, there)
    assert report.feasible == there.feasible
    assert {finding.kind for finding in report.findings} == (
        {v.kind for v in here.violations} | {"unserved" for u in here.unassigned if u.required}
    )


def test_a_second_late_is_late_since_1970():
    """Tolerances are a share of the day, not of the years before it."""
    problem = early_and_late()
    tight = replace(problem, window_s=[[0, np.inf], [500, 600], [0, 99.9]])
    for by_s in (0.0, MILLION, UNIX):
        moved = replace(later(tight, by_s), vehicles=[Vehicle(shift_s=(by_s, np.inf))])
        found = Solution.from_routes(moved, [[2, 1]])
        assert [v.kind for v in found.violations] == ["time window"]
        assert not check(moved, found).feasible
        assert found.violations[0].amount == pytest.approx(0.1, abs=1e-6)


def test_light_loads_are_limited_too():
    """A vehicle of a picogram does not take three."""
    problem = Problem.from_matrices(
        directed(4), demand=[0, 1e-12, 1e-12, 1e-12], capacity=2e-12, vehicles=2
    )
    assert [v.kind for v in Solution.from_routes(problem, [[1, 2, 3]]).violations] == ["capacity"]
    assert Solution.from_routes(problem, [[1, 2], [3]]).feasible


def test_what_closes_before_anybody_leaves_stays_closed():
    """A window that is over when the first shift begins is missed by the same time as before."""
    problem = Problem.from_matrices(
        [[0, 0], [0, 0]], vehicles=[Vehicle(shift_s=(UNIX, UNIX + 9))], window_s=[[0, 1e10], [0, 5]]
    )
    found = Solution.from_routes(problem, [[1]])
    assert [v.kind for v in found.violations] == ["time window"]
    assert found.violations[0].amount == UNIX - 5
    assert not nco.solve(problem, "nearest", time_limit_s=0.1).routes


def test_a_usual_problem_is_its_own_normal_form():
    """Seconds from 0, metres and units: nothing is copied, nothing is changed."""
    problem = early_and_late()
    assert normal(problem).problem is problem


def test_a_normal_form_needs_no_other():
    """Bringing a problem into its normal form twice is once too often."""
    form = normal(later(morning(0), UNIX)).problem
    assert normal(form).problem is form
    assert normal(later(morning(0), UNIX)).time_s(0.0) == UNIX + 28_800


def test_routes_keep_their_times():
    """The timetable is in the clock of the problem, to the second."""
    from nco.problem.schedule import schedule

    problem = morning(0)
    found = Solution.from_routes(problem, [Route(0, (1, 2)), Route(1, (4,))])
    for here, there in zip(
        schedule(problem, found), schedule(later(problem, UNIX), found), strict=True
    ):
        for a, b in zip(here.visits, there.visits, strict=True):
            assert b.start_s - UNIX == pytest.approx(a.start_s, abs=1e-5)


def test_what_has_closed_before_a_makespan_begins_is_not_met():
    """A stop that closes before the first vehicle leaves is late, however near it is."""
    metres = np.zeros((2, 2))
    problem = Problem.from_matrices(
        metres,
        metres,
        vehicles=[Vehicle(shift_s=(1000, 2000), open_start=True)],
        window_s=[(0, np.inf), (0, 500)],
        objective=Objective(makespan=1.0),
    )
    found = Solution.from_routes(problem, [[1]])
    assert found.violations and not nco.check(problem, found).feasible
