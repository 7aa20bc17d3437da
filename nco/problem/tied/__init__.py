"""Ties of stops to one another or to vehicles, each in a file of its own.

`KINDS` lists them; what they have in common is in `tie`.
"""

from __future__ import annotations

from types import MappingProxyType

from nco.problem.tied.different_vehicles import DifferentVehicles
from nco.problem.tied.precedence import Precedence
from nco.problem.tied.same_vehicle import SameVehicle
from nco.problem.tied.sequence import Sequence
from nco.problem.tied.tie import Place, Tie, places_of

KINDS: MappingProxyType[str, type[Tie]] = MappingProxyType(
    {kind.kind: kind for kind in (SameVehicle, DifferentVehicles, Precedence, Sequence)}
)
"""Every kind of tie by its word, as files and violations have it."""

__all__ = [
    "KINDS",
    "DifferentVehicles",
    "Place",
    "Precedence",
    "SameVehicle",
    "Sequence",
    "Tie",
    "places_of",
]
