"""The sea: what lies on the right of a coastline, which is all that OpenStreetMap has of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nco.arrays import Floats

_ASIDE = 1e-3  # how far beside a piece of coast its side is looked at, as a share of its length


def sea_of(coast: Sequence[Floats], low: Floats, high: Floats) -> Iterator[list[Floats]]:
    """Outlines of the sea within a frame, each with the islands in it.

    The frame is cut along the coast, and a piece of it is sea if it lies on the right of most of
    the coast beside it. A coast that ends inside of the frame, as extracts have it that were cut,
    cuts nothing.

    Args:
        coast: lines `[k, 2]`, land on their left; the second coordinate points downwards.
        low: `[2]`, the corner of the frame in the north west.
        high: `[2]`, and the other one.

    Yields:
        Closed lines, the outline first.
    """
    import shapely

    if not coast:
        return
    frame = shapely.box(*low, *high)
    inside = shapely.union_all([shapely.LineString(line) for line in coast])
    inside = shapely.intersection(inside, frame)
    cut = shapely.union_all([inside, frame.exterior])  # with nodes where lines cross
    pieces = list(shapely.polygonize(list(shapely.get_parts(cut))).geoms)
    begin, end = _steps(coast)
    aside = _ASIDE * (end - begin) @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    tree = shapely.STRtree(pieces)
    votes = np.zeros(len(pieces))
    for side, vote in ((1, 1), (-1, -1)):  # on the right, where the second one points downwards
        points = shapely.points((begin + end) / 2 + side * aside)
        _, met = tree.query(points, predicate="within")
        np.add.at(votes, met, vote)
    for piece, right in zip(pieces, votes > 0, strict=True):
        if right:
            yield [np.asarray(ring.coords) for ring in (piece.exterior, *piece.interiors)]


def _steps(coast: Sequence[Floats]) -> tuple[Floats, Floats]:
    """From where to where each step of the lines leads."""
    begin = np.concatenate([line[:-1] for line in coast])
    end = np.concatenate([line[1:] for line in coast])
    return begin, end
