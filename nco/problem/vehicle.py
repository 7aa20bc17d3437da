"""How goods move: profiles (matrices of one kind of vehicle) and vehicles."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arguments import named_fields, several
from nco.arrays import Bools, ByValue, Floats
from nco.errors import ProblemError, quoted
from nco.problem.details import checked_texts
from nco.problem.work_rules import Break, Rest, Traffic, checked_breaks, checked_traffic

FASTEST = 1e9  # times as fast as a profile


COSTS = (
    "fixed_cost",
    "cost_per_m",
    "cost_per_s",
    "cost_per_overtime_s",
    "loading_s",
    "unloading_s",
)  # and times: finite numbers of at least 0


@named_fields
@dataclass(frozen=True, kw_only=True, eq=False)
class Profile(ByValue):
    """How one kind of vehicle moves.

    Attributes:
        distance_m: `[N, N]` metres from row to column; `inf` marks an unreachable pair.
        duration_s: `[N, N]` seconds from row to column; `inf` exactly where `distance_m` is.
        name: for messages and files.
        traffic: `(from_s, factor)` in order: from that time of the clock on, one drives as many
            times as fast as `duration_s` says; before the first one, as fast. Limits on driving
            count the seconds of `duration_s`.
    """

    distance_m: Floats
    duration_s: Floats
    name: str = "car"
    traffic: Traffic = ()

    def __post_init__(self) -> None:
        validate.text(self.name, "profile: name")
        where = f"profile {quoted(self.name)}"
        distance = validate.matrix(self.distance_m, f"{where}: distance_m")
        duration = validate.matrix(self.duration_s, f"{where}: duration_s")
        validate.same_shape(distance, duration, f"{where}: distance_m, duration_s")
        differ = np.isinf(distance) != np.isinf(duration)
        if differ.any():
            i, j = (int(k) for k in np.argwhere(differ)[0])
            raise ProblemError(
                f"profile {quoted(self.name)}: pair [{i}, {j}] is unreachable in one of distance_m "
                f"({distance[i, j]}) and duration_s ({duration[i, j]}) only; set both to inf"
            )
        object.__setattr__(self, "distance_m", distance)
        object.__setattr__(self, "duration_s", duration)
        traffic = checked_traffic(self.traffic, f"profile {quoted(self.name)}")
        object.__setattr__(self, "traffic", traffic)


@named_fields
@dataclass(frozen=True, kw_only=True, eq=False)
class Vehicle(ByValue):
    """One vehicle.

    Attributes:
        capacity: one number a dimension of demand.
        start: depot node where its routes begin.
        end: depot node where its routes end.
        shift_s: earliest departure and latest return, seconds.
        profile: index into `Problem.profiles`.
        fixed_cost: charged once if the vehicle is used.
        cost_per_m: cost of a metre, multiplied by `Objective.distance`.
        cost_per_s: cost of a second between departure and return (driving, waiting and
            service), multiplied by `Objective.duration`.
        max_trips: how many routes it may drive one after the other.
        reload_at: depots at any of which one trip may end and the next one begin; by default `end`,
            which is then `start` as well.
        max_duration_s: longest duty, from its departure to its return: driving, waiting, service.
        max_distance_m: most metres, on all trips together.
        max_driving_s: most seconds of driving alone, on all trips together.
        max_stops: most stops, on all trips together; None is no limit.
        breaks: breaks that it takes, see `Break`.
        rest: the rest that is due after so much driving, see `Rest`.
        overtime_after_s: from this time of the day on, seconds until its return are overtime.
        cost_per_overtime_s: cost of a second of overtime beside `cost_per_s`, multiplied by
            `Objective.overtime`.
        open_start: whether it begins at its first stop, wherever that is: the way there from
            `start` is not driven. Hours of the depot do not bind it there.
        open_end: the same of its last stop and the way to `end`.
        skills: words; stops that ask for others are not served (`Problem.skills`).
        speed: times by which it is faster than the durations of its profile.
        service_s: `[N]` seconds of service by this vehicle in place of `Problem.service_s`.
        loading_s: seconds at its depot before each trip; they are on duty.
        unloading_s: seconds at its depot at the end of each trip, which hours of the depot and the
            shift include.
        allowed: `[N]` stops it may serve; None means all.
        preference: `[N]` gain of serving each stop with this vehicle; None means 0.
        details: free words under a title (plate, phone of the driver), for outputs; no solver reads
            them.
        name: for messages and files.
    """

    capacity: tuple[float, ...] = ()
    start: int = 0
    end: int = 0
    shift_s: tuple[float, float] = (0.0, np.inf)
    profile: int = 0
    fixed_cost: float = 0.0
    cost_per_m: float = 1.0
    cost_per_s: float = 1.0
    max_trips: int = 1
    reload_at: tuple[int, ...] = ()
    max_duration_s: float = np.inf
    max_distance_m: float = np.inf
    max_driving_s: float = np.inf
    max_stops: int | None = None
    breaks: tuple[Break, ...] = ()
    rest: Rest | None = None
    overtime_after_s: float = np.inf
    cost_per_overtime_s: float = 0.0
    open_start: bool = False
    open_end: bool = False
    skills: frozenset[str] = frozenset()
    speed: float = 1.0
    service_s: Floats | None = None
    loading_s: float = 0.0
    unloading_s: float = 0.0
    allowed: Bools | None = None
    preference: Floats | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        validate.text(self.name, "vehicle: name")
        where = f"vehicle {quoted(self.name)}" if self.name else "vehicle"
        capacity = _capacity(self.capacity, f"{where}: capacity")
        for k, value in enumerate(capacity):
            validate.at_least(value, 0.0, f"{where}: capacity[{k}]", finite=False)
        begin, finish = _shift(self.shift_s, f"{where}: shift_s")
        validate.interval(begin, finish, f"{where}: shift_s")
        for name in COSTS:
            value = validate.number(getattr(self, name), f"{where}: {name}")
            validate.at_least(value, 0.0, f"{where}: {name}")
            object.__setattr__(self, name, value)
        validate.vector([self.fixed_cost], f"{where}: fixed_cost")
        for name, low in (("start", None), ("end", None), ("profile", None), ("max_trips", 1)):
            count = validate.whole(getattr(self, name), f"{where}: {name}", low=low)
            object.__setattr__(self, name, count)
        for name in ("open_start", "open_end"):
            flag = validate.flag(getattr(self, name), f"{where}: {name}")
            object.__setattr__(self, name, flag)
        self._check_limits(where)
        object.__setattr__(self, "details", checked_texts(self.details, f"{where}: details"))
        object.__setattr__(self, "breaks", checked_breaks(self.breaks, where))
        if self.rest is not None and not isinstance(self.rest, Rest):
            raise ProblemError(f"{where}: rest is {quoted(self.rest)}; give nco.Rest(...)")
        object.__setattr__(self, "reload_at", _reloads(self.reload_at, f"{where}: reload_at"))
        if self.max_trips > 1 and self.start != self.end and not self.reload_at:
            raise ProblemError(
                f"{where}: max_trips is {self.max_trips} but it starts at depot {self.start} and "
                f"ends at {self.end}; several trips need one depot for both, or reload_at with the "
                "depots where it may load again"
            )
        object.__setattr__(self, "capacity", capacity)
        object.__setattr__(self, "shift_s", (begin, finish))
        object.__setattr__(self, "skills", validate.words(self.skills, f"{where}: skills"))
        if self.service_s is not None:
            service = validate.vector(self.service_s, f"{where}: service_s", low=0.0)
            object.__setattr__(self, "service_s", service)
        if self.allowed is not None:
            object.__setattr__(self, "allowed", validate.mask(self.allowed, f"{where}: allowed"))
        if self.preference is not None:
            preference = validate.vector(self.preference, f"{where}: preference")
            object.__setattr__(self, "preference", preference)

    def _check_limits(self, where: str) -> None:
        for name in ("max_duration_s", "max_distance_m", "max_driving_s", "overtime_after_s"):
            value = validate.number(getattr(self, name), f"{where}: {name}")
            validate.at_least(value, 0.0, f"{where}: {name}", finite=False)
            object.__setattr__(self, name, value)
        if self.max_stops is not None:
            stops = validate.whole(self.max_stops, f"{where}: max_stops")
            if stops < 1:
                raise ProblemError(
                    f"{where}: max_stops is {stops}; give 1 or more, or None for no limit"
                )
            object.__setattr__(self, "max_stops", stops)
        object.__setattr__(self, "speed", validate.number(self.speed, f"{where}: speed"))
        if not 1 / FASTEST <= self.speed <= FASTEST:
            raise ProblemError(
                f"{where}: speed is {self.speed:g}; it must be above 0 and finite "
                f"({1 / FASTEST:g} to {FASTEST:g}), such as 1.2 for a vehicle that is a fifth "
                "faster than its profile"
            )

    @cached_property
    def reloads(self) -> tuple[int, ...]:
        """Depots where it may load again, at least one."""
        return self.reload_at or (self.end,)

    def loads_at(self, named: int | None) -> int:
        """The depot between two trips: the one that is named, else the first of its own."""
        return self.reloads[0] if named is None else named

    @cached_property
    def roams(self) -> bool:
        """Whether its trips may begin or end at several depots, so that it matters which."""
        return self.max_trips > 1 and {*self.reloads, self.end} != {self.start}

    @cached_property
    def likeness(self) -> Hashable:
        """The same for vehicles that differ in nothing but name and details, and for no others."""
        arrays = (self.service_s, self.allowed, self.preference)
        return (*_PLAIN(self), *(x if x is None else x.tobytes() for x in arrays))

    @cached_property
    def sameness(self) -> Hashable:
        """The same for vehicles that differ in nothing at all, and for no others."""
        return self.likeness, self.name, tuple(self.details.items())


_NOT_PLAIN = {"name", "details", "service_s", "allowed", "preference"}
_PLAIN = attrgetter(*(f.name for f in fields(Vehicle) if f.name not in _NOT_PLAIN))


def _capacity(given: ArrayLike, what: str) -> tuple[float, ...]:
    try:
        return tuple(float(c) for c in np.atleast_1d(np.asarray(given, float)))
    except (TypeError, ValueError, OverflowError):
        raise ProblemError(
            f"{what} is {quoted(given)}; give a number for each dimension of demand"
        ) from None


def _reloads(given: tuple[int, ...], what: str) -> tuple[int, ...]:
    depots = several(given, what, "a list of depots, such as (0, 1)", ProblemError)
    found = tuple(validate.whole(d, f"{what}[{k}]") for k, d in enumerate(depots))
    if len(set(found)) < len(found):
        raise ProblemError(f"{what} is {quoted(list(found))}; name each depot once")
    return found


def _shift(given: tuple[float, float], what: str) -> tuple[float, float]:
    try:
        begin, finish = given
    except (TypeError, ValueError):
        raise ProblemError(
            f"{what} is {quoted(given)}; give two times, the first and the last"
            f"{validate.in_seconds(given)}"
        ) from None
    return validate.number(begin, f"{what}[0]"), validate.number(finish, f"{what}[1]")
