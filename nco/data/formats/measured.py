"""Matrices for what a file places in a city: depots must be there, stops may be let off."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.streets import Streets, Table
from nco.errors import OffStreetError, worded

logger = logging.getLogger("nco")


def measured(
    city: Streets,
    lonlat: Floats,
    labels: Sequence[str],
    *,
    depots: int = 1,
    allow_unassigned: bool = False,
) -> Table:
    """Distances and durations between depots and stops.

    Args:
        city: measures them.
        lonlat: `[n, 2]`, depots first.
        labels: what messages call each of them.
        depots: how many of the first are depots, where vehicles start or end.
        allow_unassigned: keep stops that no street is near enough to: no route leads to them, and
            `refused` of the table says why.

    Raises:
        OffStreetError: no street is near enough to a depot, or to a stop and `allow_unassigned` is
            off.
    """
    # Only what is asked for, so that other cities need not know the option.
    options: dict[str, Any] = {}
    if allow_unassigned:
        options["optional"] = np.arange(len(lonlat)) >= depots
    try:
        table = city.matrix(lonlat, names=labels, **options)
    except OffStreetError as error:
        if min(error.points) < depots:  # nothing can be solved without it
            raise
        raise OffStreetError(f"{error}; or {how_to_allow()}", error.points) from None
    if table.refused:
        where = first_ten([labels[node] for node in table.refused])
        logger.warning("%s has no street near enough to %s: unassigned", city.name, where)
    return table


def how_to_allow() -> str:
    """What to do where stops may be left out."""
    return f"allow unassigned stops ({worded('allow_unassigned=True', '--allow-unassigned')})"


def first_ten(labels: Sequence[str]) -> str:
    """The first ten names, and how many more there are."""
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(labels[:10]) + more
