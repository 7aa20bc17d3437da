"""`nco paths`: several good ways from A to B, what tells them apart, and a map of them."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from nco import console
from nco.commands import _problem
from nco.errors import InputError, quoted

_PLACE = re.compile(r"-[\d.]+(,-?[\d.]+)?$")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Exit code 0: as many paths as were asked for; 1: fewer, with the reason; 2: the input "
        "cannot be used, or no path leads from A to B."
    )
    # Western longitudes are no options.
    parser._negative_number_matcher = _PLACE  # noqa: SLF001
    parser.add_argument("a", metavar="A", help="where to begin: LON,LAT or an address")
    parser.add_argument("b", metavar="B", help="where to end")
    parser.add_argument("--city", required=True, help="name of a city, or path of its extract")
    parser.add_argument("--profile", choices=_problem.PROFILES, default="car", help="(car)")
    parser.add_argument("--k", type=_problem.whole, default=3, metavar="K", help="how many (3)")
    parser.add_argument("--method", default="plateau", help="plateau, auto, via, ... (plateau)")
    for word, what in (("avoid", "what no path may use"), ("prefer", "what costs half")):
        parser.add_argument(
            f"--{word}", action="append", default=[], metavar="WHAT",
            help=f"{what}: motorways, main roads, tolls, ferries, tunnels, bridges, the name of a "
            "street, or area:FILE.geojson; may be given again",
        )  # fmt: skip
    parser.add_argument(
        "--through", action="append", default=[], metavar="PLACE",
        help="a place that all paths pass; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--stretch", type=float, metavar="X", help="most cost, as a multiple (1.25)"
    )
    parser.add_argument("--share", type=float, metavar="X", help="most in common, 0 to 1 (0.8)")
    parser.add_argument("--map", type=_problem.path, metavar="FILE", help="write a map, .html")
    parser.add_argument("--geojson", type=_problem.path, metavar="FILE", help="write the lines")
    _problem.add_max_snap(parser.add_argument_group("places"))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Find, print and write."""
    from nco.roads.several.described import described, geojson, summary, table

    for name, suffix in (("map", ".html"), ("geojson", ".geojson")):
        given = getattr(arguments, name)
        if given is not None and given.suffix not in (suffix, ".json" if name != "map" else suffix):
            raise InputError(f"--{name} {quoted(str(given))} must end in {suffix}")
    with console.progress("finding paths", quiet=arguments.quiet):
        city = _problem.open_city(arguments, profile=arguments.profile)
        found = city.paths(arguments.a, arguments.b, arguments.k, **_options(arguments))
    result: dict[str, Any] = summary(found)
    for name in ("map", "geojson"):
        path = getattr(arguments, name)
        if path is None:
            continue
        from nco.files import write_atomic

        if name == "map":
            from nco import plot

            result[name] = str(plot.alternatives(found, city).save(path))
        else:
            result[name] = str(write_atomic(path, json.dumps(geojson(found))))
    if arguments.json:
        console.write_json(result)
    else:
        console.write(console.table(*table(described(found))))
        if found.relaxed:
            console.write(f"limits were relaxed to find as many: {found.relaxed}")
        if found.why_fewer:
            console.write(found.why_fewer)
        for name in ("map", "geojson"):
            if name in result:
                console.write(f"written: {result[name]}")
    return 1 if found.why_fewer else 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    from nco.roads import Limits

    limits = {
        name: getattr(arguments, name)
        for name in ("stretch", "share")
        if getattr(arguments, name) is not None
    }
    return {
        "method": arguments.method,
        "avoid": arguments.avoid,
        "prefer": arguments.prefer,
        "through": arguments.through,
        "limits": Limits(**limits),
    }
