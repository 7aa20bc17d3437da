"""The street network of a city, exactly as its OSRM engine sees it.

OSRM writes its network as tar archives of plain arrays. Reading those takes milliseconds, works
for every profile and every format of extract, and yields the very streets that the engine routes
on: no second reader of OpenStreetMap can disagree with it. The arrays used:

- `nbg_nodes`: coordinates of all nodes, in 1e-6 degrees (int32);
- `geometry`: for each street (a stretch between two junctions) its nodes, and per segment the
  durations forwards and backwards in 0.1 s, packed to 22 bits, all ones where there is none;
- `ebg_nodes`: for each open direction of a street its strongly connected component and the index
  of its annotation, 12 bytes; annotations are 8 bytes, the last of which holds the way of travel.
"""

import tarfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.osrm_files import archive, array
from nco.errors import CityError, shortened

EARTH_RADIUS_M = 6_371_008.8
_LOW_31_BITS = np.uint32(0x7FFFFFFF)
_SEGMENT_BITS = 22
_NO_ENTRY = (1 << _SEGMENT_BITS) - 1
_FERRY_AND_TRAIN = (4, 5)


def haversine_m(a: Floats, b: Floats) -> Floats:
    """Great-circle distance in metres between lonlat arrays `[..., 2]`."""
    a, b = np.radians(a), np.radians(b)
    half = np.sin((b - a) / 2) ** 2
    chord = half[..., 1] + np.cos(a[..., 1]) * np.cos(b[..., 1]) * half[..., 0]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1))))


@dataclass(frozen=True)
class Edges:
    """Directed edges of the street network; every segment of a street is one edge a direction.

    Attributes:
        tail: `[E]`, index of the node it leaves.
        head: `[E]`, index of the node it enters.
        length_m: `[E]`, metres.
        duration_s: `[E]`, seconds, without turn penalties.
        street: `[E]`, the street it is a part of.
    """

    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    length_m: Floats
    duration_s: Floats
    street: NDArray[np.int64]


@dataclass(frozen=True)
class StreetNetwork:
    """Streets between junctions and the nodes along them.

    Attributes:
        lonlat: `[V, 2]`, the nodes in degrees.
        street_start: `[S + 1]`, where each street begins in `street_nodes`.
        street_nodes: `[L]`, indices of nodes; street `s` is
            `street_nodes[street_start[s]:street_start[s + 1]]`.
        forward_s: `[L]`, seconds from the node before to this one; `inf` where forbidden and at
            the first node of a street.
        backward_s: `[L]`, seconds from the node after to this one; `inf` likewise.
        component: `[S]`, strongly connected component; of two for two directions the larger.
        main: `[S]`, whether the street belongs to the largest component and is not a ferry or
            train, so that its points all reach one another and can be stood on.
    """

    lonlat: Floats
    street_start: NDArray[np.int64]
    street_nodes: NDArray[np.int64]
    forward_s: Floats
    backward_s: Floats
    component: NDArray[np.int64]
    main: NDArray[np.bool_]

    @cached_property
    def segments(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Position in `street_nodes` of each segment's first node, its two nodes: start, a, b."""
        inner = np.ones(len(self.street_nodes), dtype=bool)
        inner[self.street_start[1:] - 1] = False
        # OSRM writes some nodes twice in a row; that is no segment.
        inner[:-1] &= self.street_nodes[1:] != self.street_nodes[:-1]
        start = np.flatnonzero(inner)
        return start, self.street_nodes[start], self.street_nodes[start + 1]

    @cached_property
    def segment_length_m(self) -> Floats:
        """`[segments]`, metres."""
        _, a, b = self.segments
        return haversine_m(self.lonlat[a], self.lonlat[b])

    @cached_property
    def segment_main(self) -> NDArray[np.bool_]:
        """`[segments]`, whether the segment's street is of the largest component."""
        per_node = np.repeat(self.main, np.diff(self.street_start))
        return np.asarray(per_node[self.segments[0]])

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the largest component in degrees.

        Ferries lead far out of a city and are not in it.
        """
        nodes = self.street_nodes[np.repeat(self.main, np.diff(self.street_start))]
        low, high = self.lonlat[nodes].min(axis=0), self.lonlat[nodes].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def edges(self) -> Edges:
        """All directed edges that may be driven (or ridden, or walked)."""
        start, a, b = self.segments
        forward, backward = self.forward_s[start + 1], self.backward_s[start]
        ahead, back = np.isfinite(forward), np.isfinite(backward)
        length = self.segment_length_m
        street = np.repeat(np.arange(len(self.main)), np.diff(self.street_start))[start]
        return Edges(
            np.concatenate([a[ahead], b[back]]),
            np.concatenate([b[ahead], a[back]]),
            np.concatenate([length[ahead], length[back]]),
            np.concatenate([forward[ahead], backward[back]]),
            np.concatenate([street[ahead], street[back]]),
        )

    def streets(self) -> list[Floats]:
        """One polyline `[k, 2]` (lonlat) a street, for drawing."""
        return np.split(self.lonlat[self.street_nodes], self.street_start[1:-1])


def read_roads(base: Path) -> StreetNetwork:
    """Read the street network that `osrm-extract` wrote.

    Args:
        base: the engine's base path; `.nbg_nodes`, `.geometry` and `.ebg_nodes` are appended.

    Raises:
        CityError: a file is missing, or laid out in a way this version does not know.
    """
    try:
        with archive(base, "nbg_nodes") as tar:
            lonlat = array(tar, "/common/nbn_data/coordinates", "<i4").reshape(-1, 2) / 1e6
        with archive(base, "geometry") as tar:
            start = array(tar, "/common/segment_data/index", "<u4").astype(np.int64)
            nodes = array(tar, "/common/segment_data/nodes", "<u4").astype(np.int64)
            forward = _durations(tar, "/common/segment_data/forward_durations", len(nodes))
            backward = _durations(tar, "/common/segment_data/reverse_durations", len(nodes))
        with archive(base, "ebg_nodes") as tar:
            directed = array(tar, "/common/ebg_node_data/nodes", "<u4").reshape(-1, 3)
            annotations = array(tar, "/common/ebg_node_data/annotations", "u1").reshape(-1, 8)
        component, main, ways = _components(directed, annotations, len(start) - 1)
        lengths = np.diff(start)
        # One-way streets carry durations for both directions; only one has an edge.
        forward[np.repeat(~ways[:, 1], lengths)] = np.inf
        backward[np.repeat(~ways[:, 0], lengths)] = np.inf
        return StreetNetwork(lonlat, start, nodes, forward, backward, component, main)
    except (OSError, KeyError, IndexError, ValueError, tarfile.TarError) as error:
        raise CityError(
            f"cannot read the street network of {base}: {shortened(error)}; remove that folder to "
            "have it rebuilt, and if that does not help install osrm-bindings 26.10"
        ) from error


def reconnected(roads: StreetNetwork) -> StreetNetwork:
    """The same streets with components as they are where some are closed.

    OSRM finds components when it extracts, not when it customises. A street of which a part is
    closed is not of the largest one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges, nodes = roads.edges(), len(roads.lonlat)
    graph = coo_array((np.ones(len(edges.tail)), (edges.tail, edges.head)), shape=(nodes, nodes))
    _, of_node = connected_components(graph.tocsr(), directed=True, connection="strong")
    start, a, b = roads.segments
    street = np.repeat(np.arange(len(roads.main)), np.diff(roads.street_start))[start]
    closed = np.isinf(roads.forward_s[start + 1]) & np.isinf(roads.backward_s[start])
    apart = of_node[a] != of_node[b]
    whole = np.ones(len(roads.main), dtype=bool)
    whole[street[closed | apart]] = False
    component = of_node[roads.street_nodes[roads.street_start[:-1]]].astype(np.int64)
    length = np.bincount(component[street], roads.segment_length_m * ~(closed | apart))
    main = roads.main & whole & (component == int(length.argmax()))
    return replace(roads, component=component, main=main)


def component_sizes(base: Path) -> NDArray[np.int64]:
    """Directed streets in each strongly connected component, largest first."""
    with archive(base, "ebg_nodes") as tar:
        directed = array(tar, "/common/ebg_node_data/nodes", "<u4").reshape(-1, 3)
    _, sizes = np.unique(directed[:, 1] & _LOW_31_BITS, return_counts=True)
    return np.asarray(np.sort(sizes)[::-1])


def _components(
    directed: NDArray[np.uint32], annotations: NDArray[np.uint8], streets: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Each street's component, whether it is of the largest, and `[S, 2]` its open directions.

    The directions are backward and forward, in this order.
    """
    street = (directed[:, 0] & _LOW_31_BITS).astype(np.int64)
    component = (directed[:, 1] & _LOW_31_BITS).astype(np.int64)
    travel = annotations[directed[:, 2] & _LOW_31_BITS, 7] & 0x0F
    size = np.bincount(component)
    # Larger components are written last, so that they win where both directions of a street
    # lie in different ones.
    order = np.argsort(size[component], kind="stable")
    of_street = np.full(streets, -1, dtype=np.int64)
    of_street[street[order]] = component[order]
    afloat = np.zeros(streets, dtype=bool)
    afloat[street[np.isin(travel, _FERRY_AND_TRAIN)]] = True
    ways = np.zeros((streets, 2), dtype=bool)
    ways[street, directed[:, 0] >> np.uint32(31)] = True
    return of_street, (of_street == size.argmax()) & ~afloat, ways


def _durations(tar: tarfile.TarFile, name: str, count: int) -> Floats:
    """Unpack `count` durations of 22 bits each, in 0.1 s, from little-endian 64-bit words."""
    words = np.append(array(tar, f"{name}/packed", "<u8").astype(np.uint64), np.uint64(0))
    first_bit = np.arange(count, dtype=np.uint64) * np.uint64(_SEGMENT_BITS)
    word = (first_bit >> np.uint64(6)).astype(np.int64)
    shift = first_bit & np.uint64(63)
    # A shift by 64 is undefined, hence in two steps.
    high = (words[word + 1] << (np.uint64(63) - shift)) << np.uint64(1)
    ticks = ((words[word] >> shift) | high) & np.uint64(_NO_ENTRY)
    return np.where(ticks == _NO_ENTRY, np.inf, ticks / 10.0)
