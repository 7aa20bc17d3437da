"""Figures of a simulation with their errors: several days of random demand on the same lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import ProblemError, quoted
from nco.transit.simulate.result import reward
from nco.transit.simulate.settings import Settings
from nco.transit.simulate.simulation import Simulator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nco.transit.instance.lines import LinesLike
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.simulate.result import Simulation

FIGURES = (
    *("generated", "arrived", "riding", "waiting", "unserved", "service_rate_of_all"),
    *("service_rate_of_connected", "mean_wait_s", "mean_ride_s", "mean_travel_s"),
    *("transfer_share", "mean_transfers", "utilisation", "peak_load", "route_efficiency_per_km"),
)
"""What differs from day to day; frequencies, fleet and coverage follow from the mean demand."""


@dataclass(frozen=True)
class Figure:
    """A mean over days.

    Attributes:
        mean: of all days.
        error: standard error of the mean; the 95 % interval is about twice as wide to each side.
    """

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:g} ± {self.error:.2g}"


def simulate_days(
    instance: TransitInstance,
    lines: LinesLike,
    settings: Settings | None = None,
    *,
    days: int = 10,
    per_h: ArrayLike | None = None,
) -> dict[str, Figure]:
    """Simulate the same lines on several days, each with passengers drawn anew.

    Args:
        instance: stops, links and demand.
        lines: nodes in order; each line runs both ways.
        settings: None for the defaults; passengers come as a Poisson process whatever it says, by
            its seed and those that follow.
        days: how many, 2 or more.
        per_h: `[R]` buses an hour of each line, instead of planned ones.

    Returns:
        Each of `FIGURES`, and AlphaTransit's "reward".

    Raises:
        ProblemError: fewer than two days, a line cannot be run, or there are fewer buses than
            lines.
    """
    if not isinstance(days, int) or days < 2:
        raise ProblemError(f"days is {quoted(days)}; an error takes a whole number of 2 or more")
    given = settings or Settings()
    found = [
        Simulator(instance, replace(given, arrivals="poisson", seed=given.seed + day)).run(
            lines, per_h=per_h
        )
        for day in range(days)
    ]
    return {name: _figure(name, found) for name in (*FIGURES, "reward")}


def _figure(name: str, found: list[Simulation]) -> Figure:
    values = np.array(
        [reward(day) if name == "reward" else getattr(day, name) for day in found], np.float64
    )
    return Figure(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
