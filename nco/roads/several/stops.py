"""Several paths through places in between: alternatives of the legs, put together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.shortest import ShortestPaths, no_path

# Combinations of alternatives of legs that are looked at.
_MOST = 2000


def one_way(search: ShortestPaths, places: Sequence[Position]) -> list[Position]:
    """The places, those in between as the one link by which the cheapest path passes each.

    A path goes on at a place in the direction in which it came; one that is to turn back does so
    where the streets allow it.

    Raises:
        NoPathError: none leads through all of them.
    """
    choices = [[places[0]], *map(_each, places[1:-1]), [places[-1]]]
    spent = [0.0]
    came: list[list[int]] = []
    for before, here in itertools.pairwise(choices):
        cost = np.array([[search.cost(a, b) for b in here] for a in before])
        total = np.array(spent)[:, None] + cost
        came.append(total.argmin(axis=0).tolist())
        spent = total.min(axis=0).tolist()
    if not np.isfinite(spent[0]):
        for a, b in itertools.pairwise(places):
            if not np.isfinite(search.cost(a, b)):
                raise no_path(a, b)
        raise no_path(places[0], places[-1])
    at = [0]
    for back in reversed(came):
        at.append(back[at[-1]])
    return [options[k] for options, k in zip(choices, at[::-1], strict=True)]


def _each(place: Position) -> list[Position]:
    return [
        Position(place.lonlat, (link,), (fraction,), place.moved_m)
        for link, fraction in zip(place.links, place.fractions, strict=True)
    ]


def joined(legs: Sequence[Path]) -> Path:
    """One path of legs, each of which begins where the one before ends."""
    links = [legs[0].links, *(leg.links[1:] for leg in legs[1:])]
    return Path(legs[0].graph, np.concatenate(links), legs[0].from_fraction, legs[-1].to_fraction)


def combined(
    legs: Sequence[Sequence[Path]], cost: Callable[[Path], float], offer: Callable[[Path], object]
) -> None:
    """Offers the legs put together, the cheapest first."""
    choices = list(itertools.islice(itertools.product(*legs), _MOST))
    whole = [joined(choice) for choice in choices]
    for path in sorted(whole, key=cost):
        offer(path)
