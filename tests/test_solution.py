"""Solutions say why stops are unserved and know which of two is better."""

import dataclasses

import numpy as np
import pytest
from instances import directed, early_and_late, line_of_four

from nco import Problem, Route, Vehicle
from nco.errors import ProblemError
from nco.problem.solution import Solution


def reason(problem: Problem, routes, stop: int) -> str:
    """The reason for one unassigned stop."""
    solution = Solution.from_routes(problem, routes)
    return next(u.reason for u in solution.unassigned if u.stop == stop)


def test_empty_routes_are_dropped():
    """A vehicle that stays at home has no route."""
    assert Solution.from_routes(line_of_four(), [[], [1, 2]]).routes == (Route(1, (1, 2)),)


def test_full_vehicles_are_the_reason():
    """With every vehicle in use and full, the reason names the demand and the room."""
    problem = dataclasses.replace(line_of_four(), vehicles=(Vehicle(capacity=(2,)),))
    assert "no room for its demand of 1 (free: 0)" in reason(problem, [[1, 2]], 3)


def test_unused_vehicle_is_the_methods_fault():
    """A stop that an idle vehicle could serve was left out by the method."""
    assert "unused vehicle could serve it" in reason(line_of_four(), [[1, 2]], 3)


def test_window_that_no_vehicle_meets():
    """A stop that closes before anyone can be there says when it could be reached."""
    problem = dataclasses.replace(early_and_late(), window_s=[[0, 9e9], [0, 9e9], [0, 50]])
    assert "arrive at 100 s and its window closes at 50 s" in reason(problem, [[1]], 2)


def test_shift_that_ends_too_early():
    """A stop that cannot be served within any shift says when the vehicle would be back."""
    problem = dataclasses.replace(early_and_late(), vehicles=(Vehicle(shift_s=(0, 200)),))
    assert "ends 50 s too early: back at 250 s, it ends at 200 s" in reason(problem, [], 2)


def test_unreachable_stop():
    """A stop without a street to it, or from it, says so."""
    to, back = directed(3), directed(3)
    to[:2, 2] = np.inf
    back[2, :2] = np.inf
    assert "no street leads to it" in reason(Problem.from_matrices(to), [[1]], 2)
    assert "no street leads from it" in reason(Problem.from_matrices(back), [[1]], 2)


def test_forbidden_stop():
    """A stop that no vehicle may serve says so."""
    vehicle = Vehicle(allowed=np.array([1, 1, 0]))
    problem = Problem.from_matrices(directed(3), vehicles=[vehicle])
    assert "allowed" in reason(problem, [[1]], 2)


def test_optional_stop_does_not_make_infeasible():
    """Leaving out an optional stop costs its prize and nothing else."""
    problem = Problem.from_matrices(directed(3), prize=[np.inf, np.inf, 30.0])
    solution = Solution.from_routes(problem, [[1]])
    assert solution.feasible
    assert solution.cost.unserved == 30
    assert not solution.unassigned[0].required


def test_better_solutions_break_less_then_serve_more_then_cost_less():
    """The order is violations, unserved required stops, cost."""
    problem = line_of_four()
    good = Solution.from_routes(problem, [[1], [2, 3]])
    dear = Solution.from_routes(problem, [[1, 2], [3]])
    full = Solution.from_routes(problem, [[1, 2, 3]])
    part = Solution.from_routes(problem, [[1]])
    ordered = sorted([part, full, dear, good], key=lambda solution: solution.rank)
    assert ordered == [good, dear, part, full]
    assert good.better_than(dear)
    assert good.better_than(None)


@pytest.mark.parametrize("route", [Route(2, (1,)), Route(0, (0,)), Route(0, (4,))])
def test_routes_must_name_what_exists(route: Route):
    """Vehicles and stops out of range are refused with the place."""
    with pytest.raises(ProblemError, match=r"routes\[0\]"):
        Solution.from_routes(line_of_four(), [route])


def test_summary_tells_the_reasons():
    """Printing a solution shows its cost, violations and unserved stops."""
    text = str(Solution.from_routes(line_of_four(), [[1, 2]], method="by hand"))
    assert text.startswith("by hand: NOT feasible, 1 route, 0.40 km")
    assert "unserved: stop 3" in text


def test_every_violation_and_reason_is_in_the_summary():
    """One line each, in words: what is broken, what is left out although it need not be."""
    problem = dataclasses.replace(line_of_four(), prize=np.array([np.inf, np.inf, np.inf, 5.0]))
    lines = str(Solution.from_routes(problem, [[1, 2, 1]], time_s=1.25)).splitlines()
    assert lines[0].startswith("routes: NOT feasible, 1 route") and "in 1.25 s" in lines[0]
    violations = [line for line in lines if line.startswith("  violation: ")]
    assert len(violations) == 2 and "carries 3" in violations[0]
    assert "served 2 times" in violations[1]
    assert lines[-1].startswith("  left out: stop 3, ")


def test_what_is_not_said_of_a_solution():
    """By default no method, seed 0 and no time; stamping changes these and nothing else."""
    plain = Solution.from_routes(line_of_four(), [[1, 2], [3]])
    assert (plain.method, plain.seed, plain.time_s) == ("", 0, 0.0)
    bare = Solution((), (), (), plain.cost)
    assert (bare.method, bare.seed, bare.time_s) == ("", 0, 0.0)
    stamped = plain.stamped(method="hand", seed=7, time_s=1.5)
    assert (stamped.method, stamped.seed, stamped.time_s) == ("hand", 7, 1.5)
    assert stamped.stamped(method="", seed=0, time_s=0.0) == plain
    assert not plain.better_than(plain)


def test_routes_on_another_problem():
    """The same routes are judged anew; reasons are kept where there were any."""
    problem = line_of_four()
    solution = Solution.from_routes(problem, [[1, 2]], method="hand", seed=3, time_s=2.0)
    small = dataclasses.replace(
        problem, vehicles=(Vehicle(capacity=(1,)),), prize=np.array([np.inf] * 3 + [7.0])
    )
    other = solution.on(small)
    fresh = Solution.from_routes(small, [[1, 2]])
    assert (other.cost, other.violations, other.routes) == (
        fresh.cost,
        fresh.violations,
        fresh.routes,
    )
    assert [(u.stop, u.required) for u in other.unassigned] == [(3, False)]
    assert other.unassigned[0].reason == solution.unassigned[0].reason
    assert (other.method, other.seed, other.time_s) == ("hand", 3, 2.0)
    assert solution.on(problem) == solution
    empty = dataclasses.replace(solution, routes=(Route(0, ()), Route(1, (1,)))).on(problem)
    assert empty.routes == (Route(1, (1,)),)
    assert [u.stop for u in empty.unassigned] == [2, 3]
    assert [u.reason for u in empty.unassigned] == ["", solution.unassigned[0].reason]
