"""Priorities: a stop of a lower one never displaces one of a higher one."""

import numpy as np
import pytest
from instances import directed

import nco
from nco import Problem, Solution, Vehicle
from nco.errors import ProblemError


def crowded(priority: list[float], capacity: float = 4, **fields: object) -> Problem:
    """Six stops, of which the first takes four, for one vehicle."""
    demand = [0, 4, 1, 1, 1, 1, 2]
    fields = {"vehicles": [Vehicle(capacity=capacity)], **fields}
    return Problem.from_matrices(directed(7, 3), demand=demand, priority=priority, **fields)


def served(solution: Solution) -> set[int]:
    """The stops on routes."""
    return {j for route in solution.routes for j in route.stops}


@pytest.mark.parametrize(
    ("priority", "wanted"),
    [
        ([0, 5, 0, 0, 0, 0, 0], {1}),
        ([0, 0, 1, 1, 1, 1, 0], {2, 3, 4, 5}),
        ([0, 2, 1, 1, 1, 1, 1], {1}),
        ([0, 1, 1, 0, 0, 0, 2], {6, 2}),
    ],
)
def test_higher_ones_are_served_first(priority, wanted) -> None:
    """However many stops of a lower priority would fit in place of one of a higher one."""
    problem = crowded(priority)
    for method in ("auto", "lns"):
        found = nco.solve(problem, method, time_limit_s=0.3)
        assert wanted <= served(found)
        assert not found.violations
        assert all(u.reason for u in found.unassigned)


def test_answers_are_ordered_by_priority() -> None:
    """One stop of a high priority left out is worse than many of a lower one."""
    problem = crowded([0, 5, 0, 0, 0, 0, 0])
    one = Solution.from_routes(problem, [[1]])
    many = Solution.from_routes(problem, [[2, 3, 4, 5]])
    assert one.better_than(many)
    plain = crowded([0, 0, 0, 0, 0, 0, 0])
    assert many.on(plain).better_than(one.on(plain))


def test_where_all_fit_priorities_change_nothing() -> None:
    """With room for everything the routes are those without priorities."""
    plain, first = (crowded(p, capacity=99) for p in ([0] * 7, [0, 9, 0, 3, 0, 0, 100]))
    assert nco.Feature.PRIORITIES not in plain.features
    costs = [nco.solve(p, "lns", time_limit_s=0.3).cost.total for p in (plain, first)]
    assert costs[0] == pytest.approx(costs[1])


def test_optional_stops_have_their_prize() -> None:
    """A priority does not make an optional stop worth its way."""
    problem = crowded([0, 0, 0, 0, 0, 0, 9], prize=[0, *[np.inf] * 5, 0.5], capacity=8)
    assert 6 not in served(nco.solve(problem, time_limit_s=0.3))


@pytest.mark.parametrize(
    ("priority", "message"),
    [
        ([0, 0.5, 0, 0, 0, 0, 0], r"priority\[1\] is 0.5; it must be a whole number from 0 to 100"),
        ([0, 0, 0, 101, 0, 0, 0], r"priority\[3\] is 101"),
        ([0, 0, -1, 0, 0, 0, 0], r"priority\[2\] is -1"),
        ([1, 0, 0, 0, 0, 0, 0], r"priority\[0\] is 1; it must be 0: node 0 is a depot"),
        ([0, 0], "priority"),
    ],
)
def test_malformed_priorities(priority, message) -> None:
    """Each entry that is no priority is named."""
    with pytest.raises(ProblemError, match=message):
        crowded(priority)
