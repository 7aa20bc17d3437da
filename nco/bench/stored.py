"""Instances of a suite that are read from files, with the best known routes beside them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.errors import InputError, NcoError

if TYPE_CHECKING:
    from nco.data.formats.rounding import Rounding
    from nco.problem import Problem

log = logging.getLogger("nco")

CLASSICAL = (".vrp", ".tsp", ".atsp", ".txt")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An instance in a file; `Stored.open` reads it.

    Attributes:
        path: of the file.
        digest: of its bytes.
        size: stops.
        seed: of the methods.
        rounding: of distances; None takes the rule of the format.
        best_known: cost of the routes in the `.sol` file beside it; None without one.
    """

    path: Path
    digest: str
    size: int
    seed: int
    rounding: Rounding | None = None
    best_known: float | None = None

    @classmethod
    def open(cls, path: str | Path, *, seed: int = 0, rounding: Rounding | None = None) -> Stored:
        """Read a file once, to know its size and that it can be used.

        Raises:
            NcoError: the file cannot be read, or holds no problem.
        """
        path = Path(path)
        problem = _load(path, rounding)
        return cls(
            path=path,
            digest=hashlib.sha256(path.read_bytes()).hexdigest()[:12],
            size=len(problem.stops),
            seed=seed,
            rounding=rounding,
            best_known=_cost_beside(path, problem),
        )

    @property
    def name(self) -> str:
        """For lines and messages."""
        return self.path.stem

    @property
    def group(self) -> str:
        """What its gaps are averaged with: the files of its folder."""
        rule = "" if self.rounding is None else f", rounding {self.rounding}"
        return f"{self.path.resolve().parent.name}{rule}"

    @property
    def source(self) -> dict[str, Any]:
        """Plain data that the instance follows from."""
        return {
            "file": self.path.name,
            "digest": self.digest,
            "rounding": self.rounding,
            "seed": self.seed,
        }

    def build(self) -> Problem:
        """Read it.

        Raises:
            NcoError: the file cannot be read any more.
        """
        return _load(self.path, self.rounding)


def in_files(
    files: Iterable[str | Path],
    folders: Iterable[str | Path] = (),
    *,
    seed: int = 0,
    rounding: Rounding | None = None,
) -> tuple[Stored, ...]:
    """Instances in files, and in all `.vrp`, `.tsp`, `.atsp` and `.txt` files of folders.

    Raises:
        InputError: a folder has no such file.
        NcoError: a file cannot be read, or holds no problem.
    """
    paths = [Path(file) for file in files]
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; give one with {', '.join(CLASSICAL)}")
        inside = sorted(path for path in folder.iterdir() if path.suffix.lower() in CLASSICAL)
        if not inside:
            raise InputError(f"{folder} holds no instance; read are {', '.join(CLASSICAL)}")
        paths += inside
    found = [Stored.open(path, seed=seed, rounding=rounding) for path in dict.fromkeys(paths)]
    return tuple({instance.digest: instance for instance in found}.values())


def _load(path: Path, rounding: Rounding | None) -> Problem:
    from nco.data.formats.registry import load
    from nco.problem import Problem

    options: dict[str, Any] = {} if rounding is None else {"rounding": rounding}
    found = load(path, **options)
    if not isinstance(found, Problem):
        raise InputError(f"{path} holds no problem; give a file that `nco solve` takes alone")
    return found


def _cost_beside(path: Path, problem: Problem) -> float | None:
    """What the routes in the `.sol` file of the same name cost, by the checker."""
    from nco.data.formats.sol import read_sol
    from nco.problem.check import check

    beside = path.with_suffix(".sol")
    if not beside.is_file():
        return None
    try:
        report = check(problem, read_sol(beside, problem))
    except NcoError as error:
        log.warning("without a best known cost: %s", error)
        return None
    if not report.feasible:
        log.warning("without a best known cost: %s: %s", beside, report.findings[0].message)
        return None
    return report.cost
