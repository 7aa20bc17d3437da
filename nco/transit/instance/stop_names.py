"""What stops are called: the streets they are on, the corner, or a named place beside them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.cities.geocode.index import Index, open_index

_STREET_M, _CORNER_M, _PLACE_M = 120.0, 60.0, 300.0
_M_PER_DEGREE = 111_195.0


def stop_names(extract: Path, lonlat: Floats) -> tuple[str, ...]:
    """Names of stops after the streets of an extract, all different.

    A stop at a corner is called after both streets, "Bulevardi / Annankatu"; one that no named
    street is near after the nearest named place; one without either is "stop" and its number.
    Several stops of one name are numbered.

    Args:
        extract: of OpenStreetMap.
        lonlat: `[N, 2]` degrees.

    Raises:
        CityError: the extract is gone or damaged.
        StorageError: the cache folder cannot be written.
    """
    index = open_index(extract)
    scale = _M_PER_DEGREE * np.array([np.cos(np.radians(np.median(lonlat[:, 1]))), 1.0])
    begin, end, street = _segments(index, scale)
    found = []
    for k, place in enumerate(lonlat * scale):
        away_m = _distances(place, begin, end)
        order = np.argsort(away_m, kind="stable")[:200]
        nearest: dict[str, float] = {}
        for s in order.tolist():
            nearest.setdefault(index.streets[street[s]], float(away_m[s]))
        name = _called(nearest) or _nearest_place(index, place, scale) or f"stop {k}"
        found.append(name)
    return _different(found)


def _segments(
    index: Index, scale: Floats
) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Both ends of all segments of streets in metres, and the street of each."""
    pieces = np.diff(index.line_start)
    piece_of = np.repeat(np.arange(len(pieces)), pieces)
    street_of_piece = np.repeat(np.arange(len(index.streets)), np.diff(index.piece_start))
    here = np.flatnonzero(piece_of[:-1] == piece_of[1:])
    metres = index.line_lonlat * scale
    return metres[here], metres[here + 1], street_of_piece[piece_of[here]]


def _distances(place: Floats, begin: Floats, end: Floats) -> Floats:
    """`[S]` metres from a place to each segment."""
    along = end - begin
    length2 = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((place - begin) * along).sum(axis=1) / length2, 0.0, 1.0)
    return np.asarray(np.hypot(*(begin + share[:, None] * along - place).T))


def _called(nearest: dict[str, float]) -> str:
    """The name of the nearest street, and of one that crosses it there."""
    names = [name for name, _ in sorted(nearest.items(), key=lambda item: item[1])]
    if not names or nearest[names[0]] > _STREET_M:
        return ""
    corner = len(names) > 1 and nearest[names[1]] <= _CORNER_M
    return " / ".join(names[: 2 if corner else 1])


def _nearest_place(index: Index, place: Floats, scale: Floats) -> str:
    if not len(index.place_lonlat):
        return ""
    away_m = np.hypot(*(index.place_lonlat * scale - place).T)
    k = int(away_m.argmin())
    return index.names[k].split("\t")[0] if away_m[k] <= _PLACE_M else ""


def _different(names: list[str]) -> tuple[str, ...]:
    count, seen, found = Counter(names), Counter[str](), set(names)
    different = []
    for name in names:
        seen[name] += 1
        own = name
        if count[name] > 1:
            number = seen[name]
            while (own := f"{name} ({number})") in found:
                number += 1
            found.add(own)
        different.append(own)
    return tuple(different)
