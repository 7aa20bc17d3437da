"""Streets of any place on earth, fetched from OpenStreetMap's public services.

osmnx finds the place (Nominatim) and holds the addresses and headers; the streets come from
Overpass as OSM XML with all tags and turn restrictions, which is what OSRM wants and what a
graph made by osmnx has lost.
"""

import hashlib
import logging
import math
from pathlib import Path

from nco.data.cache import cache_dir
from nco.data.files import write_atomic
from nco.data.web import Ask
from nco.errors import CityError, ServiceError

log = logging.getLogger("nco")

# Around the place, so that routes along its border can use the streets outside.
MARGIN_KM = 1.0
LARGEST_KM2 = 5000.0
_QUERY = """[out:xml][timeout:{timeout}][bbox:{south:.6f},{west:.6f},{north:.6f},{east:.6f}];
(way["highway"];way["route"="ferry"];)->.streets;
(.streets;node(w.streets);rel(bw.streets)["type"="restriction"];);
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
    key = " ".join(place.casefold().split())
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    path = cache_dir() / "places" / f"{digest}.osm"
    if path.exists():
        return path
    west, south, east, north = _extent(place)
    log.info("fetching the streets of %s from Overpass", place)
    from osmnx import settings

    query = _QUERY.format(timeout=int(timeout_s), west=west, south=south, east=east, north=north)
    ask = Ask(timeout_s=timeout_s, retries=retries, pause_s=pause_s)
    status, body = ask(f"{settings.overpass_url.rstrip('/')}/interpreter", query.encode())
    if status != 200:
        raise ServiceError(f"Overpass refused to give the streets of {place} (status {status})")
    # Overpass reports a query that ran too long inside an answer that looks fine.
    if b"<remark>" in body:
        remark = body.split(b"<remark>", 1)[1].split(b"</remark>", 1)[0].decode("utf-8", "replace")
        raise ServiceError(
            f"Overpass gave up on {place}: {remark.strip()}; try again later, "
            "or download an extract and use City.from_file"
        )
    if b"<osm" not in body[:1000] or not body.rstrip().endswith(b"</osm>"):
        raise ServiceError(f"Overpass answered something that is no OSM XML for {place}")
    if b"<way " not in body:
        raise CityError(f"there are no streets in {place}")
    return write_atomic(path, body)


def _extent(place: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a place and a margin around it."""
    import osmnx
    from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError
    from requests import RequestException

    osmnx.settings.cache_folder = cache_dir() / "osmnx"
    osmnx.settings.requests_timeout = min(osmnx.settings.requests_timeout, 30)
    try:
        found = osmnx.geocoder.geocode_to_gdf(place)
    except (InsufficientResponseError, TypeError) as error:
        # osmnx says so too when the best match is a point or a line.
        if isinstance(error, TypeError) and "geometry" not in str(error):
            raise ServiceError(f"Nominatim is too busy to find {place}; try again later") from error
        raise CityError(
            f"there is no place with an area called {place!r} on OpenStreetMap; "
            "write it as on openstreetmap.org, for instance 'Delft, Netherlands'"
        ) from error
    except (RequestException, ResponseStatusCodeError, OSError, ValueError, KeyError) as error:
        raise ServiceError(
            f"Nominatim could not be asked for {place!r}: {error}; check the network or "
            "download an extract and use City.from_file"
        ) from error
    west, south, east, north = (float(edge) for edge in found.total_bounds)
    middle = math.cos(math.radians((south + north) / 2))
    degree_km = 111.2
    lat, lon = MARGIN_KM / degree_km, MARGIN_KM / degree_km / max(middle, 0.01)
    west, south, east, north = west - lon, south - lat, east + lon, north + lat
    area_km2 = (east - west) * middle * (north - south) * degree_km**2
    if area_km2 > LARGEST_KM2:
        raise CityError(
            f"{place} spans {area_km2:.0f} km2, more than the {LARGEST_KM2:.0f} that Overpass is "
            "asked for; download an extract (Geofabrik, BBBike) and use City.from_file"
        )
    return west, south, east, north
