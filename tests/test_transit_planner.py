"""A planner's day: a feed read, lines improved within a budget, the week set, and a report."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
from fake_city import FakeCity
from test_transit_gtfs import needed, read_feed

from nco.cli import main
from nco.commands import _problem
from nco.errors import FormatError, InputError
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.improve import improve
from nco.transit.files.gtfs import write_gtfs
from nco.transit.instance.city import from_city
from nco.transit.instance.demand import Zones
from nco.transit.network_answer import read_network, write_network
from nco.transit.operate.compare import compare
from nco.transit.operate.mode_choice import ModeChoice
from nco.transit.operate.network import from_feed
from nco.transit.operate.network_cost import CostModel
from nco.transit.operate.period_files import read_periods
from nco.transit.operate.periods import USUAL, WEEKDAY, Period, representative
from nco.transit.operate.prices import Prices
from nco.transit.operate.timetable import regular
from nco.transit.operate.week import plan_week
from nco.transit.simulate.settings import Settings

GRID = np.array([[24.91 + 0.012 * (k % 4), 60.12 + 0.006 * (k // 4)] for k in range(16)])
LINES = ((0, 1, 2, 3), (12, 13, 14, 15), (0, 4, 8, 12))


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    """Three lines in a small grid town, every ten minutes."""
    town = from_city(FakeCity(), stops=GRID, demand="uniform", lines=3)
    table = regular(town, LINES, np.full(3, 600.0), dwell_s=20.0, layover_s=120.0)
    path = tmp_path_factory.mktemp("town") / "feed.zip"
    return write_gtfs(path, town, LINES, timetable=table, names=["1", "2", "3"])


@pytest.fixture(scope="module")
def town(feed):
    """The network of that feed."""
    return from_feed(FakeCity(), feed, demand="uniform", trips_per_hour=600)


def model_of(network, **fields):
    """What counts on a network's streets."""
    settings = Settings.city(dwell_s=network.dwell_s, layover_s=network.layover_s)
    return CostModel(network.instance.changed(**fields), settings=settings)


def test_lines_are_kept_and_others_changed_within_the_fleet(town):
    """What is kept stays to the stop; all lines together need no more buses; costs fall."""
    model = model_of(town, fleet=14, max_stops=8)
    before = model.of(town.lines)
    found = improve(town, model, keep=["2"], lines=4, evaluations=150, seed=1)
    kept = town.lines[town.names.index("2")]
    assert found.lines[0] == kept
    assert found.names[0] == "2"
    assert len(found.lines) == 4
    after = model.of(found.lines)
    assert after.fleet <= 14
    assert after.cost < before.cost
    same = improve(town, model, keep=["2"], lines=4, evaluations=150, seed=1)
    assert same.lines == found.lines
    with pytest.raises(InputError, match="no line '9' to keep"):
        improve(town, model, keep=["9"], evaluations=5)
    with pytest.raises(InputError, match="leave none to design"):
        improve(town, model, keep=list(town.names), evaluations=5)


def test_a_few_hours_stand_for_a_week(town):
    """Hours and trips add up, the peak stays, and lines are judged by all of them together."""
    hours = representative(USUAL)
    assert len(hours) == 3
    assert hours[0] == (12.5, 1.0)
    total = sum(period.hours * len(period.day.days) for period in USUAL)
    assert sum(long for long, _ in hours) == pytest.approx(total)
    trips = sum(period.hours * len(period.day.days) * period.demand for period in USUAL)
    assert sum(long * share for long, share in hours) == pytest.approx(trips)
    assert len(representative(USUAL, 1)) == 1
    prices = Prices(most_transfers=np.inf)
    model = CostModel(town.instance, prices)
    parts = [(long, model.of(town.lines, demand=share * model.demand)) for long, share in hours]
    money = sum(long * cost.cost for long, cost in parts)
    week = CityObjective(town.instance, prices, periods=USUAL).judged(town.lines)
    assert week == pytest.approx(60 * money / (12 * sum(long * c.trips for long, c in parts)))
    peak = CityObjective(town.instance, prices).judged(town.lines)
    assert week > peak  # a bus that is emptier is dearer by trip
    found = improve(town, model_of(town), keep=["1"], periods=USUAL, evaluations=40)
    assert found.names[0] == "1"


def test_today_is_never_made_worse(town):
    """With so few evaluations that nothing is found, the lines of today come out."""
    model = model_of(town)
    found = improve(town, model, keep=["1"], evaluations=1)
    assert model.of(found.lines).cost <= model.of(town.lines).cost + 1e-9
    assert set(found.names) == {"1", "2", "3"}


def test_stops_where_no_line_runs_today(feed):
    """More stops can be drawn, away from those of the feed, for new lines to lead to."""
    more = from_feed(FakeCity(), feed, more_stops=6, seed=3)
    plain = from_feed(FakeCity(), feed)
    assert plain.instance.size < more.instance.size <= plain.instance.size + 6
    assert np.array_equal(more.instance.lonlat[: plain.instance.size], plain.instance.lonlat)
    assert more.lines == plain.lines


def test_a_week_under_a_fleet_and_hours(town):
    """Peaks run more often, fleet and hours are kept, and what is saved costs passengers."""
    model = model_of(town, fleet=12)
    free = plan_week(model, town.lines, USUAL)
    assert len(free.timetables) == len(USUAL)
    assert free.fleet <= 12
    peak = next(k for k, period in enumerate(USUAL) if period.name == "morning peak")
    night = next(k for k, period in enumerate(USUAL) if period.name == "evening")
    assert (free.timetables[peak].per_h >= free.timetables[night].per_h).all()
    assert free.bus_hours == sum(
        period.hours * len(period.day.days) * table.fleet for period, table in free.week
    )
    tight = plan_week(model, town.lines, USUAL, bus_hours=0.8 * free.bus_hours)
    assert 0.6 * free.bus_hours < tight.bus_hours <= 0.8 * free.bus_hours
    assert tight.price > free.price == 1.0
    assert tight.cost >= free.cost * 0.99
    with pytest.raises(InputError, match="least service"):
        plan_week(model, town.lines, USUAL, bus_hours=1.0)
    with pytest.raises(InputError, match="no periods"):
        plan_week(model, town.lines, ())


def test_demand_of_each_period_from_tables(town, tmp_path):
    """A share of the usual demand, or a table of trips; the week is planned under both."""
    names = town.instance.names
    (tmp_path / "night.csv").write_text(f"orig,dest,volume\n{names[0]},{names[1]},50\n")
    path = tmp_path / "periods.csv"
    header = "days,from_h,to_h,share,name,demand\n"
    path.write_text(
        f"{header}weekday,6,9,1,peak,\nweekday,20,25.5,2,night,night.csv\n"
        "saturday sunday,8,20,0.5,,\n"
    )
    periods, demands = read_periods(path, town.instance)
    assert [period.name for period in periods] == ["peak", "night", ""]
    assert periods[1].last_s == 25.5 * 3600
    assert periods[2].day.days == ("saturday", "sunday")
    assert np.allclose(demands[0], town.instance.demand)
    assert demands[1].sum() == demands[1][0, 1] == 100.0
    model = model_of(town)
    plan = plan_week(model, town.lines, periods, demands=demands)
    assert [cost.trips for cost in plan.costs] == pytest.approx([600.0, 100.0, 300.0])
    with pytest.raises(InputError, match="demands has 1 tables"):
        plan_week(model, town.lines, periods, demands=demands[:1])
    for row, message in (
        ("someday,6,9,1,,", "line 2, column 'days' must be weekday"),
        ("weekday,9,6,1,,", "'to_h' must be later"),
        ("weekday,6,9,x,,", "'share' is 'x'"),
        ("weekday,6,9,1,,\nweekday,8,10,1,,", "overlap"),
        ("weekday,6,9,1,,\nmonday,10,11,1,,", "monday is in two kinds"),
    ):
        path.write_text(header + row + "\n")
        with pytest.raises(FormatError, match=message):
            read_periods(path, town.instance)


def test_a_network_is_read_back_from_its_files(town, tmp_path):
    """All fields; damaged files are refused with the entry."""
    write_network(tmp_path, town)
    again = read_network(tmp_path)
    assert again.lines == town.lines
    assert again.names == town.names
    assert again.periods == town.periods
    assert np.allclose(again.per_h, town.per_h)
    assert (again.fleet, again.dwell_s) == (town.fleet, town.dwell_s)
    path = tmp_path / "network.json"
    data = json.loads(path.read_text())
    for change, message in (
        ({"format": "other"}, "no file of a network"),
        ({"per_h": [[1.0]]}, "must have 5 rows of 3"),
        ({"names": ["1"]}, "must have 5 rows of 3"),
        ({"lines": [["a"]]}, "network.json"),
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(FormatError, match=message):
            read_network(tmp_path)


def test_who_gains_and_who_loses(town):
    """A line taken away makes trips of its district worse and none better; added back, better."""
    model = model_of(town)
    names = tuple(town.names)
    all_, fewer = ("all", town.lines, names, None), ("fewer", town.lines[:2], names[:2], None)
    people = np.ones(town.instance.size)
    zones = Zones(town.instance.lonlat, people, people)
    worse = compare(model, all_, fewer, districts=4, zones=zones)
    better = compare(model, fewer, all_, districts=4)
    assert sum(one.trips for one in worse.districts) == pytest.approx(600)
    assert sum(one.stops for one in worse.districts) == town.instance.size
    assert worse.lose > worse.gain
    assert better.gain == pytest.approx(worse.lose)
    assert worse.before.catchment >= worse.after.catchment
    mean = sum(one.trips * one.before_min for one in worse.districts) / 600
    assert mean == pytest.approx(worse.before.cost.minutes)
    with pytest.raises(InputError, match="districts is 0"):
        compare(model, all_, fewer, districts=0)


def test_a_choice_of_modes_and_days_with_errors(town):
    """Fewer take the bus where a line is gone; all trips have a mode; figures have errors."""
    model = model_of(town, demand=10 * town.instance.demand)
    names = tuple(town.names)
    sides = (("all", town.lines, names, None), ("one", town.lines[:1], names[:1], None))
    found = compare(model, *sides, choice=ModeChoice(), days=3)
    before, after = found.before.facts(), found.after.facts()
    assert before["share_bus"] > after["share_bus"] > 0
    for facts in (before, after):
        shares = sum(facts[f"share_{name}"] for name in ("bus", "car", "foot", "stay"))
        assert shares == pytest.approx(1.0)
    assert found.lose > found.gain == 0.0
    wait = found.before.days["mean_wait_s"]
    assert 0 < wait.error < 0.2 * wait.mean
    expected_s = 3600 * found.before.cost.wait_h / found.before.cost.ridden
    assert wait.mean == pytest.approx(expected_s, rel=0.25)


def test_people_walk_on_paths(town):
    """A stop that is near as the crow flies and far on foot is out of reach."""
    n = town.instance.size
    far_m = np.full((n, n), 5000.0) * ~np.eye(n, dtype=bool)
    near_m = np.full((n, n), 100.0) * ~np.eye(n, dtype=bool)
    lines = town.lines[:1]
    walked = [
        CostModel(town.instance.changed(walk_m=way_m)).of(lines).walked for way_m in (far_m, near_m)
    ]
    assert walked[0] == 0.0
    assert walked[1] == pytest.approx(town.instance.trips)
    on_paths = from_city(FakeCity(), stops=GRID, demand=None, foot=FakeCity())
    assert on_paths.walk_m is not None
    assert np.array_equal(on_paths.walk_m, on_paths.walk_m.T)
    assert from_city(FakeCity(), stops=GRID, demand=None).walk_m is None
    narrow = FakeCity(bbox=(24.90, 60.10, 24.94, 60.20))  # paths end where streets go on
    cut = from_city(FakeCity(), stops=GRID, demand=None, foot=narrow).walk_m
    assert np.isinf(cut[3]).sum() == len(GRID) - 1
    assert np.isfinite(cut[0, 1])
    zones = Zones(town.instance.lonlat, np.ones(n), np.ones(n))
    sides = (("a", lines, ("1",), None), ("b", lines, ("1",), None))
    crow, paths = (
        compare(model_of(town), *sides, zones=zones, foot=foot).before.catchment
        for foot in (None, FakeCity())
    )
    # Across the grid the fake city's paths are longer than 1.3 times the crow's way.
    assert paths <= crow


def test_the_verbs_one_after_the_other(feed, tmp_path, capsys, monkeypatch):
    """read, improve, week and compare: each takes what the one before wrote."""
    monkeypatch.setattr(_problem, "open_city", lambda _: FakeCity())
    old, new, out = tmp_path / "old", tmp_path / "new", tmp_path / "report"
    read = ["transit", "read", str(feed), "--city", "fake", "--trips-per-hour", "600"]
    assert main([*read, "--out", str(old), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["lines"], facts["fleet_by"]) == (3, "blocks")
    assert facts["fleet_of_the_busiest_period"] == pytest.approx(facts["fleet"], rel=0.1)
    better = ["transit", "improve", str(old), "--keep", "1", "--evaluations", "60"]
    assert main([*better, "--fleet", "14", "--out", str(new), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert "1" in facts["names"]
    assert facts["fleet"] <= 14
    assert (new / "gtfs.zip").is_file()
    week = tmp_path / "week.zip"
    plan = ["transit", "week", str(new / "instance.json"), str(new / "lines.txt")]
    assert main([*plan, "--one-line-vehicles", "--out", str(week), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    with zipfile.ZipFile(week) as archive:
        trips = list(csv.DictReader(io.StringIO(archive.read("trips.txt").decode())))
    for day, count in facts["vehicles"].items():
        assert len({t["block_id"] for t in trips if t["service_id"] == day}) == count
    report = ["transit", "compare", str(old), str(new), "--out", str(out)]
    assert main([*report, "--mode-choice", "--days", "2"]) == 0
    assert "of the trips are better" in capsys.readouterr().out
    page = (out / "report.html").read_text()
    for text in ("of all trips, by car", "of it standing", "simulated: wait, minutes", " ± "):
        assert text in page
    assert "Who gains and who loses" in page
    assert "By district, minutes are those of the choice" in page
    assert page.count('class="map"') == 2
    assert (out / "report.pdf").read_bytes()[:4] == b"%PDF"
    assert (
        main(["transit", "read", str(tmp_path / "no.zip"), "--city", "x", "--out", str(old)]) == 2
    )


def test_vehicles_change_over_between_periods(town, tmp_path):
    """A peak and what follows: vehicles go on, no more of them than the trips take."""
    model = model_of(town)
    periods = [Period(WEEKDAY, 7 * 3600, 9 * 3600), Period(WEEKDAY, 9 * 3600, 12 * 3600, 0.3)]
    plan = plan_week(model, town.lines, periods)
    feed = read_feed(write_gtfs(tmp_path / "w.zip", town.instance, town.lines, week=plan.week))
    blocks = {trip["block_id"] for trip in feed["trips"]}
    assert len(blocks) <= needed(feed, town.layover_s) + 1
    assert len(blocks) >= plan.fleet - len(town.lines)
