"""Frequencies of lines by period and kind of day, under a fleet and a budget of bus hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted
from nco.transit.operate.network_cost import CostModel
from nco.transit.operate.periods import USUAL, Period, day_types
from nco.transit.operate.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.transit.instance.lines import LinesLike
    from nco.transit.operate.network_cost import NetworkCost

_HALVINGS = 20  # of the range in which the price of a bus hour is sought
_DEAREST = 1000.0  # times its price: then every line runs as seldom as it may


@dataclass(frozen=True)
class WeekPlan:
    """How lines are run through a week.

    Attributes:
        periods: parts of the days.
        timetables: of each period.
        costs: of each period, an hour.
        price: by how much a bus hour had to be dearer than it is to keep the budget; 1 where the
            budget does not bind.
    """

    periods: tuple[Period, ...]
    timetables: tuple[Timetable, ...]
    costs: tuple[NetworkCost, ...]
    price: float

    @property
    def week(self) -> list[tuple[Period, Timetable]]:
        """Periods with their timetables, as feeds take them."""
        return list(zip(self.periods, self.timetables, strict=True))

    @property
    def fleet(self) -> int:
        """Buses in the busiest period."""
        return max(table.fleet for table in self.timetables)

    @property
    def bus_hours(self) -> float:
        """Hours of all buses in a week."""
        return sum(period.hours * len(period.day.days) * table.fleet for period, table in self.week)

    @property
    def cost(self) -> float:
        """Of passengers and operator in a week."""
        return sum(
            period.hours * len(period.day.days) * cost.cost
            for period, cost in zip(self.periods, self.costs, strict=True)
        )


def plan_week(
    model: CostModel,
    lines: LinesLike,
    periods: Sequence[Period] = USUAL,
    *,
    demands: Sequence[Floats] | None = None,
    bus_hours: float | None = None,
) -> WeekPlan:
    """Set frequencies for each period by what waiting and buses cost then.

    The fleet of the instance bounds each period. A budget of hours ties periods together: the
    price of a bus hour is raised, the same in all of them, until the budget is kept, which gives
    each hour to where it saves most.

    Args:
        model: what counts, and the demand of a peak hour.
        lines: nodes in order.
        periods: with their shares of that demand.
        demands: `[N, N]` trips an hour of each period, where they are known; None takes the shares.
        bus_hours: of all buses in a week; None for any number.

    Raises:
        InputError: there are no periods, they contradict one another, or not even the least
            service keeps the budget.
        ProblemError: a line cannot be run, or there are fewer buses than lines.
    """
    if not periods:
        raise InputError("there are no periods; give one or more, or nco.transit's USUAL")
    day_types(periods)
    if demands is None:
        demands = [period.demand * model.demand for period in periods]
    if len(demands) != len(periods):
        raise InputError(
            f"demands has {len(demands)} tables; give one of each of {len(periods)} periods"
        )
    known = [tuple(line) for line in lines]
    plan = _planned(model, known, periods, demands, 1.0)
    if bus_hours is None or plan.bus_hours <= bus_hours:
        return plan
    least = _planned(model, known, periods, demands, _DEAREST)
    if least.bus_hours > bus_hours:
        raise InputError(
            f"bus_hours is {quoted(bus_hours)}, but {least.bus_hours:.0f} are needed for the least "
            "service; allow more, fewer lines, shorter periods or a smaller min_per_h"
        )
    low, high, kept = 1.0, _DEAREST, least
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        tried = _planned(model, known, periods, demands, middle)
        if tried.bus_hours <= bus_hours:
            high, kept = middle, tried
        else:
            low = middle
    return kept


def _planned(
    model: CostModel,
    lines: list[tuple[int, ...]],
    periods: Sequence[Period],
    demands: Sequence[Floats],
    price: float,
) -> WeekPlan:
    """The plan under a price of bus hours and kilometres; its costs are at the true prices."""
    given = model.prices
    dear = (
        model
        if price == 1.0
        else model.priced(
            replace(given, bus_hour=price * given.bus_hour, bus_km=price * given.bus_km)
        )
    )
    tables, costs = [], []
    for demand in demands:
        found = dear.of(lines, demand=demand)
        if price != 1.0:
            found = model.of(lines, demand=demand, per_h=found.per_h)
        costs.append(found)
        tables.append(model.timetable(found))
    return WeekPlan(tuple(periods), tuple(tables), tuple(costs), price)
