"""In what paths differ: minutes, kilometres, turns, main roads, tolls, lights, what others drive.

Comprehensive comparison networks (CCN, arXiv 2508.08745) compare each two routes on the parts that
they do not share. All measures here are sums over links and turns, so what two paths have in common
drops out of the difference of their measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.learn.features import Usage, rank_of
from nco.roads.learn.flow import flow
from nco.roads.path import Path

FIELDS = (
    "duration_min", "length_km", "turns", "left_turns", "motorway_km", "main_km", "small_km",
    "toll_km", "signals", "cost_min", "through_km", "undriven_km", "driven_km", "habit_km",
)  # fmt: skip
_TURN_DEG = 45.0
_MAIN, _SMALL = 3, 6


def measures(
    paths: Sequence[Path], cost_s: Sequence[float] | None = None, usage: Usage | None = None
) -> Floats:
    """`[n, F]` in the order of `FIELDS`.

    The last four weigh kilometres: `through_km` by the logarithm of how many cheapest paths of the
    city lead over them (`nco.roads.learn.flow`), `driven_km` by that of how many drives did, and
    `habit_km` by that of how many more drives did than cheapest paths between their ends.
    `undriven_km` are those that no drive used. These three are 0 where nobody knows of drives.

    Args:
        paths: of one graph.
        cost_s: `[n]`, what they cost by learned costs; their durations if left out.
        usage: where others drove, if that is known.
    """
    rows = []
    through = np.log1p(flow(paths[0].graph)) if paths else np.zeros(0)
    for k, path in enumerate(paths):
        links, turns = path.graph.links, path.graph.turns
        km = path.driven_m / 1000
        rank = rank_of(links.road_class[path.links])
        angle = turns.angle_deg[path.turns]
        minutes = path.duration_s / 60
        rows.append(
            [
                minutes,
                float(km.sum()),
                float((np.abs(angle) > _TURN_DEG).sum()),
                float((angle < -_TURN_DEG).sum()),
                float(km[rank == 0].sum()),
                float(km[rank <= _MAIN].sum()),
                float(km[rank >= _SMALL].sum()),
                float(km[links.toll[path.links]].sum()),
                float(links.signals[path.links].sum()),
                minutes if cost_s is None else cost_s[k] / 60,
                float((km * through[path.links]).sum()),
                *_habits(path, km, usage),
            ]
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FIELDS))


def _habits(path: Path, km: Floats, usage: Usage | None) -> tuple[float, float, float]:
    if usage is None:
        return 0.0, 0.0, 0.0
    driven, expected = usage.driven[path.links], usage.expected[path.links]
    more = np.log1p(driven) - np.log1p(expected)
    return (
        float(km[driven == 0].sum()),
        float((km * np.log1p(driven)).sum()),
        float((km * more).sum()),
    )


def shares(paths: Sequence[Path]) -> Floats:
    """`[n, n]`, the share of the metres of each path that lie on each other one; 1 on itself."""
    table = np.ones((len(paths), len(paths)))
    for i, path in enumerate(paths):
        metres = path.driven_m
        for j, other in enumerate(paths):
            if i != j:
                common = np.isin(path.links, other.links)
                table[i, j] = metres[common].sum() / max(metres.sum(), 1e-9)
    return table


def path_sizes(paths: Sequence[Path]) -> Floats:
    """`[n]`, path sizes: 1 where a path shares nothing, 1 / n where all are the same.

    M. Ben-Akiva and M. Bierlaire, "Discrete choice methods and their applications to short term
    travel decisions" (1999).
    """
    links: NDArray[np.int64] = np.concatenate([path.links for path in paths])
    names, count = np.unique(links, return_counts=True)
    sizes = []
    for path in paths:
        metres = path.driven_m
        times = count[np.searchsorted(names, path.links)]
        sizes.append(float((metres / times).sum()) / max(float(metres.sum()), 1e-9))
    return np.asarray(np.clip(sizes, 1e-6, 1.0))
