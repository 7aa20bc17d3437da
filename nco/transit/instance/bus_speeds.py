"""How long buses take on streets: from what cars take there, class of road, stops and hour.

A routing engine's times are those of a car that meets nobody. A bus is slower: it cannot use the
fastest street to the full, meets traffic by the hour, and loses time wherever it brakes for a stop
and pulls out again, besides the time that its doors are open (`Settings.dwell_s`). The defaults are
ours, not measured ones; whoever has a timetable should set them so that it comes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.errors import InputError, quoted

_KM_PER_H = 3.6  # a metre a second
HOURS = (
    *(1.00, 1.00, 1.00, 1.00, 1.00, 1.05, 1.15, 1.30, 1.30, 1.20, 1.15, 1.15),
    *(1.20, 1.20, 1.20, 1.25, 1.30, 1.35, 1.25, 1.15, 1.10, 1.05, 1.00, 1.00),
)
"""By how much traffic lengthens driving in each hour of a working day."""


@dataclass(frozen=True, kw_only=True)
class BusSpeeds:
    """Times of buses from times of cars.

    The class of a road is told by how fast a free car drives there, which OSRM takes from OSM's
    class and speed limit.

    Attributes:
        hour: of the day, 0 to 23; None for streets without traffic.
        traffic: factor on driving in each hour.
        classes: pairs of free speed of cars in km/h up to which a factor holds, and the factor:
            by default side streets, main streets, and roads out of town.
        top_km_per_h: no bus drives faster.
        stop_s: lost at each stop to braking and pulling out, without the dwell.

    Raises:
        InputError: a number is out of range; the message names the field.
    """

    hour: int | None = 8
    traffic: tuple[float, ...] = HOURS
    classes: tuple[tuple[float, float], ...] = ((30.0, 1.1), (60.0, 1.2), (np.inf, 1.1))
    top_km_per_h: float = 80.0
    stop_s: float = 10.0

    def __post_init__(self) -> None:
        if self.hour is not None and self.hour not in range(24):
            raise InputError(f"hour is {quoted(self.hour)}; give one from 0 to 23, or None")
        if len(self.traffic) != 24 or not all(1.0 <= f < np.inf for f in self.traffic):
            raise InputError("traffic must be 24 factors of 1 or more, one for each hour")
        limits = [limit for limit, _ in self.classes]
        if limits != sorted(limits) or not limits or limits[-1] != np.inf:
            raise InputError(
                f"classes end at {quoted(limits)} km/h; they must ascend, and the last be inf"
            )
        if not all(0.0 < factor < np.inf for _, factor in self.classes):
            raise InputError("classes have a factor that is no positive number")
        if not (0.0 < self.top_km_per_h < np.inf and 0.0 <= self.stop_s < np.inf):
            raise InputError(
                f"top_km_per_h is {quoted(self.top_km_per_h)} and stop_s {quoted(self.stop_s)}; "
                "the first must be above 0 and the second 0 or more"
            )

    def run_s(self, car_s: Floats, distance_m: Floats) -> Floats:
        """Seconds of buses from stop to next stop.

        Args:
            car_s: `[...]` what free cars take; 0 from a stop to itself, `inf` without a way.
            distance_m: `[...]` metres.

        Returns:
            `[...]`, never less than cars take; 0 and `inf` where `car_s` is.
        """
        drives = (car_s > 0) & np.isfinite(car_s)
        seconds, metres = np.where(drives, car_s, 1.0), np.where(drives, distance_m, 0.0)
        free = _KM_PER_H * metres / seconds
        factor = np.array([factor for _, factor in self.classes])[
            np.searchsorted([limit for limit, _ in self.classes], free)
        ]
        crowded = 1.0 if self.hour is None else self.traffic[self.hour]
        bus_s = np.maximum(seconds * factor * crowded, _KM_PER_H * metres / self.top_km_per_h)
        return np.asarray(np.where(drives, np.maximum(bus_s, seconds) + self.stop_s, car_s))


AS_CARS = BusSpeeds(hour=None, classes=((np.inf, 1.0),), top_km_per_h=1e6, stop_s=0.0)
"""Buses that drive like free cars, as in benchmarks."""
