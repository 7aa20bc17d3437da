"""`nco serve`: an HTTP interface on this machine."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
from typing import Any

from nco import console
from nco.commands import _problem
from nco.errors import InputError, StorageError, quoted

log = logging.getLogger("nco")
_PORT = 8765
_MOST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "The interface is described at /openapi.json and in docs/serving.md. Ctrl-C ends the "
        "server; what was saved is kept. A server that others can reach needs a token."
    )
    parser.add_argument(
        "--city", nargs="+", action="extend", metavar="NAME",
        help="cities, or paths of extracts (helsinki)",
    )  # fmt: skip
    parser.add_argument(
        "--profile", nargs="+", action="extend", choices=_problem.PROFILES, help="(car)"
    )
    _problem.add_max_snap(parser)  # type: ignore[arg-type]
    group = parser.add_argument_group("who may ask")
    group.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    group.add_argument("--port", type=_port, default=_PORT, help=f"0 for any free one ({_PORT})")
    group.add_argument(
        "--token-file", type=_problem.path, metavar="FILE",
        help="holds the token that requests must give (NCO_TOKEN in the environment)",
    )  # fmt: skip
    group.add_argument(
        "--allow-origin", nargs="+", action="extend", metavar="URL",
        help="other sites whose pages may ask, such as https://planner.example",
    )  # fmt: skip
    group = parser.add_argument_group("how much")
    group.add_argument("--jobs", type=_problem.whole, metavar="N", help="searches at once (cores)")
    group.add_argument("--waiting", type=_problem.seed, metavar="N", help="that may wait (32)")
    group.add_argument("--max-stops", type=_problem.whole, metavar="N", help="of a problem (1000)")
    group.add_argument("--max-vehicles", type=_problem.whole, metavar="N", help="likewise (1000)")
    group.add_argument("--max-time", type=_problem.seconds, metavar="S", help="of a search (300)")
    group.add_argument("--max-body", type=_problem.whole, metavar="BYTES", help="(10000000)")
    parser.add_argument(
        "--data", type=_problem.path, metavar="FILE",
        help="where scenarios and days are kept (the platform's folder for data)",
    )  # fmt: skip
    parser.add_argument(
        "--tiles", metavar="URL",
        help="map tiles for the page, https://.../{z}/{x}/{y}.png (drawn from the extract)",
    )  # fmt: skip
    parser.add_argument(
        "--no-warm-up", action="store_true", help="load what searches take with the first of them"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")
    parser.add_argument("--quiet", action="store_true", help="no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        import uvicorn

        from nco.web.app import application
        from nco.web.hurried import Hurried
    except ModuleNotFoundError as error:
        raise InputError(
            f"serving needs the package {error.name}; install it by `pip install nco-routing[web]`"
        ) from None
    settings = _settings(arguments)
    served = application(settings)
    sock = _listening(settings.host, arguments.port)
    address = _address(settings.host, sock.getsockname()[1])
    config = uvicorn.Config(
        served,
        http=Hurried,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        limit_concurrency=1000,
    )
    server = _Announced(config, address, browser=not arguments.no_browser)
    server.run(sockets=[sock])
    return 0


class _Announced:
    """A server that says where it is once it is ready."""

    def __init__(self, config: Any, address: str, *, browser: bool) -> None:
        import uvicorn

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                console.write(f"nco serves {address}  (Ctrl-C ends it)")
                if browser and _has_screen():
                    import webbrowser

                    webbrowser.open(address)

        self._server = Server(config)

    def run(self, sockets: list[Any]) -> None:
        """Serves until it is interrupted."""
        self._server.run(sockets=sockets)


def _has_screen() -> bool:
    """Whether a browser could be shown."""
    import sys

    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def _settings(arguments: argparse.Namespace) -> Any:
    from nco.web.settings import Limits, Settings

    given = {
        "jobs": arguments.jobs,
        "waiting": arguments.waiting,
        "stops": arguments.max_stops,
        "vehicles": arguments.max_vehicles,
        "time_limit_s": arguments.max_time,
        "body_bytes": arguments.max_body,
    }
    cities = tuple(arguments.city or ("helsinki",))
    return Settings(
        cities=cities,
        profiles=tuple(arguments.profile or ("car",)),
        host=arguments.host,
        token=_token(arguments.token_file),
        origins=tuple(arguments.allow_origin or ()),
        limits=Limits(**{name: value for name, value in given.items() if value is not None}),
        data=_data(arguments.data),
        tiles=arguments.tiles,
        max_snap_m=arguments.max_snap,
        warm_up=not arguments.no_warm_up,
    )


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get("NCO_TOKEN") or None
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the token cannot be read from {path}: {error}") from None


def _data(path: Path | None) -> Path:
    if path is not None:
        return path
    from platformdirs import user_data_path

    return user_data_path("nco") / "planner.sqlite"


def _listening(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host.strip("[]"), port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise StorageError(
            f"cannot listen at {_address(host, port)}: {error.strerror or error}; give another "
            "--port (0 for any free one), or end what listens there"
        ) from error
    return sock


def _address(host: str, port: int) -> str:
    return (
        f"http://[{host}]:{port}/" if ":" in host and "[" not in host else f"http://{host}:{port}/"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST_PORT:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a port, from 0 to {_MOST_PORT}")
    return int(text)
