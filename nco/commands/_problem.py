"""How verbs name a problem on the command line: a file, and for a table of stops a city."""

from __future__ import annotations

import argparse
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nco import console
from nco.errors import FormatError, InputError, quoted

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.data.cities.geocode.server import GeocodeServer
    from nco.problem import Problem
    from nco.problem.solution import Solution

ROUNDINGS = ("none", "round", "trunc", "ceil", "dimacs", "exact")
PROFILES = ("car", "bicycle", "foot")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the problem and the options that say how to read it."""
    parser.add_argument(
        "problem",
        metavar="PROBLEM",
        type=path,
        help="stops as .csv, .tsv, .xlsx or .ods (need --city), VRPLIB .vrp, Solomon .txt, VROOM "
        "or nco .json",
    )
    group = parser.add_argument_group("tables of stops")
    group.add_argument("--city", help="name of a city, or path of an .osm.pbf, .osm or .city file")
    group.add_argument("--profile", choices=PROFILES, default="car", help="how one moves (car)")
    group.add_argument("--vehicles", type=whole, metavar="N", help="how many vehicles there are")
    group.add_argument(
        "--capacity", type=numbers, metavar="Q", help="of each vehicle; Q1,Q2 for two demands"
    )
    group.add_argument(
        "--fleet", type=path, metavar="FILE", help="a table of vehicles, .csv, .tsv, .xlsx or .ods"
    )
    group.add_argument(
        "--depot", metavar="NAME|LON,LAT", help="the depot's row or place (the row 'depot')"
    )
    group.add_argument(
        "--allow-unassigned",
        action="store_true",
        help="report stops that no street is near to or leads to, and solve for the rest",
    )
    group.add_argument(
        "--skip-bad-rows", action="store_true", help="leave out rows with faults, and list them"
    )
    group.add_argument(
        "--accept-doubtful",
        action="store_true",
        help="take places of addresses that a person should look at",
    )
    add_geocoder(group)
    add_max_snap(group)
    files = parser.add_argument_group("benchmark instances")
    files.add_argument(
        "--rounding", choices=ROUNDINGS, help="of distances (the rule of the file's format)"
    )


def add_max_snap(group: argparse._ArgumentGroup) -> None:
    """Add how far a city may move what is asked of it."""
    group.add_argument(
        "--max-snap",
        type=metres,
        metavar="METRES",
        help="how far a place may be moved onto a street (250)",
    )


def add_geocoder(group: argparse._ActionsContainer) -> None:
    """Add which server is asked for addresses, if any."""
    group.add_argument(
        "--geocoder", metavar="URL", help="ask this Nominatim or Photon server, not the extract"
    )
    group.add_argument(
        "--geocoder-kind",
        choices=("nominatim", "photon"),
        help="what it is, where its address does not tell",
    )


def geocode_server(arguments: argparse.Namespace) -> GeocodeServer | None:
    """The server that the arguments name, if they name one."""
    if arguments.geocoder is None:
        if arguments.geocoder_kind is not None:
            raise InputError("--geocoder-kind says what the server of --geocoder is; give both")
        return None
    from nco.data.cities.geocode.server import GeocodeServer

    return GeocodeServer(arguments.geocoder, arguments.geocoder_kind)


def open_city(arguments: argparse.Namespace, **options: Any) -> City:
    """The city that the arguments name, with the limit they give."""
    from nco.data.cities.places import city

    if arguments.max_snap is not None:
        options["max_snap_m"] = arguments.max_snap
    return city(arguments.city, **options)


def metres(text: str) -> float:
    """A finite number above 0."""
    try:
        return seconds(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a positive number of metres"
        ) from None


def path(text: str) -> Path:
    """The path of a file or a folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty; give one")
    return Path(text)


def whole(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number of 1 or more")
    return int(text)


def seed(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number of 0 or more")
    return int(text)


def seconds(text: str) -> float:
    """A finite number of seconds above 0."""
    return positive(text, " of seconds")


def positive(text: str, what: str = "") -> float:
    """A finite number above 0; messages say of `what` it is."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a positive number{what}")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a number, or numbers like 50,8"
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Different names with commas between them."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError(f"{quoted(text)} names nothing")
    return found


class Opened(NamedTuple):
    """What the arguments name.

    Attributes:
        problem: read.
        city: where it is, if they say so.
        skipped: what was wrong with rows of a table that were left out.
    """

    problem: Problem
    city: City | None
    skipped: tuple[str, ...] = ()


def open_problem(arguments: argparse.Namespace) -> Opened:
    """Read the problem that the arguments name, and open its city if they name one.

    Raises:
        InputError: options are missing or do not apply to this kind of file.
        NcoError: the file or the city cannot be used.
    """
    from nco.data.formats.registry import load
    from nco.data.formats.table_files import is_table
    from nco.problem import Problem
    from nco.problem.solution import Solution

    path: Path = arguments.problem
    if is_table(path):
        return _open_table(arguments)
    for name in ("fleet", "skip_bad_rows", "accept_doubtful", "geocoder", "geocoder_kind"):
        if getattr(arguments, name):
            option = name.replace("_", "-")
            raise InputError(
                f"--{option} is for tables of stops, which {path} is not; leave it out"
            )
    city = None
    if arguments.city is not None:
        city = open_city(arguments, profile=arguments.profile)
    elif arguments.max_snap is not None:
        raise InputError("--max-snap is for places in a city; give --city, or leave it out")
    options = _given(arguments) | ({"rounding": arguments.rounding} if arguments.rounding else {})
    loaded = load(path, city=city, **options)
    if isinstance(loaded, Problem):
        return Opened(loaded, city)
    kind = "a solution" if isinstance(loaded, Solution) else "stops"
    raise FormatError(f"{path} holds {kind}; give the file of a problem")


def _open_table(arguments: argparse.Namespace) -> Opened:
    """The problem that a table of stops poses in a city."""
    from nco.data.cities.geocode.asking import LateGeocoder
    from nco.data.formats.registry import load
    from nco.data.formats.stops import Stops, problem_from_stops

    path: Path = arguments.problem
    if arguments.rounding is not None:
        raise InputError("--rounding is for benchmark instances; leave it out")
    if arguments.city is None:
        raise InputError(f"{path} is a table of stops; say where with --city (`nco city list`)")
    opened = cache(lambda: open_city(arguments, profile=arguments.profile))
    geocoder = LateGeocoder(opened, geocode_server(arguments))  # the city, where a row needs it
    stops = load(
        path,
        geocoder=geocoder,
        accept_doubtful=arguments.accept_doubtful,
        skip_bad_rows=arguments.skip_bad_rows,
    )
    if not isinstance(stops, Stops):
        raise FormatError(f"{path} holds a solution; give the file of a problem")
    city = opened()
    options = _given(arguments)
    if arguments.fleet is not None:
        options["fleet"] = arguments.fleet
    return Opened(problem_from_stops(stops, city, name=path.stem, **options), city, stops.skipped)


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of the reader that are given."""
    given = {
        "vehicles": arguments.vehicles,
        "capacity": arguments.capacity,
        "depot": _depot(arguments.depot),
        "allow_unassigned": arguments.allow_unassigned or None,
        "plan": getattr(arguments, "plan", None),
    }
    return {name: value for name, value in given.items() if value is not None}


def _depot(text: str | None) -> str | tuple[float, ...] | None:
    try:
        return None if text is None else numbers(text)
    except argparse.ArgumentTypeError:
        return text


def moved(problem: Problem) -> list[dict[str, Any]]:
    """What was moved far onto a street, as plain data for JSON."""
    return [
        {"stop": problem.names[node], "moved_m": round(far_m, 1)}
        for node, far_m in problem.moved.items()
    ]


def geocoded(problem: Problem) -> list[dict[str, Any]]:
    """What was found of stops that had an address and no coordinates, as plain data for JSON."""
    from nco.data.formats.tables.places import FOUND, HOW, SURE, WORD

    return [
        {"stop": problem.names[node], "found": words[FOUND]}
        | {"word": words.get(WORD, ""), "sure": words.get(SURE, ""), "how": words.get(HOW, "")}
        for node, words in problem.details.items()
        if FOUND in words
    ]


def tell_geocoded(problem: Problem) -> None:
    """Print how many addresses were looked up, and each that is not a house or place itself."""
    found = geocoded(problem)
    if not found:
        return
    count = Counter(one["word"] for one in found)
    kinds = ", ".join(f"{number} {word}" for word, number in count.most_common())
    console.write(f"addresses: {len(found)} looked up: {kinds}")
    for one in found:
        if one["word"] not in ("exact", "place"):
            console.write(
                f"address: {one['stop']}: {one['word']} {one['sure']}: {one['found']}: {one['how']}"
            )


def tell_moved(problem: Problem) -> None:
    """Print what was moved far onto a street."""
    for node, far_m in problem.moved.items():
        console.write(f"moved: {problem.names[node]}: {far_m:.0f} m, onto the nearest street")


def open_solution(path: Path, problem: Problem) -> Solution:
    """Read a solution of a problem, in any format that `nco solve` writes.

    Raises:
        NcoError: the file cannot be used.
    """
    from nco.data.formats.registry import load
    from nco.problem.solution import Solution

    solution = load(path, problem=problem)
    if not isinstance(solution, Solution):
        raise FormatError(f"{path} holds a problem; give the file of a solution")
    return solution
