"""For how many pairs three admissible paths are found, and for how many there can be three.

    python benchmarks/paths_admissible.py EXTRACT [--pairs 338] [--seed 5] [--epsilon 0.25 0.4]

Pairs are random places on links, more than 2 km apart. A path is admissible after I. Abraham et al.
(ACM JEA 2013): it shares at most 0.8 of an earlier one, all of its parts up to 0.25 of the cheapest
path pass the T-test, and no part costs more than 1 + epsilon times the cheapest way. `auto` is
asked for three; where fewer are admissible, two numbers say what is possible:

- `pool`: whether two alternatives that are admissible, and not too alike, are among all paths over
  plateaus between A and B and between any two of 17 places along the cheapest path, and all of
  their detours put together by up to three: what a search that takes its time finds;
- `bound`: whether there can be an alternative at all. A part away from the cheapest path that costs
  less than T is no cheapest path, so that it would fail the test. So an alternative has a part away
  that replaces at least 0.25 / (1 + epsilon) of the cheapest path for at most 1 + epsilon times its
  cost. All of these are looked for on the streets that the cheapest path does not use. Where there
  is none, no second path is admissible: this is proven, the former is not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from nco.data.cities.city import City
from nco.data.cities.roads import haversine_m
from nco.errors import NoPathError
from nco.roads import Costs, Dijkstra, Path, Position
from nco.roads.several import quality
from nco.roads.several.ask import paths
from nco.roads.several.cities import Ready, ready
from nco.roads.several.clean import fault
from nco.roads.several.combine import Detour, detours_of, with_detours
from nco.roads.several.plateau import candidates
from nco.roads.several.query import Limits, Query
from nco.roads.several.trees import Over

LEAST_M = 2000.0
PLACES, MOST_PATHS, MOST_JOINED = 17, 1500, 3000
type Pair = tuple[Position, Position]


def random_pairs(here: Ready, count: int, seed: int) -> list[Pair]:
    """Places on links that are apart and connected."""
    rng, graph = np.random.default_rng(seed), here.graph
    found: list[Pair] = []
    while len(found) < count:
        links, shares = rng.integers(0, len(graph.links), 2).tolist(), rng.random(2).tolist()
        a, b = (Position.on(graph, k, share) for k, share in zip(links, shares, strict=True))
        apart_m = haversine_m(np.array([a.lonlat]), np.array([b.lonlat]))[0]
        if apart_m >= LEAST_M and np.isfinite(here.search.cost(a, b)):
            found.append((a, b))
    return found


def query_of(here: Ready, a: Position, b: Position, epsilon: float) -> Query:
    """A request at OSRM's costs."""
    limits = Limits(stretch=1 + epsilon, detour=1 + epsilon)
    return Query(
        here.graph, here.search.costs, a, b, 3, limits, here.search, city=here.city,
        trees=here.trees,
    )  # fmt: skip


def via_paths(query: Query) -> Iterator[Path]:
    """Different paths over plateaus, the cheapest ones first."""
    link, through, _ = candidates(query)
    over = Over(query)
    over.add(query.best)
    told = np.round(np.stack([over.shared(link), through], axis=1), 3)
    _, once = np.unique(told, axis=0, return_index=True)
    for k in once[np.argsort(through[once])][:MOST_PATHS].tolist():
        yield over.path(int(link[k]))


def begin_of(path: Path, at: int) -> Position:
    """The beginning of one of its links."""
    return Position((0.0, 0.0), (int(path.links[at]),), (0.0,))


def between_places(here: Ready, query: Query, epsilon: float) -> Iterator[Path]:
    """The cheapest path with a part replaced by a path over a plateau between its ends."""
    best = query.best
    before = quality.spent_before(best, query.costs)
    at = np.searchsorted(before, np.linspace(0, before[-1], PLACES))
    for i, j in combinations(np.unique(np.minimum(at, len(best) - 1)).tolist(), 2):
        if before[j] - before[i] < quality.ALPHA / (1 + epsilon) * before[-1]:
            continue
        try:
            inner = query_of(here, begin_of(best, i), begin_of(best, j), epsilon)
            for path in via_paths(inner):
                links = np.concatenate([best.links[:i], path.links, best.links[j + 1 :]])
                whole = Path(here.graph, links, best.from_fraction, best.to_fraction)
                if (whole.turns >= 0).all():
                    yield whole
        except NoPathError:
            continue


def passes(query: Query, path: Path) -> bool:
    """Whether a path has no fault and is locally optimal."""
    if (path.turns < 0).any() or fault(path, query.best):
        return False
    window = quality.ALPHA * query.least
    return quality.locally_optimal(path, query.search, window, besides=query.best)


def joined(query: Query, detours: list[Detour]) -> Iterator[Path]:
    """The cheapest path with up to three detours that pass alone."""
    good = [
        d for d in detours
        if d.replaced > 0.02 * query.least and passes(query, with_detours(query.best, [d]))
    ]  # fmt: skip
    good.sort(key=lambda d: d.begin)
    count = 0
    for size in (1, 2, 3):
        for some in combinations(good, size):
            apart = all(a.end < b.begin for a, b in pairwise(some))
            if apart and count < MOST_JOINED:
                count += 1
                yield with_detours(query.best, some)


def pool_has_three(here: Ready, query: Query, epsilon: float) -> bool:
    """Whether two admissible alternatives are in the pool."""
    over_vias = list(via_paths(query))
    kinds = {}
    for detour in detours_of(query, [*over_vias, *between_places(here, query, epsilon)]):
        kinds.setdefault((detour.begin, detour.end, detour.links.tobytes()), detour)
    found: list[quality.Spent] = []
    seen = set()
    first = quality.Spent.of(query.best, query.costs)
    for path in (*over_vias, *joined(query, list(kinds.values()))):
        key = path.links.tobytes()
        if key in seen:
            continue
        seen.add(key)
        spent = quality.Spent.of(path, query.costs)
        if spent.share(first) > quality.GAMMA or not passes(query, path):
            continue
        if path.cost(query.costs) > query.most:
            continue
        if quality.stretch_between(path, query.search) <= 1 + epsilon:
            if any(spent.share(one) <= quality.GAMMA for one in found):
                return True
            found.append(spent)
    return False


def can_have_two(query: Query, epsilon: float) -> bool:
    """Whether a part of the cheapest path can be replaced that is long enough."""
    graph, best, costs = query.graph, query.best, query.costs
    links = costs.links.copy()
    own = np.isin(graph.links.original, graph.links.original[best.links])
    links[own] = np.inf
    closed = Dijkstra(graph, Costs(links, costs.turns))
    before = quality.spent_before(best, costs)
    least = quality.ALPHA / (1 + epsilon) * query.least
    for at in range(-1, len(best) - 1):
        # Away behind the link `at`, or from the beginning on; again on at a later link, or never.
        begin = before[at + 1]
        if before[-1] - begin < least:
            break
        if at < 0:
            if np.isin(query.source.links, best.links).all():
                continue  # one link only, which all paths begin with
            source = query.source
        else:
            source = Position((0.0, 0.0), (int(best.links[at]),), (1.0,))
        tree = closed.tree(source)
        later = np.arange(at + 2, len(best))
        later = later[before[later] - begin >= least]
        around, straight = tree.cost[best.links[later]], before[later] - begin
        if (around <= (1 + epsilon) * straight + 0.05).any():
            return True
        for link, share in zip(query.target.links, query.target.fractions, strict=True):
            if not own[link]:
                whole = tree.cost[link] + share * links[link]
                if whole <= (1 + epsilon) * (before[-1] - begin) + 0.05:
                    return True
    return False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extract")
    parser.add_argument("--pairs", type=int, default=338)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--epsilon", type=float, nargs="*", default=[0.25, 0.4])
    parser.add_argument("--no-pool", action="store_true", help="only what `auto` finds")
    asked = parser.parse_args()
    here = ready(City.from_file(asked.extract))
    pairs = random_pairs(here, asked.pairs, asked.seed)
    counts, ms = [], []
    for a, b in pairs:
        begun = time.process_time()
        found = paths(here.graph, a, b, 3, method="auto", search=here.search, trees=here.trees)
        ms.append(1000 * (time.process_time() - begun))
        counts.append(
            [len(found), not found.relaxed]
            + [sum(q.admissible for q in quality.qualities(found.paths, here.search, epsilon=e))
               for e in asked.epsilon]
        )  # fmt: skip
    table = np.array(counts)
    three = table[:, 0] >= 3
    print(
        f"{len(pairs)} pairs: three paths {three.mean():.3f}, without relaxing "
        f"{(three & (table[:, 1] > 0)).mean():.3f}; {np.median(ms):.1f} ms of the processor "
        f"(95 %: {np.percentile(ms, 95):.0f})"
    )
    for place, epsilon in enumerate(asked.epsilon):
        enough = table[:, 2 + place] >= 3
        print(f"epsilon {epsilon}: three admissible {enough.mean():.3f}", flush=True)
        if asked.no_pool:
            continue
        pool, bound = enough.copy(), enough.copy()
        for k in np.flatnonzero(~enough).tolist():
            query = query_of(here, *pairs[k], epsilon)
            pool[k] = pool_has_three(here, query, epsilon)
            bound[k] = pool[k] or can_have_two(query, epsilon)
        print(
            f"epsilon {epsilon}: three in the pool {pool.mean():.3f}; a second one is possible "
            f"for {bound.mean():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
