"""The planner's page in Chromium: how soon it is there, how smooth, and a picture of each step.

    python benchmarks/page.py --pictures docs/pictures/planner   # two sizes, by day and by night
    python benchmarks/page.py --stops 500                        # times only

Numbers: from opening the address to a page that can be used; frames a second while the pointer goes
over the stops and while a stop is dragged over the routes; milliseconds from a change by hand until
it is judged and shown. Needs the extra `dev` (playwright) and a Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nco

CHROMIUM = "/usr/bin/chromium"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
CHANGED = """async (key) => {
  const turn = () => document.querySelector(".stop.chosen .number")?.textContent;
  const before = turn();
  const begun = performance.now();
  document.querySelector(`.card [data-key=${key}]`).click();
  while (turn() === before) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
COUNT_FRAMES = """() => {
  window.frames_ = [];
  const note = (now) => { window.frames_.push(now); requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""


@contextmanager
def server(warm_s: float = 180.0) -> Iterator[str]:
    """`nco serve` in a process of its own, with nothing saved, once it is warm."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nco", "serve", "--no-browser", "--port", str(port)]
        command += ["--data", str(Path(folder) / "kept.sqlite")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}/"
            for _ in range(int(10 * warm_s)):
                try:
                    urlopen(f"{address}v1/cities", timeout=60).read()
                    break
                except URLError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait()


def scenario(count: int) -> dict[str, Any]:
    """A day with so many stops on random streets of Helsinki, as a file of the page."""
    places = nco.city("helsinki").sample(count + 1, seed=3)
    hours = ("", "8:00-11:00", "9:00-12:00", "13:00-16:00")
    rows = [
        [f"Stop {k}" if k else "Depot", "" if k else "depot", f"{lat:.6f}", f"{lon:.6f}",
         str(1 + k % 5) if k else "", hours[k % 4] if k else "", "4 min" if k else ""]
        for k, (lon, lat) in enumerate(places)
    ]  # fmt: skip
    header = ["name", "kind", "lat", "lon", "demand", "window", "service"]
    vans = max(3, count // 18)
    return {
        "format": "nco-scenario", "version": 1, "name": f"{count} stops",
        "stops": {"header": header, "rows": rows},
        "fleet": {"header": ["name", "capacity", "shift"],
                  "rows": [[f"Van {k + 1}", "75", "7:00-17:00"] for k in range(vans)]},
        "zones": [], "routes": None, "options": {"time_limit_s": 5},
    }  # fmt: skip


class Story:
    """A page, what is done on it, and pictures of it.

    Args:
        page: of Playwright.
        folder: where pictures go, if anywhere.
        name: that they begin with.
    """

    def __init__(self, page: Any, folder: Path | None, name: str) -> None:
        self.page, self._folder, self._name = page, folder, name

    def picture(self, step: str, wait_s: float = 0.7) -> None:
        """Takes one, in few colours so that it is small."""
        if self._folder is None:
            return
        self.page.wait_for_timeout(1000 * wait_s)
        path = self._folder / f"{self._name}-{step}.png"
        self.page.screenshot(path=path)
        from PIL import Image

        image = Image.open(path).convert("RGB")
        image.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)

    def click(self, what: str) -> None:
        """Clicks the first of what is there."""
        self.page.locator(what).first.click()

    def give(self, *files: Any) -> None:
        """Opens files."""
        with self.page.expect_file_chooser() as chooser:
            self.click("[data-key=files]")
        chooser.value.set_files(list(files))

    def plan(self, seconds: str) -> None:
        """Plans, and waits for the end."""
        self.page.select_option(".seconds", seconds)
        self.click("#plan:not(:disabled)")
        self.page.locator("[data-key=further]:not(:disabled)").wait_for(
            state="attached", timeout=180_000
        )
        self.page.wait_for_timeout(1500)


def as_file(content: dict[str, Any]) -> dict[str, Any]:
    """A scenario as a file that is chosen."""
    raw = json.dumps(content).encode()
    return {"name": "scenario.json", "mimeType": "application/json", "buffer": raw}


def doubtful() -> dict[str, Any]:
    """A small day in which much is wrong."""
    day = scenario(24)
    rows = day["stops"]["rows"]
    rows[3][4] = "many"
    rows[5][5] = "9:00-9:02"
    rows[7][2:4] = ["60.1719", "24.9300"]
    rows[9][4] = "90"
    day["stops"]["header"].append("address")
    for row in rows:
        row.append("")
    rows[11][2:4] = ["", ""]
    rows[11][7] = "Mannerheimintie 999"
    return day


def desktop(story: Story) -> None:
    """All steps, as a dispatcher sees them."""
    page = story.page
    story.picture("start")
    story.give(as_file(doubtful()))
    page.wait_for_selector(".check")
    story.picture("checks", 2)
    page.locator("[data-key=files]").or_(page.locator("[aria-label=More]")).first.click()
    story.click(".menu >> text=Try an example")
    page.wait_for_selector("#plan:not(:disabled)")
    page.wait_for_function(
        "() => document.querySelectorAll('#sheet-stops .tabulator-row').length > 8"
    )
    story.picture("tables", 2)
    page.select_option(".seconds", "10")
    story.click("#plan:not(:disabled)")
    page.locator(".route").first.wait_for(timeout=180_000)
    story.picture("search", 2.5)
    page.locator("[data-key=further]:not(:disabled)").wait_for(timeout=180_000)
    story.picture("plan", 2)
    page.keyboard.press("4")
    page.keyboard.press("n")
    page.keyboard.press("n")
    story.picture("timeline", 1.5)
    block = page.locator(".service").nth(3)
    box, lane = block.bounding_box(), page.locator("[data-row]").nth(2).bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, lane["y"] + 14, steps=8)
    story.picture("by-hand", 1.5)
    page.mouse.up()
    page.wait_for_timeout(800)
    story.click(".tab >> text=Compare")
    story.click("[data-key=keep]")
    story.click("dialog .main")
    story.plan("2")
    story.click(".tab >> text=Compare")
    story.picture("compare", 1.5)
    _zone(story)
    story.click(".tab >> text=Day")
    story.click("#begin-day:not(:disabled)")
    page.wait_for_selector(".clock-now")
    page.fill(".clock-now", "12:30")
    page.press(".clock-now", "Enter")
    story.click(".tab >> text=Timeline")
    story.picture("day", 2)
    story.click("#bar >> text=Export")
    story.picture("export")


def _zone(story: Story) -> None:
    page = story.page
    box = page.locator("#map").bounding_box()
    story.click("[aria-label='Draw a zone to avoid']")
    for x, y in ((0.395, 0.2), (0.45, 0.16), (0.47, 0.33), (0.435, 0.36)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.keyboard.press("Enter")
    page.wait_for_timeout(2500)
    story.plan("2")
    story.picture("zone", 4)
    page.keyboard.press("Control+z")  # the plan, and then the zone
    page.keyboard.press("Control+z")
    page.wait_for_selector("#plan:not(:disabled)")
    page.wait_for_timeout(1500)


def phone(story: Story) -> None:
    """The same day in the hand."""
    page = story.page
    story.picture("start")
    story.click("#example")
    page.wait_for_selector("#plan:not(:disabled)")
    story.plan("2")
    story.picture("map", 1.5)
    for part in ("side", "dock", "time"):
        story.click(f"[data-to={part}]")
        story.picture(part, 1.2)


def pictures(address: str, playwright: Any, folder: Path) -> None:
    """Pictures of the story, at both sizes, by day and by night."""
    folder.mkdir(parents=True, exist_ok=True)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for kind, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
            (desktop if kind == "desktop" else phone)(Story(page, folder, f"{kind}-{scheme}"))
            context.close()
    browser.close()


def frames(page: Any, path: list[tuple[float, float]]) -> float:
    """Frames a second while the pointer goes along a path."""
    page.evaluate("window.frames_.length = 0")
    for x, y in path:
        page.mouse.move(x, y)
    page.wait_for_timeout(50)
    times = page.evaluate("window.frames_")
    return 1000 * (len(times) - 1) / (times[-1] - times[0])


def over_stop(page: Any, x: float, y: float) -> bool:
    """Whether a stop is under the pointer, once that is somewhere."""
    page.mouse.move(x, y)
    page.wait_for_timeout(20)
    return bool(page.locator(".hint > strong").count())


def measured(address: str, playwright: Any, count: int) -> dict[str, float]:
    """What is measured, with so many stops."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    found: dict[str, float] = {}
    ready = []
    for _ in range(3):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        begun = time.perf_counter()
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        ready.append(time.perf_counter() - begun)
    found["ready_s"] = statistics.median(ready)
    story = Story(page, None, "")
    story.give(as_file(scenario(count)))
    page.wait_for_selector("#plan:not(:disabled)", timeout=60_000)
    story.plan("5")
    page.wait_for_timeout(3000)
    page.evaluate(COUNT_FRAMES)
    box = page.locator("#map").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    across = [(middle[0] - 150 + 3 * k, middle[1] - 100 + 2 * k) for k in range(100)]
    found["hover_fps"] = frames(page, across)
    x, y = next(at for at in across if over_stop(page, *at))
    page.mouse.down()
    found["drag_fps"] = frames(page, [(x + 1.5 * k, y + 0.5 * k) for k in range(100)])
    page.keyboard.press("Escape")
    page.mouse.up()
    page.keyboard.press("4")
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("n")  # the third stop or so of the first route
    page.wait_for_selector(".card [data-key=down]:not(:disabled)")
    page.wait_for_timeout(1000)
    spent = [page.evaluate(CHANGED, ("down", "up")[k % 2]) for k in range(12)]
    found["judged_ms"], found["judged_most_ms"] = statistics.median(spent), max(spent)
    browser.close()
    return found


def main() -> None:
    """Takes pictures, or measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=500)
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the story")
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with server() as address, sync_playwright() as playwright:
        if asked.pictures is not None:
            pictures(address, playwright, asked.pictures)
            return
        for name, value in measured(address, playwright, asked.stops).items():
            print(f"{name:>16}  {value:.2f}")
        print(f"{'load':>16}  {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
