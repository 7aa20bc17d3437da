"""Variants of a city: what is closed is not entered, what is slower takes longer, nothing else."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from extracts import osm_xml

from nco import City, sample
from nco.data.cities import osrm_build
from nco.errors import CityError

SIDE = 0.0045  # degrees, 500 m
ZONE = [
    [10 + 1.5 * SIDE, 1.5 * SIDE],
    [10 + 2.5 * SIDE, 1.5 * SIDE],
    [10 + 2.5 * SIDE, 2.5 * SIDE],
    [10 + 1.5 * SIDE, 2.5 * SIDE],
]
CORNERS = np.array([[10 + SIDE * i, SIDE * j] for i in range(5) for j in range(5)])
MIDDLE = 12  # the only crossing in the zone


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A 5 x 5 grid of residential streets 500 m apart; the southern one is primary, "Main"."""
    folder = tmp_path_factory.mktemp("grid")
    nodes = {10 * i + j: (10 + i * SIDE, j * SIDE) for i in range(5) for j in range(5)}
    residential = {"highway": "residential"}
    ways = [([10 * i + j for j in range(5)], residential) for i in range(5)]
    ways += [([10 * i + j for i in range(5)], residential) for j in range(1, 5)]
    ways += [([10 * i for i in range(5)], {"highway": "primary", "name": "Main Street"})]
    path = folder / "grid.osm"
    path.write_text(osm_xml(nodes, ways))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NCO_CACHE", str(folder / "cache"))
        yield City.from_file(path)


@pytest.fixture(scope="module")
def closed(city: City) -> City:
    """The grid without its middle."""
    return city.variant("closed", closed=ZONE)


def test_a_path_never_enters_what_is_closed(city: City, closed: City) -> None:
    """Between all places outside, routes go round the zone, where those of the city enter it."""
    zone = shapely.Polygon(ZONE)
    ends = [(2, 22), (10, 14), (11, 13), (7, 17), (0, 24)]
    for a, b in ends[:4]:
        (there,) = city.geometry(CORNERS[[a, b]])
        (around,) = closed.geometry(CORNERS[[a, b]])
        assert shapely.LineString(there).intersects(zone)
        assert not shapely.LineString(around).intersects(zone)
    outside = np.delete(CORNERS, MIDDLE, axis=0)
    before, after = city.matrix(outside), closed.matrix(outside)
    assert np.isfinite(after.duration_s).all()
    assert (after.duration_s >= before.duration_s - 1.0).all()
    assert after.distance_m[10, 13] > before.distance_m[10, 13] + 900
    assert np.array_equal(closed.roads.lonlat, city.roads.lonlat)


def test_who_is_in_a_closed_area_is_not_moved_out(closed: City) -> None:
    """A stop there is refused in words, as is a depot, however near the next street is."""
    inside = [[10 + 1.6 * SIDE, 2 * SIDE]]
    points = np.concatenate([CORNERS[:3], inside])
    found = closed.matrix(points, optional=[False, False, False, True])
    assert list(found.refused) == [3]
    assert "closed to this profile (car)" in found.refused[3]
    assert np.isinf(found.distance_m[:3, 3]).all()
    with pytest.raises(CityError, match=r"points\[3\].*closed to this profile"):
        closed.matrix(points)


def test_samples_are_not_where_it_is_closed(closed: City) -> None:
    """Places drawn on a variant's streets can be served by its vehicles."""
    drawn = closed.sample(60, seed=1)
    assert not shapely.intersects(shapely.Polygon(ZONE), shapely.points(drawn)).any()
    assert np.isfinite(closed.matrix(drawn).duration_s).all()


def test_streets_by_class_name_and_edge(city: City) -> None:
    """A street can be closed by its class, by its name and edge by edge, with the same result."""
    edges = city.roads.edges()
    south = (city.roads.lonlat[:, 1] == 0)[np.stack([edges.tail, edges.head])].all(axis=0)
    costs = (edges.tail[south], edges.head[south], np.full(south.sum(), np.inf))
    variants = [
        city.variant(classes=["primary"]),
        city.variant(streets="main street"),
        city.variant(costs=costs),
    ]
    tables = [v.matrix(CORNERS[[1, 21]]).distance_m for v in variants]
    assert tables[0][0, 1] == pytest.approx(2000, rel=0.01)
    assert all(np.array_equal(tables[0], table) for table in tables)
    for variant in variants:
        (line,) = variant.geometry(CORNERS[[1, 21]])
        assert (line[:, 1] > 1e-6).all()
    assert variants[0].changes.digest == variants[1].changes.digest


def test_speeds_and_costs(city: City) -> None:
    """Seconds of single edges are as given, to a tenth; a speed of a half doubles them."""
    edges = city.roads.edges()
    rng = np.random.default_rng(1)
    wanted = rng.uniform(10, 200, len(edges.tail)).round(1)
    found = city.variant(costs=(edges.tail, edges.head, wanted)).roads.edges()
    assert np.array_equal(found.tail, edges.tail)
    assert found.duration_s == pytest.approx(wanted, abs=0.051)
    half = city.variant(speeds=0.5).roads.edges()
    assert half.duration_s == pytest.approx(2 * edges.duration_s, abs=0.051)
    primary = city.variant(speeds={"primary": 0.25}).matrix(CORNERS[[0, 20]])
    assert primary.duration_s[0, 1] > city.matrix(CORNERS[[0, 20]]).duration_s[0, 1]


def test_edges_without_length_stay_open(tmp_path: Path, cache: Path) -> None:
    """Two nodes at one place are joined by no length, which a change of speeds does not close."""
    nodes = {1: (10.0, 0.0), 2: (10.002, 0.0), 3: (10.002, 0.0), 4: (10.004, 0.0)}
    way = ([1, 2, 3, 4], {"highway": "residential"})
    (tmp_path / "line.osm").write_text(osm_xml(nodes, [way]))
    line = City.from_file(tmp_path / "line.osm")
    slow = line.variant(speeds=0.5)
    ends = [[10.0, 0.0], [10.004, 0.0]]
    assert slow.matrix(ends).duration_s == pytest.approx(
        2 * line.matrix(ends).duration_s, rel=0.05, abs=0.5
    )


def test_a_variant_is_built_once(city: City, closed: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same changes, however they are said, find the engine that is there."""

    def never(*_: object) -> None:
        raise AssertionError("OSRM was run again")

    monkeypatch.setattr(osrm_build, "_osrm", never)
    again = city.variant(closed={"type": "Polygon", "coordinates": [[*ZONE, ZONE[0]]]})
    third = city.variant(closed=shapely.Polygon(ZONE))
    pair = CORNERS[[2, 22]]
    assert np.array_equal(again.matrix(pair).duration_s, closed.matrix(pair).duration_s)
    assert again.changes.digest == third.changes.digest == closed.changes.digest


def test_variants_of_variants(city: City, closed: City) -> None:
    """A variant of a variant has the changes of both, and a contracted one answers the same."""
    both = closed.variant(classes=["primary"])
    outside = np.delete(CORNERS, [MIDDLE, 0, 5, 10, 15, 20], axis=0)
    found = both.matrix(outside)
    assert len(both.changes.speeds) == len(closed.changes.speeds) + 8
    assert np.isfinite(found.duration_s).all()
    fast = both.contracted().matrix(outside)
    assert fast.duration_s == pytest.approx(found.duration_s, abs=0.2)


def test_vans_keep_out_and_others_do_not(city: City, closed: City) -> None:
    """A mixed fleet: what lies in the zone is left to bicycles, which reach it."""
    streets = {"car": city, "van": closed, "bicycle": city.with_profile("bicycle")}
    problem = sample.pvrp(
        streets, 40, seed=3, vehicles={"van": 1, "electric van": 1, "cargo bicycle": 1},
        depot=CORNERS[0],
    )  # fmt: skip
    inside = shapely.intersects(shapely.Polygon(ZONE), shapely.points(problem.lonlat))
    assert inside.any()
    assert [p.name for p in problem.profiles] == ["van", "car", "bicycle"]
    van, electric, bicycle = (problem.profiles[v.profile] for v in problem.vehicles)
    assert np.isinf(van.distance_m[0, inside]).all()
    assert np.isfinite(van.distance_m[0, ~inside]).all()
    assert np.isfinite(electric.distance_m[0]).all()
    assert np.isfinite(bicycle.distance_m[0]).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "nothing differs"),
        ({"closed": [[0, 0], [1, 0], [1, 1]]}, "no street of grid in it"),
        ({"closed": [[0, 0], [1, 1]]}, "closed has no area"),
        ({"closed": "zone"}, "give corners"),
        ({"closed": [ZONE, [[10, 0], [11, 1], [11, 0], [10, 1]]]}, "crosses itself"),
        ({"classes": ["path"]}, "no such class, but primary, residential"),
        ({"classes": 3}, "give texts"),
        ({"streets": "High Street"}, "no such street, but Main Street"),
        ({"speeds": 0}, "give a factor above 0"),
        ({"speeds": {"primary": "fast"}}, "give a factor above 0"),
        ({"costs": ([0], [0], [1.0])}, r"costs\[0\] leads from node 0 to 0"),
        ({"costs": ([0], [1, 2], [1.0])}, "costs makes no sense"),
        ({"costs": ([0], [1], [-1.0])}, "seconds below 0"),
        ({"speeds": 1e-3}, "which OSRM cannot count"),
        ({"classes": ["primary", "residential"]}, "no street that a car may use"),
    ],
)
def test_what_makes_no_sense_is_said(city: City, asked: dict[str, object], message: str) -> None:
    """Changes that cannot be meant are refused in words, before anything is built."""
    with pytest.raises(CityError, match=message):
        city.variant(**asked)


def test_variants_are_not_saved(closed: City, tmp_path: Path) -> None:
    """A file of a city holds its extract; a variant would come back without its changes."""
    with pytest.raises(CityError, match="is a variant"):
        closed.save(tmp_path / "closed.city")
