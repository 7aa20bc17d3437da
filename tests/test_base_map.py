"""The map below routes: what is drawn of an extract, where the sea is, and how tiles are cut."""

import numpy as np
import pytest
from extracts import osm_xml

from nco.data.cities.base_map import EXTENT, kinds, open_features, tile
from nco.data.cities.base_map.features import mercator, read
from nco.data.cities.base_map.sea import sea_of
from nco.errors import CityError, InputError

BOX = (10.0, 0.0, 10.01, 0.01)


def _town(tmp_path):
    """A street, a pond in a park, a house, a name, and a coast in the west of them."""
    nodes = {k: (10 + 0.001 * k, 0.005) for k in range(8)}
    square = [(2, 2), (6, 2), (6, 6), (2, 6)]
    nodes |= {20 + k: (10 + 0.001 * x, 0.001 * y) for k, (x, y) in enumerate(square)}
    nodes |= {30 + k: (10.003 + 0.0002 * x, 0.003 + 0.0002 * y) for k, (x, y) in enumerate(square)}
    nodes |= {50: (10.001, 0.02), 51: (10.001, -0.01), 60: (10.005, 0.005)}
    ways = [
        (range(8), {"highway": "primary", "name": "<b>Main</b>"}),
        ([20, 21, 22, 23, 20], {"leisure": "park"}),
        ([30, 31, 32, 33, 30], {"natural": "water", "name": "Pond"}),
        ([50, 51], {"natural": "coastline"}),
        ([20, 22], {"highway": "proposed"}),
    ]
    path = tmp_path / "town.osm"
    path.write_text(osm_xml(nodes, ways, {60: {"place": "town", "name": "Town"}}))
    return path


def _at(zoom: int, lonlat=(10.005, 0.005)) -> tuple[int, int]:
    column, row = (mercator(np.array([lonlat]))[0] * 2**zoom).astype(int)
    return int(column), int(row)


def test_what_a_town_has_is_drawn(tmp_path):
    """Streets, parks, water and names are in the tile; what is not there in truth is not."""
    found = tile(open_features(_town(tmp_path), BOX), 14, *_at(14))
    assert [(one["kind"], one["name"]) for one in found["streets"]] == [("primary", "<b>Main</b>")]
    assert [one["kind"] for one in found["green"]] == ["park"]
    pond, sea = (next(w for w in found["water"] if w["kind"] == k) for k in ("water", "sea"))
    assert max(sea["at"][0][::2]) < min(pond["at"][0][::2])
    assert [(one["kind"], one["name"]) for one in found["places"]] == [("town", "Town")]
    [line] = found["streets"][0]["at"]
    x, y = (mercator(np.array([[10.0, 0.005]]))[0] * 2**14 - _at(14)) * EXTENT
    assert line[:2] == pytest.approx([max(x, -64), y], abs=1)


def test_a_map_is_kept_and_damage_is_mended(tmp_path, monkeypatch):
    """The second look reads the file in the cache; one that is damaged is made again."""
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "cache"))
    extract = _town(tmp_path)
    first = open_features(extract, BOX)
    [kept] = (tmp_path / "cache" / "maps").glob("*.npz")
    assert np.array_equal(open_features(extract, BOX).points, first.points)
    kept.write_bytes(kept.read_bytes()[:100])
    assert open_features(extract, BOX).words == first.words


def test_sea_is_on_the_right_of_the_coast_and_islands_are_not(tmp_path):
    """A coast northwards has the sea in the east; an island in it is a hole."""
    low, high = np.zeros(2), np.ones(2)
    north = np.array([[0.4, 1.5], [0.4, -0.5]])  # the second coordinate points downwards
    island = np.array([[0.6, 0.5], [0.7, 0.5], [0.7, 0.4], [0.6, 0.4], [0.6, 0.5]])
    [[outline, hole]] = sea_of([north, island], low, high)
    assert outline[:, 0].min() == pytest.approx(0.4)
    assert hole[:, 0].min() == pytest.approx(0.6)
    [[west]] = sea_of([north[::-1]], low, high)
    assert west[:, 0].max() == pytest.approx(0.4)
    assert not list(sea_of([north * 0.5], low, high))  # it ends within the frame


@pytest.mark.parametrize("zoom", range(kinds.MIN_ZOOM, kinds.MAX_ZOOM + 1))
def test_tiles_hold_what_is_in_them(tmp_path, zoom):
    """All coordinates are whole and within the tile and its margin; far away there is nothing."""
    features = read(_town(tmp_path), BOX, "")
    found = tile(features, zoom, *_at(zoom))
    for layer in kinds.LAYERS:
        for one in found[layer]:
            for part in one["at"]:
                assert all(isinstance(number, int) for number in part)
                assert min(part) >= -64
                assert max(part) <= EXTENT + 64
    assert not any(tile(features, zoom, 0, 0)[layer] for layer in kinds.LAYERS)


def test_tiles_and_extracts_that_are_none_are_refused(tmp_path):
    """A zoom, a column or a row that there is not, and a file that is no extract."""
    features = read(_town(tmp_path), BOX, "")
    for zoom, column, row in ((7, 0, 0), (17, 0, 0), (8, 256, 0), (8, 0, -1)):
        with pytest.raises(InputError, match="no such tile"):
            tile(features, zoom, column, row)
    (tmp_path / "bad.osm").write_text("<osm")
    with pytest.raises(CityError, match="cannot be read for its map"):
        read(tmp_path / "bad.osm", BOX, "")
