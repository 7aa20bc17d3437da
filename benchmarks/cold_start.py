"""How long a fresh process takes beside the time that it was given to solve.

    python benchmarks/cold_start.py [--stops 50 350 500 1000] [--repeats 5] [--no-bytecode]

Each run is a process of its own: `nco.solve(problem, time_limit_s=1)` on matrices that it reads
with numpy, or the command `nco solve problem.json --time-limit 1`. What counts is its whole time
less the limit: starting Python, imports, compiled loops, the policy, reading, checking, printing.
The first run of each kind is left out; it compiles what has not been compiled. Python's own
bytecode is kept in a folder of the benchmark, as installed packages have theirs beside them;
`--no-bytecode` measures without any.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import nco
from nco.versions import machine

TARGET_S = {350: 0.6}  # up to so many stops
BEYOND_S = 1.0
PROGRAM = """
import json, sys
import numpy as np
import nco
given = np.load(sys.argv[1])
problem = nco.Problem.from_matrices(
    given["distance"], given["duration"], demand=given["demand"], capacity=float(given["capacity"]),
    vehicles=int(given["vehicles"]), lonlat=given["lonlat"],
)
found = nco.solve(problem, time_limit_s=float(sys.argv[2]))
heavy = [name for name in ("numba", "torch", "pyvrp", "hybgensea") if name in sys.modules]
print(json.dumps({"setup_s": found.setup_s, "time_s": found.time_s, "imported": heavy}))
"""


def drawn(folder: Path, stops: int) -> dict[str, Path]:
    """A problem in Helsinki as arrays and as a file of nco's."""
    problem = nco.sample.rcvrp(nco.city("helsinki"), stops, seed=1)
    profile = problem.profiles[0]
    arrays = folder / f"{stops}.npz"
    np.savez(
        arrays,
        distance=profile.distance_m,
        duration=profile.duration_s,
        demand=problem.demand[:, 0],
        capacity=problem.vehicles[0].capacity[0],
        vehicles=len(problem.vehicles),
        lonlat=problem.lonlat,
    )
    return {"arrays": arrays, "file": nco.save(problem, folder / f"{stops}.json")}


def run(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Seconds that a command takes, and what it prints."""
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, done.stdout


def surroundings(folder: Path, bytecode: bool) -> dict[str, str]:
    """The environment of runs."""
    found = {**os.environ, "PYTHONPATH": str(Path(nco.__file__).parents[1])}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    if bytecode:
        return found | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    # An empty folder that nothing is written to: what lies beside packages is not read either.
    return found | {
        "PYTHONPYCACHEPREFIX": str(folder / "none"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 350, 500, 1000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--bytecode", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    print(f"{machine()}; limit {given.limit} s, {given.repeats} runs, bytecode {given.bytecode}")
    print("median (worst) seconds beside the limit, and how many of them `setup_s` reports")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = surroundings(folder, given.bytecode)
        for stops in given.stops:
            files = drawn(folder, stops)
            python = [sys.executable, "-c", PROGRAM, str(files["arrays"]), str(given.limit)]
            command = [sys.executable, "-m", "nco", "solve", str(files["file"]), "--quiet"]
            command += ["--time-limit", str(given.limit), "--json"]
            beside: dict[str, list[float]] = {"python": [], "nco solve": []}
            setup: list[float] = []
            imported: list[str] = []
            for turn in range(given.repeats + 1):
                for kind, line in (("python", python), ("nco solve", command)):
                    seconds, printed = run(line, environment)
                    if not turn:
                        continue
                    beside[kind].append(seconds - given.limit)
                    if kind == "python":
                        told = json.loads(printed)
                        setup.append(told["setup_s"])
                        imported = told["imported"]
            target = next((t for most, t in TARGET_S.items() if stops <= most), BEYOND_S)
            cells = [
                f"{kind} {statistics.median(s):.2f} ({max(s):.2f})" for kind, s in beside.items()
            ]
            print(
                f"{stops:>5} stops: {', '.join(cells)}; setup_s {statistics.median(setup):.2f}; "
                f"target {target} for python; imported {', '.join(imported) or 'nothing heavy'}"
            )


if __name__ == "__main__":
    main()
