"""Breaks that fall outside of a duty, as VROOM tells of them.

Here whoever is off duty needs no break. VROOM has each break in its route: one that is over before
a vehicle has to leave is taken at its start, one that begins after it is back at its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nco.problem import Vehicle
from nco.problem.schedule import Visit
from nco.problem.work_rules import Break


class Taken(NamedTuple):
    """A break and when it is taken.

    Attributes:
        number: of the vehicle's breaks, from 1.
        begin_s: when it begins.
        length_s: how long it is.
        waiting_s: seconds that the vehicle waits for it.
    """

    number: int
    begin_s: float
    length_s: float
    waiting_s: float = 0.0


@dataclass(frozen=True)
class OffDuty:
    """Breaks at the two ends of a route.

    Attributes:
        before: at its start, in order.
        after: at its end.
        gap_s: seconds between the last break at the start and the departure: VROOM leaves at once,
            and waits at the first stop.
    """

    before: tuple[Taken, ...] = ()
    after: tuple[Taken, ...] = ()
    gap_s: float = 0.0

    @property
    def lengths_s(self) -> list[float]:
        """How long each of them is."""
        return [one.length_s for one in (*self.before, *self.after)]

    @property
    def waiting_s(self) -> float:
        """Seconds that are waited because of them."""
        return self.gap_s + sum(one.waiting_s for one in (*self.before, *self.after))

    def arrival_s(self, k: int, last: int, known_s: float) -> float:
        """When the vehicle is at its k-th visit, of which it would be there at `known_s`."""
        if k == 0 and self.before:
            return self.before[0].begin_s - self.before[0].waiting_s
        if k == 1 and k < last:
            return known_s - self.gap_s
        if k == last and self.after:
            return self.after[-1].begin_s + self.after[-1].length_s
        return known_s

    def waits_s(self, k: int) -> float:
        """Seconds that it waits at its k-th visit on top."""
        return self.gap_s if k == 1 else 0.0


def off_duty(vehicle: Vehicle, visits: Sequence[Visit]) -> OffDuty:
    """Where breaks go that a route does not have between its visits.

    None of those that the shift has no room for, and none of vehicles with several trips.
    """
    if vehicle.max_trips != 1:
        return OffDuty()
    pauses = [pause for visit in visits for pause in visit.pauses]
    left = []
    for number, one in enumerate(vehicle.breaks, start=1):
        taken = next((pause for pause in pauses if is_break(one, *pause)), None)
        if taken is None:
            left.append((number, one))
        else:
            pauses.remove(taken)
    leaves_s, back_s = visits[0].departure_s, visits[-1].arrival_s
    if not left or not (math.isfinite(leaves_s) and math.isfinite(back_s)):
        return OffDuty()
    before, after = list[Taken](), list[Taken]()
    bound_s = leaves_s
    for number, one in sorted(left, key=lambda pair: pair[1].window_s, reverse=True):
        begin_s = min(one.window_s[1], bound_s - one.length_s)
        if begin_s >= max(one.window_s[0], vehicle.shift_s[0]):
            before.insert(0, Taken(number, begin_s, one.length_s))
            bound_s = begin_s
    known = {one.number for one in before}
    for number, one in sorted(left, key=lambda pair: pair[1].window_s):
        begin_s = max(one.window_s[0], back_s)
        room = begin_s <= one.window_s[1] and begin_s + one.length_s <= vehicle.shift_s[1]
        if number not in known and room:
            after.append(Taken(number, begin_s, one.length_s, begin_s - back_s))
            back_s = begin_s + one.length_s
    waited = _joined(before)
    gap_s = leaves_s - (before[-1].begin_s + before[-1].length_s) if before else 0.0
    movable = len(visits) > 2 and not visits[0].pauses and not vehicle.open_start
    return OffDuty(waited, tuple(after), max(0.0, gap_s) if movable else 0.0)


def _joined(before: Sequence[Taken]) -> tuple[Taken, ...]:
    """Breaks in a row, each with the wait since the one before."""
    found: list[Taken] = []
    for one in before:
        wait_s = one.begin_s - (found[-1].begin_s + found[-1].length_s) if found else 0.0
        found.append(one._replace(waiting_s=max(0.0, wait_s)))
    return tuple(found)


def is_break(one: Break, begin_s: float, length_s: float) -> bool:
    """Whether what was taken is this break, and no rest after so much driving."""
    begins = one.window_s[0] - 0.5 <= begin_s <= one.window_s[1] + 0.5
    return begins and math.isclose(one.length_s, length_s, abs_tol=0.5)
