"""A route: one trip of one vehicle."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """One trip: from the vehicle's start depot over the stops to its end depot.

    Attributes:
        vehicle: number of the vehicle in `Problem.vehicles`.
        stops: node numbers in order of service, depots not included.
    """

    vehicle: int
    stops: tuple[int, ...]
