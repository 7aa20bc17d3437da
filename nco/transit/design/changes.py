"""Changes of a set of lines, each of one signature: `change(ways, lines, rng)`.

A change returns another set, or None where it found nothing to do. Legal lines stay legal: no stop
twice, within the bounds, from the hub and between terminals where the instance says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from nco.transit.design.ways import Line, Ways

Change = Callable[[Ways, Sequence[Line], Random], list[Line] | None]

_SPAN = 6  # most links that a detour leads around
_TRIES = 8  # pairs of nodes that are drawn until no line joins them


def extend(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """One stop more at an end of a line."""
    r = rng.randrange(len(lines))
    return _with(lines, r, ways.grown(ways.turned(lines[r], rng), rng))


def shorten(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """One stop less at an end of a line, or as many as lead to where it may end."""
    r = rng.randrange(len(lines))
    return _with(lines, r, ways.trimmed(ways.turned(lines[r], rng)[:-1]))


def shift(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """Another last stop of a line, or, without a hub, a stop from one end to the other."""
    r = rng.randrange(len(lines))
    line = ways.turned(lines[r], rng)
    rest = line[1:] if ways.hub is None and rng.random() < 0.5 else line[:-1]
    return _with(lines, r, ways.grown(rest, rng))


def detour(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """Another way between two stops of a line: straight, or over a node anywhere."""
    r = rng.randrange(len(lines))
    line = lines[r]
    i = rng.randrange(len(line) - 1)
    j = min(len(line) - 1, i + 1 + rng.randrange(_SPAN))
    path, rest = list(line[: i + 1]), line[j + 1 :]
    draw = rng.random()
    if draw < 0.6:
        near = ways.instance.neighbours[line[i]]
        via = rng.choice(near) if draw < 0.4 else rng.randrange(ways.instance.size)
        if via in rest or via in path:
            return None
        path = ways.toward(path, via, rng)
    path = ways.toward(path, line[j], rng)
    if path[-1] != line[j] or set(path) & set(rest):
        return None
    changed = (*path, *rest)
    return _with(lines, r, changed if changed != line and ways.legal(changed) else None)


def regrow(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """A line cut anywhere, and led on to another node."""
    r = rng.randrange(len(lines))
    line = ways.turned(lines[r], rng)
    path = list(line[: 1 + rng.randrange(len(line) - 1)])
    return _with(lines, r, ways.finished(ways.toward(path, ways.pair(rng)[1], rng), rng))


def renew(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """Another line in place of one, from anywhere to anywhere (with a hub, from there)."""
    r = rng.randrange(len(lines))
    begin, end = ways.pair(rng)
    return _with(lines, r, ways.between(begin if ways.hub is None else ways.hub, end, rng))


def cross(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """Two lines that share a stop exchange what comes after it."""
    if len(lines) < 2:
        return None
    r, q = rng.sample(range(len(lines)), 2)
    first, second = ways.turned(lines[r], rng), ways.turned(lines[q], rng)
    # With a hub all lines share their first stop, where there is nothing to exchange.
    shared = [node for node in first[ways.hub is not None :] if node in second]
    if not shared:
        return None
    node = rng.choice(shared)
    i, j = first.index(node), second.index(node)
    swapped = (*first[:i], *second[j:]), (*second[:j], *first[i:])
    if any(len(set(line)) < len(line) or not ways.legal(line) for line in swapped):
        return None
    changed = list(lines)
    changed[r], changed[q] = swapped
    return changed if changed != lines else None


def rejoin(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """A node that no line serves becomes the goal of one; any node where all are served."""
    served = {node for line in lines for node in line}
    lost = [node for node in range(ways.instance.size) if node not in served]
    goal = rng.choice(lost) if lost else rng.randrange(ways.instance.size)
    drive_s = ways.instance.drive_s
    r = min(
        rng.sample(range(len(lines)), min(4, len(lines))), key=lambda k: drive_s[lines[k][-1], goal]
    )
    line = ways.turned(lines[r], rng)
    keep = len(line) - rng.randrange(min(4, len(line) - 1))
    path = ways.toward(list(line[:keep]), goal, rng)
    return _with(lines, r, ways.finished(path, rng) if path[-1] == goal else None)


def through(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """Two lines become one that runs through, and another line takes the place of the second.

    They are joined at a stop that they share, or by the way from the end of one to the nearest
    stop of the other; whoever changed there stays on board.
    """
    if len(lines) < 2:
        return None
    r, q = rng.sample(range(len(lines)), 2)
    first, second = ways.turned(lines[r], rng), ways.turned(lines[q], rng)
    shared = [node for node in first if node in second]
    if shared and ways.hub is None:
        node = rng.choice(shared)
        path = [*first[: first.index(node)], *second[second.index(node) :]]
    else:
        gaps = ways.instance.drive_s[first[-1], list(second)]
        path = ways.toward(list(first), second[int(gaps.argmin())], rng)
        if path[-1] not in second:
            return None
        path += second[second.index(path[-1]) + 1 :]
    if len(set(path)) < len(path) or not ways.legal(path):
        return None
    begin, end = apart(ways, lines, rng)
    fresh = ways.between(begin if ways.hub is None else ways.hub, end, rng)
    if fresh is None:
        return None
    changed = list(lines)
    changed[r], changed[q] = tuple(path), fresh
    return None if changed == list(lines) else changed


def connect(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line] | None:
    """A line that serves a stop is led on to another, where no line joins the two and people go."""
    begin, end = apart(ways, lines, rng)
    serving = [r for r, line in enumerate(lines) if begin in line]
    if not serving:
        return None
    r = rng.choice(serving)
    line = ways.turned(lines[r], rng)
    keep = rng.randrange(line.index(begin), len(line)) + 1
    path = ways.toward(list(line[:keep]), end, rng)
    return _with(lines, r, ways.finished(path, rng) if path[-1] == end else None)


def apart(ways: Ways, lines: Sequence[Line], rng: Random) -> tuple[int, int]:
    """Two nodes drawn by demand, until no line joins them; any of many tries."""
    pair = ways.pair(rng)
    for _ in range(_TRIES):
        if not any(pair[0] in line and pair[1] in line for line in lines):
            break
        pair = ways.pair(rng)
    return pair


CHANGES: dict[str, Change] = {
    "extend": extend,
    "shorten": shorten,
    "shift": shift,
    "detour": detour,
    "regrow": regrow,
    "renew": renew,
    "cross": cross,
    "rejoin": rejoin,
    "through": through,
    "connect": connect,
}


def changed_at_random(ways: Ways, lines: Sequence[Line], rng: Random) -> list[Line]:
    """One change that did something; the lines as they were if none of many did."""
    kinds = tuple(CHANGES.values())
    for _ in range(20):
        found = rng.choice(kinds)(ways, lines, rng)
        if found is not None:
            return found
    return list(lines)


def _with(lines: Sequence[Line], r: int, line: Line | None) -> list[Line] | None:
    """The lines with another one in place of number `r`, if it is another."""
    if line is None or line == lines[r]:
        return None
    changed = list(lines)
    changed[r] = line
    return changed
