"""Readers of addresses, with files that they read: extracts, tables, answers of servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from extracts import town_xml

from fuzzing.mutations import BYTES, JSON, TEXT, Mutation
from nco.data.cities.geocode.found import Address
from nco.data.cities.geocode.index import build
from nco.data.cities.geocode.scan import scan
from nco.data.cities.geocode.search import ExtractGeocoder
from nco.data.cities.geocode.server import GeocodeServer
from nco.data.formats.geocoded_csv import read_addresses

ASKED = Address("Dorfstr. 5", city="Altdorf")
FACTS = {"street": "Dorfstraße", "housenumber": "5", "city": "Altdorf", "osm_key": "building"}
PARTS = {"road": "Dorfstraße", "house_number": "5", "city": "Altdorf"}
ANSWERS = {
    "photon": {"features": [{"geometry": {"coordinates": [10.1, 0.2]}, "properties": FACTS}]},
    "nominatim": [
        {"lat": "0.2", "lon": "10.1", "display_name": "5, Dorfstraße", "category": "building",
         "type": "yes", "name": None, "address": PARTS}
    ],
}  # fmt: skip


def readers(
    folder: Path,
) -> Iterator[tuple[str, Path, tuple[Mutation, ...], Callable[[Path], Any]]]:
    """Name, file, ways to damage it and reader of each."""
    extract, table = folder / "town.osm", folder / "a.csv"
    extract.write_text(town_xml(), encoding="utf-8")
    table.write_text("address,postcode,city\nDorfstr. 5,12345,Altdorf\nHafen 3,,\n")
    yield "town.osm", extract, (*BYTES, *TEXT), _searched
    yield "a.csv", table, TEXT, read_addresses
    for kind, answer in ANSWERS.items():
        file = folder / f"{kind}.answer"
        file.write_text(json.dumps(answer))
        yield f"server {kind}", file, JSON, _asked(kind)


def _searched(extract: Path) -> object:
    return ExtractGeocoder(build(scan(extract)), "town").find(ASKED)


def _asked(kind: str) -> Callable[[Path], object]:
    def ask(path: Path) -> object:
        server = GeocodeServer("http://localhost", kind)
        vars(server)["_ask"] = lambda _url: (200, path.read_bytes())
        return server.find(ASKED)

    return ask
