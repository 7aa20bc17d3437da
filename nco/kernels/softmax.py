"""Logits, softmax and samples of decisions side by side, written in LLVM's language.

Scores are `[N, T]`, a column each decision. A block of columns is gone through from the first row
to the last while its largest score, or its sum, stays in registers; numba's loops go along rows,
and read and write these once a row.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.llvm import along, cgutils, intrinsic, ir, many, opened, place, spread, types

LANES, FEW_LANES = 16, 8
"""Columns of a block, and of the last one where the number is no multiple."""

_LEAST = -1e30
_SMALLEST = -64.0 * math.log2(math.e)  # exponents of 2 below count as none: e^-64
_ROUNDING = 1.5 * 2**23 + 127  # added, it leaves the rounded sum with 127 in the lowest bits
_POWERS = (0.0013333558146428, 0.0096181291076285, 0.0555041086648216, 0.2402265069591007,
           0.6931471805599453, 1.0)  # fmt: skip
"""2^f on [-1/2, 1/2] by its Taylor polynomial: 3e-6 relative error."""

# Callers would pass on fastmath, which takes rounding by a sum for no change at all.
_called: Any = compiled(cache=False, nogil=True, fastmath=False, error_model="numpy")


def _power(builder, t, width):
    """2^t of a vector of numbers of 0 or less; 0 where it is next to nothing."""
    shifted = builder.fadd(t, many(_ROUNDING, width))
    rest = builder.fsub(t, builder.fsub(shifted, many(_ROUNDING, width)))
    value = many(_POWERS[0], width)
    for constant in _POWERS[1:]:
        product = builder.fmul(value, rest, flags=("contract",))
        value = builder.fadd(product, many(constant, width), flags=("contract",))
    integers = ir.VectorType(ir.IntType(32), width)
    bits = builder.shl(builder.bitcast(shifted, integers), ir.Constant(integers, [23] * width))
    whole = builder.fmul(value, builder.bitcast(bits, value.type))
    there = builder.fcmp_ordered(">=", t, many(_SMALLEST, width))
    return builder.select(there, whole, many(0.0, width))


def _weighing(width):
    """A function that turns columns `[lane : lane + width]` of scores into weights."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.FloatType(), width)
        score, top, total = opened(context, builder, signature, arguments, 3)
        factor, lane = spread(builder, arguments[3], width), arguments[4]
        rows = cgutils.unpack_tuple(builder, score.shape)[0]

        def at(n):
            return place(builder, score, (n, lane), vector)

        def find(n, held):
            found = builder.load(at(n), align=4)
            return [builder.select(builder.fcmp_ordered(">", held[0], found), held[0], found)]

        (largest,) = along(builder, rows, [many(_LEAST, width)], find)

        def weigh(n, held):
            below = builder.fsub(builder.load(at(n), align=4), largest)
            weight = _power(builder, builder.fmul(below, factor), width)
            builder.store(weight, at(n), align=4)
            return [builder.fadd(held[0], weight)]

        (added,) = along(builder, rows, [many(0.0, width)], weigh)
        builder.store(largest, place(builder, top, (lane,), vector), align=4)
        builder.store(added, place(builder, total, (lane,), vector), align=4)
        return context.get_dummy_value()

    def weighing(_typing, score, top, total, factor, lane):
        return types.void(score, top, total, factor, lane), generate

    return intrinsic(weighing)


def _squashing(width):
    """A function that turns columns `[lane : lane + width]` of raw scores into logits."""

    def generate(context, builder, signature, arguments):
        vector, integers = (
            ir.VectorType(ir.FloatType(), width),
            ir.VectorType(ir.IntType(32), width),
        )
        score, tanh, shut = opened(context, builder, signature, arguments, 3)
        clip, lane = spread(builder, arguments[3], width), arguments[4]
        rows = cgutils.unpack_tuple(builder, score.shape)[0]
        sign = ir.Constant(integers, [-(2**31)] * width)
        one = many(1.0, width)

        def squashed(n, _held):
            places = [place(builder, array, (n, lane), vector) for array in (score, tanh, shut)]
            raw, more, closed = (builder.load(at, align=4) for at in places)
            bits = builder.bitcast(builder.fadd(raw, more), integers)
            negative = builder.and_(bits, sign)
            below = builder.bitcast(builder.or_(bits, sign), vector)
            small = builder.fmul(below, many(2.0 * math.log2(math.e), width))
            small = _power(builder, small, width)
            size = builder.fdiv(builder.fsub(one, small), builder.fadd(one, small))
            bits = builder.or_(builder.bitcast(size, integers), negative)
            found = builder.bitcast(bits, vector)
            builder.store(found, places[1], align=4)
            clipped = builder.fmul(found, clip, flags=("contract",))
            logit = builder.fadd(clipped, closed, flags=("contract",))
            builder.store(logit, places[0], align=4)
            return []

        along(builder, rows, [], squashed)
        return context.get_dummy_value()

    def squashing(_typing, score, tanh, shut, clip, lane):
        return types.void(score, tanh, shut, clip, lane), generate

    return intrinsic(squashing)


def _counting(width):
    """A function that counts, in columns, the rows up to which weights are within a threshold."""

    def generate(context, builder, signature, arguments):
        vector, integers = (
            ir.VectorType(ir.FloatType(), width),
            ir.VectorType(ir.IntType(32), width),
        )
        weight, threshold, found = opened(context, builder, signature, arguments, 3)
        lane = arguments[3]
        rows = cgutils.unpack_tuple(builder, weight.shape)[0]
        most = builder.load(place(builder, threshold, (lane,), vector), align=4)

        def count(n, held):
            passed, counted = held
            passed = builder.fadd(
                passed, builder.load(place(builder, weight, (n, lane), vector), align=4)
            )
            within = builder.sext(builder.fcmp_ordered("<=", passed, most), integers)
            return [passed, builder.sub(counted, within)]

        begin = [many(0.0, width), ir.Constant(integers, [0] * width)]
        _, counted = along(builder, rows, begin, count)
        builder.store(counted, place(builder, found, (lane,), integers), align=4)
        return context.get_dummy_value()

    def counting(_typing, weight, threshold, found, lane):
        return types.void(weight, threshold, found, lane), generate

    return intrinsic(counting)


_weigh, _weigh_few = _weighing(LANES), _weighing(FEW_LANES)
_squash, _squash_few = _squashing(LANES), _squashing(FEW_LANES)
_count, _count_few = _counting(LANES), _counting(FEW_LANES)
_LOG2E = np.float32(math.log2(math.e))


@_called
def weights(score, scale, top, total):
    """Turns scores into weights `e^(scale (score - top))`, 0 where that is below e^-64.

    Args:
        score: `[N, T]`, overwritten by weights; `T` is a multiple of 8.
        scale: of scores.
        top: `[T]`, filled with the largest score of each column.
        total: `[T]`, filled with the sum of the weights of each column.
    """
    lanes = score.shape[1]
    for lane in range(0, lanes - FEW_LANES, LANES):
        _weigh(score, top, total, scale * _LOG2E, lane)
    if lanes % LANES:
        _weigh_few(score, top, total, scale * _LOG2E, lanes - FEW_LANES)


@_called
def squash(score, tanh, shut, clip):
    """Turns scores into logits `clip tanh(score + pair) + shut`, all `[N, T]`.

    Args:
        score: overwritten by logits; `T` is a multiple of 8.
        tanh: `pair`, overwritten by the tanh.
        shut: what closes nodes.
        clip: largest logit.
    """
    lanes = score.shape[1]
    for lane in range(0, lanes - FEW_LANES, LANES):
        _squash(score, tanh, shut, clip, lane)
    if lanes % LANES:
        _squash_few(score, tanh, shut, clip, lanes - FEW_LANES)


@_called
def sample(weight, threshold, found):
    """The first row of each column up to which weights add up to more than a threshold.

    Args:
        weight: `[N, T]`; `T` is a multiple of 8.
        threshold: `[T]` of 0 or more, and below the sum of the weights. It then is a row that
            has a weight.
        found: `[T]` int32, filled.
    """
    lanes = weight.shape[1]
    for lane in range(0, lanes - FEW_LANES, LANES):
        _count(weight, threshold, found, lane)
    if lanes % LANES:
        _count_few(weight, threshold, found, lanes - FEW_LANES)
