"""What a server serves, to whom, and how much of it at once."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

from nco.errors import InputError, quoted, worded
from nco.spread import cores

LEAST_TOKEN = 16  # characters
_TILES = r"https?://[\w.:-]+/(?=\S*\{z\})(?=\S*\{x\})(?=\S*\{y\})[\w./?=&%~+{}-]+"


@dataclass(frozen=True)
class Limits:
    """How much a client may ask for.

    Attributes:
        body_bytes: of a request; more is refused with status 413.
        stops: of a problem, as vroom-express counts them: jobs, and two a shipment.
        vehicles: of a problem.
        points: of a matrix, a route or a list of addresses.
        time_limit_s: of a search.
        request_s: of anything else, before its process is ended.
        jobs: that run at once, each in a process of its own.
        waiting: that wait for one of these; what comes then is refused with status 503.
        kept: answers of jobs that can still be asked for.
        plans: days that can be planned at once.
        scenarios: that are kept.
        store_bytes: of all scenarios and days together.

    Raises:
        InputError: a limit is no positive number.
    """

    body_bytes: int = 10_000_000
    stops: int = 1000
    vehicles: int = 1000
    points: int = 1000
    time_limit_s: float = 300.0
    request_s: float = 30.0
    jobs: int = field(default_factory=cores)
    waiting: int = 32
    kept: int = 200
    plans: int = 100
    scenarios: int = 1000
    store_bytes: int = 1_000_000_000

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            least = 0 if one.name == "waiting" else 1e-9
            if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
                raise InputError(f"limit {one.name} is {quoted(value)}; give a positive number")


@dataclass(frozen=True)
class Settings:
    """What a server serves.

    Attributes:
        cities: names or paths of cities; the first is what is meant where none is named.
        profiles: how one moves there: `car`, `bicycle`, `foot`; the first as above.
        host: address to listen at; loopback unless told otherwise.
        token: that every request must give; needed anywhere else than on loopback.
        origins: other sites whose pages may ask, such as `https://planner.example`.
        limits: how much of anything.
        data: the file that scenarios and days are kept in; None keeps them in memory only.
        tiles: address of map tiles for the page, with `{z}`, `{x}` and `{y}`; None draws the map
            from the extract, and asks nobody.
        max_snap_m: how far a place may be moved onto a street; None takes the city's own limit.
        warm_up: load what searches take before the first one; otherwise that one waits for it.

    Raises:
        InputError: there is no city, or no token where one is needed.
    """

    cities: tuple[str, ...] = ("helsinki",)
    profiles: tuple[str, ...] = ("car",)
    host: str = "127.0.0.1"
    token: str | None = None
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    data: Path | None = None
    tiles: str | None = None
    max_snap_m: float | None = None
    warm_up: bool = True

    def __post_init__(self) -> None:
        if not self.cities or not self.profiles:
            raise InputError("there is nothing to serve; name a city and a profile")
        if self.token is not None and not re.fullmatch(r"[\w.~+/=-]*", self.token, re.ASCII):
            raise InputError(
                "the token holds other characters than letters, digits and ._~+/=-; give one that "
                "`openssl rand -hex 16` makes"
            )
        if self.tiles is not None and not re.fullmatch(_TILES, self.tiles, re.ASCII):
            raise InputError(
                f"tiles is {quoted(self.tiles)}; give an address such as "
                "https://tile.example/{z}/{x}/{y}.png"
            )
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise InputError(
                f"the token has {len(self.token)} characters; give {LEAST_TOKEN} or more, such as "
                "`openssl rand -hex 16` makes"
            )
        if self.token is None and not self.on_loopback:
            raise InputError(
                f"host is {quoted(self.host)}, which others can reach, and there is no token; "
                + worded(
                    "give token=, or leave host at 127.0.0.1",
                    "give --token-file FILE (or NCO_TOKEN in the environment), or leave --host out",
                )
            )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
