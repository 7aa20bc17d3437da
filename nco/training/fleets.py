"""Fleets of training instances: whose streets, zones and preferences differ.

Kinds of preferences and zones are those of the published sets (Hua et al. 2025, CAMP), with every
stop left to somebody; weights of preferences, speeds and capacities are drawn as well, so that one
policy learns all of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nco.data.sampling.sample import LARGEST_DEMAND
from nco.envs.observe import fill_frame
from nco.envs.pvrp import PVRPInstance
from nco.envs.rcvrp import UNLIMITED
from nco.envs.rcvrptw import TICKS_PER_S
from nco.training.dice import Dice
from nco.training.places import draw_places

if TYPE_CHECKING:
    from nco.training.distribution import Distribution
    from nco.training.pools import Pools

FLEET = (2, 8)  # fewest and most vehicles
CAPACITY = (25, 60)  # units of a vehicle, for demands of 1 to 9
RADIUS = (0.25, 1.0)  # of a zone around a stop, in shares of the longest way across
WEIGHT = (0.1, 4.0)  # of a preference of 1, in mean drives
PACE = (0.5, 2.0)  # times that a vehicle takes for its streets
NONE, RANDOM, SECTOR, CLUSTER = range(4)
PREFERENCES = (1.0, 2.0, 2.0, 2.0)
ZONES = (4.0, 1.0, 1.0, 1.0)
PACES = (2.0, 1.0, 1.0)  # all alike, of different speeds, some by distance and some by duration


def draw_pvrp(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> PVRPInstance:
    """Draws a batch of instances of profiled vehicles, all with fleets of the same size.

    Raises:
        PolicyError: a table has too few points.
    """
    city, place = draw_places(pools, batch, stops, law, generator)
    dice = Dice(generator, place.device)
    fleet = FLEET[0] + int(dice.below(FLEET[1] - FLEET[0] + 1, 1))
    xy = fill_frame(pools.xy_m[city[:, None], place])
    cost = _drives(
        pools.distance_m(city, place), pools.ticks(city, place) / TICKS_PER_S, fleet, dice
    )
    demand = 1 + dice.below(LARGEST_DEMAND, *place.shape)
    demand[:, 0] = 0
    low, high = CAPACITY
    capacity = low + dice.below(high - low + 1, batch, fleet)
    alike = dice.uniform(batch, 1) < 0.5
    permitted = _zones(xy, fleet, dice)
    unit = cost.mean((1, 2, 3))
    weight = dice.between(WEIGHT, batch) * unit
    gain = weight[:, None, None] * _preferences(xy, fleet, dice)
    best = gain.masked_fill(~permitted, 0.0).amax(1, keepdim=True)
    forgone = (best - gain).clamp_min(0.0).masked_fill(~permitted, 0.0)
    return PVRPInstance(
        cost=cost,
        xy=xy,
        forgone=forgone,
        permitted=permitted,
        demand=demand,
        capacity=torch.where(alike, capacity[:, :1], capacity),
        trips=torch.full_like(capacity, UNLIMITED),
    )


def _drives(distance: Tensor, duration: Tensor, fleet: int, dice: Dice) -> Tensor:
    """`[B, M, N, N]` what each vehicle takes: by car, faster or slower, or at a steady pace."""
    batch = len(distance)
    kind = dice.kinds(PACES, batch)[:, None]
    pace = torch.where(kind == 0, 1.0, dice.between(PACE, batch, fleet))
    steady = (kind == 2) & (dice.uniform(batch, fleet) < 0.5)
    by_distance = (
        distance * (duration.mean((1, 2)) / distance.mean((1, 2)).clamp_min(1e-6))[:, None, None]
    )
    base = torch.where(steady[..., None, None], by_distance[:, None], duration[:, None])
    return base * pace[..., None, None]


def sectors(xy: Tensor, fleet: int, turn: Tensor | None = None) -> Tensor:
    """`[B, M, N]` whether a node lies in the sector around the depot that a vehicle owns.

    Args:
        xy: `[B, N, 2]`.
        fleet: number of sectors.
        turn: `[B]` radians by which all are turned.
    """
    away = xy - xy[:, :1]
    angle = torch.atan2(away[..., 1], away[..., 0])
    if turn is not None:
        angle = angle + turn[:, None]
    owner = (angle % (2 * math.pi) / (2 * math.pi) * fleet).long().clamp_max(fleet - 1)
    return F.one_hot(owner, fleet).transpose(1, 2).bool()


def _near(xy: Tensor, fleet: int, dice: Dice) -> Tensor:
    """`[B, M, N]` distance to a random stop of each vehicle, as a share of the longest possible."""
    batch, nodes, _ = xy.shape
    centre = 1 + dice.below(nodes - 1, batch, fleet)
    at = xy.gather(1, centre[..., None].expand(-1, -1, 2))
    return torch.cdist(at, xy) / (2 * math.sqrt(2))


def _preferences(xy: Tensor, fleet: int, dice: Dice) -> Tensor:
    """`[B, M, N]` from 0 to 1, of a kind that is drawn for each instance."""
    batch, nodes, _ = xy.shape
    kind = dice.kinds(PREFERENCES, batch)[:, None, None]
    turn = 2 * math.pi * dice.uniform(batch)
    found = torch.zeros(batch, fleet, nodes, device=xy.device)
    found = torch.where(kind == RANDOM, dice.uniform(batch, fleet, nodes), found)
    found = torch.where(kind == SECTOR, sectors(xy, fleet, turn).float(), found)
    found = torch.where(kind == CLUSTER, 1.0 - _near(xy, fleet, dice), found)
    found[..., 0] = 0.0
    return found


def _zones(xy: Tensor, fleet: int, dice: Dice) -> Tensor:
    """`[B, M, N]` where each may serve; every stop is left to somebody."""
    batch, nodes, _ = xy.shape
    kind = dice.kinds(ZONES, batch)[:, None, None]
    rate = dice.uniform(batch, 1, 1) * 2 / 3
    turn = 2 * math.pi * dice.uniform(batch)
    own = sectors(xy, fleet, turn).float()
    banned = dice.uniform(batch, fleet, fleet) < rate  # vehicle from sector
    found = torch.ones(batch, fleet, nodes, dtype=torch.bool, device=xy.device)
    found = torch.where(kind == RANDOM, dice.uniform(batch, fleet, nodes) >= rate, found)
    found = torch.where(kind == SECTOR, torch.bmm(banned.float(), own) < 0.5, found)
    reach = dice.within(RADIUS, batch, fleet, 1)
    found = torch.where(kind == CLUSTER, _near(xy, fleet, dice) < reach, found)
    anyone = dice.below(fleet, batch, nodes)
    nobody = ~found.any(1)
    found |= F.one_hot(anyone, fleet).transpose(1, 2).bool() & nobody[:, None]
    found[..., 0] = False
    return found
