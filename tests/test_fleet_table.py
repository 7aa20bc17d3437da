"""A fleet in a table: which vehicle starts where, carries how much, costs what."""

import json
import math

import numpy as np
import pytest
from fake_city import FakeCity
from spreadsheets import write_xlsx

import nco
from nco import load
from nco.cli import main
from nco.errors import FormatError, InputError
from nco.problem.times import Times

STOPS = """name,lat,lon,kind,demand,allowed vehicles,window
depot,60.15,24.91,depot,,,
East,60.15,24.95,depot,,,
a,60.16,24.92,,3,van,
b,60.17,24.93,,2,,8-10
"""


def posed(tmp_path, fleet, stops=STOPS, **options):
    """The problem of two tables."""
    (tmp_path / "s.csv").write_text(stops)
    path = tmp_path / "f.csv"
    path.write_text(fleet)
    return load(tmp_path / "s.csv", city=FakeCity(), fleet=path, **options)


def refused(tmp_path, fleet, **options):
    """What is said of a table of vehicles."""
    with pytest.raises(FormatError) as caught:
        posed(tmp_path, fleet, **options)
    return str(caught.value)


def test_a_fleet_with_everything(tmp_path):
    """Every column becomes a field, in metres and seconds."""
    problem = posed(
        tmp_path,
        "Vehicle,Start,End,Capacity,Shift,skills,speed,fixed,cost per km,cost per hour,"
        "max distance (km),Max duration (h),max driving,max stops,trips,count,plate\n"
        'van,depot,East,9,7:00-16:00,"lift, cold",1.1,20,0.5,36,120,9,4:30,12,,2,ABC-1\n'
        "bike,east,any,4.5,8-17:30,,,,,,,,,,1,1,\n",
    )
    first, second, bike = problem.vehicles
    assert (first.name, second.name, bike.name) == ("van 1", "van 2", "bike")
    assert (first.start, first.end, first.open_end) == (0, 1, False)
    assert (bike.start, bike.end, bike.open_start, bike.open_end) == (1, 1, False, True)
    assert first.capacity == (9,) and bike.capacity == (4.5,)
    assert first.shift_s == (25200, 57600) and bike.shift_s == (28800, 63000)
    assert first.skills == {"lift", "cold"} and first.speed == 1.1
    assert (first.fixed_cost, first.cost_per_m, first.cost_per_s) == (20, 0.0005, 0.01)
    assert (first.max_distance_m, first.max_duration_s) == (120_000, 32400)
    assert (first.max_driving_s, first.max_stops, first.max_trips) == (16200, 12, 1)
    assert math.isinf(bike.max_duration_s) and bike.max_stops is None
    assert problem.objective == nco.Objective(duration=1)
    assert problem.times is Times.CLOCK
    assert [bool(v.allowed is None or v.allowed[2]) for v in problem.vehicles] == [
        True,
        True,
        False,
    ]
    answer = nco.solve(problem, time_limit_s=0.2)
    assert nco.check(problem, answer).feasible


@pytest.mark.parametrize(
    ("fleet", "ends"),
    [
        ("name,capacity\nvan,9", (0, 0, False, False)),
        ("name,depot\nvan,east", (1, 1, False, False)),
        ("name,start\nvan,East", (1, 1, False, False)),
        ("name,end\nvan,East", (1, 1, False, False)),
        ("name,start,end\nvan,East,", (1, 1, False, True)),
        ("name,start,end\nvan,open,depot", (0, 0, True, False)),
        ("name,start,end\nvan,any,", (0, 0, True, True)),
        ("name,start\nvan,any", (0, 0, True, False)),
    ],
)
def test_where_a_vehicle_starts_and_ends(tmp_path, fleet, ends):
    """Without a column at the first depot; an empty cell or `any` is an open end."""
    vehicle = posed(tmp_path, fleet).vehicles[0]
    assert (vehicle.start, vehicle.end, vehicle.open_start, vehicle.open_end) == ends


def test_without_capacities_and_prices(tmp_path):
    """Nothing is limited, and metres are minimised."""
    problem = posed(tmp_path, "name\nvan\nbike")
    assert [v.capacity for v in problem.vehicles] == [(math.inf,)] * 2
    assert problem.objective == nco.Objective() and problem.vehicles[0].cost_per_m == 1


@pytest.mark.parametrize(
    ("fleet", "message"),
    [
        ("name,start\nvan,Eats", "line 2, column 'start' is 'Eats', which is no depot of the stops "
         "(depot, East); did you mean 'East'?"),
        ("name,home\nvan,a", "column 'home' is 'a', which is no depot"),
        ("name,capcity\nvan,3", "did you mean 'capacity'?"),
        ("name,capacity,capacity 2\nvan,3,4", "2 columns of capacity, but the stops have 1"),
        ("name,max duration\nvan,8", "is '8'; say the unit: 8 h, 8 min or 8 s"),
        ("name,max distance\nvan,120", "is '120'; say the unit: 120 km or 120 m"),
        ("name,speed\nvan,50", "it is a factor"),
        ("name,shift\nvan,16-7", "ends before it begins; after midnight, count on"),
        ("name,shift\nvan,7-9;10-12", "has 2 parts; give one"),
        ("name,shift,shift start\nvan,7-9,7", "use either 'shift'"),
        ("name,depot,start\nvan,depot,", "use either 'depot'"),
        ("name,count\nvan,0", "must be a whole number from 1"),
        ("name,trips\nvan,1.5", "must be a whole number from 1"),
        ("name,start,end,trips\nvan,depot,East,2", "starts where it ends"),
        ("name,trips,reload\nvan,2,Eats", "column 'reload' is 'Eats', which is no depot"),
        ("name\nvan\nvan", "'van' is used in line 2 already; rename one, or use a column count"),
        ("foo,bar\n1,2", "no column is known; the titles are foo, bar"),
        ("name,capacity\n", "there is a header but no vehicle"),
        ("name,count\nvan,100000\nbike,1", "more than 100000 vehicles"),
        ("name,capacity\nvan,1", "demand is 2, more than any vehicle carries (1)"),
        ("name\nbike", "the allowed vehicle 'van' is none of the vehicles ('bike')"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_fleet(tmp_path, fleet, message):
    """Each fault has its row, its column and what to do."""
    assert message in refused(tmp_path, fleet)


def test_all_faults_of_a_fleet(tmp_path):
    """They are told together, without a word of leaving vehicles out."""
    text = refused(tmp_path, "name,capacity,speed\nvan,x,0\nbike,-1,1")
    assert "has 3 faults; mend them:" in text and "skip" not in text


def test_vehicles_are_given_once(tmp_path):
    """A fleet beside a number of vehicles, or allowed vehicles without names, are refused."""
    with pytest.raises(InputError, match="vehicles are given twice"):
        posed(tmp_path, "name\nvan", vehicles=3)
    with pytest.raises(FormatError, match="which have no names; give a table of vehicles"):
        load(tmp_path / "s.csv", city=FakeCity(), vehicles=2)


def test_prices_without_kilometres_are_pointed_out(tmp_path, caplog):
    """A fixed cost alone makes kilometres free, which is said."""
    posed(tmp_path, "name,fixed cost\nvan,5")
    assert "no cost_per_km, so a kilometre costs nothing" in caplog.text


def test_shifts_with_dates(tmp_path):
    """They count from the first day of the stops."""
    stops = STOPS.replace("8-10", "2026-11-30 8:00 - 2026-12-01 9:00")
    stops = stops.replace("van", "")
    fleet = "name,shift start,shift end\nvan,2026-12-01 6:00,2026-12-01 18:00"
    assert posed(tmp_path, fleet, stops).vehicles[0].shift_s == (30 * 3600, 42 * 3600)


def test_the_command_takes_a_workbook_of_both(tmp_path, helsinki, capsys):
    """`nco solve` reads stops and fleet from one file, skips a bad row, and tells the details."""
    rows = [["name", "lat", "lon", "demand", "phone"],
            ["depot", 60.1719, 24.9414, None, None], ["a", 60.17, 24.945, 3, "040 1"],
            ["b", "x", 24.945, 3, None]]  # fmt: skip
    fleet = [["name", "capacity", "shift"], ["van", 9, "7:00-16:00"]]
    path = str(write_xlsx(tmp_path / "t.xlsx", Stops=rows, Fleet=fleet))
    asked = ["solve", path, "--city", "helsinki", "--fleet", path, "--method", "savings", "--json"]
    assert main(asked) == 2
    assert "row 4, column 'lat' is 'x'" in capsys.readouterr().err
    out = tmp_path / "out"
    assert main([*asked, "--skip-bad-rows", "--out", str(out)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["skipped"] == ["row 4, column 'lat' is 'x'; it must be a number"]
    assert result["details"] == {"a": {"phone": "040 1"}}
    assert main(["check", str(out / "problem.json"), str(out / "routes.csv")]) == 0
    assert main(["solve", str(out / "problem.json"), "--fleet", path]) == 2
    assert "--fleet is for tables of stops" in capsys.readouterr().err


def test_time_at_the_depot(tmp_path):
    """Loading and unloading are lengths of time with a unit."""
    (van,) = posed(
        tmp_path, "name,loading,unloading (min)\nvan,20 min,5", STOPS.replace("van", "")
    ).vehicles
    assert (van.loading_s, van.unloading_s) == (1200, 300)


def test_drivers_name_vehicles(tmp_path):
    """Where a vehicle has no name, its driver's is taken, else its number."""
    told = posed(tmp_path, "driver,capacity\nSusanne,9\n,9", STOPS.replace("van", ""))
    assert [vehicle.name for vehicle in told.vehicles] == ["Susanne", "vehicle 2"]


def test_breaks_rests_and_overtime(tmp_path):
    """What a row says of work rules, with several breaks in a cell."""
    (van,) = posed(
        tmp_path,
        "name,break start,break end,break length,rest after,rest length,cost per km,"
        "overtime after,overtime cost\n"
        "van,9:00;12:00,10:00;13:30,15 min;0:45,4.5 h,45 min,0.5,16:00,36",
        STOPS.replace("van", ""),
    ).vehicles
    assert [(one.window_s, one.length_s) for one in van.breaks] == [
        ((32400, 36000), 900),
        ((43200, 48600), 2700),
    ]
    assert van.rest == nco.Rest(after_driving_s=16200, length_s=2700)
    assert (van.overtime_after_s, van.cost_per_overtime_s) == (57600, 0.01)


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("break start,break end", "9:00,10:00", "say how long the break is"),
        ("break start,break length", "9:00;12:00,5 min", ""),
        ("break start,break length", "9:00;12:00,5 min;5 min;5 min", "another number of entries"),
        ("break start,break end,break length", "10:00,9:00,5 min", "ends before it begins"),
        ("break length", "15", "say the unit"),
        ("break start,break length", "9 uhr,15 min", "write HH:MM"),
        ("rest after", "4 h", "go together; give both"),
        ("break start,break end,break length", "9:00;9:10,9:05;9:20,60 min;5 min", "no room"),
    ],
)
def test_breaks_that_cannot_be(tmp_path, header, cells, message):
    """Each is named with its row; one length serves all breaks."""
    fleet = f"name,{header}\nvan,{cells}"
    if message:
        assert message in refused(tmp_path, fleet)
    else:
        assert [one.length_s for one in posed(tmp_path, fleet).vehicles[0].breaks] == [300, 300]


def test_stops_in_place_of_vehicles(tmp_path):
    """A table of stops that is given as a fleet does not become one."""
    assert "this is a table of stops; give vehicles" in refused(tmp_path, STOPS)


def test_times_of_day_beside_seconds_from_1970(tmp_path):
    """They cannot be told from one another, and are refused."""
    stops = STOPS.replace("8-10", "1732870000-1732880000").replace("van", "")
    with pytest.raises(FormatError, match="seconds from 1970; write both alike"):
        posed(tmp_path, "name,shift\nvan,7-16", stops)


def test_columns_that_nobody_knows_go_along(tmp_path, caplog):
    """They are named once, and every output has them; vehicles are alike without them."""
    caplog.set_level("INFO", logger="nco")
    fleet = "name,driver,capacity,count,plate\nvan,Ann,9,2,ABC-1\nbike,,9,1,\n"
    problem = posed(tmp_path, fleet)
    assert "go into the outputs as they are: plate" in caplog.text
    van, _, bike = problem.vehicles
    assert van.details == {"driver": "Ann", "plate": "ABC-1"}
    assert bike.details == {} and van.likeness != bike.likeness  # a may be served by vans alone
    solution = nco.Solution.from_routes(problem, [nco.Route(1, (2, 3))])
    rows = nco.save(solution, tmp_path / "r.csv", problem=problem).read_text().splitlines()
    assert "driver (vehicle),plate (vehicle)" in rows[0]
    assert all("Ann,ABC-1" in row for row in rows[1:])
    drawn = json.loads(nco.save(solution, tmp_path / "r.geojson", problem=problem).read_text())
    [line] = [f for f in drawn["features"] if f["properties"]["kind"] == "route"]
    assert line["properties"]["details"] == van.details
    assert load(nco.save(problem, tmp_path / "p.json")) == problem


class Town(FakeCity):
    """A city without streets whose lanes lead where no car goes, and nowhere in the west."""

    profile = "car"

    def with_profile(self, name):
        """Lanes: only east of 24.925."""
        return Lanes("lanes")


class Lanes(FakeCity):
    """Refuses places in the west, as if no lane were near."""

    profile = "bicycle"

    def matrix(self, points, *, names=None, optional=None, **_):
        """As `FakeCity`, without places west of 24.925 that may be left out."""
        table = super().matrix(points)
        west = np.asarray(points)[:, 0] < 24.925
        west &= np.asarray(optional)
        for matrix in (table.distance_m, table.duration_s):
            matrix[west], matrix[:, west] = np.inf, np.inf
            np.fill_diagonal(matrix, 0.0)
        return table


def test_vehicles_on_streets_of_their_own(tmp_path):
    """A column of profiles gives each its matrices; what lanes do not reach is left to cars."""
    (tmp_path / "s.csv").write_text(STOPS.replace(",van,", ",,"))
    (tmp_path / "f.csv").write_text("name,profile,count\nvan,,1\nbike,Bike,2\n")
    problem = load(tmp_path / "s.csv", city=Town(), fleet=tmp_path / "f.csv")
    assert [p.name for p in problem.profiles] == ["car", "bicycle"]
    assert [v.profile for v in problem.vehicles] == [0, 1, 1]
    a, b = problem.names.index("a"), problem.names.index("b")
    bike = problem.profiles[1].distance_m
    assert np.isinf(bike[0, a])
    assert np.isfinite(bike[0, b])
    assert not nco.contradictions(problem)


def test_profiles_that_are_none(tmp_path):
    """A word that is no profile is told with its row, and one kind of streets is not enough."""
    assert "use car, bicycle or foot" in refused(tmp_path, "name,profile\nvan,boat\n")
    one_kind = FakeCity()
    object.__setattr__(one_kind, "with_profile", None)
    (tmp_path / "f.csv").write_text("name,profile\nvan,walk\n")
    (tmp_path / "s.csv").write_text(STOPS)
    with pytest.raises(InputError, match="streets of one profile"):
        load(tmp_path / "s.csv", city=one_kind, fleet=tmp_path / "f.csv")


def test_depots_between_trips(tmp_path):
    """A vehicle of several trips may end elsewhere if it says where it loads in between."""
    fleet = "name,start,end,trips,reload depots\nvan,depot,East,2,East; depot"
    assert posed(tmp_path, fleet).vehicles[0].reloads == (1, 0)
