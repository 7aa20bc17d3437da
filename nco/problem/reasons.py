"""Why a stop is on no route: what would have to give, found by trying.

Each stop left out is tried in every slot of the routes as they are, and alone in an empty vehicle
of each kind; of what keeps it out, the least is said.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.problem.contradictions import reasons_of, unit_hint
from nco.problem.normal import normal
from nco.problem.objective import CLASSICAL
from nco.problem.obstacles import Bill, Obstacle, obstacles
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.slots import Ints, Limit, Slots, Trial
from nco.problem.trying import LIMIT_S, NO_TIME, SURE, reasons_by_trying

AT_ONCE = 2**16  # pairs of stops and slots that are tried in one go
ROUTE_S, STOP_S = 2e-4, 3e-4  # of looking for reasons: for each route, and for each stop left out
# What the last resorts weigh; other limits weigh their share of a day, or of what is carried.
WEIGHTS = {Limit.STREET: 1e6, Limit.PERMISSION: 3.0, Limit.TRIPS: 2.0}
EACH = 1e3  # what every limit weighs beside that: one that gives much rather than two a little


@dataclass(frozen=True)
class Reason:
    """Why a stop is left out.

    Attributes:
        text: in words.
        obstacles: where all of these give, the stop fits into the routes, or alone into a vehicle;
            none where it fits as it is, or has no street.
    """

    text: str
    obstacles: tuple[Obstacle, ...] = ()


def reasons_unassigned(
    problem: Problem,
    routes: Sequence[Route],
    missing: Sequence[int],
    within_s: float = LIMIT_S,
) -> list[Reason]:
    """One reason for each missing stop.

    Args:
        problem: as given.
        routes: of its vehicles; where these break rules, less may be said than would have to give.
        missing: stops on none of them.
        within_s: seconds; where they are too few for many stops, it is said that they were.
    """
    end_s = time.perf_counter() + within_s
    found = {j: Reason(problem.off_street[j]) for j in missing if j in problem.off_street}
    if problem.features - CLASSICAL:
        certain = reasons_of(problem, [j for j in missing if j not in found], within_s)
        found.update((j, Reason(text)) for j, text in certain.items())
    asked = np.array([j for j in missing if j not in found], np.int64)
    if problem.features - CLASSICAL:
        texts = reasons_by_trying(problem, routes, asked.tolist(), end_s - time.perf_counter())
        found.update(zip(asked.tolist(), map(Reason, texts), strict=True))
    elif len(asked) > SURE and within_s < ROUTE_S * len(routes) + STOP_S * len(asked):
        found.update((j, Reason(NO_TIME)) for j in asked.tolist())
    elif len(asked):
        explainer = _Explainer(problem, routes)
        step = max(1, AT_ONCE // explainer.slots)
        for k in range(0, len(asked), step):
            part = asked[k : k + step]
            found.update(zip(part.tolist(), explainer.reasons(part), strict=True))
    return [found[j] for j in missing]


class _Explainer:
    """Routes into which stops are tried."""

    def __init__(self, problem: Problem, routes: Sequence[Route]) -> None:
        self._problem, self._form = problem, normal(problem).problem
        trips: dict[int, list[tuple[int, ...]]] = {}
        for route in routes:
            trips.setdefault(route.vehicle, []).append(route.stops)
        self._trips, self._bill = trips, Bill(problem, trips)
        kinds = [numbers for _, numbers in problem.fleet]
        idle = [next((v for v in numbers if v not in trips), None) for numbers in kinds]
        self._idle = np.array([v is not None for v in idle])
        shown = [numbers[0] if v is None else v for v, numbers in zip(idle, kinds, strict=True)]
        self._alone = Slots.of(self._form, dict.fromkeys(shown, ()))
        self._used = Slots.of(self._form, trips)
        shifts = [vehicle.shift_s for vehicle, _ in self._form.fleet]
        times = np.concatenate([self._form.window_s.ravel(), np.ravel(shifts)])
        self._day = float(times[np.isfinite(times)].max()) or 1.0

    @property
    def slots(self) -> int:
        """How many there are."""
        return len(self._alone.vehicle) + len(self._used.vehicle)

    def reasons(self, stops: Ints) -> list[Reason]:
        """Of some stops."""
        alone = Trial.of(self._form, self._alone, stops)
        used = Trial.of(self._form, self._used, stops)
        return [self._reason(int(j), n, alone, used) for n, j in enumerate(stops)]

    def _reason(self, stop: int, n: int, alone: Trial, used: Trial) -> Reason:
        free = ~alone.amounts[:, n].any(axis=0)
        idle, fits = free & self._idle, ~used.amounts[:, n].any(axis=0)
        prize = float(self._problem.prize[stop])
        if np.isfinite(prize) and (idle.any() or fits.any()):
            costs = [
                self._bill.added(stop, n, slots, trial)[chosen]
                for slots, trial, chosen in (
                    (self._alone, alone, idle),
                    (self._used, used, fits),
                )
            ]
            return self._unprofitable(prize, float(np.concatenate(costs).min()))
        if idle.any():
            v = int(self._alone.vehicle[idle.argmax()])
            text = f"the method left it out although an unused vehicle could serve it: vehicle {v}"
            return Reason(text)
        if fits.any():
            v = int(self._used.vehicle[fits.argmax()])
            return Reason(f"the method left it out although it fits into the way of vehicle {v}")
        tried = [(self._used, used)] if self._trips else []
        if not free.any():
            tried.insert(0, (self._alone, alone))
        _, least = min(
            (self._least(stop, n, *pair) for pair in tried), key=lambda weighed: weighed[0]
        )
        if not free.any():
            return Reason(least.text + unit_hint(self._problem, stop), least.obstacles)
        count = len(self._problem.vehicles)
        who = "the only vehicle is" if count == 1 else f"all {count} vehicles are"
        busy = f"{who} in use and " if len(self._trips) == count else ""
        return Reason(f"{busy}{least.text}; relax that or add vehicles", least.obstacles)

    def _unprofitable(self, prize: float, extra: float) -> Reason:
        worth = self._problem.objective.unserved * prize
        amounts = f"serving it costs {extra:.6g} more, leaving it out {worth:.6g}"
        if extra < worth:
            return Reason(f"the method left it out although {amounts}")
        return Reason(amounts)

    def _least(self, stop: int, n: int, slots: Slots, trial: Trial) -> tuple[float, Reason]:
        """What would have to give in the slot where that is least, and what it weighs."""
        amounts = trial.amounts[:, n]
        weights = np.full(len(Limit), 1.0 / self._day)
        weights[list(WEIGHTS)] = list(WEIGHTS.values())
        weights[Limit.ROOM] = 1.0 / max(1.0, float(self._form.demand[stop].max(initial=0.0)))
        weighed = (amounts * weights[:, None] + EACH * (amounts > 0)).sum(axis=0)
        best = int(weighed.argmin())
        found = obstacles(self._problem, self._trips, stop, n, slots, trial, best)
        text = " and ".join(obstacle.text for obstacle in found)
        return float(weighed[best]), Reason(text, found)
