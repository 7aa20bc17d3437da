"""What it costs at least to have done something by a time, as a piecewise linear function.

A curve is a list of points `(time, cost)` in order. Cost never rises with time: whoever is done
can wait. Between two points it is linear, behind the last one constant, before the first one
nothing is possible. Of two points at the same time the second one counts from that time on.
(T. Ibaraki et al. 2005, "Effective local search algorithms for routing and scheduling problems
with general time-window constraints".)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Curve = list[tuple[float, float]]
Pair = tuple[float, float]
ROUNDED = 1e-13  # share of a cost, or a time, by which rounding alone may make a difference


def cost_at(curve: Curve, time: float) -> float:
    """The cost at a time, `inf` before the first point."""
    if not curve or time < curve[0][0]:
        return float("inf")
    before = curve[0]
    for point in curve[1:]:
        if point[0] > time:
            return _between(before, point, time)
        before = point
    return before[1]


def attained(curve: Curve, time: float) -> float:
    """The earliest time from which on the cost is what it is at a given time."""
    last = 0
    while last + 1 < len(curve) and curve[last + 1][0] <= time:
        last += 1
    if last + 1 < len(curve) and curve[last + 1][1] < curve[last][1]:
        falls = curve[last + 1][0] > curve[last][0]
        if falls and time > curve[last][0]:
            return time
    while last > 0 and curve[last - 1][1] == curve[last][1]:
        last -= 1
    return curve[last][0]


def snapped(curve: Curve, time: float) -> float:
    """A time, or that of a point which is later by no more than rounding: it may fall there."""
    most = time + ROUNDED * (1.0 + abs(time))
    return max((at for at, _ in curve if time < at <= most), default=time)


def later(curve: Curve, seconds: float) -> Curve:
    """The curve of who then spends some seconds."""
    return [(time + seconds, cost) for time, cost in curve]


def mapped(curve: Curve, onward: Callable[[float], float], bends: Iterable[float]) -> Curve:
    """The curve of who goes on at each time and is done at another one.

    Args:
        curve: of who goes on.
        onward: when one is done, growing and piecewise linear.
        bends: times at which its slope changes.
    """
    points = list(curve)
    known = {time for time, _ in curve}
    points += [(t, cost_at(curve, t)) for t in bends if t > curve[0][0] and t not in known]
    points.sort(key=lambda point: (point[0], -point[1]))
    return [(onward(time), cost) for time, cost in points]


def until(curve: Curve, end: float) -> Curve:
    """The curve of who may do nothing after a time; empty if that is too early."""
    if not curve or curve[0][0] > end:
        return []
    kept = [point for point in curve if point[0] <= end]
    if len(kept) < len(curve) and kept[-1][0] < end:
        kept.append((end, _between(kept[-1], curve[len(kept)], end)))
    return kept


def begun(
    curve: Curve,
    windows: Sequence[Pair],
    penalty: Callable[[float], float] | None = None,
    bends: Sequence[float] = (),
) -> Curve:
    """The curve of who then begins something, and waits for a time that is allowed and cheap.

    Args:
        curve: of who is ready.
        windows: when it may begin, in order and apart.
        penalty: what that costs at each time, piecewise linear; None is nothing.
        bends: where the slope of the penalty changes.
    """
    found: Curve = []
    for opens, closes in windows:
        part = until(curve, closes)
        if not part:
            continue
        opened = max(opens, curve[0][0])
        if penalty is None:
            if opens > curve[0][0]:
                part = [(opens, cost_at(part, opens)), *(p for p in part if p[0] > opens)]
            _follow(found, part)
            continue
        times = {t for t, _ in part if t > opened} | {t for t in bends if opened < t < closes}
        if closes < float("inf"):
            times.add(max(closes, opened))
        pieces = [(opened, cost_at(part, opened) + penalty(opened))]
        for time in sorted(times):
            costs = [cost for at, cost in part if at == time] or [cost_at(part, time)]
            if len(costs) > 1:  # a fall: what holds until then, and what from then on
                pieces.append((time, costs[0] + penalty(time)))
            pieces.append((time, costs[-1] + penalty(time)))
        _follow(found, pieces)
    return found


def never_above(curve: Curve, other: Curve) -> bool:
    """Whether a curve costs nowhere more than another one."""
    if not curve or not other or curve[0][0] > other[0][0] or curve[-1][1] > other[-1][1]:
        return False
    for time in {t for t, _ in curve} | {t for t, _ in other}:
        if time < other[0][0]:
            continue
        if cost_at(curve, time) > cost_at(other, time):
            return False
        if time > other[0][0] and _until(curve, time) > _until(other, time):
            return False
    return True


def lowest(first: Curve, second: Curve) -> Curve:
    """The curve of who may choose between two; the first one itself where that is never worse.

    What rounding may explain is no difference: curves of the same driving in another order would
    cross again and again.

    Args:
        first: begins no later than the second.
        second: of whatever is done instead.
    """
    little = ROUNDED * (1.0 + abs(first[0][1]) + abs(first[-1][1]) + abs(second[0][1]))
    times = sorted({t for t, _ in first} | {t for t, _ in second})
    found: Curve = []
    better = False
    before, costs = 0.0, (0.0, 0.0)
    for time in times:
        here = cost_at(first, time), cost_at(second, time)
        if found:
            reached = _until(first, time), _until(second, time) if time > second[0][0] else math.inf
            found += _crossing((before, costs), (time, reached), little)
            found.append((time, min(reached)))
            better = better or reached[1] < reached[0] - little
        if not found or min(here) < found[-1][1]:
            found.append((time, min(here)))
        better = better or here[1] < here[0] - little
        before, costs = time, here
    return _straightened(found, little) if better else first


def _straightened(curve: Curve, little: float) -> Curve:
    """A curve without points between which and their neighbours its slope does not change."""
    found = curve[:1]
    for point, after in pairwise(curve[1:]):
        before = found[-1]
        bent = not before[0] < point[0] < after[0]
        if bent or abs(_between(before, after, point[0]) - point[1]) > little:
            found.append(point)
    return found + curve[1:][-1:]


def _crossing(begin: tuple[float, Pair], end: tuple[float, Pair], little: float) -> Curve:
    """Where the lower one of two lines changes between two times, if it does."""
    (t0, (a0, b0)), (t1, (a1, b1)) = begin, end
    left, right = a0 - b0, a1 - b1
    if not (min(left, right) < -little and max(left, right) > little and math.isfinite(left)):
        return []
    share = left / (left - right)
    return [(t0 + share * (t1 - t0), a0 + share * (a1 - a0))]


def _follow(found: Curve, pieces: Curve) -> None:
    """Appends what costs less than anything before."""
    if not found:
        found.append(pieces[0])
    elif pieces[0][1] < found[-1][1]:
        found += [(pieces[0][0], found[-1][1]), pieces[0]]
    for before, point in pairwise(pieces):
        least = found[-1][1]
        if point[1] >= least:
            continue
        if before[1] >= least:  # it falls below what was known somewhere between
            time = point[0]
            if before[1] > point[1]:
                share = (before[1] - least) / (before[1] - point[1])
                time = before[0] + share * (point[0] - before[0])
            if time > found[-1][0]:
                found.append((time, least))
        found.append(point)


def _between(first: Pair, second: Pair, time: float) -> float:
    if second[0] == first[0]:
        return second[1]
    share = (time - first[0]) / (second[0] - first[0])
    return first[1] + share * (second[1] - first[1])


def _until(curve: Curve, time: float) -> float:
    """The cost just before a time, which is behind the first point."""
    before = curve[0]
    for point in curve[1:]:
        if point[0] >= time:
            return _between(before, point, time) if point[0] > before[0] else before[1]
        before = point
    return before[1]
