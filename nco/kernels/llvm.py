"""What functions written in LLVM's language begin with: places in arrays, vectors, loops.

Neither numba nor llvmlite is imported before code is generated: what was compiled before runs
without.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any


class Later:
    """A module that is imported when something of it is first asked for.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """What the module has under that name."""
        return getattr(import_module(self._name), attribute)


# The names under which numba's own code knows them.
ir: Any = Later("llvmlite.ir")
types: Any = Later("numba.core.types")
cgutils: Any = Later("numba.core.cgutils")


class Intrinsic:
    """What `numba.extending.intrinsic` makes of a function, once compiled code calls it.

    Args:
        definition: from the typing context and types of arguments to the signature and a function
            that generates the code.
    """

    def __init__(self, definition: Any) -> None:
        self._definition, self.__doc__ = definition, definition.__doc__

    @functools.cached_property
    def _numba_type_(self) -> Any:
        """What numba asks of a global name that compiled functions call."""
        from numba import extending
        from numba.core.registry import cpu_target

        known = extending.intrinsic(self._definition)
        cpu_target.typing_context.refresh()  # takes in what was registered since
        return cpu_target.typing_context.resolve_value_type(known)


intrinsic: Any = Intrinsic  # a decorator; typed by what they are called with


def opened(context, builder, signature, arguments, count):
    """The first arguments, which are arrays, with their data and strides."""
    pairs = list(zip(signature.args, arguments, strict=True))[:count]
    return [context.make_array(kind)(context, builder, value) for kind, value in pairs]


def place(builder, array, index, kind):
    """A pointer to an element, whatever the array's strides."""
    address = builder.ptrtoint(array.data, ir.IntType(64))
    strides = cgutils.unpack_tuple(builder, array.strides)
    for stride, number_along in zip(strides, index, strict=True):
        address = builder.add(address, builder.mul(stride, number_along))
    return builder.inttoptr(address, kind.as_pointer())


def many(number, width):
    """A constant vector of the same float32."""
    return ir.Constant(ir.VectorType(ir.FloatType(), width), [float(number)] * width)


def spread(builder, number, width):
    """A vector of the same number, which is known only when the function runs."""
    undefined = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
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
    k = builder.phi(ir.IntType(64))
    k.add_incoming(ir.Constant(ir.IntType(64), 0), before)
    held = [builder.phi(value.type) for value in begin]
    for value, first in zip(held, begin, strict=True):
        value.add_incoming(first, before)
    changed = body(k, held)
    following = builder.add(k, ir.Constant(ir.IntType(64), 1))
    k.add_incoming(following, loop)
    for value, new in zip(held, changed, strict=True):
        value.add_incoming(new, loop)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)
    return changed
