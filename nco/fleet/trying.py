"""Routes that keep every rule there is, by evaluating whatever is tried.

This knows no rule by name, and is slow: `nco.fleet.insertion` is for problems without rules beyond
loads, windows and trips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from nco.problem import Problem
from nco.problem.duty import duty
from nco.problem.normal import normal
from nco.problem.route import Route
from nco.problem.trying import (
    Trips,
    Unit,
    broken_by,
    left_out_cost,
    places,
    stops_of,
    units,
)
from nco.solver import Clock


class Trial:
    """Routes that never break a rule.

    Args:
        problem: what the routes are for.
        clock: nothing more is tried when it is over.
    """

    def __init__(self, problem: Problem, clock: Clock) -> None:
        self._problem, self._form, self._clock = problem, normal(problem), clock
        self._trips: dict[int, Trips] = {}
        self._cost: dict[int, float] = {}
        self._group = {j: group.stops for group in problem.groups for j in group.stops}
        self._unit = units(problem)
        self._closed: set[int] = set()  # served, or alternatives of what is

    @property
    def routes(self) -> list[Route]:
        """The routes as they are."""
        return [trip for trips in self._trips.values() for trip in trips]

    def keep(self, routes: Iterable[Route]) -> None:
        """Take over what breaks nothing; of trips that do, what is left without single stops."""
        for route in routes:
            trip = self._whole(route.stops)
            while trip:
                own = (*self._trips.get(route.vehicle, ()), replace(route, stops=trip))
                cost = self._evaluated(route.vehicle, own)
                if np.isfinite(cost):
                    self._set(route.vehicle, own, cost)
                    break
                trip = () if self._clock.over else self._less(route.vehicle, trip)

    def insert_all(self) -> None:
        """Insert what is missing where it is cheapest, what must be served before the rest."""
        problem, asked = self._problem, list[tuple[float, list[Unit]]]()
        known = set[int]()
        for j in problem.stops:
            if j not in known:
                own = [self._unit[k] for k in self._group.get(j, (j,))]
                known.update(k for unit in own for k in stops_of(unit))
                asked.append((left_out_cost(problem, self._unit[j]), own))
        priority = self._problem.priority

        def first(pair: tuple[float, list[Unit]]) -> tuple[float, float]:
            return -pair[0], -max(priority[j] for unit in pair[1] for j in stops_of(unit))

        for worth, own in sorted(asked, key=first):
            if self._clock.over:
                return
            if not any(j in self._closed for unit in own for j in stops_of(unit)):
                self._insert(own, worth)

    def _insert(self, alternatives: Sequence[Unit], worth: float) -> None:
        best: tuple[float, int, Trips, float] | None = None
        for unit in alternatives:
            for v, trips in places(self._problem, self._trips, unit):
                if self._clock.over:
                    break
                cost = self._evaluated(v, trips)
                more = cost - self._cost.get(v, 0.0)
                if more < (worth if best is None else best[0]):
                    best = more, v, trips, cost
        if best is not None:
            self._set(*best[1:])

    def _whole(self, stops: Iterable[int]) -> tuple[int, ...]:
        """A trip without what is served elsewhere or twice, and without torn shipments."""
        chosen: list[int] = []
        closed = set(self._closed)
        for j in stops:
            if j not in closed:
                chosen.append(j)
                closed |= {j, *self._group.get(j, ())}
        return tuple(j for j in chosen if self._intact(chosen, self._unit[j]))

    @staticmethod
    def _intact(trip: Sequence[int], unit: Unit) -> bool:
        """Whether a trip has a unit, its rows in order and in one piece each."""
        begin = 0
        for row in unit:
            at = next((k for k in range(begin, len(trip)) if trip[k] == row[0]), len(trip))
            if tuple(trip[at : at + len(row)]) != row:
                return False
            begin = at + len(row)
        return True

    def _less(self, v: int, trip: tuple[int, ...]) -> tuple[int, ...]:
        """A trip without the stop, or the ends of a shipment, without which least is broken."""
        before = self._trips.get(v, ())
        shorter = [
            tuple(j for j in trip if j not in stops_of(unit))
            for unit in dict.fromkeys(self._unit[j] for j in trip)
        ]
        return min(
            shorter,
            key=lambda less: self._broken(v, (*before, Route(v, less)) if less else before),
        )

    def _broken(self, v: int, trips: Trips) -> tuple[int, float]:
        found = list(broken_by(self._problem, self._trips | {v: trips}, v))
        return len(found), sum(violation.amount for violation in found)

    def _evaluated(self, v: int, trips: Trips) -> float:
        """What a vehicle costs that drives such trips, but for the longest route; or `inf`."""
        problem, form, weights = self._problem, self._form, self._problem.objective
        vehicle = problem.vehicles[v]
        if next(broken_by(problem, self._trips | {v: trips}, v), None) is not None:
            return np.inf
        plan = duty(form.problem, form.problem.vehicles[v], trips)
        cost = weights.distance * vehicle.cost_per_m * plan.distance_m
        cost += weights.duration * vehicle.cost_per_s * plan.duration_s / form.per_s
        cost += weights.fixed * vehicle.fixed_cost
        if vehicle.preference is not None:
            gains = sum(float(vehicle.preference[j]) for trip in trips for j in trip.stops)
            cost -= weights.preference * gains
        return cost

    def _set(self, v: int, trips: Trips, cost: float) -> None:
        self._trips[v], self._cost[v] = trips, cost
        for trip in trips:
            for j in trip.stops:
                self._closed |= {j, *self._group.get(j, ())}
