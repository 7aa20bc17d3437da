"""The places of vehicles for trips one after the other, as plain arrays; see `lns.chaining`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.route import Route

    Ints = NDArray[np.int32]

SPARE = 4  # trips of each vehicle beyond twice those that carry all goods
GAPS = 4  # empty places of each vehicle beside those of as many trips as it may drive
MOST = 60  # trips of a vehicle that a search looks at


def most_trips(problem: Problem, kind: Kind, known: Sequence[Route]) -> int:
    """How many trips of a vehicle a search looks at; no fewer than known routes have."""
    vehicle = kind.vehicle
    if vehicle.max_trips == 1:
        return 1
    moved = np.maximum(problem.demand.sum(axis=0), problem.pickup.sum(axis=0))
    for shipment in problem.shipments:
        moved = moved + np.array(shipment.amount)
    capacity = np.array(vehicle.capacity)
    full = np.divide(moved, capacity, out=np.zeros_like(moved), where=capacity > 0)
    # Where vehicles are dear, few of them may drive all trips.
    share = 1 if kind.fixed > 0 else len(problem.vehicles)
    each = np.ceil(np.max(full, initial=0.0) / share)
    driven = max([0, *(sum(r.vehicle == v for r in known) for v in kind.numbers)])
    wanted = max(min(MOST, 2 * int(min(each, MOST)) + SPARE), driven)
    return min(vehicle.max_trips, max(1, len(problem.stops)), wanted)


@dataclass(frozen=True)
class Chains:
    """See `arrays.Instance`, which takes them over; arrays that are not used have one entry.

    Attributes:
        chained: whether vehicles drive several trips.
        head: first place of the vehicle that each place is of.
        slots: how many places the vehicle has.
        most_trips: how many trips it may drive.
        reload: depots where it loads, -1 behind the last.
        using: cost of using it.
    """

    chained: bool
    head: Ints
    slots: Ints
    most_trips: Ints
    reload: Ints
    using: Floats

    @classmethod
    def of(cls, vehicles: Sequence[Kind], numbers: Sequence[int], most: Sequence[int]) -> Chains:
        """The chains of a fleet.

        Args:
            vehicles: kind of the vehicle of each place.
            numbers: of these vehicles, those of one in a row.
            most: trips that each of them may drive.
        """
        if not any(kind.vehicle.max_trips > 1 for kind in vehicles):
            none = np.zeros(1, np.int32)
            return cls(False, none, none, none, np.zeros((1, 1), np.int32), np.zeros(1))
        _, first, count = np.unique(numbers, return_index=True, return_counts=True)
        order = np.argsort(first)
        width = max(len(kind.vehicle.reloads) for kind in vehicles)
        reload = np.full((len(vehicles), width), -1, np.int32)
        for row, kind in zip(reload, vehicles, strict=True):
            row[: len(kind.vehicle.reloads)] = kind.vehicle.reloads
        return cls(
            chained=True,
            head=np.repeat(first[order], count[order]).astype(np.int32),
            slots=np.repeat(count[order], count[order]).astype(np.int32),
            most_trips=np.array(most, np.int32),
            reload=reload,
            using=np.array([kind.fixed for kind in vehicles], float),
        )


def places_for(trips: int) -> int:
    """Of a vehicle for so many trips: with empty ones between them, and before and behind them."""
    return 1 if trips == 1 else min(2 * trips + 1, trips + GAPS)


def spread(count: int, places: int) -> list[int]:
    """Places of so many trips, with others between them as far as there are."""
    if 2 * count < places:
        return [2 * n + 1 for n in range(count)]
    return [(2 * n + 1) * places // (2 * count) for n in range(count)]
