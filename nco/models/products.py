"""What numba does not make fast by itself, written in LLVM's language.

Products of small matrices: `numpy.dot` in compiled code calls OpenBLAS, which takes a lock for each
product. Those of a decision are so small that two threads with it are no faster than one. Here
a block of the result stays in registers while one pass over the common axis fills it.

(The kernels are cached by their own file: touch `kernels.py` after a change here.)

The larger of two numbers: numba's `max` minds what is not a number, and so its loops are not
turned into vectors; with this one they are five times as fast.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils

ROWS = 6
LANES = 16
"""Of a block: with AVX2, twelve of the sixteen registers hold sums, the others what is added."""

# Typed by what they are called with.
intrinsic: Any = extending.intrinsic
_inline: Any = njit(nogil=True, fastmath=True, error_model="numpy", inline="always")


@intrinsic
def _block(_typing, a, b, out, row, lane):
    """Fills `out[row : row + ROWS, lane : lane + LANES]` with that block of `a @ b`."""

    def generate(context, builder, signature, arguments):
        number, vector = ir.FloatType(), ir.VectorType(ir.FloatType(), LANES)
        word = ir.IntType(64)

        def address(array, *index):
            """Where an element lies, whatever the array's strides."""
            place = builder.ptrtoint(array.data, word)
            strides = cgutils.unpack_tuple(builder, array.strides)
            for stride, number_along in zip(strides, index, strict=True):
                place = builder.add(place, builder.mul(stride, number_along))
            return place

        a, b, out = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )
        row, lane = arguments[3:]
        depth = cgutils.unpack_tuple(builder, a.shape)[1]
        rows = [builder.add(row, ir.Constant(word, r)) for r in range(ROWS)]
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        before = builder.block
        loop, after = (builder.append_basic_block(name) for name in ("along", "filled"))
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(word)
        k.add_incoming(ir.Constant(word, 0), before)
        sums = [builder.phi(vector) for _ in rows]
        part = builder.load(builder.inttoptr(address(b, k, lane), vector.as_pointer()), align=4)
        added = []
        for total, r in zip(sums, rows, strict=True):
            total.add_incoming(ir.Constant(vector, [0.0] * LANES), before)
            one = builder.load(builder.inttoptr(address(a, r, k), number.as_pointer()), align=4)
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, one, ir.Constant(ir.IntType(32), 0))
            factor = builder.shuffle_vector(first, undefined, lanes)
            product = builder.fmul(factor, part, flags=("contract",))
            added.append(builder.fadd(product, total, flags=("contract",)))
        following = builder.add(k, ir.Constant(word, 1))
        k.add_incoming(following, loop)
        for total, new in zip(sums, added, strict=True):
            total.add_incoming(new, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        builder.position_at_end(after)
        for new, r in zip(added, rows, strict=True):
            builder.store(
                new, builder.inttoptr(address(out, r, lane), vector.as_pointer()), align=4
            )
        return context.get_dummy_value()

    return types.void(a, b, out, row, lane), generate


@intrinsic
def larger(_typing, x, y):
    """The larger of two float32, neither of which may be NaN."""

    def generate(_context, builder, _signature, arguments):
        number = ir.FloatType()
        kind = ir.FunctionType(number, [number, number])
        function = builder.module.declare_intrinsic("llvm.maxnum", [number], kind)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return types.float32(x, y), generate


@_inline
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
    for lane in range(0, lanes, LANES):
        for row in range(0, rows, ROWS):
            _block(a, b, out, min(row, rows - ROWS), min(lane, lanes - LANES))
