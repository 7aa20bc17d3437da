"""Reading an instance from whatever file it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nco.errors import StorageError
from nco.transit.files.benchmark import read_benchmark
from nco.transit.files.bloomington import read_bloomington
from nco.transit.files.native import load_instance
from nco.transit.instance.transit_instance import TransitInstance


def read_instance(path: str | Path, **bounds: Any) -> TransitInstance:
    """Read any instance that has a reader here.

    Args:
        path: "mandl" for the network that is built in, our `.json`, the folder of Bloomington's
            files, or a benchmark network (see `nco.transit.files.benchmark`).
        **bounds: `lines`, `min_stops` and `max_stops`, in place of the usual or stored ones.

    Raises:
        FormatError: the file is wrong or something else; the message names the place.
        ProblemError: the network is in pieces, or no line can meet the bounds.
        StorageError: a file cannot be read.
    """
    given = {name: value for name, value in bounds.items() if value is not None}
    try:
        return _read(path, given)
    except OSError as error:  # a path that is too long, for one
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def _read(path: str | Path, given: dict[str, Any]) -> TransitInstance:
    if str(path) == "mandl" and not Path(path).exists():
        return TransitInstance.mandl(**given)
    path = Path(path)
    if path.suffix == ".json":
        return load_instance(path).changed(**given)
    if (path / "bloomington_nodes_standard.csv").exists():
        return read_bloomington(path, **given)
    return read_benchmark(path, **given)
