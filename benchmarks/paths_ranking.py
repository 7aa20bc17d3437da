"""How well models of choice put candidates in the order of recorded drives, by folds of drivers.

    python benchmarks/paths_ranking.py EXTRACT MATCHED TRIPS [--folds 5] [--every 1] [--out FOLDER]

For each fold costs are learned from the others, and candidates are five paths by plateaus and three
by penalties at these costs, three by plateaus at OSRM's, and the cheapest ones at six draws of
costs with noise. Models learn from the other folds' requests. What is known of others' drives
leaves out a request's own driver.

- First covers: the share of the drive that the first path covers; first is best: how often no
  candidate covers more; NDCG: gains are covered shares; best of three.
- `lists that end` are the ranker's own, of at most three paths.
- `path-size logit` has the fields of the map (`FIELDS` before `cost_min`) and the path size;
  `with all fields` has learned costs and others' drives as well, as the ranker has.

Intervals are of the bootstrap over drivers. Candidates and costs of folds are kept in the folder.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads import Costs, Hierarchy, Path, RoadGraph, paths
from nco.roads.learn import (
    CostNetwork,
    Drive,
    LearnedPaths,
    Settings,
    Usage,
    groups_of,
    learn_costs,
    load_costs,
    read_drives,
    save_costs,
    usage_of,
)
from nco.roads.learn.training import with_noise
from nco.roads.ranking.differences import FIELDS, measures, path_sizes
from nco.roads.ranking.logit import Choice, fit
from nco.roads.ranking.ranker import Ranker
from nco.stats import grouped_interval as interval

DRAWS = 6
GROUPS = 8  # of drivers, whose drives are kept apart from what is known of others'
PLAIN = FIELDS.index("cost_min")
WHAT = ("first covers", "first is best", "NDCG", "best of three")


@dataclass(frozen=True, eq=False)
class Request:
    """A drive and what might have been driven."""

    drive: Drive
    held: bool
    paths: list[Path]
    cost_s: list[float]
    covers: Floats
    usage: Usage

    def fields(self, whole: bool) -> Floats:
        """`[n, F]` of path-size logit."""
        table = measures(self.paths, self.cost_s, self.usage)
        sizes = np.log(path_sizes(self.paths))
        return np.column_stack([table if whole else table[:, :PLAIN], sizes])


type Order = Callable[[Request], Sequence[int]]


def ndcg(gains: Floats, order: Sequence[int]) -> float:
    """Discounted gains of an order over those of the best one."""
    discount = 1 / np.log2(np.arange(len(gains)) + 2)
    best = float((np.sort(gains)[::-1] * discount).sum())
    return float((gains[list(order)] * discount).sum()) / best if best > 0 else 1.0


def requests(
    graph: RoadGraph,
    drives: list[Drive],
    held: np.ndarray,
    network: CostNetwork,
    seed: int,
) -> list[Request]:
    """Candidates of all drives; of a fold's own drives nothing was learned."""
    usual = Hierarchy(graph, Costs.usual(graph))
    ours = LearnedPaths(graph, network)
    osrm = LearnedPaths(graph, CostNetwork.untrained(), costs=usual.costs)
    noisy = [
        Hierarchy(
            graph,
            with_noise(graph, ours.search.costs, 0.3, np.random.default_rng(k), "perturbed"),
        )
        for k in range(DRAWS)
    ]
    group = np.where(held, GROUPS, groups_of(drives, GROUPS, seed))
    known = {
        number: usage_of(
            graph,
            [d for d, g in zip(drives, group, strict=True) if g not in (number, GROUPS)],
            usual,
        )
        for number in sorted(set(group.tolist()))
    }
    found = []
    for drive, number in zip(drives, group.tolist(), strict=True):
        ends = drive.source, drive.target
        try:
            offered = [
                *ours(*ends, 5),
                *osrm(*ends, 3),
                *paths(graph, *ends, 3, search=ours.search, method="penalty"),
                *(search.path(*ends) for search in noisy),
            ]
        except NoPathError:
            continue
        each = list({path.links.tobytes(): path for path in offered}.values())
        if len(each) > 1:
            cost_s = [path.cost(ours.search.costs) for path in each]
            covers = np.array([drive.covered(path) for path in each])
            request = Request(drive, number == GROUPS, each, cost_s, covers, known[number])
            found.append(request)
    return found


def learned(train: list[Request]) -> dict[str, Order]:
    """Orders by what was driven in these requests."""

    def by_logit(whole: bool) -> Order:
        model = fit([Choice(r.fields(whole), int(r.covers.argmax())) for r in train])
        return lambda r: np.argsort(-model.scores(r.fields(whole)), kind="stable").tolist()

    ranker = Ranker.learn(
        [(r.paths, r.drive) for r in train],
        [r.cost_s for r in train],
        [r.usage for r in train],
    )

    def ranked(r: Request) -> list[int]:
        return np.argsort(-ranker.chances(r.paths, r.cost_s, r.usage), kind="stable").tolist()

    return {
        "by time": lambda r: np.argsort([p.duration_s for p in r.paths], kind="stable").tolist(),
        "by learned cost": lambda r: np.argsort(r.cost_s, kind="stable").tolist(),
        "path-size logit": by_logit(False),
        "with all fields": by_logit(True),
        "ranker": ranked,
        "lists that end": lambda r: ranker(r.paths, 3, r.cost_s, r.usage).order,
    }


def judged(covers: Floats, order: Sequence[int]) -> list[float]:
    """In the order of `WHAT`."""
    return [
        covers[order[0]],
        covers[order[0]] >= covers.max() - 1e-9,
        ndcg(covers, order) if len(order) == len(covers) else np.nan,
        covers[list(order[:3])].max(),
    ]


def _network(
    graph: RoadGraph, drives: list[Drive], held: np.ndarray, folder: FilePath, name: str
) -> CostNetwork:
    """Costs learned from what is not held, or those that are kept."""
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        network = learn_costs(
            graph, [d for d, h in zip(drives, held, strict=True) if not h], Settings()
        )
        save_costs(path, network, {})
    return load_costs(path).network


def main() -> None:
    """Learn on some drivers, rank for others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("extract", "matched", "trips"):
        parser.add_argument(name)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take only every n-th drive (1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=FilePath, default=FilePath("out/ranking"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    graph = RoadGraph.from_osm(asked.extract)
    usual = Hierarchy(graph, Costs.usual(graph))
    drives = read_drives(graph, asked.matched, asked.trips)[:: asked.every]
    drives = [d for d in drives if np.isfinite(usual.cost(d.source, d.target))]
    fold = groups_of(drives, asked.folds, asked.seed)
    results: dict[str, list[list[float]]] = {}
    drivers, counts, best, ended = [], [], [], []
    for number in range(asked.folds):
        rows = asked.out / f"{asked.every}-{asked.seed}-{number}.pickle"
        if not rows.is_file():
            network = _network(graph, drives, fold == number, asked.out, rows.stem)
            found = requests(graph, drives, fold == number, network, asked.seed)
            train = [r for r in found if not r.held]
            orders = learned(train)
            test = [r for r in found if r.held]
            kept = [
                (r.drive.driver, r.covers, {name: order(r) for name, order in orders.items()})
                for r in test
            ]
            rows.write_bytes(pickle.dumps((len(train), kept)))
        trained, kept = pickle.loads(rows.read_bytes())
        print(f"fold {number}: {trained} requests learned from, {len(kept)} ranked", flush=True)
        for driver, covers, orders in kept:
            drivers.append(driver)
            counts.append(len(covers))
            best.append(covers.max())
            ended.append(len(orders["lists that end"]))
            for name, order in orders.items():
                results.setdefault(name, []).append(judged(covers, order))
    print(f"{len(drivers)} requests with {np.mean(counts):.1f} candidates")
    print(f"the best candidate covers {np.mean(best):.3f}")
    print(f"lists that end by themselves have {np.mean(ended):.2f} paths")
    for name, values in results.items():
        means = zip(WHAT, np.mean(values, axis=0), strict=True)
        print(f"{name:16}", ", ".join(f"{what} {mean:.3f}" for what, mean in means))
    for other in ("path-size logit", "with all fields"):
        gain = np.array(results["ranker"]) - np.array(results[other])
        for k, what in enumerate(WHAT):
            low, high = interval(gain[:, k], drivers)
            told = f"{gain[:, k].mean():+.4f} [{low:+.4f}, {high:+.4f}]"
            print(f"ranker over {other}, {what}: {told}")


if __name__ == "__main__":
    main()
