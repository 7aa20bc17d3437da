"""Joins lines into one network that serves every node, as the benchmarks ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

import numpy as np

from nco.transit.design.ways import Line, Ways


def joined(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line]:
    """Changes lines as little as it can until they join all nodes.

    What is nearest to a line's end, and not joined to it, is what the line is led on to. Where no
    line has room for any more, the one that the others need least gives way to a line from an
    unjoined node.

    Args:
        ways: of the instance.
        lines: legal ones.
        rng: draws the ends of new lines.

    Returns:
        Legal lines; those of which most nodes were joined, if not all could be.
    """
    current, best, fewest = list(lines), list(lines), ways.instance.size
    for _ in range(4 * len(lines)):
        group = groups(ways.instance.size, current)
        apart = _apart(group)
        if apart < fewest:
            best, fewest = list(current), apart
        if not apart:
            break
        if not _led_on(ways, current, group):
            _replaced(ways, current, group, rng)
    return best


def groups(size: int, lines: Iterable[Sequence[int]]) -> list[int]:
    """For each node a number that is the same for all that lines join."""
    parent = list(range(size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for line in lines:
        first = root(line[0])
        for node in line[1:]:
            parent[root(node)] = first
    return [root(node) for node in range(size)]


def _apart(group: Sequence[int]) -> int:
    """How many nodes are not in the largest group."""
    return len(group) - max(Counter(group).values())


def _led_on(ways: Ways, lines: list[Line], group: Sequence[int]) -> bool:
    """Leads a line on to the nearest node of another group; False where none has room."""
    drive_s = ways.instance.drive_s
    numbers = np.array(group)
    found: list[tuple[float, int, Line]] = []
    for r, line in enumerate(lines):
        for end in (line,) if ways.hub is not None else (line, line[::-1]):
            away_s = np.where(numbers == group[end[-1]], np.inf, drive_s[end[-1]])
            goal = int(away_s.argmin())
            longer = (*end, *ways.way(end[-1], goal)[1:])
            if len(set(longer)) == len(longer) and ways.legal(longer):
                found.append((float(away_s[goal]), r, longer))
    if not found:
        return False
    _, r, lines[r] = min(found)
    return True


def _replaced(ways: Ways, lines: list[Line], group: Sequence[int], rng: Random) -> None:
    """Puts a line over unjoined nodes in place of the one that the others need least."""
    count = Counter(node for line in lines for node in line)
    needed = [
        (sum(count[node] == 1 for node in line), rng.random(), r) for r, line in enumerate(lines)
    ]
    _, _, r = min(needed)
    largest = Counter(group).most_common(1)[0][0]
    lost = [node for node, number in enumerate(group) if number != largest]

    def nearest_lost(_path: list[int], free: list[int]) -> int:
        fresh = [node for node in free if group[node] != largest]
        return rng.choice(fresh or free)

    start = rng.choice([node for node in lost if ways.ends[node]] or ways.starts)
    if ways.hub is None:
        line = ways.walk(rng, start, nearest_lost)
    else:
        line = ways.between(ways.hub, rng.choice(lost), rng)
    lines[r] = ways.any_line(rng) if line is None else line
