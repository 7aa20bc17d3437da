"""A transit network design instance: where buses can run, who travels, and what lines may be.

Nodes are stops. Links are the road stretches between neighbouring stops, directed in their times:
the way back may take longer than the way there. A line runs both ways over the same stops, so a
link must exist in both directions or not at all; the readers of benchmark files, whose networks
are undirected by definition, demand equal times besides.

Lines are `tuple[tuple[int, ...], ...]`: the nodes of each line in order, see `lines`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from nco import _validate as validate
from nco.arrays import Bools, ByValue, Floats
from nco.errors import ProblemError, quoted
from nco.snapped import moved_far
from nco.transit.instance.bounds import line_exists

if TYPE_CHECKING:
    from nco.transit.instance.streets import SampledCity


_MOST_LINES = 10_000
_LONGEST_S = 1e9  # of a link: thirty years


@dataclass(frozen=True, kw_only=True, eq=False)
class TransitInstance(ByValue):
    """Stops, links between neighbouring stops, demand, and the bounds on lines.

    Attributes:
        link_s: `[N, N]` seconds of the link from row to column; `inf` where there is none, 0 on
            the diagonal.
        demand: `[N, N]` trips an hour from row to column, 0 on the diagonal; None means none.
        lines: how many lines to design.
        min_stops: fewest stops of a line, 2 or more.
        max_stops: most stops of a line; None, or more, means as many as there are nodes.
        terminals: `[N]` where lines may begin and end (both ends count); None means anywhere.
        hub: the first stop of every line; None means no such rule. With a hub, `terminals` only
            bounds the other end.
        fleet: how many buses there are; None means unlimited.
        capacity: passengers a bus holds.
        link_m: `[N, N]` metres of the links, `inf` exactly where `link_s` is; None if unknown.
        walk_m: `[N, N]` metres on foot between stops, `inf` where no path leads; None if unknown.
        lonlat: `[N, 2]` degrees, longitude first; None without geography.
        xy: `[N, 2]` planar coordinates, for drawing; None if unknown.
        moved_m: `[N]` metres from each stop to the place on a street that stands for it in the
            links; None where they come from no city.
        names: `N` different names; "0", "1", ... by default, as published line sets number them.
        name: for files and reports.

    Raises:
        ProblemError: a field is malformed, the network is in pieces, or no line can meet the
            bounds; the message names the field and the place.
    """

    link_s: Floats
    demand: Floats = field(default=None)  # type: ignore[arg-type]
    lines: int
    min_stops: int = 2
    max_stops: int = field(default=None)  # type: ignore[assignment]
    terminals: Bools | None = None
    hub: int | None = None
    fleet: int | None = None
    capacity: int = 40
    link_m: Floats | None = None
    walk_m: Floats | None = None
    lonlat: Floats | None = None
    xy: Floats | None = None
    moved_m: Floats | None = None
    names: tuple[str, ...] = ()
    name: str = "transit"

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        link_s = validate.matrix(self.link_s, "link_s")
        n = len(link_s)
        _check_links(link_s, "link_s")
        set_field(self, "link_s", link_s)
        if self.link_m is not None:
            link_m = validate.matrix(self.link_m, "link_m")
            validate.same_shape(link_s, link_m, "link_s, link_m")
            _check_same_links(link_s, link_m)
            set_field(self, "link_m", link_m)
        if self.walk_m is not None:
            walk_m = validate.matrix(self.walk_m, "walk_m")
            validate.same_shape(link_s, walk_m, "link_s, walk_m")
            set_field(self, "walk_m", walk_m)
        demand = np.zeros((n, n)) if self.demand is None else self.demand
        set_field(self, "demand", _demand(demand, n))
        if self.lonlat is not None:
            set_field(self, "lonlat", validate.lonlat(self.lonlat, n))
        if self.xy is not None:
            set_field(self, "xy", validate.table(self.xy, (n, 2), "xy"))
        if self.moved_m is not None:
            set_field(self, "moved_m", validate.vector(self.moved_m, "moved_m", n, low=0.0))
        set_field(self, "names", validate.names(self.names or tuple(map(str, range(n))), n))
        if self.terminals is not None:
            set_field(self, "terminals", _terminals(self.terminals, n))
        set_field(self, "max_stops", n if self.max_stops is None else self.max_stops)
        self._check_connected()
        self._check_bounds()
        # No line has more stops than there are; what is allowed is what arrays make room for.
        set_field(self, "max_stops", min(int(self.max_stops), n))

    def _check_connected(self) -> None:
        """Refuse networks in pieces; links lead both ways, so one search finds all."""
        reached, frontier = {0}, [0]
        while frontier:
            fresh = set(self.neighbours[frontier.pop()]) - reached
            reached |= fresh
            frontier += fresh
        lost = [k for k in range(self.size) if k not in reached]
        if lost:
            listed = ", ".join(f"{k} ({quoted(self.names[k])})" for k in lost[:5])
            more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
            raise ProblemError(
                f"link_s: no links lead from node 0 ({quoted(self.names[0])}) to node "
                f"{listed}{more}; "
                "add links, or leave these nodes out"
            )

    def _check_bounds(self) -> None:
        n = self.size
        for name, low in (("lines", 1), ("capacity", 1), ("min_stops", 2)):
            _whole(getattr(self, name), low, name)
        if self.lines > _MOST_LINES:
            raise ProblemError(
                f"lines is {quoted(self.lines)}; at most {_MOST_LINES} can be designed"
            )
        if self.fleet is not None:
            _whole(self.fleet, 1, "fleet")
        if self.hub is not None and not (_is_whole(self.hub) and 0 <= self.hub < n):
            raise ProblemError(
                f"hub is {quoted(self.hub)}; it must be a node, 0 to {n - 1}, or None"
            )
        if not (_is_whole(self.max_stops) and self.min_stops <= self.max_stops):
            raise ProblemError(
                f"max_stops is {quoted(self.max_stops)} and min_stops {quoted(self.min_stops)}; "
                "max_stops must "
                "be a whole number of at least min_stops"
            )
        anywhere = range(n)
        ends = anywhere if self.terminals is None else np.flatnonzero(self.terminals).tolist()
        starts = ends if self.hub is None else [self.hub]
        if not line_exists(self.neighbours, starts, set(ends), self.min_stops, self.max_stops):
            rules = "" if self.hub is None else f" that begins at the hub, node {self.hub},"
            rules += "" if self.terminals is None else " that ends at terminals"
            raise ProblemError(
                f"min_stops is {self.min_stops} and max_stops {self.max_stops}, but no line"
                f"{rules} without a repeated stop has so many on these {n} nodes; widen the bounds"
            )

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.link_s)

    @cached_property
    def drive_s(self) -> Floats:
        """`[N, N]` seconds of the fastest way over links from row to column."""
        time = self.link_s.copy()
        for k in range(self.size):
            np.minimum(time, time[:, k, None] + time[None, k], out=time)
        time.flags.writeable = False
        return time

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes it has links to, ascending."""
        linked = np.isfinite(self.link_s) & ~np.eye(self.size, dtype=bool)
        return tuple(tuple(np.flatnonzero(row).tolist()) for row in linked)

    @cached_property
    def links(self) -> NDArray[np.int64]:
        """`[E, 2]` each pair of linked nodes once, the smaller first."""
        pairs = np.argwhere(np.triu(np.isfinite(self.link_s), 1))
        pairs.flags.writeable = False
        return pairs

    @property
    def moved(self) -> dict[int, float]:
        """Metres of each stop that was moved far onto a street, by node; see `nco.snapped`."""
        return moved_far(self.moved_m)

    @property
    def trips(self) -> float:
        """Trips an hour in total."""
        return float(self.demand.sum())

    def changed(self, **fields: Any) -> Self:
        """The same instance with some fields replaced, such as `demand=0.3 * instance.demand`."""
        return replace(self, **fields)

    @classmethod
    def mandl(cls, lines: int = 6, *, min_stops: int = 2, max_stops: int = 8) -> TransitInstance:
        """The Swiss network of Mandl (1979), built in: 15 nodes, 21 links, 15,570 trips."""
        from nco.transit.instance.mandl import mandl

        return mandl(lines, min_stops=min_stops, max_stops=max_stops)

    @classmethod
    def from_city(cls, city: SampledCity, **options: Any) -> TransitInstance:
        """An instance on the streets of a city; see `nco.transit.instance.city.from_city`."""
        from nco.transit.instance.city import from_city

        return from_city(city, **options)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _whole(value: Any, low: int, what: str) -> None:
    if not (_is_whole(value) and value >= low):
        raise ProblemError(
            f"{what} is {quoted(value)}; it must be a whole number of at least {low}"
        )


def _check_links(link_s: Floats, what: str) -> None:
    """Refuse links of no time (a common way to write "none") and links in one direction only."""
    zero = (link_s == 0) & ~np.eye(len(link_s), dtype=bool)
    if zero.any():
        i, j = (int(k) for k in np.argwhere(zero)[0])
        raise ProblemError(
            f"{what}[{i}, {j}] is 0; a link takes more than 0, and inf says that there is none"
        )
    long = np.isfinite(link_s) & (link_s > _LONGEST_S)
    if long.any():
        i, j = (int(k) for k in np.argwhere(long)[0])
        raise ProblemError(
            f"{what}[{i}, {j}] is {link_s[i, j]:g}; a link takes {_LONGEST_S:g} s at most, and inf "
            "says that there is none"
        )
    one_way = np.isfinite(link_s) & np.isinf(link_s.T)
    if one_way.any():
        i, j = (int(k) for k in np.argwhere(one_way)[0])
        raise ProblemError(
            f"{what}[{i}, {j}] is {link_s[i, j]:g} but [{j}, {i}] is inf; lines run both ways, so "
            "give the link in both directions (the times may differ) or in none"
        )


def _check_same_links(link_s: Floats, link_m: Floats) -> None:
    differ = np.isinf(link_s) != np.isinf(link_m)
    if differ.any():
        i, j = (int(k) for k in np.argwhere(differ)[0])
        raise ProblemError(
            f"link [{i}, {j}] has {link_s[i, j]:g} s and {link_m[i, j]:g} m; set both to inf, or "
            "none"
        )


def _demand(values: Any, n: int) -> Floats:
    demand = validate.table(values, (n, n), "demand", low=0.0)
    if np.diagonal(demand).any():
        i = int(np.flatnonzero(np.diagonal(demand))[0])
        raise ProblemError(
            f"demand[{i}, {i}] is {demand[i, i]:g}; trips from a stop to itself need no bus, set "
            "them to 0"
        )
    return demand


def _terminals(values: Any, n: int) -> Bools:
    terminals = validate.mask(values, "terminals")
    if len(terminals) != n or not terminals.any():
        raise ProblemError(
            f"terminals has {len(terminals)} entries, {int(terminals.sum())} of them true; give "
            f"one a node ({n}) and at least one true, or None for anywhere"
        )
    return terminals
