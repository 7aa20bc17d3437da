"""Designs that hold a line several times, and the same designs without repetition.

The benchmarks ask for a number of lines and do not ask that they differ. Where driving is all that
counts, the shortest line that serves nothing new is best run twice; published sets do so as well. A
planner would call these fewer lines, so that the cost of different lines is worth knowing.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from nco.transit.design.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.transit.instance.lines import Lines, LinesLike
    from nco.transit.instance.transit_instance import TransitInstance

Line = tuple[int, ...]


def repeated(lines: LinesLike) -> int:
    """How many lines are another one again, in either direction."""
    count = Counter(_either_way(tuple(line)) for line in lines)
    return sum(number - 1 for number in count.values())


def without_repetition(instance: TransitInstance, lines: LinesLike) -> Lines:
    """The same design with another line in place of each that is there already.

    The other one is the shortest that comes from a line of the design by a stop less at one end
    and, where the bounds ask for it, a stop more at the other, or by other last stops; what is
    served stays served, since one of the equal lines stays. That is cheap, not proven least.

    Args:
        instance: what they are for.
        lines: nodes in order, legal ones.

    Returns:
        As many lines; some are still repeated where nothing else was found.
    """
    ways, seen = Ways(instance, 0), set[Line]()
    given: list[Line] = [tuple(line) for line in lines]
    fresh: list[bool] = []
    for line in given:
        fresh.append(_either_way(line) not in seen)
        seen.add(_either_way(line))
    known = [line for line, first in zip(given, fresh, strict=True) if first]
    found: list[Line] = []
    for line, first in zip(given, fresh, strict=True):
        if first:
            found.append(line)
            continue
        pool = {_either_way(one) for other in known for one in _beside(ways, other)} - seen
        other = min(pool, key=lambda one: (_minutes(ways, one), one), default=line)
        seen.add(_either_way(other))
        known.append(other)
        found.append(other)
    return tuple(found)


def _beside(ways: Ways, line: Line) -> Iterator[Line]:
    """Legal lines that differ from one by a stop at each end."""
    for way in (line, line[::-1]) if ways.hub is None else (line,):
        shorter = [way[:-1]] + ([way[1:]] if ways.hub is None else [])
        for short in shorter:
            grown = [short]
            for end in (short, short[::-1]) if ways.hub is None else (short,):
                grown += [(*end, node) for node in ways.free(end)]
            yield from (one for one in grown if len(set(one)) == len(one) and ways.legal(one))


def _minutes(ways: Ways, line: Line) -> float:
    return sum(ways.link_min[a][b] for a, b in pairwise(line))


def _either_way(line: Line) -> Line:
    return min(line, line[::-1])
