"""Nominatim and Photon servers, played by loopback stand-ins."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from loopback import Answer, loopback

from nco.data.cities.geocode.found import Address, Certainty
from nco.data.cities.geocode.server import GeocodeServer
from nco.errors import InputError, ServiceError

HOUSE: dict[str, Any] = {
    "lat": "60.1694",
    "lon": "24.9398",
    "display_name": "5, Mannerheimintie, Kluuvi, Helsinki, 00100, Suomi / Finland",
    "name": "",
    "category": "building",
    "type": "yes",
    "address": {
        "house_number": "5",
        "road": "Mannerheimintie",
        "city": "Helsinki",
        "postcode": "00100",
    },
}


def photon(**facts: str) -> bytes:
    """Photon's answer: one place."""
    place = {"geometry": {"coordinates": [24.9398, 60.1694]}, "properties": facts}
    return json.dumps({"type": "FeatureCollection", "features": [place]}).encode()


def ask(reply: bytes, text: str, kind: str = "nominatim", status: int = 200, **options: Any) -> Any:
    """What comes of one answer, and what was asked."""
    asked: list[str] = []

    def answer(path: str, body: bytes, before: int) -> Answer:
        asked.append(path)
        return status, reply

    with loopback(answer) as url:
        server = GeocodeServer(url, kind, retries=0, **options)
        return server.find(Address(text)), asked[0]


def test_nominatim_finds_a_house() -> None:
    """A house with the number that was asked for is exact; the question names the box."""
    found, path = ask(
        json.dumps([HOUSE]).encode(), "Mannerheimint. 5, Helsinki", bbox=(24.0, 60.0, 25.0, 61.0)
    )
    assert (found.word, found.lonlat) == (Certainty.EXACT, (24.9398, 60.1694))
    assert found.best.label == HOUSE["display_name"]
    question = parse_qs(urlsplit(path).query)
    assert question["q"] == ["Mannerheimint. 5, Helsinki"]
    assert question["viewbox"] == ["24.000000,60.000000,25.000000,61.000000"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"house_number": "7"}, "Mannerheimintie 5"),
        ({"road": "Runeberginkatu"}, "Mannerheimintie 5"),
        ({"postcode": "00999"}, "Mannerheimintie 5, 00100"),
        ({"house_number": None}, "Mannerheimintie 5"),
    ],
)
def test_an_answer_to_something_else_is_doubtful(change: dict[str, Any], text: str) -> None:
    """Another number, street or postcode than was asked for is not taken for the place."""
    answer = HOUSE | {"address": HOUSE["address"] | change}
    found, _ = ask(json.dumps([answer]).encode(), text)
    assert found.doubtful


def test_photon_finds_a_house_and_a_place() -> None:
    """Photon's fields say the same; a named place is found by its name."""
    house = photon(street="Mannerheimintie", housenumber="5", city="Helsinki", postcode="00100",
                   osm_key="building", osm_value="yes")  # fmt: skip
    found, path = ask(house, "Mannerheimintie 5", "photon")
    assert found.word is Certainty.EXACT
    assert found.best.label == "Mannerheimintie 5, 00100 Helsinki"
    assert path.startswith("/api?q=")
    cafe = photon(name="Café Engel", osm_key="amenity", osm_value="cafe", city="Helsinki")
    assert ask(cafe, "cafe engel", "photon")[0].word is Certainty.PLACE
    town = photon(name="Helsinki", osm_key="place", osm_value="city")
    assert ask(town, "Helsinki", "photon")[0].word is Certainty.DOUBTFUL


def test_nothing_known() -> None:
    """No answer is an answer."""
    found, _ = ask(b"[]", "Zzz 5")
    assert (found.word, "knows no such place" in found.why) == (Certainty.NOTHING, True)


@pytest.mark.parametrize("kind", ["nominatim", "photon"])
@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (200, b"<html>"),
        (200, b"{}"),
        (200, b"null"),
        (200, b"[" * 100_000),
        (200, b'{"features": 7}'),
        (200, b'{"features": [{"geometry": {"coordinates": [1]}, "properties": {}}]}'),
        (200, json.dumps([HOUSE | {"lat": "95"}]).encode()),
        (200, json.dumps([HOUSE | {"lat": True}]).encode()),
        (200, json.dumps([HOUSE | {"lat": "nan"}]).encode()),
        (200, json.dumps([HOUSE | {"address": [1]}]).encode()),
        (200, json.dumps([HOUSE | {"display_name": {"a": 1}}]).encode()),
        (404, b"not found"),
        (500, b"busy"),
        (200, b'["' + b"x" * (1 << 22) + b'"]'),
    ],
)
def test_nonsense_is_refused(kind: str, status: int, reply: bytes) -> None:
    """Whatever no such server answers is an error of the service, in plain words."""
    with pytest.raises(ServiceError):
        ask(reply, "Mannerheimintie 5", kind, status)


def test_options_are_checked() -> None:
    """What the server is can be told by its address; wrong options are named."""
    assert GeocodeServer("http://photon.example/api").kind == "photon"
    assert GeocodeServer("http://127.0.0.1:8080/search").url == "http://127.0.0.1:8080"
    with pytest.raises(InputError, match="choose one of nominatim, photon"):
        GeocodeServer("http://x", "google")
    with pytest.raises(InputError, match="timeout_s=0"):
        GeocodeServer("http://x", timeout_s=0)
    with pytest.raises(ServiceError, match="no web address"):
        GeocodeServer("file:///etc/passwd").find(Address("Kaivokatu 1"))


def test_long_and_empty_questions_are_not_asked() -> None:
    """Nobody is asked for what is no address."""
    server = GeocodeServer("http://127.0.0.1:9")
    assert server.find(Address("")).why == "there is no address"
    assert "longer" in server.find(Address("x" * 1000)).why
