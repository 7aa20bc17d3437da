"""Compiled: the machine that reckons expressions, and what they can look at.

It is a stack machine. Its memory is on the stack of the thread that calls it, so that searches may
run side by side: `STACK` values, and behind them what the caller tells about the moment.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import uniform
from nco.kernels.llvm import cgutils, intrinsic, ir, types
from nco.search.evolve.code import FEATURE_CODES, FIRST_FEATURE, FIRST_NUMBER, FUNCTION_CODES
from nco.search.evolve.language import BIG
from nco.search.lns.options import inner

STACK = 64
FUEL, COST_UNIT, TIME_UNIT, ANCHOR_ROUTE = range(STACK, STACK + 4)
MOMENT = STACK + 4  # from here on the features that the caller tells, in their order
RANK, LEFT, TAKEN, BEST = range(MOMENT, MOMENT + 4)
COST = MOMENT + 7
SIZE = MOMENT + 8
SAMPLE = 64  # places at which a mean arc is looked for
TINY = 1e-9

_ADD, _SUBTRACT, _TIMES, _OVER = (FUNCTION_CODES[name] for name in ("+", "-", "*", "/"))
_MIN, _MAX, _LESS, _NEG = (FUNCTION_CODES[name] for name in ("min", "max", "<", "neg"))
_ABS, _SQRT, _LOG, _FLOOR, _IF = (
    FUNCTION_CODES[name] for name in ("abs", "sqrt", "log", "floor", "if")
)
(
    _RANDOM, _DEMAND, _SERVICE, _OPENS, _CLOSES, _DEPOT, _CROWD, _PRIZE, _AGE, _FILL, _SIZE, _DUTY,
    _SLACK, _HEAT, _DETOUR, _INTO, _OUT, _NEAR, _SAME, _APART, _UNLIKE, _SAVED, _REGRET, _TOLD,
    *_,
) = FEATURE_CODES.values()  # fmt: skip


@intrinsic
def memory(_):
    """`[SIZE]` numbers of the function that calls this, for as long as it runs."""

    def generate(_context, builder, _signature, _arguments):
        return cgutils.alloca_once(builder, ir.DoubleType(), size=SIZE)

    return types.CPointer(types.float64)(), generate


@inner
def tame(x):
    """A number that is one, within bounds."""
    if x > -BIG and x < BIG:
        return x
    if x >= BIG:
        return BIG
    return -BIG if x <= -BIG else 0.0


@inner
def begin(instance, state, m, fuel):
    """Tells the machine how far it may go, and of the units of cost and time."""
    m[FUEL] = np.float64(fuel)
    arcs = seconds = count = 0.0
    step = max(1, len(state.next) // SAMPLE)
    for i in range(0, len(state.next), step):
        v = state.vehicle[i]
        if v >= 0 and state.next[i] >= 0 and state.served[v] > 0:
            arcs += abs(state.leaving[i])
            count += 1.0
            if instance.times:
                a, b = state.place[i], state.place[state.next[i]]
                seconds += instance.drive[instance.kind[v], a, b] + instance.service[a]
    m[COST_UNIT] = max(arcs / count, TINY) if count > 0.0 and arcs > 0.0 else 1.0
    m[TIME_UNIT] = max(seconds / count, TINY) if count > 0.0 and seconds > 0.0 else 1.0


@inner
def value(instance, state, code, e, j, i, v, m):
    """What an expression is worth; 0 where no steps are left.

    Args:
        instance: what is searched.
        state: where the search stands.
        code: `Code` of the program.
        e: number of the expression.
        j: the stop.
        i: the anchor, or the place behind which the stop may go.
        v: the route of the stop, or of the place.
        m: memory.
    """
    first, last = code.first[e], code.first[e + 1]
    m[FUEL] -= np.float64(last - first)
    if m[FUEL] < 0.0:
        return 0.0
    top = 0
    for n in range(first, last):
        op = code.nodes[n]
        if op >= FIRST_NUMBER:
            m[top] = code.numbers[op - FIRST_NUMBER]
            top += 1
        elif op >= FIRST_FEATURE:
            m[top] = tame(_feature(instance, state, op, j, i, v, m))
            top += 1
        else:
            top = _apply(op, m, top)
    return m[0]


@inner
def _apply(op, m, top):
    """Puts what a function makes of the topmost values in their place; how many there are then."""
    if op == _IF:
        m[top - 3] = m[top - 2] if m[top - 3] > 0.0 else m[top - 1]
        return top - 2
    if op >= _NEG:
        m[top - 1] = _of_one(op, m[top - 1])
        return top
    m[top - 2] = tame(_of_two(op, m[top - 2], m[top - 1]))
    return top - 1


@inner
def _of_one(op, a):
    """What a function makes of one value."""
    if op == _NEG:
        return -a
    if op == _ABS:
        return abs(a)
    if op == _SQRT:
        return np.sqrt(abs(a))
    if op == _LOG:
        return np.log(abs(a)) if abs(a) >= TINY else 0.0
    return np.floor(a)


@inner
def _of_two(op, a, b):
    """What a function makes of two values."""
    if op == _ADD:
        return a + b
    if op == _SUBTRACT:
        return a - b
    if op == _TIMES:
        return a * b
    if op == _OVER:
        return a / b if abs(b) >= TINY else a
    if op == _MIN:
        return min(a, b)
    if op == _MAX:
        return max(a, b)
    return 1.0 if a < b else 0.0


@inner
def _feature(instance, state, op, j, i, v, m):
    """What a feature is worth, before it is brought within bounds."""
    if op >= _TOLD:
        return m[op - _TOLD + MOMENT]
    if op >= _NEAR:
        return _of_moment(instance, state, op, j, i, m)
    if op >= _SLACK:
        return _of_arcs(instance, state, op, j, i, v, m)
    if op >= _FILL:
        return _of_route(instance, state, op, v, m)
    if op == _RANDOM:
        return uniform(state.bits)
    return _of_stop(instance, state, op, j, m)


@inner
def _of_stop(instance, state, op, j, m):
    """Features of a stop, wherever it is."""
    if op == _DEMAND:
        return _share(instance, j)
    if op == _SERVICE:
        return instance.service[j] / m[TIME_UNIT]
    if op == _OPENS:
        return instance.opens[j] / m[TIME_UNIT]
    if op == _CLOSES:
        return instance.closes[j] / m[TIME_UNIT]
    if op == _DEPOT:
        depot = instance.place[len(instance.service)]
        return np.float64(instance.cost[0, depot, j]) / m[COST_UNIT]
    if op == _CROWD:
        other = instance.related[j, 0]
        return _between(instance, np.int64(0), j, other) / m[COST_UNIT] if other >= 0 else BIG
    if op == _PRIZE:
        return instance.prize[j] / m[COST_UNIT]
    return np.float64(state.moves[0] - state.moved[j]) / len(instance.stops)


@inner
def _share(instance, j):
    """Share of the first vehicle's capacity that a stop takes, the greatest of all dimensions."""
    share = 0.0
    for c in range(instance.capacity.shape[1]):
        if instance.capacity[0, c] > 0.0:
            share = max(share, instance.demand[j, c] / instance.capacity[0, c])
    return share


@inner
def _between(instance, k, j, other):
    """Cost of the arc between two stops, the cheaper way."""
    there, back = instance.cost[k, j, other], instance.cost[k, other, j]
    return np.float64(min(there, back))


@inner
def _of_route(instance, state, op, v, m):
    """Features of a route."""
    if op == _SIZE:
        return np.float64(state.served[v])
    if op == _DUTY:
        return state.duty[v] / m[TIME_UNIT]
    share = 0.0
    for c in range(instance.capacity.shape[1]):
        if instance.capacity[v, c] > 0.0:
            share = max(share, state.load[v, c] / instance.capacity[v, c])
    return share


@inner
def _of_arcs(instance, state, op, j, i, v, m):
    """Features of the arcs at a stop, or at a place."""
    # A stop on a route lies behind the place before it; one that may go behind a place does not.
    there = state.vehicle[j] >= 0
    before = np.int64(state.prev[j]) if there else np.int64(i)
    behind = np.int64(state.next[j]) if there else np.int64(state.next[i])
    k, a, b = instance.kind[v], state.place[before], state.place[behind]
    if op == _INTO:
        return np.float64(instance.cost[k, a, j]) / m[COST_UNIT]
    if op == _OUT:
        return np.float64(instance.cost[k, j, b]) / m[COST_UNIT]
    if op == _DETOUR:
        detour = state.leaving[before] + state.leaving[j] - instance.cost[k, a, b]
        return detour / m[COST_UNIT]
    if op == _HEAT:
        if len(instance.heatmap) != len(instance.service):
            return 0.0
        if there:
            return np.float64(instance.heatmap[a, j])
        heat = instance.heatmap[a, j] + instance.heatmap[j, b] - instance.heatmap[a, b]
        return np.float64(heat)
    if not instance.times:
        return BIG
    here = np.int64(j) if there else behind
    seconds, earliest = state.prefix[before, 0], state.prefix[before, 1]
    arc_s = instance.drive[k, a, state.place[here]]
    return (state.suffix[here, 2] - (earliest + seconds + arc_s)) / m[TIME_UNIT]


@inner
def _of_moment(instance, state, op, j, i, m):
    """Features of a candidate beside its anchor, and what becomes of others."""
    if op == _NEAR:
        return _between(instance, np.int64(0), j, i) / m[COST_UNIT]
    if op == _SAME:
        return 1.0 if np.float64(state.vehicle[j]) == m[ANCHOR_ROUTE] else 0.0
    if op == _APART:
        return abs(instance.opens[j] - instance.opens[i]) / m[TIME_UNIT]
    if op == _UNLIKE:
        return abs(_share(instance, j) - _share(instance, i))
    if op == _SAVED:
        return state.leaving[i] / m[COST_UNIT]
    return m[BEST + 1] - m[BEST]
