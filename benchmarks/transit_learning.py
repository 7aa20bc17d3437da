"""Bus lines of Bloomington: what do a network and tree search add to each other?

    python benchmarks/transit_learning.py FOLDER [--network transit] [--evaluations 1000]

FOLDER holds the published files. Every method has the same number of simulated designs and the
same reward, AlphaTransit's, on our simulator; 16 lines of at most 14 stops begin at the hub. The
network was trained on made-up cities only. `network-greedy` is one rollout without any search.
Standard deviations are over seeds; margins are of mean service rates.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

import numpy as np

from nco.threads import one_thread

if TYPE_CHECKING:
    from nco.transit.design.method import DesignMethod
    from nco.transit.policy.environment import TransitEnv

OURS = "network-mcts"
COLUMNS = ("reward", "service_of_connected", "service_of_all", "coverage", "fleet", "cpu_s")


def methods(network: str) -> dict[str, DesignMethod]:
    """Everything that is compared."""
    from nco.transit.design.genetic import Genetic
    from nco.transit.design.guide import NetworkGuide, WalkGuide
    from nco.transit.design.policy import PolicyBeam, PolicySampling
    from nco.transit.design.tree import TreeDesign
    from nco.transit.policy.files import load_network

    learned = load_network(network).network

    def guide(env: TransitEnv) -> NetworkGuide:
        return NetworkGuide(env, learned)

    return {
        "walk": PolicySampling(guide=WalkGuide),
        "walk-mcts": TreeDesign(guide=WalkGuide),
        "genetic": Genetic(),
        "network-greedy": PolicySampling(guide=guide),
        "network-beam": PolicyBeam(guide=guide),
        "network-sampling": PolicySampling(guide=guide),
        OURS: TreeDesign(guide=guide),
    }


def measured(
    method: DesignMethod, given: argparse.Namespace, share: float, seed: int
) -> list[float]:
    """Numbers of `COLUMNS`."""
    from nco.transit.design.method import Budget
    from nco.transit.design.objective import ServiceObjective
    from nco.transit.files.bloomington import read_bloomington
    from nco.transit.simulate.simulation import Settings

    settings = Settings.alphatransit(demand_share=share)
    objective = ServiceObjective(read_bloomington(given.folder), settings)
    begin = time.process_time()
    design = method.design(objective, Budget(evaluations=given.evaluations), seed)
    spent = time.process_time() - begin
    found = objective.simulator.run(design.lines)
    rates = found.service_rate_of_connected, found.service_rate_of_all
    return [-design.cost, *rates, found.coverage, float(found.fleet), spent]


def main() -> None:
    """Measures and prints a table a share of the demand."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of the published files")
    parser.add_argument("--network", default="transit", help="name or file")
    parser.add_argument("--evaluations", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 1.0])
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--out", help="JSON file of all numbers")
    given = parser.parse_args()
    one_thread()
    import torch

    from nco.versions import machine

    torch.set_num_threads(1)
    chosen = methods(given.network)
    print(f"{machine()}; {given.evaluations} evaluations, {given.seeds} seeds")
    every = {}
    for share in given.shares:
        table = {}
        for name in given.methods or chosen:
            rows = []
            for seed in range(given.seeds if name not in ("network-greedy", "network-beam") else 1):
                limit = 1 if name == "network-greedy" else given.evaluations
                asked = argparse.Namespace(**{**vars(given), "evaluations": limit})
                rows.append(measured(chosen[name], asked, share, seed))
            table[name] = rows
            mean, spread = np.mean(rows, 0), np.std(rows, 0)
            cells = (
                f"{c} {m:.3f} ± {s:.3f}" for c, m, s in zip(COLUMNS, mean, spread, strict=True)
            )
            print(f"share {share:g} | {name:<16} | {' | '.join(cells)}", flush=True)
        for name in table if OURS in table else ():
            ours, theirs = (np.mean(table[x], 0)[1:3] for x in (OURS, name))
            of_connected, of_all = 100 * (ours / theirs - 1)
            print(f"share {share:g} | {OURS} over {name}: {of_connected:+.1f} % of the connected, "
                  f"{of_all:+.1f} % of all")  # fmt: skip
        every[str(share)] = table
    if given.out:
        content = {"columns": COLUMNS, "evaluations": given.evaluations, "rows": every}
        with open(given.out, "w") as file:  # noqa: PTH123
            json.dump(content, file, indent=1)


if __name__ == "__main__":
    main()
