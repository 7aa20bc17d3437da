"""Which pieces and houses of one name are one street."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.geocode import words
from nco.data.cities.geocode.scan import Numbered, Piece, Scanned

_CELL_DEGREES = 0.004  # about 400 m: what lies in neighbouring cells is near
_STEP_DEGREES = 0.002
_FAR_DEGREES = 0.02  # about 2 km: houses farther from a street of their name are of another


@dataclass
class Grouped:
    """One street.

    Attributes:
        name: the usual one.
        names: all that it has, one of each key.
        pieces: on the map; none where only houses have its name.
        houses: with a number.
    """

    name: str
    names: tuple[str, ...] = ()
    pieces: list[Piece] = field(default_factory=list)
    houses: list[Numbered] = field(default_factory=list)


def grouped(found: Scanned) -> list[Grouped]:
    """All streets of an extract."""
    pieces: dict[str, list[Piece]] = defaultdict(list)
    for piece in found.pieces:
        pieces[words.joined(words.key(piece.names[0]))].append(piece)
    streets: list[Grouped] = []
    known: dict[str, list[int]] = defaultdict(list)
    for same in pieces.values():
        for members in _clusters([_dense(piece.line) for piece in same]):
            ours = [same[k] for k in members]
            street = Grouped(Counter(piece.names[0] for piece in ours).most_common(1)[0][0])
            street.pieces = ours
            by_key = {words.key(name): name for piece in ours for name in piece.names}
            street.names = tuple(sorted(name for key, name in by_key.items() if key))
            for key in {words.joined(key) for key in by_key}:
                known[key].append(len(streets))
            streets.append(street)
    houses: dict[str, list[Numbered]] = defaultdict(list)
    for house in found.houses:
        houses[words.joined(words.key(house.street))].append(house)
    for key, same_name in houses.items():
        homeless = _hand_out(same_name, [streets[s] for s in known.get(key, ())])
        for members in _clusters([np.array([house.lonlat]) for house in homeless]):
            alone = [homeless[k] for k in members]
            name = Counter(house.street for house in alone).most_common(1)[0][0]
            streets.append(Grouped(name, (name,), [], alone))
    return streets


def _hand_out(houses: list[Numbered], streets: Sequence[Grouped]) -> list[Numbered]:
    """Give each house to the nearest street; return those that are near to none."""
    if not streets:
        return houses
    from scipy.spatial import cKDTree

    points = [np.concatenate([_dense(piece.line) for piece in s.pieces]) for s in streets]
    owner = np.repeat(np.arange(len(streets)), [len(some) for some in points])
    where = np.array([house.lonlat for house in houses])
    far, nearest = cKDTree(np.concatenate(points)).query(where)
    homeless = []
    for house, away, at in zip(houses, far.tolist(), nearest.tolist(), strict=True):
        if away > _FAR_DEGREES:
            homeless.append(house)
        else:
            streets[owner[at]].houses.append(house)
    return homeless


def _clusters(lines: Sequence[Floats]) -> Iterable[list[int]]:
    """Which of some lines hang together: they touch the same or neighbouring cells."""
    parent = list(range(len(lines)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    first: dict[tuple[int, int], int] = {}
    for k, cells in enumerate(map(_cells, lines)):
        for x, y in cells:
            parent[root(k)] = root(first.setdefault((x, y), k))
    for (x, y), k in first.items():
        for other in ((x + 1, y - 1), (x + 1, y), (x + 1, y + 1), (x, y + 1)):
            if other in first:
                parent[root(k)] = root(first[other])
    members: dict[int, list[int]] = defaultdict(list)
    for k in range(len(lines)):
        members[root(k)].append(k)
    return members.values()


def _cells(line: Floats) -> set[tuple[int, int]]:
    scale: NDArray[np.float64] = np.array([np.cos(np.radians(line[0, 1])), 1.0])
    return {(int(x), int(y)) for x, y in np.floor(line * scale / _CELL_DEGREES)}


def _dense(line: Floats) -> Floats:
    """A line with places no farther apart than a step."""
    parts = np.maximum(1, np.ceil(abs(np.diff(line, axis=0)).max(axis=1) / _STEP_DEGREES))
    parts = np.minimum(parts, 1000).astype(np.int64)
    at = np.repeat(np.arange(len(parts)), parts)
    share = (np.arange(len(at)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[at]
    dense = line[at] + share[:, None] * (line[at + 1] - line[at])
    return np.concatenate([dense, line[-1:]])
