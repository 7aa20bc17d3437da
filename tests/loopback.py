"""Web servers on this machine that behave as a test tells them to."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, bytes]


@contextlib.contextmanager
def loopback(
    answer: Callable[[str, bytes, int], Answer], moved: str | None = None
) -> Iterator[str]:
    """Serve what `answer(path, body, how many requests came before)` returns; yield the URL.

    With `moved`, everything is said to be there.
    """
    count = 0
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal count
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                before, count = count, count + 1
            status, reply = answer(self.path, body, before)
            with contextlib.suppress(OSError):
                self.send_response(status)
                if moved:
                    self.send_header("Location", moved)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
