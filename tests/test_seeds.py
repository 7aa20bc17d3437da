"""Solutions to start a search from."""

import math
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from instances import directed, line_of_four, problems

import nco
from nco import Problem, Solution
from nco.envs import environment, observe
from nco.envs.convert import conversion
from nco.errors import InputError
from nco.fleet.kinds import kinds_of
from nco.models import layers
from nco.models import plain as models_plain
from nco.models.plain import Tables
from nco.problem.normal import normal
from nco.search.decoding.rollout import GREEDY, rollout
from nco.search.policy.loaded import load_policy
from nco.search.seeds import SOURCES, plain, prepare, starts
from nco.search.seeds import policy as module
from nco.search.seeds.fused import Rollouts
from nco.search.seeds.parts import halves, plane
from nco.search.seeds.stepwise import Stepwise, served
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
@pytest.mark.parametrize(("stops", "seed"), [(30, 1), (12, 2), (21, 3)])
def test_compiled_rollouts_are_those_of_the_environment(stops, seed, vehicles):
    """Whole rollouts in one loop cost what those step by step on tensors do."""
    env, problem = environment("rcvrp"), town(stops, seed)
    one = conversion("rcvrp").instance(problem, torch.float32).instance
    if vehicles is not None:
        least = math.ceil(float(problem.demand.sum()) / 20) + 1
        one = replace(one, vehicles=torch.full_like(one.vehicles, least))
    with torch.inference_mode():
        encoded = load_policy("general").policy.encode(env.observe(one))
        first = env.starts(one)[:, :8]
        known = rollout(env, one, encoded, GREEDY, first=first)
    tables = Tables(
        query=encoded.query[0].numpy(),
        known=torch.stack(
            [x[0].transpose(1, 2).flatten(0, 1) for x in (encoded.key, encoded.value)]
        )
        .contiguous()
        .numpy(),
        target=encoded.target[0].T.numpy(),
        pair=encoded.pair[0].numpy(),
        weight=encoded.weight.numpy(),
        bias=encoded.bias.detach().numpy(),
        heads=encoded.key.shape[1],
    )
    demand = one.demand[0].numpy()
    rollouts = Rollouts(tables, demand, int(one.capacity), int(one.vehicles))
    same = 0
    for k, begin in enumerate(first[0].tolist()):
        taken = rollouts.greedy(begin)
        assert taken[0] == begin and taken[-1] == 0
        assert sorted(n for n in taken if n) == list(range(1, stops + 1))
        routes = "".join("|" if n == 0 else chr(n) for n in taken).strip("|").split("|")
        assert max(sum(int(demand[ord(c)]) for c in route) for route in routes) <= 20
        found = float(env.cost(one, torch.tensor(taken)[None, None]))
        same += math.isclose(found, float(known.cost[0, k]), rel_tol=1e-4)
    assert same >= 7


@pytest.mark.parametrize("places", ["xy", "lonlat", None])
def test_the_policy_without_torch_sees_and_says_the_same(places):
    """What is observed and encoded on plain arrays equals what is on tensors, both ways."""
    problem = town(23)
    where = {} if places is None else {places: problem.xy / (1.0 if places == "xy" else 1e5)}
    problem = Problem.from_matrices(
        problem.profiles[0].distance_m, demand=problem.demand, capacity=20, **where
    )
    env, policy = environment("rcvrp"), load_policy("general").policy
    instance = conversion("rcvrp").instance(problem, torch.float32).instance
    own = plain.instance_of(normal(problem).problem, range(problem.size))
    network = plain.policy()
    for one, other in ((own, instance), (own.backwards(), env.reversed(instance))):
        observation = env.observe(other)
        node, pair = one.observed()
        np.testing.assert_allclose(node, observation.node[0], atol=2e-6)
        np.testing.assert_allclose(pair, observation.pair[0], atol=1e-5)
        tables = network.encoded(node, pair, plain.SHOWN)
        with torch.inference_mode():
            encoded = policy.encode(observation)
        key, value = (x[0].transpose(1, 2).flatten(0, 1) for x in (encoded.key, encoded.value))
        for found, known in (
            (tables.query, encoded.query[0]), (tables.known[0], key), (tables.known[1], value),
            (tables.target, encoded.target[0].T), (tables.pair, encoded.pair[0]),
            (tables.weight, encoded.weight), (tables.bias, encoded.bias.detach()),
        ):  # fmt: skip
            np.testing.assert_allclose(found, known, atol=2e-4 * float(known.abs().max()))


def test_what_the_plain_policy_repeats_is_what_environments_say():
    """Features of problems, names of what is shown and constants are those of the tensors' side."""
    assert conversion("rcvrp").features == plain.SUPPORTS
    assert {
        kind: getattr(environment("rcvrp").features, kind) for kind in plain.SHOWN
    } == plain.SHOWN
    assert plain.NEAREST == observe.NEAREST
    assert models_plain.REFERENCE_SIZE == layers.REFERENCE_SIZE
    assert load_policy("general").policy.spec()["class_path"] == models_plain.CLASS


@pytest.mark.parametrize("stops", [40, 300])
def test_the_same_routes_with_torch_and_without(stops):
    """Nearly all solutions are the same ones, in whole and in parts, from the same first moves."""
    problem = town(stops, capacity=60)
    given = plain.Plain(problem), Stepwise(problem, *served(problem))
    for parts in (1, 2):
        way = module.Way(stops, parts, 2, True)
        found = [one.solved(way, 4, 8, 3, lambda: False) for one in given]
        routes = [
            {frozenset(r.stops for r in one.routes(actions, Clock(9.0))) for actions in many}
            for one, many in zip(given, found, strict=True)
        ]
        assert len(routes[0] & routes[1]) >= 6


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (10, 0), (999, 5), (1500, 2**31 - 1)])
def test_orders_are_those_of_torch(count, seed):
    """First moves come in the order that torch draws from the same seed."""
    known = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    assert plain.permutation(count, seed).tolist() == known.tolist()


def test_a_guided_search_needs_no_torch():
    """A capacitated problem is solved by the policy and the search where torch cannot be found."""
    script = (
        "import sys, numpy as np, nco\n"
        "sys.modules['torch'] = None\n"
        "line = np.arange(9.0)\n"
        "problem = nco.Problem.from_matrices(abs(line[:, None] - line), demand=[0] + [1] * 8,"
        " capacity=3)\n"
        "print(nco.solve(problem, 'lns-policy', time_limit_s=0.5).feasible)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["True"], done.stderr


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
        patch.setattr(module, "_way", lambda *_: module.Way(300, 2, 2, True))
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
