"""What a person has decided and a search must leave as it is: whole routes, and parts of routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from nco.data.formats.json_file import Fields
from nco.errors import InputError, listed, quoted
from nco.problem import Problem
from nco.problem.solution import Route, Solution
from nco.problem.tied import Sequence as Fixed


def held(problem: Problem, initial: Solution | None, data: Fields) -> Problem:
    """The problem with what a request fixes: `locked` vehicles, and `fixed` parts of routes.

    The stops of a locked vehicle's trips follow one another as they do in `initial`, and it serves
    no others; a locked one without a route stays in its depot. Nodes and vehicles keep their
    numbers, so that answers are answers to the problem as it was posed.

    Args:
        problem: as posed.
        initial: routes that the search begins with.
        data: the request.

    Raises:
        InputError: nothing is there to be locked, or what is to be held breaks a rule by itself.
        ProblemError: parts contradict each other.
    """
    locked = data.wholes("locked", []) if "locked" in data else []
    parts = [
        (tuple(part.wholes("stops")), part.whole("vehicle") if "vehicle" in part else None)
        for part in data.children("fixed", [])
    ]
    if not locked and not parts:
        return problem
    _check(problem, [*locked, *(v for _, v in parts if v is not None)], parts)
    if locked and initial is None:
        raise InputError("locked names vehicles, and there are no routes; give them as initial")
    routes = [route for route in initial.routes if route.vehicle in locked] if initial else []
    _check_possible(problem, routes)
    allowed = np.stack(
        [
            np.ones(problem.size, dtype=bool) if own.allowed is None else own.allowed
            for own in problem.vehicles
        ]
    )
    allowed[locked, problem.depots :] = False
    parts += [(route.stops, route.vehicle) for route in routes]
    for stops, vehicle in parts:
        if vehicle is not None:
            may = allowed[vehicle, list(stops)] | (vehicle in locked)
            allowed[:, list(stops)] = False
            allowed[vehicle, list(stops)] = may
    ties = [Fixed(stops=stops) for stops, _ in parts if len(stops) > 1]
    vehicles = [
        own if mask.all() else replace(own, allowed=mask)
        for own, mask in zip(problem.vehicles, allowed, strict=True)
    ]
    return replace(problem, vehicles=tuple(vehicles), ties=(*problem.ties, *ties))


def _check(
    problem: Problem, vehicles: Iterable[int], parts: Sequence[tuple[tuple[int, ...], int | None]]
) -> None:
    for number in vehicles:
        if number >= len(problem.vehicles):
            raise InputError(
                f"vehicle {number} is to be held, but vehicles are 0 to {len(problem.vehicles) - 1}"
            )
    for stops, _ in parts:
        wrong = [j for j in stops if j not in problem.stops]
        if wrong or not stops:
            raise InputError(
                f"a fixed part has {listed(stops)}; stops are nodes {problem.depots} to "
                f"{problem.size - 1}, and there must be one at least"
            )


def _check_possible(problem: Problem, routes: Sequence[Route]) -> None:
    """Refuse routes that break something by themselves: a search would leave their stops out."""
    alone = Solution.from_routes(problem, routes, explain=False)
    if alone.violations:
        first = alone.violations[0]
        name = "" if first.vehicle is None else problem.vehicles[first.vehicle].name
        raise InputError(
            f"a locked route{f' of {quoted(name)}' if name else ''} cannot be held as it is: "
            f"{first.message}; unlock it, or mend it first"
        )


def kept(problem: Problem, bound: Problem, solution: Solution) -> tuple[Solution, list[str]]:
    """An answer to the problem as it was posed, and what of the decisions it has not kept."""
    if bound is problem:
        return solution, []
    broken = [one.message for one in solution.violations]
    return solution.on(problem).with_reasons(problem), [f"not held: {text}" for text in broken]
