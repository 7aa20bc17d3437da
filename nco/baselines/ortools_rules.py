"""Loads, ties and limits in OR-Tools' terms: dimensions that grow along a route."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.baselines.ortools_counts import counted
from nco.baselines.ortools_ties import add_ties
from nco.fleet.scaling import Loads, within_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.baselines.ortools_model import Model


def add_loads(model: Model) -> None:
    """What is on board never exceeds what a vehicle holds."""
    loads, problem = Loads.of(model.problem, model.kinds), model.problem
    change = loads.pickup - loads.demand
    for shipment, amount in zip(problem.shipments, loads.shipped, strict=True):
        change[shipment.pickup] += amount
        change[shipment.delivery] -= amount
    for d in range(problem.dimensions):
        most = [int(loads.capacity[k, d]) for k, _ in model.vehicles]
        demand = loads.demand[:, d]
        if not (loads.pickup[:, d].any() or loads.shipped[:, d].any()):
            counted(model, demand, most, f"load {d}")
            continue
        delivered = counted(model, demand, most, f"delivered {d}")
        callback = model.routing.RegisterUnaryTransitVector(change[model.nodes, d].tolist())
        name = f"load {d}"
        model.routing.AddDimensionWithVehicleCapacity(callback, 0, most, False, name)
        on_board = model.routing.GetDimensionOrDie(name)
        for v in range(len(model.vehicles)):  # it begins with all that it is going to deliver
            begin = on_board.CumulVar(model.routing.Start(v))
            model.routing.solver().Add(begin == delivered.CumulVar(model.routing.End(v)))


def add_rules(model: Model) -> None:
    """Shipments, backhauls, and what a vehicle may drive and serve at most."""
    problem = model.problem
    if problem.shipments:
        _add_shipments(model)
    add_ties(model)
    if problem.linehauls_first and problem.pickup.any():
        _add_backhauls(model)
    fleet = [kind.vehicle for kind in model.kinds]
    if any(vehicle.max_stops is not None for vehicle in fleet):
        most = [len(model.stops) if v.max_stops is None else v.max_stops for v in fleet]
        stops = (np.arange(problem.size) >= problem.depots).astype(np.int64)
        counted(model, stops, [most[k] for k, _ in model.vehicles], "stops")
    limits = {
        "metres": (
            [vehicle.max_distance_m for vehicle in fleet],
            [problem.profiles[vehicle.profile].distance_m for vehicle in fleet],
        ),
        "driving": (
            [vehicle.max_driving_s for vehicle in fleet],
            [kind.duration_s for kind in model.kinds],
        ),
    }
    for name, (limit, arcs) in limits.items():
        if np.isfinite(limit).any():
            _add_limit(model, name, limit, arcs)


def _add_shipments(model: Model) -> None:
    """Both ends on one route, the pickup first, or neither."""
    routing = model.routing
    solver = routing.solver()
    places = model.turns
    known = set(model.stops)
    for shipment in model.problem.shipments:
        ends = [model.index(j) for j in (shipment.pickup, shipment.delivery) if j in known]
        if len(ends) < 2:
            for index in ends:
                routing.VehicleVar(index).SetValues([-1])
            continue
        pickup, delivery = ends
        routing.AddPickupAndDelivery(pickup, delivery)
        solver.Add(routing.VehicleVar(pickup) == routing.VehicleVar(delivery))
        solver.Add(places.CumulVar(pickup) <= places.CumulVar(delivery))


def _add_backhauls(model: Model) -> None:
    """Before a stop to which something is delivered, nothing was picked up."""
    problem = model.problem
    picked = counted(
        model,
        problem.pickup.any(axis=1).astype(np.int64),
        [len(model.stops)] * len(model.vehicles),
        "picked up",
    )
    for j in model.stops:
        if problem.demand[j].any():
            picked.CumulVar(model.index(j)).SetMax(0)


def _add_limit(model: Model, name: str, limit: Sequence[float], arcs: Sequence[Floats]) -> None:
    """Arcs of a route come to no more than a limit."""
    limits, whole = within_limits(limit, arcs)
    callbacks = model.registered(whole)
    model.routing.AddDimensionWithVehicleTransitAndCapacity(
        [callbacks[k] for k, _ in model.vehicles],
        0,
        [limits[k] for k, _ in model.vehicles],
        True,
        name,
    )
