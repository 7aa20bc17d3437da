"""A cost on the makespan in OR-Tools' terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.baselines.ortools_hours import price_of_tick

if TYPE_CHECKING:
    from nco.baselines.ortools_model import Model
    from nco.fleet.scaling import Ticks


def add_makespan(model: Model, ticks: Ticks) -> None:
    """A second clock, which runs for all vehicles from the first departure of any.

    Its largest end is the makespan. On the clock of windows the ends of vehicles that stay at home
    would count as well; here they end where they begin. No stop is served on it sooner than on the
    other one.
    """
    problem, routing, solver = model.problem, model.routing, model.routing.solver()
    begin = int(ticks.down(problem.begins_s))
    clocks = model.drives(ticks)
    for kind, drive in zip(model.kinds, clocks, strict=True):
        start, end = kind.vehicle.start, kind.vehicle.end
        drive[start] += int(ticks.up(kind.opens_s)) - begin
        drive[start, end] = 0
    callbacks, most = model.registered(clocks), 2 * ticks.horizon
    vehicles = [callbacks[k] for k, _ in model.vehicles]
    routing.AddDimensionWithVehicleTransitAndCapacity(
        vehicles, most, [most] * len(vehicles), True, "makespan"
    )
    clock, time = (routing.GetDimensionOrDie(name) for name in ("makespan", "time"))
    waits = problem.release_s.any() or np.any(problem.hours_s[:, 0] > problem.begins_s)
    for j in model.stops if waits else ():
        index = model.index(j)
        solver.Add(clock.CumulVar(index) + begin >= time.CumulVar(index))
    clock.SetGlobalSpanCostCoefficient(price_of_tick(model, ticks, problem.objective.makespan))
