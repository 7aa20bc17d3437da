"""Environments: every rule by random masked rollouts, recomputed by plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from directed import (
    MAKE,
    check_plainly,
    directed_costs,
    directed_rcvrp,
    plain_cost,
    random_rollouts,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.envs import ENVIRONMENTS, environment
from nco.envs.convert import rcvrp_instance, rcvrp_problem, routes, whole_units
from nco.envs.observe import fill_frame, map_frame, relative
from nco.envs.rcvrp import RCVRP, UNLIMITED, RCVRPInstance
from nco.errors import PolicyError
from nco.problem import Objective, Problem, Profile, Vehicle


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
@settings(max_examples=15, deadline=None)
@given(batch=st.integers(1, 3), stops=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_random_rollouts_keep_every_rule(name, batch, stops, seed):
    """Rollouts end, break nothing, and cost what a plain loop says."""
    env, instance = environment(name), MAKE[name](batch, stops, seed)
    actions = random_rollouts(env, instance, 3, seed)
    cost = env.cost(instance, actions)
    for b in range(batch):
        for s in range(3):
            taken = actions[b, s].tolist()
            check_plainly(name, instance, b, taken)
            expected = plain_cost(name, instance.cost[b].numpy(), taken)
            assert float(cost[b, s]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_observations_are_counted_finite_and_of_order_one(name):
    """Networks get as many columns and planes as the features name, in sensible ranges."""
    env = environment(name)
    seen = env.observe(MAKE[name](2, 20, 0))
    assert seen.node.shape == (2, 21, len(env.features.node))
    assert seen.pair.shape == (2, len(env.features.pair), 21, 21)
    for part in (seen.node, seen.pair):
        assert torch.isfinite(part).all()
        assert part.abs().max() < 10


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_observations_do_not_depend_on_the_unit(name):
    """Metres or kilometres: the network sees the same."""
    env, instance = environment(name), MAKE[name](2, 7, 0)
    scaled = type(instance)(**{**vars(instance), "cost": instance.cost * 1000})
    torch.testing.assert_close(env.observe(instance).pair, env.observe(scaled).pair)


def test_unknown_environment_is_named():
    """The message lists what there is."""
    with pytest.raises(PolicyError, match="rcvrp"):
        environment("tsp")


def test_a_stop_that_exactly_fills_the_vehicle_is_allowed():
    """Loads are integers: no tolerance is needed, and none is given."""
    xy, cost = directed_costs(1, 4, 0)
    demand = torch.tensor([[0, 4, 6, 7]])
    instance = RCVRPInstance(cost, xy, demand, torch.tensor([10]), torch.tensor([UNLIMITED]))
    env = RCVRP()
    state = env.step(instance, env.reset(instance, 1), torch.tensor([[1]]))
    assert env.mask(instance, state)[0, 0].tolist() == [True, False, True, False]


def test_a_scarce_fleet_may_not_return_half_empty():
    """With two vehicles for two vehicles' worth of load, the first must fill up."""
    xy, cost = directed_costs(1, 5, 0)
    demand = torch.tensor([[0, 5, 5, 5, 5]])
    instance = RCVRPInstance(cost, xy, demand, torch.tensor([10]), torch.tensor([2]))
    env = RCVRP()
    state = env.step(instance, env.reset(instance, 1), torch.tensor([[1]]))
    assert not env.mask(instance, state)[0, 0, 0]
    actions = random_rollouts(env, instance, 4, 0)
    assert (actions == 0).sum(-1).eq(2).all()


def test_vehicles_beyond_the_fleet_are_counted():
    """What cannot be packed shows as a violation, not as an endless rollout."""
    xy, cost = directed_costs(1, 4, 0)
    demand = torch.tensor([[0, 6, 6, 6]])
    instance = RCVRPInstance(cost, xy, demand, torch.tensor([10]), torch.tensor([2]))
    env = RCVRP()
    state = env.reset(instance, 1)
    for node in (1, 0, 2, 0, 3, 0):
        state = env.step(instance, state, torch.tensor([[node]]))
    assert env.done(state).all()
    assert env.violation(state).item() == 1


def test_map_frame_keeps_aspect_ratio_and_bearing():
    """At 60 degrees north a degree of longitude is half as long as one of latitude."""
    lonlat = torch.tensor([[[10.0, 60.0], [10.02, 60.0], [10.0, 60.01]]], dtype=torch.float64)
    a, east, north = map_frame(lonlat)[0]
    assert (east - a)[1] == 0 and (north - a)[0] == 0
    assert float((east - a)[0]) == pytest.approx(float((north - a)[1]), rel=1e-3)


def test_frames_of_one_place_are_finite():
    """Points on one spot lie in the middle of the frame."""
    assert fill_frame(torch.full((1, 3, 2), 5.0)).abs().max() == 0
    assert relative(torch.zeros(1, 1, 1)).abs().max() == 0


def problem(demand, capacity, vehicles=None, **kwargs) -> Problem:
    n = len(demand)
    rng = np.random.default_rng(0)
    distance = rng.uniform(1, 2, (n, n))
    np.fill_diagonal(distance, 0)
    return Problem.from_matrices(
        distance, demand=np.array(demand, float), capacity=capacity, vehicles=vehicles, **kwargs
    )


@pytest.mark.parametrize(
    ("demand", "capacity", "units", "limit"),
    [
        ([0, 3, 4], 7, [0, 3, 4], 7),
        ([0, 0.1, 0.2], 0.3, [0, 1, 2], 3),
        ([0, 2.5, 1.25], 4, [0, 250, 125], 400),
        ([0, 1, 2], 3.9, [0, 1, 2], 3),
        ([0, 0, 0], 5, [0, 0, 0], 1),
    ],
)
def test_decimal_demands_become_exact_units(demand, capacity, units, limit):
    """What fits in decimals fits in units, and nothing else does."""
    found, most = whole_units(problem(demand, capacity))
    assert (found.tolist(), most) == (units, limit)


@given(
    st.lists(st.floats(0.001, 1.0), min_size=1, max_size=6).map(lambda d: [0.0, *d]),
    st.floats(1.0, 3.0),
)
def test_whatever_fits_in_units_really_fits(demand, capacity):
    """Rounding is against the vehicle."""
    units, limit = whole_units(problem(demand, capacity))
    for k in range(1, len(demand) + 1):
        if units[:k].sum() <= limit:
            assert sum(demand[:k]) <= capacity * (1 + 1e-9)


def test_costs_follow_the_objective():
    """Metres, seconds and fixed costs are charged on the arcs where they arise."""
    distance = np.array([[0.0, 1, 2], [3, 0, 4], [5, 6, 0]])
    vehicle = Vehicle(capacity=(9.0,), fixed_cost=100.0, cost_per_m=2.0, cost_per_s=3.0)
    given_problem = Problem(
        profiles=(Profile(distance_m=distance, duration_s=10 * distance),),
        vehicles=(vehicle,) * 2,
        demand=np.array([0.0, 1, 1]),
        objective=Objective(duration=0.5),
    )
    cost = rcvrp_instance(given_problem).cost[0]
    assert cost[1, 2] == 2 * 4 + 0.5 * 3 * 40
    assert cost[0, 1] == 2 * 1 + 0.5 * 3 * 10 + 100
    assert cost[1, 0] == 2 * 3 + 0.5 * 3 * 30


def test_the_depot_in_use_comes_first():
    """With several depots the instance holds the one that all vehicles use, then the stops."""
    distance = np.arange(16.0).reshape(4, 4)
    np.fill_diagonal(distance, 0)
    given_problem = Problem.from_matrices(
        distance, depots=2, vehicles=[Vehicle(capacity=(5.0,), start=1, end=1)] * 2,
        demand=np.array([0.0, 0, 3, 4]),
    )  # fmt: skip
    instance = rcvrp_instance(given_problem)
    assert instance.cost[0].tolist() == distance[1:, 1:].tolist()
    found = routes(given_problem, [1, 0, 2, 0])
    assert [route.stops for route in found] == [(2,), (3,)]


def test_routes_beyond_the_fleet_are_left_out():
    """The shortest routes go, so that most stops stay served."""
    found = routes(problem([0, 3, 4, 5], 9, vehicles=1), [1, 0, 0, 2, 3, 0, 0])
    assert [route.stops for route in found] == [(2, 3)]


def test_instances_and_problems_round_trip():
    """A drawn instance as a problem gives the same instance again."""
    instance = directed_rcvrp(2, 6, 0)
    back = rcvrp_instance(rcvrp_problem(instance, 1))
    torch.testing.assert_close(back.cost[0], instance.cost[1])
    assert back.demand[0].tolist() == instance.demand[1].tolist()
    assert back.capacity.item() == instance.capacity[1].item()


def test_problems_without_coordinates_get_a_map():
    """Points on a line come back on a line, from their distances alone."""
    x = np.array([0.0, 1, 3, 6])
    distance = np.abs(x[:, None] - x)
    xy = rcvrp_instance(Problem.from_matrices(distance)).xy[0].double().numpy()
    apart = np.linalg.norm(xy[:, None] - xy, axis=-1)
    np.testing.assert_allclose(apart, distance / 3, atol=1e-5)
