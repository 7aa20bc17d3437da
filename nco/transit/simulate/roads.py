"""Delay of buses by cars: link times that grow with the cars on a link.

The demand that does not take the bus drives the fastest way, one person a car. A link with `v` cars
an hour takes `1 + 0.15 (v / c)^4` times as long as an empty one (Bureau of Public Roads, Traffic
Assignment Manual, 1964). Drivers know of each other's delay: flows are averaged over successive
assignments of all cars to the fastest ways (method of successive averages). Buses are not counted.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.simulate.settings import Settings

_ROUNDS = 10  # of averaging
_compiled: Any = compiled(nogil=True)


def road_s(instance: TransitInstance, settings: Settings) -> Floats:
    """`[N, N]` seconds that buses take on links, `inf` where there are none."""
    free_s = instance.link_s * settings.road_factor
    if settings.link_capacity_per_h is None:
        return free_s
    cars = (1.0 - settings.demand_share) * instance.demand
    time_s, flow = free_s, np.zeros_like(cars)
    for k in range(_ROUNDS):
        flow += (_all_or_nothing(time_s, cars) - flow) / (k + 1)
        time_s = free_s * (1.0 + 0.15 * (flow / settings.link_capacity_per_h) ** 4)
    return time_s


@_compiled
def _all_or_nothing(time_s, cars):  # type: ignore[no-untyped-def]
    """`[N, N]` cars an hour on links if all take the fastest way."""
    n = len(time_s)
    far, then = time_s.copy(), np.empty((n, n), np.int64)
    for i in range(n):
        then[i] = np.arange(n)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if far[i, k] + far[k, j] < far[i, j]:
                    far[i, j] = far[i, k] + far[k, j]
                    then[i, j] = then[i, k]
    flow = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            v = i
            while v != j and cars[i, j] > 0.0:
                flow[v, then[v, j]] += cars[i, j]
                v = then[v, j]
    return flow
