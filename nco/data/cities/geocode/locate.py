"""Where a house number of a street is: on the map, between two that are, or somewhere along."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.data.cities.geocode.found import Certainty
from nco.data.cities.geocode.index import Index
from nco.data.cities.geocode.numbers import House, agreement, houses
from nco.data.cities.geocode.scan import along
from nco.data.cities.roads import haversine_m

_HALF_M = 500.0  # so far off, a place between two houses is half as sure
_STREET_HALF_M = 400.0
_STREET = 0.75  # of a street of no length
_BEYOND = 0.6  # of a number beyond all known ones
_ASIDE_M = 60.0  # a house farther from a line does not stand on it
_EDGE_M = 10.0


class Spot(NamedTuple):
    """A place on a street.

    Attributes:
        lonlat: where.
        sure: how sure it is, if the street is the right one.
        kind: exact, interpolated or street.
        how: in words.
        within_m: how far off it may be.
        house: index of the house that stands there, -1 for none; the nearest known otherwise.
        number: as the map writes it; empty if it has none.
    """

    lonlat: tuple[float, float]
    sure: float
    kind: Certainty
    how: str
    within_m: float
    house: int
    number: str


def locate(index: Index, street: int, number: House | None) -> list[Spot]:
    """Where a number of a street may be, likeliest first; the middle of it if there is no number.

    Several houses of one number are several spots, if they do not stand side by side.
    """
    rows = range(index.house_start[street], index.house_start[street + 1])
    if number is None:
        return [_middle(index, street, rows, asked=False)]
    known = [(h, one) for h in rows for one in houses(index.numbers[h])]
    answers = [(agreement(number, one), h, one) for h, one in known]
    best = max((fit for fit, _, _ in answers), default=0.0)
    if best > 0:
        return _exact(index, number, [(h, one) for fit, h, one in answers if fit == best], best)
    return [_between(index, street, number, known) or _middle(index, street, rows, asked=True)]


def _exact(index: Index, asked: House, hits: list[tuple[int, House]], fit: float) -> list[Spot]:
    spots: list[Spot] = []
    for h, one in hits:
        between = bool(index.house_between[h])
        kind = Certainty.INTERPOLATED if between else Certainty.EXACT
        how = "a house on the map"
        if between:
            how = "between two houses, by the map's own interpolation"
        elif one.text != asked.text:
            how = f"house {one.text} on the map, asked was {asked.text}"
        place = _lonlat(index.house_lonlat[h])
        near = [s for s in spots if _far_m(s.lonlat, place) < 100]
        if near:
            continue  # shops of one house, or its entrances
        sure, off_m = (0.9 * fit, 30.0) if between else (fit, _EDGE_M)
        spots.append(Spot(place, sure, kind, how, off_m, h, index.numbers[h]))
    return spots


def _between(
    index: Index, street: int, asked: House, known: list[tuple[int, House]]
) -> Spot | None:
    """Between the next lower and the next higher number, on the same side if it has any."""
    sides = [(h, one) for h, one in known if (one.value - asked.value) % 2 == 0]
    for same, trust in ((sides, 0.95), (known, 0.8)):
        below = max((one for one in same if one[1].value < asked.value), key=_value, default=None)
        above = min((one for one in same if one[1].value > asked.value), key=_value, default=None)
        if below and above:
            return _on_line(index, street, asked, below, above, trust)
    return _beyond(index, asked, sides or known) if known else None


def _on_line(
    index: Index,
    street: int,
    asked: House,
    below: tuple[int, House],
    above: tuple[int, House],
    trust: float,
) -> Spot:
    ends = index.house_lonlat[[below[0], above[0]]]
    share = (asked.value - below[1].value) / (above[1].value - below[1].value)
    apart_m = _far_m(_lonlat(ends[0]), _lonlat(ends[1]))
    place = _follow(index.lines(street), ends, share)
    within_m = max(15.0, apart_m / 2)
    words = f"between {below[1].text} and {above[1].text}, which are {apart_m:.0f} m apart"
    sure = trust * 2 ** (-within_m / _HALF_M)
    nearest = below[0] if share <= 0.5 else above[0]
    return Spot(place, sure, Certainty.INTERPOLATED, words, within_m, nearest, "")


def _beyond(index: Index, asked: House, known: list[tuple[int, House]]) -> Spot:
    """At the last known number, as far off as the others lie apart."""
    h, last = min(known, key=lambda one: abs(one[1].value - asked.value))
    other, far = max(known, key=lambda one: abs(one[1].value - last.value))
    apart_m = _far_m(_lonlat(index.house_lonlat[h]), _lonlat(index.house_lonlat[other]))
    spread = abs(far.value - last.value)
    step_m = max(8.0, apart_m / max(1, spread))
    gap = abs(asked.value - last.value)
    within_m = step_m * gap
    sure = _BEYOND * 2 ** (-within_m / 200.0)
    if gap > max(10, spread):  # no house can be expected there
        sure = min(sure, 0.2)
    elif not spread:  # nothing says how far apart houses are
        sure = min(sure, 0.4)
    how = f"the map has no number beyond {last.text}; this is that house"
    return Spot(_lonlat(index.house_lonlat[h]), sure, Certainty.INTERPOLATED, how, within_m, h, "")


def _middle(index: Index, street: int, rows: range, *, asked: bool) -> Spot:
    """The middle of the street."""
    lines = index.lines(street)
    points = np.concatenate(lines) if lines else index.house_lonlat[rows]
    low, high = points.min(axis=0), points.max(axis=0)
    extent_m = float(haversine_m(low, high))
    centre = (low + high) / 2
    # A place on the street: the middle of a curved one may lie beside it.
    dense = [along(line, np.linspace(0, 1, 21)) for line in lines] if lines else [points]
    places = np.concatenate(dense)
    place = _lonlat(places[np.argmin(haversine_m(places, centre))])
    sure = _STREET * 2 ** (-extent_m / 2 / _STREET_HALF_M) * (0.8 if asked else 1.0)
    how = f"the middle of the street, which is {_length(extent_m)} long"
    if asked:
        how += "; the map has no house numbers on it"
    nearest = int(rows[0]) if len(rows) else -1
    if len(rows) > 1:
        nearest = int(rows[int(np.argmin(haversine_m(index.house_lonlat[rows], np.array(place))))])
    return Spot(place, sure, Certainty.STREET, how, max(_EDGE_M, extent_m / 2), nearest, "")


def _follow(lines: list[Floats], ends: Floats, share: float) -> tuple[float, float]:
    """A place at a share of the way from one house to another, along their street."""
    straight = ends[0] + share * (ends[1] - ends[0])
    if not lines:
        return _lonlat(straight)
    from shapely import LineString, Point, line_merge, unary_union

    scale = np.array([np.cos(np.radians(ends[:, 1].mean())), 1.0]) * 111_195.0
    origin = ends[0]
    whole = line_merge(unary_union([LineString((line - origin) * scale) for line in lines]))
    a, b = (Point((end - origin) * scale) for end in ends)
    chains = getattr(whole, "geoms", [whole])
    chain = min(chains, key=lambda one: one.distance(a) + one.distance(b))
    if max(chain.distance(a), chain.distance(b)) > _ASIDE_M:
        return _lonlat(straight)
    start, end = chain.project(a), chain.project(b)
    at = chain.interpolate(start + share * (end - start))
    # As far beside the line as the two houses are, on their side of it.
    beside = np.array([a.x, a.y]) - np.array(chain.interpolate(start).coords[0])
    beside_b = np.array([b.x, b.y]) - np.array(chain.interpolate(end).coords[0])
    place = np.array([at.x, at.y]) + (1 - share) * beside + share * beside_b
    return _lonlat(origin + place / scale)


def _value(one: tuple[int, House]) -> int:
    return one[1].value


def _lonlat(place: Floats) -> tuple[float, float]:
    return round(float(place[0]), 7), round(float(place[1]), 7)


def _far_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(haversine_m(np.array(a), np.array(b)))


def _length(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"
