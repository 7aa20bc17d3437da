"""Whole numbers for solvers that want them, rounded so that what they call feasible is feasible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats, Ints
from nco.fleet.kinds import Kind
from nco.problem import Problem

EPSILON = 1e-7  # of a unit: noise of floating-point numbers, not an amount
SAME = 1e-12  # of an amount: noise of one that is a multiple of a unit


def integral(*arrays: Floats | float) -> bool:
    """Whether all finite entries are whole numbers."""
    for given in arrays:
        array = np.asarray(given)
        finite = array[np.isfinite(array)]
        if not (finite == np.rint(finite)).all():
            return False
    return True


def largest(*arrays: Floats | float) -> float:
    """The largest finite size of an entry, 0 if there is none."""
    most = 0.0
    for given in arrays:
        array = np.abs(np.asarray(given, float))
        most = max(most, float(array[np.isfinite(array)].max(initial=0.0)))
    return most


def power_of_ten(most: float, ceiling: float) -> float:
    """The largest power of ten that takes `most` no higher than `ceiling`."""
    return float(10.0 ** np.floor(np.log10(ceiling / most))) if most > 0 else 1.0


def up(values: Floats | float) -> Floats:
    """Round up, forgiving noise."""
    return np.ceil(np.asarray(values) - EPSILON)


def down(values: Floats | float) -> Floats:
    """Round down, forgiving noise."""
    return np.floor(np.asarray(values) + EPSILON)


def common_unit(amounts: Floats, most: float) -> float:
    """The largest amount of which all others are whole multiples, but for noise.

    Args:
        amounts: of 0 or more.
        most: multiples of it that the largest amount may be.

    Returns:
        0 where there is no such unit.
    """
    different = np.unique(amounts[amounts > 0])
    if not len(different):
        return 0.0
    least, unit = float(different[-1]) / most, float(different[0])
    for amount in map(float, different):
        rest = amount
        while rest > 0.5 * least:  # Euclid's algorithm
            unit, rest = rest, abs(math.remainder(unit, rest))
        if unit < least:
            return 0.0
    times = different / unit
    unit = float(different[-1]) / round(times[-1])
    exact = np.abs(different / unit - np.rint(times)) <= SAME * np.rint(times)
    return unit if exact.all() else 0.0


@dataclass(frozen=True)
class Loads:
    """Amounts and capacity in whole units, each dimension on a scale of its own.

    Attributes:
        demand: `[N, K]`, rounded up.
        pickup: `[N, K]`, rounded up.
        shipped: `[S, K]` of each shipment, rounded up.
        capacity: `[M, K]` of each kind of vehicle, rounded down; an unlimited one holds
            all that is moved.
    """

    demand: Ints
    pickup: Ints
    shipped: Ints
    capacity: Ints

    @property
    def moved(self) -> Ints:
        """`[K]` all that is delivered, picked up and shipped."""
        total: Ints = self.demand.sum(axis=0) + self.pickup.sum(axis=0) + self.shipped.sum(axis=0)
        return total

    @classmethod
    def of(cls, problem: Problem, kinds: Sequence[Kind], ceiling: float = 1e8) -> Loads:
        """Scale the loads of a problem so that a dimension sums up to `ceiling` at most."""
        capacity = np.array([kind.vehicle.capacity for kind in kinds], float)
        shipped = np.array([s.amount for s in problem.shipments], float)
        shipped = shipped.reshape(len(problem.shipments), problem.dimensions)
        amounts = np.concatenate([problem.demand, problem.pickup, shipped])
        total = amounts.sum(axis=0)
        capacity = np.minimum(capacity, np.maximum(total, 1.0))
        scale = np.ones(problem.dimensions)
        for k in range(problem.dimensions):
            most = max(float(total[k]), float(capacity[:, k].max()))
            if not integral(amounts[:, k], capacity[:, k]) or most > ceiling:
                unit = common_unit(amounts[:, k], ceiling)
                whole = unit > 0 and most <= ceiling * unit
                scale[k] = 1.0 / unit if whole else power_of_ten(most, ceiling)
        whole_amounts = up(amounts * scale).astype(np.int64)
        demand, pickup, shipped = np.split(whole_amounts, [problem.size, 2 * problem.size])
        return cls(
            demand=demand,
            pickup=pickup,
            shipped=shipped,
            capacity=down(capacity * scale).astype(np.int64),
        )


@dataclass(frozen=True)
class Ticks:
    """Time in whole ticks: driving and openings rounded up, closings down.

    Attributes:
        per_s: ticks a second.
        horizon: a tick later than any that matters.
    """

    per_s: float
    horizon: int

    @classmethod
    def of(cls, problem: Problem, kinds: Sequence[Kind], ceiling: float = 1e8) -> Ticks:
        """The finest ticks by which the latest time that matters is `ceiling` at most."""
        window, opens, matters, paused = problem.window_s, 0.0, list[Floats](), 0.0
        if problem.timetabled:
            opens, matters, paused = _hours(problem, kinds)
        drives = [np.where(np.isinf(k.duration_s), 0.0, k.duration_s) for k in kinds]
        shifts = np.array([(kind.opens_s, kind.closes_s) for kind in kinds])
        release = problem.release_s
        begin = max(largest(window[:, 0]), largest(shifts[:, 0]), largest(release), opens)
        returns = problem.size if any(kind.vehicle.max_trips > 1 for kind in kinds) else 1
        legs = max(float(d.max(axis=0).sum() + returns * d.max()) for d in drives)
        own = [k.vehicle.service_s for k in kinds if k.vehicle.service_s is not None]
        service = np.max([problem.service_s, *own], axis=0)
        latest = begin + legs + float(service.sum()) + paused
        if np.isfinite(shifts).all():
            latest = min(latest, largest(shifts))
        longest = np.array([kind.vehicle.max_duration_s for kind in kinds])
        times = (window, *matters, problem.service_s, *own, shifts, release, longest)
        whole = integral(*times, *drives)
        per_s = 1.0 if whole and latest <= ceiling else power_of_ten(latest, ceiling)
        return cls(per_s=per_s, horizon=int(np.ceil(latest * per_s)) + 1)

    def up(self, seconds: Floats | float) -> Ints:
        """Ticks that are no fewer than `seconds`; the horizon for those beyond it."""
        return np.minimum(up(np.asarray(seconds) * self.per_s), self.horizon).astype(np.int64)

    def down(self, seconds: Floats | float) -> Ints:
        """Ticks that are no more than `seconds`; the horizon for those beyond it."""
        return np.minimum(down(np.asarray(seconds) * self.per_s), self.horizon).astype(np.int64)


def _hours(problem: Problem, kinds: Sequence[Kind]) -> tuple[float, list[Floats], float]:
    """What else decides times: the last begin of anything, all such times, seconds of breaks."""
    vehicles = [kind.vehicle for kind in kinds]
    windows = np.array([pair for own in problem.windows for pair in own])
    soft = problem.soft_window_s[(problem.early_per_s > 0) | (problem.late_per_s > 0)]
    breaks = np.array([b.window_s for v in vehicles for b in v.breaks]).reshape(-1, 2)
    lengths = [sum(b.length_s for b in v.breaks) for v in vehicles]
    matters = [windows, soft, breaks, np.array(lengths)]
    matters.append(np.array([b.length_s for v in vehicles for b in v.breaks]))
    matters.append(np.array([v.overtime_after_s for v in vehicles]))
    opens = max(largest(times[:, 0]) for times in (windows, soft, breaks))
    return opens, matters, max(lengths)


def timed(problem: Problem, kinds: Sequence[Kind]) -> bool:
    """Whether time matters: for windows, shifts, breaks, release times, longest duties or costs."""
    return bool(
        problem.release_s.any()
        or problem.timetabled
        or any(np.isfinite(kind.vehicle.max_duration_s) for kind in kinds)
        or np.isfinite(problem.window_s[:, 1]).any()
        or any(np.isfinite(kind.closes_s) or kind.cost_per_s for kind in kinds)
    )


def within_limits(
    limits: Sequence[float], arcs: Sequence[Floats], ceiling: float = 1e9
) -> tuple[list[int], list[Ints]]:
    """Limits on the sum of arcs, and the arcs, in whole units that are rounded against a route.

    Args:
        limits: of each kind of vehicle, `inf` where there is none.
        arcs: `[N, N]` of each kind; those that do not exist become 0.
        ceiling: for what a route comes to.
    """
    finite = [np.where(np.isinf(matrix), 0.0, matrix) for matrix in arcs]
    total = max(float(matrix.max(axis=0).sum() + matrix.max()) for matrix in finite)
    most = np.minimum(limits, total)
    exact = integral(most, *finite) and total <= ceiling
    unit = 1.0 if exact else power_of_ten(total, ceiling)
    whole = [up(matrix * unit).astype(np.int64) for matrix in finite]
    slack = len(finite[0]) + 1.0  # what is not limited has room for what rounding adds
    room = np.where(np.isinf(limits), total * unit + slack, down(most * unit))
    return [int(x) for x in room], whole
