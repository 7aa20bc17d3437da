"""Rules of a problem beyond loads from the depot, windows and fixed costs, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.scaling import largest
from nco.problem import Feature
from nco.problem.objective import LIMITS
from nco.problem.tolerance import slack
from nco.search.lns.ties import ties_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Bools, Floats
    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.search.lns.arrays import Fleet

    Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Rules:
    """See `arrays.Instance`, which takes them over; arrays that are not used have one entry.

    Attributes:
        problem: that asks for them.
        loads: whether loads go up and down along a route.
        limited: whether there are limits of vehicles.
        given: what is picked up.
        mate: other end of each shipment.
        follows: whether a node is the second end.
        group: number of each node's group.
        members: stops of all groups in a row.
        group_first: where those of each begin.
        group_prize: cost of serving none, `inf` where one is required.
        ties: of stops to vehicles.
        tied: the ties of each stop.
        most: limits of vehicles.
        release: when goods are at the depot.
    """

    problem: Problem
    loads: bool
    limited: bool
    given: Floats
    mate: Ints
    follows: Bools
    group: Ints
    members: Ints
    group_first: Ints
    group_prize: Floats
    ties: Ints
    tied: Ints
    most: Floats
    release: Floats

    @classmethod
    def of(cls, problem: Problem, fleet: Fleet) -> Rules:
        """The rules of a problem for the vehicles of a fleet."""
        size = problem.size
        given = np.zeros((1, problem.dimensions))
        loads = bool(problem.dimensions and (problem.pickup.any() or problem.shipments))
        mate = np.full(size, -1, np.int32)
        follows = np.zeros(size, np.bool_)
        if loads:
            given = problem.pickup.copy()
        for shipment in problem.shipments:
            mate[shipment.pickup], mate[shipment.delivery] = shipment.delivery, shipment.pickup
            follows[shipment.delivery] = True
            if loads:
                given[shipment.pickup] += shipment.amount
                given[shipment.delivery] -= shipment.amount
        group = np.full(size, -1, np.int32)
        for g, members in enumerate(problem.groups):
            group[list(members.stops)] = g
        limited = not problem.features.isdisjoint(LIMITS)
        released = Feature.RELEASES in problem.features
        ties, tied = ties_of(problem)
        counts = [len(g.stops) for g in problem.groups]
        return cls(
            problem=problem,
            loads=loads,
            limited=limited,
            given=given,
            mate=mate,
            follows=follows,
            group=group,
            members=np.array([j for g in problem.groups for j in g.stops] or [0], np.int32),
            group_first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            group_prize=np.array(
                [
                    np.inf if np.isinf(g.prize) else problem.objective.unserved * g.prize
                    for g in problem.groups
                ],
                float,
            ),
            ties=ties,
            tied=tied,
            most=_limits(fleet) if limited else np.zeros((1, 4)),
            release=problem.release_s if released else np.zeros(1),
        )

    @property
    def any(self) -> bool:
        """Whether `lns.rules` has anything to look at."""
        return self.loads or self.limited or len(self.release) > 1 or len(self.ties) > 0

    def length(self, kinds: Sequence[Kind]) -> Floats:
        """`[P, N, N]` metres of each table of arcs, where they are limited."""
        if not self.limited or not np.isfinite(self.most[:, 1]).any():
            return np.zeros((1, 1, 1))
        metres = [self.problem.profiles[kind.vehicle.profile].distance_m for kind in kinds]
        longest = largest(*metres)
        return np.stack([np.minimum(one, longest) for one in metres])


def _limits(fleet: Fleet) -> Floats:
    """`[M, 4]` seconds on duty, metres, seconds of driving and stops at most."""
    vehicles = [fleet.kinds[k].vehicle for k in fleet.kind]
    most = np.array(
        [
            (
                v.max_duration_s,
                v.max_distance_m,
                v.max_driving_s,
                np.inf if v.max_stops is None else v.max_stops,
            )
            for v in vehicles
        ],
        float,
    )
    # Half of what evaluation forgives: sums here are taken in another order.
    return most + np.where(np.isinf(most), 0.0, 0.5 * slack(most))
