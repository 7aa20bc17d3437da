"""What an evolution of operators has found, as it is written and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nco import console
from nco.errors import FormatError, shortened
from nco.json_text import record

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from nco.search.evolve.files import OperatorSet
    from nco.search.evolve.judge import Trial
    from nco.search.evolve.llm.model import Spent
    from nco.search.evolve.state import State

_KEPT = 3  # pairs that are written


def state_path(out: Path) -> Path:
    """Where an evolution stands whose operators go to a file."""
    return out.with_name(f"{out.name}.state")


def spent_before(path: Path, state: State) -> Spent:
    """What earlier runs asked of a model.

    Raises:
        FormatError: the file says nonsense of it.
    """
    from nco.search.evolve.llm.model import Spent

    try:
        return record(Spent, state.asked)
    except ValueError as error:
        raise FormatError(f"{path} is damaged: {shortened(error)}; delete it") from error


def found_operators(
    state: State, trial: Trial, instances: int, made: dict[str, Any]
) -> OperatorSet:
    """The best pairs as a file holds them.

    Args:
        state: where an evolution stands.
        trial: how pairs were judged.
        instances: on how many.
        made: what else is written of how they were found.
    """
    from nco import __version__
    from nco.search.evolve.files import NamedProgram, OperatorSet
    from nco.search.evolve.state import program_from

    best = state.best(instances, trial, _KEPT)
    texts = dict.fromkeys(text for pair in best for text in pair)
    named = tuple(
        NamedProgram(f"evolved-{n}", program_from(text)) for n, text in enumerate(texts, 1)
    )
    whole = {"nco": __version__, **made, "generations": state.generation}
    pairs = [
        {"gain_percent": round(-100.0 * state.loss(pair, trial), 3), "instances": instances}
        for pair in best
    ]
    return OperatorSet(named, {**whole, "seconds": round(state.seconds, 1)}, {"training": pairs})


def tell(arguments: argparse.Namespace, state: State, found: OperatorSet) -> None:
    """Says what was found."""
    if arguments.json:
        console.write_json(
            {
                "written": str(arguments.out),
                "generations": state.generation,
                "seconds": state.seconds,
                "pairs": found.measured["training"],
                "llm": found.made.get("llm"),
            }
        )
        return
    for number, pair in enumerate(found.measured["training"], 1):
        console.write(
            f"pair {number}: {pair['gain_percent']:+.2f} % against the hand-made operators, on "
            f"the {pair['instances']} instances that it was chosen on"
        )
    if asked := found.made.get("llm"):
        cost = "" if asked["cost"] is None else f", cost {asked['cost']:.4f}"
        console.write(
            f"{asked['model']}: {asked['asked']} answers, {asked['programs']} operators, "
            f"{asked['sent_tokens']} + {asked['answered_tokens']} tokens{cost}"
        )
    console.write(f"{state.generation} generations in {state.seconds:.0f} s")
    console.write(f"written: {arguments.out}")
