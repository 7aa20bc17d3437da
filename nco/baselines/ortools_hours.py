"""Hours in OR-Tools' terms: several and soft windows, breaks, and a cost of overtime."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.baselines.ortools_model import Model
    from nco.fleet.kinds import Kind
    from nco.fleet.scaling import Ticks
    from nco.problem import Problem


def add_hours(model: Model, ticks: Ticks) -> None:
    """What decides the times of a route beside its windows and the shift of its vehicle."""
    time = model.routing.GetDimensionOrDie("time")
    _add_gaps(model, ticks, time)
    _add_soft_windows(model, ticks, time)
    _add_overtime(model, ticks, time)
    _add_breaks(model, ticks, time)


def penalties(problem: Problem, kinds: Sequence[Kind], ticks: Ticks) -> list[tuple[float, float]]:
    """Costs of a tick that is early, late or overtime, and how many of each there are at most."""
    found = []
    soft, latest = problem.objective.soft_windows, ticks.horizon / ticks.per_s
    for rate, most_s in (
        (problem.early_per_s, problem.soft_window_s[:, 0]),
        (problem.late_per_s, latest - problem.soft_window_s[:, 1]),
    ):
        found += list(zip((soft * rate).tolist(), most_s.tolist(), strict=True))
    for kind in kinds:
        price = problem.objective.overtime * kind.vehicle.cost_per_overtime_s
        found.append((price, len(kind.numbers) * (latest - kind.vehicle.overtime_after_s)))
    per_s = ticks.per_s
    return [(price / per_s, most_s * per_s) for price, most_s in found if price and most_s > 0]


def _add_gaps(model: Model, ticks: Ticks, time: Any) -> None:
    """Nothing begins between two windows."""
    for j in model.stops:
        for (_, closes), (opens, _) in pairwise(model.problem.windows[j]):
            begin, end = int(ticks.down(closes)) + 1, int(ticks.up(opens)) - 1
            if begin <= end:
                time.CumulVar(model.index(j)).RemoveInterval(begin, end)


def _add_soft_windows(model: Model, ticks: Ticks, time: Any) -> None:
    problem, weight = model.problem, model.problem.objective.soft_windows
    begins, ends = problem.soft_window_s.T
    for j in model.stops:
        early = price_of_tick(model, ticks, weight * problem.early_per_s[j])
        late = price_of_tick(model, ticks, weight * problem.late_per_s[j])
        if early and begins[j] > 0:
            time.SetCumulVarSoftLowerBound(model.index(j), int(ticks.up(begins[j])), early)
        if late and np.isfinite(ends[j]):
            time.SetCumulVarSoftUpperBound(model.index(j), int(ticks.down(ends[j])), late)


def _add_overtime(model: Model, ticks: Ticks, time: Any) -> None:
    weight = model.problem.objective.overtime
    for v, (k, _) in enumerate(model.vehicles):
        vehicle = model.kinds[k].vehicle
        rate = price_of_tick(model, ticks, weight * vehicle.cost_per_overtime_s)
        if rate and np.isfinite(vehicle.overtime_after_s):
            after = int(ticks.down(vehicle.overtime_after_s))
            time.SetCumulVarSoftUpperBound(model.routing.End(v), after, rate)


def _add_breaks(model: Model, ticks: Ticks, time: Any) -> None:
    """Breaks in their order, at no time of service; or before the departure, or after the return.

    OR-Tools lets breaks lie there as well. Those that are over when a vehicle can leave at the
    earliest bind nobody, and a vehicle that is not used could be held up by them.
    """
    routing, solver = model.routing, model.routing.solver()
    if not any(kind.vehicle.breaks for kind in model.kinds):
        return
    service = ticks.up(model.problem.service_s)
    visits = [0] * routing.Size()
    for j in model.stops:
        visits[model.index(j)] = int(service[j])
    for v, (k, _) in enumerate(model.vehicles):
        kind, over, intervals = model.kinds[k], -np.inf, list[Any]()
        for n, one in enumerate(kind.vehicle.breaks):
            opens, closes = one.window_s
            over = max(over, opens) + one.length_s
            if over <= kind.opens_s and not intervals:
                continue
            begin, length = int(ticks.up(opens)), max(1, int(ticks.up(one.length_s)))
            latest = max(begin, int(ticks.down(closes)))
            intervals.append(
                solver.FixedDurationIntervalVar(begin, latest, length, False, f"break {v} {n}")
            )
        for first, second in pairwise(intervals):
            solver.Add(second.StartsAfterEnd(first))
        if intervals:
            time.SetBreakIntervalsOfVehicle(intervals, v, visits)


def price_of_tick(model: Model, ticks: Ticks, per_s: float) -> int:
    """What a tick costs in whole units."""
    return int(np.rint(per_s * model.costs.scale / ticks.per_s))
