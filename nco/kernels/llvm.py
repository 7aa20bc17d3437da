"""What functions written in LLVM's language begin with: places in arrays, vectors, loops."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils

# Typed by what they are called with.
intrinsic: Any = extending.intrinsic

FLOAT, INT32, WORD = ir.FloatType(), ir.IntType(32), ir.IntType(64)


def opened(context, builder, signature, arguments, count):
    """The first arguments, which are arrays, with their data and strides."""
    pairs = list(zip(signature.args, arguments, strict=True))[:count]
    return [context.make_array(kind)(context, builder, value) for kind, value in pairs]


def place(builder, array, index, kind):
    """A pointer to an element, whatever the array's strides."""
    address = builder.ptrtoint(array.data, WORD)
    strides = cgutils.unpack_tuple(builder, array.strides)
    for stride, number_along in zip(strides, index, strict=True):
        address = builder.add(address, builder.mul(stride, number_along))
    return builder.inttoptr(address, kind.as_pointer())


def many(number, width):
    """A constant vector of the same float32."""
    return ir.Constant(ir.VectorType(FLOAT, width), [float(number)] * width)


def spread(builder, number, width):
    """A vector of the same number, which is known only when the function runs."""
    undefined = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(INT32, 0))
    lanes = ir.Constant(ir.VectorType(INT32, width), [0] * width)
    return builder.shuffle_vector(first, undefined, lanes)


def along(builder, count, begin, body):
    """A loop that holds values in registers.

    Args:
        builder: of the function.
        count: how often, at least once.
        begin: the values before the first time.
        body: from the number of the time and the values to the next values.

    Returns:
        The values after the last time.
    """
    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("along", "after"))
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(WORD)
    k.add_incoming(ir.Constant(WORD, 0), before)
    held = [builder.phi(value.type) for value in begin]
    for value, first in zip(held, begin, strict=True):
        value.add_incoming(first, before)
    changed = body(k, held)
    following = builder.add(k, ir.Constant(WORD, 1))
    k.add_incoming(following, loop)
    for value, new in zip(held, changed, strict=True):
        value.add_incoming(new, loop)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)
    return changed
