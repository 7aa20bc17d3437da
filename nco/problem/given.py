"""Problems and routes as public functions are given them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nco import _validate as validate
from nco.arguments import of_kind, several
from nco.errors import InputError, ProblemError
from nco.problem.problem import Problem
from nco.problem.route import Route

_WHOLE = frozenset({int, np.int64})


def given_problem(problem: object, error: type[InputError] = ProblemError) -> Problem:
    """An argument that is a problem.

    Raises:
        ProblemError: it is something else.
    """
    make = "an nco.Problem, as nco.load and nco.Problem.from_matrices make one"
    return of_kind(problem, Problem, "problem", make, error)


def given_routes(routes: Sequence[Route | Sequence[int]]) -> tuple[Route, ...]:
    """Routes, and plain lists of stops that take the vehicles 0, 1, 2, ...

    Raises:
        ProblemError: it is something else.
    """
    entries = several(routes, "routes", "a list of routes", ProblemError)
    return tuple(
        entry if _plain(entry) else _converted(k, entry) for k, entry in enumerate(entries)
    )


def _plain(route: Route | Sequence[int]) -> bool:
    """Whether nothing is to be converted; searches ask this of many routes."""
    return (
        isinstance(route, Route)
        and type(route.vehicle) in _WHOLE
        and type(route.stops) is tuple
        and _WHOLE.issuperset(map(type, route.stops))
        and (route.reload_at is None or type(route.reload_at) in _WHOLE)
    )


def _converted(k: int, route: Route | Sequence[int]) -> Route:
    vehicle, stops = (route.vehicle, route.stops) if isinstance(route, Route) else (k, route)
    where = f"routes[{k}]"
    again = route.reload_at if isinstance(route, Route) else None
    given = several(stops, f"{where}.stops", "a list of the stops' numbers", ProblemError)
    return Route(
        validate.whole(vehicle, f"{where}.vehicle"),
        tuple(validate.whole(j, f"{where}.stops[{i}]") for i, j in enumerate(given)),
        None if again is None else validate.whole(again, f"{where}.reload_at"),
    )
