"""Training instances: a batch is one gather from matrices that lie on the device once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.data.sample import (
    HORIZON,
    LARGEST_DEMAND,
    SERVICE,
    WINDOW,
    rcvrp_capacity,
    rcvrptw_capacity,
)
from nco.envs.atsp import ATSPInstance
from nco.envs.observe import fill_frame
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance
from nco.envs.rcvrptw import TICKS_PER_S, RCVRPTWInstance, ticks_down, ticks_up
from nco.errors import PolicyError
from nco.training.tables import BOX_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.training.tables import CityTable

_CLUSTERS = 4
_CLUSTER_M = (300.0, 3_000.0)  # spread of a cluster
_SOFT_M = 50.0  # a box without enough points grows by about this


@dataclass(frozen=True)
class Pools:
    """Tables of several cities on one device, padded to the largest.

    Attributes:
        distance_m: `[C, P, P]` metres.
        duration: `[C, P, P]` int32 ticks, see `nco.envs.rcvrptw`.
        xy_m: `[C, P, 2]` metres on a local map.
        whole: `[C]` how many leading points are spread over the whole city.
        points: `[C]` how many points there are.
    """

    distance_m: Tensor
    duration: Tensor
    xy_m: Tensor
    whole: Tensor
    points: Tensor

    @classmethod
    def of(cls, tables: Sequence[CityTable], device: torch.device | str = "cpu") -> Pools:
        """Puts tables on a device."""
        largest = max(len(table.lonlat) for table in tables)
        distance = torch.zeros(len(tables), largest, largest)
        duration = torch.zeros(len(tables), largest, largest, dtype=torch.int32)
        xy = torch.zeros(len(tables), largest, 2)
        for c, table in enumerate(tables):
            n = len(table.lonlat)
            distance[c, :n, :n] = torch.from_numpy(table.distance_m)
            # Tables hold seconds in single precision: their third decimal is noise.
            duration[c, :n, :n] = ticks_up(
                torch.from_numpy(table.duration_s).double().round(decimals=3)
            )
            xy[c, :n] = torch.from_numpy(table.xy_m())
        return cls(
            distance.to(device),
            duration.to(device),
            xy.to(device),
            torch.tensor([table.whole for table in tables], device=device),
            torch.tensor([len(table.lonlat) for table in tables], device=device),
        )

    def to(self, device: torch.device) -> Pools:
        """The same tables on another device."""
        return Pools(*(getattr(self, f).to(device) for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class Distribution:
    """How instances are drawn.

    Attributes:
        places: weights of drawing stops from the whole city, from a box of 3 km, and from
            clusters.
        far_depot: share of instances whose depot lies anywhere in the city rather than
            among the stops.
        free_capacity: share of instances whose capacity is not the table's but that times a
            log-uniform number from `capacity_range`.
        capacity_range: see there.
    """

    places: tuple[float, float, float] = (0.4, 0.3, 0.3)
    far_depot: float = 0.3
    free_capacity: float = 0.5
    capacity_range: tuple[float, float] = (0.8, 2.0)

    def __post_init__(self) -> None:
        if min(self.places) < 0 or sum(self.places) <= 0:
            raise PolicyError(f"places is {self.places}; give three weights of 0 or more")
        for name in ("far_depot", "free_capacity"):
            if not 0 <= getattr(self, name) <= 1:
                raise PolicyError(f"{name} is {getattr(self, name)}; give a share from 0 to 1")
        low, high = self.capacity_range
        if not 0 < low <= high:
            raise PolicyError(f"capacity_range is {self.capacity_range}; give 0 < low <= high")


PLAIN = Distribution(far_depot=0.0, free_capacity=0.0)
"""Depot among the stops and capacities of the table: what is measured."""


@dataclass(frozen=True)
class _Dice:
    """Random tensors of one generator on one device."""

    generator: torch.Generator
    device: torch.device

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)

    def below(self, number: int, *shape: int) -> Tensor:
        return torch.randint(number, shape, generator=self.generator, device=self.device)

    def within(self, limits: tuple[float, float], *shape: int) -> Tensor:
        """Uniform."""
        low, high = limits
        return low + (high - low) * self.uniform(*shape)

    def between(self, limits: tuple[float, float], *shape: int) -> Tensor:
        """Log-uniform."""
        low, high = (math.log(limit) for limit in limits)
        return torch.exp(low + (high - low) * self.uniform(*shape))

    def gumbel(self, *shape: int) -> Tensor:
        return -torch.log(-torch.log(self.uniform(*shape).clamp(1e-20, 1 - 1e-7)))


def draw_places(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draws cities `[B]` and the points `[B, stops + 1]` of depot and stops."""
    device = pools.points.device
    dice = _Dice(generator, device)
    if int(pools.whole.min()) <= stops:
        raise PolicyError(
            f"{stops} stops were asked for, but a table has only {int(pools.whole.min())} points; "
            "use larger tables or fewer stops"
        )
    city = dice.below(len(pools.points), batch)
    spread = torch.arange(pools.xy_m.shape[1], device=device)
    present = spread < pools.points[city, None]
    everywhere = torch.where(spread < pools.whole[city, None], 0.0, -torch.inf)
    xy = pools.xy_m[city]
    weights = torch.tensor(law.places, dtype=torch.float32, device=device)
    place = torch.multinomial(weights, batch, replacement=True, generator=generator)[:, None]

    centre = (dice.uniform(batch, _CLUSTERS) * pools.points[city, None]).long()
    away = xy[:, None] - xy.gather(1, centre[..., None].expand(-1, -1, 2))[:, :, None]
    box = (BOX_M / 2 - away[:, 0].abs().amax(-1)).clamp_max(0.0) / _SOFT_M
    sigma = dice.between(_CLUSTER_M, batch, _CLUSTERS, 1)
    near = -(away.square().sum(-1) / (2 * sigma.square()))
    used = 1 + dice.below(_CLUSTERS, batch, 1, 1)
    counted = torch.arange(_CLUSTERS, device=device)[:, None] < used
    clusters = near.masked_fill(~counted, -torch.inf).logsumexp(1)
    law_of_stops = torch.where(place == 0, everywhere, torch.where(place == 1, box, clusters))
    law_of_stops = law_of_stops.masked_fill(~present, -torch.inf)

    # The largest of Gumbel noise plus log-weight is a draw by weight, the k largest are k draws
    # without replacement.
    far = dice.uniform(batch, 1) < law.far_depot
    depot = torch.where(far, everywhere, law_of_stops) + dice.gumbel(*present.shape)
    depot = depot.argmax(1, keepdim=True)
    keys = (law_of_stops + dice.gumbel(*present.shape)).scatter(1, depot, -torch.inf)
    return city, torch.cat([depot, keys.topk(stops, 1).indices], 1)


def draw_atsp(
    pools: Pools, batch: int, nodes: int, law: Distribution, generator: torch.Generator
) -> ATSPInstance:
    """Draws a batch of ATSP instances in metres.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, nodes - 1, law, generator)
    return ATSPInstance(
        cost=_gathered(pools.distance_m, city, place),
        xy=fill_frame(pools.xy_m[city[:, None], place]),
    )


def draw_rcvrp(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> RCVRPInstance:
    """Draws a batch of RCVRP instances in metres, demands 1 to 9.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, stops, law, generator)
    capacity = rcvrp_capacity(stops)
    return RCVRPInstance(**_loads(pools, city, place, capacity, law, generator))


def draw_rcvrptw(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> RCVRPTWInstance:
    """Draws a batch of RCVRPTW instances: costs in metres, windows in whole seconds.

    The windows are those of `nco.data.sample.draw_windows`, with every stop servable.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, stops, law, generator)
    loads = _loads(pools, city, place, rcvrptw_capacity(stops), law, generator)
    duration = _gathered(pools.duration, city, place)
    opens, closes, service = _windows(
        duration.double() / TICKS_PER_S, _Dice(generator, city.device)
    )
    return RCVRPTWInstance(
        **loads,
        duration=duration,
        opens=ticks_up(opens),
        closes=ticks_down(closes),
        service=ticks_up(service),
    )


def _gathered(matrices: Tensor, city: Tensor, place: Tensor) -> Tensor:
    """`[B, N, N]` of matrices `[C, P, P]` between the points `[B, N]` of cities `[B]`."""
    return matrices[city[:, None, None], place[:, :, None], place[:, None, :]]


def _loads(
    pools: Pools,
    city: Tensor,
    place: Tensor,
    capacity: int,
    law: Distribution,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The fields of an `RCVRPInstance`."""
    dice = _Dice(generator, place.device)
    demand = 1 + dice.below(LARGEST_DEMAND, *place.shape)
    demand[:, 0] = 0
    factor = dice.between(law.capacity_range, len(city))
    free = dice.uniform(len(city)) < law.free_capacity
    units = capacity * torch.where(free, factor, 1.0)
    return {
        "cost": _gathered(pools.distance_m, city, place),
        "xy": fill_frame(pools.xy_m[city[:, None], place]),
        "demand": demand,
        "capacity": units.round().long().clamp_min(LARGEST_DEMAND),
        "vehicles": torch.full_like(city, UNLIMITED),
    }


def _windows(duration_s: Tensor, dice: _Dice) -> tuple[Tensor, Tensor, Tensor]:
    """Openings, closings and service times `[B, N]` in whole seconds, 0 being the depot."""
    longest = duration_s.amax((1, 2))[:, None]
    to, back = duration_s[:, 0], duration_s[:, :, 0]
    stops = to.shape
    service = (longest * dice.within(SERVICE, *stops)).floor()
    length = longest * dice.within(WINDOW, *stops)
    room = HORIZON * longest - service - length - 2 * torch.maximum(to, back)
    # Rounding goes the way that keeps going there and back possible.
    opens = (to + room.clamp_min(0.0) * dice.uniform(*stops)).floor()
    closes = torch.maximum((opens + length).floor(), to.ceil())
    opens[:, 0] = service[:, 0] = 0.0
    closes[:, :1] = (HORIZON * longest).ceil().clamp_min(1.0)
    return opens, closes, service
