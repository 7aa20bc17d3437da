"""Pages for drivers and dispatchers."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import gpxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import ruled_problems_with_routes

from nco.cli import main
from nco.data.cities.city import City
from nco.data.formats.registry import save
from nco.errors import InputError
from nco.problem import Break, Problem, Vehicle
from nco.problem.route import Route
from nco.problem.solution import Solution
from nco.problem.times import Times
from nco.sheets import links, write_sheets
from nco.sheets.clock import Clock, km, length
from nco.sheets.fonts import dejavu, missing_of
from nco.sheets.sheet import day_of

PLACES = np.array([[24.945, 60.17], [24.946, 60.171], [24.947, 60.169], [24.944, 60.168]])
NASTY = "<script>alert('x')</script> & \"Müller\" \u5317\u4eac \u0000\ud800 " + "W" * 1000


def problem(**changes: object) -> Problem:
    """Three stops 1 km and 10 minutes apart, two vehicles; the first stop closes early."""
    away = 1 - np.eye(4)
    fields: dict[str, object] = {
        "vehicles": [
            Vehicle(capacity=(4.0,), shift_s=(8 * 3600, 18 * 3600), max_trips=2, name="Van A"),
            Vehicle(capacity=(4.0,), shift_s=(8 * 3600, 18 * 3600)),
        ],
        "demand": [0, 1, 2, 3],
        "window_s": [[0, np.inf], [8.5 * 3600, 9 * 3600], [0, np.inf], [0, 8.2 * 3600]],
        "service_s": [0, 300, 300, 300],
        "lonlat": PLACES,
        "names": ("depot", "Ada", "Bob", "Cy"),
        "times": Times.CLOCK,
        "details": {
            1: {"address": "Kaivokatu 1", "postcode": "00100", "phone": "+358 9 1", "floor": "3"},
            2: {"notes": "ring twice"},
        },
    }
    return Problem.from_matrices(1000 * away, 600 * away, **(fields | changes))


PLAN = [Route(0, (1, 2)), Route(0, (3,))]


def test_a_sheet_says_what_the_driver_needs() -> None:
    """Order, clock times, waiting, lateness, load after, distance; trips follow one another."""
    given = problem()
    day = day_of(given, Solution.from_routes(given, PLAN))
    [sheet] = day.sheets
    assert (sheet.name, sheet.stops, sheet.km, day.idle, day.late) == ("Van A", 3, "5.0", 1, 1)
    assert [line.name for line in sheet.lines] == ["depot", "Ada", "Bob", "depot", "Cy", "depot"]
    ada, bob, cy = sheet.lines[1], sheet.lines[2], sheet.lines[4]
    assert (ada.number, bob.number, cy.number) == (1, 2, 3)
    assert (ada.address, ada.phone, bob.notes) == ("Kaivokatu 1, 00100", "+358 9 1", "ring twice")
    assert ada.others == {"floor": "3"}
    assert ada.window == "08:30\u201309:00"
    assert (ada.arrival, ada.departure, ada.load, ada.leg_km) == ("08:30", "08:35", "2", "1.0")
    assert (bob.arrival, bob.departure, bob.load, bob.km) == ("08:45", "08:50", "0", "2.0")
    assert "late" in cy.remark
    assert cy.window == "until 08:12"
    assert any("Cy" in message for message in sheet.breaks)


def test_breaks_and_several_windows_are_shown() -> None:
    """All windows of a stop, the time that was wished for, and when the driver rests."""
    hour = 3600.0
    given = problem(
        vehicles=[Vehicle(breaks=(Break(window_s=(8.6 * hour, 8.7 * hour), length_s=1800),))],
        demand=None,
        more_windows_s={1: ((12 * hour, 13 * hour),)},
        soft_window_s=[[0, np.inf], [0, np.inf], [0, 8 * hour], [0, np.inf]],
        late_per_s=1.0,
    )
    [sheet] = day_of(given, Solution.from_routes(given, [Route(0, (1, 2))])).sheets
    ada, bob = sheet.lines[1], sheet.lines[2]
    assert ada.window == "08:30\u201309:00; 12:00\u201313:00"
    assert "wished until 08:00" in bob.remark
    assert any("a break at" in line.remark and "30 min" in line.remark for line in sheet.lines)


def test_what_is_not_served_is_on_the_summary() -> None:
    """Stops on no route are there with their reason, and the hours and metres of all vehicles."""
    given = problem()
    plan = Solution.from_routes(given, [Route(0, (1,)), Route(1, (2,))])
    day = day_of(given, plan)
    assert (day.stops, day.km, [name for name, _ in day.unserved]) == (2, "4.0", ["Cy"])
    assert all(reason for _, reason in day.unserved)


@given(ruled_problems_with_routes())
@settings(max_examples=60, deadline=None)
def test_every_stop_of_any_plan_is_on_a_sheet(drawn: tuple[Problem, tuple[Route, ...]]) -> None:
    """Whatever rules there are, and however they are broken, each visit has its line."""
    given, routes = drawn
    day = day_of(given, Solution.from_routes(given, routes))
    shown = sorted(line.name for sheet in day.sheets for line in sheet.lines if line.number)
    assert shown == sorted(given.names[j] for route in routes for j in route.stops)
    assert day.stops == len(shown)
    assert len(day.sheets) == len({route.vehicle for route in routes if route.stops})
    for sheet in day.sheets:
        assert sheet.late == sum("late" in line.remark for line in sheet.lines)


def test_an_unreachable_stop_is_shown_as_such(tmp_path: Path) -> None:
    """A way that is not there makes words, not numbers."""
    away = 1 - np.eye(3)
    away[0, 2] = away[2, 0] = away[1, 2] = np.inf
    given = Problem.from_matrices(1000 * away, 60 * away, lonlat=PLACES[:3])
    plan = Solution.from_routes(given, [[1, 2]])
    lines = day_of(given, plan).sheets[0].lines
    assert (lines[1].remark, lines[2].remark) == ("", "no street leads there")
    assert (lines[2].km, lines[2].arrival) == ("no way", "never")
    assert write_sheets(tmp_path, given, plan)["sheets.pdf"].stat().st_size > 0


def test_open_ends_are_not_driven_to() -> None:
    """A vehicle that begins and ends at stops has no line of the depot."""
    given = problem(vehicles=[Vehicle(open_start=True, open_end=True)], demand=None)
    [sheet] = day_of(given, Solution.from_routes(given, [Route(0, (1, 2))])).sheets
    assert [line.name for line in sheet.lines] == ["Ada", "Bob"]


@pytest.mark.parametrize(
    ("times", "seconds", "begin_s", "shown"),
    [
        (Times.CLOCK, 8.5 * 3600, 0, "08:30"),
        (Times.CLOCK, 25.5 * 3600, 0, "01:30 +1"),
        (Times.CLOCK, 3599.9, 7200, "01:00"),
        (Times.NUMBERS, 1800, 8 * 3600, "08:30"),
        (Times.UNIX, 1732870800, 0, "09:00"),
        (Times.CLOCK, np.inf, 0, "never"),
        (Times.CLOCK, 1e300, 0, "never"),
    ],
)
def test_times_are_by_the_clock(times: Times, seconds: float, begin_s: float, shown: str) -> None:
    """To the minute; after midnight with the day."""
    assert Clock.of(times, 1732860000, begin_s).at(seconds) == shown


def test_lengths() -> None:
    """Hours, minutes and kilometres as one says them."""
    assert [length(s) for s in (29, 420, 7500, np.inf)] == [
        "0 min", "7 min", "2 h 05 min", "for ever",
    ]  # fmt: skip
    assert [km(m) for m in (1449, np.inf)] == ["1.4", "no way"]
    assert Clock.of(Times.UNIX, 1732860000).date == "Friday, 29 November 2024 (UTC)"


@given(st.integers(0, 320))
@settings(max_examples=60)
def test_links_lead_through_all_places(count: int) -> None:
    """A part begins where the last ended, is short and has nine places between its ends."""
    places = [(24.9 + k / 1000, 60.1) for k in range(count)]
    found = links.parts(places, "bicycle")
    seen = [0] if found else []
    for part in found:
        question = parse_qs(urlsplit(part.url).query)
        between = [p for text in question.get("waypoints", []) for p in text.split("|")]
        assert len(between) <= links.MOST_BETWEEN
        assert len(part.url) < 2048
        assert part.first == seen[-1]
        assert question["origin"] == [f"60.100000,{places[part.first][0]:.6f}"]
        assert question["travelmode"] == ["bicycling"]
        seen += range(part.first + 1, part.first + len(between) + 2)
    assert seen == list(range(count if count > 1 else 0))


def test_links_to_one_place() -> None:
    """Apple, `geo:` and phone links hold nothing that was not meant."""
    assert (
        links.apple((24.9, 60.1)) == "https://maps.apple.com/?daddr=60.100000%2C24.900000&dirflg=d"
    )
    assert links.geo((24.9, 60.1), "a&b (c)") == "geo:60.100000,24.900000?q=60.100000,24.900000(a%26b%20%28c%29)"  # fmt: skip # noqa: E501
    assert [links.tel(text) for text in ("+358 (0)9-1234", "call me", "javascript:1")] == [
        "tel:+358091234", "", "",
    ]  # fmt: skip


class _Tags(HTMLParser):
    """Collects tags and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_names_are_only_text(tmp_path: Path, helsinki: City) -> None:
    """Whatever names and notes hold, pages have no tag of it, and all files can be read."""
    given = problem(
        names=("depot", NASTY, "Bob", "Cy"),
        name=NASTY,
        details={1: {"notes": NASTY, "phone": NASTY, NASTY: NASTY}},
        vehicles=[Vehicle(capacity=(4.0,), max_trips=2, name=NASTY)],
    )
    written = write_sheets(tmp_path, given, Solution.from_routes(given, PLAN), helsinki)
    assert sorted(written) == ["sheets.pdf", "summary.html", "vehicle-0.gpx", "vehicle-0.html"]
    for name in ("summary.html", "vehicle-0.html"):
        page = _Tags(written[name].read_text(encoding="utf-8"))
        assert "script" not in page.tags
        schemes = {urlsplit(link).scheme for link in page.links}
        assert schemes <= {"", "https", "geo", "tel"}
    raw = written["sheets.pdf"].read_bytes()
    assert raw.startswith(b"%PDF-")
    assert raw.rstrip().endswith(b"%%EOF")
    route = gpxpy.parse(written["vehicle-0.gpx"].read_text(encoding="utf-8"))
    assert [len(way.points) for way in route.routes] == [6]
    assert sum(len(part.points) for part in route.tracks[0].segments) > 6


def test_a_sheet_has_map_codes_and_links(tmp_path: Path, helsinki: City) -> None:
    """The page of a vehicle shows the map, a code for the route and links for every stop."""
    given = problem()
    written = write_sheets(tmp_path, given, Solution.from_routes(given, PLAN), helsinki)
    text = written["vehicle-0.html"].read_text(encoding="utf-8")
    page = _Tags(text)
    assert page.tags.count("svg") == 1
    assert "data:image/png;base64," in text
    for scheme, count in (("geo:", 6), ("https://maps.apple.com/", 6), ("tel:+35891", 1)):
        assert sum(link.startswith(scheme) for link in page.links) == count
    assert "vehicle-0.gpx" in page.links
    summary = _Tags(written["summary.html"].read_text(encoding="utf-8"))
    assert summary.links == ["vehicle-0.html"]


def test_without_coordinates_there_is_no_map(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A problem of matrices alone has sheets that say why they have no map."""
    given = problem(lonlat=None)
    written = write_sheets(tmp_path, given, Solution.from_routes(given, PLAN))
    text = written["vehicle-0.html"].read_text(encoding="utf-8")
    assert "no coordinates" in text
    assert not {"img", "svg"} & set(_Tags(text).tags)
    assert "vehicle-0.gpx" not in written
    assert "without maps" in caplog.text


def test_an_empty_plan_has_a_summary(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no vehicle drives, that is what the summary says; older sheets are named."""
    given = problem()
    (tmp_path / "vehicle-7.html").write_text("yesterday")
    written = write_sheets(tmp_path, given, Solution.from_routes(given, []))
    assert sorted(written) == ["sheets.pdf", "summary.html"]
    assert "No vehicle drives" in written["summary.html"].read_text(encoding="utf-8")
    assert "vehicle-7.html" in caplog.text


def test_many_stops_on_one_route(tmp_path: Path) -> None:
    """A route of 300 stops has as many pages as it takes and no fault."""
    n = 301
    away = 1 - np.eye(n)
    given = Problem.from_matrices(
        1000 * away,
        60 * away,
        lonlat=np.stack([np.linspace(24, 25, n), np.full(n, 60.0)], axis=1),
        names=["depot", *(f"{k} {'name ' * 9}" for k in range(1, n))],
    )
    written = write_sheets(tmp_path, given, Solution.from_routes(given, [range(1, n)]))
    assert written["vehicle-0.html"].read_text(encoding="utf-8").count("<svg") == 31
    assert len(re.findall(rb"/Type /Page\b", written["sheets.pdf"].read_bytes())) > 5


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault while pages are laid out leaves what was there before."""
    given = problem()
    (tmp_path / "summary.html").write_text("yesterday")
    monkeypatch.setattr("nco.sheets.pdf.Pages.content", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_sheets(tmp_path, given, Solution.from_routes(given, PLAN))
    assert [path.name for path in tmp_path.iterdir()] == ["summary.html"]


def test_letters_that_fonts_have() -> None:
    """DejaVu has accents, Greek and Cyrillic; what it lacks is known."""
    fonts = [dejavu()[0]]
    assert missing_of("Müller Ελλάδα Привет", fonts) == set()
    assert missing_of("\u5317", fonts) == {0x5317}


def test_begin_is_a_time_of_day(tmp_path: Path) -> None:
    """A day begins between midnight and midnight."""
    given = problem()
    with pytest.raises(InputError, match="begin_s is 90000"):
        write_sheets(tmp_path, given, Solution.from_routes(given, PLAN), begin_s=90000)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """`nco sheets` reads what `nco solve` wrote; `nco solve --sheets` writes the same at once."""
    given = replace(problem(), times=Times.NUMBERS)
    plan = Solution.from_routes(given, PLAN)
    files = [str(save(given, tmp_path / "p.json")), str(save(plan, tmp_path / "s.json"))]
    out = str(tmp_path / "out")
    command = ["sheets", *files, "--out", out, "--begin", "01:00", "--quiet"]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["sheets"]) == 4
    assert "09:30\u201310:00" in (tmp_path / "out" / "vehicle-0.html").read_text(encoding="utf-8")
    both = str(tmp_path / "both")
    solve = ["solve", files[0], "--method", "nearest", "--sheets", both, "--quiet", "--json"]
    assert main(solve) in (0, 1)
    assert f"{both}/summary.html" in json.loads(capsys.readouterr().out)["sheets"]
    assert main([*command[:-2], "25:00"]) == 2
    assert "not a time of day" in capsys.readouterr().err
