"""Tables as people have them: titles, spreadsheets, all faults at once, links between rows."""

import datetime as dt
import logging
import time

import numpy as np
import pytest
from fake_city import FakeCity
from spreadsheets import write_ods, write_xlsx

import nco
from nco import Group, Shipment, load, save
from nco.arrays import same
from nco.data.formats import spreadsheet
from nco.data.formats.stops_csv import read_stops, write_stops
from nco.data.formats.tables.titles import FLEET, STOPS, plain
from nco.errors import FormatError
from nco.problem.times import Times

HEAD = "name,lat,lon"
DEPOT = "depot,60.15,24.91"


def write(tmp_path, text, name="s.csv"):
    """A file with a text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def table(tmp_path, *lines):
    """A file with lines."""
    return write(tmp_path, "\n".join(lines) + "\n")


def stops(tmp_path, *lines, **options):
    """The stops in lines."""
    return read_stops(table(tmp_path, *lines), **options)


def refused(tmp_path, *lines):
    """What is said of lines that cannot be used."""
    with pytest.raises(FormatError) as caught:
        stops(tmp_path, *lines)
    return str(caught.value)


@pytest.mark.parametrize("columns", [STOPS, FLEET])
def test_no_title_has_two_meanings(columns):
    """Every name of a column is listed once."""
    titles = [plain(title) for name, others in columns.items() for title in (name, *others)]
    assert len(titles) == len(set(titles))


def test_usual_titles_in_any_spelling(tmp_path):
    """What an export has is understood; what it has beside goes along."""
    found = stops(
        tmp_path,
        "Customer Name,LATITUDE,Lng,Qty,TW-Start,twEnd,Service (min),Telephone,Zip Code,Remarks",
        "depot,60.15,24.91,,6:00,20:00,,,,",
        "Ann,60.16,24.92,3,8:30,9.30,15,040 1,00100,ring twice",
    )
    assert found.lonlat[1].tolist() == [24.92, 60.16]
    assert found.demand[1, 0] == 3 and found.service_s[1] == 900
    assert found.window_s[1].tolist() == [8.5 * 3600, 9.5 * 3600]
    assert found.details == {1: {"phone": "040 1", "postcode": "00100", "notes": "ring twice"}}
    assert found.times is Times.CLOCK


def test_columns_that_nobody_knows_go_along(tmp_path, caplog):
    """They are kept under their titles, said once, and come back out of every output."""
    caplog.set_level(logging.INFO)
    path = table(tmp_path, f"{HEAD},Region,type", f"{DEPOT},,", "a,60.16,24.92,north,retail")
    problem = load(path, city=FakeCity())
    assert problem.details == {1: {"Region": "north", "type": "retail"}}
    assert caplog.text.count("go into the outputs as they are: Region, type") == 1
    solution = nco.Solution.from_routes(problem, [[1]])
    assert "retail" in save(solution, tmp_path / "r.csv", problem=problem).read_text()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name,lat,Latitude,lon", "columns 'lat' and 'Latitude' mean the same (lat); remove one"),
        ("name,lat,LAT,lon", "column 'lat' is there twice"),
        ("name,lat,lon,adress", "column 4 is named 'adress'; did you mean 'address'?"),
        ("name,lat,lon,tw_strat", "did you mean 'window_start'?"),
        ("name,lat,lon,coords", "use either 'coords' or columns for lat and lon"),
        ("name,lat,demand", "there is no column 'lon'"),
        ("name,demand", "there is no column 'lat'"),
        ("name,lat,lon,window,earliest", "use either 'window' or"),
        ("name,lat,lon,demand_3,demand", "number them demand, demand_2"),
        ("name,lat,lon,pickup_of,delivery_of", "use either 'pickup_of' or 'delivery_of'"),
    ],
)
def test_titles_that_cannot_be_meant(tmp_path, header, message):
    """Two that mean the same, a slip, and what is missing are named."""
    cells = ",".join("1" for _ in header.split(","))
    assert message in refused(tmp_path, header, cells)


def test_all_that_is_wrong_with_titles_is_said_at_once(tmp_path):
    """Two columns twice and one that is missing are three faults."""
    text = refused(tmp_path, "name,id,order no,lat,qty,amount", "a,1,1,60,1,1")
    assert "has 3 faults" in text and "'id' and 'order no'" in text and "no column 'lon'" in text


def test_titles_below_lines_of_text(tmp_path):
    """A heading above the titles does not hide them; rows keep their numbers."""
    found = stops(tmp_path, "Deliveries of Monday,,", ",,", HEAD, DEPOT, "a,60.16,24.92")
    assert found.names == ("depot", "a") and found.places[1].endswith("line 5")


def test_names_from_elsewhere(tmp_path):
    """Without names ids do, else addresses, else numbers of lines; an id tells namesakes apart."""
    assert stops(tmp_path, "id,lat,lon", "7,60,24", "8,60,24").names == ("7", "8")
    assert stops(tmp_path, "lat,lon", "60,24").names == ("line 2",)
    found = stops(tmp_path, "name,id,lat,lon", "Ann,7,60,24", "Ann,8,60,24", "Bob,9,60,24")
    assert found.names == ("Ann (7)", "Ann (8)", "Bob")
    assert "add a column id" in refused(tmp_path, HEAD, "a,60,24", "a,60,24")


def test_places_in_one_cell(tmp_path):
    """Latitude comes first there, as maps show it."""
    found = stops(tmp_path, "name;coordinates", "a;60.17, 24.94", "b;(60.18 24.95)")
    assert found.lonlat.tolist() == [[24.94, 60.17], [24.95, 60.18]]
    assert "write latitude, longitude" in refused(tmp_path, "name;gps", "a;60° 10 N")


def test_addresses_without_places(tmp_path):
    """Every such row is named; a row with neither is named for that."""
    text = refused(tmp_path, "name,address", "a,Road 1", "b,")
    assert "line 2: there is an address, but no lat and lon" in text
    assert "line 3: there is no address" in text
    text = refused(tmp_path, f"{HEAD},address", "a,,,Road 1", "b,60,,Road 2", "c,,,")
    assert text.count("\n") == 4
    assert "line 2: there is an address" in text and "line 3, column 'lon' is empty" in text


def test_metres_of_a_projection_are_recognised(tmp_path):
    """Coordinates in the hundred thousands are no swapped degrees."""
    assert "must be converted to degrees" in refused(tmp_path, "name,x,y", "a,385000,6671000")


def test_decimal_commas_and_thousands(tmp_path):
    """A comma is a decimal point where no number has a point; else it is refused."""
    found = stops(tmp_path, "name;lat;lon;demand", "a;60,15;24,91;2,5")
    assert found.demand[0, 0] == 2.5
    text = refused(tmp_path, "name;lat;lon;demand", "a;60.15;24.91;1,200")
    assert "column 'demand' is '1,200'; write decimals with a point, and thousands" in text
    assert "write decimals with a point" in refused(tmp_path, HEAD, 'a,"60,15",24')


@pytest.mark.parametrize("more", [[], ["b,60,24,9:00,10:00"]])
def test_hours_are_told_with_other_faults_of_a_row(tmp_path, more):
    """A row that is wrong elsewhere, too, need not be mended twice; with a good row and without."""
    text = refused(tmp_path, "name,lat,lon,tw_start,tw_end", "a,x,24,9:00,8:00", *more)
    assert "has 2 faults" in text and "column 'lat' is 'x'" in text
    assert "column 'tw_end' is before window_start" in text


def test_bars_between_cells(tmp_path):
    """What databases print: cells with | between them."""
    assert stops(tmp_path, "name|lat|lon|demand", "a|60.15|24.91|2").demand[0, 0] == 2


def test_all_faults_are_told_together(tmp_path):
    """Each with its row and column; beyond twenty they are counted."""
    lines = [f"s{k},60,24,{k if k % 2 else 'x'}" for k in range(50)]
    text = refused(tmp_path, f"{HEAD},demand", *lines)
    assert "has 25 faults; mend them, or leave such rows out (skip_bad_rows=True" in text
    assert text.count("column 'demand' is 'x'; it must be a number") == 20
    assert "line 2, column" in text and text.endswith("and 5 more")


BAD = [f"{HEAD},demand,window", f"{DEPOT},,", "a,60.16,24.92,x,9-", "b,60.16,24.93,1,", "c,9"]


def test_bad_rows_are_skipped_and_listed(tmp_path, caplog):
    """The rest is solved; what was wrong is kept, and said."""
    found = stops(tmp_path, *BAD, skip_bad_rows=True)
    assert found.names == ("depot", "b")
    assert [text.partition(":")[0].partition(",")[0] for text in found.skipped] == [
        "line 3",
        "line 5",
    ]
    assert caplog.text.count("left out") == 2
    problem = load(table(tmp_path, *BAD), city=FakeCity(), skip_bad_rows=True)
    assert problem.names == ("depot", "b")


def test_rows_that_name_a_skipped_row_are_skipped(tmp_path):
    """A pickup without its delivery is left out as well."""
    lines = [f"{HEAD},pickup_of", f"{DEPOT},", "p,60.16,24.92,d", "d,60.16,x,", "e,60.16,24.93,"]
    assert stops(tmp_path, *lines, skip_bad_rows=True).names == ("depot", "e")


@pytest.mark.parametrize("lines", [[HEAD, "depot,60,x", "a,60,24"], [HEAD, "a,60,x"]])
def test_what_cannot_be_skipped(tmp_path, lines):
    """A bad depot, or nothing but bad rows, is an error all the same."""
    with pytest.raises(FormatError, match="column 'lon' is 'x'"):
        load(table(tmp_path, *lines), city=FakeCity(), skip_bad_rows=True)


def test_service_in_another_unit_is_pointed_out(tmp_path, caplog):
    """15 without a unit is 15 s, which nobody means: a note says what to write."""
    stops(tmp_path, f"{HEAD},service", "a,60,24,15")
    assert "service takes 15 s at most; name the column service_min" in caplog.text
    caplog.clear()
    stops(tmp_path, f"{HEAD},service", "a,60,24,15 min", "b,60,24,0:20")
    assert not caplog.text


def test_windows_over_several_days(tmp_path, caplog):
    """Dates in cells, or in a column of their own, count from the first day."""
    caplog.set_level(logging.INFO)
    found = stops(
        tmp_path,
        f"{HEAD},date,earliest,latest",
        "a,60,24,29.11.2026,9:00,10:00",
        "b,60,24,30.11.2026,9:00,",
        "c,60,24,,2026-11-30 8:00,2026-11-30",
    )
    assert (found.window_s / 3600).tolist() == [[9, 10], [33, np.inf], [32, 48]]
    assert found.first_day == dt.date(2026, 11, 29) and "midnight before 2026-11-29" in caplog.text
    text = refused(tmp_path, f"{HEAD},date,latest", "a,60,24,2026-11-29,9:00",
                   "b,60,24,2026-11-30,9:00", "c,60,24,,9:00")  # fmt: skip
    assert "line 4, column 'latest' has no date" in text
    one = stops(tmp_path, f"{HEAD},date", "a,60,24,2026-11-29", "b,60,24,2026-11-29")
    assert np.isinf(one.window_s[:, 1]).all() and one.details[0] == {"date": "2026-11-29"}


def test_several_depots(tmp_path, caplog):
    """Rows of the kind depot are depots, the one named so first; kinds in the usual words."""
    lines = [f"{HEAD},type,demand", "a,60.16,24.92,customer,3", "East,60.15,24.95,Warehouse,",
             f"{DEPOT},hub,", "b,60.17,24.93,pickup,2"]  # fmt: skip
    problem = load(table(tmp_path, *lines), city=FakeCity(), capacity=9)
    assert problem.names == ("depot", "East", "a", "b") and problem.depots == 2
    assert problem.demand[:, 0].tolist() == [0, 0, 3, 0]
    assert problem.pickup[:, 0].tolist() == [0, 0, 0, 2]
    assert "there are 2 depots, and all vehicles start at" in caplog.text
    text = refused(tmp_path, f"{HEAD},kind", "a,60,24,depot", "b,60,24,shop")
    assert "is 'shop'; write depot, stop, pickup or delivery" in text
    with pytest.raises(FormatError, match=r"'East'. is the depot; leave its demand"):
        load(table(tmp_path, f"{HEAD},kind,service", "East,60.15,24.95,depot,9", DEPOT + ",,"),
             city=FakeCity())  # fmt: skip


PAIRS = f"{HEAD},demand,kind,pickup_of,prize"


@pytest.mark.parametrize(
    "rows",
    [
        ["p,60.16,24.92,3,,d,", "d,60.17,24.93,,,,50"],
        ["p,60.16,24.92,,,d,50", "d,60.17,24.93,3,,,"],
        ["p,60.16,24.92,,pickup,,", "d,60.17,24.93,3,delivery,P,50"],
        ["p,60.16,24.92,3,,d,", "d,60.17,24.93,3,delivery,p,50"],
    ],
)
def test_goods_from_stop_to_stop(tmp_path, rows):
    """The row of the pickup names its delivery; kinds may say that it is the other way round."""
    path = table(tmp_path, PAIRS, f"{DEPOT},,,,", *rows)
    problem = load(path, city=FakeCity(), capacity=9)
    assert problem.shipments == (Shipment(pickup=1, delivery=2, amount=(3.0,)),)
    assert not problem.demand.any() and not problem.pickup.any()
    assert sorted(problem.prize[1:].tolist()) == [0, 50]


def test_delivery_of(tmp_path):
    """Or the row of the delivery names its pickup."""
    lines = [f"{HEAD},id,delivery_of", f"{DEPOT},,", "p,60.16,24.92,7,", "d,60.17,24.93,8,7"]
    assert stops(tmp_path, *lines).shipments == ((1, 2, ()),)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["p,60,24,,,x,", "d,60,24,,,,"], "column 'pickup_of' names 'x', and no row"),
        (["pick,60,24,,,dell,", "delta,60,24,,,,", "dela,60,24,,,,"], "did you mean 'del"),
        (["p,60,24,,,p,"], "names its own row"),
        (["p,60,24,,,depot,"], "'depot' is a depot; goods from it are demand"),
        (["p,60,24,,,d,", "q,60,24,,,d,", "d,60,24,,,,"], "'d' is an end of another way already"),
        (["p,60,24,2,,d,", "d,60,24,3,,,"], "different amounts; give the amount once"),
    ],
)
def test_links_that_cannot_be(tmp_path, rows, message):
    """Each is named with its row."""
    text = refused(tmp_path, PAIRS, "depot,60,24,,depot,,", *rows)
    assert message in text and "line " in text


def test_alternatives_skills_prizes_and_releases(tmp_path, caplog):
    """What else a row may say becomes fields of the problem."""
    path = table(
        tmp_path,
        f"{HEAD},group,skills,prize,required,release",
        f"{DEPOT},,,,,",
        "a,60.16,24.92,G,,80,no,",
        'b,60.16,24.93,g,"lift; cold",80,,7:00',
        "c,60.16,24.94,,,80,yes,2:00 pm",
    )
    problem = load(path, city=FakeCity())
    assert problem.groups == (Group(stops=(1, 2), prize=80.0),)
    assert problem.skills == {2: {"lift", "cold"}}
    assert problem.prize[3] == np.inf and problem.release_s.tolist() == [0, 0, 25200, 50400]
    assert "of the stops of a group one is served" in caplog.text
    text = refused(tmp_path, f"{HEAD},required,group,prize", "a,60,24,no,,", "b,60,24,maybe,g,1",
                   "c,60,24,,g,2", "d,60,24,,g,1")  # fmt: skip
    assert "say what leaving the stop out costs" in text and "write yes or no" in text
    text = refused(tmp_path, f"{HEAD},group,prize", "b,60,24,g,1", "c,60,24,g,2")
    assert "prizes of 1 and 2" in text


def test_wishes_priorities_and_ties(tmp_path):
    """Soft windows cost by the hour, words tie rows to vehicles, names say what comes later."""
    found = stops(
        tmp_path,
        f"{HEAD},priority,soft start,soft end,late cost,early cost,same driver,apart,visit before",
        f"{DEPOT},,,,,,,,",
        "a,60.16,24.92,7,9:00,10:00,36,72,x,,c",
        "b,60.16,24.93,,,,,,X,one,a; c",
        "c,60.16,24.94,100,,11:00,3600,,,,",
        "d,60.16,24.94,,,,,,,one,",
    )
    assert found.priority.tolist() == [0, 7, 0, 100, 0]
    assert found.soft_window_s.tolist()[1:4] == [[32400, 36000], [0, np.inf], [0, 39600]]
    assert found.late_per_s.tolist() == [0, 0.01, 0, 1, 0]
    assert found.early_per_s.tolist() == [0, 0.02, 0, 0, 0]
    assert found.ties == (
        nco.SameVehicle(stops=(1, 2)),
        nco.DifferentVehicles(stops=(2, 4)),
        nco.Precedence(stops=(1, 3)),
        nco.Precedence(stops=(2, 1)),
        nco.Precedence(stops=(2, 3)),
    )
    back = read_stops(write_stops(tmp_path / "back.csv", found))
    for name in ("priority", "soft_window_s", "early_per_s", "late_per_s", "ties"):
        assert same(getattr(back, name), getattr(found, name)), name
    problem = load(tmp_path / "back.csv", city=FakeCity(), vehicles=2)
    assert problem.ties == found.ties
    assert problem.late_per_s.tolist() == found.late_per_s.tolist()


def test_wishes_and_ties_that_cannot_be(tmp_path):
    """All are told with row and column."""
    text = refused(
        tmp_path,
        f"{HEAD},priority,soft_end,late_cost_per_hour,visit_before,same_vehicle,kind",
        "depot,60,24,,,,,x,depot",
        "a,60,24,101,9:00,,,,",
        "c,60,24,,,,c,,",
        "b,60,24,,9:00,5,nobody,x,",
    )
    for part in ("whole number from 0 to 100", "say in late_cost_per_hour what an hour costs",
                 "names its own row", "no row that can be used is called so",
                 "which is a depot; tie stops alone"):  # fmt: skip
        assert part in text


def test_ties_that_a_table_cannot_say(tmp_path):
    """Sequences, and two ties of a kind, are refused with the way out."""
    for ties in ([nco.Sequence(stops=(1, 2))], [nco.SameVehicle(stops=(1, k)) for k in (2, 3)]):
        problem = nco.Problem.from_matrices(
            1 - np.eye(4), ties=ties, lonlat=[(24.9, 60.1 + k / 100) for k in range(4)]
        )
        with pytest.raises(nco.errors.InputError, match=r"save the\s+problem as \.json instead"):
            save(problem, tmp_path / "s.csv")


def test_a_table_is_written_and_reads_back(tmp_path):
    """Everything that a row may say survives writing."""
    found = stops(
        tmp_path,
        f"{HEAD},kind,demand,pickup,pickup_of,skills,group,prize,release,phone,Region,window",
        "East,60.15,24.95,depot,,,,,,,,,,6:00-20:00",
        "a,60.16,24.92,,3,1,,lift,g,,7:00,040 1,north,9:00-10:00",
        "b,60.16,24.93,,1,,,,g,,,,,",
        "p,60.16,24.92,,2,,d,,,,,,,",
        "d,60.16,24.92,,,,,,,5,,,,",
    )
    back = read_stops(write_stops(tmp_path / "back.csv", found))
    for name in ("names", "lonlat", "demand", "pickup", "window_s", "prize", "release_s", "skills",
                 "groups", "shipments", "depots", "details", "times"):  # fmt: skip
        assert same(getattr(back, name), getattr(found, name)), name


CELLS = [
    ["Name", "Lat", "Lon", "Demand", "From", "To", "Service", "Phone", "VIP"],
    ["depot", 60.15, 24.91, None, dt.time(6), dt.time(20), None, None, None],
    ["a", 60.16, 24.92, 3, 0.395833333, "9.45", dt.timedelta(minutes=15), 4012345, True],
    [None, None, None, None, None, None, None, None, None],
    ["b", 60.17, 24.93, 2.5, dt.datetime(1899, 12, 30, 9), "11 am", dt.time(0, 5), "040", False],
]


def test_a_workbook(tmp_path, caplog):
    """Times, lengths, parts of a day, whole numbers and answers in cells; empty rows count."""
    found = read_stops(write_xlsx(tmp_path / "t.xlsx", Notes=[["x"]], Stops=CELLS))
    assert found.names == ("depot", "a", "b")
    assert (found.window_s / 3600).tolist() == [[6, 20], [9.5, 9.75], [9, 11]]
    assert found.service_s.tolist() == [0, 900, 300] and found.demand[2, 0] == 2.5
    assert found.details[1] == {"phone": "4012345", "VIP": "yes"}
    assert found.places[2].endswith("t.xlsx, row 5")
    assert not caplog.text


def test_the_first_sheet_that_holds_anything(tmp_path, caplog):
    """Where no sheet is called stops, the others are named."""
    read_stops(write_xlsx(tmp_path / "t.xlsx", Empty=[], Monday=CELLS, Tuesday=CELLS))
    assert "the sheet 'Monday' is read, not Tuesday" in caplog.text


def test_dates_in_a_workbook(tmp_path):
    """Cells with date and time are times of their days; more than 24 h counts on."""
    rows = [["name", "lat", "lon", "earliest", "latest"],
            ["a", 60, 24, dt.datetime(2026, 11, 29, 9, 30), dt.date(2026, 11, 29)],
            ["b", 60, 24, dt.datetime(2026, 11, 30, 9, 30), None]]  # fmt: skip
    found = read_stops(write_xlsx(tmp_path / "t.xlsx", Stops=rows))
    assert (found.window_s / 3600).tolist() == [[9.5, 24], [33.5, np.inf]]
    rows[1:] = [["a", 60, 24, dt.timedelta(hours=24), dt.timedelta(hours=26)]]
    found = read_stops(write_xlsx(tmp_path / "u.xlsx", Stops=rows))
    assert (found.window_s / 3600).tolist() == [[24, 26]]


def test_an_open_document(tmp_path):
    """ODS is read alike; faults name its rows."""
    rows = [CELLS[0][:5], ["depot", 60.15, 24.91, None, dt.time(6)], ["a", 60.1, "x", 1, None]]
    with pytest.raises(FormatError, match=r"t\.ods, row 3, column 'Lon' is 'x'"):
        read_stops(write_ods(tmp_path / "t.ods", rows))
    found = read_stops(write_ods(tmp_path / "t.ods", rows[:2]))
    assert found.window_s[0, 0] == 6 * 3600 and found.lonlat[0].tolist() == [24.91, 60.15]


def test_a_workbook_under_another_suffix(tmp_path):
    """What is a spreadsheet inside is read as one; older kinds are refused with what to do."""
    path = write_xlsx(tmp_path / "t.csv", Stops=CELLS)
    assert len(read_stops(path)) == 3
    old = tmp_path / "t.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(FormatError, match="is of an older kind, or has a password"):
        read_stops(old)
    for name in ("t.xlsx", "t.ods"):
        with pytest.raises(FormatError, match="save it"):
            read_stops(write(tmp_path, "name,lat,lon\n", name))


REPEATED = (
    '<table:table-row table:number-rows-repeated="{rows}">'
    '<table:table-cell table:number-columns-repeated="{columns}">{text}</table:table-cell>'
    "</table:table-row>"
)


@pytest.mark.parametrize(
    ("rows", "columns", "text"),
    [(10**6, 10**4, "<text:p>x</text:p>"), (1, 10**9, "x"), (10**9, 1, "x"),
     (1, 1, '<text:p><text:s text:c="2000000000"/></text:p>')],
)  # fmt: skip
def test_sheets_that_would_fill_the_memory(tmp_path, rows, columns, text):
    """A few bytes that stand for billions of cells or spaces are refused before they are made."""
    more = REPEATED.format(rows=rows, columns=columns, text=text)
    with pytest.raises(FormatError, match=r"more than 8000000|spaces in a row"):
        read_stops(write_ods(tmp_path / "t.ods", [["name"]], more))


def test_a_cell_far_away(tmp_path, monkeypatch):
    """A workbook with one cell in the last row would be a grid of all between: refused."""
    monkeypatch.setattr(spreadsheet, "MOST_CELLS", 20)
    assert len(read_stops(write_xlsx(tmp_path / "t.xlsx", Stops=[r[:4] for r in CELLS[:3]]))) == 2
    with pytest.raises(FormatError, match="spans 45 cells, more than 20; remove what stands far"):
        read_stops(write_xlsx(tmp_path / "t.xlsx", Stops=CELLS))


def test_spreadsheets_that_are_empty_or_damaged(tmp_path):
    """Neither is a crash."""
    with pytest.raises(FormatError, match="holds no cells"):
        read_stops(write_xlsx(tmp_path / "t.xlsx", Stops=[]))
    path = write_xlsx(tmp_path / "u.xlsx", Stops=CELLS)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(FormatError, match="is no spreadsheet that can be read"):
        read_stops(path)


def test_what_is_taken_and_what_is_set_up(tmp_path):
    """A negative demand is told where it goes; set-up is a length of time."""
    text = refused(tmp_path, f"{HEAD},demand", "a,60,24,-3")
    assert "is -3; it must be 0 or more; what is taken away goes into a column pickup" in text
    lines = [f"{HEAD},setup time,service", f"{DEPOT},,", "a,60.16,24.92,5 min,2 min"]
    assert load(table(tmp_path, *lines), city=FakeCity()).setup_s.tolist() == [0, 300]


def test_vehicles_in_place_of_stops(tmp_path):
    """A table of vehicles that is given as stops is told where it belongs."""
    text = refused(tmp_path, "name,capacity,shift start", "van,9,7:00")
    assert "a table of vehicles goes to fleet=" in text


def test_several_depots_are_written_as_a_table(tmp_path):
    """A problem of two depots becomes a table that poses the same stops."""
    lines = [f"{HEAD},kind", "East,60.15,24.95,depot", f"{DEPOT},depot", "a,60.16,24.92,"]
    problem = load(table(tmp_path, *lines), city=FakeCity())
    again = load(save(problem, tmp_path / "b.csv"), city=FakeCity(), name="s")
    assert again == problem


def test_stops_that_fit_nowhere_are_all_named(tmp_path):
    """Not the first alone."""
    path = table(tmp_path, f"{HEAD},demand", f"{DEPOT},", "a,60.16,24.92,8", "b,60.16,24.93,9")
    with pytest.raises(FormatError, match=r"\('a'\): demand is 8, .*\('b'\): demand is 9, more"):
        load(path, city=FakeCity(), capacity=5)


def test_titles_with_remarks_in_brackets(tmp_path):
    """`Demand (kg)` is a demand; a unit of time that nobody knows is no unit."""
    head = "Order No,Latitude (WGS84),Lng,Demand (kg),Weight (t),Service (hrs),Time from"
    found = stops(tmp_path, head, "7,60,24,5,1,0.5,9:00")
    assert found.demand[0, 0] == 5 and found.details == {0: {"id": "7", "Weight (t)": "1"}}
    assert found.service_s[0] == 1800 and found.window_s[0, 0] == 32400
    assert "Service (fortnights)" in stops(tmp_path, f"{HEAD},Service (fortnights)",
                                           "a,60,24,3").details[0]  # fmt: skip


def test_a_capacity_without_a_demand_names_the_other_columns(tmp_path):
    """What may be the demand under another title is listed."""
    path = table(tmp_path, f"{HEAD},Weight,phone", f"{DEPOT},,", "a,60.16,24.92,3,1")
    with pytest.raises(FormatError, match="quantity or amount, none of Weight"):
        load(path, city=FakeCity(), capacity=5)


def test_numbers_beside_lengths_with_units(tmp_path):
    """10 beside 15 min is surely no 10 s: the unit is asked for; 0 needs none."""
    text = refused(tmp_path, f"{HEAD},service", "a,60,24,15 min", "b,60,24,10", "c,60,24,0")
    assert "line 3, column 'service' is '10'; say the unit: 10 h, 10 min or 10 s" in text
    assert "line 4" not in text


def test_an_id_stands_in_for_an_empty_name(tmp_path):
    """A row without a name but with an id is called by it."""
    assert stops(tmp_path, "name,id,lat,lon", "Ann,1,60,24", ",2,60,24").names == ("Ann", "2")


def test_several_windows(tmp_path):
    """Behind a `;` in one cell or two, or in columns of their own; they are put in order."""
    for header, cells in (
        ("window", "14-16; 9-11"),
        ("earliest,latest", "9:00;14:00,11:00;16:00"),
        ("from 1,to 1,from 2,to 2", "9:00,11:00,14:00,16:00"),
        ("tw,tw 2", "14-16,9-11"),
    ):
        path = table(tmp_path, f"{HEAD},{header}", DEPOT + "," * (1 + header.count(",")),
                     f"a,60.16,24.92,{cells}")  # fmt: skip
        problem = load(path, city=FakeCity())
        assert problem.window_s[1].tolist() == [32400, 39600]
        assert problem.more_windows_s == {1: ((50400.0, 57600.0),)}
        found = read_stops(path)
        back = read_stops(write_stops(tmp_path / "back.csv", found))
        assert back.more_windows_s == found.more_windows_s


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,60,24,,9-11; 10-12", "has windows that overlap or meet; join them"),
        ("a,60,24,,9-11; 8-7", "so the window is empty"),
        ("a,60,24,depot,9-11; 12-14", "has several windows; a depot has one"),
    ],
)
def test_windows_that_do_not_go_together(tmp_path, row, message):
    """Each is named with its row."""
    assert message in refused(tmp_path, f"{HEAD},kind,window", row, "b,60,24,depot,")


@pytest.mark.parametrize("letter", ["(", " ", "9", "-", "to ", ":", ",", "between 1 and "])
def test_cells_without_end(tmp_path, letter):
    """A cell or a title of a hundred thousand letters takes no time."""
    long = letter * (100_000 // len(letter)) + "x"
    head = f"{HEAD},window,service,skills,demand,gps lat"
    begun = time.process_time()
    text = refused(tmp_path, head, f'"{long}",60,24,"{long}","{long}","{long}","{long}",1')
    assert len(text) < 1500
    refused(tmp_path, f'"{long}",lat', f'"{long}",1')
    assert time.process_time() - begun < 2


def test_a_table_of_very_many_columns_is_read_or_refused_in_a_moment(tmp_path):
    """Looking for slips in titles, or numbering equal ones, does not take minutes."""
    path = tmp_path / "wide.csv"
    for titles in ([f"c{k}abcde" for k in range(5_000)], ["same title"] * 5_000):
        path.write_text("\n".join((",".join(titles), ",".join("1" * len(titles)))))
        began = time.process_time()
        with pytest.raises(FormatError, match="no column"):
            load(path)
        assert time.process_time() - began < 6
    path.write_text("\n".join((",".join(titles * 6), ",".join("1" * 30_000))))
    with pytest.raises(FormatError, match="30000 columns; 16384 are the most"):
        load(path)
