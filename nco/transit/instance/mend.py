"""Mending lines of the real world, whose data leave out a stop here and there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nco.errors import listed, quoted, shortened
from nco.transit.instance.lines import Lines, LinesLike, as_lines
from nco.transit.instance.transit_instance import TransitInstance

logger = logging.getLogger("nco")


def mend_lines(
    instance: TransitInstance, lines: LinesLike, names: Sequence[str] | None = None
) -> Lines:
    """Put the fastest way over links in place of links that do not exist; the log says where.

    Args:
        instance: whose links to use.
        lines: nodes in order, all of them known.
        names: what the log calls the lines; their numbers if left out.
    """
    mended = []
    for r, line in enumerate(as_lines(lines)):
        whole = list(line[:1])
        for a, b in pairwise(line):
            way = [b] if np.isfinite(instance.link_s[a, b]) else fastest_way(instance, a, b)[1:]
            if len(way) > 1:
                over = listed(instance.names[k] for k in way[:-1])
                logger.warning(
                    "line %s goes from %s to %s, between which there is no link; it is led over %s",
                    quoted(names[r]) if names else r,
                    shortened(instance.names[a]),
                    shortened(instance.names[b]),
                    over,
                )
            whole += way
        mended.append(tuple(whole))
    return tuple(mended)


def fastest_way(instance: TransitInstance, a: int, b: int) -> list[int]:
    """Nodes of the fastest way over links, both ends with it; of equals the smaller node first."""
    way = [a]
    while way[-1] != b:
        near = np.array(instance.neighbours[way[-1]])
        left_s = instance.link_s[way[-1], near] + instance.drive_s[near, b]
        way.append(int(near[left_s.argmin()]))
    return way
