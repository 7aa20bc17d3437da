"""What numba is told of named tuples that go by reference; see `nco.kernels.by_reference`.

In memory they are words of eight bytes, one field behind the other: of an array in C order where
its entries are, and its shape; of a number the number.
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

from nco.kernels.by_reference import BY_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = ir.IntType(64)


class Reference(types.Type):
    """What numba knows of a named tuple that is passed by reference.

    Attributes:
        cls: the named tuple.
        members: types of its fields, in order.
    """

    def __init__(self, cls: type, members: Sequence[types.Type]) -> None:
        self.cls, self.members = cls, tuple(members)
        super().__init__(f"{cls.__module__}.{cls.__qualname__}{self.members}")

    def place(self, name: str) -> tuple[int, types.Type] | None:
        """The first word of a field and its type; None where there is no such field."""
        at = 0
        for known, member in zip(self.cls._fields, self.members, strict=True):  # type: ignore[attr-defined]
            if known == name:
                return at, member
            at += words_of(member)
        return None


def words_of(member: types.Type) -> int:
    """How many words a field has."""
    return 1 + member.ndim if isinstance(member, types.Array) else 1


def field_type(value: Any) -> types.Type:
    """The type of a field, or of an argument by value: arrays may always be written to."""
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise TypeError(
                f"an array {value.shape} with strides {value.strides}: by reference go arrays in C "
                "order only; hand over np.ascontiguousarray of it"
            )
        return types.Array(typeof(value).dtype, value.ndim, "C")
    kind: types.Type = typeof(value)
    return kind


def register(cls: type) -> None:
    """Tells numba of a named tuple."""
    typeof_impl.register(cls)(lambda value, _: Reference(cls, [field_type(x) for x in value]))


@register_model(Reference)
class _Model(models.PrimitiveModel):
    """A pointer to the words."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, WORD.as_pointer())


@infer_getattr
class _Fields(AttributeTemplate):
    key = Reference

    def generic_resolve(self, kind, name):
        found = kind.place(name)
        return None if found is None else found[1]


@lower_getattr_generic(Reference)
def _read(context, builder, kind, pointer, name):
    """Loads a field.

    That the words never change is told to LLVM, which else would load them again after each write
    to any array.
    """
    place, member = kind.place(name)

    def load(k):
        value = builder.load(builder.gep(pointer, [WORD(place + k)], inbounds=True))
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    return from_words(context, builder, member, load)


def from_words(context, builder, member, load, *, strided=False):
    """A value of words `load(0)`, `load(1)`, ...; strides of an array follow if they are told."""
    if isinstance(member, types.Array):
        shape = [load(1 + axis) for axis in range(member.ndim)]
        width = context.get_abi_sizeof(context.get_data_type(member.dtype))
        if strided:
            strides = [load(1 + member.ndim + axis) for axis in range(member.ndim)]
        else:
            strides = [context.get_constant(types.intp, width)]
            for extent in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], extent))
        array = make_array(member)(context, builder)
        data = builder.inttoptr(load(0), array.data.type)
        populate_array(array, data, shape, strides, width, None)
        return array._getvalue()  # noqa: SLF001
    word, kind = load(0), context.get_value_type(member)
    if isinstance(kind, ir.DoubleType):
        return builder.bitcast(word, kind)
    if isinstance(kind, ir.FloatType):
        return builder.bitcast(builder.trunc(word, ir.IntType(32)), kind)
    return word if kind == WORD else builder.trunc(word, kind)


def to_word(builder, value):
    """A number as a word."""
    if isinstance(value.type, ir.DoubleType):
        return builder.bitcast(value, WORD)
    if isinstance(value.type, ir.FloatType):
        return builder.zext(builder.bitcast(value, ir.IntType(32)), WORD)
    return value if value.type == WORD else builder.zext(value, WORD)


@unbox(Reference)
def _unbox(kind, value, c):
    """Puts the words of a tuple behind one another, for as long as the call takes."""
    builder, context = c.builder, c.context
    count = sum(words_of(member) for member in kind.members)
    words = cgutils.alloca_once(builder, WORD, size=count)
    failed, at = cgutils.false_bit, 0

    def store(word, k):
        builder.store(word, builder.gep(words, [WORD(k)], inbounds=True))

    for place, member in enumerate(kind.members):
        item = c.pyapi.tuple_getitem(value, place)
        if isinstance(member, types.Array):
            array = make_array(member)(context, builder)
            pointer = builder.bitcast(array._getpointer(), c.pyapi.voidptr)  # noqa: SLF001
            code = c.pyapi.numba_array_adaptor(item, pointer)
            failed = builder.or_(failed, cgutils.is_not_null(builder, code))
            store(builder.ptrtoint(array.data, WORD), at)
            for axis, extent in enumerate(cgutils.unpack_tuple(builder, array.shape)):
                store(extent, at + 1 + axis)
        else:
            native = c.unbox(member, item)
            store(to_word(builder, native.value), at)
            failed = builder.or_(failed, native.is_error)
        at += words_of(member)
    return NativeValue(hidden(builder, words), is_error=failed)


def hidden(builder, words):
    """A pointer of which LLVM must not see where it comes from.

    To `_read` the words never change; that they were written just before must not be known where a
    call is inlined.
    """
    same = ir.FunctionType(words.type, [words.type])
    return builder.asm(same, "", "=r,0,~{memory}", [words], side_effect=True)


for _cls in BY_REFERENCE:
    register(_cls)
