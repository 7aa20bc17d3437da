"""The checker's own reading of ties, from routes and node numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from nco.errors import quoted

if TYPE_CHECKING:
    from nco.problem.problem import Problem
    from nco.problem.solution import Solution

type Finding = tuple[str, str, int, int]
"""Kind, message, route and stop."""


def broken_ties(problem: Problem, solution: Solution) -> Iterator[Finding]:
    """Whatever ties a solution breaks."""
    for n, tie in enumerate(problem.ties):
        # All visits of its stops, in the order in which each vehicle makes them.
        visits = [
            _Visit(route.vehicle, r, j, route.stops[k:])
            for r, route in enumerate(solution.routes)
            for k, j in enumerate(route.stops)
            if j in tie.stops
        ]
        for visit, wrong in _JUDGES[tie.kind](tie.stops, visits):
            stop = quoted(problem.names[visit.stop])
            message = f"route {visit.route}: tie {n} ({tie.kind}): {stop} {wrong}"
            yield tie.kind, message, visit.route, visit.stop


class _Visit(NamedTuple):
    vehicle: int
    route: int
    stop: int
    onward: tuple[int, ...]


type _Faults = Iterator[tuple[_Visit, str]]


def _one_vehicle(stops: tuple[int, ...], visits: list[_Visit]) -> _Faults:  # noqa: ARG001
    for visit in visits[1:]:
        if visit.vehicle != visits[0].vehicle:
            yield visit, f"is served by vehicle {visit.vehicle}, others by {visits[0].vehicle}"


def _apart(stops: tuple[int, ...], visits: list[_Visit]) -> _Faults:  # noqa: ARG001
    seen: dict[int, int] = {}
    for visit in visits:
        if seen.setdefault(visit.vehicle, visit.stop) != visit.stop:
            yield visit, f"is not the first of them that vehicle {visit.vehicle} serves"


def _in_order(stops: tuple[int, ...], visits: list[_Visit]) -> _Faults:
    yield from _one_vehicle(stops, visits)
    last: dict[int, int] = {}
    for visit in visits:
        rank = stops.index(visit.stop)
        if rank < last.get(visit.vehicle, rank):
            yield visit, "comes too late"
        last[visit.vehicle] = max(rank, last.get(visit.vehicle, rank))


def _in_a_row(stops: tuple[int, ...], visits: list[_Visit]) -> _Faults:
    for visit in visits[:1]:
        first = min(visits, key=lambda other: stops.index(other.stop))
        if first.onward[: len(stops)] != stops:
            yield visit, "and the others do not follow directly after one another"


_JUDGES: dict[str, Callable[[tuple[int, ...], list[_Visit]], _Faults]] = {
    "same vehicle": _one_vehicle,
    "different vehicles": _apart,
    "precedence": _in_order,
    "sequence": _in_a_row,
}
