"""Genetic programming over the language of operators: programs drawn, changed and crossed.

After J. R. Koza (1992, "Genetic Programming"); every program that comes out is one of the language,
within its limits, and simplified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nco.search.evolve.language import (
    FEATURES,
    FUNCTIONS,
    HOLES,
    MOST_ANCHORS,
    MOST_DEPTH,
    MOST_DRAWS,
    MOST_NODES,
    MOST_PHASES,
    MOST_REACH,
    MOST_VEHICLES,
    SPREADS,
    Insertion,
    Phase,
    Removal,
    holes_of,
    nodes,
)
from nco.search.evolve.plain import simplified, tamed

if TYPE_CHECKING:
    import numpy as np

    from nco.search.evolve.language import Expression, Program

    type Path = tuple[int, ...]
    """Numbers of arguments on the way to a part of an expression."""

DEPTH = 3  # of expressions that are drawn
LEAF = 0.4  # chance that an expression which is drawn ends sooner
NUMBER = 0.3  # chance that a leaf is a number
COMMON = ("+", "-", "*", "/", "min", "max", "<", "if")  # functions that are drawn more often
NUDGE = 0.3  # standard deviation of the logarithm by which numbers change
REACHES = (0, 5, 10, 20, 40, MOST_REACH)


def random_expression(rng: np.random.Generator, hole: str, depth: int = DEPTH) -> Expression:
    """An expression for a hole that features know by that name."""
    if depth <= 0 or rng.random() < LEAF:
        if rng.random() < NUMBER:
            return round(float(rng.normal()), 3)
        names = [name for name, feature in FEATURES.items() if hole in feature.holes]
        return str(rng.choice(names))
    name = str(rng.choice(COMMON if rng.random() < 0.8 else tuple(FUNCTIONS)))
    return (name, *(random_expression(rng, hole, depth - 1) for _ in range(FUNCTIONS[name])))


def random_removal(rng: np.random.Generator) -> Removal:
    """Any removal."""
    count = 1 if rng.random() < 0.7 else 2
    return Removal(tuple(_random_phase(rng, 1.0 / count) for _ in range(count)))


def _random_phase(rng: np.random.Generator, share: float) -> Phase:
    return Phase(
        share=share,
        draws=int(rng.integers(1, 9)),
        anchors=int(rng.choice((1, 2, MOST_ANCHORS))),
        spread=str(rng.choice(SPREADS)),
        reach=int(rng.choice(REACHES)),
        anchor=random_expression(rng, HOLES["anchor"]),
        take=random_expression(rng, HOLES["take"]) if rng.random() < 0.7 else 1.0,
        length=random_expression(rng, HOLES["length"], 2) if rng.random() < 0.4 else 1.0,
        keep=random_expression(rng, HOLES["keep"], 2) if rng.random() < 0.2 else 0.0,
    )


def random_insertion(rng: np.random.Generator) -> Insertion:
    """Any insertion."""
    mode = "regret" if rng.random() < 0.4 else "order"
    holes = holes_of(Insertion(mode))
    return Insertion(
        mode,
        random_expression(rng, holes["order"]),
        "cost" if rng.random() < 0.5 else ("+", "cost", random_expression(rng, holes["place"])),
        blink=float(rng.choice((0.0, 0.01, 0.03, 0.1))),
        vehicles=int(rng.integers(2, MOST_VEHICLES + 1)),
    )


def mutated[P: (Removal, Insertion)](program: P, rng: np.random.Generator) -> P:
    """A program that differs in one place."""
    return _valid(program, lambda: _mutated(program, rng))


def crossed[P: (Removal, Insertion)](mother: P, father: P, rng: np.random.Generator) -> P:
    """A program like the first with something of the second."""
    return _valid(mother, lambda: _crossed(mother, father, rng))


def _valid[P: (Removal, Insertion)](program: P, change: Callable[[], P]) -> P:
    """What a change makes, simplified; the program itself where that goes beyond limits."""
    for _ in range(10):
        found = simplified(change())
        fits = all(_fits(expression) for _, _, expression in _expressions(found))
        if fits and found != program:
            return found  # type: ignore[return-value]
    return program


def _fits(expression: Expression) -> bool:
    return nodes(expression) <= MOST_NODES and _depth(expression) <= MOST_DEPTH


def _depth(expression: Expression) -> int:
    if isinstance(expression, tuple):
        return 1 + max(map(_depth, expression[1:]))
    return 1


def _mutated(program: Any, rng: np.random.Generator) -> Any:
    if rng.random() < 0.3:
        return _reshaped(program, rng)
    at, hole, expression = _any_expression(program, rng)
    return _with(program, at, _changed(expression, hole, rng))


def _reshaped(program: Program, rng: np.random.Generator) -> Program:
    """Another shape around the same expressions."""
    if isinstance(program, Insertion):
        match int(rng.integers(4)):
            case 0:
                other = "regret" if program.mode == "order" else "order"
                hole = holes_of(Insertion(other))["order"]
                keeps = set(_names(program.order)) <= {
                    name for name, feature in FEATURES.items() if hole in feature.holes
                }
                order = program.order if keeps else random_expression(rng, hole)
                return replace(program, mode=other, order=order)
            case 1:
                return replace(program, blink=float(rng.choice((0.0, 0.01, 0.03, 0.1, 0.2))))
            case 2:
                return replace(program, vehicles=int(rng.integers(2, MOST_VEHICLES + 1)))
            case _:
                return replace(program, place="cost")
    phases = list(program.phases)
    n = int(rng.integers(len(phases)))
    phase = phases[n]
    match int(rng.integers(7)):
        case 0:
            phases[n] = replace(phase, spread=str(rng.choice(SPREADS)))
        case 1:
            phases[n] = replace(phase, draws=int(rng.integers(1, MOST_DRAWS + 1)))
        case 2:
            phases[n] = replace(phase, anchors=int(rng.choice((1, 2, 4, MOST_ANCHORS))))
        case 3:
            phases[n] = replace(phase, reach=int(rng.choice(REACHES)))
        case 4:
            share = phase.share * float(2.0 ** rng.normal())
            phases[n] = replace(phase, share=min(max(share, 0.05), 2.0))
        case 5 if len(phases) < MOST_PHASES:
            phases.insert(n, _random_phase(rng, phase.share))
        case _ if len(phases) > 1:
            del phases[n]
        case _:
            phases[n] = _random_phase(rng, phase.share)
    return Removal(tuple(phases))


def _changed(expression: Expression, hole: str, rng: np.random.Generator) -> Expression:
    """An expression with another part: drawn anew, wrapped, cut down, or a number nudged."""
    path = _any_path(expression, rng)
    part = _part(expression, path)
    match int(rng.integers(4)):
        case 0:
            new = random_expression(rng, hole, 2)
        case 1:
            name = str(rng.choice(COMMON))
            others = [random_expression(rng, hole, 1) for _ in range(FUNCTIONS[name])]
            others[int(rng.integers(len(others)))] = part
            new = (name, *others)
        case 2 if isinstance(part, tuple):
            new = part[1 + int(rng.integers(len(part) - 1))]
        case _ if isinstance(part, float):
            new = _nudged(part, rng)
        case _ if isinstance(part, tuple):
            alike = [name for name, arity in FUNCTIONS.items() if arity == len(part) - 1]
            new = (str(rng.choice(alike)), *part[1:])
        case _:
            new = random_expression(rng, hole, 0)
    return _replaced(expression, path, new)


def _nudged(number: float, rng: np.random.Generator) -> float:
    scale = 2.0 ** float(rng.normal(0.0, 2.0 * NUDGE))
    shift = 0.05 * float(rng.normal()) if abs(number) < 1.0 else 0.0
    return round(tamed(number * scale + shift), 4)


def _crossed(mother: Any, father: Any, rng: np.random.Generator) -> Any:
    if isinstance(mother, Removal) and rng.random() < 0.3:
        phases = list(mother.phases)
        other = father.phases[int(rng.integers(len(father.phases)))]
        phases[int(rng.integers(len(phases)))] = other
        return Removal(tuple(phases))
    if isinstance(mother, Insertion) and rng.random() < 0.3:
        return replace(mother, place=father.place, blink=father.blink)
    at, hole, expression = _any_expression(mother, rng)
    alike = [known for _, other, known in _expressions(father) if other == hole]
    if not alike:
        return mother
    given = alike[int(rng.integers(len(alike)))]
    part = _part(given, _any_path(given, rng))
    return _with(mother, at, _replaced(expression, _any_path(expression, rng), part))


def _expressions(program: Program) -> Iterator[tuple[tuple[int, str], str, Expression]]:
    """Where each expression of a program is, for which hole, and the expression."""
    if isinstance(program, Removal):
        for n, phase in enumerate(program.phases):
            for name, hole in HOLES.items():
                yield (n, name), hole, getattr(phase, name)
    else:
        for name, hole in holes_of(program).items():
            yield (0, name), hole, getattr(program, name)


def _any_expression(
    program: Program, rng: np.random.Generator
) -> tuple[tuple[int, str], str, Expression]:
    """One of a program's expressions; large ones, where there is more to change, more often."""
    known = list(_expressions(program))
    sizes = [1.0 + nodes(expression) for _, _, expression in known]
    total = sum(sizes)
    return known[int(rng.choice(len(known), p=[size / total for size in sizes]))]


def _with(program: Program, at: tuple[int, str], expression: Expression) -> Program:
    n, name = at
    changed: dict[str, Any] = {name: expression}
    if isinstance(program, Insertion):
        return replace(program, **changed)
    phases = list(program.phases)
    phases[n] = replace(phases[n], **changed)
    return Removal(tuple(phases))


def _paths(expression: Expression, begun: Path = ()) -> Iterator[Path]:
    yield begun
    if isinstance(expression, tuple):
        for n, part in enumerate(expression[1:], 1):
            yield from _paths(part, (*begun, n))


def _any_path(expression: Expression, rng: np.random.Generator) -> Path:
    known = list(_paths(expression))
    return known[int(rng.integers(len(known)))]


def _part(expression: Any, path: Path) -> Expression:
    for n in path:
        expression = expression[n]
    found: Expression = expression
    return found


def _replaced(expression: Any, path: Path, part: Expression) -> Expression:
    if not path:
        return part
    n, *rest = path
    new = _replaced(expression[n], tuple(rest), part)
    return (*expression[:n], new, *expression[n + 1 :])


def _names(expression: Expression) -> Iterator[str]:
    """Features that an expression looks at."""
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, tuple):
        for part in expression[1:]:
            yield from _names(part)
