"""Working hours in cities: the neighbourhood search against OR-Tools on the same problems.

    python benchmarks/hours.py [--cities helsinki ...] [--instances 20] [--stops 50 100]
                               [--limits 1 5 10] [--methods auto ortools] [--results hours.jsonl]
                               [--seconds 300]

Stops are open in the morning, in the afternoon, or both, with time between the two; drivers take a
break around noon and drive no longer than a limit; every other instance has open routes. What was
measured is in the file of results and not measured again: the command can be ended, by `--seconds`
too, and begun once more. Gaps are to the best answer that any method found to an instance in the
same time; an answer without all stops has none and counts as lost.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

import nco
from nco import Break, Problem
from nco.solve import solver
from nco.solver import Prepares
from nco.stats import interval
from nco.threads import one_thread
from nco.versions import machine, version_of

FIRST_SEED = 7300  # of the instances
MORNING, AFTERNOON = (8 * 3600.0, 11 * 3600.0), (14 * 3600.0, 17 * 3600.0)
SHIFT = (7 * 3600.0, 18 * 3600.0)
NOON = Break(window_s=(11.5 * 3600.0, 13 * 3600.0), length_s=45 * 60.0)
COFFEE = Break(window_s=(14.5 * 3600.0, 16 * 3600.0), length_s=15 * 60.0)
MOST_DRIVING_S, SERVICE_S = 4 * 3600.0, 480.0

Key = tuple[str, int, int, float, str]
"""City, stops, number of the instance, limit, method."""


@cache
def instance(city: str, stops: int, number: int) -> Problem:
    """The instance of a number."""
    plain = nco.sample.rcvrp(nco.city(city), stops, seed=FIRST_SEED + number)
    rng = np.random.default_rng(FIRST_SEED + number)
    windows = np.tile([0.0, np.inf], (plain.size, 1))
    more: dict[int, tuple[tuple[float, float], ...]] = {}
    for j in plain.stops:
        draw = rng.random()
        if draw < 0.7:
            windows[j] = MORNING if draw < 0.5 else AFTERNOON
        if draw < 0.35:
            more[j] = (AFTERNOON,)
    service = np.full(plain.size, SERVICE_S)
    service[: plain.depots] = 0.0
    vehicle = replace(
        plain.vehicles[0],
        shift_s=SHIFT,
        breaks=(NOON, COFFEE),
        max_driving_s=MOST_DRIVING_S,
        open_end=number % 2 == 1,
    )
    return replace(
        plain,
        window_s=windows,
        more_windows_s=more,
        service_s=service,
        vehicles=(vehicle,) * len(plain.vehicles),
    )


def measure(key: Key) -> float:
    """What the answer costs, `nan` where it leaves stops out."""
    city, stops, number, limit_s, name = key
    problem, method = instance(city, stops, number), solver(name)
    if isinstance(method, Prepares):
        method.prepare(problem)
    found = nco.solve(problem, name, time_limit_s=limit_s, seed=1)
    report = nco.check(problem, found)
    assert report.feasible == found.feasible, str(report)
    return found.cost.total if found.feasible else float("nan")


def table(costs: dict[Key, float], given: argparse.Namespace) -> None:
    """Prints gaps with intervals, and who won how often."""
    for stops in given.stops:
        for limit in given.limits:
            rows = [
                [costs.get((city, stops, n, limit, m), np.inf) for m in given.methods]
                for city in given.cities
                for n in range(given.instances)
            ]
            known = [row for row in rows if np.inf not in row]
            cost = np.array(known, float).reshape(-1, len(given.methods))
            answered = cost[np.isfinite(cost).any(axis=1)]
            if not len(answered):
                continue
            gap = 100 * (answered / np.nanmin(answered, axis=1, keepdims=True) - 1)
            print(f"{stops} stops, {limit:g} s, {len(cost)} instances")
            for m, name in enumerate(given.methods):
                own = gap[np.isfinite(gap[:, m]), m]
                ends = interval(own.tolist())
                shown = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
                mean = f"{own.mean():.2f}{shown} %" if len(own) else "none"
                wins = int((gap[:, m] <= 1e-6).sum())
                missing = int(np.isnan(cost[:, m]).sum())
                print(f"  {name:10} mean gap {mean}, best in {wins}, stops left out in {missing}")


def main() -> None:
    """Measures what is missing, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cities", nargs="+", default=["helsinki"], help="names or extracts")
    parser.add_argument("--instances", type=int, default=20, help="of each city and size")
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 5.0, 10.0])
    parser.add_argument("--methods", nargs="+", default=["auto", "ortools"])
    parser.add_argument("--results", type=Path, default=Path("hours.jsonl"))
    parser.add_argument("--seconds", type=float, default=np.inf, help="of measuring, at most")
    given = parser.parse_args()
    one_thread()
    begin_s, costs = time.perf_counter(), dict[Key, float]()
    if given.results.exists():
        for line in given.results.read_text().splitlines():
            row = json.loads(line)
            costs[tuple(row["key"])] = row["cost"]
    with given.results.open("a") as results:
        for key in (
            (city, stops, number, limit, method)
            for number in range(given.instances)
            for city in given.cities
            for stops in given.stops
            for limit in given.limits
            for method in given.methods
        ):
            if key in costs:
                continue
            if time.perf_counter() - begin_s + key[3] > given.seconds:
                break
            costs[key] = measure(key)
            print(json.dumps({"key": key, "cost": costs[key]}), file=results, flush=True)
    print(f"{machine()}; {version_of('ortools')}; limits {given.limits} s")
    table(costs, given)


if __name__ == "__main__":
    main()
