"""How instances are drawn: laws of places, demands, capacities and time windows."""

from __future__ import annotations

from dataclasses import dataclass

from nco.data.sampling.sample import HORIZON, LARGEST_DEMAND, SERVICE, WINDOW
from nco.errors import PolicyError, quoted
from nco.training.tables import BOX_M

_WEIGHTS = ("places", "demands")
_SHARES = ("far_depot", "free_capacity", "wide")
_RANGES = {  # name -> least value
    "clusters": 1, "cluster_m": 1.0, "demand": 1, "capacity_range": 1e-3, "horizon": 0.0,
    "service": 0.0, "window": 0.0, "wide_window": 0.0, "windowless": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    """How instances are drawn; pairs are smallest and largest value.

    Times are in units of the instance's longest duration, as in `nco.sample`.

    Attributes:
        places: weights of drawing stops from the whole city, from a box, and from clusters.
        far_depot: share of instances whose depot lies anywhere in the city rather than
            among the stops.
        box_m: side of a box, metres.
        clusters: how many clusters an instance has.
        cluster_m: spread of a cluster, metres, log-uniform.
        demand: of a stop.
        demands: weights of demands that are uniform in `demand`, that are all 1, and of many
            small and few large ones in `demand`.
        free_capacity: share of instances whose capacity is not that which serves as many stops
            a route as in the table of `nco.sample`, but that times a log-uniform number
            from `capacity_range`.
        capacity_range: see there.
        horizon: how long the depot is open.
        service: at a stop.
        window: how long a stop is open.
        wide: share of instances whose windows are as long as `wide_window` says.
        wide_window: see there.
        windowless: share of stops that are open all day; each instance has its own.

    Raises:
        PolicyError: a number makes no sense, or windows leave stops that cannot be served.
    """

    places: tuple[float, float, float] = (0.4, 0.3, 0.3)
    far_depot: float = 0.3
    box_m: float = BOX_M
    clusters: tuple[int, int] = (1, 4)
    cluster_m: tuple[float, float] = (300.0, 3_000.0)
    demand: tuple[int, int] = (1, LARGEST_DEMAND)
    demands: tuple[float, float, float] = (1.0, 0.0, 0.0)
    free_capacity: float = 0.5
    capacity_range: tuple[float, float] = (0.8, 2.0)
    horizon: tuple[float, float] = (HORIZON, HORIZON)
    service: tuple[float, float] = SERVICE
    window: tuple[float, float] = WINDOW
    wide: float = 0.0
    wide_window: tuple[float, float] = (0.5, 2.0)
    windowless: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in _WEIGHTS:
            if min(getattr(self, name)) < 0 or sum(getattr(self, name)) <= 0:
                raise PolicyError(
                    f"{name} is {quoted(getattr(self, name))}; give three weights of 0 or more"
                )
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise PolicyError(
                    f"{name} is {quoted(getattr(self, name))}; give a share from 0 to 1"
                )
        for name, least in _RANGES.items():
            low, high = getattr(self, name)
            if not least <= low <= high < float("inf"):
                raise PolicyError(
                    f"{name} is {quoted(getattr(self, name))}; give {least:g} <= smallest <= "
                    "largest"
                )
        if self.windowless[1] > 1:
            raise PolicyError(f"windowless is {quoted(self.windowless)}; give shares from 0 to 1")
        if not 0 < self.box_m < float("inf"):
            raise PolicyError(f"box_m is {quoted(self.box_m)}; give metres above 0")
        longest = max(self.window[1], self.wide_window[1] if self.wide else 0.0)
        least = 2 + self.service[1] + longest
        if self.horizon[0] < least:
            raise PolicyError(
                f"horizon begins at {self.horizon[0]:g}; with this service and window it must be "
                f"{least:g} or more, so that a vehicle can drive to any stop and back"
            )


PLAIN = Distribution(far_depot=0.0, free_capacity=0.0)
"""Depot among the stops and capacities of the table: what is measured."""
