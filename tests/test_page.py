"""The planner's page in a browser: from tables to a plan, by hand, through the day, to files."""

import json

import pytest
from browser import Browser, browsing, needs_browser, served_page

from nco.data.formats.xlsx import workbook

pytest.importorskip("fastapi", reason="the extra `web` is not installed")

EVIL = "<img src=x onerror=alert(1)>"
STOPS = {
    "header": ["name", "kind", "lat", "lon", "address", "demand", "window", "service", EVIL],
    "rows": [
        ["depot", "depot", "60.1719", "24.9414", "", "", "", "", ""],
        [EVIL, "", "60.1710", "24.9450", "", "1", "", "5 min", EVIL],
        ["b", "", "60.1680", "24.9500", "", "1", "9:00-12:00", "5 min", ""],
        ["c", "", "60.1700", "24.9470", "", "1", "", "5 min", ""],
        ["d", "", "60.1690", "24.9390", "", "1", "", "5 min", ""],
        ["e", "", "", "", "Kaivokatu 1", "1", "", "5 min", ""],
        ["f", "", "60.1730", "24.9400", "", "many", "", "5 min", ""],
    ],
}
FLEET = {
    "header": ["name", "capacity", "shift"],
    "rows": [["van", "5", "8-17"], [EVIL, "5", "8-17"]],
}
SCENARIO = {
    "format": "nco-scenario", "version": 1, "name": EVIL, "stops": STOPS, "fleet": FLEET,
    "zones": [], "routes": None, "options": {"time_limit_s": 0.3, "method": "pyvrp"},
}  # fmt: skip


def as_file(content: dict) -> dict:
    """A scenario as a file that is chosen."""
    raw = json.dumps(content).encode()
    return {"name": "scenario.json", "mimeType": "application/json", "buffer": raw}


@pytest.fixture(scope="module")
def address():
    needs_browser()
    with served_page() as found:
        yield found


def test_a_day_from_tables_to_the_road(address):
    """Faults are shown and mended, routes planned, changed, locked, compared, driven and saved."""
    with browsing(address) as browser:
        page = browser.page
        browser.open(as_file(SCENARIO))
        _mended(browser)
        browser.plan()
        assert page.locator(".total.good").count() == 2  # none is late, none left out
        _chosen_everywhere(browser)
        _by_hand(browser)
        _compared(browser)
        _driven(browser)
        with page.expect_download() as download:
            page.click("#bar >> text=Export")
            page.click(".menu >> text=GeoJSON")
        assert json.loads(download.value.path().read_text())["type"] == "FeatureCollection"
        assert browser.wrong == []
        assert {url for url in browser.asked if not url.startswith((address, "blob:"))} == set()


def _mended(browser: Browser) -> None:
    """The cell that is no number is told of, led to, and typed anew; undo brings it back."""
    page = browser.page
    fault = page.locator(".check.bad", has_text="row 7")
    fault.locator(".what").click()
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    fault.wait_for(state="detached")
    page.click("[aria-label=Undo]")
    fault.wait_for()
    page.click("[aria-label=Redo]")
    fault.wait_for(state="detached")


def _chosen_everywhere(browser: Browser) -> None:
    """What is chosen on the timeline is chosen on the card, in the list and in the table."""
    page = browser.page
    browser.tab("Timeline")
    page.locator(".service[data-stop='b']").click()
    page.locator(".card h2").get_by_text("b", exact=True).wait_for()
    page.wait_for_selector(".stop.chosen[data-stop='b']")
    browser.tab("Stops")
    page.locator("#sheet-stops .tabulator-row.chosen", has_text="b").wait_for()


def _by_hand(browser: Browser) -> None:
    """A stop goes to the other vehicle at once, judged; a locked route stays when planned again."""
    page = browser.page
    given = page.locator(".card select")
    before = given.input_value()
    other = next(name for name in ("van", EVIL) if name != before)
    given.select_option(other)
    page.wait_for_selector(f".route[data-vehicle='{other}'] [data-stop=b]")
    page.click(f".route[data-vehicle='{other}'] [aria-label^=Lock]")
    page.wait_for_selector(f".route[data-vehicle='{other}'] [aria-label^=Unlock]")
    browser.plan()
    page.wait_for_selector(f".route[data-vehicle='{other}'] [data-stop=b]")


def _compared(browser: Browser) -> None:
    """A plan that is kept stands beside the present one, and differs from it in nothing yet."""
    page = browser.page
    browser.tab("Compare")
    page.click("[data-key=keep]")
    page.click("dialog .main")
    page.wait_for_selector("text=Each stop has the same vehicle in both")


def _driven(browser: Browser) -> None:
    """The day begins, time goes on, and what has been begun is told."""
    page = browser.page
    browser.tab("Day")
    page.click("#begin-day")
    page.fill(".clock-now", "16:00")
    page.press(".clock-now", "Enter")
    page.wait_for_selector(".day .route >> text=home at")
    page.click("text=End and forget this day")
    page.click("dialog .main")


def test_what_is_typed_is_never_thrown_away(address):
    """A field that somebody types in outlives whatever is shown anew beside it, and is taken."""
    with browsing(address) as browser:
        page = browser.page
        browser.open(as_file({**SCENARIO, "stops": {**STOPS, "rows": STOPS["rows"][:6]}}))
        browser.plan()
        browser.tab("Day")
        page.click("#begin-day")
        page.fill(".clock-now", "1")
        page.evaluate("import('/page/js/app.js').then((app) => app.tell('day'))")
        page.evaluate("() => new Promise((done) => setTimeout(done, 200))")  # many frames
        page.keyboard.type("6:00\n")
        page.wait_for_selector(".day .route >> text=home at")
        assert browser.wrong == []


HAND = {
    **SCENARIO,
    "name": "By hand",
    "stops": {"header": STOPS["header"], "rows": STOPS["rows"][:6]},
    "fleet": {"header": FLEET["header"], "rows": [[row[0], "3", row[2]] for row in FLEET["rows"]]},
}
PLACES = """() => {
  const { scene, drawn } = document.getElementById("map").cityMap;
  const box = drawn._container.getBoundingClientRect();
  return scene.screen.map(([x, y, one]) => [one.name, [x + box.left, y + box.top, one.owner]]);
}"""


def places(browser: Browser) -> dict:
    """Where stops are on the screen, and whose they are."""
    return dict(browser.page.evaluate(PLACES))


def test_hands_zones_files_and_the_day(address):
    """Stops are dragged, zones drawn, a scenario opened again, files written, a day driven."""
    with browsing(address) as browser:
        browser.open(as_file(HAND))
        browser.plan()
        _dragged(browser)
        _zoned(browser)
        _stopped(browser)
        _reopened(browser)
        _written(browser)
        _whole_day(browser)
        assert browser.wrong == []


TITLES = {
    **SCENARIO,
    "name": "Their own words",
    "stops": {
        "header": ["Customer", "Address", "Crates (blue)", "Delivery time", "Order"],
        "rows": [
            ["depot", "Kaivokatu 1", "", "", ""],
            ["b", "Pohjoisesplanadi 37", "2", "8-10", "A 1"],
            ["c", "Nowhere 7", "1", "", "A 2"],
        ],
    },
    "fleet": {"header": ["name", "capacity"], "rows": [["van", "5"]]},
}


def test_a_workbook_has_stops_and_vehicles(address):
    """Two sheets in one file are two tables."""
    sheets = {
        "Orders": [["name", "lat", "lon", "demand"], ["depot", 60.17, 24.94, ""],
                   ["a", 60.171, 24.945, 1], ["b", 60.168, 24.95, 2]],
        "Vans": [["name", "capacity"], ["van", 5], ["bike", 1]],
    }  # fmt: skip
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    with browsing(address) as browser:
        browser.open({"name": "today.xlsx", "mimeType": media, "buffer": workbook(sheets)})
        browser.page.wait_for_selector("#plan:not(:disabled)")
        browser.page.locator(".tab:has-text('Stops') .tag", has_text="3").wait_for()
        browser.page.locator(".tab:has-text('Vehicles') .tag", has_text="2").wait_for()
        assert browser.wrong == []


def test_a_table_in_other_words_is_made_sense_of(address):
    """Columns get a meaning, a stop without a place is shown on the map, doubts are settled."""
    with browsing(address) as browser:
        page = browser.page
        browser.open(as_file(TITLES))
        column = page.locator(".check", has_text="Crates (blue)")
        column.get_by_text("It is the Demand").click()
        column.wait_for(state="detached")
        page.locator(".check", has_text="Delivery time").get_by_text("It is the Window").click()
        order = page.locator(".check.note", has_text="Order")
        order.get_by_text("Leave it so").click()
        order.wait_for(state="detached")
        lost = page.locator(".check.bad", has_text="Nowhere 7")
        browser.plan()
        page.locator(".waiting .chip", has_text="c").wait_for()  # nobody forgets it
        assert page.locator(".total.bad", has_text="left out").count() == 1
        browser.tab("Checks")
        lost.get_by_text("Show it on the map").click()
        page.locator(".map-note", has_text="Click where c is").wait_for()
        box = page.locator("#map").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        lost.wait_for(state="detached")
        browser.plan()
        page.locator(".card h2").get_by_text("c", exact=True).wait_for()
        page.locator(".card .facts", has_text="Demand").wait_for()
        page.click("[aria-label=More]")
        page.click(".menu >> text=Try an example")
        page.wait_for_function("() => document.querySelector('.name').value === 'Example'")
        page.click("[aria-label=Undo]")  # what was opened last can be undone
        page.wait_for_function("() => document.querySelector('.name').value === 'Their own words'")
        page.wait_for_selector(".route")
        assert browser.wrong == []


def test_what_was_not_saved_is_there_after_a_reload(address):
    """Tables, routes and the day outlive the page; saved scenarios are deleted and come back."""
    with browsing(address) as browser:
        page = browser.page
        browser.open(as_file({**HAND, "name": "Not saved"}))
        browser.plan()
        browser.tab("Day")
        page.click("#begin-day:not(:disabled)")
        page.wait_for_selector(".clock-now")
        page.wait_for_timeout(600)
        page.reload()
        page.wait_for_selector("text=This is what you worked on last")
        browser.tab("Day")
        page.locator(".day .route", has_text="van").wait_for()
        with page.expect_download() as download:
            page.click("#bar >> text=Export")
            page.locator(".menu button", has_text="CSV").click()
        assert "van" in download.value.path().read_text(encoding="utf-8-sig")
        page.wait_for_selector(".keep.unsaved")
        page.keyboard.press("Control+s")
        page.click("dialog .main")
        page.wait_for_selector(".keep:not(.unsaved)")
        page.click("[aria-label='Open and save']")
        page.click("[aria-label='Delete Not saved']")
        page.click(".toast >> text=Undo")
        page.wait_for_selector("text=Saved: Not saved")
        assert browser.wrong == []


def _dragged(browser: Browser) -> None:
    """Onto another route on the map and back by undo; onto another lane of the timeline."""
    page = browser.page
    browser.tab("Timeline")
    page.wait_for_selector(".service")
    at = places(browser)
    x, y, owner = at["b"]
    there = next(place for name, place in at.items() if place[2] not in (owner, None))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.mouse.move(*there[:2], steps=4)
    page.locator(".hint", has_text="km").wait_for()  # what it costs is told before it is dropped
    page.mouse.up()
    moved = page.locator(f".lane[data-row='{there[2]}'] .service[data-stop='b']")
    moved.wait_for()
    page.click("[aria-label=Undo]")
    moved.wait_for(state="detached")
    box = page.locator(".service[data-stop='b']").bounding_box()
    lane = page.locator(f".lane[data-row='{there[2]}'] .lane-back").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, lane["y"] + 14, steps=6)
    page.locator(".hint", has_text="km").wait_for()
    page.mouse.up()
    moved.wait_for()


def _zoned(browser: Browser) -> None:
    """A stop in a zone that all avoid is left out, with the zone's name; undo frees it."""
    page = browser.page
    x, y, _ = places(browser)["c"]
    page.click("[aria-label='Draw a zone to avoid']")
    for dx, dy in ((-20, -20), (20, -20), (20, 20), (-20, 20)):
        page.mouse.click(x + dx, y + dy)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key='zone 0']")
    page.locator(".total.bad", has_text="rules broken").wait_for()
    browser.plan()
    page.locator(".unserved", has_text="it lies in 'Zone 1'").wait_for()
    browser.tab("Zones")
    page.click("[data-key^='zone 0 ']:has-text('van')")  # the other one may go there
    browser.plan()
    page.locator(".unserved").wait_for(state="detached")


def _stopped(browser: Browser) -> None:
    """A long search is stopped early, and goes on from what it has."""
    page = browser.page
    page.select_option(".seconds", "60")
    page.click("#plan:not(:disabled)")
    page.click("[data-key=stop]:not(:disabled)")
    page.wait_for_selector("[data-key=further]:not(:disabled)")
    page.click("[data-key=further]")
    page.click("[data-key=stop]:not(:disabled)")
    page.wait_for_selector("[data-key=further]:not(:disabled)")


def _reopened(browser: Browser) -> None:
    """What is saved is there again after a new page: stops, routes, zones."""
    page = browser.page
    page.keyboard.press("Control+s")
    page.click("dialog .main")
    page.wait_for_selector("text=Saved: By hand")
    page.reload()
    page.wait_for_selector("body[data-ready=yes]")
    page.click("[aria-label='Open and save']")
    page.click(".menu >> text=By hand")
    browser.tab("Routes")
    page.wait_for_selector(".route")
    page.locator(".tab:has-text('Zones') .tag", has_text="1").wait_for()


def _written(browser: Browser) -> None:
    """Files begin as their formats do."""
    page = browser.page
    for kind, begin in (
        ("PDF", b"%PDF"),
        ("XLSX", b"PK"),
        ("GPX", b"<?xml"),
        ("CSV", b"\xef\xbb\xbf"),
    ):
        with page.expect_download() as download:
            page.click("#bar >> text=Export")
            page.locator(".menu button", has_text=kind).last.click()
        raw = download.value.path().read_bytes()
        assert raw.startswith(begin), kind


def _whole_day(browser: Browser) -> None:
    """Stops come up, are cancelled and moved, one is reported, a vehicle drops out."""
    page = browser.page
    browser.tab("Day")
    page.click("#begin-day:not(:disabled)")
    page.wait_for_selector(".clock-now")
    page.click("[data-key=add]:not(:disabled)")
    x, y, _ = places(browser)["d"]
    page.mouse.click(x + 40, y)
    page.fill("dialog [aria-label=Name]", "new")
    page.click("dialog .main")
    page.wait_for_selector("text=new is added")
    browser.tab("Timeline")
    page.wait_for_selector(".service[data-stop='new']")
    page.click("[data-key=move]:not(:disabled)")
    x, y, _ = places(browser)["new"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10, steps=4)
    page.mouse.up()
    page.wait_for_selector("text=new was moved")
    page.keyboard.press("Escape")
    page.locator(".service[data-stop='new']").click()
    page.click("[data-key=cancel]:not(:disabled)")
    page.wait_for_selector("text=new is cancelled")
    page.locator(".day [aria-label^='What van reports']").click()
    page.locator(".menu button", has_text="as served").first.click()
    page.click("dialog .main")
    page.wait_for_selector("text=is reported as served")
    page.locator(".day [aria-label^='What van reports']").click()
    page.click(".menu >> text=drops out")
    page.click("dialog .main")  # it cannot be taken back
    page.wait_for_selector("text=The vehicle is out")


@pytest.mark.slow
def test_a_phone_shows_one_part_at_a_time(address):
    """At 390 px nothing is wider than the screen, whichever part is shown."""
    with browsing(address, viewport={"width": 390, "height": 844}, has_touch=True) as browser:
        page = browser.page
        browser.open(as_file(SCENARIO))
        for part in ("side", "dock", "time", "map"):
            page.click(f"[data-to={part}]")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert browser.wrong == []
