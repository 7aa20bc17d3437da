"""What a passenger simulation assumes; docs/transit-simulator.md gives the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from nco._validate import at_least
from nco.errors import ProblemError, quoted

Assignment = Literal["expected-time", "one-line"]
Dispatch = Literal["timetable", "spread"]
Arrivals = Literal["even", "poisson"]

PUBLISHED_S = 10_000.0  # horizon of AlphaTransit's simulation


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How passengers choose, how lines are run, and for how long.

    Attributes:
        horizon_s: seconds simulated.
        demand_s: when the first and the last passengers come.
        demand_share: share of the instance's demand that travels by bus; the rest drives.
        surge: passengers that come, as a multiple of the demand that frequencies are planned for.
        arrivals: passengers of a pair of stops come "even"ly or as a "poisson" process.
        seed: of Poisson arrivals.
        assignment: passengers take itineraries of shortest "expected-time", or, as AlphaTransit
            has them, the shortest path where each link belongs to "one-line".
        dispatch: buses keep a "timetable" of regular headways, or leave the first stop "spread"
            over the whole horizon, as many as there are buses an hour, and shuttle from then on.
        fixed_per_h: buses an hour of every line; None plans them by maximum load.
        min_per_h: fewest buses an hour where they are planned.
        comfort: share of a bus's places that planning counts on.
        planning_rounds: how often loads and frequencies are worked out from each other.
        dwell_s: seconds that doors are open at a stop.
        board_s: further seconds for each passenger who boards when they open.
        alight_s: further seconds for each passenger who alights.
        layover_s: least seconds between arriving at a terminal and opening there.
        latecomers: whether passengers who come while doors are open still board.
        transfer_penalty_s: seconds that passengers hold a transfer to be worth beyond its wait,
            when they choose; it is not part of any time reported.
        road_factor: by which driving takes longer than the instance says.
        link_capacity_per_h: cars an hour that a link takes; with it, links take longer by the cars
            of the demand that does not take the bus (`nco.transit.simulate.roads`). None means
            that cars do not delay buses.

    Raises:
        ProblemError: a number is out of range; the message names the field.
    """

    horizon_s: float = PUBLISHED_S
    demand_s: tuple[float, float] = (0.15 * PUBLISHED_S, 0.85 * PUBLISHED_S)
    demand_share: float = 1.0
    surge: float = 1.0
    arrivals: Arrivals = "even"
    seed: int = 0
    assignment: Assignment = "expected-time"
    dispatch: Dispatch = "timetable"
    fixed_per_h: float | None = None
    min_per_h: float = 1.0
    comfort: float = 1.0
    planning_rounds: int = 2
    dwell_s: float = 60.0
    board_s: float = 0.0
    alight_s: float = 0.0
    layover_s: float = 0.0
    latecomers: bool = True
    transfer_penalty_s: float = 300.0
    road_factor: float = 1.0
    link_capacity_per_h: float | None = None

    def __post_init__(self) -> None:
        for name in ("surge", "dwell_s", "board_s", "alight_s", "layover_s", "transfer_penalty_s"):
            at_least(getattr(self, name), 0.0, name)
        for name in ("horizon_s", "min_per_h", "comfort", "road_factor"):
            _positive(getattr(self, name), name)
        for name in ("fixed_per_h", "link_capacity_per_h"):
            if getattr(self, name) is not None:
                _positive(getattr(self, name), name)
        if not 0.0 <= self.demand_share <= 1.0:
            raise ProblemError(f"demand_share is {quoted(self.demand_share)}; it must be 0 to 1")
        begin, end = self.demand_s
        if not 0.0 <= begin < end <= self.horizon_s:
            raise ProblemError(
                f"demand_s is ({begin:g}, {end:g}); it must begin at 0 or later, and end after "
                f"that and by the horizon, {self.horizon_s:g} s"
            )
        for name, low in (("planning_rounds", 1), ("seed", 0)):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < low:
                raise ProblemError(
                    f"{name} is {quoted(getattr(self, name))}; give a whole number of at least "
                    f"{low}"
                )
        for name, kind in (
            ("arrivals", Arrivals),
            ("assignment", Assignment),
            ("dispatch", Dispatch),
        ):
            if getattr(self, name) not in get_args(kind):
                listed = " or ".join(repr(word) for word in get_args(kind))
                raise ProblemError(f"{name} is {quoted(getattr(self, name))}; it must be {listed}")

    @property
    def count_s(self) -> tuple[float, float]:
        """When departures of buses count: while passengers come; with spread dispatch always."""
        begin, end = self.demand_s if self.dispatch == "timetable" else (0.0, self.horizon_s)
        return float(begin), float(end)

    @classmethod
    def city(cls, demand_share: float = 1.0, **changes: Any) -> Self:
        """What a city's buses do: short dwells, layovers, a bus each half hour or more often.

        Args:
            demand_share: share of the demand that travels by bus.
            **changes: fields to set otherwise.
        """
        usual: dict[str, Any] = {
            "demand_share": demand_share,
            "dwell_s": 25.0,
            "layover_s": 180.0,
            "min_per_h": 2.0,
            "comfort": 0.8,
            # All journeys are to end: nothing is cut off at the horizon.
            "horizon_s": 14_400.0,
            "demand_s": (0.0, 7200.0),
        }
        return cls(**(usual | changes))

    @classmethod
    def alphatransit(cls, demand_share: float = 1.0, **changes: Any) -> Self:
        """The rules of AlphaTransit's simulator (arXiv 2605.28730), without its road traffic.

        Args:
            demand_share: its alpha.
            **changes: fields to set otherwise.
        """
        published: dict[str, Any] = {
            "demand_share": demand_share,
            # The trips of 10,000 s come within 7,000 s; frequencies are planned for an hour's.
            "surge": 10.0 / 7.0,
            "assignment": "one-line",
            "dispatch": "spread",
            "latecomers": False,
        }
        return cls(**(published | changes))


def _positive(value: float, what: str) -> None:
    if not 0.0 < value < np.inf:
        raise ProblemError(f"{what} is {quoted(value)}; it must be a finite number above 0")
