"""What nobody wants of an alternative: turning back, loops, leaving a street for nothing."""

from __future__ import annotations

import numpy as np

from nco.roads.graph import RoadGraph
from nco.roads.path import Path

# A street is left and met again within so many metres, and staying on it is no longer than so.
_SOON_M = 2000.0
_AS_LONG = 1.5
_MOST_LINKS = 300


def fault(path: Path, best: Path | None = None) -> str:
    """What is wrong with a path, in words that follow a number of paths; empty if nothing is.

    Args:
        path: to look at.
        best: the cheapest path; what that does as well, for there may be no other way, is no fault.
    """
    if turns_back(path) and (best is None or not turns_back(best)):
        return "turn back on a street"
    if loops(path) and (best is None or not loops(best)):
        return "pass a junction twice"
    if comes_back(path, best):
        return "leave a street and come back to it"
    return ""


def turns_back(path: Path) -> bool:
    """Whether a path turns back on a street."""
    links = path.graph.links
    original = links.original
    back = links.reverse[original[path.links[:-1]]]
    return bool(((back >= 0) & (back == original[path.links[1:]])).any())


def loops(path: Path) -> bool:
    """Whether a path passes a junction twice."""
    heads = path.graph.links.head[path.links[:-1]]
    return len(np.unique(heads)) < len(heads)


def comes_back(path: Path, best: Path | None = None) -> bool:
    """Whether a path leaves a street by name and is soon on it again, which it need not have left.

    Args:
        path: to look at.
        best: the cheapest path; detours on it are none.
    """
    graph = path.graph
    names = graph.links.name[path.links]
    metres = np.concatenate([[0.0], np.cumsum(graph.links.length_m[path.links])])
    # Each place beside the next one on the same street.
    order = np.argsort(names, kind="stable")
    left, again = order[:-1], order[1:]
    gap_m = metres[again] - metres[left + 1]
    apart = (names[left] == names[again]) & (names[left] > 0) & (again > left + 1)
    apart &= (gap_m > 0) & (gap_m <= _SOON_M)
    if best is not None and apart.any():
        original = graph.links.original
        off_best = ~np.isin(original[path.links], original[best.links])
        away = np.concatenate([[0], np.cumsum(off_best)])
        apart &= away[again] > away[left + 1]
    return any(
        _along_street(graph, int(path.links[a]), int(path.links[b]), _AS_LONG * metre)
        for a, b, metre in zip(left[apart], again[apart], gap_m[apart].tolist(), strict=True)
    )


def _along_street(graph: RoadGraph, link: int, goal: int, most_m: float) -> bool:
    """Whether one may stay on a street from a link to another, within so many metres."""
    name = graph.links.name[link]
    first, to_link, length = graph.adjacency.first, graph.turns.to_link, graph.links.length_m
    waiting, reached = [(link, 0.0)], {link: 0.0}
    for here, driven_m in waiting:
        for turn in range(first[here], first[here + 1]):
            onto = int(to_link[turn])
            if onto == goal:
                return True
            total_m = driven_m + float(length[onto])
            known = reached.get(onto, np.inf)
            if graph.links.name[onto] != name or total_m > most_m or total_m >= known:
                continue
            reached[onto] = total_m
            waiting.append((onto, total_m))
        if len(waiting) > _MOST_LINKS:
            return False
    return False
