"""`nco train paths`: costs of links are learned from drives."""

from __future__ import annotations

import argparse
from pathlib import Path

from nco import console
from nco.answers import prepare
from nco.errors import InputError


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("extract", metavar="EXTRACT", help="OpenStreetMap extract, .osm.pbf")
    parser.add_argument(
        "--drives", nargs=2, metavar=("MATCHED", "TRIPS"),
        help="CSV of drives along OpenStreetMap nodes, and of who drove when",
    )  # fmt: skip
    parser.add_argument(
        "--made-up", type=int, metavar="N", help="learn from N made-up drivers instead"
    )
    parser.add_argument("--config", default="porto", help="name or .toml file (porto)")
    parser.add_argument("--method", help="perturbed, exact or blackbox, in place of the config's")
    parser.add_argument("--steps", type=int, help="in place of the config's")
    parser.add_argument("--rounds", type=int, help="of the memory, in place of the config's")
    parser.add_argument("--seed", type=int, help="in place of the config's")
    parser.add_argument("--out", default="costs.safetensors", metavar="FILE.safetensors")


def run(given: argparse.Namespace) -> None:
    """Learn, measure and write."""
    from nco.roads import RoadGraph
    from nco.roads.learn import read_drives
    from nco.roads.learn.course import read_settings, train
    from nco.roads.learn.made_up import Population

    if (given.drives is None) == (given.made_up is None):
        raise InputError("give --drives MATCHED TRIPS, or --made-up N")
    settings = read_settings(
        given.config, method=given.method, steps=given.steps, rounds=given.rounds, seed=given.seed
    )
    out = Path(given.out)
    prepare(out.parent)
    graph = RoadGraph.from_osm(given.extract)
    if given.drives is None:
        drives = Population().drives(graph, given.made_up, seed=settings.seed)
    else:
        drives = read_drives(graph, *given.drives)
    measured = train(graph, drives, settings, out)
    best = ", ".join(f"{share:.3f}" for share in measured.covered)
    console.write(
        f"{measured.drives} drives of drivers not learned from: OSRM's fastest path covers "
        f"{measured.usual:.3f}, the best of one, two and three learned paths {best}"
    )
    console.write(f"written: {out}")
