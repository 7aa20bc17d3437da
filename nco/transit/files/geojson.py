"""Lines and stops as GeoJSON (RFC 7946), for maps.

The collection holds one LineString for each line, in the direction of its nodes, and one Point for
each stop; `kind` tells them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.colours import COLOURS
from nco.data.cities.city import CREDIT
from nco.data.formats.drawn import Drawn
from nco.data.formats.json_file import write_json
from nco.errors import InputError, NcoError, quoted
from nco.transit.instance.lines import Lines, LinesLike, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance

logger = logging.getLogger("nco")


def write_transit_geojson(
    path: str | Path,
    instance: TransitInstance,
    lines: LinesLike,
    *,
    city: Drawn | None = None,
    names: Sequence[str] | None = None,
    properties: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Write lines for maps.

    Args:
        path: where to.
        instance: with `lonlat`.
        lines: nodes in order.
        city: draws lines along its streets; None draws them straight from stop to stop.
        names: of the lines; "line 0", "line 1", ... by default.
        properties: of each line, besides those that are always there, such as frequency and load.

    Raises:
        InputError: the instance has no coordinates.
        ProblemError: a line uses a link or a stop that does not exist.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    where = need_lonlat(instance)
    given = refuse_bad_lines(instance, lines)
    titles = line_names(given, names)
    more = [{}] * len(given) if properties is None else properties
    if len(more) != len(given):
        raise InputError(
            f"properties has {len(more)} entries for {len(given)} lines; give one each"
        )
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "LineString",
                "coordinates": np.round(line_shape(instance, line, city), 6).tolist(),
            },
            "properties": {"kind": "line", **_facts(instance, r, line, titles[r]), **more[r]},
        }
        for r, line in enumerate(given)
    ]
    serving = [[r for r, line in enumerate(given) if k in line] for k in range(instance.size)]
    features += [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": where[k].tolist()},
            "properties": {
                "kind": "stop",
                "node": k,
                "name": instance.names[k],
                "lines": serving[k],
                "hub": k == instance.hub,
                "leaving_per_hour": float(instance.demand[k].sum()),
                "arriving_per_hour": float(instance.demand[:, k].sum()),
                **({} if instance.moved_m is None else {"moved_m": float(instance.moved_m[k])}),
            },
        }
        for k in range(instance.size)
    ]
    return write_json(
        path,
        {
            "type": "FeatureCollection",
            **({} if city is None else {"attribution": CREDIT}),
            "instance": instance.name,
            "bbox": [*where.min(axis=0).tolist(), *where.max(axis=0).tolist()],
            "features": features,
        },
    )


def _facts(instance: TransitInstance, r: int, line: tuple[int, ...], name: str) -> dict[str, Any]:
    steps = (line[:-1], line[1:])
    facts: dict[str, Any] = {
        "line": r,
        "name": name,
        "colour": COLOURS[r % len(COLOURS)],
        "nodes": list(line),
        "stops": [instance.names[node] for node in line],
        "there_s": float(instance.link_s[steps].sum()),
        "back_s": float(instance.link_s[steps[::-1]].sum()),
    }
    if instance.link_m is not None:
        facts["length_m"] = float(instance.link_m[steps].sum())
    return facts


def need_lonlat(instance: TransitInstance) -> Floats:
    """`[N, 2]` degrees of the stops.

    Raises:
        InputError: there are none.
    """
    if instance.lonlat is None:
        raise InputError(
            f"instance {quoted(instance.name)} has no lonlat, so it is nowhere on Earth; give "
            "TransitInstance(lonlat=...), or draw it with figures.transit"
        )
    return instance.lonlat


def line_names(lines: Lines, names: Sequence[str] | None) -> list[str]:
    """Names of the lines, those given or numbers.

    Raises:
        InputError: there are more or fewer names than lines.
    """
    if names is None:
        return [f"line {r}" for r in range(len(lines))]
    if len(names) != len(lines):
        raise InputError(f"names has {len(names)} entries for {len(lines)} lines; give one each")
    return list(names)


def line_shape(instance: TransitInstance, line: Sequence[int], city: Drawn | None) -> Floats:
    """`[k, 2]` degrees of the way along the streets, straight without a city or a street."""
    corners = need_lonlat(instance)[list(line)]
    if city is None:
        return corners
    try:
        shape = np.concatenate([np.reshape(leg, (-1, 2)) for leg in city.geometry(corners)])
    except NcoError as error:
        logger.warning("a line is drawn in straight pieces: %s", error)
        return corners
    moves = np.append(True, (np.diff(shape, axis=0) != 0).any(axis=1))
    return shape[moves] if moves.sum() > 1 else corners
