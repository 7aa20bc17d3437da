"""What the next path gets to know of those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.learn.features import Table, rank_of
from nco.roads.path import Path
from nco.roads.several.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Memory:
    """Features of a skeleton's links, given earlier paths.

    Attributes:
        skeleton: of the request.
    """

    skeleton: Skeleton

    def features(self, paths: Sequence[Path]) -> Table:
        """`[S, F]` in the order of `nco.roads.learn.network.MEMORY_FEATURES`.

        Args:
            paths: those before, one at least.
        """
        skeleton = self.skeleton
        graph = skeleton.query.graph
        links = graph.links
        count = np.zeros(len(skeleton.links))
        touched = np.zeros(len(graph.lonlat), dtype=bool)
        for path in paths:
            count[skeleton.numbers(path.links)] += 1
            touched[links.head[path.links]] = True
            touched[links.tail[path.links[1:]]] = True
        used = count > 0
        back = np.zeros(len(links), dtype=bool)
        for path in paths:
            reverse = links.reverse[path.links]
            back[reverse[reverse >= 0]] = True
        ends, way, detour, rank, speed = self._fixed
        touches = ~used & (
            touched[links.head[skeleton.links]] | touched[links.tail[skeleton.links]]
        )
        columns = [
            used,
            count > 1,
            back[skeleton.links] & ~used,
            touches,
            ends,
            way,
            detour,
            np.full(len(used), len(paths) > 1),
            used * ends,
            used * rank,
            used * speed,
            count / len(paths),
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    @cached_property
    def _fixed(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """What earlier paths do not change, all of the size of one."""
        skeleton = self.skeleton
        links = skeleton.query.graph.links
        best = max(skeleton.query.least, 1e-9)
        near = np.minimum(np.minimum(skeleton.ahead, skeleton.beyond) / best, 0.5)
        detour = np.clip((skeleton.ahead + skeleton.beyond) / best - 1, 0, 0.5)
        metres, seconds = links.length_m[skeleton.links], links.duration_s[skeleton.links]
        timed = (seconds > 0) & np.isfinite(seconds)
        speed = np.divide(3.6 * metres, seconds, out=np.zeros(len(metres)), where=timed)
        return (
            1 - 2 * near,
            np.minimum(skeleton.ahead / best, 1.5),
            2 * detour,
            rank_of(links.road_class[skeleton.links]) / 4.0,
            speed / 50.0,
        )


def share_of(path: Path, earlier: Path) -> float:
    """The share of a path's metres that it has in common with an earlier one, directed."""
    metres: NDArray[np.float64] = path.driven_m
    common = np.isin(path.links, earlier.links)
    return float(metres[common].sum()) / max(float(metres.sum()), 1e-9)
