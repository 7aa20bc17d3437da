"""The endpoint that answers as vroom-express minimises what VROOM does, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

import nco
from nco.problem.schedule import schedule
from nco.problem.solution import Route, Solution
from nco.web.work.vroom_costs import as_charged, task_rates


def _problem(seed: int, **more) -> nco.Problem:
    """Seven stops with windows that make vehicles wait, two kinds of vehicles."""
    rng = np.random.default_rng(seed)
    metres = rng.integers(100, 5000, (8, 8)).astype(float)
    seconds = rng.integers(10, 900, (8, 8)).astype(float)
    for matrix in (metres, seconds):
        np.fill_diagonal(matrix, 0)
    opens = np.append(0, rng.integers(0, 3000, 7))
    own = {"capacity": (9,), "fixed_cost": 50.0}
    vehicles = (
        nco.Vehicle(**own, cost_per_m=0.01, cost_per_s=1.0),
        nco.Vehicle(**own, cost_per_m=0.0, cost_per_s=0.5, speed=1.5),
    )
    return nco.Problem.from_matrices(
        metres, seconds, demand=[0, *[1] * 7], vehicles=vehicles,
        window_s=np.stack([opens, opens + 9000], axis=1), service_s=[0, *[120] * 7],
        objective=nco.Objective(distance=1.0, duration=1.0), **more,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("setup", [0, 60])
def test_what_is_charged_is_driving_and_tasks_by_their_rate(seed, setup):
    """The cost of any routes is fixed costs, driving by its rates, and tasks by theirs."""
    problem = _problem(seed, setup_s=[0, *[setup] * 7])
    rates = task_rates([{"per_task_hour": 720}, {}])
    charged = as_charged(problem, rates)
    order = np.random.default_rng(seed).permutation(np.arange(1, 8)).tolist()
    routes = [Route(0, tuple(order[:4])), Route(1, tuple(order[4:]))]
    own = Solution.from_routes(problem, routes)
    expected = 0.0
    for route in schedule(problem, own):
        vehicle = problem.vehicles[route.vehicle]
        tasks_s = (120 + setup) * (len(route.visits) - 2)
        expected += 50 + vehicle.cost_per_m * route.distance_m
        expected += vehicle.cost_per_s * route.driving_s + rates[route.vehicle] * tasks_s
    assert Solution.from_routes(charged, routes).cost.total == pytest.approx(expected)
    assert own.cost.duration_s > sum(route.driving_s for route in schedule(problem, own))


def test_what_is_allowed_stays_as_it_is():
    """Routes break the same rules in both; limits on metres leave the problem alone."""
    problem = _problem(0)
    charged = as_charged(problem, [0.0, 0.0])
    late = [Route(0, (7, 6, 5, 4, 3, 2, 1))]
    kinds = [
        [(v.kind, v.stop) for v in Solution.from_routes(p, late).violations]
        for p in (problem, charged)
    ]
    assert kinds[0] == kinds[1]
    limited = [replace(vehicle, max_distance_m=1e5) for vehicle in problem.vehicles]
    bound = replace(problem, vehicles=tuple(limited))
    assert as_charged(bound, [0.0, 0.0]) is bound
