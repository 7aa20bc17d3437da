"""Bus network design: instances, lines, exact evaluation, simulation, search.

```python
from nco.transit import TransitInstance, check_lines, parse_lines

mandl = TransitInstance.mandl(lines=6)
lines = parse_lines("0-1-2-5-7-9-10-12*4-3-5-7-14-6*11-3-5-14-8*9-13-12*1-4*1-3")
assert not check_lines(mandl, lines)
```

- `instance/`: what is to be designed, whether lines may be so, and instances made from cities.
- `evaluate/`, `simulate/`: what lines are worth, exactly and by passengers.
- `design/`, `learn/`: methods that design lines, and the networks that some of them ask.
- `files/`: what is read and written; `bench/`: methods side by side.

The names below are loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nco.transit.files.geojson import write_transit_geojson as write_transit_geojson
    from nco.transit.files.gtfs import Service as Service
    from nco.transit.files.gtfs import write_gtfs as write_gtfs
    from nco.transit.files.native import load_instance as load_instance
    from nco.transit.files.native import read_lines as read_lines
    from nco.transit.files.native import save_instance as save_instance
    from nco.transit.files.native import write_lines as write_lines
    from nco.transit.files.read import read_instance as read_instance
    from nco.transit.instance.lines import Lines as Lines
    from nco.transit.instance.lines import check_lines as check_lines
    from nco.transit.instance.lines import format_lines as format_lines
    from nco.transit.instance.lines import parse_lines as parse_lines
    from nco.transit.instance.mend import mend_lines as mend_lines
    from nco.transit.instance.transit_instance import TransitInstance as TransitInstance

# Public name -> the module here that has it.
_PUBLIC = {
    "Lines": "instance.lines",
    "Service": "files.gtfs",
    "TransitInstance": "instance.transit_instance",
    "check_lines": "instance.lines",
    "format_lines": "instance.lines",
    "load_instance": "files.native",
    "mend_lines": "instance.mend",
    "parse_lines": "instance.lines",
    "read_instance": "files.read",
    "read_lines": "files.native",
    "save_instance": "files.native",
    "write_gtfs": "files.gtfs",
    "write_lines": "files.native",
    "write_transit_geojson": "files.geojson",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: Any = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
