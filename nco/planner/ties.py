"""What ties of stops ask for once some of them are begun."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.problem import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nco.planner.day import Stop
    from nco.problem import Problem
    from nco.problem.tied import Tie

Tied = list[tuple["Tie", list[str]]]
"""Ties with the names of the stops that are left of each."""


def left_of_ties(
    day: Problem, stops: Sequence[Stop], begun: Mapping[str, int], vehicles: int
) -> tuple[list[Stop], Tied]:
    """Stops that nobody has begun, for the vehicles that ties leave them, and what is still tied.

    Stops for one vehicle, or in a given order, are for the one that has begun others of them; stops
    for different vehicles are not for those that have.

    Args:
        day: the problem that the day began with.
        stops: those that nobody has begun.
        begun: vehicle of each stop that is begun, by name.
        vehicles: how many there are by now.
    """
    waiting = {stop.name for stop in stops}
    only: dict[str, frozenset[int]] = {}
    found: Tied = []
    for tie in day.ties:
        names = [day.names[j] for j in tie.stops]
        left = [name for name in names if name in waiting]
        theirs = frozenset(begun[name] for name in names if name in begun)
        if theirs and tie.feature is Feature.DIFFERENT_VEHICLES:
            theirs = frozenset(range(vehicles)) - theirs
        for name in left if theirs else ():
            only[name] = only.get(name, theirs) & theirs
        if len(left) > 1:
            found.append((tie, left))
    return [_for(stop, only.get(stop.name)) for stop in stops], found


def _for(stop: Stop, only: frozenset[int] | None) -> Stop:
    """A stop for some of the vehicles that may serve it."""
    if only is None:
        return stop
    return replace(stop, vehicles=only if stop.vehicles is None else only & stop.vehicles)
