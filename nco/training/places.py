"""Where the depot and the stops of training instances lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.training.dice import Dice

if TYPE_CHECKING:
    from nco.training.distribution import Distribution
    from nco.training.pools import Pools

_SOFT_M = 50.0  # a box without enough points grows by about this


def draw_places(
    pools: Pools, batch: int, stops: int, law: Distribution, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draws cities `[B]` and the points `[B, stops + 1]` of depot and stops.

    Raises:
        PolicyError: a table has too few points.
    """
    device = pools.device
    dice = Dice(generator, device)
    pools.check(stops + 1)
    if pools.weight is None:
        city = dice.below(len(pools.points), batch)
    else:
        city = torch.multinomial(pools.weight, batch, replacement=True, generator=generator)
    spread = torch.arange(pools.xy_m.shape[1], device=device)
    present = spread < pools.points[city, None]
    everywhere = torch.where(spread < pools.whole[city, None], 0.0, -torch.inf)
    xy = pools.xy_m[city]
    place = dice.kinds(law.places, batch)[:, None]

    fewest, most = law.clusters
    centre = (dice.uniform(batch, most) * pools.points[city, None]).long()
    away = xy[:, None] - xy.gather(1, centre[..., None].expand(-1, -1, 2))[:, :, None]
    box = (law.box_m / 2 - away[:, 0].abs().amax(-1)).clamp_max(0.0) / _SOFT_M
    sigma = dice.between(law.cluster_m, batch, most, 1)
    near = -(away.square().sum(-1) / (2 * sigma.square()))
    used = fewest + dice.below(most - fewest + 1, batch, 1, 1)
    counted = torch.arange(most, device=device)[:, None] < used
    clusters = near.masked_fill(~counted, -torch.inf).logsumexp(1)
    law_of_stops = torch.where(place == 0, everywhere, torch.where(place == 1, box, clusters))
    law_of_stops = law_of_stops.masked_fill(~present, -torch.inf)

    # The largest of Gumbel noise plus log-weight is a draw by weight, the k largest are k draws
    # without replacement.
    far = dice.uniform(batch, 1) < law.far_depot
    depot = torch.where(far, everywhere, law_of_stops) + dice.gumbel(*present.shape)
    depot = depot.argmax(1, keepdim=True) if pools.depot is None else pools.depot[city, None]
    keys = (law_of_stops + dice.gumbel(*present.shape)).scatter(1, depot, -torch.inf)
    return city, torch.cat([depot, keys.topk(stops, 1).indices], 1)
