"""When drivers rest, and how fast traffic lets them drive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nco import _validate as validate
from nco.arguments import named_fields
from nco.errors import ProblemError, quoted

Traffic = tuple[tuple[float, float], ...]
"""From when on, and how many times as fast as the durations of a profile one then drives."""


@named_fields
@dataclass(frozen=True, kw_only=True)
class Break:
    """A break that a vehicle takes once a day: at a stop, while it waits or on the road.

    It interrupts no service. Whoever is off duty needs none: it may as well lie before the
    departure or after the return.

    Attributes:
        window_s: earliest and latest time at which it begins.
        length_s: how long it takes.
    """

    window_s: tuple[float, float] = (0.0, np.inf)
    length_s: float

    def __post_init__(self) -> None:
        try:
            begin, end = (validate.number(t, "break: window_s") for t in self.window_s)
        except (TypeError, ValueError):
            raise ProblemError(
                f"break: window_s is {quoted(self.window_s)}; give the earliest and the latest time"
            ) from None
        validate.interval(begin, end, "break: window_s")
        length = validate.number(self.length_s, "break: length_s")
        validate.at_least(length, 0.0, "break: length_s")
        object.__setattr__(self, "window_s", (begin, end))
        object.__setattr__(self, "length_s", length)


@named_fields
@dataclass(frozen=True, kw_only=True)
class Rest:
    """A rest that is due after so much driving, such as 45 minutes after 4.5 hours.

    It may be taken sooner, on the road or where a stop is waited for; a `Break` that is as long
    counts as one.

    Attributes:
        after_driving_s: most seconds of driving without a rest.
        length_s: how long a rest takes.
    """

    after_driving_s: float
    length_s: float

    def __post_init__(self) -> None:
        for name in ("after_driving_s", "length_s"):
            value = validate.number(getattr(self, name), f"rest: {name}")
            validate.at_least(value, 0.0, f"rest: {name}")
            object.__setattr__(self, name, value)
        if self.after_driving_s == 0:
            raise ProblemError(
                "rest: after_driving_s is 0; give the seconds that one may drive without a rest"
            )


def checked_breaks(given: Iterable[Break], where: str) -> tuple[Break, ...]:
    """Breaks in the order of their windows, of which each can follow the one before.

    Raises:
        ProblemError: something is no `Break`, or two breaks cannot both be taken.
    """
    if not isinstance(given, Iterable):
        raise ProblemError(f"{where}: breaks is {quoted(given)}; give a list of nco.Break(...)")
    breaks = tuple(given)
    for k, one in enumerate(breaks):
        if not isinstance(one, Break):
            raise ProblemError(f"{where}: breaks[{k}] is {quoted(one)}; give nco.Break(...)")
    breaks = tuple(sorted(breaks, key=lambda one: one.window_s))
    now = -np.inf
    for first, second in pairwise(breaks):
        now = max(now, first.window_s[0]) + first.length_s
        if now > second.window_s[1]:
            raise ProblemError(
                f"{where}: a break of {first.length_s:g} s from {first.window_s[0]:g} s on leaves "
                f"no room for the one that must begin by {second.window_s[1]:g} s; give windows "
                "in which one can follow the other"
            )
    return breaks


def checked_traffic(given: Iterable[tuple[float, float]], where: str) -> Traffic:
    """Periods in order.

    Raises:
        ProblemError: names the period that is malformed.
    """
    found: list[tuple[float, float]] = []
    try:
        pairs = [tuple(pair) for pair in given]
    except TypeError:
        pairs = [()]
    for k, pair in enumerate(pairs):
        what = f"{where}: traffic[{k}]"
        if len(pair) != 2:
            raise ProblemError(
                f"{what} is {quoted(pair)}; give (from_s, factor): from when on, and how many "
                "times as fast as usual one then drives"
            )
        begin, factor = (validate.number(value, what) for value in pair)
        validate.at_least(begin, 0.0, f"{what}: from_s")
        if not 0 < factor < np.inf:
            raise ProblemError(
                f"{what}: the factor is {factor:g}; it must be above 0 and finite, such as 0.7 "
                "where one drives at 70 % of the usual speed"
            )
        if found and begin <= found[-1][0]:
            raise ProblemError(
                f"{what} begins at {begin:g} s, but the period before it at {found[-1][0]:g} s; "
                "give periods in order"
            )
        found.append((begin, factor))
    return tuple(found)


def arrival(traffic: Traffic, departure_s: float, seconds: float) -> float:
    """When one arrives who drives so many usual seconds from a departure on.

    Whoever leaves later never arrives sooner (S. Ichoua, M. Gendreau and J.-Y. Potvin 2003).
    """
    now, left, factor = departure_s, seconds, 1.0
    for begin, following in traffic:
        if begin > now:
            if left <= (begin - now) * factor:
                return now + left / factor
            left -= (begin - now) * factor
            now = begin
        factor = following
    return now + left / factor


def departure(traffic: Traffic, arrival_s: float, seconds: float) -> float:
    """When one must leave to arrive at a time."""
    now, left = arrival_s, seconds
    for k in range(len(traffic) - 1, -1, -1):
        begin, factor = traffic[k]
        if begin < now:
            if left <= (now - begin) * factor:
                return now - left / factor
            left -= (now - begin) * factor
            now = begin
    return now - left
