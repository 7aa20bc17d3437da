"""The map below routes, from the extract of a city: nothing of it is fetched from elsewhere."""

from __future__ import annotations

import gzip
from functools import lru_cache

from nco.data.cities import base_map
from nco.data.cities.base_map import kinds
from nco.data.cities.city import CREDIT
from nco.errors import CityError
from nco.web.reply import Reply, as_json
from nco.web.work import served

_KEPT = 512  # tiles that are at hand
_LEVEL = 5  # of compression: more takes longer than it saves


@lru_cache(8)
def _features(name: str) -> base_map.Features:
    city = served.city(name)
    if city.extract is None:
        raise CityError(f"{city.name} has no extract here, so there is no map of it")
    return base_map.open_features(city.extract, city.bbox)


@lru_cache(_KEPT)
def _tile(name: str, zoom: int, column: int, row: int) -> bytes:
    reply = as_json(base_map.tile(_features(name), zoom, column, row))
    return gzip.compress(reply.body, _LEVEL, mtime=0)


def _named(city: str | None) -> str:
    return served.settings().cities[0] if city is None else city


@served.replying
def about(city: str | None) -> Reply:
    """What tiles there are of a city, and the version of its extract."""
    name = _named(city)
    return as_json(
        {
            "version": _features(name).digest,
            "bbox": list(served.city(name).bbox),
            "min_zoom": kinds.MIN_ZOOM,
            "max_zoom": kinds.MAX_ZOOM,
            "extent": base_map.EXTENT,
            "layers": list(kinds.LAYERS),
            "attribution": CREDIT,
        }
    )


@served.replying
def tile(city: str | None, zoom: int, column: int, row: int) -> Reply:
    """A tile, compressed by gzip."""
    return Reply(200, _tile(_named(city), zoom, column, row), encoding="gzip")
