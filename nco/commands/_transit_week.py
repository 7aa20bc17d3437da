"""`nco transit week`: lines in, frequencies by period and kind of day and a feed out."""

from __future__ import annotations

import argparse
from typing import Any

from nco import console
from nco.commands import _problem, _transit_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = "Exit code 0: the feed is written; 2: the input or the budget cannot be used."
    parser.add_argument(
        "instance", type=_transit_options.instance_path, metavar="INSTANCE", help="nco .json"
    )
    parser.add_argument(
        "lines_file", type=_problem.path, metavar="LINES", help="text, or design.json"
    )
    _transit_options.add_bounds(parser)
    parser.add_argument(
        "--bus-hours", type=_problem.positive, metavar="H", help="of all buses in a week (any)"
    )
    _transit_options.add_periods(parser)
    parser.add_argument(
        "--one-line-vehicles", action="store_true", help="vehicles never change lines"
    )
    parser.add_argument("--out", type=_problem.path, required=True, metavar="FEED.zip")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the week, count vehicles, and write."""
    from nco.transit.answer import read_design
    from nco.transit.files.gtfs import write_gtfs
    from nco.transit.operate.blocks import blocks_of
    from nco.transit.operate.network_cost import CostModel
    from nco.transit.operate.periods import day_types, trips_of
    from nco.transit.operate.week import plan_week

    instance, _ = _transit_options.open_instance(arguments)
    lines = read_design(arguments.lines_file)
    model = CostModel(instance)
    with console.progress("planning the week", quiet=arguments.quiet):
        plan = plan_week(
            model,
            lines,
            **_transit_options.periods(arguments, instance),
            bus_hours=arguments.bus_hours,
        )
        vehicles = {}
        for kind in day_types(plan.periods):
            own = [one for one in plan.week if one[0].day.name == kind.name]
            blocks = blocks_of(
                trips_of(lines, own),
                instance.drive_s,
                interline=not arguments.one_line_vehicles,
            )
            vehicles[kind.name] = len(set(blocks))
        path = write_gtfs(
            arguments.out,
            instance,
            lines,
            week=plan.week,
            interline=not arguments.one_line_vehicles,
        )
    rows: list[dict[str, Any]] = [
        {
            "day": period.day.name,
            "period": period.name,
            "from_h": period.first_s / 3600,
            "to_h": period.last_s / 3600,
            "buses": table.fleet,
            "per_h": [round(float(often), 2) for often in table.per_h],
        }
        for period, table in plan.week
    ]
    facts: dict[str, Any] = {
        "periods": rows,
        "fleet": plan.fleet,
        "vehicles": vehicles,
        "bus_hours": plan.bus_hours,
        "file": str(path),
    }
    if arguments.json:
        console.write_json(facts)
        return 0
    shown = [
        (f"{row['day']} {row['from_h']:g} to {row['to_h']:g} h {row['period']}",
         f"{row['buses']} buses; an hour: {' '.join(f'{x:.1f}' for x in row['per_h'])}")
        for row in rows
    ]  # fmt: skip
    console.write(console.table(("", ""), shown))
    counts = ", ".join(f"{count} on a {name}" for name, count in vehicles.items())
    console.write(f"vehicles by blocks: {counts}; {plan.bus_hours:.0f} bus hours a week")
    console.write(f"written: {path}")
    return 0
