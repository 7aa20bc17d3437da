"""Pickup-and-delivery instances of the literature: rows of tasks that name each other.

Each row is `id x y demand opens closes service pickup delivery`. A pickup has a demand of 0 and
more and names its delivery; the delivery has the same demand below 0 and names its pickup. The
fewest vehicles come first and what they drive second, which a fixed cost of vehicles says that
outweighs all distances together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.errors import FormatError, quoted
from nco.problem import Problem, Profile, Shipment, Vehicle

MOST_VEHICLES = 1_000_000
WIDTH = 9
_OUTWEIGHS = 40.0  # times what all routes can be long; see nco.problem.normal


def rows_of(path: str | Path, lines: Sequence[tuple[int, str]]) -> Floats:
    """`[N, 9]` numbers of the rows, depot first, whose ids count from 0.

    Args:
        path: of the file, for messages.
        lines: number in the file and text of each row.

    Raises:
        FormatError: a row is no such row, or there are none of tasks.
    """
    rows: list[list[float]] = []
    for number, line in lines:
        words = line.split()
        try:
            row = [float(word) for word in words]
        except ValueError:
            row = []
        if len(row) != WIDTH or row[0] != len(rows) or not np.isfinite(row).all():
            raise FormatError(
                f"{path}, line {number}: expected node {len(rows)} with its place, demand, "
                f"opening, closing, service, pickup and delivery, found {quoted(line.strip())}"
            )
        rows.append(row)
    if len(rows) < 3:
        raise FormatError(f"{path}: there is no pickup and delivery beside the depot")
    return np.array(rows)


def shipments_of(path: str | Path, rows: Floats) -> tuple[Shipment, ...]:
    """The shipments that rows name.

    Raises:
        FormatError: rows do not name each other, or their demand differs.
    """
    n, found = len(rows), []
    for j, (demand, pickup, delivery) in enumerate(rows[:, [3, 7, 8]].tolist()):
        if j == 0:
            if demand or pickup or delivery:
                raise FormatError(f"{path}: node 0 is the depot; its demand and pair must be 0")
            continue
        other = pickup or delivery
        if bool(pickup) == bool(delivery) or other % 1 or not 1 <= other < n:
            raise FormatError(
                f"{path}: node {j} names pickup {pickup:g} and delivery {delivery:g}; give one of "
                f"them, a node from 1 to {n - 1}, and 0 for the other"
            )
        back = rows[int(other), 8 if pickup else 7]
        if back != j:
            raise FormatError(
                f"{path}: node {j} names node {other:g}, which names {back:g} and not {j}; the two "
                "ends of a pair name each other"
            )
        if delivery:
            taken = float(rows[int(other), 3])
            if demand < 0 or taken != -demand:
                raise FormatError(
                    f"{path}: node {j} picks up {demand:g} and node {other:g} has a demand of "
                    f"{taken:g}; give the same amount, below 0 at the delivery"
                )
            found.append(Shipment(pickup=j, delivery=int(other), amount=(demand,)))
    return tuple(found)


def paired_problem(
    path: str | Path,
    rows: Floats,
    distance: Floats,
    vehicles: int,
    *,
    duration: Floats | None = None,
    **fields: Any,
) -> Problem:
    """The problem of some rows.

    Args:
        path: of the file, for messages.
        rows: `[N, 9]` of `rows_of`.
        distance: `[N, N]` of what counts beside the number of vehicles.
        vehicles: how many there are.
        duration: `[N, N]` where it differs from the distance.
        **fields: `capacity` and `max_duration_s` of vehicles, all others of `Problem`.

    Raises:
        FormatError: rows do not name each other.
        ProblemError: a field is malformed.
    """
    own = {key: fields.pop(key) for key in ("capacity", "max_duration_s") if key in fields}
    farthest = float(np.max(distance, initial=0.0))
    longest = _OUTWEIGHS * len(rows) * farthest
    fixed_cost = 10.0 ** math.ceil(math.log10(longest)) if longest > 1 else 1.0
    profile = Profile(distance_m=distance, duration_s=distance if duration is None else duration)
    return Problem(
        profiles=(profile,),
        vehicles=(Vehicle(fixed_cost=fixed_cost, **own),) * vehicles,
        shipments=shipments_of(path, rows),
        window_s=rows[:, 4:6],
        service_s=rows[:, 6],
        **fields,
    )
