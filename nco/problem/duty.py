"""All trips of one vehicle in a row: when it is where, what it drives, what it carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nco.arrays import Floats
from nco.problem.duty_times import cheapest_duty
from nco.problem.handling import handling
from nco.problem.passages import Duty, Trips, hops, nodes_of, openings, services
from nco.problem.problem import Problem
from nco.problem.vehicle import Vehicle


def duty(problem: Problem, vehicle: Vehicle, trips: Trips) -> Duty:
    """Schedule the trips of one vehicle as early as possible and leave as late as possible.

    The vehicle departs as late as it can without returning later or missing a window that
    the earliest departure meets, which gives the shortest duty. Where breaks, several or soft
    windows, overtime or traffic ask for more, it takes the cheapest times (`timetable`).
    """
    if problem.timetabled:
        return cheapest_duty(problem, vehicle, trips)
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
        longest_leg=(max(metres, default=0.0), max(seconds, default=0.0)),
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
