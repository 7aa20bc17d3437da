"""Fewest vehicles first: what counts before the cost, and is no part of it."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from instances import directed

import nco
from nco import Objective, Problem, Solution, Vehicle
from nco.fleet.reductions.reduced import reduced
from nco.problem.objective import CLASSICAL

FIRST = Objective(fewest_vehicles=True)


def dear_large_one(**fields: object) -> Problem:
    """Five stops for two small cheap vehicles, or for a large one that is ten times as dear."""
    vehicles = [Vehicle(capacity=3), Vehicle(capacity=2), Vehicle(capacity=5, cost_per_m=10)]
    fields = {"objective": FIRST, "vehicles": vehicles, "demand": [0, *[1] * 5], **fields}
    return Problem.from_matrices(directed(6, 3), **fields)


BEST = optimum(dear_large_one())


@pytest.mark.parametrize("method", ["auto", "lns", "pyvrp", "ortools"])
def test_one_dear_vehicle_before_two_cheap_ones(method: str) -> None:
    """Whatever it costs, one vehicle drives, on its best route, and the cost is what it is."""
    problem = dear_large_one()
    found = nco.solve(problem, method, time_limit_s=0.4)
    assert nco.check(problem, found)
    assert {route.vehicle for route in found.routes} == {2}
    assert found.cost.vehicles == 1
    assert found.cost.total == pytest.approx(10 * found.cost.distance_m)
    assert found.cost.total == pytest.approx(BEST)


def test_fewer_vehicles_are_better_whatever_they_cost() -> None:
    """Answers are ordered by vehicles, then by cost; only where that is asked for."""
    for problem, wanted in (
        (dear_large_one(), True),
        (dear_large_one(objective=Objective()), False),
    ):
        two = Solution.from_routes(problem, [[1, 2, 3], [4, 5]])
        one = Solution.from_routes(problem, [nco.Route(2, (1, 2, 3, 4, 5))])
        assert one.better_than(two) == wanted
        assert (one.cost.vehicles, two.cost.vehicles) == ((1, 2) if wanted else (0, 0))


def test_no_prize_is_worth_a_vehicle() -> None:
    """Optional stops are served by vehicles that drive anyway, and by no other."""
    vehicles = [Vehicle(capacity=3)] * 3
    prize = [np.inf, np.inf, 1e6, 1e6, 1e6, 1e6]
    found = nco.solve(dear_large_one(vehicles=vehicles, prize=prize), time_limit_s=0.4)
    assert len(found.routes) == 1
    assert len(found.routes[0].stops) == 3


def test_what_it_costs_there_does_not_swamp_the_rest() -> None:
    """The artificial cost is lowered until it is of the size of all else."""
    problem = dear_large_one(vehicles=[Vehicle(capacity=5, fixed_cost=100.0)] * 3)
    other = reduced(problem, CLASSICAL).problem
    assert other.vehicles[0].fixed_cost < 1e7


def test_a_claim_of_vehicles_is_checked() -> None:
    """An answer that says that it takes fewer vehicles than it does is found out."""
    problem = dear_large_one()
    found = Solution.from_routes(problem, [[1, 2, 3], [4, 5]])
    wrong = replace(found, cost=replace(found.cost, vehicles=1))
    assert [f.kind for f in nco.check(problem, wrong).findings] == ["cost"]
