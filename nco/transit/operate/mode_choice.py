"""Who takes the bus, the car or walks: a logit over what each of them is worth.

A trip is made by a mode with the probability `exp(-scale * minutes)` over the sum of all modes',
the minutes being those on board a bus that a journey is worth door to door (D. McFadden 1974,
"Conditional logit analysis of qualitative choice behavior"). The scale is the coefficient of time
in the vehicle of home-based work in a model of a region in the United States, OKI/MVRPC travel
demand model 6.0: 0.0248 a minute. All other constants are assumptions to be set.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from nco.arrays import ByValue, Floats
from nco.errors import InputError, quoted

if TYPE_CHECKING:
    from nco.transit.instance.lines import LinesLike
    from nco.transit.operate.network_cost import CostModel, NetworkCost

_ROUNDS = 6  # of shares and frequencies from each other, at most
_STILL = 1e-3  # share of the trips that still change their mode in the last of them


@dataclass(frozen=True, kw_only=True)
class ModeChoice:
    """Constants of the choice.

    Attributes:
        scale: of a minute on board; the larger, the more people take what is best.
        bus_min: minutes on board that a fare and whatever else speaks against the bus is worth.
        car_min: likewise against the car: parking, the way to it, and what it costs.
        car_faster: cars take so many times less than buses that do not stop.
        with_car: share of the trips for which there is a car at hand.

    Raises:
        InputError: a number is out of range; the message names the field.
    """

    scale: float = 0.0248
    bus_min: float = 10.0
    car_min: float = 25.0
    car_faster: float = 1.15
    with_car: float = 0.75

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            most = 1.0 if one.name == "with_car" else 1e6
            above = one.name in ("scale", "car_faster")
            if not 0 <= value <= most or (above and value == 0):
                raise InputError(
                    f"{one.name} is {quoted(value)}; give a number {'above' if above else 'from'} "
                    f"0 to {most:g}"
                )


@dataclass(frozen=True, kw_only=True, eq=False)
class Modes(ByValue):
    """How all trips are made, and what lines cost that carry those by bus.

    Attributes:
        cost: of the lines under the trips by bus.
        bus: `[N, N]` trips an hour by bus.
        car: `[N, N]` by car.
        foot: `[N, N]` on foot.
        stay: `[N, N]` that nobody makes, as there is no way.
        worth_min: `[N, N]` minutes on board that a trip is worth with the choice of all modes (the
            logsum); infinite without any.
    """

    cost: NetworkCost
    bus: Floats
    car: Floats
    foot: Floats
    stay: Floats
    worth_min: Floats

    @property
    def trips(self) -> float:
        """An hour, by all modes."""
        return sum(float(one.sum()) for one in (self.bus, self.car, self.foot, self.stay))

    def shares(self) -> dict[str, float]:
        """Of each mode among all trips."""
        trips = max(self.trips, 1e-9)
        return {
            name: float(getattr(self, name).sum()) / trips
            for name in ("bus", "car", "foot", "stay")
        }


def chosen(
    model: CostModel, lines: LinesLike, choice: ModeChoice, *, per_h: Floats | None = None
) -> Modes:
    """How trips are made where these lines run.

    The demand of the instance is of all modes then. Where frequencies are not given, they follow
    from the passengers and the passengers from them, until hardly anybody changes.

    Args:
        model: what a journey is worth.
        lines: nodes in order.
        choice: constants.
        per_h: `[R]` buses an hour, where they are given.

    Raises:
        ProblemError: a line cannot be run, or there are fewer buses than lines.
    """
    known = [tuple(line) for line in lines]
    trips = model.demand
    by_bus = trips
    cost = model.of(known, demand=by_bus, per_h=per_h)
    for _ in range(_ROUNDS):
        shares, worth_min = _shares(model, cost, choice)
        then = trips * shares[0]
        still = float(np.abs(then - by_bus).sum()) <= _STILL * float(trips.sum())
        by_bus = then
        cost = model.of(known, demand=by_bus, per_h=per_h)
        if still:
            break
    # The shares that the cost above was worked out for: it carries exactly these passengers.
    bus, car, foot = (trips * share for share in shares)
    stay = np.maximum(trips - bus - car - foot, 0.0)
    return Modes(cost=cost, bus=bus, car=car, foot=foot, stay=stay, worth_min=worth_min)


def _shares(
    model: CostModel, cost: NetworkCost, choice: ModeChoice
) -> tuple[tuple[Floats, Floats, Floats], Floats]:
    """`[N, N]` shares of bus, car and foot, and what a trip is worth with the choice of them."""
    bus_min = np.where(cost.by_bus, cost.weighed_s / 60.0 + choice.bus_min, np.inf)
    car_min = model.fastest_s / 60.0 / choice.car_faster + choice.car_min
    foot_min = model.on_foot_s / 60.0
    # Those without a car choose between the other two; each group has a logit of its own.
    groups = ((choice.with_car, car_min), (1.0 - choice.with_car, np.full_like(car_min, np.inf)))
    total = [np.zeros_like(car_min) for _ in range(3)]
    worth_min = np.zeros_like(car_min)
    for weight, by_car in groups:
        if weight <= 0.0:
            continue
        minutes = np.stack([bus_min, by_car, foot_min])
        least = minutes.min(axis=0)
        there = np.isfinite(least)
        behind = np.where(there, minutes - np.where(there, least, 0.0), np.inf)
        odds = np.exp(-choice.scale * behind)
        together = np.maximum(odds.sum(axis=0), 1e-300)
        for mode in range(3):
            total[mode] += weight * odds[mode] / together
        worth_min += weight * np.where(there, least - np.log(together) / choice.scale, np.inf)
    return (total[0], total[1], total[2]), worth_min
