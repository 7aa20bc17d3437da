"""How far the policy of profiled vehicles is from a search, on instances that it has not seen.

    python -m benchmarks.profiled_policy --stops 50 --vehicles 5 --instances 4

Problems are those of `nco.sample.pvrp` in the unit square. The reference is PyVRP in the form that
is exact (one shift of all arcs into a stop, trips as copies of vehicles), ended by CPU seconds of
its thread, so that other load does not change it. Gaps are of a positive quantity: the cost plus
what preferences could gain at most, weight times stops times the largest preference.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

import nco
from nco.baselines.pyvrp import solve_by_cpu
from nco.envs import environment
from nco.envs.convert import conversion
from nco.problem import Problem
from nco.problem.check import check
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.together import Together
from nco.search.policy.loaded import load_policy

KINDS = {
    "random": {"preference": "random"},
    "sector": {"preference": "sector"},
    "cluster": {"preference": "cluster"},
    "zones": {"zone": "random"},
}
WAYS: dict[str, Any] = {
    "greedy": Strategy(starts=1),
    "greedy, all vehicles at once": Together(),
    "greedy from 16 starts": Strategy(starts=16),
    "16 samples": Strategy(temperature=0.3, starts=1, repeats=16),
    "16 samples, all vehicles at once": Together(temperature=0.3, starts=16),
}


@dataclass(frozen=True)
class Case:
    """A problem with its reference.

    Attributes:
        problem: as drawn.
        offset: what makes its cost positive.
        reference: the best known cost.
    """

    problem: Problem
    offset: float
    reference: float

    def gap_percent(self, cost: float) -> float:
        """Of a cost, on the positive quantity."""
        return 100 * (cost - self.reference) / (self.reference + self.offset)


def case_of(problem: Problem, cpu_s: float, known: dict[str, float], key: str) -> Case:
    """Solves the problem in the form of copies, and evaluates the routes on the problem itself.

    Args:
        problem: as drawn.
        cpu_s: for the reference.
        known: costs of references, to which this one is added.
        key: under which it is known.
    """
    wishes = [v.preference for v in problem.vehicles if v.preference is not None]
    largest = max((float(np.max(w)) for w in wishes), default=0.0)
    offset = problem.objective.preference * len(problem.stops) * largest
    if key not in known:
        known[key] = _reference(problem, cpu_s)
    return Case(problem, offset, known[key])


def _reference(problem: Problem, cpu_s: float) -> float:
    kind = conversion("pvrp")
    given = kind.instance(problem, torch.float64)
    copies = kind.problem(given.instance, 0)
    found = solve_by_cpu(copies, cpu_s)
    actions = kind.actions(copies, range(copies.size), found.routes)
    routes = kind.routes(problem, given.nodes, actions)
    solution = nco.Solution.from_routes(problem, routes)
    if not check(problem, solution).feasible:
        raise SystemExit("the reference is not feasible")
    return solution.cost.total


def split(problem: Problem) -> float:
    """Cost where every stop goes to the vehicle that likes it most, and each is routed alone."""
    likes = np.array(
        [
            np.where(
                np.ones(problem.size, bool) if v.allowed is None else v.allowed,
                0.0 if v.preference is None else v.preference,
                -np.inf,
            )
            for v in problem.vehicles
        ]
    )
    rng = np.random.default_rng(0)
    owner = (likes + 1e-9 * rng.random(likes.shape)).argmax(axis=0)
    plain, total = load_policy("general"), 0.0
    for k, vehicle in enumerate(problem.vehicles):
        own = [0, *(j for j in problem.stops if owner[j] == k)]
        if len(own) == 1:
            continue
        metres = problem.profiles[vehicle.profile].distance_m[np.ix_(own, own)]
        part = Problem.from_matrices(
            metres * vehicle.cost_per_m * problem.objective.distance,
            demand=problem.demand[own],
            capacity=vehicle.capacity[0],
            xy=None if problem.xy is None else problem.xy[own],
        )
        total += plain.solve(part).cost.total
        if vehicle.preference is not None:
            total -= problem.objective.preference * float(vehicle.preference[own[1:]].sum())
    return total


def write_card(path: Path, asked: argparse.Namespace, gaps: dict[str, dict[str, Any]]) -> None:
    """Adds what was measured to a card, under the size of the instances."""
    card = json.loads(path.read_text())
    measured = card.get("measured", {})
    if not isinstance(measured.get("sizes"), dict):
        measured = {"by": "benchmarks/profiled_policy.py", "sizes": {}}
    measured["sizes"][f"{asked.stops} stops, {asked.vehicles} vehicles"] = {
        "first_seed": asked.seed,
        "instances_of_each_kind": asked.instances,
        "reference": f"PyVRP, {asked.cpu_s:g} CPU s an instance",
        "gap_percent": {
            name: {way: round(mean(found), 2) for way, found in own.items()}
            for name, own in gaps.items()
        },
    }
    path.write_text(json.dumps({**card, "measured": measured}, indent=2) + "\n")


def main() -> None:
    """Prints a table, and writes it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", default="profiled")
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--vehicles", type=int, default=5)
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--cpu-s", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=90_000)
    parser.add_argument("--references", type=Path, help="JSON file that keeps references")
    parser.add_argument("--out", type=Path, help="JSON file of gaps")
    parser.add_argument("--card", type=Path, help="JSON card of the policy, which gets a summary")
    asked = parser.parse_args()
    known: dict[str, float] = {}
    if asked.references and asked.references.exists():
        known = json.loads(asked.references.read_text())
    torch.set_num_threads(1)
    policy, env, kind = load_policy(asked.policy), environment("pvrp"), conversion("pvrp")
    gaps: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, list[float]] = {}
    for name, options in KINDS.items():
        own = gaps.setdefault(name, {})
        for k in range(asked.instances):
            problem = nco.sample.pvrp(
                None, asked.stops, seed=asked.seed + k, vehicles=asked.vehicles, **options
            )
            key = f"{name} {asked.stops} {asked.vehicles} {asked.seed + k} {asked.cpu_s:g}"
            case = case_of(problem, asked.cpu_s, known, key)
            for way, how in WAYS.items():
                began = time.process_time()
                given = kind.instance(problem, torch.float32)
                generator = torch.Generator().manual_seed(k)
                found = how.decode(env, given.instance, policy.policy, generator).best()
                routes = kind.routes(problem, given.nodes, found.actions[0, 0].tolist())
                solution = nco.Solution.from_routes(problem, routes)
                feasible = check(problem, solution).feasible
                seconds.setdefault(way, []).append(time.process_time() - began)
                if not feasible:
                    raise SystemExit(f"{way} is not feasible")
                own.setdefault(way, []).append(case.gap_percent(solution.cost.total))
            own.setdefault("split by preference", []).append(case.gap_percent(split(problem)))
        for way, found in own.items():
            spread = stdev(found) / len(found) ** 0.5 if len(found) > 1 else float("nan")
            print(f"{name:8} {way:34} {mean(found):7.2f} % +- {spread:.2f}", flush=True)
    for way in WAYS:
        whole = [gap for own in gaps.values() for gap in own[way]]
        print(f"all      {way:34} {mean(whole):7.2f} %, {1e3 * mean(seconds[way]):.0f} ms of CPU")
    if asked.references:
        asked.references.write_text(json.dumps(known, indent=1))
    if asked.card:
        write_card(asked.card, asked, gaps)
    if asked.out:
        made = {"gaps_percent": gaps, "cpu_seconds": seconds}
        asked.out.write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
