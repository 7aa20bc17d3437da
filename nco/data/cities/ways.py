"""What OpenStreetMap says of each piece of street: its class and its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from nco.arrays import Ints
from nco.errors import CityError, shortened


@dataclass(frozen=True)
class Ways:
    """Pieces of streets between two nodes, in no direction.

    Attributes:
        ends: `[k, 2]` OpenStreetMap's numbers of their nodes, the lower one first, in order.
        class_of: `[k]` index into `classes`.
        name_of: `[k]` index into `names`.
        classes: values of the tag `highway`.
        names: of streets; the first is empty.
    """

    ends: Ints
    class_of: Ints
    name_of: Ints
    classes: tuple[str, ...]
    names: tuple[str, ...]

    def rows(self, tail: Ints, head: Ints) -> Ints:
        """`[n]` the row of each piece between two nodes, either way; -1 for none."""
        ids = np.unique(self.ends)
        if not len(ids):
            return np.full(len(tail), -1)
        known = _pairs(ids, *self.ends.T)
        wanted = _pairs(ids, np.minimum(tail, head), np.maximum(tail, head))
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, at, -1)


def tagged(extract: Path, *keys: str) -> Iterator[Any]:
    """Nodes and ways of an extract that have one of some tags, as osmium has them.

    Raises:
        CityError: the extract is gone, truncated or damaged.
    """
    import osmium

    entities = osmium.osm.NODE | osmium.osm.WAY
    try:
        read = osmium.FileProcessor(str(extract), entities)
        yield from cast("Iterator[Any]", read.with_filter(osmium.filter.KeyFilter(*keys)))
    except (RuntimeError, OSError, ValueError) as error:
        raise CityError(
            f"extract {extract} cannot be read for its roads: {shortened(error)}; is it an "
            ".osm.pbf or .osm file that is whole?"
        ) from error


def read_ways(extract: Path) -> Ways:
    """Read all streets of an extract.

    Raises:
        CityError: it cannot be read.
    """
    ends: list[tuple[int, int]] = []
    numbers: list[tuple[int, int]] = []
    classes: dict[str, int] = {}
    names: dict[str, int] = {"": 0}
    for way in tagged(extract, "highway"):
        if way.is_node():
            continue
        kind, name = str(way.tags.get("highway", "")), str(way.tags.get("name", ""))
        pair = (classes.setdefault(kind, len(classes)), names.setdefault(name, len(names)))
        refs = [node.ref for node in way.nodes]
        for a, b in pairwise(refs):
            ends.append((min(a, b), max(a, b)))
            numbers.append(pair)
    table = np.array(ends, dtype=np.int64).reshape(-1, 2)
    of = np.array(numbers, dtype=np.int64).reshape(-1, 2)
    order = np.lexsort((table[:, 1], table[:, 0]))
    return Ways(table[order], of[order, 0], of[order, 1], tuple(classes), tuple(names))


def _pairs(ids: Ints, low: Ints, high: Ints) -> Ints:
    """`[k]` a number for each pair of nodes, in their order; -1 where one is not known."""
    ranks = [np.minimum(np.searchsorted(ids, end), len(ids) - 1) for end in (low, high)]
    known = (ids[ranks[0]] == low) & (ids[ranks[1]] == high)
    return np.where(known, ranks[0] * len(ids) + ranks[1], -1)
