"""The standard specification of recursive logit on the drives of Borlänge.

    python benchmarks/paths_recursive_logit.py FOLDER

FOLDER holds `linkIncidence`, `ATTRIBUTEestimatedtime`, `ATTRIBUTEturnangles` and
`observationsForEstimBAI`, each `.txt` or `.txt.gz`. Published (Fosgerau, Frejinger and Karlström
2013, table 2): -2.494 a minute, -0.933 a left turn, -0.411 a link, -4.459 a U-turn, and a
log-likelihood of -6303.9.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from nco.roads.ranking.recursive_logit import RecursiveLogit

# The angle of a turn is positive to the right.
LEFT = (-3.1, -0.5236)
U_TURN = 3.1


def table(folder: Path, name: str) -> np.ndarray:
    """A table of numbers."""
    found = [path for end in ("txt", "txt.gz") if (path := folder / f"{name}.{end}").is_file()]
    return np.loadtxt(found[0])


def main() -> None:
    """Estimate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    incidence = table(folder, "linkIncidence").astype(int)
    before, after = incidence[:, 0] - 1, incidence[:, 1] - 1
    real = int(incidence[:, 0].max())
    size = int(incidence[:, :2].max())
    minutes = {(int(a) - 1, int(b) - 1): v for a, b, v in table(folder, "ATTRIBUTEestimatedtime")}
    angles = {(int(a) - 1, int(b) - 1): v for a, b, v in table(folder, "ATTRIBUTEturnangles")}
    pairs = list(zip(before.tolist(), after.tolist(), strict=True))
    onto_real = after < real
    angle = np.array([angles.get(pair, 0.0) for pair in pairs])
    features = (
        np.stack(
            [
                np.array([minutes.get(pair, 0.0) for pair in pairs]),
                (angle > LEFT[0]) & (angle < LEFT[1]),
                np.ones(len(pairs)),
                np.abs(angle) >= U_TURN,
            ],
            axis=1,
        )
        * onto_real[:, None]
    )
    drives = defaultdict(list)
    for number, position, link in table(folder, "observationsForEstimBAI").astype(int).tolist():
        drives[number].append((position, link - 1))
    # The first entry is the destination, and the last one again.
    paths = [[link for _, link in sorted(drive)][1:] for drive in drives.values()]
    model = RecursiveLogit(before, after, features, size)
    begun = time.perf_counter()
    published = np.array([-2.494, -0.933, -0.411, -4.459])
    print(f"at the published weights: {model.log_likelihood(published, paths)[0].sum():.1f}")
    fitted = model.fit(paths, [-2.5, -1.0, -0.5, -4.5])
    took = time.perf_counter() - begun
    for name, weight, error in zip(
        ("minute", "left turn", "link", "U-turn"), fitted.weights, fitted.errors, strict=True
    ):
        print(f"{name:10} {weight:8.3f} ± {error:.3f}")
    print(
        f"{len(paths)} drives: log-likelihood {fitted.log_likelihood:.1f} (published: -6303.9), "
        f"{fitted.steps} steps, {took:.1f} s"
    )


if __name__ == "__main__":
    main()
