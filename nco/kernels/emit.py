"""Object code of kernels, by numba: one entry that C can call, and all that it calls inside it.

An entry takes the address of a block of words: those of all arguments, one behind the other, and
one for what is returned. `nco.kernels.compiled` fills blocks, `nco.kernels.reference` says what
words are.
"""

# mypy: allow-untyped-calls, allow-untyped-defs, allow-untyped-decorators
# Numba has no types.

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.typing.typeof import typeof

from nco.kernels.by_reference import BY_REFERENCE
from nco.kernels.objects import Compiled
from nco.kernels.reference import WORD, Reference, from_words, hidden, to_word, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_RETURNS = {types.float64: "d", types.int64: "q", types.boolean: "?"}
_UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@global_compiler_lock
def compiled_object(
    function: Callable[..., Any],
    options: dict[str, Any],
    arguments: Sequence[Any],
    symbol: str,
    *,
    direct: bool,
) -> Compiled:
    """Compiles a function for arguments of some types.

    Args:
        function: in Python.
        options: of `numba.njit`.
        arguments: of the types that count: arrays, numbers, and tuples by reference.
        symbol: name of the entry.
        direct: whether the entry takes the arguments themselves, as C does, which must be numbers
            and tuples by reference then; it returns nothing.

    Raises:
        RuntimeError: the code needs something that only numba has, such as memory of its own.
    """
    make: Any = njit
    dispatcher = make(**options, **_UNWRAPPED)(function)
    kinds = tuple(map(type_of, arguments))
    dispatcher.compile(kinds)
    (result,) = dispatcher.overloads.values()
    context = result.target_context
    library = context.codegen().create_library(symbol)
    library.enable_object_caching()
    module = library.create_ir_module(symbol)
    given = [context.get_value_type(kind) for kind in kinds] if direct else [WORD.as_pointer()]
    back = ir.VoidType() if direct else ir.IntType(32)
    entry = ir.Function(module, ir.FunctionType(back, given), symbol)
    builder = ir.IRBuilder(entry.append_basic_block())
    values, at = (
        (list(entry.args), 0) if direct else _unpacked(context, builder, kinds, entry.args[0])
    )
    native = context.declare_function(module, result.fndesc)
    returned = result.signature.return_type
    status, value = context.call_conv.call_function(
        builder, native, returned, result.signature.args, values
    )
    if direct:
        builder.ret_void()
    else:
        if returned in _RETURNS:
            place = builder.gep(entry.args[0], [WORD(at)])
            builder.store(to_word(builder, value), place)
        builder.ret(
            builder.zext(status.is_error, back) if status.is_error.type != back else status.is_error
        )
    library.add_ir_module(module)
    library.add_linking_library(result.library)
    library.finalize()
    _refuse_numba_only(symbol, library)
    code = library._get_compiled_object()  # noqa: SLF001 (what its own cache asks)
    return Compiled(code, "" if direct else _RETURNS.get(returned, ""))


def type_of(value: Any) -> types.Type:
    """The type of an argument; arrays may always be written to."""
    if type(value) in BY_REFERENCE:
        kind: types.Type = typeof(value)
    elif isinstance(value, np.ndarray):
        known = typeof(value)
        kind = types.Array(known.dtype, known.ndim, known.layout)
    else:
        kind = typeof(value)
    return kind


def _unpacked(context, builder, kinds, block):
    """Values of all arguments in a block, and the first word behind them."""
    values, at = [], 0
    for kind in kinds:
        if isinstance(kind, Reference):
            values.append(hidden(builder, builder.gep(block, [WORD(at)])))
            at += sum(map(words_of, kind.members))
            continue

        def load(k, begin=at):
            return builder.load(builder.gep(block, [WORD(begin + k)]))

        values.append(from_words(context, builder, kind, load, strided=True))
        at += words_of(kind) + (kind.ndim if isinstance(kind, types.Array) else 0)
    return values, at


def _refuse_numba_only(symbol, library):
    """Raises if the code calls what is not there without numba."""
    process = ctypes.CDLL(None)
    module = library._final_module  # noqa: SLF001
    missing = [
        f.name
        for f in module.functions
        if f.is_declaration and not f.name.startswith("llvm.") and not hasattr(process, f.name)
    ]
    if missing:
        raise RuntimeError(
            f"{symbol} calls {', '.join(missing)}, which only numba has; hand memory over instead "
            "of allocating it, or leave `ahead` out"
        )
