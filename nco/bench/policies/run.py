"""From a plan to rows: draw the sets, see to the references, measure each method."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nco.baselines.pyvrp import SEED
from nco.bench.policies.measure import (
    BASELINES,
    DECODINGS,
    by_method,
    by_policy,
    device_of,
    problems_of,
)
from nco.bench.policies.references import LONG_S, compute, usual_limit_s
from nco.bench.policies.report import row
from nco.bench.policies.sets import INSTANCES, PROBLEMS, STOPS, cells, draw, fingerprint
from nco.errors import InputError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nco.bench.policies.references import References
    from nco.bench.policies.report import Row
    from nco.bench.policies.sets import Cases, Cell, Cities
    from nco.models.files import StoredPolicy

log = logging.getLogger("nco")


@dataclass(frozen=True, kw_only=True)
class PolicySuite:
    """What to measure.

    Attributes:
        sets: names of test sets.
        policies: names or files; may be empty.
        problems: None for those that the policies serve, or all where there is no policy.
        stops: sizes.
        instances: of each cell, its first ones.
        time_limit_s: CPU seconds of a reference; None for the usual ones of its cell.
        long: for how many of the first instances of each cell PyVRP's 20 s are computed, where
            they are not known.
        decodings: names of `measure.DECODINGS`.
        device: that policies decode on.

    Raises:
        InputError: something is empty or makes no sense.
    """

    sets: tuple[str, ...]
    policies: tuple[str, ...] = ()
    problems: tuple[str, ...] | None = None
    stops: tuple[int, ...] = STOPS
    instances: int = INSTANCES
    time_limit_s: float | None = None
    long: int = 0
    decodings: tuple[str, ...] = tuple(DECODINGS)
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("sets", "problems", "stops", "decodings"):
            if getattr(self, name) == ():
                raise InputError(f"{name} is empty; give at least one")
        if self.instances < 1:
            raise InputError(f"instances is {quoted(self.instances)}; give 1 or more")
        if self.long < 0:
            raise InputError(f"long is {quoted(self.long)}; give 0 or more")
        for name in self.decodings:
            if name not in DECODINGS:
                raise InputError(
                    f"decoding {quoted(name)} is unknown; known are {', '.join(DECODINGS)}"
                )
        cells(self.sets, self.problems or PROBLEMS, self.stops)

    def cells(self, loaded: dict[str, StoredPolicy]) -> list[Cell]:
        """What is measured.

        Args:
            loaded: the policies, loaded.

        Raises:
            InputError: a policy serves none of the problems that were asked for.
        """
        served = {p for policy in loaded.values() for p in problems_of(policy)}
        problems = self.problems or tuple(p for p in PROBLEMS if p in served or not loaded)
        for name, policy in loaded.items():
            if not set(problems_of(policy)) & set(problems):
                raise InputError(
                    f"policy {quoted(name)} serves {', '.join(problems_of(policy))}, "
                    f"not {', '.join(problems)}; choose other problems"
                )
        return cells(self.sets, problems, self.stops)


type Done = Callable[[int, int], None]


def complete(
    plan: PolicySuite, cases: Cases, references: References, jobs: int = 1, done: Done | None = None
) -> tuple[list[float], list[float], float]:
    """Compute what is missing of the references of a cell.

    Returns:
        Costs of all instances; costs in 20 s of the first ones, as far as they are known without
        a hole; and the limit of the former in CPU seconds.
    """
    cell, problems = cases.cell, cases.problems
    limit_s = usual_limit_s(cell) if plan.time_limit_s is None else plan.time_limit_s
    usual = compute(references, cell, problems, limit_s, jobs=jobs, done=done)
    compute(references, cell, problems[: plan.long], LONG_S, jobs=jobs, done=done)
    known, long = references.costs(cell, LONG_S), []
    for mark in map(fingerprint, problems):
        if mark not in known:
            break
        long.append(known[mark])
    return [usual[mark] for mark in map(fingerprint, problems)], long, limit_s


def measure(
    plan: PolicySuite,
    loaded: dict[str, StoredPolicy],
    cities: Cities,
    references: References,
    *,
    jobs: int = 1,
    done: Done | None = None,
) -> Iterator[Row]:
    """The rows of a plan, cell by cell, each as soon as it is measured.

    Args:
        plan: what to measure.
        loaded: its policies, loaded.
        cities: to draw from.
        references: known ones; those that are missing are computed and added.
        jobs: processes at a time that compute references.
        done: told how many references of how many a cell has, while they are computed.

    Raises:
        NcoError: a city or a policy cannot be used, or references cannot be kept.
    """
    device = device_of(plan.device)
    for cell in plan.cells(loaded):
        cases = draw(cell, plan.instances, cities)
        usual, long, limit_s = complete(plan, cases, references, jobs, done)
        solvers = references.methods(cell, limit_s)
        about = {"solver": ", ".join(solvers), "cpu_s": limit_s, "seed": SEED}
        for name, policy in loaded.items():
            if cell.problem not in problems_of(policy):
                continue
            for decoding in plan.decodings:
                answers = by_policy(policy, cases, DECODINGS[decoding], device)
                yield row(cell, (name, decoding), answers, usual, long, about)
        for method in BASELINES:
            yield row(cell, (None, method), by_method(method, cases), usual, long, about)
