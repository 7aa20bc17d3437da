"""How near paths on the road graph are to OSRM's, and how long all of it takes.

    python benchmarks/roads.py EXTRACT [--pairs 500] [--seed 7]

Pairs are random places on the streets. Ratios are ours over OSRM's, for the same pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from nco.data.cities.city import City
from nco.roads import AStar, Bidirectional, Costs, Dijkstra, Hierarchy, RoadGraph, Snapper


def seconds[T](what: str, do: Callable[[], T]) -> T:
    """Print how long something takes, on the clock and on the processor."""
    clock, cpu = time.perf_counter(), time.process_time()
    done = do()
    took, used = time.perf_counter() - clock, time.process_time() - cpu
    print(f"{what:32} {took:9.4f} s  ({used:.4f} s of the processor)")
    return done


def main() -> None:
    """Compare and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extract")
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    n = asked.pairs
    city = City.from_file(asked.extract)
    graph = seconds("graph, first or from the cache", lambda: RoadGraph.of(city))
    graph = seconds("graph from the cache", lambda: RoadGraph.of(city))
    print(graph)
    snap = Snapper.of(graph, city)
    points = city.sample(2 * n, asked.seed)
    seconds("index of streets", lambda: snap(points[:1]))
    places = seconds(f"{2 * n} places", lambda: snap(points))
    theirs = [city.route(np.stack([points[i], points[n + i]])) for i in range(n)]
    their_s = np.array([route.duration_s[0] for route in theirs])
    their_m = np.array([route.distance_m[0] for route in theirs])
    print(
        f"median of OSRM's routes: {np.median(their_m) / 1000:.2f} km, {np.median(their_s):.0f} s"
    )
    seconds("contraction, first or cached", lambda: graph.contraction)
    usual = Costs.usual(graph)
    hierarchy = seconds("customisation", lambda: Hierarchy(graph))
    other = Costs(usual.links * 1.5, usual.turns)
    seconds("update of all costs", lambda: hierarchy.update(other))
    hierarchy.update(usual)
    few = usual.links.copy()
    few[: min(300, len(few) // 100)] *= 2
    for _ in range(2):  # the first one prepares
        seconds("update of up to 300 links", lambda: hierarchy.update(Costs(few, usual.turns)))
        hierarchy.update(usual)
    for search in (hierarchy, Bidirectional(graph), AStar(graph), Dijkstra(graph)):
        search.path(places[0], places[n])  # compiles
        took, ours_s, ours_m = [], [], []
        for i in range(n):
            begun = time.perf_counter()
            path = search.path(places[i], places[n + i])
            took.append(1000 * (time.perf_counter() - begun))
            ours_s.append(path.duration_s)
            ours_m.append(path.length_m)
        off = np.abs(np.array(ours_s) / np.maximum(their_s, 0.1) - 1)
        print(
            f"{type(search).__name__:14} median {np.median(took):8.3f} ms, 95 % "
            f"{np.quantile(took, 0.95):8.3f} ms | seconds {sum(ours_s) / their_s.sum():.5f}, "
            f"mean difference {100 * off.mean():.3f} %, beyond 1 % "
            f"{100 * (off > 0.01).mean():.1f} % of pairs | metres {sum(ours_m) / their_m.sum():.5f}"
        )


if __name__ == "__main__":
    main()
