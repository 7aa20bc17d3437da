"""Demand as CSV: who travels from where to where, one row a pair."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.formats.csv_rows import read_csv
from nco.errors import quoted
from nco.transit.sources.table import Row, read_columns

logger = logging.getLogger("nco")

ELSEWHERE = -1
"""Stands for a node where trips may begin or end that nobody counts."""

# The benchmark files and Bloomington's call the same three columns differently.
COLUMNS = (("orig", "dest", "volume"), ("from", "to", "demand"))


def read_demand(path: str | Path, nodes: Mapping[str, int], *, size: int | None = None) -> Floats:
    """Read trips an hour between named nodes.

    Args:
        path: CSV with the columns orig, dest, volume (or from, to, demand). A header without rows
            is no demand.
        nodes: number of each node by its name, `ELSEWHERE` for names that are known and no node.
        size: N, where several names stand for one node; None means that each name is a node.

    Returns:
        `[N, N]` trips an hour from row to column; rows of one pair add up. Trips from or to
        elsewhere, or between two names of one node, are left out.

    Raises:
        FormatError: an unknown stop, a negative volume, trips from a stop to itself, or no such
            table; the message names the line.
        StorageError: the file cannot be read.
    """
    count = len(nodes) if size is None else size
    demand = np.zeros((count, count))
    lost = 0.0
    rows, (orig, dest, volume) = _rows(path)
    for row in rows:
        i, j = row.node(orig, nodes), row.node(dest, nodes)
        trips = row.number(volume)
        if ELSEWHERE in (i, j) or (i == j and row.text(orig) != row.text(dest)):
            lost += trips
            continue
        if i == j and trips:
            row.fail(
                dest,
                f"is {quoted(row.text(dest))} like {quoted(orig)}; trips to the same stop need no "
                "bus",
            )
        demand[i, j] += trips
    if lost:
        logger.info("%g trips of %s lead elsewhere, or no further than a stop", lost, path)
    return demand


def _rows(path: str | Path) -> tuple[list[Row], tuple[str, str, str]]:
    table = read_csv(path).whole(path)
    found = {name.lower() for name in table.header}
    columns = max(COLUMNS, key=lambda names: len(found & set(names)))
    if not table.rows and set(columns) <= found:
        return [], columns
    return read_columns(path, columns), columns
