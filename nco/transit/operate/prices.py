"""What a minute, a bus and a kilometre are worth, and what no passenger or city would accept."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nco.errors import InputError, quoted


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Weights of the cost of a bus network; all of them are assumptions to be set.

    Walking and waiting are usually held to be worth about twice the time on board. Money is in
    whatever unit; only its ratio to `hour` counts.

    Attributes:
        hour: worth of an hour on board a bus.
        walk: an hour of walking, in hours on board.
        wait: an hour of waiting, in hours on board.
        transfer_min: minutes on board that a change of buses is held to be worth, besides the
            wait for the next one.
        bus_hour: cost of a bus and its driver an hour.
        bus_km: cost of driving a kilometre.
        walk_m_per_s: speed of walking.
        walk_detour: ways on foot by distances as the crow flies.
        most_walk_m: as the crow flies; farther nobody walks to another stop. Where ways on foot
            are known, that is `walk_detour` times as far.
        most_line_detour: a line must take less than so many times the fastest way between its
            ends, in both directions.
        most_journey_detour: nobody takes a journey that is worth more than so many times the
            fastest drive and `patience_min`, everything weighed as above.
        patience_min: see there.
        most_transfers: a design is held to fewer transfers than so many by trips that are not
            made on foot, where a trip that is lost counts as one; what is beyond costs it 100
            minutes a transfer. `inf` for no such rule. What passengers do is not changed by it.
        min_per_h: fewest buses an hour of a line.
        max_per_h: most of them; a line that is fuller than that is overloaded.
        comfort: share of a bus's places that frequencies count on.
        seats: share of its places that are seats; who finds none stands.
        stand: an hour of standing, in hours on board; counted in the cost, while passengers choose
            their way without knowing how full buses are.

    Raises:
        InputError: a number is out of range; the message names the field.
    """

    hour: float = 12.0
    walk: float = 2.0
    wait: float = 2.0
    transfer_min: float = 8.0
    bus_hour: float = 60.0
    bus_km: float = 1.5
    walk_m_per_s: float = 1.25
    walk_detour: float = 1.3
    most_walk_m: float = 500.0
    most_line_detour: float = 1.6
    most_journey_detour: float = 2.5
    patience_min: float = 40.0
    most_transfers: float = 0.24
    min_per_h: float = 2.0
    max_per_h: float = 30.0
    comfort: float = 0.8
    seats: float = 0.6
    stand: float = 1.5

    @property
    def most_way_m(self) -> float:
        """Metres on foot that are walked to a stop at most."""
        return self.walk_detour * self.most_walk_m

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            low = 1.0 if one.name in _FACTORS else 0.0
            endless = one.name == "most_transfers" and value == np.inf
            if not (low <= value < np.inf or endless) or (
                value == 0.0 and one.name not in _MAY_BE_0
            ):
                raise InputError(
                    f"{one.name} is {quoted(value)}; give a finite number of at least {low:g}"
                )
        if self.max_per_h < self.min_per_h:
            raise InputError(
                f"max_per_h is {self.max_per_h:g}, below min_per_h, {self.min_per_h:g}"
            )


_FACTORS = ("walk_detour", "most_line_detour", "most_journey_detour", "stand")
_MAY_BE_0 = (
    *("walk", "wait", "transfer_min", "bus_hour", "bus_km", "most_walk_m", "patience_min"),
    "most_transfers",
)
