"""What ties of stops ask for once some of them are begun."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.planner.driving import on_board
from nco.problem import Feature

if TYPE_CHECKING:
    from nco.planner.day import Day, Stop
    from nco.problem.tied import Tie

Tied = list[tuple["Tie", list[str]]]
"""Ties with the names of the stops that are left of each."""


def left_of_ties(day: Day) -> tuple[list[Stop], Tied]:
    """Stops that are left, for the vehicles that ties leave them, and what is still tied.

    Stops for one vehicle, or in a given order, are for the one that has begun others of them; stops
    for different vehicles are not for those that have. Goods stay on the vehicle that has them.
    Alternatives to what is begun are not left.
    """
    waiting = [name for name in day.waiting if name not in day.settled]
    open_stops = {*waiting}
    only: dict[str, frozenset[int]] = {
        name: frozenset({vehicle}) for name, (vehicle, _) in on_board(day).items()
    }
    found: Tied = []
    for tie in day.problem.ties:
        names = [day.problem.names[j] for j in tie.stops]
        left = [name for name in names if name in open_stops]
        theirs = frozenset(day.begun[name] for name in names if name in day.begun)
        # A sequence is begun as a whole; who drops out within it leaves the others.
        binding = bool(theirs) and tie.feature is not Feature.SEQUENCES
        if tie.feature is Feature.DIFFERENT_VEHICLES:
            theirs = frozenset(range(len(day.duties))) - theirs
        for name in left if binding else ():
            only[name] = only.get(name, theirs) & theirs
        if len(left) > 1:
            found.append((tie, left))
    return [_for(day.stops[name], only.get(name)) for name in waiting], found


def _for(stop: Stop, only: frozenset[int] | None) -> Stop:
    """A stop for some of the vehicles that may serve it."""
    if only is None:
        return stop
    return replace(stop, vehicles=only if stop.vehicles is None else only & stop.vehicles)
