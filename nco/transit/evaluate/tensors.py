"""The exact evaluator for whole batches of lines as tensors, on CPUs and on GPUs.

The same numbers as `nco.transit.evaluate`, whose head says what they are; there one set of lines
after the other is evaluated, here all are at once. On CPUs the compiled one is faster.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nco.errors import ProblemError
from nco.transit.evaluate.exact import TRANSFER_S
from nco.transit.evaluate.times import exact_code
from nco.transit.instance.transit_instance import TransitInstance


@dataclass(frozen=True, eq=False)
class TorchEvaluations:
    """What sets of lines are worth; see `nco.transit.evaluate.Evaluation`.

    Attributes:
        travel_min: `[B]` float64, and so are all others.
        operator_min: minutes.
        direct: share.
        one_transfer: share.
        two_transfers: share.
        unserved: share.
        unreached: share.
        time_s: `[B, N, N]` seconds of the best way, `inf` without one, 0 on the diagonal.
        transfers: `[B, N, N]` int32 transfers on it, -1 without one and on the diagonal.
    """

    travel_min: Tensor
    operator_min: Tensor
    direct: Tensor
    one_transfer: Tensor
    two_transfers: Tensor
    unserved: Tensor
    unreached: Tensor
    time_s: Tensor
    transfers: Tensor


class TorchEvaluator:
    """Evaluates batches of lines of one instance.

    Args:
        instance: what the lines are for.
        device: where.
        transfer_s: what a transfer costs.
    """

    def __init__(
        self,
        instance: TransitInstance,
        device: str | torch.device = "cpu",
        transfer_s: float = TRANSFER_S,
    ) -> None:
        self.device = torch.device(device)
        self._code = exact_code(instance.link_s, transfer_s)
        self._link = torch.from_numpy(self._code.link.copy()).to(self.device)
        self._demand = torch.from_numpy(instance.demand.copy()).to(self.device)
        self._total = instance.trips

    def __call__(self, lines: Tensor) -> TorchEvaluations:
        """Evaluates many sets of lines; missing links part a line, as in `Evaluator.batch`.

        Args:
            lines: `[B, R, L]` whole numbers, -1 after the end of a line and in rows without one.

        Raises:
            ProblemError: wrong shape, or a stop that does not exist.
        """
        nodes = len(self._link)
        if lines.ndim != 3 or lines.is_floating_point():
            raise ProblemError(
                f"lines have shape {tuple(lines.shape)} and type {lines.dtype}; give whole numbers "
                "[B, R, L]"
            )
        if lines.numel() and (int(lines.min()) < -1 or int(lines.max()) >= nodes):
            raise ProblemError(
                f"lines have nodes {int(lines.min())} to {int(lines.max())}; nodes are 0 to "
                f"{nodes - 1}, and -1 fills up lines"
            )
        given = lines.to(self.device, torch.int64)
        dist, length = self._rides(given)
        for k in range(nodes):
            torch.minimum(dist, dist[:, :, k, None] + dist[:, None, k], out=dist)
        return self._values(dist, length)

    def _rides(self, lines: Tensor) -> tuple[Tensor, Tensor]:
        """Rides without transfers `[B, N, N]`, and times of all lines there and back `[B]`."""
        code, (sets, _, stops) = self._code, lines.shape
        bits, boarding, far, _, _ = code.numbers
        nodes, real = len(self._link), (lines >= 0).cumprod(2).bool()
        node = lines.clamp(min=0)
        there = self._link[node[..., :-1], node[..., 1:]]
        back = self._link[node[..., 1:], node[..., :-1]]
        runs = real[..., 1:] & real[..., :-1] & (there >= 0)
        length = ((there + back).to(torch.float64) * runs).sum((1, 2))
        dist = torch.full((sets, nodes * nodes), far, dtype=self._link.dtype, device=self.device)
        # Rides of 1, 2, ... links: sums along each line, ended by links that are not there.
        out = torch.full_like(there, boarding)
        home, goes = out.clone(), torch.ones_like(runs)
        for ride in range(1, stops):
            step = stops - ride
            goes = goes[..., :step] & runs[..., ride - 1 :]
            out = out[..., :step] + (there[..., ride - 1 :] << bits)
            home = home[..., :step] + (back[..., ride - 1 :] << bits)
            a, b = node[..., :step], node[..., ride:]
            for at, value in ((a * nodes + b, out), (b * nodes + a, home)):
                value = torch.where(goes, value, far).clamp(max=far)
                dist.scatter_reduce_(1, at.flatten(1), value.flatten(1), "amin")
        dist = dist.view(sets, nodes, nodes)
        dist.diagonal(dim1=1, dim2=2).zero_()
        return dist, length

    def _values(self, dist: Tensor, length: Tensor) -> TorchEvaluations:
        code, trips, total = self._code, self._demand, self._total
        found = dist < code.far
        rides = torch.where(found, dist & ((1 << code.bits) - 1), 0)
        time = torch.where(found & (rides > 0), (dist >> code.bits) - code.transfer, 0)
        direct, one, two = (self._share(rides == count) for count in (1, 2, 3))
        reached = (found * trips).sum((1, 2))
        minutes = code.unit_s / 60
        travel = (time.to(torch.float64) * trips).sum((1, 2)) * minutes / reached
        travel = torch.where(reached > 0, travel, torch.inf if total else 0.0)
        served = direct + one + two
        return TorchEvaluations(
            travel,
            length * (minutes / 2),
            direct,
            one,
            two,
            (1.0 - served).clamp(min=0.0) if total else torch.zeros_like(served),
            (1.0 - reached / total).clamp(min=0.0) if total else torch.zeros_like(reached),
            torch.where(found, time.to(torch.float64) * code.unit_s, torch.inf),
            (rides - 1).to(torch.int32),
        )

    def _share(self, those: Tensor) -> Tensor:
        """`[B]` the share of the demand between these pairs of nodes."""
        return (those * self._demand).sum((1, 2)) / (self._total or 1.0)
