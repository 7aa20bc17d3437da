"""Expressions in plain Python: what they are worth, and shorter ones that are worth the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nco.search.evolve.language import BIG, HOLES, Insertion, Phase, Removal, holes_of, nodes

if TYPE_CHECKING:
    from nco.search.evolve.language import Expression, Program

_TINY = 1e-9
_APPLIED: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b if abs(b) >= _TINY else a,
        "min": min,
        "max": max,
        "<": lambda a, b: float(a < b),
        "neg": lambda a: -a,
        "abs": abs,
        "sqrt": lambda a: math.sqrt(abs(a)),
        "log": lambda a: math.log(abs(a)) if abs(a) >= _TINY else 0.0,
        "floor": lambda a: float(math.floor(a)),
        "if": lambda a, b, c: b if a > 0.0 else c,
    }
)


def reckoned(expression: Expression, features: Mapping[str, float]) -> float:
    """What an expression is worth.

    Args:
        expression: to reckon.
        features: values of those in it.
    """
    if isinstance(expression, str):
        return tamed(features[expression])
    if isinstance(expression, tuple):
        name, *parts = expression
        return tamed(_APPLIED[name](*(reckoned(part, features) for part in parts)))
    return float(expression)


def tamed(x: float) -> float:
    """A number that is one, within bounds."""
    return 0.0 if math.isnan(x) else max(-BIG, min(x, BIG))


def simplified(program: Program) -> Program:
    """A program that does the same in fewer steps."""
    if isinstance(program, Removal):
        return Removal(tuple(_simpler(phase, HOLES) for phase in program.phases))
    return _simpler(program, holes_of(program))


def _simpler[T: (Phase, Insertion)](part: T, holes: Iterable[str]) -> T:
    changed: dict[str, Any] = {hole: _simple(getattr(part, hole)) for hole in holes}
    return replace(part, **changed)


def _simple(expression: Expression) -> Expression:
    if not isinstance(expression, tuple):
        return expression
    name = expression[0]
    parts = tuple(_simple(part) for part in expression[1:])
    if all(isinstance(part, float) for part in parts):
        return reckoned((name, *parts), {})
    found = _shorter(name, parts)
    return (name, *parts) if found is None else found


def _shorter(name: str, parts: tuple[Any, ...]) -> Any:
    """The same without a function, if that goes; None if not."""
    a, b = parts[0], parts[-1]
    same = len(parts) == 2 and a == b and not _draws(a)
    match name:
        case "+" if a == 0.0 or b == 0.0:
            return b if a == 0.0 else a
        case "-" | "/" if b == (0.0 if name == "-" else 1.0):
            return a
        case "*" if 1.0 in (a, b):
            return b if a == 1.0 else a
        case "-" | "<" if same:
            return 0.0
        case "*" if 0.0 in (a, b):
            return 0.0
        case "min" | "max" if same:
            return a
        case "neg" if isinstance(a, tuple) and a[0] == "neg":
            return a[1]
        case "abs" if isinstance(a, tuple) and a[0] in ("neg", "abs"):
            return ("abs", a[1]) if a[0] == "neg" else a
        case "if" if isinstance(a, float):
            return parts[1] if a > 0.0 else parts[2]
        case "if" if parts[1] == parts[2] and not _draws(parts[1]):
            return parts[1]
    return None


def _draws(expression: Expression) -> bool:
    """Whether an expression is another number every time."""
    if isinstance(expression, tuple):
        return any(map(_draws, expression[1:]))
    return expression == "random"


def steps(program: Program) -> float:
    """About how many steps a program takes a stop: a measure of cost that no load changes."""
    if isinstance(program, Removal):
        return sum(_phase_steps(phase) for phase in program.phases)
    ranked = 2.0 if program.mode == "regret" else 1.0
    place = 0 if program.place == "cost" else nodes(program.place)
    return ranked * (48.0 * place + nodes(program.order))


def _phase_steps(phase: Phase) -> float:
    tried = 0 if phase.spread == "alone" else min(phase.reach, 20)
    taking = nodes(phase.take) + nodes(phase.length) + nodes(phase.keep)
    return float(phase.share * (phase.draws * nodes(phase.anchor) + taking * (1 + tried) / 10))
