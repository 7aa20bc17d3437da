"""Solutions to start a search from."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from instances import directed, line_of_four, problems

import nco
from nco import Problem, Solution
from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.instances import pad
from nco.errors import InputError
from nco.fleet.kinds import kinds_of
from nco.search.decoding.rollout import GREEDY, rollout
from nco.search.policy.loaded import load_policy
from nco.search.seeds import SOURCES, prepare, starts
from nco.search.seeds import policy as module
from nco.search.seeds.fused import greedy
from nco.search.seeds.parts import halves, plane
from nco.solver import Clock

every_source = pytest.mark.parametrize("source", SOURCES)


def town(stops: int, seed: int = 0, capacity: int = 20) -> Problem:
    """Stops on the unit square, directed distances, a vehicle for each stop."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 10_000, (stops + 1, 2))
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    distance *= rng.uniform(1.0, 1.3, distance.shape)
    demand = np.concatenate([[0], rng.integers(1, 10, stops)])
    return Problem.from_matrices(
        distance, distance / 10, demand=demand, capacity=capacity, vehicles=stops, xy=xy
    )


def paths(seed):
    """What makes a seed of identical vehicles what it is."""
    return frozenset(route.stops for route in seed.routes)


@every_source
def test_valid_and_different(source):
    """Every source gives several complete solutions that the checker accepts, best first."""
    problem = town(25)
    prepare(problem, [source])
    found = starts(problem, [source], 4, Clock(30.0), seed=1)
    assert 2 <= len(found) <= 4
    assert len({paths(seed) for seed in found}) == len(found)
    assert [seed.cost for seed in found] == sorted(seed.cost for seed in found)
    for seed in found:
        solution = Solution.from_routes(problem, seed.routes)
        assert nco.check(problem, solution)
        assert seed.cost == pytest.approx(solution.cost.total)
        assert seed.source == source


@every_source
def test_same_seed_same_solutions(source):
    """The same seed gives the same solutions."""
    problem = town(15)
    prepare(problem, [source])
    first, second = ([s.routes for s in starts(problem, [source], 3, Clock(30.0), 5)] for _ in "ab")
    assert first == second


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(problem=problems(max_stops=5))
def test_never_breaks_a_rule(problem):
    """Whatever a problem asks for, a source gives solutions that break nothing, or nothing."""
    for seed in starts(problem, list(SOURCES), 3, Clock(30.0), seed=3):
        assert Solution.from_routes(problem, seed.routes).violations == ()


def test_time_is_charged():
    """What the sources took together is what has passed on the clock."""
    problem = town(40)
    prepare(problem, list(SOURCES))
    clock = Clock(30.0)
    found = starts(problem, list(SOURCES), 3, clock, seed=0)
    assert {seed.source for seed in found} == set(SOURCES)
    assert 0 < sum(seed.time_s for seed in found) <= clock.elapsed_s
    assert all(seed.time_s > 0 for seed in found)


def test_nothing_when_time_is_over():
    """A clock that is over gives no seeds, and asks nobody."""
    assert starts(line_of_four(), list(SOURCES), 3, Clock(0.0), seed=0) == []


def test_policy_needs_time():
    """In a hundredth of a second for 300 stops the policy gives nothing, and at once."""
    problem = town(300)
    prepare(problem, ["policy"])
    begin = time.perf_counter()
    assert starts(problem, ["policy"], 3, Clock(0.01), seed=0) == []
    assert time.perf_counter() - begin < 0.1


def test_policy_passes_over_what_it_cannot_do():
    """A problem that no policy is for gets no seeds from it, and no error."""
    problem = Problem.from_matrices(
        directed(5), demand=np.ones((5, 2)) * [[0], [1], [1], [1], [1]], capacity=(2, 2), vehicles=4
    )
    prepare(problem, ["policy"])
    assert starts(problem, ["policy"], 3, Clock(30.0), seed=0) == []


@pytest.mark.parametrize("vehicles", [None, 0], ids=["ample fleet", "scarce fleet"])
def test_compiled_rollouts_are_those_of_the_environment(vehicles):
    """Whole rollouts in one loop cost what those step by step do, in batches of several sizes."""
    env, convert = environment("rcvrp"), conversion("rcvrp")
    policy = load_policy("general").policy
    batch = []
    for stops, seed in ((30, 1), (12, 2), (21, 3)):
        problem = town(stops, seed)
        least = math.ceil(float(problem.demand.sum()) / 20) + 1
        one = convert.instance(problem, torch.float32).instance
        scarce = one.vehicles if vehicles is None else torch.full_like(one.vehicles, least)
        batch.append(replace(one, vehicles=scarce))
    instance = pad(batch)
    with torch.inference_mode():
        encoded = policy.encode(env.observe(instance))
        first = env.starts(instance)[:, :8]
        known = rollout(env, instance, encoded, GREEDY, first=first)
        actions = greedy(instance, encoded, first, lambda: False)
        found = env.cost(instance, actions)
    assert torch.equal(actions[:, :, 0], first)
    assert torch.isclose(found, known.cost, rtol=1e-4).float().mean() > 0.9
    for b, one in enumerate(batch):
        for taken in actions[b].tolist():
            assert sorted(n for n in taken if n) == list(range(1, one.nodes))
            routes = "".join("|" if n == 0 else chr(n) for n in taken).strip("|").split("|")
            loads = [sum(int(one.demand[0, ord(c)]) for c in route) for route in routes]
            assert max(loads) <= int(one.capacity)


def test_policy_solves_parts_where_the_whole_takes_too_long():
    """In little time 600 stops are solved in parts, and nothing is missing or served twice."""
    problem = town(600, capacity=60)
    prepare(problem, ["policy"])
    found = starts(problem, ["policy"], 2, _SlowClock(0.3), seed=0)
    assert found
    for seed in found:
        assert nco.check(problem, Solution.from_routes(problem, seed.routes))


class _SlowClock(Clock):
    """A clock that stands still: what is expected to fit into its limit is computed in full."""

    @staticmethod
    def now_s() -> float:
        """Always the same."""
        return 0.0


def test_policy_keeps_the_better_of_whole_and_parts():
    """With time for both, no seed is worse than the best of the parts alone, nor of the whole."""
    problem = town(300, capacity=60)
    kinds = kinds_of(problem)

    def best(source) -> float:
        given = source(problem, kinds, 2, Clock(60.0), 0)
        assert len(given) == 2
        return min(Solution.from_routes(problem, routes).cost.total for routes in given)

    both = best(module.SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_in_parts", lambda *_: None)
        whole = best(module.SOURCE)
    assert both <= whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_way", lambda *_: module._Way(300, 2, 2, True))
        parts = best(module.SOURCE)
    assert both <= parts + 1e-6
    assert both in (whole, pytest.approx(parts))


def test_scarce_vehicles():
    """Parts of a problem with no vehicle to spare use no more vehicles than there are."""
    ample = town(600, capacity=60)
    least = math.ceil(float(ample.demand.sum()) / 60) + 2
    problem = Problem.from_matrices(
        ample.profiles[0].distance_m, demand=ample.demand, capacity=60, vehicles=least, xy=ample.xy
    )
    prepare(problem, ["policy"])
    for seed in starts(problem, ["policy"], 2, _SlowClock(0.3), seed=0):
        solution = Solution.from_routes(problem, seed.routes)
        assert not solution.violations
        assert len(solution.routes) <= least


def test_plane_finds_the_map():
    """Distances of points in a plane are found again around the first of them."""
    xy = np.random.default_rng(1).uniform(0, 1, (30, 2))
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    found = plane(distance)
    again = np.hypot(*(found[:, None] - found[None]).transpose(2, 0, 1))
    assert again == pytest.approx(distance, abs=1e-6)


def test_halves_are_equal_and_apart():
    """Two far groups are never mixed, and all parts have nearly the same number of stops."""
    near = np.random.default_rng(2).uniform(0, 1, (40, 2))
    places = np.concatenate([[[0.0, 0.0]], near, near + np.array([100.0, 0.0])])
    first, second = halves(places, 2)
    assert sorted(np.concatenate([first, second])) == list(range(1, 81))
    assert len(first) == len(second) == 40
    assert set(first) in ({*range(1, 41)}, {*range(41, 81)})
    sizes = [len(part) for part in halves(places, 7)]
    assert sum(sizes) == 80
    assert max(sizes) - min(sizes) <= 1


def test_unknown_source():
    """A source that does not exist is named, with those that do."""
    with pytest.raises(InputError, match=r"'magic'.*policy"):
        starts(line_of_four(), ["magic"], 1, Clock(1.0), seed=0)
