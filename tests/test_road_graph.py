"""The road graph: OSRM's links and turns, the map's facts, its ways in and out."""

import itertools
from pathlib import Path as FilePath

import numpy as np
import pytest
from extracts import osm_xml

from nco.data.cities.city import City
from nco.errors import CityError, InputError, OffStreetError
from nco.roads import Bidirectional, Costs, NodePairs, Position, RoadGraph, Snapper
from nco.roads.classes import ACCESS, ROAD_CLASSES
from nco.roads.store import to_arrays
from nco.roads.tags import kmh

STEP = 0.002  # degrees, 222 m


def cross_xml() -> str:
    """A main road 0-1-2-3 with a bridge and a toll, streets at 1 and 2, a one-way, restrictions.

    From 0 to the right at 1 is forbidden; who comes from 0 must not turn from 1-2 into 2-6.
    """
    nodes = {i: (10 + i * STEP, 0.0) for i in range(4)}
    nodes |= {4: (10 + STEP, -STEP), 5: (10 + STEP, STEP), 6: (10 + 2 * STEP, -STEP)}
    nodes |= {7: (10 + 2 * STEP, STEP), 8: (10 + 1.5 * STEP, 0.0)}
    main = {"highway": "primary", "name": "Main Road", "lanes": "3", "maxspeed": "30 mph"}
    street = {"highway": "residential", "name": "Side Street"}
    ways = [
        ([0, 1], main),
        ([1, 8], main | {"bridge": "yes"}),
        ([8, 2], main),
        ([2, 3], main | {"toll": "yes"}),
        ([1, 4], street | {"access": "destination"}),
        ([1, 5], street | {"oneway": "yes", "lanes": "2", "tunnel": "yes"}),
        ([2, 6], street),
        ([2, 7, 5], street | {"highway": "living_street"}),
        ([4, 6], street),
    ]
    text = osm_xml(nodes, ways, {2: {"highway": "traffic_signals"}})

    def forbid(number: int, from_way: int, via: str, to_way: int, kind: str) -> str:
        return (
            f"<relation id='{number}'><member type='way' ref='{from_way}' role='from'/>{via}"
            f"<member type='way' ref='{to_way}' role='to'/><tag k='type' v='restriction'/>"
            f"<tag k='restriction' v='{kind}'/></relation>"
        )

    at_1 = forbid(1, 1, "<member type='node' ref='1' role='via'/>", 5, "no_right_turn")
    vias = "".join(f"<member type='way' ref='{way}' role='via'/>" for way in (2, 3))
    far = forbid(2, 1, vias, 7, "no_right_turn")
    return text.replace("</osm>", f"{at_1}{far}</osm>")


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    """The made-up crossroads, its cache in a folder of its own."""
    folder = tmp_path_factory.mktemp("cross")
    (folder / "cross.osm").write_text(cross_xml())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NCO_CACHE", str(folder / "cache"))
        yield City.from_file(folder / "cross.osm", name="cross")


@pytest.fixture(scope="module")
def graph(cross) -> RoadGraph:
    """Its road graph."""
    return RoadGraph.of(cross)


def links_between(graph: RoadGraph, a: int, b: int) -> list[int]:
    """Links from one node of OpenStreetMap to another, copies included."""
    ends = zip(
        graph.osm_node[graph.links.tail].tolist(),
        graph.osm_node[graph.links.head].tolist(),
        strict=True,
    )
    return [link for link, pair in enumerate(ends) if pair == (a, b)]


def test_links_have_the_facts_of_their_ways(graph):
    """Class, lanes, speed, toll, bridge, tunnel, access, name, signals: each where it is tagged."""
    links = graph.links
    one, *_ = links_between(graph, 1, 2)
    assert ROAD_CLASSES[links.road_class[one]] == "primary"
    assert graph.link_name(one) == "Main Road"
    assert (links.bridge[one], links.toll[one], links.tunnel[one]) == (True, False, False)
    assert links.toll[links_between(graph, 2, 3)].all()
    assert links.lanes[one] == 1
    assert links.max_speed_kmh[one] == pytest.approx(48.28, abs=0.01)
    assert links.length_m[one] == pytest.approx(222.4, abs=0.5)
    assert links.signals[one] == 1
    [before] = links_between(graph, 0, 1)
    assert (links.bridge[before], links.signals[before]) == (False, 0)
    [local] = links_between(graph, 1, 4)[:1] or links_between(graph, 1, 6)[:1]
    assert ACCESS[links.access[local]] == "destination"
    away = [link for link in range(len(links)) if links.tunnel[link]]
    assert [links.reverse[link] for link in away] == [-1] * len(away)
    assert len(away) == 1
    assert links.lanes[away[0]] == 2


def test_turns_are_those_that_are_allowed(graph):
    """A forbidden turn is not there; one over two streets makes a copy of that between them."""
    [first] = links_between(graph, 0, 1)
    entered = graph.turns.to_link[graph.turns.from_link == first]
    onto = set(graph.osm_node[graph.links.head[entered]].tolist())
    assert onto == {2, 5} or onto == {2, 7} or onto == {2}
    middle = links_between(graph, 1, 2)
    assert len(middle) == 2
    original = int(graph.links.original[middle[0]])
    copy = next(link for link in middle if link != original)
    assert graph.links.original[copy] == original
    south = next(
        link for link in range(len(graph.links))
        if graph.osm_node[graph.links.tail[link]] == 2 and graph.shape(link)[1, 1] < 0
    )  # fmt: skip
    assert graph.turn_between(copy, south) == -1
    assert graph.turn_between(original, south) >= 0
    assert graph.turn_between(first, copy) >= 0
    assert graph.turn_between(first, original) == -1
    right = graph.turn_between(original, south)
    assert graph.turns.angle_deg[right] == pytest.approx(90, abs=1)
    assert graph.turns.duration_s[right] > 2  # the signals alone


def test_paths_cost_what_the_engine_says(cross, graph):
    """Seconds and metres of paths between places on the crossroads are OSRM's."""
    points = cross.sample(12, 1)
    places = Snapper.of(graph, cross)(points)
    table = cross.matrix(points)
    search = Bidirectional(graph)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            if i != j:
                path = search.path(a, b)
                assert path.duration_s == pytest.approx(table.duration_s[i, j], abs=0.6)
                assert path.length_m == pytest.approx(table.distance_m[i, j], rel=0.01, abs=2)


def test_paths_in_a_city_take_what_the_engine_says(helsinki):
    """In a real city eight pairs of ten take OSRM's seconds, to 1 %.

    The others begin or end where streets lie above one another, and on another one of them.
    """
    graph = RoadGraph.of(helsinki)
    points = helsinki.sample(120, 5)
    places = Snapper.of(graph, helsinki)(points)
    search = Bidirectional(graph)
    ours = np.array([search.path(places[i], places[60 + i]).duration_s for i in range(60)])
    table = helsinki.matrix(points[:60], targets=points[60:])
    theirs = np.diagonal(table.duration_s)
    assert np.quantile(np.abs(ours / theirs - 1), 0.8) < 0.01


def test_a_graph_comes_from_the_cache(cross, graph, monkeypatch):
    """The second time nothing is read from the map; a damaged file is made anew."""
    import nco.roads.store as store

    digest = store.content_hash(cross.extract)[:24]
    [path] = (FilePath(store.cache_dir()) / "roads").glob(f"{digest}*.npz")
    with monkeypatch.context() as patch:
        patch.setattr(store, "build_graph", lambda *_: pytest.fail("it was built again"))
        again = RoadGraph.of(cross)
    for name, values in to_arrays(graph).items():
        assert np.array_equal(values, to_arrays(again)[name], equal_nan=values.dtype.kind == "f")
    assert again.names == graph.names
    path.write_bytes(path.read_bytes()[:1000])
    assert len(RoadGraph.of(cross).links) == len(graph.links)


def test_a_variant_has_the_graph_of_its_own(cross):
    """What a variant closes is closed in its graph, what it slows is slow, as its engine says."""
    slow = cross.variant(speeds={"residential": 0.5}, streets=["Main Road"])
    graph = RoadGraph.of(slow)
    usual = RoadGraph.of(cross)
    main = np.array([graph.link_name(k) == "Main Road" for k in range(len(graph.links))])
    assert np.isinf(graph.links.duration_s[main]).all()
    assert not graph.links.main[main].any()
    street = graph.links.road_class == ROAD_CLASSES.index("residential")
    assert street.any()
    assert graph.links.duration_s[street] == pytest.approx(
        2 * usual.links.duration_s[street], rel=0.02
    )
    places = Snapper.of(graph, slow)(slow.sample(6, 3))
    for a, b in itertools.permutations(places, 2):
        path = Bidirectional(graph).path(a, b)
        theirs = slow.matrix([a.lonlat, b.lonlat]).duration_s[0, 1]
        assert path.duration_s == pytest.approx(theirs, abs=1.0)
    ring = [[10.0015, -0.001], [10.0025, -0.001], [10.0025, 0.001], [10.0015, 0.001]]
    around = cross.variant(closed=ring)
    with pytest.raises(OffStreetError, match=r"\(A\).*closed"):
        Snapper.of(RoadGraph.of(around), around).pair([10 + STEP, 0], [10, 0])


def test_networkx_and_back(graph):
    """Links, turns and facts survive the way through networkx."""
    back = RoadGraph.from_networkx(graph.to_networkx())
    before, after = to_arrays(graph), to_arrays(back)
    for name, values in before.items():
        if name.startswith(("links", "turns")) and name not in {
            "links.tail", "links.head", "links.name", "turns.angle_deg",
        }:  # fmt: skip
            assert after[name] == pytest.approx(values, nan_ok=True), name
    assert [back.link_name(k) for k in range(len(back.links))] == [
        graph.link_name(k) for k in range(len(graph.links))
    ]


def test_networkx_in_the_words_of_osmnx():
    """Lists, texts and lines are read; without turns all are allowed but turning back."""
    nx = pytest.importorskip("networkx")
    given = nx.MultiDiGraph()
    for node, lon in ((7, 10.0), (8, 10.01), (9, 10.02)):
        given.add_node(node, x=lon, y=0.0)
    facts = {"highway": ["primary", "secondary"], "maxspeed": "50", "lanes": "2", "bridge": "yes"}
    given.add_edge(7, 8, geometry=[(10, 0), (10.005, 0.001), (10.01, 0)], **facts)
    given.add_edge(8, 7)
    given.add_edge(8, 9, length=500.0)
    graph = RoadGraph.from_networkx(given)
    assert ROAD_CLASSES[graph.links.road_class[0]] == "primary"
    assert (graph.links.max_speed_kmh[0], graph.links.lanes[0]) == (50, 2)
    assert graph.links.bridge[0]
    assert len(graph.shape(0)) == 3
    assert list(zip(graph.turns.from_link.tolist(), graph.turns.to_link.tolist(), strict=True)) == [
        (0, 2),
        (1, 0),
    ]
    with pytest.raises(CityError, match="no directed graph"):
        RoadGraph.from_networkx(nx.Graph())
    given.add_node(10)
    with pytest.raises(CityError, match="lacks x or y"):
        RoadGraph.from_networkx(given)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_pytorch_geometric_and_back(graph):
    """Every array survives the way through PyTorch Geometric; links are nodes, turns are edges."""
    data = graph.to_pyg()
    assert data.num_nodes == len(graph.links)
    assert data.num_edges == len(graph.turns)
    back = RoadGraph.from_pyg(data)
    for name, values in to_arrays(graph).items():
        assert np.array_equal(values, to_arrays(back)[name], equal_nan=values.dtype.kind == "f")
    assert back.names == graph.names


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tail": [0, 5]}, r"tail\[1\] is 5; there are 3"),
        ({"tail": [0.5, 1]}, "whole numbers"),
        ({"tail": [0]}, "give one a link"),
        ({"tail": [], "head": []}, "no links"),
        ({"duration_s": [1, np.nan]}, r"duration_s\[1\] is nan"),
        ({"length_m": [-1, 1]}, r"length_m\[0\] is -1"),
        ({"turns": ([0], [0])}, "where the link that it leaves ends"),
        ({"turns": ([0], [9])}, r"to_link\[0\] is 9"),
        ({"colour": [1, 2]}, "colour"),
        ({"lonlat": [[10, 0], [10, 95], [10, 1]]}, "latitude 95"),
    ],
)
def test_links_that_do_not_fit(given, says):
    """Each mistake in the arrays is told with its place."""
    usual = {"lonlat": [[10, 0], [10.01, 0], [10.02, 0]], "tail": [0, 1], "head": [1, 2]}
    with pytest.raises(InputError, match=says):
        RoadGraph.from_links(**(usual | given))


def test_places_are_snapped_as_the_city_does(cross, graph):
    """Beside a street onto it, between its directions both; in the water and outside refused."""
    snap = Snapper.of(graph, cross)
    [place] = snap([[10 + 1.25 * STEP, 0.0001]])
    assert place.moved_m == pytest.approx(11.1, abs=0.1)
    assert place.lonlat == pytest.approx((10 + 1.25 * STEP, 0.0), abs=1e-7)
    assert len(place.links) == 3  # one of them is the copy
    assert sorted(place.fractions) == pytest.approx([0.25, 0.25, 0.75], abs=1e-3)
    a, b = snap.pair([10, 0], [10 + STEP, 0])
    assert Bidirectional(graph).path(a, b).length_m == pytest.approx(222.4, abs=0.5)
    with pytest.raises(InputError, match="A and B are the same place"):
        snap.pair([10, 0], [10, 0])
    with pytest.raises(OffStreetError, match=r"\(B\).*outside of the area"):
        snap.pair([10, 0], [11, 0])
    with pytest.raises(OffStreetError, match="did you swap lon and lat"):
        snap([[0.0, 10.0]])
    with pytest.raises(CityError, match="finite"):
        snap([[np.nan, 0]])
    with pytest.raises(CityError, match="places"):
        snap.pair([10], [10, 0])


def test_nobody_begins_on_a_private_drive(tmp_path, monkeypatch):
    """As with OSRM, cars begin on the street beside a private service road, bicycles on it."""
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "cache"))
    nodes = {i: (10 + (i % 2) * STEP, 0.0001 * (i // 2)) for i in range(4)}
    street = {"highway": "residential"}
    own = {"highway": "service", "access": "private", "bicycle": "yes"}
    ways = [([0, 1], street), ([2, 3], own), ([0, 2], own), ([1, 3], street)]
    (tmp_path / "drive.osm").write_text(osm_xml(nodes, ways))
    for profile, moved_m in (("car", 10.0), ("bicycle", 1.1)):
        city = City.from_file(tmp_path / "drive.osm", profile=profile)
        [place] = Snapper.of(RoadGraph.of(city), city)([[10 + STEP / 2, 0.00009]])
        assert place.moved_m == pytest.approx(moved_m, abs=0.2)
        assert city.nearest([[10 + STEP / 2, 0.00009]])[1] == pytest.approx([moved_m], abs=0.2)


def test_the_nearest_segment_is_found(graph):
    """The place of a point is as near as that on any segment, looked at one by one."""
    snap = Snapper(graph, max_snap_m=5000)
    rng = np.random.default_rng(4)
    points = np.array([10, -0.002]) + rng.random((30, 2)) * np.array([3 * STEP, 2 * STEP])
    scale = np.radians(1) * 6_371_008.8
    for point, place in zip(points, snap(points), strict=True):
        nearest = np.inf
        for link in range(len(graph.links)):
            line = graph.shape(link)
            for a, b in itertools.pairwise(line):
                share = np.clip(((point - a) @ (b - a)) / max((b - a) @ (b - a), 1e-30), 0, 1)
                nearest = min(nearest, scale * np.hypot(*(a + share * (b - a) - point)))
        assert place.moved_m == pytest.approx(nearest, abs=0.01)


def test_drives_become_links(graph):
    """Nodes along a path lead back to its links; a jump and an unknown pair are told."""
    pairs = NodePairs(graph)
    [start] = links_between(graph, 0, 1)
    end = next(
        link for link in range(len(graph.links)) if graph.osm_node[graph.links.head[link]] == 3
    )
    path = Bidirectional(graph).path(Position.on(graph, start, 0.0), Position.on(graph, end, 1.0))
    driven = pairs.links(path.osm_nodes)
    assert driven.links.tolist() == path.links.tolist()
    assert driven.covered_m.sum() == pytest.approx(path.length_m)
    assert (len(driven.broken), driven.unknown) == (0, 0)
    torn = pairs.links([0, 1, 77, 3, 2])
    assert torn.unknown == 2
    assert torn.broken.tolist() == [1]
    assert len(pairs.links([]).links) == 0
    assert len(pairs.links([0]).links) == 0


def test_a_server_without_an_extract_has_no_graph():
    """What is known of a server are times and metres; that is said."""
    city = City("far", engine=object())
    with pytest.raises(CityError, match="only a server"):
        RoadGraph.of(city)
    with pytest.raises(CityError, match="a city, such as nco"):
        RoadGraph.of("helsinki")


@pytest.mark.parametrize(
    ("text", "speed"),
    [("50", 50), ("30 mph", 48.28), ("walk", np.nan), ("0", np.nan), ("5 knots", 9.26)],
)
def test_signs(text, speed):
    """Speeds on signs in their units; what is no number is unknown."""
    assert kmh(text) == pytest.approx(speed, abs=0.01, nan_ok=True)


def test_costs_of_a_graph(graph):
    """Free flow is seconds; OSRM's own weights are never less."""
    free, usual = Costs.free_flow(graph), Costs.usual(graph)
    assert (usual.links >= free.links - 0.05).all()
    assert (usual.turns >= free.turns - 0.05).all()


def test_where_streets_meet_a_place_lies_on_each_of_them(cross):
    """The nearest place is a junction: one may leave and arrive on every street there."""
    graph = RoadGraph.of(cross)
    links = graph.links
    node = int(np.bincount(links.tail[links.main]).argmax())
    meets = set(np.flatnonzero(links.main & (links.tail == node)).tolist())
    [corner] = Snapper.of(graph, cross)([graph.lonlat[node]])
    assert len(meets) > 1
    assert meets <= set(corner.links)
