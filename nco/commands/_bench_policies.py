"""`nco bench policies`: trained policies on fixed test sets against stored references."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from nco import console
from nco.commands import _problem

if TYPE_CHECKING:
    from nco.bench.policies.references import References
    from nco.bench.policies.run import PolicySuite
    from nco.bench.policies.sets import Cities

log = logging.getLogger("nco")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Sets: unseen, unseen-box, unseen-cluster, trained and validation need extracts of their "
        "cities in --folder; helsinki needs nothing. References that are missing are computed "
        "first and kept. Writes results.jsonl and table.txt. Exit code 0: every answer is "
        "feasible and costs what its policy says; 1: not; 2: unusable input."
    )
    parser.add_argument(
        "--policy",
        action="append",
        metavar="P",
        help="name or file, repeatable (all with test sets)",
    )
    parser.add_argument("--folder", metavar="DIR", help="of city extracts (NAME.osm.pbf)")
    parser.add_argument(
        "--sets",
        nargs="+",
        metavar="SET",
        help="test sets (all but validation; helsinki without --folder)",
    )
    parser.add_argument(
        "--problems", nargs="+", metavar="P", help="atsp, rcvrp, rcvrptw (those of the policies)"
    )
    parser.add_argument(
        "--stops", nargs="+", type=_problem.whole, default=[50, 100], metavar="N", help="(50 100)"
    )
    parser.add_argument(
        "--instances", type=_problem.whole, default=128, metavar="N", help="of each kind (128)"
    )
    parser.add_argument(
        "--decoding", nargs="+", metavar="D", help="greedy, greedy-x8 with eight views (both)"
    )
    parser.add_argument(
        "--time-limit", type=_problem.seconds, metavar="S", help="CPU seconds of a reference"
    )
    parser.add_argument(
        "--long", type=_problem.whole, metavar="N", help="PyVRP with 20 s for the first N, too"
    )
    parser.add_argument(
        "--references",
        type=_problem.path,
        metavar="DIR",
        help="keeps new references (the cache folder)",
    )
    parser.add_argument(
        "--references-only", action="store_true", help="compute references and measure nothing"
    )
    parser.add_argument(
        "--jobs", type=_problem.whole, default=1, metavar="N", help="for references (1)"
    )
    parser.add_argument("--device", default="cpu", help="of decoding: cpu, cuda (cpu)")
    parser.add_argument(
        "--write-card", action="store_true", help="put the results on the policies' cards"
    )
    parser.add_argument(
        "--out",
        type=_problem.path,
        default=Path("out/policies"),
        metavar="DIR",
        help="(out/policies)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, write the rows."""
    from nco.threads import one_thread

    one_thread()
    from nco.bench.policies.measure import DECODINGS, with_sets
    from nco.bench.policies.references import References
    from nco.bench.policies.run import PolicySuite
    from nco.bench.policies.sets import USUAL, WITHOUT_EXTRACTS, Cities

    sets = arguments.sets or (USUAL if arguments.folder else WITHOUT_EXTRACTS)
    if not arguments.sets and not arguments.folder:
        lacking = ", ".join(name for name in USUAL if name not in WITHOUT_EXTRACTS)
        log.info("no --folder of extracts: without the sets %s", lacking)
    policies = () if arguments.references_only else arguments.policy or with_sets()
    plan = PolicySuite(
        sets=tuple(dict.fromkeys(sets)),
        policies=tuple(dict.fromkeys(policies)),
        problems=tuple(dict.fromkeys(arguments.problems)) if arguments.problems else None,
        stops=tuple(dict.fromkeys(arguments.stops)),
        instances=arguments.instances,
        time_limit_s=arguments.time_limit,
        long=arguments.long or 0,
        device=arguments.device,
        decodings=tuple(dict.fromkeys(arguments.decoding or DECODINGS)),
    )
    cities = Cities(arguments.folder)
    cities.check(plan.sets)
    references = References(arguments.references)
    if arguments.references_only:
        return _only_references(arguments, plan, cities, references)
    return _measure(arguments, plan, cities, references)


def _measure(
    arguments: argparse.Namespace, plan: PolicySuite, cities: Cities, references: References
) -> int:
    from nco.answers import prepare
    from nco.bench.policies import report
    from nco.bench.policies.measure import load
    from nco.bench.policies.run import measure
    from nco.files import write_atomic

    loaded = {name: load(name) for name in plan.policies}
    prepare(arguments.out)
    cards = [report.card_of(name) for name in plan.policies] if arguments.write_card else []
    for card in cards:
        prepare(card.parent)
    rows: list[report.Row] = []
    with console.counter("references", quiet=arguments.quiet) as done:
        for row in measure(plan, loaded, cities, references, jobs=arguments.jobs, done=done):
            rows.append(row)
            log.info("%s", report.sentence(row))
            lines = [json.dumps(console.finite(row.line())) for row in rows]
            write_atomic(arguments.out / "results.jsonl", "\n".join(lines) + "\n")
    text = report.table(rows)
    write_atomic(arguments.out / "table.txt", text + "\n")
    written = [arguments.out / "results.jsonl", arguments.out / "table.txt"]
    if arguments.write_card and report.sound(rows):
        written += [report.write_card(name, rows) for name in plan.policies]
    if arguments.json:
        content = [row.line() for row in rows]
        console.write_json({"sound": report.sound(rows), "rows": content})
    else:
        console.write(text)
        console.write(f"written: {', '.join(map(str, written))}")
    return 0 if report.sound(rows) else 1


def _only_references(
    arguments: argparse.Namespace, plan: PolicySuite, cities: Cities, references: References
) -> int:
    from nco.bench.policies.run import complete
    from nco.bench.policies.sets import draw

    found = []
    with console.counter("references", quiet=arguments.quiet) as done:
        for cell in plan.cells({}):
            cases = draw(cell, plan.instances, cities)
            usual, long, limit_s = complete(plan, cases, references, arguments.jobs, done)
            found.append((cell, len(usual), limit_s, len(long)))
    if arguments.json:
        names = ("set", "problem", "stops", "references", "cpu_s", "long")
        rows = [(c.set, c.problem, c.stops, *rest) for c, *rest in found]
        console.write_json({"cells": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        header = ("set", "problem", "stops", "references", "CPU s", "with 20 s")
        lines = [
            (c.set, c.problem, str(c.stops), str(count), f"{limit_s:g}", str(long))
            for c, count, limit_s, long in found
        ]
        console.write(console.table(header, lines))
        console.write(f"references are kept in {references.folder}")
    return 0
