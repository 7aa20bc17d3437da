"""The one question, `paths`, and the methods that answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from nco.arguments import of_kind
from nco.errors import InputError
from nco.registry import add_method, load_method
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several.quality import Quality, qualities
from nco.roads.several.query import Chosen, Limits, Query, check_k
from nco.roads.shortest import Bidirectional, ShortestPaths, Tree

if TYPE_CHECKING:
    from nco.data.cities.city import City

METHODS = {
    "plateau": "nco.roads.several.plateau:plateau",
    "penalty": "nco.roads.several.penalty:penalty",
    "via": "nco.roads.several.via:via",
    "svp": "nco.roads.several.via:single_via",
    "esx": "nco.roads.several.esx:esx",
    "onepass": "nco.roads.several.onepass:onepass",
    "yen": "nco.roads.several.yen:yen",
}
"""Functions `(query, chosen)` that offer paths from A to B until enough are chosen."""


@dataclass(frozen=True, eq=False)
class Several(Sequence[Path]):
    """Paths from A to B, the first of them the method's best; a sequence of `Path`.

    Attributes:
        paths: themselves.
        method: that found them.
        costs: at which.
        search: that finds cheapest paths at these costs.
        why_fewer: why there are fewer than were asked for; empty where there are as many.
    """

    paths: tuple[Path, ...]
    method: str
    costs: Costs
    search: ShortestPaths
    why_fewer: str = ""

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __repr__(self) -> str:
        return f"Several({self.method}, {list(self.paths)})"

    def quality(self) -> list[Quality]:
        """How good each of them is."""
        return qualities(self.paths, self.search)


def add_paths_method(name: str, target: str) -> None:
    """Register a method.

    Args:
        name: to call it by.
        target: `package.module:function`, a function `(query, chosen)`.

    Raises:
        InputError: the name is taken, or the target is no such text.
    """
    add_method(METHODS, name, target)


def paths(
    graph: RoadGraph,
    source: Position,
    target: Position,
    k: int = 3,
    costs: Costs | None = None,
    *,
    method: str = "plateau",
    limits: Limits | None = None,
    search: ShortestPaths | None = None,
    city: City | None = None,
    trees: Callable[[Query], tuple[Tree, Tree]] | None = None,
) -> Several:
    """Several paths from A to B.

    Args:
        graph: the streets.
        source: A.
        target: B.
        k: how many, from 1 to 100; there may be fewer, and the answer says why.
        costs: of links and turns; those of `search`, or OSRM's (`Costs.usual`), if left out.
        method: one of `METHODS`.
        limits: what alternatives must keep.
        search: finds cheapest paths, such as a `Hierarchy` for many questions; `Bidirectional` if
            left out.
        city: whose engine answers, for methods that ask one.
        trees: finds the cheapest ways from A and to B; Dijkstra's algorithm if left out.

    Raises:
        InputError: k, limits, costs or the method are wrong, or A and B are the same place.
        NoPathError: no path leads from A to B.
        UnsupportedError: the method needs something that is not there.
    """
    of_kind(graph, RoadGraph, "graph", "a road graph, such as RoadGraph.of(city)", InputError)
    for what, place in (("source", source), ("target", target)):
        of_kind(place, Position, what, "a position, such as Snapper gives", InputError)
    if source.links == target.links and source.fractions == target.fractions:
        raise InputError("A and B are the same place; give two different ones")
    function = load_method(METHODS, method)
    if search is None:
        search = Bidirectional(graph, costs)
    elif costs is not None and costs is not search.costs:
        search = search.with_costs(costs)
    limits = Limits() if limits is None else limits
    query = Query(
        graph, search.costs, source, target, check_k(k), limits, search, city=city, trees=trees
    )
    chosen = Chosen(query)
    function(query, chosen)
    return Several(tuple(chosen.paths), method, query.costs, search, chosen.why_fewer())
