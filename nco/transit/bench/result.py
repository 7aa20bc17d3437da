"""One run of a method of designing lines, as a line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nco.data.formats.json_file import read_text
from nco.errors import FormatError, shortened
from nco.json_text import parse_json, record

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is to be run.

    Attributes:
        instance: as `nco.transit.files.read.read_instance` takes it.
        method: name.
        objective: name, see `nco.transit.design.named.objective_of`.
        rules: of the simulation, see `nco.transit.design.named.settings_of`.
        demand_share: of the simulation.
        evaluations: budget; None for no limit.
        time_limit_s: budget; None for no limit.
        seed: of the method.
    """

    instance: str
    method: str
    objective: str
    rules: str
    demand_share: float
    evaluations: int | None
    time_limit_s: float | None
    seed: int

    @property
    def budget(self) -> str:
        """For tables."""
        parts = [] if self.evaluations is None else [f"{self.evaluations} evaluations"]
        parts += [] if self.time_limit_s is None else [f"{self.time_limit_s:g} s"]
        return ", ".join(parts)

    @property
    def group(self) -> str:
        """What is compared: runs that differ in method and seed alone."""
        simulated = self.objective == "service" or self.demand_share != 1.0
        rules = f", {self.rules} rules, demand share {self.demand_share:g}" if simulated else ""
        return f"{self.instance}: {self.objective}{rules}, {self.budget}"


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of it.

    Attributes:
        run: what was run.
        fingerprint: of the instance.
        cost: by the objective; None without lines.
        travel_min: see `nco.transit.evaluate.Evaluation`; None without lines.
        operator_min: see there.
        service_rate: of all passengers, by the simulation; None where it cannot be run.
        fleet: buses, by the simulation.
        wait_min: mean wait, by the simulation.
        feasible: whether the checker finds nothing wrong.
        refused: what the method cannot do; None if it can.
        evaluations: sets of lines that were evaluated.
        time_s: wall-clock seconds.
        cpu_s: seconds of processors.
        lines: as published, "" without any.
        code: digest of nco's code.
        processor: its name.
        at: date and time of its end, UTC.
    """

    run: Run
    fingerprint: str
    cost: float | None
    travel_min: float | None
    operator_min: float | None
    service_rate: float | None
    fleet: int | None
    wait_min: float | None
    feasible: bool
    refused: str | None
    evaluations: int
    time_s: float
    cpu_s: float
    lines: str
    code: str
    processor: str
    at: str

    def line(self) -> str:
        """As strict JSON, without the end of the line."""
        return json.dumps(asdict(self), allow_nan=False)


def read_runs(path: Path) -> list[RunResult]:
    """The results in a file; a last line that was cut off while it was written is left out.

    Raises:
        FormatError: a line is no result.
        StorageError: it cannot be read.
    """
    found = []
    for number, text in enumerate(read_text(path).splitlines(keepends=True), start=1):
        if not text.endswith("\n"):
            break
        try:
            found.append(record(RunResult, parse_json(text)))
        except ValueError as error:
            raise FormatError(
                f"{path}, line {number}: not a result of `nco transit bench` ({shortened(error)}); "
                "remove the line or choose another folder"
            ) from None
    return found
