"""The memory of earlier paths is learned by boosting: each path corrects what those before missed.

GenMRP (arXiv 2602.04174) calls it correctional boosting and gives no formula. Here the costs of the
first path stay as they are. For each drive, paths are made one after the other; each should have
been the drive, by as much as those before did not cover it. Links that the drive used and earlier
paths missed count more (they should become cheaper), and so do links that earlier paths used and
the drive did not (dearer). Drives that the first path covers teach nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn.drive import Drive
from nco.roads.learn.features import Table, Usage
from nco.roads.learn.gradient import Adam, Mean, gradient
from nco.roads.learn.memory import Memory, share_of
from nco.roads.learn.network import CostNetwork, Perceptron, factor
from nco.roads.learn.training import Settings
from nco.roads.path import Path
from nco.roads.several.query import Limits, Query
from nco.roads.several.sweep import Sweep

log = logging.getLogger("nco")

_COVERED = 0.95
_BATCH = 32
# A path that has more in common with an earlier one is not another path.
_MOST_IN_COMMON = 0.8
# What is learned from lies a little farther out than what is answered with.
_WIDE = Limits(stretch=1.4)


def learn_memory(
    graph: RoadGraph,
    drives: Sequence[Drive],
    network: CostNetwork,
    settings: Settings | None = None,
    *,
    usage: Usage | None = None,
    paths: int = 3,
) -> CostNetwork:
    """How earlier paths change costs, learned from drives.

    Args:
        graph: that the drives are on.
        drives: of any drivers.
        network: whose costs of the first path are learned already.
        settings: the defaults if left out.
        usage: where drives went, if the first path is to know.
        paths: how many are made for each drive.

    Returns:
        The network with another memory.
    """
    settings = settings or Settings()
    rng = np.random.default_rng(settings.seed)
    search = Hierarchy(graph, network.costs(graph, usage))
    trees = Sweep(graph, search.costs)
    requests = []
    for drive in drives:
        try:
            best = search.path(drive.source, drive.target)
        except NoPathError:
            continue
        if len(best) > 1 and drive.covered(best) < _COVERED:
            query = Query(
                graph, search.costs, drive.source, drive.target, paths, _WIDE, search,
                trees=trees, first=best,
            )  # fmt: skip
            requests.append((drive, best, Memory(query.skeleton)))
    steps = Adam(network.memory, settings.decay)
    mean = Mean()
    total = settings.rounds * -(-len(requests) // _BATCH)
    for turn in range(settings.rounds):
        order = rng.permutation(len(requests))
        missed = 0.0
        for begin in range(0, len(requests), _BATCH):
            inputs: list[Table] = []
            upon: list[Floats] = []
            for k in order[begin : begin + _BATCH].tolist():
                drive, best, memory = requests[k]
                missed += 1 - _corrected(
                    drive, best, memory, steps.network, settings, rng, paths, inputs, upon
                )
            if not inputs:
                continue
            grad = gradient(steps.network, np.concatenate(inputs), np.concatenate(upon) / _BATCH)
            steps.step(grad, settings.memory_rate * min(1.0, 2 * (1 - steps.steps / total)))
            if steps.steps >= total // 2:
                mean.add(steps.network)
        log.info(
            "round %d of %d: %.4f of what the first path missed is missed by all %d",
            turn + 1, settings.rounds, missed / max(len(requests), 1), paths,
        )  # fmt: skip
    return network if not steps.steps else replace(network, memory=mean.network())


def _corrected(
    drive: Drive, best: Path, memory: Memory, network: Perceptron, settings: Settings,
    rng: np.random.Generator, paths: int, inputs: list[Table], upon: list[Floats],
) -> float:  # fmt: skip
    """Make paths one after the other, note the gradient; how much of the drive they cover."""
    skeleton = memory.skeleton
    on_drive = np.zeros(len(skeleton.links))
    at = {int(link): k for k, link in enumerate(skeleton.links)}
    for link, share in zip(drive.links.tolist(), drive.shares.tolist(), strict=True):
        if link in at:
            on_drive[at[link]] += share
    found, covered = [best], drive.covered(best)
    for _ in range(paths - 1):
        if covered >= _COVERED:
            break
        features = memory.features(found)
        costs = skeleton.link_costs * factor(network(features))
        noisy = costs * np.exp(rng.normal(0, settings.noise, len(costs)))
        try:
            path = skeleton.path(noisy, skeleton.turn_costs)
        except NoPathError:
            break
        on_path = np.zeros(len(costs))
        on_path[[at[link] for link in path.links.tolist()]] = path.shares
        seen = features[:, 0] > 0
        weight = np.ones(len(costs))
        weight[(on_drive > 0) & ~seen] = settings.boost
        weight[(on_drive == 0) & seen] = settings.boost
        driven, least = float((on_drive * costs).sum()), float((on_path * noisy).sum())
        if driven > 0 and least > 0:
            slope = (1 - covered) * weight * (on_drive * costs / driven - on_path * noisy / least)
            some = np.flatnonzero(slope)
            inputs.append(features[some])
            upon.append(slope[some])
        found.append(path)
        if max(share_of(path, earlier) for earlier in found[:-1]) <= _MOST_IN_COMMON:
            covered = max(covered, drive.covered(path))
    return covered
