"""A problem and its routes as plain arrays, for the compiled search.

Places are the nodes of the problem, followed by two sentinels of each vehicle: where its route
begins (`N + 2 v`) and where it ends (`N + 2 v + 1`). Routes are linked lists from one to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nco.baselines.quick import vehicles_seen
from nco.fleet.kinds import Kind, duties_of, unserved_cost
from nco.fleet.scaling import largest, timed
from nco.kernels.by_reference import by_reference
from nco.kernels.draws import seeded
from nco.problem.route import Route
from nco.problem.tolerance import slack
from nco.search.lns.changes import nearest
from nco.search.lns.ruled import Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nco.arrays import Bools, Floats
    from nco.problem import Problem

    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]
    Singles = NDArray[np.float32]

NEAR = 24  # places that are tried before and behind a stop
RELATED = 100  # stops that removal spreads over
MOST = 60  # stops that are inserted in one go, where more are left out
VEHICLES = 4  # that the regret of a stop is reckoned on, at most
BOLD = 0.3  # chance that an optional stop is inserted at a loss: several may pay together
WAITING = 0.2  # weight of waiting against driving, in what is near


@by_reference
class Instance(NamedTuple):
    """What does not change while routes are searched.

    `P` tables of arcs, `M` vehicles, `N` nodes, `K` dimensions of demand. Arrays that a problem
    has no use for have one entry.

    Attributes:
        place: `[N + 2 M]` node of each place.
        cost: `[P, N, N]` of arcs; a large number where there is none.
        cost_into: `[P, N, N]` its transposes.
        drive: `[P, N, N]` seconds, if time matters.
        metres: `[P, N, N]`, if the longest route by distance matters.
        demand: `[N, K]`.
        service: `[N]` seconds.
        opens: `[N + 2 M]` earliest start at each place.
        closes: `[N + 2 M]` latest start.
        prize: `[N]` cost of leaving a stop out.
        optional: whether stops or groups may be left out.
        reward: of serving a required stop, more than all routes and prizes together.
        barred: more than all prizes together: of arcs that do not exist, of being late.
        kind: `[M]` the table of each vehicle, in order. Vehicles that begin elsewhere, at another
            time or with other room share one.
        first: the first vehicle of each group of vehicles that are alike, and behind the last `M`.
        capacity: `[M, K]`.
        fixed: `[M]` cost of using a vehicle.
        per_s: `[M]` cost of a second on duty, where `cost` does not hold it.
        before: `[N, NEAR]` the nearest nodes to come from, -1 behind the last.
        behind: `[N, NEAR]` the nearest nodes to go to, -1 behind the last.
        related: `[N, RELATED]` the nearest stops, either way, -1 behind the last.
        heatmap: `[N, N]` share of a policy's routes that drive an arc, if a policy guides.
        guide: cost that an arc may be longer for being on all of them.
        stops: nodes that may be served.
        times: whether time matters.
        ruled: whether there are rules on loads, limits, release times or ties, see `lns.rules`.
        loads: whether loads go up and down along a route.
        given: `[N, K]` what is picked up at a node, from its shipment or for the depot; what a
            shipment leaves there counts against it.
        mate: `[N]` the other end of the shipment, or -1.
        follows: `[N]` whether a node is where a shipment goes: it is put in with its mate.
        group: `[N]` number of the group of alternatives, or -1.
        members: stops of all groups in a row.
        group_first: `[G + 1]` where those of each group begin.
        group_prize: `[G]` cost of serving none of it.
        ties: `[T, W]` a code and the stops of each tie, -1 behind the last; see `lns.ties`.
        tied: `[N, X]` the ties of each stop, -1 behind the last; without entries if there are none.
        limited: whether there are limits on seconds, metres, driving or stops of vehicles.
        length: `[P, N, N]` metres, where they are limited.
        most: `[M, 4]` seconds on duty, metres, seconds of driving and stops at most.
        release: `[N]` when a route that serves a node may leave, if any has to wait.
        longest: weight of the longest route.
        by_time: whether "longest" is in seconds.
    """

    place: Ints
    cost: Singles
    cost_into: Singles
    drive: Floats
    metres: Singles
    demand: Floats
    service: Floats
    opens: Floats
    closes: Floats
    prize: Floats
    optional: bool
    reward: float
    barred: float
    kind: Ints
    first: Ints
    capacity: Floats
    fixed: Floats
    per_s: Floats
    before: Ints
    behind: Ints
    related: Ints
    heatmap: Singles
    guide: float
    stops: Ints
    times: bool
    ruled: bool
    loads: bool
    given: Floats
    mate: Ints
    follows: Bools
    group: Ints
    members: Ints
    group_first: Ints
    group_prize: Floats
    ties: Ints
    tied: Ints
    limited: bool
    length: Floats
    most: Floats
    release: Floats
    longest: float
    by_time: bool


@by_reference
class SearchState(NamedTuple):
    """Routes, and what is known of them.

    Attributes:
        next: `[N + 2 M]` place that follows.
        prev: `[N + 2 M]` place before.
        leaving: `[N + 2 M]` cost of the arc to the place that follows; of an empty route 0.
        vehicle: `[N + 2 M]` that serves a place, -1 where a stop is left out.
        load: `[M, K]`.
        served: `[M]` stops.
        measure: `[M]` metres or seconds, of which the longest counts.
        duty: `[M]` seconds on duty.
        late: `[M]` whether a route misses a window. Taking a stop out may do that: the direct
            street need not be the fastest.
        prefix: `[N + 2 M, 3]` the segment of the route up to a place and of that place: seconds,
            and the times between which it then begins.
        suffix: `[N + 2 M, 3]` the segment of the place and what follows it.
        ahead: `[N + 2 M, 3 K]` loads of the route up to a place and of that place, see
            `rules.carried`.
        rest: `[N + 2 M, 3 K]` loads of the place and what follows it.
        carry: `[2, 3 K]` loads that are being worked out.
        driven: `[M, 2]` metres and seconds of driving, where they are limited.
        released: `[M]` when a route may leave.
        group_served: `[G]` stops of each group on routes.
        second: `[1]` place behind which the delivery of a shipment goes that was tried.
        bank: `[N]` stops left out, the first `bank_size[0]` of them (the request bank of Pisinger
            and Ropke 2007).
        bank_at: `[N]` where each is in `bank`, or -1.
        bank_size: `[1]`.
        log: `[L, 2]` stops inserted (with -1) or removed (with the place before), in order.
        log_size: `[1]` entries of it.
        trial: `[N + 2 M + 2 NEAR]` places that are tried.
        chosen: `[MOST]` stops that are to be inserted.
        found: `[MOST, 2 + 2 VEHICLES]` what is known of them.
        dirty: `[M]` whether times of a route are out of date.
        stale: `[M]` the routes of which they are, the first `stale_size[0]` of them.
        stale_size: `[1]`.
        bold: `[1]` chance that an optional stop is inserted at a loss.
        until_blink: `[1]` places until one is overlooked.
        bits: `[1]` state of the random numbers.
        total: `[1]` cost of the routes and of what is left out.
    """

    next: Ints
    prev: Ints
    leaving: Floats
    vehicle: Ints
    load: Floats
    served: Ints
    measure: Floats
    duty: Floats
    late: Bools
    prefix: Floats
    suffix: Floats
    ahead: Floats
    rest: Floats
    carry: Floats
    driven: Floats
    released: Floats
    group_served: Longs
    second: Longs
    bank: Ints
    bank_at: Ints
    bank_size: Longs
    log: Longs
    log_size: Longs
    trial: Ints
    chosen: Longs
    found: Floats
    dirty: Bools
    stale: Longs
    stale_size: Longs
    bold: Floats
    until_blink: Longs
    bits: NDArray[np.uint64]
    total: Floats


class Fleet(NamedTuple):
    """The vehicles that a search may use.

    Attributes:
        kinds: those that can serve anything, those that share arcs in a row.
        numbers: in `Problem.vehicles`, of each vehicle of the search.
        kind: index into `kinds` of each.
    """

    kinds: tuple[Kind, ...]
    numbers: tuple[int, ...]
    kind: tuple[int, ...]

    @classmethod
    def of(cls, problem: Problem, kinds: Sequence[Kind], known: Sequence[Route]) -> Fleet:
        """As many as known routes tell to be enough; all if those leave stops out."""
        usable = tuple(kind for kind in kinds if kind.stops.any())
        usable = tuple(usable[k] for k in np.argsort(tables_of(usable), kind="stable"))
        seen = vehicles_seen(problem, usable, known)
        pairs = [(number, k) for k, numbers in enumerate(seen) for number in numbers]
        return cls(usable, tuple(v for v, _ in pairs), tuple(k for _, k in pairs))


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
    times = timed(problem, kinds) or by_time or ruled.any
    # Without windows nobody waits: seconds on duty are then those of the arcs, and service.
    waits = bool(
        (problem.window_s[depots:, 0] > 0).any()
        or any(kind.opens_s > 0 for kind in kinds)
        or np.isfinite(problem.window_s[:, 1]).any()
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
    prize[required] = group_prize[needed] = reward
    dearest = max(float(prize.max(initial=0.0)), float(group_prize.max(initial=0.0)))
    barred = (size + 2) * (reward + dearest)
    arcs[missing] = barred
    drive = np.zeros((1, 1, 1))
    if times:
        # An arc that does not exist is barred by its cost; its time must only not swamp the others.
        slowest = largest(*(kind.duration_s for kind in distinct))
        drive = np.stack([np.minimum(kind.duration_s, slowest) for kind in distinct])
    metres = np.zeros((1, 1, 1))
    if weights.longest_route > 0 and not by_time:
        metres = np.stack([_metres(problem, kind) for kind in distinct])
        metres[missing] = barred
    vehicles = [kinds[k].vehicle for k in fleet.kind]
    ends = np.array([node for v in vehicles for node in (v.start, v.end)], np.int32)
    opens = np.concatenate([problem.window_s[:, 0], problem.window_s[ends, 0]])
    closes = np.concatenate([problem.window_s[:, 1], problem.window_s[ends, 1]])
    for v, k in enumerate(fleet.kind):
        opens[size + 2 * v] = kinds[k].opens_s
        closes[size + 2 * v + 1] = kinds[k].closes_s
        shift_end = kinds[k].vehicle.shift_s[1]
        closes[size + 2 * v] = min(closes[size + 2 * v], shift_end)
    # Half of what evaluation forgives: sums here are taken in another order.
    closes = closes + 0.5 * np.where(np.isinf(closes), 0.0, slack(closes))
    capacity = np.array([v.capacity for v in vehicles], float).reshape(len(vehicles), -1)
    capacity = capacity + np.where(np.isinf(capacity), 0.0, 0.5 * slack(capacity))
    cost = arcs.astype(np.float32)
    before, behind, related = _neighbours(problem, kinds, distinct, cost, missing.all(0))
    servable = np.any([kind.stops for kind in kinds], axis=0)
    servable &= np.where(ruled.mate >= 0, servable[ruled.mate], True)
    return Instance(
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
        fixed=np.array([kinds[k].fixed for k in fleet.kind]),
        per_s=np.array([kinds[k].cost_per_s if charged else 0.0 for k in fleet.kind]),
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
    )


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
    arcs = stops + used
    shifts = np.array([(kind.opens_s, kind.closes_s) for kind in kinds])
    duty_s = largest(problem.window_s, shifts) + float(problem.service_s.sum())
    duty_s += arcs * largest(*_distinct(kind.duration_s for kind in kinds))
    whole = arcs * dearest + used * max(kind.fixed for kind in kinds) + 1.0
    whole += used * max(kind.cost_per_s for kind in kinds) * duty_s
    weight = problem.objective.longest_route
    if weight:
        metres = _distinct(_metres(problem, kind) for kind in kinds)
        # Insertion prices a route by its length and, at most, half of it again.
        whole += 1.5 * weight * (duty_s if by_time else arcs * largest(*metres))
    return whole


def _distinct(arrays: Iterable[Floats]) -> list[Floats]:
    """Arrays without those that are the same object as another: hundreds of kinds share them."""
    return list({id(array): array for array in arrays}.values())


def _most(values: Floats, missing: Bools) -> float:
    """The largest entry that is not missing, 0 at least."""
    return float(np.max(values, initial=0.0, where=~missing))


def _metres(problem: Problem, kind: Kind) -> Floats:
    return problem.profiles[kind.vehicle.profile].distance_m


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
        opens, closes = problem.window_s.T
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
    dimensions = instance.capacity.shape[1]
    following = np.full(places, -1, np.int32)
    following[size::2] = np.arange(size + 1, places, 2)
    return SearchState(
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
        driven=np.zeros((vehicles, 2)),
        released=np.zeros(vehicles),
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
    free = {k: [v for v, other in enumerate(fleet.kind) if other == k] for k in set(fleet.kind)}
    for k, trips in duties_of(fleet.kinds, routes):
        for trip in trips:
            if not free.get(k):
                break
            place = size + 2 * free[k].pop(0)
            end = place + 1
            for stop in trip:
                following[place] = stop
                place = stop
            following[place] = end
    return following
