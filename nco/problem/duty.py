"""All trips of one vehicle in a row: when it is where, what it drives, what it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.problem.handling import handling
from nco.problem.problem import Problem
from nco.problem.vehicle import Vehicle

Trips = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Duty:
    """All trips of one vehicle in a row.

    Attributes:
        distance_m: metres driven.
        driving_s: seconds of driving.
        duration_s: seconds between the latest departure that delays nothing and the return.
        departure_s: that departure.
        nodes: every node visited, depots included.
        arrival_s: when the vehicle gets to each of `nodes`, and has set up or unloaded there.
        start_s: when service (or the passage through a depot) starts there.
    """

    distance_m: float
    driving_s: float
    duration_s: float
    departure_s: float
    nodes: tuple[int, ...]
    arrival_s: tuple[float, ...]
    start_s: tuple[float, ...]


def nodes_of(vehicle: Vehicle, trips: Trips) -> list[int]:
    """Every node of a vehicle's trips, depots included."""
    nodes = [vehicle.start]
    for trip in trips:
        nodes += [*trip, vehicle.end]
    return nodes


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
    if problem.release_s.any():
        begin = 0
        for trip in trips:
            opens[begin] = max(opens[begin], problem.release_s[list(trip)].max(initial=0.0))
            begin += len(trip) + 1
    return opens, closes


def duty(problem: Problem, vehicle: Vehicle, trips: Trips) -> Duty:
    """Schedule the trips of one vehicle as early as possible and leave as late as possible.

    The vehicle departs as late as it can without returning later or missing a window that
    the earliest departure meets, which gives the shortest duty.
    """
    nodes = nodes_of(vehicle, trips)
    metres, seconds = (x.tolist() for x in hops(problem, vehicle, nodes))
    beside = handling(problem, vehicle, nodes).tolist()
    opens, closes = (x.tolist() for x in openings(problem, vehicle, trips))
    service = services(problem, vehicle)[nodes].tolist()
    starts, arrivals = [opens[0]], [opens[0]]
    waited, slack = 0.0, min(vehicle.shift_s[1], closes[0]) - starts[0]
    for k, drive in enumerate(seconds):
        arrival = starts[-1] + service[k] + drive + beside[k]
        start = max(arrival, opens[k + 1])
        waited += start - arrival if np.isfinite(arrival) else 0.0
        # A late arrival is not made later, but the waiting before it may still be saved.
        slack = min(slack, max(0.0, closes[k + 1] - start) + waited)
        arrivals.append(arrival)
        starts.append(start)
    delay = max(0.0, min(slack, waited))
    return Duty(
        distance_m=sum(metres),
        driving_s=sum(seconds),
        duration_s=starts[-1] - starts[0] - delay,
        departure_s=starts[0] + delay,
        nodes=tuple(nodes),
        arrival_s=tuple(arrivals),
        start_s=tuple(starts),
    )


def loads(problem: Problem, trip: Sequence[int]) -> Floats:
    """`[len(trip) + 1, K]` on board when a trip begins, and behind each of its stops.

    Goods of a shipment count between its two stops, if it has both in this order.
    """
    stops = list(trip)
    # What is still to be delivered, summed from the end so that the last of it is exactly 0.
    left = np.cumsum(problem.demand[stops][::-1], axis=0)[::-1]
    on_board = np.concatenate([left, np.zeros((1, problem.dimensions))])
    if problem.pickup.any():
        on_board[1:] += np.cumsum(problem.pickup[stops], axis=0)
    if problem.shipments:
        place = {stop: k for k, stop in enumerate(stops)}
        for shipment in problem.shipments:
            begin, end = place.get(shipment.pickup), place.get(shipment.delivery)
            if begin is not None and end is not None and begin < end:
                on_board[begin + 1 : end + 1] += shipment.amount
    return on_board
