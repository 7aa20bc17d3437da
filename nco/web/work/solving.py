"""Solving as a job that tells how it goes on."""

from __future__ import annotations

from nco.crew import tell
from nco.data.formats.json_file import Fields, finite
from nco.data.formats.native import route_data
from nco.errors import InputError
from nco.problem.solution import Solution
from nco.solve import DEFAULT_METHOD, METHODS, solve
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.holding import held, kept
from nco.web.work.judging import answer
from nco.web.work.posing import posed, posed_by, routes_of

DEFAULT_S = 2.0


@served.replying
def solve_job(raw: bytes, problem: bytes | None) -> Reply:
    """Solves what a request asks for; tells of better answers meanwhile.

    Args:
        raw: the request, see `nco.web.models.SolveRequest`.
        problem: what is solved, where the request only names it.
    """
    data = served.fields_of(raw)
    with served.notes() as told:
        found = posed(data.child("problem")) if problem is None else posed_by(problem)
        initial = routes_of(data, found, "initial") if "initial" in data else None
        bound = held(found, initial, data)
        solution = solve(
            bound,
            method_of(data),
            time_limit_s=limit_of(data),
            seed=data.whole("seed", 0),
            initial=initial if initial is None else initial.on(bound),
            watch=tell_of,
        )
        solution, broken = kept(found, bound, solution)
    return as_json({**answer(found, solution), "notes": told + broken})


def method_of(data: Fields) -> str:
    """The method that a request names."""
    name = data.text("method", DEFAULT_METHOD)
    if name not in METHODS:
        data.fail("method", f"is not known; known are {', '.join(METHODS)}")
    return name


def limit_of(data: Fields) -> float:
    """The time limit that a request names.

    Raises:
        InputError: it is above the server's.
    """
    asked, most = data.number("time_limit_s", DEFAULT_S), served.settings().limits.time_limit_s
    if asked > most:
        raise InputError(f"time_limit_s is {asked:g}; this server takes {most:g} at most")
    return asked


def tell_of(solution: Solution) -> None:
    """Tells whoever waits for a job of a better answer."""
    tell(
        finite(
            {
                "time_s": round(solution.time_s, 3),
                "cost": solution.cost.total,
                "distance_m": solution.cost.distance_m,
                "duration_s": solution.cost.duration_s,
                "vehicles": len({route.vehicle for route in solution.routes}),
                "unassigned": len(solution.unassigned),
                "violations": len(solution.violations),
                "routes": [route_data(route) for route in solution.routes],
            }
        )
    )
