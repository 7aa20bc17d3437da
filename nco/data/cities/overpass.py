"""Streets of any place on earth, fetched from OpenStreetMap's public services.

Nominatim finds the place; osmnx holds where both services are. The streets come from Overpass as
OSM XML with all tags and turn restrictions, which is what OSRM wants and what a graph made by osmnx
has lost; of places that are not too large, houses with numbers and places with names come as well.
"""

import hashlib
import logging
import math
from pathlib import Path
from urllib.parse import urlencode

from nco.arguments import of_kind
from nco.data.cities.cache import cache_dir
from nco.data.cities.nominatim import search
from nco.data.cities.web import Ask
from nco.errors import CityError, ServiceError, quoted, shortened, worded
from nco.files import write_atomic

log = logging.getLogger("nco")

# Around the place, so that routes along its border can use the streets outside.
MARGIN_KM = 1.0
LARGEST_KM2 = 5000.0
_RECIPE = 2  # part of every file's name: raise it when something else is fetched
ADDRESSES_KM2 = 300.0  # of larger places the streets alone are fetched
_DEGREE_KM = 111.2
# No global bbox: it would also cut off the nodes of streets that cross the border.
_QUERY = """[out:xml][timeout:{timeout}];
(way["highway"]({box});way["route"="ferry"]({box});)->.streets;
({more}.streets;.streets >;rel(bw.streets)["type"="restriction"];);
out body;
"""
_MORE = """nwr["addr:housenumber"]({box});way["addr:interpolation"]({box});
nwr["name"][~"^(amenity|shop|tourism|office|craft|healthcare|leisure|place|railway)$"~"."]({box});)
->.addresses;(.addresses;.addresses >;"""


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
    path = cache_dir() / "places" / f"{digest}-{_RECIPE}.osm"
    if path.exists():
        return path
    ask = Ask(timeout_s=timeout_s, retries=retries, pause_s=pause_s)
    west, south, east, north, km2 = _extent(place, ask)
    log.info("fetching the streets of %s from Overpass", place)
    from osmnx import settings

    box = f"{south:.6f},{west:.6f},{north:.6f},{east:.6f}"
    more = _MORE.format(box=box) if km2 <= ADDRESSES_KM2 else ""
    query = urlencode({"data": _QUERY.format(timeout=int(timeout_s), box=box, more=more)})
    status, body = ask(f"{settings.overpass_url.rstrip('/')}/interpreter", query.encode())
    if status != 200:
        raise ServiceError(f"Overpass refused to give the streets of {place} (status {status})")
    # Overpass reports a query that ran too long inside an answer that looks fine.
    if b"<remark>" in body:
        remark = body.split(b"<remark>", 1)[1].split(b"</remark>", 1)[0].decode("utf-8", "replace")
        raise ServiceError(
            f"Overpass gave up on {place}: {shortened(remark.strip())}; {_instead()}"
        )
    if b"<osm" not in body[:1000] or not body.rstrip().endswith(b"</osm>"):
        raise ServiceError(f"Overpass answered something that is no OSM XML for {place}")
    if b"<way " not in body:
        raise CityError(f"there are no streets in {place}")
    return write_atomic(path, body)


def _extent(place: str, ask: Ask) -> tuple[float, float, float, float, float]:
    """West, south, east, north of a place and a margin around it, and its square kilometres."""
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
    return west, south, east, north, area_km2


def _bounds(place: str, ask: Ask) -> tuple[float, float, float, float]:
    """West, south, east, north of the first place with an area that Nominatim finds."""
    from osmnx import settings

    try:
        found = search(ask, settings.nominatim_url, place, limit=10, polygon_geojson=1)
        for one in found:
            if one["geojson"]["type"] in ("Polygon", "MultiPolygon"):
                south, north, west, east = (float(edge) for edge in one["boundingbox"])
                if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
                    raise ValueError(f"no extent of a place: {one['boundingbox']}")
                return west, south, east, north
    except ServiceError as error:
        raise ServiceError(
            f"Nominatim could not be asked for {quoted(place)}: {error}; {_instead()}"
        ) from error
    except (LookupError, TypeError, ValueError) as error:
        raise ServiceError(
            f"Nominatim could not be asked for {quoted(place)}: its answer is not what Nominatim "
            f"answers; {_instead()}"
        ) from error
    raise CityError(
        f"there is no place with an area called {quoted(place)} on OpenStreetMap; write it "
        "as on openstreetmap.org, for instance 'Delft, Netherlands'"
    )


def _use_it() -> str:
    """What to do with an extract that was downloaded."""
    return worded("use City.from_file", "give its path in place of the name")


def _instead() -> str:
    return f"try again later, or download an extract and {_use_it()}"
