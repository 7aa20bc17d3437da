"""A city: checked points, samples that are connected, saved files."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nco.data.cities.city import CREDIT, City
from nco.data.cities.osrm import Osrm
from nco.data.cities.roads import haversine_m
from nco.errors import CityError, StorageError


@pytest.mark.parametrize("how", ["road", "cluster", "node"])
def test_samples_reach_one_another(helsinki: City, how: str) -> None:
    """All pairs are connected, all points differ and lie where OSRM lets one stop."""
    points = helsinki.sample(80, seed=5, how=how)
    found = helsinki.matrix(points)
    assert points.shape == (80, 2)
    assert len(np.unique(points, axis=0)) == 80
    assert np.isfinite(found.distance_m).all()
    assert np.isfinite(found.duration_s).all()
    assert helsinki.nearest(points)[1].max() <= 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    how=st.sampled_from(["road", "cluster", "node"]),
    within_km=st.one_of(st.none(), st.floats(0.4, 3)),
)
def test_samples_repeat(
    helsinki: City, n: int, seed: int, how: str, within_km: float | None
) -> None:
    """The same seed gives the same points, another seed gives others."""
    first = helsinki.sample(n, seed, how, within_km=within_km)
    assert (first == helsinki.sample(n, seed, how, within_km=within_km)).all()
    assert len(np.unique(first, axis=0)) == n
    assert not np.array_equal(first, helsinki.sample(n, seed + 1, how, within_km=within_km))


def test_road_samples_follow_length(helsinki: City) -> None:
    """East and west of the middle get points in proportion to their metres of street."""
    roads = helsinki.roads
    _, tail, head = roads.segments
    middle = (roads.lonlat[tail] + roads.lonlat[head]) / 2
    away = helsinki.nearest(middle)[1]
    length = roads.segment_length_m * roads.segment_main * (away < 1)
    cut = np.median(middle[:, 0])
    expected = length[middle[:, 0] < cut].sum() / length.sum()
    drawn = helsinki.sample(2000, seed=1)
    assert (drawn[:, 0] < cut).mean() == pytest.approx(expected, abs=0.04)


def test_clusters_are_denser(helsinki: City) -> None:
    """Points of one small cluster lie far closer together than points anywhere."""

    def spread_m(points: np.ndarray) -> float:
        return float(haversine_m(points, points.mean(axis=0)).mean())

    tight = helsinki.sample(50, seed=1, how="cluster", clusters=1, spread_km=0.05)
    assert spread_m(tight) < spread_m(helsinki.sample(50, seed=1)) / 2


def test_box(helsinki: City) -> None:
    """A box of given side and centre holds all points; a random one is of that side too."""
    centre = np.array([24.944, 60.171])
    points = helsinki.sample(30, seed=1, within_km=0.8, centre=centre)
    east = np.stack([points[:, 0], np.full(30, centre[1])], axis=1)
    north = np.stack([np.full(30, centre[0]), points[:, 1]], axis=1)
    assert haversine_m(east, centre).max() <= 401
    assert haversine_m(north, centre).max() <= 401
    anywhere = helsinki.sample(30, seed=1, within_km=0.5)
    west_south, east_north = anywhere.min(axis=0), anywhere.max(axis=0)
    assert haversine_m(west_south, np.array([east_north[0], west_south[1]])) <= 501


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "1 or more"),
        ({"how": "grid"}, "road, cluster, node"),
        ({"within_km": -1}, "positive"),
        ({"within_km": float("nan")}, "positive"),
        ({"how": "cluster", "spread_km": 0}, "positive"),
        ({"how": "cluster", "clusters": 0}, "1 or more"),
        ({"centre": [24.94, 60.17]}, "within_km"),
        ({"within_km": 1, "centre": [24.94]}, "shape"),
        ({"within_km": 1, "centre": [10, 10]}, "room for 0"),
        ({"n": 5000, "how": "node"}, "room for"),
        ({"n": 400, "within_km": 0.001}, "room for"),
    ],
)
def test_sample_options(helsinki: City, options: dict[str, object], message: str) -> None:
    """Wrong options, and more points than there is room for, are said plainly."""
    with pytest.raises(CityError, match=message):
        helsinki.sample(**({"n": 3, "seed": 0} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[60.17, 24.94]], "swap"),
        ([[24.94, 60.17], [24.94, 95.0]], r"points\[1\].*swap"),
        ([[24.94, 60.17], [190.0, 60.0]], r"points\[1\].*\[-180, 180\]"),
        ([[24.94, 60.17], [np.nan, 60.17]], r"points\[1\]"),
        ([[24.94, 60.17], [np.inf, 60.17]], r"points\[1\]"),
        ([[24.94, 60.17], [24.94, 60.3]], r"points\[1\].*km from the nearest street"),
        ([[0.0, k] for k in range(12)], "and 2 more"),
        ([24.94, 60.17], r"\[n, 2\]"),
        ([["a", "b"]], "numbers"),
    ],
)
def test_bad_points(helsinki: City, points: object, message: str) -> None:
    """Each is refused by index, with what to do."""
    with pytest.raises(CityError, match=message):
        helsinki.matrix(points)  # type: ignore[arg-type]


def test_points_are_looked_for_once(helsinki: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was near a street is so for ever, also in the contracted city; a bad point never is."""
    assert helsinki.extract is not None
    city = City.from_file(helsinki.extract)
    points, asked, nearest = city.sample(6, seed=3), list[int](), Osrm.nearest

    def counted(engine: Osrm, lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked.append(len(lonlat))
        return nearest(engine, lonlat)

    monkeypatch.setattr(Osrm, "nearest", counted)
    city.matrix(points[:4])
    city.matrix(points, targets=points[:2])
    city.contracted().matrix(points)
    assert asked == [4, 2]
    for _ in range(2):
        with pytest.raises(CityError, match=r"points\[6\]"):
            city.matrix([*points, [0.0, 0.0]])


def test_bad_point_by_name(helsinki: City) -> None:
    """Given names, the error uses them; targets are checked like points."""
    with pytest.raises(CityError, match="Anna"):
        helsinki.matrix([[0.0, 0.0]], names=["Anna"])
    with pytest.raises(CityError, match=r"targets\[0\]"):
        helsinki.matrix([[24.94, 60.17]], targets=[[0.0, 0.0]])
    with pytest.raises(CityError, match="two points"):
        helsinki.route([[24.94, 60.17]])


def test_geometry_follows_streets(helsinki: City) -> None:
    """A leg's polyline is as long as the leg, within the width of a rounding."""
    points = helsinki.sample(6, seed=8)
    route = helsinki.route(points)
    for line, metres in zip(helsinki.geometry(points), route.distance_m, strict=True):
        assert haversine_m(line[:-1], line[1:]).sum() == pytest.approx(metres, rel=0.01, abs=2)


def test_info(helsinki: City) -> None:
    """What is known is JSON, and OpenStreetMap is credited."""
    info = helsinki.info()
    assert info["credit"] == CREDIT == "© OpenStreetMap contributors"
    assert info["nodes"] == len(helsinki.roads.lonlat)
    assert tuple(info["bbox"]) == helsinki.bbox == helsinki.roads.bbox
    assert len(info["sha256"]) == 64


def test_save_and_load(
    cache: Path, toy_extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved city opens where its extract is gone and its engine was never built."""
    extract = tmp_path / "toy.osm"
    extract.write_bytes(toy_extract.read_bytes())
    city = City.from_file(extract, profile="foot")
    points = city.sample(5, seed=1)
    saved = city.save(tmp_path / "toy.city")
    extract.unlink()
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "elsewhere"))
    again = City.load(saved)
    assert (again.name, again.profile) == ("toy", "foot")
    assert (again.matrix(points).duration_s == city.matrix(points).duration_s).all()
    assert City.load(saved, profile="car").profile == "car"


def test_unusable_saved_city(cache: Path, toy_extract: Path, tmp_path: Path) -> None:
    """Truncated, tampered and other files are refused; the cache keeps nothing of them."""
    saved = City.from_file(toy_extract).save(tmp_path / "toy.city")
    raw = saved.read_bytes()
    cut, noise, other = (tmp_path / f"{name}.city" for name in ("cut", "noise", "other"))
    cut.write_bytes(raw[: len(raw) // 2])
    noise.write_bytes(b"noise")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    for path, message in ((cut, "truncated"), (noise, "truncated"), (other, "not a saved city")):
        with pytest.raises(CityError, match=message):
            City.load(path)
    with pytest.raises(CityError, match="does not exist"):
        City.load(tmp_path / "gone.city")
    swapped = tmp_path / "swapped.city"
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(swapped, "w") as target:
        target.writestr("city.json", source.read("city.json"))
        target.writestr("extract.osm", b"<osm/>")
    with pytest.raises(CityError, match="damaged"):
        City.load(swapped)
    assert not list((cache / "extracts").glob("*"))


def test_save_refuses(cache: Path, toy_extract: Path, tmp_path: Path) -> None:
    """Another ending, or a folder that is a file, loses nothing."""
    city = City.from_file(toy_extract)
    with pytest.raises(CityError, match=r"\.city"):
        city.save(tmp_path / "toy.zip")
    (tmp_path / "file").write_text("keep")
    with pytest.raises(StorageError):
        city.save(tmp_path / "file" / "toy.city")
    assert (tmp_path / "file").read_text() == "keep"


@pytest.mark.parametrize("name", ["tokyo_shibuya", "krems", "johannesburg_centre"])
def test_real_cities(shared_cities: Path, name: str) -> None:
    """In towns with many one-way and private streets samples are connected as well."""
    city = City.from_file(shared_cities / f"{name}.osm.pbf")
    for how in ("road", "cluster", "node"):
        points = city.sample(60, seed=1, how=how)
        assert np.isfinite(city.matrix(points).duration_s).all()
        assert city.nearest(points)[1].max() <= 1
