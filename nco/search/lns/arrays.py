"""The arrays that the compiled search works on, made from a problem; see `lns.records`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nco.baselines.quick import vehicles_seen
from nco.fleet.kinds import Kind, duties_of, unserved_cost
from nco.fleet.scaling import largest, timed
from nco.kernels.draws import seeded
from nco.problem.normal import most_of_hours
from nco.problem.objective import PEAKED
from nco.problem.priorities import weights as weights_of
from nco.problem.route import Route
from nco.problem.tolerance import slack
from nco.search.lns import chaining, peaks, timetable
from nco.search.lns.chains import Chains, most_trips, places_for, spread
from nco.search.lns.changes import nearest
from nco.search.lns.curves import POINTS
from nco.search.lns.hours import Hours, most_paused
from nco.search.lns.records import Instance, SearchState
from nco.search.lns.ruled import Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nco.arrays import Bools, Floats
    from nco.problem import Problem

    Ints = NDArray[np.int32]
    Singles = NDArray[np.float32]

NEAR = 24  # places that are tried before and behind a stop
RELATED = 100  # stops that removal spreads over
MOST = 60  # stops that are inserted in one go, where more are left out
VEHICLES = 4  # that the regret of a stop is reckoned on, at most
BOLD = 0.3  # chance that an optional stop is inserted at a loss: several may pay together
WAITING = 0.2  # weight of waiting against driving, in what is near


class Fleet(NamedTuple):
    """The vehicles that a search may use.

    Attributes:
        kinds: those that can serve anything, those that share arcs in a row.
        numbers: in `Problem.vehicles`, of each vehicle of the search; one that may drive several
            trips is there as often as it has places for them.
        kind: index into `kinds` of each.
        most_trips: that each may drive.
    """

    kinds: tuple[Kind, ...]
    numbers: tuple[int, ...]
    kind: tuple[int, ...]
    most_trips: tuple[int, ...]

    @property
    def vehicles(self) -> list[list[int]]:
        """The places of each vehicle, in order."""
        found: dict[int, list[int]] = {}
        for v, number in enumerate(self.numbers):
            found.setdefault(number, []).append(v)
        return list(found.values())

    @classmethod
    def of(cls, problem: Problem, kinds: Sequence[Kind], known: Sequence[Route]) -> Fleet:
        """As many as known routes tell to be enough; all if those leave stops out."""
        usable = tuple(kind for kind in kinds if kind.stops.any())
        usable = tuple(usable[k] for k in np.argsort(tables_of(usable), kind="stable"))
        seen = vehicles_seen(problem, usable, known)
        most = [most_trips(problem, kind, known) for kind in usable]
        pairs = [
            (number, k)
            for k, numbers in enumerate(seen)
            for number in numbers
            for _ in range(places_for(most[k]))
        ]
        numbers, own = tuple(v for v, _ in pairs), tuple(k for _, k in pairs)
        return cls(usable, numbers, own, tuple(most[k] for k in own))


def tables_of(kinds: Sequence[Kind]) -> list[int]:
    """The table of arcs of each kind, numbered in order of first appearance."""
    known: dict[tuple[int, ...], int] = {}
    return [known.setdefault(tuple(map(id, (k.table, k.duration_s))), len(known)) for k in kinds]


def instance_of(problem: Problem, fleet: Fleet, heatmap: Singles | None = None) -> Instance:
    """A problem for the vehicles of a fleet.

    Args:
        problem: what is to be solved.
        fleet: at least one vehicle.
        heatmap: `[N, N]` share of a policy's routes that drive an arc.
    """
    kinds, size, depots = fleet.kinds, problem.size, problem.depots
    table = tables_of(kinds)
    distinct = [kinds[table.index(p)] for p in range(max(table) + 1)]
    weights = problem.objective
    by_time = weights.longest_route > 0 and weights.longest_by == "duration"
    ruled = Rules.of(problem, fleet)
    hours = Hours.of(problem, fleet, distinct)
    legs_by_time = weights.longest_leg > 0 and weights.longest_by == "duration"
    peaked = not problem.features.isdisjoint(PEAKED)
    times = timed(problem, kinds) or by_time or ruled.any or problem.timetabled or peaked
    chains = Chains.of([kinds[k] for k in fleet.kind], fleet.numbers, fleet.most_trips)
    times = times or chains.chained
    # Without windows nobody waits: seconds on duty are then those of the arcs, and service.
    waits = bool(
        problem.timetabled
        or (problem.window_s[depots:, 0] > 0).any()
        or any(kind.opens_s > 0 for kind in kinds)
        or np.isfinite(problem.window_s[:, 1]).any()
        or (chains.chained and problem.release_s.any())
    )
    charged = waits and any(kind.cost_per_s for kind in kinds)
    arcs = np.stack([kind.cost if charged else kind.driving_cost for kind in distinct])
    for k, kind in enumerate(distinct):
        if kind.cost_per_s and not charged:
            arcs[k] += kind.cost_per_s * problem.service_s
    missing = np.isinf(arcs)
    whole = _whole_cost(problem, kinds, max(_most(arcs, missing), -float(arcs.min())), by_time)
    prize = np.minimum(unserved_cost(problem), 1e3 * whole)
    prize[:depots] = 0.0
    prize[ruled.group >= 0] = 0.0
    required = problem.required
    group_prize = np.minimum(ruled.group_prize, 1e3 * whole)
    needed = np.isinf(ruled.group_prize)
    reward = whole + float(prize[~required].sum()) + float(group_prize[~needed].sum())
    group_prize[needed] = reward
    prize[required] = reward * weights_of(problem)[required]
    dearest = max(float(prize.max(initial=0.0)), float(group_prize.max(initial=0.0)))
    barred = (size + 2) * (reward + dearest)
    arcs[missing] = barred
    drive = np.zeros((1, 1, 1))
    if times:
        # An arc that does not exist is barred by its cost; its time must only not swamp the others.
        slowest = largest(*(kind.duration_s for kind in distinct))
        drive = np.stack([np.minimum(kind.duration_s, slowest) for kind in distinct])
    metres = np.zeros((1, 1, 1))
    if weights.longest_by == "distance" and (weights.longest_route > 0 or weights.longest_leg > 0):
        metres = np.stack([_metres(problem, kind) for kind in distinct])
        metres[missing] = barred
    vehicles = [kinds[k].vehicle for k in fleet.kind]
    ends = np.array([node for v in vehicles for node in (v.start, v.end)], np.int32)
    opens = np.concatenate([problem.hours_s[:, 0], problem.window_s[ends, 0]])
    closes = np.concatenate([problem.hours_s[:, 1], problem.window_s[ends, 1]])
    for v, k in enumerate(fleet.kind):
        opens[size + 2 * v] = kinds[k].opens_s
        closes[size + 2 * v + 1] = kinds[k].closes_s
        shift_end = kinds[k].vehicle.shift_s[1]
        closes[size + 2 * v] = min(closes[size + 2 * v], shift_end)
    if (hours.traffic[:, 1] > 1).any():  # the durations are no bounds: `lns.timetable` alone knows
        opens[:], closes[:] = 0.0, np.inf
    # Half of what evaluation forgives: sums here are taken in another order.
    closes = closes + 0.5 * np.where(np.isinf(closes), 0.0, slack(closes))
    capacity = np.array([v.capacity for v in vehicles], float).reshape(len(vehicles), -1)
    capacity = capacity + np.where(np.isinf(capacity), 0.0, 0.5 * slack(capacity))
    cost = arcs.astype(np.float32)
    near = _priced(problem, distinct, cost)
    before, behind, related = _neighbours(problem, kinds, distinct, near, missing.all(0))
    servable = np.any([kind.stops for kind in kinds], axis=0)
    servable &= np.where(ruled.mate >= 0, servable[ruled.mate], True)
    instance = Instance(
        place=np.concatenate([np.arange(size, dtype=np.int32), ends]),
        cost=cost,
        cost_into=np.ascontiguousarray(cost.transpose(0, 2, 1)),
        drive=drive,
        metres=metres.astype(np.float32),
        demand=np.ascontiguousarray(problem.demand),
        service=np.ascontiguousarray(problem.service_s),
        opens=opens,
        closes=closes,
        prize=prize,
        optional=bool((prize[depots:] < reward).any() and not required[depots:].all()),
        reward=float(reward),
        barred=float(barred),
        kind=np.array([table[k] for k in fleet.kind], np.int32),
        first=np.searchsorted(fleet.kind, range(len(kinds) + 1)).astype(np.int32),
        capacity=capacity,
        fixed=np.array([0.0 if chains.chained else kinds[k].fixed for k in fleet.kind]),
        per_s=np.array(
            [kinds[k].cost_per_s if charged and not problem.timetabled else 0.0 for k in fleet.kind]
        ),
        before=before,
        behind=behind,
        related=related,
        heatmap=np.zeros((1, 1), np.float32) if heatmap is None else heatmap,
        guide=0.0,
        stops=np.flatnonzero(servable).astype(np.int32),
        times=times,
        ruled=ruled.any,
        loads=ruled.loads,
        given=ruled.given,
        mate=ruled.mate,
        follows=ruled.follows,
        group=ruled.group,
        members=ruled.members,
        group_first=ruled.group_first,
        group_prize=group_prize,
        ties=ruled.ties,
        tied=ruled.tied,
        limited=ruled.limited,
        length=ruled.length(distinct),
        most=ruled.most,
        release=ruled.release,
        longest=float(weights.longest_route),
        by_time=by_time,
        peak=np.array([weights.makespan, weights.longest_leg]),
        peaks=0,
        begins=float(problem.begins_s),
        legs_by_time=legs_by_time,
        timetabled=problem.timetabled,
        timetable=0,
        watched=by_time or bool(ruled.limited and np.isfinite(ruled.most[:, 0]).any()),
        **vars(hours),
        **vars(chains),
        chain=0,
    )
    if problem.timetabled:
        code = timetable.address(instance, empty_state(instance, 0))
        instance = instance._replace(timetable=code)
    if peaked:
        code = peaks.address(instance, empty_state(instance, 0))
        instance = instance._replace(peaks=code)
    if chains.chained:
        code = chaining.address(instance, empty_state(instance, 0))
        instance = instance._replace(chain=code)
    return instance


def _whole_cost(problem: Problem, kinds: Sequence[Kind], dearest: float, by_time: bool) -> float:
    """More than any routes cost, the longest one included, so that no stop is left out to save it.

    Args:
        problem: to solve.
        kinds: of its vehicles.
        dearest: arc.
        by_time: whether the longest route is in seconds.
    """
    stops = len(problem.stops)
    used = min(len(problem.vehicles), stops)
    arcs = stops + (stops if any(kind.vehicle.max_trips > 1 for kind in kinds) else used)
    shifts = np.array([(kind.opens_s, kind.closes_s) for kind in kinds])
    duty_s = largest(problem.window_s, shifts) + float(problem.service_s.sum())
    duty_s += arcs * largest(*_distinct(kind.duration_s for kind in kinds))
    whole = arcs * dearest + used * max(kind.fixed for kind in kinds) + 1.0
    if problem.timetabled:
        duty_s += sum(most_paused(kind.vehicle, duty_s) for kind in kinds)
        vehicles = [kind.vehicle for kind in kinds]
        whole += most_of_hours(problem, vehicles, problem.last_event_s + duty_s)
    whole += used * max(kind.cost_per_s for kind in kinds) * duty_s
    weight = problem.objective.longest_route
    if weight:
        metres = _distinct(_metres(problem, kind) for kind in kinds)
        # Insertion prices a route by its length and, at most, half of it again.
        whole += 1.5 * weight * (duty_s if by_time else arcs * largest(*metres))
    by_distance = problem.objective.longest_by == "distance"
    legs = [_metres(problem, kind) if by_distance else kind.duration_s for kind in kinds]
    whole += 3.0 * problem.objective.longest_leg * largest(*_distinct(legs))
    whole += 1.5 * problem.objective.makespan * duty_s
    return whole


def _distinct(arrays: Iterable[Floats]) -> list[Floats]:
    """Arrays without those that are the same object as another: hundreds of kinds share them."""
    return list({id(array): array for array in arrays}.values())


def _most(values: Floats, missing: Bools) -> float:
    """The largest entry that is not missing, 0 at least."""
    return float(np.max(values, initial=0.0, where=~missing))


def _metres(problem: Problem, kind: Kind) -> Floats:
    return problem.profiles[kind.vehicle.profile].distance_m


def _priced(problem: Problem, distinct: Sequence[Kind], cost: Singles) -> Singles:
    """`[P, N, N]` arcs by all that they may cost, so that near is near where they are free."""
    weights = problem.objective
    longest = weights.longest_route + weights.longest_leg
    if not longest and not weights.makespan:
        return cost
    by_time = weights.makespan + (longest if weights.longest_by == "duration" else 0.0)
    by_distance = longest if weights.longest_by == "distance" else 0.0
    priced = cost.copy()
    for row, kind in zip(priced, distinct, strict=True):
        there = np.isfinite(kind.duration_s)
        row[there] += by_time * kind.duration_s[there] + by_distance * _metres(problem, kind)[there]
    return priced


def _neighbours(
    problem: Problem,
    kinds: Sequence[Kind],
    distinct: Sequence[Kind],
    arcs: Singles,
    missing: Bools,
) -> tuple[Ints, Ints, Ints]:
    """The nearest nodes before, behind and either way of each node."""
    far = arcs.min(axis=0)
    far[missing] = np.inf
    if timed(problem, kinds):
        drive = np.min([kind.duration_s for kind in distinct], axis=0) + problem.service_s[:, None]
        opens, closes = problem.hours_s.T
        waited = np.maximum(opens[None] - (closes[:, None] + drive), 0.0)
        driven = (drive > 0) & np.isfinite(far) & np.isfinite(drive)
        rate = float(np.mean(far[driven] / drive[driven])) if driven.any() else 0.0
        far = (far + WAITING * rate * waited).astype(np.float32)
        far[opens[:, None] + drive > (closes + slack(closes))[None]] = np.inf
    far[:, : problem.depots] = far[: problem.depots] = np.inf
    np.fill_diagonal(far, np.inf)
    size = len(far)
    before, behind = np.full((size, NEAR), -1, np.int32), np.full((size, NEAR), -1, np.int32)
    related = np.full((size, RELATED), -1, np.int32)
    into = np.ascontiguousarray(far.T)
    nearest(into, before, np.zeros(NEAR, np.float32))
    nearest(far, behind, np.zeros(NEAR, np.float32))
    nearest(np.minimum(far, into), related, np.zeros(RELATED, np.float32))
    return before, behind, related


def empty_state(instance: Instance, seed: int) -> SearchState:
    """A state that serves nothing; fill it with `changes.rebuild`.

    Args:
        instance: what it is for.
        seed: of all random choices of a search on it.
    """
    size, places, vehicles = len(instance.service), len(instance.place), len(instance.kind)
    dimensions, rows = instance.capacity.shape[1], timetable.ROWS if instance.timetabled else 1
    following = np.full(places, -1, np.int32)
    following[size::2] = np.arange(size + 1, places, 2)
    return SearchState(
        place=instance.place.copy(),
        next=following,
        prev=np.full(places, -1, np.int32),
        leaving=np.zeros(places),
        vehicle=np.full(places, -1, np.int32),
        load=np.zeros((vehicles, dimensions)),
        served=np.zeros(vehicles, np.int32),
        measure=np.zeros(vehicles),
        duty=np.zeros(vehicles),
        late=np.zeros(vehicles, np.bool_),
        prefix=np.zeros((places if instance.times else 1, 3)),
        suffix=np.zeros((places if instance.times else 1, 3)),
        ahead=np.zeros((places if instance.loads else 1, 3 * dimensions)),
        rest=np.zeros((places if instance.loads else 1, 3 * dimensions)),
        carry=np.zeros((2, 3 * dimensions)),
        asked=np.zeros(4, np.int64),
        peak=np.zeros((vehicles, 3)),
        answer=np.zeros(3),
        curve=np.zeros((rows, POINTS, 2)),
        points=np.zeros(rows, np.int64),
        taken=np.zeros(rows, np.int64),
        since_rest=np.zeros(rows),
        times_cost=np.zeros(vehicles),
        driven=np.zeros((vehicles, 3)),
        released=np.zeros(vehicles),
        trips=np.zeros(vehicles, np.int64),
        paid=np.zeros(vehicles),
        opening=np.zeros(vehicles),
        group_served=np.zeros(len(instance.group_prize), np.int64),
        second=np.zeros(1, np.int64),
        bank=np.zeros(size, np.int32),
        bank_at=np.full(size, -1, np.int32),
        bank_size=np.zeros(1, np.int64),
        log=np.zeros((8 * size + 64, 2), np.int64),
        log_size=np.zeros(1, np.int64),
        trial=np.zeros(places + 2 * NEAR, np.int32),
        chosen=np.zeros(MOST, np.int64),
        found=np.zeros((MOST, 2 + 2 * VEHICLES)),
        dirty=np.zeros(vehicles, np.bool_),
        stale=np.zeros(vehicles, np.int64),
        stale_size=np.zeros(1, np.int64),
        moves=np.zeros(1, np.int64),
        moved=np.zeros(size, np.int64),
        bold=np.full(1, BOLD),
        until_blink=np.zeros(1, np.int64),
        bits=seeded(seed),
        total=np.zeros(1),
    )


def successors_of(routes: Sequence[Route], fleet: Fleet, instance: Instance) -> Ints:
    """`[N + 2 M]` the place that follows each, for routes on vehicles of the fleet.

    Routes keep their vehicle where the fleet has it; others take one of the same kind.
    """
    size = len(instance.service)
    following = np.full(len(instance.place), -1, np.int32)
    following[size::2] = np.arange(size + 1, len(following), 2)
    free: dict[int, list[list[int]]] = {}
    for places in fleet.vehicles:
        free.setdefault(fleet.kind[places[0]], []).append(places)
    for k, trips in duties_of(fleet.kinds, routes):
        if not free.get(k):
            continue
        places = free[k].pop(0)
        kept = [trip for trip in trips if trip][: len(places)]
        for trip, n in zip(kept, spread(len(kept), len(places)), strict=True):
            place = size + 2 * places[n]
            end = place + 1
            for stop in trip:
                following[place] = stop
                place = stop
            following[place] = end
    return following
