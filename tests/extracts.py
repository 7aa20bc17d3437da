"""Small OpenStreetMap extracts written by hand."""

from collections.abc import Sequence


def osm_xml(
    nodes: dict[int, tuple[float, float]], ways: Sequence[tuple[Sequence[int], dict[str, str]]]
) -> str:
    """An OSM XML extract from nodes (lon, lat) and ways (node ids, tags)."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    lines += [f"<node id='{i}' lon='{lon}' lat='{lat}'/>" for i, (lon, lat) in nodes.items()]
    for i, (refs, tags) in enumerate(ways, start=1):
        inside = [f"<nd ref='{ref}'/>" for ref in refs]
        inside += [f"<tag k='{key}' v='{value}'/>" for key, value in tags.items()]
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
