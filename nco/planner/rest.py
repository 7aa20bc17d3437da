"""What is left of a day, as an ordinary problem.

Vehicles under way begin at depots of their own, where they stand or are bound for. They must come
home whatever else they do, and they wait where they stand: each has to leave its depot through a
stop at the same place, the anchor, which nobody else has room for. So the cost of the rest is what
is really still to be paid. Goods that are on board are demand of their deliveries, which only the
vehicle that has them may serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.errors import quoted
from nco.planner.driving import on_board, service_of
from nco.planner.rooms import Rooms
from nco.planner.sent import Begin, sent_of
from nco.planner.ties import left_of_ties
from nco.problem import Group, Problem, Profile
from nco.problem.route import Route

if TYPE_CHECKING:
    from nco.arrays import Bools, Floats
    from nco.planner.day import Day, Stop
    from nco.planner.places import Places
    from nco.planner.ties import Tied
    from nco.problem.tied import Tie
    from nco.problem.vehicle import Vehicle


class Planned(NamedTuple):
    """A trip that is planned.

    Attributes:
        stops: their names.
        reload_at: depot where it ends if another one follows, see `Route`.
    """

    stops: list[str]
    reload_at: int | None = None


Trips = dict[int, list[Planned]]
"""The trips of each vehicle."""


@dataclass(frozen=True)
class Remaining:
    """What is left to be decided.

    Attributes:
        problem: None where nothing is left to be decided.
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
                Route(
                    k, tuple(self.nodes[j] for j in trip.stops if j in self.nodes), trip.reload_at
                )
                for trip in trips.get(number, ())
            ]
            own = [route for route in own if route.stops]
            if k in self.anchors:
                first, *later = own or [Route(k, ())]
                own = [replace(first, stops=(self.anchors[k], *first.stops)), *later]
            found += own
        return found

    def trips(self, routes: Iterable[Route]) -> Trips:
        """Routes of the problem as trips."""
        found: Trips = {}
        for route in routes:
            own = [self.names[j] for j in route.stops if j in self.names]
            if own:
                trip = Planned(own, route.reload_at)
                found.setdefault(self.vehicles[route.vehicle], []).append(trip)
        return found


def rest_of(day: Day) -> Remaining:
    """What is left."""
    sent = sent_of(day)
    stops, ties = left_of_ties(day)
    vehicles, begins = sent.vehicles, sent.begins
    anchored = [k for k, (number, _) in enumerate(vehicles) if number in begins]
    begun = [begins[vehicles[k][0]] for k in anchored]
    rooms = Rooms(day, vehicles, begins)
    fitting, refused = _fitting(day, stops, [number for number, _ in vehicles], rooms)
    pausing = day.problem.timetabled and bool(begins)  # even on the way home
    if not (vehicles and (fitting or pausing)):
        return Remaining(None, (), {}, {}, (), refused, sent.overdue)
    own = day.problem
    depots, size = own.depots + len(anchored), len(fitting)
    stands = [begin.place for begin in begun]
    place = [*range(own.depots), *stands, *(stop.place for stop in fitting), *stands]
    nodes = {stop.name: depots + n for n, stop in enumerate(fitting)}
    anchors = {k: depots + size + n for n, k in enumerate(anchored)}

    def spread(values: Sequence[Any], at_depots: Any, at_anchors: Any = None) -> Floats:
        last = [at_depots] * len(anchored) if at_anchors is None else at_anchors
        return np.array([*[at_depots] * depots, *values, *last], float)

    def by_node(known: Mapping[str, Any]) -> dict[int, Any]:
        return {nodes[name]: value for name, value in known.items() if value}

    asked = {stop.name: stop for stop in fitting}
    known = {name: stop.node for name, stop in asked.items() if stop.node is not None}
    problem = Problem(
        profiles=_profiles(day, place, begun, [vehicles[k][1].speed for k in anchored]),
        vehicles=tuple(_placed(day, fitting, vehicles, begins, rooms, len(place))),
        depots=depots,
        demand=rooms.demand(fitting, depots),
        pickup=rooms.pickup(fitting, depots),
        linehauls_first=own.linehauls_first,
        window_s=_windows(own, fitting, begun),
        service_s=spread([stop.service_s for stop in fitting], 0.0, [b.seconds for b in begun]),
        setup_s=spread([stop.setup_s for stop in fitting], 0.0),
        release_s=spread([stop.release_s for stop in fitting], 0.0),
        prize=spread([day.prize(stop.name) for stop in fitting], np.inf),
        priority=spread([stop.priority for stop in fitting], 0.0),
        more_windows_s=by_node({name: stop.more_windows_s for name, stop in asked.items()}),
        soft_window_s=spread([stop.soft_window_s for stop in fitting], (0.0, np.inf)),
        early_per_s=spread([stop.early_per_s for stop in fitting], 0.0),
        late_per_s=spread([stop.late_per_s for stop in fitting], 0.0),
        skills=by_node({name: stop.skills for name, stop in asked.items()}),
        shipments=rooms.shipments(nodes),
        groups=_groups(day, nodes),
        ties=_ties(ties, nodes),
        objective=own.objective,
        lonlat=_lonlat(day.places, place),
        moved_m=_moved(day.places, place),
        off_street=by_node(
            {name: own.off_street.get(j) for name, j in known.items() if asked[name].place == j}
        ),
        details={
            **{d: own.details[d] for d in range(own.depots) if d in own.details},
            **by_node({name: own.details.get(j) for name, j in known.items()}),
        },
        names=tuple(_names(day, nodes, [vehicles[k][0] for k in anchored])),
        name=f"{own.name}, from {own.times.at(day.now_s)}",
        times=own.times,
    )
    numbers = tuple(number for number, _ in vehicles)
    return Remaining(problem, numbers, nodes, anchors, place, refused, sent.overdue)


def _fitting(
    day: Day, stops: Sequence[Stop], sent: Sequence[int], rooms: Rooms
) -> tuple[list[Stop], dict[str, str]]:
    """Stops that some vehicle has room for, and why the others are left."""
    if not sent:
        return [], {stop.name: "no vehicle is left" for stop in stops}
    refused: dict[str, str] = {}
    table = np.unique(rooms.table, axis=0)
    shipped = {goods.pickup: rooms.shipped(goods.amount) for goods in day.shipments}
    boarded = on_board(day)
    for stop in stops:
        vehicle = boarded[stop.name][0] if stop.name in boarded else None
        if vehicle is not None and vehicle not in sent:
            refused[stop.name] = (
                f"its goods are on board of vehicle {vehicle}, which serves nothing more"
            )
            continue
        for amount in (rooms.takes(stop), rooms.gives(stop), shipped.get(stop.name)):
            if amount is None or (amount <= table[:, : len(amount)]).all(axis=1).any():
                continue
            need = ", ".join(f"{x:g}" for x in amount[: day.problem.dimensions])
            refused[stop.name] = f"its demand of {need} is more than any vehicle still has room for"
    for name in list(refused):
        for other in day.tied(name) - refused.keys():
            refused[other] = f"it is served with {quoted(name)} only: {refused[name]}"
    waiting = {stop.name for stop in stops}
    return (
        [stop for stop in stops if stop.name not in refused],
        {name: why for name, why in refused.items() if name in waiting},
    )


def _groups(day: Day, nodes: Mapping[str, int]) -> tuple[Group, ...]:
    """Alternatives of which none is begun."""
    found = []
    for names, prize in day.groups:
        stops = tuple(nodes[name] for name in names if name in nodes)
        if stops:
            found.append(Group(stops=stops, prize=prize))
    return tuple(found)


def _ties(ties: Tied, nodes: Mapping[str, int]) -> tuple[Tie, ...]:
    """Ties of those stops that are in the problem."""
    known = [(tie, tuple(nodes[name] for name in names if name in nodes)) for tie, names in ties]
    return tuple(replace(tie, stops=stops) for tie, stops in known if len(stops) > 1)


def _placed(
    day: Day,
    stops: Sequence[Stop],
    vehicles: Sequence[tuple[int, Vehicle]],
    begins: Mapping[int, Begin],
    rooms: Rooms,
    size: int,
) -> Iterator[Vehicle]:
    """The vehicles with their depots, room for their anchors, and what they know of stops."""
    own = day.problem
    first = own.depots + len(begins)
    base = np.array([-1 if stop.node is None else stop.node for stop in stops], int)
    limited = {n: stop.vehicles for n, stop in enumerate(stops) if stop.vehicles is not None}
    made: dict[tuple[object, ...], Vehicle] = {}
    rank = 0
    for number, vehicle in vehicles:
        barred = {n for n, only in limited.items() if number not in only}
        start, begin = vehicle.start, begins.get(number)
        if begin is not None:
            start, rank = own.depots + rank, rank + 1
            barred |= {n for n, stop in enumerate(stops) if _too_late(stop, begin)}
        elif day.duties[number].trips:
            start = day.place(day.duties[number].last.name)
        room = rooms.of(number, vehicle)
        key = (id(vehicle), tuple(sorted(barred)), start, room)
        if key not in made:
            made[key] = replace(
                vehicle,
                start=start,
                capacity=room,
                allowed=_allowed(vehicle.allowed, base, sorted(barred), first, size),
                preference=_preference(vehicle.preference, base, first, size),
                service_s=_service(day, vehicle, stops, list(begins.values()), size),
            )
        yield made[key]


def _too_late(stop: Stop, begin: Begin) -> bool:
    """Whether a trip has left without the goods of a stop, or they are in the way."""
    return stop.release_s > begin.departed_s or (begin.collecting and bool(stop.demand.any()))


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


def _service(
    day: Day, vehicle: Vehicle, stops: Sequence[Stop], begins: Sequence[Begin], size: int
) -> Floats | None:
    if vehicle.service_s is None:
        return None
    seconds = np.zeros(size)
    last = size - len(begins)
    seconds[last - len(stops) : last] = [service_of(day, vehicle, stop.name) for stop in stops]
    seconds[last:] = [begin.seconds for begin in begins]
    return seconds


def _profiles(
    day: Day, place: Sequence[int], begins: Sequence[Begin], speeds: Sequence[float]
) -> tuple[Profile, ...]:
    """The matrices; where the longest route counts, leaving includes what is behind a vehicle.

    From where a vehicle stands there are ways to its anchor only: that comes first, even where the
    way back through it would be short.
    """
    cells = np.ix_(place, place)
    elsewhere = np.arange(len(place))
    made = []
    for p, profile in enumerate(day.problem.profiles):
        metres, seconds = day.places.distance_m[p][cells], day.places.duration_s[p][cells]
        for n, (begin, speed) in enumerate(zip(begins, speeds, strict=True)):
            row, anchor = day.problem.depots + n, len(place) - len(begins) + n
            for table, more in ((metres, begin.metres), (seconds, speed * begin.driven_s)):
                table[row, (elsewhere != row) & (elsewhere != anchor)] = np.inf
                table[row, anchor] += more
        made.append(replace(profile, distance_m=metres, duration_s=seconds))
    return tuple(made)


def _windows(own: Problem, stops: Sequence[Stop], begins: Sequence[Begin]) -> Floats:
    """`[N, 2]`; where nobody ever waits, anchors stay open, and time need not be kept."""
    asked = np.array([stop.window_s for stop in stops]).reshape(-1, 2)
    known = np.concatenate([own.window_s[: own.depots], asked])
    waits = bool((known[:, 0] > 0).any() or np.isfinite(known[:, 1]).any())
    timed = waits or own.timetabled or own.objective.longest_by == "duration"
    always = np.tile([0.0, np.inf], (len(begins), 1))
    closing = always.copy()
    for n, begin in enumerate(begins):
        if timed and not begin.waits:
            closing[n, 1] = begin.arrives_s
    return np.concatenate([known[: own.depots], always, asked, closing])


def _lonlat(places: Places, place: Sequence[int]) -> Floats | None:
    known = [places.lonlat[j] for j in place]
    return None if any(point is None for point in known) else np.array(known)


def _moved(places: Places, place: Sequence[int]) -> Floats | None:
    known = [places.moved_m[j] for j in place]
    return None if any(far_m is None for far_m in known) else np.array(known)


def _names(day: Day, nodes: Mapping[str, int], anchored: Sequence[int]) -> Iterator[str]:
    """Depots, where vehicles stand, stops, anchors; none like another."""
    own = day.problem
    stands = [f"vehicle {v} at {day.duties[v].last.name}" for v in anchored]
    leaves = [f"vehicle {v} leaves {day.duties[v].last.name}" for v in anchored]
    taken = {*own.names[: own.depots], *nodes}
    free = [name if name not in taken else f"{name} (vehicle)" for name in (*stands, *leaves)]
    yield from own.names[: own.depots]
    yield from free[: len(stands)]
    yield from nodes
    yield from free[len(stands) :]
