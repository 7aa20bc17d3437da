"""Hours of a problem that decide the times of a route, as plain arrays; see `lns.timetable`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.timetable import LITTLE
from nco.problem.tolerance import slack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.fleet.kinds import Kind
    from nco.problem import Problem, Vehicle
    from nco.search.lns.arrays import Fleet

    Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Hours:
    """See `arrays.Instance`, which takes them over; arrays that are not used have one entry.

    Attributes:
        window: all windows of all nodes in a row.
        window_first: where those of each begin.
        soft: soft windows.
        early: cost of a second before them.
        late: cost of a second after them.
        breaks: how many each vehicle takes.
        pause: of these, earliest and latest begin, and length.
        rest: seconds of driving after which a vehicle rests, and for how long.
        overtime: from when on a vehicle's seconds cost more, and how much.
        leaves: earliest and latest departure of each vehicle that is worth looking at, and the
            latest one at all.
        returns: earliest and latest return of each.
        rate: cost of a second on duty.
        dear: cost of a second beside which all others are small.
        traffic: periods of all tables of arcs in a row: begin, and how fast one then drives.
        traffic_first: where those of each begin.
    """

    window: Floats
    window_first: Ints
    soft: Floats
    early: Floats
    late: Floats
    breaks: Ints
    pause: Floats
    rest: Floats
    overtime: Floats
    leaves: Floats
    returns: Floats
    rate: Floats
    dear: float
    traffic: Floats
    traffic_first: Ints

    @classmethod
    def none(cls, tables: int) -> Hours:
        """Of a problem whose times are decided by the earliest ones."""
        zeros, pair = np.zeros(1), np.zeros((1, 2))
        return cls(
            window=pair, window_first=np.zeros(2, np.int32), soft=pair, early=zeros, late=zeros,
            breaks=np.zeros(1, np.int32), pause=np.zeros((1, 1, 3)), rest=pair, overtime=pair,
            leaves=np.zeros((1, 3)), returns=pair, rate=zeros, dear=1.0,
            traffic=pair,
            traffic_first=np.zeros(tables + 1, np.int32),
        )  # fmt: skip

    @classmethod
    def of(cls, problem: Problem, fleet: Fleet, distinct: Sequence[Kind]) -> Hours:
        """The hours of a problem for the vehicles of a fleet, and tables of arcs."""
        if not problem.timetabled:
            return cls.none(len(distinct))
        weights, kinds = problem.objective, [fleet.kinds[k] for k in fleet.kind]
        vehicles = [kind.vehicle for kind in kinds]
        most = max(1, *(len(v.breaks) for v in vehicles))
        pause = np.zeros((len(vehicles), most, 3))
        for row, vehicle in zip(pause, vehicles, strict=True):
            for b, one in enumerate(vehicle.breaks):
                row[b] = *one.window_s, one.length_s
        rests = [
            (np.inf, np.inf) if v.rest is None else (v.rest.after_driving_s, v.rest.length_s)
            for v in vehicles
        ]
        priced = weights.soft_windows
        prices = [priced * problem.early_per_s, priced * problem.late_per_s]
        prices.append(np.array([weights.overtime * v.cost_per_overtime_s for v in vehicles]))
        dearest = max(float(price.max()) for price in prices)
        traffic = [problem.profiles[kind.vehicle.profile].traffic for kind in distinct]
        return cls(
            window=_slackened(np.array([w for own in problem.windows for w in own], float)),
            window_first=_begins(problem.windows),
            soft=problem.soft_window_s.copy(),
            early=prices[0],
            late=prices[1],
            breaks=np.array([len(v.breaks) for v in vehicles], np.int32),
            pause=pause,
            rest=np.array(rests, float),
            overtime=np.array(
                [
                    (v.overtime_after_s, weights.overtime * v.cost_per_overtime_s)
                    if np.isfinite(v.overtime_after_s)
                    else (0.0, 0.0)
                    for v in vehicles
                ],
                float,
            ),
            leaves=np.array([_leaves(problem, kind) for kind in kinds], float),
            returns=_slackened(np.array([_returns(problem, kind) for kind in kinds], float)),
            rate=np.array([kind.cost_per_s for kind in kinds], float),
            dear=dearest / LITTLE if dearest else 1.0,
            traffic=np.array([t for own in traffic for t in own] or [(0.0, 1.0)], float),
            traffic_first=_begins(traffic),
        )


def most_paused(vehicle: Vehicle, duty_s: float) -> float:
    """Seconds of breaks and rests that a vehicle takes at most, in a duty without them."""
    seconds = sum(one.length_s for one in vehicle.breaks)
    if vehicle.rest is not None:
        seconds += (1 + duty_s / vehicle.rest.after_driving_s) * vehicle.rest.length_s
    return seconds


def _begins(rows: Sequence[Sequence[object]]) -> Ints:
    return np.concatenate([[0], np.cumsum([len(own) for own in rows])]).astype(np.int32)


def _slackened(pairs: Floats) -> Floats:
    """Limits behind which half of what evaluation forgives is left: sums are in another order."""
    ends = pairs[:, 1]
    pairs[:, 1] += 0.5 * np.where(np.isinf(ends), 0.0, slack(np.where(np.isinf(ends), 0.0, ends)))
    return pairs


def _returns(problem: Problem, kind: Kind) -> tuple[float, float]:
    opens = 0.0 if kind.vehicle.open_end else float(problem.window_s[kind.vehicle.end, 0])
    return opens, kind.closes_s


def _leaves(problem: Problem, kind: Kind) -> tuple[float, float, float]:
    vehicle = kind.vehicle
    latest = vehicle.shift_s[1]
    if not vehicle.open_start:
        latest = min(latest, float(problem.window_s[vehicle.start, 1]))
    worth = max(kind.opens_s, problem.last_event_s)
    return kind.opens_s, min(latest, worth), latest
