"""A vehicle's nodes in order with all that decides when it is where, and such times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nco.problem.curves import Pair
from nco.problem.work_rules import Break, Rest, Traffic, arrival


@dataclass(frozen=True)
class Node:
    """A node on the way.

    Attributes:
        windows: when it may begin, in order and apart.
        service_s: seconds of service.
        soft: between which times it costs nothing to begin.
        early: cost of a second before that.
        late: cost of a second after it.
    """

    windows: tuple[Pair, ...]
    service_s: float = 0.0
    soft: Pair = (0.0, math.inf)
    early: float = 0.0
    late: float = 0.0

    def penalty(self, start: float) -> float:
        """What it costs to begin at a time."""
        cost = 0.0
        if self.early:
            cost += self.early * max(0.0, self.soft[0] - start)
        if self.late:
            cost += self.late * max(0.0, start - self.soft[1])
        return cost

    @property
    def bends(self) -> tuple[float, ...]:
        """Where the slope of the penalty changes."""
        early = (self.soft[0],) if self.early else ()
        return early + ((self.soft[1],) if self.late else ())


@dataclass(frozen=True)
class Way:
    """A vehicle's nodes in order, and what its driver may do; all times on one clock.

    Attributes:
        nodes: at least the first and the last; the first is where and when it may depart.
        drives: seconds from each to the next in usual traffic.
        beside: seconds of loading, unloading and set-up on each of these ways, at its end.
        breaks: in order.
        rest: the rule, if there is one.
        traffic: how fast one drives when.
        per_s: cost of a second between departure and return.
        overtime: from when on a second costs more, and how much.
    """

    nodes: tuple[Node, ...]
    drives: tuple[float, ...]
    beside: tuple[float, ...]
    breaks: tuple[Break, ...] = ()
    rest: Rest | None = None
    traffic: Traffic = ()
    per_s: float = 0.0
    overtime: Pair = (math.inf, 0.0)

    @property
    def rates(self) -> list[float]:
        """Costs of a second that is early, late or overtime, as far as there are any."""
        given = [rate for node in self.nodes for rate in (node.early, node.late)]
        return [rate for rate in (*given, self.overtime[1]) if rate]

    @property
    def pauses_at_stops(self) -> bool:
        """Whether breaks are taken at stops alone, so that what one drives between is known."""
        return bool(self.rest or self.traffic)


@dataclass(frozen=True)
class Times:
    """When a vehicle is where.

    Attributes:
        arrivals: at each node; breaks and rests there come after it.
        starts: of service.
        pauses: breaks and rests on duty: begin, seconds, and behind which node they lie.
        cost: of duty, of what is early or late, and of overtime, with the weights of the way.
    """

    arrivals: tuple[float, ...]
    starts: tuple[float, ...]
    pauses: tuple[tuple[float, float, int], ...]
    cost: float


def cost_of(way: Way, starts: Sequence[float]) -> float:
    """What times cost, with the weights of a way."""
    cost = way.per_s * (starts[-1] - starts[0])
    cost += sum(node.penalty(start) for node, start in zip(way.nodes, starts, strict=True))
    return cost + way.overtime[1] * max(0.0, starts[-1] - way.overtime[0])


def soonest(way: Way) -> tuple[Times, tuple[int, ...]]:
    """Times of who does all as soon as possible, where no times keep all windows and breaks.

    Returns:
        The times, and the breaks that are missed. Service may begin after its last window.
    """
    first = way.nodes[0].windows[0][0]
    starts, arrivals, missed = [first], [first], list[int]()
    pauses: list[tuple[float, float, int]] = []
    owed = [k for k, one in enumerate(way.breaks) if one.window_s[0] + one.length_s > first]
    driven = 0.0
    for k, drive in enumerate(way.drives):
        now = starts[-1] + way.nodes[k].service_s
        while owed and way.breaks[owed[0]].window_s[1] < now:
            missed.append(owed.pop(0))
        there, drives = way.nodes[k + 1], drive
        while owed and way.breaks[owed[0]].window_s[0] <= _opened(
            there, arrival(way.traffic, now, drives)
        ):
            (opens, closes), length = way.breaks[owed[0]].window_s, way.breaks[owed[0]].length_s
            if max(now, opens) > closes:
                break
            pauses.append((max(now, opens), length, k))
            on_the_road = 0.0 if way.pauses_at_stops else drives
            now = max(now, opens - on_the_road) + length
            driven = 0.0 if way.rest and length >= way.rest.length_s else driven
            owed.pop(0)
        if way.rest is not None and math.isfinite(drives):
            longest = way.rest.after_driving_s
            for _ in range(max(0, math.ceil((driven + drives) / longest - 1e-9) - 1)):
                now = arrival(way.traffic, now, longest - driven)
                drives -= longest - driven
                pauses.append((now, way.rest.length_s, k))
                now, driven = now + way.rest.length_s, 0.0
            driven += drives
        now = arrival(way.traffic, now, drives) + way.beside[k]
        arrivals.append(now)
        starts.append(_opened(there, now))
    missed += [k for k in owed if way.breaks[k].window_s[1] < starts[-1]]
    times = Times(tuple(arrivals), tuple(starts), tuple(pauses), cost_of(way, starts))
    return times, tuple(missed)


def _opened(node: Node, time: float) -> float:
    """When service may begin at a time or later; at once if that is after all windows."""
    return next((max(time, opens) for opens, closes in node.windows if time <= closes), time)
