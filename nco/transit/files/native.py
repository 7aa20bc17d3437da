"""Our own files: an instance as JSON, and lines as text.

Matrices are written row by row; `null` is infinity.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import Fields, read_json, read_text, write_json
from nco.errors import FormatError, ProblemError, quoted
from nco.files import write_atomic
from nco.transit.instance.lines import Lines, LinesLike, format_lines, parse_lines
from nco.transit.instance.transit_instance import TransitInstance

_FORMAT = "nco-transit"
_VERSION = 1
_WHOLES = ("lines", "min_stops", "max_stops", "hub", "fleet", "capacity")
_TABLES = ("link_s", "demand", "link_m", "lonlat", "xy")
_LATER = ("walk_m",)  # tables that older files lack, and that are written where they are known
_KNOWN = (
    *("format", "version", "name", *_WHOLES, "terminals", "names", "moved_m"),
    *(*_TABLES, *_LATER),
)


def save_instance(path: str | Path, instance: TransitInstance) -> Path:
    """Write an instance so that it reads back equal.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    data: dict[str, Any] = {"format": _FORMAT, "version": _VERSION, "name": instance.name}
    data |= {name: _plain(getattr(instance, name)) for name in (*_WHOLES, "terminals", *_TABLES)}
    for name in ("moved_m", *_LATER):
        if getattr(instance, name) is not None:
            data[name] = _plain(getattr(instance, name))
    return write_json(path, data | {"names": list(instance.names)})


def load_instance(path: str | Path) -> TransitInstance:
    """Read what `save_instance` wrote.

    Raises:
        FormatError: the file is something else, or holds no valid instance; the message names the
            entry.
        StorageError: it cannot be read.
    """
    data = read_json(path)
    if data.raw("format", None) != _FORMAT:
        data.fail("format", f"must be {quoted(_FORMAT)}: this is no file of a transit instance")
    if data.whole("version") > _VERSION:
        data.fail("version", f"is newer than {_VERSION}, the newest that is known; update nco")
    data.refuse_unknown(_KNOWN)
    for name in ("link_s", "lines"):
        if name not in data:
            data.fail(name, "is missing; every instance has it")
    fields: dict[str, Any] = {
        name: _table(data, name) for name in (*_TABLES, *_LATER) if name in data
    }
    fields |= {name: data.whole(name) for name in _WHOLES if name in data}
    if "terminals" in data:
        terminals = data.items("terminals")
        if not all(isinstance(value, bool) for value in terminals):
            data.fail("terminals", "must be a list of true and false, one a node")
        fields["terminals"] = np.array(terminals, dtype=np.bool_)
    if "moved_m" in data:
        fields["moved_m"] = np.array(data.numbers("moved_m"))
    names = tuple(str(name) for name in data.items("names", []))
    try:
        return TransitInstance(**fields, names=names, name=data.text("name", "transit"))
    except ProblemError as error:
        raise FormatError(f"{path}: {error}") from None


def write_lines(path: str | Path, lines: LinesLike) -> Path:
    """Write lines in the published form, `0-1-2*3-4`.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_atomic(path, format_lines(lines) + "\n")


def read_lines(path: str | Path) -> Lines:
    """Read lines in the published form; lines of text may stand for `*`.

    Raises:
        FormatError: it is something else; the message names line and place.
        StorageError: it cannot be read.
    """
    text = "*".join(part for part in read_text(path).splitlines() if part.strip())
    try:
        return parse_lines(text)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _table(data: Fields, name: str) -> Floats:
    rows = data.items(name)
    table = Fields(data.path, name, {str(k): row for k, row in enumerate(rows)})
    numbers = [table.numbers(str(k)) for k in range(len(rows))]
    if len({len(row) for row in numbers}) > 1:
        data.fail(name, "has rows of different lengths")
    return np.array(numbers)
