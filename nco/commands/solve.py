"""`nco solve`: a file in, checked routes out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem, sheets
from nco.errors import InputError
from nco.interruption import interrupted
from nco.threads import one_thread

if TYPE_CHECKING:
    from nco.compare import Answer
    from nco.data.cities.city import City
    from nco.problem import Problem
    from nco.solver import Solver


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Exit code 0: the best answer is feasible; 1: it is not, the reasons are printed; 2: the "
        "input cannot be used; 130: interrupted, what is printed and written is the best answer "
        "until then. Files in --out are replaced one by one after solving, each whole."
    )
    _problem.add_arguments(parser)
    group = parser.add_argument_group("solving")
    group.add_argument(
        "--method",
        type=_problem.names,
        default=("auto",),
        metavar="M[,M]",
        help="auto (default), lns, genetic, mcts, policy, pyvrp, hgs, vroom, ortools, savings, "
        "nearest; several are compared",
    )
    group.add_argument(
        "--time-limit", type=_problem.seconds, default=2.0, metavar="S", help="of each method (2)"
    )
    group.add_argument("--seed", type=_problem.seed, default=0, help="same seed, same answer (0)")
    group.add_argument(
        "--jobs", type=_problem.whole, default=1, metavar="K",
        help="cores for islands that exchange their best: auto, lns (1)",
    )  # fmt: skip
    group.add_argument(
        "--initial", type=_problem.path, metavar="FILE", help="a solution to start from"
    )
    group.add_argument(
        "--policy", type=_problem.path, metavar="FILE", help="weights for --method policy"
    )
    group.add_argument(
        "--operators", type=_problem.path, metavar="FILE",
        help="further operators for auto and lns, such as `nco evolve operators` writes",
    )  # fmt: skip
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=_problem.path, metavar="DIR", help="write the best answer there"
    )
    group.add_argument("--map", action="store_true", help="write map.html as well (needs --out)")
    group.add_argument(
        "--sheets", type=_problem.path, metavar="DIR", help="write pages for drivers, a summary"
    )
    sheets.add_begin(group)
    group.add_argument("--json", action="store_true", help="one JSON object on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Solve, check, print and write."""
    one_thread()
    from nco.compare import as_row, best, compare, gaps
    from nco.data.formats.vroom_steps import has_steps

    if arguments.map and arguments.out is None:
        raise InputError("--map writes map.html; say where with --out DIR")
    for folder in (arguments.out, arguments.sheets):
        if folder is not None:
            from nco.answers import prepare

            prepare(folder)
    methods = _methods(arguments)
    with console.progress("reading the problem", quiet=arguments.quiet):
        problem, city, skipped = _problem.open_problem(arguments)
    initial = None
    if arguments.initial is None and has_steps(arguments.problem):
        arguments.initial = arguments.problem  # as VROOM begins with steps
    if arguments.initial is not None:
        initial = _problem.open_solution(arguments.initial, problem)
    answers = compare(
        problem,
        methods,
        time_limit_s=arguments.time_limit,
        seed=arguments.seed,
        initial=initial,
        show=partial(console.progress, quiet=arguments.quiet),
    )
    chosen = best(answers)
    result: dict[str, Any] = {
        "problem": problem.name,
        "stops": len(problem.stops),
        "vehicles": len(problem.vehicles),
        "city": None if city is None else city.name,
        "skipped": list(skipped),
        "moved": _problem.moved(problem),
        "geocoded": _problem.geocoded(problem),
        "details": {problem.names[node]: dict(words) for node, words in problem.details.items()},
        "interrupted": interrupted(),
        "feasible": chosen.feasible,
        "best": chosen.method,
        "answers": [
            as_row(problem, answer, gap) for answer, gap in zip(answers, gaps(answers), strict=True)
        ],
    }
    if arguments.out is not None:
        result["files"] = _write(arguments, problem, city, answers, chosen)
    if arguments.sheets is not None and not interrupted():  # drawing takes seconds
        result["sheets"] = sheets.write(arguments, arguments.sheets, problem, chosen.solution, city)
    if arguments.json:
        console.write_json(result)
    else:
        written = [*result.get("files", {}).values(), *result.get("sheets", [])]
        _print(problem, answers, chosen, written)
    return 0 if chosen.feasible else 1


def _methods(arguments: argparse.Namespace) -> Sequence[str | Solver]:
    """The methods asked for, on the cores, with the weights and the operators asked for."""
    names: Sequence[str] = arguments.method
    if arguments.policy is None and arguments.jobs == 1 and arguments.operators is None:
        return list(names)
    from nco.solve import solver, with_operators
    from nco.solver import check_limits, on_cores

    check_limits(arguments.time_limit, arguments.seed, arguments.jobs)
    chosen = [on_cores(solver(name), arguments.jobs) for name in names]
    if arguments.operators is not None:
        chosen = [with_operators(method, arguments.operators) for method in chosen]
    return chosen if arguments.policy is None else _with_weights(chosen, arguments.policy)


def _with_weights(chosen: Sequence[Solver], weights: Path) -> list[Solver]:
    from nco.search.policy.solver import PolicySolver

    if not any(isinstance(s, PolicySolver) for s in chosen):
        raise InputError("--policy is for --method policy or mcts; add one or leave --policy out")
    source = str(weights)
    return [replace(s, source=source) if isinstance(s, PolicySolver) else s for s in chosen]


def _write(
    arguments: argparse.Namespace,
    problem: Problem,
    city: City | None,
    answers: list[Answer],
    chosen: Answer,
) -> dict[str, str]:
    from nco.answers import write_answer, write_map

    written = write_answer(arguments.out, problem, chosen.solution, city)
    if arguments.map and not interrupted():  # drawing takes seconds
        order = [chosen, *(answer for answer in answers if answer is not chosen)]
        shown = [answer.solution for answer in order]
        written["map"] = write_map(arguments.out, problem, shown, city)
    return {kind: str(path) for kind, path in written.items()}


def _print(problem: Problem, answers: list[Answer], chosen: Answer, files: list[str]) -> None:
    from nco.compare import notes, table
    from nco.problem.contradictions import contradictions

    header, *rows = table(problem, answers)
    console.write(console.table(header, rows))
    for note in notes(answers):
        console.write(note)
    for number, route in enumerate(chosen.solution.routes):
        stops = " ".join(problem.names[stop] for stop in route.stops)
        console.write(f"route {number}, vehicle {route.vehicle}: {stops}")
    for finding in chosen.report.findings:
        if finding.kind != "unserved":
            console.write(f"not feasible: {finding.message}")
    for contradiction in () if chosen.feasible else contradictions(problem):
        console.write(f"contradiction: {contradiction.text}")
    for entry in chosen.solution.unassigned:
        console.write(f"unassigned: {problem.names[entry.stop]}: {entry.reason}")
    _problem.tell_geocoded(problem)
    _problem.tell_moved(problem)
    for path in files:
        console.write(f"written: {path}")
