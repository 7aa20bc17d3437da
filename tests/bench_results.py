"""Results of benchmarks that never ran, and tiny files of instances that can."""

from dataclasses import replace
from pathlib import Path

from instances import line_of_four

from nco import Solution
from nco.bench import Result
from nco.bench.result import key
from nco.data.formats.registry import save

_PLAIN = Result(
    source={"city": "x", "seed": 0},
    instance="x-0",
    group="rcvrp, 5 stops, whole city",
    size=5,
    fingerprint="0",
    best_known=None,
    method="a",
    budget_s=1.0,
    seed=0,
    cost=100.0,
    claimed=100.0,
    disagreement=0.0,
    distance_m=100.0,
    duration_s=10.0,
    routes=1,
    feasible=True,
    refused=None,
    crashed=None,
    findings=(),
    time_s=0.5,
    version="nco 0",
    nco="0",
    code="c0de",
    python="3",
    system="Linux",
    processor="Abacus",
    processors=2,
    threads=1,
    jobs=1,
    suite="5u17e",
    suite_instances=2,
    at="2026-01-01T00:00:00+00:00",
)


def result(method="a", cost=100.0, *, seed=0, **changes):
    """A feasible run on instance number `seed`, unless changes say otherwise."""
    fields = {
        "source": {"city": "x", "seed": seed},
        "instance": f"x-{seed}",
        "fingerprint": f"{seed}",
        "seed": seed,
        "method": method,
        "cost": cost,
        "claimed": cost,
    }
    made = replace(_PLAIN, **(fields | changes))
    assert made.key == key(made.source, made.method, made.budget_s)
    return made


def wrong(method, *, seed=0, **changes):
    """A run with an answer that breaks a rule, cheap as it is."""
    return result(method, 1.0, seed=seed, feasible=False, findings=("too heavy",), **changes)


def write_files(folder: Path, *, solution=True) -> Path:
    """A folder with `line.vrp`, `line.sol` (its best routes) and `tiny.txt` (Solomon)."""
    folder.mkdir(parents=True, exist_ok=True)
    problem = line_of_four()
    save(problem, folder / "line.vrp")
    if solution:
        best = Solution.from_routes(problem, [[1], [2, 3]])
        save(best, folder / "line.sol", problem=problem)
    rows = ["0 0 0 0 0 100 0", "1 3 4 1 0 50 1", "2 0 5 1 0 50 1", "3 6 8 1 0 90 1"]
    head = ["TINY", "", "VEHICLE", "NUMBER CAPACITY", "3 2", "", "CUSTOMER"]
    head += ["CUST NO. XCOORD. YCOORD. DEMAND READY TIME DUE DATE SERVICE TIME", ""]
    (folder / "tiny.txt").write_text("\n".join([*head, *rows, ""]))
    return folder
