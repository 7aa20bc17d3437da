"""Costs are learned from drives: what was driven should have been the cheapest.

The loss of a drive is the logarithm of its cost over that of the cheapest path between its ends.
It is 0 where the drive is cheapest, does not depend on the unit of costs, and counts a detour by
its share of the way, so that tours do not outweigh others. Its gradient by costs of links is known
from the two paths alone. Three ways to the gradient:

- `perturbed` (Q. Berthet et al., "Learning with differentiable perturbed optimizers", 2020):
  the cheapest path at costs with noise, of streets and of single links, so that near alternatives
  count as well;
- `exact`: the cheapest path itself (a structured perceptron, or inverse shortest paths);
- `blackbox` (M. Vlastelica et al., ICLR 2020): the drive is replaced by the path that is cheapest
  when costs move a little towards it.

Drivers are in groups. Where drives are known to the network (`Usage`), each group sees those of
the others only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import InputError, NoPathError, listed, quoted
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn.drive import Drive
from nco.roads.learn.features import Table, Usage, link_features, turn_features
from nco.roads.learn.gradient import Adam, Mean, gradient
from nco.roads.learn.network import TURN_S, CostNetwork, Perceptron, factor
from nco.roads.path import Path

log = logging.getLogger("nco")


@dataclass(frozen=True)
class Settings:
    """How costs are learned.

    Attributes:
        method: `perturbed`, `exact` or `blackbox`.
        steps: of the optimiser.
        rate: of its steps; it falls to nothing over the second half.
        decay: of weights.
        noise: of costs, as standard deviation of their logarithm, for streets and links each.
        pull: how far costs move towards a drive, as a share of them, for `blackbox`.
        batch: drives a step.
        groups: of drivers.
        width: of the hidden layers.
        usage: whether the network gets to know where others drove; it is of no use without then.
        rounds: over all drives, for the memory of earlier paths.
        memory_rate: of steps in these rounds.
        boost: by how much more links count that earlier paths missed, or used in vain.
        factor_steps: of the factors of streets (`learn_known`).
        shrinkage: of their logarithms towards 0: drives that a street needs to move from there.
        seed: of everything random.
    """

    method: str = "perturbed"
    steps: int = 200
    rate: float = 0.03
    decay: float = 1e-3
    noise: float = 0.3
    pull: float = 0.3
    batch: int = 160
    groups: int = 4
    width: int = 32
    usage: bool = False
    rounds: int = 3
    memory_rate: float = 0.03
    boost: float = 1.5
    factor_steps: int = 50
    shrinkage: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {quoted(self.method)}; use {listed(METHODS)}")
        least = {"steps": 1, "batch": 1, "groups": 2, "width": 1, "rounds": 0, "factor_steps": 1}
        for name, low in least.items():
            if not getattr(self, name) >= low:
                raise InputError(f"{name} is {quoted(getattr(self, name))}; give {low} or more")
        for name in ("rate", "decay", "noise", "pull", "memory_rate", "boost"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} is {quoted(getattr(self, name))}; give 0 or more")
        if not 0 < self.shrinkage < float("inf"):
            raise InputError(f"shrinkage is {quoted(self.shrinkage)}; give a positive number")


@dataclass(frozen=True, eq=False)
class Lesson:
    """Drives, and what the network sees while it learns from them.

    Attributes:
        drives: of one group of drivers.
        links: `[L, F]`, features of links.
    """

    drives: Sequence[Drive]
    links: Table


def groups_of(drives: Sequence[Drive], count: int, seed: int = 0) -> NDArray[np.int64]:
    """`[n]`, a group for each drive, so that those of one driver are in the same group."""
    drivers = sorted({drive.driver for drive in drives})
    order = np.random.default_rng(seed).permutation(len(drivers))
    group = {drivers[k]: place % count for place, k in enumerate(order.tolist())}
    return np.array([group[drive.driver] for drive in drives], dtype=np.int64)


def reachable(drives: Sequence[Drive], search: Hierarchy) -> list[Drive]:
    """Those that have a path between their ends."""
    return [d for d in drives if np.isfinite(search.cost(d.source, d.target))]


def usage_of(graph: RoadGraph, drives: Sequence[Drive], search: Hierarchy) -> Usage:
    """Where drives went, and where the cheapest paths of a search go between the same ends."""
    return Usage.of(graph, drives, (search.path(d.source, d.target) for d in drives))


def learn_costs(
    graph: RoadGraph, drives: Sequence[Drive], settings: Settings | None = None
) -> CostNetwork:
    """Costs of the first path, learned from drives.

    Args:
        graph: that the drives are on.
        drives: those that one cannot drive on this graph are left out.
        settings: the defaults if left out.

    Raises:
        InputError: there are fewer than two drives of different drivers.
    """
    settings = settings or Settings()
    search = Hierarchy(graph)
    drives = reachable(drives, search)
    group = groups_of(drives, settings.groups, settings.seed)
    if len(set(group.tolist())) < 2:
        raise InputError(
            f"{len(drives)} drives of one driver teach no costs; give drives of two drivers or more"
        )
    lessons = _lessons(graph, drives, group, search, settings)
    turns = turn_features(graph)
    network = CostNetwork.untrained(settings.width, settings.seed)
    links, onto = Adam(network.links, settings.decay), Adam(network.turns, settings.decay)
    mean, mean_onto = Mean(), Mean()
    seconds = _driven_s(graph, drives)
    used = np.flatnonzero(seconds)
    rng = np.random.default_rng(settings.seed)
    for step in range(settings.steps):
        lesson = lessons[step % len(lessons)]
        size = min(settings.batch, len(lesson.drives))
        batch = [lesson.drives[k] for k in rng.choice(len(lesson.drives), size, replace=False)]
        costs = network.from_features(graph, lesson.links, turns)
        noisy = with_noise(graph, costs, settings.noise, rng, settings.method)
        search.update(noisy)
        by_link, by_turn = np.zeros(len(graph.links)), np.zeros(len(graph.turns))
        loss = 0.0
        for drive in batch:
            found = search.path(drive.source, drive.target)
            loss += METHODS[settings.method](
                search, drive, found, costs, settings, by_link, by_turn
            )
        rate = settings.rate * min(1.0, 2 * (1 - step / settings.steps))
        at = np.flatnonzero(by_link)  # by the logarithm of the factor: the cost of the link itself
        links.step(gradient(network.links, lesson.links[at], by_link[at] / size), rate)
        links.network = _anchored(links.network, lesson.links[used], seconds[used])
        at = np.flatnonzero(by_turn)
        slope = TURN_S / (1 + np.exp(-network.turns(turns[at]).astype(float)))
        onto.step(gradient(network.turns, turns[at], by_turn[at] * slope / size), rate)
        network = replace(network, links=links.network, turns=onto.network)
        if step >= settings.steps // 2:
            mean.add(links.network)
            mean_onto.add(onto.network)
        log.info("step %d of %d: loss %.4f", step + 1, settings.steps, loss / size)
    return replace(network, links=mean.network(), turns=mean_onto.network())


def _driven_s(graph: RoadGraph, drives: Sequence[Drive]) -> Floats:
    """`[L]`, seconds of free flow that drives spent on each link."""
    links = np.concatenate([drive.links for drive in drives])
    shares = np.concatenate([drive.shares for drive in drives])
    return np.bincount(links, shares, len(graph.links)) * graph.links.duration_s


def _anchored(network: Perceptron, links: Table, seconds: Floats) -> Perceptron:
    """The same costs in another unit: what was driven costs its seconds of free flow.

    The loss does not depend on the unit of all costs. Without an anchor links drift to costs
    beside which turns weigh nothing, or nothing else does, and end where factors are cut off.
    """
    costs = float((seconds * factor(network(links))).sum())
    return replace(network, bias=network.bias - np.float32(np.log(costs / seconds.sum())))


def _lessons(
    graph: RoadGraph,
    drives: Sequence[Drive],
    group: NDArray[np.int64],
    search: Hierarchy,
    settings: Settings,
) -> list[Lesson]:
    """One for each group, with what the others drove where that is to be known."""
    plain = link_features(graph)
    parts = [
        ([d for d, g in zip(drives, group, strict=True) if g == k],
         [d for d, g in zip(drives, group, strict=True) if g != k])
        for k in sorted(set(group.tolist()))
    ]  # fmt: skip
    lessons = []
    for own, others in parts:
        if settings.usage:
            seen = usage_of(graph, others, search)
            lessons.append(Lesson(own, link_features(graph, seen)))
        else:
            lessons.append(Lesson(own, plain))
    return lessons


def with_noise(
    graph: RoadGraph, costs: Costs, noise: float, rng: np.random.Generator, method: str
) -> Costs:
    """Costs as `perturbed` looks for paths: with noise of streets and of links."""
    if method != "perturbed" or noise == 0:
        return costs
    street = rng.normal(0, noise, len(graph.names))
    street[0] = 0.0  # links without a name are no street
    own = rng.normal(0, noise, len(graph.links))
    times = np.exp(street[graph.links.name] + own)
    # Turns as well: without noise on them, the loss would fall where turns are made to weigh more.
    return Costs(costs.links * times, costs.turns * times[graph.turns.to_link])


def drive_cost(drive: Drive, costs: Costs) -> float:
    """What a drive costs."""
    driven = drive.shares > 0
    links = drive.shares[driven] * costs.links[drive.links[driven]]
    return float(links.sum() + costs.turns[drive.turns].sum())


def _add(
    by_link: Floats, by_turn: Floats, costs: Costs, links: NDArray[np.int64], shares: Floats,
    turns: NDArray[np.int64], weight: float, plain: Costs | None = None,
) -> None:  # fmt: skip
    """Add what a way costs, link by link, to the gradient by logarithms of costs of links.

    That by turns is by their seconds in `plain` costs, which `costs` may multiply by noise.
    """
    driven = shares > 0
    np.add.at(by_link, links[driven], weight * shares[driven] * costs.links[links[driven]])
    times = np.ones(len(turns))
    if plain is not None:
        asked = plain.turns[turns]
        np.divide(costs.turns[turns], asked, out=times, where=asked > 0)
    np.add.at(by_turn, turns, weight * times)


def _difference(
    search: Hierarchy, drive: Drive, found: Path, costs: Costs, _settings: Settings,
    by_link: Floats, by_turn: Floats,
) -> float:  # fmt: skip
    """The drive should cost less, the path found more."""
    noisy = search.costs
    driven, least = drive_cost(drive, costs), found.cost(noisy)
    if not (0 < driven < np.inf and 0 < least < np.inf):
        return 0.0
    _add(by_link, by_turn, costs, drive.links, drive.shares, drive.turns, 1 / driven)
    _add(by_link, by_turn, noisy, found.links, found.shares, found.turns, -1 / least, costs)
    return float(np.log(driven / found.cost(costs)))


def _blackbox(
    search: Hierarchy, drive: Drive, found: Path, costs: Costs, settings: Settings,
    by_link: Floats, by_turn: Floats,
) -> float:  # fmt: skip
    """The path found where costs move towards the drive should cost less, that found now more."""
    links = costs.links.copy()
    links[drive.links] *= max(1 - settings.pull, 0.0)
    pulled = Costs(links, costs.turns)
    search.update(pulled)
    try:
        better = search.path(drive.source, drive.target)
    except NoPathError:
        better = found
    search.update(costs)
    least, other = found.cost(costs), better.cost(costs)
    if not (0 < least < np.inf and 0 < other < np.inf):
        return 0.0
    _add(by_link, by_turn, costs, better.links, better.shares, better.turns, 1 / other)
    _add(by_link, by_turn, costs, found.links, found.shares, found.turns, -1 / least)
    return float(np.log(drive_cost(drive, costs) / least))


type Method = Callable[[Hierarchy, Drive, Path, Costs, Settings, Floats, Floats], float]
METHODS: dict[str, Method] = {
    "perturbed": _difference,
    "exact": _difference,
    "blackbox": _blackbox,
}
