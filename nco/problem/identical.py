"""The vehicles of `Problem.from_matrices`: identical ones, by their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nco import _validate as validate
from nco.errors import ProblemError, quoted
from nco.problem.vehicle import Vehicle

MOST_VEHICLES = 100_000  # that are identical and given by their number


def identical_vehicles(
    count: int | None,
    capacity: float | Sequence[float] | None,
    shift_s: tuple[float, float],
    depots: int,
    nodes: int,
    stops: Mapping[str, Any],
) -> tuple[Vehicle, ...]:
    """So many vehicles from node 0.

    Args:
        count: None means one for each stop where there is a capacity or a window, else one.
        capacity: one number a dimension; None is no limit.
        shift_s: earliest departure and latest return.
        depots: how many nodes are depots.
        nodes: how many there are.
        stops: fields of the problem, of which goods and windows matter here.

    Raises:
        ProblemError: the number makes no sense, or there are no goods that a capacity is of.
    """
    dimensions = _dimensions(stops)
    if capacity is not None and dimensions is None:
        raise ProblemError(
            "capacity is given without demand; give demand [N] as well (or pickup, or shipments)"
        )
    held = (np.inf,) * (dimensions or 0) if capacity is None else capacity
    vehicle = Vehicle(capacity=held, shift_s=shift_s)  # type: ignore[arg-type]
    if count is None:
        plain = capacity is None and stops.get("window_s") is None
        single = plain and vehicle.shift_s[1] == np.inf
        count = 1 if single else max(1, nodes - depots)
    count = validate.whole(count, "vehicles", low=1)
    most = max(MOST_VEHICLES, nodes)
    if count > most:
        raise ProblemError(
            f"vehicles is {quoted(count)}; give 1 to {most}: no more are of use than there are "
            "stops"
        )
    return (vehicle,) * count


def _dimensions(stops: Mapping[str, Any]) -> int | None:
    """In how many dimensions goods are given, None if there are none."""
    for name in ("demand", "pickup"):
        if stops.get(name) is not None:
            shape = validate.array(stops[name], name).shape
            return shape[1] if len(shape) == 2 else 1
    shipments = stops.get("shipments") or ()
    amounts = [getattr(shipment, "amount", ()) for shipment in shipments]
    return len(amounts[0]) if amounts else None
