"""Tables of stops: what they may look like, what they pose as a problem, how they fail."""

import csv
import logging
from pathlib import Path

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nco import Objective, Problem, Solution, Vehicle, load
from nco.data.formats.solution_csv import read_routes, write_routes
from nco.data.formats.stops import Stops, problem_from_stops
from nco.data.formats.stops_csv import read_stops, write_stops
from nco.errors import CityError, FormatError, InputError, ProblemError
from nco.problem import Feature

DATA = Path(__file__).parent / "data" / "stops"


def test_valid_table():
    """Every column is read: clock times, seconds, empty cells, quoted and foreign names."""
    stops = read_stops(DATA / "valid.csv")
    assert stops.names == ("depot", "Kallio", "Market, Hakaniemi", "Töölö")
    assert stops.demand.tolist() == [[0], [3], [2], [4]]
    assert stops.window_s.tolist() == [
        [25200, 64800],
        [28800, 43200],
        [0, 36000],
        [34230, np.inf],
    ]
    assert stops.service_s.tolist() == [0, 300, 120, 60]
    assert stops.prize.tolist() == [np.inf, np.inf, np.inf, 5000]
    assert stops.label(2).endswith("valid.csv, line 4 ('Market, Hakaniemi')")


def test_spreadsheet_dialect():
    """Semicolons, decimal commas, a byte order mark, CRLF and an empty line are understood."""
    stops = read_stops(DATA / "semicolon_bom.csv")
    assert stops.names == ("depot", "Kallio", "Töölö")
    assert stops.lonlat.tolist() == [[24.94, 60.17], [24.95, 60.18], [24.92, 60.175]]
    assert stops.demand[2, 0] == 2.5
    assert stops.window_s[1].tolist() == [28800, 43200]
    assert stops.label(2).endswith("line 5 ('Töölö')")


def test_skipped_columns(tmp_path):
    """Columns that begin with # and columns without a name are left alone."""
    path = tmp_path / "s.csv"
    path.write_text("name,#note,lon,lat,\ndepot,hello,24.9,60.1,\n")
    assert read_stops(path).lonlat.tolist() == [[24.9, 60.1]]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("missing_column", "line 1: there is no column 'lat'; give each stop lat and lon"),
        ("misspelt_column", "line 1: column 4 is named 'demnad'.*did you mean 'demand'"),
        ("column_twice", "column 'lat' is there twice"),
        ("both_windows", "either 'window' or"),
        ("demand_numbering", "columns demand_2; number them demand"),
        ("nan", "line 3, column 'lon' is 'nan'; it must be a finite number"),
        ("not_a_number", "line 3, column 'demand' is 'three'; it must be a number"),
        ("empty_coordinate", "line 3, column 'lat' is empty"),
        ("swapped", "line 2, column 'lat' is 124.94, beyond 90.*swapped"),
        ("longitude", "line 2, column 'lon' is 224.94, beyond 180 degrees; give degrees"),
        ("duplicate_name", "line 4, column 'name' 'Kallio' is used in line 3 already"),
        ("empty_name", "line 3, column 'name' is empty"),
        ("negative_demand", "line 3, column 'demand' is -3; it must be 0 or more"),
        ("empty_window", "line 3, column 'window_end' is before window_start"),
        ("bad_clock", "line 3, column 'window_start' is '08:75'; write HH:MM"),
        ("no_dash", "line 3, column 'window' is '08:00'; write start-end"),
        ("too_few_cells", "line 3: 3 cells, but the header has 4"),
        ("too_many_cells", "line 3: 5 cells, but the header has 4.*quote cells"),
        ("open_quote", "line 3: not CSV"),
        ("damaged_utf8", "line 4: byte 0xf6 is not UTF-8"),
        ("empty", "is empty"),
        ("header_only", "there is a header but no stop"),
    ],
)
def test_malformed_table(file, message):
    """Each malformed file is refused with line, column and fix."""
    with pytest.raises(FormatError, match=message) as caught:
        read_stops(DATA / f"{file}.csv")
    assert f"{file}.csv" in str(caught.value)


TABLE = "name{0}lon{0}lat{0}demand\ndepot{0}24.9{0}60.1{0}0\nKäpylä{0}24.8{0}60.2{0}1\n"


@pytest.mark.parametrize(
    "raw",
    [
        TABLE.format(";").encode("cp1252"),
        TABLE.format("\t").encode("utf-16"),
        TABLE.format("\t").encode("utf-16-le"),
        b"sep=;\r\n" + TABLE.format(";").encode(),
        b'"sep=|"\n' + TABLE.format("|").encode(),
        TABLE.format(",").replace("lon", "Longitude").replace("lat", "LATITUDE").encode(),
        TABLE.format(",").replace("name", "\ufeffName").replace("lon", "lng").encode(),
    ],
)
def test_what_spreadsheets_write(tmp_path, raw):
    """Windows-1252, UTF-16, a line that names the separator and other titles are all read."""
    path = tmp_path / "s.csv"
    path.write_bytes(raw)
    stops = read_stops(path)
    assert stops.names == ("depot", "Käpylä")
    assert stops.lonlat.tolist() == [[24.9, 60.1], [24.8, 60.2]]


def test_other_encodings_are_said(tmp_path, caplog):
    """A table that is taken for Windows-1252 is named in the log, once."""
    path = tmp_path / "s.csv"
    path.write_bytes(TABLE.format(",").encode("cp1252"))
    load(path)
    assert caplog.text.count("read as Windows-1252") == 1


@pytest.mark.parametrize("raw", [b"\r\n\x1f", b'""\n', b"sep=;\n", b"sep=;", b'"\n', b"\xff\xfe"])
def test_nothing_in_a_table(tmp_path, raw):
    """Files of line ends, empty cells or a bare separator are refused, not a crash."""
    path = tmp_path / "s.csv"
    path.write_bytes(raw)
    with pytest.raises(FormatError, match=r"s\.csv"):
        read_stops(path)


FORMULAS = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "'=1", "''-a", "-12.5", "-12.5e3", "+7", "it's"]


def test_formulas_are_harmless(tmp_path):
    """No cell that we write is run by a spreadsheet; names read back the same."""
    stops = Stops(names=FORMULAS, lonlat=np.zeros((len(FORMULAS), 2)))
    path = write_stops(tmp_path / "s.csv", stops)
    assert read_stops(path).names == tuple(FORMULAS)
    problem = Problem.from_matrices(np.zeros((11, 11)), names=["depot", *FORMULAS])
    solution = Solution.from_routes(problem, [list(range(1, 11))])
    timetable = write_routes(tmp_path / "r.csv", problem, solution)
    assert read_routes(timetable, problem) == solution
    for file in (path, timetable):
        with file.open(newline="") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        begun = {cell for cell in cells if cell.startswith(("=", "+", "-", "@"))}
        assert begun == {"-12.5", "-12.5e3", "+7"}


MIDNIGHT = """name,lon,lat,window_start,window_end
depot,24.9414,60.1719,21:00,23:59
Bar,24.9310,60.1687,23:30,23:59
Bakery,24.9500,60.1840,02:00,04:00
"""


def test_hint_at_times_after_midnight(tmp_path, caplog):
    """A window before the vehicles leave is most often meant for the next morning."""
    path = tmp_path / "s.csv"
    path.write_text(MIDNIGHT)
    problem_from_stops(read_stops(path), FakeCity())
    assert "line 4 ('Bakery'), 02:00 to 04:00, is over before any vehicle leaves" in caplog.text
    assert "count on, as 26:00 to 28:00" in caplog.text
    caplog.clear()
    path.write_text(
        MIDNIGHT.replace("02:00,04:00", "26:00,28:00").replace("0,23:59\nB", "0,28:00\nB")
    )
    problem_from_stops(read_stops(path), FakeCity())
    assert not caplog.text


@pytest.mark.parametrize(("weight", "hinted"), [(1.0, True), (1e-6, False)])
def test_hint_at_prizes_in_another_unit(tmp_path, caplog, weight, hinted):
    """Prizes that are worth no way at all are pointed out, with what the way costs."""
    path = tmp_path / "s.csv"
    path.write_text(
        "name,lon,lat,prize\ndepot,24.94,60.17,\nMuseum,24.95,60.17,10\nMarket,24.95,60.18,8\n"
    )
    problem_from_stops(read_stops(path), FakeCity(), objective=Objective(distance=weight))
    assert ("no prize is worth its way" in caplog.text) == hinted
    assert ("('Museum') brings 10, and to go there from" in caplog.text) == hinted
    assert ("unit of the cost (metres)" in caplog.text) == hinted


names = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
        lambda text: text == text.strip()
    ),
    min_size=1,
    max_size=6,
    unique=True,
)
amounts = st.floats(1e-300, 1e9) | st.just(0.0)


@st.composite
def tables(draw):
    """Random tables with any names and numbers."""
    title = draw(names)
    n, k = len(title), draw(st.integers(0, 3))

    def numbers(values, *shape):
        cells = st.lists(values, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
        return np.array(draw(cells)).reshape(shape)

    start = numbers(amounts, n)
    length = numbers(amounts | st.just(np.inf), n)
    return Stops(
        names=title,
        lonlat=np.stack([numbers(st.floats(-180, 180), n), numbers(st.floats(-90, 90), n)], 1),
        demand=numbers(amounts, n, k),
        window_s=np.stack([start, start + length], 1),
        service_s=numbers(amounts, n),
        prize=numbers(amounts | st.just(np.inf), n),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=tables())
def test_round_trip(tmp_path, stops):
    """A table that was written reads back the same, whatever the names and numbers."""
    back = read_stops(write_stops(tmp_path / "s.csv", stops))
    for field in ("names", "lonlat", "demand", "window_s", "service_s", "prize"):
        assert np.array_equal(getattr(back, field), getattr(stops, field)), field


def test_problem():
    """The depot comes first, with its opening hours; matrices are the city's, directed."""
    problem = problem_from_stops(read_stops(DATA / "valid.csv"), FakeCity(), capacity=9)
    assert problem.names == ("depot", "Kallio", "Market, Hakaniemi", "Töölö")
    assert problem.window_s[0].tolist() == [25200, 64800]
    assert problem.vehicles[0].capacity == (9,)
    assert len(problem.vehicles) == 3
    assert Feature.OPTIONAL_STOPS in problem.features
    distance = problem.profiles[0].distance_m
    assert not np.allclose(distance, distance.T)


def test_depot_by_name_and_by_place():
    """Any row may be the depot, and so may a place that is on no row."""
    stops = read_stops(DATA / "semicolon_bom.csv")
    away = problem_from_stops(stops, FakeCity(), depot=(24.93, 60.16))
    assert away.names == ("depot", "Kallio", "Töölö")
    assert away.lonlat[0].tolist() == [24.93, 60.16]
    with pytest.raises(FormatError, match="leave its demand, service and prize empty"):
        problem_from_stops(stops, FakeCity(), depot="kallio")
    with pytest.raises(FormatError, match=r"no row is named 'Kalio'.*did you mean 'Kallio'"):
        problem_from_stops(stops, FakeCity(), depot="Kalio")
    with pytest.raises(InputError, match="longitude and latitude"):
        problem_from_stops(stops, FakeCity(), depot=(24.93, 160.16))


def table(**fields):
    """A depot and two stops."""
    defaults = {
        "names": ("depot", "a", "b"),
        "lonlat": [[24.91, 60.15], [24.92, 60.15], [24.97, 60.15]],
        "demand": [0, 4, 7],
    }
    return Stops(**(defaults | fields))


def test_no_depot():
    """Without a row named depot the message says how to give one."""
    stops = table(names=("x", "a", "b"))
    with pytest.raises(FormatError, match="name the row of the depot so, or give depot="):
        problem_from_stops(stops, FakeCity())
    problem = problem_from_stops(stops, FakeCity(), depot=(24.915, 60.15), capacity=9)
    assert problem.names == ("depot", "x", "a", "b")
    assert problem.demand[:, 0].tolist() == [0, 0, 4, 7]
    assert problem_from_stops(stops, FakeCity(), depot="x").names == ("x", "a", "b")


def test_only_a_depot():
    """A table with nothing but the depot is refused."""
    stops = Stops(names=("depot",), lonlat=[[24.91, 60.15]])
    with pytest.raises(FormatError, match="is the only row; add stops"):
        problem_from_stops(stops, FakeCity())


def test_demand_over_capacity():
    """A stop that fits into no vehicle is named with its place and both numbers."""
    with pytest.raises(FormatError, match=r"stops\[2\] \('b'\): demand is 7.*carries \(5\)"):
        problem_from_stops(table(), FakeCity(), capacity=5)
    fleet = [Vehicle(capacity=(5,)), Vehicle(capacity=(8,))]
    assert problem_from_stops(table(), FakeCity(), vehicles=fleet).vehicles == tuple(fleet)
    with pytest.raises(InputError, match="capacity is given twice"):
        problem_from_stops(table(), FakeCity(), vehicles=fleet, capacity=8)


def test_capacity_without_demand():
    """A capacity needs a column of demand, and one number for each."""
    with pytest.raises(FormatError, match="there is no column 'demand'"):
        problem_from_stops(table(demand=None), FakeCity(), capacity=5)
    with pytest.raises(InputError, match="capacity has 2 numbers but the stops have 1"):
        problem_from_stops(table(), FakeCity(), capacity=(5, 6))


def test_how_many_vehicles():
    """One vehicle where nothing limits it, else one for each stop, or as many as asked."""
    assert len(problem_from_stops(table(), FakeCity()).vehicles) == 1
    assert len(problem_from_stops(table(), FakeCity(), capacity=9).vehicles) == 2
    assert len(problem_from_stops(table(), FakeCity(), shift_s=(0, 1e5)).vehicles) == 2
    assert len(problem_from_stops(table(), FakeCity(), vehicles=7).vehicles) == 7
    with pytest.raises(ProblemError, match="vehicles is 0"):
        problem_from_stops(table(), FakeCity(), vehicles=0)


def test_stop_outside_the_city():
    """The city's error carries the file, the line and the name of the stop."""
    stops = table(lonlat=[[24.91, 60.15], [24.92, 60.15], [2.0, 48.0]])
    with pytest.raises(CityError, match=r"stops\[2\] \('b'\)"):
        problem_from_stops(stops, FakeCity())


def test_stop_that_no_street_reaches(caplog):
    """It is an error that lists the stops, or else the stop stays unassigned with a reason."""
    city = FakeCity(islands=24.96)
    with pytest.raises(CityError, match=r"to stops\[2\] \('b'\) and back; move.*allow unassigned"):
        problem_from_stops(table(), city, capacity=9)
    with caplog.at_level(logging.WARNING, "nco"):
        problem = problem_from_stops(table(), city, capacity=9, allow_unassigned=True)
    assert "they stay unassigned" in caplog.text
    assert np.isinf(problem.profiles[0].distance_m[0, 2])
    unassigned = Solution.from_routes(problem, [[1]]).unassigned
    assert [(entry.stop, entry.reason) for entry in unassigned] == [
        (2, "no street leads to it from 'depot'")
    ]


def test_problem_to_table_and_back(tmp_path):
    """A problem on a city can be written as a table and posed again."""
    problem = problem_from_stops(read_stops(DATA / "valid.csv"), FakeCity(), capacity=9)
    path = write_stops(tmp_path / "s.csv", Stops.from_problem(problem))
    again = problem_from_stops(read_stops(path), FakeCity(), capacity=9, name=problem.name)
    assert again == problem


def test_a_zero_byte_is_no_text(tmp_path):
    """A table with one is refused with its line, before a name with it comes anywhere."""
    path = tmp_path / "s.csv"
    path.write_bytes(b"name,lon,lat\ndepot,24.9,60.1\na\0b,24.9,60.1\n")
    with pytest.raises(FormatError, match="line 3 holds a zero byte"):
        read_stops(path)
