"""The lines that figures and maps draw: routes along streets, and colours that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nco.arrays import Floats
from nco.colours import COLOURS
from nco.data.formats.drawn import Drawn, streets_of
from nco.errors import CityError, InputError, quoted
from nco.problem import Problem
from nco.problem.schedule import RouteSchedule, schedule
from nco.problem.solution import Solution

if TYPE_CHECKING:
    from nco.data.cities.city import City

_WIDE_M = 3000.0


@dataclass(frozen=True)
class Leg:
    """The way from one visit of a route to the next.

    Attributes:
        line: `[k, 2]` lonlat (or the problem's plane coordinates).
        on_streets: False where it is a straight line for want of anything better.
    """

    line: Floats
    on_streets: bool


@dataclass(frozen=True)
class Path:
    """A route to draw.

    Attributes:
        timetable: its visits, with times and loads.
        legs: one leg from each visit to the next.
        colour: in hex.
    """

    timetable: RouteSchedule
    legs: tuple[Leg, ...]
    colour: str

    @property
    def line(self) -> Floats:
        """`[k, 2]` all legs in one."""
        return np.concatenate([leg.line for leg in self.legs])


def places(problem: Problem) -> Floats:
    """`[N, 2]` where the nodes are: degrees, or the plane of a classical benchmark instance.

    Raises:
        InputError: the problem consists of matrices only.
    """
    where = problem.lonlat if problem.lonlat is not None else problem.xy
    if where is None:
        raise InputError(
            f"problem {quoted(problem.name)} has neither lonlat nor xy, so it cannot be drawn; "
            "give coordinates to Problem(lonlat=...)"
        )
    return where


def paths(
    problem: Problem,
    solution: Solution,
    city: Drawn | None = None,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> list[Path]:
    """Every route of a solution as lines, along the streets of a city if there is one.

    Args:
        problem: what the solution is for.
        solution: feasible or not.
        city: whose streets to follow; None draws straight lines.
        streets: those of vehicles that drive on others, see `nco.data.formats.drawn.streets_of`.

    Raises:
        InputError: the problem has no coordinates.
    """
    where = places(problem)
    drawn = []
    along = streets_of(problem, city, streets) if problem.lonlat is not None else None
    for r, timetable in enumerate(schedule(problem, solution)):
        nodes = [visit.node for visit in timetable.visits]
        follow = along[problem.vehicles[timetable.vehicle].profile] if along is not None else None
        legs = tuple(_legs(where[nodes], follow))
        drawn.append(Path(timetable, legs, COLOURS[r % len(COLOURS)]))
    return drawn


def _legs(points: Floats, city: Drawn | None) -> Sequence[Leg]:
    if city is None:
        return [Leg(np.stack(pair), on_streets=False) for pair in pairwise(points)]
    try:
        return [Leg(line, on_streets=True) for line in city.geometry(points)]
    except CityError:
        if len(points) == 2:  # no street leads there: the solution's violations say so
            return [Leg(points, on_streets=False)]
        return [leg for pair in pairwise(points) for leg in _legs(np.stack(pair), city)]


def street_widths(city: City, extent_m: float = _WIDE_M) -> Floats:
    """`[S]` line width of each street in points: wider where traffic is faster.

    Args:
        city: with streets.
        extent_m: height or width of what is drawn; lines get thinner beyond 3 km.
    """
    roads = city.roads
    start, _, _ = roads.segments
    street = np.searchsorted(roads.street_start, start, side="right") - 1
    seconds = np.minimum(roads.forward_s[start + 1], roads.backward_s[start])
    metres = np.bincount(street, roads.segment_length_m, minlength=len(roads.main))
    time_s = np.bincount(street, seconds, minlength=len(roads.main))
    km_per_h = 3.6 * metres / np.maximum(time_s, 0.1)
    shrink = min(1.0, (_WIDE_M / max(extent_m, 1.0)) ** 0.6)
    return np.asarray(shrink * np.interp(km_per_h, [12.0, 30.0, 45.0, 80.0], [1.0, 1.8, 2.8, 4.2]))


def lanes(paths_drawn: Sequence[Path]) -> list[list[Floats]]:
    """Which lane each piece of each leg takes, so that routes on one street lie side by side.

    Args:
        paths_drawn: all routes of one picture.

    Returns:
        For each path and leg `[k - 1]`, the number of routes before it that take the same piece
        of street in the same direction.
    """
    users: dict[bytes, list[int]] = {}
    for r, path in enumerate(paths_drawn):
        for leg in path.legs:
            for piece in _pieces(leg):
                known = users.setdefault(piece, [])
                if not known or known[-1] != r:
                    known.append(r)
    return [
        [np.array([users[piece].index(r) for piece in _pieces(leg)], float) for leg in path.legs]
        for r, path in enumerate(paths_drawn)
    ]


def _pieces(leg: Leg) -> list[bytes]:
    """A key for each piece of a leg and its direction."""
    rounded = np.round(leg.line, 6)
    return [np.concatenate(pair).tobytes() for pair in pairwise(rounded)]


def keep_right(line: Floats, offset: Floats) -> Floats:
    """Shift a line to the right of its direction, so that there and back lie side by side.

    Args:
        line: `[k, 2]` in a plane (equal units both ways).
        offset: `[k - 1]` how far to shift each piece, in those units.

    Returns:
        `[k', 2]` with `k' <= k`: places that repeat are dropped.
    """
    moves = (np.diff(line, axis=0) != 0).any(axis=1)
    line, offset = line[np.append(True, moves)], offset[moves]
    if len(line) < 2:
        return line
    along = np.diff(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    right = np.stack([along[:, 1], -along[:, 0]], axis=1)
    corner = np.concatenate([right[:1], right[:-1] + right[1:], right[-1:]])
    # Where the line turns back on itself the two sides cancel; the new one counts there.
    turned = np.linalg.norm(corner, axis=1) < 0.5
    corner[turned] = np.concatenate([right, right[-1:]])[turned]
    corner /= np.linalg.norm(corner, axis=1, keepdims=True)
    far = np.concatenate([offset[:1], (offset[:-1] + offset[1:]) / 2, offset[-1:]])
    return np.asarray(line + far[:, None] * corner)
