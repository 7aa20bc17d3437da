"""One step of shortest paths, many entries at a time, for compiled loops on whole numbers.

LLVM keeps numba's loops on 16-bit numbers scalar, because numba widens every sum to 64 bits, and
checks anew for every short row whether arrays overlap. This says directly what is meant.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from llvmlite import ir
from numba import types

from nco.models.llvm import intrinsic, opened, place, spread

LANES_BITS = 256
"""Bits of the entries relaxed at once; rows have to be padded to a multiple of that."""


def lanes_of(itemsize: int) -> int:
    """How many entries of so many bytes are relaxed at once."""
    return LANES_BITS // (8 * itemsize)


@intrinsic
def relax(typing, dist, at, through, start, by):  # noqa: ARG001
    """Lowers the lanes number `at` of an array to `by` plus the lanes number `start` of another.

    Sums are not checked for overflow.
    """
    signature = types.void(dist, types.intp, through, types.intp, dist.dtype)

    def generated(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        lanes = ir.VectorType(ir.IntType(kind.bitwidth), LANES_BITS // kind.bitwidth)
        arrays = opened(
            context, builder, signature.replace(args=(signature.args[0], signature.args[2])),
            (arguments[0], arguments[2]), 2,
        )  # fmt: skip
        first = ir.Constant(ir.IntType(64), lanes.count)
        to, of = (
            place(builder, array, [builder.mul(number, first)], lanes)
            for array, number in zip(arrays, (arguments[1], arguments[3]), strict=True)
        )
        size = kind.bitwidth // 8
        old = builder.load(to, align=size)
        new = builder.add(builder.load(of, align=size), spread(builder, arguments[4], lanes.count))
        compare = builder.icmp_signed if kind.signed else builder.icmp_unsigned
        builder.store(builder.select(compare("<", new, old), new, old), to, align=size)
        return context.get_dummy_value()

    return signature, generated
