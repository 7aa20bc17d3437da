"""The cheapest times of a route by trying every whole second: slow, and plainly right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

from nco import Problem

HORIZON = 250  # seconds that are tried
Stand = tuple[float, int, float]  # time, breaks taken, seconds of driving since a rest


class WholeSeconds:
    """One vehicle on one trip, everything in whole seconds, without traffic.

    Args:
        problem: with that vehicle.
        order: its stops.
    """

    def __init__(self, problem: Problem, order: tuple[int, ...]) -> None:
        self.problem, self.vehicle, self.nodes = problem, problem.vehicles[0], (0, *order, 0)
        self.onward = cache(self._onward)

    def least(self) -> float:
        """The least cost; `inf` if no times are allowed."""
        rate, vehicle = self.problem.objective.duration, self.vehicle
        best, free = math.inf, -math.inf
        for taken in range(len(vehicle.breaks) + 1):
            if taken:
                one = vehicle.breaks[taken - 1]
                free = max(free, one.window_s[0]) + one.length_s
            last = int(min(vehicle.shift_s[1], 140))
            for leave in range(int(max(vehicle.shift_s[0], free)), last):
                best = min(best, self.onward(0, leave, taken, 0.0) - rate * leave)
        return best

    def _onward(self, k: int, start: int, taken: int, driven: float) -> float:
        """What is still to be paid by who begins at the k-th node at a time."""
        if k == len(self.nodes) - 1:
            return self._ended(start, taken)
        here, j = self.nodes[k], self.nodes[k + 1]
        ready = (start + float(self.problem.service_s[here]), taken, driven)
        windows = self.problem.windows[j] if j else (self.vehicle.shift_s,)
        best = math.inf
        for now, more, wheel in set(self._arrivals(ready, here, j)):
            for begin in range(int(now), HORIZON):
                if any(a <= begin <= b for a, b in windows):
                    later = self.onward(k + 1, begin, more, wheel)
                    best = min(best, self._penalty(j, begin) + later)
        return best

    def _ended(self, end: float, taken: int) -> float:
        now, vehicle = end, self.vehicle
        for one in vehicle.breaks[taken:]:  # off duty
            if now > one.window_s[1]:
                return math.inf
            now = max(now, one.window_s[0]) + one.length_s
        cost = self.problem.objective.duration * end
        if vehicle.cost_per_overtime_s:
            cost += vehicle.cost_per_overtime_s * max(0.0, end - vehicle.overtime_after_s)
        return cost

    def _penalty(self, j: int, begin: float) -> float:
        if not j:
            return 0.0
        first, last = self.problem.soft_window_s[j].tolist()
        early, late = max(0.0, first - begin), max(0.0, begin - min(last, 1e9))
        return float(self.problem.early_per_s[j] * early + self.problem.late_per_s[j] * late)

    def _arrivals(self, ready: Stand, here: int, j: int) -> Iterator[Stand]:
        """Where one stands at the next node, breaks taken there included."""
        drive, rest = float(self.problem.profiles[0].duration_s[here, j]), self.vehicle.rest
        for stand in self._rested(ready) if rest else [ready]:
            found = self._with_rests(stand, drive) if rest else self._with_a_break(stand, drive)
            for there in found:
                yield from self._rested(there)

    def _rested(self, stand: Stand) -> list[Stand]:
        """Where one stands after each number of breaks that are taken on the spot."""
        found, (now, taken, driven), rest = [stand], stand, self.vehicle.rest
        for one in self.vehicle.breaks[taken:]:
            begin = max(now, one.window_s[0])
            if begin > one.window_s[1]:
                break
            now, taken = begin + one.length_s, taken + 1
            driven = 0.0 if rest and one.length_s >= rest.length_s else driven
            found.append((now, taken, driven))
        return found

    def _with_rests(self, stand: Stand, drive: float) -> Iterator[Stand]:
        """As few rests as are due, and one more at the end."""
        rest, (now, taken, driven) = self.vehicle.rest, stand
        assert rest is not None
        driven, late = driven + drive, now + drive
        while driven > rest.after_driving_s:
            driven, late = driven - rest.after_driving_s, late + rest.length_s
        yield late, taken, driven
        yield late + rest.length_s, taken, 0.0

    def _with_a_break(self, stand: Stand, drive: float) -> Iterator[Stand]:
        """None on the road, or one as soon as it may begin."""
        now, taken, _ = stand
        yield now + drive, taken, 0.0
        for one in self.vehicle.breaks[taken : taken + 1]:
            if max(now, one.window_s[0]) <= one.window_s[1]:
                yield max(now + drive, one.window_s[0]) + one.length_s, taken + 1, 0.0
