"""The timetable of lines: what the simulation runs by and what feeds are written from.

Bus `j` of a line opens its doors at the first stop `j` headways after the beginning, and again a
period later, which is the headways of all its buses together. It dwells at each stop, drives, lets
all alight at the last stop, waits for the layover, and comes back the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.arrays import ByValue, Floats
from nco.errors import InputError, counted
from nco.transit.simulate.roads import road_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nco.transit.instance.lines import LinesLike
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.simulate.result import Simulation
    from nco.transit.simulate.settings import Settings


@dataclass(frozen=True, eq=False)
class Timetable(ByValue):
    """How lines are run.

    Attributes:
        per_h: `[R]` buses an hour and direction.
        buses: `[R]` buses of each line.
        drive_s: `[N, N]` seconds that buses take on links.
        dwell_s: seconds that doors are open at a stop.
        layover_s: least seconds between arriving at a terminal and opening there.
    """

    per_h: Floats
    buses: NDArray[np.int64]
    drive_s: Floats
    dwell_s: float
    layover_s: float

    @property
    def headway_s(self) -> Floats:
        """`[R]` seconds between buses of a line and direction."""
        return np.asarray(3600.0 / self.per_h)

    @property
    def fleet(self) -> int:
        """Buses of all lines."""
        return int(self.buses.sum())

    def opening_s(self, nodes: tuple[int, ...]) -> Floats:
        """`[L]` seconds from opening at the first stop to opening at each, arriving at the last."""
        steps = self.drive_s[list(nodes[:-1]), list(nodes[1:])] + self.dwell_s
        return np.concatenate([[0.0], np.cumsum(steps)])

    def round_s(self, nodes: tuple[int, ...]) -> float:
        """Seconds from opening at the first stop to opening there again at the earliest."""
        both = self.opening_s(nodes)[-1] + self.opening_s(nodes[::-1])[-1]
        return float(both + 2 * self.layover_s)

    def departures(
        self, r: int, nodes: tuple[int, ...], first_s: float, last_s: float
    ) -> Iterator[tuple[int, int, float]]:
        """When buses of a line open at its ends.

        Args:
            r: number of the line.
            nodes: its stops.
            first_s: from when on.
            last_s: until when.

        Yields:
            Number of the bus, direction (0 there, 1 back) and seconds; direction by direction.
        """
        headway_s, buses = float(self.headway_s[r]), int(self.buses[r])
        back_s = float(self.opening_s(nodes)[-1]) + self.layover_s
        for direction, shift_s in enumerate((0.0, back_s)):
            # Buses were on their way before: the first that turns after the beginning opens then.
            turn = -int(shift_s // headway_s)
            while (at_s := first_s + shift_s + turn * headway_s) <= last_s + 1e-6:
                if at_s >= first_s - 1e-6:
                    yield turn % buses, direction, at_s
                turn += 1


def timetable_of(instance: TransitInstance, found: Simulation, settings: Settings) -> Timetable:
    """The timetable that a simulation ran by.

    Args:
        instance: of the simulation.
        found: its result.
        settings: that it had.
    """
    return Timetable(
        found.per_h, found.buses, road_s(instance, settings), settings.dwell_s, settings.layover_s
    )


def regular(
    instance: TransitInstance,
    lines: LinesLike,
    headway_s: Floats,
    *,
    dwell_s: float = 0.0,
    layover_s: float = 0.0,
) -> Timetable:
    """The timetable of given headways, with as many buses as it needs.

    Args:
        instance: with the links.
        lines: nodes in order.
        headway_s: `[R]`.
        dwell_s: at each stop.
        layover_s: at each end.

    Raises:
        InputError: there are more or fewer headways than lines.
    """
    known = [tuple(line) for line in lines]
    if len(known) != len(headway_s):
        raise InputError(
            f"headway_s has {len(headway_s)} entries for {counted(len(known), 'line')}; give one "
            "each"
        )
    one = np.ones(len(known), np.int64)
    bare = Timetable(3600.0 / headway_s, one, instance.link_s, dwell_s, layover_s)
    rounds = np.array([bare.round_s(line) for line in known])
    buses = np.maximum(np.ceil(rounds / headway_s - 1e-6), 1).astype(np.int64)
    return Timetable(bare.per_h, buses, instance.link_s, dwell_s, layover_s)
