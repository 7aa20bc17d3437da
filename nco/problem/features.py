"""What a problem asks of whoever solves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.problem.objective import Feature

if TYPE_CHECKING:
    from nco.problem.problem import Problem
    from nco.problem.vehicle import Vehicle


def features_of(problem: Problem) -> frozenset[Feature]:
    """The features of a problem; a field that holds its default asks for none."""
    kinds = [vehicle for vehicle, _ in problem.fleet]
    finite = any(np.isfinite(c) for vehicle in kinds for c in vehicle.capacity)
    bound = [s.amount for s in problem.shipments if any(s.amount)]
    ends = [j for s in problem.shipments for j in (s.pickup, s.delivery)]
    weights = problem.objective
    asked = {
        Feature.CAPACITY: finite
        and bool(problem.demand.any() or problem.pickup.any() or len(bound)),
        Feature.DIMENSIONS: problem.dimensions > 1,
        Feature.TIME_WINDOWS: bool(
            (problem.window_s[:, 0] > 0).any() or np.isfinite(problem.window_s[:, 1]).any()
        ),
        Feature.SHIFTS: any(v.shift_s != (0.0, np.inf) for v in kinds),
        Feature.PROFILES: len({v.profile for v in kinds}) > 1,
        Feature.DEPOTS: len({d for v in kinds for d in _depots(v)}) > 1,
        Feature.MIXED_FLEET: len(kinds) > 1,
        Feature.ALLOWED_STOPS: any(
            v.allowed is not None and not v.allowed[problem.depots :].all() for v in kinds
        ),
        Feature.PREFERENCES: weights.preference > 0
        and any(v.preference is not None and bool(v.preference.any()) for v in kinds),
        Feature.OPTIONAL_STOPS: bool(np.isfinite(problem.prize[problem.depots :]).any())
        or any(np.isfinite(group.prize) for group in problem.groups),
        Feature.TRIPS: any(v.max_trips > 1 for v in kinds),
        Feature.RELOADS: any(v.roams for v in kinds),
        Feature.DURATION_COST: weights.duration > 0 and any(v.cost_per_s > 0 for v in kinds),
        Feature.FIXED_COST: weights.fixed > 0 and any(v.fixed_cost > 0 for v in kinds),
        Feature.LONGEST_ROUTE: weights.longest_route > 0,
        Feature.LONGEST_LEG: weights.longest_leg > 0,
        Feature.MAKESPAN: weights.makespan > 0,
        Feature.UNREACHABLE: any(
            bool(np.isinf(problem.profiles[v.profile].distance_m).any()) for v in kinds
        ),
        Feature.PICKUPS: bool(problem.pickup.any()),
        Feature.BACKHAULS: problem.linehauls_first and bool(problem.pickup.any()),
        Feature.SHIPMENTS: bool(problem.shipments),
        Feature.SHARED_ENDS: bool(
            problem.demand[ends].any()
            or problem.pickup[ends].any()
            or problem.release_s[ends].any()
        ),
        Feature.GROUPS: bool(problem.groups),
        Feature.RELEASES: bool(problem.release_s.any()),
        Feature.LONGEST_DUTY: any(np.isfinite(v.max_duration_s) for v in kinds),
        Feature.MOST_DISTANCE: any(np.isfinite(v.max_distance_m) for v in kinds),
        Feature.MOST_DRIVING: any(np.isfinite(v.max_driving_s) for v in kinds),
        Feature.MOST_STOPS: any(v.max_stops is not None for v in kinds),
        Feature.OPEN_ROUTES: any(v.open_start or v.open_end for v in kinds),
        Feature.SKILLS: any(
            words - v.skills for words in set(problem.skills.values()) for v in kinds
        ),
        Feature.SPEEDS: any(v.speed != 1 for v in kinds),
        Feature.OWN_SERVICE: any(v.service_s is not None for v in kinds),
        Feature.SETUP: bool(problem.setup_s.any()),
        Feature.LOADING: any(v.loading_s or v.unloading_s for v in kinds),
        Feature.SEVERAL_WINDOWS: bool(problem.more_windows_s),
        Feature.SOFT_WINDOWS: weights.soft_windows > 0
        and bool(problem.early_per_s.any() or problem.late_per_s.any()),
        Feature.BREAKS: any(v.breaks for v in kinds),
        Feature.RESTS: any(v.rest for v in kinds),
        Feature.OVERTIME: weights.overtime > 0
        and any(v.cost_per_overtime_s and np.isfinite(v.overtime_after_s) for v in kinds),
        Feature.TRAFFIC: any(problem.profiles[v.profile].traffic for v in kinds),
    }
    asked[Feature.PRIORITIES] = len(set(problem.priority[problem.required])) > 1
    asked[Feature.FEWEST_VEHICLES] = weights.fewest_vehicles
    asked |= {tie.feature: True for tie in problem.ties}
    return frozenset(feature for feature, present in asked.items() if present)


def _depots(vehicle: Vehicle) -> set[int]:
    again = vehicle.reloads if vehicle.max_trips > 1 else ()
    return {vehicle.start, vehicle.end, *again}
