"""Pieces of observations that several environments share: the map frame and pair features."""

from __future__ import annotations

import torch
from torch import Tensor

NEAREST = 5  # how many neighbours say how remote a node is


def map_frame(lonlat: Tensor) -> Tensor:
    """Places points on a local map in `[-1, 1]^2` that keeps the aspect ratio and true bearings.

    An equirectangular projection at the middle latitude of each instance; the larger extent
    fills the frame, east is +x and north is +y.

    Args:
        lonlat: `[B, N, 2]` degrees, longitude first.

    Returns:
        `[B, N, 2]` coordinates without unit.
    """
    low, high = lonlat.amin(1, keepdim=True), lonlat.amax(1, keepdim=True)
    middle = (low + high) / 2
    shrink = torch.cos(torch.deg2rad(middle[..., 1:]))
    east_north = (lonlat - middle) * torch.cat([shrink, torch.ones_like(shrink)], -1)
    return fill_frame(east_north)


def fill_frame(xy: Tensor) -> Tensor:
    """Centres planar points `[B, N, 2]` and scales the larger extent of each instance to 2."""
    low, high = xy.amin(1, keepdim=True), xy.amax(1, keepdim=True)
    extent = (high - low).amax(-1, keepdim=True).clamp_min(torch.finfo(xy.dtype).tiny)
    return (2 * xy - low - high) / extent


def relative(cost: Tensor, size: Tensor | None = None) -> Tensor:
    """Costs divided by the mean over pairs of different nodes, instance by instance.

    Args:
        cost: `[B, N, N]`, zero where a node is not there.
        size: `[B]` how many nodes are; None for all.
    """
    n = cost.shape[-1] if size is None else size[:, None, None].to(cost.dtype)
    pairs = torch.as_tensor(n * (n - 1), device=cost.device).clamp_min(1)
    mean = cost.sum((1, 2), keepdim=True) / pairs
    return cost / mean.clamp_min(torch.finfo(cost.dtype).tiny)


def directed(plane: Tensor) -> tuple[Tensor, Tensor]:
    """A plane of pair features there `[B, N, N]` and back."""
    return plane, plane.transpose(1, 2)


def logarithm(cost: Tensor) -> Tensor:
    """Logarithm of relative costs, bounded below so that a zero cost stays of order one."""
    return torch.log(cost + 0.02)


def remoteness(cost: Tensor, present: Tensor | None = None) -> Tensor:
    """`[B, N, 2]` mean relative cost from and to the nearest other nodes that are there."""
    n = cost.shape[-1]
    k = min(NEAREST, n - 1)
    apart = cost + torch.diag(cost.new_full((n,), torch.inf))
    if present is not None:
        absent = ~present
        apart = apart.masked_fill(absent[:, :, None] | absent[:, None], torch.inf)

    def mean(nearest: Tensor, dim: int) -> Tensor:
        there = nearest.isfinite()
        return nearest.where(there, 0.0).sum(dim) / there.sum(dim).clamp_min(1)

    return torch.stack(
        [mean(apart.topk(k, dim, largest=False, sorted=False).values, dim) for dim in (2, 1)], -1
    )
