"""Whether any line at all can meet the bounds of an instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

# Steps of the search before it gives up and believes that there is a line. Real networks have
# one within the first few dozen; proofs that there is none are for small networks and trees.
_STEPS = 50_000


def line_exists(
    neighbours: Sequence[Sequence[int]],
    starts: Iterable[int],
    ends: AbstractSet[int],
    min_stops: int,
    max_stops: int,
) -> bool:
    """Whether there is a path without repeated nodes that meets the bounds.

    Deciding this is hard in general (it holds the Hamiltonian path problem), so a search in depth
    stops after some time; it never says that there is none where there is one.

    Args:
        neighbours: for each node the nodes it is linked to.
        starts: nodes the path may begin at.
        ends: nodes it may end at.
        min_stops: fewest nodes of the path, 2 or more.
        max_stops: most nodes of the path.
    """
    steps = _STEPS
    for start in starts:
        path, choices = [start], [iter(neighbours[start])]
        while path:
            node = next(choices[-1], None)
            if node is None:
                choices.pop()
                path.pop()
                continue
            if node in path:
                continue
            steps -= 1
            if len(path) + 1 >= min_stops and node in ends:
                return True
            if not steps:
                return True
            if len(path) + 1 < max_stops:
                path.append(node)
                choices.append(iter(neighbours[node]))
    return False
