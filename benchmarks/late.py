"""Does `auto` keep its limits, whatever the size, the fleet and the limit?

    python benchmarks/late.py [--runs 200] [--first 0] [--limits 0.05 0.1 0.25 0.5 1 2 5]

Each run draws a size, a fleet, what the problem asks for, and a limit, all from the number of the
run; those from 200 on draw newer kinds of problems as well. Late is what takes more than 10 % +
50 ms too long, by the clock and by the time of the processor: on a busy machine the first alone
says nothing. A run is loaded before its limit begins.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np

import nco
from nco import Break, Group, Objective, Problem, Shipment, Vehicle
from nco.fleet.reductions.reduced import reduced
from nco.solve import solver
from nco.solver import Prepares
from nco.threads import one_thread
from nco.versions import machine

SIZES = (10, 50, 100, 200, 350, 500, 1000)
ASKED = (
    "plain", "windows", "optional", "mixed", "trips", "longest", "trips, longest", "shipments",
    "groups", "several windows", "breaks", "several windows, breaks", "reloads", "open ends",
    "makespan", "shipments, several windows",
)  # fmt: skip
OLD = 7  # of them, which runs below `NEWER` draw from
NEWER = 200
DAY_S = 12 * 3600.0
SPARE, GRACE_S = 1.1, 0.05


def drawn(number: int, rng: np.random.Generator) -> tuple[str, Problem]:
    """A problem in the plane with streets of both directions, and what it is, in words."""
    known = ASKED[:OLD] if number < NEWER else ASKED
    stops, asked = int(rng.choice(SIZES)), str(rng.choice(known))
    size = stops + 1
    xy = rng.uniform(0, 10_000, (size, 2))
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    metres *= rng.uniform(1.0, 1.5, (size, size))
    np.fill_diagonal(metres, 0.0)
    demand = np.r_[0, rng.integers(1, 10, stops)].astype(float)
    room = float(rng.choice([10, 40, 100, 400]))
    needed = int(np.ceil(demand.sum() / room))
    # Far too many vehicles, a few to spare, or hardly enough.
    vehicles = int(rng.choice([stops, int(1.3 * needed) + 1, needed + 1]))
    fleet = [Vehicle(capacity=(room,))] * vehicles
    fields: dict[str, object] = {"demand": demand}
    if asked == "windows":
        opens = rng.uniform(0, 6 * 3600, size)
        closes = opens + rng.uniform(1800, 4 * 3600, size)
        fields["window_s"] = np.stack([opens, closes], 1)
        fields["window_s"][0] = (0.0, 12 * 3600.0)  # type: ignore[index]
    if asked == "optional":
        fields["prize"] = np.where(rng.random(size) < 0.5, rng.uniform(0, 5000, size), np.inf)
    if asked == "mixed":
        rooms, rates = rng.uniform(0.5, 2.0, vehicles), rng.uniform(0.5, 2.0, vehicles)
        fleet = [
            Vehicle(capacity=(max(10.0, room * a),), cost_per_m=b, fixed_cost=100 * a)
            for a, b in zip(rooms, rates.round(int(rng.integers(0, 3))), strict=True)
        ]
    if "trips" in asked:
        each = int(rng.integers(2, 5))
        fleet = [Vehicle(capacity=(room,), max_trips=each)] * max(1, -(-vehicles // each))
    if "longest" in asked:
        fields["objective"] = Objective(distance=0.01, longest_route=1.0)
    fleet, more = _asked(asked, rng, size, fleet)
    fields |= more
    problem = Problem.from_matrices(metres, metres / 10, vehicles=fleet, **fields)
    return f"{stops} stops, {len(fleet)} vehicles of {room:g}, {asked}", problem


def _asked(
    asked: str, rng: np.random.Generator, size: int, fleet: list[Vehicle]
) -> tuple[list[Vehicle], dict[str, object]]:
    """The fleet, and further fields, for what the newer kinds of problems ask."""
    fields: dict[str, object] = {}
    stops = rng.permutation(np.arange(1, size)).tolist()
    if "shipments" in asked:
        pairs = zip(stops[::2], stops[1::2], strict=False)
        fields["shipments"] = [Shipment(pickup=a, delivery=b, amount=(3.0,)) for a, b in pairs]
        fields["demand"] = np.zeros(size)
    if "groups" in asked:
        threes = zip(stops[::3], stops[1::3], stops[2::3], strict=False)
        fields["groups"] = [Group(stops=three) for three in threes]
    if "several windows" in asked:
        opens = rng.uniform(0, DAY_S / 3, size)
        fields["window_s"] = np.stack([opens, opens + 3600], 1)
        fields["window_s"][0] = (0.0, DAY_S)  # type: ignore[index]
        fields["more_windows_s"] = {
            j: [(opens[j] + DAY_S / 3, opens[j] + DAY_S / 2)] for j in stops[: size // 2]
        }
    changes: dict[str, object] = {}
    if "breaks" in asked:
        pause = Break(window_s=(DAY_S / 3, DAY_S / 2), length_s=1800.0)
        changes |= {"breaks": (pause,), "shift_s": (0.0, DAY_S)}
    if "reloads" in asked:
        changes |= {"max_trips": 3, "reload_at": (0,), "loading_s": 600.0, "shift_s": (0.0, DAY_S)}
    if "open ends" in asked:
        changes |= {"open_end": True, "max_stops": int(rng.integers(5, 40))}
    if "makespan" in asked:
        fields["objective"] = Objective(distance=0.01, makespan=1.0)
    return [replace(vehicle, **changes) for vehicle in fleet] if changes else fleet, fields


def main() -> None:
    """Solve, print what is late, and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument(
        "--limits", type=float, nargs="+", default=[0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0]
    )
    parser.add_argument("--verbose", action="store_true", help="print every run")
    given = parser.parse_args()
    one_thread()
    method, late, most = solver("auto"), 0, 0.0
    print(f"{machine()}; runs {given.first} to {given.first + given.runs - 1}", flush=True)
    for number in range(given.first, given.first + given.runs):
        rng = np.random.default_rng(number)
        what, problem = drawn(number, rng)
        limit_s = float(rng.choice(given.limits))
        if isinstance(method, Prepares):  # by a copy: what is known of the problem is found later
            form = reduced(drawn(number, np.random.default_rng(number))[1], method.supports)
            method.prepare(form.problem)
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        found = nco.solve(problem, method, time_limit_s=limit_s, seed=number)
        took_s = time.perf_counter() - begin_s
        if given.verbose:
            print(f"{number}: {what}, {limit_s:g} s: {took_s:.3f} s", flush=True)
        took_s = min(took_s, time.process_time() - begin_cpu_s)
        assert not found.violations
        beyond = (took_s - limit_s) / (limit_s * (SPARE - 1) + GRACE_S)
        most = max(most, beyond)
        if beyond > 1:
            late += 1
            print(f"run {number}: {what}, {limit_s:g} s: took {took_s:.3f} s", flush=True)
    print(f"{late} of {given.runs} late; at most {100 * most:.0f} % of what is forgiven")
    sys.exit(late > 0)


if __name__ == "__main__":
    main()
