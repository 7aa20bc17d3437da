"""One call for every method of designing lines: `design(instance, method, evaluations=...)`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted
from nco.interruption import keeping
from nco.registry import add_method, load_method
from nco.solver import MAX_SEED
from nco.threads import torch_threads
from nco.transit.design.method import Budget
from nco.transit.instance.lines import as_lines
from nco.transit.instance.transit_instance import TransitInstance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nco.transit.design.method import DesignMethod
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import LinesLike

# Name -> "module:attribute" of a design method. Modules load on first use: some take seconds.
_METHODS: dict[str, str] = {
    "random": "nco.transit.design.built:RANDOM",
    "demand": "nco.transit.design.built:DEMAND",
    "shortest": "nco.transit.design.built:SHORTEST",
    "real": "nco.transit.design.built:REAL",
    "greedy": "nco.transit.design.built:GREEDY",
    "genetic": "nco.transit.design.genetic:METHOD",
    "hyper": "nco.transit.design.hyper:METHOD",
    "annealing": "nco.transit.design.annealing:SOLVER",
    "bees": "nco.transit.design.bees:METHOD",
    "bees-policy": "nco.transit.design.bees:NEURAL",
    "nsga2": "nco.transit.design.nsga:METHOD",
    "mcts": "nco.transit.design.tree:MCTS",
    "mcts-plain": "nco.transit.design.tree:PLAIN",
    "mcts-built": "nco.transit.design.tree:BUILT",
    "mcts-built-plain": "nco.transit.design.tree:BUILT_PLAIN",
    "mcts-built-demand": "nco.transit.design.tree:BUILT_DEMAND",
    "resample-built": "nco.transit.design.tree:RESAMPLED",
    "resample-built-demand": "nco.transit.design.tree:RESAMPLED_DEMAND",
    "resample-built-plain": "nco.transit.design.tree:RESAMPLED_PLAIN",
    "policy-sampling": "nco.transit.design.policy:SAMPLING",
    "policy-beam": "nco.transit.design.policy:BEAM",
}
METHODS = MappingProxyType(_METHODS)


def register(name: str, target: str) -> None:
    """Add a method.

    Args:
        name: what users write in `method=`.
        target: "package.module:attribute" of an object that is a `DesignMethod`.

    Raises:
        InputError: the name is taken.
    """
    add_method(_METHODS, name, target)


def method_of(method: str | DesignMethod) -> DesignMethod:
    """The method of a name, its module loaded; a method is its own.

    Raises:
        InputError: no such method.
    """
    if not isinstance(method, str):
        return method
    found: DesignMethod = load_method(_METHODS, method)
    return found


def design(
    what: TransitInstance | LineObjective,
    method: str | DesignMethod | None = None,
    *,
    evaluations: int | None = None,
    time_limit_s: float | None = None,
    processor_limit_s: float | None = None,
    seed: int = 0,
    initial: Iterable[LinesLike] = (),
) -> Design:
    """Design lines; torch has one thread meanwhile, see `nco.solve`.

    Args:
        what: an objective, or an instance with its usual one: on the streets of a city
            `CityObjective`, else the passengers of the exact evaluator (`ExactObjective`).
        method: one of `METHODS`, or a method, such as one with other settings; None takes
            "annealing" for the exact evaluator and "hyper" for all others.
        evaluations: sets of lines that may be evaluated.
        time_limit_s: wall-clock seconds; whichever of these ends first.
        processor_limit_s: seconds of the processor, see `nco.transit.design.method.Budget`.
        seed: the same seed and evaluations give the same lines.
        initial: sets of lines to begin with, of any method; the result is never worse.

    Raises:
        InputError: unknown method, no budget, or a seed that makes no sense.
        ProblemError: a line of `initial` cannot be run.
        UnsupportedError: the method cannot do what the objective asks.
        KeyboardInterrupt: the user interrupted it; see `nco.solve`.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed is {quoted(seed)}; give a whole number from 0 to {MAX_SEED}")
    from nco.transit.design.named import objective_of, usual_method, usual_objective

    budget = Budget(evaluations, time_limit_s, processor_limit_s)
    if isinstance(what, TransitInstance):
        what = objective_of(what, usual_objective(what))
    chosen = method_of(usual_method(what) if method is None else method)
    known = [as_lines(lines) for lines in initial]
    with keeping(), torch_threads(1):
        return chosen.design(what, budget, seed, known)
