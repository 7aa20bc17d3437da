"""What is to be solved, as a frozen dataclass on numpy.

A problem has `N` nodes: the depots first (`0 .. depots - 1`), then the stops.
Every array is indexed by node. Arrays are copied and made read-only at construction,
and every field is checked there, so that no solver meets a malformed problem.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arguments import named_fields, of_kind, refuse_unknown, several
from nco.arrays import Bools, ByValue, Floats
from nco.errors import ProblemError, counted, quoted
from nco.problem.details import checked_details
from nco.problem.features import features_of
from nco.problem.hours import checked_soft, checked_windows
from nco.problem.identical import identical_vehicles
from nco.problem.objective import TIMETABLED, Feature, Objective
from nco.problem.priorities import checked_priority
from nco.problem.tied.checked import checked_ties
from nco.problem.tied.tie import Tie
from nco.problem.ties import Group, Shipment, checked_groups, checked_shipments
from nco.problem.times import Times
from nco.problem.vehicle import Profile, Vehicle
from nco.snapped import moved_far

__all__ = ["Feature", "Group", "Objective", "Problem", "Profile", "Shipment", "Vehicle"]


@named_fields
@dataclass(frozen=True, kw_only=True, eq=False)
class Problem(ByValue):
    """A routing problem.

    Attributes:
        profiles: distances and durations, one entry a kind of vehicle.
        vehicles: every single vehicle; identical ones may be the same object repeated.
        depots: how many of the first nodes are depots.
        demand: `[N, K]` in K dimensions, 0 at depots; a vector `[N]` is read as K = 1.
        window_s: `[N, 2]` earliest and latest start of service (opening hours at depots).
        service_s: `[N]` seconds of service, 0 at depots.
        setup_s: `[N]` seconds on arrival, before service, unless the vehicle comes from the same
            place: from a node that is no distance and no time away. 0 at depots.
        prize: `[N]` cost of not serving a stop; `inf` (the default) makes it required.
        priority: `[N]` whole numbers from 0 (the default) to 100: where not all stops that must be
            served can be, those of a lower priority are left out first, however many.
        pickup: `[N, K]` amounts that are taken at stops to the end of the trip, 0 at depots; a stop
            may take `demand` and give `pickup`. A vector `[N]` is read as K = 1.
        linehauls_first: whether nothing may be delivered on a trip after something was picked up.
        shipments: goods that go from stop to stop, see `Shipment`.
        groups: alternatives of which one is served, see `Group`.
        ties: of stops to one another or to vehicles: `SameVehicle`, `DifferentVehicles`,
            `Precedence` and `Sequence`.
        release_s: `[N]` when the goods of a stop are at the depot: no trip that carries them leaves
            sooner.
        skills: words that a vehicle must have to serve a stop, by node.
        more_windows_s: further windows of stops, by node, apart from `window_s`; service begins in
            any of them.
        soft_window_s: `[N, 2]` times between which service should begin; what is outside of them
            but inside of `window_s` costs something.
        early_per_s: `[N]` cost of a second before the soft window, or one number for all stops.
        late_per_s: `[N]` cost of a second after it.
        objective: weights of the cost parts.
        lonlat: `[N, 2]` degrees, longitude first; None for problems without geography.
        xy: `[N, 2]` planar coordinates of classical benchmark instances.
        moved_m: `[N]` metres from each node to the place on a street that stands for it in the
            matrices; None where they come from no city.
        off_street: why stops have no such place, in words, by node; no route leads to them.
        details: free words by node under a title (phone, notes), for outputs; no solver reads them.
        names: `N` different names; by default "depot" or "depot 0", ..., then "1", "2", ...
        name: for files and reports.
        times: what times count, which decides how messages write them: "numbers" of no known
            beginning, seconds of a "clock" from midnight, or "unix" seconds from 1970.

    Raises:
        ProblemError: a field is malformed; the message names the field and the index.
    """

    profiles: tuple[Profile, ...]
    vehicles: tuple[Vehicle, ...]
    depots: int = 1
    demand: Floats = field(default=None)  # type: ignore[arg-type]
    window_s: Floats = field(default=None)  # type: ignore[arg-type]
    service_s: Floats = field(default=None)  # type: ignore[arg-type]
    setup_s: Floats = field(default=None)  # type: ignore[arg-type]
    prize: Floats = field(default=None)  # type: ignore[arg-type]
    priority: Floats = field(default=None)  # type: ignore[arg-type]
    pickup: Floats = field(default=None)  # type: ignore[arg-type]
    linehauls_first: bool = False
    shipments: tuple[Shipment, ...] = ()
    groups: tuple[Group, ...] = ()
    ties: tuple[Tie, ...] = ()
    release_s: Floats = field(default=None)  # type: ignore[arg-type]
    skills: Mapping[int, frozenset[str]] = field(default_factory=dict)
    more_windows_s: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    soft_window_s: Floats = field(default=None)  # type: ignore[arg-type]
    early_per_s: Floats = field(default=None)  # type: ignore[arg-type]
    late_per_s: Floats = field(default=None)  # type: ignore[arg-type]
    objective: Objective = field(default_factory=Objective)
    lonlat: Floats | None = None
    xy: Floats | None = None
    moved_m: Floats | None = None
    off_street: Mapping[int, str] = field(default_factory=dict)
    details: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    name: str = "problem"
    times: Times = Times.NUMBERS

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        self._check_kinds()
        if not self.profiles:
            raise ProblemError("profiles is empty; give at least one Profile with its matrices")
        if not self.vehicles:
            raise ProblemError("vehicles is empty; give at least one Vehicle")
        n = self.size
        for p, profile in enumerate(self.profiles):
            if len(profile.distance_m) != n:
                raise ProblemError(
                    f"profiles[{p}] has {counted(len(profile.distance_m), 'node')} but "
                    f"profiles[0] has {n}"
                )
        if not 1 <= self.depots <= n:
            raise ProblemError(
                f"depots is {self.depots}; with {counted(n, 'node')} it must be 1 to {n}"
            )
        self._set_amounts()
        window = np.tile([0.0, np.inf], (n, 1)) if self.window_s is None else self.window_s
        set_field(self, "window_s", validate.windows(window, n, "window_s"))
        for name in ("service_s", "setup_s", "release_s"):
            seconds = np.zeros(n) if getattr(self, name) is None else getattr(self, name)
            set_field(self, name, validate.vector(seconds, name, n, low=0.0))
        prize = np.full(n, np.inf) if self.prize is None else self.prize
        set_field(self, "prize", validate.vector(prize, "prize", n, low=0.0, finite=False))
        set_field(self, "priority", checked_priority(self.priority, n, self.depots))
        named = (
            ()
            if self.names is None
            else several(self.names, "names", "a text a node", ProblemError)
        )
        set_field(self, "names", validate.names(named or self._default_names(), n))
        if self.lonlat is not None:
            set_field(self, "lonlat", validate.lonlat(self.lonlat, n))
        if self.xy is not None:
            set_field(self, "xy", validate.table(self.xy, (n, 2), "xy"))
        if self.moved_m is not None:
            moved = validate.vector(self.moved_m, "moved_m", n, low=0.0, finite=False)
            set_field(self, "moved_m", moved)
        set_field(self, "off_street", self._checked_off_street())
        set_field(self, "details", checked_details(self.details, n))
        set_field(self, "times", validate.choice(self.times, Times, "times"))
        shipments = checked_shipments(self.shipments, self.stops, self.dimensions, self.names)
        set_field(self, "shipments", shipments)
        tied = [node for s in shipments for node in (s.pickup, s.delivery)]
        set_field(self, "groups", checked_groups(self.groups, self.stops, tied, self.names))
        set_field(self, "skills", self._checked_skills())
        more = checked_windows(self.more_windows_s, self.stops, self.window_s, self.names)
        set_field(self, "more_windows_s", more)
        soft = checked_soft(self.soft_window_s, self.early_per_s, self.late_per_s, n, self.depots)
        for name, value in soft.items():
            set_field(self, name, value)
        self._check_prizes()
        set_field(self, "ties", checked_ties(self))
        self._check_depots()
        self._check_vehicles()
        self._check_fit()
        self._check_makespan()

    def _check_kinds(self) -> None:
        """Refuse numbers and tuples where objects are asked for."""
        kinds = (Profile, Vehicle, Shipment, Group)
        names = ("profiles", "vehicles", "shipments", "groups")
        for name, kind in zip(names, kinds, strict=True):
            give = f"nco.{kind.__name__}(...)"
            entries = several(getattr(self, name), name, f"a list of {give}", ProblemError)
            for k, entry in enumerate(entries):
                of_kind(entry, kind, f"{name}[{k}]", give, ProblemError)
            object.__setattr__(self, name, entries)
        weights = "nco.Objective(...) with its weights"
        of_kind(self.objective, Objective, "objective", weights, ProblemError)
        for name in ("skills", "off_street"):
            by_node = f"a mapping from nodes, such as {{{self.depots}: ...}}"
            of_kind(getattr(self, name), Mapping, name, by_node, ProblemError)  # type: ignore[type-abstract]
        validate.text(self.name, "name")
        object.__setattr__(self, "depots", validate.whole(self.depots, "depots"))
        flag = validate.flag(self.linehauls_first, "linehauls_first")
        object.__setattr__(self, "linehauls_first", flag)

    def _set_amounts(self) -> None:
        """`demand` and `pickup` as tables of the same shape, where only one is given as well."""
        n, given = self.size, {}
        for name in ("demand", "pickup"):
            value = getattr(self, name)
            if value is not None:
                amounts = validate.array(value, name)
                amounts = amounts[:, None] if amounts.ndim == 1 else amounts
                given[name] = validate.table(amounts, (n, None), name, low=0.0)
        dimensions = max((a.shape[1] for a in given.values()), default=0)
        if not given and self.shipments:
            dimensions = len(self.shipments[0].amount)
        for name in ("demand", "pickup"):
            amounts = given.get(name, validate.table(np.zeros((n, dimensions)), (n, None), name))
            if amounts.shape[1] != dimensions:
                raise ProblemError(
                    f"{name} has {amounts.shape[1]} dimensions, but demand and pickup together "
                    f"have {dimensions}; give both in the same dimensions"
                )
            object.__setattr__(self, name, amounts)

    def _checked_skills(self) -> dict[int, frozenset[str]]:
        """A copy without empty entries; every key is a stop."""
        found = {}
        for node, given in self.skills.items():
            if node not in self.stops:
                raise ProblemError(
                    f"skills names node {node}; stops are {self.depots} to {self.size - 1}"
                )
            words = validate.words(given, f"skills[{node}]")
            if words:
                found[int(node)] = words
        return found

    def _default_names(self) -> tuple[str, ...]:
        d = self.depots
        depots = ("depot",) if d == 1 else tuple(f"depot {k}" for k in range(d))
        return depots + tuple(str(j) for j in range(1, self.size - d + 1))

    def _checked_off_street(self) -> dict[int, str]:
        """A copy; every key is a stop that no profile reaches."""
        for node in self.off_street:
            if node not in self.stops:
                raise ProblemError(
                    f"off_street names node {node}; stops are {self.depots} to {self.size - 1}"
                )
            for p, profile in enumerate(self.profiles):
                others = np.arange(self.size) != node
                if np.isfinite(profile.distance_m[others, node]).any():
                    raise ProblemError(
                        f"off_street says that stop {node} ({quoted(self.names[node])}) is "
                        "on no street, "
                        f"but profiles[{p}] leads there; give inf, or leave it out of off_street"
                    )
        return {int(node): str(why) for node, why in self.off_street.items()}

    def _check_depots(self) -> None:
        for d in range(self.depots):
            for name in ("demand", "pickup", "service_s", "setup_s", "release_s"):
                if getattr(self, name)[d].any():
                    raise ProblemError(
                        f"{name}[{d}] is not 0, but node {d} is a depot; only stops (nodes "
                        f"{self.depots} and up) have it"
                    )

    def _check_vehicles(self) -> None:
        for v, vehicle in self._distinct_vehicles:
            where, n = f"vehicles[{v}]", self.size
            if len(vehicle.capacity) != self.dimensions:
                raise ProblemError(
                    f"{where}: capacity has {counted(len(vehicle.capacity), 'number')} but "
                    "demand has "
                    f"{self.dimensions} dimensions; give a number for each, inf where there is no "
                    "limit"
                )
            used = (("start", vehicle.start), ("end", vehicle.end))
            for name, node in (*used, *(("reload_at", d) for d in vehicle.reload_at)):
                if not 0 <= node < self.depots:
                    raise ProblemError(
                        f"{where}: {name} is node {node}; depots are 0 to {self.depots - 1}"
                    )
            if not 0 <= vehicle.profile < len(self.profiles):
                raise ProblemError(
                    f"{where}: profile is {vehicle.profile}; profiles are 0 to "
                    f"{len(self.profiles) - 1}"
                )
            for name in ("allowed", "preference", "service_s"):
                array = getattr(vehicle, name)
                if array is not None and len(array) != n:
                    raise ProblemError(
                        f"{where}: {name} has {counted(len(array), 'entry')}; give one a node ({n})"
                    )
            for name in ("preference", "service_s"):
                array = getattr(vehicle, name)
                if array is not None and array[: self.depots].any():
                    raise ProblemError(
                        f"{where}: {name} is not 0 at a depot; it is of stops alone: give 0 for "
                        f"the first {counted(self.depots, 'node')}"
                    )

    def _check_prizes(self) -> None:
        """Refuse shipments of which one end is required and the other is not."""
        for k, shipment in enumerate(self.shipments):
            ends = (shipment.pickup, shipment.delivery)
            if len({bool(np.isinf(self.prize[j])) for j in ends}) > 1:
                raise ProblemError(
                    f"shipments[{k}]: the prizes of its stops {ends[0]} and {ends[1]} are "
                    f"{self.prize[ends[0]]:g} and {self.prize[ends[1]]:g}; both stops are served "
                    "or neither is: give two finite prizes, or two infinite ones"
                )

    def _check_makespan(self) -> None:
        """Refuse a makespan where times are chosen for each vehicle by itself."""
        if self.objective.makespan and self.timetabled:
            asked = ", ".join(sorted(self.features & TIMETABLED))
            raise ProblemError(
                f"objective: makespan is weighed beside {asked}, for which the times of each "
                "vehicle are chosen by themselves; weigh overtime, or longest_route by "
                "'duration', instead"
            )

    def _check_fit(self) -> None:
        """Refuse stops that are larger than every vehicle."""
        if not self.dimensions:
            return
        capacity = np.array([vehicle.capacity for _, vehicle in self._distinct_vehicles])
        amounts = {"demand": self.demand, "pickup": self.pickup}
        if self.shipments:
            shipped = np.zeros_like(self.demand)
            for shipment in self.shipments:
                shipped[shipment.pickup] = shipment.amount
            amounts["the amount of the shipment"] = shipped
        for name, amount in amounts.items():
            too_big = ~(amount[:, None, :] <= capacity[None]).all(axis=2).any(axis=1)
            if too_big.any():
                j = int(np.argmax(too_big))
                raise ProblemError(
                    f"{name}[{j}] of {quoted(self.names[j])} is {_numbers(amount[j])}, more than "
                    f"any vehicle carries ({_numbers(capacity.max(axis=0))} at most); split the "
                    "stop or use larger vehicles"
                )

    @classmethod
    def from_matrices(
        cls,
        distance_m: ArrayLike,
        duration_s: ArrayLike | None = None,
        *,
        vehicles: int | Sequence[Vehicle] | None = None,
        capacity: float | Sequence[float] | None = None,
        shift_s: tuple[float, float] = (0.0, np.inf),
        depots: int = 1,
        **stops: Any,
    ) -> Self:
        """A problem from plain matrices: the shortest way in.

        Args:
            distance_m: `[N, N]` metres.
            duration_s: `[N, N]` seconds; None takes one second a metre.
            vehicles: how many identical vehicles, or the vehicles themselves. None means one
                for each stop where there is a capacity or a window, else a single vehicle.
            capacity: of each identical vehicle, one number a dimension of demand; None is no limit.
            shift_s: of each identical vehicle.
            depots: how many of the first nodes are depots; identical vehicles use node 0.
            **stops: any other field of `Problem`.

        Raises:
            ProblemError: a field is malformed.
        """
        own = ("duration_s", "vehicles", "capacity", "shift_s", "depots")
        of_stops = [f.name for f in fields(cls) if f.name not in ("profiles", "vehicles", "depots")]
        refuse_unknown(stops, [*own, *of_stops], "Problem.from_matrices")
        distance = validate.array(distance_m, "distance_m")
        duration = distance if duration_s is None else validate.array(duration_s, "duration_s")
        profile = Profile(distance_m=distance, duration_s=duration)
        depots = validate.whole(depots, "depots")
        if vehicles is None or isinstance(vehicles, int | np.integer):
            n = len(profile.distance_m)
            fleet = identical_vehicles(vehicles, capacity, shift_s, depots, n, stops)
        else:
            given = "a whole number, or a list of vehicles"
            fleet = several(vehicles, "vehicles", given, ProblemError)
            if capacity is not None or tuple(shift_s) != (0.0, np.inf):
                raise ProblemError(
                    "capacity or shift_s is given beside a list of vehicles; they are of identical "
                    "vehicles: give them to each Vehicle, or how many vehicles there are"
                )
        return cls(profiles=(profile,), vehicles=fleet, depots=depots, **stops)

    @property
    def size(self) -> int:
        """Number of nodes, depots included."""
        return len(self.profiles[0].distance_m)

    @property
    def dimensions(self) -> int:
        """Number of dimensions of demand."""
        return int(self.demand.shape[1])

    @property
    def stops(self) -> range:
        """The nodes that are stops."""
        return range(self.depots, self.size)

    @property
    def required(self) -> Bools:
        """`[N]` whether a node is a stop that must be served; of a group no single stop is."""
        asked = np.isinf(self.prize) & (np.arange(self.size) >= self.depots)
        asked[[j for group in self.groups for j in group.stops]] = False
        return asked

    @cached_property
    def mates(self) -> dict[int, int]:
        """The other end of its shipment, of each stop that has one."""
        pairs = [(s.pickup, s.delivery) for s in self.shipments]
        return dict(pairs) | {delivery: pickup for pickup, delivery in pairs}

    @cached_property
    def timetabled(self) -> bool:
        """Whether it takes more than the earliest times to know the cheapest ones."""
        return not self.features.isdisjoint(TIMETABLED)

    @cached_property
    def begins_s(self) -> float:
        """The first moment at which any vehicle may leave."""
        return min(
            max(v.shift_s[0], 0.0 if v.open_start else float(self.window_s[v.start, 0]))
            for v, _ in self.fleet
        )

    @cached_property
    def windows(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """All windows of each node, in order."""
        first = [(float(a), float(b)) for a, b in self.window_s]
        return tuple(
            tuple(sorted((pair, *self.more_windows_s.get(j, ())))) for j, pair in enumerate(first)
        )

    @cached_property
    def hours_s(self) -> Floats:
        """`[N, 2]` from when on and until when service may begin, in whichever window."""
        if not self.more_windows_s:
            return self.window_s
        return np.array([(windows[0][0], windows[-1][1]) for windows in self.windows])

    @cached_property
    def last_event_s(self) -> float:
        """The last time at which anything changes: who leaves later gains nothing by it."""
        times = [self.hours_s, self.soft_window_s, self.release_s]
        times += [np.array(v.shift_s) for v, _ in self.fleet]
        times += [np.array([t for b in v.breaks for t in b.window_s]) for v, _ in self.fleet]
        times += [np.array([v.overtime_after_s]) for v, _ in self.fleet]
        times += [np.array([begin for begin, _ in p.traffic]) for p in self.profiles]
        lengths = sum(b.length_s for v, _ in self.fleet for b in v.breaks)
        return max(float(t[np.isfinite(t)].max(initial=0.0)) for t in times) + lengths

    @property
    def moved(self) -> dict[int, float]:
        """Metres of each node that was moved far onto a street, by node; see `nco.snapped`."""
        return moved_far(self.moved_m, self.off_street)

    def profile_of(self, vehicle: int) -> Profile:
        """The profile of vehicle number `vehicle`."""
        return self.profiles[self.vehicles[vehicle].profile]

    @cached_property
    def _distinct_vehicles(self) -> tuple[tuple[int, Vehicle], ...]:
        seen: dict[int, int] = {}
        for v, vehicle in enumerate(self.vehicles):
            seen.setdefault(id(vehicle), v)
        return tuple((v, self.vehicles[v]) for v in seen.values())

    @cached_property
    def fleet(self) -> tuple[tuple[Vehicle, tuple[int, ...]], ...]:
        """Groups of vehicles that are alike, each with the numbers of its vehicles."""
        members: dict[Hashable, list[int]] = {}
        for v, vehicle in enumerate(self.vehicles):
            members.setdefault(vehicle.likeness, []).append(v)
        return tuple((self.vehicles[own[0]], tuple(own)) for own in members.values())

    @cached_property
    def features(self) -> frozenset[Feature]:
        """What this problem asks of a solver."""
        return features_of(self)


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
