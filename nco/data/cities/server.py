"""An OSRM server behind HTTP: tables in blocks, nearest streets and routes."""

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from nco.arguments import of_kind
from nco.arrays import Floats
from nco.data.cities.engine import Matrices, StreetRoute, tidy
from nco.data.cities.web import Ask
from nco.errors import CityError, ServiceError, quoted, shortened
from nco.json_text import parse_json

log = logging.getLogger("nco")

_AT_ONCE = 4
# Below OSRM's own limit for a route (500), and short enough for any server's URLs.
_ROUTE_POINTS = 100
# OSRM's rounding yields slightly negative numbers; anything below is no OSRM.
_LEAST = -10.0


class _TooBigError(Exception):
    """The server refuses so large a table."""


class OsrmServer:
    """Speaks to `osrm-routed`.

    Points beside small disconnected streets may snap to others than in process, where OSRM sees
    all points of a table at once.

    Args:
        url: such as `http://127.0.0.1:5000`, without the service.
        profile: the word in the address; OSRM itself answers for whatever it was built with.
        timeout_s: for one answer.
        retries: further tries after a failed connection, a time-out, 429 or a server error.
        max_table: the most points in one table; halved when the server says it is too big.
        pause_s: before the first retry; doubled before each further one.

    Raises:
        InputError: the address is no text.
        ServiceError: an option is out of range.
    """

    def __init__(
        self,
        url: str,
        profile: str = "car",
        *,
        timeout_s: float = 30.0,
        retries: int = 3,
        max_table: int = 100,
        pause_s: float = 0.5,
    ) -> None:
        of_kind(url, str, "url", "the address of a server, such as 'http://127.0.0.1:5000'")
        if max_table < 2 or retries < 0 or not timeout_s > 0:
            raise ServiceError(
                f"max_table={max_table} must be 2 or more, retries={retries} 0 or more and "
                f"timeout_s={timeout_s} positive"
            )
        self.url = url.rstrip("/")
        self.profile = profile
        self.max_table = max_table
        self._ask = Ask(timeout_s=timeout_s, retries=retries, pause_s=pause_s)

    def __repr__(self) -> str:
        return f"OsrmServer({quoted(self.url)}, profile={quoted(self.profile)})"

    def table(self, sources: Floats, targets: Floats | None = None) -> Matrices:
        """Distances and durations from every source to every target (the sources by default).

        Raises:
            ServiceError: the server is down, slow, answers nonsense or refuses any table.
        """
        while True:
            try:
                return self._table(sources, targets)
            except _TooBigError as error:
                if self.max_table < 4:
                    raise ServiceError(f"{self.url} refuses every table as too big") from error
                self.max_table //= 2
                log.info("%s finds that table too big; asking for %d", self.url, self.max_table)

    def nearest(self, points: Floats) -> tuple[Floats, Floats]:
        """The nearest place on a street `[n, 2]` and how far away it is, in metres `[n]`.

        Raises:
            ServiceError: the server is down, slow or answers nonsense.
        """

        def one(point: Floats) -> tuple[Any, Any]:
            found = self._get("nearest", point[None], "generate_hints=false")
            waypoint = _field(found, "waypoints", list, self.url)[0]
            return waypoint["location"], waypoint["distance"]

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                found = list(pool.map(one, points))
            except (KeyError, IndexError, TypeError) as error:
                raise self._nonsense(f"a waypoint without {error}") from error
        places = self._numbers([place for place, _ in found], (len(points), 2))
        return places, self._amounts([distance for _, distance in found], (len(points),))

    def route(self, points: Floats) -> StreetRoute:
        """The fastest route through the points in their order, each leg as in the table.

        Raises:
            CityError: no route leads from one of the points to the next.
            ServiceError: the server is down, slow or answers nonsense.
        """
        legs: list[dict[str, Any]] = []
        moved_m = np.zeros(len(points))
        for first in range(0, len(points) - 1, _ROUTE_POINTS - 1):
            part = points[first : first + _ROUTE_POINTS]
            # Turning round at a point is allowed, as it is in a table.
            options = "geometries=geojson&overview=false&steps=true&continue_straight=false"
            found = self._get("route", part, f"{options}&generate_hints=false")
            routes = _field(found, "routes", list, self.url)
            got = _field(routes[0] if routes else {}, "legs", list, self.url)
            if len(got) != len(part) - 1:
                raise self._nonsense(f"{len(got)} legs for {len(part)} points")
            legs += got
            rows = slice(first, first + len(part))
            moved_m[rows] = np.maximum(moved_m[rows], self._moved(found, "waypoints", len(part)))
        try:
            lines = [self._line(leg) for leg in legs]
            distance_m = self._amounts([leg["distance"] for leg in legs], (len(legs),))
            duration_s = self._amounts([leg["duration"] for leg in legs], (len(legs),))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise self._nonsense(f"a leg without {error}") from error
        return StreetRoute(tuple(lines), distance_m, duration_s, moved_m)

    def _table(self, sources: Floats, targets: Floats | None) -> Matrices:
        rows = len(sources)
        columns = rows if targets is None else len(targets)
        distance_m, duration_s = np.zeros((rows, columns)), np.zeros((rows, columns))
        moved_m, targets_moved_m = np.zeros(rows), np.zeros(columns)
        if targets is None and rows == 1:
            blocks: list[tuple[slice, slice]] = []  # OSRM wants two places at least
        elif targets is None and rows <= self.max_table:
            blocks = [(slice(0, rows), slice(0, columns))]
        else:
            half = self.max_table // 2
            cuts = [range(0, size + half, half) for size in (rows, columns)]
            blocks = [
                (slice(a, min(b, rows)), slice(c, min(d, columns)))
                for a, b in pairwise(cuts[0])
                for c, d in pairwise(cuts[1])
            ]
        to = sources if targets is None else targets
        for done, (row, column) in enumerate(blocks):
            if not (row.stop - row.start and column.stop - column.start):
                continue
            whole = targets is None and row == column
            points = sources[row] if whole else np.concatenate([sources[row], to[column]])
            block = self._block(points, row.stop - row.start, whole=whole)
            distance_m[row, column], duration_s[row, column] = block[:2]
            # Beside small streets blocks may differ in where they move a point.
            for moved, part, found in ((moved_m, row, 2), (targets_moved_m, column, 3)):
                moved[part] = np.maximum(moved[part], block[found])
            if done % 100 == 99:
                log.info("%s: %d of %d blocks of the table", self.url, done + 1, len(blocks))
        return tidy(
            distance_m,
            duration_s,
            square=targets is None,
            moved_m=moved_m,
            targets_moved_m=targets_moved_m,
        )

    def _block(
        self, points: Floats, sources: int, *, whole: bool
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Metres, seconds, and how far sources and targets were moved."""
        options = "annotations=duration,distance&generate_hints=false"
        if not whole:
            options += "&sources=" + ";".join(map(str, range(sources)))
            options += "&destinations=" + ";".join(map(str, range(sources, len(points))))
        shape = (sources, sources if whole else len(points) - sources)
        found = self._get("table", points, options)
        distances = _field(found, "distances", list, self.url)
        durations = _field(found, "durations", list, self.url)
        return (
            self._amounts(distances, shape),
            self._amounts(durations, shape),
            self._moved(found, "sources", shape[0]),
            self._moved(found, "destinations", shape[1]),
        )

    def _moved(self, found: dict[str, Any], name: str, count: int) -> Floats:
        """How far the server moved points; 0 where it does not say, as OSRM did not before 5.18."""
        waypoints = found.get(name)
        if not isinstance(waypoints, list):
            return np.zeros(count)
        try:
            metres = [waypoint.get("distance", 0.0) for waypoint in waypoints]
        except AttributeError as error:
            raise self._nonsense("waypoints that are none") from error
        return self._amounts(metres, (count,))

    def _get(self, service: str, points: Floats, options: str) -> dict[str, Any]:
        places = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in points.tolist())
        status, body = self._ask(f"{self.url}/{service}/v1/{self.profile}/{places}?{options}")
        try:
            answer = parse_json(body)
        except ValueError as error:
            start = body[:60].decode("utf-8", "replace")
            raise self._nonsense(f"{quoted(start)} (status {status}), which is not JSON") from error
        if not isinstance(answer, dict):
            raise self._nonsense(f"a JSON {type(answer).__name__} instead of an object")
        code = answer.get("code")
        if code == "Ok":
            return answer
        if code == "TooBig" and service == "table":
            raise _TooBigError
        said = f"{shortened(code)}: {shortened(answer.get('message', 'no message'))}"
        if code in ("NoRoute", "NoSegment", "NoTable"):
            raise CityError(f"{self.url} finds no {service} for these points ({said})")
        raise ServiceError(f"{self.url} refused the {service} request: {said} (status {status})")

    def _line(self, leg: dict[str, Any]) -> Floats:
        """A leg's polyline from those of its steps, which share their ends."""
        parts = [step["geometry"]["coordinates"] for step in leg["steps"]]
        flat = [place for part in parts for place in part]
        line = self._numbers(flat, (len(flat), 2))
        fresh = np.ones(len(line), dtype=bool)
        fresh[1:] = (line[1:] != line[:-1]).any(axis=1)
        # A leg of no length keeps both its ends.
        return line[fresh] if fresh.sum() > 1 else line[:2]

    def _numbers(self, values: Any, shape: tuple[int, ...]) -> Floats:
        """Numbers from the server as an array, null as NaN."""
        try:
            array = np.array(values, dtype=np.float64)
        except (OverflowError, TypeError, ValueError) as error:
            raise self._nonsense("something that is not numbers") from error
        if array.shape != shape:
            raise self._nonsense(f"numbers of shape {list(array.shape)} instead of {list(shape)}")
        return array

    def _amounts(self, values: Any, shape: tuple[int, ...]) -> Floats:
        """Check metres or seconds; null, which marks an unreachable pair, becomes inf."""
        array = self._numbers(values, shape)
        if (array < _LEAST).any():
            raise self._nonsense("negative numbers")
        array[np.isnan(array)] = np.inf
        return array

    def _nonsense(self, what: str) -> ServiceError:
        return ServiceError(f"{self.url} answered {what}; is it an OSRM server?")


def _field(answer: Any, name: str, kind: type, url: str) -> Any:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise ServiceError(f"{url} answered without {quoted(name)}; is it an OSRM server?")
    return value
