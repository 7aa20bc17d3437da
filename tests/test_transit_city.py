"""Transit instances on cities: where stops go, which are neighbours, and who travels."""

import networkx as nx
import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.data.cities.engine import Matrices
from nco.data.cities.roads import haversine_m
from nco.data.cities.table import TableCity
from nco.errors import CityError, FormatError, InputError
from nco.transit.instance.bus_speeds import AS_CARS, BusSpeeds
from nco.transit.instance.city import from_city
from nco.transit.instance.demand import (
    Zones,
    gravity_demand,
    nearer_demand,
    random_demand,
    read_zones,
)
from nco.transit.instance.links import neighbour_links
from nco.transit.instance.stops import both_ways, spread
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.sources.gtfs_stops import read_gtfs_stops

# Five stops from west to east, a bit more than a kilometre apart.
ROW = np.array([[24.91 + 0.02 * k, 60.15] for k in range(5)])


def test_an_instance_of_a_city_has_its_directed_times():
    """Links carry the engine's seconds and metres of either direction, and the demand asked for."""
    city = FakeCity()
    options = {"trips_per_hour": 500, "hub": "centre", "lines": 5, "seed": 3}
    instance = from_city(city, stops=20, speeds=AS_CARS, **options)
    slower = from_city(city, stops=20, **options)
    table = city.matrix(instance.lonlat)
    there = np.isfinite(instance.link_s)
    assert np.array_equal(instance.link_s[there], table.duration_s[there])
    assert np.array_equal(instance.link_m[there], table.distance_m[there])
    assert np.array_equal(np.isfinite(slower.link_s), there)
    assert (slower.link_s[slower.link_s > 0] > instance.link_s[instance.link_s > 0])[
        np.isfinite(instance.link_s[instance.link_s > 0])
    ].all()
    assert not np.array_equal(instance.link_s, instance.link_s.T)
    assert instance.trips == pytest.approx(500)
    assert (instance.size, instance.lines, instance.name) == (20, 5, "fake")
    assert instance.hub == table.duration_s.sum(axis=1).argmin()


def test_the_same_seed_gives_the_same_instance():
    """Stops and demand follow the seed, and another seed gives others."""
    one, same, other = (from_city(FakeCity(), stops=8, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert not np.array_equal(one.lonlat, other.lonlat)
    assert not np.array_equal(one.demand, other.demand)


def test_stops_in_a_row_are_linked_to_the_next_only():
    """The way to the stop after the next passes a stop, so there is no link."""
    instance = from_city(FakeCity(), stops=ROW, demand=None)
    assert instance.links.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert instance.trips == 0
    assert instance.max_stops == 5


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(0, 10**6), st.floats(1, 3))
def test_links_keep_all_stops_connected(n, seed, detour):
    """Whatever the times, links form one network that holds a minimum spanning tree."""
    times = np.random.default_rng(seed).integers(1, 400, (n, n)).astype(float)
    np.fill_diagonal(times, 0)
    linked = neighbour_links(times, detour=detour)
    assert np.array_equal(linked, linked.T)
    assert not linked.diagonal().any()
    assert nx.is_connected(nx.Graph(np.argwhere(linked).tolist()))
    apart = (times + times.T) / 2
    length = [
        nx.minimum_spanning_tree(nx.Graph(times)).size(weight="weight")
        for times in (apart, np.where(linked, apart, 0.0))
    ]
    assert length[0] == length[1]


def test_a_detour_counts_as_passing_a_stop():
    """Going round by a third stop costs a tenth more: with that patience the link goes."""
    times = np.array([[0.0, 1000, 550], [1000, 0, 550], [550, 550, 0]])
    assert not neighbour_links(times, detour=1.1)[0, 1]
    assert neighbour_links(times, detour=1.05)[0, 1]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0, 3000))
def test_spread_stops_keep_their_distance(seed, most, spacing_m):
    """No two chosen places are nearer than the spacing, and all others are near a chosen one."""
    lonlat = FakeCity().sample(30, seed)
    chosen = spread(lonlat, most, spacing_m)
    apart = haversine_m(lonlat[chosen][:, None], lonlat[chosen][None])
    assert (apart[~np.eye(len(chosen), dtype=bool)] >= spacing_m).all()
    assert len(set(chosen.tolist())) == len(chosen) <= most
    if len(chosen) < most:
        assert haversine_m(lonlat[:, None], lonlat[chosen][None]).min(axis=1).max() < spacing_m


def test_places_on_one_way_loops_are_passed_over():
    """Of places a minute apart the two that one can only leave by a long loop are no stops."""
    times = np.full((12, 12), 60.0)
    times[[3, 7]] = 400
    np.fill_diagonal(times, 0)
    assert np.flatnonzero(~both_ways(times)).tolist() == [3, 7]
    assert both_ways(times + 1000 * np.triu(np.ones((12, 12)), 1)).sum() >= 6


def test_no_room_for_so_many_stops_is_said():
    """A spacing that the city has no room for names how many fit."""
    with pytest.raises(CityError, match="of 50 stops found room in fake at a spacing of 3000 m"):
        from_city(FakeCity(), stops=50, spacing_m=3000)
    with pytest.raises(CityError, match="1 stops were asked for"):
        from_city(FakeCity(), stops=1)


def test_given_stops_that_do_not_reach_one_another_are_named(tmp_path):
    """An island and a stop that is there twice are refused by the names of the stops."""
    path = tmp_path / "stops.csv"
    path.write_text("name,lon,lat\nharbour,24.92,60.15\nisland,24.98,60.15\n")
    with pytest.raises(CityError, match="no street leads from stop 'harbour' to stop 'island'"):
        from_city(FakeCity(islands=24.95), stops=path)
    with pytest.raises(CityError, match="no time from stop '0' to stop '1'"):
        from_city(FakeCity(), stops=ROW[[0, 0]])
    with pytest.raises(CityError, match=r"points\[1\] \(far\)"):
        path.write_text("name,lon,lat\nharbour,24.92,60.15\nfar,4.98,60.15\n")
        from_city(FakeCity(), stops=path)


def test_a_table_of_points_is_city_enough():
    """A city without streets gives an instance too, even where all of its points are taken."""
    matrices = FakeCity().matrix(ROW)
    city = TableCity("row", ROW, Matrices(matrices.distance_m, matrices.duration_s))
    assert from_city(city, stops=5).size == 5


def test_demand_from_a_csv_goes_by_names(tmp_path):
    """Named stops carry the trips of the file, and an unknown one is named."""
    stops, demand = tmp_path / "stops.csv", tmp_path / "demand.csv"
    stops.write_text("name,lon,lat\nwest,24.91,60.15\neast,24.95,60.15\n")
    demand.write_text("orig,dest,volume\nwest,east,12\n")
    instance = from_city(FakeCity(), stops=stops, demand=demand, hub="east")
    assert instance.demand.tolist() == [[0, 12], [0, 0]]
    assert instance.hub == 1
    with pytest.raises(InputError, match="hub is 'north'; give the number or name"):
        from_city(FakeCity(), stops=stops, hub="north")
    demand.write_text("orig,dest,volume\nwest,north,12\n")
    with pytest.raises(FormatError, match="line 2, column 'dest' is 'north'"):
        from_city(FakeCity(), stops=stops, demand=demand)


def test_gravity_divides_trips_by_jobs_and_distance(tmp_path):
    """Shares of three stops agree with the formula worked out by hand; a far zone stays away."""
    path = tmp_path / "zones.csv"
    path.write_text(
        "lon,lat,people,jobs\n24.91,60.15,300,0\n24.93,60.15,100,50\n24.95,60.15,0,150\n"
        "24.99,60.19,999,999\n"
    )
    drive_s = np.array([[0.0, 60, 120], [60, 0, 60], [120, 60, 0]])
    demand = gravity_demand(read_zones(path), ROW[:3], drive_s, 400, decay_s=60)
    near, far = 50 * np.exp(-1), 150 * np.exp(-2)
    assert demand[0] == pytest.approx([0, 300 * near / (near + far), 300 * far / (near + far)])
    assert demand[1] == pytest.approx([0, 0, 100])
    assert not demand[2].any()
    instance = from_city(FakeCity(), stops=ROW, demand=path, trips_per_hour=70)
    assert instance.trips == pytest.approx(70)


def test_zones_that_nobody_leaves_are_refused(tmp_path):
    """No people, zones of another city and numbers out of bounds are errors that say so."""
    path = tmp_path / "zones.csv"
    for text, message in (("9,60,0,5", "no people or no jobs"), ("9,99,1,1", "column 'lat'")):
        path.write_text(f"lon,lat,people,jobs\n{text}\n")
        with pytest.raises(FormatError, match=message):
            read_zones(path)
    zones = Zones(np.array([[0.0, 0.0]]), np.ones(1), np.ones(1))
    with pytest.raises(InputError, match="within 1000 m of a stop"):
        gravity_demand(zones, ROW, np.ones((5, 5)), 100)
    with pytest.raises(InputError, match="decay_s is 0"):
        gravity_demand(zones, ROW, np.ones((5, 5)), 100, decay_s=0)
    with pytest.raises(InputError, match="trips_per_hour is -1"):
        random_demand(3, -1, 0)
    with pytest.raises(InputError, match="detour is"):
        from_city(FakeCity(), stops=5, detour=0.5)


FEED = (
    "stop_id,stop_name,stop_lat,stop_lon,location_type\n"
    "a,A,60.15,24.91,0\nb,B,60.15,24.95,\nb2,B opposite,60.1501,24.9501,0\n"
    "door,Entrance,60.15,24.95,2\nfar,Elsewhere,50.0,8.0,0\n"
)


def test_stops_of_a_feed_inside_the_city_are_used(tmp_path):
    """Both sides of a street become one stop; entrances and stops elsewhere are left out."""
    (tmp_path / "stops.txt").write_text(FEED)
    assert read_gtfs_stops(tmp_path)[0] == ("a", "b", "b2", "far")
    assert len(from_city(FakeCity(), stops=tmp_path).names) == 2
    assert from_city(FakeCity(), stops=tmp_path, spacing_m=0).names == ("a", "b", "b2")


def test_demand_between_stops_of_a_feed(tmp_path):
    """Both sides of a street are one stop for trips, too; what leads elsewhere does not count."""
    (tmp_path / "stops.txt").write_text(FEED)
    trips = tmp_path / "trips.csv"
    trips.write_text("orig,dest,volume\na,b,3\na,b2,4\nb,b2,50\nfar,a,60\n")
    instance = from_city(FakeCity(), stops=tmp_path, demand=trips)
    a = instance.names.index("a")
    assert instance.demand[a, 1 - a] == instance.trips == 7
    trips.write_text("orig,dest,volume\na,nobody,3\n")
    with pytest.raises(FormatError, match=r"line 2.*'nobody'"):
        from_city(FakeCity(), stops=tmp_path, demand=trips)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stop_id,stop_lat\n", "line 1: there is no column 'stop_lon'"),
        ("stop_id,stop_lat,stop_lon\na,91,0\n", "line 2: stop 'a' is at stop_lon '0'"),
        ("stop_id,stop_lat,stop_lon\na,1,\n", "line 2: stop 'a'"),
        (
            "stop_id,stop_lat,stop_lon\na,1,1\na,2,2\n",
            "line 3: stop_id 'a' is empty or there twice",
        ),
        ("stop_id,stop_lat,stop_lon\n", "has no stop"),
        (f"stop_id,{200_000 * 'x'}\n", "line 1: not CSV"),
    ],
)
def test_mistakes_in_a_feed_name_the_line(tmp_path, text, message):
    """A feed that cannot be used says where and why."""
    (tmp_path / "stops.txt").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_gtfs_stops(tmp_path)


def test_no_feed_at_all(tmp_path):
    """A missing archive and one that is none are told apart."""
    with pytest.raises(FormatError, match="there is no such file"):
        read_gtfs_stops(tmp_path / "feed.zip")
    (tmp_path / "feed.zip").write_text("nothing")
    with pytest.raises(FormatError, match="is no GTFS feed"):
        read_gtfs_stops(tmp_path / "feed.zip")


def test_a_real_city(helsinki):
    """On the streets of Helsinki neighbours are few and near, and the way round them is short."""
    options = {"stops": 25, "seed": 1, "within_km": 2.5, "speeds": AS_CARS}
    instance = TransitInstance.from_city(helsinki, **options)
    assert instance == TransitInstance.from_city(helsinki, **options)
    assert 24 <= len(instance.links) <= 75
    direct = helsinki.matrix(instance.lonlat).duration_s
    off = ~np.eye(25, dtype=bool)
    assert (instance.drive_s[off] / direct[off]).mean() < 1.3


def test_buses_are_slower_than_cars():
    """By class of road, hour and stops; never faster, and as cars where that is asked for."""
    car_s = np.array([[0.0, 120.0, np.inf], [100.0, 0.0, 60.0], [np.inf, 60.0, 0.0]])
    metres = np.array([[0.0, 1000.0, np.inf], [1000.0, 0.0, 1500.0], [np.inf, 1500.0, 0.0]])
    speeds = BusSpeeds(hour=3, classes=((30.0, 1.5), (np.inf, 1.25)), top_km_per_h=60.0, stop_s=9.0)
    # 30 km/h is a side street, 36 km/h a main one; 90 km/h is more than a bus drives.
    found = speeds.run_s(car_s, metres)
    assert found[0, 1] == pytest.approx(120 * 1.5 + 9)
    assert found[1, 0] == pytest.approx(100 * 1.25 + 9)
    assert found[1, 2] == pytest.approx(1500 / (60 / 3.6) + 9)
    assert np.isinf(found[0, 2])
    assert not np.diagonal(found).any()
    peak = BusSpeeds(hour=8).run_s(car_s, metres)
    night = BusSpeeds(hour=None).run_s(car_s, metres)
    assert (peak[car_s > 0] >= night[car_s > 0]).all()
    assert peak[0, 1] > night[0, 1] > car_s[0, 1]
    assert np.array_equal(AS_CARS.run_s(car_s, metres), car_s)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hour": 24}, "hour is 24"),
        ({"traffic": (1.0,)}, "24 factors"),
        ({"classes": ((30.0, 1.0),)}, "the last be inf"),
        ({"classes": ((np.inf, 0.0),)}, "no positive number"),
        ({"stop_s": -1.0}, "stop_s -1"),
    ],
)
def test_speeds_out_of_range(changes, message):
    """Speeds that make no sense are refused by name."""
    with pytest.raises(InputError, match=message):
        BusSpeeds(**changes)


def test_gravity_without_people_and_jobs_prefers_near_stops():
    """All stops send as many trips, the fewer to a stop the longer the drive there."""
    drive_s = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) * 600.0
    demand = nearer_demand(drive_s, 400)
    assert demand.sum() == pytest.approx(400)
    assert demand.sum(axis=1) == pytest.approx([100] * 4)
    assert demand[0, 1] / demand[0, 2] == pytest.approx(np.exp(600 / 900))
    instance = from_city(FakeCity(), stops=8, demand="gravity", trips_per_hour=400, seed=1)
    assert instance.trips == pytest.approx(400)
    with pytest.raises(InputError, match="decay_s is 0"):
        nearer_demand(drive_s, 400, decay_s=0)


def test_zones_walk_on_paths_where_these_are_known():
    """Who lives across a river uses the stop that is near on paths, not as the crow flies."""

    class River(FakeCity):
        """No path leads from the first point to the stop beside it."""

        def matrix(self, points, *, names=None, optional=None):
            """Metres as the crow flies, but for that pair and the last zone, off all paths."""
            away = haversine_m(points[:, None], points[None])
            away[0, 2] = away[2, 0] = np.inf
            away[1, 2:] = away[2:, 1] = np.inf
            return Matrices(away, away, np.zeros(len(points)))

    zones = Zones(np.array([ROW[0], ROW[1]]), np.array([100.0, 0.0]), np.array([0.0, 100.0]))
    stops, drive_s = ROW[:2], np.full((2, 2), 60.0)
    assert gravity_demand(zones, stops, drive_s, 10, walk_m=2000)[0, 1] == pytest.approx(10)
    with pytest.raises(InputError, match="no people or no jobs"):
        # On paths both zones come to the second stop, and nobody travels from it to itself.
        gravity_demand(zones, stops, drive_s, 10, walk_m=2000, foot=River())
