"""Neighbourhood search: what its compiled changes keep, what its operators do, what it finds."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import problems

import nco
from nco import Feature, Objective, Problem, Route, Solution, Vehicle
from nco.fleet.kinds import kinds_of
from nco.search.lns import annealing, arrays, changes, operators
from nco.search.lns.operators import INSERTIONS, REMOVALS
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS

random_problems = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def ring(stops: int, **changes: object) -> Problem:
    """Stops on a circle around the depot that is dearer against the clock; vans hold four."""
    angle = np.linspace(0, 2 * np.pi, stops, endpoint=False)
    xy = np.vstack([[0.0, 0.0], 1000 * np.stack([np.cos(angle), np.sin(angle)], 1)])
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    distance = np.rint(distance + 50 * np.triu(distance > 0))
    given = {"demand": [0] + [1] * stops, "capacity": 4, **changes}
    return Problem.from_matrices(distance, **given)


def begun(
    problem: Problem, seed: int = 0
) -> tuple[arrays.Fleet, arrays.Instance, arrays.SearchState]:
    """A fleet, an instance and a state with all stops that fit."""
    fleet = arrays.Fleet.of(problem, kinds_of(problem), [])
    instance = arrays.instance_of(problem, fleet)
    state = arrays.empty_state(instance, seed)
    changes.rebuild(instance, state, arrays.successors_of([], fleet, instance))
    annealing.construct(instance, state, -1)
    return fleet, instance, state


def snapshot(state: arrays.SearchState) -> list[np.ndarray]:
    """What must come back when changes are taken back."""
    stops = {*state.bank[: state.bank_size[0]].tolist()}
    driven = np.where(state.vehicle >= 0, [state.next, state.prev], -1)
    on_time = [
        np.where(state.vehicle[: len(x), None] >= 0, x, 0) for x in (state.prefix, state.suffix)
    ]
    known = [driven, state.vehicle, state.load, state.served, state.total, state.late, state.duty]
    return [x.copy() for x in (*known, *on_time, np.array(sorted(stops)))]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Whether two states agree but for the last digits."""
    return all(np.allclose(x, y, rtol=1e-9, atol=1e-6) for x, y in zip(a, b, strict=True))


@random_problems
@given(problem=problems(max_stops=7), seed=st.integers(0, 1000))
def test_what_is_taken_back_is_gone(problem, seed):
    """After a removal, an insertion and taking both back, everything is as it was."""
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles])
    if not any(kind.stops.any() for kind in kinds_of(problem)):
        return
    _, instance, state = begun(problem, seed)
    for out, remove in REMOVALS.items():
        for back, insert in INSERTIONS.items():
            if not (remove.when(instance) and insert.when(instance)):
                continue
            before, total = snapshot(state), float(state.total[0])
            state.log_size[0] = 0
            operators.run(remove, instance, state, 3)
            changes.settle(instance, state)
            operators.run(insert, instance, state)
            changes.take_back(instance, state, total)
            assert same(before, snapshot(state)), (out, back)


@random_problems
@given(problem=problems(max_stops=7), seed=st.integers(0, 1000))
def test_what_is_counted_along_is_what_routes_cost(problem, seed):
    """The cost that a search keeps is that of its routes, with a price for what is left out."""
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles])
    kinds = kinds_of(problem)
    if not any(kind.stops.any() for kind in kinds):
        return
    search = Search(problem, kinds, [], seed)
    search.run(200, 0.0, 1.0)
    found = Solution.from_routes(problem, search.routes)
    assert not found.violations
    if found.feasible and problem.objective.longest_route == 0:
        assert search.cost == pytest.approx(found.cost.total, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("name", REMOVALS)
def test_every_removal_takes_stops_out(name):
    """A removal operator leaves fewer stops on routes, none twice, and all others in order."""
    _, instance, state = begun(ring(24))
    instance = instance._replace(heatmap=np.zeros((25, 25), np.float32))
    order = [j for j in range(1, 25) if state.vehicle[j] >= 0]
    state.log_size[0] = 0
    operators.run(REMOVALS[name], instance, state, 6)
    out = state.bank[: state.bank_size[0]].tolist()
    assert 1 <= len(out) <= 24 and len(set(out)) == len(out)
    assert sorted(out + [j for j in order if state.vehicle[j] >= 0]) == order


@pytest.mark.parametrize("name", INSERTIONS)
def test_every_insertion_puts_all_back_that_fit(name):
    """An insertion operator serves all stops again where there is room."""
    _, instance, state = begun(ring(24))
    instance = instance._replace(heatmap=np.zeros((25, 25), np.float32), guide=1.0)
    state.log_size[0] = 0
    operators.run(REMOVALS["string"], instance, state, 8)
    changes.settle(instance, state)
    operators.run(INSERTIONS[name], instance, state)
    assert state.bank_size[0] == 0


def test_heat_guides_insertion():
    """Among two places that cost the same, the policy's arc decides."""
    problem = Problem.from_matrices(
        np.array([[0, 9, 9, 5], [9, 0, 9, 5], [9, 9, 0, 5], [5, 5, 5, 0]], float)
    )
    fleet = arrays.Fleet.of(problem, kinds_of(problem), [])
    for i, j in ((0, 1), (1, 2), (2, 0)):
        heatmap = np.zeros((4, 4), np.float32)
        heatmap[i, 3] = heatmap[3, j] = 1.0
        instance = arrays.instance_of(problem, fleet, heatmap)._replace(guide=100.0)
        state = arrays.empty_state(instance, 0)
        changes.rebuild(instance, state, arrays.successors_of([Route(0, (1, 2))], fleet, instance))
        operators.run(INSERTIONS["policy"], instance, state)
        assert instance.place[state.prev[3]] == i and instance.place[state.next[3]] == j


def test_a_detour_may_be_what_keeps_a_route_on_time():
    """Where the direct street is slow, taking a stop out makes a route late, and that is known."""
    drive = np.array([[0, 1, 100], [1, 0, 1], [100, 1, 0]], float)
    problem = Problem.from_matrices(
        np.ones((3, 3)) - np.eye(3), drive, window_s=[[0, 500], [0, 500], [0, 10]], vehicles=1
    )
    fleet, instance, state = begun(problem)
    assert state.bank_size[0] == 0 and not state.late.any()
    state.log_size[0] = 0
    before, total = snapshot(state), float(state.total[0])
    changes.remove(instance, state, 1)
    changes.settle(instance, state)
    assert state.late.any() and state.total[0] > instance.barred / 2
    changes.take_back(instance, state, total)
    assert same(before, snapshot(state))
    assert [r.stops for r in Search(problem, kinds_of(problem), [], 0).routes] == [(1, 2)]
    assert fleet.numbers == (0,)


@pytest.mark.parametrize(("by", "factor"), [("distance", 1.0), ("duration", 2.0)])
def test_the_longest_route_is_kept_short(by, factor):
    """Two vehicles share a line of stops evenly where the longest route is what counts."""
    place = np.array([0, 1, 2, 3, -1, -2, -3], float) * 100
    distance = np.abs(place[:, None] - place[None])
    problem = Problem.from_matrices(
        distance,
        factor * distance,
        vehicles=3,
        objective=Objective(distance=0.01, longest_route=1.0, longest_by=by),
    )
    assert Feature.LONGEST_ROUTE in problem.features
    found = LNS(max_iterations=500).solve(problem, 10.0, seed=0)
    assert found.feasible and found.cost.total == pytest.approx(optimum(problem))


def test_optional_stops_are_served_where_they_pay():
    """A stop that costs more than its prize stays out, one that costs less is served."""
    problem = ring(6, prize=[np.inf, 1.0, 5000.0, 1.0, 5000.0, 1.0, 5000.0])
    found = LNS(max_iterations=500).solve(problem, 10.0, seed=0)
    assert found.cost.total == pytest.approx(optimum(problem))
    assert {u.stop for u in found.unassigned} <= {1, 3, 5}


def test_the_best_is_kept_and_the_same_seed_finds_the_same():
    """A search never forgets its best routes, and is repeated by its seed."""
    problem = ring(30)
    search = Search(problem, kinds_of(problem), [], 3)
    costs = []
    for part in range(10):
        search.run(50, part / 10, (part + 1) / 10)
        costs.append(search.cost)
    assert costs == sorted(costs, reverse=True)
    again = [LNS(max_iterations=400).solve(problem, 60.0, seed=s).routes for s in (5, 5, 6)]
    assert again[0] == again[1]


def test_a_search_goes_on_from_another_one():
    """Islands exchange their best routes."""
    problem = ring(30)
    one, other = (Search(problem, kinds_of(problem), [], seed) for seed in (1, 2))
    one.run(500, 0.0, 1.0)
    other.go_on_from(one)
    assert other.cost == one.cost and other.routes == one.routes
    other.run(100, 0.9, 1.0)
    assert other.cost <= one.cost


def test_several_kinds_and_depots():
    """Each kind of vehicle keeps to its depot, its room and the stops that it may serve."""
    base = ring(10)
    small = Vehicle(capacity=(3,), start=0, end=0)
    large = Vehicle(capacity=(8,), start=1, end=1, allowed=np.arange(11) % 5 != 0)
    problem = replace(
        base, depots=2, demand=np.array([0, 0] + [1] * 9, float), vehicles=(small, small, large)
    )
    found = LNS(max_iterations=2000).solve(problem, 10.0, seed=1)
    assert found.feasible and nco.check(problem, found).feasible


def test_where_setting_up_takes_too_long_quick_routes_answer():
    """With next to no time there still are routes, and the limit is kept."""
    problem = ring(300)
    found = LNS().solve(problem, 1e-3, seed=0)
    assert found.violations == () and found.routes


def appointments(**changes: object) -> Problem:
    """Three stops with hours between their windows."""
    metres = np.array([[0, 5, 6, 7], [5, 0, 4, 3], [6, 4, 0, 2], [7, 3, 2, 0]], float) * 100
    hours = np.array([[0, np.inf], [8, 8.5], [12, 12.5], [17, 17.5]])
    return Problem.from_matrices(metres, metres / 10, window_s=3600 * hours, **changes)


@pytest.mark.parametrize(
    "objective",
    [Objective(duration=1.0), Objective(longest_route=1.0, longest_by="duration")],
    ids=["paid by the hour", "longest in seconds"],
)
def test_waiting_is_no_reason_to_leave_a_required_stop_out(objective):
    """However long a vehicle waits for its next stop, it waits."""
    problem = appointments(vehicles=1, objective=objective)
    found = LNS(max_iterations=200).solve(problem, 10.0, seed=0)
    assert found.feasible and found.routes[0].stops == (1, 2, 3)


def test_no_prize_is_worth_a_required_stop():
    """Where there is room for one stop only, the required one is served."""
    problem = Problem.from_matrices(
        100 * (np.ones((3, 3)) - np.eye(3)),
        vehicles=1, demand=[0, 5, 5], capacity=5, prize=[np.inf, np.inf, 1e4],
    )  # fmt: skip
    found = LNS(max_iterations=200).solve(problem, 10.0, seed=0)
    assert found.feasible and found.routes[0].stops == (1,)


@pytest.mark.parametrize("fixed", [(0.0, 0.0), (2000.0, 9000.0)])
def test_small_vans_do_not_crowd_out_large_ones(fixed):
    """Whichever kind comes first, or is cheaper for a single stop, the better one drives."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 10_000, (41, 2))
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    small, large = (
        Vehicle(capacity=(room,), fixed_cost=price)
        for room, price in zip((20.0, 100.0), fixed, strict=True)
    )
    demand = np.r_[0, rng.integers(1, 10, 40)]
    costs = []
    for fleet in ([small, large], [large, small]):
        vehicles = [vehicle for vehicle in fleet for _ in range(20)]
        problem = Problem.from_matrices(metres, demand=demand, vehicles=vehicles)
        found = LNS(max_iterations=3000).solve(problem, 60.0, seed=0)
        assert sum(problem.vehicles[r.vehicle] == large for r in found.routes) >= 2
        costs.append(found.cost.total)
    assert costs[0] == pytest.approx(costs[1], rel=0.02)


@pytest.mark.parametrize("warm", [False, True])
def test_idle_vehicles_shorten_the_longest_route(warm):
    """On a circle around the depot, every stop gets a vehicle, wherever the search begins."""
    problem = replace(
        ring(8, capacity=8, vehicles=8), objective=Objective(distance=0.0, longest_route=1.0)
    )
    initial = Solution.from_routes(problem, [tuple(problem.stops)]) if warm else None
    found = LNS(max_iterations=2000).solve(problem, 60.0, 0, initial)
    assert len(found.routes) == 8
    assert found.cost.total == 1050 + 1000


def test_idle_vehicles_beyond_the_stops_are_not_looked_at():
    """A search knows no more vehicles of a kind than there are stops."""
    problem = ring(12, vehicles=5000)
    assert len(Search(problem, kinds_of(problem), [], 0).state.served) == 12
