"""How much of recorded drives several paths cover, by folds of drivers.

    python benchmarks/paths_learned.py EXTRACT MATCHED TRIPS [--every 1] [--engines] [--out FOLDER]

EXTRACT is the map that the drives were matched to; MATCHED and TRIPS are what
`nco.roads.learn.read_drives` reads. Costs are learned from the other folds, and each fold's drives
are covered by the best of one, two and three paths: by directed links and metres, and by geometry
(metres of the drive within 15 m of the path).

All methods are asked for paths between the same two places, with no direction; `heading` methods
know the directions in which the drive began and ended. Paths of ours keep limits (1.25 times the
cheapest, clean) and share so much with earlier ones that alternatives are, in the mean, no costlier
and no more alike than those of another engine are: `0.33` like OSRM's (stretch 1.12, share 0.33),
`0.38` like Valhalla's (1.14, 0.38). That limit is chosen on drives that were learned from. Stretch
and share are at a method's own costs, as other engines count theirs; those at OSRM's costs are
printed as well. What Valhalla gives is compared by its own line within 15 m, and by links as far as
it lies on links of the graph from end to end.
`learned` costs are of attributes of streets alone, and so could be of another city. `known` costs
are of this city: they know where other drivers (those of the other folds) drove on each link, and
have a factor for each street and link that was learned from these drives (`learn_known`).

Intervals are of the bootstrap over drivers. Results of folds are kept in the folder; what is there
is not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path as FilePath

import numpy as np
from scipy.spatial import cKDTree

from nco.data.cities.city import City
from nco.errors import NcoError
from nco.roads import Costs, Hierarchy, Path, Position, RoadGraph
from nco.roads.learn import (
    Drive,
    Settings,
    groups_of,
    learn_costs,
    learn_known,
    load_costs,
    read_drives,
    save_costs,
)
from nco.roads.path import part_of_line
from nco.roads.several.plateau import plateau
from nco.roads.several.quality import Spent
from nco.roads.several.query import Chosen, Limits, Query
from nco.roads.several.sweep import Sweep
from nco.stats import grouped_interval as interval

K = 3
BUDGETS = {"0.33": (1.12, 0.33), "0.38": (1.14, 0.38)}
SHARES = (0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
TUNED_ON = 40
COMPARED = (
    ("plateau 0.33", "OSRM"),
    ("learned 0.33", "OSRM"),
    ("plateau 0.38", "Valhalla"),
    ("learned 0.38", "Valhalla"),
    ("learned 0.33", "plateau 0.33"),
    ("known 0.33", "learned 0.33"),
)
_NEAR_M = 15.0
_STEP_M = 5.0
type Ends = tuple[Position, Position]
type Answer = Callable[[Ends, float], list[Path]]


def metres(graph: RoadGraph, lonlat: np.ndarray) -> np.ndarray:
    """Points on a plane, `_STEP_M` apart along a line."""
    scale = 111_195.0 * np.array([np.cos(np.radians(graph.lonlat[:, 1].mean())), 1.0])
    line = lonlat * scale
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, along[-1], max(2, int(along[-1] / _STEP_M)))
    return np.stack([np.interp(at, along, axis) for axis in line.T], axis=1)


def line_of(graph: RoadGraph, drive: Drive) -> np.ndarray:
    """`[p, 2]`, lonlat along a drive."""
    parts = []
    for at, link in enumerate(drive.links.tolist()):
        begin, end = 0.0, np.inf
        if at == 0:
            begin = graph.metres_at(link, drive.source.fractions[0])
        if at == len(drive.links) - 1:
            end = graph.metres_at(link, drive.target.fractions[0])
        parts.append(part_of_line(graph, link, begin, end))
    return np.concatenate(parts)


class Measured:
    """Rows of results of one method, one a drive."""

    def __init__(self, own: Hierarchy, usual: Hierarchy) -> None:
        self.own, self.usual = own, usual
        self.rows: dict[str, list] = defaultdict(list)

    def add(
        self, drive: Drive, ends: Ends, found: list[Path], ms: float, lines: list[np.ndarray]
    ) -> None:
        """Note what paths are worth; none count as nothing covered."""
        rows, graph = self.rows, self.usual.graph
        links = [drive.covered(path) for path in found]
        driven, near = metres(graph, line_of(graph, drive)), []
        for line in lines:
            away, _ = cKDTree(metres(graph, line)).query(driven, workers=1)
            near.append(float((away <= _NEAR_M).mean()))
        rows["found"].append(len(found))
        rows["driver"].append(drive.driver)
        rows["ms"].append(ms)
        rows["links"].append([max(links[:k], default=0.0) for k in range(1, K + 1)])
        rows["near"].append([max(near[:k], default=0.0) for k in range(1, K + 1)])
        for search, name in ((self.own, ""), (self.usual, " at OSRM's costs")):
            stretch, shared = quality(search, ends, found)
            rows["stretch" + name].append(stretch)
            rows["shared" + name].append(shared)


def quality(search: Hierarchy, ends: Ends, found: list[Path]):
    """Stretch and largest share of an earlier path, of each alternative."""
    least, costs = search.cost(*ends), search.costs
    spent = [Spent.of(path, costs) for path in found]
    stretch = [path.cost(costs) / least for path in found[1:]]
    shared = [max(one.share(e) for e in spent[:at]) for at, one in enumerate(spent) if at]
    return stretch, shared


def by_plateaus(search: Hierarchy, trees: Sweep) -> Answer:
    """Plateaus at the costs of a search."""

    def answer(ends: Ends, share: float) -> list[Path]:
        limits = Limits(local=0, share=share)
        query = Query(search.graph, search.costs, *ends, K, limits, search, trees=trees)
        plateau(query, chosen := Chosen(query))
        return chosen.paths

    return answer


def by_engine(city: City, usual: Hierarchy, method) -> Answer:
    """Another engine's alternatives."""

    def answer(ends: Ends, _share: float) -> list[Path]:
        query = Query(usual.graph, usual.costs, *ends, K, Limits(), usual, city=city)
        method(query, chosen := Chosen(query))
        return chosen.paths

    return answer


def without_direction(graph: RoadGraph, drive: Drive) -> Ends:
    """Where a drive begins and ends, either way."""
    return tuple(
        replace(Position.on(graph, place.links[0], place.fractions[0]), moved_m=0.0)
        for place in (drive.source, drive.target)
    )


def tuned(answer: Answer, drives: list[tuple[Drive, Ends]], own: Hierarchy) -> dict[str, float]:
    """The largest limit on sharing that keeps each budget; paths share more the larger it is."""

    @lru_cache
    def means(share: float) -> tuple[float, float]:
        stretch, shared = [], []
        for _, ends in drives:
            try:
                found = answer(ends, share)
            except NcoError:
                continue
            one = quality(own, ends, found)
            stretch += one[0]
            shared += one[1]
        return float(np.mean(stretch or [1.0])), float(np.mean(shared or [0.0]))

    fitting = {}
    for name, budget in BUDGETS.items():
        low, high = 0, len(SHARES)
        while low < high:
            at = (low + high) // 2
            if all(mean <= most for mean, most in zip(means(SHARES[at]), budget, strict=True)):
                low = at + 1
            else:
                high = at
        fitting[name] = SHARES[max(low - 1, 0)]
    return fitting


def learned_costs(graph: RoadGraph, train: list[Drive], asked, out) -> dict[str, Costs]:
    """Costs by attributes alone, and those of this city; kept in files."""
    settings = Settings(steps=asked.steps, factor_steps=max(asked.steps // 4, 1))
    files = [out.with_name(out.name.replace("fold", kind)) for kind in ("costs", "known")]
    weights, known = files[0].with_suffix(".safetensors"), files[1].with_suffix(".npz")
    if not weights.is_file():
        network = learn_costs(graph, train, settings)
        save_costs(weights, network, {"about": "a fold of a benchmark"})
    if not known.is_file():
        costs = learn_known(graph, train, settings)
        np.savez(known, links=costs.links, turns=costs.turns)
    with np.load(known) as read:
        of_city = Costs(read["links"], read["turns"])
    return {"learned": load_costs(weights).network.costs(graph), "known": of_city}


def one_fold(city: City, usual: Hierarchy, train: list[Drive], test: list[Drive], asked, out):
    """Learn from some drives, measure on others."""
    from nco.roads.several.osrm import osrm
    from nco.roads.several.valhalla import shapes, valhalla

    graph = usual.graph
    methods = {}
    if not asked.ours:
        methods["plateau"] = (by_plateaus(usual, Sweep(graph, usual.costs)), usual)
    for name, costs in learned_costs(graph, train, asked, out).items():
        own = Hierarchy(graph, costs)
        methods[name] = (by_plateaus(own, Sweep(graph, costs)), own)
    print(f"learned, {time.process_time():.0f} s of the processor", flush=True)
    engines = {} if asked.ours else {"OSRM": by_engine(city, usual, osrm)}
    if asked.engines:
        engines["Valhalla"] = by_engine(city, usual, valhalla)
    rng = np.random.default_rng(0)
    some = rng.choice(len(train), min(TUNED_ON, len(train)), replace=False).tolist()
    results: dict[str, dict] = {}
    for heading in (False, True):
        ends_of = (
            (lambda d: (d.source, d.target)) if heading else lambda d: without_direction(graph, d)
        )
        tries = {} if heading else {n: (a, usual, [("", 0.0)]) for n, a in engines.items()}
        for name, (answer, own) in methods.items():
            if heading and name == "plateau":
                continue
            limits = tuned(answer, [(train[k], ends_of(train[k])) for k in some], own)
            tries[name] = (answer, own, list(limits.items()))
        for name, (answer, own, budgets) in tries.items():
            for budget, share in budgets:
                rows = Measured(own, usual)
                for drive in test:
                    ends, begun = ends_of(drive), time.process_time()
                    try:
                        found = answer(ends, share)
                    except NcoError:
                        found = []
                    ms = 1000 * (time.process_time() - begun)
                    lines = [path.lonlat for path in found]
                    if name == "Valhalla":
                        query = Query(graph, usual.costs, *ends, K, Limits(), usual, city=city)
                        lines = shapes(query)
                    rows.add(drive, ends, found, ms, lines)
                title = " ".join(filter(None, (name, budget, "heading" if heading else "")))
                results[title] = {**rows.rows, "share_limit": share}
            print(f"{name}, {time.process_time():.0f} s of the processor", flush=True)
    out.write_text(json.dumps(results))


def told(rows: dict, what: str) -> str:
    """Coverage by one, two and three paths, with intervals."""
    parts = []
    for k in range(K):
        values = np.array(rows[what])[:, k]
        low, high = interval(values, rows["driver"])
        parts.append(f"{values.mean():.3f} [{low:.3f}, {high:.3f}]")
    return ", ".join(parts)


def report(files: list[FilePath]) -> None:
    """Print what all folds say together."""
    joined: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for path in files:
        for name, rows in json.loads(path.read_text()).items():
            limit = rows.pop("share_limit")
            joined[name]["limits"].append(limit)
            for key, values in rows.items():
                joined[name][key].extend(values)
    for name, rows in joined.items():
        own, usual = (
            [
                np.mean([value for one in rows[what + name] for value in one])
                for what in ("stretch", "shared")
            ]
            for name in ("", " at OSRM's costs")
        )
        print(
            f"{name:24} links {told(rows, 'links')} | within 15 m {told(rows, 'near')} | "
            f"beyond 0.9: {(np.array(rows['links'])[:, -1] > 0.9).mean():.3f} | paths "
            f"{np.mean(rows['found']):.2f} (none: {np.mean(np.array(rows['found']) == 0):.3f}), "
            f"stretch {own[0]:.3f}, share {own[1]:.3f}, at OSRM's costs {usual[0]:.3f}, "
            f"{usual[1]:.3f} (limits {rows['limits']}) | {np.median(rows['ms']):.0f} ms of "
            f"the processor | {len(rows['ms'])} drives of {len(set(rows['driver']))} drivers"
        )
    for name, other in COMPARED:
        if other not in joined:
            continue
        for what in ("links", "near"):
            gain = np.array(joined[name][what])[:, -1] - np.array(joined[other][what])[:, -1]
            low, high = interval(gain, joined[name]["driver"])
            print(f"{name} over {other}, {what}: {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}]")


def main() -> None:
    """Measure what is not measured yet, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extract")
    parser.add_argument("matched")
    parser.add_argument("trips")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", help="folds to measure now (all)")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--engines", action="store_true", help="Valhalla too")
    parser.add_argument("--ours", action="store_true", help="learned and known costs only")
    parser.add_argument("--every", type=int, default=1, help="measure every n-th drive (1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=FilePath, default=FilePath("runs/paths-learned"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    city = City.from_file(asked.extract)
    graph = RoadGraph.of(city)
    drives = read_drives(graph, asked.matched, asked.trips)
    usual = Hierarchy(graph, Costs.usual(graph))
    drives = [d for d in drives if np.isfinite(usual.cost(d.source, d.target))]
    fold = groups_of(drives, asked.folds, asked.seed)
    for k in range(asked.folds) if asked.only is None else asked.only:
        path = asked.out / f"fold-{asked.folds}-{k}.json"
        if not path.is_file():
            train = [d for d, f in zip(drives, fold, strict=True) if f != k]
            test = [d for d, f in zip(drives, fold, strict=True) if f == k][:: asked.every]
            one_fold(city, usual, train, test, asked, path)
            print(f"fold {k} done", flush=True)
    report(sorted(asked.out.glob(f"fold-{asked.folds}-?.json")))


if __name__ == "__main__":
    main()
