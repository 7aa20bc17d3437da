"""How much slower is training beside a process that holds one core?

    python benchmarks/beside.py [--config smoke] [--seconds 6]

One run of `nco train fit` goes on while a busy loop comes and goes: at equal priority, free to move
or kept on one core, and at higher priority (which needs the right to raise it). Steps a second are
counted in each of these times. The machine must be quiet otherwise: what others use of it meanwhile
is printed beside each row, in cores.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightning

BUSY = (sys.executable, "-c", "while True: pass")
BESIDE: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "equal priority": BUSY,
    "equal priority, one core": ("taskset", "-c", "0", *BUSY),
    "higher priority (nice -5)": ("nice", "-n", "-5", *BUSY),
    "higher priority, one core": ("nice", "-n", "-5", "taskset", "-c", "0", *BUSY),
    "nothing again": (),
}
SETTLE_S, START_S = 1.0, 240.0


class Steps(lightning.Callback):
    """Writes down when each step ended."""

    def __init__(self, path: str) -> None:
        self.file = Path(path).open("w", buffering=1)  # noqa: SIM115 (open as long as the run)

    def on_train_batch_end(self, *given: object) -> None:  # noqa: ARG002 (Lightning's signature)
        """One line a step."""
        self.file.write(f"{time.monotonic()}\n")


def busy_s() -> float:
    """Seconds that all cores together have worked since the machine was started."""
    user, nice, system, *_ = Path("/proc/stat").read_text().split()[1:]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def own_s(*processes: subprocess.Popen[bytes] | None) -> float:
    """Seconds that processes have worked."""
    fields = [
        Path(f"/proc/{p.pid}/stat").read_text().rsplit(")")[-1].split() for p in processes if p
    ]
    return sum(int(row[11]) + int(row[12]) for row in fields) / os.sysconf("SC_CLK_TCK")


def measure(
    child: subprocess.Popen[bytes], ends: Path, command: tuple[str, ...], seconds: float
) -> tuple[float, float]:
    """Steps a second beside a command, and how many cores others used meanwhile."""
    other = subprocess.Popen(command) if command else None
    try:
        time.sleep(SETTLE_S)
        begin_s, all_s, ours_s = time.monotonic(), busy_s(), own_s(child, other)
        time.sleep(seconds)
        end_s = time.monotonic()
        others = (busy_s() - all_s - (own_s(child, other) - ours_s)) / (end_s - begin_s)
    finally:
        if other:
            other.kill()
            other.wait()
    steps = [float(line) for line in ends.read_text().split()]
    return sum(begin_s <= step < end_s for step in steps) / (end_s - begin_s), others


def main() -> None:
    """Measures and prints; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="smoke")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each row")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ends = Path(folder) / "steps"
        child = subprocess.Popen(
            [
                sys.executable, "-m", "nco", "train", "fit", "--config", given.config,
                "--trainer.max_epochs", "1000000", "--trainer.enable_progress_bar", "false",
                "--trainer.callbacks.dirpath", folder, "--trainer.logger.save_dir", folder,
                "--trainer.callbacks+", "beside.Steps",
                "--trainer.callbacks.init_args.path", str(ends),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["benchmarks", *sys.path])},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            last_s = time.monotonic() + START_S
            while not ends.is_file() or ends.read_text().count("\n") < 20:
                if child.poll() is not None or time.monotonic() > last_s:
                    raise SystemExit("training did not begin; run it by hand to see why")
                time.sleep(0.2)
            alone = 0.0
            for name, command in BESIDE.items():
                rate, others = measure(child, ends, command, given.seconds)
                alone = alone or rate
                slower = f"{alone / rate:5.2f} x" if rate else "stands"
                print(f"{name:28}{rate:7.1f} steps/s {slower}   others {others:4.1f} cores")
        finally:
            child.kill()
            child.wait()


if __name__ == "__main__":
    main()
