"""What PyVRP reaches on the test sets: computed once, with its time, and kept by fingerprint.

References that come with the package lie beside this file; others are added to a folder of the
user's. One that belongs to another instance (another sampler, another extract) is never taken,
because each is kept under the fingerprint of its own.
"""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.baselines.pyvrp import SEED
from nco.bench.policies.sets import fingerprint
from nco.bench.policies.solver import solve_by_cpu
from nco.data.cities.cache import cache_dir
from nco.errors import FormatError, InputError, quoted, shortened
from nco.files import locked, write_atomic
from nco.json_text import parse_json
from nco.workers import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nco.bench.policies.sets import Cell
    from nco.problem import Problem

log = logging.getLogger("nco")

SHIPPED = Path(__file__).parent / "references"
FORMAT = "nco policy references 1"
LONG_S = 20.0  # the limit that others are compared with
_WRITE_EVERY_S = 15.0

# CPU seconds an instance of 50 and of 100 stops; larger ones get the latter for each 100.
_USUAL_S = {"atsp": (1.0, 3.0), "rcvrp": (2.0, 5.0), "rcvrptw": (2.0, 5.0)}
_QUICK_S = (1.0, 2.0)


def usual_limit_s(cell: Cell) -> float:
    """CPU seconds of a cell's references, if nothing else is asked for."""
    short, long = _USUAL_S[cell.problem] if cell.set == "unseen" else _QUICK_S
    return short if cell.stops <= 50 else long * max(1.0, cell.stops / 100)


def own_folder() -> Path:
    """Where references are kept that do not come with the package."""
    return cache_dir() / "references"


@dataclass(frozen=True)
class Entry:
    """Reference costs of one kind of instance.

    Attributes:
        problem: name of the environment.
        stops: of each instance.
        cpu_s: limit in CPU seconds of the solver's thread.
        method: name and version of the solver.
        seed: of the solver.
        cost_m: by fingerprint of the instance.
    """

    problem: str
    stops: int
    cpu_s: float
    method: str
    seed: int
    cost_m: dict[str, float]

    @property
    def key(self) -> tuple[str, int, float, str, int]:
        """What entries with the same instances differ in."""
        return (self.problem, self.stops, self.cpu_s, self.method, self.seed)


class References:
    """References that come with the package and those of a folder.

    Args:
        folder: where new ones are written, one file a set.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = own_folder() if folder is None else folder

    def costs(self, cell: Cell, cpu_s: float) -> dict[str, float]:
        """Costs in metres by fingerprint, under one time limit.

        Raises:
            FormatError: a file of references is damaged or none.
        """
        found: dict[str, float] = {}
        for entry in self._entries(cell, cpu_s):
            found.update(entry.cost_m)
        return found

    def methods(self, cell: Cell, cpu_s: float) -> list[str]:
        """Names and versions of the solvers behind `costs`."""
        return sorted({entry.method for entry in self._entries(cell, cpu_s)})

    def add(self, cell: Cell, cpu_s: float, method: str, cost_m: dict[str, float]) -> None:
        """Write some more.

        Raises:
            StorageError: the folder cannot be written.
            FormatError: the file there is damaged or none of references.
        """
        path = self.folder / f"{cell.set}.json"
        with locked(path):  # others may add, too
            entries = {entry.key: entry for entry in _read(path)}
            new = Entry(cell.problem, cell.stops, cpu_s, method, SEED, dict(cost_m))
            known = entries.get(new.key)
            if known is not None:
                new.cost_m.update({k: v for k, v in known.cost_m.items() if k not in cost_m})
            entries[new.key] = new
            write_atomic(path, _text(entries.values()))

    def _entries(self, cell: Cell, cpu_s: float) -> Iterator[Entry]:
        for folder in dict.fromkeys((SHIPPED, self.folder)):
            for entry in _read(folder / f"{cell.set}.json"):
                if entry.key[:3] == (cell.problem, cell.stops, cpu_s):
                    yield entry


def compute(
    references: References,
    cell: Cell,
    problems: Sequence[Problem],
    cpu_s: float,
    *,
    jobs: int = 1,
    done: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Compute the references that are missing; what was computed survives an interruption.

    Args:
        references: where they are kept.
        cell: what the problems are.
        problems: the instances.
        cpu_s: CPU seconds for each.
        jobs: processes at a time.
        done: told after each how many of how many are there.

    Returns:
        Costs in metres by fingerprint, of all problems.

    Raises:
        InputError: the limit makes no sense, or PyVRP found no feasible answer of its own in it.
    """
    from nco.versions import version_of

    if not (math.isfinite(cpu_s) and cpu_s > 0):
        raise InputError(f"the time limit is {quoted(cpu_s)}; give a positive number of seconds")
    known = references.costs(cell, cpu_s)
    missing = {mark: p for p in problems if (mark := fingerprint(p)) not in known}
    method, fresh, wrote = version_of("pyvrp"), {}, time.monotonic()
    if missing:
        log.info("%s: %d references of %g s are missing", cell, len(missing), cpu_s)
    try:
        for mark, cost in _solved(missing, cpu_s, jobs):
            known[mark] = fresh[mark] = cost
            if time.monotonic() - wrote > _WRITE_EVERY_S:
                references.add(cell, cpu_s, method, fresh)
                fresh, wrote = {}, time.monotonic()
            if done is not None:
                done(len(problems) - len(missing.keys() - known.keys()), len(problems))
    finally:
        if fresh:
            references.add(cell, cpu_s, method, fresh)
    return {mark: known[mark] for mark in map(fingerprint, problems)}


def _solved(problems: dict[str, Problem], cpu_s: float, jobs: int) -> Iterator[tuple[str, float]]:
    if jobs == 1 or len(problems) < 2:
        for mark, problem in problems.items():
            yield mark, solve_by_cpu(problem, cpu_s)
        return
    from concurrent.futures import as_completed

    with workers(min(jobs, len(problems))) as pool:
        pending = {pool.submit(solve_by_cpu, p, cpu_s): mark for mark, p in problems.items()}
        for future in as_completed(pending):
            yield pending[future], future.result()


def _read(path: Path) -> list[Entry]:
    """The entries of a file; none if it does not exist."""
    try:
        content = parse_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise FormatError(
            f"references {path} cannot be read ({shortened(error)}); {_REMEDY}"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FormatError(
            f"{path} holds no references: its format is not {quoted(FORMAT)}; {_REMEDY}"
        )
    try:
        return [_entry(raw) for raw in content["entries"]]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FormatError(f"references {path} are damaged ({quoted(error)}); {_REMEDY}") from error


_REMEDY = "remove the file, and they are computed again"


def _entry(raw: dict[str, Any]) -> Entry:
    cost_m = {str(mark): float(cost) for mark, cost in raw["cost_m"].items()}
    wrong = [cost for cost in cost_m.values() if not 0 <= cost < math.inf]
    if wrong:
        raise ValueError(f"a cost is {quoted(wrong[0])}")
    return Entry(
        problem=str(raw["problem"]),
        stops=int(raw["stops"]),
        cpu_s=float(raw["cpu_s"]),
        method=str(raw["method"]),
        seed=int(raw["seed"]),
        cost_m=cost_m,
    )


def _text(entries: Any) -> str:
    """One line an entry."""
    lines = [json.dumps(vars(e), separators=(",", ":")) for e in sorted(entries, key=_order)]
    return f'{{"format":"{FORMAT}","entries":[\n' + ",\n".join(lines) + "\n]}\n"


def _order(entry: Entry) -> tuple[str, int, float, str, int]:
    return entry.key
