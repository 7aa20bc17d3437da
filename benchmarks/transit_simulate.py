"""How many passenger simulations a second, and what they find on Bloomington.

    python benchmarks/transit_simulate.py --folder BLOOMINGTON [--runs 40] [--threads 1]

Full demand, 16 lines. The real lines, and lines drawn from the hub (random walks of at most 14
stops) that differ from run to run; frequencies, itineraries and events are worked out anew each
time. Times are CPU time of the process, which other load on the machine hardly touches, or, with
several threads, wall-clock time. Further rows compare AlphaTransit's rules with what was published.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from nco.transit.files.bloomington import read_bloomington, read_bloomington_lines
from nco.transit.instance.lines import Lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.simulate.simulation import Settings, Simulator, reward
from nco.versions import machine

PUBLISHED = {0.3: (89, 0.4277), 1.0: (281, 0.5844)}  # fleet and service rate of the real lines
SPEEDS_M_PER_S = (13.89, 16.67)  # of the file, and of the later code


def walks(instance: TransitInstance, seed: int) -> Lines:
    """Random lines without repeated stops."""
    rng, lines = np.random.default_rng(seed), []
    for _ in range(instance.lines):
        line = [0 if instance.hub is None else instance.hub]
        while len(line) < instance.max_stops:
            near = [v for v in instance.neighbours[line[-1]] if v not in line]
            if not near:
                break
            line.append(int(rng.choice(near)))
        lines.append(tuple(line))
    return tuple(lines)


def speed(simulator: Simulator, sets: list[Lines], threads: int) -> str:
    """Milliseconds a simulation, and simulations a second."""
    simulator.batch(sets[:2], threads=threads)  # compiles
    clock = time.process_time if threads == 1 else time.perf_counter
    begin = clock()
    simulator.batch(sets, threads=threads)
    each = (clock() - begin) / len(sets)
    return f"{1000 * each:6.2f} ms, {1 / each:5.0f} a second"


def main() -> None:
    """Time, then compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of Bloomington's files")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    instance = read_bloomington(given.folder)
    _, real = read_bloomington_lines(given.folder, instance)
    drawn = [walks(instance, seed) for seed in range(given.runs)]
    kind = "CPU time" if given.threads == 1 else "wall-clock time"
    print(f"{machine()}; {given.threads} threads, {given.runs} simulations, {kind}")
    for name, settings in (("expected time", Settings()), ("one line", Settings.alphatransit())):
        simulator = Simulator(instance, settings)
        for what, sets in (("real lines", [real] * given.runs), ("random walks", drawn)):
            print(f"{name:<14} {what:<13} {speed(simulator, sets, given.threads)}")
        found = simulator.run(real)
        print(f"{found}\nreward {reward(found):.2f}\n")
    for share, (fleet, rate) in PUBLISHED.items():
        for metres in SPEEDS_M_PER_S:
            network = read_bloomington(given.folder, speed_m_per_s=metres)
            found = Simulator(network, Settings.alphatransit(share)).run(real)
            trips = found.coverage * share * instance.trips / 0.36  # in 10,000 s
            print(
                f"real lines, {share:.0%}, {metres} m/s: fleet {found.fleet} ({fleet} published), "
                f"service {found.served / trips:.1%} of connected trips, "
                f"{found.service_rate_of_connected:.1%} of passengers ({rate:.1%} published)"
            )


if __name__ == "__main__":
    main()
