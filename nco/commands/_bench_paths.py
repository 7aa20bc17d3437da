"""`nco bench paths`: methods that find several paths, against drives and over random pairs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from nco import console
from nco.commands import _problem
from nco.errors import FormatError, InputError

if TYPE_CHECKING:
    from nco.bench.paths import Request, Row
    from nco.data.cities.city import City


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Results are appended to DIR/paths.jsonl as they come; the same command goes on where it "
        "was ended. Exit code 0: measured; 2: the input cannot be used."
    )
    parser.add_argument("--city", required=True, help="name of a city, or path of its extract")
    parser.add_argument("--profile", choices=_problem.PROFILES, default="car", help="(car)")
    parser.add_argument(
        "--drives", type=_problem.path, metavar="FILE", help="matched drives, see `nco match`"
    )
    parser.add_argument(
        "--trips", type=_problem.path, metavar="FILE",
        help="a .csv with columns trip and taxi, to resample by, and good, where 0 leaves it out",
    )  # fmt: skip
    parser.add_argument("--pairs", type=_problem.whole, metavar="N", help="random pairs instead")
    parser.add_argument("--most", type=_problem.whole, metavar="N", help="the first N drives only")
    parser.add_argument("--seed", type=_problem.seed, default=1, help="of random pairs (1)")
    parser.add_argument("--method", nargs="+", default=["plateau", "osrm"], metavar="METHOD")
    parser.add_argument("--k", nargs="+", type=_problem.whole, default=[1, 2, 3, 5], metavar="K")
    parser.add_argument(
        "--stretch", type=float, metavar="X", help="most cost, as a multiple (1.25)"
    )
    parser.add_argument("--share", type=float, metavar="X", help="most in common, 0 to 1 (0.8)")
    parser.add_argument("--out", type=_problem.path, required=True, metavar="DIR")
    _problem.add_max_snap(parser.add_argument_group("places"))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write."""
    from nco.bench.paths import measure, rows
    from nco.roads import Limits

    if (arguments.drives is None) == (arguments.pairs is None):
        raise InputError("give either --drives FILE or --pairs N")
    names = ("stretch", "share")
    limits = Limits(
        **{n: getattr(arguments, n) for n in names if getattr(arguments, n) is not None}
    )
    city = _problem.open_city(arguments, profile=arguments.profile)
    requests = _requests(arguments, city)
    with console.counter("asking for paths", quiet=arguments.quiet) as count:
        outcomes = measure(
            city, requests, arguments.method, max(arguments.k), arguments.out / "paths.jsonl",
            limits=limits, tell=count,
        )  # fmt: skip
    found = rows(outcomes, arguments.k)
    if arguments.json:
        console.write_json({"rows": [asdict(row) for row in found]})
    else:
        console.write(_table(found))
    return 0


def _requests(arguments: argparse.Namespace, city: City) -> list[Request]:
    from nco.bench.paths import Request, random_requests
    from nco.roads.matching import read_matched
    from nco.roads.tables import read_table

    if arguments.drives is None:
        return random_requests(city, arguments.pairs, arguments.seed)
    facts = {}
    if arguments.trips is not None:
        facts = {row["trip"]: row for row in read_table(arguments.trips, ("trip", "taxi"))}
    found = []
    for drive in read_matched(arguments.drives):
        row = facts.get(drive.trip, {})
        if row.get("good", "1") != "0":
            group = row.get("taxi", drive.trip)
            found.append(Request(drive.trip, (drive.start, drive.end), drive, group))
    if not found:
        raise FormatError(f"{arguments.drives} holds no good drive")
    return found[: arguments.most]


def _table(rows: list[Row]) -> str:
    header = ("method", "K", "n", "paths", "with K", "admissible K", "covered", "95 %", "> 0.9",
              "stretch", "shared", "T-test", "ms", "ms 95 %")  # fmt: skip
    cells = [
        (
            row.method, str(row.k), str(row.requests - row.failed), f"{row.returned:.2f}",
            f"{row.with_k:.3f}", f"{row.admissible_k:.3f}", f"{row.coverage:.3f}",
            f"{row.interval[0]:.3f}-{row.interval[1]:.3f}", f"{row.beyond:.3f}",
            f"{row.stretch:.3f}", f"{row.shared:.3f}", f"{row.local:.3f}", f"{row.ms:.1f}",
            f"{row.ms_95:.1f}",
        )
        for row in rows
    ]  # fmt: skip
    return console.table(header, cells)
