"""Addresses by the dozen: what was asked in any form, and one geocoder or another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from nco.data.cities.geocode.found import Address, Geocoded
from nco.data.cities.geocode.index import open_index
from nco.data.cities.geocode.search import ExtractGeocoder
from nco.data.cities.geocode.server import Geocoder, GeocodeServer
from nco.errors import CityError, InputError, quoted

MOST_AT_ONCE = 100_000
_FIELDS = {"address": "text", "text": "text", "postcode": "postcode", "city": "city"}


def extract_geocoder(extract: Path, city: str) -> ExtractGeocoder:
    """The geocoder of an extract, whose index is built once and cached.

    Raises:
        CityError: the extract is gone, truncated or damaged.
        StorageError: the cache folder cannot be written.
    """
    status = extract.stat() if extract.is_file() else None
    stamp = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    return _opened(extract, city, stamp)


@lru_cache(maxsize=4)
def _opened(extract: Path, city: str, stamp: tuple[int, int]) -> ExtractGeocoder:  # noqa: ARG001
    return ExtractGeocoder(open_index(extract), city)


def geocoder_of(
    city: str,
    extract: Path | None,
    server: Geocoder | str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> Geocoder:
    """The geocoder of a city: a server, where one is given, or its extract.

    Args:
        city: its name.
        extract: None where it has none here.
        server: of Nominatim or Photon.
        bbox: west, south, east, north of what a server is asked for.

    Raises:
        CityError: there is no extract and no server, or the extract is damaged.
        StorageError: the cache folder cannot be written.
    """
    if server is not None:
        opened = GeocodeServer(server) if isinstance(server, str) else server
        return opened.within(bbox) if isinstance(opened, GeocodeServer) else opened
    if extract is None:
        raise CityError(
            f"{city} has no extract here, only a server of matrices; open its extract with "
            "City.from_file, or give the address of a Nominatim or Photon server"
        )
    if not extract.is_file():
        raise CityError(
            f"the extract of {city} was {extract}, which is gone; its addresses are in it: put it "
            "back, or build the city again with `nco city build`"
        )
    return extract_geocoder(extract, city)


def finder(city: object, server: Geocoder | str | None = None) -> Geocoder | None:
    """What finds addresses in a city of any kind, loaded when it is first asked.

    Returns:
        None where there is neither a server nor an extract.
    """
    if server is None and getattr(city, "extract", None) is None:
        return None
    return LateGeocoder(lambda: city, server)


class LateGeocoder:
    """A geocoder that is opened with its first question.

    Args:
        city: opens the city.
        server: is asked in place of its extract.
    """

    def __init__(self, city: Callable[[], object], server: Geocoder | str | None = None) -> None:
        self._city, self._server = city, server

    @cached_property
    def _opened(self) -> Geocoder:
        city = self._city()
        name, extract = getattr(city, "name", ""), getattr(city, "extract", None)
        # A city behind a server does not know its bounds.
        bbox = None if extract is None else getattr(city, "bbox", None)
        return geocoder_of(name, extract, self._server, bbox)

    def find(self, asked: Address, most: int = 5) -> Geocoded:
        """See `Geocoder`."""
        return self._opened.find(asked, most)


def find_all(
    geocoder: Geocoder,
    addresses: Iterable[str | Address | Mapping[str, str]],
    *,
    postcode: str = "",
    city: str = "",
    most: int = 5,
) -> list[Geocoded]:
    """Find addresses, each once.

    Args:
        geocoder: of an extract, or a server.
        addresses: texts, `Address`es, or mappings with `address`, `postcode` and `city`.
        postcode: of those that have none of their own.
        city: likewise.
        most: how many further candidates to tell of each.

    Raises:
        InputError: something that is no address.
        ServiceError: a server is down, slow or answers nonsense.
    """
    if isinstance(addresses, str | Address | Mapping):
        raise InputError(f"addresses is {quoted(addresses)}; give a list of them")
    if most < 0:
        raise InputError(f"most is {most}; give a number of candidates from 0")
    asked = []
    for k, given in enumerate(addresses):
        if k >= MOST_AT_ONCE:
            raise InputError(f"there are more than {MOST_AT_ONCE} addresses; give fewer at once")
        address = _address(given, k)
        asked.append(Address(address.text, address.postcode or postcode, address.city or city))
    known: dict[Address, Geocoded] = {}
    for address in asked:
        if address not in known:
            known[address] = geocoder.find(address, most)
    return [known[address] for address in asked]


def _address(given: str | Address | Mapping[str, str], k: int) -> Address:
    if isinstance(given, Address):
        return given
    if isinstance(given, str):
        return Address(given)
    if isinstance(given, Mapping) and ("address" in given or "text" in given):
        unknown = [name for name in given if name not in _FIELDS]
        if not unknown and all(isinstance(value, str) for value in given.values()):
            return Address(**{_FIELDS[name]: value for name, value in given.items()})
    raise InputError(
        f"addresses[{k}] is {quoted(given)}; give a text, or a mapping with the texts 'address' "
        "and, if known, 'postcode' and 'city'"
    )
