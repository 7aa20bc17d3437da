"""How many sets of lines does the exact evaluator evaluate in a second?

    python benchmarks/transit_evaluate.py --folder FILES_OF_MUMFORD
    python benchmarks/transit_evaluate.py --device cuda

Random sets that meet all bounds but perhaps not that of one connected network, as searches meet
them: as many lines as the instance asks for, of random lengths, walked at random. One thread, CPU
time, the best of several turns; on GPUs time on the wall. "added" is one random line added to a
set that is known, "replaced" a line in place of another through Python objects.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nco.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.transit.instance.transit_instance import TransitInstance

GOALS = {"mandl": 200_000, "mumford0": 40_000, "mumford1": 7_000, "mumford3": 1_500}


def walk(instance: TransitInstance, rng: np.random.Generator) -> list[int]:
    """A random line within the bounds."""
    while True:
        line = [int(rng.integers(instance.size))]
        stops = rng.integers(instance.min_stops, instance.max_stops + 1)
        for _ in range(2):  # walks that run into a dead end go on from their other end
            while len(line) < stops:
                free = [k for k in instance.neighbours[line[-1]] if k not in line]
                if not free:
                    break
                line.append(free[rng.integers(len(free))])
            line.reverse()
        if len(line) >= instance.min_stops:
            return line


def per_second(
    run: Callable[[], object], count: int, turns: int, clock: Callable[[], float]
) -> float:
    """How many of so many are done in a second, in the best of several turns."""
    best = np.inf
    for _ in range(turns):
        begin = clock()
        run()
        best = min(best, clock() - begin)
    return count / best


def instances(folder: str | None) -> list[TransitInstance]:
    """Mandl, and Mumford's if their files are given."""
    from nco.transit.files.benchmark import read_benchmark
    from nco.transit.instance.transit_instance import TransitInstance

    rest = [f"mumford{k}" for k in range(4)] if folder else []
    return [TransitInstance.mandl(), *(read_benchmark(Path(str(folder)) / name) for name in rest)]


def on_cpu(given: argparse.Namespace, instance: TransitInstance) -> str:
    """A row of the table."""
    from nco.transit.evaluate.exact import Evaluator
    from nco.transit.instance.lines import pad_lines

    rng, evaluator = np.random.default_rng(given.seed), Evaluator(instance)
    sets = [[walk(instance, rng) for _ in range(instance.lines)] for _ in range(64)]
    batch = np.stack([pad_lines(lines, width=instance.max_stops) for lines in sets])
    state = evaluator.state(sets[0])
    rest = evaluator.without_line(state, 0)
    added = pad_lines([walk(instance, rng) for _ in range(512)], width=instance.max_stops)
    lines = [walk(instance, rng) for _ in range(64)]
    evaluator.batch(batch)
    evaluator.insertions(rest, added)  # compiles
    batch = np.concatenate([batch] * max(1, 200_000 // instance.size**2))

    def replace() -> None:
        for line in lines:
            evaluator.replace_line(state, 0, line)

    rates = [
        per_second(run, count, given.turns, time.thread_time)
        for run, count in (
            (lambda: evaluator.batch(batch), len(batch)),
            (lambda: evaluator.insertions(rest, added), len(added)),
            (replace, len(lines)),
        )
    ]
    goal = GOALS.get(instance.name)
    over = f"{rates[0] / goal:7.2f}" if goal else f"{'':7}"
    return f"{instance.name:10}" + "".join(f"{rate:12,.0f}" for rate in rates) + over


def on_device(given: argparse.Namespace, instance: TransitInstance) -> str:
    """A row of the table for tensors."""
    import torch

    from nco.transit.evaluate.tensors import TorchEvaluator
    from nco.transit.instance.lines import pad_lines

    rng, evaluator = np.random.default_rng(given.seed), TorchEvaluator(instance, given.device)
    sets = [[walk(instance, rng) for _ in range(instance.lines)] for _ in range(64)]
    few = np.stack([pad_lines(lines, width=instance.max_stops) for lines in sets])
    batch = torch.from_numpy(np.concatenate([few] * (given.batch // 64))).to(given.device)

    def run() -> None:
        float(evaluator(batch).travel_min.sum())  # waits for the device

    run()
    return f"{instance.name:10}{per_second(run, len(batch), given.turns, time.perf_counter):12,.0f}"


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="with the files of Mumford; without it only Mandl")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="evaluate tensors there in place of compiled loops")
    parser.add_argument("--batch", type=int, default=1024, help="sets at once as tensors")
    given = parser.parse_args()
    one_thread()
    from nco.versions import machine

    print(f"{machine()}; seed {given.seed}; sets a second")
    heads = ["tensors"] if given.device else ["sets", "added", "replaced"]
    print(f"{'':10}" + "".join(f"{head:>12}" for head in heads) + "  x goal")
    for instance in instances(given.folder):
        print((on_device if given.device else on_cpu)(given, instance), flush=True)


if __name__ == "__main__":
    main()
