"""What methods begin with: lines of other methods, made legal, and constructions of their own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from nco.transit.design.greedy import construction, from_tree
from nco.transit.design.joining import joined
from nco.transit.design.method import Progress
from nco.transit.design.objective import RuleKnowing
from nco.transit.design.ways import Line, Ways, padded
from nco.transit.instance.lines import pad_lines, refuse_bad_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nco.arrays import Floats
    from nco.transit.design.method import Budget
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines

_OWN = 2  # sets of lines that an objective which knows how constructs by itself
_OWN_SHARE = 0.25  # of their usual effort for each second that there is
_NOISE = 0.6  # most that links of a spanning tree are off, as a share


def take(progress: Progress, initial: Sequence[Lines]) -> None:
    """Evaluates given sets of lines as they are, legal or not, so that nothing worse comes out.

    Raises:
        ProblemError: a line cannot be run.
    """
    for lines in initial:
        known = refuse_bad_lines(progress.objective.instance, lines)
        if known:
            progress.costs(pad_lines(known)[None])


def fitted(ways: Ways, lines: Lines, rng: Random) -> list[Line]:
    """The nearest set of legal lines: the right number of them, each cut or led on if need be."""
    found: list[Line] = []
    for line in lines[: ways.instance.lines]:
        # A loop ends a line: lines come by no stop twice.
        loop = next((k for k in range(len(line)) if line[k] in line[:k]), len(line))
        path = list(line[:loop])
        if ways.hub is not None and ways.hub in path:
            at = path.index(ways.hub)
            path = max(path[at:], path[at::-1], key=len)
        legal = ways.legal(path)
        fit = tuple(path) if legal else ways.finished(path[: ways.most], rng)
        found.append(ways.any_line(rng) if fit is None else fit)
    return found + [ways.any_line(rng) for _ in range(ways.instance.lines - len(found))]


def begin(
    progress: Progress, ways: Ways, initial: Sequence[Lines], count: int, rng: Random
) -> tuple[list[list[Line]], Floats]:
    """Sets of lines to begin with, evaluated.

    Args:
        progress: of the method.
        ways: of its instance.
        initial: what it was given.
        count: of sets; those given come first, then what the objective itself constructs, then some
            built from demand, some over spanning trees and some at random.
        rng: draws.

    Returns:
        Legal sets of lines and their costs; fewer than asked for where the budget is smaller.
    """
    sets = [fitted(ways, lines, rng) for lines in initial][:count]
    objective = progress.objective
    if isinstance(objective, RuleKnowing) and len(sets) + _OWN < min(count, progress.left):
        share = min(1.0, _OWN_SHARE * progress.usual_s)
        own = objective.constructions(rng.getrandbits(31), _OWN, share)
        sets += [fitted(ways, lines, rng) for lines in own]
    number = 0
    while len(sets) < min(count, max(1, progress.left)):
        if number % 4 < 2:
            sets.append(construction(ways, rng, number // 2))
        elif number % 4 == 2:
            sets.append(from_tree(ways, rng, _NOISE * (number > 2)))
        else:
            lines = [ways.any_line(rng) for _ in range(ways.instance.lines)]
            sets.append(joined(ways, lines, rng))
        number += 1
    return sets, progress.costs(padded(sets, ways))


def searched(
    name: str,
    count: int,
    search: Callable[[Progress, Ways, list[list[Line]], Floats, Random], None],
    objective: LineObjective,
    budget: Budget,
    seed: int,
    initial: Sequence[Lines],
) -> Design:
    """Runs a search from so many sets of lines.

    Args:
        name: of the method.
        count: see `begin`.
        search: gets what `begin` returned and goes on until the budget is spent.
        objective: see `DesignMethod`, as all further ones.
        budget: see there.
        seed: see there.
        initial: see there.
    """
    progress, ways, rng = Progress(objective, budget), Ways(objective.instance, seed), Random(seed)
    take(progress, initial)
    with progress.keeping_best():
        if not progress.over:
            sets, costs = begin(progress, ways, initial, count, rng)
            search(progress, ways, sets, costs, rng)
    return progress.design(name, seed)
