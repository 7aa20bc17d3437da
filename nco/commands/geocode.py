"""`nco geocode`: addresses in, places out, and which of them a person should look at."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem
from nco.errors import InputError

if TYPE_CHECKING:
    from nco.data.cities.geocode.found import Address, Geocoded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Exit code 0: every address was found without doubt; 1: some are doubtful or not found, "
        "with candidates to choose from; 2: the input cannot be used."
    )
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="such as 'Kaivokatu 1'")
    parser.add_argument(
        "--file", type=_problem.path, metavar="FILE",
        help="a table with a column 'address' (.csv, .tsv), or a text with an address a line",
    )  # fmt: skip
    parser.add_argument("--city", help="name of a city, or path of its extract")
    parser.add_argument("--postcode", default="", help="of addresses that have none of their own")
    parser.add_argument("--town", default="", help="of addresses that have none of their own")
    _problem.add_geocoder(parser)
    parser.add_argument(
        "--candidates", type=_problem.seed, default=3, metavar="N",
        help="how many further ones to tell of what is doubtful (3)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=_problem.path, metavar="FILE", help="write a .csv with all places"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Find, print and write."""
    given = _given(arguments)
    with console.progress("finding addresses", quiet=arguments.quiet):
        found = _find(arguments, given)
    doubtful = [one for one in found if one.doubtful]
    result: dict[str, Any] = {
        "addresses": len(found),
        "doubtful": len(doubtful),
        "results": [one.row() for one in found],
    }
    if arguments.out is not None:
        from nco.data.formats.geocoded_csv import write_geocoded

        result["file"] = str(write_geocoded(arguments.out, found))
    if arguments.json:
        console.write_json(result)
    else:
        _print(found, arguments.candidates)
        if arguments.out is not None:
            console.write(f"written: {arguments.out}")
    return 1 if doubtful else 0


def _given(arguments: argparse.Namespace) -> list[str | Address]:
    from nco.data.formats.geocoded_csv import read_addresses

    given: list[str | Address] = list(arguments.addresses)
    if arguments.file is not None:
        given += read_addresses(arguments.file)
    if not given:
        raise InputError("there is no address; give some, or a file with --file")
    return given


def _find(arguments: argparse.Namespace, given: list[str | Address]) -> list[Geocoded]:
    options = {"postcode": arguments.postcode, "city": arguments.town, "most": arguments.candidates}
    server = _problem.geocode_server(arguments)
    if arguments.city is not None:
        from nco.data.cities.places import city

        return city(arguments.city).geocode(given, server=server, **options)
    if server is None:
        raise InputError("say where with --city (`nco city list`), or whom to ask with --geocoder")
    from nco.data.cities.geocode.asking import find_all

    return find_all(server, given, **options)


def _print(found: list[Geocoded], candidates: int) -> None:
    for one in found:
        console.write(str(one))
        if one.doubtful:
            for other in one.others[:candidates]:
                lon, lat = other.lonlat
                console.write(f"    or {other.label} ({lon:.6f}, {lat:.6f}): {other.how}")
    doubtful = sum(one.doubtful for one in found)
    if doubtful:
        console.write(f"{doubtful} of {len(found)} should be looked at by a person")
