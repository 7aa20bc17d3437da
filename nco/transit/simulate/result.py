"""What a passenger simulation found, and the reward that AlphaTransit makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nco.arrays import ByValue, Floats
from nco.errors import counted


@dataclass(frozen=True, kw_only=True, eq=False)
class Passengers(ByValue):
    """Every passenger, by the time they appear.

    Attributes:
        time_s: `[P]` of appearing.
        origin: `[P]` stop.
        destination: `[P]` stop.
        status: `[P]` 0 no itinerary, 1 waiting at the horizon, 2 riding then, 3 arrived.
        wait_s: `[P]` seconds at stops, transfers included.
        ride_s: `[P]` seconds on board.
        boardings: `[P]` how often they boarded.
        boarded_s: `[P]` when they boarded last; `inf` if never.
    """

    time_s: Floats
    origin: NDArray[np.int32]
    destination: NDArray[np.int32]
    status: NDArray[np.int32]
    wait_s: Floats
    ride_s: Floats
    boardings: NDArray[np.int32]
    boarded_s: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation(ByValue):
    """Passengers served, their times, and what the operator runs for it.

    Served are those who arrived and those on board at the horizon. `generated` is the sum of
    `arrived`, `riding`, `waiting` and `unserved`. Means are 0 where there is nobody to average.

    Attributes:
        generated: passengers who came.
        arrived: of them, those at their destination at the horizon.
        riding: those on board then.
        waiting: those at a stop then, transfers included.
        unserved: those to whose destination no lines lead.
        service_rate_of_connected: served among those whom lines connect.
        service_rate_of_all: served among all who came.
        coverage: share of the hourly demand that lines connect.
        demand_share: share of the instance's demand that travels by bus (a setting).
        mean_wait_s: of the served, at all stops together.
        mean_ride_s: of the served, on board.
        transfer_share: share of the arrived who changed buses.
        mean_transfers: changes of buses, of the arrived.
        fleet: buses.
        buses: `[R]` buses of each line.
        per_h: `[R]` buses an hour of each line and direction; with spread dispatch what was
            planned, not what runs.
        utilisation: share of places taken as buses leave stops while passengers come; mean over
            buses.
        peak_load: most passengers that were ever on one bus.
        route_m: metres of all lines, one way; seconds where the instance knows no metres.
        bus_m: metres driven (or seconds) while passengers come.
        overlap: how far lines share road segments, 0 (none) to 1 (all the same).
        load: `[R, 2, L - 1]` passengers carried over the segments of each line, there and back,
            both in the order of its stops; 0 beyond the end of lines shorter than the longest.
        planned_per_h: the same as passengers an hour that frequencies were planned for; None for
            one-line assignment, and with given frequencies.
        passengers: every passenger, if asked for.
    """

    generated: int
    arrived: int
    riding: int
    waiting: int
    unserved: int
    service_rate_of_connected: float
    service_rate_of_all: float
    coverage: float
    demand_share: float
    mean_wait_s: float
    mean_ride_s: float
    transfer_share: float
    mean_transfers: float
    fleet: int
    buses: NDArray[np.int64]
    per_h: Floats
    utilisation: float
    peak_load: int
    route_m: float
    bus_m: float
    overlap: float
    load: NDArray[np.int64]
    planned_per_h: Floats | None = None
    passengers: Passengers | None = None

    @property
    def served(self) -> int:
        """Arrived and riding."""
        return self.arrived + self.riding

    @property
    def mean_travel_s(self) -> float:
        """Mean seconds of the served, waiting and riding."""
        return self.mean_wait_s + self.mean_ride_s

    @property
    def route_efficiency_per_km(self) -> float:
        """Arrived passengers a kilometre of lines."""
        return 1000.0 * ratio(self.arrived, self.route_m)

    def summary(self) -> str:
        """A few lines: passengers, times, and what is run."""
        return (
            f"{self.generated} passengers: {self.arrived} arrived, {self.riding} riding, "
            f"{self.waiting} waiting, {self.unserved} without a connection\n"
            f"service rate {self.service_rate_of_all:.1%} of all, "
            f"{self.service_rate_of_connected:.1%} of the connected\n"
            f"wait {self.mean_wait_s / 60:.1f} min, ride {self.mean_ride_s / 60:.1f} min, "
            f"{self.transfer_share:.1%} transfer\n"
            f"{counted(self.fleet, 'bus')} on {counted(len(self.buses), 'line')}, "
            f"{self.utilisation:.1%} of places "
            f"taken, {self.route_efficiency_per_km:.1f} arrived a km of lines, "
            f"overlap {self.overlap:.2f}"
        )

    def __str__(self) -> str:
        return self.summary()


def ratio(part: float, whole: float) -> float:
    """A quotient that is 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


@dataclass(frozen=True, kw_only=True)
class RewardWeights:
    """Weights of AlphaTransit's terminal reward (arXiv 2605.28730, its `rewards.py`).

    Attributes:
        coverage: of the share of all demand that lines connect.
        service: of the share of all demand that is served.
        wait: against the mean wait as a share of `longest_wait_s`.
        ride: against the mean time on board as a share of `longest_ride_s`.
        overlap: against lines that share segments.
        fleet: against buses a line.
        utilisation: of the share of places taken.
        longest_wait_s: seconds from which on waiting counts fully.
        longest_ride_s: seconds from which on riding counts fully.
    """

    coverage: float = 60.0
    service: float = 45.0
    wait: float = 20.0
    ride: float = 10.0
    overlap: float = 10.0
    fleet: float = 2.0
    utilisation: float = 12.0
    longest_wait_s: float = 1800.0
    longest_ride_s: float = 2400.0


PUBLISHED_WEIGHTS = RewardWeights()


def reward(result: Simulation, weights: RewardWeights = PUBLISHED_WEIGHTS) -> float:
    """AlphaTransit's terminal reward; higher is better.

    Coverage and service are shares of the whole demand, car drivers included.
    """
    return (
        weights.coverage * result.demand_share * result.coverage
        + weights.service * result.demand_share * result.service_rate_of_all
        - weights.wait * min(result.mean_wait_s / weights.longest_wait_s, 1.0)
        - weights.ride * min(result.mean_ride_s / weights.longest_ride_s, 1.0)
        - weights.overlap * result.overlap
        - weights.fleet * ratio(result.fleet, len(result.buses))
        + weights.utilisation * result.utilisation
    )
