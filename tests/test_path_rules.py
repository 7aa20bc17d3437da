"""What is avoided, preferred and passed by several paths, and what is said when nothing is left."""

import json

import numpy as np
import pytest
from test_several_paths import free, made, places

from nco.errors import InputError, NoPathError, UnsupportedError
from nco.roads import Costs, Limits, Position, RoadGraph, Rules, paths
from nco.roads.classes import ROAD_CLASSES

MOTORWAY, PRIMARY, STREET = (ROAD_CLASSES.index(c) for c in ("motorway", "primary", "residential"))
ENDS = [(0, 1), (1, 2), (2, 5), (1, 3), (3, 5), (1, 4), (4, 5), (5, 6)]


def town(classes=None) -> RoadGraph:
    """Three ways from 1 to 5: a motorway with a toll, a main road, a street."""
    angle = np.arange(7)
    lonlat = np.stack([10 + np.cos(angle) * angle * 1e-3, np.sin(angle) * angle * 1e-3], axis=1)
    default = [STREET, MOTORWAY, MOTORWAY, PRIMARY, PRIMARY, STREET, STREET, STREET]
    return RoadGraph.from_links(
        lonlat,
        *np.array(ENDS).T,
        duration_s=[1, 5, 5, 5.5, 5.5, 6, 6, 1],
        turns=free(ENDS),
        road_class=classes or default,
        toll=[0, 1, 1, 0, 0, 0, 0, 0],
        streets=["Start", "A1", "A1", "Main", "Main", "Back Lane", "Back Lane", "End"],
    )


def around(graph, node, by=1e-4):
    """A square around a node."""
    lon, lat = graph.lonlat[node]
    return [[lon - by, lat - by], [lon + by, lat - by], [lon + by, lat + by], [lon - by, lat + by]]


@pytest.mark.parametrize("method", ["plateau", "penalty", "via", "esx", "onepass", "yen"])
@pytest.mark.parametrize(
    ("avoid", "left"),
    [
        (["motorways"], [[0, 3, 4, 7], [0, 5, 6, 7]]),
        ("tolls", [[0, 3, 4, 7], [0, 5, 6, 7]]),
        (["main_roads"], [[0, 5, 6, 7]]),
        (["Main"], [[0, 1, 2, 7], [0, 5, 6, 7]]),
        (["street:back lane", "tolls"], [[0, 3, 4, 7]]),
    ],
)
def test_what_is_avoided_is_on_no_path(method, avoid, left):
    """Neither the cheapest path nor an alternative uses what is avoided, by any method."""
    graph = town()
    rules = Rules.of(graph, avoid=avoid)
    found = paths(graph, *places(graph, 0, 7), 3, method=method, rules=rules)
    assert [path.links.tolist() for path in found] == left
    assert found.why_fewer


def test_areas_are_avoided(tmp_path):
    """Corners, GeoJSON and files with it close the streets that touch them."""
    graph = town()
    square = around(graph, 2)
    geojson = {"type": "Polygon", "coordinates": [[*square, square[0]]]}
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": geojson}]}))  # fmt: skip
    for area in ([square], [geojson], geojson, f"area:{file}", np.array(square)):
        found = paths(graph, *places(graph, 0, 7), 3, rules=Rules.of(graph, avoid=area))
        assert found[0].links.tolist() == [0, 3, 4, 7]


def test_what_is_preferred_comes_first():
    """Half the cost makes a street the first choice."""
    graph = town()
    found = paths(graph, *places(graph, 0, 7), 1, rules=Rules.of(graph, prefer=["Back Lane"]))
    assert found[0].links.tolist() == [0, 5, 6, 7]


def test_what_binds_is_said():
    """Where rules leave no path, the message names those that do; A on an avoided street too."""
    graph = town()
    a, b = places(graph, 0, 7)
    everything = ["motorways", "Main", "Back Lane"]
    with pytest.raises(NoPathError, match="if you allow motorways or Main or Back Lane"):
        paths(graph, a, b, 3, rules=Rules.of(graph, avoid=everything))
    with pytest.raises(NoPathError, match="A lies on what is avoided: Start"):
        paths(graph, a, b, 3, rules=Rules.of(graph, avoid=["Start"]))
    with pytest.raises(NoPathError, match="one opens if you allow Back Lane"):
        paths(graph, a, b, 3, rules=Rules.of(graph, avoid=[*everything, "main roads"]))
    doubly = ["motorways", "tolls", "A1", "main roads", "Main", "Back Lane", around(graph, 4)]
    with pytest.raises(NoPathError, match="allow more than one of motorways, tolls, A1"):
        paths(graph, a, b, 3, rules=Rules.of(graph, avoid=doubly))
    with pytest.raises(NoPathError, match="are closed, one-way or not connected"):
        paths(graph, b, a, 3, rules=Rules.of(graph, avoid=everything))


def test_rules_that_are_none():
    """Unknown words, areas without streets and files without areas are refused."""
    graph = town()
    for avoid, says in [
        (["swamps"], "'swamps', which no street is called; give motorways"),
        (["Lane"], "streets like it are .*Back Lane"),
        ([[[0, 0], [0, 1], [1, 1]]], "with no street of roads in it"),
        (["area:/nowhere.json"], "cannot be read as GeoJSON"),
        ([[[0, 0], [1, 1]]], "avoid: "),
        (7, "avoid is 7"),
    ]:
        with pytest.raises(InputError, match=says):
            Rules.of(graph, avoid=avoid)


@pytest.mark.parametrize("method", ["plateau", "penalty", "onepass"])
def test_places_in_between_have_alternatives(method):
    """All paths pass the place, in part by different ways; those that do not are not offered."""
    ends = [*ENDS, (6, 7), (7, 9), (6, 8), (8, 9), (9, 10)]
    seconds = [1, 5, 5, 5.5, 5.5, 6, 6, 1, 5, 5, 5.5, 5.5, 1]
    graph = made(ends, seconds=seconds, turns=free(ends))
    a, b = places(graph, 0, 12)
    middle = Position.on(graph, 7, 0.5)
    found = paths(graph, a, b, 4, method=method, through=[middle])
    assert found[0].links.tolist() == [0, 1, 2, 7, 8, 9, 12]
    assert len(found) == 4
    spent = [path.cost(found.costs) for path in found]
    assert spent == sorted(spent)
    by = Position.on(graph, 3, 0.5)
    assert all(3 in path.links for path in paths(graph, a, b, 3, method=method, through=[by]))
    with pytest.raises(NoPathError):
        paths(graph, a, b, 3, method=method, through=[middle, by])
    with pytest.raises(InputError, match="follow one another are the same"):
        paths(graph, a, b, 3, method=method, through=[middle, middle])


@pytest.mark.parametrize("method", ["osrm", "valhalla"])
def test_methods_of_engines_want_a_city(method):
    """Without a city there is no engine to ask."""
    graph = town()
    with pytest.raises(UnsupportedError, match="give city="):
        paths(graph, *places(graph, 0, 7), 3, method=method)


def test_prices_of_rules_keep_the_costs_that_were_given():
    """Rules close links of any costs, and leave those costs as they were."""
    graph = town()
    costs = Costs.of(graph, np.arange(1, 9))
    rules = Rules.of(graph, avoid="motorways")
    assert np.isinf(rules.on(costs).links[[1, 2]]).all()
    assert np.isfinite(costs.links).all()
    limits = Limits(stretch=3, detour=3)
    found = paths(graph, *places(graph, 0, 7), 3, costs, rules=rules, limits=limits)
    assert [path.links.tolist() for path in found] == [[0, 3, 4, 7], [0, 5, 6, 7]]
