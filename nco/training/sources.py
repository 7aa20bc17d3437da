"""From names in a config to city tables: found before training starts, computed at most once."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nco.data.cities.cache import cache_dir, content_hash
from nco.errors import CityError, FormatError, PolicyError, listed, quoted
from nco.training.tables import CityTable, build_table, load_table

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("nco")

EXTRACTS = (".osm.pbf", ".osm", ".pbf")


@dataclass(frozen=True)
class TableSize:
    """How many points a table takes from a city.

    Attributes:
        whole: points over the whole city.
        boxed: points in boxes of 3 km.
        boxes: number of boxes.
        seed: of the points.
    """

    whole: int = 1000
    boxed: int = 500
    boxes: int = 3
    seed: int = 1

    def __post_init__(self) -> None:
        if self.whole < 2 or self.boxed < 0 or self.boxes < 1 or self.seed < 0:
            raise PolicyError(
                f"table is {asdict(self)}; whole must be 2 or more, boxed and seed 0 or more, "
                "boxes 1 or more"
            )


@dataclass(frozen=True)
class Source:
    """Where a table comes from.

    Attributes:
        name: as the config gives it.
        path: of a table or an extract.
    """

    name: str
    path: Path


def find_sources(names: Sequence[str], folder: str | None) -> tuple[Source, ...]:
    """Finds every city of a config.

    Args:
        names: each the path of a table (`.npz`) or an extract, the name of an extract in
            `folder`, or the name of a built-in city.
        folder: of extracts; None for no folder.

    Raises:
        CityError: there is no such folder, or a city is not found; the message names all of them.
    """
    if folder is not None and not Path(folder).is_dir():
        raise CityError(
            f"data.folder is {quoted(folder)}, which is no folder; give one of extracts"
        )
    found = [_find(name, None if folder is None else Path(folder)) for name in names]
    missing = [name for name, source in zip(names, found, strict=True) if source is None]
    if missing:
        raise CityError(
            f"no city is called {listed(map(quoted, missing))}; give the path of an extract or of "
            f"a table (.npz), the name of an extract in data.folder (now {quoted(folder)}), or a "
            "built-in city"
        )
    return tuple(source for source in found if source is not None)


def _find(name: str, folder: Path | None) -> Source | None:
    if name.endswith((*EXTRACTS, ".npz")):
        path = Path(name).expanduser()
        return Source(name, path) if path.is_file() else None
    for ending in EXTRACTS if folder else ():
        path = (folder or Path()) / f"{name}{ending}"
        if path.is_file():
            return Source(name, path)
    return _known(name)


def _known(name: str) -> Source | None:
    """A built-in city, or one that was opened under a name before."""
    from nco.data.cities.places import city, known_cities

    if name not in {known["name"] for known in known_cities()}:
        return None
    extract = city(name).extract
    return None if extract is None else Source(name, extract)


def table_of(
    source: Source, size: TableSize, depot: tuple[float, float] | None = None
) -> CityTable:
    """Reads a table, or computes it and keeps it in the cache folder.

    Args:
        source: of the city.
        size: of the table.
        depot: lonlat of a place that becomes the first point.

    Raises:
        CityError: the extract is unusable, the depot is not in the city, or a depot is asked for
            in a table given by path.
        FormatError: a table given by path is unusable.
    """
    if source.path.suffix == ".npz":
        if depot is not None:
            raise CityError(
                f"{source.path} is a table, which no depot can be added to; give an extract of "
                "the city, or no depot"
            )
        return load_table(source.path)
    parts = [content_hash(source.path), asdict(size), *([] if depot is None else [depot])]
    key = json.dumps(parts, sort_keys=True)
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    stem = source.path.name.partition(".")[0]
    cached = cache_dir() / "tables" / f"{stem}-{digest}.npz"
    if cached.is_file():
        try:
            return load_table(cached)
        except FormatError as error:
            log.warning("%s; computing it again", error)
    from nco.data.cities.city import City

    city = City.from_file(source.path)
    table = build_table(city, source.name, **asdict(size), depot=depot)
    table.save(cached)
    return table
