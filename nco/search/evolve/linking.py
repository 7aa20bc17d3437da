"""Programs as operators: an address each, behind which the one compiled machine runs them.

What a search calls is a few instructions that add the program to the arguments. So a program takes
a millisecond to be linked, and nothing is compiled for it.
"""

from __future__ import annotations

import itertools
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.kernels.compiled import packed
from nco.search.evolve.code import encode
from nco.search.evolve.inserting import run_insertion
from nco.search.evolve.language import Removal
from nco.search.evolve.removing import run_removal
from nco.search.lns.operators import Operator, always

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.search.evolve.language import Program
    from nco.search.lns.records import Instance, SearchState

_numbers = itertools.count()
_STUB = """
define void @{name}(i64* %instance, i64* %state, i64 %count) {{
  %machine = inttoptr i64 {machine} to void (i64*, i64*, i64, i64*)*
  %program = inttoptr i64 {program} to i64*
  call void %machine(i64* %instance, i64* %state, i64 %count, i64* %program)
  ret void
}}
"""


class Linked:
    """A program, called as a compiled operator is; it lives as long as what it is called by.

    Args:
        program: one that `language.program_of` lets pass.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._machine = run_removal if isinstance(program, Removal) else run_insertion
        self._code = encode(program)
        _, form, words = packed((self._code,))
        self._words = np.frombuffer(struct.pack(form, *words), np.int64)
        self._engine: Any = None
        self._address = 0

    def __reduce__(self) -> tuple[type[Linked], tuple[Program]]:
        """What is pickled is the program, which another process links anew."""
        return Linked, (self.program,)

    @property
    def loaded(self) -> bool:
        """Whether the machine has been compiled before."""
        return bool(self._machine.loaded)

    def address(self, instance: Instance, state: SearchState, count: int) -> int:
        """Where its code begins; it stays there."""
        if not self._address:
            import llvmlite.binding as llvm

            name = f"nco_program_{next(_numbers)}"
            machine = self._machine.address(instance, state, count, self._code)
            text = _STUB.format(name=name, machine=machine, program=self._words.ctypes.data)
            self._engine = llvm.create_mcjit_compiler(
                llvm.parse_assembly(text), _target().create_target_machine()
            )
            self._engine.finalize_object()
            self._address = self._engine.get_function_address(name)
        return self._address


@cache
def _target() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple()


def operator_of(
    program: Program, weight: float = 1.0, *, when: Callable[[Instance], bool] = always
) -> Operator:
    """An operator of the neighbourhood search that runs a program.

    Args:
        program: one that `language.program_of` lets pass.
        weight: see `Operator`.
        when: see `Operator`.
    """
    return Operator(Linked(program), weight, when)
