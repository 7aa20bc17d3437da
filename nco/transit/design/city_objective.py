"""The objective for cities: passengers and operator together, on lines that people would accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.errors import ProblemError, quoted
from nco.transit.design.direct import STEPS, DirectLines
from nco.transit.design.objective import BROKEN_MIN
from nco.transit.evaluate.exact import KINDS, Evaluator
from nco.transit.operate.network_cost import CostModel
from nco.transit.operate.periods import representative

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.instance.lines import Lines, LinesLike
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.operate.periods import Period
    from nco.transit.operate.prices import Prices
    from nco.transit.simulate.settings import Settings

_LEAST_TRIPS = 1e-3  # an hour; fewer are nobody
_TRANSFER_MIN = 100.0  # a transfer a trip beyond `Prices.most_transfers`


class CityObjective:
    """Minutes on board that a trip is worth in the mean, the operator's cost included.

    Lines that break a rule of the instance cost `BROKEN_MIN` each; those that take longer than
    `Prices.most_line_detour` allows cost as much for the beginning and more for what is beyond,
    so that a search can feel its way out. More transfers than `Prices.most_transfers` cost as they
    are more: a search left to minutes alone makes one trip in three change buses.

    Args:
        instance: what the lines are for.
        prices: None for the defaults.
        settings: of driving and dwell; None for `Settings.city()`.
        periods: of a week, whose frequencies are set for each set of lines by itself; the fleet
            bounds each of them. A few hours stand for all (`representative`). None designs for the
            peak hour alone.

    Raises:
        ProblemError: nobody travels, so that no trip is worth anything.
    """

    def __init__(
        self,
        instance: TransitInstance,
        prices: Prices | None = None,
        settings: Settings | None = None,
        periods: Sequence[Period] | None = None,
    ) -> None:
        self.instance = instance
        self._hours = ((1.0, 1.0),) if periods is None else representative(periods)
        self.model = CostModel(instance, prices, settings)
        if self.model.demand.sum() < _LEAST_TRIPS:
            raise ProblemError(
                f"nobody travels in {quoted(instance.name)}: its demand, or the share of it that "
                "takes the bus, is 0; give trips, or another objective"
            )
        self._rules = Evaluator(instance)
        self._direct: DirectLines | None = None
        self.evaluations = 0

    def costs(self, lines: NDArray[np.int16]) -> Floats:
        """See `LineObjective`."""
        self.evaluations += len(lines)
        sets = [[line[line >= 0] for line in given if line[0] >= 0] for given in lines]
        found = np.array([self.judged(one) for one in sets])
        return np.asarray(found + self.broken(lines))

    def lawful(self, lines: Iterable[tuple[int, ...]]) -> bool:
        """See `RuleKnowing`: whether no line is led astray."""
        return bool((self.model.detours(lines) < self.model.prices.most_line_detour).all())

    def constructions(self, seed: int, count: int, share: float) -> list[Lines]:
        """See `RuleKnowing`: lines that join as many trips as they can without a change."""
        if not np.isfinite(self.model.prices.most_transfers):
            return []
        self._direct = DirectLines(
            self.instance,
            self.model.drive_s,
            self.model.fastest_s,
            self.model.prices.most_line_detour,
            seed,
        )
        return [self._direct.lines(max(1, int(share * STEPS))) for _ in range(count)]

    def rebuilt(self, lines: Sequence[tuple[int, ...]], which: Sequence[int]) -> Lines | None:
        """See `RuleKnowing`."""
        return None if self._direct is None else self._direct.rebuilt(lines, which)

    def broken(self, lines: NDArray[np.int16]) -> Floats:
        """`[B]` what rules of the instance that lines break cost."""
        counted = [k for k, kind in enumerate(KINDS) if kind != "unconnected"]
        count = self._rules.batch(lines).violations[:, counted].sum(axis=1)
        return np.asarray(BROKEN_MIN * count, np.float64)

    def judged(self, lines: LinesLike, free: int = 0) -> float:
        """The cost of lines that break no rule of the instance.

        Args:
            lines: all of them.
            free: so many of the first may be led astray: they are there already.
        """
        known = [tuple(line) for line in lines]
        prices, demand = self.model.prices, self.model.demand
        found = [
            (hours, self.model.of(known, demand=share * demand)) for hours, share in self._hours
        ]
        busiest = found[0][1]
        beyond = busiest.line_detour[free:] - prices.most_line_detour
        twisted = float((0.1 + beyond[beyond >= 0.0]).clip(max=1.0).sum())
        trips = sum(hours * cost.trips for hours, cost in found)
        money = sum(hours * cost.cost for hours, cost in found)
        many = max(0.0, busiest.transfers_or_lost - prices.most_transfers)
        minutes = 60.0 * money / max(prices.hour * trips, 1e-9)
        return minutes + BROKEN_MIN * twisted + _TRANSFER_MIN * many
