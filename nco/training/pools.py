"""The tables of all training cities on one device: a batch is one gather from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.envs.rcvrptw import ticks_up
from nco.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.training.tables import CityTable

_HALF_LARGEST = 2.0**15  # what the largest distance of a table becomes in half precision


@dataclass(frozen=True)
class Pools:
    """Tables of several cities on one device, padded to the largest.

    Attributes:
        distance: `[C, P, P]` in units of `unit_m`, in single or half precision.
        unit_m: `[C]` metres; 1 in single precision.
        duration: `[C, P, P]` int32 ticks, see `nco.envs.rcvrptw`; None where no problem has
            time. Ticks say whether a vehicle is late, so they are always exact.
        xy_m: `[C, P, 2]` metres on a local map.
        whole: `[C]` how many leading points are spread over the whole city.
        points: `[C]` how many points there are.
        weight: `[C]` how often a city is drawn.
        depot: `[C]` the point that is the depot of all instances; None to draw one for each.
    """

    distance: Tensor
    unit_m: Tensor
    duration: Tensor | None
    xy_m: Tensor
    whole: Tensor
    points: Tensor
    weight: Tensor | None = None
    depot: Tensor | None = None

    @classmethod
    def of(
        cls,
        tables: Sequence[CityTable],
        device: torch.device | str = "cpu",
        *,
        half: bool = False,
        times: bool = True,
        weights: Sequence[float] | None = None,
        depot: Tensor | None = None,
    ) -> Pools:
        """Puts tables on a device.

        Args:
            tables: of the cities.
            device: where to.
            half: keep distances in half precision, each within 0.05 % of its own.
            times: keep durations.
            weights: how often each city is drawn; None for equally often.
            depot: `[C]` the point of each that is the depot of all instances.
        """
        largest = max(len(table.lonlat) for table in tables)
        shape = (len(tables), largest, largest)
        distance = torch.zeros(shape, dtype=torch.half if half else torch.float)
        duration = torch.zeros(shape, dtype=torch.int32) if times else None
        unit = torch.ones(len(tables))
        xy = torch.zeros(len(tables), largest, 2)
        for c, table in enumerate(tables):
            n = len(table.lonlat)
            metres = torch.from_numpy(table.distance_m)
            if half:
                unit[c] = metres.max().clamp_min(1.0) / _HALF_LARGEST
                metres = metres / unit[c]
            distance[c, :n, :n] = metres
            if duration is not None:
                # Tables hold seconds in single precision: their third decimal is noise.
                duration[c, :n, :n] = ticks_up(
                    torch.from_numpy(table.duration_s).double().round(decimals=3)
                )
            xy[c, :n] = torch.from_numpy(table.xy_m())
        return cls(
            distance.to(device),
            unit.to(device),
            None if duration is None else duration.to(device),
            xy.to(device),
            torch.tensor([table.whole for table in tables], device=device),
            torch.tensor([len(table.lonlat) for table in tables], device=device),
            None if weights is None else torch.tensor(weights, device=device),
            None if depot is None else depot.to(device),
        )

    @property
    def device(self) -> torch.device:
        """Where the tables are."""
        return self.xy_m.device

    @property
    def bytes(self) -> int:
        """What the matrices take."""
        matrices = (self.distance, self.duration)
        return sum(x.numel() * x.element_size() for x in matrices if x is not None)

    def to(self, device: torch.device) -> Pools:
        """The same tables on another device."""
        moved = {name: x.to(device) for name, x in vars(self).items() if x is not None}
        return replace(self, **moved)

    def check(self, nodes: int) -> None:
        """Refuses instances that a table has too few points for.

        Args:
            nodes: of an instance, depot included.

        Raises:
            PolicyError: names both numbers.
        """
        least = int(self.whole.min())
        if least < nodes:
            raise PolicyError(
                f"{nodes - 1} stops were asked for, but a table has only {least} points; use "
                "larger tables (data.table) or fewer stops"
            )

    def distance_m(self, city: Tensor, place: Tensor) -> Tensor:
        """`[B, N, N]` metres between the points `[B, N]` of cities `[B]`."""
        return _gathered(self.distance, city, place).float() * self.unit_m[city, None, None]

    def ticks(self, city: Tensor, place: Tensor) -> Tensor:
        """`[B, N, N]` ticks between the points `[B, N]` of cities `[B]`."""
        assert self.duration is not None  # noqa: S101 (kept where a problem has time)
        return _gathered(self.duration, city, place)


def _gathered(matrices: Tensor, city: Tensor, place: Tensor) -> Tensor:
    return matrices[city[:, None, None], place[:, :, None], place[:, None, :]]
