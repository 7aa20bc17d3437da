"""`nco evolve operators`: instances in, a file of operators out."""

from __future__ import annotations

import argparse
import math
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem
from nco.commands._evolve_found import found_operators, spent_before, state_path, tell
from nco.errors import InputError, quoted
from nco.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from nco.bench.shards import Shard
    from nco.search.evolve.evolution import Evolution
    from nco.search.evolve.judge import Trial
    from nco.search.evolve.llm.author import Author

_BUDGET_S = 600.0
_SHARE = 0.4  # of the stops that a short search takes out in one go, at most
_HOT, _COLD = 0.1, 0.002  # temperatures of it, in mean costs of a stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "A run goes on from FILE.state where it was ended, to the same end. Exit code 0: operators "
        "are written; 2: the input cannot be used; 130: interrupted, the best until then are "
        "written."
    )
    group = parser.add_argument_group("instances")
    group.add_argument(
        "--city", action="append", default=[], metavar="NAME",
        help="to draw instances in; repeatable (squares with straight lines, without any)",
    )  # fmt: skip
    group.add_argument(
        "--problem", type=_problem.names, default=("rcvrp",), metavar="P[,P]",
        help="rcvrp (default), rcvrptw, pickups, long-windows",
    )  # fmt: skip
    group.add_argument(
        "--stops", type=_problem.whole, nargs="+", default=[100], metavar="N", help="sizes (100)"
    )
    group.add_argument(
        "--instances", type=_problem.whole, default=8, metavar="K", help="how many, in all (8)"
    )
    group = parser.add_argument_group("episodes")
    group.add_argument(
        "--iterations", type=_problem.whole, metavar="N", help="of a search (2000, or 500 alone)"
    )
    group.add_argument(
        "--time-limit",
        type=_problem.seconds,
        metavar="S",
        help="seconds of the processor for a search, instead",
    )
    group.add_argument(
        "--alone", action="store_true",
        help="a pair is all that a search has, which starts from stops in random order where "
        "there is no city (the setting of G-LNS)",
    )  # fmt: skip
    group = parser.add_argument_group("evolution")
    group.add_argument("--budget", type=_problem.seconds, metavar="S", help="seconds in all (600)")
    group.add_argument("--generations", type=_problem.whole, metavar="G", help="in all, instead")
    group.add_argument("--seed", type=_problem.seed, default=0, help="same seed, same run (0)")
    group.add_argument("--jobs", type=_problem.whole, help="processes (as many as cores)")
    group.add_argument(
        "--executor", metavar="URL",
        help="run episodes on other machines: dask://HOST:PORT, or mpi:// under mpiexec (here)",
    )  # fmt: skip
    group.add_argument(
        "--shard", metavar="I/N",
        help="island I of N, such as one a machine; see `nco evolve merge`",
    )  # fmt: skip
    group = parser.add_argument_group("a language model that writes some of the operators")
    group.add_argument(
        "--llm", metavar="URL",
        help="a server with OpenAI's interface, such as http://127.0.0.1:8000/v1; the key is in "
        "the variable NCO_LLM_KEY (nobody is asked)",
    )  # fmt: skip
    group.add_argument("--llm-model", metavar="NAME", help="(the first that the server has)")
    group.add_argument(
        "--llm-tokens", type=_problem.whole, metavar="N", help="after which none is asked (200000)"
    )
    group.add_argument(
        "--llm-price", type=float, nargs=2, metavar=("SENT", "ANSWERED"),
        help="of a million tokens, to report what was spent",
    )  # fmt: skip
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=_problem.path, required=True, metavar="FILE", help="of the operators"
    )
    group.add_argument("--json", action="store_true", help="one JSON object on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Evolve, and write the best pairs."""
    one_thread()
    from nco.bench.shards import Shard
    from nco.search.evolve.evolution import Evolution
    from nco.search.evolve.files import read_state, write_operators
    from nco.search.evolve.instances import KINDS, training

    unknown = [kind for kind in arguments.problem if kind not in KINDS]
    if unknown:
        raise InputError(f"--problem has {quoted(unknown[0])}; give {' or '.join(KINDS)}")
    if arguments.instances < 2:
        raise InputError("--instances is 1; give 2 or more, or chance decides")
    if arguments.executor is not None and arguments.jobs is not None:
        raise InputError("--jobs is for processes here, --executor for others; leave one out")
    shard = None if arguments.shard is None else Shard.of(arguments.shard)
    trial, author = _trial(arguments), _author(arguments)
    task = _task(arguments, trial, shard)
    path = state_path(arguments.out)
    state = read_state(path, task) if path.is_file() else None
    if author is not None and state is not None and state.asked:
        author.model.spent = spent_before(path, state)
    with console.progress("drawing instances", quiet=arguments.quiet):
        from nco.data.cities.places import city

        problems = training(
            [city(name) for name in arguments.city],
            arguments.problem,
            arguments.stops,
            arguments.instances,
            arguments.seed,
        )
    budget_s = arguments.budget
    if budget_s is None:
        budget_s = math.inf if arguments.generations else _BUDGET_S
    with _executor(arguments) as executor:
        island = 0 if shard is None else shard.number
        evolution = Evolution(problems, trial, arguments.seed, executor, state, author, island)
        with console.counter("evolving", quiet=arguments.quiet) as told:
            _run(evolution, author, path, task, budget_s, arguments.generations, told)
    state, prices = evolution.state, arguments.llm_price
    asked = {} if author is None else {"llm": _asked(author, prices)}
    found = found_operators(state, trial, arguments.instances, task | asked)
    write_operators(arguments.out, found)
    tell(arguments, state, found)
    return 0


def _author(arguments: argparse.Namespace) -> Author | None:
    """Who writes operators, if anybody is asked."""
    if arguments.llm is None:
        given = ("llm_model", "llm_tokens", "llm_price")
        for name in given:
            if getattr(arguments, name) is not None:
                option = f"--{name.replace('_', '-')}"
                raise InputError(
                    f"{option} is for a language model; give --llm URL, or leave it out"
                )
        return None
    from nco.search.evolve.llm.author import Author
    from nco.search.evolve.llm.model import MOST_TOKENS, Model

    most = arguments.llm_tokens or MOST_TOKENS
    return Author(Model(arguments.llm, arguments.llm_model, most_tokens=most))


def _asked(author: Author, prices: Sequence[float] | None) -> dict[str, Any]:
    """What was asked of a model, those of earlier runs included, as it is written down."""
    spent = author.model.spent
    cost = spent.cost(None if prices is None else (prices[0], prices[1]))
    return {"model": author.model.name, **asdict(spent), "cost": cost}


def _run(
    evolution: Evolution,
    author: Author | None,
    path: Path,
    task: dict[str, Any],
    budget_s: float,
    generations: int | None,
    told: Callable[[int, int], None],
) -> None:
    """Goes on, and writes down after each generation where the evolution stands."""
    from nco.search.evolve.files import write_state

    known, last = evolution.state, math.inf if generations is None else generations
    try:
        while known.generation < last and known.seconds < budget_s:
            evolution.step()
            if author is not None:
                known.asked = asdict(author.model.spent)
            write_state(path, known, task)
            if generations is not None:
                told(known.generation, generations)
            else:
                told(min(int(known.seconds), int(budget_s)), max(1, int(budget_s)))
    except KeyboardInterrupt:
        if not known.best(len(evolution), evolution.trial):
            raise


def _trial(arguments: argparse.Namespace) -> Trial:
    from nco.search.evolve.judge import Trial

    if arguments.time_limit is not None and arguments.iterations is not None:
        raise InputError("--time-limit and --iterations both end a search; leave one out")
    alone = arguments.alone
    iterations = arguments.iterations or (500 if alone else 2000)
    if arguments.time_limit is not None:
        iterations = 0
    if not alone:
        return Trial(iterations, arguments.time_limit or 0.0)
    return Trial(
        iterations, arguments.time_limit or 0.0, alone=True,
        scattered=not arguments.city, share=_SHARE, hot=_HOT, cold=_COLD,
    )  # fmt: skip


def _task(arguments: argparse.Namespace, trial: Trial, shard: Shard | None) -> dict[str, Any]:
    """What an evolution is of, as it is written down."""
    from nco.search.evolve.judge import plain

    return {
        "cities": arguments.city,
        "problems": list(arguments.problem),
        "stops": arguments.stops,
        "instances": arguments.instances,
        "seed": arguments.seed,
        "trial": plain(trial),
        **({} if shard is None else {"shard": str(shard)}),
    }


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    """Where episodes are run; None for this process, where one is all there is."""
    if arguments.executor is not None:
        from nco.executors import executor_at

        with executor_at(arguments.executor) as executor:
            yield executor
        return
    from nco.crew import Crew
    from nco.spread import cores

    jobs = arguments.jobs or cores()
    if jobs == 1:
        yield None
        return
    crew = Crew(jobs)  # whose processes end with this one, whatever ends it
    try:
        yield crew
    finally:
        crew.kill()
