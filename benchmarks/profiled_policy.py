"""How far the policy of profiled vehicles is from a search, on instances that it has not seen.

    python -m benchmarks.profiled_policy --stops 100 --vehicles 3 5 7 --instances 4
    python -m benchmarks.profiled_policy --policy profiled runs/alone.ckpt  # an ablation, in pairs
    python -m benchmarks.profiled_policy --city campo_grande.osm.pbf

Problems are those of `nco.sample.pvrp` in the unit square, or on the streets of a city with as many
vans that are faster and slower. The reference is the better of `lns` and PyVRP in the form that is
exact (one shift of all arcs into a stop, trips as copies of vehicles), each ended by CPU seconds of
its thread, so that other load does not change it; policies are measured by processor time as well.
Gaps are of a positive quantity: the cost plus what preferences could gain at most, weight times
stops times the largest preference.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import nco
from benchmarks.profiles import KINDS, positive
from nco.envs import environment
from nco.envs.convert import conversion
from nco.problem import Problem
from nco.problem.check import check
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.redecoding import Redecoding
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.together import Together
from nco.search.policy.loaded import load_policy
from nco.stats import interval
from nco.training.teacher import solved

if TYPE_CHECKING:
    from nco.envs.pvrp import PVRPInstance
    from nco.models.policy import Policy

ENV, KIND = environment("pvrp"), conversion("pvrp")
SECONDS = 1.0  # of the processor, for ways that go on until time is up
AT_ONCE = 128  # samples
type Way = Callable[[PVRPInstance, Policy, torch.Generator], Rollouts]


def decoded(how: Any) -> Way:
    """A strategy that ends by itself."""
    return lambda instance, policy, dice: how.decode(ENV, instance, policy, dice)


def sampled(instance: PVRPInstance, policy: Policy, dice: torch.Generator) -> Rollouts:
    """The best of as many samples as there is time for."""
    until = time.process_time() + SECONDS
    with torch.inference_mode():
        encoded = policy.encode(ENV.observe(instance))
    how, best = Strategy(temperature=0.3, starts=1, repeats=AT_ONCE), None
    while best is None or time.process_time() < until:
        try:
            over = None if best is None else lambda: time.process_time() > until
            found = how.search(ENV, instance, encoded, dice, over).best()
        except TimeUp:
            break
        if best is None or found.cost < best.cost:
            best = found
    return best


def again(instance: PVRPInstance, policy: Policy, dice: torch.Generator) -> Rollouts:
    """Parts of the best of some samples decoded anew while there is time."""
    until = time.process_time() + SECONDS
    how = Redecoding(rounds=None)
    return how.decode(ENV, instance, policy, dice, lambda: time.process_time() > until)


WAYS: dict[str, Way] = {
    "greedy": decoded(Strategy(starts=1)),
    "greedy, all at once": decoded(Together()),
    "samples, 1 s": sampled,
    "decoded again, 1 s": again,
}
SPLIT = "split by preference"


@dataclass(frozen=True)
class Case:
    """A problem with its reference.

    Attributes:
        kind: of preferences or zones.
        vehicles: how many.
        seed: of the instance.
        problem: as drawn.
        offset: what makes its cost positive.
        reference: the best known cost.
    """

    kind: str
    vehicles: int
    seed: int
    problem: Problem
    offset: float
    reference: float

    def gap_percent(self, cost: float) -> float:
        """Of a cost, on the positive quantity."""
        return 100 * (cost - self.reference) / (self.reference + self.offset)


def drawn(kind: str, vehicles: int, seed: int, asked: argparse.Namespace) -> Problem:
    """An instance."""
    if asked.city is None:
        return nco.sample.pvrp(None, asked.stops, seed=seed, vehicles=vehicles, **KINDS[kind])
    fleet = {"van": -(-vehicles // 2), "electric van": vehicles // 2}
    return nco.sample.pvrp(
        nco.city(asked.city), asked.stops, seed=seed, vehicles=fleet, **KINDS[kind]
    )


def cases(asked: argparse.Namespace) -> list[Case]:
    """All instances, with references from a file where it has them."""
    known: dict[str, float] = {}
    if asked.references and asked.references.exists():
        known = json.loads(asked.references.read_text())
    made = []
    for seed in range(asked.seed, asked.seed + asked.instances):
        for vehicles in asked.vehicles:
            for kind in KINDS:
                problem = drawn(kind, vehicles, seed, asked)
                where = f"{asked.city or 'plane'} {kind} {asked.stops} {vehicles} {seed}"
                for solver, cpu_s in (("lns", asked.lns_s), ("pyvrp", asked.pyvrp_s)):
                    key = f"{where} {solver} {cpu_s:g}"
                    if cpu_s and key not in known:
                        known[key] = _reference(problem, solver, cpu_s)
                        if asked.references:
                            asked.references.write_text(json.dumps(known, indent=1))
                best = min(
                    known[f"{where} {solver} {cpu_s:g}"]
                    for solver, cpu_s in (("lns", asked.lns_s), ("pyvrp", asked.pyvrp_s))
                    if cpu_s
                )
                plain = nco.Solution.from_routes(problem, [], explain=False)
                offset = positive(problem, plain) - plain.cost.total
                made.append(Case(kind, vehicles, seed, problem, offset, best))
    return made


def _reference(problem: Problem, solver: str, cpu_s: float) -> float:
    """Solves the problem, for PyVRP in the form of copies, and evaluates the problem's routes."""
    if solver == "lns":
        return solved(problem, solver, cpu_s).cost.total
    given = KIND.instance(problem, torch.float64)
    copies = KIND.problem(given.instance, 0)
    found = solved(copies, solver, cpu_s)
    actions = KIND.actions(copies, range(copies.size), found.routes)
    solution = nco.Solution.from_routes(problem, KIND.routes(problem, given.nodes, actions))
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


def measure(case: Case, policy: Policy, way: Way) -> tuple[float, float]:
    """Gap in percent and processor seconds, check included."""
    began = time.process_time()
    given = KIND.instance(case.problem, torch.float32)
    found = way(given.instance, policy, torch.Generator().manual_seed(case.seed)).best()
    routes = KIND.routes(case.problem, given.nodes, found.actions[0, 0].tolist())
    solution = nco.Solution.from_routes(case.problem, routes)
    feasible = check(case.problem, solution).feasible
    spent = time.process_time() - began
    if not feasible:
        raise SystemExit("what the policy decided is not feasible")
    return case.gap_percent(solution.cost.total), spent


def with_interval(values: Sequence[float], sign: str = "") -> str:
    """A mean with its interval."""
    low, high = interval(values) or (np.nan, np.nan)
    return f"{np.mean(values):{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


def write_card(
    path: Path, asked: argparse.Namespace, rows: Sequence[Case], gaps: dict[str, list[float]]
) -> None:
    """Adds what was measured to a card, by way, kind and number of vehicles."""
    card = json.loads(path.read_text())
    where = f"{asked.stops} stops, {asked.city or 'the unit square'}"

    def mean(found: Sequence[float], chosen: Callable[[Case], bool]) -> float:
        own = [gap for gap, case in zip(found, rows, strict=True) if chosen(case)]
        return round(float(np.mean(own)), 2)

    measured = card.get("measured", {})
    if not isinstance(measured.get("sets"), dict):
        measured = {"sets": {}}
    measured |= {
        "by": "benchmarks/profiled_policy.py",
        "quantity": "cost + weight of preferences * stops * largest preference",
        "problems": "nco.sample.pvrp, weights 0.8 and 0.2",
    }
    measured["sets"][where] = {
        "first_seed": asked.seed,
        "instances": len(rows),
        "reference": f"the better of lns, {asked.lns_s:g} CPU s, and PyVRP, {asked.pyvrp_s:g}",
        "gap_percent": {
            way: {
                "all": mean(found, lambda _: True),
                **{k: mean(found, lambda case, k=k: case.kind == k) for k in KINDS},
                **{
                    f"{m} vehicles": mean(found, lambda case, m=m: case.vehicles == m)
                    for m in asked.vehicles
                },
            }
            for way, found in gaps.items()
        },
    }
    path.write_text(json.dumps({**card, "measured": measured}, indent=2) + "\n")


def main() -> None:
    """Prints a table, and writes it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", nargs="+", default=["profiled"], help="others are compared")
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--split", action="store_true", help="also split by preference")
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--vehicles", type=int, nargs="+", default=[3, 5, 7])
    parser.add_argument("--instances", type=int, default=2, help="of each kind and fleet")
    parser.add_argument("--lns-s", type=float, default=2.0, help="of the reference; 0 for none")
    parser.add_argument("--pyvrp-s", type=float, default=0.0, help="of the reference; 0 for none")
    parser.add_argument("--seed", type=int, default=90_000)
    parser.add_argument("--city", help="name or extract, in place of the unit square")
    parser.add_argument("--references", type=Path, help="JSON file that keeps references")
    parser.add_argument("--out", type=Path, help="JSON file of gaps")
    parser.add_argument("--card", type=Path, help="JSON card of the policy, which gets a summary")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = cases(asked)
    gaps: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for source in asked.policy:
        policy = load_policy(source).policy
        for way in asked.way:
            measure(rows[0], policy, WAYS["greedy"])  # loops are loaded
            found, spent = zip(*(measure(case, policy, WAYS[way]) for case in rows), strict=True)
            gaps[source][way] = list(found)
            print(f"{source}: {way}: {with_interval(found)} %, {1e3 * np.mean(spent):.0f} ms")
            for kind in KINDS:
                own = [g for g, case in zip(found, rows, strict=True) if case.kind == kind]
                print(f"    {kind:13s} {with_interval(own)}", flush=True)
            if source != asked.policy[0]:
                apart = np.subtract(found, gaps[asked.policy[0]][way])
                print(f"    above {asked.policy[0]}: {with_interval(apart.tolist(), '+')} points")
    if asked.split:
        parts = [case.gap_percent(split(case.problem)) for case in rows]
        apart = np.subtract(parts, gaps[asked.policy[0]]["greedy"])
        print(f"{SPLIT}: {with_interval(parts)} %, above greedy: {with_interval(apart.tolist())}")
        gaps[asked.policy[0]][SPLIT] = parts
    if asked.card:
        write_card(asked.card, asked, rows, gaps[asked.policy[0]])
    if asked.out:
        made = {"cases": [(c.kind, c.vehicles, c.seed) for c in rows], "gap_percent": gaps}
        asked.out.write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
