"""Square pieces of the map as data that a page draws: whole numbers within the tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.base_map import kinds
from nco.data.cities.base_map.features import Features
from nco.errors import InputError

EXTENT = 4096
"""Units a side of a tile."""
_BESIDE = 64  # units drawn beyond the sides, for the width of lines
_COARSE = 6.0  # units by which lines may be simplified, about a third of a pixel


def tile(features: Features, zoom: int, column: int, row: int) -> dict[str, Any]:
    """What is drawn in a tile of the usual web maps.

    Args:
        features: of the extract.
        zoom: from `MIN_ZOOM` to `MAX_ZOOM`.
        column: of the tile, from the west.
        row: from the north.

    Returns:
        `extent`, and by layer the things to be drawn in their order: `kind`, `name` where there is
        one, and `at`: lists of `x, y, x, y, ...`, of an area its outline and its holes. The second
        coordinate points downwards.

    Raises:
        InputError: there is no such tile.
    """
    side = 1 << zoom if kinds.MIN_ZOOM <= zoom <= kinds.MAX_ZOOM else 0
    if not (0 <= column < side and 0 <= row < side):
        raise InputError(
            f"there is no such tile; zoom is from {kinds.MIN_ZOOM} to {kinds.MAX_ZOOM}, column and "
            "row from 0 to below 2 to the power of it"
        )
    origin = np.array([column, row], dtype=np.float64)
    beside = _BESIDE / EXTENT
    found = features.within((origin - beside) / side, (origin + 1 + beside) / side, zoom)
    layers: dict[str, list[dict[str, Any]]] = {layer: [] for layer in kinds.LAYERS}
    for number, layer in enumerate(kinds.LAYERS):
        chosen = found[features.layer[found] == number]
        if len(chosen):
            layers[layer] = _drawn(features, chosen, layer, origin, side)
    return {"extent": EXTENT, **layers}


def _drawn(
    features: Features, chosen: Any, layer: str, origin: Floats, side: int
) -> list[dict[str, Any]]:
    """Features of one layer, cut to a tile."""
    import shapely

    shapes = _shapes(features, chosen, layer, origin, side)
    if layer != "places":
        shapes = shapely.simplify(shapes, _COARSE, preserve_topology=False)
        low, high = -_BESIDE, EXTENT + _BESIDE
        if layer in kinds.AREAS:
            shapes = shapely.make_valid(shapes)  # the map has crossing outlines, cutting bears none
        shapes = shapely.clip_by_rect(shapes, low, low, high, high)
    pieces, of = shapely.get_parts(shapes, return_index=True)
    wanted = shapely.get_dimensions(pieces) == _DIMENSION.get(layer, 2)
    pieces, of = pieces[wanted & ~shapely.is_empty(pieces)], of[wanted & ~shapely.is_empty(pieces)]
    drawn = []
    for piece, number in zip(pieces, chosen[of], strict=True):
        rings = [piece] if layer not in kinds.AREAS else [piece.exterior, *piece.interiors]
        at = [_whole(shapely.get_coordinates(ring)) for ring in rings]
        one: dict[str, Any] = {"kind": features.words[features.kind[number]], "at": at}
        if features.name[number]:
            one["name"] = features.words[features.name[number]]
        drawn.append(one)
    return drawn


_DIMENSION = {"places": 0, "streets": 1, "rails": 1, "waterways": 1}


def _shapes(features: Features, chosen: Any, layer: str, origin: Floats, side: int) -> Any:
    """The features as shapes in units of a tile."""
    import shapely

    parts, part_of = _ranges(features.part_start, chosen)
    rows, row_of = _ranges(features.point_start, parts)
    xy = (features.points[rows] * side - origin) * EXTENT
    if layer == "places":
        return shapely.points(xy)
    if layer not in kinds.AREAS:
        return shapely.linestrings(xy, indices=row_of)
    return shapely.polygons(shapely.linearrings(xy, indices=row_of), indices=part_of)


def _ranges(starts: Any, chosen: Any) -> tuple[Any, Any]:
    """The rows from `starts[k]` to `starts[k + 1]` for all chosen `k`, and which `k` each is of."""
    counts = starts[chosen + 1] - starts[chosen]
    of = np.repeat(np.arange(len(chosen)), counts)
    before = np.cumsum(counts) - counts
    return starts[chosen][of] + np.arange(len(of)) - before[of], of


def _whole(xy: Floats) -> list[int]:
    """Rounded, without repeated points, flat."""
    rounded = np.rint(xy).astype(np.int64)
    if len(rounded) > 2:
        rounded = rounded[np.append(True, (np.diff(rounded, axis=0) != 0).any(axis=1))]
    return list(rounded.ravel().tolist())
