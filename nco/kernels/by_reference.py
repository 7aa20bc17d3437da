"""Named tuples of arrays that compiled functions hand on by reference.

Numba passes a named tuple by value: each function takes every word of every array in it, more than
three hundred arguments for two tuples of 24 fields, which costs about a second of compiling a
function, and stack traffic a call. Here they are one pointer each, and a function reads those
fields that it uses.
"""

# mypy: allow-untyped-calls, allow-untyped-defs, disable-error-code="misc, override"
# Numba has no types.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.core.typing.typeof import typeof, typeof_impl
from numba.extending import NativeValue, models, register_model, unbox
from numba.np.arrayobj import make_array, populate_array

if TYPE_CHECKING:
    from collections.abc import Sequence


def by_reference[T: tuple[Any, ...]](cls: type[T]) -> type[T]:
    """Makes compiled functions take the instances of a named tuple by reference.

    Fields are arrays in C order, which stay alive and in place while the function runs, and
    numbers, which it cannot change. Whether an array may be written to is not looked at, so that
    one compiled function serves all.

    Args:
        cls: a class made by `typing.NamedTuple`.
    """
    typeof_impl.register(cls)(lambda value, _: Reference(cls, [_field(x) for x in value]))
    return cls


def _field(value: Any) -> types.Type:
    """The type of a field."""
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise TypeError(
                f"an array {value.shape} with strides {value.strides}: by reference go arrays in C "
                "order only; hand over np.ascontiguousarray of it"
            )
        return types.Array(typeof(value).dtype, value.ndim, "C")
    kind: types.Type = typeof(value)
    return kind


class Reference(types.Type):
    """What numba knows of a named tuple that is passed by reference.

    Attributes:
        cls: the named tuple.
        members: types of its fields, in order.
    """

    def __init__(self, cls: type, members: Sequence[types.Type]) -> None:
        self.cls, self.members = cls, tuple(members)
        super().__init__(f"{cls.__module__}.{cls.__qualname__}{self.members}")

    def at(self, name: str) -> int:
        """The number of a field, or -1."""
        names: tuple[str, ...] = self.cls._fields  # type: ignore[attr-defined]
        return names.index(name) if name in names else -1


@register_model(Reference)
class _Model(models.PrimitiveModel):
    """A pointer to the fields, one behind the other."""

    def __init__(self, manager, kind):
        fields = ir.LiteralStructType([manager[m].get_value_type() for m in kind.members])
        super().__init__(manager, kind, fields.as_pointer())


@infer_getattr
class _Fields(AttributeTemplate):
    key = Reference

    def generic_resolve(self, kind, name):
        place = kind.at(name)
        return None if place < 0 else kind.members[place]


@lower_getattr_generic(Reference)
def _read(context, builder, kind, pointer, name):
    """Loads a field; of an array where its entries are, and its shape.

    That the fields never change is told to LLVM, which else would load them again after each write
    to any array.
    """
    place = kind.at(name)
    member, field = kind.members[place], cgutils.gep_inbounds(builder, pointer, 0, place)

    def load(*path):
        value = builder.load(cgutils.gep_inbounds(builder, field, 0, *path) if path else field)
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    if not isinstance(member, types.Array):
        return load()
    array = make_array(member)(context, builder)
    at = context.data_model_manager[member].get_field_position
    shape = [load(at("shape"), axis) for axis in range(member.ndim)]
    width = context.get_abi_sizeof(context.get_data_type(member.dtype))
    strides = [context.get_constant(types.intp, width)]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    populate_array(array, load(at("data")), shape, strides, width, None)
    return array._getvalue()  # noqa: SLF001


@unbox(Reference)
def _unbox(kind, value, c):
    """Puts what arrays of a tuple point to behind one another, for as long as the call takes."""
    builder = c.builder
    fields = cgutils.alloca_once(builder, c.context.get_value_type(kind).pointee)
    failed = cgutils.false_bit
    for place, member in enumerate(kind.members):
        item = c.pyapi.tuple_getitem(value, place)
        field = cgutils.gep_inbounds(builder, fields, 0, place)
        if isinstance(member, types.Array):
            code = c.pyapi.numba_array_adaptor(item, builder.bitcast(field, c.pyapi.voidptr))
            failed = builder.or_(failed, cgutils.is_not_null(builder, code))
        else:
            native = c.unbox(member, item)
            builder.store(native.value, field)
            failed = builder.or_(failed, native.is_error)
    # LLVM must not see that this memory is written to here, where a call is inlined: to `_read`
    # its fields never change.
    same = ir.FunctionType(fields.type, [fields.type])
    hidden = builder.asm(same, "", "=r,0,~{memory}", [fields], side_effect=True)
    return NativeValue(hidden, is_error=failed)
