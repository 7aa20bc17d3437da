"""Methods of designing lines: one checker for all, and what each does beside it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.errors import InputError, ProblemError, UnsupportedError
from nco.transit.design import method, registry
from nco.transit.design.bees import Bees
from nco.transit.design.changes import CHANGES
from nco.transit.design.distinct import repeated, without_repetition
from nco.transit.design.genetic import crossed, mixed
from nco.transit.design.greedy import from_demand, from_tree
from nco.transit.design.joining import groups, joined
from nco.transit.design.method import Budget
from nco.transit.design.nsga import crowding, ranks, survivors
from nco.transit.design.objective import ExactObjective
from nco.transit.design.registry import METHODS, design, method_of
from nco.transit.design.replan import replanner
from nco.transit.design.start import fitted
from nco.transit.design.ways import Ways
from nco.transit.evaluate.exact import evaluate
from nco.transit.instance.lines import check_lines, pad_lines
from nco.transit.instance.transit_instance import TransitInstance

OWN = (
    *("random", "demand", "shortest", "greedy", "genetic", "hyper", "bees", "nsga2"),
    "annealing",
)
IN_ONE_GO = {"annealing": 30}  # evaluations beyond the budget: changes that a loop tries in a row
PLAIN = TransitInstance.mandl()
ENDS = np.isin(np.arange(15), [0, 4, 8, 11, 12])
RULES = {
    "plain": PLAIN,
    "hub": PLAIN.changed(hub=5),
    "terminals": PLAIN.changed(terminals=ENDS),
    "long": TransitInstance.mandl(4, min_stops=5, max_stops=10),
    "hub and terminals": PLAIN.changed(hub=5, terminals=ENDS),
    "one": TransitInstance.mandl(1, max_stops=15),
    "no demand": PLAIN.changed(demand=None),
}
POOR = ((0, 1), (1, 2), (2, 5), (5, 7), (7, 9), (9, 10))


def grid(wide: int, high: int, lines: int, **fields) -> TransitInstance:
    """Stops on a grid, a minute apart, with demand between all that differs."""
    size = wide * high
    link_s = np.full((size, size), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for node in range(size):
        for other in ([node + 1] if (node + 1) % wide else []) + [node + wide]:
            if other < size:
                link_s[node, other] = link_s[other, node] = 60.0
    demand = np.random.default_rng(0).integers(0, 9, (size, size)).astype(float)
    np.fill_diagonal(demand, 0.0)
    return TransitInstance(link_s=link_s, demand=demand, lines=lines, **fields)


def assert_legal(instance, lines, connected=False):
    """The checker finds nothing but, if allowed, nodes that are not joined."""
    assert check_lines(instance, lines, connected=connected) == []


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("rules", RULES)
def test_lines_are_legal_and_cost_what_is_said(name, rules):
    """Every method keeps bounds, hub, terminals and budget, and tells what it was judged by."""
    instance = RULES[rules]
    objective = ExactObjective(instance)
    found = design(objective, name, evaluations=150, seed=3)
    assert_legal(instance, found.lines)
    assert found.evaluations == objective.evaluations <= 150 + IN_ONE_GO.get(name, 0)
    assert (found.method, found.seed) == (name, 3)
    costs = ExactObjective(instance).costs(pad_lines(found.lines)[None])
    assert found.cost == pytest.approx(costs[0])
    assert [cost for _, cost in found.trace] == sorted({c for _, c in found.trace}, reverse=True)
    assert found.trace[-1][1] == found.cost


@pytest.mark.parametrize("name", OWN)
def test_same_seed_and_evaluations_give_the_same_lines(name):
    """Another seed gives others (greedy's first two constructions draw nothing)."""
    first, again, other = (
        design(PLAIN, name, evaluations=90, seed=seed).lines for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", [*OWN, "real"])
def test_nothing_worse_than_the_initial_lines_comes_out(name):
    """Any method can begin with lines of any other, even without evaluations left for its own."""
    good = design(PLAIN, "hyper", evaluations=1500, seed=0)
    for evaluations in (1, 40):
        found = design(PLAIN, name, evaluations=evaluations, seed=0, initial=[POOR, good.lines])
        assert found.cost <= good.cost


@pytest.mark.parametrize("name", [*OWN, "real"])
def test_lines_that_break_rules_are_a_start_too(name):
    """Real lines are longer than allowed, come by a stop twice, or are too few."""
    illegal = [(0, 1, 2, 5, 7, 9, 10, 11, 3, 4), (0, 1, 3, 1)]
    found = design(PLAIN, name, evaluations=60, seed=0, initial=[illegal])
    assert found.cost <= ExactObjective(PLAIN).costs(pad_lines(illegal)[None])[0]


@pytest.mark.parametrize("name", OWN)
def test_time_alone_ends_a_method(name):
    """Without a number of evaluations the clock decides."""
    found = design(PLAIN, name, time_limit_s=0.2, seed=0)
    assert found.time_s >= 0.2
    assert_legal(PLAIN, found.lines)


@pytest.mark.parametrize("name", ["genetic", "hyper", "bees", "nsga2"])
def test_searches_reach_the_spanning_tree(name):
    """Mandl's operator optimum, 63 minutes, is found by every search."""
    found = design(ExactObjective(PLAIN, 0.0, 1.0), name, evaluations=2000, seed=0)
    assert found.cost == pytest.approx(63.0)


@pytest.mark.parametrize(("name", "most"), [("hyper", 10.30), ("bees", 10.45), ("genetic", 10.45)])
def test_searches_serve_mandl_well(name, most):
    """Mean journeys of Mandl's network come close to the best known, 10.18 minutes."""
    found = design(PLAIN, name, evaluations=3000, seed=0)
    assert evaluate(PLAIN, found.lines).feasible
    assert found.cost <= most


def test_real_lines_are_refused_where_there_are_none():
    """The lines that run today are taken as they are given; without any the message says so."""
    with pytest.raises(UnsupportedError, match="'mandl'; give them as initial"):
        design(PLAIN, "real", evaluations=1)
    found = design(PLAIN, "real", evaluations=1, initial=[POOR])
    assert found.lines == POOR


def test_fronts_need_both_costs():
    """NSGA-II refuses an objective that has no operator's part."""

    class Other:
        instance, evaluations = PLAIN, 0

    with pytest.raises(UnsupportedError, match="ExactObjective, not Other"):
        method_of("nsga2").design(Other(), Budget(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "hyperr", "evaluations": 1}, "'hyperr' is unknown; known are random"),
        ({}, "needs evaluations, time_limit_s or processor_limit_s"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"evaluations": 1, "seed": -1}, "seed is -1"),
        ({"evaluations": 1, "initial": [[(0, 12)]]}, "no link from node 0"),
    ],
)
def test_bad_input_is_refused_by_name(options, message):
    """Unknown methods, missing budgets, bad seeds and lines that no bus can run."""
    with pytest.raises(InputError, match=message):
        design(PLAIN, **options)


def test_changes_for_fewer_transfers():
    """Lines run through where two ended, and are led to where people would have had to change."""
    instance = grid(7, 1, lines=2, max_stops=7)
    lines = [(0, 1, 2, 3), (3, 4, 5, 6)]
    found = {change: set() for change in ("through", "connect")}
    for seed in range(60):
        for change, seen in found.items():
            seen.update(CHANGES[change](Ways(instance, 0), lines, Random(seed)) or ())
    for lead in found.values():
        assert any(set(line) == set(range(7)) for line in lead)


def test_a_budget_of_processor_time_does_not_count_what_others_take(monkeypatch):
    """While the clock on the wall goes on and the processor's stands, a search goes on."""
    monkeypatch.setattr(method.time, "process_time", lambda: 7.0)
    objective = ExactObjective(PLAIN)
    progress = method.Progress(objective, method.Budget(processor_limit_s=2.0))
    progress._begin_s -= 1000.0
    assert not progress.over
    monkeypatch.setattr(method.time, "process_time", lambda: 8.0)
    assert progress.share == pytest.approx(0.5)
    monkeypatch.setattr(method.time, "process_time", lambda: 9.0)
    assert progress.over
    monkeypatch.undo()
    assert design(PLAIN, "random", processor_limit_s=0.05).lines


def test_methods_can_be_registered_once(monkeypatch):
    """A package outside of nco adds its method by name; a name is taken only once."""
    monkeypatch.setattr(registry, "_METHODS", dict(METHODS))
    registry.register("walk", "nco.transit.design.built:RANDOM")
    assert method_of("walk").name == "random"
    with pytest.raises(InputError, match="already registered"):
        registry.register("walk", "nco.transit.design.built:RANDOM")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(RULES)), st.sampled_from(sorted(CHANGES)), st.integers(0, 10**6))
def test_changes_keep_lines_legal(rules, change, seed):
    """Whatever a change does, lines stay simple, within bounds and between their ends."""
    instance, rng = RULES[rules], Random(seed)
    ways = Ways(instance, seed)
    lines = [ways.any_line(rng) for _ in range(instance.lines)]
    for _ in range(20):
        found = CHANGES[change](ways, lines, rng)
        if found is not None:
            assert found != lines
            assert_legal(instance, found)
            lines = found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([None, 7]))
def test_constructions_join_all_nodes(seed, hub):
    """Lines from demand and from a spanning tree serve a whole grid where there is room for it."""
    instance = grid(5, 4, lines=7, min_stops=3, max_stops=9, hub=hub)
    ways, rng = Ways(instance, seed), Random(seed)
    for lines in (from_demand(ways, rng, 0.5), from_tree(ways, rng, 0.5)):
        assert_legal(instance, lines, connected=True)


def test_a_tree_is_no_longer_than_it_must_be():
    """Two lines over a row of stops share one and drive each link once."""
    instance = grid(7, 1, lines=2, max_stops=5)
    lines = from_tree(Ways(instance, 0), Random(0))
    assert sum(len(line) - 1 for line in lines) == 6
    assert_legal(instance, lines, connected=True)


def test_joining_leads_the_nearest_line_on():
    """A line with room goes on to what no line serves."""
    instance = grid(4, 1, lines=2, max_stops=4)
    ways = Ways(instance, 0)
    assert groups(4, [(0, 1), (1, 2)]).count(groups(4, [(0, 1), (1, 2)])[0]) == 3
    lines = joined(ways, [(0, 1), (1, 2)], Random(0))
    assert {node for line in lines for node in line} == {0, 1, 2, 3}
    assert lines[0] == (0, 1)


def test_given_lines_are_fitted_to_the_rules():
    """Loops end a line, long ones are cut, missing ones are added, and all begin at the hub."""
    ways = Ways(PLAIN.changed(hub=5, max_stops=4), 0)
    lines = fitted(ways, ((0, 1, 2, 5, 7, 9, 10), (2, 5, 3, 1, 2)), Random(0))
    assert lines[0] == (5, 7, 9, 10) or lines[0] == (5, 2, 1, 0)
    assert_legal(ways.instance, lines)
    assert len(lines) == 6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_children_have_lines_of_their_parents(seed):
    """Crossover invents no line and keeps their number."""
    rng = Random(seed)
    ways = Ways(PLAIN, 0)
    first, second = ([ways.any_line(rng) for _ in range(6)] for _ in range(2))
    for child in (crossed(first, second, rng), mixed(first, second, rng)):
        assert len(child) == 6
        assert set(child) <= {*first, *second}


def test_bees_take_lines_of_a_policy():
    """What replans serves half of the bees at once; what breaks a rule is refused by name."""
    asked = []

    def replanning(objective, seed):
        def replan(sets, numbers):
            assert all(len(lines) == 6 for lines in sets)
            asked.append(numbers)
            return [(0, 1, 2, 5, 14, 6)] * len(sets)

        return replan

    found = design(PLAIN, Bees(replanning=replanning), evaluations=300, seed=0)
    assert [len(numbers) for numbers in asked[:3]] == [5, 5, 5]
    assert {r for numbers in asked for r in numbers} <= set(range(6))
    assert found.cost < 15.0
    with pytest.raises(ProblemError, match="replanning returned the line"):
        design(PLAIN.changed(max_stops=4), Bees(replanning=replanning), evaluations=300)


def test_a_policy_replans_single_lines():
    """The shipped network puts a legal line in place of each that it is given, by its seed."""
    objective, ways, rng = ExactObjective(PLAIN), Ways(PLAIN, 0), Random(1)
    sets = [[ways.any_line(rng) for _ in range(6)] for _ in range(3)]
    found = [replanner(objective, seed)(sets, [0, 5, 2]) for seed in (1, 1, 2)]
    assert all(ways.legal(line) for line in found[0])
    assert found[0] == found[1] != found[2]


def test_ranks_and_crowding_of_a_small_front():
    """Rank 0 is beaten by nobody; the ends of a rank and lonely points go on first."""
    points = np.array([[1.0, 4.0], [2.0, 2.0], [2.1, 1.9], [4.0, 1.0], [4.0, 4.0]])
    assert ranks(points).tolist() == [0, 0, 0, 0, 1]
    apart = crowding(points)
    assert np.isinf(apart[[0, 3]]).all()
    assert survivors(points, 2) == [0, 3]
    assert survivors(np.repeat(points, 2, axis=0), 9) == [0, 6, 2, 4, 8]


def test_lines_that_are_there_again_are_replaced():
    """As many lines, all different in either direction, all legal, and what was served still is."""
    instance = grid(4, 4, 4, min_stops=3, max_stops=6)
    lines = ((0, 1, 2, 3), (3, 2, 1, 0), (0, 4, 8, 12), (0, 1, 2, 3))
    assert repeated(lines) == 2
    found = without_repetition(instance, lines)
    assert len(found) == 4
    assert repeated(found) == 0
    assert found[0] == lines[0]
    assert found[2] == lines[2]
    assert_legal(instance, found)
    assert {node for line in lines for node in line} <= {node for line in found for node in line}
    assert without_repetition(instance, found) == found
