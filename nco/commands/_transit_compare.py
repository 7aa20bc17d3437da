"""`nco transit compare`: two networks in, a report of what changes and for whom out."""

from __future__ import annotations

import argparse
from typing import Any

from nco import console
from nco.commands import _problem, _transit_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = "Exit code 0: the report is written; 2: the networks cannot be compared."
    parser.add_argument("before", type=_problem.path, metavar="BEFORE", help="that `read` wrote")
    parser.add_argument("after", type=_problem.path, metavar="AFTER", help="that `improve` wrote")
    group = parser.add_argument_group("map")
    group.add_argument("--city", help="whose streets are drawn")
    _problem.add_max_snap(group)
    parser.add_argument(
        "--zones", type=_problem.path, metavar="FILE", help="lon, lat, people, jobs: catchment"
    )
    parser.add_argument("--districts", type=_problem.whole, default=8, metavar="N", help="(8)")
    parser.add_argument(
        "--mode-choice", action="store_true", help="trips choose bus, car or feet by a logit"
    )
    _transit_options.add_days(parser)
    parser.add_argument("--title", default="Bus network before and after", help="of the report")
    parser.add_argument("--out", type=_problem.path, required=True, metavar="DIR")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print and write."""
    from nco.answers import prepare
    from nco.errors import InputError
    from nco.files import write_atomic
    from nco.sheets.network_report import report_html, report_pdf
    from nco.transit.instance.demand import read_zones
    from nco.transit.network_answer import read_network
    from nco.transit.operate.compare import compare
    from nco.transit.operate.mode_choice import ModeChoice
    from nco.transit.operate.network_cost import CostModel
    from nco.transit.simulate.settings import Settings

    prepare(arguments.out)
    before, after = read_network(arguments.before), read_network(arguments.after)
    if before.instance.names != after.instance.names:
        raise InputError(
            f"{arguments.before} and {arguments.after} have different stops; compare networks of "
            "one instance, such as what `nco transit improve` made of it"
        )
    city = None if arguments.city is None else _problem.open_city(arguments)
    settings = Settings.city(dwell_s=before.dwell_s, layover_s=before.layover_s)
    instance = before.instance.changed(fleet=None)
    found = compare(
        CostModel(instance, settings=settings),
        ("before", before.lines, before.names, before.per_h[before.busiest()]),
        ("after", after.lines, after.names, after.per_h[after.busiest()]),
        districts=arguments.districts,
        zones=None if arguments.zones is None else read_zones(arguments.zones),
        choice=ModeChoice() if arguments.mode_choice else None,
        days=arguments.days or 0,
        foot=None if city is None else _transit_options.on_foot(city),
    )
    with console.progress("writing", quiet=arguments.quiet):
        files = {
            "html": write_atomic(
                arguments.out / "report.html", report_html(found, arguments.title, city)
            ),
            "pdf": write_atomic(
                arguments.out / "report.pdf", report_pdf(found, arguments.title, city)
            ),
        }
    facts: dict[str, Any] = {
        "gain": found.gain,
        "lose": found.lose,
        "before": found.before.facts(),
        "after": found.after.facts(),
        "days": {
            name: {key: vars(figure) for key, figure in side.days.items()}
            for name, side in (("before", found.before), ("after", found.after))
        },
        "districts": [vars(one) for one in found.districts],
        "files": {kind: str(path) for kind, path in files.items()},
    }
    if arguments.json:
        console.write_json(facts)
        return 0
    rows = [
        (name, f"{facts['before'][name]:.3f}", f"{facts['after'][name]:.3f}")
        for name in facts["before"]
    ]
    console.write(console.table(("", "before", "after"), rows))
    console.write(f"{found.gain:.1%} of the trips are better, {found.lose:.1%} worse")
    for path in files.values():
        console.write(f"written: {path}")
    return 0
