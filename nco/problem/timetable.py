"""The cheapest times for a vehicle's nodes in a given order, with its breaks and rests.

Forward over the nodes with labels: how many breaks were taken, how long one has driven since the
last rest, and what it costs at least to have begun each node by a time (`nco.problem.curves`).
A label that another one beats in all three is dropped, and those that differ in the cost alone
become one, whose cost is the lowest of theirs. `nco.search.lns` has the same in compiled
form; the checker looks for the cheapest times in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from nco.problem.curves import (
    ROUNDED,
    Curve,
    attained,
    begun,
    cost_at,
    later,
    lowest,
    mapped,
    never_above,
    snapped,
    until,
)
from nco.problem.way import Times, Way, cost_of
from nco.problem.work_rules import Break, Traffic, arrival, departure

MOST_LABELS = 200  # that are kept at a node, those that can be there soonest
LITTLE = 1e-6  # weight of duty beside penalties where it costs nothing


@dataclass(frozen=True)
class _Label:
    """What is known of one way to do it so far; see the head of this file.

    Attributes:
        curve: what it costs to have done so by a time.
        taken: breaks taken.
        driven: seconds since the last rest.
        parent: what came before.
        back: the time of the parent at which one must be done, for a time of this label.
        what: "start", "drive", "break" or "road" (a break on the way), and "rests".
        amount: seconds of that.
        choices: what it may be instead, whichever costs least by a time.
    """

    curve: Curve
    taken: int
    driven: float
    parent: _Label | None
    back: Callable[[float], float]
    what: str
    amount: float = 0.0
    choices: tuple[_Label, ...] = ()

    def at(self, time: float) -> tuple[_Label, float]:
        """What it is that costs least by a time, and since when it costs that."""
        time = snapped(self.curve, time)
        if not self.choices:
            return self, attained(self.curve, time)
        costs = [cost_at(one.curve, time) for one in self.choices]
        most = min(costs) + ROUNDED * (1.0 + abs(min(costs)))
        cheap = [o for o, c in zip(self.choices, costs, strict=True) if c <= most]
        return min(((o, attained(o.curve, time)) for o in cheap), key=lambda pair: pair[1])


def timetable(way: Way) -> Times | None:
    """The cheapest times; of equally cheap ones those of the shortest duty.

    Returns:
        None where no times keep all windows and breaks.
    """
    per_s = way.per_s
    if not per_s:
        per_s = LITTLE * min(way.rates, default=1 / LITTLE)
    labels = list(_departures(way, per_s))
    for k, drive in enumerate(way.drives):
        labels = _onward(way, k, drive, labels)
        if not labels:
            return None
    best: tuple[float, float, _Label] | None = None
    overtime_from, rate = way.overtime
    for label in labels:
        latest = _latest_end(way.breaks, label.taken)
        times = [time for time, _ in until(label.curve, latest)]
        if times and times[0] < overtime_from <= latest and rate:
            times.append(overtime_from)
        for time in times:
            cost = cost_at(label.curve, time) + per_s * time
            cost += rate * max(0.0, time - overtime_from)
            if best is None or (cost, time) < best[:2]:
                best = cost, time, label
    return None if best is None else _traced(way, best[2], best[1])


def _departures(way: Way, per_s: float) -> Iterator[_Label]:
    """Departures after each number of breaks that are taken before, off duty."""
    rested = -math.inf
    for taken in range(len(way.breaks) + 1):
        if taken:
            one = way.breaks[taken - 1]
            rested = max(rested, one.window_s[0]) + one.length_s
        found: Curve = []
        for opens, closes in way.nodes[0].windows:
            if max(opens, rested) <= closes:
                first = max(opens, rested)
                found += [(first, -per_s * first)]
                found += [(closes, -per_s * closes)] if closes > first else []
        if found:
            yield _Label(found, taken, 0.0, None, lambda t: t, "start")


def _latest_end(breaks: Sequence[Break], taken: int) -> float:
    """When one must be off duty who still owes the breaks behind the first ones."""
    latest = math.inf
    for one in breaks[: taken - 1 if taken else None : -1]:
        latest = min(one.window_s[1], latest - one.length_s)
    return latest


def _onward(way: Way, k: int, drive: float, labels: Sequence[_Label]) -> list[_Label]:
    """Labels at the node behind one."""
    here, there, beside = way.nodes[k], way.nodes[k + 1], way.beside[k]
    at_stops = way.pauses_at_stops
    ready = [
        _Label(later(one.curve, here.service_s), one.taken, one.driven, one,
               lambda t: t - here.service_s, "serve")
        for one in labels
    ]  # fmt: skip
    ready = _kept([*ready, *_breaks(way, ready)]) if at_stops else ready
    arrived = [label for one in ready for label in _driven(way, one, drive)]
    if not at_stops:
        arrived += [label for one in ready for label in _on_the_road(way, one, drive)]
    arrived = _kept([*arrived, *_breaks(way, arrived)])
    started = []
    for one in arrived:
        penalty = there.penalty if there.bends else None
        curve = begun(later(one.curve, beside), there.windows, penalty, there.bends)
        if curve:
            started.append(_Label(curve, one.taken, one.driven, one, lambda t: t - beside, "start"))
    return _kept(started)


def _breaks(way: Way, labels: Sequence[_Label]) -> list[_Label]:
    """Breaks that are taken where one is, one after the other."""
    found: list[_Label] = []
    queue = list(labels)
    while queue:
        one = queue.pop()
        if one.taken == len(way.breaks):
            continue
        pause = way.breaks[one.taken]
        (opens, closes), length = pause.window_s, pause.length_s
        curve = begun(until(one.curve, closes), ((opens, math.inf),))
        if curve:
            rested = way.rest is not None and length >= way.rest.length_s
            label = _Label(
                later(curve, length), one.taken + 1, 0.0 if rested else one.driven, one,
                partial(_before_break, length, closes), "break", length,
            )  # fmt: skip
            found.append(label)
            queue.append(label)
    return found


def _before_break(length: float, closes: float, time: float) -> float:
    return min(time - length, closes)


def _driven(way: Way, one: _Label, drive: float) -> Iterator[_Label]:
    """One way to drive on, or two: a rest at the end of a drive may come in time for others."""
    if way.traffic:
        bends = [begin for begin, _ in way.traffic]
        bends += [departure(way.traffic, begin, drive) for begin, _ in way.traffic]
        curve = mapped(one.curve, lambda t: arrival(way.traffic, t, drive), bends)
    else:
        curve = later(one.curve, drive)
    if way.rest is None:
        yield _Label(curve, one.taken, one.driven, one,
                     lambda t: departure(way.traffic, t, drive), "drive")  # fmt: skip
        return
    longest, length = way.rest.after_driving_s, way.rest.length_s
    driven = one.driven + drive
    if not math.isfinite(driven):
        return
    needed = max(0, math.ceil(driven / longest - 1e-9) - 1)
    for rests in (needed, needed + 1):
        rested = rests * length
        yield _Label(
            later(curve, rested), one.taken, max(0.0, driven - rests * longest), one,
            partial(_departed, way.traffic, drive, rested), "drive", rests,
        )  # fmt: skip


def _departed(traffic: Traffic, drive: float, rested: float, time: float) -> float:
    return departure(traffic, time - rested, drive)


def _on_the_road(way: Way, one: _Label, drive: float) -> Iterator[_Label]:
    """A break as soon as it may be on the way to the next node, or while waiting there."""
    if one.taken == len(way.breaks):
        return
    pause = way.breaks[one.taken]
    (opens, closes), length = pause.window_s, pause.length_s
    curve = begun(later(until(one.curve, closes), drive), ((opens, math.inf),))
    if curve:
        yield _Label(
            later(curve, length), one.taken + 1, one.driven, one,
            partial(_before_break, length + drive, closes), "road", length,
        )  # fmt: skip


def _kept(labels: Sequence[_Label]) -> list[_Label]:
    """Those that no other one beats, and one of those that differ in the cost alone."""
    if len(labels) < 2:
        return list(labels)
    labels = _merged(labels)
    found: list[_Label] = []
    ends: list[float] = []  # what each of them costs at last
    for one in sorted(labels, key=lambda label: (label.curve[0][0], -label.taken, label.driven)):
        end, taken, driven = one.curve[-1][1], one.taken, one.driven
        for k, least in enumerate(ends):
            if least > end:
                continue
            other = found[k]
            if other.taken < taken or other.driven > driven:
                continue
            if never_above(other.curve, one.curve):
                break
        else:
            found.append(one)
            ends.append(end)
    return found[:MOST_LABELS]


def _merged(labels: Sequence[_Label]) -> list[_Label]:
    """One label for each number of breaks and seconds of driving."""
    alike: dict[tuple[int, float], list[_Label]] = {}
    for one in labels:
        alike.setdefault((one.taken, one.driven), []).append(one)
    found = []
    for own in alike.values():
        if len(own) == 1:
            found += own
            continue
        own.sort(key=lambda label: label.curve[0][0])
        curve, choices = own[0].curve, own[:1]
        for one in own[1:]:
            lower = lowest(curve, one.curve)
            if lower is not curve:
                curve = lower
                choices.append(one)
        found.append(
            choices[0]
            if len(choices) == 1
            else _Label(curve, own[0].taken, own[0].driven, None, choices[0].back, "",
                        choices=tuple(choices))
        )  # fmt: skip
    return found


def _traced(way: Way, last: _Label, end: float) -> Times:
    """The times behind a label, from its last one backwards."""
    steps: list[tuple[_Label, float]] = []
    label, time = last, end
    while True:
        label, time = label.at(time)
        while label.choices:
            label, time = label.at(time)
        steps.append((label, time))
        if label.parent is None:
            break
        time, label = label.back(time), label.parent
    starts, arrivals, pauses = [steps[-1][1]], [steps[-1][1]], []
    ready, node = 0.0, 0
    for label, time in reversed(steps[:-1]):
        if label.what == "start":
            starts.append(time)
        elif label.what == "serve":
            ready, node = time, len(starts) - 1
        elif label.what == "break":
            pauses.append((time - label.amount, label.amount, node))
            ready = time
        elif label.what == "drive":
            arrivals.append(_arrived(way, label, ready, node, pauses))
        else:
            begin = max(ready, way.breaks[label.taken - 1].window_s[0])
            pauses.append((begin, label.amount, node))
            arrives = ready + way.drives[node]
            late = label.amount if begin < arrives else 0.0
            arrivals.append(arrives + late + way.beside[node])
    return Times(tuple(arrivals), tuple(starts), tuple(pauses), cost_of(way, starts))


def _arrived(
    way: Way, label: _Label, ready: float, node: int, pauses: list[tuple[float, float, int]]
) -> float:
    """When a drive ends, whose rests are added to the pauses; a last one may come behind it."""
    drive, rested = way.drives[node], 0.0
    if way.rest is not None and label.parent is not None:
        until_next = way.rest.after_driving_s - label.parent.driven
        for _ in range(int(label.amount)):
            begin = arrival(way.traffic, ready, min(until_next, drive)) + rested
            pauses.append((begin, way.rest.length_s, node))
            if until_next >= drive:
                break
            rested += way.rest.length_s
            until_next += way.rest.after_driving_s
    return arrival(way.traffic, ready, drive) + rested + way.beside[node]
