"""A queue of training pieces that may be killed: trained, measured, and ended where one fails.

    python -m benchmarks.pieces benchmarks/pieces.yaml --folder EXTRACTS
    python -m benchmarks.pieces benchmarks/pieces.yaml --folder EXTRACTS --only preference

A piece is trained for so many minutes of processor time at a stretch (`nco.training.budget`), then
measured on the queue's instances, paired with the policy it began with; labels are charged by
their seconds. What was trained and measured is not done again. Written are `rows.jsonl`, with the
gap of every instance, and `curve.csv` in the folder of each piece. One process on one thread trains
at a time: `taskset -c 1` in front keeps all of it on a core.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from nco.bench.policies.measure import DECODINGS, by_policy, device_of, load
from nco.bench.policies.references import References
from nco.bench.policies.run import PolicySuite, complete
from nco.bench.policies.sets import Cities, draw
from nco.files import write_atomic
from nco.stats import interval

type Gaps = dict[str, list[float]]  # percent of each instance, by problem and stops


@dataclass(frozen=True)
class Piece:
    """A piece of training.

    Attributes:
        name: of its folder.
        config: shipped configs or files, one over the other.
        weights: what it begins with: a policy, or `piece:NAME` for the last weights of another.
        minutes: of processor time, labels included.
        every: minutes between two measurements.
        options: over the configs, as in a config.
        ema: decay of the averaged weights.
        gain: points that the mean gap must have fallen by after `after` minutes, or it ends.
        after: see there.
        patience: measurements without a new best after which it ends.
    """

    name: str
    config: list[str]
    weights: str | None = "general"
    minutes: float = 120.0
    every: float = 15.0
    options: dict[str, Any] = field(default_factory=dict)
    ema: float = 0.99
    gain: float = 0.0
    after: float = 120.0
    patience: int = 4

    @property
    def labels_min(self) -> float:
        """Minutes that its labels take."""
        labels = self.options.get("data", {}).get("labels") or {}
        return labels.get("groups", 0) * labels.get("size", 0) * labels.get("time_limit_s", 0) / 60


@dataclass(frozen=True)
class Row:
    """A measurement.

    Attributes:
        minutes: of processor time until then, labels included.
        gaps: of the policy.
    """

    minutes: float
    gaps: Gaps


def gain(before: Gaps, after: Gaps, stops: int | None = None) -> list[float]:
    """Points by which the gap of each instance fell, of one size or of all."""
    cells = [cell for cell in before if stops is None or cell.endswith(f" {stops}")]
    return [b - a for cell in cells for b, a in zip(before[cell], after[cell], strict=True)]


def verdict(piece: Piece, begun: Gaps, rows: Sequence[Row], stops: int) -> str | None:
    """Why a piece ends after these measurements; None if it goes on.

    Args:
        piece: the piece.
        begun: gaps of what it began with.
        rows: its measurements.
        stops: the size that its gain is asked for at.
    """
    if not rows:
        return None
    gains = [mean(gain(begun, row.gaps, stops)) for row in rows]
    last = rows[-1]
    if last.minutes >= piece.minutes:
        return "its time is over"
    if last.minutes >= piece.after and max(gains) < piece.gain:
        return f"{max(gains):.2f} points after {last.minutes:g} minutes, {piece.gain:g} were asked"
    if len(gains) - 1 - gains.index(max(gains)) >= piece.patience:
        return f"no new best in {piece.patience} measurements"
    return None


class Queue:
    """Pieces and what they are measured on.

    Args:
        plan: the queue's file, read.
        folder: of extracts.
        root: where the pieces' folders lie.
    """

    def __init__(self, plan: dict[str, Any], folder: str | None, root: Path) -> None:
        self.pieces = [Piece(**piece) for piece in plan["pieces"]]
        self.decoding = plan["measure"].pop("decoding", "greedy-x8")
        self.suite = PolicySuite(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in plan["measure"].items()}
        )
        self.stops = max(self.suite.stops)
        self.folder, self.root = folder, root
        self.cities, self.references = Cities(folder), References()

    def run(self, piece: Piece) -> str:
        """Trains and measures until the piece ends; gives the reason."""
        home = self.root / piece.name
        home.mkdir(parents=True, exist_ok=True)
        weights = piece.weights
        if weights is not None and weights.startswith("piece:"):
            weights = str(self.root / weights.removeprefix("piece:") / "policy.safetensors")
        begun = {} if weights is None else self._begun(home, weights)
        rows = _rows(home)
        while (why := verdict(piece, begun, rows, self.stops)) is None:
            minutes = min(piece.minutes, piece.labels_min + piece.every * (len(rows) + 1))
            self._train(piece, home, weights, minutes - piece.labels_min)
            row = Row(minutes, self.measured(str(home / "policy.safetensors")))
            with (home / "rows.jsonl").open("a") as file:
                file.write(json.dumps(vars(row)) + "\n")
            rows.append(row)
            begun = begun or row.gaps
            _write_curve(home / "curve.csv", begun, rows)
            _say(piece, begun, row)
        return why

    def measured(self, policy: str) -> Gaps:
        """Gaps of a policy to the references."""
        loaded = load(policy)
        gaps = {}
        for cell in self.suite.cells({policy: loaded}):
            cases = draw(cell, self.suite.instances, self.cities)
            usual, _, _ = complete(self.suite, cases, self.references)
            answers = by_policy(loaded, cases, DECODINGS[self.decoding], device_of("cpu"))
            if answers.errors:
                raise SystemExit(f"{policy}: {cell}: {answers.errors[0]}")
            pairs = zip(answers.cost_m, usual, strict=True)
            gaps[f"{cell.problem} {cell.stops}"] = [round(100 * (a / b - 1), 4) for a, b in pairs]
        return gaps

    def _begun(self, home: Path, weights: str) -> Gaps:
        path = home / "begun.json"
        if not path.is_file():
            write_atomic(path, json.dumps(self.measured(weights)))
        known: Gaps = json.loads(path.read_text())
        return known

    def _train(self, piece: Piece, home: Path, weights: str | None, minutes: float) -> None:
        path = home / "piece.yaml"
        write_atomic(path, yaml.safe_dump(self._options(piece, home, weights, minutes)))
        given = [part for name in (*piece.config, path) for part in ("--config", str(name))]
        if piece.labels_min:
            _nco("label", *given)
        last = home / "last.ckpt"
        _nco("fit", *given, *(("--ckpt_path", str(last)) if last.is_file() else ()))
        _nco("export", str(last), str(home / "policy.safetensors"))

    def _options(
        self, piece: Piece, home: Path, weights: str | None, minutes: float
    ) -> dict[str, Any]:
        """What is said over the configs of a piece."""
        averaged = {"class_path": "lightning.pytorch.callbacks.EMAWeightAveraging"}
        kept = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint"}
        budget = {"class_path": "nco.training.budget.CpuBudget"}
        return {
            "model": {"weights": weights, "cooldown": 0.5, **piece.options.get("model", {})},
            "data": {
                "folder": self.folder,
                "references": None,
                "validation_cities": [],
                **piece.options.get("data", {}),
            },
            "trainer": {
                "devices": 1,
                "strategy": "auto",
                "max_epochs": 1_000_000,
                "logger": {
                    "class_path": "lightning.pytorch.loggers.CSVLogger",
                    "init_args": {"save_dir": str(home), "name": "log"},
                },
                "callbacks": [
                    {**averaged, "init_args": {"decay": piece.ema}},
                    {**budget, "init_args": {"minutes": minutes}},
                    {**kept, "init_args": {"dirpath": str(home), "save_last": True}},
                ],
                **piece.options.get("trainer", {}),
            },
        }


def _nco(verb: str, *given: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-m", "nco", "train", verb, *given], env=environment, check=True
    )


def _rows(home: Path) -> list[Row]:
    path = home / "rows.jsonl"
    if not path.is_file():
        return []
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [Row(**json.loads(line)) for line in whole]


def _write_curve(path: Path, begun: Gaps, rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["cpu_minutes", *begun])
        for minutes, gaps in ((0.0, begun), *((row.minutes, row.gaps) for row in rows)):
            table.writerow([minutes, *(round(mean(gaps[cell]), 3) for cell in begun)])


def _say(piece: Piece, begun: Gaps, row: Row) -> None:
    parts = []
    for cell in begun:
        gained = gain({cell: begun[cell]}, row.gaps)
        low, high = interval(gained) or (float("nan"), float("nan"))
        parts.append(
            f"  {cell:12} {mean(row.gaps[cell]):6.2f} %, gain {mean(gained):+.2f} "
            f"({low:+.2f} to {high:+.2f})"
        )
    print(f"{piece.name} after {row.minutes:g} minutes", *parts, sep="\n", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("queue", type=Path, help="file of pieces")
    parser.add_argument("--folder", help="of extracts")
    parser.add_argument("--only", nargs="+", help="names of pieces, in this order (all)")
    parser.add_argument("--out", type=Path, default=Path("runs/pieces"))
    given = parser.parse_args()
    queue = Queue(yaml.safe_load(given.queue.read_text()), given.folder, given.out)
    pieces = {piece.name: piece for piece in queue.pieces}
    for name in given.only or pieces:
        print(f"{name} ends: {queue.run(pieces[name])}", flush=True)


if __name__ == "__main__":
    main()
