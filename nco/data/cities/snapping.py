"""How far a point may be from the street that stands for it: one rule for all that ask a city.

Routing engines move every point onto a street, however far that is. Here a point is refused if it
would be moved farther than a limit, or lies outside of the area that the extract covers
(`nco.data.cities.area`): what is beyond the edge of an extract, nobody here knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.data.cities.engine import Engine, Matrices, as_lonlat
from nco.data.cities.roads import haversine_m
from nco.errors import CityError, OffStreetError, quoted, shortened

MAX_SNAP_M = 250.0
"""How far a point may be moved onto a street, unless a city is told otherwise."""

# A place this near to a street is covered. Of 5093 buildings in extracts of Krems, Helsinki's and
# Munich's centre all are, or are surrounded by such places; with 100 m seven are not.
NEAR_M = 250.0
_MOST_LISTED = 10
_MOST_KNOWN = 100_000  # points that a city remembers, some 20 MB
_CONNECTED = "street that leads to the other points"


@dataclass(frozen=True)
class Asked:
    """Points that a city is asked about.

    Attributes:
        lonlat: `[n, 2]` degrees.
        what: how error messages call them.
        names: what error messages call each of them besides.
        optional: `[n]`, which of them may be refused without an error; None for none of them.
    """

    lonlat: Floats
    what: str = "points"
    names: Sequence[str] | None = None
    optional: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        points: ArrayLike,
        what: str = "points",
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Asked:
        """Check what is asked.

        Raises:
            CityError: a coordinate is no coordinate, or there is not one name or flag a point.
        """
        lonlat = as_lonlat(points, what)
        flags = None if optional is None else np.asarray(optional, dtype=np.bool_)
        for kind, given in (("names", names), ("optional", flags)):
            if given is not None and len(given) != len(lonlat):
                raise CityError(f"{kind} has {len(given)} entries; give one a point, {len(lonlat)}")
        return cls(lonlat, what, names, flags)

    def label(self, i: int) -> str:
        """What a point is called, and where it is."""
        label = (
            f"{self.what}[{i}]"
            if self.names is None
            else f"{self.what}[{i}] ({shortened(self.names[i])})"
        )
        lon, lat = self.lonlat[i].tolist()
        return f"{label} at longitude {lon:g}, latitude {lat:g}"

    def required(self, refused: Iterable[int]) -> list[int]:
        """Those of the refused points that must not be."""
        return [i for i in refused if self.optional is None or not self.optional[i]]


@dataclass(frozen=True)
class Refused:
    """A point that no place on a street stands for.

    Attributes:
        moved_m: metres to the nearest street that could.
        covered: whether the point lies in the covered area.
        street: what kind of street that is.
        closed: whether the point lies where none of these vehicles may be.
    """

    moved_m: float
    covered: bool
    street: str
    closed: bool = False


@dataclass(frozen=True)
class Rule:
    """The rule for one city.

    Attributes:
        city: its name.
        max_snap_m: how far a point may be moved.
        bbox: west, south, east, north of its streets in degrees; None where they are not known.
        profile: `car`, `bicycle` or `foot`.
    """

    city: str
    max_snap_m: float
    bbox: Sequence[float] | None
    profile: str = "car"

    def refused(
        self, moved_m: Floats, covered: NDArray[np.bool_], street: str = "street"
    ) -> dict[int, Refused]:
        """Points that are refused, by index.

        Args:
            moved_m: `[n]` metres to the place on a street that would stand for each.
            covered: `[n]`, whether each lies in the covered area.
            street: what kind of street that is.
        """
        wrong = np.flatnonzero(~((moved_m <= self.max_snap_m) & covered))
        return {int(i): Refused(float(moved_m[i]), bool(covered[i]), street) for i in wrong}

    @property
    def bounds(self) -> str:
        """Where the streets of the city are; empty if nobody knows."""
        if self.bbox is None:
            return ""
        west, south, east, north = self.bbox
        wide, high = size_km(self.bbox)
        return (
            f"{self.city} has streets from longitude {west:.4f} to {east:.4f} and latitude "
            f"{south:.4f} to {north:.4f}, {wide:.1f} by {high:.1f} km"
        )

    def reason(self, refused: Refused) -> str:
        """Why a point is refused, as a clause of its own."""
        return f"it is {self._fault(refused)}" + (f" ({self.bounds})" if self.bbox else "")

    def error(
        self, asked: Asked, refused: Mapping[int, Refused], *, swapped: bool
    ) -> OffStreetError:
        """What to raise for points that must not be refused.

        Args:
            asked: the points.
            refused: all that are refused.
            swapped: whether the first of them would do with its coordinates exchanged.
        """
        wrong = asked.required(refused)
        listed = [f"{asked.label(i)} is {self._fault(refused[i])}" for i in wrong[:_MOST_LISTED]]
        if len(wrong) > _MOST_LISTED:
            listed.append(f"and {len(wrong) - _MOST_LISTED} more")
        hint = "correct or remove what is not there, or use an extract that covers it"
        if any(refused[i].closed for i in wrong):
            hint = "leave it to a vehicle that may go there, or close another area"
        elif any(refused[i].covered for i in wrong):
            hint += ", or raise the limit (--max-snap METRES, max_snap_m= where a city is opened)"
        if swapped:
            hint = "did you swap lon and lat? Longitude comes first"
        bounds = f"{self.bounds}: " if self.bbox else ""
        return OffStreetError(f"{'; '.join(listed)}. {bounds}{hint}", tuple(wrong))

    def _fault(self, refused: Refused) -> str:
        """What goes on from "it is"."""
        if refused.closed:
            return f"in an area of {self.city} that is closed to this profile ({self.profile})"
        fault = (
            f"farther than the limit of {metres(self.max_snap_m)}"
            if refused.covered
            else "outside of the area that its extract covers"
        )
        return (
            f"{metres(refused.moved_m)} from the nearest {refused.street} of {self.city}, {fault}"
        )


@dataclass(frozen=True)
class Snapping:
    """Judges points by the rule of a city.

    Attributes:
        rule: what is allowed.
        engine: knows the streets.
        covers: tells from points `[n, 2]` and their distances `[n]` to a street which are covered.
        known: metres to the nearest street of covered points that were asked for before; grows.
        closed: tells which points `[n, 2]` are in a closed area; None where nothing is closed.
    """

    rule: Rule
    engine: Engine
    covers: Callable[[Floats, Floats], NDArray[np.bool_]]
    known: dict[tuple[float, ...], float]
    closed: Callable[[Floats], NDArray[np.bool_]] | None = None

    def beside(self, asked: Asked) -> tuple[Floats, dict[int, Refused]]:
        """How far each point is from the nearest street, and which are refused.

        Raises:
            OffStreetError: one is refused that must not be.
        """
        places = [tuple(place) for place in asked.lonlat.tolist()]
        away_m = np.array([self.known.get(place, 0.0) for place in places])
        covered = np.ones(len(places), dtype=bool)
        fresh = [i for i, place in enumerate(places) if place not in self.known]
        if fresh:
            away_m[fresh] = self.engine.nearest(asked.lonlat[fresh])[1]
            covered[fresh] = self.covers(asked.lonlat[fresh], away_m[fresh])
            if len(self.known) + len(fresh) > _MOST_KNOWN:
                self.known.clear()
            self.known.update({places[i]: float(away_m[i]) for i in fresh if covered[i]})
        refused = self.rule.refused(away_m, covered)
        if self.closed is not None:
            inside = np.flatnonzero(self.closed(asked.lonlat))
            refused |= {int(i): Refused(0.0, True, "street", closed=True) for i in inside}
            refused = dict(sorted(refused.items()))
        return away_m, self._judged(asked, refused)

    def moved(
        self, asked: Asked, away_m: Floats, moved_m: Floats | None
    ) -> tuple[Floats, dict[int, Refused]]:
        """How far an engine moved points in the end, and which it moved too far.

        Args:
            asked: the points.
            away_m: `[n]` from the nearest street; those beyond the limit were judged before.
            moved_m: `[n]` as the engine says; None if it does not.

        Raises:
            OffStreetError: one is moved too far that must not be.
        """
        moved_m = away_m if moved_m is None else np.maximum(away_m, moved_m)
        near = np.where(away_m <= self.rule.max_snap_m, moved_m, 0.0)
        everywhere = np.ones(len(near), dtype=bool)
        return moved_m, self._judged(asked, self.rule.refused(near, everywhere, _CONNECTED))

    def _judged(self, asked: Asked, refused: dict[int, Refused]) -> dict[int, Refused]:
        wrong = asked.required(refused)
        if not wrong:
            return refused
        if refused[wrong[0]].closed:
            raise self.rule.error(asked, refused, swapped=False)
        lon, lat = asked.lonlat[wrong[0]].tolist()
        there = np.array([[lat, lon]])
        swapped = abs(lon) <= 90 and self.engine.nearest(there)[1][0] <= self.rule.max_snap_m
        raise self.rule.error(asked, refused, swapped=bool(swapped))


def checked_limit(max_snap_m: float) -> float:
    """A limit, as it is kept.

    Raises:
        CityError: it is no positive number of metres.
    """
    try:
        limit = float(max_snap_m)
    except (TypeError, ValueError):
        limit = math.nan
    if not 0 < limit < math.inf:
        raise CityError(f"max_snap_m is {quoted(max_snap_m)}; give a positive number of metres")
    return limit


def size_km(bbox: Sequence[float]) -> tuple[float, float]:
    """Width (at the middle) and height in kilometres of west, south, east, north in degrees."""
    west, south, east, north = bbox
    middle = (south + north) / 2
    wide = haversine_m(np.array([west, middle]), np.array([east, middle]))
    high = haversine_m(np.array([west, south]), np.array([west, north]))
    return float(wide) / 1000, float(high) / 1000


def metres(amount: float) -> str:
    """A distance as people read it."""
    return f"{amount:.4g} m" if amount < 1000 else f"{amount / 1000:.1f} km"


def with_refused(
    table: Matrices, kept: NDArray[np.bool_], refused: list[int]
) -> tuple[Floats, Floats]:
    """The matrices between all points from those between the ones that were asked for."""
    if not refused:
        return table.distance_m, table.duration_s
    full = []
    for known in (table.distance_m, table.duration_s):
        matrix = np.full((len(kept), len(kept)), np.inf)
        matrix[np.ix_(kept, kept)] = known
        matrix[refused], matrix[:, refused] = np.inf, np.inf
        np.fill_diagonal(matrix, 0.0)
        full.append(matrix)
    return full[0], full[1]
