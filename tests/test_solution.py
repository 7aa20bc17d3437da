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
    assert "none has room for its demand of 1" in reason(problem, [[1, 2]], 3)


def test_unused_vehicle_is_the_methods_fault():
    """A stop that an idle vehicle could serve was left out by the method."""
    assert "unused vehicle could serve it" in reason(line_of_four(), [[1, 2]], 3)


def test_window_that_no_vehicle_meets():
    """A stop that closes before anyone can be there says when it could be reached."""
    problem = dataclasses.replace(early_and_late(), window_s=[[0, 9e9], [0, 9e9], [0, 50]])
    assert "before 100 s and its window closes at 50 s" in reason(problem, [[1]], 2)


def test_shift_that_ends_too_early():
    """A stop that cannot be served within any shift says when the vehicle would be back."""
    problem = dataclasses.replace(early_and_late(), vehicles=(Vehicle(shift_s=(0, 200)),))
    assert "back at 250 s, after closing at 200 s" in reason(problem, [], 2)


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
    assert text.startswith("by hand: NOT feasible, 1 routes, 0.40 km")
    assert "unserved: stop 3" in text
