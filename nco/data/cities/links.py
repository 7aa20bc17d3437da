"""Directed streets and the turns between them, exactly as the OSRM engine of a city has them.

What OSRM routes on is a graph of directed streets (its edge-based graph): a turn that is restricted
is missing there, every other has a penalty. It is read from the same archives as the streets
(`nco.data.cities.roads`), so that nothing here can disagree with the engine:

- `mldgr`: the graph of nested cells (Delling et al. 2011), which holds each turn once from its
  source and once from its target; seconds and weights of directed streets in tenths;
- `turn_duration_penalties` and `turn_weight_penalties`: of each turn, in tenths;
- `ebg_nodes`: the street that a directed street is, and which way it goes along it. A restriction
  over more than two streets makes a second copy of those in between;
- `nbg_nodes`: the numbers that OpenStreetMap gives to nodes, 40 bits each.
"""

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.osrm_files import archive, array, bits
from nco.errors import CityError, shortened

_LOW_31_BITS = np.uint32(0x7FFFFFFF)
_GRAPH = "/mld/multilevelgraph"
_PENALTIES = "/common/turn_penalty"
_IDS = "/common/nbn_data/osm_node_ids"
_OSM_ID_BYTES = 5
_LEFT_HAND = 0x10


@dataclass(frozen=True)
class StreetLinks:
    """Directed streets and turns.

    Attributes:
        street: `[L]`, index of the street in `StreetNetwork`.
        ahead: `[L]`, whether it goes along the street from its first node to its last.
        duration_s: `[L]`, seconds from end to end.
        weight_s: `[L]`, what the engine minimises: seconds, more where it would rather not go.
        left_hand: `[L]`, whether traffic keeps left.
        turn_from: `[T]`, index of the directed street that a turn leaves; ascending.
        turn_to: `[T]`, the one that it enters.
        turn_s: `[T]`, seconds that the turn takes.
        turn_weight_s: `[T]`, what the engine adds for it.
        osm_node: `[V]`, the number of each node of `StreetNetwork` in OpenStreetMap.
    """

    street: NDArray[np.int64]
    ahead: NDArray[np.bool_]
    duration_s: Floats
    weight_s: Floats
    left_hand: NDArray[np.bool_]
    turn_from: NDArray[np.int64]
    turn_to: NDArray[np.int64]
    turn_s: Floats
    turn_weight_s: Floats
    osm_node: NDArray[np.int64]


def read_links(base: Path) -> StreetLinks:
    """Read the graph of directed streets of an engine with nested cells.

    Args:
        base: the engine's base path, see `nco.data.cities.osrm_build.build`.

    Raises:
        CityError: a file is missing, or laid out in a way this version does not know.
    """
    try:
        with archive(base, "mldgr") as tar:
            first = array(tar, f"{_GRAPH}/node_array", "<u4").astype(np.int64)
            edges = array(tar, f"{_GRAPH}/edge_array", "<u4").reshape(-1, 2).astype(np.int64)
            forward = bits(tar, f"{_GRAPH}/is_forward_edge", len(edges))
            duration_s = array(tar, f"{_GRAPH}/node_durations", "<u4") / 10.0
            weight_s = (array(tar, f"{_GRAPH}/node_weights", "<u4") & _LOW_31_BITS) / 10.0
        turn_s = _penalties(base, "duration")
        turn_weight_s = _penalties(base, "weight")
        with archive(base, "ebg_nodes") as tar:
            directed = array(tar, "/common/ebg_node_data/nodes", "<u4").reshape(-1, 3)
            notes = array(tar, "/common/ebg_node_data/annotations", "u1").reshape(-1, 8)
        source = np.repeat(np.arange(len(first) - 1), np.diff(first))[forward]
        target, turn = edges[forward].T
        order = np.lexsort((target, source))
        turn = turn[order]
        if len(directed) != len(duration_s) or target.max(initial=-1) >= len(directed):
            raise ValueError(f"{len(directed)} directed streets, {len(duration_s)} of them known")
        return StreetLinks(
            (directed[:, 0] & _LOW_31_BITS).astype(np.int64),
            (directed[:, 0] >> np.uint32(31)).astype(np.bool_),
            duration_s,
            weight_s,
            (notes[directed[:, 2] & _LOW_31_BITS, 7] & _LEFT_HAND).astype(np.bool_),
            source[order],
            target[order],
            turn_s[turn],
            turn_weight_s[turn],
            _node_ids(base),
        )
    except (OSError, KeyError, IndexError, ValueError, TypeError, tarfile.TarError) as error:
        raise CityError(
            f"cannot read the turns of {base}: {shortened(error)}; remove that folder to have it "
            "rebuilt, and if that does not help install osrm-bindings 26.10"
        ) from error


def _penalties(base: Path, kind: str) -> Floats:
    """Of each turn, from tenths."""
    with archive(base, f"turn_{kind}_penalties") as tar:
        return array(tar, f"{_PENALTIES}/{kind}", "<i2") / 10.0


def read_node_ids(base: Path) -> NDArray[np.int64]:
    """`[V]`, the number of each node of `StreetNetwork` in OpenStreetMap.

    Raises:
        CityError: the file is missing, or laid out in a way this version does not know.
    """
    try:
        return _node_ids(base)
    except (OSError, KeyError, IndexError, ValueError, TypeError, tarfile.TarError) as error:
        raise CityError(f"cannot read the nodes of {base}: {shortened(error)}") from error


def _node_ids(base: Path) -> NDArray[np.int64]:
    with archive(base, "nbg_nodes") as tar:
        [count] = array(tar, f"{_IDS}/number_of_elements.meta", "<u8").tolist()
        packed = array(tar, f"{_IDS}/packed", "u1")
    return _osm_ids(packed, count)


def _osm_ids(packed: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    whole = np.zeros((count, 8), dtype=np.uint8)
    whole[:, :_OSM_ID_BYTES] = packed[: count * _OSM_ID_BYTES].reshape(count, _OSM_ID_BYTES)
    return whole.view("<i8").ravel().astype(np.int64)
