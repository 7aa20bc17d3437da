"""The objective in whole units, for solvers that add up integers along arcs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats, Ints
from nco.fleet.kinds import Kind, unserved_cost
from nco.fleet.scaling import Ticks, integral, largest, power_of_ten
from nco.problem import Problem

PRECISE = 100.0  # units that the least price comes to, so that rounding is less than a percent
LARGEST_SUM = 2.0**60  # of arcs of a solution, all of which may be barred: solvers count in int64


@dataclass(frozen=True)
class Costs:
    """Arc costs and what else the objective adds up, in units of `1 / scale`.

    A preference is a gain on the arcs into a stop. Solvers want arcs that are not negative, so
    what serving a stop gains at most is added to all arcs into it, for every vehicle. Each
    served stop is entered once, therefore this shifts the cost of all routes alike, whatever
    the number of trips; the prize of an optional stop is shifted with it. Alternatives of a group
    are shifted alike, and each has the prize of the group.

    Attributes:
        scale: units in a unit of the objective.
        arcs: `[N, N]` of each kind of vehicle; `barred` where it must not drive.
        fixed: of using a vehicle of each kind.
        per_tick: of a tick on duty of each kind; 0 where time is part of `arcs`.
        prize: `[N]` cost of leaving a stop out; `reward` where it is required.
        reward: more than leaving out a single stop can save.
        barred: more than all rewards and prizes together.
        dearest: the largest arc that may be driven, time included.
        shift: `[N]` of the objective, what arcs into each node are shifted by.
    """

    scale: float
    arcs: tuple[Ints, ...]
    fixed: tuple[int, ...]
    per_tick: tuple[int, ...]
    prize: Ints
    reward: int
    barred: int
    dearest: int
    shift: Floats

    @classmethod
    def of(
        cls,
        problem: Problem,
        kinds: Sequence[Kind],
        ticks: Ticks | None = None,
        ceiling: float = 1e7,
        prices: Sequence[tuple[float, float]] = (),
    ) -> Costs:
        """Scale the objective of a problem.

        Args:
            problem: what is to be solved.
            kinds: of its vehicles.
            ticks: in which the solver counts time, if it charges for time on duty by itself;
                without, driving and service are charged on the arcs.
            ceiling: for the largest arc.
            prices: of ticks that the solver charges for by itself beside time on duty, and how
                many of each there are at most.
        """
        raw = [_charged(problem, kind) if ticks is None else kind.cost for kind in kinds]
        open_arcs = [_open(problem, kind, arcs) for kind, arcs in zip(kinds, raw, strict=True)]
        shift = np.zeros(problem.size)
        for arcs in open_arcs:
            shift = np.maximum(shift, -np.where(np.isinf(arcs), 0.0, arcs).min(axis=0))
        shift[: problem.depots] = 0.0
        worth = unserved_cost(problem)
        for group in problem.groups:
            members = list(group.stops)
            shift[members] = shift[members].max()
            required = np.isinf(group.prize)
            worth[members] = np.inf if required else problem.objective.unserved * group.prize
        worth = worth + shift
        shifted = [arcs + shift for arcs in open_arcs]
        rates = np.array([0.0 if ticks is None else kind.cost_per_s for kind in kinds])
        slowest = max(largest(kind.duration_s) for kind in kinds)
        dearest = max(map(largest, shifted)) + float(rates.max()) * slowest
        fixed = np.array([kind.fixed for kind in kinds])
        per_s = 1.0 if ticks is None else ticks.per_s
        longest = _longest(problem, kinds)
        most = LARGEST_SUM / (problem.size + 2) ** 2
        dear = 4 * (dearest + longest) + 2 * float(fixed.max())
        dear += sum(price * count for price, count in prices)
        # All that is optional together is worth less than a required stop.
        dear += float(np.minimum(worth[np.isfinite(worth)], 1e3 * dear).clip(0.0).sum())
        finest = most / 2 / dear if dear > 0 else np.inf
        whole = per_s == 1.0 and dearest <= ceiling and finest >= 1.0 and not longest
        charged = np.array([price for price, _ in prices])
        if whole and integral(rates, fixed, worth, charged, *shifted):
            scale = 1.0
        else:
            scale = _scale(max(dearest, longest), rates, per_s, ceiling, finest)
            scale = _finer(scale, charged, finest)
        reward = int(np.ceil(dear * scale)) + 1
        optional = np.isfinite(worth)
        prize = np.full(problem.size, reward, np.int64)
        prize[optional] = np.rint(np.minimum(worth[optional], most / 2 / scale) * scale)
        barred = int((problem.size + 2) * reward + prize[optional & (worth > 0)].sum())
        return cls(
            scale=scale,
            arcs=tuple(_whole(arcs, scale, barred) for arcs in shifted),
            fixed=tuple(int(x) for x in np.rint(fixed * scale)),
            per_tick=tuple(int(x) for x in np.rint(rates * scale / per_s)),
            prize=prize,
            reward=reward,
            barred=barred,
            dearest=int(np.ceil(dearest * scale)),
            shift=shift,
        )


def _charged(problem: Problem, kind: Kind) -> Floats:
    """Arc costs with the time of driving and, on the way onward, of service."""
    own = kind.vehicle.service_s
    service_s = problem.service_s if own is None else own
    if not kind.cost_per_s or not service_s.any():
        return kind.driving_cost
    arcs = kind.driving_cost + kind.cost_per_s * service_s[:, None]
    np.fill_diagonal(arcs, 0.0)
    return arcs


def _open(problem: Problem, kind: Kind, arcs: Floats) -> Floats:
    """Arc costs with `inf` into all stops that the kind of vehicle can certainly not serve."""
    closed = ~kind.stops
    closed[: problem.depots] = False
    return np.where(closed, np.inf, arcs) if closed.any() else arcs


def _longest(problem: Problem, kinds: Sequence[Kind]) -> float:
    """What the dearest arc costs on the longest route, 0 where that does not count."""
    weights = problem.objective
    if not weights.longest_route:
        return 0.0
    if weights.longest_by == "distance":
        measured = [problem.profiles[kind.vehicle.profile].distance_m for kind in kinds]
    else:
        measured = [kind.duration_s for kind in kinds]
    return weights.longest_route * largest(*measured)


def _scale(dearest: float, rates: Floats, per_s: float, ceiling: float, finest: float) -> float:
    """Units in a unit of the objective, such that a tick of the dearest rate is a whole number.

    Where that would take too many, a tick costs next to nothing beside the dearest arc.
    """
    scale = min(power_of_ten(dearest, ceiling), finest)
    rate = float(rates.max())
    if rate > 0:
        whole = max(1.0, float(np.rint(rate * scale / per_s))) * per_s / rate
        scale = whole if whole <= finest else scale
    return scale


def _finer(scale: float, prices: Floats, finest: float) -> float:
    """A multiple of a scale in which prices are whole numbers, nearly, as far as there is one."""
    least = float(prices.min(initial=np.inf)) * scale
    if least >= PRECISE:
        return scale
    times = min(np.ceil(PRECISE / least), np.floor(finest / scale))
    return scale * max(1.0, float(times))


def _whole(arcs: Floats, scale: float, barred: int) -> Ints:
    missing = np.isinf(arcs)
    whole = np.where(missing, barred, np.rint(np.where(missing, 0.0, arcs) * scale))
    np.fill_diagonal(whole, 0)
    return whole.astype(np.int64)
