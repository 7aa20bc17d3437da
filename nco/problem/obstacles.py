"""What would have to give so that a stop fits into a slot, in words, and what serving it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.errors import quoted
from nco.problem.duty import duty
from nco.problem.normal import normal
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.slots import Limit, Slots, Trial, legs

type Trips = Mapping[int, Sequence[Sequence[int]]]
"""Stops of the trips of vehicles in use, by their number."""


@dataclass(frozen=True)
class Obstacle:
    """Something that would have to give.

    Attributes:
        limit: what.
        vehicle: whose; number in `Problem.vehicles`.
        amount: by how much, in seconds or in what is carried; 1 where there is no more to say.
        text: the same in words.
    """

    limit: Limit
    vehicle: int
    amount: float
    text: str


def obstacles(
    problem: Problem, trips: Trips, stop: int, n: int, slots: Slots, trial: Trial, s: int
) -> tuple[Obstacle, ...]:
    """All that keeps a stop, the `n`-th of a trial, out of slot `s`.

    Args:
        problem: as given.
        trips: of the vehicles in use.
        stop: node number.
        n: its index in the trial.
        slots: of the problem's normal form.
        trial: of them.
        s: the slot.
    """
    form, v = normal(problem), int(slots.vehicle[s])
    vehicle, at, names = problem.vehicles[v], problem.times.at, problem.names
    name = f"vehicle {v} ({vehicle.name})" if vehicle.name else f"vehicle {v}"
    cut = np.isinf(problem.profiles[vehicle.profile].distance_m[slots.before[s], stop])
    load = trips[v][slots.trip[s]] if slots.driven[s] and slots.position[s] >= 0 else []
    free = np.array(vehicle.capacity) - problem.demand[list(load)].sum(axis=0)
    short = float((problem.demand[stop] - free).max(initial=0.0))
    start, onward = (form.time_s(float(times[n, s])) for times in (trial.start, trial.onward))
    amounts = trial.amounts[:, n, s] / form.per_s
    amounts[[Limit.STREET, Limit.PERMISSION, Limit.TRIPS]] *= form.per_s  # these count no time
    # What closed before anybody leaves is known exactly in the given clock only.
    window = problem.window_s
    opens = max(vehicle.shift_s[0], float(window[vehicle.start, 0]))
    if amounts[Limit.WINDOW]:
        amounts[Limit.WINDOW] = start - window[stop, 1]
    if amounts[Limit.DEPOT_HOURS] and not slots.driven[s]:
        closed = opens - float(window[vehicle.start, 1])
        amounts[Limit.DEPOT_HOURS] = max(onward - float(window[vehicle.end, 1]), closed)
    late = [problem.times.during(float(amount)) for amount in amounts]
    shift = f"the shift of {name} ends {late[Limit.SHIFT]} too early"
    if not slots.driven[s]:
        shift += f": back at {at(onward)}, it ends at {at(vehicle.shift_s[1])}"
    to_it = f"to it from {quoted(names[slots.before[s]])}"
    way = to_it if cut else f"from it to {quoted(names[slots.after[s]])}"
    texts = {
        Limit.STREET: f"no street leads {way}",
        Limit.PERMISSION: f"{name} is not allowed to serve it",
        Limit.ROOM: f"{name} has no room for its demand of {_numbers(problem.demand[stop])} "
        f"(free: {_numbers(free)})",
        Limit.WINDOW: f"{name} would arrive at {at(start)} and its window closes at "
        f"{at(float(problem.window_s[stop, 1]))}",
        Limit.LATER_WINDOWS: f"{name} would then be {late[Limit.LATER_WINDOWS]} late for the "
        "window of a later stop",
        Limit.DEPOT_HOURS: f"{name} would miss the closing of its depot by "
        f"{late[Limit.DEPOT_HOURS]}",
        Limit.SHIFT: shift,
        Limit.TRIPS: f"{name} may drive no more trips than {vehicle.max_trips}",
    }
    amounts[Limit.ROOM] = short if amounts[Limit.ROOM] else 0.0
    return tuple(
        Obstacle(limit, v, float(amounts[limit]), texts[limit])
        for limit in Limit
        if trial.amounts[limit, n, s]
    )


class Bill:
    """What it costs to serve one more stop, in units of the objective.

    Args:
        problem: as given.
        trips: of the vehicles in use.
    """

    def __init__(self, problem: Problem, trips: Trips) -> None:
        self._problem, self._form = problem, normal(problem)
        form = self._form.problem
        routes = {v: [Route(v, tuple(trip)) for trip in own] for v, own in trips.items()}
        plans = {v: duty(form, form.vehicles[v], own) for v, own in routes.items()}
        rates = [(u.cost_per_m, u.cost_per_s, u.fixed_cost) for u in problem.vehicles]
        self._per_m, self._per_s, self._fixed = np.array(rates).T
        self._metres = np.zeros(len(problem.vehicles))
        self._seconds = np.zeros(len(problem.vehicles))
        for v, plan in plans.items():
            if np.isfinite(plan.distance_m):  # else the routes have a fault of their own
                self._metres[v] = plan.distance_m
                self._seconds[v] = plan.duration_s / self._form.per_s

    def added(self, stop: int, n: int, slots: Slots, trial: Trial) -> Floats:
        """`[S]` in each slot; of no meaning where the stop does not fit."""
        problem, weights, v = self._problem, self._problem.objective, slots.vehicle
        matrices = [profile.distance_m for profile in problem.profiles]
        there, back = (row[0] for row in legs(problem, matrices, slots, np.array([stop])))
        profile = np.array([vehicle.profile for vehicle in problem.vehicles])[v]
        between = np.zeros(len(v))
        for p, matrix in enumerate(matrices):
            chosen = slots.driven & (profile == p)
            between[chosen] = matrix[slots.before[chosen], slots.after[chosen]]
        with np.errstate(invalid="ignore"):  # missing streets, in slots that no stop fits into
            metres = there + back - between
            seconds = trial.whole.duration[n] / self._form.per_s - self._seconds[v]
        metres, seconds = (np.where(np.isfinite(x), x, 0.0) for x in (metres, seconds))
        cost = weights.distance * metres * self._per_m[v]
        cost += weights.duration * seconds * self._per_s[v]
        cost += weights.fixed * np.where(slots.driven, 0.0, self._fixed[v])
        gains = [0.0 if u.preference is None else u.preference[stop] for u in problem.vehicles]
        cost -= weights.preference * np.array(gains)[v]
        if weights.longest_route:
            now = self._metres if weights.longest_by == "distance" else self._seconds
            more = metres if weights.longest_by == "distance" else seconds
            ordered = np.sort(now)[::-1]
            second = ordered[1] if len(ordered) > 1 else 0.0
            own = now[slots.vehicle]
            others = np.where(own == ordered[0], second, ordered[0])
            cost += weights.longest_route * (np.maximum(others, own + more) - ordered[0])
        return np.asarray(cost)


def _numbers(values: Floats) -> str:
    return ", ".join(f"{value:g}" for value in values)
