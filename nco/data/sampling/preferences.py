"""Who would rather serve a stop, and who may: preferences and zones of profiled vehicles.

The distributions are those of CAMP (Hua et al., arXiv 2501.02977) with the faults of its generator
corrected: zones differ from instance to instance, every stop may be served by somebody, and a
cluster is a zone as well. Territories and familiarity are what fleets in cities have.

Every function draws for instances side by side: `B...` are any leading dimensions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nco.arrays import Bools, Floats, Ints
from nco.errors import InputError, quoted

MOST_BANNED = 2 / 3  # of the vehicles at a stop, or of the parts of an area that one may not enter
KNOWN_PLACES = 3  # that a driver is familiar with
KNOWN_SHARE = 0.2  # of the diagonal of the area, over which familiarity falls off

type Draw = Callable[[np.random.Generator, Floats, int, float], Floats]
type DrawZone = Callable[[np.random.Generator, Floats, int], Bools]


def draw_preference(
    kind: str, rng: np.random.Generator, away: Floats, vehicles: int, diagonal: float
) -> Floats:
    """Preferences between 0 and 1 of vehicles for stops.

    Args:
        kind: one of `PREFERENCES`.
        rng: consumed.
        away: `[B..., n, 2]` stops relative to the depot, in any unit of length.
        vehicles: how many, m.
        diagonal: of the area, in the same unit.

    Returns:
        `[B..., m, n]`.

    Raises:
        InputError: there is no such kind.
    """
    if kind not in PREFERENCES:
        raise _unknown("preference", kind, PREFERENCES)
    return PREFERENCES[kind](rng, away, vehicles, diagonal)


def draw_zone(
    kind: str,
    rng: np.random.Generator,
    away: Floats,
    vehicles: int,
    able: Bools | None = None,
) -> Bools:
    """Which vehicles may serve which stops; every stop may be served by one at least.

    Args:
        kind: one of `ZONES`.
        rng: consumed.
        away: `[B..., n, 2]` stops relative to the depot.
        vehicles: how many, m.
        able: `[B..., m, n]` who reaches a stop; all do if left out. Of those one may serve it.

    Returns:
        `[B..., m, n]`.

    Raises:
        InputError: there is no such kind, or nobody reaches some stop.
    """
    if kind not in ZONES:
        raise _unknown("zone", kind, ZONES)
    return covering(rng, ZONES[kind](rng, away, vehicles), able)


def covering(rng: np.random.Generator, allowed: Bools, able: Bools | None = None) -> Bools:
    """Permissions where a stop that nobody could serve is open to one vehicle more.

    Args:
        rng: consumed.
        allowed: `[B..., m, n]`.
        able: `[B..., m, n]` who reaches a stop; all do if left out.

    Raises:
        InputError: nobody reaches some stop.
    """
    reach = np.ones_like(allowed) if able is None else np.broadcast_to(able, allowed.shape)
    if not reach.any(axis=-2).all():
        raise InputError("a stop is reached by no vehicle; draw it elsewhere")
    lots = np.where(reach, rng.random(allowed.shape), -1.0)
    lost = ~(allowed & reach).any(axis=-2, keepdims=True)
    lucky = lots == lots.max(axis=-2, keepdims=True)
    return np.asarray(allowed | (lost & lucky))


def sector_of(away: Floats, sectors: int) -> Ints:
    """`[B..., n]` in which of so many equal sectors around the depot, counted from the east."""
    angle = np.arctan2(away[..., 1], away[..., 0]) % (2 * np.pi)
    return np.minimum((angle * sectors / (2 * np.pi)).astype(np.int64), sectors - 1)


def _random(rng: np.random.Generator, away: Floats, vehicles: int, _diagonal: float) -> Floats:
    return np.asarray(rng.random((*away.shape[:-2], vehicles, away.shape[-2])))


def _sector(_rng: np.random.Generator, away: Floats, vehicles: int, _diagonal: float) -> Floats:
    own = np.arange(vehicles)[:, None]
    return np.asarray(sector_of(away, vehicles)[..., None, :] == own, dtype=float)


def _cluster(rng: np.random.Generator, away: Floats, vehicles: int, diagonal: float) -> Floats:
    return np.asarray(1.0 - _distances(away, _centres(rng, away, vehicles)) / diagonal)


def _territory(rng: np.random.Generator, away: Floats, vehicles: int, _diagonal: float) -> Floats:
    """1 at the stops that are nearest to one's own centre, 0 elsewhere."""
    return _one_hot(_cells(rng, away, vehicles), vehicles).astype(float)


def _familiarity(rng: np.random.Generator, away: Floats, vehicles: int, diagonal: float) -> Floats:
    """Falls off as a bell around some places that each driver knows."""
    places = _centres(rng, away, vehicles * KNOWN_PLACES)
    near = np.exp(-((_distances(away, places) / (KNOWN_SHARE * diagonal)) ** 2))
    shape = (*near.shape[:-2], vehicles, KNOWN_PLACES, near.shape[-1])
    return np.asarray(near.reshape(shape).max(axis=-2))


def _random_zone(rng: np.random.Generator, away: Floats, vehicles: int) -> Bools:
    """The same number of vehicles banned at each stop, drawn for the instance; whom, for each."""
    banned = (rng.uniform(0.0, MOST_BANNED, away.shape[:-2]) * vehicles).astype(np.int64)
    lots = rng.random((*away.shape[:-2], vehicles, away.shape[-2]))
    rank = lots.argsort(axis=-2).argsort(axis=-2)
    return np.asarray(rank >= banned[..., None, None])


def _sector_zone(rng: np.random.Generator, away: Floats, vehicles: int) -> Bools:
    return _open_parts(rng, sector_of(away, vehicles), vehicles)


def _cluster_zone(rng: np.random.Generator, away: Floats, vehicles: int) -> Bools:
    return _open_parts(rng, _cells(rng, away, vehicles), vehicles)


def _open_parts(rng: np.random.Generator, part: Ints, parts: int) -> Bools:
    """Each vehicle is banned from two thirds of the parts; each part keeps one vehicle."""
    lots = rng.random((*part.shape[:-1], parts, parts))
    closed = lots.argsort(axis=-1).argsort(axis=-1) < int(MOST_BANNED * parts)
    open_to = covering(rng, ~closed)
    index = np.broadcast_to(part[..., None, :], (*part.shape[:-1], parts, part.shape[-1]))
    return np.take_along_axis(open_to, index, axis=-1)


def _centres(rng: np.random.Generator, away: Floats, count: int) -> Floats:
    """`[B..., count, 2]` random stops, with replacement."""
    chosen = rng.integers(0, away.shape[-2], (*away.shape[:-2], count))
    return np.take_along_axis(away, chosen[..., None], axis=-2)


def _cells(rng: np.random.Generator, away: Floats, vehicles: int) -> Ints:
    """`[B..., n]` the nearest of as many random stops as there are vehicles."""
    return np.asarray(_distances(away, _centres(rng, away, vehicles)).argmin(axis=-2))


def _distances(away: Floats, centres: Floats) -> Floats:
    """`[B..., count, n]`."""
    return np.asarray(np.linalg.norm(away[..., None, :, :] - centres[..., :, None, :], axis=-1))


def _one_hot(part: Ints, parts: int) -> Bools:
    return np.asarray(part[..., None, :] == np.arange(parts)[:, None])


def _unknown(what: str, given: object, known: dict[str, Draw] | dict[str, DrawZone]) -> InputError:
    return InputError(f"{what} is {quoted(given)}; use one of {', '.join(known)}, or None")


PREFERENCES: dict[str, Draw] = {
    "random": _random,
    "sector": _sector,
    "cluster": _cluster,
    "territory": _territory,
    "familiarity": _familiarity,
}
"""`random`: uniform. `sector`: 1 in one's own sector around the depot. `cluster`: falls off with
the distance from a random stop. `territory`: 1 where one's own centre is the nearest.
`familiarity`: near some places that one knows."""

ZONES: dict[str, DrawZone] = {
    "random": _random_zone,
    "sector": _sector_zone,
    "cluster": _cluster_zone,
}
"""Which stops a vehicle may serve: `random` ones, those of some `sector`s around the depot, or
those around some of as many random stops as there are vehicles."""
