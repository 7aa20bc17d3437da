"""Routes in Shanghai to destinations not seen before, and what Porto's costs do there.

    python benchmarks/paths_shanghai.py FOLDER [--folds 5] [--every 1]

FOLDER holds `edge.txt`, `node.txt` and `path.csv` of Z. Zhao and Y. Liang, "A deep inverse
reinforcement learning approach to route choice modeling with context-dependent rewards"
(Transportation Research C 149, 2023): routes of taxis on 714 links. Destinations are in folds, so
that models meet only links of destinations that no route they learned from ended at.

- Coverage by links and metres of the best of one, two and three paths: by time, by costs that come
  with the package (Porto's, never trained here), by costs learned here, and by the utilities of
  recursive logit; paths of one method keep the usual limits.
  How strongly weights decay is chosen on a fifth of the destinations that are learned from.
- Log-likelihood a route of recursive logit with the standard specification (minutes, left turns,
  links, turns back) and with learned costs as one more term.

Intervals are of the bootstrap over destinations. Speeds are not in these data; each class drives as
fast as OSRM's cars do.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path as FilePath

import numpy as np

from nco.roads import Costs, Position, RoadGraph
from nco.roads.classes import class_number
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn import CostNetwork, Drive, Settings, groups_of, learn_costs, load_costs
from nco.roads.ranking.recursive_logit import RecursiveLogit
from nco.roads.several import paths
from nco.stats import grouped_interval as interval

KMH = {"primary": 65, "secondary": 55, "tertiary": 40, "unclassified": 25, "residential": 25,
       "living_street": 10}  # fmt: skip
SETTINGS = (Settings(), Settings(decay=1.0), Settings(decay=5.0, rate=0.01))


def read_graph(folder: FilePath) -> RoadGraph:
    """The streets, as links of their own numbers."""
    nodes = list(csv.DictReader((folder / "node.txt").open(encoding="utf-8")))
    number = {row["osmid"]: k for k, row in enumerate(nodes)}
    rows = sorted(
        csv.DictReader((folder / "edge.txt").open(encoding="utf-8")), key=lambda r: int(r["n_id"])
    )
    kinds = [row["highway"].strip("[]'\" ").split("'")[0] for row in rows]
    length = np.array([float(row["length"]) for row in rows])
    speed = np.array([KMH.get(kind, 40) for kind in kinds])
    tail, head = ([number[row[end]] for row in rows] for end in "uv")
    # One may turn back anywhere: a quarter of these routes do.
    turns = np.nonzero(np.array(head)[:, None] == np.array(tail)[None, :])
    return RoadGraph.from_links(
        [(float(row["x"]), float(row["y"])) for row in nodes],
        tail,
        head,
        turns=turns,
        name="Shanghai",
        length_m=length,
        duration_s=3.6 * length / speed,
        road_class=[class_number(kind) for kind in kinds],
        lanes=[int(row["lanes"]) if row["lanes"].strip().isdigit() else 0 for row in rows],
        streets=[row["name"].strip() for row in rows],
    )


def read_routes(folder: FilePath, graph: RoadGraph) -> tuple[list[Drive], int]:
    """Routes, by their destinations, and how many cannot be driven on the graph."""
    drives, lost = [], 0
    for row in csv.DictReader((folder / "path.csv").open(encoding="utf-8")):
        links = np.array(row["path"].split("_"), dtype=np.int64)
        turns = graph.turns_along(links)
        if len(links) < 3 or (turns < 0).any():
            lost += 1
            continue
        whole = graph.links.length_m[links]
        ends = [
            Position.on(graph, int(link), share, both=False)
            for link, share in ((links[0], 0.0), (links[-1], 1.0))
        ]
        drives.append(
            Drive(links, whole, np.ones(len(links)), turns, *ends, driver=row["des"])
        )  # fmt: skip
    return drives, lost


def learned_here(graph: RoadGraph, drives: list[Drive]) -> tuple[Settings, CostNetwork]:
    """Costs learned with the settings that cover most of the routes kept aside."""
    aside = groups_of(drives, 5, 2) == 0
    train = [d for d, a in zip(drives, aside, strict=True) if not a]
    test = [d for d, a in zip(drives, aside, strict=True) if a]

    def covers(settings: Settings) -> float:
        search = Hierarchy(graph, learn_costs(graph, train, settings).costs(graph))
        return float(np.mean([d.covered(search.path(d.source, d.target)) for d in test]))

    best = max(SETTINGS, key=covers)
    return best, learn_costs(graph, drives, best)


def features(graph: RoadGraph, extra: Costs | None) -> np.ndarray:
    """`[T, P]`, of the standard specification; with learned costs as one more."""
    turns, links = graph.turns, graph.links
    angle = turns.angle_deg
    columns = [
        links.duration_s[turns.to_link] / 60,
        (angle < -30) & (angle > -177),
        np.ones(len(angle)),
        np.abs(angle) >= 177,
    ]
    if extra is not None:
        columns.append((extra.links[turns.to_link] + extra.turns) / 60)
    return np.stack(columns, axis=1).astype(float)


def by_utility(graph: RoadGraph, model: RecursiveLogit, weights: np.ndarray) -> Costs:
    """Costs whose cheapest path is the likeliest one of recursive logit."""
    return Costs(np.zeros(len(graph.links)), np.maximum(-(model.features @ weights), 0.0))


def told(rows: list, groups: list[str]) -> str:
    """Means with intervals."""
    values = np.array(rows, dtype=float)
    parts = []
    for column in values.T:
        low, high = interval(column, groups)
        parts.append(f"{column.mean():.3f} [{low:.3f}, {high:.3f}]")
    return ", ".join(parts)


def main() -> None:
    """Learn, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=FilePath)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="measure every n-th route (1)")
    parser.add_argument("--weights", default="porto", help="costs of another city (porto)")
    asked = parser.parse_args()
    graph = read_graph(asked.folder)
    drives, lost = read_routes(asked.folder, graph)
    print(f"{len(drives)} routes, {lost} left out; {len({d.driver for d in drives})} destinations")
    fold = groups_of(drives, asked.folds, 1)
    elsewhere = load_costs(asked.weights).network
    covers: dict[str, list] = {}
    likely: dict[str, list] = {"standard": [], "with learned costs": [], "with Porto's": []}
    groups: list[str] = []
    for k in range(asked.folds):
        train = [d for d, f in zip(drives, fold, strict=True) if f != k]
        test = [d for d, f in zip(drives, fold, strict=True) if f == k][:: asked.every]
        groups += [d.driver for d in test]
        settings, network = learned_here(graph, train)
        own, porto = network.costs(graph), elsewhere.costs(graph)
        some = train[:: max(1, len(train) // 2000)]
        models = {}
        for name, extra in (
            ("standard", None),
            ("with learned costs", own),
            ("with Porto's", porto),
        ):
            model = RecursiveLogit(
                graph.turns.from_link.astype(np.int64), graph.turns.to_link.astype(np.int64),
                features(graph, extra), len(graph.links),
            )  # fmt: skip
            start = [-2.0, -1.0, -1.0, -4.0] + ([-0.5] if extra is not None else [])
            weights = model.fit([d.links for d in some], start).weights
            values, _ = model.log_likelihood(weights, [d.links for d in test])
            likely[name] += values.tolist()
            models[name] = by_utility(graph, model, weights)
        for name, costs in (
            ("time", Costs.free_flow(graph)),
            ("Porto's costs", porto),
            ("recursive logit", models["standard"]),
            ("learned here", own),
        ):
            search = Hierarchy(graph, costs)
            rows = covers.setdefault(name, [])
            for drive in test:
                found = paths(graph, drive.source, drive.target, 3, search=search)
                rows.append([drive.covered(*found[:n]) for n in (1, 2, 3)])
        print(f"fold {k}: decay {settings.decay:g}", flush=True)
    for name, rows in covers.items():
        print(f"{name:20} covers {told(rows, groups)} ({len(rows)} routes)")
    for name in ("Porto's costs", "recursive logit", "learned here"):
        gain = np.array(covers[name]) - np.array(covers["time"])
        print(f"{name} over time: {told(gain.tolist(), groups)}")
    gain = np.array(covers["learned here"]) - np.array(covers["recursive logit"])
    print(f"learned here over recursive logit: {told(gain.tolist(), groups)}")
    for name, values in likely.items():
        print(f"log-likelihood a route, {name}: {told([[v] for v in values], groups)}")
    gain = np.array(likely["with learned costs"]) - np.array(likely["standard"])
    print(f"with learned costs over standard: {told([[v] for v in gain], groups)}")


if __name__ == "__main__":
    main()
