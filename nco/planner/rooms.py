"""What stops and vehicles of the rest of a day need of each other's room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.planner.driving import on_board
from nco.problem import Shipment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nco.arrays import Floats
    from nco.planner.day import Day, Stop
    from nco.planner.sent import Begin
    from nco.problem.vehicle import Vehicle


class Rooms:
    """Room of vehicles and what stops take of it.

    Where nothing is picked up, a vehicle that has left has room for what its trip has not had yet.
    Else two things count: what is on board at a time, and how much could still have been loaded
    before; the second has dimensions of its own. Two more tell anchors apart: of two such pairs
    neither has room for the other.

    Args:
        day: as it is known now.
        vehicles: that can be sent.
        begins: of those under way.
    """

    def __init__(
        self, day: Day, vehicles: Sequence[tuple[int, Vehicle]], begins: Mapping[int, Begin]
    ) -> None:
        self._day, self._begins = day, begins
        self._rank = {
            number: n
            for n, (number, _) in enumerate(pair for pair in vehicles if pair[0] in begins)
        }
        self._boarded = on_board(day)
        moves = any(stop.pickup.any() for stop in day.stops.values()) or bool(day.shipments)
        self._twice = moves and bool(begins) and day.problem.dimensions > 0
        self.table = np.array([self.of(number, vehicle) for number, vehicle in vehicles])

    def of(self, number: int, vehicle: Vehicle) -> tuple[float, ...]:
        """The capacity of a vehicle."""
        given = np.array(vehicle.capacity)
        begin = self._begins.get(number)
        if begin is None:
            own = [*given, *given] if self._twice else [*given]
        else:
            left = np.maximum(given - begin.carried, 0.0)
            own = [*np.maximum(given - begin.kept, 0.0), *left] if self._twice else [*left]
        pins = self._pins(self._rank.get(number)) if self._rank else ()
        return (*(float(x) for x in own), *pins)

    def _pins(self, rank: int | None) -> tuple[float, float]:
        return (0.0, 0.0) if rank is None else (float(rank + 1), float(len(self._rank) - rank))

    def takes(self, stop: Stop) -> Floats:
        """Demand of a stop, with what is on board for it, without pins."""
        if not self._twice:
            return stop.demand
        _, amount = self._boarded.get(stop.name, (0, np.zeros(len(stop.demand))))
        return np.concatenate([stop.demand + amount, stop.demand])

    def gives(self, stop: Stop) -> Floats:
        """Pickup of a stop, without pins."""
        return np.concatenate([stop.pickup, 0.0 * stop.pickup]) if self._twice else stop.pickup

    def shipped(self, amount: Floats) -> Floats:
        """Amount of a shipment, without pins."""
        return np.concatenate([amount, 0.0 * amount]) if self._twice else amount

    def demand(self, stops: Sequence[Stop], depots: int) -> Floats:
        """`[N, K]`, anchors included."""
        pinned = [self._pins(rank) for rank in range(len(self._rank))]
        return self._table([self.takes(stop) for stop in stops], depots, pinned)

    def pickup(self, stops: Sequence[Stop], depots: int) -> Floats:
        """`[N, K]`, anchors included."""
        return self._table([self.gives(stop) for stop in stops], depots, [])

    def shipments(self, nodes: Mapping[str, int]) -> tuple[Shipment, ...]:
        """Those that nobody has begun."""
        pins = (0.0, 0.0) if self._rank else ()
        return tuple(
            Shipment(
                pickup=nodes[goods.pickup],
                delivery=nodes[goods.delivery],
                amount=(*self.shipped(goods.amount), *pins),
            )
            for goods in self._day.shipments
            if goods.pickup in nodes and goods.delivery in nodes
        )

    def _table(
        self, amounts: Sequence[Floats], depots: int, pinned: Sequence[tuple[float, float]]
    ) -> Floats:
        width = self.table.shape[1]
        found = np.zeros((depots + len(amounts) + len(self._rank), width))
        for n, amount in enumerate(amounts):
            found[depots + n, : len(amount)] = amount
        for n, pins in enumerate(pinned):
            found[depots + len(amounts) + n, -2:] = pins
        return found
