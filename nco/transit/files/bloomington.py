"""Bloomington, Indiana, as published with AlphaTransit (arXiv 2605.28730).

A folder with `bloomington_nodes_standard.csv` (name, x, y in metres, UTM zone 16 north),
`bloomington_links_standard.csv` (name, start, end, length in metres, free_flow_speed in m/s; every
link leads both ways), `bloomington_demand_standard.csv` (orig, dest, volume in trips an hour,
directed) and `bloomington_existing_routes.json` (the bus lines that run today).

The lines as published have a defect: "3 West" goes from node 47 straight to 121, between which
there is no link. `read_bloomington_lines` drives the fastest way between them, over node 56, and
says so in the log.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import Fields, read_any_json
from nco.errors import FormatError, InputError, quoted
from nco.transit.instance.lines import Lines
from nco.transit.instance.mend import mend_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.sources.demand import read_demand
from nco.transit.sources.table import number_nodes, read_columns

_UTM_16_NORTH = 32616


def read_bloomington(
    folder: str | Path,
    *,
    lines: int = 16,
    min_stops: int = 2,
    max_stops: int = 14,
    hub: str | None = "96",
    speed_m_per_s: float | None = None,
) -> TransitInstance:
    """Read the network with its full demand; thin it out by `instance.changed(demand=...)`.

    Args:
        folder: with the files.
        lines: how many lines to design; AlphaTransit's settings are the defaults.
        min_stops: fewest stops of a line.
        max_stops: most stops of a line.
        hub: name of the node that every line begins at, "96" is the transit centre; None for
            no hub.
        speed_m_per_s: on all links, instead of the file's free-flow speed.

    Raises:
        FormatError: a file is missing or wrong; the message names the line.
        InputError: a number is out of bounds.
        StorageError: a file cannot be read.
    """
    if speed_m_per_s is not None and not 0 < speed_m_per_s < np.inf:
        raise InputError(f"speed_m_per_s is {quoted(speed_m_per_s)}; it must be a positive number")
    folder = Path(folder)
    rows = read_columns(folder / "bloomington_nodes_standard.csv", ("name", "x", "y"))
    nodes = number_nodes(rows, "name")
    xy = np.array([[row.number("x", -np.inf), row.number("y", -np.inf)] for row in rows])
    if hub is not None and hub not in nodes:
        raise FormatError(
            f"hub is {quoted(hub)}, which is not among the {len(nodes)} nodes of {folder}"
        )
    link_m, link_s = _links(folder / "bloomington_links_standard.csv", nodes, speed_m_per_s)
    return TransitInstance(
        link_s=link_s,
        link_m=link_m,
        demand=read_demand(folder / "bloomington_demand_standard.csv", nodes),
        lines=lines,
        min_stops=min_stops,
        max_stops=max_stops,
        hub=None if hub is None else nodes[hub],
        xy=xy,
        lonlat=_lonlat(xy),
        names=tuple(nodes),
        name="bloomington",
    )


def read_bloomington_lines(
    folder: str | Path, instance: TransitInstance
) -> tuple[tuple[str, ...], Lines]:
    """Read the lines that run today.

    Args:
        folder: with the files.
        instance: what `read_bloomington` read there.

    Returns:
        Names and nodes of the lines; the fastest way stands in for a link that is missing.

    Raises:
        FormatError: the file is missing or wrong, or names an unknown node.
        StorageError: it cannot be read.
    """
    path = Path(folder) / "bloomington_existing_routes.json"
    data = read_any_json(path)
    entries = Fields(path, "", {"lines": data}).children("lines")
    names = tuple(entry.text("name") for entry in entries)
    known = {name: k for k, name in enumerate(instance.names)}
    lines = []
    for entry in entries:
        stops = [str(node) for node in entry.wholes("nodes")]
        for k, stop in enumerate(stops):
            if stop not in known:
                entry.fail(f"nodes[{k}]", f"is {stop}, which is no node of {instance.name}")
        lines.append(tuple(known[stop] for stop in stops))
    return names, mend_lines(instance, lines, names)


def _links(path: Path, nodes: dict[str, int], speed_m_per_s: float | None) -> tuple[Floats, Floats]:
    """`[N, N]` metres and seconds."""
    link_m = np.full((len(nodes), len(nodes)), np.inf)
    np.fill_diagonal(link_m, 0.0)
    link_s = link_m.copy()
    for row in read_columns(path, ("start", "end", "length", "free_flow_speed")):
        i, j = row.node("start", nodes), row.node("end", nodes)
        if i == j or np.isfinite(link_m[i, j]):
            row.fail("end", "closes a link that is there already, or leads to its own start")
        metres, speed = row.above_zero("length"), row.above_zero("free_flow_speed")
        link_m[i, j] = link_m[j, i] = metres
        link_s[i, j] = link_s[j, i] = metres / (speed_m_per_s or speed)
    return link_m, link_s


def _lonlat(xy: Floats) -> Floats:
    """Degrees from metres of UTM zone 16 north."""
    from pyproj import Transformer

    degrees = Transformer.from_crs(_UTM_16_NORTH, 4326, always_xy=True).transform(*xy.T)
    return np.round(np.stack(degrees, axis=1), 6)
