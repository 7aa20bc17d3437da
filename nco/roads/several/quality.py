"""How good an alternative and a set of them are.

I. Abraham, D. Delling, A. Goldberg and R. Werneck, "Alternative routes in road networks" (ACM JEA
2013), call a path admissible if it shares little with those before it, is locally optimal and has
uniformly bounded stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.costs import Costs
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.shortest import ShortestPaths

ALPHA, EPSILON, GAMMA = 0.25, 0.25, 0.8
"""Local optimality, stretch and sharing of an admissible path, as published."""

# Searches may round what they compare; costs are like seconds.
_ROUNDING = 1e-4
_ROUNDING_S = 0.05
# Ends of the parts whose stretch is measured.
_PLACES = 9


@dataclass(frozen=True, eq=False)
class Spent:
    """What a path costs street by street, turns left out; copies of links are the same street.

    Attributes:
        streets: `[n]`, originals of links, in order.
        costs: `[n]`.
        total: their sum.
    """

    streets: NDArray[np.int32]
    costs: Floats
    total: float

    @classmethod
    def of(cls, path: Path, costs: Costs) -> Spent:
        """Add up a path."""
        shares, links = path.shares, costs.links[path.links]
        spent = np.multiply(shares, links, out=np.zeros(len(shares)), where=shares > 0)
        streets, place = np.unique(path.graph.links.original[path.links], return_inverse=True)
        by_street = np.bincount(place, weights=spent, minlength=len(streets))
        return cls(streets, by_street, float(by_street.sum()))

    def common(self, other: Spent) -> float:
        """What is spent on streets of both, at most what either spends there."""
        at = np.minimum(np.searchsorted(other.streets, self.streets), len(other.streets) - 1)
        same = other.streets[at] == self.streets
        return float(np.minimum(self.costs[same], other.costs[at[same]]).sum())

    def share(self, earlier: Spent, of: str = "earlier") -> float:
        """How much two paths have in common; see `share`."""
        common = self.common(earlier)
        a, b = self.total, earlier.total
        divisor = {"earlier": b, "path": a, "shorter": min(a, b), "union": a + b - common}[of]
        return min(1.0, common / divisor) if divisor > 0 else 1.0


def share(path: Path, earlier: Path, costs: Costs, of: str = "earlier") -> float:
    """How much two paths have in common, by the cost of links, turns left out.

    Args:
        path: one of them.
        earlier: the other one.
        costs: of links.
        of: what it is divided by: the cost of the `earlier` path, of the `path`, of the `shorter`
            one, or of their `union` (Jaccard).

    Returns:
        0 to 1; 1 where the divisor is 0.
    """
    return Spent.of(path, costs).share(Spent.of(earlier, costs), of)


def spent_before(path: Path, costs: Costs) -> Floats:
    """`[k + 1]`, costs from the beginning of the path to that of each link, and to its end."""
    links = path.shares * costs.links[path.links]
    turns = np.concatenate([costs.turns[path.turns], [0.0]])
    return np.concatenate([[0.0], np.cumsum(links + turns)])


def detours(path: Path, best: Path) -> list[tuple[int, int]]:
    """Parts of a path away from another one: positions of their first links and behind their last.

    A part begins behind the last link in common and ends before the next one.
    """
    common = np.isin(_originals(path), _originals(best))
    edges = np.diff(np.concatenate([[True], common, [True]]).astype(np.int8))
    begin, end = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    return list(zip(begin.tolist(), end.tolist(), strict=True))


def _originals(path: Path) -> NDArray[np.int32]:
    return np.asarray(path.graph.links.original[path.links])


def detour_stretch(path: Path, best: Path, costs: Costs) -> float:
    """The largest ratio of a part away from the best path and the part of that one between."""
    place = {link: at for at, link in enumerate(_originals(best).tolist())}
    originals = _originals(path).tolist()
    mine, theirs = spent_before(path, costs), spent_before(best, costs)
    worst = 1.0
    for begin, end in detours(path, best):
        a = place[originals[begin - 1]] + 1 if begin else 0
        b = place[originals[end]] if end < len(originals) else len(best)
        around = mine[end] - mine[begin]
        straight = theirs[b] - theirs[a] if b > a else 0.0
        if around > _ROUNDING_S:
            worst = max(worst, around / straight if straight > 0 else np.inf)
    return float(worst)


def locally_optimal(
    path: Path, search: ShortestPaths, window: float, *, besides: Path | None = None
) -> bool:
    """The T-test along a whole path: whether parts of a certain cost are cheapest paths.

    Windows of that cost are laid along the path, half of one apart. A path all of whose parts up
    to `window` are cheapest passes; one that passes has no part up to half of it that is not.

    Args:
        path: to test.
        search: finds cheapest paths; its costs count.
        window: cost of a window, T.
        besides: a cheapest path; windows on it need no test.
    """
    before = spent_before(path, search.costs)
    away = np.ones(len(path), dtype=bool)
    if besides is not None:
        away = ~np.isin(_originals(path), _originals(besides))
    return all(
        before[end] - before[begin] <= _least(path, search, begin, end)
        for begin, end in _windows(before, window)
        if away[begin : end + 1].any()
    )


def _windows(before: Floats, window: float) -> list[tuple[int, int]]:
    """Positions of the links at which windows begin and end; the last may end with the path."""
    count = len(before) - 1
    found = []
    begin = 0
    while begin < count:
        # No window may cost more than asked, or paths that are good enough would fail.
        end = int(np.searchsorted(before, before[begin] + window, side="right")) - 1
        end = max(end, begin + 1)
        found.append((begin, end))
        if end >= count:
            break
        halfway = int(np.searchsorted(before, before[begin] + window / 2, side="right")) - 1
        begin = max(halfway, begin + 1)
    return found


def _least(path: Path, search: ShortestPaths, begin: int, end: int) -> float:
    """The least cost between two links of a path, with what rounding may hide."""
    a, b = _at(path, begin), _at(path, end)
    return search.cost(a, b) * (1 + _ROUNDING) + _ROUNDING_S


def _at(path: Path, position: int) -> Position:
    """The beginning of a link of a path, or the end of the path."""
    if position >= len(path):
        return Position((0.0, 0.0), (int(path.links[-1]),), (path.to_fraction,))
    fraction = path.from_fraction if position == 0 else 0.0
    return Position((0.0, 0.0), (int(path.links[position]),), (fraction,))


def stretch_between(path: Path, search: ShortestPaths) -> float:
    """The largest ratio of the cost of a part and of the cheapest path between its ends.

    Parts between nine places along the path are measured, 36 of them, those of at least a tenth of
    its cost: a lower bound of the stretch of all parts.
    """
    before = spent_before(path, search.costs)
    count = len(path)
    places = np.searchsorted(before, np.linspace(0, before[-1], _PLACES))
    at = np.unique(np.minimum(places, count)).tolist()
    worst = 1.0
    for i, begin in enumerate(at):
        for end in at[i + 1 :]:
            spent = before[end] - before[begin]
            if spent < before[-1] / 10:
                continue
            least = search.cost(_at(path, begin), _at(path, end))
            worst = max(worst, (spent - _ROUNDING_S) / least if least > 0 else 1.0)
    return float(worst)


@dataclass(frozen=True)
class Quality:
    """How good one path of a set is.

    Attributes:
        stretch: its cost over that of the cheapest path.
        shared: the largest share of an earlier path that it uses: the cost of the links in common
            over the cost of the earlier path; 0 for the first.
        locally_optimal: whether it passes the T-test, T being a quarter of the cheapest path.
        bounded_stretch: the largest stretch of its parts, as `stretch_between` measures it.
        admissible: whether all three are within the published limits (0.25, 0.25, 0.8), or those
            asked for.
    """

    stretch: float
    shared: float
    locally_optimal: bool
    bounded_stretch: float
    admissible: bool


def qualities(
    paths: Sequence[Path], search: ShortestPaths, *, epsilon: float = EPSILON
) -> list[Quality]:
    """The quality of each path of a set.

    Args:
        paths: the cheapest one first, or the first that was chosen.
        search: finds cheapest paths; its costs count.
        epsilon: how much more than the cheapest an admissible path and its parts may cost.
    """
    found = []
    spent = [Spent.of(path, search.costs) for path in paths]
    for rank, path in enumerate(paths):
        least = search.cost(_at(path, 0), _at(path, len(path)))
        least = min([least, *(other.cost(search.costs) for other in paths)])
        stretch = path.cost(search.costs) / least if least > 0 else 1.0
        shared = max((spent[rank].share(earlier) for earlier in spent[:rank]), default=0.0)
        local = locally_optimal(path, search, ALPHA * least)
        bounded = stretch_between(path, search)
        fits = stretch <= 1 + epsilon and bounded <= 1 + epsilon
        found.append(
            Quality(stretch, shared, local, bounded, bool(fits and local and shared <= GAMMA))
        )
    return found


def largest_overlap(paths: Sequence[Path], costs: Costs, of: str = "union") -> float:
    """The largest overlap of two paths of a set; 0 where there is one."""
    spent = [Spent.of(path, costs) for path in paths]
    return max((b.share(a, of) for i, a in enumerate(spent) for b in spent[i + 1 :]), default=0.0)
