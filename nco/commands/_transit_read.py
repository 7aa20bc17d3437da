"""`nco transit read`: a GTFS feed in, a network on the streets of a city out."""

from __future__ import annotations

import argparse
from typing import Any

from nco import console
from nco.commands import _problem, _transit_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = "Exit code 0: the network is written; 2: the feed or the city cannot be used."
    parser.add_argument("feed", type=_problem.path, metavar="FEED", help="a .zip or a folder")
    group = parser.add_argument_group("city")
    group.add_argument(
        "--city", required=True, help="name of a city, or path of an .osm.pbf, .osm or .city file"
    )
    parser.add_argument("--day", metavar="D", help="YYYY-MM-DD or monday ... (busiest weekday)")
    parser.add_argument(
        "--demand",
        metavar="FILE",
        help="orig, dest, volume or lon, lat, people, jobs; or gravity: fewer"
        " trips the longer the drive (uniform)",
    )  # fmt: skip
    parser.add_argument(
        "--trips-per-hour", type=_problem.positive, default=10_000.0, metavar="T",
        help="in total, where no file says it (10000)",
    )  # fmt: skip
    parser.add_argument(
        "--more-stops", type=_problem.whole, default=0, metavar="N", help="where no line runs (0)"
    )
    parser.add_argument("--seed", type=_problem.seed, default=0, help="of what is drawn (0)")
    parser.add_argument("--capacity", type=_problem.whole, metavar="P", help="of a bus (40)")
    _problem.add_max_snap(group)
    parser.add_argument("--out", type=_problem.path, required=True, metavar="DIR")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, count and write."""
    from nco.answers import prepare
    from nco.transit.network_answer import write_network
    from nco.transit.operate.network import from_feed
    from nco.transit.operate.network_cost import CostModel
    from nco.transit.simulate.settings import Settings

    prepare(arguments.out)
    fields = {} if arguments.capacity is None else {"capacity": arguments.capacity}
    with console.progress("reading the feed", quiet=arguments.quiet):
        city = _problem.open_city(arguments)
        network = from_feed(
            city,
            arguments.feed,
            day=arguments.day,
            demand=arguments.demand or "uniform",
            trips_per_hour=arguments.trips_per_hour,
            more_stops=arguments.more_stops,
            foot=_transit_options.on_foot(city),
            seed=arguments.seed,
            **fields,
        )
        settings = Settings.city(dwell_s=network.dwell_s, layover_s=network.layover_s)
        busiest = network.per_h[network.busiest()]
        runs = [r for r, often in enumerate(busiest.tolist()) if often > 0]
        cost = CostModel(network.instance, settings=settings).of(
            [network.lines[r] for r in runs], per_h=busiest[runs]
        )
        files = write_network(arguments.out, network, city)
    facts: dict[str, Any] = {
        "lines": len(network.lines),
        "stops": network.instance.size,
        "trips_read": network.kept,
        "one_way": list(network.one_way),
        "fleet": network.fleet,
        "fleet_by": "blocks" if network.blocks else "trips",
        "fleet_of_the_busiest_period": cost.fleet,
        "cost_parts": cost.facts(),
        "files": {kind: str(path) for kind, path in files.items()},
    }
    if arguments.json:
        console.write_json(facts)
        return 0
    console.write(
        f"{facts['lines']} lines over {facts['stops']} stops; {network.kept:.1%} of the trips; "
        f"{network.fleet} vehicles by {facts['fleet_by']}, {cost.fleet} by the headways of the "
        "busiest period"
    )
    for name, line, often in zip(network.names, network.lines, busiest.tolist(), strict=True):
        ends = f"{network.instance.names[line[0]]} - {network.instance.names[line[-1]]}"
        console.write(
            f"line {name.removeprefix('line ')}: {ends}, {len(line)} stops, {often:.1f} an hour"
        )
    if network.one_way:
        console.write(
            f"one way only, or in a ring: {', '.join(network.one_way)}; here lines run both ways, "
            "half of these buses in either"
        )
    for path in files.values():
        console.write(f"written: {path}")
    return 0
