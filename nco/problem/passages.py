"""The nodes that a vehicle passes, and what binds it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.problem.objective import Feature
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.vehicle import Vehicle

Trips = Sequence[Route]
"""Those of one vehicle, in order."""


@dataclass(frozen=True)
class Duty:
    """All trips of one vehicle in a row.

    Attributes:
        distance_m: metres driven.
        driving_s: seconds of driving.
        longest_leg: most metres, and most seconds of driving, from one node to the next.
        duration_s: seconds between the latest departure that delays nothing and the return.
        departure_s: that departure.
        nodes: every node visited, depots included.
        arrival_s: when the vehicle gets to each of `nodes`.
        start_s: when service (or the passage through a depot) starts there.
        pauses: breaks and rests on duty: begin, seconds, and behind which of `nodes` they lie.
        missed: numbers of breaks that are not taken in their windows.
        penalty: of what is early or late in soft windows, by the rates of the problem.
        overtime_s: seconds of overtime.
    """

    distance_m: float
    driving_s: float
    longest_leg: tuple[float, float]
    duration_s: float
    departure_s: float
    nodes: tuple[int, ...]
    arrival_s: tuple[float, ...]
    start_s: tuple[float, ...]
    pauses: tuple[tuple[float, float, int], ...] = ()
    missed: tuple[int, ...] = ()
    penalty: float = 0.0
    overtime_s: float = 0.0


def nodes_of(vehicle: Vehicle, trips: Trips) -> list[int]:
    """Every node of a vehicle's trips, depots included."""
    nodes = [vehicle.start]
    if not trips:
        return nodes
    for trip in trips[:-1]:
        nodes += [*trip.stops, vehicle.loads_at(trip.reload_at)]
    return [*nodes, *trips[-1].stops, vehicle.end]


def hops(problem: Problem, vehicle: Vehicle, nodes: Sequence[int]) -> tuple[Floats, Floats]:
    """Metres and seconds between nodes in a row, `[len(nodes) - 1]` each; open ends are none."""
    profile = problem.profiles[vehicle.profile]
    metres = profile.distance_m[nodes[:-1], nodes[1:]]
    seconds = profile.duration_s[nodes[:-1], nodes[1:]] / vehicle.speed
    for k, is_open in ((0, vehicle.open_start), (-1, vehicle.open_end)):
        if is_open and len(metres):
            metres[k] = seconds[k] = 0.0
    return metres, seconds


def services(problem: Problem, vehicle: Vehicle) -> Floats:
    """`[N]` seconds of service by a vehicle."""
    return problem.service_s if vehicle.service_s is None else vehicle.service_s


def openings(problem: Problem, vehicle: Vehicle, trips: Trips) -> tuple[Floats, Floats]:
    """Earliest and latest passage at each node of a vehicle's trips, the end of its shift aside.

    Where a route is open, hours of the depot do not bind; a trip waits for its goods.
    """
    nodes = nodes_of(vehicle, trips)
    opens, closes = problem.window_s[nodes].T.copy()
    for k, is_open in ((0, vehicle.open_start), (-1, vehicle.open_end)):
        if is_open:
            opens[k], closes[k] = 0.0, np.inf
    opens[0] = max(opens[0], vehicle.shift_s[0])
    if Feature.RELEASES in problem.features:
        begin = 0
        for trip in trips:
            ready = problem.release_s[list(trip.stops)].max(initial=0.0)
            opens[begin] = max(opens[begin], ready)
            begin += len(trip.stops) + 1
    return opens, closes
