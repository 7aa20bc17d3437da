"""A browser on the planner's page, served from the test's own process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from in_process import Threads

CHROMIUM = Path("/usr/bin/chromium")


def needs_browser() -> Any:
    """What drives it; tests are skipped where it, or Chromium, is missing."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed", exc_type=ImportError
    )
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    return sync


@contextmanager
def served_page(**settings: Any) -> Iterator[str]:
    """The address of a server that runs in a thread until the end of a block."""
    import uvicorn

    from nco.web.app import served_by
    from nco.web.settings import Settings
    from nco.web.state import Server
    from nco.web.work import served

    chosen, before = Settings(**settings), served.settings()
    served.begin(chosen, searches=False)
    app = served_by(Server(chosen, Threads))
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        served.begin(before, searches=False)


class Browser:
    """A page that is looked at, and what went wrong on it.

    Attributes:
        page: of Playwright.
        wrong: errors that it told of.
        asked: addresses of what it asked for.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: self.wrong.append(f"dialog {dialog.message}"))
        page.on(
            "console",
            lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]")

    def open(self, *files: Any) -> None:
        """Gives it files, as {"name", "mimeType", "buffer"} or paths."""
        with self.page.expect_file_chooser() as chooser:
            self.page.click("[data-key=files]")
        chooser.value.set_files(list(files))

    def tab(self, name: str) -> None:
        """Turns to a tab."""
        self.page.click(f".tab:has-text('{name}')")

    def plan(self) -> None:
        """Plans, and waits for the end of the search."""
        self.page.click("#plan:not(:disabled)")
        self.page.wait_for_selector("[data-key=further]:not(:disabled)")
        self.page.wait_for_selector(".route")


@contextmanager
def browsing(address: str, **context: Any) -> Iterator[Browser]:
    """A browser at an address until the end of a block."""
    with needs_browser().sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        context = {"viewport": {"width": 1280, "height": 800}, **context}
        page = browser.new_context(accept_downloads=True, **context).new_page()
        page.set_default_timeout(60_000)
        try:
            yield Browser(page, address)
        finally:
            browser.close()
