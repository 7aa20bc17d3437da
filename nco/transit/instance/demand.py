"""Demand between stops: by a gravity model, from people and jobs or without, or at random."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nco.arrays import Floats
from nco.errors import FormatError, InputError, quoted
from nco.transit.instance.walks import WALK_DETOUR, metres_on_foot
from nco.transit.sources.table import read_columns

if TYPE_CHECKING:
    from nco.transit.instance.streets import SampledCity

logger = logging.getLogger("nco")


@dataclass(frozen=True)
class Zones:
    """Where people live and work.

    Attributes:
        lonlat: `[Z, 2]` degrees.
        people: `[Z]` who live there.
        jobs: `[Z]` who work there.
    """

    lonlat: Floats
    people: Floats
    jobs: Floats


def read_zones(path: str | Path) -> Zones:
    """Read a CSV with the columns lon, lat, people, jobs.

    Raises:
        FormatError: a number is missing, negative or beyond the Earth; the message names the line.
        StorageError: the file cannot be read.
    """
    rows = read_columns(path, ("lon", "lat", "people", "jobs"))
    lonlat = np.array([[row.number("lon", -180.0), row.number("lat", -90.0)] for row in rows])
    for row, (lon, lat) in zip(rows, lonlat, strict=True):
        if lon > 180 or lat > 90:
            row.fail("lon" if lon > 180 else "lat", "is beyond 180 (lon) or 90 (lat) degrees")
    people, jobs = (np.array([row.number(name) for row in rows]) for name in ("people", "jobs"))
    if not people.any() or not jobs.any():
        raise FormatError(f"{path}: there are no people or no jobs at all; nobody would travel")
    return Zones(lonlat, people, jobs)


def gravity_demand(
    zones: Zones,
    lonlat: Floats,
    drive_s: Floats,
    trips_per_hour: float,
    *,
    decay_s: float = 900.0,
    walk_m: float = 1000.0,
    foot: SampledCity | None = None,
) -> Floats:
    """Trips from home to work by a gravity model that is constrained at the homes.

    Everybody walks to the nearest stop, on paths where these are known. Trips begin at stops in
    proportion to the people there and divide among the other stops by
    `jobs * exp(-drive_s / decay_s)` (Wilson, 1967). They are directed, as in a morning;
    `demand + demand.T` is a day.

    Args:
        zones: people and jobs.
        lonlat: `[N, 2]` degrees of the stops.
        drive_s: `[N, N]` seconds between the stops.
        trips_per_hour: in total.
        decay_s: seconds over which a job's pull falls by a factor e.
        walk_m: zones farther from every stop than this take no bus, as the crow flies; on paths
            it is `WALK_DETOUR` times as far.
        foot: the city for people on foot; None takes all ways as the crow flies.

    Returns:
        `[N, N]` trips an hour, 0 on the diagonal.

    Raises:
        InputError: a number is not positive, or no zone with people or with jobs is near a stop.
    """
    _check_positive("walk_m", walk_m)
    _check_trips(trips_per_hour)
    away_m = metres_on_foot(zones.lonlat, lonlat, foot)
    # The middle of a zone may be in a field: who lives there comes as the crow flies.
    pathless = ~np.isfinite(away_m).any(axis=1)
    away_m[pathless] = metres_on_foot(zones.lonlat[pathless], lonlat)
    stop, near = away_m.argmin(axis=1), away_m.min(axis=1) <= WALK_DETOUR * walk_m
    people, jobs = (
        np.bincount(stop[near], values[near], minlength=len(lonlat))
        for values in (zones.people, zones.jobs)
    )
    share = _pulled(people, jobs, drive_s, decay_s)
    if not share.any():
        raise InputError(
            f"no people or no jobs are within {walk_m:g} m of a stop; raise walk_m, or check that "
            "the zones lie in this city"
        )
    lost = 1 - near @ zones.people / zones.people.sum()
    if lost > 0:
        logger.info("%.0f %% of the people live more than %g m from a stop", 100 * lost, walk_m)
    return np.asarray(trips_per_hour * share)


def nearer_demand(drive_s: Floats, trips_per_hour: float, *, decay_s: float = 900.0) -> Floats:
    """Trips by the same model where nothing is known of people and jobs: all stops are alike.

    Args:
        drive_s: `[N, N]` seconds between the stops.
        trips_per_hour: in total.
        decay_s: see `gravity_demand`.

    Returns:
        `[N, N]` trips an hour, 0 on the diagonal.

    Raises:
        InputError: a number is not positive.
    """
    _check_trips(trips_per_hour)
    alike = np.ones(len(drive_s))
    return np.asarray(trips_per_hour * _pulled(alike, alike, drive_s, decay_s))


def _pulled(people: Floats, jobs: Floats, drive_s: Floats, decay_s: float) -> Floats:
    """`[N, N]` share of all trips; nothing where nobody has anywhere to go."""
    _check_positive("decay_s", decay_s)
    pull = jobs * np.exp(-drive_s / decay_s)
    np.fill_diagonal(pull, 0.0)
    reached = pull.sum(axis=1)
    homes = np.where(reached > 0, people, 0.0)
    every = max(float(homes.sum()), 1e-300)
    share = (homes / every)[:, None] * pull / np.where(reached > 0, reached, 1.0)[:, None]
    return np.asarray(share)


def random_demand(n: int, trips_per_hour: float, seed: int) -> Floats:
    """Trips `[n, n]` that are uniform at random on all ordered pairs and have the given sum.

    Raises:
        InputError: `trips_per_hour` is negative.
    """
    _check_trips(trips_per_hour)
    share = np.random.default_rng(seed).random((n, n))
    np.fill_diagonal(share, 0.0)
    return np.asarray(trips_per_hour * share / share.sum())


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise InputError(f"{name} is {quoted(value)}; it must be a positive number")


def _check_trips(trips_per_hour: float) -> None:
    if not 0 <= trips_per_hour < np.inf:
        raise InputError(
            f"trips_per_hour is {quoted(trips_per_hour)}; it must be a number of 0 or more"
        )
