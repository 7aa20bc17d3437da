"""Environments: every rule by random masked rollouts, recomputed by plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from directed import (
    MAKE,
    check_plainly,
    directed_costs,
    plain_cost,
    random_rollouts,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.envs import ENVIRONMENTS, environment, rcvrp
from nco.envs.convert import (
    CONVERSIONS,
    atsp_routes,
    conversion,
    rcvrp_instance,
    rcvrptw_instance,
)
from nco.envs.instances import pad, tensors
from nco.envs.observe import fill_frame, map_frame, relative
from nco.envs.rcvrp import RCVRP, UNLIMITED, RCVRPInstance
from nco.envs.rcvrptw import FOREVER, RCVRPTW, ticks_down, ticks_up
from nco.errors import PolicyError
from nco.fleet.alike import vehicle_routes, whole_units
from nco.problem import Objective, Problem, Profile, Vehicle
from nco.problem.check import check
from nco.problem.solution import Solution


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
            expected = plain_cost(name, instance, b, taken)
            assert float(cost[b, s]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["rcvrp", "rcvrptw"])
@settings(max_examples=15, deadline=None)
@given(batch=st.integers(1, 3), stops=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_compiled_masks_allow_what_plain_ones_do(name, batch, stops, seed):
    """The compiled loops and torch agree on every mask along random rollouts."""
    env, instance = environment(name), MAKE[name](batch, stops, seed)
    state = env.reset(instance, 3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(2 * stops):
        with pytest.MonkeyPatch.context() as patch:
            plain = env.mask(instance, state)
            patch.setattr(rcvrp, "HEAVY", 0)
            mask = env.mask(instance, state)
        assert mask.dtype == torch.bool
        assert torch.equal(mask, plain)
        drawn = torch.multinomial(mask.flatten(0, 1).float(), 1, generator=generator)
        state = env.step(instance, state, drawn.view(mask.shape[:2]))


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(1, 12), min_size=1, max_size=3), seed=st.integers(0, 10**6))
def test_rollouts_of_reversed_instances_are_rollouts_backwards(name, stops, seed):
    """Turned round they keep every rule of the given instances, at the same cost."""
    env, members = environment(name), [MAKE[name](1, count, seed) for count in stops]
    instance = pad(members)
    backwards = random_rollouts(env, env.reversed(instance), 3, seed)
    actions = env.turned_round(env.reversed(instance), backwards)
    torch.testing.assert_close(
        env.cost(instance, actions), env.cost(env.reversed(instance), backwards)
    )
    for b, member in enumerate(members):
        for taken in actions[b].tolist():
            if name == "pvrp":  # actions count nodes that are not there
                check_plainly(name, instance, b, taken)
            else:
                check_plainly(name, member, 0, taken[: member.nodes] if name == "atsp" else taken)
    again = env.turned_round(instance, actions)
    if name == "pvrp":  # who stays does so last, whatever came before
        torch.testing.assert_close(env.cost(instance, again), env.cost(instance, backwards))
    else:
        assert torch.equal(again, backwards)


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_reversing_twice_changes_nothing(name):
    """Matrices and times are those that were given."""
    instance = MAKE[name](3, 9, 0)
    again = environment(name).reversed(environment(name).reversed(instance))
    for field, value in tensors(instance).items():
        if field != "opens":  # what opens before any vehicle can be there may open at any time
            assert torch.equal(getattr(again, field), value), field


def test_days_without_end_are_not_reversed():
    """They have no last moment to begin at."""
    instance = MAKE["rcvrptw"](2, 5, 0)
    instance.closes[1, 0] = FOREVER
    assert environment("rcvrptw").reversed(instance) is None


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
@settings(max_examples=15, deadline=None)
@given(stops=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_the_checker_agrees_with_every_rollout(name, stops, seed):
    """What masks allow is feasible for the independent checker, at the cost of the rollout."""
    env, instance, convert = environment(name), MAKE[name](2, stops, seed), conversion(name)
    actions = random_rollouts(env, instance, 2, seed)
    cost = env.cost(instance, actions)
    for b in range(2):
        asked = convert.problem(instance, b)
        nodes = range(stops + 1)
        for s in range(2):
            found = Solution.from_routes(
                asked, convert.routes(asked, nodes, actions[b, s].tolist())
            )
            report = check(asked, found)
            assert report.feasible, str(report)
            assert report.cost == pytest.approx(float(cost[b, s]), rel=1e-5)


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_observations_are_counted_finite_and_of_order_one(name):
    """Networks get as many columns and planes as the features name, in sensible ranges."""
    env = environment(name)
    seen = env.observe(MAKE[name](2, 20, 0))
    views = 2 * seen.vehicles
    assert seen.node.shape == (views, 21, len(env.features.node))
    assert seen.pair.shape == (views, len(env.features.pair), 21, 21)
    for part in (seen.node, seen.pair):
        assert torch.isfinite(part).all()
        assert part.abs().max() < 10


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_observations_do_not_depend_on_the_unit(name):
    """Metres or kilometres: the network sees the same."""
    env, instance = environment(name), MAKE[name](2, 7, 0)
    scaled = replace(instance, cost=instance.cost * 1000)
    if name == "pvrp":
        scaled = replace(scaled, forgone=instance.forgone * 1000)
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
    cost = rcvrp_instance(given_problem).instance.cost[0]
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
    converted = rcvrp_instance(given_problem)
    assert converted.nodes == (1, 2, 3)
    assert converted.instance.cost[0].tolist() == distance[1:, 1:].tolist()
    found = vehicle_routes(given_problem, converted.nodes, [1, 0, 2, 0])
    assert [route.stops for route in found] == [(2,), (3,)]


def test_routes_beyond_the_fleet_are_left_out():
    """The shortest routes go, so that most stops stay served."""
    given_problem = problem([0, 3, 4, 5], 9, vehicles=1)
    found = vehicle_routes(given_problem, range(4), [1, 0, 0, 2, 3, 0, 0])
    assert [route.stops for route in found] == [(2, 3)]


def test_tours_are_turned_to_the_depot():
    """Wherever a tour began, its route begins at the depot; no stops need no route."""
    given_problem = problem([0, 0, 0, 0], 1)
    assert atsp_routes(given_problem, (5, 6, 7, 8), [2, 3, 0, 1])[0].stops == (6, 7, 8)
    assert atsp_routes(given_problem, (5,), [0]) == []


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
def test_instances_and_problems_round_trip(name):
    """A drawn instance as a problem gives the same instance again."""
    instance, convert = MAKE[name](2, 6, 0), conversion(name)
    asked = convert.problem(instance, 1)
    assert convert.covers(asked)
    back = convert.instance(asked, torch.float32)
    assert back.nodes == tuple(range(7))
    start = instance.opens[:, :1] if name == "rcvrptw" else 0
    for field, value in tensors(instance).items():
        if field in ("xy", "vehicles", "trips"):
            continue  # the map frame is that of the points; a fleet is never larger than needed
        if field in ("opens", "closes"):  # count from when vehicles may leave
            value = (value - start).clamp_min(0)
        torch.testing.assert_close(getattr(back.instance, field)[0], value[1])


def test_every_environment_converts_and_unknown_ones_are_named():
    """The two tables name the same problems."""
    assert CONVERSIONS.keys() == ENVIRONMENTS.keys()
    with pytest.raises(PolicyError, match="rcvrptw"):
        conversion("tsp")


def test_problems_without_coordinates_get_a_map():
    """Points on a line come back on a line, from their distances alone."""
    x = np.array([0.0, 1, 3, 6])
    distance = np.abs(x[:, None] - x)
    xy = rcvrp_instance(Problem.from_matrices(distance)).instance.xy[0].double().numpy()
    apart = np.linalg.norm(xy[:, None] - xy, axis=-1)
    np.testing.assert_allclose(apart, distance / 3, atol=1e-5)


# Several sizes in one batch -------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(1, 9), min_size=1, max_size=4), seed=st.integers(0, 10**6))
def test_padding_shows_nothing_and_changes_nothing(name, stops, seed):
    """Every member of a padded batch looks as it does alone, and zeros where nothing is."""
    env = environment(name)
    members = [MAKE[name](1, count, seed + count) for count in stops]
    seen = env.observe(pad(members))
    size, views = seen.node.shape[1], len(seen.node) // len(members)  # a view a vehicle
    for b, member in enumerate(members):
        alone, n = env.observe(member), member.nodes
        rows = slice(b * views, (b + 1) * views)
        torch.testing.assert_close(seen.node[rows, :n], alone.node, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen.pair[rows, :, :n, :n], alone.pair, rtol=1e-4, atol=1e-5)
        assert not seen.node[rows, n:].any()
        assert not seen.pair[rows, :, n:].any()
        assert not seen.pair[rows, :, :, n:].any()
        if seen.present is not None:
            there = torch.ones(views, n, dtype=torch.bool)
            there = there if alone.present is None else alone.present
            assert torch.equal(seen.present[rows, :n], there)
            assert not seen.present[rows, n:].any()
        starts = env.starts(pad(members))[b].tolist()  # of vehicle and node, where there are many
        begun = {divmod(start, n) for start in env.starts(member)[0].tolist()}
        assert {divmod(start, size) for start in starts} == begun


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
@settings(max_examples=15, deadline=None)
@given(stops=st.lists(st.integers(1, 9), min_size=2, max_size=4), seed=st.integers(0, 10**6))
def test_rollouts_of_a_padded_batch_keep_every_rule(name, stops, seed):
    """They end, never go where nothing is, and cost what they cost alone."""
    env = environment(name)
    members = [MAKE[name](1, count, seed + count) for count in stops]
    whole = pad(members)
    actions = random_rollouts(env, whole, 2, seed)
    cost = env.cost(whole, actions)
    for b, member in enumerate(members):
        for s in range(2):
            taken = actions[b, s].tolist()
            if name == "pvrp":  # actions count nodes that are not there
                check_plainly(name, whole, b, taken)
                expected = plain_cost(name, whole, b, taken)
                assert float(cost[b, s]) == pytest.approx(expected, rel=1e-5)
                continue
            if name == "atsp":  # a complete tour waits at its end
                assert len(set(taken[member.nodes :]) | {taken[member.nodes - 1]}) == 1
                taken = taken[: member.nodes]
            check_plainly(name, member, 0, taken)
            expected = plain_cost(name, member, 0, taken)
            assert float(cost[b, s]) == pytest.approx(expected, rel=1e-5)


def test_padding_joins_batches_and_refuses_mixtures():
    """Batches of one size stay as they are; a padded one may be padded again."""
    small, large = MAKE["rcvrp"](2, 3, 0), MAKE["rcvrp"](1, 5, 0)
    assert pad([small, small]).size is None
    again = pad([pad([small, large]), MAKE["rcvrp"](1, 7, 0)])
    assert again.size.tolist() == [4, 4, 6, 8]
    assert again.cost.shape == (4, 8, 8)
    with pytest.raises(PolicyError, match="ATSPInstance, RCVRPInstance"):
        pad([small, MAKE["atsp"](1, 3, 0)])
    with pytest.raises(PolicyError, match="none"):
        pad([])


# Time windows ---------------------------------------------------------------------------------


def timed(window_s, duration_s=10.0, *, service_s=0.0, **vehicle) -> Problem:
    """Stops ten seconds from everything, with windows; node 0 is the depot."""
    n = len(window_s)
    duration = np.full((n, n), duration_s)
    np.fill_diagonal(duration, 0)
    return Problem.from_matrices(
        100 * duration,
        duration,
        vehicles=[Vehicle(capacity=(9.0,), **vehicle)] * n,
        demand=[0.0] + [1.0] * (n - 1),
        window_s=np.array(window_s, float),
        service_s=[0.0] + [service_s] * (n - 1),
    )


def allowed(given_problem: Problem, *path: int) -> list[int]:
    """Nodes allowed after a path from the depot, as nodes of the problem."""
    converted, env = rcvrptw_instance(given_problem), RCVRPTW()
    state = env.reset(converted.instance, 1)
    for node in path:
        action = torch.tensor([[converted.nodes.index(node)]])
        state = env.step(converted.instance, state, action)
    mask = env.mask(converted.instance, state)[0, 0]
    return [converted.nodes[k] for k in mask.nonzero()[:, 0].tolist()]


def test_arriving_as_a_window_closes_is_in_time():
    """Neither a tick earlier nor later: not being late is not strict."""
    assert allowed(timed([(0, 100), (0, 10), (0, 20), (0, 19.99)]), 1) == [0, 2]


def test_the_vehicle_is_back_as_the_depot_closes():
    """Driving there, serving and driving back may end just when the depot closes."""
    asked = timed([(0, 42), (0, 99), (0, 99), (0, 99)], service_s=6.0)
    assert allowed(asked, 1) == [0, 2, 3]
    assert allowed(timed([(0, 41.99)] + [(0, 99)] * 3, service_s=6.0), 1) == [0]


def test_waiting_for_a_window_counts():
    """A vehicle that waits until 50 cannot be at a stop that closes at 59."""
    assert allowed(timed([(0, 200), (50, 60), (0, 60), (0, 59)]), 1) == [0, 2]


def test_the_shift_limits_departure_and_return():
    """Who leaves at 5 is there at 15; who must be back at 30 serves nothing else."""
    windows = [(0, 100), (0, 15), (0, 99)]
    assert allowed(timed(windows, shift_s=(5.0, 34.99)), 1) == [0]
    assert allowed(timed(windows, shift_s=(5.0, 35.0)), 1) == [0, 2]
    assert allowed(timed(windows, shift_s=(5.01, 100.0))) == [2]


def test_stops_that_no_vehicle_can_serve_are_left_out():
    """Too late, or no way back in time: the others keep their numbers."""
    windows = [(0, 60), (0, 9.99), (0, 10), (55, 70), (10, 50)]
    converted = rcvrptw_instance(timed(windows))
    assert converted.nodes == (0, 2, 4)
    nothing = rcvrptw_instance(timed([(0, 5), (0, 9)]))
    assert nothing.nodes == (0,)


def test_rollouts_end_even_if_a_stop_cannot_be_served():
    """In a batch made by hand such a stop is never visited, and no first action either."""
    instance = MAKE["rcvrptw"](2, 6, 0)
    instance.closes[1, 3] = instance.opens[1, 3] - 1
    instance.demand[0, 5] = 31
    env = RCVRPTW()
    assert env.starts(instance).tolist() == [[1, 2, 3, 4, 6], [1, 2, 4, 5, 6]]
    actions = random_rollouts(env, instance, 4, 0)
    assert not (actions[1] == 3).any()
    assert not (actions[0] == 5).any()
    assert (actions[0] == 3).any(-1).all()
    instance = replace(instance, closes=torch.full_like(instance.closes, -1))
    assert env.starts(instance).tolist() == [[0], [0]]
    assert random_rollouts_end_at_once(env, instance)


def random_rollouts_end_at_once(env, instance) -> bool:
    """Whether nothing is left to do before the first action."""
    return bool(env.done(env.reset(instance, 2)).all())


def test_windows_without_end_stay_open():
    """A problem without windows is as free as RCVRP, and what it shows is of order one."""
    asked = problem([0, 3, 4, 5], 9)
    instance = rcvrptw_instance(asked).instance
    assert instance.closes.eq(FOREVER).all()
    assert RCVRPTW().observe(instance).node.abs().max() < 10
    assert allowed(asked, 1) == [0, 2, 3]


def test_seconds_are_rounded_against_the_vehicle():
    """Two decimals are exact; anything between two ticks is later, or closes earlier."""
    seconds = torch.tensor([0.0, 0.29, 1.001, 8.999, 1e300, torch.inf], dtype=torch.float64)
    assert ticks_up(seconds).tolist() == [0, 29, 101, 900, FOREVER + 1, FOREVER + 1]
    assert ticks_down(seconds).tolist() == [0, 29, 100, 899, FOREVER, FOREVER]
    assert ticks_down(torch.tensor([-3.0])).tolist() == [-1]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), stops=st.integers(1, 8))
def test_odd_seconds_still_satisfy_the_checker(seed, stops):
    """Durations and windows of any number of decimals: the mask is never too kind."""
    rng = np.random.default_rng(seed)
    duration = rng.uniform(1, 20, (stops + 1, stops + 1))
    np.fill_diagonal(duration, 0)
    opens = rng.uniform(0, 60, stops + 1)
    opens[0] = 0.0
    window = np.stack([opens, opens + rng.uniform(0, 30, stops + 1)], 1)
    window[0, 1] = 90.0
    asked = Problem.from_matrices(
        duration, duration, window_s=window, service_s=[0.0, *rng.uniform(0, 5, stops)]
    )
    converted, env = rcvrptw_instance(asked), RCVRPTW()
    if len(converted.nodes) == 1:
        return
    actions = random_rollouts(env, converted.instance, 3, seed)
    for taken in actions[0].tolist():
        found = Solution.from_routes(asked, vehicle_routes(asked, converted.nodes, taken))
        wrong = {finding.kind for finding in check(asked, found).findings}
        assert wrong <= {"unserved"}
        assert len(found.unassigned) == stops + 1 - len(converted.nodes)
