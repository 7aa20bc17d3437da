"""How long users wait: `nco --help`, a cold `nco solve`, and a warm policy.

    python benchmarks/solve_latency.py [--repeats 5] [--policy FILE]

Cold: the whole command `nco solve stops.csv --city helsinki --method policy` (30 stops, city
built before) against `python -c "import torch"`, in turns, so that other work on the machine
slows both alike. Warm: `nco.solve` and `nco.check` for 100 stops in one process on one thread.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from nco.threads import one_thread
from nco.versions import machine, version_of

SIZE_COLD, SIZE_WARM = 30, 100


def wall_s(command: Sequence[str]) -> float:
    """Seconds that a command takes."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def cold(repeats: int, options: Sequence[str]) -> None:
    """Whole commands, each in a fresh process."""
    from nco import city, sample, save
    from nco.data.formats.stops import Stops

    with tempfile.TemporaryDirectory() as folder:
        problem = sample.rcvrp(city("helsinki"), SIZE_COLD, seed=1)
        stops = save(Stops.from_problem(problem), Path(folder) / "stops.csv")
        nco = [sys.executable, "-m", "nco"]
        solve = [*nco, "solve", str(stops), "--city", "helsinki", "--capacity", "40"]
        solve += ["--method", "policy", *options]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "nco --help": [*nco, "--help"],
            "import torch": [sys.executable, "-c", "import torch"],
            "nco solve": solve,
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(repeats + 1):
            for name, command in commands.items():
                seconds = wall_s(command)
                if turn:  # the first turn fills the file cache
                    times[name].append(seconds)
    for name, found in times.items():
        print(f"{name:<16} median {statistics.median(found):6.2f} s  best {min(found):6.2f} s")
    ratios = [a / b for a, b in zip(times["nco solve"], times["import torch"], strict=True)]
    print(f"nco solve / import torch: median of turns {statistics.median(ratios):.2f}")


def warm(repeats: int, policy: str | None) -> None:
    """The policy alone, checking included, in one process on one thread."""
    import torch

    from nco import check, city, sample, solve
    from nco.search.policy.solver import SOLVER, PolicySolver

    torch.set_num_threads(1)
    method = SOLVER if policy is None else PolicySolver("policy", source=policy)
    problems = [sample.rcvrp(city("helsinki"), SIZE_WARM, seed=s) for s in range(repeats + 1)]
    times = []
    for problem in problems:
        begin = time.perf_counter()
        assert check(problem, solve(problem, method, time_limit_s=10.0))
        times.append(time.perf_counter() - begin)
    found = times[1:]  # the first loads the weights
    print(
        f"policy and check, {SIZE_WARM} stops, warm, one thread: "
        f"median {1000 * statistics.median(found):.0f} ms, worst {1000 * max(found):.0f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--policy", help="weights in place of the shipped ones")
    arguments = parser.parse_args()
    print(f"{machine()}, {version_of('policy')}")
    cold(arguments.repeats, ["--policy", arguments.policy] if arguments.policy else [])
    one_thread()
    warm(arguments.repeats, arguments.policy)


if __name__ == "__main__":
    main()
