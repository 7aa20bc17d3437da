"""Streets of any place on earth, fetched from OpenStreetMap's public services.

osmnx finds the place (Nominatim) and holds the addresses and headers; the streets come from
Overpass as OSM XML with all tags and turn restrictions, which is what OSRM wants and what a
graph made by osmnx has lost.
"""

import contextlib
import hashlib
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nco.arguments import of_kind
from nco.data.cities.cache import cache_dir
from nco.data.cities.web import Ask
from nco.errors import CityError, ServiceError, quoted, shortened, worded
from nco.files import write_atomic

log = logging.getLogger("nco")

# Around the place, so that routes along its border can use the streets outside.
MARGIN_KM = 1.0
LARGEST_KM2 = 5000.0
_DEGREE_KM = 111.2
# No global bbox: it would also cut off the nodes of streets that cross the border.
_QUERY = """[out:xml][timeout:{timeout}];
(way["highway"]({box});way["route"="ferry"]({box});)->.streets;
(.streets;.streets >;rel(bw.streets)["type"="restriction"];);
out body;
"""


def fetch(place: str, *, timeout_s: float = 180.0, retries: int = 3, pause_s: float = 5.0) -> Path:
    """Fetch the streets of a place and around it, once; return the extract (`.osm`).

    Args:
        place: anything Nominatim finds with an area, such as "Delft, Netherlands".
        timeout_s: for one answer.
        retries: further tries when a service is down or busy.
        pause_s: before the first retry; doubled before each further one.

    Raises:
        CityError: there is no such place, it is too large, or it has no streets.
        ServiceError: Nominatim or Overpass is down, too slow or answers nonsense.
        StorageError: the cache folder cannot be written.
    """
    of_kind(place, str, "place", "its name, such as 'Delft, Netherlands'", CityError)
    key = " ".join(place.casefold().split())
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    path = cache_dir() / "places" / f"{digest}.osm"
    if path.exists():
        return path
    ask = Ask(timeout_s=timeout_s, retries=retries, pause_s=pause_s)
    west, south, east, north = _extent(place, ask)
    log.info("fetching the streets of %s from Overpass", place)
    from osmnx import settings

    box = f"{south:.6f},{west:.6f},{north:.6f},{east:.6f}"
    query = urlencode({"data": _QUERY.format(timeout=int(timeout_s), box=box)})
    status, body = ask(f"{settings.overpass_url.rstrip('/')}/interpreter", query.encode())
    if status != 200:
        raise ServiceError(f"Overpass refused to give the streets of {place} (status {status})")
    # Overpass reports a query that ran too long inside an answer that looks fine.
    if b"<remark>" in body:
        remark = body.split(b"<remark>", 1)[1].split(b"</remark>", 1)[0].decode("utf-8", "replace")
        raise ServiceError(
            f"Overpass gave up on {place}: {shortened(remark.strip())}; try again later, "
            f"or download an extract and {_use_it()}"
        )
    if b"<osm" not in body[:1000] or not body.rstrip().endswith(b"</osm>"):
        raise ServiceError(f"Overpass answered something that is no OSM XML for {place}")
    if b"<way " not in body:
        raise CityError(f"there are no streets in {place}")
    return write_atomic(path, body)


def _extent(place: str, ask: Ask) -> tuple[float, float, float, float]:
    """West, south, east, north of a place and a margin around it."""
    west, south, east, north = _bounds(place, ask)
    middle = math.cos(math.radians((south + north) / 2))
    lat = MARGIN_KM / _DEGREE_KM
    lon = lat / max(middle, 0.01)
    west, south, east, north = west - lon, south - lat, east + lon, north + lat
    area_km2 = (east - west) * middle * (north - south) * _DEGREE_KM**2
    if area_km2 > LARGEST_KM2:
        raise CityError(
            f"{place} spans {area_km2:.0f} km2, more than the {LARGEST_KM2:.0f} that Overpass is "
            f"asked for; download an extract (Geofabrik, BBBike) and {_use_it()}"
        )
    return west, south, east, north


def _bounds(place: str, ask: Ask) -> tuple[float, float, float, float]:
    """West, south, east, north of a place, by osmnx from Nominatim."""
    import osmnx
    from osmnx._errors import InsufficientResponseError
    from requests import RequestException, exceptions

    attempt = 0
    while True:
        try:
            with _osmnx_settings(ask.timeout_s):
                west, south, east, north = osmnx.geocoder.geocode_to_gdf(place).total_bounds
            return float(west), float(south), float(east), float(north)
        except (InsufficientResponseError, TypeError) as error:
            # A TypeError is what osmnx raises for a place that is a point or a line.
            raise CityError(
                f"there is no place with an area called {quoted(place)} on OpenStreetMap; write it "
                "as on openstreetmap.org, for instance 'Delft, Netherlands'"
            ) from error
        # What osmnx raises of an answer that is no JSON, is nested deeply, or is something else.
        except (
            RequestException, OSError, ValueError, LookupError, AttributeError, RecursionError
        ) as error:  # fmt: skip
            # A failed connection comes with two lines of urllib3's inner life.
            reason: object = error
            if isinstance(error, exceptions.ConnectionError):
                reason = "it cannot be reached"
            elif isinstance(error, RecursionError | LookupError | AttributeError):
                reason = "its answer is not what Nominatim answers"
            if attempt == ask.retries:
                raise ServiceError(
                    f"Nominatim could not be asked for {quoted(place)} ({attempt + 1} tries): "
                    f"{reason}; try again later, or download an extract and {_use_it()}"
                ) from error
            pause_s = ask.pause_s * 2**attempt
            log.info("Nominatim: %s; asking again in %.1f s", reason, pause_s)
            time.sleep(pause_s)
            attempt += 1


@contextlib.contextmanager
def _osmnx_settings(timeout_s: float) -> Iterator[None]:
    """Let osmnx keep its answers in our cache folder and give up where it would wait for ever."""
    from osmnx import settings
    from requests import RequestException, Response

    def refuse_busy(response: Response, *_: Any, **__: Any) -> None:
        # osmnx itself asks again every 55 s, without end.
        if response.status_code in (429, 504):
            response.close()
            raise RequestException(f"it is busy (status {response.status_code})")

    before = {name: getattr(settings, name) for name in ("cache_folder", "requests_kwargs")}
    before["requests_timeout"] = settings.requests_timeout
    settings.cache_folder = cache_dir() / "osmnx"
    settings.requests_kwargs = {**settings.requests_kwargs, "hooks": {"response": refuse_busy}}
    settings.requests_timeout = timeout_s
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


def _use_it() -> str:
    """What to do with an extract that was downloaded."""
    return worded("use City.from_file", "give its path in place of the name")
