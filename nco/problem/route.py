"""A route: one trip of one vehicle."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """One trip: from a depot over the stops to a depot.

    The first trip of a vehicle begins at its start depot and the last one ends at its end depot.

    Attributes:
        vehicle: number of the vehicle in `Problem.vehicles`.
        stops: node numbers in order of service, depots not included.
        reload_at: depot where it ends and the vehicle's next trip begins, if there is one; None is
            the first of those where the vehicle may load again (`Vehicle.reload_at`).
    """

    vehicle: int
    stops: tuple[int, ...]
    reload_at: int | None = None
