"""`nco city`: build cities from extracts or places, list them, describe or remove one."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from nco import console
from nco.commands._problem import PROFILES
from nco.errors import CityError, quoted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", help="build a city's engine and remember the city by name", allow_abbrev=False
    )
    build.add_argument(
        "source",
        metavar="EXTRACT|PLACE",
        help="an .osm.pbf or .osm file, or a place to fetch ('Delft, Netherlands')",
    )
    build.add_argument("--name", help="what to call it from now on (the file's or place's name)")
    info = actions.add_parser("info", help="say what is known of a city", allow_abbrev=False)
    info.add_argument("name", metavar="NAME", help="a name that `nco city list` shows, or a file")
    listing = actions.add_parser(
        "list", help="list the built-in city and those built before", allow_abbrev=False
    )
    remove = actions.add_parser(
        "remove", help="forget a city that was built; its extract stays", allow_abbrev=False
    )
    remove.add_argument("name", metavar="NAME", help="a name that `nco city list` shows")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    for action in (build, info):
        action.add_argument("--profile", choices=PROFILES, default="car", help="(car)")
    for action in (build, info, listing, remove):
        action.add_argument("--json", action="store_true", help="one JSON object on stdout")
        action.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Do the action and print what is known."""
    if arguments.action == "list":
        return _list(arguments)
    if arguments.action == "remove":
        return _remove(arguments)
    facts = _build(arguments) if arguments.action == "build" else _info(arguments)
    if arguments.json:
        console.write_json(facts)
    else:
        width = max(map(len, facts))
        console.write("\n".join(f"{key:<{width}}  {_text(facts[key])}" for key in facts))
    return 0


def _build(arguments: argparse.Namespace) -> dict[str, Any]:
    from nco.data.cities.city import City
    from nco.data.cities.places import remember

    source, name = arguments.source, arguments.name
    if name is not None and (not name.strip() or re.search(r"[/\\]", name)):
        raise CityError(f"--name {quoted(name)} is no name but a path; give one such as delft")
    if Path(source).is_dir():
        raise CityError(f"{source} is a folder; give an .osm.pbf or .osm file, or a place")
    with console.progress(f"building {name or source}", quiet=arguments.quiet):
        if Path(source).suffix in (".pbf", ".osm") or Path(source).is_file():
            path = Path(source)
            title = name or path.name.removesuffix(".pbf").removesuffix(".osm")
            city = City.from_file(path, name=title, profile=arguments.profile)
        else:
            city = City.from_place(source, profile=arguments.profile)
            if name is not None and city.extract is not None:
                remember(name, city.extract)
    return city.info()


def _info(arguments: argparse.Namespace) -> dict[str, Any]:
    from nco.data.cities.places import city

    with console.progress(f"opening {arguments.name}", quiet=arguments.quiet):
        return city(arguments.name, profile=arguments.profile).info()


def _remove(arguments: argparse.Namespace) -> int:
    from nco.data.cities.places import forget

    if not arguments.yes:
        asked = f"Remove the city {quoted(arguments.name)} and what was built of it?"
        if not console.confirmed(asked):
            raise CityError(f"{quoted(arguments.name)} was not removed; say yes, or give --yes")
    extract = forget(arguments.name)
    if arguments.json:
        console.write_json({"removed": arguments.name, "extract": str(extract)})
    else:
        console.write(f"removed: {arguments.name}; its extract stays: {extract}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from nco.data.cities.places import known_cities

    cities = known_cities()
    if arguments.json:
        console.write_json({"cities": cities})
        return 0
    rows = [(c["name"], _megabytes(c["extract_bytes"]), str(c["extract"])) for c in cities]
    console.write(console.table(("name", "extract", "path"), rows))
    return 0


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.1f} MB"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " ".join(_text(entry) for entry in value)
    return str(value)
