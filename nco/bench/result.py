"""One run as a line of JSON: all that is needed to repeat it and to judge it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nco.bench.suite import key
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, InputError, shortened
from nco.json_text import parse_json, record

RESULTS = "results*.jsonl"
AGREEMENT = 1e-6  # relative difference of costs by solver and by checker that rounding explains
_LATE_SHARE, _LATE_S = 0.10, 0.05  # what every solver may take beyond its limit


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a task.

    Attributes:
        source: plain data that the instance follows from, see `nco.bench.instances`.
        instance: its name.
        group: what it is averaged with.
        size: stops (nodes for "atsp").
        fingerprint: of the problem itself, see `nco.bench.provenance`.
        best_known: cost in the file beside the instance; None without one.
        method: name of the method.
        budget_s: its time limit.
        seed: of the method.
        cost: by the checker; None without a solution.
        claimed: by the solver; None without a solution.
        disagreement: relative difference of the two; None where one of them is not finite.
        distance_m: metres driven; None without a solution.
        duration_s: seconds on duty; None without a solution.
        routes: how many.
        feasible: whether the checker finds nothing wrong but, maybe, the claimed cost.
        refused: what the method cannot do that the instance asks for; None if it can.
        crashed: the error that the method raised; None if it did not.
        findings: what the checker finds wrong.
        fallback: what the routes are if the method did not find them, see `nco.Solution`; empty
            otherwise, and in results of before this was kept.
        time_s: wall-clock seconds.
        setup_s: seconds before that, in which the method, its policy and compiled loops were
            loaded; 0 in results of before this was kept.
        version: of the package behind the method.
        nco: version.
        code: digest of nco's code, see `nco.bench.provenance`.
        python: version.
        system: operating system.
        processor: its name.
        processors: how many the process could use.
        threads: of the run.
        jobs: runs at a time.
        suite: digest of all instances of the suite.
        suite_instances: how many they are.
        at: date and time of its end, UTC.
    """

    source: dict[str, Any]
    instance: str
    group: str
    size: int
    fingerprint: str
    best_known: float | None
    method: str
    budget_s: float
    seed: int
    cost: float | None
    claimed: float | None
    disagreement: float | None
    distance_m: float | None
    duration_s: float | None
    routes: int
    feasible: bool
    refused: str | None
    crashed: str | None
    findings: tuple[str, ...]
    time_s: float
    version: str
    nco: str
    code: str
    python: str
    system: str
    processor: str
    processors: int
    threads: int
    jobs: int
    suite: str
    suite_instances: int
    at: str
    fallback: str = ""
    setup_s: float = 0.0

    @property
    def key(self) -> str:
        """That of its task."""
        return key(self.source, self.method, self.budget_s)

    @property
    def disputed(self) -> bool:
        """Whether solver and checker differ on the cost."""
        if self.claimed is None and self.cost is None:
            return False
        return self.disagreement is None or self.disagreement > AGREEMENT

    @property
    def counts(self) -> bool:
        """Whether its cost is that of a feasible answer, which nobody disputes."""
        return self.feasible and not self.disputed and self.cost is not None

    @property
    def overrun_s(self) -> float:
        """Seconds beyond the limit, its 10 % and 50 ms; negative where it was kept."""
        return self.time_s - (1 + _LATE_SHARE) * self.budget_s - _LATE_S

    @property
    def sound(self) -> bool:
        """Whether it counts and was in time; a method may refuse what it cannot do."""
        return self.refused is not None or (self.counts and self.overrun_s <= 0)

    def line(self) -> str:
        """As strict JSON, without the end of the line."""
        return json.dumps(asdict(self), allow_nan=False)


def from_line(text: str) -> Result:
    """The result in a line.

    Raises:
        ValueError: it holds none; the message says what is wrong.
    """
    return record(Result, parse_json(text))


def read_results(path: Path) -> list[Result]:
    """The results in a file; a last line that was cut off while it was written is left out.

    Raises:
        FormatError: a line is no result, or there is no such file.
        StorageError: it cannot be read.
    """
    results = []
    for number, text in enumerate(read_text(path).splitlines(keepends=True), start=1):
        if not text.endswith("\n"):
            break
        try:
            results.append(from_line(text))
        except ValueError as error:
            raise FormatError(
                f"{path}, line {number}: not a result of `nco bench solvers` ({shortened(error)}); "
                "remove the line or choose another file"
            ) from None
    return results


def find_results(where: Path) -> list[Path]:
    """The files of results in a folder, or the one file itself.

    Raises:
        InputError: there are none.
    """
    if where.is_file():
        return [where]
    found = sorted(where.glob(RESULTS))
    if not found:
        raise InputError(
            f"{where} holds no results ({RESULTS}); give folders that `nco bench solvers` wrote to"
        )
    return found
