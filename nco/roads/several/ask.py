"""The one question, `paths`, and the methods that answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

from nco.arguments import of_kind
from nco.errors import InputError, NoPathError
from nco.registry import add_method, load_method
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several.auto import loosened, told
from nco.roads.several.quality import Quality, qualities
from nco.roads.several.query import Chosen, Limits, Query, Trees, check_k
from nco.roads.several.rules import Rules
from nco.roads.several.stops import combined, joined, one_way
from nco.roads.shortest import Bidirectional, ShortestPaths

if TYPE_CHECKING:
    from nco.data.cities.city import City

METHODS = {
    "auto": "nco.roads.several.auto:auto",
    "plateau": "nco.roads.several.plateau:plateau",
    "penalty": "nco.roads.several.penalty:penalty",
    "learned": "nco.roads.learn.paths:learned",
    "conditioned": "nco.roads.learn.paths:conditioned",
    "via": "nco.roads.several.via:via",
    "svp": "nco.roads.several.via:single_via",
    "esx": "nco.roads.several.esx:esx",
    "onepass": "nco.roads.several.onepass:onepass",
    "osrm": "nco.roads.several.osrm:osrm",
    "valhalla": "nco.roads.several.valhalla:valhalla",
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
        relaxed: which limits the method relaxed to find as many; empty where none.
    """

    paths: tuple[Path, ...]
    method: str
    costs: Costs
    search: ShortestPaths
    why_fewer: str = ""
    relaxed: str = ""

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
    rules: Rules | None = None,
    through: Sequence[Position] = (),
    search: ShortestPaths | None = None,
    city: City | None = None,
    trees: Trees | None = None,
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
        rules: what all paths avoid and prefer.
        through: places in between that all paths pass, in this order.
        search: finds cheapest paths, such as a `Hierarchy` for many questions; `Bidirectional` if
            left out.
        city: whose engine answers, for methods that ask one.
        trees: finds the cheapest ways from A and to B at the costs of `search`, such as a `Sweep`
            for many questions; Dijkstra's algorithm if left out.

    Raises:
        InputError: k, limits, costs or the method are wrong, or A and B are the same place.
        NoPathError: no path leads from A to B; the message says which rule it is that binds.
        UnsupportedError: the method needs something that is not there.
    """
    of_kind(graph, RoadGraph, "graph", "a road graph, such as RoadGraph.of(city)", InputError)
    places = (source, *through, target)
    for what, place in zip(("source", *["through"] * len(through), "target"), places, strict=True):
        of_kind(place, Position, what, "a position, such as Snapper gives", InputError)
    for a, b in pairwise(places):
        if a.links == b.links and a.fractions == b.fractions:
            which = "two places that follow one another" if through else "A and B"
            raise InputError(f"{which} are the same place; give two different ones")
    load_method(METHODS, method)
    k, limits = check_k(k), Limits() if limits is None else limits
    if search is None:
        search = Bidirectional(graph, costs)
    elif costs is not None and costs is not search.costs:
        search, trees = _at(search, trees, costs)
    free = search.costs
    if rules:
        search, trees = _at(search, trees, rules)
    query = Query(graph, search.costs, source, target, k, limits, search, city=city, trees=trees)
    try:
        chosen = _chosen(query, method, places)
    except NoPathError:
        if rules is not None:
            for a, b in pairwise(places):
                rules.refuse(graph, free, a, b)
        raise
    if not chosen.paths and rules is not None and rules.avoid:
        query.best  # noqa: B018 -- raises where there is none
    relaxed = told(limits, chosen.query.limits)
    return Several(tuple(chosen.paths), method, query.costs, search, chosen.why_fewer(), relaxed)


def _changed(
    search: ShortestPaths, trees: Trees | None, change: Costs | Rules
) -> tuple[ShortestPaths, Trees | None]:
    """Searches at other costs, or by rules."""
    costs = change.on(search.costs) if isinstance(change, Rules) else change
    return search.with_costs(costs), trees.with_costs(costs) if trees is not None else None


# The last few are kept, for the same is asked again; searches are told apart by identity.
_at: Any = lru_cache(maxsize=8)(_changed)


def _chosen(query: Query, method: str, places: Sequence[Position]) -> Chosen:
    """What a method finds through all places."""
    function = load_method(METHODS, method)
    if len(places) == 2:
        chosen = Chosen(query)
        function(query, chosen)
        return chosen
    exact = one_way(query.search, places)
    legs = []
    for a, b in pairwise(exact):
        leg = Chosen(replace(query, source=a, target=b))
        function(leg.query, leg)
        legs.append(leg)
    first = joined([leg.query.best for leg in legs])
    loosest = legs[0].query.limits
    for leg in legs:
        loosest = loosened(loosest, asdict(leg.query.limits))
    chosen = Chosen(replace(query, first=first, limits=loosest))
    combined(
        [leg.paths for leg in legs],
        lambda path: path.cost(query.costs),
        lambda path: chosen.offer(path, tested=True),
    )
    for leg in legs:
        chosen.refused.update(leg.refused)
    return chosen
