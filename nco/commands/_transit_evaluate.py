"""`nco transit evaluate`: what lines are worth, exactly and by simulation, and what they break."""

from __future__ import annotations

import argparse
from typing import Any

from nco import console
from nco.commands import _problem, _transit_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Exit code 0: the lines break no rule; 1: they do, each case is printed; 2: the input "
        "cannot be used, such as lines over links that do not exist."
    )
    parser.add_argument(
        "instance",
        type=_transit_options.instance_path,
        metavar="INSTANCE",
        help=_transit_options.INSTANCE,
    )
    parser.add_argument(
        "lines_file",
        type=_problem.path,
        metavar="LINES",
        help="nodes from 0 on, '-' between stops, '*' or line breaks between lines; or design.json",
    )
    _transit_options.add_bounds(parser)
    parser.add_argument(
        "--allow-unconnected", action="store_true", help="nodes may stay without a line"
    )
    parser.add_argument(
        "--objective",
        choices=("passenger", "operator", "service", "cost"),
        metavar="O",
        help="with cost, what passengers and operator spend is told as well (cost in a city)",
    )
    _transit_options.add_simulation(parser)
    parser.add_argument(
        "--uxsim",
        action="store_true",
        help="also simulate with UXsim's buses, among the cars of all who do not take them",
    )
    _transit_options.add_days(parser)
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print."""
    from nco.transit.answer import describe, read_design
    from nco.transit.design.named import settings_of, usual_objective, usual_rules
    from nco.transit.operate.network_cost import CostModel

    with console.progress("evaluating", quiet=arguments.quiet):
        instance, _ = _transit_options.open_instance(arguments)
        lines = read_design(arguments.lines_file)
        aim = arguments.objective or usual_objective(instance)
        settings = settings_of(arguments.rules or usual_rules(aim), arguments.demand_share)
        model = CostModel(instance, settings=settings) if aim == "cost" else None
        joined = aim != "cost" and not arguments.allow_unconnected
        facts, _ = describe(instance, lines, settings, connected=joined, model=model)
        if arguments.days is not None:
            facts["days"] = _days(instance, lines, settings, arguments.days)
        if arguments.uxsim:
            from nco.transit.simulate.crosscheck import crosscheck

            facts["uxsim"] = crosscheck(instance, lines, settings, cars=True).facts()
    if arguments.json:
        console.write_json({"instance": instance.name, "lines": len(lines)} | facts)
    else:
        tell(facts)
    return 0 if facts["feasible"] else 1


def _days(instance: Any, lines: Any, settings: Any, days: int) -> dict[str, Any]:
    """Figures of several days, ready for JSON."""
    from dataclasses import asdict

    from nco.transit.simulate.days import simulate_days

    found = simulate_days(instance, lines, settings, days=days)
    return {"count": days} | {name: asdict(figure) for name, figure in found.items()}


def tell(facts: dict[str, Any]) -> None:
    """Print what `nco.transit.answer.describe` found as a table, and what is broken."""
    exact, simulated, theirs = facts["exact"], facts["simulation"], facts.get("uxsim")
    rows = [
        ("mean journey (CP)", f"{exact['travel_min']:.4f} min"),
        ("all lines one way (CO)", f"{exact['operator_min']:.2f} min"),
    ]
    shares = (
        ("direct", "without a transfer"),
        ("one_transfer", "with one transfer"),
        ("two_transfers", "with two transfers"),
        ("unserved", "with more, or unserved"),
        ("unreached", "of these without any way"),
    )
    rows += [(text, f"{exact[name]:.2%}") for name, text in shares]
    rows += _told_cost(facts["cost_parts"] or {})
    if simulated is not None:
        rows += [
            ("simulated passengers", f"{simulated['generated']}"),
            ("service rate of all", f"{simulated['service_rate_of_all']:.2%}"),
            ("service rate of connected", f"{simulated['service_rate_of_connected']:.2%}"),
            ("mean wait", f"{simulated['mean_wait_s'] / 60:.1f} min"),
            ("mean ride", f"{simulated['mean_ride_s'] / 60:.1f} min"),
            ("transfer", f"{simulated['transfer_share']:.2%}"),
            ("buses", f"{simulated['fleet']}"),
            ("places taken", f"{simulated['utilisation']:.2%}"),
            ("reward", f"{simulated['reward']:.3f}"),
        ]
    if "days" in facts:
        rows += _told_days(facts["days"])
    if theirs is not None:
        rows += [
            ("UXsim: service rate of all", f"{theirs['service_rate_of_all']:.2%}"),
            ("UXsim: mean wait", f"{theirs['mean_wait_s'] / 60:.1f} min"),
            ("UXsim: mean ride", f"{theirs['mean_ride_s'] / 60:.1f} min"),
            ("UXsim: driving takes", f"{theirs['drive_ratio']:.3f} times as long"),
            ("UXsim: cars", f"{theirs['cars']}"),
        ]
    console.write(console.table(("", "value"), rows))
    for message in facts["violations"]:
        console.write(f"violation: {message}")
    for entry in facts["moved"]:
        console.write(f"moved: {entry['stop']}: {entry['moved_m']:.0f} m, onto the nearest street")


def _told_days(days: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of the figures that people compare, with their standard errors."""
    told = (
        ("service rate of all", "service_rate_of_all", 100.0, "%"),
        ("mean wait", "mean_wait_s", 1 / 60, " min"),
        ("mean ride", "mean_ride_s", 1 / 60, " min"),
        ("transfer", "transfer_share", 100.0, "%"),
        ("reward", "reward", 1.0, ""),
    )
    return [
        (
            f"{days['count']} random days: {text}",
            f"{factor * days[name]['mean']:.2f} ± {factor * days[name]['error']:.2f}{unit}",
        )
        for text, name, factor, unit in told
    ]


def _told_cost(parts: dict[str, float]) -> list[tuple[str, str]]:
    """Rows of what a network costs passengers and operator."""
    if not parts:
        return []
    return [
        ("passengers and operator", f"{parts['cost_per_h']:.0f} an hour"),
        ("operator alone", f"{parts['operator_per_h']:.0f} an hour"),
        (
            "by bus, on foot, lost",
            ", ".join(f"{parts[k]:.1%}" for k in ("by_bus", "on_foot", "lost")),
        ),
        (
            "walk, wait, ride",
            " ".join(f"{parts[f'mean_{k}_min']:.1f}" for k in ("walk", "wait", "ride")) + " min",
        ),
        ("transfers a trip", f"{parts['transfers_per_trip']:.3f}"),
        ("largest detour of a line", f"{parts['largest_line_detour']:.2f}"),
    ]
