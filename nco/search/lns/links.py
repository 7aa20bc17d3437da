"""Compiled changes of routes: a stop put in, a stop taken out, changes taken back.

Times of a route follow from segments, after T. Vidal et al. (2013, "A hybrid genetic algorithm with
adaptive diversity management for a large class of vehicle routing problems with time windows"):
of a part of a route one needs to know how many seconds it takes at least, and between which times
it then begins; two parts are joined in a few operations.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled as kernel

# These functions allocate nothing: without numba's counting of references to their many arrays,
# which is most of what they would do, they are several times as fast. Numba compiles a function
# once for each combination of types, of which `int32` and `int64` are two, and each literal `True`
# or `1` is one more: stops and vehicles are handed on as `int64`, and no literals are.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
compiled: Any = kernel(ahead=True, **OPTIONS)
pasted: Any = kernel(cache=False, inline="always", **OPTIONS)  # into the compiled function around
inner: Any = kernel(cache=False, **OPTIONS)  # called by compiled functions only

SMOOTH = 1e-3  # weight of the mean square of routes, beside the longest

_12, _25, _27, _11 = np.uint64(12), np.uint64(25), np.uint64(27), np.uint64(11)
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)


@compiled
def nearest(far, columns, values):
    """Fills rows of `columns` with those of the smallest entries of rows of `far`, in order.

    Where fewer entries are finite, the rest is left. `values` is overwritten.
    """
    for row in range(len(far)):
        count = 0
        for column in range(far.shape[1]):
            x = far[row, column]
            if x < np.inf and (count < len(values) or x < values[count - 1]):
                place = min(count, len(values) - 1)
                count = min(count + 1, len(values))
                while place > 0 and values[place - 1] > x:
                    values[place] = values[place - 1]
                    columns[row, place] = columns[row, place - 1]
                    place -= 1
                values[place], columns[row, place] = x, column


@inner
def uniform(plan):
    """A random number from 0 to below 1 (S. Vigna's xorshift64*)."""
    x = plan.bits[0]
    x ^= x >> _12
    x ^= x << _25
    x ^= x >> _27
    plan.bits[0] = x
    return np.float64((x * _MULTIPLIER) >> _11) * 1.1102230246251565e-16


@inner
def below(plan, count):
    """A random whole number from 0 to below `count`."""
    return int(uniform(plan) * count)


@inner
def copy(to, given):
    """Fills a vector; assignment of arrays would allocate."""
    for n in range(len(to)):
        to[n] = given[n]


@inner
def joined(d1, e1, l1, d2, e2, l2, arc_s):
    """A segment after another: seconds, earliest and latest begin, and seconds too late."""
    later = d1 + arc_s
    wait = max(e2 - later - l1, 0.0)
    late = max(e1 + later - l2, 0.0)
    return d1 + d2 + arc_s + wait, max(e2 - later, e1) - wait, min(l2 - later, l1) + late, late


@inner
def arc(instance, k, i, j):
    """Cost of an arc between places, for a kind of vehicle."""
    return np.float64(instance.cost[k, instance.place[i], instance.place[j]])


@inner
def _link(instance, plan, j, before):
    """Puts a stop behind a place: costs, loads and links."""
    v, behind = plan.vehicle[before], plan.next[before]
    k = instance.kind[v]
    there, away = arc(instance, k, before, j), arc(instance, k, j, behind)
    delta = there + away - plan.leaving[before]
    plan.leaving[before], plan.leaving[j] = there, away
    if not plan.served[v]:
        delta += instance.fixed[v]
    plan.total[0] += delta - instance.prize[j]
    if instance.longest > 0.0 and not instance.by_time:
        a, b, n = instance.place[before], instance.place[behind], instance.metres
        plan.measure[v] += np.float64(n[k, a, j]) + np.float64(n[k, j, b])
        if plan.served[v]:
            plan.measure[v] -= np.float64(n[k, a, b])
    for c in range(plan.load.shape[1]):
        plan.load[v, c] += instance.demand[j, c]
    plan.served[v] += 1
    plan.next[before], plan.prev[j], plan.next[j], plan.prev[behind] = j, before, behind, j
    plan.vehicle[j] = v
    at, last = plan.absent_at[j], plan.number[0] - 1
    other = plan.absent[last]
    plan.absent[at], plan.absent_at[other] = other, at
    plan.absent_at[j] = -1
    plan.number[0] = last


@inner
def _unlink(instance, plan, j):
    """Takes a stop out: costs, loads and links."""
    v, before, behind = plan.vehicle[j], plan.prev[j], plan.next[j]
    k = instance.kind[v]
    plan.served[v] -= 1
    delta = plan.leaving[before] + plan.leaving[j]
    plan.leaving[before] = 0.0
    if plan.served[v]:
        plan.leaving[before] = arc(instance, k, before, behind)
        delta -= plan.leaving[before]
    else:
        delta += instance.fixed[v]
    plan.total[0] += instance.prize[j] - delta
    if instance.longest > 0.0 and not instance.by_time:
        a, b, n = instance.place[before], instance.place[behind], instance.metres
        plan.measure[v] -= np.float64(n[k, a, j]) + np.float64(n[k, j, b])
        if plan.served[v]:
            plan.measure[v] += np.float64(n[k, a, b])
    for c in range(plan.load.shape[1]):
        plan.load[v, c] -= instance.demand[j, c]
    plan.next[before], plan.prev[behind] = behind, before
    plan.vehicle[j] = -1
    count = plan.number[0]
    plan.absent[count], plan.absent_at[j] = j, count
    plan.number[0] = count + 1


@inner
def refresh(instance, plan, v):
    """Works out the times of a route anew, and what its duty costs."""
    begin = len(instance.service) + 2 * v
    end, k = begin + 1, instance.kind[v]
    ahead, rest = plan.ahead, plan.rest
    ahead[begin, 0], ahead[begin, 1] = 0.0, instance.opens[begin]
    ahead[begin, 2] = instance.closes[begin]
    i, late = begin, 0.0
    while i != end:
        j = plan.next[i]
        a, b = instance.place[i], instance.place[j]
        service = instance.service[b]
        ahead[j, 0], ahead[j, 1], ahead[j, 2], missed = joined(
            ahead[i, 0], ahead[i, 1], ahead[i, 2], service, instance.opens[j], instance.closes[j],
            instance.drive[k, a, b],
        )  # fmt: skip
        late += missed
        i = j
    if plan.late[v] != (late > 0.0 and plan.served[v] > 0):
        plan.late[v] = not plan.late[v]
        plan.total[0] += instance.barred if plan.late[v] else -instance.barred
    rest[end, 0], rest[end, 1], rest[end, 2] = 0.0, instance.opens[end], instance.closes[end]
    j = end
    while j != begin:
        i = plan.prev[j]
        a, b = instance.place[i], instance.place[j]
        service = instance.service[a]
        rest[i, 0], rest[i, 1], rest[i, 2], _ = joined(
            service, instance.opens[i], instance.closes[i], rest[j, 0], rest[j, 1], rest[j, 2],
            instance.drive[k, a, b],
        )  # fmt: skip
        j = i
    duty = ahead[end, 0] if plan.served[v] else 0.0
    plan.total[0] += instance.per_s[v] * (duty - plan.duty[v])
    plan.duty[v] = duty
    if instance.longest > 0.0 and instance.by_time:
        plan.measure[v] = duty


@inner
def _soil(plan, v):
    """Notes that the times of a route are out of date."""
    if not plan.dirty[v]:
        plan.dirty[v] = True
        plan.stale[plan.number[2]] = v
        plan.number[2] += 1


@inner
def insert(instance, plan, j, before):
    """Puts a stop behind a place, and keeps all that is known of routes up to date."""
    _link(instance, plan, j, before)
    entry = plan.number[1]
    plan.log[entry, 0], plan.log[entry, 1] = j, -1
    plan.number[1] = entry + 1
    if instance.times:
        refresh(instance, plan, np.int64(plan.vehicle[j]))


@compiled
def remove(instance, plan, j):
    """Takes a stop out; times of its route are out of date until `settle`."""
    entry = plan.number[1]
    plan.log[entry, 0], plan.log[entry, 1] = j, plan.prev[j]
    plan.number[1] = entry + 1
    _soil(plan, plan.vehicle[j])
    _unlink(instance, plan, j)


@compiled
def settle(instance, plan):
    """Brings the times of all routes up to date."""
    for n in range(plan.number[2]):
        v = plan.stale[n]
        plan.dirty[v] = False
        if instance.times:
            refresh(instance, plan, v)
    plan.number[2] = 0


@compiled
def take_back(instance, plan, total):
    """Undoes all that the log holds; the cost becomes what it was, to the last digit."""
    for entry in range(plan.number[1] - 1, -1, -1):
        j, before = plan.log[entry]
        if before < 0:
            _soil(plan, plan.vehicle[j])
            _unlink(instance, plan, j)
        else:
            _link(instance, plan, j, before)
            _soil(plan, plan.vehicle[j])
    plan.number[1] = 0
    settle(instance, plan)
    plan.total[0] = total


@pasted
def _empty(instance, plan):
    """Takes all stops out of a plan but for its links. Loops compile faster than slices."""
    for i in range(len(plan.leaving)):
        plan.leaving[i] = 0.0
    for j in range(len(instance.service)):
        plan.vehicle[j] = plan.absent_at[j] = -1
    for n in range(len(plan.number)):
        plan.number[n] = 0
    plan.total[0] = 0.0
    for v in range(len(instance.kind)):
        plan.served[v], plan.measure[v], plan.duty[v] = 0, 0.0, 0.0
        plan.late[v] = plan.dirty[v] = False
        for c in range(plan.load.shape[1]):
            plan.load[v, c] = 0.0


@compiled
def rebuild(instance, plan, following):
    """Fills a plan from links `[N + 2 M]`; also frees sums from what rounding added up to."""
    size = len(instance.service)
    copy(plan.next, following)
    _empty(instance, plan)
    for v in range(len(instance.kind)):
        begin, k = size + 2 * v, instance.kind[v]
        end = begin + 1
        plan.vehicle[begin] = plan.vehicle[end] = v
        i = begin
        while i != end:
            j = plan.next[i]
            plan.prev[j] = i
            if j != end or plan.served[v]:
                plan.leaving[i] = arc(instance, k, i, j)
                plan.total[0] += plan.leaving[i]
                if instance.longest > 0.0 and not instance.by_time:
                    a, b = instance.place[i], instance.place[j]
                    plan.measure[v] += np.float64(instance.metres[k, a, b])
            if j != end:
                plan.vehicle[j] = v
                plan.served[v] += 1
                for c in range(plan.load.shape[1]):
                    plan.load[v, c] += instance.demand[j, c]
            i = j
        if plan.served[v]:
            plan.total[0] += instance.fixed[v]
        if instance.times:
            refresh(instance, plan, v)
    for j in instance.stops:
        if plan.vehicle[j] < 0:
            count = plan.number[0]
            plan.absent[count], plan.absent_at[j] = j, count
            plan.number[0] = count + 1
            plan.total[0] += instance.prize[j]


@compiled
def objective(instance, plan):
    """What is minimised: the total, and the longest route where that counts."""
    total = plan.total[0]
    if instance.longest > 0.0:
        longest, squares = 0.0, 0.0
        for measure in plan.measure:
            longest = max(longest, measure)
            squares += measure * measure
        if longest > 0.0:
            squares /= len(plan.measure) * longest
            total += instance.longest * (longest + SMOOTH * squares)
    return total
