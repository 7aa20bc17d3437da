"""Training runs of seconds by the command line, for tests of training."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from city_tables import make_table


def write_tables(folder: Path) -> list[str]:
    """Paths of three tables."""
    paths = [folder / f"city{k}.npz" for k in range(3)]
    for k, path in enumerate(paths):
        make_table(k).save(path)
    return [str(path) for path in paths]


def arguments(tables: list[str], folder: Path, *more: str) -> list[str]:
    """A run of seconds."""
    return [
        "--config", "smoke",
        "--data.cities", json.dumps(tables[:2]),
        "--data.stops", "[4, 6]", "--data.batch_size", "4", "--data.batches_per_epoch", "6",
        "--model.starts", "3",
        "--model.policy.init_args.width", "16",
        "--trainer.log_every_n_steps", "1", "--trainer.enable_progress_bar", "false",
        "--trainer.logger.save_dir", str(folder),
        "--trainer.callbacks.dirpath", str(folder),
        *more,
    ]  # fmt: skip


def losses(folder: Path) -> dict[int, str]:
    """Training loss by step, as written; what a later run says of a step holds."""
    found = {}
    for path in sorted(folder.rglob("metrics.csv")):
        with path.open() as file:
            for row in csv.DictReader(file):
                if row.get("train/loss"):
                    found[int(row["step"])] = row["train/loss"]
    return found


def fit_elsewhere(given: list[str], modules: Path) -> subprocess.CompletedProcess[str]:
    """Trains in a process of its own, which finds callbacks in a folder of modules."""
    return subprocess.run(
        [sys.executable, "-m", "nco", "train", "fit", *given],
        env={**os.environ, "PYTHONPATH": str(modules), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
