"""Labels: good solutions of training instances, for policies that imitate them.

A file holds no instances. It names how each group of them is drawn again (the cities, the law,
the seed and the number of the group) and the actions of their solutions, so it stays small.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.archives import read_npz
from nco.errors import FormatError, PolicyError, quoted, shortened
from nco.files import write_atomic
from nco.json_text import parse_json
from nco.solver import MAX_JOBS
from nco.training.orders import FILL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT = "nco labels 1"
SOLVERS = ("pyvrp", "lns", "auto")
_REMEDY = "run `nco train label` with the same config, or name another file in data.labels.path"


@dataclass(frozen=True)
class Labels:
    """Which labels there are to be, and where.

    Attributes:
        path: of the file (`.npz`).
        groups: how many there are to be; each is of one problem and one size.
        size: instances of a group.
        time_limit_s: CPU seconds of the solver for an instance; of `auto`, by the wall clock.
        jobs: processes that compute labels at a time.
        solver: one of `SOLVERS`; labels that are there stay, whoever found them.

    Raises:
        PolicyError: a number makes no sense, or the solver is none of these.
    """

    path: str
    groups: int = 200
    size: int = 32
    time_limit_s: float = 0.5
    jobs: int = 1
    solver: str = "pyvrp"

    def __post_init__(self) -> None:
        for name in ("groups", "size", "jobs"):
            if getattr(self, name) < 1:
                raise PolicyError(f"labels.{name} is {quoted(getattr(self, name))}; give 1 or more")
        if self.jobs > MAX_JOBS:
            raise PolicyError(f"labels.jobs is {quoted(self.jobs)}; give {MAX_JOBS} or fewer")
        if self.solver not in SOLVERS:
            raise PolicyError(f"labels.solver is {quoted(self.solver)}; use {', '.join(SOLVERS)}")
        if not 0 < self.time_limit_s < float("inf"):
            raise PolicyError(
                f"labels.time_limit_s is {self.time_limit_s}; give a positive number of seconds"
            )
        if Path(self.path).suffix != ".npz":
            raise PolicyError(f"labels.path is {quoted(self.path)}; it must end in .npz")


@dataclass(frozen=True)
class Group:
    """Labels of one group.

    Attributes:
        actions: `[B, T]` int16, filled up with -1.
        cost: `[B]` float32 metres.
    """

    actions: NDArray[np.int16]
    cost: NDArray[np.float32]

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions (int64) and costs."""
        return torch.from_numpy(self.actions.astype(np.int64)), torch.from_numpy(self.cost)


def padded(actions: list[list[int]]) -> NDArray[np.int16]:
    """Lists of actions as one array."""
    made = np.full((len(actions), max(map(len, actions))), FILL, np.int16)
    for row, given in zip(made, actions, strict=True):
        row[: len(given)] = given
    return made


def write_labels(path: str, about: dict[str, Any], groups: Mapping[int, Group]) -> None:
    """Writes labels; the file is whole or as it was."""
    arrays: dict[str, Any] = {"about": json.dumps({"format": FORMAT, **about})}
    for number, group in groups.items():
        arrays[f"actions {number}"], arrays[f"cost {number}"] = group.actions, group.cost
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomic(path, buffer.getvalue())


def _group(actions: NDArray[Any], cost: NDArray[Any]) -> Group:
    if actions.dtype != np.int16 or cost.dtype != np.float32:
        raise ValueError(f"actions are {actions.dtype} and costs {cost.dtype}")
    if actions.ndim != 2 or cost.shape != actions.shape[:1]:
        raise ValueError(f"{quoted(actions.shape)} actions have {quoted(cost.shape)} costs")
    return Group(actions, cost)


def read_labels(path: str, about: dict[str, Any]) -> dict[int, Group]:
    """Reads labels by the number of their group.

    Args:
        path: of the file.
        about: how instances are drawn; the file must say the same.

    Raises:
        FormatError: the file is missing or damaged, or its instances are drawn in another way.
    """
    try:
        held = read_npz(Path(path))
        said = parse_json(str(held["about"]))
        numbers = [int(name.split()[1]) for name in held if name.startswith("cost ")]
        groups = {k: _group(held[f"actions {k}"], held[f"cost {k}"]) for k in numbers}
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise FormatError(
            f"labels {path} cannot be read ({shortened(error)}); {_REMEDY}"
        ) from error
    wanted = json.loads(json.dumps({"format": FORMAT, **about}))
    for name, value in wanted.items():
        if not isinstance(said, dict) or said.get(name) != value:
            was = said.get(name) if isinstance(said, dict) else None
            raise FormatError(
                f"labels {path} are of other instances: {name} is {quoted(was)} there and "
                f"{quoted(value)} in this config; {_REMEDY}"
            )
    return groups
