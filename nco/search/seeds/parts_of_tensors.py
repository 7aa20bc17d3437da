"""Parts of a large problem as one batch of tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs.instances import each, pad
from nco.envs.observe import fill_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.envs.rcvrp import RCVRPInstance


def divided[I: RCVRPInstance](whole: I, parts: Sequence[NDArray[np.int64]]) -> I:
    """One batch of the parts of an instance, each with the depot and its share of the vehicles.

    Args:
        whole: one instance.
        parts: nodes of each, without the depot.
    """
    total = max(1, int(whole.demand.sum()))

    def part(nodes: NDArray[np.int64]) -> I:
        kept = torch.as_tensor(np.concatenate([[0], nodes]))

        def chosen(name: str, value: torch.Tensor) -> torch.Tensor:
            if value.ndim == 1:
                return value
            return value[:, kept[:, None], kept] if name in whole.per_pair else value[:, kept]

        smaller = each(whole, chosen)
        load = int(smaller.demand.sum())
        least = -(-load // int(whole.capacity))
        share = int(whole.vehicles) * load // total
        vehicles = torch.full_like(whole.vehicles, max(1, least, share))
        return replace(smaller, xy=fill_frame(smaller.xy), vehicles=vehicles)

    return pad([part(nodes) for nodes in parts])
