"""What is asked for, and which of the paths that a method offers are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nco.errors import InputError, counted, quoted
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several import quality
from nco.roads.several.clean import fault
from nco.roads.several.skeleton import Skeleton
from nco.roads.shortest import Bidirectional, Dijkstra, ShortestPaths, Tree, no_path

if TYPE_CHECKING:
    from nco.data.cities.city import City

MOST = 100


@dataclass(frozen=True)
class Limits:
    """What an alternative must keep.

    Costs are compared with those of the cheapest path, as I. Abraham et al. do ("Alternative routes
    in road networks", ACM JEA 2013).

    Attributes:
        stretch: the most that it may cost, as a multiple.
        detour: the most that a part away from the cheapest path may cost, as a multiple of what the
            cheapest path costs between the same places.
        share: how much of an earlier path it may use, 0 to 1: the cost of the links in common over
            the cost of the earlier path.
        local: parts of it that cost up to this share of the cheapest path are cheapest themselves,
            as far as the T-test sees; 0 asks for nothing.
        clean: whether paths that turn back, pass a junction twice, or leave a street and come back
            to it for nothing are refused.

    Raises:
        InputError: one is out of range.
    """

    stretch: float = 1.25
    detour: float = 1.25
    share: float = 0.8
    local: float = 0.25
    clean: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (
            ("stretch", 1, np.inf),
            ("detour", 1, np.inf),
            ("share", 0, 1),
            ("local", 0, 1),
        ):
            given = getattr(self, name)
            number = isinstance(given, int | float) and not isinstance(given, bool)
            if not number or not low <= given <= high:
                allowed = f"from {low} to {high}" if high < np.inf else f"of {low} or more"
                raise InputError(f"{name} is {quoted(given)}; give a number {allowed}")


class Trees(Protocol):
    """Finds the cheapest ways from A and to B, of all links that paths may lead over."""

    def __call__(self, query: Query) -> tuple[Tree, Tree]:
        """Costs and ways from A, and to B."""
        ...

    def with_costs(self, costs: Costs) -> Trees:
        """The same at other costs."""
        ...


@dataclass(frozen=True, eq=False)
class Query:
    """A request for several paths.

    Attributes:
        graph: the streets.
        costs: of links and turns.
        source: A.
        target: B.
        k: how many paths are asked for, one at least.
        limits: what alternatives must keep.
        search: finds cheapest paths at these costs.
        city: whose engine answers, for methods that ask one.
        trees: finds cheapest ways from A to all links and from all links to B.
        first: the cheapest path, where it is known.
    """

    graph: RoadGraph
    costs: Costs
    source: Position
    target: Position
    k: int
    limits: Limits
    search: ShortestPaths
    city: City | None = None
    trees: Trees | None = None
    first: Path | None = None

    @cached_property
    def best(self) -> Path:
        """The cheapest path.

        Raises:
            NoPathError: there is none.
        """
        if self.first is not None:
            return self.first
        best = self.search.path(self.source, self.target)
        if not np.isfinite(best.cost(self.costs)):
            raise no_path(self.source, self.target)
        return best

    @cached_property
    def least(self) -> float:
        """What the cheapest path costs."""
        return self.best.cost(self.costs)

    @cached_property
    def most(self) -> float:
        """The most that an alternative may cost; rounding of sums is no reason to refuse one."""
        return self.limits.stretch * self.least * (1 + 1e-9) + 1e-9

    @cached_property
    def ahead_and_back(self) -> tuple[Tree, Tree]:
        """Cheapest ways from A to all links and from all links to B."""
        if self.trees is not None:
            return self.trees(self)
        return plain_trees(self)

    @cached_property
    def skeleton(self) -> Skeleton:
        """The part of the graph that alternatives can use."""
        return Skeleton.of(self)

    @cached_property
    def unprepared(self) -> Bidirectional:
        """A search that takes other costs at once."""
        return Bidirectional(self.graph, self.costs)


def plain_trees(query: Query) -> tuple[Tree, Tree]:
    """Cheapest ways from A and to B by Dijkstra's algorithm."""
    plain = Dijkstra(query.graph, query.costs)
    return plain.tree(query.source), plain.tree_to(query.target)


@dataclass(eq=False)
class Chosen:
    """The paths that were taken so far, and why others were not.

    Attributes:
        query: what is asked for.
        paths: the cheapest path first.
        refused: how many were offered and refused, by the reason.
    """

    query: Query
    paths: list[Path] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _seen: set[bytes] = field(default_factory=set)
    _spent: list[quality.Spent] = field(default_factory=list)

    def relax(self, limits: Limits) -> None:
        """Go on with looser limits: what was refused may be offered again.

        Args:
            limits: as loose as before or looser.
        """
        before = self.query
        self.query = replace(before, limits=limits, first=before.best)
        if limits.stretch == before.limits.stretch:
            # What is known of the same part of the graph stays known.
            for known in ("ahead_and_back", "skeleton"):
                if known in before.__dict__:
                    self.query.__dict__[known] = before.__dict__[known]
        self._seen = {path.links.tobytes() for path in self.paths}
        self.refused.clear()

    @property
    def full(self) -> bool:
        """Whether there are as many as were asked for."""
        return len(self.paths) >= self.query.k

    def offer(self, path: Path, *, tested: bool = False) -> bool:
        """Take a path if it keeps the limits; whether it was taken.

        Args:
            path: from A to B.
            tested: whether it is known to be locally optimal.
        """
        return self._take(path, lambda: self._reason(path, tested) if self.paths else "")

    def offer_as_is(self, path: Path) -> bool:
        """Take a path of another engine, which has limits of its own; whether it was taken."""
        return self._take(path, lambda: "")

    def _take(self, path: Path, reason_of: Callable[[], str]) -> bool:
        key = path.links.tobytes()
        if self.full or key in self._seen:
            return False
        self._seen.add(key)
        closed = not np.isfinite(path.cost(self.query.costs))
        if reason := "use what is closed or avoided" if closed else reason_of():
            self.refused[reason] += 1
            return False
        self.paths.append(path)
        return True

    def shared(self, path: Path) -> float:
        """The largest share of a path that was taken which another one uses."""
        return max(self._shares(path), default=0.0)

    def most_alike(self, path: Path) -> Path:
        """The path that was taken which another one shares most with."""
        return self.paths[int(np.argmax(self._shares(path)))]

    def _shares(self, path: Path) -> list[float]:
        while len(self._spent) < len(self.paths):
            self._spent.append(quality.Spent.of(self.paths[len(self._spent)], self.query.costs))
        mine = quality.Spent.of(path, self.query.costs)
        return [mine.share(earlier) for earlier in self._spent]

    def too_alike(self, number: int) -> None:
        """Count paths that were not even offered, for they share too much with those taken."""
        if number:
            self.refused[self._alike] += number

    @property
    def _alike(self) -> str:
        return f"share more than {self.query.limits.share:.0%} with an earlier one"

    def _reason(self, path: Path, tested: bool) -> str:
        query, limits = self.query, self.query.limits
        if path.cost(query.costs) > query.most:
            return f"cost more than {limits.stretch:g} times the cheapest"
        if self.shared(path) > limits.share:
            return self._alike
        if limits.clean and (kind := fault(path, self.paths[0])):
            return kind
        if quality.detour_stretch(path, self.paths[0], query.costs) > limits.detour:
            return "have a part that is a long detour"
        if limits.local > 0 and not tested:
            window = limits.local * query.least
            if not quality.locally_optimal(path, query.search, window, besides=self.paths[0]):
                return "have a part for which there is a cheaper way"
        return ""

    def why_fewer(self) -> str:
        """Why there are fewer paths than were asked for; empty where there are as many."""
        missing = self.query.k - len(self.paths)
        if missing <= 0:
            return ""
        told = f"{counted(len(self.paths), 'path')} instead of {self.query.k}: "
        if not self.refused:
            return told + "the method finds no other way"
        kinds = "; ".join(f"{n} {reason}" for reason, n in self.refused.most_common())
        return told + f"of the other ways that were found, {kinds}"


def check_k(k: int) -> int:
    """How many paths, if that many can be asked for.

    Raises:
        InputError: it is no whole number from 1 to 100.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MOST:
        raise InputError(f"k is {quoted(k)}; ask for 1 to {MOST} paths")
    return int(k)
