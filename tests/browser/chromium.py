"""A headless Chromium driven over its debugging port, as far as the tests of the map need it.

Speaks the DevTools protocol through tornado, which Bokeh brings, so that no driver is needed.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
START_S = 30.0
STEP_S = 20.0


def find() -> str | None:
    """The path of a Chromium or Chrome, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One browser with one page; a context manager.

    Attributes:
        requests: URLs that the page asked the network for, in order.
        complaints: error messages on its console, and exceptions.
    """

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._folder = tempfile.mkdtemp(prefix="nco-chromium-")
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self._process = subprocess.Popen(
            [
                str(find()),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._folder}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        try:
            self._socket = self._loop.run_until_complete(self._connect())
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.command(f"{domain}.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if hasattr(self, "_socket"):
            # The browser may be gone before it answers.
            with contextlib.suppress(RuntimeError, TimeoutError):
                self.command("Browser.close")
            self._loop.run_until_complete(self._close())
        else:
            self._process.terminate()
        try:
            self._process.wait(timeout=STEP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _connect(self) -> Any:
        from tornado.websocket import websocket_connect

        port_file = Path(self._folder) / "DevToolsActivePort"
        deadline = time.monotonic() + START_S
        while not (port_file.is_file() and port_file.read_text().count("\n")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Chromium did not start")
            await asyncio.sleep(0.05)
        port = int(port_file.read_text().split()[0])
        request = Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
        with urlopen(request, timeout=STEP_S) as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        return await websocket_connect(address, max_message_size=1 << 28)

    async def _close(self) -> None:
        self._socket.close()
        await asyncio.sleep(0.05)  # lets the socket's own tasks end before the loop does

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and wait for its answer."""
        return self._loop.run_until_complete(self._command(method, parameters))

    async def _command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        await self._socket.write_message(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        while True:
            text = await asyncio.wait_for(self._socket.read_message(), STEP_S)
            if text is None:
                raise RuntimeError("Chromium closed the connection")
            message = json.loads(text)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        kind, what = event.get("method"), event.get("params", {})
        if kind == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif kind == "Runtime.exceptionThrown":
            self.complaints.append(str(what["exceptionDetails"]))
        elif kind == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
            self.complaints.append(str(what["args"]))
        elif kind == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.complaints.append(what["entry"]["text"])

    def open(self, path: Path) -> None:
        """Open a local file."""
        self.command("Page.navigate", url=path.resolve().as_uri())

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until a JavaScript expression is true and return its value."""
        return self.wait(lambda: self.evaluate(expression), expression)

    def wait(self, ready: Callable[[], Any], what: str) -> Any:
        """Wait until a function returns something true and return that."""
        deadline = time.monotonic() + STEP_S
        while not (value := ready()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not true in {STEP_S:g} s: {what}")
            time.sleep(0.05)
        return value

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Move the mouse and press its left button."""
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            button = {"button": "left", "clickCount": 1}
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def screenshot(self, path: Path) -> None:
        """Save what the page looks like as a PNG."""
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot")["data"]))

    @staticmethod
    def folder_for_pictures(otherwise: Path) -> Path:
        """Where tests leave their screenshots: `NCO_SCREENSHOTS`, if it is set."""
        folder = Path(os.environ.get("NCO_SCREENSHOTS", otherwise))
        folder.mkdir(parents=True, exist_ok=True)
        return folder
