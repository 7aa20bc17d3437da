"""The street network as OSRM's files hold it."""

from pathlib import Path

import numpy as np
import pytest

from nco.data.cities.city import City
from nco.data.cities.osrm_build import build
from nco.data.cities.roads import haversine_m, read_roads
from nco.errors import CityError


def test_toy_network(cache: Path, toy_extract: Path) -> None:
    """24 blocks of 500 m and the island are where one may be; ferry and one-way spur are not."""
    roads = City.from_file(toy_extract).roads
    main = roads.segment_main
    assert main.sum() == 25
    assert roads.segment_length_m[main] == pytest.approx(500, rel=0.002)
    edges = roads.edges()
    ahead = set(zip(edges.tail.tolist(), edges.head.tolist(), strict=True))
    one_way = [pair for pair in ahead if pair[::-1] not in ahead]
    assert len(one_way) == 1
    assert np.isfinite(edges.duration_s).all()


def test_edges_match_the_engine(helsinki: City) -> None:
    """Along an edge the engine drives its length in its duration; against a one-way it cannot."""
    edges, lonlat = helsinki.roads.edges(), helsinki.roads.lonlat
    fit = (edges.length_m > 60) & (edges.length_m < 200) & helsinki.roads.main[edges.street]
    long = np.flatnonzero(fit)
    tail, head = lonlat[edges.tail[long]], lonlat[edges.head[long]]
    near, far = tail + 0.3 * (head - tail), tail + 0.7 * (head - tail)
    fit = (helsinki.nearest(near)[1] < 0.5) & (helsinki.nearest(far)[1] < 0.5)
    long, near, far = long[fit], near[fit], far[fit]
    ahead, back = helsinki.matrix(near, targets=far), helsinki.matrix(far, targets=near)
    length_m = 0.4 * edges.length_m[long]
    assert len(long) > 40
    assert np.diagonal(ahead.distance_m) == pytest.approx(length_m, abs=0.5)
    assert np.diagonal(ahead.duration_s) == pytest.approx(0.4 * edges.duration_s[long], abs=0.3)
    pairs = set(zip(edges.tail.tolist(), edges.head.tolist(), strict=True))
    one_way = np.array([(edges.head[e], edges.tail[e]) not in pairs for e in long])
    assert one_way.any()
    assert (np.diagonal(back.distance_m)[one_way] > length_m[one_way] + 1).all()


def test_streets_are_polylines_in_the_box(helsinki: City) -> None:
    """Every street has two points or more; the box is that of the connected ones."""
    streets = helsinki.streets()
    west, south, east, north = helsinki.bbox
    assert len(streets) == helsinki.info()["streets"]
    for line in streets:
        assert line.shape[0] >= 2
        assert line.shape[1] == 2
    pairs = zip(streets, helsinki.roads.main, strict=True)
    connected = np.concatenate([line for line, main in pairs if main])
    assert connected.min(axis=0).tolist() == [west, south]
    assert connected.max(axis=0).tolist() == [east, north]


def test_haversine() -> None:
    """One degree along a meridian is 111.2 km; the antipode is half the circumference away."""
    origin = np.array([0.0, 0.0])
    assert haversine_m(origin, np.array([0.0, 1.0])) == pytest.approx(111_195, rel=1e-4)
    assert haversine_m(origin, np.array([180.0, 0.0])) == pytest.approx(20_015_115, rel=1e-4)


@pytest.mark.parametrize("kind", ["nbg_nodes", "geometry", "ebg_nodes"])
def test_unreadable_network(cache: Path, toy_extract: Path, kind: str) -> None:
    """A damaged file of the network is an error that says to remove the folder."""
    base = build(toy_extract).base
    path = Path(f"{base}.{kind}")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(CityError, match="remove that folder"):
        read_roads(base)
