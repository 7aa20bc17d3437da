"""Reference costs of validation instances: computed once by PyVRP, stored in a small JSON file."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nco.envs.convert import conversion
from nco.errors import FormatError, shortened
from nco.files import locked, write_atomic
from nco.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nco.problem import Problem
    from nco.training.validation import Validation

log = logging.getLogger("nco")


@dataclass(frozen=True)
class References:
    """A file of reference costs.

    Attributes:
        path: of the file.
    """

    path: str

    @property
    def exist(self) -> bool:
        """Whether the file is there."""
        return Path(self.path).is_file()

    def costs(self, key: str) -> torch.Tensor:
        """`[B]` costs in metres stored under a key.

        Raises:
            FormatError: the file is missing, damaged, or lacks the key.
        """
        stored = self._read()
        if key not in stored:
            raise FormatError(
                f"references {self.path} lack the validation instances of this config; run "
                "`nco train references` with the same config"
            )
        try:
            costs = torch.tensor(stored[key]["cost_m"], dtype=torch.float32)
        except (KeyError, OverflowError, RuntimeError, TypeError, ValueError) as error:
            raise FormatError(
                f"references {self.path} are damaged at {key!r} ({shortened(error)}); run "
                "`nco train references` with the same config"
            ) from error
        if costs.ndim != 1 or not (costs.isfinite() & (costs >= 0)).all():
            raise FormatError(f"references {self.path} have a cost at {key!r} that can be none")
        return costs

    def store(self, key: str, entry: dict[str, Any]) -> None:
        """Adds or replaces an entry, whoever else does so.

        Raises:
            FormatError: the file is damaged.
            StorageError: it cannot be written.
        """
        with locked(self.path):
            known = self._read() if self.exist else {}
            write_atomic(self.path, json.dumps({**known, key: entry}, indent=1) + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            content = parse_json(Path(self.path).read_bytes())
        except (OSError, ValueError) as error:
            raise FormatError(
                f"references {self.path} cannot be read ({shortened(error)}); run "
                "`nco train references` with the same config"
            ) from error
        if not isinstance(content, dict):
            raise FormatError(f"references {self.path} must hold one JSON object")
        return content


def reference_costs(problems: Iterable[Problem], cpu_s: float) -> list[float]:
    """Costs in metres that PyVRP reaches in CPU seconds, so that other load changes nothing."""
    from nco.baselines.pyvrp import solve_by_cpu

    costs = []
    for k, problem in enumerate(problems):
        costs.append(solve_by_cpu(problem, cpu_s).cost.total)
        if k % 10 == 9:
            log.info("%d references computed", k + 1)
    return costs


def compute_references(validation: Validation, cpu_s: float) -> None:
    """Computes and stores the references of validation instances."""
    if validation.references is None:
        raise FormatError("data.references is not set; name the file to write")
    for name, stops in validation.cells:
        instance = validation.instance(name, stops)
        problems = conversion(name).problems(instance)
        log.info("references of %d instances of %s with %d stops", len(problems), name, stops)
        costs = reference_costs(problems, cpu_s)
        entry = {"method": "pyvrp", "cpu_s": cpu_s, "cost_m": costs}
        validation.references.store(validation.key(name, stops), entry)
