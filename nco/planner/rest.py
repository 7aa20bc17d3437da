"""What is left of a day, as an ordinary problem.

Vehicles under way begin at depots of their own, where they stand or are bound for. They must come
home whatever else they do, and they wait where they stand: each has to leave its depot through a
stop at the same place, the anchor, which nobody else has room for. So the cost of the rest is what
is really still to be paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.problem import Problem, Profile
from nco.problem.route import Route
from nco.problem.tolerance import exceeds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nco.arrays import Bools, Floats
    from nco.planner.day import Stop, VehicleDay
    from nco.planner.places import Places
    from nco.planner.ties import Tied
    from nco.problem.tied import Tie
    from nco.problem.vehicle import Vehicle

Trips = dict[int, list[list[str]]]
"""Names of the stops of each vehicle's trips."""


@dataclass(frozen=True)
class Remaining:
    """What is left to be decided.

    Attributes:
        problem: None where no stop or no vehicle is left.
        vehicles: number, on the day, of each of the problem's vehicles.
        nodes: of the stops, by name.
        anchors: nodes of the anchors, by vehicle of the problem.
        place: of each node.
        refused: why stops are not in the problem although nobody serves them, by name.
        overdue: vehicles that are late whatever they do, and how many seconds.
    """

    problem: Problem | None
    vehicles: tuple[int, ...]
    nodes: Mapping[str, int]
    anchors: Mapping[int, int]
    place: Sequence[int]
    refused: Mapping[str, str]
    overdue: Mapping[int, float]

    @cached_property
    def names(self) -> dict[int, str]:
        """Of the stops, by node."""
        return {node: name for name, node in self.nodes.items()}

    def routes(self, trips: Trips) -> list[Route]:
        """Trips as routes of the problem; anchored vehicles that have none drive home."""
        found = []
        for k, number in enumerate(self.vehicles):
            own = [
                [self.nodes[j] for j in trip if j in self.nodes] for trip in trips.get(number, ())
            ]
            if k in self.anchors:
                own = [[self.anchors[k], *(own[0] if own else ())]]
            found += [Route(k, tuple(trip)) for trip in own if trip]
        return found

    def trips(self, routes: Iterable[Route]) -> Trips:
        """Routes of the problem as trips."""
        found: Trips = {}
        for route in routes:
            own = [self.names[j] for j in route.stops if j in self.names]
            if own:
                found.setdefault(self.vehicles[route.vehicle], []).append(own)
        return found


def rest_of(
    day: Problem,
    places: Places,
    stops: Sequence[Stop],
    duties: Sequence[VehicleDay],
    loads: Mapping[int, Floats],
    where: Mapping[int, int],
    now_s: float,
    ties: Tied,
) -> Remaining:
    """What is left.

    Args:
        day: the problem that the day began with.
        places: complete.
        stops: those that nobody has begun.
        duties: of all vehicles.
        loads: `[K]` served on the present trip, of vehicles under way.
        where: place of each vehicle under way.
        now_s: nobody leaves before.
        ties: of stops that nobody has begun.
    """
    vehicles, begins, overdue = _vehicles(day, places, duties, loads, where, now_s)
    fitting, refused = _fitting(stops, [vehicle for _, vehicle in vehicles])
    anchored = [k for k, (number, _) in enumerate(vehicles) if number in begins]
    if not fitting or not vehicles:
        return Remaining(None, (), {}, {}, (), refused, overdue)
    depots, size = day.depots + len(anchored), len(fitting)
    stands = [where[vehicles[k][0]] for k in anchored]
    place = [*range(day.depots), *stands, *(stop.place for stop in fitting), *stands]
    nodes = {stop.name: depots + n for n, stop in enumerate(fitting)}
    anchors = {k: depots + size + n for n, k in enumerate(anchored)}
    fleet = _placed(day, fitting, vehicles, anchored, len(place))

    def spread(values: Sequence[Any], at_depots: Any) -> Floats:
        none = [at_depots] * (depots + len(anchored))
        return np.array([*none[:depots], *values, *none[depots:]], float)

    problem = Problem(
        profiles=_profiles(day, places, place, [begins[vehicles[k][0]] for k in anchored]),
        vehicles=tuple(fleet),
        depots=depots,
        demand=_demand(day, fitting, len(anchored)),
        window_s=_windows(day, fitting, [begins[vehicles[k][0]].ready_s for k in anchored]),
        service_s=np.array(
            [*[0.0] * depots, *(s.service_s for s in fitting), *[0.0] * len(anchored)]
        ),
        prize=np.array(
            [*[np.inf] * depots, *(s.prize for s in fitting), *[np.inf] * len(anchored)]
        ),
        priority=spread([stop.priority for stop in fitting], 0.0),
        more_windows_s={nodes[s.name]: s.more_windows_s for s in fitting if s.more_windows_s},
        soft_window_s=spread([stop.soft_window_s for stop in fitting], (0.0, np.inf)),
        early_per_s=spread([stop.early_per_s for stop in fitting], 0.0),
        late_per_s=spread([stop.late_per_s for stop in fitting], 0.0),
        skills={
            nodes[stop.name]: day.skills[stop.node]
            for stop in fitting
            if stop.node is not None and stop.node in day.skills
        },
        ties=_ties(ties, nodes),
        objective=day.objective,
        lonlat=_lonlat(places, place),
        moved_m=_moved(places, place),
        off_street={
            depots + n: day.off_street[stop.node]
            for n, stop in enumerate(fitting)
            if stop.node in day.off_street and stop.place == stop.node
        },
        details={
            **{d: day.details[d] for d in range(day.depots) if d in day.details},
            **{
                depots + n: day.details[stop.node]
                for n, stop in enumerate(fitting)
                if stop.node is not None and stop.node in day.details
            },
        },
        names=tuple(_names(day, nodes, [(vehicles[k][0], duties) for k in anchored])),
        name=f"{day.name}, from {day.times.at(now_s)}",
        times=day.times,
    )
    numbers = tuple(number for number, _ in vehicles)
    return Remaining(problem, numbers, nodes, anchors, place, refused, overdue)


@dataclass(frozen=True)
class _Begin:
    """How a vehicle under way begins.

    Attributes:
        ready_s: when it can leave.
        metres: driven before that the longest route has to count, else 0.
        seconds: on duty before, likewise.
    """

    ready_s: float
    metres: float
    seconds: float


def _vehicles(
    day: Problem,
    places: Places,
    duties: Sequence[VehicleDay],
    loads: Mapping[int, Floats],
    where: Mapping[int, int],
    now_s: float,
) -> tuple[list[tuple[int, Vehicle]], dict[int, _Begin], dict[int, float]]:
    """Those that can still be sent, how those under way begin, and which are too late."""
    found: list[tuple[int, Vehicle]] = []
    begins: dict[int, _Begin] = {}
    overdue: dict[int, float] = {}
    idle: dict[int, Vehicle] = {}
    weights = day.objective
    for number, duty in enumerate(duties):
        vehicle = duty.vehicle
        begin, end = vehicle.shift_s
        if duty.over:
            continue
        if duty.under_way:
            ready = max(duty.last.departure_s, now_s)
            closing = min(end, float(day.window_s[vehicle.end, 1]))
            home = ready + float(places.duration_s[vehicle.profile][where[number], vehicle.end])
            if exceeds(home - ready, closing - ready):
                overdue[number] = home - closing
                continue
            far = weights.longest_route > 0 and weights.longest_by == "distance"
            long = weights.longest_route > 0 and weights.longest_by == "duration"
            begins[number] = _Begin(
                ready,
                duty.metres if far else 0.0,
                ready - duty.departure_s if long else 0.0,
            )
            free = np.maximum(np.array(vehicle.capacity) - loads[number], 0.0)
            shift = (min(ready - begins[number].seconds, end), end)
            sent = replace(vehicle, capacity=tuple(free), shift_s=shift, fixed_cost=0.0)
        elif duty.trips:
            ready, left = max(duty.last.departure_s, now_s), vehicle.max_trips - len(duty.trips)
            if exceeds(ready - now_s, end - now_s):
                continue
            sent = replace(vehicle, shift_s=(min(ready, end), end), max_trips=left, fixed_cost=0.0)
        elif now_s <= begin:
            sent = vehicle
        elif now_s <= end:
            if id(vehicle) not in idle:
                idle[id(vehicle)] = replace(vehicle, shift_s=(now_s, end))
            sent = idle[id(vehicle)]
        else:
            continue
        found.append((number, sent))
    return found, begins, overdue


def _fitting(
    stops: Sequence[Stop], vehicles: Sequence[Vehicle]
) -> tuple[list[Stop], dict[str, str]]:
    """Stops that some vehicle has room for, and why the others are left."""
    if not vehicles:
        return [], {stop.name: "no vehicle is left" for stop in stops}
    distinct = {vehicle.capacity for vehicle in vehicles}
    capacity = np.array(sorted(distinct)).reshape(len(distinct), -1)
    fitting, refused = [], {}
    for stop in stops:
        if (stop.demand <= capacity).all(axis=1).any():
            fitting.append(stop)
        else:
            need = ", ".join(f"{amount:g}" for amount in stop.demand)
            refused[stop.name] = f"its demand of {need} is more than any vehicle still has room for"
    return fitting, refused


def _ties(ties: Tied, nodes: Mapping[str, int]) -> tuple[Tie, ...]:
    """Ties of those stops that are in the problem."""
    known = [(tie, tuple(nodes[name] for name in names if name in nodes)) for tie, names in ties]
    return tuple(replace(tie, stops=stops) for tie, stops in known if len(stops) > 1)


def _placed(
    day: Problem,
    stops: Sequence[Stop],
    vehicles: Sequence[tuple[int, Vehicle]],
    anchored: Sequence[int],
    size: int,
) -> Iterator[Vehicle]:
    """The vehicles with their depots, room for their anchors, and what they know of stops."""
    first = day.depots + len(anchored)
    rank = {k: n for n, k in enumerate(anchored)}
    base = np.array([-1 if stop.node is None else stop.node for stop in stops])
    limited = {n: stop.vehicles for n, stop in enumerate(stops) if stop.vehicles is not None}
    made: dict[tuple[object, ...], Vehicle] = {}
    for k, (number, vehicle) in enumerate(vehicles):
        barred = tuple(n for n, only in limited.items() if number not in only)
        pins = _pins(rank[k], len(anchored)) if k in rank else (0.0, 0.0)
        key = (id(vehicle), barred, *pins)
        if key not in made:
            start = day.depots + rank[k] if k in rank else vehicle.start
            made[key] = replace(
                vehicle,
                start=start,
                capacity=(*vehicle.capacity, *pins) if anchored else vehicle.capacity,
                allowed=_allowed(vehicle.allowed, base, barred, first, size),
                preference=_preference(vehicle.preference, base, first, size),
            )
        yield made[key]


def _pins(rank: int, count: int) -> tuple[float, float]:
    """Demand of an anchor, and room for it: of two such pairs neither fits into the other."""
    return float(rank + 1), float(count - rank)


def _allowed(
    known: Bools | None, base: np.ndarray, barred: Sequence[int], first: int, size: int
) -> Bools | None:
    if known is None and not barred:
        return None
    mask = np.ones(size, np.bool_)
    if known is not None:
        mask[first : first + len(base)] = np.where(base >= 0, known[base], True)
    mask[[first + n for n in barred]] = False
    return mask


def _preference(known: Floats | None, base: np.ndarray, first: int, size: int) -> Floats | None:
    if known is None:
        return None
    gains = np.zeros(size)
    gains[first : first + len(base)] = np.where(base >= 0, known[base], 0.0)
    return gains


def _profiles(
    day: Problem, places: Places, place: Sequence[int], begins: Sequence[_Begin]
) -> tuple[Profile, ...]:
    """The matrices; where the longest route counts, leaving includes what is behind a vehicle.

    From where a vehicle stands there are ways to its anchor only: that comes first, even where the
    way back through it would be short.
    """
    cells = np.ix_(place, place)
    elsewhere = np.arange(len(place))
    made = []
    for p, profile in enumerate(day.profiles):
        metres, seconds = places.distance_m[p][cells], places.duration_s[p][cells]
        for n, begin in enumerate(begins):
            row, anchor = day.depots + n, len(place) - len(begins) + n
            for table, more in ((metres, begin.metres), (seconds, begin.seconds)):
                table[row, (elsewhere != row) & (elsewhere != anchor)] = np.inf
                table[row, anchor] += more
        made.append(Profile(distance_m=metres, duration_s=seconds, name=profile.name))
    return tuple(made)


def _demand(day: Problem, stops: Sequence[Stop], anchors: int) -> Floats:
    """`[N, K]`, or `[N, K + 2]` where there are anchors."""
    own = np.zeros((day.depots + anchors + len(stops) + anchors, day.dimensions + 2))
    first = day.depots + anchors
    own[first : first + len(stops), :-2] = [stop.demand for stop in stops]
    for n in range(anchors):
        own[first + len(stops) + n, -2:] = _pins(n, anchors)
    return own if anchors else own[:, :-2]


def _windows(day: Problem, stops: Sequence[Stop], ready_s: Sequence[float]) -> Floats:
    """`[N, 2]`; where nobody ever waits, anchors stay open, and time need not be kept."""
    asked = np.array([stop.window_s for stop in stops])
    known = np.concatenate([day.window_s[: day.depots], asked])
    waits = bool((known[:, 0] > 0).any() or np.isfinite(known[:, 1]).any())
    timed = waits or day.timetabled or day.objective.longest_by == "duration"
    always = np.tile([0.0, np.inf], (len(ready_s), 1))
    closing = always.copy()
    if timed:
        closing[:, 1] = ready_s
    return np.concatenate([known[: day.depots], always, asked, closing])


def _lonlat(places: Places, place: Sequence[int]) -> Floats | None:
    known = [places.lonlat[j] for j in place]
    return None if any(point is None for point in known) else np.array(known)


def _moved(places: Places, place: Sequence[int]) -> Floats | None:
    known = [places.moved_m[j] for j in place]
    return None if any(far_m is None for far_m in known) else np.array(known)


def _names(
    day: Problem, nodes: Mapping[str, int], anchored: Sequence[tuple[int, Sequence[VehicleDay]]]
) -> Iterator[str]:
    """Depots, where vehicles stand, stops, anchors; none like another."""
    stands = [f"vehicle {v} at {duties[v].last.name}" for v, duties in anchored]
    leaves = [f"vehicle {v} leaves {duties[v].last.name}" for v, duties in anchored]
    taken = {*day.names[: day.depots], *nodes}
    free = [name if name not in taken else f"{name} (vehicle)" for name in (*stands, *leaves)]
    yield from day.names[: day.depots]
    yield from free[: len(stands)]
    yield from nodes
    yield from free[len(stands) :]
