"""What a problem minimises, and the features by which solvers say what they support."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal

from nco import _validate as validate
from nco.arguments import named_fields
from nco.errors import ProblemError, quoted


class Feature(StrEnum):
    """What a problem may ask of a solver beyond short routes from one depot."""

    CAPACITY = "capacity"
    DIMENSIONS = "demand in several dimensions"
    TIME_WINDOWS = "time windows"
    SHIFTS = "shifts"
    PROFILES = "several profiles"
    DEPOTS = "several depots"
    MIXED_FLEET = "different vehicles"
    ALLOWED_STOPS = "allowed stops"
    PREFERENCES = "preferences"
    OPTIONAL_STOPS = "optional stops"
    TRIPS = "several trips a vehicle"
    RELOADS = "loading again at several depots"
    DURATION_COST = "a cost on duration"
    FIXED_COST = "a fixed cost of vehicles"
    LONGEST_ROUTE = "a cost on the longest route"
    LONGEST_LEG = "a cost on the longest leg"
    MAKESPAN = "a cost on the makespan"
    UNREACHABLE = "unreachable pairs"
    PICKUPS = "pickups that go to the depot"
    BACKHAULS = "deliveries before pickups"
    SHIPMENTS = "shipments from stop to stop"
    SHARED_ENDS = "stops of shipments with loads or release times of their own"
    GROUPS = "groups of alternative stops"
    RELEASES = "release times"
    LONGEST_DUTY = "a longest duty"
    MOST_DISTANCE = "a longest distance"
    MOST_DRIVING = "a longest driving time"
    MOST_STOPS = "a limit on the number of stops"
    OPEN_ROUTES = "routes that begin or end anywhere"
    SKILLS = "skills"
    SPEEDS = "vehicles that are faster than their profile"
    OWN_SERVICE = "service times of single vehicles"
    SETUP = "set-up times"
    SAME_VEHICLE = "stops for one vehicle"
    DIFFERENT_VEHICLES = "stops for different vehicles"
    PRECEDENCE = "stops in a given order"
    PRIORITIES = "priorities"
    FEWEST_VEHICLES = "fewest vehicles first"
    SEQUENCES = "stops directly after one another"
    LOADING = "times of loading and unloading at depots"
    SEVERAL_WINDOWS = "several time windows a stop"
    SOFT_WINDOWS = "soft time windows"
    BREAKS = "breaks"
    RESTS = "rests after so much driving"
    OVERTIME = "a cost of overtime"
    TRAFFIC = "travel times that change over the day"


LIMITS = frozenset(
    {
        Feature.LONGEST_DUTY,
        Feature.MOST_DISTANCE,
        Feature.MOST_DRIVING,
        Feature.MOST_STOPS,
    }
)
"""What a single vehicle may do in all."""

TIMETABLED = frozenset(
    {
        Feature.SEVERAL_WINDOWS,
        Feature.SOFT_WINDOWS,
        Feature.BREAKS,
        Feature.RESTS,
        Feature.OVERTIME,
        Feature.TRAFFIC,
    }
)
"""What makes the earliest times of a route not always its best ones."""

PEAKED = frozenset({Feature.LONGEST_LEG, Feature.MAKESPAN})
"""What counts once for all vehicles, as the longest route does."""

TIES = frozenset({Feature.SAME_VEHICLE, Feature.DIFFERENT_VEHICLES, Feature.PRECEDENCE})
"""What ties stops to vehicles that others have."""

RULES = (
    LIMITS
    | TIES
    | {
        Feature.PICKUPS,
        Feature.SHIPMENTS,
        Feature.SHARED_ENDS,
        Feature.GROUPS,
        Feature.RELEASES,
    }
)
"""Rules beyond `CLASSICAL` that no other features say in general."""

CLASSICAL = (
    frozenset(Feature)
    - RULES
    - TIMETABLED
    - PEAKED
    - {
        Feature.BACKHAULS,
        Feature.OPEN_ROUTES,
        Feature.SKILLS,
        Feature.SPEEDS,
        Feature.OWN_SERVICE,
        Feature.PRIORITIES,
        Feature.FEWEST_VEHICLES,
        Feature.SEQUENCES,
        Feature.SETUP,
        Feature.LOADING,
        Feature.RELOADS,
    }
)
"""Features of loads from depots, windows, mixed fleets and trips, without what came later."""


@named_fields
@dataclass(frozen=True, kw_only=True)
class Objective:
    """What to minimise: a weighted sum of the parts of a solution's cost.

    Attributes:
        distance: weight of the sum over vehicles of `cost_per_m` times metres.
        duration: weight of the sum over vehicles of `cost_per_s` times seconds on duty.
        fixed: weight of the fixed costs of the vehicles used.
        preference: weight of the preferences of the served stops (a gain).
        unserved: weight of the prizes of the optional stops that stay unserved.
        soft_windows: weight of what is early or late in soft windows.
        overtime: weight of the sum over vehicles of `cost_per_overtime_s` times their overtime.
        longest_route: weight of the longest vehicle, in metres or seconds.
        longest_leg: weight of the longest way from one place to the next, in metres or seconds of
            driving.
        makespan: weight of the seconds until the last vehicle is back, from the moment on at which
            the first one may leave (`Problem.begins_s`).
        fewest_vehicles: whether the number of vehicles in use counts before the sum: no saving of
            it is worth a vehicle, nor is an optional stop.
        longest_by: what "longest" measures, of routes and legs: "distance" or "duration".
    """

    distance: float = 1.0
    duration: float = 0.0
    fixed: float = 1.0
    preference: float = 1.0
    unserved: float = 1.0
    soft_windows: float = 1.0
    overtime: float = 1.0
    longest_route: float = 0.0
    longest_leg: float = 0.0
    makespan: float = 0.0
    longest_by: Literal["distance", "duration"] = "distance"
    fewest_vehicles: bool = False

    def __post_init__(self) -> None:
        for name in WEIGHTS:
            weight = validate.number(getattr(self, name), f"objective: {name}")
            validate.at_least(weight, 0.0, f"objective: {name}")
            object.__setattr__(self, name, weight)
        first = validate.flag(self.fewest_vehicles, "objective: fewest_vehicles")
        object.__setattr__(self, "fewest_vehicles", first)
        if not isinstance(self.longest_by, str) or self.longest_by not in ("distance", "duration"):
            raise ProblemError(
                f"objective: longest_by is {quoted(self.longest_by)}; use 'distance' or 'duration'"
            )


WEIGHTS = tuple(
    f.name for f in fields(Objective) if f.name not in ("longest_by", "fewest_vehicles")
)
"""The fields of an objective that are weights."""
