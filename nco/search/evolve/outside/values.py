"""Expressions as they are built: what the language's functions make of others, kept small.

What can be reckoned at once is; Python's comparisons and logic are said by `<`, `min` and `max`.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from nco.errors import InputError
from nco.search.evolve.language import BIG, FUNCTIONS, MOST_NODES, Expression

_TINY = 1e-9
_RANDOM = "random"


@dataclass(frozen=True)
class Value:
    """An expression.

    Attributes:
        tree: in the language.
        size: its nodes.
        draws: the random numbers in it, each with a number of its own; one that is there twice
            would be another one each time in the language.
        truth: whether it is 0 or 1, as comparisons are.
    """

    tree: Expression
    size: int = 1
    draws: tuple[int, ...] = ()
    truth: bool = False

    @property
    def known(self) -> float | None:
        """Its number, if it is one."""
        return self.tree if isinstance(self.tree, float) else None


def number(value: float) -> Value:
    """A number.

    Raises:
        InputError: it is none of the language.
    """
    try:
        plain = float(value)
    except OverflowError:
        plain = math.inf
    if not -BIG <= plain <= BIG:
        raise InputError("numbers are from -1e9 to 1e9")
    return Value(plain)


def feature(name: str) -> Value:
    """What a feature is."""
    return drawn(0) if name == _RANDOM else Value(name)


def drawn(draw: int) -> Value:
    """A random number that is no other one."""
    return Value(_RANDOM, 1, (draw,))


def draws_twice(value: Value) -> bool:
    """Whether the same random number is in it more than once."""
    return len(set(value.draws)) < len(value.draws)


def apply(function: str, *arguments: Value, truth: bool = False) -> Value:
    """A function of the language.

    Raises:
        InputError: it takes another number of arguments, or the whole is too large.
    """
    arity = FUNCTIONS[function]
    if len(arguments) != arity:
        raise InputError(f"{function} takes {arity} arguments")
    numbers = [argument.known for argument in arguments]
    if None not in numbers:
        return Value(_reckoned(function, [float(n or 0.0) for n in numbers]), truth=truth)
    if function == "if" and numbers[0] is not None:
        return arguments[1] if numbers[0] > 0 else arguments[2]
    if function == "if":
        arguments = (_tested(arguments[0]), *arguments[1:])
    size = 1 + sum(argument.size for argument in arguments)
    if size > MOST_NODES:
        raise InputError(f"the expression has more than {MOST_NODES} parts; make it shorter")
    draws = [Counter(argument.draws) for argument in arguments]
    if function == "if":  # only one of the two counts
        draws = [draws[0], draws[1] | draws[2]]
        truth = arguments[1].truth and arguments[2].truth
    every = tuple(sum(draws, Counter()).elements())
    return Value((function, *(argument.tree for argument in arguments)), size, every, truth)


def _tested(test: Value) -> Value:
    """What `if` looks at: whether it is positive, so that `0 < a` is a."""
    tree = test.tree
    if isinstance(tree, tuple) and tree[:2] == ("<", 0.0):
        return Value(tree[2], test.size - 2, test.draws)
    return test


_RECKONED: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if abs(b) >= _TINY else a,
    "min": min,
    "max": max,
    "<": operator.lt,
    "neg": operator.neg,
    "abs": abs,
    "sqrt": lambda a: math.sqrt(abs(a)),
    "log": lambda a: math.log(abs(a)) if abs(a) >= _TINY else 0.0,
    "floor": math.floor,
    "if": lambda a, b, c: b if a > 0 else c,
}


def _reckoned(function: str, given: list[float]) -> float:
    """What the language's functions make of numbers."""
    return max(-BIG, min(BIG, float(_RECKONED[function](*given))))


def less(a: Value, b: Value) -> Value:
    """`a < b`."""
    return apply("<", a, b, truth=True)


def negated(a: Value) -> Value:
    """`not a`, of what is 0 or 1."""
    return apply("-", number(1), a, truth=True)


def both(a: Value, b: Value) -> Value:
    """`a and b`, of what is 0 or 1."""
    return apply("min", a, b, truth=True)


def either(a: Value, b: Value) -> Value:
    """`a or b`, of what is 0 or 1."""
    return apply("max", a, b, truth=True)


def equal(a: Value, b: Value) -> Value:
    """`a == b`, which among fractions means: nearer than 1e-9."""
    return less(apply("abs", apply("-", a, b)), number(_TINY))


def power(a: Value, b: Value) -> Value:
    """`a ** b`.

    Raises:
        InputError: b is no small number.
    """
    if b.known == 0.5:
        return apply("sqrt", a)
    if b.known not in (2.0, 3.0, 4.0):
        raise InputError("a power is 2, 3, 4 or 0.5")
    whole = a
    for _ in range(int(b.known) - 1):
        whole = apply("*", whole, a)
    return whole
