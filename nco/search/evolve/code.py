"""Programs as numbers: what the compiled machine runs, see `nco.search.evolve.machine`.

Expressions become postfix code, one number a node: below `_FEATURES` a function, below `_NUMBERS` a
feature, and from there on a constant.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nco.kernels.by_reference import by_reference
from nco.search.evolve.language import (
    FEATURES,
    FUNCTIONS,
    HOLES,
    MODES,
    SPREADS,
    Insertion,
    Program,
    Removal,
    holes_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.search.evolve.language import Expression

FIRST_FEATURE, FIRST_NUMBER = 32, 128  # where codes of features and of constants begin
FUNCTION_CODES = {name: code for code, name in enumerate(FUNCTIONS)}
FEATURE_CODES = {name: FIRST_FEATURE + code for code, name in enumerate(FEATURES)}


@by_reference
class Code(NamedTuple):
    """A program for the machine.

    Attributes:
        shape: `[P, 4]` draws, anchors, spread and reach of each phase; of an insertion its mode,
            vehicles, and whether vehicles are free.
        share: `[P]` of each phase; of an insertion the logarithm of the chance that a place is
            seen.
        first: `[E + 1]` where the code of each expression begins: anchor, take, length and keep of
            each phase; order and place.
        nodes: code of all expressions in a row.
        numbers: constants.
    """

    shape: NDArray[np.int64]
    share: NDArray[np.float64]
    first: NDArray[np.int64]
    nodes: NDArray[np.int64]
    numbers: NDArray[np.float64]


def encode(program: Program) -> Code:
    """A program for the machine.

    Args:
        program: one that `language.program_of` lets pass.
    """
    if isinstance(program, Removal):
        phases = program.phases
        shape = [(p.draws, p.anchors, SPREADS.index(p.spread), p.reach) for p in phases]
        share = [phase.share for phase in phases]
        expressions = [getattr(phase, hole) for phase in phases for hole in HOLES]
    else:
        shape, share, expressions = _of_insertion(program)
    nodes, numbers, first = list[int](), list[float](), [0]
    for expression in expressions:
        _append(expression, nodes, numbers)
        first.append(len(nodes))
    return Code(
        np.array(shape, np.int64),
        np.array(share, np.float64),
        np.array(first, np.int64),
        np.array(nodes, np.int64),
        np.array(numbers or [0.0], np.float64),
    )


def _of_insertion(
    program: Insertion,
) -> tuple[list[tuple[int, int, int, int]], list[float], list[Expression]]:
    mode = MODES.index(program.mode)
    shape = [(mode, program.vehicles if mode else 1, int(program.free), 0)]
    share = [math.log1p(-program.blink)]
    return shape, share, [getattr(program, hole) for hole in holes_of(program)]


def _append(expression: Expression, nodes: list[int], numbers: list[float]) -> None:
    """Appends the code of an expression: its arguments, then what is made of them."""
    if isinstance(expression, tuple):
        for part in expression[1:]:
            _append(part, nodes, numbers)
        nodes.append(FUNCTION_CODES[expression[0]])
    elif isinstance(expression, str):
        nodes.append(FEATURE_CODES[expression])
    else:
        nodes.append(FIRST_NUMBER + len(numbers))
        numbers.append(float(expression))
