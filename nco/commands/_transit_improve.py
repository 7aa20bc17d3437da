"""`nco transit improve`: a network in, some lines kept, others changed or added."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem, _transit_options

if TYPE_CHECKING:
    from nco.transit.operate.network import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Exit code 0: written; 2: the network cannot be used, or the budget is too small for the "
        "least service."
    )
    parser.add_argument("network", type=_problem.path, metavar="DIR", help="that `read` wrote")
    group = parser.add_argument_group("what may change")
    group.add_argument(
        "--keep", nargs="+", action="extend", default=[], metavar="LINE", help="names (none)"
    )
    group.add_argument("--lines", type=_problem.whole, metavar="R", help="in all (as today)")
    group.add_argument("--max-stops", type=_problem.whole, metavar="N", help="most of a line")
    group.add_argument("--fleet", type=_problem.whole, metavar="BUSES", help="(as by the feed)")
    group.add_argument(
        "--bus-hours", type=_problem.positive, metavar="H", help="of all buses in a week (any)"
    )
    _transit_options.add_periods(group)
    group = parser.add_argument_group("search")
    group.add_argument("--method", metavar="M", help="(hyper)")
    group.add_argument("--evaluations", type=_problem.whole, metavar="N", help="(no limit)")
    group.add_argument(
        "--time-limit", type=_problem.seconds, metavar="S", help="(30, without --evaluations)"
    )
    group.add_argument("--seed", type=_problem.seed, default=0, help="same seed, same lines (0)")
    parser.add_argument("--out", type=_problem.path, required=True, metavar="DIR")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Design beside what is kept, set frequencies, and write."""
    from nco.answers import prepare
    from nco.transit.design.improve import improve
    from nco.transit.files.gtfs import write_gtfs
    from nco.transit.network_answer import read_network, write_network
    from nco.transit.operate.network import Network
    from nco.transit.operate.network_cost import CostModel
    from nco.transit.operate.periods import USUAL
    from nco.transit.operate.week import plan_week
    from nco.transit.simulate.settings import Settings

    prepare(arguments.out)
    network = read_network(arguments.network)
    longest = arguments.max_stops or network.instance.max_stops
    instance = network.instance.changed(
        fleet=arguments.fleet or network.fleet, max_stops=longest, hub=None
    )
    settings = Settings.city(dwell_s=network.dwell_s, layover_s=network.layover_s)
    model = CostModel(instance, settings=settings)
    limit_s = arguments.time_limit
    if limit_s is None and arguments.evaluations is None:
        limit_s = 30.0
    week = _transit_options.periods(arguments, instance)
    with console.progress("improving", limit_s, quiet=arguments.quiet):
        found = improve(
            network,
            model,
            keep=arguments.keep,
            lines=arguments.lines,
            periods=week.get("periods", USUAL),
            method=arguments.method,
            evaluations=arguments.evaluations,
            time_limit_s=limit_s,
            seed=arguments.seed,
        )
    plan = plan_week(
        model,
        found.lines,
        **week,
        bus_hours=arguments.bus_hours,
    )
    changed = Network(
        instance.changed(lines=len(found.lines), max_stops=max(map(len, found.lines))),
        found.lines,
        found.names,
        plan.periods,
        _stacked(plan.timetables),
        plan.fleet,
        False,
        1.0,
        network.dwell_s,
        network.layover_s,
        tuple(name for name in found.names if name in network.one_way),
    )
    files = write_network(arguments.out, changed)
    files["gtfs"] = write_gtfs(
        arguments.out / "gtfs.zip", instance, found.lines, week=plan.week, names=found.names
    )
    facts = _facts(network, changed) | {
        "cost_parts": model.of(found.lines).facts(),
        "bus_hours": plan.bus_hours,
        "evaluations": found.design.evaluations,
        "files": {kind: str(path) for kind, path in files.items()},
    }
    if arguments.json:
        console.write_json(facts)
        return 0
    parts = facts["cost_parts"]
    console.write(
        f"{len(found.lines)} lines, {facts['kept']} of them as before; {plan.fleet} buses, "
        f"{plan.bus_hours:.0f} bus hours a week; a trip is worth {parts['minutes']:.1f} min"
    )
    for name, line in zip(found.names, found.lines, strict=True):
        console.write(f"line {name}: {' '.join(instance.names[node] for node in line)}")
    for path in files.values():
        console.write(f"written: {path}")
    return 0


def _stacked(tables: Any) -> Any:
    import numpy as np

    return np.array([table.per_h for table in tables])


def _facts(before: Network, after: Network) -> dict[str, Any]:
    known = {*before.lines, *(line[::-1] for line in before.lines)}
    return {
        "lines": [list(line) for line in after.lines],
        "names": list(after.names),
        "kept": sum(line in known for line in after.lines),
        "fleet": after.fleet,
        "fleet_before": before.fleet,
    }
