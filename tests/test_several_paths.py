"""Several paths from A to B: what they keep, how good they are, and what is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nco.errors import InputError, NoPathError
from nco.roads import (
    Bidirectional,
    Costs,
    Dijkstra,
    Limits,
    Path,
    Position,
    RoadGraph,
    Rules,
    paths,
)
from nco.roads.several import METHODS, largest_overlap, qualities, share
from nco.roads.several.clean import comes_back, fault, loops, turns_back
from nco.roads.several.plateau import plateaus
from nco.roads.several.quality import detour_stretch, detours, locally_optimal, stretch_between
from nco.roads.several.query import Query
from nco.roads.several.sweep import Sweep

PLAIN = ["plateau", "penalty", "via", "svp", "esx", "onepass", "yen"]
LOOSE = Limits(stretch=2.0, share=0.9, local=0.0)


def grid(side: int = 5, seed: int = 1) -> RoadGraph:
    """Streets both ways between the points of a grid, each with seconds of its own."""
    rng = np.random.default_rng(seed)
    at = np.arange(side * side).reshape(side, side)
    east = np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], 1)
    pairs = [*east.tolist(), *np.stack([at[:-1].ravel(), at[1:].ravel()], 1).tolist()]
    ends = np.array([*pairs, *[(b, a) for a, b in pairs]]).T
    lonlat = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) * 0.002
    seconds = rng.uniform(20, 40, len(pairs))
    return RoadGraph.from_links(lonlat, *ends, duration_s=np.tile(seconds, 2))


def made(ends, *, seconds=None, turns=None, streets=None) -> RoadGraph:
    """Links between nodes on a spiral, so that no two lie on one spot."""
    tail, head = np.array(ends).T
    angle = np.arange(max(tail.max(), head.max()) + 1)
    lonlat = np.stack([np.cos(angle) * angle, np.sin(angle) * angle], axis=1) * 1e-3
    return RoadGraph.from_links(
        lonlat, tail, head, duration_s=seconds, turns=turns, streets=streets
    )


def ladder() -> RoadGraph:
    """From 0 to 1, three ways of 10, 11 and 12 seconds side by side, then on to 8."""
    ends = [(0, 1), (1, 2), (2, 5), (1, 3), (3, 5), (1, 4), (4, 5), (5, 6)]
    return made(ends, seconds=[1, 5, 5, 5.5, 5.5, 6, 6, 1], turns=free(ends))


def free(ends):
    """Every turn, for nothing."""
    pairs = [(a, b) for a, x in enumerate(ends) for b, y in enumerate(ends) if x[1] == y[0]]
    return (*np.array(pairs).T, np.zeros(len(pairs)))


def places(graph: RoadGraph, a: int, b: int) -> tuple[Position, Position]:
    """The beginning of a link and the end of another one."""
    return Position.on(graph, a, 0.0, both=False), Position.on(graph, b, 1.0, both=False)


@pytest.mark.parametrize("method", ["auto", *PLAIN])
def test_three_ways_side_by_side_are_found(method):
    """Where there are three ways, a method finds them, the cheapest first, and says why no more."""
    graph = ladder()
    found = paths(graph, *places(graph, 0, 7), 3, method=method)
    assert [path.links.tolist() for path in found] == [[0, 1, 2, 7], [0, 3, 4, 7], [0, 5, 6, 7]]
    assert not found.why_fewer
    more = paths(graph, *places(graph, 0, 7), 5, method=method)
    assert len(more) == 3
    assert "3 paths instead of 5" in more.why_fewer


@pytest.mark.parametrize("method", PLAIN)
def test_what_a_method_gives_keeps_the_limits(method):
    """On streets with any costs, paths are connected, different, clean and within the limits."""
    for seed in range(3):
        graph = grid(seed=seed)
        a, b = Position.on(graph, seed, 0.3), Position.on(graph, len(graph.links) - 5, 0.6)
        limits = Limits(stretch=1.4, share=0.7, local=0.2)
        found = paths(graph, a, b, 4, method=method, limits=limits)
        costs = found.costs
        least = Dijkstra(graph).cost(a, b)
        assert found[0].cost(costs) == pytest.approx(least)
        for rank, path in enumerate(found):
            assert (path.turns >= 0).all()
            assert path.links[0] in a.links
            assert path.links[-1] in b.links
            assert path.cost(costs) <= 1.4 * least + 1e-6
            assert all(share(path, earlier, costs) <= 0.7 for earlier in found[:rank])
            assert not loops(path)
            assert not turns_back(path)
            assert locally_optimal(path, found.search, 0.2 * least)
        assert all(q.stretch <= 1.4 + 1e-9 for q in found.quality())


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_plateaus_are_those_of_their_definition(seed):
    """What is compiled finds the chains that two trees have in common, each once."""
    graph = grid(4, seed)
    a, b = Position.on(graph, seed % 20, 0.5), Position.on(graph, 40, 0.5)
    plain = Dijkstra(graph)
    ahead, back = plain.tree(a), plain.tree_to(b)
    first, length = plateaus(
        ahead.cost, ahead.via, back.cost, back.via, graph.turns.to_link, np.inf
    )
    after = {}
    for link in range(len(graph.links)):
        turn = back.via[link]
        if turn >= 0 and np.isfinite(ahead.cost[link]):
            onto = int(graph.turns.to_link[turn])
            if ahead.via[onto] == turn:
                after[link] = onto
    expected = {}
    for link in set(after) - set(after.values()):
        last = link
        while last in after:
            last = after[last]
        expected[link] = back.cost[link] - back.cost[last]
    assert dict(zip(first.tolist(), length.tolist(), strict=True)) == pytest.approx(expected)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000), st.booleans())
def test_sweeps_find_what_trees_find(seed, closed):
    """One sweep finds what Dijkstra finds of all links within the limit, and the same paths."""
    graph = grid(7, seed)
    links = graph.links.duration_s.copy()
    if closed:
        links[:: 2 + seed % 5] = np.inf
    costs = Costs.of(graph, links)
    a, b = Position.on(graph, seed % 79, 0.3), Position.on(graph, seed % 78 + 1, 0.6)
    plain = Dijkstra(graph, costs)
    if not np.isfinite(plain.cost(a, b)) or a.links == b.links:
        return
    limits = Limits(stretch=1 + seed % 10 / 10)
    query = Query(graph, costs, a, b, 3, limits, Bidirectional(graph, costs))
    ahead, back = Sweep(graph, costs)(query)
    expected = plain.tree(a).cost, plain.tree_to(b).cost
    within = sum(expected) <= query.most
    assert ahead.cost[within] == pytest.approx(expected[0][within])
    assert back.cost[within] == pytest.approx(expected[1][within])
    beyond = sum(expected) > query.most * (1 + 1e-6)
    assert np.isinf(ahead.cost[beyond]).all()
    assert (ahead.via[beyond] == -1).all()
    found = paths(graph, a, b, 3, costs, trees=Sweep(graph, costs), limits=LOOSE)
    others = paths(graph, a, b, 3, costs, limits=LOOSE)
    assert [p.cost(costs) for p in found] == pytest.approx([p.cost(costs) for p in others])


def test_shares_by_their_denominators():
    """What two paths have in common is divided by what was asked for."""
    graph = ladder()
    costs = Costs.free_flow(graph)
    a = Path(graph, np.array([0, 1, 2, 7]))
    b = Path(graph, np.array([0, 5, 6, 7]))
    assert share(b, a, costs) == pytest.approx(2 / 12)
    assert share(b, a, costs, of="path") == pytest.approx(2 / 14)
    assert share(b, a, costs, of="shorter") == pytest.approx(2 / 12)
    assert share(b, a, costs, of="union") == pytest.approx(2 / 24)
    assert largest_overlap([a, b, a], costs) == 1
    assert detours(b, a) == [(1, 3)]
    assert detour_stretch(b, a, costs) == pytest.approx(12 / 10)


def exact(path, search, window):
    """Whether every part up to a cost is a cheapest path, by trying all."""
    costs = search.costs
    for i, j in itertools.combinations(range(len(path) + 1), 2):
        end = min(j, len(path) - 1)
        part = Path(path.graph, path.links[i : end + 1], 0.0, 0.0 if j < len(path) else 1.0)
        a = Position.on(path.graph, int(path.links[i]), 0.0, both=False)
        b = Position.on(path.graph, int(path.links[end]), part.to_fraction, both=False)
        spent = part.cost(costs)
        if spent <= window and spent > search.cost(a, b) * 1.01 + 0.1:
            return False
    return True


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000), st.sampled_from([40.0, 80.0, 120.0]))
def test_the_test_of_local_optimality_is_right_within_its_factor(seed, window):
    """A locally optimal path passes; one that passes is locally optimal at half of the window."""
    rng = np.random.default_rng(seed)
    graph = grid(4, seed)
    links = [int(rng.integers(len(graph.links)))]
    for _ in range(6):
        out = np.flatnonzero(graph.turns.from_link == links[-1])
        links.append(int(graph.turns.to_link[rng.choice(out)]))
    path, search = Path(graph, np.array(links)), Bidirectional(graph)
    passes = locally_optimal(path, search, window)
    if exact(path, search, window):
        assert passes
    if passes:
        assert exact(path, search, window / 2)


def test_qualities_tell_good_ones_from_bad_ones():
    """A needless detour is neither locally optimal nor of bounded stretch; good ways are both."""
    graph = ladder()
    search = Bidirectional(graph)
    good = qualities(paths(graph, *places(graph, 0, 7), 3), search)
    assert [round(q.stretch, 3) for q in good] == [1, round(13 / 12, 3), round(14 / 12, 3)]
    assert good[1].shared == pytest.approx(2 / 12)
    around = grid(4, 3)
    # Down, along and up again in place of straight on.
    node = {
        (int(t), int(h)): i
        for i, (t, h) in enumerate(zip(around.links.tail, around.links.head, strict=True))
    }
    first = Path(around, np.array([node[4, 5], node[5, 6], node[6, 7]]))
    bad = Path(around, np.array([node[4, 5], node[5, 9], node[9, 10], node[10, 6], node[6, 7]]))
    assert not qualities([first, bad], Bidirectional(around))[1].admissible
    assert stretch_between(bad, Bidirectional(around)) > 1.25


def test_faults_of_paths_are_seen():
    """Turning back, passing a junction twice and leaving a street for nothing are told apart."""
    ends = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 2), (2, 1), (3, 1)]
    graph = made(
        ends, streets=["main", "main", "main", "side", "side", "main", "back"], turns=free(ends)
    )
    straight = Path(graph, np.array([0, 1, 2]))
    assert fault(straight) == ""
    assert turns_back(Path(graph, np.array([0, 1, 5])))
    assert loops(Path(graph, np.array([0, 1, 2, 6, 1])))
    side = Path(graph, np.array([0, 3, 4, 2]))
    assert comes_back(side)
    assert "leave a street" in fault(side, straight)
    assert fault(side, side) == ""


def test_what_cannot_be_asked_for():
    """Wrong numbers, places and methods are refused with what is allowed."""
    graph = ladder()
    a, b = places(graph, 0, 7)
    for k in (0, 101, 2.5, True):
        with pytest.raises(InputError, match="ask for 1 to 100 paths"):
            paths(graph, a, b, k)
    with pytest.raises(InputError, match="the same place"):
        paths(graph, a, a, 3)
    with pytest.raises(InputError, match="method 'swim' is unknown; known are auto, plateau"):
        paths(graph, a, b, 3, method="swim")
    with pytest.raises(InputError, match="share is"):
        Limits(share=1.5)
    with pytest.raises(InputError, match="stretch is"):
        Limits(stretch=0.5)
    for method in PLAIN:
        with pytest.raises(NoPathError, match="no path leads"):
            paths(graph, *places(graph, 7, 0), 3, method=method)
        closed = Costs.of(graph, np.where(np.arange(8) == 7, np.inf, graph.links.duration_s))
        with pytest.raises(NoPathError, match="no path leads"):
            paths(graph, a, b, 3, closed, method=method)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.6, 0.8]))
def test_labels_find_the_cheapest_path_that_shares_little(seed, most):
    """Of all simple paths through a small grid, the second one is the cheapest that fits."""
    graph = grid(3, seed)
    a, b = places(graph, 0, 10)
    limits = Limits(stretch=3.0, detour=100.0, share=most, local=0.0, clean=False)
    found = paths(graph, a, b, 2, method="onepass", limits=limits)
    everything = []

    def walk(links):
        if links[-1] == 10:
            everything.append(Path(graph, np.array(links)))
        for turn in np.flatnonzero(graph.turns.from_link == links[-1]).tolist():
            if (onto := int(graph.turns.to_link[turn])) not in links and len(links) < 12:
                walk([*links, onto])

    walk([0])
    costs = found.costs
    fit = [p.cost(costs) for p in everything if share(p, found[0], costs) <= most]
    fit = [cost for cost in fit if cost <= 3 * found[0].cost(costs)]
    assert len(found) == (2 if fit else 1)
    if fit:
        assert found[1].cost(costs) == pytest.approx(min(fit))


def test_the_next_shortest_paths_are_alike():
    """Yen's paths are the cheapest ones in their order, and hardly differ."""
    graph = grid(4, 2)
    a, b = places(graph, 0, 20)
    anything = Limits(stretch=10.0, detour=100.0, share=1.0, local=0.0, clean=False)
    found = paths(graph, a, b, 4, method="yen", limits=anything)
    spent = [path.cost(found.costs) for path in found]
    assert spent == sorted(spent)
    assert len({path.links.tobytes() for path in found}) == 4


def test_methods_are_loaded_by_their_names():
    """Every registered method is there."""
    assert set(PLAIN) <= set(METHODS)


def test_limits_are_relaxed_and_that_is_said():
    """Where the limits leave too few paths, the portfolio finds more and says at which limits."""
    ends = [(0, 1), (1, 2), (2, 5), (1, 3), (3, 5), (5, 6)]
    graph = made(ends, seconds=[3, 5, 5, 6.6, 6.6, 3], turns=free(ends))
    strict = paths(graph, *places(graph, 0, 5), 2)
    assert len(strict) == 1
    assert "long detour" in strict.why_fewer
    found = paths(graph, *places(graph, 0, 5), 2, method="auto")
    assert [path.links.tolist() for path in found] == [[0, 1, 2, 5], [0, 3, 4, 5]]
    assert found.relaxed == "detour 1.4 in place of 1.25"
    assert not found.why_fewer
    enough = paths(graph, *places(graph, 0, 5), 1, method="auto")
    assert not enough.relaxed


def test_searches_by_the_same_rules_are_kept():
    """Rules that mean the same are the same, so that what was prepared for them is used again."""
    graph = ladder()
    some, same, others = (
        Rules.of(graph, avoid=[area])
        for area in (square(graph, 2), square(graph, 2), square(graph, 3))
    )
    assert some == same
    assert hash(some) == hash(same)
    assert some != others
    search = Bidirectional(graph)
    first, again, third = (
        paths(graph, *places(graph, 0, 7), 2, search=search, rules=rules)
        for rules in (some, same, others)
    )
    assert first.search is again.search
    assert first.search is not third.search
    assert third[0].links.tolist() == [0, 1, 2, 7]


def square(graph, node):
    """A little area around a node."""
    (lon, lat), by = graph.lonlat[node], 1e-5
    return [[lon - by, lat - by], [lon + by, lat - by], [lon + by, lat + by], [lon - by, lat + by]]
