"""`nco match`: the streets that recorded drives went along, to measure and to learn from."""

from __future__ import annotations

import argparse

from nco import console
from nco.commands import _problem

_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Exit code 0: all drives are matched well; 1: some are not and left out, with the reason; "
        "2: the input cannot be used."
    )
    parser.add_argument(
        "drives", type=_problem.path, metavar="DRIVES",
        help="a .csv or .csv.gz with a point a row: columns trip, lon, lat and, if known, "
        "unix_time",
    )  # fmt: skip
    parser.add_argument("--city", required=True, help="name of a city, or path of its extract")
    parser.add_argument("--profile", choices=_problem.PROFILES, default="car", help="(car)")
    parser.add_argument(
        "--radius", type=_problem.metres, default=15.0, metavar="METRES",
        help="by how much points are off (15)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=_problem.path, required=True, metavar="FILE", help="gets matched drives, .csv"
    )
    _problem.add_max_snap(parser.add_argument_group("places"))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Match, write and say what was left out."""
    from nco.roads.matching import match_drive, read_drives, write_matched

    drives = read_drives(arguments.drives)
    city = _problem.open_city(arguments, profile=arguments.profile)
    found = []
    with console.counter("matching drives", quiet=arguments.quiet) as count:
        for number, drive in enumerate(drives):
            found.append(match_drive(city, drive, arguments.radius))
            count(number + 1, len(drives))
    write_matched(arguments.out, found)
    left_out = [one for one in found if one.why_not]
    if arguments.json:
        console.write_json(
            {
                "drives": len(found),
                "matched": len(found) - len(left_out),
                "left_out": {one.trip: one.why_not for one in left_out},
                "file": str(arguments.out),
            }
        )
    else:
        console.write(f"{len(found) - len(left_out)} of {len(found)} drives are matched")
        for one in left_out[:_SHOWN]:
            console.write(f"    {one.trip} {one.why_not}")
        if len(left_out) > _SHOWN:
            console.write(f"    and {len(left_out) - _SHOWN} more are left out")
        console.write(f"written: {arguments.out}")
    return 1 if left_out else 0
