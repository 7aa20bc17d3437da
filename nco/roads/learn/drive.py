"""Drives as examples: the links that a driver chose between two places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import FormatError, quoted
from nco.roads.drives import Driven, NodePairs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.tables import numbered_rows, osm_nodes, read_table


@dataclass(frozen=True, eq=False)
class Drive:
    """What a driver drove.

    Attributes:
        links: `[k]`, in their order.
        covered_m: `[k]`, metres of each that were driven.
        shares: `[k]`, how much of each, 0 to 1.
        turns: the turns between them, as far as there are any.
        source: where it began; the direction is known.
        target: where it ended; the direction is known.
        driver: who drove, so that drives of one driver stay together.
        hour: of the day, local time; NaN where nobody knows.
    """

    links: NDArray[np.int64]
    covered_m: Floats
    shares: Floats
    turns: NDArray[np.int64]
    source: Position
    target: Position
    driver: str = ""
    hour: float = float("nan")

    @classmethod
    def of(
        cls, graph: RoadGraph, driven: Driven, *, driver: str = "", hour: float = float("nan")
    ) -> Drive:
        """A recorded drive.

        Raises:
            FormatError: it lies on no link of the graph.
        """
        if not len(driven.links):
            raise FormatError(f"a drive of {quoted(driver)} lies on no street of {graph.name}")
        links = driven.links
        whole = graph.links.length_m[links]
        first, last = int(links[0]), int(links[-1])
        begin = 0.0
        if len(links) > 1:
            begin = graph.fraction_at(first, float(whole[0] - driven.covered_m[0]))
        end = graph.fraction_at(last, float(driven.covered_m[-1]))
        turns = graph.turns_along(links)
        return cls(
            links,
            driven.covered_m,
            np.divide(driven.covered_m, whole, out=np.zeros(len(links)), where=whole > 0),
            turns[turns >= 0],
            Position.on(graph, first, min(max(begin, 0.0), 1.0), both=False),
            Position.on(graph, last, min(max(end, 0.0), 1.0), both=False),
            driver,
            hour,
        )

    @classmethod
    def along(cls, path: Path, *, driver: str = "", hour: float = float("nan")) -> Drive:
        """A drive along a path: what a made-up driver drove."""
        graph = path.graph
        first, last = int(path.links[0]), int(path.links[-1])
        return cls(
            path.links,
            path.driven_m,
            path.shares,
            path.turns,
            Position.on(graph, first, path.from_fraction, both=False),
            Position.on(graph, last, path.to_fraction, both=False),
            driver,
            hour,
        )

    def covered(self, *paths: Path) -> float:
        """The share of its metres that lies on the best of some paths, by directed links."""
        return max((float(self.covered_m[self.on(path)].sum()) for path in paths), default=0.0) / (
            max(float(self.covered_m.sum()), 1e-9)
        )

    def on(self, path: Path) -> NDArray[np.bool_]:
        """`[k]`, which of its links a path uses; copies of a link are the same."""
        original = path.graph.links.original
        return np.isin(original[self.links], original[path.links])


def read_drives(graph: RoadGraph, matched: str | FilePath, trips: str | FilePath) -> list[Drive]:
    """Drives that were matched to the map, those that `good` of the trips says are whole.

    Args:
        graph: of the map.
        matched: CSV (`.gz` or not) with `trip` and `osm_nodes`, separated by blanks.
        trips: CSV with `trip`, and `taxi` (or `driver`), `start_utc` and `good` where known.

    Raises:
        FormatError: a file is damaged, or no drive lies on the map.
        StorageError: a file cannot be read.
    """
    known = {row["trip"]: row for row in read_table(trips, ("trip",))}
    pairs = NodePairs(graph)
    drives = []
    for line, row in numbered_rows(matched, ("trip", "osm_nodes")):
        trip = known.get(row["trip"], {})
        if trip.get("good", "1") != "1" or not row["osm_nodes"].strip():
            continue
        try:
            start = float(trip.get("start_utc") or "nan")
        except ValueError:
            raise FormatError(
                f"{trips}: start_utc of trip {quoted(row['trip'])} is "
                f"{quoted(trip['start_utc'])}; give seconds"
            ) from None
        driven = pairs.links(osm_nodes(matched, line, row["osm_nodes"]))
        if len(driven.links) > 2:
            driver = trip.get("taxi") or trip.get("driver") or row["trip"]
            drives.append(Drive.of(graph, driven, driver=driver, hour=start % 86400 / 3600))
    if not drives:
        raise FormatError(
            f"{matched}: no drive lies on the streets of {graph.name}; the numbers of "
            "nodes must be those of the same OpenStreetMap extract"
        )
    return drives
