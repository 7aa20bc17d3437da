"""A program of the language as text in the subset of Python, as strangers are shown it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from nco.search.evolve.language import (
    HOLES,
    Expression,
    Insertion,
    Phase,
    Program,
    holes_of,
)

_BETWEEN = frozenset({"+", "-", "*", "/", "<"})


def text_of(program: Program) -> str:
    """The text of a program; `door.program_from_text` reads it as one that does the same."""
    if isinstance(program, Insertion):
        return _text('kind = "insertion"', program, holes_of(program), "")
    parts = [
        _text("" if n else 'kind = "removal"', phase, HOLES, f"_{n + 1}" if n else "")
        for n, phase in enumerate(program.phases)
    ]
    return "\n".join(parts)


def _text(first: str, part: Phase | Insertion, holes: Mapping[str, str], end: str) -> str:
    """Settings and functions of an insertion or of a phase of a removal."""
    settings, functions = [first] if first else [], []
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in holes:
            functions.append(_function(f"{field.name}{end}", value))
        elif isinstance(value, str):
            settings.append(f'{field.name}{end} = "{value}"')
        else:
            settings.append(f"{field.name}{end} = {value}")
    return "\n".join(settings) + "\n\n" + "\n\n".join(functions) + "\n"


def _function(name: str, expression: Expression) -> str:
    given = sorted(_features(expression) - {"random"})
    return f"def {name}({', '.join(given)}):\n    return {_written(expression)}"


def _features(expression: Expression) -> set[str]:
    if isinstance(expression, str):
        return {expression}
    if isinstance(expression, tuple):
        return set().union(*map(_features, expression[1:]))
    return set()


def _written(expression: Expression) -> str:
    """An expression in Python."""
    if isinstance(expression, str):
        return "random()" if expression == "random" else expression
    if not isinstance(expression, tuple):
        return f"({expression})" if expression < 0 else str(expression)
    name, *rest = expression
    parts = [_written(part) for part in rest]
    if name in _BETWEEN:
        return f"({parts[0]} {name} {parts[1]})"
    if name == "neg":
        return f"(-{parts[0]})"
    if name == "if":
        test = rest[0]
        compared = isinstance(test, tuple) and test[0] == "<"
        return f"({parts[1]} if {parts[0] if compared else f'{parts[0]} > 0'} else {parts[2]})"
    return f"{name}({', '.join(parts)})"
