"""What lines are written as: GTFS feeds, GeoJSON and figures."""

import csv
import io
import json
import zipfile
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from fake_city import FakeCity
from matplotlib import pyplot

from nco.data.cities.city import CREDIT
from nco.errors import InputError, ProblemError
from nco.plot.transit_figures import fronts, transit, undominated
from nco.transit.files.geojson import write_transit_geojson
from nco.transit.files.gtfs import Service, write_gtfs
from nco.transit.instance.city import from_city
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.blocks import blocks_of
from nco.transit.operate.periods import DAILY, SUNDAY, WEEKDAY, Period, Trip
from nco.transit.operate.timetable import regular, timetable_of
from nco.transit.simulate.simulation import Settings, simulate
from nco.transit.sources.gtfs_stops import read_gtfs_stops

ROW = np.array([[24.91 + 0.02 * k, 60.15] for k in range(5)])
LINES = ((0, 1, 2), (4, 3, 2, 1))
# A morning of two hours, for 30 days.
MORNING = Service(first_s=7 * 3600, last_s=9 * 3600, first_day=date(2026, 3, 1), days=30)
# What the GTFS Schedule reference requires of each file.
REQUIRED = {
    "agency": {"agency_name", "agency_url", "agency_timezone"},
    "stops": {"stop_id", "stop_name", "stop_lat", "stop_lon"},
    "routes": {"route_id", "route_type", "route_short_name", "agency_id"},
    "trips": {"route_id", "service_id", "trip_id"},
    "stop_times": {"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"},
    "calendar": {
        *("service_id", "start_date", "end_date", "monday", "tuesday", "wednesday", "thursday"),
        *("friday", "saturday", "sunday"),
    },
    "feed_info": {"feed_publisher_name", "feed_publisher_url", "feed_lang"},
    "shapes": {"shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"},
    "frequencies": {"trip_id", "start_time", "end_time", "headway_secs"},
}


@pytest.fixture(autouse=True)
def _closed_figures():
    """Figures of one test do not pile up for the next."""
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def row():
    """Five stops from west to east; going back takes another time."""
    return from_city(FakeCity(), stops=ROW, demand="uniform", lines=2)


def read_feed(path):
    """Tables of a feed as lists of dicts."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".txt"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode()))
            )
            for name in archive.namelist()
        }


def seconds(clock):
    """Seconds after midnight of HH:MM:SS."""
    hours, minutes, rest = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + rest


@pytest.mark.parametrize("frequencies", [False, True])
def test_a_feed_has_every_required_field(row, tmp_path, frequencies):
    """All required columns are there and filled, and what refers to something finds it."""
    path = tmp_path / "feed.zip"
    write_gtfs(
        path, row, LINES, [600, 900], service=MORNING, city=FakeCity(), frequencies=frequencies
    )
    feed = read_feed(path)
    assert set(feed) == set(REQUIRED) - (set() if frequencies else {"frequencies"})
    for table, rows in feed.items():
        assert rows
        for entry in rows:
            assert all(entry[column] for column in REQUIRED[table]), (table, entry)
    ids = {
        name: {entry[key] for entry in feed[table]}
        for name, table, key in (
            *(("route_id", "routes", "route_id"), ("service_id", "calendar", "service_id")),
            *(("shape_id", "shapes", "shape_id"), ("trip_id", "trips", "trip_id")),
            ("stop_id", "stops", "stop_id"),
        )
    }
    for trip in feed["trips"]:
        assert all(trip[key] in ids[key] for key in ("route_id", "service_id", "shape_id"))
    assert {entry["trip_id"] for entry in feed["stop_times"]} == ids["trip_id"]
    assert {entry["stop_id"] for entry in feed["stop_times"]} == ids["stop_id"]
    assert {entry["route_type"] for entry in feed["routes"]} == {"3"}
    if frequencies:
        assert len(ids["trip_id"]) == 4
        assert {entry["end_time"] for entry in feed["frequencies"]} == {"09:00:01"}
    else:
        there = [trip for trip in ids["trip_id"] if "there" in trip]
        assert len(there) == 13 + 9
        assert len(ids["trip_id"]) - len(there) in range(20, 23)
    assert feed["agency"][0]["agency_timezone"] == "Europe/Helsinki"
    assert (feed["calendar"][0]["start_date"], feed["calendar"][0]["end_date"]) == (
        ("20260301", "20260330")
    )


def test_trips_keep_headway_and_running_times(row, tmp_path):
    """Departures are a headway apart, times never go back, and both directions take their own."""
    service = Service(first_s=7 * 3600, last_s=9 * 3600, dwell_s=20)
    feed = read_feed(write_gtfs(tmp_path / "feed.zip", row, LINES, 700, service=service))
    assert "shapes" not in feed
    trips = {}
    for entry in feed["stop_times"]:
        trips.setdefault(entry["trip_id"], []).append(entry)
    for trip in trips.values():
        assert [int(entry["stop_sequence"]) for entry in trip] == list(range(len(trip)))
        clock = [
            seconds(entry[key]) for entry in trip for key in ("arrival_time", "departure_time")
        ]
        assert clock == sorted(clock)
    starts = [seconds(trips[f"0-there-{n}"][0]["departure_time"]) for n in range(11)]
    assert np.diff(starts).tolist() == [700] * 10
    for stem, nodes in (("0-there", [0, 1, 2]), ("0-back", [2, 1, 0])):
        trip = trips[f"{stem}-0"]
        took = seconds(trip[-1]["arrival_time"]) - seconds(trip[0]["departure_time"])
        assert took == pytest.approx(row.link_s[nodes[:-1], nodes[1:]].sum() + 20, abs=0.5)
        assert [int(entry["stop_id"]) for entry in trip] == nodes
        stood = [seconds(e["departure_time"]) - seconds(e["arrival_time"]) for e in trip]
        assert stood == [20, 20, 0]


@pytest.mark.parametrize("fleet", [None, 9])
def test_feed_and_simulation_need_the_same_vehicles(row, tmp_path, fleet):
    """One timetable feeds both: blocks, and buses that trips take in turn, are the fleet."""
    instance = row.changed(demand=40.0 * (1 - np.eye(row.size)), fleet=fleet)
    settings = Settings(dwell_s=35.0, layover_s=120.0)
    found = simulate(instance, LINES, settings)
    table = timetable_of(instance, found, settings)
    path = write_gtfs(tmp_path / "feed.zip", instance, LINES, timetable=table, service=MORNING)
    feed = read_feed(path)
    assert len({trip["block_id"] for trip in feed["trips"]}) == found.fleet == table.fleet
    assert needed(feed, 120) == pytest.approx(found.fleet, abs=0)
    # Rides by the feed are those of the simulation.
    first = [e for e in feed["stop_times"] if e["trip_id"] == "0-there-0"]
    ride = seconds(first[-1]["arrival_time"]) - seconds(first[0]["arrival_time"])
    assert ride == pytest.approx(instance.link_s[[0, 1], [1, 2]].sum() + 2 * 35, abs=1)


def needed(feed, layover_s):
    """Vehicles that the trips of a feed take, each line by itself: first come, first to leave."""
    trips = {
        trip["trip_id"]: (trip["route_id"], int(trip["direction_id"])) for trip in feed["trips"]
    }
    runs = {}
    for entry in feed["stop_times"]:
        runs.setdefault(entry["trip_id"], []).append(seconds(entry["arrival_time"]))
    ready, count = {}, 0
    for trip, times in sorted(runs.items(), key=lambda item: item[1][0]):
        route, direction = trips[trip]
        waiting = ready.setdefault((route, direction), [])
        waiting.sort()
        # Whole seconds: a bus may be rounded to come a second after it leaves.
        if waiting and waiting[0] <= times[0] + 2:
            waiting.pop(0)
        else:
            count += 1
        ready.setdefault((route, 1 - direction), []).append(times[-1] + layover_s)
    return count


def test_a_week_has_its_days_periods_and_blocks(row, tmp_path):
    """Weekdays and Sundays differ, headways change with the hour, vehicles go on through both."""
    peak, weak = (
        regular(row, LINES, np.full(2, h), dwell_s=20.0, layover_s=60.0) for h in (300.0, 1200.0)
    )
    week = [
        (Period(WEEKDAY, 7 * 3600, 9 * 3600, name="peak"), peak),
        (Period(WEEKDAY, 9 * 3600, 12 * 3600, name="day"), weak),
        (Period(SUNDAY, 9 * 3600, 12 * 3600, name="day"), weak),
    ]
    feed = read_feed(write_gtfs(tmp_path / "feed.zip", row, LINES, week=week))
    assert [day["service_id"] for day in feed["calendar"]] == ["weekday", "sunday"]
    assert [day["sunday"] for day in feed["calendar"]] == ["0", "1"]
    starts = sorted(
        seconds(entry["departure_time"])
        for entry in feed["stop_times"]
        if entry["trip_id"].startswith("weekday-0-there-") and entry["stop_sequence"] == "0"
    )
    assert set(np.diff(starts)) == {300, 1200}
    blocks = {
        kind: {t["block_id"] for t in feed["trips"] if t["service_id"] == kind}
        for kind in ("weekday", "sunday")
    }
    assert len(blocks["weekday"]) == peak.fleet
    assert len(blocks["sunday"]) == weak.fleet < peak.fleet
    both = read_feed(write_gtfs(tmp_path / "feed.zip", row, LINES, week=week, frequencies=True))
    assert {entry["headway_secs"] for entry in both["frequencies"]} == {"300", "1200"}
    with pytest.raises(InputError, match="overlap"):
        write_gtfs(tmp_path / "no.zip", row, LINES, week=[*week, (Period(SUNDAY, 0, 36_000), weak)])
    with pytest.raises(InputError, match="monday is in two"):
        write_gtfs(tmp_path / "no.zip", row, LINES, week=[*week, (Period(DAILY, 0, 36_000), weak)])


def test_feeds_break_no_rule_of_a_validator(row, tmp_path):
    """A validator with the rules of the specification and the canonical one finds no error."""
    analyzer = pytest.importorskip("gtfs_analyzer")
    table = regular(row, LINES, np.array([600.0, 900.0]), dwell_s=20.0, layover_s=300.0)
    today = date(2026, 3, 1)
    service = Service(first_day=today, agency="Town buses", url="https://buses.example.org")
    path = write_gtfs(
        tmp_path / "feed.zip", row, LINES, timetable=table, service=service, city=FakeCity()
    )
    found = analyzer.validate_gtfs(str(path), today="20260302")
    assert found["validation_status"] == "COMPLETE"
    errors = [n for n in found["notices"] if n["severity"].lower() in ("error", "critical")]
    assert errors == []


def test_blocks_are_as_few_as_can_be():
    """As few as a largest matching says; no vehicle is in two places at once."""
    empty_s = np.array([[0.0, 300.0], [300.0, 0.0]])
    for seed in range(8):
        rng = np.random.default_rng(seed)
        trips = []
        for k in range(7):
            way = (0, 1) if rng.random() < 0.5 else (1, 0)
            start = float(rng.integers(0, 3600))
            trips.append(
                Trip("daily", k % 2, 0, way, start, (start, start + 500), 0.0, start + 600, 0)
            )
        blocks = blocks_of(trips, empty_s)
        for block in set(blocks):
            own = sorted(
                (t for t, b in zip(trips, blocks, strict=True) if b == block),
                key=lambda t: t.start_s,
            )
            for one, other in pairwise(own):
                assert one.ready_s + empty_s[one.nodes[-1], other.nodes[0]] <= other.start_s
        assert len(set(blocks)) == fewest(trips, empty_s)
        assert len(set(blocks_of(trips, empty_s, interline=False))) >= len(set(blocks))
    assert blocks_of([], empty_s) == []


def fewest(trips, empty_s):
    """Fewest vehicles: trips less a largest matching of ends with beginnings, by augmenting."""
    follows = [
        [
            j
            for j, b in enumerate(trips)
            if a.ready_s + empty_s[a.nodes[-1], b.nodes[0]] <= b.start_s
        ]
        for a in trips
    ]
    before = {}

    def augment(i, seen):
        for j in follows[i]:
            if j not in seen:
                seen.add(j)
                if j not in before or augment(before[j], seen):
                    before[j] = i
                    return True
        return False

    return len(trips) - sum(augment(i, set()) for i in range(len(trips)))


def test_stops_are_called_after_streets(helsinki):
    """Drawn stops have names of streets, all different; corners have both."""
    instance = from_city(helsinki, stops=12, seed=1)
    assert len(set(instance.names)) == 12
    assert sum("/" in name for name in instance.names) > 2
    assert not any(name.isdecimal() for name in instance.names)


def test_service_after_midnight_and_the_same_bytes(row, tmp_path):
    """Hours go on beyond 24, and the same feed is the same file."""
    late = Service(first_s=23 * 3600, last_s=25 * 3600, first_day=date(2026, 1, 1))
    paths = [tmp_path / name for name in ("one.zip", "two.zip")]
    for path in paths:
        write_gtfs(path, row, LINES, 1800, service=late)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert any(e["arrival_time"] >= "25:" for e in read_feed(paths[0])["stop_times"])


def test_the_feed_is_read_by_gtfs_kit(row, tmp_path):
    """An independent reader finds the routes, trips and stops, and computes speeds from them."""
    gtfs_kit = pytest.importorskip("gtfs_kit")
    path = write_gtfs(tmp_path / "feed.zip", row, LINES, 600, service=MORNING, city=FakeCity())
    feed = gtfs_kit.read_feed(path, dist_units="km")
    assert (len(feed.routes), len(feed.stops)) == (2, 5)
    assert len(feed.trips) in range(50, 53)
    stats = feed.compute_trip_stats()
    assert stats["duration"].min() > 0
    assert stats["num_stops"].tolist().count(3) in (25, 26)


def test_our_reader_finds_the_stops_of_our_feed(row, tmp_path):
    """A feed that was written is a source of stops, at the very places."""
    _, lonlat = read_gtfs_stops(write_gtfs(tmp_path / "feed.zip", row, LINES))
    assert lonlat.tolist() == row.lonlat.tolist()


def test_feeds_refuse_what_they_cannot_say(row, tmp_path):
    """Places, headways, hours, names and links that are missing or wrong are named."""
    path = tmp_path / "feed.zip"
    with pytest.raises(InputError, match="has no lonlat"):
        write_gtfs(path, TransitInstance.mandl(), [[0, 1]])
    with pytest.raises(InputError, match="headway_s of line 1 is 0"):
        write_gtfs(path, row, LINES, [600, 0])
    with pytest.raises(InputError, match="headway_s has 3 entries for 2 lines"):
        write_gtfs(path, row, LINES, [600, 600, 600])
    with pytest.raises(InputError, match="service must begin before it ends"):
        Service(first_s=9, last_s=8)
    with pytest.raises(InputError, match="names has 1 entries for 2 lines"):
        write_gtfs(path, row, LINES, names=["A"])
    with pytest.raises(ProblemError, match="line 0, place 0: there is no link"):
        write_gtfs(path, row, [[0, 4]])
    assert not path.exists()


def test_geojson_holds_lines_and_stops(row, tmp_path):
    """Lines follow the streets of a city and say their lengths; every stop knows its lines."""
    path = tmp_path / "lines.geojson"
    write_transit_geojson(path, row, LINES, properties=[{"buses_per_hour": 6}, {}])
    straight = json.loads(path.read_text())
    write_transit_geojson(path, row, LINES, city=FakeCity(), names=["A", "B"])
    data = json.loads(path.read_text())
    lines = [f for f in data["features"] if f["properties"]["kind"] == "line"]
    stops = [f for f in data["features"] if f["properties"]["kind"] == "stop"]
    assert len(straight["features"][0]["geometry"]["coordinates"]) == 3
    assert straight["features"][0]["properties"]["buses_per_hour"] == 6
    assert len(lines[0]["geometry"]["coordinates"]) == 5
    assert [line["properties"]["name"] for line in lines] == ["A", "B"]
    facts = lines[1]["properties"]
    assert facts["there_s"] == row.link_s[[4, 3, 2], [3, 2, 1]].sum() != facts["back_s"]
    assert facts["length_m"] == row.link_m[[4, 3, 2], [3, 2, 1]].sum()
    assert stops[2]["properties"]["lines"] == [0, 1]
    assert stops[0]["geometry"] == {"type": "Point", "coordinates": [24.91, 60.15]}
    assert (data["attribution"], "attribution" in straight) == (CREDIT, False)
    with pytest.raises(InputError, match="properties has 1 entries"):
        write_transit_geojson(path, row, LINES, properties=[{}])


def test_a_line_with_streets_missing_is_drawn_straight(row, tmp_path, caplog):
    """Where the city knows no way, the log says so and the line is drawn all the same."""

    class Cut(FakeCity):
        def geometry(self, points):
            raise InputError("no street here")

    path = write_transit_geojson(tmp_path / "lines.geojson", row, LINES, city=Cut())
    assert len(json.loads(path.read_text())["features"][0]["geometry"]["coordinates"]) == 3
    assert "straight pieces: no street here" in caplog.text


def test_figure_draws_each_stretch_side_by_side():
    """Lines on one link are shifted apart, wider where more ride, on the axes that were given."""
    mandl = TransitInstance.mandl()
    ax = pyplot.figure().add_subplot()
    lines = [[0, 1, 2], [2, 1, 3]]
    assert transit(mandl, lines, ax=ax, loads=[[10, 40], [40, 0]], title="two") is ax
    drawn = [line for line in ax.lines if line.get_zorder() == 3]
    widths = [line.get_linewidth() for line in drawn]
    assert len(drawn) == 4
    assert sorted(set(widths)) == [1.8, pytest.approx(3.1), 7.0]
    shared = [line.get_xydata() for line in drawn if line.get_linewidth() == 7.0]
    assert np.linalg.norm(shared[0] - shared[1], axis=1).min() > 0.05
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["line 0", "line 1"]
    assert ax.get_title(loc="left") == "two"


def test_figure_follows_the_streets(helsinki):
    """On a city lines have many corners, and the streets are credited."""
    instance = from_city(helsinki, stops=8, seed=1, within_km=2, hub="centre")
    line = [0, *instance.neighbours[0][:1]]
    ax = transit(instance, [line], helsinki)
    assert sum(len(drawn.get_xdata()) for drawn in ax.lines if drawn.get_zorder() == 3) > 2
    assert CREDIT in [text.get_text() for text in ax.texts]


def test_figure_refuses_what_it_cannot_draw():
    """Neither places nor loads of another length are guessed."""
    mandl = TransitInstance.mandl()
    with pytest.raises(InputError, match="neither lonlat nor xy"):
        transit(mandl.changed(xy=None), [[0, 1]])
    with pytest.raises(InputError, match="loads has 1 entry for 1 line, or one of another"):
        transit(mandl, [[0, 1]], loads=[[1, 2]])


def test_fronts_keep_what_nothing_beats():
    """A design that another beats in both is no part of the front; its dot is still there."""
    assert undominated(np.array([[2, 2], [1, 3], [3, 2], [3, 1], [1, 3]])).tolist() == [
        [1, 3],
        [2, 2],
        [3, 1],
    ]
    ax = fronts({"mine": [[1, 3], [2, 2], [3, 3]], "theirs": [[2, 4]]})
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mine", "theirs"]
    with pytest.raises(InputError, match="no designs"):
        fronts({})
    with pytest.raises(InputError, match="'mine' has shape"):
        fronts({"mine": [1, 2]})
