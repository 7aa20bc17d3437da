"""The planner's page in a browser: from tables to a plan, by hand, through the day, to files."""

import json

import pytest
from browser import Browser, browsing, needs_browser, served_page

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
