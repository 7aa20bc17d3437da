"""Training instances of each problem, gathered from the tables of cities.

The demands, capacities and windows are those of `nco.sample` unless a `Distribution` says
otherwise. What a distribution does not ask for draws no random numbers, so that its instances
stay the same when it learns to say more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from nco.data.sampling.sample import LARGEST_DEMAND, rcvrp_capacity, rcvrptw_capacity
from nco.envs.atsp import ATSPInstance
from nco.envs.observe import fill_frame
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance
from nco.envs.rcvrptw import TICKS_PER_S, RCVRPTWInstance, ticks_down, ticks_up
from nco.training.dice import Dice
from nco.training.fleets import draw_pvrp
from nco.training.places import draw_places

if TYPE_CHECKING:
    from torch import Tensor

    from nco.training.distribution import Distribution
    from nco.training.pools import Pools

_MEAN_DEMAND = (1 + LARGEST_DEMAND) / 2  # that the tables of capacities are for
_SKEW = 3.0  # the power of a uniform number that makes many small and few large demands


def draw_atsp(
    pools: Pools, batch: int, nodes: int, law: Distribution, generator: torch.Generator
) -> ATSPInstance:
    """Draws a batch of ATSP instances in metres.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, nodes - 1, law, generator)
    return ATSPInstance(
        cost=pools.distance_m(city, place), xy=fill_frame(pools.xy_m[city[:, None], place])
    )


def draw_rcvrp(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> RCVRPInstance:
    """Draws a batch of RCVRP instances in metres.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, stops, law, generator)
    return RCVRPInstance(**_loads(pools, city, place, rcvrp_capacity(stops), law, generator))


def draw_rcvrptw(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> RCVRPTWInstance:
    """Draws a batch of RCVRPTW instances: costs in metres, windows in whole seconds.

    Every stop can be served by a vehicle that drives there and back.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, stops, law, generator)
    loads = _loads(pools, city, place, rcvrptw_capacity(stops), law, generator)
    duration = pools.ticks(city, place)
    opens, closes, service = _windows(
        duration.double() / TICKS_PER_S, law, Dice(generator, city.device)
    )
    return RCVRPTWInstance(
        **loads,
        duration=duration,
        opens=ticks_up(opens),
        closes=ticks_down(closes),
        service=ticks_up(service),
    )


def _loads(
    pools: Pools,
    city: Tensor,
    place: Tensor,
    capacity: int,
    law: Distribution,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The fields of an `RCVRPInstance`, `capacity` being for demands of 1 to 9."""
    dice = Dice(generator, place.device)
    low, high = law.demand
    demand = low + dice.below(high - low + 1, *place.shape)
    factor = dice.between(law.capacity_range, len(city))
    free = dice.uniform(len(city)) < law.free_capacity
    mean = torch.full_like(factor, (low + high) / 2)
    if law.demands[1:] != (0, 0):
        kind = dice.kinds(law.demands, len(city))
        skewed = (low + (high - low + 1) * dice.uniform(*place.shape) ** _SKEW).long()
        demand = torch.where(kind[:, None] == 2, skewed.clamp_max(high), demand)
        demand = demand.masked_fill(kind[:, None] == 1, 1)
        mean = torch.where(kind == 2, low + (high - low) / (_SKEW + 1), mean)
        mean = mean.masked_fill(kind == 1, 1.0)
    demand[:, 0] = 0
    units = capacity * torch.where(free, factor, 1.0) * (mean / _MEAN_DEMAND)
    return {
        "cost": pools.distance_m(city, place),
        "xy": fill_frame(pools.xy_m[city[:, None], place]),
        "demand": demand,
        "capacity": torch.maximum(units.round().long(), demand.amax(1)),
        "vehicles": torch.full_like(city, UNLIMITED),
    }


def _windows(duration_s: Tensor, law: Distribution, dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
    """Openings, closings and service times `[B, N]` in whole seconds, 0 being the depot."""
    longest = duration_s.amax((1, 2))[:, None]
    to, back = duration_s[:, 0], duration_s[:, :, 0]
    batch, nodes = to.shape
    service = (longest * dice.within(law.service, batch, nodes)).floor()
    length = longest * dice.within(law.window, batch, nodes)
    horizon = law.horizon[0] * longest
    if law.horizon[0] < law.horizon[1]:
        horizon = longest * dice.within(law.horizon, batch, 1)
    if law.wide:
        long = longest * dice.within(law.wide_window, batch, nodes)
        length = torch.where(dice.uniform(batch, 1) < law.wide, long, length)
    room = horizon - service - length - 2 * torch.maximum(to, back)
    # Rounding goes the way that keeps going there and back possible.
    opens = (to + room.clamp_min(0.0) * dice.uniform(batch, nodes)).floor()
    closes = torch.maximum((opens + length).floor(), to.ceil())
    end = horizon.ceil().clamp_min(1.0)
    if law.windowless[1]:
        share = dice.within(law.windowless, batch, 1)
        anytime = dice.uniform(batch, nodes) < share
        opens, closes = opens.masked_fill(anytime, 0.0), torch.where(anytime, end, closes)
    opens[:, 0] = service[:, 0] = 0.0
    closes[:, :1] = end
    return opens, closes, service


TIMED = frozenset({"rcvrptw", "pvrp"})
"""Problems whose instances have durations."""

type Draw = Callable[[Pools, int, int, Distribution, torch.Generator], Any]

# Problem -> how its instances are drawn. A new problem is one line here.
DRAW: dict[str, Draw] = {
    "atsp": draw_atsp,
    "rcvrp": draw_rcvrp,
    "rcvrptw": draw_rcvrptw,
    "pvrp": draw_pvrp,
}
