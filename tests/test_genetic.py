"""The genetic search: crossover, population, both engines, and the method as a whole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import directed, line_of_four
from solvers import supported
from timing import within

import nco
from nco import Problem, Route, Solution, Vehicle
from nco.baselines.hgs import HGS
from nco.search.genetic.crossover import exchanged
from nco.search.genetic.population import Member, Population, Sizes, arcs_of
from nco.search.genetic.solver import RANDOM, SAVINGS, SOLVER, Genetic
from nco.search.seeds import starts
from nco.solve import METHODS, solver
from nco.solver import Clock

both_engines = pytest.mark.parametrize("hgs_stops", [0, 1000], ids=["pyvrp", "hgs"])


def small_town(stops: int, seed: int = 0) -> Problem:
    """Directed distances without structure; vehicles hold about five stops each."""
    demand = [0, *np.random.default_rng(seed).integers(1, 4, stops)]
    return Problem.from_matrices(
        directed(stops + 1, seed), demand=demand, capacity=10, vehicles=stops
    )


@st.composite
def solutions(draw, stops, kinds=2):
    """Each stop on one duty or, now and then, on none; duties have one or two trips."""
    order = draw(st.permutations(range(1, stops + 1)))
    left = draw(st.integers(0, stops // 2))
    order = list(order)[: stops - left]
    duties = []
    while order:
        take = draw(st.integers(1, len(order)))
        cut = draw(st.integers(0, take - 1))
        parts = tuple(order[:cut]), tuple(order[cut:take])
        trips = tuple(Route(0, part) for part in parts if part)
        duties.append((draw(st.integers(0, kinds - 1)), trips))
        order = order[take:]
    return duties


def duty(*trips):
    """Trips of a vehicle of the first kind."""
    return 0, tuple(Route(0, trip) for trip in trips)


def served(duties):
    """All stops, as often as they are served."""
    return sorted(stop for _, trips in duties for trip in trips for stop in trip.stops)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_crossover(data, seed):
    """A child serves no stop twice, none that no parent serves, with vehicles that exist."""
    first, second = data.draw(solutions(8)), data.draw(solutions(8))
    vehicles = [
        max(sum(kind == k for kind, _ in duties) for duties in (first, second)) for k in range(2)
    ]
    child = exchanged(first, second, directed(9), vehicles, np.random.default_rng(seed))
    stops = served(child)
    assert len(stops) == len(set(stops))
    assert set(stops) <= {*served(first), *served(second)}
    assert all(trip.stops for _, trips in child for trip in trips)
    for k, count in enumerate(vehicles):
        assert sum(kind == k for kind, _ in child) <= count


def test_crossover_of_equals():
    """A child of two equal parents is that parent."""
    parent = [duty((1, 2, 3)), duty((4, 5)), duty((6,), (7, 8))]
    for seed in range(10):
        child = exchanged(parent, parent, directed(9), [3], np.random.default_rng(seed))
        assert sorted(child, key=str) == sorted(parent, key=str)


def test_crossover_mixes():
    """A child has a route of each parent somewhere among a few draws, in its direction."""
    first = [duty((1, 2)), duty((3, 4)), duty((5, 6))]
    second = [duty((2, 1)), duty((4, 3)), duty((6, 5))]
    children = [
        exchanged(first, second, directed(7), [3], np.random.default_rng(seed)) for seed in range(5)
    ]
    assert any(set(child) & set(first) and set(child) & set(second) for child in children)
    assert all(served(child) == [1, 2, 3, 4, 5, 6] for child in children)


def test_arcs_are_directed():
    """A route and its reverse have no inner arc in common, and unserved stops are marked."""
    ahead, back = arcs_of([duty((1, 2, 3))], 5), arcs_of([duty((3, 2, 1))], 5)
    assert ahead.tolist() == [-2, 2, 3, -1, -2, -2, -1, 1, 2, -2]
    assert not (ahead == back)[[1, 2, 3, 6, 7, 8]].any()


def member(order, cost, feasible=True):
    """One route of six stops."""
    duties = (duty(tuple(order)),)
    return Member("nothing", duties, arcs_of(duties, 7), cost, feasible)


def test_population_keeps_its_size():
    """Neither side ever has more than survivors and children, and the best is never lost."""
    rng = np.random.default_rng(0)
    sizes = Sizes(least=4, children=3, elite=2, close=2)
    population = Population(sizes, rng)
    costs = []
    for k in range(60):
        costs.append(float(rng.uniform(10, 20)))
        best = population.add(member(rng.permutation(np.arange(1, 7)), costs[-1], k % 3 > 0))
        assert len(population) <= 2 * (sizes.least + sizes.children)
        feasible = [cost for j, cost in enumerate(costs) if j % 3 > 0]
        assert best == (k % 3 > 0 and costs[-1] == min(feasible))
    assert population.best.cost == min(feasible)
    assert population.best in population.members


def test_population_lets_copies_go_first():
    """Of many copies and a few dearer others, the others survive with one copy."""
    population = Population(Sizes(least=3, children=4, elite=1, close=2), np.random.default_rng(0))
    for _ in range(6):
        population.add(member([1, 2, 3, 4, 5, 6], 10.0))
    population.add(member([6, 5, 4, 3, 2, 1], 12.0))
    population.add(member([2, 4, 6, 1, 3, 5], 13.0))
    assert sorted(m.cost for m in population.members) == [10.0, 12.0, 13.0]


def test_population_prefers_the_different_among_equals():
    """Of two members at hardly different costs, the one unlike the best is the fitter."""
    population = Population(Sizes(least=3, children=0, elite=1, close=1), np.random.default_rng(0))
    population.add(member([1, 2, 3, 4, 5, 6], 10.0))
    population.add(member([1, 2, 3, 4, 6, 5], 10.1))
    population.add(member([1, 2, 3, 5, 4, 6], 10.2))
    population.add(member([6, 5, 4, 3, 2, 1], 10.3))
    assert 10.3 in {m.cost for m in population.members}


def test_parents_differ():
    """Parents are two members wherever there are two."""
    population = Population(Sizes(), np.random.default_rng(1))
    population.add(member([1, 2, 3, 4, 5, 6], 10.0))
    population.add(member([6, 5, 4, 3, 2, 1], 12.0, feasible=False))
    pairs = [population.parents() for _ in range(20)]
    assert sum(first is second for first, second in pairs) <= 1


@both_engines
def test_never_worse_than_seeds(hgs_stops):
    """What comes back costs no more than the best seed of the same source and seed."""
    problem = small_town(30)
    method = replace(SAVINGS, hgs_stops=hgs_stops, max_iterations=5)
    found = method.solve(problem, 10.0, seed=3)
    best = min(s.cost for s in starts(problem, ["savings"], 5, Clock(10.0), 3))
    assert nco.check(problem, found)
    assert found.cost.total <= best + 1e-6


def test_one_source_is_enough_in_little_time(monkeypatch):
    """The second source is asked where the first has no answer, or where there is time for both."""
    asked = []

    def recorded(problem, sources, count, clock, seed):
        asked.append(tuple(sources))
        return starts(problem, [s for s in sources if s != "policy"], count, clock, seed)

    monkeypatch.setattr("nco.search.genetic.solver.starts", recorded)
    problem = small_town(60)
    for sources in (("nearest", "random"), ("policy", "nearest", "random")):
        Genetic("g", sources, hgs_stops=0).solve(problem, 0.1, seed=0)
    assert asked == [("nearest",), ("policy",), ("nearest",)]
    asked.clear()
    method = Genetic("g", ("nearest", "random"), hgs_stops=0, max_iterations=5)
    method.solve(problem, 30.0, seed=0)
    assert asked == [("nearest", "random")]


@both_engines
def test_improves_on_seeds(hgs_stops):
    """A few generations find much better routes than the random ones they start from."""
    problem = small_town(30)
    method = replace(RANDOM, hgs_stops=hgs_stops, max_iterations=60)
    found = method.solve(problem, 10.0, seed=0)
    best = min(s.cost for s in starts(problem, ["random"], 5, Clock(10.0), 0))
    assert nco.check(problem, found)
    assert found.cost.total < 0.8 * best


@both_engines
def test_initial_solution_is_kept_and_used(hgs_stops):
    """An initial solution takes part: the answer is never worse."""
    problem = small_town(30, seed=2)
    initial = nco.solve(problem, "hgs", time_limit_s=0.5)
    method = replace(RANDOM, hgs_stops=hgs_stops, max_iterations=3)
    found = method.solve(problem, 10.0, seed=0, initial=initial)
    assert found.cost.total <= initial.cost.total + 1e-6
    assert found.method == "genetic-random"


@both_engines
def test_same_seed_same_answer(hgs_stops):
    """The same seed and iterations give the same routes; another seed gives others."""
    problem = small_town(40, seed=4)
    method = replace(RANDOM, hgs_stops=hgs_stops, max_iterations=40)
    first, second, other = (method.solve(problem, 30.0, seed=s).routes for s in (7, 7, 8))
    assert first == second
    assert first != other


@pytest.mark.parametrize("limit_s", [0.1, 0.5])
@pytest.mark.parametrize("stops", [60, 250])
@both_engines
def test_time_limit(hgs_stops, stops, limit_s):
    """The limit is kept within 10 % + 50 ms, policy included, and 0.2 s for a busy machine."""
    problem = small_town(stops)
    method = replace(SOLVER, hgs_stops=hgs_stops)
    method.prepare(problem)
    found = within(limit_s, lambda: method.solve(problem, limit_s, seed=0))
    assert nco.check(problem, found)


def test_restarts():
    """A search that is stuck begins anew and still returns the best it ever had."""
    problem = small_town(8)
    plan = replace(SOLVER.plan, patience=2, climb=0.02)
    method = replace(RANDOM, hgs_stops=0, max_iterations=200, plan=plan)
    found = method.solve(problem, 10.0, seed=0)
    assert nco.check(problem, found)
    assert found.cost.total <= nco.solve(problem, "hgs", time_limit_s=0.3).cost.total + 1e-6


def test_refuses_by_name():
    """What neither engine can do is named; a mixed fleet is no reason to refuse."""
    with pytest.raises(nco.errors.UnsupportedError, match="longest route"):
        nco.solve(
            replace(line_of_four(), objective=nco.Objective(longest_route=1.0)),
            "genetic",
            time_limit_s=1,
        )
    mixed = replace(
        line_of_four(), vehicles=[Vehicle(capacity=(2,)), Vehicle(capacity=(1,), fixed_cost=9.0)]
    )
    assert not mixed.features <= HGS.supports
    assert nco.check(mixed, nco.solve(mixed, "genetic-savings", time_limit_s=0.2))


def test_every_source_is_a_method():
    """Each source of seeds is switchable by the name of a method."""
    names = [name for name in METHODS if name.startswith("genetic-")]
    assert {f"genetic-{source}" for source in ("policy", "savings", "nearest", "random")} <= {
        *names
    }
    for name in names:
        method = solver(name)
        assert isinstance(method, Genetic)
        assert method.name == name
        problem = supported(line_of_four(), method)
        assert nco.check(problem, nco.solve(problem, name, time_limit_s=0.1))


def test_stops_that_nobody_can_serve():
    """Where the vehicles cannot hold all, as many as possible are served and nothing is broken."""
    problem = Problem.from_matrices(
        directed(8), demand=[0, 4, 4, 4, 4, 4, 1, 1], capacity=8, vehicles=2
    )
    for hgs_stops in (0, 1000):
        method = replace(SAVINGS, hgs_stops=hgs_stops, max_iterations=60)
        found = method.solve(problem, 5.0, seed=0)
        assert found.violations == ()
        assert len(found.unassigned) <= 3
    assert Solution.from_routes(problem, found.routes).cost.total == pytest.approx(found.cost.total)
