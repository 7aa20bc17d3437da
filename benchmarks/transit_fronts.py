"""How good are fronts of passengers' and operator's minutes, against published ones?

    python benchmarks/transit_fronts.py [--networks FOLDER] [--only mandl mumford0 ...]
                                        [--seconds 120 ...] [--weights 60] [--sweeps 1]

Annealing goes through weights from the operator's side to the passengers'. Hypervolumes are shares
of the usual ranges; the published ones are of R. Huesselmann's fronts, re-evaluated. FOLDER holds
the Mumford networks; without it Mandl's is left.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from nco.transit.design.fronts import range_of, sweep
from nco.transit.files.benchmark import read_benchmark
from nco.transit.instance.transit_instance import TransitInstance
from nco.versions import machine

PUBLISHED = {
    "mandl": 0.861, "mumford0": 0.856, "mumford1": 0.811, "mumford2": 0.715, "mumford3": 0.660,
}  # fmt: skip


def main() -> None:
    """Sweep each network and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, help="folder of mumford0 to mumford3")
    parser.add_argument("--only", nargs="+", choices=list(PUBLISHED), default=list(PUBLISHED))
    parser.add_argument("--seconds", type=float, default=120.0, help="a network")
    parser.add_argument("--weights", type=int, default=60)
    parser.add_argument("--sweeps", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(machine())
    for name in given.only:
        if name == "mandl":
            instance = TransitInstance.mandl()
        elif given.networks is None:
            continue
        else:
            instance = read_benchmark(given.networks / name)
        begin_s = time.perf_counter()
        front = sweep(
            instance, "annealing", time_limit_s=given.seconds, weights=given.weights,
            sweeps=given.sweeps, seed=given.seed,
        )  # fmt: skip
        found = front.hypervolume(range_of(instance))
        print(
            f"{name}: {found:.4f} (published {PUBLISHED[name]:.3f}), {len(front.points)} designs "
            f"from {front.points[0].round(2)} to {front.points[-1].round(2)}, "
            f"{time.perf_counter() - begin_s:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
