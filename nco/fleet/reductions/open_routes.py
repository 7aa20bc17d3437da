"""Open routes as routes from and to a depot that is no distance from anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.vehicles import changed

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.problem import Problem, Vehicle

NAME = "anywhere"


def open_routes(problem: Problem) -> Problem | None:
    """One more depot behind the others, without hours, at which open routes begin and end.

    Who drives several trips loads again where it did, since only the first one begins anywhere and
    only the last one ends anywhere.
    """
    here = problem.depots

    def inserted(values: Floats, value: object = 0.0) -> Floats:
        return np.insert(values, here, np.asarray(value), axis=0)

    def own(values: Floats | None) -> Floats | None:
        return None if values is None else inserted(values)

    def opened(vehicle: Vehicle) -> Vehicle:
        return replace(
            vehicle,
            start=here if vehicle.open_start else vehicle.start,
            end=here if vehicle.open_end else vehicle.end,
            reload_at=vehicle.reloads
            if vehicle.max_trips > 1 and (vehicle.open_start or vehicle.open_end)
            else vehicle.reload_at,
            open_start=False,
            open_end=False,
            service_s=own(vehicle.service_s),
            allowed=None if vehicle.allowed is None else np.insert(vehicle.allowed, here, True),
            preference=own(vehicle.preference),
        )

    def node(j: int) -> int:
        return j + (j >= here)

    def wider(matrix: Floats) -> Floats:
        return np.insert(np.insert(matrix, here, 0.0, axis=0), here, 0.0, axis=1)

    name = NAME
    while name in problem.names:
        name += "'"
    return replace(
        problem,
        profiles=tuple(
            replace(
                profile,
                distance_m=wider(profile.distance_m),
                duration_s=wider(profile.duration_s),
            )
            for profile in problem.profiles
        ),
        vehicles=changed(problem, opened),
        depots=here + 1,
        demand=inserted(problem.demand),
        window_s=inserted(problem.window_s, (0.0, np.inf)),
        more_windows_s={node(j): windows for j, windows in problem.more_windows_s.items()},
        soft_window_s=inserted(problem.soft_window_s, (0.0, np.inf)),
        early_per_s=inserted(problem.early_per_s),
        late_per_s=inserted(problem.late_per_s),
        service_s=inserted(problem.service_s),
        setup_s=inserted(problem.setup_s),
        prize=inserted(problem.prize, np.inf),
        pickup=inserted(problem.pickup),
        priority=inserted(problem.priority),
        release_s=inserted(problem.release_s),
        shipments=tuple(
            replace(s, pickup=node(s.pickup), delivery=node(s.delivery)) for s in problem.shipments
        ),
        groups=tuple(replace(g, stops=tuple(map(node, g.stops))) for g in problem.groups),
        ties=tuple(replace(tie, stops=tuple(map(node, tie.stops))) for tie in problem.ties),
        skills={node(j): words for j, words in problem.skills.items()},
        off_street={},  # a way leads there from anywhere
        details={},  # nobody sees this problem
        lonlat=None if problem.lonlat is None else inserted(problem.lonlat, problem.lonlat[0]),
        xy=None if problem.xy is None else inserted(problem.xy, problem.xy[0]),
        moved_m=own(problem.moved_m),
        names=(*problem.names[:here], name, *problem.names[here:]),
    )
