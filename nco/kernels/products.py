"""What numba does not make fast by itself, written in LLVM's language.

Products of small matrices: `numpy.dot` in compiled code calls OpenBLAS, which takes a lock for each
product. Those of a decision are so small that two threads with it are no faster than one. Here
a block of the result stays in registers while one pass over the common axis fills it.

Transposes: an element at a time takes as long as the product that needs it.

A counter that threads share: each takes the next piece of work when it has done one.

The larger of two numbers: numba's `max` minds what is not a number, and so its loops are not
turned into vectors; with this one they are five times as fast. The exponential: the one of the
library is called for one number at a time.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.llvm import along, cgutils, intrinsic, ir, many, opened, place, spread, types

ROWS, LANES = 6, 16
"""Of a block: with AVX2, twelve of the sixteen registers hold sums, the others what is added."""

FEW_ROWS, FEW_LANES = 4, 8
"""Of what is left: blocks of few rows, and blocks of twice as many rows but few lanes."""

SIDE = 8
"""Of a square that is transposed in registers."""

_LOWEST = np.float32(-64.0)  # below, e^x times a weight might be no normal float32: slow
# 2^f on [-1/2, 1/2] by its Taylor polynomial: 3e-6 relative error.
_LOG2E = np.float32(1.4426950408889634)
_C1 = np.float32(0.6931471805599453)
_C2 = np.float32(0.2402265069591007)
_C3 = np.float32(0.0555041086648216)
_C4 = np.float32(0.0096181291076285)
_C5 = np.float32(0.0013333558146428)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_EXPONENT_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)

_called: Any = compiled(cache=False, nogil=True, fastmath=True, error_model="numpy")
_inline: Any = compiled(
    cache=False, nogil=True, fastmath=True, error_model="numpy", inline="always"
)


def _block(height, width, begun=False):
    """A function that fills `out[row : row + height, lane : lane + width]` with `a @ b`.

    If `begun`, it adds `begin` at the same place.
    """

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.FloatType(), width)
        *arrays, row, lane = arguments
        a, b, *begin, out = opened(context, builder, signature, arguments, len(arrays))
        depth = cgutils.unpack_tuple(builder, a.shape)[1]
        rows = [builder.add(row, ir.Constant(ir.IntType(64), r)) for r in range(height)]

        def part(array, index):
            return builder.load(place(builder, array, index, vector), align=4)

        def add(k, sums):
            of_b, added = part(b, (k, lane)), []
            for total, r in zip(sums, rows, strict=True):
                one = builder.load(place(builder, a, (r, k), ir.FloatType()), align=4)
                product = builder.fmul(spread(builder, one, width), of_b, flags=("contract",))
                added.append(builder.fadd(product, total, flags=("contract",)))
            return added

        start = [part(begin[0], (r, lane)) if begun else many(0.0, width) for r in rows]
        for total, r in zip(along(builder, depth, start, add), rows, strict=True):
            builder.store(total, place(builder, out, (r, lane), vector), align=4)
        return context.get_dummy_value()

    def block(_typing, a, b, out, row, lane):
        return types.void(a, b, out, row, lane), generate

    def begun_block(_typing, a, b, begin, out, row, lane):
        return types.void(a, b, begin, out, row, lane), generate

    return intrinsic(begun_block if begun else block)


_whole, _low, _narrow = _block(ROWS, LANES), _block(FEW_ROWS, LANES), _block(2 * ROWS, FEW_LANES)
_whole_onto, _low_onto = _block(ROWS, LANES, begun=True), _block(FEW_ROWS, LANES, begun=True)
_narrow_onto = _block(2 * ROWS, FEW_LANES, begun=True)


@intrinsic
def _turned_square(_typing, a, out, row, lane):
    """Fills `out[lane : lane + SIDE, row : row + SIDE]` with that square of `a`, transposed."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.FloatType(), SIDE)
        a, out = opened(context, builder, signature, arguments, 2)
        row, lane = arguments[2:]

        def side(begin):
            return [builder.add(begin, ir.Constant(ir.IntType(64), k)) for k in range(SIDE)]

        rows = [builder.load(place(builder, a, (r, lane), vector), align=4) for r in side(row)]
        # Three rounds of swaps between rows that are 1, 2 and 4 apart.
        for apart in (1, 2, 4):
            low = [k + (SIDE - apart if k & apart else 0) for k in range(SIDE)]
            high = [k + (SIDE if k & apart else apart) for k in range(SIDE)]
            masks = [ir.Constant(ir.VectorType(ir.IntType(32), SIDE), mask) for mask in (low, high)]
            for k in range(SIDE):
                if not k & apart:
                    pair = rows[k], rows[k + apart]
                    rows[k], rows[k + apart] = (builder.shuffle_vector(*pair, m) for m in masks)
        for value, r in zip(rows, side(lane), strict=True):
            builder.store(value, place(builder, out, (r, row), vector), align=4)
        return context.get_dummy_value()

    return types.void(a, out, row, lane), generate


@intrinsic
def take(_typing, counter):
    """The first number of an int64 array; whoever asks next, in any thread, gets one more."""

    def generate(context, builder, signature, arguments):
        (array,) = opened(context, builder, signature, arguments, 1)
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), generate


@intrinsic
def peek(_typing, array):
    """The first number of an int64 array, as it is now; another thread may change it."""

    def generate(context, builder, signature, arguments):
        (array,) = opened(context, builder, signature, arguments, 1)
        return builder.load_atomic(array.data, "monotonic", 8)

    return types.int64(array), generate


@intrinsic
def larger(_typing, x, y):
    """The larger of two float32, neither of which may be NaN."""

    def generate(_context, builder, _signature, arguments):
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType(), ir.FloatType()])
        function = builder.module.declare_intrinsic("llvm.maxnum", [ir.FloatType()], kind)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return types.float32(x, y), generate


@_called
def product(a, b, out):
    """Fills `out` `[M, L]` with `a` `[M, K] @ b` `[K, L]`, all of float32.

    Rows of `b` and `out` must be contiguous; `a` may be transposed.
    """
    rows, lanes = out.shape
    if rows < ROWS or lanes < LANES:
        for r in range(rows):
            out[r] = 0.0
            for k in range(len(b)):
                for j in range(lanes):
                    out[r, j] += a[r, k] * b[k, j]
        return
    # The last block of rows, or of lanes, begins early where the number is no multiple: what two
    # blocks share is computed twice.
    narrow = 0 < lanes % LANES <= FEW_LANES and rows >= 2 * ROWS
    wide = lanes - lanes % LANES if narrow else lanes
    low = 0 < rows % ROWS <= FEW_ROWS
    high = rows - rows % ROWS if low else rows
    for lane in range(0, wide, LANES):
        begin = min(lane, lanes - LANES)
        for row in range(0, high, ROWS):
            _whole(a, b, out, min(row, rows - ROWS), begin)
        if low:
            _low(a, b, out, rows - FEW_ROWS, begin)
    if narrow:
        for row in range(0, rows, 2 * ROWS):
            _narrow(a, b, out, min(row, rows - 2 * ROWS), lanes - FEW_LANES)


@_called
def product_onto(a, b, begin, out):
    """Fills `out` with `begin + a @ b`, as `product`; `begin` must be another array."""
    rows, lanes = out.shape
    if rows < ROWS or lanes < LANES:
        for r in range(rows):
            for j in range(lanes):
                out[r, j] = begin[r, j]
            for k in range(len(b)):
                for j in range(lanes):
                    out[r, j] += a[r, k] * b[k, j]
        return
    narrow = 0 < lanes % LANES <= FEW_LANES and rows >= 2 * ROWS
    wide = lanes - lanes % LANES if narrow else lanes
    low = 0 < rows % ROWS <= FEW_ROWS
    high = rows - rows % ROWS if low else rows
    for lane in range(0, wide, LANES):
        first = min(lane, lanes - LANES)
        for row in range(0, high, ROWS):
            _whole_onto(a, b, begin, out, min(row, rows - ROWS), first)
        if low:
            _low_onto(a, b, begin, out, rows - FEW_ROWS, first)
    if narrow:
        for row in range(0, rows, 2 * ROWS):
            _narrow_onto(a, b, begin, out, min(row, rows - 2 * ROWS), lanes - FEW_LANES)


@_called
def turn(a, out):
    """Fills `out` `[L, M]` with `a` `[M, L]` transposed, both of float32 and contiguous rows."""
    rows, lanes = a.shape
    if rows < SIDE or lanes < SIDE:
        for r in range(rows):
            for j in range(lanes):
                out[j, r] = a[r, j]
        return
    for row in range(0, rows, SIDE):
        for lane in range(0, lanes, SIDE):
            _turned_square(a, out, min(row, rows - SIDE), min(lane, lanes - SIDE))


@_inline
def exponential(x):
    """e^x of a float32 of 0 or less, in arithmetic that compilers turn into vectors."""
    t = larger(x, _LOWEST) * _LOG2E
    whole = np.int32(t - _HALF)
    f = t - np.float32(whole)
    power = ((((_C5 * f + _C4) * f + _C3) * f + _C2) * f + _C1) * f + _ONE
    return power * np.int32((whole + _EXPONENT_BIAS) << _MANTISSA_BITS).view(np.float32)
