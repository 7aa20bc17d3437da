"""How well models of choice put candidates in the order of recorded drives.

    python benchmarks/paths_ranking.py EXTRACT MATCHED TRIPS WEIGHTS [--folds 5] [--fold 0]

WEIGHTS are costs learned without that fold, as `benchmarks/paths_learned.py` keeps them. Candidates
are three paths by learned costs and three by OSRM's. First choice: the share of the drive that the
first path covers, and how often no candidate covers more. NDCG: gains are covered shares. Intervals
of gains over path-size logit are of the bootstrap over drives.
"""

from __future__ import annotations

import argparse

import numpy as np

from nco.errors import NoPathError
from nco.roads import Costs, Path, RoadGraph
from nco.roads.learn import (
    CostNetwork,
    Drive,
    LearnedPaths,
    groups_of,
    load_costs,
    read_drives,
)
from nco.roads.ranking.differences import measures, path_sizes
from nco.roads.ranking.logit import Choice, fit
from nco.roads.ranking.ranker import Ranker
from nco.stats import interval


def pool(drive: Drive, methods: list[LearnedPaths]) -> list[Path]:
    """Different paths of several methods."""
    found: dict[bytes, Path] = {}
    for method in methods:
        for path in method(drive.source, drive.target, 3):
            found.setdefault(path.links.tobytes(), path)
    return list(found.values())


def ndcg(gains: np.ndarray, order: list[int]) -> float:
    """Discounted gains of an order over those of the best one."""
    discount = 1 / np.log2(np.arange(len(gains)) + 2)
    best = float((np.sort(gains)[::-1] * discount).sum())
    return float((gains[order] * discount).sum()) / best if best > 0 else 1.0


def main() -> None:
    """Learn on some drivers, rank for others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("extract", "matched", "trips", "weights"):
        parser.add_argument(name)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="take only every n-th drive (1)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    graph = RoadGraph.from_osm(asked.extract)
    drives = read_drives(graph, asked.matched, asked.trips)
    fold = groups_of(drives, asked.folds, asked.seed)
    ours = LearnedPaths(graph, load_costs(asked.weights).network)
    usual = LearnedPaths(graph, CostNetwork.untrained(), costs=Costs.usual(graph))
    known = []
    asked_for = list(zip(drives, fold.tolist(), strict=True))[:: asked.every]
    for drive, number in asked_for:
        try:
            paths = pool(drive, [ours, usual])
        except NoPathError:
            continue
        if len(paths) > 1:
            cost_s = [path.cost(ours.search.costs) for path in paths]
            covers = np.array([drive.covered(path) for path in paths])
            known.append((number == asked.fold, paths, drive, cost_s, covers))
    train, test = ([row for row in known if row[0] == held] for held in (False, True))

    def own(paths: list[Path], cost_s: list[float], sizes: bool) -> np.ndarray:
        fields = measures(paths, cost_s)
        return np.column_stack([fields, np.log(path_sizes(paths))]) if sizes else fields

    logits = {
        name: fit([Choice(own(p, c, sizes), int(g.argmax())) for _, p, _, c, g in train])
        for name, sizes in (("multinomial logit", False), ("path-size logit", True))
    }
    ranker = Ranker.learn([(p, d) for _, p, d, _, _ in train], [c for *_, c, _ in train])
    orders = {
        "by time": lambda p, _: np.argsort([path.duration_s for path in p], kind="stable"),
        "by learned cost": lambda _, c: np.argsort(c, kind="stable"),
        "multinomial logit": lambda p, c: np.argsort(
            -logits["multinomial logit"].scores(own(p, c, False)), kind="stable"
        ),
        "path-size logit": lambda p, c: np.argsort(
            -logits["path-size logit"].scores(own(p, c, True)), kind="stable"
        ),
        "ranker": lambda p, c: whole(ranker(p, len(p), c).order, c),
    }

    def whole(order: tuple[int, ...], cost_s: list[float]) -> list[int]:
        """What a list that ended leaves out comes behind it, by learned cost."""
        rest = [int(k) for k in np.argsort(cost_s, kind="stable") if int(k) not in order]
        return [*order, *rest]

    print(f"{len(train)} requests learned from, {len(test)} ranked; in the mean "
          f"{np.mean([len(p) for _, p, *_ in test]):.1f} candidates")  # fmt: skip
    print(f"oracle: the best candidate covers {np.mean([g.max() for *_, g in test]):.3f}")
    results = {}
    for name, order_of in orders.items():
        rows = []
        for _, paths, _, cost_s, covers in test:
            order = [int(k) for k in order_of(paths, cost_s)]
            rows.append(
                [
                    covers[order[0]],
                    covers[order[0]] >= covers.max() - 1e-9,
                    ndcg(covers, order),
                    covers[order[:3]].max(),
                ]
            )
        results[name] = np.array(rows, dtype=float)
        means = results[name].mean(axis=0)
        print(
            f"{name:18} first covers {means[0]:.3f}, first is best {means[1]:.3f}, NDCG "
            f"{means[2]:.4f}, best of three covers {means[3]:.3f}"
        )
    gain = results["ranker"] - results["path-size logit"]
    for k, what in enumerate(("first covers", "first is best", "NDCG", "best of three")):
        low, high = interval(gain[:, k].tolist()) or (float("nan"),) * 2
        told = f"{gain[:, k].mean():+.4f} [{low:+.4f}, {high:+.4f}]"
        print(f"ranker over path-size logit, {what}: {told}")
    listed = [ranker(p, 3, c) for _, p, _, c, _ in test]
    shown = np.mean([len(found.order) for found in listed])
    kept = np.mean([g[list(f.order)].max() for (*_, g), f in zip(test, listed, strict=True)])
    print(f"lists that end by themselves: {shown:.2f} of at most three paths, covering {kept:.3f}")


if __name__ == "__main__":
    main()
