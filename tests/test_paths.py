"""Shortest paths on links with turns, against a plain search that is written another way."""

import heapq
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nco.errors import InputError, NoPathError, ProblemError
from nco.problem.work_rules import arrival
from nco.roads import (
    AStar,
    Bidirectional,
    Costs,
    Dijkstra,
    Hierarchy,
    Position,
    RoadGraph,
    TimeDependent,
)

SEARCHES = [Dijkstra, AStar, Bidirectional, Hierarchy]
random_graphs = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
PRICES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, np.inf])
SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@st.composite
def networks(draw):
    """A small graph with forbidden turns, costs of it with closed links and turns, two places."""
    nodes = draw(st.integers(2, 6))
    node = st.integers(0, nodes - 1)
    ends = draw(st.lists(st.tuples(node, node), min_size=1, max_size=14))
    tail, head = np.array(ends).T
    pairs = [(a, b) for a in range(len(tail)) for b in range(len(tail)) if head[a] == tail[b]]
    allowed = [pair for pair in pairs if draw(st.integers(0, 3))]
    lonlat = np.stack([10 + 0.001 * np.arange(nodes), 0.001 * (np.arange(nodes) ** 2 % 5)], axis=1)
    turns = np.array(allowed, dtype=np.int64).reshape(-1, 2).T
    graph = RoadGraph.from_links(lonlat, tail, head, turns=tuple(turns))
    costs = Costs.of(
        graph,
        draw(st.lists(PRICES, min_size=len(tail), max_size=len(tail))),
        draw(st.lists(PRICES, min_size=len(allowed), max_size=len(allowed))),
    )
    link = st.integers(0, len(tail) - 1)
    source, target = (
        Position.on(graph, draw(link), draw(SHARES), both=draw(st.booleans())) for _ in range(2)
    )
    return graph, costs, source, target


def plain(graph, costs, source, target):
    """The least cost by Dijkstra's algorithm on the ends of links, in plain Python."""

    def of(link, share):
        return share * costs.links[link] if share else 0.0

    goals = dict(zip(target.links, target.fractions, strict=True))
    best = np.inf
    heap = []
    for link, begin in zip(source.links, source.fractions, strict=True):
        if link in goals and begin <= goals[link]:
            best = min(best, of(link, goals[link] - begin))
        heap.append((of(link, 1 - begin), link))
    heapq.heapify(heap)
    done = set()
    while heap:
        spent, link = heapq.heappop(heap)
        if link in done or spent == np.inf:
            continue
        done.add(link)
        for a, b, price in zip(
            graph.turns.from_link, graph.turns.to_link, costs.turns, strict=True
        ):
            if a == link:
                if b in goals:
                    best = min(best, spent + price + of(b, goals[b]))
                heapq.heappush(heap, (spent + price + costs.links[b], int(b)))
    return best


@random_graphs
@given(networks())
def test_searches_find_what_a_plain_search_finds(network):
    """All cost the same as plain Dijkstra, closed links, turns and places on links included."""
    graph, costs, source, target = network
    least = plain(graph, costs, source, target)
    for kind in SEARCHES:
        search = kind(graph, costs)
        assert search.cost(source, target) == pytest.approx(least, rel=1e-3), kind.__name__
        if least == np.inf:
            with pytest.raises(NoPathError, match="no path leads"):
                search.path(source, target)
            continue
        path = search.path(source, target)
        assert (path.turns >= 0).all()
        assert path.cost(costs) == pytest.approx(least, rel=1e-3)
        assert (path.links[0], path.from_fraction) in zip(
            source.links, source.fractions, strict=True
        )
        assert (path.links[-1], path.to_fraction) in zip(
            target.links, target.fractions, strict=True
        )


@random_graphs
@given(networks())
def test_trees_hold_the_costs_of_all_links(network):
    """Trees from and to a place meet on every path: no link lies on a cheaper one than the best."""
    graph, costs, source, target = network
    search = Dijkstra(graph, costs)
    ahead, back = search.tree(source), search.tree_to(target)
    for link in range(len(graph.links)):
        at = Position.on(graph, link, 0.0, both=False)
        around = plain(graph, costs, at, target)
        assert back.cost[link] == pytest.approx(around)
    through = (ahead.cost + back.cost).min()
    direct = [
        (end - begin) * costs.links[a] if end > begin else 0.0
        for (a, begin), (b, end) in itertools.product(
            zip(source.links, source.fractions, strict=True),
            zip(target.links, target.fractions, strict=True),
        )
        if a == b and begin <= end
    ]
    assert min([through, *direct]) == pytest.approx(plain(graph, costs, source, target))


@random_graphs
@given(networks(), st.lists(PRICES, min_size=14, max_size=14))
def test_hierarchies_change_their_costs_in_place(network, prices):
    """After an update a hierarchy answers as a new one does."""
    graph, costs, source, target = network
    search = Hierarchy(graph, costs)
    changed = Costs(np.array(prices[: len(graph.links)]), costs.turns)
    search.update(changed)
    assert search.costs is changed
    assert search.cost(source, target) == pytest.approx(
        plain(graph, changed, source, target), rel=1e-3
    )


def line(**facts) -> RoadGraph:
    """Four nodes in a row, 0.01 degrees apart: links 0, 1, 2 ahead and 3, 4, 5 back."""
    lonlat = np.stack([10 + 0.01 * np.arange(4), np.zeros(4)], axis=1)
    return RoadGraph.from_links(lonlat, [0, 1, 2, 1, 2, 3], [1, 2, 3, 0, 1, 2], **facts)


def test_places_on_one_link():
    """B ahead of A is driven straight; B behind it on a one-way needs the way round."""
    graph = RoadGraph.from_links([[10, 0], [10.01, 0], [10.01, 0.01]], [0, 1, 2], [1, 2, 0])
    a, b = Position.on(graph, 0, 0.25), Position.on(graph, 0, 0.75)
    costs = Costs.of(graph, [8.0, 1.0, 1.0], np.ones(len(graph.turns)))
    for kind in SEARCHES:
        search = kind(graph, costs)
        assert search.path(a, b).links.tolist() == [0]
        assert search.cost(a, b) == 4
        assert search.cost(a, a) == 0
        assert search.path(b, a).links.tolist() == [0, 1, 2, 0]
        assert search.cost(b, a) == 2 + 1 + 1 + 1 + 1 + 1 + 2
    closed = Costs.of(graph, [8.0, np.inf, 1.0])
    for kind in SEARCHES:
        with pytest.raises(NoPathError, match="choose other places, or close less"):
            kind(graph, closed).path(b, a)


def test_a_path_measures_what_is_driven_of_it():
    """Length, time, line and nodes of a path that begins and ends in the middle of links."""
    graph = line(duration_s=np.full(6, 100.0))
    path = Dijkstra(graph).path(Position.on(graph, 0, 0.5), Position.on(graph, 2, 0.25))
    degree_m = graph.links.length_m[0] / 0.01
    assert path.links.tolist() == [0, 1, 2]
    assert path.length_m == pytest.approx(0.0175 * degree_m, rel=1e-6)
    assert path.duration_s == pytest.approx(175)
    assert path.lonlat == pytest.approx(
        np.array([[10.005, 0], [10.01, 0], [10.02, 0], [10.0225, 0]])
    )
    assert path.nodes.tolist() == [0, 1, 2, 3]
    back = Dijkstra(graph).path(Position.on(graph, 2, 0.25), Position.on(graph, 0, 0.5))
    assert back.links.tolist() == [5, 4, 3]
    assert back.length_m == pytest.approx(path.length_m)
    short = Dijkstra(graph).path(Position.on(graph, 1, 0.5), Position.on(graph, 1, 0.5))
    assert (short.length_m, short.lonlat.shape) == (0.0, (2, 2))


def test_an_unreachable_target_that_is_dear_is_reached():
    """Costs beyond what the hierarchy has room for are found all the same."""
    graph = line()
    costs = Costs.of(graph, [1.0, 1e9, 1.0, 1.0, 1.0, 1.0], np.zeros(len(graph.turns)))
    a, b = Position.on(graph, 0, 0.0), Position.on(graph, 2, 1.0)
    assert Hierarchy(graph, costs).cost(a, b) == pytest.approx(1e9 + 2)
    tiny = Hierarchy(graph, costs)
    tiny.update(Costs.of(graph, np.full(6, 1e-6), np.zeros(len(graph.turns))))
    assert tiny.cost(a, b) == pytest.approx(3e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("links", "says"),
    [
        ([1.0, -1.0, 1, 1, 1, 1], r"links\[1\] is -1"),
        ([1.0, 1.0, np.nan, 1, 1, 1], r"links\[2\] is nan"),
        ([1.0], "6 links, give one number for each"),
        (["dear"] * 6, "must be numbers"),
        (np.ones((2, 3)), "one row of numbers"),
    ],
)
def test_costs_that_are_none(links, says):
    """Negative, NaN, too few, no numbers: refused with the place."""
    with pytest.raises(InputError, match=says):
        Costs.of(line(), links)


def test_costs_of_another_graph():
    """A search refuses costs that do not fit its graph."""
    costs = Costs(np.ones(2), np.ones(1))
    for kind in SEARCHES:
        with pytest.raises(InputError, match="costs of links has 2 entries; roads has 6"):
            kind(line(), costs)
        with pytest.raises(InputError, match="costs of links has 2 entries"):
            kind(line()).with_costs(costs)


def test_positions_that_are_none():
    """A link that is not there, a fraction beyond its ends."""
    with pytest.raises(InputError, match="link 6 is none of the 6"):
        Position.on(line(), 6)
    with pytest.raises(InputError, match="from 0 to 1"):
        Position.on(line(), 0, 1.5)


@random_graphs
@given(networks(), st.integers(0, 20), st.lists(st.sampled_from([0.25, 0.5, 2.0]), max_size=3))
def test_uniform_traffic_delays_and_changes_no_path(network, departure, factors):
    """With one traffic for all links one arrives as `Profile.traffic` says of the usual seconds."""
    graph, costs, source, target = network
    traffic = [(5.0 * k, factor) for k, factor in enumerate(factors)]
    usual = plain(graph, costs, source, target)
    search = TimeDependent(graph, traffic, costs=costs)
    arrives = search.arrival_s(source, target, departure)
    if usual == np.inf:
        assert arrives == np.inf
        with pytest.raises(NoPathError):
            search.path(source, target, departure)
        return
    assert arrives == pytest.approx(arrival(tuple(traffic), float(departure), usual))
    path = search.path(source, target, departure)
    assert search.times_s(path, departure)[-1] == pytest.approx(arrives)
    assert (np.diff(search.times_s(path, departure)) >= 0).all()


def test_traffic_of_a_class_moves_paths_off_it():
    """While the motorway is slow, the way round is taken; who leaves later, arrives later."""
    graph = RoadGraph.from_links(
        [[10, 0], [10.01, 0], [10.02, 0], [10.01, 0.001]],
        [0, 1, 0, 3, 2],
        [1, 2, 3, 2, 1],
        duration_s=[50.0, 50.0, 60.0, 60.0, 50.0],
        road_class=[1, 1, 5, 5, 1],
    )
    search = TimeDependent(graph, by_class={"motorway": [(1000, 0.25), (2000, 1)]})
    a = Position((10, 0), (0, 2), (0.0, 0.0))
    b = Position((10.02, 0), (1, 3), (1.0, 1.0))
    assert search.path(a, b, 0).links.tolist() == [0, 1]
    assert search.path(a, b, 1100).links.tolist() == [2, 3]
    times = [search.arrival_s(a, b, departure) for departure in range(0, 3000, 100)]
    assert (np.diff(times) >= 0).all()
    with pytest.raises(InputError, match="road class"):
        TimeDependent(graph, by_class={"highway": []})
    with pytest.raises(ProblemError, match="factor is 0"):
        TimeDependent(graph, [(0, 0)])
    with pytest.raises(InputError, match="departure_s is nan"):
        search.path(a, b, float("nan"))
