"""Feeds as networks: what is read back from what was written, and damaged or odd feeds."""

import csv
import io
import time
import zipfile
from datetime import date

import numpy as np
import pytest
from fake_city import FakeCity
from real_feed import like_a_real_one

from nco.errors import FormatError, InputError
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.registry import design
from nco.transit.files.gtfs import Service, write_gtfs
from nco.transit.instance.city import from_city
from nco.transit.operate.network import _as_counted, from_feed
from nco.transit.operate.network_cost import CostModel, line_detours
from nco.transit.operate.network_files import load_network, save_network
from nco.transit.operate.periods import SUNDAY, WEEKDAY, Period
from nco.transit.operate.timetable import regular
from nco.transit.simulate.settings import Settings
from nco.transit.simulate.simulation import simulate
from nco.transit.sources import gtfs_feed
from nco.transit.sources.gtfs_feed import read_feed

ROW = np.array([[24.91 + 0.012 * k, 60.15] for k in range(7)])
LINES = ((0, 1, 2, 3), (6, 5, 4, 3, 2))
FIRST = date(2026, 3, 2)  # a Monday


@pytest.fixture(scope="module")
def row():
    """Seven stops from west to east."""
    return from_city(FakeCity(), stops=ROW, demand="uniform", lines=2)


@pytest.fixture(scope="module")
def feed(row, tmp_path_factory):
    """Weekdays with a peak, and Sundays."""
    peak = regular(row, LINES, np.array([300.0, 600.0]), dwell_s=30.0, layover_s=60.0)
    weak = regular(row, LINES, np.array([1200.0, 1800.0]), dwell_s=30.0, layover_s=60.0)
    week = [
        (Period(WEEKDAY, 6.5 * 3600, 9 * 3600), peak),
        (Period(WEEKDAY, 9 * 3600, 15 * 3600), weak),
        (Period(SUNDAY, 9 * 3600, 15 * 3600), weak),
    ]
    path = tmp_path_factory.mktemp("feed") / "feed.zip"
    service = Service(first_day=FIRST, days=28)
    write_gtfs(path, row, LINES, week=week, service=service, names=["A", "B"])
    return path, peak, weak


def changed(feed, tmp_path, table, change):
    """The feed with one table changed."""
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(feed) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == f"{table}.txt":
                text = change(text)
            if text is not None:
                new.writestr(name, text)
    return path


def test_what_was_written_is_read_back(row, feed):
    """Lines, names, headways by period, running times, dwell, and vehicles by blocks."""
    path, peak, weak = feed
    found = from_feed(FakeCity(), path)
    assert found.names == ("A", "B")
    places = [[found.instance.lonlat[k].tolist() for k in line] for line in found.lines]
    expected = [[row.lonlat[k].tolist() for k in line] for line in LINES]
    for got, want in zip(places, expected, strict=True):
        assert got in (want, want[::-1])
    assert found.per_h[1] == pytest.approx(peak.per_h, rel=0.05)
    assert found.per_h[2] == pytest.approx(weak.per_h, rel=0.05)
    assert found.per_h[0].sum() == found.per_h[4].sum() == 0
    assert found.busiest() == 1
    assert (found.fleet, found.blocks, found.kept) == (peak.fleet, True, 1.0)
    assert found.dwell_s == pytest.approx(30.0, abs=0.5)
    a, b = found.lines[0][:2]
    i, j = LINES[0][:2] if places[0] == expected[0] else LINES[0][::-1][:2]
    assert found.instance.link_s[a, b] == pytest.approx(row.link_s[i, j], abs=1.0)


def test_the_simulated_fleet_is_what_the_timetable_needs(feed):
    """Within a tenth, as the busiest period runs; without blocks trips are counted instead."""
    path, _, _ = feed
    found = from_feed(FakeCity(), path, layover_s=60.0)
    settings = Settings.city(dwell_s=found.dwell_s, layover_s=found.layover_s)
    ran = simulate(found.instance, found.lines, settings, per_h=found.per_h[found.busiest()])
    assert ran.fleet == pytest.approx(found.fleet, rel=0.1)


def test_vehicles_are_counted_where_a_feed_has_no_blocks(feed, tmp_path):
    """The fewest that could run all trips, each on its route."""
    path, peak, _ = feed

    def without(text):
        rows = [line.split(",") for line in text.splitlines()]
        return "\n".join(",".join(cells[:-1]) for cells in rows)

    found = from_feed(FakeCity(), changed(path, tmp_path, "trips", without), layover_s=60.0)
    assert not found.blocks
    assert found.fleet == pytest.approx(peak.fleet, abs=1)


def test_lines_that_run_one_way_only_are_told(feed, tmp_path):
    """Without its trips back, line B is said to run one way; A, which runs both, is not."""
    path, _, _ = feed

    def there_only(text):
        rows = list(csv.DictReader(io.StringIO(text)))
        routes = sorted({row["route_id"] for row in rows})
        kept = [row for row in rows if row["route_id"] != routes[1] or row["direction_id"] == "0"]
        made = io.StringIO()
        table = csv.DictWriter(made, list(rows[0]))
        table.writeheader()
        table.writerows(kept)
        return made.getvalue()

    network = from_feed(FakeCity(), changed(path, tmp_path, "trips", there_only))
    assert network.one_way == ("B",)
    assert from_feed(FakeCity(), path).one_way == ()
    save_network(tmp_path, network)
    assert load_network(tmp_path, network.instance).one_way == ("B",)


def test_trips_that_cannot_be_run_are_counted(feed, tmp_path, caplog):
    """Trips whose times run backwards are left out, which is said; without any it is no feed."""
    path, _, _ = feed
    backwards = changed(path, tmp_path, "stop_times", lambda text: text.replace("06:", "99:"))
    kept = len(read_feed(backwards).trips)
    assert 0 < kept < len(read_feed(path).trips)
    assert "trips are left out" in caplog.text
    bare = changed(path, tmp_path, "stop_times", lambda text: text.splitlines()[0] + "\n")
    with pytest.raises(InputError, match="two stops and times that ascend"):
        read_feed(bare)


def test_stops_that_are_nowhere_are_told(feed, tmp_path, caplog):
    """A trip that calls at a stop without a place passes there."""
    path, _, _ = feed
    without = changed(
        path, tmp_path, "stops", lambda text: "\n".join(text.splitlines()[:-1]) + "\n"
    )
    from_feed(FakeCity(), without)
    assert "trips call at 1 stop, which is not in stops.txt" in caplog.text


def test_lines_come_as_they_are_counted():
    """Line 2 before line 10, and its branch behind it."""
    names = ["10", "2b", "N1", "2", "1", "N"]
    assert sorted(names, key=_as_counted) == ["1", "2", "2b", "10", "N", "N1"]


def test_a_ring_is_no_detour_without_end(row):
    """It counts as two lines to its farthest stop, where its ends are one place."""
    ring = (0, 1, 2, 1, 0)
    (found,) = line_detours(row.link_s, row.drive_s, (ring,))
    assert found == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("blocks", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_thirty_lines_as_agencies_publish_them(tmp_path, blocks):
    """Read within 10 s of the processor; simulated with as many buses as it needs, within 10 %."""
    city = from_city(FakeCity(), stops=90, lines=30, seed=3, demand="uniform")
    lines = design(CityObjective(city), "greedy", evaluations=1, seed=1).lines
    every_s = np.random.default_rng(2).choice([600.0, 900.0, 1200.0], len(lines))
    peak = regular(city, lines, every_s, dwell_s=20.0, layover_s=180.0)
    weak = regular(city, lines, 2 * every_s, dwell_s=20.0, layover_s=180.0)
    week = [
        (Period(WEEKDAY, 6.5 * 3600, 9 * 3600), peak),
        (Period(WEEKDAY, 22.5 * 3600, 25.5 * 3600), weak),
    ]
    tidy = write_gtfs(tmp_path / "tidy.zip", city, lines, week=week)
    path = like_a_real_one(tmp_path / "feed.zip", tidy, blocks=blocks)
    begin_s = time.process_time()
    found = from_feed(FakeCity(), path, layover_s=180.0)
    assert time.process_time() - begin_s < 10.0
    assert len({name.rstrip("abc") for name in found.names}) == 30
    assert found.kept == 1.0
    assert found.blocks is blocks
    assert max(trip.arrive_s[-1] for trip in read_feed(path).trips) > 24 * 3600
    assert any(', "old" side' in name for name in found.instance.names)
    busiest = found.per_h[found.busiest()]
    settings = Settings.city(dwell_s=found.dwell_s, layover_s=found.layover_s)
    ran = CostModel(found.instance, settings=settings).of(found.lines, per_h=busiest)
    assert ran.fleet == pytest.approx(found.fleet, rel=0.1)
    assert ran.fleet == pytest.approx(peak.fleet, rel=0.1)


def test_days_of_the_week(feed):
    """The busiest weekday by default, any day by name or date; a day without trips is refused."""
    path, _, _ = feed
    assert read_feed(path).day.weekday() < 5
    sunday = read_feed(path, "sunday")
    assert sunday.day.weekday() == 6
    assert 0 < len(sunday.trips) < len(read_feed(path, FIRST).trips)
    assert read_feed(path, "2026-03-03").day == date(2026, 3, 3)
    with pytest.raises(InputError, match="nothing runs on"):
        read_feed(path, "saturday")
    with pytest.raises(InputError, match="nothing runs on 2026-03-07"):
        read_feed(path, date(2026, 3, 7))
    with pytest.raises(InputError, match="day is 'someday'"):
        read_feed(path, "someday")


def test_headways_in_place_of_trips(row, tmp_path):
    """A feed of frequencies runs as often as one that tells every departure."""
    table = regular(row, LINES, np.array([600.0, 900.0]), dwell_s=20.0)
    service = Service(first_day=FIRST, first_s=6 * 3600, last_s=10 * 3600)
    told, short = (
        from_feed(
            FakeCity(),
            write_gtfs(
                tmp_path / f"{k}.zip", row, LINES, timetable=table, service=service, frequencies=k
            ),
        )
        for k in (False, True)
    )
    assert np.allclose(told.per_h, short.per_h, atol=0.5)
    assert told.lines == short.lines


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("stop_times", "06:30:00", "6h30", "is no time"),
        ("stop_times", "stop_sequence", "number", "no column 'stop_sequence'"),
        ("trips", "service_id", "days", "no column 'service_id'"),
        ("routes", "route_type", "kind", "no column 'route_type'"),
    ],
)
def test_damaged_feeds_are_refused_with_their_place(feed, tmp_path, table, old, new, message):
    """A cell or a column that is wrong is named with file and row."""
    path = changed(feed[0], tmp_path, table, lambda text: text.replace(old, new))
    with pytest.raises(FormatError, match=message):
        read_feed(path)


def test_headways_of_seconds_for_weeks_are_refused(feed, tmp_path, monkeypatch):
    """A feed that repeats trips for ever is refused before its trips fill the memory."""
    monkeypatch.setattr(gtfs_feed, "_MOST_TRIPS", 2000)
    with zipfile.ZipFile(feed[0]) as archive:
        name = archive.read("trips.txt").decode().splitlines()[1].split(",")[2]
    path = changed(feed[0], tmp_path, "none", lambda text: text)
    rows = f"trip_id,start_time,end_time,headway_secs\n{name},00:00:00,999:00:00,1\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("frequencies.txt", rows)
    with pytest.raises(FormatError, match="more than 2,000 trips"):
        read_feed(path, "monday")


def test_feeds_that_are_none(feed, tmp_path):
    """Missing files, tables without trips, and cities elsewhere are told."""
    with pytest.raises(FormatError, match="no such file"):
        read_feed(tmp_path / "none.zip")
    rails = changed(feed[0], tmp_path, "routes", lambda text: text.replace(",3,", ",2,"))
    with pytest.raises(InputError, match="no trips of buses"):
        read_feed(rails)
    lost = changed(feed[0], tmp_path, "stop_times", lambda _: None)
    with pytest.raises(FormatError, match=r"holds no stop_times\.txt"):
        read_feed(lost)
