"""Lines built one after the other from what demand is left; a good start for other methods."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from nco.transit.design.joining import joined
from nco.transit.design.ways import TABLES, Line, Ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CANDIDATES, _HASTY = 40, 8  # ways that are compared for each line
_NOISE = 0.5  # largest exponent of a random factor, after the first construction


def from_demand(ways: Ways, rng: Random, noise: float = 0.0, join: bool = True) -> list[Line]:
    """Lines along shortest ways between pairs of much demand, led on while they take up more.

    Demand between two stops of a line is covered and counts for no later one; what counts is the
    demand that a line newly covers, for the time it takes.

    Args:
        ways: of the instance.
        rng: draws noise, and what no demand decides.
        noise: exponent of random factors on the demand, for another construction each time.
        join: whether to join all nodes at the end.
    """
    left = ways.instance.demand + ways.instance.demand.T
    if noise:
        factors = np.random.default_rng(rng.getrandbits(32)).random(left.shape) + 0.05
        left = left * factors**noise
    lines = []
    for _ in range(ways.instance.lines):
        line = _next_line(ways, left, rng, bool(noise))
        lines.append(line)
        left[np.ix_(line, line)] = 0.0
    return joined(ways, lines, rng) if join else lines


def construction(ways: Ways, rng: Random, number: int = 0) -> list[Line]:
    """One of many constructions.

    Args:
        ways: of the instance.
        rng: draws.
        number: the first two have no noise; odd ones leave nodes unjoined, which costs nothing
            where nobody asks for all of them.
    """
    noise = 0.0 if number < 2 else 2 * _NOISE * rng.random()
    return from_demand(ways, rng, noise, join=number % 2 == 0)


def from_tree(ways: Ways, rng: Random, noise: float = 0.0) -> list[Line]:
    """Lines over a shortest spanning tree: what serves all nodes with the least driving.

    The longest path of the tree becomes a line, then the longest of what is left, and so on. Too
    short ones are led on; lines that are left over halve others, or run where it takes least time.
    With a hub it is the tree of shortest ways from there, line by line to the farthest node.

    Args:
        ways: of the instance.
        rng: draws noise and what is arbitrary.
        noise: most that a link's time is off, as a share.
    """
    instance = ways.instance
    if ways.hub is not None:
        return joined(ways, _star(ways, ways.hub, rng, noise), rng)
    linked = np.isfinite(instance.link_s) & ~np.eye(instance.size, dtype=bool)
    off = 1 + noise * np.random.default_rng(rng.getrandbits(32)).random(linked.shape)
    tree = minimum_spanning_tree(np.where(linked, np.maximum(instance.link_s, 1e-3) * off, 0.0))
    near: dict[int, set[int]] = {node: set() for node in range(instance.size)}
    for a, b in np.argwhere(tree.toarray() > 0).tolist():
        near[a].add(b)
        near[b].add(a)
    lines: list[Line] = []
    while len(lines) < instance.lines and any(near.values()):
        path = _longest(ways, near)
        for a, b in pairwise(path):
            near[a].discard(b)
            near[b].discard(a)
        line = ways.finished(path, rng)
        if line is not None:
            lines.append(line)
    while len(lines) < instance.lines:
        lines = _one_more(ways, lines, rng)
    return joined(ways, lines, rng)


def _next_line(ways: Ways, left: NDArray[np.float64], rng: Random, hasty: bool) -> Line:
    """The line that covers most of the demand that is left for the time it takes.

    Args:
        ways: of the instance.
        left: `[N, N]` the demand, the same both ways.
        rng: draws what is arbitrary.
        hasty: compare few candidates, on one of the further tables of ways.
    """
    best: Line | None = None
    most, table = 0.0, rng.randrange(TABLES) if hasty else 0
    for begin, end in _pairs(ways, left, _HASTY if hasty else _CANDIDATES):
        path, covered = _led_on(ways, ways.way(begin, end, table)[: ways.most], left)
        line = tuple(path) if ways.legal(path) else ways.finished(path, rng)
        if line is None:
            continue
        worth = covered / _minutes(ways, line)
        if worth > most:
            best, most = line, worth
    return ways.any_line(rng) if best is None else best


def _pairs(ways: Ways, left: NDArray[np.float64], count: int) -> list[tuple[int, int]]:
    """So many pairs of nodes of much demand; of the hub and another where there is one."""
    if ways.hub is not None:
        order = np.argsort(-left.sum(axis=1), kind="stable")[:count].tolist()
        return [(ways.hub, node) for node in order if node != ways.hub]
    flat = np.argsort(-np.triu(left).ravel(), kind="stable")[:count].tolist()
    return [divmod(number, len(left)) for number in flat]


def _led_on(ways: Ways, path: list[int], left: NDArray[np.float64]) -> tuple[list[int], float]:
    """A path that grows where it covers most, at both ends unless it begins at a hub.

    Returns:
        The path, and the demand it covers.
    """
    gain, covered = np.zeros(len(left)), 0.0
    for node in path:
        covered += float(gain[node])
        gain += left[node]
    while len(path) < ways.most:
        known = gain.tolist()
        steps = [(known[node], 1, node) for node in ways.free(path)]
        if ways.hub is None:
            steps += [(known[node], 0, node) for node in ways.free(path[::-1])]
        worth, last, node = max(steps, default=(0.0, 0, 0))
        if worth <= 0:
            break
        path = [*path, node] if last else [node, *path]
        covered += worth
        gain += left[node]
    return path, covered


def _minutes(ways: Ways, line: Line) -> float:
    """Minutes a line takes, and a few for being there at all, lest the shortest always win."""
    return 5.0 + sum(ways.link_min[a][b] for a, b in pairwise(line))


def _star(ways: Ways, hub: int, rng: Random, noise: float) -> list[Line]:
    far_s = ways.instance.drive_s[hub] * [1 + noise * rng.random() for _ in ways.ends]
    lines: list[Line] = []
    while len(lines) < ways.instance.lines:
        path = ways.way(hub, int(far_s.argmax()))[: ways.most]
        line = ways.finished(path, rng)
        lines.append(ways.any_line(rng) if line is None else line)
        far_s[[*path, int(far_s.argmax()), *lines[-1]]] *= 0.0
    return lines


def _longest(ways: Ways, near: dict[int, set[int]]) -> list[int]:
    """A longest path of a forest, cut to as many nodes as a line may have."""
    start = next(node for node in near if near[node])
    return _farthest(near, _farthest(near, start)[-1])[: ways.most]


def _farthest(near: dict[int, set[int]], start: int) -> list[int]:
    """The path of a tree from a node to one with the most nodes between."""
    before, frontier, last = {start: start}, [start], start
    while frontier:
        last = frontier[0]
        fresh = [(a, b) for a in frontier for b in sorted(near[a]) if b not in before]
        before |= {b: a for a, b in fresh}
        frontier = [b for _, b in fresh]
    path = [last]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def _one_more(ways: Ways, lines: list[Line], rng: Random) -> list[Line]:
    """Lines and one more that costs little: a half of one, or a short one."""
    for r, line in enumerate(lines):
        for k in range(ways.fewest - 1, len(line) - ways.fewest + 1):
            halves = line[: k + 1], line[k:]
            if all(ways.legal(half) for half in halves):
                return [*lines[:r], *halves, *lines[r + 1 :]]
    short = [ways.any_line(rng) for _ in range(10)]
    cut = [line[: ways.fewest] if ways.legal(line[: ways.fewest]) else line for line in short]
    return [*lines, min(cut, key=lambda line: _minutes(ways, line))]
