"""A network as files: the instance, its lines, and a JSON file of names, periods and headways."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nco.data.formats.json_file import read_json, write_json
from nco.errors import FormatError, InputError
from nco.transit.instance.lines import refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.network import Network
from nco.transit.operate.periods import DayType, Period

_FORMAT = "nco-transit-network"


def save_network(folder: Path, network: Network) -> Path:
    """Write what `load_network` reads beside `instance.json` and `lines.txt`; see `answer`.

    Raises:
        StorageError: the file cannot be written.
    """
    periods = [
        {
            "day": period.day.name,
            "days": list(period.day.days),
            "first_s": period.first_s,
            "last_s": period.last_s,
            "demand": period.demand,
            "name": period.name,
        }
        for period in network.periods
    ]
    return write_json(
        folder / "network.json",
        {
            "format": _FORMAT,
            "lines": [list(line) for line in network.lines],
            "names": list(network.names),
            "periods": periods,
            "per_h": network.per_h.tolist(),
            "fleet": network.fleet,
            "blocks": network.blocks,
            "kept": network.kept,
            "dwell_s": network.dwell_s,
            "layover_s": network.layover_s,
            "one_way": list(network.one_way),
        },
    )


def load_network(folder: Path, instance: TransitInstance) -> Network:
    """Read a network.

    Args:
        folder: with `network.json`.
        instance: of the same folder.

    Raises:
        FormatError: the file is something else; the message names the entry.
        StorageError: it cannot be read.
    """
    data = read_json(folder / "network.json")
    if data.raw("format", None) != _FORMAT:
        data.fail("format", "is another: this is no file of a network")
    names = tuple(str(name) for name in data.items("names"))
    try:
        periods = tuple(
            Period(
                DayType(one.text("day"), tuple(str(day) for day in one.items("days"))),
                one.number("first_s"),
                one.number("last_s"),
                one.number("demand"),
                one.text("name"),
            )
            for one in data.children("periods")
        )
        lines = tuple(tuple(int(node) for node in row) for row in data.items("lines"))
        per_h = np.array(data.items("per_h"), dtype=np.float64)
    except (InputError, TypeError, ValueError) as error:
        raise FormatError(f"{folder / 'network.json'}: {error}") from None
    if per_h.shape != (len(periods), len(lines)) or len(names) != len(lines):
        data.fail("per_h", f"must have {len(periods)} rows of {len(lines)} numbers")
    if (per_h < 0).any() or not np.isfinite(per_h).all():
        data.fail("per_h", "has a number that is negative or not finite")
    return Network(
        instance,
        refuse_bad_lines(instance, lines),
        names,
        periods,
        per_h,
        data.whole("fleet"),
        data.flag("blocks"),
        data.number("kept"),
        data.number("dwell_s"),
        data.number("layover_s"),
        tuple(str(name) for name in data.items("one_way", [])),
    )
