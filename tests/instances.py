"""Tiny named instances and hypothesis strategies that several test files share."""

import contextlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from nco import (
    Break,
    DifferentVehicles,
    Group,
    Objective,
    Precedence,
    Problem,
    Profile,
    Rest,
    Route,
    SameVehicle,
    Sequence,
    Shipment,
    Vehicle,
)
from nco.errors import ProblemError

# Helsinki, Sydney, San Francisco, the ends of the world: longitudes beyond 90, both signs of both.
PLACES = np.array([[24.9, 60.1], [151.2, -33.9], [-122.4, 37.7], [179.97, 89.97], [-180.0, -90.0]])


def directed(n: int, seed: int = 0, low: float = 100.0, high: float = 2000.0) -> np.ndarray:
    """`[n, n]` directed matrix without structure: no symmetry, no triangle inequality."""
    matrix = np.random.default_rng(seed).uniform(low, high, (n, n)).round(3)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def line_of_four() -> Problem:
    """Depot and three stops on a line, 100 m apart, two vehicles that carry 2 of demand 1 each."""
    position = np.arange(4) * 100.0
    distance = np.abs(position[:, None] - position[None])
    return Problem.from_matrices(
        distance, distance / 10, demand=[0, 1, 1, 1], capacity=2, vehicles=2, name="line_of_four"
    )


def early_and_late() -> Problem:
    """Two stops 100 s from everything: one opens at 500 s, one closes at 100 s."""
    duration = np.full((3, 3), 100.0)
    np.fill_diagonal(duration, 0.0)
    return Problem.from_matrices(
        duration * 10,
        duration,
        window_s=[[0, np.inf], [500, 600], [0, 100]],
        service_s=[0, 50, 50],
        vehicles=1,
        objective=Objective(distance=0, duration=1),
        name="early_and_late",
    )


def one_way_street() -> Problem:
    """A cheap directed circle 0 -> 1 -> 2 -> 3 -> 0; against it, ten times the distance."""
    distance = np.full((4, 4), 1000.0)
    for i in range(4):
        distance[i, (i + 1) % 4] = 100.0
    np.fill_diagonal(distance, 0.0)
    return Problem.from_matrices(distance, distance / 10, name="one_way_street")


@st.composite
def problems(draw: st.DrawFn, max_stops: int = 6, *, rich: bool = True) -> Problem:
    """Random problems; `rich` ones use every field that a problem has."""
    stops = draw(st.integers(1, max_stops))
    depots = draw(st.integers(1, 2)) if rich else 1
    n = stops + depots
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dimensions = draw(st.integers(0, 2)) if rich else 1
    is_stop = np.arange(n) >= depots
    demand = rng.integers(0, 10, (n, dimensions)) * is_stop[:, None]
    profiles = []
    for name in ("car", "bicycle")[: draw(st.integers(1, 2)) if rich else 1]:
        distance = directed(n, int(rng.integers(1 << 31)))
        duration = distance / rng.uniform(3, 15, (n, n))
        if rich and draw(st.booleans()):
            gap = rng.random((n, n)) < 0.1
            np.fill_diagonal(gap, val=False)
            distance[gap] = duration[gap] = np.inf
        profiles.append(Profile(name=name, distance_m=distance, duration_s=duration))
    start = rng.uniform(0, 1000, n).round(1)
    length = rng.uniform(0, 2000, n).round(1)
    windows = np.stack([start, start + length], axis=1)
    windows[rng.random(n) < 0.5] = (0, np.inf)
    vehicles = []
    for v in range(draw(st.integers(1, 3))):
        home = int(rng.integers(depots))
        trips = int(rng.integers(1, 4)) if rich else 1
        vehicles.append(
            Vehicle(
                name=f"v{v}",
                capacity=tuple(float(c) for c in rng.integers(9, 30, dimensions)),
                start=home,
                end=home if trips > 1 else int(rng.integers(depots)),
                shift_s=_shift(rng),
                profile=int(rng.integers(len(profiles))),
                fixed_cost=float(rng.integers(0, 100)),
                cost_per_m=float(rng.integers(0, 3)),
                cost_per_s=float(rng.integers(0, 3)),
                max_trips=trips,
                allowed=rng.random(n) < 0.8 if rich and rng.random() < 0.5 else None,
                preference=rng.random(n) * is_stop if rich and rng.random() < 0.5 else None,
            )
            if rich
            else Vehicle(capacity=(30.0,))
        )
    return Problem(
        profiles=tuple(profiles),
        vehicles=tuple(vehicles),
        depots=depots,
        demand=demand,
        window_s=windows if rich else None,
        service_s=rng.integers(0, 300, n) * is_stop if rich else None,
        prize=np.where(rng.random(n) < 0.3, 500.0, np.inf) if rich else None,
        objective=_objective(rng) if rich else Objective(),
        lonlat=PLACES[rng.integers(len(PLACES))] + rng.random((n, 2)) / 50,
        names=tuple(f"node {k}" for k in range(n)),
        name="random",
    )


def _shift(rng: np.random.Generator) -> tuple[float, float]:
    """Some begin when most windows have closed, some end when few have opened."""
    begin = float(rng.integers(0, 500) if rng.random() < 0.7 else rng.integers(500, 3000))
    return begin, begin + float(rng.integers(800, 6000))


def _objective(rng: np.random.Generator) -> Objective:
    """Weights of all parts, each of them 0 now and then."""
    weights = {
        "distance": (1.0, 1.0, 0.5, 0.0),
        "duration": (0.0, 1.0, 2.0),
        "fixed": (1.0, 3.0, 0.0),
        "preference": (100.0, 1.0, 0.0),
        "unserved": (1.0, 2.0, 0.0),
        "longest_route": (0.0, 0.0, 1.0, 2.0),
    }
    drawn = {name: float(rng.choice(values)) for name, values in weights.items()}
    return Objective(**drawn, longest_by=str(rng.choice(["distance", "duration"])))


@st.composite
def problems_with_routes(draw: st.DrawFn) -> tuple[Problem, tuple[Route, ...]]:
    """A rich problem and routes that may break any rule but those on numbers."""
    problem = draw(problems())
    stops = st.lists(st.sampled_from(list(problem.stops)), max_size=6)
    vehicles = st.integers(0, len(problem.vehicles) - 1)
    pairs = draw(st.lists(st.tuples(vehicles, stops), max_size=4))
    return problem, tuple(Route(v, tuple(trip)) for v, trip in pairs)


RULES = (
    "pickups", "backhauls", "shipments", "groups", "releases", "limits", "open", "skills", "speeds",
    "service", "handling", "sequences", "ties", "fewest", "hours", "pauses", "traffic",
    "priorities", "reloads", "peaks", "notes", "overtime",
)  # fmt: skip


class Unit(NamedTuple):
    """What drawn seconds and metres are multiplied by, so that they suit a problem's ways."""

    s: float = 1.0
    m: float = 1.0


@st.composite
def ruled_problems(
    draw: st.DrawFn,
    max_stops: int = 6,
    rules: tuple[str, ...] = RULES,
    always: frozenset[str] = frozenset(),
) -> Problem:
    """Rich problems with rules beyond loads, windows and trips, some of them at a time."""
    problem = draw(problems(max_stops))
    asked = draw(st.sets(st.sampled_from(rules), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return with_rules(problem, asked | always, rng)


def with_rules(problem: Problem, asked: set[str], rng: np.random.Generator) -> Problem:
    """A problem with drawn fields of the rules that are asked for."""
    return replace(problem, **rule_fields(problem, asked, rng))


def rule_fields(
    problem: Problem, asked: set[str], rng: np.random.Generator, unit: Unit | None = None
) -> dict[str, object]:
    """The drawn fields, which may contradict others of a problem that is not one of `problems`."""
    unit = unit or Unit()
    n, stops = problem.size, list(problem.stops)
    is_stop = np.arange(n) >= problem.depots
    fields: dict[str, object] = {}
    free = [int(j) for j in rng.permutation(stops)]
    if asked & {"pickups", "backhauls"}:
        fields |= _with_pickups(problem, rng, is_stop, backhauls="backhauls" in asked)
    if "shipments" in asked:
        fields |= _with_shipments(problem, rng, free)
    if "groups" in asked and free:
        cut = int(rng.integers(1, len(free) + 1))
        members = tuple(free[:cut])
        fields["groups"] = (Group(stops=members, prize=float(rng.choice([np.inf, 300.0, 0.0]))),)
    if "releases" in asked:
        waits = np.where(is_stop & (rng.random(n) < 0.5), rng.uniform(0, 1500, n), 0)
        fields["release_s"] = waits * unit.s
    if "skills" in asked:
        words = np.array(["cold", "lift", "key"])
        fields["skills"] = {
            j: frozenset(words[rng.random(3) < 0.3].tolist()) for j in stops if rng.random() < 0.5
        }
    fields["priority"] = rng.integers(0, 3, n) * is_stop * ("priorities" in asked)
    fewest = {"fewest_vehicles": "fewest" in asked}
    fields["objective"] = replace(problem.objective, **fewest, **_peaks(asked, rng))
    ties = _ties(asked, rng, stops, free)
    if ties:
        fields |= _with_ties(replace(problem, **fields), ties)
    if "handling" in asked:
        fields |= _with_setup(problem, rng, is_stop, unit)
    if "hours" in asked:
        fields |= _with_hours(problem, rng, is_stop, unit)
    if "traffic" in asked:
        fields["profiles"] = _in_traffic(fields.get("profiles", problem.profiles), rng, unit)
    if "notes" in asked:
        fields |= _with_notes(
            replace(problem, profiles=fields.get("profiles", problem.profiles)), rng
        )
    vehicles = [_with_rules(vehicle, asked, rng, is_stop, unit) for vehicle in problem.vehicles]
    return fields | {"vehicles": tuple(vehicles)}


def _peaks(asked: set[str], rng: np.random.Generator) -> dict[str, float]:
    """Weights of what rules add to the objective; where times are chosen, not of the makespan."""
    leg, makespan = rng.choice([0.0, 1.0, 3.0], 2) * ("peaks" in asked)
    chosen = bool(asked & {"hours", "pauses", "overtime", "traffic"})
    weights = {"longest_leg": float(leg), "makespan": 0.0 if chosen else float(makespan)}
    if "hours" in asked:
        weights["soft_windows"] = float(rng.choice([1.0, 1.0, 0.0, 0.1]))
    if asked & {"pauses", "overtime"}:
        weights["overtime"] = float(rng.choice([1.0, 1.0, 0.0, 10.0]))
    return weights


def _with_shipments(problem: Problem, rng: np.random.Generator, free: list[int]) -> dict:
    """Shipments between stops that nothing else ties, and prizes that go with them."""
    prize, shipments = problem.prize.copy(), []
    for _ in range(int(rng.integers(1, 1 + max(1, len(free) // 2)))):
        if len(free) >= 2:
            pair = free.pop(), free.pop()
            prize[list(pair)] = prize[pair[0]]
            amount = tuple(float(a) for a in rng.integers(0, 9, problem.dimensions))
            shipments.append(Shipment(pickup=pair[0], delivery=pair[1], amount=amount))
    return {"shipments": tuple(shipments), "prize": prize}


def _with_pickups(
    problem: Problem, rng: np.random.Generator, is_stop: np.ndarray, *, backhauls: bool
) -> dict:
    """Stops that give something; after everything is delivered, where that is asked for."""
    gives = is_stop & (rng.random(problem.size) < 0.6)
    pickup = rng.integers(0, 9, problem.demand.shape) * gives[:, None]
    fields: dict[str, object] = {"pickup": pickup, "linehauls_first": backhauls}
    if backhauls:
        fields["demand"] = np.where(pickup.any(axis=1, keepdims=True), 0.0, problem.demand)
    return fields


def _ties(asked: set[str], rng: np.random.Generator, stops: list[int], free: list[int]) -> tuple:
    """Sequences of stops that nothing else ties, and ties of any."""
    found: list[object] = []
    if "sequences" in asked:
        while len(free) >= 2 and (not found or rng.random() < 0.5):
            size = int(rng.integers(2, min(3, len(free)) + 1))
            found.append(Sequence(stops=tuple(free.pop() for _ in range(size))))
    if "ties" in asked and len(stops) > 1:
        for kind in (SameVehicle, DifferentVehicles, Precedence):
            if rng.random() < 0.5:
                size = int(rng.integers(2, min(3, len(stops)) + 1))
                found.append(kind(stops=tuple(int(j) for j in rng.permutation(stops)[:size])))
    return tuple(found)


def _with_ties(problem: Problem, ties: tuple) -> dict:
    """Ties without those that contradict the ones before them, and prizes that go with them."""
    prize, kept = problem.prize.copy(), ()
    for tie in ties:
        if tie.whole:
            prize[list(tie.stops)] = prize[tie.stops[0]]
    for tie in ties:
        with contextlib.suppress(ProblemError):
            kept = replace(problem, prize=prize, ties=(*kept, tie)).ties
    return {"ties": kept, "prize": prize}


def _with_notes(problem: Problem, rng: np.random.Generator) -> dict:
    """What no solver reads: words, a clock, a plane, and why nobody gets to a stop."""
    ways = np.array([np.isfinite(profile.distance_m) for profile in problem.profiles])
    for matrix in ways:
        np.fill_diagonal(matrix, val=False)
    lost = [j for j in problem.stops if not ways[:, :, j].any()]
    return {
        "details": {j: {"phone": f"0{j}"} for j in problem.stops if rng.random() < 0.5},
        "off_street": dict.fromkeys(lost, "in the sea"),
        "moved_m": rng.uniform(0, 300, problem.size),
        "xy": rng.random((problem.size, 2)),
        "times": str(rng.choice(["numbers", "clock", "unix"])),
        "name": "noted",
    }


def _with_setup(
    problem: Problem, rng: np.random.Generator, is_stop: np.ndarray, unit: Unit
) -> dict:
    """Set-up times, and now and then two stops at one place."""
    setup_s = rng.integers(0, 300, problem.size) * is_stop * unit.s
    fields: dict[str, object] = {"setup_s": setup_s}
    if rng.random() < 0.5 and len(problem.stops) > 1:
        pair = problem.stops[0], problem.stops[1]
        fields["profiles"] = tuple(_together(p, *pair) for p in problem.profiles)
    return fields


def _with_hours(
    problem: Problem, rng: np.random.Generator, is_stop: np.ndarray, unit: Unit
) -> dict:
    """Further windows of stops, and windows that may be missed at a price."""
    windows = {}
    for j in problem.stops:
        closes = float(problem.window_s[j, 1])
        if np.isfinite(closes) and rng.random() < 0.6:
            opens = closes + float(rng.integers(1, 500)) * unit.s
            windows[j] = ((opens, opens + float(rng.integers(0, 400)) * unit.s),)
    begins = rng.integers(0, 2000, problem.size)
    rates = rng.choice([0.0, 0.3, 2.0], (2, problem.size)) * is_stop
    return {
        "more_windows_s": windows,
        "soft_window_s": unit.s
        * np.stack([begins, begins + rng.integers(0, 600, problem.size)], axis=1),
        "early_per_s": rates[0],
        "late_per_s": rates[1],
    }


def _in_traffic(
    profiles: tuple[Profile, ...], rng: np.random.Generator, unit: Unit
) -> tuple[Profile, ...]:
    begins = (np.cumsum(rng.integers(50, 800, 2)) * unit.s).tolist()
    traffic = tuple(zip(begins, rng.choice([0.5, 0.8, 1.5], 2).tolist(), strict=True))
    return tuple(replace(profile, traffic=traffic) for profile in profiles)


def _with_pauses(rng: np.random.Generator, unit: Unit) -> dict:
    """Breaks, a rest after so much driving, and overtime, some of them."""
    fields: dict[str, object] = {}
    if rng.random() < 0.7:
        opens = float(rng.integers(0, 1500)) * unit.s
        closes = opens + rng.integers(0, 900) * unit.s
        first = Break(window_s=(opens, closes), length_s=rng.integers(1, 300) * unit.s)
        fields["breaks"] = (first,)
        if rng.random() < 0.3:
            later, length = first.window_s[1] + first.length_s, 100 * unit.s
            second = Break(window_s=(later, later + 500 * unit.s), length_s=length)
            fields["breaks"] = (first, second)
    if rng.random() < 0.4:
        driven = rng.integers(150, 900) * unit.s
        fields["rest"] = Rest(after_driving_s=driven, length_s=rng.integers(1, 300) * unit.s)
    return fields | (_with_overtime(rng, unit) if rng.random() < 0.5 else {})


def _with_overtime(rng: np.random.Generator, unit: Unit) -> dict:
    return {
        "overtime_after_s": float(rng.integers(500, 3000)) * unit.s,
        "cost_per_overtime_s": float(rng.choice([0.5, 3.0])),
    }


def _together(profile: Profile, i: int, j: int) -> Profile:
    """A profile in which stop j is where stop i is."""
    matrices = {}
    for name in ("distance_m", "duration_s"):
        matrix = getattr(profile, name).copy()
        matrix[j], matrix[:, j] = matrix[i], matrix[:, i]
        matrix[i, j] = matrix[j, i] = matrix[j, j] = 0.0
        matrices[name] = matrix
    return replace(profile, **matrices)


def _with_rules(
    vehicle: Vehicle, asked: set[str], rng: np.random.Generator, is_stop: np.ndarray, unit: Unit
) -> Vehicle:
    fields: dict[str, object] = {}
    if "reloads" in asked:
        depots = np.arange(len(is_stop) - is_stop.sum())
        again = rng.permutation(depots)[: rng.integers(1, len(depots) + 1)].tolist()
        fields |= {"reload_at": tuple(again), "max_trips": int(rng.integers(1, 4))}
        fields |= {"start": int(rng.choice(depots)), "end": int(rng.choice(depots))}
    if "limits" in asked:
        limits = {
            "max_duration_s": float(rng.uniform(300, 4000)) * unit.s,
            "max_distance_m": float(rng.uniform(1000, 8000)) * unit.m,
            "max_driving_s": float(rng.uniform(200, 1500)) * unit.s,
            "max_stops": int(rng.integers(1, 5)),
        }
        fields |= {name: value for name, value in limits.items() if rng.random() < 0.5}
    if "open" in asked:
        fields |= {"open_start": bool(rng.random() < 0.5), "open_end": bool(rng.random() < 0.5)}
    if "skills" in asked:
        words = np.array(["cold", "lift", "key", "forklift"])
        fields["skills"] = frozenset(words[rng.random(4) < 0.6].tolist())
    if "speeds" in asked:
        fields["speed"] = float(rng.choice([0.5, 1.0, 1.7]))
    if "pauses" in asked:
        fields |= _with_pauses(rng, unit)
    if "overtime" in asked:
        fields |= _with_overtime(rng, unit)
    if "service" in asked and rng.random() < 0.7:
        fields["service_s"] = rng.integers(0, 400, len(is_stop)) * is_stop * unit.s
    if "handling" in asked and rng.random() < 0.7:
        for name in ("loading_s", "unloading_s"):
            fields[name] = float(rng.integers(0, 200)) * unit.s
    if "notes" in asked:
        fields |= {"details": {"plate": str(rng.integers(1000))}, "name": "noted"}
    return replace(vehicle, **fields)


@st.composite
def ruled_problems_with_routes(
    draw: st.DrawFn, rules: tuple[str, ...] = RULES
) -> tuple[Problem, tuple[Route, ...]]:
    """A problem with rules and routes that keep some of them, and break any."""
    problem = draw(ruled_problems(rules=rules))
    stops = draw(st.permutations(list(problem.stops)))
    order = list(stops)
    for shipment in problem.shipments if draw(st.booleans()) else ():
        order.remove(shipment.delivery)
        order.insert(order.index(shipment.pickup) + 1, shipment.delivery)
    for tie in problem.ties if draw(st.booleans()) else ():
        if tie.whole:
            order = [j for j in order if j not in tie.stops[1:]]
            order[order.index(tie.stops[0]) + 1 : 0] = tie.stops[1:]
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    vehicles = st.integers(0, len(problem.vehicles) - 1)
    trips = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    kept = [trip for trip in trips if trip and draw(st.booleans() | st.just(True))]
    depots = st.sampled_from([None, *range(problem.depots)])
    drawn = [Route(draw(vehicles), tuple(trip), draw(depots)) for trip in kept]
    # Not any depot, but one of the vehicle's own more often than not.
    own = [problem.vehicles[route.vehicle].reloads for route in drawn]
    return problem, tuple(
        route if route.reload_at in may or draw(st.integers(0, 4)) == 0
        else replace(route, reload_at=None)
        for route, may in zip(drawn, own, strict=True)
    )  # fmt: skip
