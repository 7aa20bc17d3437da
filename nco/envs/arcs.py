"""A map for what is converted, also where a problem has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nco.envs.observe import fill_frame, map_frame
from nco.fleet.plane import plane_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.problem import Problem


def coordinates(problem: Problem, nodes: Sequence[int], cost: Floats) -> torch.Tensor:
    """`[1, N, 2]` map frame; where a problem has no coordinates, a map drawn from its costs."""
    chosen = list(nodes)
    if problem.lonlat is not None:
        return map_frame(torch.as_tensor(problem.lonlat[chosen])[None])
    if problem.xy is not None:
        return fill_frame(torch.as_tensor(problem.xy[chosen])[None])
    return fill_frame(torch.as_tensor(plane_of(cost))[None])
