"""What evolved operators are worth, and that no program breaks anything.

    python benchmarks/evolved.py glns OPS.json [--stops 50 100 200] [--instances 64] [--ortools S]
    python benchmarks/evolved.py cities OPS.json [--city helsinki porto.osm.pbf table.npz]
                                 [--kind rcvrp] [--stops 100 500] [--limits 1 5] [--cpu] [--alone]
    python benchmarks/evolved.py programs [--count 10000] [--first 0]

`glns`: the setting of G-LNS, whose generator of test instances (`datasets/cvrp/gen_inst.py` of
ZBoyn/G-LNS) is followed draw by draw: depot in the middle of the unit square, demands 1 to 9,
capacity 50; 500 iterations from stops in random order. A file's first removal and insertion alone
against all hand-made operators, and OR-Tools with a time limit. `cities`: `lns` with the operators
against `lns`, instances of cities in turn, equal wall-clock time, the two in turn; with `--alone`
with them in place of the hand-made ones, with `--cpu` equal seconds of the processor, under other
load. `programs`: pairs of random programs in searches,
each plan checked by `nco.check`; pair `k` follows from `k` alone.

With `--rows FILE` each measurement is a line of a file, and what is there already is not measured
again, so that a run can be made in pieces: `--minutes` ends one after as many whole measurements as
fit. What is printed is of all rows that the options ask for.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import nco
from nco.data.cities.engine import Matrices
from nco.data.cities.table import TableCity
from nco.data.cities.table_files import read_table
from nco.problem import Problem, Vehicle
from nco.problem.normal import normal
from nco.search.evolve.files import read_operators
from nco.search.evolve.genetics import mutated, random_insertion, random_removal
from nco.search.evolve.instances import KINDS, square
from nco.search.evolve.judge import Trial, searched
from nco.search.evolve.language import Insertion, Removal
from nco.search.lns.solver import SOLVER
from nco.solver import ThreadClock
from nco.stats import interval
from nco.threads import one_thread
from nco.versions import machine

FIRST_SEED = 70_000  # of instances, none of which anything was evolved on
GLNS = Trial(500, alone=True, scattered=True, share=0.4, hot=0.1, cold=0.002)
_CAPACITY = 50.0
_GLNS_SEED = 1234
_GLNS_BEFORE = ((50, 16), (20, 64), (50, 64), (100, 64))  # drawn before its test instances
_GLNS_SIZES, _GLNS_COUNT = (10, 20, 50, 100, 200), 64

type Row = dict[str, Any]


class Rows:
    """Measurements that are kept, a line of JSON each.

    Args:
        path: of the file; None keeps them for this run only.
        minutes: after which nothing new is begun.
    """

    def __init__(self, path: Path | None, minutes: float) -> None:
        self._path, self._end_s = path, time.monotonic() + 60 * minutes
        lines = path.read_text().splitlines() if path and path.is_file() else []
        self._known = {self._key(row["of"]): row for row in map(json.loads, lines)}

    @staticmethod
    def _key(of: Row) -> str:
        return json.dumps(of, sort_keys=True)

    def get(self, of: Row, lasts_s: float, measure: Callable[[], Row]) -> Row | None:
        """A measurement, made if it was not yet; None if there is no time for it.

        Args:
            of: what it is of.
            lasts_s: about how long it takes.
            measure: makes it.
        """
        if found := self._known.get(self._key(of)):
            return found
        if time.monotonic() + lasts_s > self._end_s:
            return None
        row = {"of": of, **measure()}
        self._known[self._key(of)] = row
        if self._path:
            with self._path.open("a") as file:
                file.write(json.dumps(row) + "\n")
        return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("glns", "cities", "programs"))
    parser.add_argument("operators", nargs="?", type=Path)
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--ortools", type=float, default=0.0, help="seconds; 0 leaves it out")
    parser.add_argument("--city", nargs="+", default=["helsinki"])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=np.inf)
    parser.add_argument("--rows", type=Path, help="a file of measurements, to go on with")
    parser.add_argument("--cpu", action="store_true", help="the processor's seconds count")
    parser.add_argument("--alone", action="store_true", help="in place of the hand-made ones")
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    given = parser.parse_args()
    one_thread()
    print(machine())
    rows = Rows(given.rows, given.minutes)
    if given.what == "programs":
        programs(given)
    else:
        {"glns": glns, "cities": cities}[given.what](given, rows)


def told(name: str, gains: np.ndarray) -> str:
    """Gains in percent with their interval."""
    bounds = interval(list(gains))
    between = "" if bounds is None else f" ({bounds[0]:+.2f} to {bounds[1]:+.2f})"
    return f"{name} {gains.mean():+.2f} %{between}, better in {(gains > 0).sum()} of {len(gains)}"


def glns_squares(stops: int, count: int) -> Iterator[Problem]:
    """Test instances as G-LNS's generator draws them, all sizes from one seed in turn."""
    rng = np.random.RandomState(_GLNS_SEED)  # whose numbers numpy keeps for ever
    tests = [(size, _GLNS_COUNT) for size in _GLNS_SIZES]
    for n, (size, many) in enumerate((*_GLNS_BEFORE, *tests)):
        for k in range(many):
            xy = np.vstack([[[0.5, 0.5]], rng.rand(size, 2)])
            demand = np.concatenate([[0], rng.randint(1, 10, size)])
            if n >= len(_GLNS_BEFORE) and size == stops and k < count:
                far = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
                fleet = [Vehicle(capacity=(_CAPACITY,))] * size
                yield Problem.from_matrices(far, demand=demand, vehicles=fleet)


def glns(given: argparse.Namespace, rows: Rows) -> None:
    """The setting of G-LNS."""
    known = [operator.program for operator in read_operators(given.operators).operators]
    out = next(program for program in known if isinstance(program, Removal))
    back = next(program for program in known if isinstance(program, Insertion))
    names = ["hand-made", "evolved"]
    names += [f"OR-Tools {given.ortools:g} s"] if given.ortools else []
    for stops in given.stops:
        found: dict[str, list[Row | None]] = {name: [] for name in names}
        for k, plain in enumerate(glns_squares(stops, given.instances)):
            problem = normal(plain).problem
            for name in names:

                def measure(problem: Problem = problem, k: int = k, name: str = name) -> Row:
                    begun = time.process_time()
                    if name in ("hand-made", "evolved"):
                        pair = (out, back) if name == "evolved" else None
                        _, routes = searched(
                            problem, k, GLNS, GLNS.settings(len(problem.stops), pair)
                        )
                        answer = nco.Solution.from_routes(problem, routes)
                    else:
                        answer = nco.solve(problem, "ortools", time_limit_s=given.ortools, seed=k)
                    assert nco.check(problem, answer).feasible
                    spent_s = time.process_time() - begun
                    return {"cost": answer.cost.distance, "processor_s": spent_s}

                of = {"stops": stops, "k": k, "by": name}
                of |= {"operators": given.operators.name} if name == "evolved" else {}
                lasts_s = given.ortools if name.startswith("OR") else 0.2
                found[name].append(rows.get(of, lasts_s, measure))
        _told_glns(stops, found)


def _told_glns(stops: int, found: dict[str, list[Row | None]]) -> None:
    costs = {name: [row["cost"] for row in own if row] for name, own in found.items()}
    best = min(float(np.mean(own)) for own in costs.values() if own)
    for name, own in costs.items():
        if own:
            low, high = interval(own) or (np.nan, np.nan)
            each_ms = 1000 * np.mean([row["processor_s"] for row in found[name] if row])
            print(
                f"{stops} stops: {name} {np.mean(own):.3f} ({low:.3f} to {high:.3f}), "
                f"gap {100 * (np.mean(own) / best - 1):.2f} %, {len(own)} instances, "
                f"{each_ms:.0f} ms of this process's processor time"
            )
    for name in found:
        both = [(a["cost"], b["cost"]) for a, b in zip(found["evolved"], found[name], strict=True)
                if a and b and name != "evolved"]  # fmt: skip
        if both:
            gains = 100 * (1 - np.array(both)[:, 0] / np.array(both)[:, 1])
            print(told(f"{stops} stops: evolved over {name}", gains), flush=True)


def town(name: str) -> Any:
    """A city by its name, by the path of an extract, or by that of a table of its points."""
    if not name.endswith(".npz"):
        return nco.city(name)
    called, lonlat, matrices = read_table(name)
    _, keep = np.unique(np.round(lonlat, 6), axis=0, return_index=True)
    both = np.ix_(keep, keep)
    return TableCity(
        called, lonlat[keep], Matrices(matrices.distance_m[both], matrices.duration_s[both])
    )


def cities(given: argparse.Namespace, rows: Rows) -> None:
    """What operators add to `lns`."""
    operators, towns = read_operators(given.operators), [town(name) for name in given.city]
    settings = [
        (kind, n, limit) for kind in given.kind for n in given.stops for limit in given.limits
    ]
    method = replace(SOLVER, clock=ThreadClock) if given.cpu else SOLVER
    with_them = method.with_operators(operators.removals, operators.insertions)
    with_them = replace(with_them, settings=replace(with_them.settings, alone=given.alone))
    gains: dict[tuple[str, int, float], list[float]] = {setting: [] for setting in settings}
    ready = set[str]()
    for k in range(given.instances):
        for kind, stops, limit in settings:
            name = given.city[k % len(given.city)]

            def measure(
                kind: str = kind, stops: int = stops, limit: float = limit, k: int = k
            ) -> Row:
                problem = KINDS[kind](towns[k % len(towns)], stops, seed=FIRST_SEED + k)
                if kind not in ready:
                    nco.solve(problem, with_them, time_limit_s=0.1)
                    ready.add(kind)
                costs = [0.0, 0.0]
                for row in (k % 2, 1 - k % 2):
                    which = with_them if row else method
                    found = nco.solve(problem, which, time_limit_s=limit, seed=k)
                    assert nco.check(problem, found).feasible
                    costs[row] = found.cost.total
                return {"without": costs[0], "with": costs[1]}

            of = {"operators": given.operators.name, "kind": kind, "stops": stops, "limit": limit,
                  "city": Path(name).name, "k": k, "cpu": given.cpu}  # fmt: skip
            of |= {"alone": True} if given.alone else {}
            if row := rows.get(of, 2 * limit + 1, measure):
                gains[kind, stops, limit].append(100 * (1 - row["with"] / row["without"]))
    for (kind, stops, limit), own in gains.items():
        if own:
            print(told(f"{kind}, {stops} stops, {limit:g} s:", np.array(own)), flush=True)
    every = [gain for own in gains.values() for gain in own]
    if len(settings) > 1 and every:
        print(told("all:", np.array(every)))


def programs(given: argparse.Namespace) -> None:
    """Whether any program breaks a plan or takes too long."""
    problems = [square(20, 1), square(40, 2)]
    problems += [sample(nco.city(given.city[0]), 20, seed=3) for sample in KINDS.values()]
    trial, slowest_s = Trial(40, alone=True), 0.0
    for k in range(given.first // 2, (given.first + given.count) // 2):
        rng = np.random.default_rng(k)
        out, back = random_removal(rng), random_insertion(rng)
        for _ in range(int(rng.integers(4))):
            out, back = mutated(out, rng), mutated(back, rng)
        problem = problems[k % len(problems)]
        begun = time.process_time()
        settings = trial.settings(len(problem.stops), (out, back))
        _, routes = searched(problem, k, trial, settings)
        slowest_s = max(slowest_s, time.process_time() - begun)
        assert nco.check(problem, nco.Solution.from_routes(problem, routes)).feasible, (out, back)
    print(f"{2 * (given.count // 2)} programs, no plan broken; 40 iterations took at most "
          f"{1000 * slowest_s:.0f} ms of the processor")  # fmt: skip


if __name__ == "__main__":
    main()
