"""The map in a real browser: it opens without network, layers click, stops tell their load."""

import chromium
import pytest

from nco import Solution, plot, sample

READY = "window.Bokeh && Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle"
LAYERS = "Bokeh.documents[0].get_model_by_name('layers')"
TILES = "Bokeh.documents[0].get_model_by_name('tiles')"
MAP = "Bokeh.documents[0].get_model_by_name('map')"
# Widgets live in nested shadow roots, which document.querySelector does not enter.
FIND = """
((selector) => {
  const found = []
  const walk = (root) => {
    found.push(...root.querySelectorAll(selector))
    for (const node of root.querySelectorAll('*')) if (node.shadowRoot) walk(node.shadowRoot)
  }
  walk(document)
  return found
})"""
PLACE = "(({left, top, width, height}) => [left + width / 2, top + height / 2])"
# Where on the page the first stop of the first layer is drawn.
FIRST_STOP = f"""
(() => {{
  const plot = {MAP}
  const view = Bokeh.index.get_by_id(plot.id) ?? Bokeh.index.find_one_by_id(plot.id)
  const glyphs = plot.renderers.filter(r => r.visible && r.data_source?.data.order)
  const data = glyphs[0].data_source.data
  const box = {FIND}('.bk-Canvas')[0].getBoundingClientRect()
  const {{x_scale, y_scale}} = view.frame
  return [box.left + x_scale.compute(data.x[0]), box.top + y_scale.compute(data.y[0]),
          data.name[0], data.load[0], data.arrival[0]]
}})()"""


@pytest.fixture(scope="module")
def map_file(helsinki, tmp_path_factory):
    """A map with two layers."""
    problem = sample.rcvrp(helsinki, 12, seed=4)
    routes = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    first = Solution.from_routes(problem, routes, method="first")
    second = Solution.from_routes(problem, [r[::-1] for r in routes], method="second")
    path = tmp_path_factory.mktemp("map") / "map.html"
    return plot.map(problem, [first, second], helsinki).save(path)


@pytest.fixture(scope="module")
def browser():
    """A headless browser, if this machine has one."""
    if chromium.find() is None:
        pytest.skip("no Chromium or Chrome is on PATH")
    with chromium.Chromium() as opened:
        yield opened


def visible_layers(browser):
    """Which layers have visible lines."""
    return browser.evaluate(
        f"[...new Set({MAP}.renderers.filter(r => r.visible && r.data_source?.data.leg)"
        ".map(r => r.data_source.data.method[0]))]"
    )


def from_network(browser):
    """Requests that left the file."""
    return [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))]


def click(browser, selector, which=0):
    """Click the middle of an element."""
    place = f"{PLACE}({FIND}({selector!r})[{which}].getBoundingClientRect())"
    browser.click(*browser.evaluate(place))


def test_map_opens_clicks_and_hovers_without_network(browser, map_file, tmp_path):
    """Layers switch on and off, a stop shows load and time, and nothing is fetched or complains."""
    pictures = browser.folder_for_pictures(tmp_path)
    browser.open(map_file)
    browser.until(READY)
    assert visible_layers(browser) == ["first"]
    browser.screenshot(pictures / "map-opened.png")

    x, y, name, load, arrival = browser.evaluate(FIRST_STOP)
    browser.move(x - 60, y - 60)
    browser.move(x, y)
    tip = browser.until(f"{FIND}('.bk-Tooltip').map(t => t.shadowRoot.textContent).join(' ')")
    browser.screenshot(pictures / "map-hovered.png")
    for text in (name, f"load after{load}", f"arrival{arrival}"):
        assert text in tip
    browser.move(5, 5)

    click(browser, "input[type=checkbox]", 1)
    browser.until(f"{LAYERS}.active.length == 2")
    assert sorted(visible_layers(browser)) == ["first", "second"]
    click(browser, "input[type=checkbox]", 0)
    browser.until(f"{LAYERS}.active.length == 1")
    assert visible_layers(browser) == ["second"]
    browser.until(READY)
    browser.screenshot(pictures / "map-second-layer.png")

    assert from_network(browser) == []
    assert browser.complaints == []


def test_tiles_are_asked_for_only_on_request(browser, map_file):
    """Only the button makes the map ask the network for tiles."""
    browser.open(map_file)
    browser.until(READY)
    browser.requests.clear()
    # Answering here keeps the test from depending on a network.
    browser.command("Network.setBlockedURLs", urls=["*cartocdn*"])
    click(browser, "button.bk-btn")
    browser.until(f"{TILES}.active")
    browser.wait(lambda: browser.evaluate("1") and from_network(browser), "a request for a tile")
    assert all("cartocdn.com/light_all/" in url for url in from_network(browser))
