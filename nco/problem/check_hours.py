"""How the checker drives a vehicle whose times are chosen, see `check_times`."""

from __future__ import annotations

import math
from itertools import pairwise

from nco.errors import quoted
from nco.problem.check_parts import (
    add_up,
    check_load,
    check_stop,
    depot_behind,
    goods_ready,
    handled,
)
from nco.problem.check_tally import Clock, Tally, weigh
from nco.problem.check_times import Driver, Place, Timing, place_of
from nco.problem.problem import Problem
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle


def walk_by_hours(
    problem: Problem, solution: Solution, v: int, its_routes: list[int], tally: Tally
) -> None:
    """Drive one vehicle's routes at the times that cost least."""
    vehicle, profile = problem.vehicles[v], problem.profiles[problem.vehicles[v].profile]
    way = [(its_routes[0], vehicle.start)]
    ends = [
        depot_behind(problem, solution, v, its_routes, n, tally) for n in range(len(its_routes))
    ]
    for r, depot in zip(its_routes, ends, strict=True):
        way += [(r, j) for j in (*solution.routes[r].stops, depot)]
        check_load(problem, vehicle, v, r, solution.routes[r].stops, tally)
    metres, drives, last = 0.0, list[float](), len(way) - 2
    beside = list[float]()
    for k, ((_, i), (r, j)) in enumerate(pairwise(way)):
        is_open = (k == 0 and vehicle.open_start) or (k == last and vehicle.open_end)
        drives.append(0.0 if is_open else float(profile.duration_s[i][j]) / vehicle.speed)
        first, final = k == 0 and vehicle.open_start, k == last and vehicle.open_end
        beside.append(handled(problem, vehicle, i, j, from_depot=not first, to_depot=not final))
        tally.legs_m.append(0.0 if is_open else float(profile.distance_m[i][j]))
        tally.legs_s.append(drives[-1])
        metres += tally.legs_m[-1]
        if math.isinf(drives[-1]):
            message = (
                f"route {r}: vehicle {v} cannot get from {quoted(problem.names[i])} "
                f"to {quoted(problem.names[j])}"
            )
            tally.add("unreachable", message, r, j)
        if j >= problem.depots:
            check_stop(problem, vehicle, v, r, j, tally)
    places = [
        place_of(problem, vehicle, j, hours, onward)
        for (_, j), hours, onward in zip(
            way,
            _depot_hours(problem, solution, vehicle, its_routes, ends),
            [*zip(drives, beside, strict=True), (0.0, 0.0)],
            strict=True,
        )
    ]
    timing = _timing(problem, vehicle, places)
    starts = timing.starts
    for k, ((r, j), place, start) in enumerate(zip(way, places, starts, strict=True)):
        clock = Clock(tally.first, start, start - starts[0])
        if k and j < problem.depots and clock.past(vehicle.shift_s[1]):
            late_s = start - vehicle.shift_s[1]
            message = f"route {r}: the vehicle returns {problem.times.during(late_s)} too late"
            tally.add("shift", f"{message} for its shift", r, j)
        nobody = (k == 0 and vehicle.open_start) or (k == len(starts) - 1 and vehicle.open_end)
        if not nobody:
            _check_window(problem, (r, j), place, clock, tally)
        if j >= problem.depots:
            early, late = float(problem.early_per_s[j]), float(problem.late_per_s[j])
            tally.penalty.append(weigh(early, max(0.0, place.soft[0] - start)))
            tally.penalty.append(weigh(late, max(0.0, start - place.soft[1])))
    for k in timing.missed:
        message = f"route {its_routes[-1]}: vehicle {v} does not take its break {k}"
        tally.add("break", message, its_routes[-1])
    late = max(0.0, starts[-1] - vehicle.overtime_after_s)
    tally.overtime.append(weigh(vehicle.cost_per_overtime_s, late))
    add_up(problem, solution, v, its_routes, (metres, sum(drives), starts[-1] - starts[0]), tally)


def _timing(problem: Problem, vehicle: Vehicle, places: list[Place]) -> Timing:
    """The cheapest times, those of the shortest duty where that is limited, or the soonest."""
    driver = Driver(problem, vehicle, places)
    found = None
    if all(math.isfinite(place.drive) for place in places):
        found = driver.cheapest()
    if found is not None and found.starts[-1] - found.starts[0] > vehicle.max_duration_s:
        found = Driver(problem, vehicle, places, priced=False).cheapest()
    return driver.soonest() if found is None else found


def _depot_hours(
    problem: Problem,
    solution: Solution,
    vehicle: Vehicle,
    its_routes: list[int],
    ends: list[int],
) -> list[tuple[float, float]]:
    """When each node on the way may be passed, as far as it is a depot."""

    def opened(depot: int, *, ignored: bool) -> tuple[float, float]:
        if ignored:
            return 0.0, math.inf
        return float(problem.window_s[depot][0]), float(problem.window_s[depot][1])

    first = opened(vehicle.start, ignored=vehicle.open_start)
    ready = goods_ready(problem, solution.routes[its_routes[0]].stops)
    begin = max(first[0], vehicle.shift_s[0], ready)
    latest = max(
        begin, *(t for pair in problem.window_s for t in map(float, pair) if math.isfinite(t)),
        *_other_times(problem, vehicle),
    )  # fmt: skip
    found = [(begin, min(first[1], vehicle.shift_s[1], latest))]
    for n, r in enumerate(its_routes):
        stops, is_last = solution.routes[r].stops, n == len(its_routes) - 1
        found += [(0.0, math.inf)] * len(stops)
        opens, closes = opened(ends[n], ignored=is_last and vehicle.open_end)
        if is_last:
            closes = min(closes, vehicle.shift_s[1])
        else:
            opens = max(opens, goods_ready(problem, solution.routes[its_routes[n + 1]].stops))
        found.append((opens, closes))
    return found


def _other_times(problem: Problem, vehicle: Vehicle) -> list[float]:
    """Hours that are not of windows; nobody leaves later than all of them for any reason."""
    given = [t for pairs in problem.more_windows_s.values() for pair in pairs for t in pair]
    given += [t for b in vehicle.breaks for t in (*b.window_s, b.window_s[0] + b.length_s)]
    given += [float(t) for pair in problem.soft_window_s for t in pair]
    given += [t for profile in problem.profiles for t, _ in profile.traffic]
    given += [sum(b.length_s for b in vehicle.breaks) + b.window_s[0] for b in vehicle.breaks]
    given += [vehicle.overtime_after_s, *map(float, problem.release_s)]
    return [t for t in given if math.isfinite(t)] or [0.0]


def _check_window(
    problem: Problem, where: tuple[int, int], place: Place, clock: Clock, tally: Tally
) -> None:
    """Whether a node is passed before it closes."""
    (r, j), at, during = where, problem.times.at, problem.times.during
    closes = place.windows[-1][1] if j >= problem.depots else float(problem.window_s[j][1])
    if clock.past(closes):
        message = (
            f"route {r}: {quoted(problem.names[j])} is reached at {at(clock.now)}, "
            f"{during(clock.now - closes)} after it closes"
        )
        tally.add("time window", message, r, j)
