"""Solutions to start from: whatever they claim, their routes are judged on the problem at hand."""

import numpy as np
import pytest
from solvers import SOLVERS

import nco
from nco import Problem, Route, Solution, Vehicle
from nco.errors import InputError, ProblemError


def square(prices: float = 1.0, capacity: float = 2.0, stops: int = 4) -> Problem:
    """Stops in a row, at a price a metre, and vans."""
    x = np.arange(stops + 1.0)
    metres = 100 * prices * np.abs(x[:, None] - x)
    van = Vehicle(capacity=(capacity,))
    return Problem.from_matrices(metres, demand=[0] + [1] * stops, vehicles=[van] * 4)


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_costs_are_those_of_today(name: str):
    """Routes of yesterday's prices start a search, their cost does not."""
    today, yesterday = square(100.0), square()
    old = nco.solve(yesterday, "lns", time_limit_s=0.2)
    found = nco.solve(today, SOLVERS[name], time_limit_s=0.3, initial=old)
    assert nco.check(today, found)
    assert found.cost.total >= 100 * old.cost.total - 1e-6


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_yesterdays_larger_vans_are_no_excuse(name: str):
    """Routes that today's vans cannot carry are not the answer."""
    large, small = square(capacity=4.0), square()
    old = nco.solve(large, "lns", time_limit_s=0.2)
    assert len(old.routes) == 1
    found = nco.solve(small, SOLVERS[name], time_limit_s=0.3, initial=old)
    assert nco.check(small, found)
    assert found.feasible


def test_stops_and_vehicles_that_do_not_exist():
    """A solution of a larger problem is refused by the place, by every method at once."""
    problem = square()
    far = Solution.from_routes(square(stops=9), [[9, 8]])
    with pytest.raises(ProblemError, match=r"routes\[0\].stops\[0\]: 9 is not a stop"):
        nco.solve(problem, initial=far)
    other = Solution.from_routes(square(), [[1]])
    ghost = Solution((Route(7, (1,)),), other.unassigned, (), other.cost)
    with pytest.raises(ProblemError, match="vehicle 7 does not exist"):
        nco.solve(problem, initial=ghost)
    with pytest.raises(InputError, match="give a Solution"):
        nco.solve(problem, initial=[[1, 2]])  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["hgs", "genetic", "auto"])
def test_no_distances_at_all(method: str):
    """Where every way is free any routes will do, and no engine is asked that refuses this."""
    problem = Problem.from_matrices(np.zeros((5, 5)), demand=[0, 1, 1, 1, 1], capacity=2)
    found = nco.solve(problem, method, time_limit_s=0.6)
    assert found.feasible
    assert nco.check(problem, found)
