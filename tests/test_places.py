"""Cities by name, and places fetched from loopback stand-ins of Nominatim and Overpass."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from extracts import toy_xml
from loopback import Answer, loopback

from nco.data.cities import overpass
from nco.data.cities.city import City
from nco.data.cities.places import city, known_cities, remember
from nco.errors import CityError, ServiceError

GRID = [[10.0, 0.0], [10.0135, 0.0], [10.0135, 0.0135], [10.0, 0.0135], [10.0, 0.0]]


def test_built_in(cache: Path) -> None:
    """Helsinki needs no download; its name is not case-sensitive."""
    found = city("Helsinki")
    assert found.name == "helsinki"
    assert found.matrix(found.sample(3, 1)).distance_m.shape == (3, 3)
    assert [entry["name"] for entry in known_cities()] == ["helsinki"]


def test_registered_name(cache: Path, toy_extract: Path) -> None:
    """A name given to an extract finds it again, with any profile."""
    City.from_file(toy_extract, name="Toy Town")
    found = city(" toy  town ", profile="foot")
    assert (found.extract, found.profile) == (toy_extract, "foot")
    listed = {entry["name"]: entry for entry in known_cities()}
    assert listed["toy town"]["extract_bytes"] == toy_extract.stat().st_size
    assert set(listed) == {"helsinki", "toy town"}


def test_built_in_name_is_not_given_away(cache: Path, toy_extract: Path) -> None:
    """`helsinki` stays the built-in city, which demo and published numbers rest on."""
    with pytest.raises(CityError, match="comes with nco"):
        City.from_file(toy_extract, name="Helsinki")
    assert city("helsinki").extract != toy_extract


def test_built_in_wins_over_an_older_entry(cache: Path, toy_extract: Path) -> None:
    """An entry of that name from another installation does not stand in for the built-in city."""
    cache.mkdir(parents=True)
    (cache / "cities.json").write_text(json.dumps({"helsinki": str(toy_extract)}))
    assert city("helsinki").extract != toy_extract
    listed = {entry["name"]: entry["extract"] for entry in known_cities()}
    assert listed["helsinki"] == "built in"


def test_path(cache: Path, toy_extract: Path, tmp_path: Path) -> None:
    """An extract's path and a saved city's path open both."""
    by_path = city(toy_extract)
    saved = by_path.save(tmp_path / "toy.city")
    assert city(str(saved)).info()["sha256"] == by_path.info()["sha256"]


def test_unknown_name(cache: Path, toy_extract: Path) -> None:
    """The error lists what is known."""
    remember("toy town", toy_extract)
    with pytest.raises(CityError, match="helsinki, toy town"):
        city("Atlantis-on-Sea")
    with pytest.raises(CityError, match="must not be empty"):
        remember("  ", toy_extract)


def test_a_path_that_is_not_there_makes_nothing(cache: Path, tmp_path: Path) -> None:
    """What is no city's name and no file leaves no folder behind where it points to."""
    with pytest.raises(CityError, match="no city or file"):
        city(tmp_path / "gone" / "delft.osm.pbf")
    assert not (tmp_path / "gone").exists()


def test_damaged_registry(cache: Path, toy_extract: Path) -> None:
    """Names that cannot be read are forgotten, nothing more; the built-in city stays."""
    cache.mkdir()
    (cache / "cities.json").write_text('{"toy": ')
    assert [entry["name"] for entry in known_cities()] == ["helsinki"]
    remember("toy", toy_extract)
    assert city("toy").extract == toy_extract


def test_a_name_that_another_process_registers_meanwhile(
    cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not there when the registry was looked at, and is when it is written, stays."""
    remember("first", toy_extract)
    monkeypatch.setattr("nco.data.cities.places._registered", dict)
    remember("second", toy_extract)
    monkeypatch.undo()
    monkeypatch.setenv("NCO_CACHE", str(cache))
    assert [entry["name"] for entry in known_cities()] == ["first", "helsinki", "second"]


def test_gone_extract(cache: Path, tmp_path: Path, toy_extract: Path) -> None:
    """A registered extract that was removed is listed without a size, and not opened."""
    moved = tmp_path / "moved.osm"
    moved.write_bytes(toy_extract.read_bytes())
    remember("moved away", moved)
    moved.unlink()
    assert {e["name"]: e["extract_bytes"] for e in known_cities()}["moved away"] is None
    with pytest.raises(CityError, match="no city or file"):
        city("moved away")


def test_pyrosm_download_fails(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named extract that cannot be downloaded is the service's fault."""
    import pyrosm

    def offline(*_: object, **__: object) -> str:
        raise pyrosm.exceptions.DownloadError("Could not download 'x' (1 attempt): no network")

    monkeypatch.setattr(pyrosm, "get_data", offline)
    with pytest.raises(ServiceError, match="no network"):
        city("Barcelona")


def test_pyrosm_extract_is_used(
    cache: Path, toy_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A named extract is downloaded below the cache folder and remembered."""
    import pyrosm

    asked: list[tuple[str, str]] = []

    def download(name: str, *, directory: str, progress: bool) -> str:
        asked.append((name, directory))
        return str(toy_extract)

    monkeypatch.setattr(pyrosm, "get_data", download)
    assert city("Barcelona").extract == toy_extract
    assert city("barcelona").extract == toy_extract
    assert asked == [("barcelona", str(cache / "downloads"))]


@pytest.fixture
def services(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """One loopback server that osmnx asks; the test fills in what it answers."""
    import osmnx

    state: dict[str, Any] = {"asked": []}

    def answer(path: str, body: bytes, before: int) -> Answer:
        state["asked"].append(parse_qs(body.decode())["data"][0] if body else path)
        handler: Callable[..., Answer] = state["overpass" if body else "nominatim"]
        return handler(path, body)

    with loopback(answer) as url:
        monkeypatch.setattr(osmnx.settings, "nominatim_url", url)
        monkeypatch.setattr(osmnx.settings, "overpass_url", f"{url}/api")
        # Nominatim's pause of one second between requests is for the real one.
        monkeypatch.setattr(time, "sleep", lambda _: None)
        state["nominatim"] = lambda path, body: (200, place(GRID))
        state["overpass"] = lambda path, body: (200, toy_xml().encode())
        yield state


def place(ring: list[list[float]]) -> bytes:
    """Nominatim's answer for an area."""
    lon, lat = zip(*ring, strict=True)
    box = [str(edge) for edge in (min(lat), max(lat), min(lon), max(lon))]
    found = {
        "place_id": 1,
        "osm_type": "relation",
        "osm_id": 1,
        "lat": "0",
        "lon": "10",
        "class": "boundary",
        "type": "administrative",
        "place_rank": 16,
        "importance": 0.5,
        "addresstype": "city",
        "name": "Toy",
        "display_name": "Toy",
        "boundingbox": box,
        "geojson": {"type": "Polygon", "coordinates": [ring]},
    }
    return json.dumps([found]).encode()


def test_from_place(services: dict[str, Any]) -> None:
    """The place and a margin around it are fetched once, built and remembered by name."""
    found = City.from_place("Toy Town, Nowhere")
    assert np.isfinite(found.matrix(found.sample(5, 1)).distance_m).all()
    search, query = services["asked"]
    assert parse_qs(urlsplit(search).query)["q"] == ["Toy Town, Nowhere"]
    south, west, north, east = (
        float(edge) for edge in query.split('way["highway"](')[1].split(")")[0].split(",")
    )
    assert (south, west) < (-0.008, 9.992)
    assert (north, east) > (0.022, 10.022)
    assert 'rel(bw.streets)["type"="restriction"]' in query
    assert city("toy town, nowhere").extract == found.extract
    assert City.from_place("toy town,  Nowhere").extract == found.extract
    assert len(services["asked"]) == 2


@pytest.mark.parametrize(
    ("service", "status", "reply", "error", "message"),
    [
        ("nominatim", 200, b"[]", CityError, "no place with an area"),
        ("nominatim", 200, b"<html>", ServiceError, "not what Nominatim answers"),
        ("nominatim", 500, b"<html>", ServiceError, "Nominatim"),
        ("nominatim", 429, b"[]", ServiceError, "Nominatim .* 429"),
        ("nominatim", 200, b"[" * 100_000, ServiceError, "not what Nominatim answers"),
        ("nominatim", 200, b'{"a": ' * 100_000, ServiceError, "not what Nominatim answers"),
        ("nominatim", 200, place(GRID).replace(b'"10.', b'"x10.'), ServiceError, "not what Nom"),
        ("nominatim", 200, b'{"error": "no"}', CityError, "no place"),
        ("nominatim", 200, b"[{}]", ServiceError, "not what Nominatim answers"),
        ("nominatim", 200, place(GRID).replace(b'"boundingbox"', b'"b"'), ServiceError, "not what"),
        ("nominatim", 200, place([[0, 0], [5, 0], [5, 5], [0, 0]]), CityError, "km2"),
        ("overpass", 400, b"bad query", ServiceError, "status 400"),
        ("overpass", 504, b"busy", ServiceError, "504"),
        ("overpass", 429, b"busy", ServiceError, "429"),
        ("overpass", 200, b"<html>hello</html>", ServiceError, "no OSM XML"),
        ("overpass", 200, toy_xml().encode()[:500], ServiceError, "no OSM XML"),
        ("overpass", 200, b"<osm version='0.6'></osm>", CityError, "no streets"),
        (
            "overpass",
            200,
            b"<osm><remark> runtime error: Query timed out </remark></osm>",
            ServiceError,
            "Query timed out",
        ),
    ],
)
def test_from_place_fails_plainly(
    services: dict[str, Any],
    cache: Path,
    service: str,
    status: int,
    reply: bytes,
    error: type[Exception],
    message: str,
) -> None:
    """Whatever goes wrong is said in plain words and nothing is kept."""
    services[service] = lambda path, body: (status, reply)
    with pytest.raises(error, match=message):
        City.from_place("Toy Town")
    assert not (cache / "places").exists()


def test_overpass_is_asked_again(services: dict[str, Any]) -> None:
    """A busy Overpass is retried until it answers."""
    replies = iter([(429, b""), (504, b""), (200, toy_xml().encode())])
    services["overpass"] = lambda path, body: next(replies)
    assert overpass.fetch("Toy Town").read_bytes() == toy_xml().encode()


def test_busy_nominatim_is_asked_again(services: dict[str, Any]) -> None:
    """A busy Nominatim is retried too."""
    replies = iter([(429, b"[]"), (504, b"[]"), (200, place(GRID))])
    services["nominatim"] = lambda path, body: next(replies)
    assert overpass.fetch("Toy Town").exists()


@pytest.mark.parametrize(("side", "asked"), [(0.1, True), (0.3, False)])
def test_addresses_come_with_places_that_are_small(
    services: dict[str, Any], side: float, asked: bool
) -> None:
    """Houses and named places are asked for where there are not too many of them."""
    corners = [[10, 0], [10 + side, 0], [10 + side, side], [10, 0]]
    services["nominatim"] = lambda path, body: (200, place(corners))
    overpass.fetch("Toy Town")
    query = services["asked"][-1]
    assert ('nwr["addr:housenumber"]' in query) is asked
    assert query.count("(") == query.count(")")


def test_services_down(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network at all is a service error that points to extracts."""
    import osmnx

    monkeypatch.setattr(osmnx.settings, "nominatim_url", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(ServiceError, match=r"cannot be reached .* City\.from_file"):
        City.from_place("Toy Town")
