"""One step of shortest paths, many entries at a time, for compiled loops on whole numbers.

LLVM keeps numba's loops on 16-bit numbers scalar, because numba widens every sum to 64 bits, and
checks anew for every short row whether arrays overlap. This says directly what is meant.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from nco.kernels.llvm import intrinsic, ir, opened, place, spread, types

LANES_BITS = 256
"""Bits of the entries relaxed at once; rows have to be padded to a multiple of that."""


def lanes_of(itemsize: int) -> int:
    """How many entries of so many bytes are relaxed at once."""
    return LANES_BITS // (8 * itemsize)


@intrinsic
def relax(typing, dist, at, rows, first, second, by_first, by_second):  # noqa: ARG001
    """Lowers the lanes number `at` of an array to those of two others plus a number each.

    The others are the lanes number `first` and `second` of `rows`. Sums are not checked for
    overflow. Two at once cost little more than one, because most of the time goes into loading and
    storing what is lowered.
    """
    number = dist.dtype
    signature = types.void(dist, types.intp, rows, types.intp, types.intp, number, number)

    def generated(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        lanes = ir.VectorType(ir.IntType(kind.bitwidth), LANES_BITS // kind.bitwidth)
        size = kind.bitwidth // 8
        compare = builder.icmp_signed if kind.signed else builder.icmp_unsigned
        to, of = opened(
            context, builder, signature.replace(args=(signature.args[0], signature.args[2])),
            (arguments[0], arguments[2]), 2,
        )  # fmt: skip

        def lanes_at(array, number):
            first = builder.mul(number, ir.Constant(ir.IntType(64), lanes.count))
            return place(builder, array, [first], lanes)

        where = lanes_at(to, arguments[1])
        least = builder.load(where, align=size)
        for row, by in ((3, 5), (4, 6)):
            there = builder.load(lanes_at(of, arguments[row]), align=size)
            new = builder.add(there, spread(builder, arguments[by], lanes.count))
            least = builder.select(compare("<", new, least), new, least)
        builder.store(least, where, align=size)
        return context.get_dummy_value()

    return signature, generated
