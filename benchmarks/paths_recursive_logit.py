"""Recursive logit on the drives of Borlänge: the standard specification, and ours beside it.

    python benchmarks/paths_recursive_logit.py FOLDER [--folds 5]

Ours sees what `nco.roads.learn` gives its networks, as far as these data tell it: right turns, how
far a turn bends, from how many links one may choose, and how many quickest paths of the network
lead over a link, of all and of short ones. It is compared by the log-likelihood of drives to
destinations that were not learned from, in folds of destinations; intervals are of the bootstrap
over destinations.

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
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nco.roads.ranking.recursive_logit import RecursiveLogit
from nco.stats import grouped_interval

# The angle of a turn is positive to the right.
LEFT = (-3.1, -0.5236)
U_TURN = 3.1


def table(folder: Path, name: str) -> np.ndarray:
    """A table of numbers."""
    found = [path for end in ("txt", "txt.gz") if (path := folder / f"{name}.{end}").is_file()]
    return np.loadtxt(found[0])


def flow(minutes: np.ndarray, before: np.ndarray, after: np.ndarray, size: int) -> np.ndarray:
    """`[2, size]`, how many quickest paths lead over each link: of all, and mostly of short ones.

    Paths from 400 random links to all others count; for the short ones `exp(-minutes / 5)` each.
    """
    graph = csr_array((np.maximum(minutes, 1e-4), (before, after)), shape=(size, size))
    origins = np.random.default_rng(0).choice(np.unique(before), 400, replace=False)
    away, last = dijkstra(graph, indices=origins, return_predecessors=True)
    passed = np.zeros((2, size))
    for distance, parent in zip(away, last, strict=True):
        reached = np.isfinite(distance)
        ending = np.stack([reached, np.exp(-np.where(reached, distance, np.inf) / 5)])
        order = np.argsort(np.where(reached, distance, -1.0))[::-1]
        for link in order[: int(reached.sum())].tolist():
            if parent[link] >= 0:
                ending[:, parent[link]] += ending[:, link]
        passed += ending
    return passed


def compare(
    models: dict[str, RecursiveLogit], starts: dict[str, list[float]], paths: list, folds: int
) -> None:
    """Print log-likelihoods of paths to destinations that were not learned from."""
    ends = np.array([path[-1] for path in paths])
    names = np.unique(ends)
    place = np.random.default_rng(1).permutation(len(names)) % folds
    fold = place[np.searchsorted(names, ends)]
    likely = {name: np.zeros(len(paths)) for name in models}
    for k in range(folds):
        train = [path for path, f in zip(paths, fold, strict=True) if f != k]
        test = [path for path, f in zip(paths, fold, strict=True) if f == k]
        for name, model in models.items():
            weights = model.fit(train, starts[name]).weights
            likely[name][fold == k] = model.log_likelihood(weights, test)[0]
    for name, values in likely.items():
        print(f"{name}, to destinations not learned from: {values.sum():.1f}")
    gain = likely["ours"] - likely["standard"]
    low, high = grouped_interval(gain.tolist(), [str(end) for end in ends])
    print(f"ours over standard: {gain.mean():+.3f} [{low:+.3f}, {high:+.3f}] a drive")


def main() -> None:
    """Estimate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=5, help="of destinations; 0 compares nothing")
    asked = parser.parse_args()
    folder = asked.folder
    incidence = table(folder, "linkIncidence").astype(int)
    before, after = incidence[:, 0] - 1, incidence[:, 1] - 1
    real = int(incidence[:, 0].max())
    size = int(incidence[:, :2].max())
    minutes = {(int(a) - 1, int(b) - 1): v for a, b, v in table(folder, "ATTRIBUTEestimatedtime")}
    angles = {(int(a) - 1, int(b) - 1): v for a, b, v in table(folder, "ATTRIBUTEturnangles")}
    pairs = list(zip(before.tolist(), after.tolist(), strict=True))
    onto_real = after < real
    angle = np.array([angles.get(pair, 0.0) for pair in pairs])
    time_min = np.array([minutes.get(pair, 0.0) for pair in pairs])
    standard = [
        time_min,
        (angle > LEFT[0]) & (angle < LEFT[1]),
        np.ones(len(pairs)),
        np.abs(angle) >= U_TURN,
    ]
    features = np.stack(standard, axis=1) * onto_real[:, None]
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
    if asked.folds:
        real_pairs = time_min[onto_real], before[onto_real], after[onto_real]
        target = np.where(onto_real, after, 0)
        passed = [np.log(p + 0.05 * p.mean())[target] for p in flow(*real_pairs, size)]
        choices = np.bincount(before[onto_real], minlength=size)[target]
        more = [
            (angle > -LEFT[1]) & (angle < -LEFT[0]),
            np.abs(angle) * (np.abs(angle) < U_TURN),
            choices - 1.0,
            *((p - p.mean()) / p.std() for p in passed),
        ]
        ours = np.stack([*standard, *more], axis=1) * onto_real[:, None]
        models = {"standard": model, "ours": RecursiveLogit(before, after, ours, size)}
        start = fitted.weights.tolist()
        starts = {"standard": start, "ours": [*start, *(0.0 for _ in more)]}
        compare(models, starts, paths, asked.folds)


if __name__ == "__main__":
    main()
