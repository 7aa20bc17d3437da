"""Small OpenStreetMap extracts written by hand."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import quoteattr


def osm_xml(
    nodes: dict[int, tuple[float, float]],
    ways: Sequence[tuple[Sequence[int], dict[str, str]]],
    tagged: Mapping[int, dict[str, str]] = MappingProxyType({}),
) -> str:
    """An OSM XML extract from nodes (lon, lat), ways (node ids, tags) and tags of nodes."""

    def inner(tags: Mapping[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())

    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    for i, (lon, lat) in nodes.items():
        lines.append(f"<node id='{i}' lon='{lon}' lat='{lat}'>{inner(tagged.get(i, {}))}</node>")
    for i, (refs, tags) in enumerate(ways, start=1):
        inside = [f"<nd ref='{ref}'/>" for ref in refs] + [inner(tags)]
        lines.append(f"<way id='{i}'>{''.join(inside)}</way>")
    return "\n".join([*lines, "</osm>"])


def toy_xml() -> str:
    """A 4 x 4 grid of two-way streets 500 m apart, a one-way, an island and a ferry to it."""
    side = 0.0045
    nodes = {10 * i + j: (10 + i * side, j * side) for i in range(4) for j in range(4)}
    nodes |= {91: (10 + 6 * side, 0.0), 92: (10 + 6 * side, side), 80: (10 - side, 0.0)}
    street = {"highway": "residential"}
    ways: list[tuple[list[int], dict[str, str]]] = []
    ways += [([10 * i + j for j in range(4)], street) for i in range(4)]
    ways += [([10 * i + j for i in range(4)], street) for j in range(4)]
    ways += [([91, 92], street), ([30, 91], {"route": "ferry", "duration": "00:10"})]
    ways += [([0, 80], street | {"oneway": "yes"})]
    return osm_xml(nodes, ways)


STEP = 0.001  # degrees, 111 m


def town_xml() -> str:
    """A town at 10 east on the equator with addresses of every kind, and a village north of it.

    `Königstraße` runs east from (10, 0), `Hafenkatu` north from it; `Dorfstraße` is in both.
    """
    nodes: dict[int, tuple[float, float]] = {i: (10 + i * STEP, 0.0) for i in range(12)}
    nodes |= {20 + j: (10.0, j * STEP) for j in range(1, 5)}
    nodes |= {30 + j: (10 + 2 * STEP, j * STEP) for j in range(1, 5)}
    nodes |= {40 + j: (10 + j * STEP, 0.1) for j in range(4)}
    tagged: dict[int, dict[str, str]] = {}
    town = {"addr:city": "Neustadt an der Au", "addr:postcode": "12345"}

    def put(i: int, lon: float, lat: float, **tags: str) -> None:
        nodes[i] = (10 + lon * STEP, lat * STEP)
        tagged[i] = {key.replace("addr_", "addr:"): value for key, value in tags.items()}

    for i, (number, at) in enumerate((("1", 0.2), ("2", 0.3), ("9", 2.2), ("10", 2.4), ("5;7", 1))):
        side = 0.1 if int(number[0]) % 2 else -0.1
        put(100 + i, at, side, addr_street="Königstraße", addr_housenumber=number, **town)
    put(110, 9.0, 0.1, addr_street="Königstraße", addr_housenumber="40a", **town)
    put(120, 2.1, 1.0, addr_street="Dorfstraße", addr_housenumber="5", **town)
    put(121, 1.0, 100.05, addr_street="Dorfstraße", addr_housenumber="5", addr_city="Altdorf")
    put(130, 0.1, 1.0, addr_street="Hafenkatu", addr_housenumber="10", **town)
    put(131, 0.1, 3.0, addr_street="Hafenkatu", addr_housenumber="20", **town)
    put(140, 5.0, 0.2, name="Café Größe", amenity="cafe", addr_street="Königstraße", **town)
    put(141, 6.0, 0.2, name="K-Laden", shop="convenience")
    put(142, 0.5, 4.0, name="K-Laden", shop="convenience")
    put(150, 1.0, 1.0, name="Neustadt an der Au", place="town")
    corners = {160: (7.0, 1.0), 161: (7.4, 1.0), 162: (7.4, 1.2), 163: (7.0, 1.2)}
    nodes |= {i: (10 + x * STEP, y * STEP) for i, (x, y) in corners.items()}
    street = {"highway": "residential"}
    ways: list[tuple[list[int], dict[str, str]]] = [
        (list(range(12)), street | {"name": "Königstraße", "name:sv": "Kungsgatan"}),
        ([0, 21, 22, 23, 24], street | {"name": "Hafenkatu"}),
        ([2, 31, 32, 33, 34], street | {"name": "Dorfstraße"}),
        ([40, 41, 42, 43], street | {"name": "Dorfstraße"}),
        ([24, 34], street | {"name": "St. Mary's Lane"}),
        ([130, 131], {"addr:interpolation": "even", "addr:street": "Hafenkatu"}),
        (
            [160, 161, 162, 163, 160],
            {"building": "yes", "addr:street": "Königstraße", "addr:housenumber": "31"},
        ),
    ]
    ways.append(([4, 43], {"highway": "primary"}))
    return osm_xml(nodes, ways, tagged)
