"""The road graph of a city: links, the turns between them, shapes and names, all as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nco.arguments import of_kind, path_of
from nco.arrays import Floats
from nco.data.cities.city import City
from nco.data.cities.roads import EARTH_RADIUS_M, haversine_m
from nco.errors import CityError, quoted
from nco.roads.links import Adjacency, Links, Shapes, Turns, check_part

if TYPE_CHECKING:
    from networkx import MultiDiGraph
    from torch_geometric.data import Data

    from nco.roads.hierarchy import Contraction


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """Links and turns of a place. Make one with `of`, `from_osm`, `from_links` or `from_networkx`.

    Attributes:
        name: of the place.
        lonlat: `[N, 2]`, the nodes in degrees: junctions and the corners of streets.
        osm_node: `[N]`, their numbers in OpenStreetMap; -1 where they have none.
        links: `[L]` each.
        turns: `[T]` each.
        shapes: the nodes along the links.
        names: of streets; the first one is empty.

    Raises:
        CityError: arrays do not fit together.
    """

    name: str
    lonlat: Floats
    osm_node: NDArray[np.int64]
    links: Links
    turns: Turns
    shapes: Shapes
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_part(self.links, len(self.links), "links")
        check_part(self.turns, len(self.turns), "turns")
        if not len(self.links):
            raise CityError(f"{self.name} has no links, so that nothing can be routed on it")
        ends = (self.turns.from_link, self.turns.to_link)
        if any(len(end) and not 0 <= end.min() <= end.max() < len(self.links) for end in ends):
            raise CityError(f"turns lead to links that {self.name} does not have")
        if (np.diff(self.turns.from_link) < 0).any():
            raise CityError("turns must be sorted by the link that they leave")
        if (self.links.head[ends[0]] != self.links.tail[ends[1]]).any():
            raise CityError("a turn must enter a link where the link that it leaves ends")

    def __repr__(self) -> str:
        return f"RoadGraph({quoted(self.name)}, links={len(self.links)}, turns={len(self.turns)})"

    @classmethod
    def of(cls, city: City) -> RoadGraph:
        """The road graph of a city, with the changes of a variant; built once and cached.

        Raises:
            CityError: the city has no extract here, or it is unusable.
            StorageError: the cache folder cannot be written.
        """
        from nco.roads.store import kept

        of_kind(city, City, "city", "a city, such as nco.city('helsinki')", CityError)
        if city.extract is None:
            raise CityError(
                f"{city.name} has no streets here, only a server; open it with City.from_server("
                "..., extract=...), or its extract with City.from_file"
            )
        return kept(city.extract, city.profile, city.name, city.changes)

    @classmethod
    def from_osm(cls, extract: str | Path, *, profile: str = "car") -> RoadGraph:
        """The road graph of an OpenStreetMap extract; built once and cached.

        Args:
            extract: `.osm.pbf` or `.osm`.
            profile: `car`, `bicycle` or `foot`.

        Raises:
            CityError: the extract is missing, damaged or without streets, or there is no such
                profile.
            StorageError: the cache folder cannot be written.
        """
        from nco.roads.store import kept

        extract = path_of(extract, "extract", CityError).absolute()
        return kept(extract, profile, extract.name.removesuffix(".pbf").removesuffix(".osm"))

    @classmethod
    def from_links(cls, lonlat: Any, tail: Any, head: Any, **facts: Any) -> RoadGraph:
        """A road graph from nodes and links of whatever source; see `nco.roads.made`."""
        from nco.roads.made import made

        return made(lonlat, tail, head, **facts)

    @classmethod
    def from_networkx(cls, graph: MultiDiGraph) -> RoadGraph:
        """A road graph from one of networkx, OSMnx's for one; see `nco.roads.convert`."""
        from nco.roads.convert import from_networkx

        return from_networkx(graph)

    @classmethod
    def from_pyg(cls, data: Data) -> RoadGraph:
        """The road graph that `to_pyg` made this data of."""
        from nco.roads.convert import from_pyg

        return from_pyg(data)

    def to_networkx(self) -> MultiDiGraph:
        """Nodes where links end, links as edges; see `nco.roads.convert`."""
        from nco.roads.convert import to_networkx

        return to_networkx(self)

    def to_pyg(self) -> Data:
        """Links as nodes and turns as edges, for PyTorch Geometric; see `nco.roads.convert`."""
        from nco.roads.convert import to_pyg

        return to_pyg(self)

    @cached_property
    def adjacency(self) -> Adjacency:
        """Turns by the links that they leave and enter."""
        return Adjacency.of(self.turns, len(self.links))

    @cached_property
    def segment_m(self) -> Floats:
        """`[S]`, metres from each node of `shapes` to the next one of its link; 0 at the last."""
        return segment_lengths(self.lonlat, self.shapes)

    @cached_property
    def along_m(self) -> Floats:
        """`[S]`, metres from the beginning of the link to each node of `shapes`."""
        total = np.concatenate([[0.0], np.cumsum(self.segment_m)])[:-1]
        return np.asarray(total - total[self.shapes.first[:-1]][self.shapes.link])

    @cached_property
    def xyz(self) -> Floats:
        """`[N, 3]`, the nodes in metres from the middle of the earth."""
        lon, lat = np.radians(self.lonlat).T
        flat = np.cos(lat)
        unit = np.stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)], axis=1)
        return np.asarray(EARTH_RADIUS_M * unit)

    @cached_property
    def copies(self) -> dict[int, tuple[int, ...]]:
        """Links that there are several of, by the original: itself and its copies."""
        found: dict[int, tuple[int, ...]] = {}
        for copy in np.flatnonzero(self.links.original != np.arange(len(self.links))).tolist():
            original = int(self.links.original[copy])
            found[original] = (*found.get(original, (original,)), copy)
        return found

    @cached_property
    def contraction(self) -> Contraction:
        """What hierarchies of any costs share; see `nco.roads.hierarchy`.

        Raises:
            StorageError: the cache folder cannot be written.
        """
        from nco.roads.hierarchy import Contraction

        return Contraction.of(self)

    @cached_property
    def along_s(self) -> Floats:
        """`[S]`, seconds of free flow from the beginning of the link to each node of `shapes`.

        Metres in place of them on links that take no time or are closed: they have fractions too.
        """
        seconds = self.shapes.seconds
        whole = np.add.reduceat(seconds, self.shapes.first[:-1])
        timed = (whole > 0) & np.isfinite(whole)
        seconds = np.where(timed[self.shapes.link], seconds, self.segment_m)
        total = np.concatenate([[0.0], np.cumsum(seconds)])[:-1]
        return np.asarray(total - total[self.shapes.first[:-1]][self.shapes.link])

    def metres_at(self, link: int, fraction: float) -> float:
        """Metres from the beginning of a link at a fraction of the time that it takes."""
        here = slice(self.shapes.first[link], self.shapes.first[link + 1])
        along_s = self.along_s[here]
        return float(np.interp(fraction * along_s[-1], along_s, self.along_m[here]))

    def fraction_at(self, link: int, metres: float) -> float:
        """The fraction of the time that a link takes at so many metres from its beginning."""
        here = slice(self.shapes.first[link], self.shapes.first[link + 1])
        along_s = self.along_s[here]
        if along_s[-1] <= 0:
            return 0.0
        return float(np.interp(metres, self.along_m[here], along_s) / along_s[-1])

    def link_nodes(self, link: int) -> NDArray[np.int32]:
        """`[k]`, indices of the nodes along a link."""
        return self.shapes.nodes[self.shapes.first[link] : self.shapes.first[link + 1]]

    def shape(self, link: int) -> Floats:
        """`[k, 2]`, lonlat along a link."""
        return np.asarray(self.lonlat[self.link_nodes(link)])

    def link_name(self, link: int) -> str:
        """The name of the street that a link is of; empty where it has none."""
        return self.names[int(self.links.name[link])]

    def turn_between(self, from_link: int, to_link: int) -> int:
        """Index of the turn from a link to another one; -1 where there is none."""
        first, last = self.adjacency.first[from_link], self.adjacency.first[from_link + 1]
        hits = np.flatnonzero(self.turns.to_link[first:last] == to_link)
        return int(first + hits[0]) if len(hits) else -1

    def turns_along(self, links: Any) -> NDArray[np.int64]:
        """`[k - 1]`, the turn from each of `[k]` links to the next; -1 where there is none."""
        links = np.asarray(links, dtype=np.int64)
        size = len(self.links)
        wanted = links[:-1] * size + links[1:]
        place = np.minimum(np.searchsorted(self._turn_keys, wanted), len(self.turns) - 1)
        if not len(self.turns):
            return np.full(max(len(links) - 1, 0), -1)
        return np.where(self._turn_keys[place] == wanted, self._turn_order[place], -1)

    @cached_property
    def _turn_order(self) -> NDArray[np.int64]:
        return np.lexsort((self.turns.to_link, self.turns.from_link))

    @cached_property
    def _turn_keys(self) -> NDArray[np.int64]:
        keys = self.turns.from_link.astype(np.int64) * len(self.links) + self.turns.to_link
        return np.asarray(keys[self._turn_order])


def segment_lengths(lonlat: Floats, shapes: Shapes) -> Floats:
    """`[S]`, metres from each node along the links to the next one; 0 at the last of a link."""
    along = lonlat[shapes.nodes]
    metres = np.zeros(len(along))
    metres[:-1] = haversine_m(along[:-1], along[1:])
    metres[shapes.first[1:] - 1] = 0.0
    return metres
