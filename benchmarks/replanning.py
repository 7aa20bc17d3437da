"""How well and how soon a day is planned again, with a busy morning behind it.

    python benchmarks/replanning.py [--city helsinki] [--stops 500] [--windows] [--events 10]
                                    [--plan-s 10] [--limits 0.2 1 10] [--others 2]

The day is planned once. When 30 % of the stops are begun, 20 stops are added, 10 cancelled, 5
moved, and a vehicle drops out; the planner has 200 ms. Every event is another one on the same
morning, in a planner of its own. "all in" counts everything: rows of the matrices, the rest, the
search, the times; "rows before" asks for the rows when the news come, before the clock. Both are
compared with cheapest insertion into the old plan and, for the first events, with methods that
solve the same rest from scratch. Costs are those of checked solutions of
the rest; a stop that is left out costs four of its longest arcs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import nco
from nco.planner import Plan, Planner
from nco.problem import Problem
from nco.problem.solution import Solution
from nco.search.lns.solver import LNS
from nco.threads import one_thread
from nco.versions import machine, version_of

SEED = 4200  # of the instance, and of the first event
BEHIND = 0.3  # share of the stops that are begun
ADDED, CANCELLED, MOVED = 20, 10, 5
INSERTION = LNS("insertion", max_iterations=0)
INSERTION_S = 5.0  # which it does not need
UNSERVED = 4.0  # longest arcs
OTHERS = ("pyvrp", "lns", "auto")


def morning(
    problem: Problem, city: nco.City, first: Solution, now_s: float, method: str | LNS = "auto"
) -> Planner:
    """A planner on its first plan at a time."""
    planner = Planner(problem, city=city, method=method)
    planner.adopt(first)
    planner.advance(now_s)
    return planner


def happen(planner: Planner, plan: Plan, problem: Problem, city: nco.City, seed: int) -> None:
    """Tells a planner the news: others for every seed."""
    rng = np.random.default_rng(seed)
    changed = rng.permutation(planner.waiting).tolist()
    points = city.sample(ADDED + MOVED, seed)
    closing = float(problem.window_s[0, 1])
    for k, j in enumerate(rng.choice(problem.stops, ADDED)):
        # As another stop, but later: a window that a vehicle from the depot can meet.
        length = float(np.diff(problem.window_s[j])[0])
        window = (0.0, closing)
        if np.isfinite(length):
            far = float(problem.profiles[0].duration_s.max())
            room = max(0.0, closing - planner.now_s - 2 * far - length - problem.service_s[j])
            opens = planner.now_s + far + rng.uniform(0, 1) * room
            window = (opens, opens + length)
        planner.add(
            f"new {k}",
            points[k],
            demand=problem.demand[j].tolist(),
            window_s=window,
            service_s=float(problem.service_s[j]),
        )
    for name in changed[:CANCELLED]:
        planner.cancel(name)
    for k, name in enumerate(changed[CANCELLED : CANCELLED + MOVED]):
        planner.move(name, points[ADDED + k])
        planner.change(name, window_s=(0.0, closing))
    out = [
        r.vehicle for r in plan.routes if r.calls[0].start_s < planner.now_s < r.calls[-1].start_s
    ]
    planner.drop_vehicle(int(rng.choice(out)))


def replanned(planner: Planner, limit_s: float, *, rows_before: bool) -> tuple[Plan, float, float]:
    """The plan, milliseconds for rows and the rest, and milliseconds on the clock."""
    begin = time.perf_counter()
    assert planner.rest is not None
    rows_s = time.perf_counter() - begin
    plan = planner.replan(limit_s if rows_before else max(limit_s - rows_s, 1e-3))
    whole_s = time.perf_counter() - begin - (rows_s if rows_before else 0.0)
    assert plan.rest is not None and plan.solution is not None
    cost_of(plan.rest, plan.solution)
    return plan, 1000 * rows_s, 1000 * whole_s


def cost_of(rest: Problem, found: Solution) -> float:
    """Of a solution that breaks nothing, stops left out priced at twice the way there and back."""
    assert {finding.kind for finding in nco.check(rest, found).findings} <= {"unserved"}
    metres = rest.profiles[0].distance_m
    return found.cost.total + len(found.unassigned) * UNSERVED * metres[np.isfinite(metres)].max()


def main() -> None:
    """Plan, drive, plan again, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--city", default="helsinki", help="name, or an extract")
    parser.add_argument("--stops", type=int, default=500)
    parser.add_argument("--windows", action="store_true", help="RCVRPTW; otherwise RCVRP")
    parser.add_argument("--events", type=int, default=10)
    parser.add_argument("--plan-s", type=float, default=10.0)
    parser.add_argument("--replan-s", type=float, default=0.2)
    parser.add_argument("--limits", type=float, nargs="*", default=[0.2, 1.0, 10.0])
    parser.add_argument("--others", type=int, default=2, help="events that other methods solve")
    given = parser.parse_args()
    one_thread()
    path = Path(given.city)
    city = nco.City.from_file(path) if path.exists() else nco.city(given.city)
    draw = nco.sample.rcvrptw if given.windows else nco.sample.rcvrp
    problem = draw(city, given.stops, seed=SEED)
    print(f"{machine()}; {version_of('lns')}; {version_of('pyvrp')}; one thread; {problem.name}")
    first = Planner(problem, city=city).plan(given.plan_s)
    print(first)
    assert first.solution is not None
    starts = [call.start_s for route in first.routes for call in route.calls]
    now_s = float(np.quantile(starts, BEHIND))
    costs: dict[str, list[float]] = {}
    left_out: dict[str, list[int]] = {}
    walls: dict[str, list[float]] = {"all in": [], "rows before": [], "rows and rest": []}
    for event in range(given.events + 1):
        made: dict[str, Plan] = {}
        for name, method in (("insertion", INSERTION), ("all in", "auto"), ("rows before", "auto")):
            planner = morning(problem, city, first.solution, now_s, method)
            happen(planner, first, problem, city, SEED + event)
            limit_s = INSERTION_S if name == "insertion" else given.replan_s
            plan, rows_ms, wall_ms = replanned(planner, limit_s, rows_before=name != "all in")
            made[name] = plan
            if event and name in walls:
                walls[name].append(wall_ms)
                walls["rows and rest"].append(rows_ms)
        if not event:
            continue  # the first one is for warming up
        for name, plan in made.items():
            assert plan.rest is not None and plan.solution is not None
            costs.setdefault(name, []).append(cost_of(plan.rest, plan.solution))
            left_out.setdefault(name, []).append(len(plan.unassigned))
        rest = made["all in"].rest
        assert rest is not None
        for limit in given.limits if event <= given.others else ():
            for other in OTHERS:
                found = nco.solve(rest, other, time_limit_s=limit, seed=event)
                name = f"{other} at {limit:g} s"
                costs.setdefault(name, []).append(cost_of(rest, found))
                left_out.setdefault(name, []).append(len(found.unassigned))
    base = np.array(costs["rows before"])
    print(f"\ncost of the rest over that of 200 ms with rows before, %, {given.events} events")
    for name, values in costs.items():
        excess = 100 * (np.array(values) / base[: len(values)] - 1)
        between = f"from {excess.min():+6.2f} to {excess.max():+6.2f} ({len(values)} events)"
        print(f"{name:<16} mean {excess.mean():+6.2f}, {between}, {sum(left_out[name])} left out")
    for name, values in walls.items():
        print(f"{name:<16} {np.median(values):5.0f} ms median, {max(values):5.0f} ms at most")


if __name__ == "__main__":
    main()
