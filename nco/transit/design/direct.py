"""Lines that join as many trips as they can without a change of buses.

Where transfers are held to a share of all trips, lines by minutes alone are no good beginning: from
them one change of a line rarely saves anybody a transfer. How many trips a set of lines joins is
known within a microsecond, though, so that a million sets can be looked at before the first one is
evaluated. What is found so is where searches begin (`start`), and how `hyper` rebuilds a few lines
beside all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.kernels.draws import seeded
from nco.transit.design import direct_kernels as kernels
from nco.transit.design.annealing import CHANCES, first_lines
from nco.transit.design.moves import MOVES, streets_of
from nco.transit.instance.lines import pad_lines, unpad_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance

STEPS = 400_000  # of a set of lines from nothing
_REBUILT = 4_000  # of a few lines beside the others
_HEAT, _WARM = (0.02, 3e-4), (0.004, 3e-4)  # temperatures from nothing, and of rebuilt lines
_NOISE = 0.5  # most that the demand of a pair is off where lines are rebuilt, as a share
_WORTH_S = 1200.0  # on board that a transfer and its wait are worth to passengers


class DirectLines:
    """Searches for lines by the trips that they join alone.

    Args:
        instance: what the lines are for.
        drive_s: `[N, N]` seconds that buses take on links.
        fastest_s: `[N, N]` seconds of the fastest ways.
        most_detour: of a line, see `nco.transit.operate.prices.Prices`.
        seed: of all that is random.
    """

    def __init__(
        self,
        instance: TransitInstance,
        drive_s: Floats,
        fastest_s: Floats,
        most_detour: float,
        seed: int = 0,
    ) -> None:
        self.instance = instance
        self._streets = streets_of(instance, seed)
        self._bits = seeded(seed)
        self._generator = np.random.default_rng(seed)
        both = instance.demand + instance.demand.T
        # A line's detour is judged by driving alone, as the rule says.
        self._ride = kernels.Ride(
            np.where(np.isfinite(drive_s), drive_s, 0.0),
            np.maximum(fastest_s, 1.0),
            fastest_s + _WORTH_S,
            both / max(float(np.triu(both).sum()), 1e-9),
            most_detour - 1e-9,
        )
        weights = np.array([CHANCES[move] for move in MOVES])
        self._chances = np.cumsum(weights) / weights.sum()

    def lines(self, steps: int = STEPS) -> Lines:
        """A set of lines from nothing, another one each time."""
        first = first_lines(self._streets, self.instance, self._bits)
        best = first.copy()
        free = np.arange(len(first))
        self._search(self._ride, first, best, free, steps, _HEAT)
        return unpad_lines(best)

    def rebuilt(self, lines: Sequence[Sequence[int]], which: Sequence[int]) -> Lines:
        """The same lines, a few of them led where the others join nobody.

        Args:
            lines: legal ones.
            which: numbers of those that are led elsewhere.
        """
        rows = pad_lines(lines, width=self.instance.max_stops)
        best = rows.copy()
        off = 1.0 - _NOISE * self._generator.random(self._ride.share.shape)
        ride = self._ride._replace(share=self._ride.share * np.minimum(off, off.T))
        self._search(ride, rows, best, np.array(which), _REBUILT, _WARM)
        return unpad_lines(best)

    def _search(self, ride, rows, best, free, steps, heat) -> float:  # type: ignore[no-untyped-def]
        return float(
            kernels.search(
                self._streets, ride, rows, best, free, steps, heat, self._chances, self._bits
            )
        )


def joined_share(instance: TransitInstance, lines: Sequence[Sequence[int]]) -> float:
    """Share of all trips between stops that a line joins."""
    joined = np.zeros((instance.size, instance.size), bool)
    for line in lines:
        joined[np.ix_(list(line), list(line))] = True
    return float((instance.demand * joined).sum() / max(instance.trips, 1e-9))
