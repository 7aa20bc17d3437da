"""Walking to stops and away from them: several stops to choose among at both ends of a trip."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.transit.instance.walks import metres_on_foot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.operate.prices import Prices

_compiled: Any = compiled(nogil=True, error_model="numpy")
_MOST_STOPS = 4  # that passengers choose among at each end, their own included


class Reached(NamedTuple):
    """The best journey by bus from every stop to every other, begun and ended on foot.

    Attributes:
        weighed_s: `[N, N]` what it is worth, walking included; `inf` without one.
        walk_s: `[N, N]` the part of it on foot, weighed.
        first: `[N, N]` stop where it boards.
        last: `[N, N]` stop where it alights.
    """

    weighed_s: Floats
    walk_s: Floats
    first: NDArray[np.int64]
    last: NDArray[np.int64]


def walks_s(instance: TransitInstance, prices: Prices, most_m: float) -> Floats:
    """`[N, N]` seconds on foot between stops, `inf` where it is too far or places are unknown.

    Args:
        instance: with ways on foot, with places of its stops, or with neither.
        prices: speed of walking, and its detours where ways are unknown.
        most_m: on foot; farther nobody walks.
    """
    n = instance.size
    way_m = np.full((n, n), np.inf)
    if instance.walk_m is not None:
        way_m = instance.walk_m.copy()
    elif instance.lonlat is not None:
        way_m = metres_on_foot(instance.lonlat, instance.lonlat, detour=prices.walk_detour)
    np.fill_diagonal(way_m, 0.0)
    return np.where(way_m <= most_m, way_m / prices.walk_m_per_s, np.inf)


def nearest_stops(weighed_s: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The stops `[N, K]` that can be walked to, its own first, and what that is worth `[N, K]`."""
    order = np.argsort(weighed_s, axis=1, kind="stable")
    ranked_s = np.take_along_axis(weighed_s, order, axis=1)
    most = int(np.isfinite(ranked_s).sum(axis=1).max(initial=1))
    kept = min(most, _MOST_STOPS)
    return np.ascontiguousarray(order[:, :kept]), np.ascontiguousarray(ranked_s[:, :kept])


def with_walking(
    expected_s: NDArray[np.float32], near: NDArray[np.int64], walk_s: Floats
) -> Reached:
    """The best stops to board and to alight at.

    Args:
        expected_s: `[N, N]` weighed seconds from stop to stop by bus; `inf` without a way.
        near: `[N, K]` stops that can be walked to.
        walk_s: `[N, K]` what walking there is worth, `inf` for none.
    """
    return Reached(*_best(expected_s, near, walk_s))


@_compiled
def _best(expected_s, near, walk_s):  # type: ignore[no-untyped-def]
    n, ranks = near.shape
    total, walked = np.full((n, n), np.inf), np.full((n, n), np.inf)
    first, last = np.empty((n, n), np.int64), np.empty((n, n), np.int64)
    for i in range(n):
        for j in range(n):
            first[i, j], last[i, j] = i, j
            for a in range(ranks):
                if walk_s[i, a] >= total[i, j]:
                    break
                for b in range(ranks):
                    walk = walk_s[i, a] + walk_s[j, b]
                    if walk >= total[i, j]:
                        break
                    if near[i, a] == near[j, b]:
                        continue  # from a stop to itself nobody rides
                    worth = walk + expected_s[near[i, a], near[j, b]]
                    if worth < total[i, j]:
                        total[i, j], walked[i, j] = worth, walk
                        first[i, j], last[i, j] = near[i, a], near[j, b]
    return total, walked, first, last
