"""How much of recorded drives learned paths cover, by folds of drivers.

    python benchmarks/paths_learned.py EXTRACT MATCHED TRIPS [--folds 5] [--only 0 1] [--out FOLDER]

EXTRACT is the map that the drives were matched to; MATCHED and TRIPS are what
`nco.roads.learn.read_drives` reads. Costs are learned from the other folds, and each fold's drives
are covered by the best of one, two and three paths, by directed links and metres, between the ends
of the drive with the direction known. Limits are the same for all methods (1.25 times the cheapest,
0.8 in common, clean), costs are their own. `known` methods know where the drives of the other folds
went. Intervals are of the bootstrap over drivers. Results of folds are kept in the folder.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from nco.errors import NoPathError
from nco.roads import Costs, Hierarchy, RoadGraph
from nco.roads.learn import (
    Drive,
    LearnedPaths,
    Settings,
    groups_of,
    learn_costs,
    learn_memory,
    read_drives,
    save_costs,
    usage_of,
)
from nco.roads.learn.memory import share_of
from nco.roads.learn.skeleton import Skeleton
from nco.roads.several.plateau import plateau
from nco.roads.several.query import Chosen, Limits, Query

LIMITS = Limits(local=0)
K = 3
FACTORS = (1.2, 1.4)


def penalties(factor: float):
    """Penalties on links of earlier paths, within the skeleton, so that it takes as long."""

    def offer(chosen: Chosen) -> None:
        query = chosen.query
        path = query.best
        chosen.offer(path)
        if len(path) == 1:
            return
        skeleton = Skeleton.around(query.costs, path, query.source, query.target)
        costs = skeleton.link_costs.copy()
        for _ in range(20):
            if chosen.full:
                return
            costs[skeleton.numbers(path.links)] *= factor
            path = skeleton.path(costs, skeleton.turn_costs)
            chosen.offer(path)

    return offer


def measured(drives: list[Drive], search: Hierarchy, offer) -> dict[str, list]:
    """Coverage by one, two and three paths, how many there are, and what they are like."""
    rows: dict[str, list] = defaultdict(list)
    for drive in drives:
        begun = time.perf_counter()
        query = Query(search.graph, search.costs, drive.source, drive.target, K, LIMITS, search)
        chosen = Chosen(query)
        try:
            offer(chosen)
        except NoPathError:
            if not chosen.paths:
                continue
        paths = chosen.paths
        rows["ms"].append(1000 * (time.perf_counter() - begun))
        rows["driver"].append(drive.driver)
        rows["covered"].append([drive.covered(*paths[:k]) for k in range(1, K + 1)])
        rows["paths"].append(len(paths))
        fastest = min(path.duration_s for path in paths)
        rows["stretch"].append(float(np.mean([p.duration_s / fastest for p in paths])))
        rows["share"].append(
            float(
                np.mean([max(share_of(p, q) for q in paths[:i]) for i, p in enumerate(paths) if i])
            )
            if len(paths) > 1
            else float("nan")
        )
    return dict(rows)


def one_fold(
    graph: RoadGraph, train: list[Drive], test: list[Drive], settings: Settings, out: Path
):
    """Learn from some drives, measure on others."""
    usual = Hierarchy(graph)
    network = learn_costs(graph, train, settings)
    network = learn_memory(graph, train, network, settings)
    save_costs(out.with_suffix(".safetensors"), network, {"about": "a fold of a benchmark"})
    results = {"OSRM's costs, plateau": measured(test, usual, lambda c: plateau(c.query, c))}
    for name, usage in (("learned", None), ("known", usage_of(graph, train, usual))):
        ours = LearnedPaths(graph, network, usage)
        results[f"{name}, shipped"] = measured(test, ours.search, ours.offer)
        results[f"{name}, conditioned"] = measured(test, ours.search, ours.offer_conditioned)
        for factor in FACTORS:
            results[f"{name}, penalty {factor}"] = measured(test, ours.search, penalties(factor))
        results[f"{name}, plateau"] = measured(test, ours.search, lambda c: plateau(c.query, c))
    out.write_text(json.dumps(results))


def interval(values: np.ndarray, drivers: list[str]) -> tuple[float, float]:
    """Of the mean, by the bootstrap over drivers."""
    names, index = np.unique(drivers, return_inverse=True)
    total = np.bincount(index, weights=values)
    count = np.bincount(index)
    rng = np.random.default_rng(1979)
    draws = rng.integers(len(names), size=(4000, len(names)))
    means = total[draws].sum(axis=1) / count[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def report(files: list[Path]) -> None:
    """Print what all folds say together."""
    joined: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for path in files:
        for name, rows in json.loads(path.read_text()).items():
            for key, values in rows.items():
                joined[name][key].extend(values)
    covered = {name: np.array(rows["covered"]) for name, rows in joined.items()}
    for name, rows in joined.items():
        parts = []
        for k in range(K):
            low, high = interval(covered[name][:, k], rows["driver"])
            parts.append(f"{covered[name][:, k].mean():.3f} [{low:.3f}, {high:.3f}]")
        print(
            f"{name:24} K=1, 2, 3: {', '.join(parts)} | beyond 0.9: "
            f"{(covered[name][:, -1] > 0.9).mean():.3f} | paths {np.mean(rows['paths']):.2f}, "
            f"stretch {np.mean(rows['stretch']):.3f}, share {np.nanmean(rows['share']):.3f} | "
            f"ms {np.median(rows['ms']):.0f} (95 %: {np.quantile(rows['ms'], 0.95):.0f}) | "
            f"{len(rows['ms'])} drives of {len(set(rows['driver']))} drivers"
        )
    for group in ("learned", "known"):
        ours = f"{group}, conditioned"
        for name in joined:
            if name.startswith(group) and name != ours:
                gain = (covered[ours] - covered[name])[:, -1]
                low, high = interval(gain, joined[ours]["driver"])
                print(f"{ours} over {name}, K=3: {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}]")


def main() -> None:
    """Measure what is not measured yet, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extract")
    parser.add_argument("matched")
    parser.add_argument("trips")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", help="folds to measure now (all)")
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, help="drives of a fold that are measured (all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/paths-learned"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    graph = RoadGraph.from_osm(asked.extract)
    drives = read_drives(graph, asked.matched, asked.trips)
    usual = Hierarchy(graph, Costs.usual(graph))
    drives = [d for d in drives if np.isfinite(usual.cost(d.source, d.target))]
    fold = groups_of(drives, asked.folds, asked.seed)
    settings = Settings(steps=asked.steps, rounds=asked.rounds)
    for k in range(asked.folds) if asked.only is None else asked.only:
        path = asked.out / f"fold-{asked.folds}-{k}.json"
        if not path.is_file():
            train = [d for d, f in zip(drives, fold, strict=True) if f != k]
            test = [d for d, f in zip(drives, fold, strict=True) if f == k][: asked.most]
            begun = time.perf_counter()
            one_fold(graph, train, test, settings, path)
            print(f"fold {k}: {time.perf_counter() - begun:.0f} s", flush=True)
    report(sorted(asked.out.glob(f"fold-{asked.folds}-*.json")))


if __name__ == "__main__":
    main()
