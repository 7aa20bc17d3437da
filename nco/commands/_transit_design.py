"""`nco transit design`: an instance in, lines out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem, _transit_options
from nco.threads import one_thread

if TYPE_CHECKING:
    from nco.transit.design.result import Design
    from nco.transit.instance.transit_instance import TransitInstance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Exit code 0: the lines break no rule; 1: they do, the rules are printed; 2: the input "
        "cannot be used; 130: interrupted, what is printed and written are the best lines until "
        "then. Files in --out are replaced one by one after the search, each whole."
    )
    parser.add_argument(
        "instance",
        nargs="?",
        type=_transit_options.instance_path,
        metavar="INSTANCE",
        help=_transit_options.INSTANCE,
    )
    _transit_options.add_city(parser)
    _transit_options.add_bounds(parser)
    group = parser.add_argument_group("search")
    group.add_argument(
        "--method",
        metavar="M",
        help="annealing (default where the exact evaluator judges), hyper (default else), genetic, "
        "bees, nsga2, greedy, demand, shortest, random, real, ...",
    )
    group.add_argument(
        "--objective",
        metavar="O",
        help="cost (default in a city), passenger (default else), operator, service, or the "
        "passengers' share, such as 0.5",
    )
    group.add_argument(
        "--evaluations", type=_problem.whole, metavar="N", help="sets of lines (no limit)"
    )
    group.add_argument(
        "--time-limit", type=_problem.seconds, metavar="S", help="(10, without other limits)"
    )
    group.add_argument(
        "--processor-limit",
        type=_problem.seconds,
        metavar="S",
        help="of the processor, which a busy machine does not change (no limit)",
    )
    group.add_argument("--seed", type=_problem.seed, default=0, help="same seed, same lines (0)")
    group.add_argument(
        "--initial",
        type=_problem.path,
        action="append",
        default=[],
        metavar="FILE",
        help="lines to begin with, text or design.json; repeatable",
    )
    _transit_options.add_simulation(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--out", type=_problem.path, metavar="DIR", help="write the lines there")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Design, evaluate, print and write."""
    one_thread()
    from nco.answers import prepare
    from nco.transit.answer import describe, write_design
    from nco.transit.design.named import (
        needs_all_joined,
        objective_of,
        settings_of,
        usual_objective,
        usual_rules,
    )

    if arguments.out is not None:
        prepare(arguments.out)
    with console.progress("reading the instance", quiet=arguments.quiet):
        instance, city = _transit_options.open_instance(arguments)
    aim = arguments.objective or usual_objective(instance)
    settings = settings_of(arguments.rules or usual_rules(aim), arguments.demand_share)
    objective = objective_of(instance, aim, settings)
    found = _design(arguments, instance, objective)
    facts, simulation = describe(
        instance,
        found.lines,
        settings,
        connected=needs_all_joined(aim),
        simulated=not found.interrupted,
        model=getattr(objective, "model", None),
    )
    facts |= {"objective": aim, "city": None if city is None else city.name}
    files: dict[str, str] = {}
    if arguments.out is not None:
        with console.progress("writing", quiet=arguments.quiet):
            written = write_design(
                arguments.out, instance, found, facts, simulation, city, settings
            )
            drawn = instance.lonlat is not None or instance.xy is not None
            if drawn and not found.interrupted:
                from nco.files import write_atomic
                from nco.plot.transit_figures import picture

                figure = picture(instance, found.lines, city, simulation)
                written["figure"] = write_atomic(arguments.out / "lines.png", figure)
        files = {kind: str(path) for kind, path in written.items()}
    if arguments.json:
        console.write_json(_data(instance, found) | facts | {"files": files})
    else:
        _print(instance, found, facts, files)
    return 0 if facts["feasible"] else 1


def _design(arguments: argparse.Namespace, instance: TransitInstance, objective: Any) -> Design:
    from nco.transit.answer import read_design
    from nco.transit.design.named import running_lines, usual_method
    from nco.transit.design.registry import design

    initial = [read_design(path) for path in arguments.initial]
    if arguments.method == "real" and arguments.instance is not None:
        initial += running_lines(arguments.instance, instance)
    limit_s = arguments.time_limit
    if limit_s is None and arguments.evaluations is None and arguments.processor_limit is None:
        limit_s = 10.0
    method = arguments.method or usual_method(objective)
    with console.progress(method, limit_s, quiet=arguments.quiet):
        return design(
            objective,
            method,
            evaluations=arguments.evaluations,
            time_limit_s=limit_s,
            processor_limit_s=arguments.processor_limit,
            seed=arguments.seed,
            initial=initial,
        )


def _data(instance: TransitInstance, found: Design) -> dict[str, Any]:
    return {
        "instance": instance.name,
        "method": found.method,
        "seed": found.seed,
        "cost": found.cost,
        "evaluations": found.evaluations,
        "interrupted": found.interrupted,
        "time_s": found.time_s,
        "lines": [list(line) for line in found.lines],
        "stops": [[instance.names[node] for node in line] for line in found.lines],
    }


def _print(
    instance: TransitInstance, found: Design, facts: dict[str, Any], files: dict[str, str]
) -> None:
    from nco.commands._transit_evaluate import tell

    console.write(
        f"{found.method} on {instance.name}: {facts['objective']} cost {found.cost:.4f} after "
        f"{found.evaluations} evaluations in {found.time_s:.1f} s"
    )
    if found.interrupted:
        console.write("interrupted; these are the best lines until then, not simulated")
    for r, line in enumerate(found.lines):
        console.write(f"line {r}: {' '.join(instance.names[node] for node in line)}")
    tell(facts)
    for path in files.values():
        console.write(f"written: {path}")
