"""Dimensions of OR-Tools that count along a route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Ints
    from nco.baselines.ortools_model import Model


def counted(model: Model, amounts: Ints, most: Sequence[int], name: str) -> Any:
    """A dimension that begins at 0 and grows by an amount at each stop."""
    callback = model.routing.RegisterUnaryTransitVector(amounts[model.nodes].tolist())
    model.routing.AddDimensionWithVehicleCapacity(callback, 0, list(most), True, name)
    return model.routing.GetDimensionOrDie(name)
