"""Vehicles of mixed fleets by name: which streets they use, and how much they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nco.data.sampling.drawing import whole
from nco.errors import InputError, quoted


@dataclass(frozen=True)
class VehicleType:
    """A type of vehicle.

    Attributes:
        profile: `car`, `bicycle` or `foot`, the streets that it may use.
        capacity: in units of demand, of which a stop has 1 to 9.
    """

    profile: str
    capacity: float


TYPES: dict[str, VehicleType] = {
    "van": VehicleType("car", 40),
    "electric van": VehicleType("car", 30),
    "cargo bicycle": VehicleType("bicycle", 15),
    "walker": VehicleType("foot", 9),
}


def fleet_of(vehicles: Any) -> tuple[str, ...]:
    """The type of each vehicle.

    Args:
        vehicles: how many vans, or how many of each type.

    Raises:
        InputError: there is no such type, or a number makes no sense.
    """
    counts = vehicles if isinstance(vehicles, Mapping) else {"van": vehicles}
    for name in counts:
        if name not in TYPES:
            raise InputError(
                f"vehicles has the type {quoted(name)}; use one of {', '.join(TYPES)}, such as "
                "{'van': 3, 'cargo bicycle': 2}"
            )
    numbers = {name: whole(count, f"vehicles of type {name}", 0) for name, count in counts.items()}
    fleet = tuple(name for name, count in numbers.items() for _ in range(count))
    if not fleet:
        raise InputError("vehicles has no vehicle; give one at least")
    return fleet
