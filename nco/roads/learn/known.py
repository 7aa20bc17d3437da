"""Costs of one city, from where its drivers drove: what attributes of streets do not tell.

A network that sees how often others drove on a link gives costs; the cost of each street and link
is then multiplied by a factor of its own. Its logarithm is learned as the network is, by what
drives cost over cheapest paths at costs with noise, and is drawn towards nothing (shrinkage, a
normal prior): a street that few drove on keeps the cost of its kind. Such costs know the habits of
a place; they say nothing about other cities.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn.drive import Drive
from nco.roads.learn.training import (
    METHODS,
    Settings,
    learn_costs,
    reachable,
    usage_of,
    with_noise,
)

log = logging.getLogger("nco")

_LARGEST = 2.0
# A step of gradients of all drives; larger ones swing where a street has many drives.
_RATE = 0.3


def learn_known(
    graph: RoadGraph, drives: Sequence[Drive], settings: Settings | None = None
) -> Costs:
    """Costs of a city from drives in it: a network that sees usage, and factors of streets.

    Args:
        graph: that the drives are on.
        drives: those that one cannot drive on this graph are left out.
        settings: the defaults if left out.

    Raises:
        InputError: there are fewer than two drives of different drivers.
    """
    settings = replace(settings or Settings(), usage=True)
    network = learn_costs(graph, drives, settings)
    usual = Hierarchy(graph)
    drives = reachable(drives, usual)
    return learn_factors(
        graph, drives, network.costs(graph, usage_of(graph, drives, usual)), settings
    )


def learn_factors(
    graph: RoadGraph, drives: Sequence[Drive], costs: Costs, settings: Settings | None = None
) -> Costs:
    """Costs with a factor of their own for streets and links.

    Args:
        graph: that the drives are on.
        drives: that have a path between their ends.
        costs: without the factors.
        settings: the defaults if left out.
    """
    settings = settings or Settings()
    original = graph.links.original
    # A street is a way of the map, in both directions; its links share a factor.
    _, street = np.unique(graph.links.way, return_inverse=True)
    # Links of no way have nothing in common.
    alone = graph.links.way <= 0
    own, shared = np.zeros(len(original)), np.zeros(int(street.max()) + 1)
    total, kept = np.zeros(len(original)), 0
    search, rng = Hierarchy(graph, costs), np.random.default_rng(settings.seed)
    size = min(settings.batch, len(drives))
    gradient_of = METHODS[settings.method]
    for step in range(settings.factor_steps):
        logarithm = (own + np.where(alone, 0.0, shared[street]))[original]
        now = _times(costs, logarithm)
        search.update(with_noise(graph, now, settings.noise, rng, settings.method))
        by_link, by_turn = np.zeros(len(original)), np.zeros(len(graph.turns))
        for k in rng.choice(len(drives), size, replace=False).tolist():
            found = search.path(drives[k].source, drives[k].target)
            gradient_of(search, drives[k], found, now, settings, by_link, by_turn)
        slope = np.bincount(original, by_link, len(original)) * (len(drives) / size)
        rate = _RATE * min(1.0, 2 * (1 - step / settings.factor_steps)) / settings.shrinkage
        own -= rate * (slope + settings.shrinkage * own)
        by_street = np.bincount(street, slope, len(shared))
        shared -= rate * (by_street + settings.shrinkage * shared)
        if step >= settings.factor_steps // 2:
            total, kept = total + logarithm, kept + 1
        log.info("step %d of %d of factors", step + 1, settings.factor_steps)
    return _times(costs, total / max(kept, 1))


def _times(costs: Costs, logarithm: np.ndarray) -> Costs:
    return Costs(costs.links * np.exp(np.clip(logarithm, -_LARGEST, _LARGEST)), costs.turns)
