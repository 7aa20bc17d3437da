"""Reference costs of validation instances: computed once by PyVRP, stored in a small JSON file."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nco.data.formats.json_file import Fields, read_json
from nco.errors import FormatError, quoted, shortened
from nco.files import locked, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nco.problem import Problem

log = logging.getLogger("nco")
_REMEDY = "run `nco train references` with the same config"


@dataclass(frozen=True)
class References:
    """A file of reference costs.

    Attributes:
        path: of the file.

    Raises:
        FormatError: it is a folder.
    """

    path: str

    def __post_init__(self) -> None:
        if Path(self.path).is_dir():
            raise FormatError(
                f"data.references is {quoted(self.path)}, a folder; give a .json file"
            )

    @property
    def exist(self) -> bool:
        """Whether the file is there."""
        return Path(self.path).is_file()

    def costs(self, key: str, count: int) -> torch.Tensor:
        """`[count]` costs in metres stored under a key.

        Raises:
            FormatError: the file is missing or damaged, or lacks the key.
        """
        stored = self._read()
        if key not in stored:
            raise FormatError(
                f"references {self.path} lack the validation instances of this config; {_REMEDY}"
            )
        cost = torch.tensor(stored.child(key).numbers("cost_m"), dtype=torch.float32)
        if len(cost) != count or not (cost.isfinite() & (cost > 0)).all():
            raise FormatError(
                f"references {self.path} must hold {count} positive costs of these instances; "
                f"remove the file, and {_REMEDY}"
            )
        return cost

    def store(self, key: str, entry: dict[str, Any]) -> None:
        """Adds or replaces an entry, whoever else does so.

        Raises:
            FormatError: there is a file, and it is damaged.
            StorageError: the file cannot be written.
        """
        with locked(self.path):
            known = self._read().data if self.exist else {}
            write_atomic(self.path, json.dumps({**known, key: entry}, indent=1) + "\n")

    def _read(self) -> Fields:
        try:
            return read_json(self.path)
        except FormatError as error:
            raise FormatError(
                f"references cannot be read: {shortened(error)}; {_REMEDY}"
            ) from error


def reference_costs(problems: Iterable[Problem], cpu_s: float) -> list[float]:
    """Costs in metres that PyVRP reaches in CPU seconds, so that other load changes nothing."""
    from nco.baselines.pyvrp import solve_by_cpu

    costs = []
    for k, problem in enumerate(problems):
        costs.append(solve_by_cpu(problem, cpu_s).cost.total)
        if k % 10 == 9:
            log.info("%d references computed", k + 1)
    return costs
