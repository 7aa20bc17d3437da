"""What an extract has to be drawn, as arrays; read once and kept in the cache folder.

Coordinates are those of web maps (spherical Mercator), from 0 to 1 over the whole world, so that
tiles are cut from them without further projection.
"""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nco.archives import BrokenArchiveError, read_npz
from nco.arrays import Floats
from nco.data.cities.base_map import kinds
from nco.data.cities.base_map.sea import sea_of
from nco.data.cities.cache import cache_dir, content_hash
from nco.errors import CityError, shortened
from nco.files import locked, write_atomic
from nco.json_text import parse_json

log = logging.getLogger("nco")

# Part of every file's name: raise it when what is kept changes.
RECIPE = 1
_LONGEST = 200  # of a name
_LEAST_PIXELS = 6.0  # side of an area at the zoom from which it is shown
_POLE = 85.0511  # degrees, where the square map ends
_ARRAYS = ("layer", "kind", "name", "zoom", "part_start", "point_start", "points")


@dataclass(frozen=True, eq=False)
class Features:
    """Areas, lines and points.

    Attributes:
        layer: `[F]`, index in `kinds.LAYERS`.
        kind: `[F]`, index in `words`.
        name: `[F]`, likewise.
        zoom: `[F]`, the least one at which each is shown.
        part_start: `[F + 1]`, where the parts of each begin in `point_start`: an outline and the
            holes in it, or one line.
        point_start: `[P + 1]`, where the points of each part begin.
        points: `[n, 2]`, from 0 to 1 over the world, the second downwards.
        words: kinds and names.
        digest: of the extract.
    """

    layer: NDArray[np.int64]
    kind: NDArray[np.int64]
    name: NDArray[np.int64]
    zoom: NDArray[np.int64]
    part_start: NDArray[np.int64]
    point_start: NDArray[np.int64]
    points: Floats
    words: list[str]
    digest: str

    @cached_property
    def frames(self) -> tuple[Floats, Floats]:
        """`[F, 2]` each: the corners of features in the north west and in the south east."""
        starts = self.point_start[self.part_start[:-1]]
        if not len(starts):
            return np.zeros((0, 2)), np.zeros((0, 2))
        return np.minimum.reduceat(self.points, starts), np.maximum.reduceat(self.points, starts)

    def within(self, low: Floats, high: Floats, zoom: int) -> NDArray[np.int64]:
        """Features that are shown at a zoom and whose frame meets another one.

        Args:
            low: `[2]`, its corner in the north west.
            high: `[2]`, and the other one.
            zoom: of the tile.
        """
        north_west, south_east = self.frames
        shown = (self.zoom <= zoom) & (south_east >= low).all(axis=1)
        return np.flatnonzero(shown & (north_west <= high).all(axis=1))


def mercator(lonlat: Floats) -> Floats:
    """Places `[n, 2]` (lonlat) on the square map of the world."""
    lon, lat = lonlat[:, 0], np.radians(np.clip(lonlat[:, 1], -_POLE, _POLE))
    y = 0.5 - np.arctanh(np.sin(lat)) / (2 * np.pi)
    return np.stack([lon / 360 + 0.5, y], axis=1)


def open_features(extract: Path, bbox: Sequence[float]) -> Features:
    """What an extract has to be drawn, read if it is not in the cache.

    Args:
        extract: `.osm.pbf` or `.osm`.
        bbox: west, south, east, north: where sea is filled in.

    Raises:
        CityError: the extract is gone, truncated or damaged.
        StorageError: the cache folder cannot be written.
    """
    digest = content_hash(extract)[:24]
    path = cache_dir() / "maps" / f"{digest}-{RECIPE}.npz"
    if (known := _kept(path, digest)) is not None:
        return known
    with locked(path, patience_s=None):
        known = _kept(path, digest)  # another process may have read it while this one waited
        if known is None:
            started = time.perf_counter()
            known = read(extract, bbox, digest)
            write_atomic(path, _packed(known))
            log.info(
                "the map of %s ready after %.1f s", extract.name, time.perf_counter() - started
            )
    return known


class _Reading:
    """Features as they are read."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.parts: list[int] = []
        self.lines: list[Floats] = []
        self.words: dict[str, int] = {"": 0}

    def add(self, kind: kinds.Kind, name: str, lines: Sequence[Floats]) -> None:
        """A feature whose lines are on the square map."""
        zoom = kind.zoom
        if kind.layer in kinds.AREAS:
            side = float(np.ptp(lines[0], axis=0).max())
            zoom = max(zoom, int(np.ceil(np.log2(_LEAST_PIXELS / (256 * max(side, 1e-9))))))
        if zoom > kinds.MAX_ZOOM:
            return
        drawn, named = (
            self.words.setdefault(word, len(self.words)) for word in (kind.name, name[:_LONGEST])
        )
        self.rows.append((kinds.LAYERS.index(kind.layer), drawn, named, zoom))
        self.parts.append(len(lines))
        self.lines += lines

    def features(self, digest: str) -> Features:
        """All of them as arrays."""
        table = np.array(self.rows, dtype=np.int64).reshape(-1, 4)
        counts = [len(line) for line in self.lines]
        layer, kind, name, zoom = table.T
        return Features(
            layer=layer,
            kind=kind,
            name=name,
            zoom=zoom,
            part_start=np.append(0, np.cumsum(self.parts)).astype(np.int64),
            point_start=np.append(0, np.cumsum(counts)).astype(np.int64),
            points=np.concatenate(self.lines) if self.lines else np.zeros((0, 2)),
            words=list(self.words),
            digest=digest,
        )


def read(extract: Path, bbox: Sequence[float], digest: str) -> Features:
    """Read what is drawn of an extract.

    Raises:
        CityError: it is gone, truncated or damaged.
    """
    import osmium

    keys = osmium.filter.KeyFilter(*kinds.KEYS)
    found, coast = _Reading(), []
    try:
        things = osmium.FileProcessor(str(extract)).with_areas(keys).with_filter(keys)
        for thing in cast(Iterator[Any], things):
            if thing.is_relation():
                continue
            tags = {tag.k: tag.v for tag in thing.tags}
            name = tags.get("name", "")
            if thing.is_area():
                kind = kinds.of_area(tags)
                for lines in () if kind is None else _outlines(thing):
                    found.add(cast(kinds.Kind, kind), name, lines)
            elif thing.is_way():
                line = None
                if tags.get("natural") == "coastline" and (line := _line(thing.nodes)) is not None:
                    coast.append(line)
                kind = kinds.of_line(tags)
                if kind is not None and (line := _line(thing.nodes)) is not None:
                    found.add(kind, name or tags.get("ref", ""), [line])
            elif (kind := kinds.of_point(tags)) is not None and thing.location.valid():
                at = np.array([[thing.location.lon, thing.location.lat]])
                found.add(kind, name, [mercator(at)])
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
        raise CityError(
            f"extract {extract} cannot be read for its map: {shortened(error)}; is it an "
            ".osm.pbf or .osm file that is whole?"
        ) from error
    corners = mercator(np.array([[bbox[0], bbox[3]], [bbox[2], bbox[1]]]))
    for lines in sea_of(coast, corners[0], corners[1]):
        found.add(kinds.Kind("water", "sea", kinds.MIN_ZOOM), "", lines)
    return found.features(digest)


def _line(nodes: Any, least: int = 2) -> Floats | None:
    """The line through those nodes that the extract has, on the square map."""
    known = [(node.lon, node.lat) for node in nodes if node.location.valid()]
    return mercator(np.array(known)) if len(known) >= least else None


def _outlines(area: Any) -> Iterator[list[Floats]]:
    """Each outline of an area with the holes in it."""
    for outer in area.outer_rings():
        line = _line(outer, 4)
        if line is None:
            continue
        holes = (_line(inner, 4) for inner in area.inner_rings(outer))
        yield [line, *(hole for hole in holes if hole is not None)]


def _packed(features: Features) -> bytes:
    words = np.frombuffer(json.dumps(features.words).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(features, name) for name in _ARRAYS}
    np.savez_compressed(buffer, words=words, **arrays)
    return buffer.getvalue()


def _kept(path: Path, digest: str) -> Features | None:
    """The features in a file, None if it is not there or damaged (it can be made again)."""
    try:
        held = read_npz(path)
        words = parse_json(held.pop("words").tobytes())
        return Features(**{name: held[name] for name in _ARRAYS}, words=words, digest=digest)
    except (OSError, BrokenArchiveError, KeyError, TypeError, ValueError, IndexError):
        return None
