"""Where training instances come from: tables of cities, and sampling from them."""

from __future__ import annotations

import numpy as np
import pytest
from city_tables import make_table
from fake_city import FakeCity

from nco.data.sampling.sample import rcvrp_capacity
from nco.errors import CityError, FormatError, PolicyError
from nco.training.distribution import PLAIN, Distribution
from nco.training.places import draw_places
from nco.training.pools import Pools
from nco.training.sampler import draw_rcvrp
from nco.training.seeds import seeded
from nco.training.sources import Source, TableSize, find_sources, table_of
from nco.training.tables import CityTable, build_table, load_table

# Tables ---------------------------------------------------------------------------------------


def test_tables_round_trip(tmp_path):
    """A saved table comes back the same."""
    made = make_table()
    made.save(tmp_path / "t.npz")
    back = load_table(tmp_path / "t.npz")
    np.testing.assert_array_equal(back.distance_m, made.distance_m)
    np.testing.assert_array_equal(back.lonlat, made.lonlat)
    assert (back.name, back.whole) == (made.name, made.whole)


def test_points_that_reach_nothing_are_dropped():
    """A table holds only points that all reach one another."""
    made = build_table(FakeCity(islands=24.97), "x", whole=60, boxed=0, boxes=1, seed=0)
    assert 20 < len(made.lonlat) < 60
    assert np.isfinite(made.distance_m).all()
    assert made.whole == len(made.lonlat)
    with pytest.raises(CityError, match="reach one another"):
        build_table(FakeCity(islands=24.92), "x", whole=60, boxed=0, boxes=1, seed=0)


def test_damaged_tables_are_named(tmp_path):
    """Cut off, foreign or missing: the message names the file."""
    path = tmp_path / "t.npz"
    with pytest.raises(FormatError, match=r"t\.npz"):
        load_table(path)
    make_table().save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FormatError, match=r"t\.npz"):
        load_table(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FormatError, match=r"t\.npz"):
        load_table(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("distance_m", np.zeros((2, 3), np.float32)),
     ("duration_s", np.full((60, 60), np.nan, np.float32)),
     ("distance_m", np.full((60, 60), np.inf, np.float32)),
     ("duration_s", np.full((60, 60), -1, np.float32)),
     ("lonlat", np.full((60, 2), np.nan)), ("lonlat", np.zeros((60, 3))), ("whole", 0)],
)  # fmt: skip
def test_malformed_tables_are_refused(field, value):
    """The message names the field."""
    with pytest.raises(FormatError, match=field):
        CityTable(**{**vars(make_table()), field: value})


def test_extracts_become_tables_once(cache, toy_extract, monkeypatch):
    """The second time the table comes from the cache; a damaged one is computed again."""
    size = TableSize(whole=12, boxed=0)
    source = Source("toy", toy_extract)
    first = table_of(source, size)
    (cached,) = (cache / "tables").glob("*.npz")
    with monkeypatch.context() as patch:
        patch.setattr("nco.training.sources.build_table", None)
        np.testing.assert_array_equal(table_of(source, size).distance_m, first.distance_m)
    cached.write_bytes(b"damaged")
    np.testing.assert_array_equal(table_of(source, size).distance_m, first.distance_m)


def test_cities_are_found_by_name_and_by_path(tmp_path):
    """A name in the folder, a path of a table; everything that is missing is listed."""
    (tmp_path / "here.osm.pbf").touch()
    (tmp_path / "city0.npz").touch()
    found = find_sources(["here", str(tmp_path / "city0.npz")], str(tmp_path))
    assert [source.path.name for source in found] == ["here.osm.pbf", "city0.npz"]
    with pytest.raises(CityError, match=r"'atlantis', 'none\.npz'"):
        find_sources(["here", "atlantis", "none.npz"], str(tmp_path))


# Sampling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.4, 0.3, 0.3)])
def test_instances_are_gathered_from_their_city(places):
    """Costs are the table's, points are all different, demands and capacity as published."""
    made = [make_table(k) for k in range(2)]
    pools = Pools.of(made)
    law = Distribution(places=places, far_depot=0.5, free_capacity=0.0)
    city, place = draw_places(pools, 40, 9, law, seeded("cpu", 1))
    instance = draw_rcvrp(pools, 40, 9, law, seeded("cpu", 1))
    for b in range(40):
        index = place[b].numpy()
        assert len(set(index)) == 10
        expected = made[city[b]].distance_m[np.ix_(index, index)]
        np.testing.assert_array_equal(instance.cost[b].numpy(), expected)
    assert instance.demand[:, 0].eq(0).all()
    assert instance.demand[:, 1:].min() == 1
    assert instance.demand.max() == 9
    assert instance.capacity.eq(rcvrp_capacity(9)).all()


def test_a_box_is_three_kilometres_wide_where_it_has_points_enough():
    """Stops of a box lie within 3 km of one another, east and north."""
    made = build_table(FakeCity(), "x", whole=2000, boxed=0, boxes=1, seed=0)
    pools = Pools.of([made])
    law = Distribution(places=(0, 1, 0), far_depot=0.0)
    _, place = draw_places(pools, 20, 3, law, seeded("cpu", 0))
    extent = pools.xy_m[0][place].amax(1) - pools.xy_m[0][place].amin(1)
    assert extent.median() < 3_100


def test_small_tables_are_refused():
    """Asking for more stops than a table has points names both numbers."""
    with pytest.raises(PolicyError, match="60 stops"):
        draw_rcvrp(Pools.of([make_table()]), 2, 60, PLAIN, seeded("cpu", 0))


@pytest.mark.parametrize(
    ("option", "value"),
    [("places", (0.0, 0.0, 0.0)), ("far_depot", 1.5), ("free_capacity", -1),
     ("capacity_range", (2.0, 1.0)), ("demands", (0, 0, 0)), ("demand", (0, 4)),
     ("clusters", (3, 2)), ("cluster_m", (0, 10)), ("box_m", 0), ("wide", 2.0),
     ("windowless", (0.5, 1.5)), ("service", (-1, 0)), ("horizon", (2.0, 2.0)),
     ("horizon", (4.6, float("inf")))],
)  # fmt: skip
def test_impossible_distributions_are_refused(option, value):
    """The message names the option."""
    with pytest.raises(PolicyError, match=option):
        Distribution(**{option: value})
