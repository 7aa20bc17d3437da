"""Problems that nobody would plan and somebody will send, and what counts as an answer to them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from hypothesis import strategies as st
from instances import PLACES, RULES, Unit, rule_fields

import nco
from nco import Objective, Problem, Profile, Solution, Vehicle
from nco.errors import NcoError, ProblemError
from nco.fleet.reductions.reduced import reduced
from nco.solve import solver as registered
from nco.solver import Prepares, supported

FEW, MANY = 12, 30  # stops
DRAWN = 4  # vehicles, all fields of which are drawn by hypothesis
FAR_S = 1e9  # when windows open that are far in time
RICH = 0.75  # share of problems that ask for more than loads
MOST_RULES = 6  # at a time, that go beyond loads, windows and trips
USUAL_S, USUAL_M = 130.0, 1000.0  # a mean way of the problems that rules are drawn for
LEAST_S = 1e-3  # a mean way beside which times may be far
SPARE, GRACE_S = 1.1, 0.05  # what a time limit may be exceeded by

Floats = np.ndarray


class Chance(Protocol):
    """What decides what is odd about a problem."""

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""

    def flag(self) -> bool:
        """Yes or no."""

    def one_of(self, options: Sequence[Any]) -> Any:
        """One of several."""


@dataclass(frozen=True)
class Drawn:
    """Decided by hypothesis, which can make problems simpler, and draws many of them twice."""

    draw: st.DrawFn

    def whole(self, low: int, high: int) -> int:
        """See `Chance`."""
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        """See `Chance`."""
        return self.draw(st.booleans())

    def one_of(self, options: Sequence[Any]) -> Any:
        """See `Chance`."""
        return self.draw(st.sampled_from(options))


@dataclass(frozen=True)
class Thrown:
    """Decided by a generator, all alike often."""

    rng: np.random.Generator

    def whole(self, low: int, high: int) -> int:
        """See `Chance`."""
        return int(self.rng.integers(low, high + 1))

    def flag(self) -> bool:
        """See `Chance`."""
        return bool(self.rng.random() < 0.5)

    def one_of(self, options: Sequence[Any]) -> Any:
        """See `Chance`."""
        return options[int(self.rng.integers(len(options)))]


@st.composite
def random_fields(draw: st.DrawFn, most: int = FEW, many: int = MANY) -> dict[str, Any]:
    """See `fields_by`, with hypothesis."""
    return fields_by(Drawn(draw), most, many)


def fields_by(draw: Chance, most: int = FEW, many: int = MANY, fleet: int = 4) -> dict[str, Any]:
    """Arguments of `Problem`, which may refuse them; among them, all that there are.

    One problem in four asks for little, so that solvers of little have their share. Single numbers
    come from a generator with a drawn seed.

    Args:
        draw: what decides.
        most: stops; one problem in ten has `many`.
        many: stops.
        fleet: vehicles at most.
    """
    rng = np.random.default_rng(draw.whole(0, 2**32 - 1))
    stops = many if draw.whole(0, 9) == 9 else draw.whole(1, most)
    rich = rng.random() < RICH
    depots = draw.whole(1, 3) if rich else 1
    size = stops + depots
    is_stop = np.arange(size) >= depots
    names = ("car", "bicycle")[: draw.whole(1, 2) if rich else 1]
    profiles = tuple(_profile(draw, rng, size, depots, name) for name in names)
    scale_s = float(profiles[0].duration_s[np.isfinite(profiles[0].duration_s)].mean()) or 1.0
    demand, capacities = _loads(draw, rng, size, is_stop)
    fields = {"profiles": profiles, "depots": depots, "demand": demand}
    fields["names"] = tuple(f"node {k}" for k in range(size)) if rich else ()
    if not rich:
        vehicle = Vehicle(capacity=tuple(max(holds) for holds in capacities))
        return fields | {"vehicles": (vehicle,) * draw.whole(1, fleet)}
    fields |= {
        "vehicles": _vehicles(draw, rng, size, depots, len(profiles), capacities, scale_s, fleet),
        "window_s": _windows(draw, rng, size, depots, scale_s),
        "service_s": is_stop * draw.one_of([0.0, 0.5, 1.0, 100.0]) * scale_s,
        "prize": _prizes(draw, rng, size),
        "objective": _objective(draw),
        "lonlat": PLACES[rng.integers(len(PLACES))] + rng.random((size, 2)) / 50,
    }
    asked = set(rng.permutation(RULES)[: rng.integers(0, MOST_RULES + 1)].tolist())
    with suppress(ProblemError):  # rules are of a problem that is one without them
        far_m = profiles[0].distance_m
        scale_m = float(far_m[np.isfinite(far_m)].mean()) or 1.0
        unit = Unit(scale_s / USUAL_S, scale_m / USUAL_M)
        fields |= rule_fields(Problem(**fields), asked, rng, unit)
    return fields


def _profile(draw: Chance, rng: np.random.Generator, size: int, depots: int, name: str) -> Profile:
    """Streets of one kind: how long they are, how fast, and which of them are missing."""
    kinds = ["random", "zero", "identical", "plane", "shortcuts", "whole"]
    kind = draw.one_of(kinds)
    scale = draw.one_of([1.0, 1000.0, 1000.0, 1e12, 1e-9])
    match kind:
        case "zero":
            distance = np.zeros((size, size))
        case "identical" | "plane":
            xy = rng.random((size, 2))
            if kind == "identical":
                xy[:] = xy[rng.integers(0, min(size, 3), size)]
            distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        case "shortcuts":  # most detours are shorter than the direct street
            distance = rng.uniform(0.5, 1.0, (size, size)) ** 20
        case "whole":
            distance = rng.integers(0, 4, (size, size)).astype(float)
        case _:
            distance = rng.random((size, size))
    distance = distance * scale
    speed = draw.one_of(["same", "varied", "instant", "opposite"])
    match speed:
        case "same":
            duration = distance / 10
        case "varied":
            duration = distance / rng.uniform(3, 15, (size, size))
        case "instant":
            duration = np.zeros((size, size))
        case _:
            duration = distance.max() - distance
    _close_streets(draw, rng, depots, distance, duration)
    np.fill_diagonal(distance, 0.0)
    np.fill_diagonal(duration, 0.0)
    return Profile(name=name, distance_m=distance, duration_s=duration)


def _close_streets(
    draw: Chance, rng: np.random.Generator, depots: int, distance: Floats, duration: Floats
) -> None:
    size = len(distance)
    gap = np.zeros((size, size), np.bool_)
    stop = int(rng.integers(depots, size))
    match draw.one_of(["none", "none", "some", "most", "into", "away", "depots", "all"]):
        case "some":
            gap = rng.random((size, size)) < 0.15
        case "most":
            gap = rng.random((size, size)) < 0.7
        case "into":
            gap[:, stop] = True
        case "away":
            gap[stop] = True
        case "depots":
            gap[:depots] = True
        case "all":
            gap[:] = True
    distance[gap] = duration[gap] = np.inf


def _loads(
    draw: Chance, rng: np.random.Generator, size: int, is_stop: Floats
) -> tuple[Floats, list[list[float]]]:
    """`[N, K]` demand, and for each dimension the capacities that vehicles may have."""
    columns, capacities = [], []
    for _ in range(draw.whole(0, 2)):
        match draw.one_of(["zero", "whole", "fraction", "exact", "huge", "too much"]):
            case "zero":
                column, holds = np.zeros(size), [0.0, 5.0]
            case "whole":
                column, holds = rng.integers(0, 10, size).astype(float), [9.0, 20.0, np.inf]
            case "fraction":  # ten tenths must fit into one
                column, holds = np.full(size, 0.1), [0.1, 0.3, 1.0]
            case "exact":
                column, holds = np.full(size, 7.25), [7.25, 14.5]
            case "huge":
                column, holds = rng.uniform(0, 1e12, size), [1e12, 3e12, np.inf]
            case _:
                column, holds = rng.integers(0, 10, size).astype(float), [0.0, 8.0]
        columns.append(column * is_stop)
        capacities.append(holds)
    demand = np.stack(columns, axis=1) if columns else np.zeros((size, 0))
    return demand, capacities


def _vehicles(
    draw: Chance,
    rng: np.random.Generator,
    size: int,
    depots: int,
    profiles: int,
    capacities: list[list[float]],
    scale_s: float,
    fleet: int,
) -> tuple[Vehicle, ...]:
    """Vehicles, all of a kind, or each a kind of its own.

    Hypothesis draws a few of them; where there are more, they differ by numbers of a generator.
    """
    plain = draw.flag()
    count = draw.whole(1, fleet)
    shifts = [(0.0, np.inf), (0.0, 6 * scale_s), (scale_s, 4 * scale_s), (5 * scale_s,) * 2]
    if scale_s > LEAST_S:  # what is shorter cannot be told from nothing so far away
        shifts.append((FAR_S, 2 * FAR_S))
    vehicles = []
    for _ in range(1 if plain else min(count, DRAWN)):
        home = int(rng.integers(depots))
        trips = 1 if plain else draw.one_of([1, 1, 1, 3])
        vehicles.append(
            Vehicle(
                capacity=tuple(float(rng.choice(holds)) for holds in capacities),
                start=home,
                end=home if plain or trips > 1 else int(rng.integers(depots)),
                shift_s=(0.0, np.inf) if plain else draw.one_of(shifts),
                profile=int(rng.integers(profiles)),
                fixed_cost=draw.one_of([0.0, 100.0, 1e12]),
                cost_per_m=draw.one_of([1.0, 0.0, 2.5]),
                cost_per_s=draw.one_of([1.0, 0.0, 1e-6]),
                max_trips=trips,
                allowed=rng.random(size) < 0.6 if not plain and draw.flag() else None,
                preference=_preference(draw, rng, np.arange(size) >= depots),
            )
        )
    if plain:
        return tuple(vehicles * count)
    return (*vehicles, *(_another(rng, vehicles, size) for _ in range(count - len(vehicles))))


def _another(rng: np.random.Generator, vehicles: list[Vehicle], size: int) -> Vehicle:
    """A vehicle like one of those, but with stops, gains, costs and hours of its own."""
    like = vehicles[int(rng.integers(len(vehicles)))]
    begin, end = like.shift_s
    return replace(
        like,
        shift_s=(begin, end if np.isinf(end) else begin + (end - begin) * rng.uniform(0.5, 1.5)),
        fixed_cost=like.fixed_cost * rng.uniform(0.5, 2.0),
        cost_per_m=like.cost_per_m * rng.choice([1.0, rng.uniform(0.5, 2.0)]),
        allowed=None if like.allowed is None else rng.random(size) < 0.6,
        preference=None if like.preference is None else like.preference * rng.random(size),
    )


def _preference(draw: Chance, rng: np.random.Generator, is_stop: Floats) -> Floats | None:
    match draw.one_of(["none", "none", "some", "against", "huge"]):
        case "some":
            return rng.random(len(is_stop)) * is_stop
        case "against":
            return -1000.0 * rng.random(len(is_stop)) * is_stop
        case "huge":
            return 1e9 * rng.random(len(is_stop)) * is_stop
        case _:
            return None


def _windows(
    draw: Chance, rng: np.random.Generator, size: int, depots: int, scale_s: float
) -> Floats | None:
    """Windows that are open, tight, impossible, of no length, or far in time."""
    kind = draw.one_of(["none", "open", "tight", "impossible", "instants", "far", "mix"])
    if kind == "none":
        return None
    opens = rng.uniform(0, 4 * scale_s, size)
    windows = np.stack([opens, opens + rng.uniform(0, 8 * scale_s, size)], axis=1)
    match kind:
        case "open":
            windows[:] = (0.0, np.inf)
        case "tight":
            windows[:, 1] = windows[:, 0] + scale_s / 10
        case "impossible":
            windows[depots:] = (0.0, scale_s * 1e-6)
        case "instants":
            windows[:, 1] = windows[:, 0]
        case "far":
            windows += FAR_S
        case _:
            windows[rng.random(size) < 0.5] = (0.0, np.inf)
    if kind == "far" or draw.flag():
        windows[:depots] = (0.0, np.inf)
    return windows


def _prizes(draw: Chance, rng: np.random.Generator, size: int) -> Floats | None:
    match draw.one_of(["required", "zero", "tiny", "huge", "mix"]):
        case "required":
            return None
        case "zero":
            return np.zeros(size)
        case "tiny":
            return np.full(size, 1e-9)
        case "huge":
            return np.full(size, 1e15)
        case _:
            return rng.choice([0.0, 1e-9, 500.0, 1e15, np.inf], size)


def _objective(draw: Chance) -> Objective:
    return Objective(
        distance=draw.one_of([1.0, 1.0, 0.0]),
        duration=draw.one_of([0.0, 1.0, 1e-3]),
        fixed=draw.one_of([1.0, 0.0]),
        preference=draw.one_of([1.0, 0.0]),
        unserved=draw.one_of([1.0, 0.0]),
        longest_route=draw.one_of([0.0, 0.0, 1.0, 1e3]),
        longest_leg=draw.one_of([0.0, 0.0, 0.0, 1.0, 1e3]),
        makespan=draw.one_of([0.0, 0.0, 0.0, 1.0]),
        longest_by=draw.one_of(["distance", "duration"]),
    )


@dataclass(frozen=True)
class Outcome:
    """What became of a problem.

    Attributes:
        kind: "answer", "error" (one that nco raises on purpose), "late" or "disputed".
        note: the error, by how much it is late, or what is wrong.
        found: the solution, if there is one.
    """

    kind: str
    note: str = ""
    found: Solution | None = None


def outcome(problem: Problem, method: str, limit_s: float, seed: int = 0) -> Outcome:
    """Solve a problem and judge the answer; warnings are disputed, and so are other errors.

    Late is what takes too long by the clock and by the time of the processor: on a busy machine
    the first alone says nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            solver = registered(method)
            form = reduced(problem, supported(solver, problem)).problem
            if isinstance(solver, Prepares) and form.features <= solver.supports:
                solver.prepare(form)
            begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
            found = nco.solve(problem, method, time_limit_s=limit_s, seed=seed)
    except NcoError as error:
        return Outcome("error" if len(str(error)) > 20 else "disputed", str(error))
    except Exception as error:
        return Outcome("disputed", f"{type(error).__name__}: {error}")
    took_s = min(time.perf_counter() - begin_s, time.process_time() - begin_cpu_s)
    wrong = faults(problem, found)
    if wrong:
        return Outcome("disputed", wrong, found)
    if took_s > SPARE * limit_s + GRACE_S:
        return Outcome("late", f"{took_s:.3f} s for a limit of {limit_s:g} s", found)
    return Outcome("answer", found=found)


def faults(problem: Problem, found: Solution) -> str:
    """What the checker holds against a solution, beyond stops that it says it leaves out."""
    report = nco.check(problem, found)
    wrong = [finding.message for finding in report.findings if finding.kind != "unserved"]
    wrong += [violation.message for violation in found.violations]
    unserved = {finding.stop for finding in report.findings if finding.kind == "unserved"}
    if unserved != {u.stop for u in found.unassigned if u.required}:
        wrong.append(f"the checker misses stops {sorted(map(str, unserved))}")
    wrong += [f"no reason for stop {u.stop}" for u in found.unassigned if not u.reason]
    if not np.isfinite(found.cost.total):
        wrong.append(f"the cost is {found.cost.total}")
    return "; ".join(wrong)
