"""A city as fixed points and matrices: its files, its samples, what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nco import memory
from nco.data.cities.city import City
from nco.data.cities.engine import Matrices
from nco.data.cities.table import TableCity
from nco.errors import CityError, InputError, StorageError


def table(n: int = 30, seed: int = 0, unreachable: float = 0.0) -> TableCity:
    """Random directed matrices on random points, some pairs without a route."""
    rng = np.random.default_rng(seed)
    distance_m = rng.uniform(100, 5000, (n, n))
    distance_m[rng.random((n, n)) < unreachable] = np.inf
    np.fill_diagonal(distance_m, 0)
    lonlat = np.round(rng.uniform((10, 50), (10.05, 50.03), (n, 2)), 6)
    return TableCity("toy", lonlat, Matrices(distance_m, distance_m / 10))


def same(a: TableCity, b: TableCity) -> bool:
    """Points equal, metres and seconds equal up to the rounding of units, inf where inf."""
    return (
        np.array_equal(a.lonlat, b.lonlat)
        and np.allclose(a.matrices.distance_m, b.matrices.distance_m, rtol=1e-12)
        and np.allclose(a.matrices.duration_s, b.matrices.duration_s, rtol=1e-12)
    )


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 25), seed=st.integers(0, 1000), unreachable=st.floats(0, 0.5))
def test_files_round_trip(
    tmp_path_factory: pytest.TempPathFactory, n: int, seed: int, unreachable: float
) -> None:
    """Our file and RRNCO's give back what was written."""
    folder = tmp_path_factory.mktemp("tables")
    city = table(n, seed, unreachable)
    assert same(TableCity.load(city.save(folder / "ours.npz")), city)
    assert TableCity.load(folder / "ours.npz").name == "toy"
    rrnco = TableCity.from_rrnco(city.to_rrnco(folder / "Toy_data.npz"))
    assert same(rrnco, city)
    assert rrnco.name == "Toy"


def test_rrnco_units(tmp_path: Path) -> None:
    """Points are (lat, lon), distances km, durations minutes, and far means unreachable."""
    city = TableCity(
        "two",
        np.array([[24.9, 60.1], [24.8, 60.2]]),
        Matrices(np.array([[0, 1500], [np.inf, 0]]), np.array([[0, 90], [np.inf, 0]])),
    )
    with np.load(city.to_rrnco(tmp_path / "two.npz"), allow_pickle=False) as held:
        assert held["points"].tolist() == [[60.1, 24.9], [60.2, 24.8]]
        assert held["distance"][0, 1] == 1.5
        assert held["duration"][0, 1] == 1.5
        assert held["distance"][1, 0] > 1e5


def test_rrnco_oddities(tmp_path: Path) -> None:
    """Points drawn twice are kept once, NaN means unreachable, a point is 0 from itself."""
    distance = np.array([[1e-3, 0.0, 2.0], [0.0, 0.0, 2.0], [np.nan, 3.0, 0.0]])
    points = np.array([[60.1, 24.9], [60.1, 24.9], [60.2, 24.8]])
    np.savez(tmp_path / "odd.npz", points=points, distance=distance, duration=distance)
    city = TableCity.from_rrnco(tmp_path / "odd.npz", name="odd")
    assert city.matrices.distance_m.tolist() == [[0, 2000], [np.inf, 0]]


def test_from_a_city(helsinki: City, tmp_path: Path) -> None:
    """A table of a city's points answers for them as the city does."""
    points = helsinki.sample(25, seed=1)
    city = TableCity("helsinki", points, helsinki.matrix(points))
    again = TableCity.load(city.save(tmp_path / "helsinki.npz"))
    some = again.sample(10, seed=2)
    assert (again.matrix(some).distance_m == helsinki.matrix(some).distance_m).all()
    part = again.matrix(some[:3], targets=some[3:])
    assert (part.duration_s == helsinki.matrix(some).duration_s[:3, 3:]).all()
    west, south, east, north = again.bbox
    assert (points >= (west, south)).all()
    assert (points <= (east, north)).all()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    unreachable=st.floats(0, 0.6),
    how=st.sampled_from(["road", "cluster", "node"]),
)
def test_samples_are_connected(seed: int, unreachable: float, how: str) -> None:
    """Whatever is missing from a table, a sample's points all reach one another."""
    city = table(20, seed, unreachable)
    n = len(city.connected)
    points = city.sample(n, seed, how)
    assert len(np.unique(points, axis=0)) == n
    assert np.isfinite(city.matrix(points).distance_m).all()
    assert (points == city.sample(n, seed, how)).all()


def test_samples_cluster_and_fit_a_box() -> None:
    """Clustered points lie closer together than uniform ones; a box holds what it draws."""
    city = table(1000)
    tight = city.sample(30, 1, "cluster", clusters=1, spread_km=0.2)
    assert tight.std(axis=0).sum() < city.sample(30, 1).std(axis=0).sum() / 2
    boxed = city.sample(10, 1, within_km=1, centre=[10.02, 50.015])
    assert abs(boxed - (10.02, 50.015)).max(axis=0) == pytest.approx((0.007, 0.0045), abs=0.0035)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 31}, "30 connected"),
        ({"n": 0}, "1 or more"),
        ({"how": "grid"}, "road, cluster, node"),
        ({"within_km": -1}, "positive"),
        ({"within_km": 0.001, "centre": [0, 0]}, "0 connected"),
    ],
)
def test_sample_options(options: dict[str, object], message: str) -> None:
    """Wrong options are refused as those of a city are."""
    with pytest.raises(CityError, match=message):
        table().sample(**({"n": 3, "seed": 0} | options))  # type: ignore[arg-type]


def test_unknown_point() -> None:
    """A table knows its own points only and names the one it does not know."""
    city = table()
    with pytest.raises(CityError, match=r"points\[1\] \(Anna\)"):
        city.matrix([city.lonlat[0], [10.0, 50.5]], names=["depot", "Anna"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lonlat": [[10.0, 50.0]]}, "shape"),
        ({"lonlat": [[10.0, 50.0], [10.0, 95.0]]}, "swap"),
        ({"lonlat": [[10.0, 50.0], [10.0, 50.0]]}, "twice"),
        ({"lonlat": np.empty((0, 2))}, "at least one"),
        ({"distance_m": [[0, -1], [1, 0]]}, r"distance_m\[0, 1\]"),
        ({"distance_m": [[0, np.nan], [1, 0]]}, r"distance_m\[0, 1\]"),
        ({"duration_s": [[5, 1], [1, 0]]}, r"duration_s\[0, 0\]"),
        ({"duration_s": [[0, np.inf], [1, 0]]}, "not both"),
        ({"duration_s": [["a", "b"], ["c", "d"]]}, "numbers"),
    ],
)
def test_wrong_content(change: dict[str, object], message: str) -> None:
    """Each field is checked and named, with the index."""
    ones = [[0, 1], [1, 0]]
    held = {"lonlat": [[10.0, 50.0], [10.1, 50.0]], "distance_m": ones, "duration_s": ones} | change
    with pytest.raises(CityError, match=message):
        TableCity("bad", held["lonlat"], Matrices(held["distance_m"], held["duration_s"]))  # type: ignore[arg-type]


def test_unusable_files(tmp_path: Path) -> None:
    """Missing, truncated, pickled and other files are refused by both readers."""
    raw = table().save(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(raw[: len(raw) // 2])
    # The end of a zip file lists what is in it; here only data in the middle is spoilt.
    (tmp_path / "spoilt.npz").write_bytes(raw[:2000] + bytes(500) + raw[2500:])
    (tmp_path / "text.npz").write_text("hello")
    np.save(tmp_path / "one.npy", np.eye(2))
    np.savez(tmp_path / "other.npz", a=np.eye(2))
    np.savez(
        tmp_path / "pickle.npz",
        **dict.fromkeys(
            ("name", "lonlat", "points", "distance", "duration", "distance_m", "duration_s"),
            np.array([{"a": 1}], dtype=object),
        ),
    )
    np.savez(tmp_path / "shapes.npz", points=np.eye(2), distance=np.eye(3), duration=np.eye(2))
    for name in ("gone", "cut", "spoilt", "text", "other", "pickle", "shapes"):
        for read in (TableCity.load, TableCity.from_rrnco):
            with pytest.raises(CityError, match=name):
                read(tmp_path / f"{name}.npz")
    with pytest.raises(CityError, match="one array"):
        TableCity.load(tmp_path / "one.npy")


def test_save_loses_nothing(tmp_path: Path) -> None:
    """Where it cannot be written, what stood there stays."""
    (tmp_path / "file").write_text("keep")
    with pytest.raises(StorageError):
        table().save(tmp_path / "file" / "city.npz")
    assert (tmp_path / "file").read_text() == "keep"


def test_matrices_beyond_memory_are_refused_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch, helsinki: City
) -> None:
    """More points than there is memory for are a sentence, from a table and from streets."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 30)
    with pytest.raises(InputError, match=r"between 9000 points need 1\.21 GiB of memory, 1 GiB"):
        few = table(3)
        few.matrix(np.repeat(few.lonlat, 3000, axis=0))
    middle = np.tile((24.94, 60.17), (6000, 1))
    with pytest.raises(InputError, match=r"between 6000 points need 1\.07 GiB of memory"):
        helsinki.matrix(middle)
    with pytest.raises(InputError, match="between 6000 and 9000 points"):
        helsinki.matrix(middle, targets=np.tile((24.94, 60.17), (9000, 1)))
