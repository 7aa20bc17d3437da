"""A problem and its routes as plain arrays, for the compiled search.

Places are the nodes of the problem, followed by two sentinels of each vehicle: where its route
begins (`N + 2 v`) and where it ends (`N + 2 v + 1`). Routes are linked lists from one to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nco.kernels.by_reference import by_reference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nco.arrays import Bools, Floats

    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]
    Singles = NDArray[np.float32]


@by_reference
class Instance(NamedTuple):
    """What does not change while routes are searched.

    `P` tables of arcs, `M` vehicles, `N` nodes, `K` dimensions of demand. Arrays that a problem
    has no use for have one entry.

    Attributes:
        place: `[N + 2 M]` node of each place; of several trips those where the first one begins
            and the last one ends.
        cost: `[P, N, N]` of arcs; a large number where there is none.
        cost_into: `[P, N, N]` its transposes.
        drive: `[P, N, N]` seconds, if time matters.
        metres: `[P, N, N]`, if the longest route or leg by distance matters.
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
        chained: whether vehicles drive several trips, see `lns.chaining`: `M` are then places for
            these, those of a vehicle in a row; what follows is for these alone.
        chain: address of the compiled code.
        head: `[M]` first place of its vehicle.
        slots: `[M]` how many places its vehicle has.
        most_trips: `[M]` how many trips its vehicle may drive.
        reload: `[M, D]` depots where it loads between two of them, -1 behind the last.
        using: `[M]` cost of using the vehicle, in place of `fixed`.
        longest: weight of the longest route.
        by_time: whether "longest" is in seconds.
        peak: `[2]` weights of makespan and longest leg, see `lns.peaks`.
        peaks: address of the compiled code, 0 where neither counts.
        begins: first moment at which any vehicle leaves, from which on a makespan counts.
        legs_by_time: whether legs are measured in seconds.
        timetabled: whether times of a route are chosen, see `lns.timetable`; what follows is for
            these alone, see `hours.Hours`.
        timetable: address of the compiled code.
        watched: whether the shortest duties must be known as well.
        dear: cost of a second beside which all others are small.
        window: `[W, 2]` all windows of all nodes in a row.
        window_first: `[N + 1]` where those of each begin.
        soft: `[N, 2]` soft windows.
        early: `[N]` cost of a second before them.
        late: `[N]` cost of a second after them.
        breaks: `[M]` how many each vehicle takes.
        pause: `[M, B, 3]` of these, earliest and latest begin, and length.
        rest: `[M, 2]` seconds of driving after which a vehicle rests, and for how long.
        overtime: `[M, 2]` from when on a second costs more, and how much.
        leaves: `[M, 3]` earliest departure, the latest one worth looking at, the latest one.
        returns: `[M, 2]` earliest and latest return.
        rate: `[M]` cost of a second on duty.
        traffic: `[T, 2]` periods: begin, and how fast one then drives.
        traffic_first: `[P + 1]` where those of each table of arcs begin.
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
    chained: bool
    chain: int
    head: Ints
    slots: Ints
    most_trips: Ints
    reload: Ints
    using: Floats
    longest: float
    by_time: bool
    peak: Floats
    peaks: int
    begins: float
    legs_by_time: bool
    timetabled: bool
    timetable: int
    watched: bool
    dear: float
    window: Floats
    window_first: Ints
    soft: Floats
    early: Floats
    late: Floats
    breaks: Ints
    pause: Floats
    rest: Floats
    overtime: Floats
    leaves: Floats
    returns: Floats
    rate: Floats
    traffic: Floats
    traffic_first: Ints


@by_reference
class SearchState(NamedTuple):
    """Routes, and what is known of them.

    Attributes:
        place: `[N + 2 M]` node of each place.
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
        asked: `[4]` what is to be known of times, see `timetable.ask`.
        peak: `[M, 3]` when each vehicle is back, its longest leg and the squares of all its legs.
        answer: `[3]` what is known then.
        curve: `[R, P, 2]` points of costs by time that are being worked out, see `lns.timetable`.
        points: `[R]` how many there are in each row.
        taken: `[R]` breaks taken, of each.
        since_rest: `[R]` seconds of driving since the last rest.
        times_cost: `[M]` what the times of each route cost.
        driven: `[M, 3]` metres and seconds of driving, where they are limited, and of several
            trips the stops.
        released: `[M]` when a route may leave.
        trips: `[M]` how many trips a vehicle drives, by its first place.
        paid: `[M]` cost of using it, if it is used.
        opening: `[M]` of a place without a trip what it costs to drive one, its arcs aside.
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
        moves: `[1]` how often a stop was taken out of a route.
        moved: `[N]` the number of the last time for each stop, 0 before.
        bold: `[1]` chance that an optional stop is inserted at a loss.
        until_blink: `[1]` places until one is overlooked.
        bits: `[1]` state of the random numbers.
        total: `[1]` cost of the routes and of what is left out.
    """

    place: Ints
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
    asked: Longs
    peak: Floats
    answer: Floats
    curve: Floats
    points: Longs
    taken: Longs
    since_rest: Floats
    times_cost: Floats
    driven: Floats
    released: Floats
    trips: Longs
    paid: Floats
    opening: Floats
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
    moves: Longs
    moved: Longs
    bold: Floats
    until_blink: Longs
    bits: NDArray[np.uint64]
    total: Floats
