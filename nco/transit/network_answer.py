"""The files of a network, all together in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.transit.files.geojson import write_transit_geojson
from nco.transit.files.native import load_instance, save_instance, write_lines
from nco.transit.operate.network_files import load_network, save_network

if TYPE_CHECKING:
    from pathlib import Path

    from nco.data.cities.city import City
    from nco.transit.operate.network import Network


def write_network(folder: Path, network: Network, city: City | None = None) -> dict[str, Path]:
    """Write a network; the folder exists.

    Args:
        folder: where to.
        network: what to write.
        city: its streets are followed in the map.

    Raises:
        StorageError: the folder cannot be written.
    """
    return {
        "instance": save_instance(folder / "instance.json", network.instance),
        "lines": write_lines(folder / "lines.txt", network.lines),
        "network": save_network(folder, network),
        "geojson": write_transit_geojson(
            folder / "lines.geojson",
            network.instance,
            network.lines,
            city=city,
            names=network.names,
        ),
    }


def read_network(folder: Path) -> Network:
    """Read what `write_network` wrote.

    Raises:
        FormatError: a file is something else; the message names the entry.
        StorageError: it cannot be read.
    """
    return load_network(folder, load_instance(folder / "instance.json"))
