"""Demand between stops: from zones with people and jobs by a gravity model, or at random."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.cities.roads import haversine_m
from nco.errors import FormatError, InputError, quoted
from nco.transit.sources.table import read_columns

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
) -> Floats:
    """Trips from home to work by a gravity model that is constrained at the homes.

    Everybody walks to the nearest stop. Trips begin at stops in proportion to the people there and
    divide among the other stops by `jobs * exp(-drive_s / decay_s)` (Wilson, 1967). They are
    directed, as in a morning; `demand + demand.T` is a day.

    Args:
        zones: people and jobs.
        lonlat: `[N, 2]` degrees of the stops.
        drive_s: `[N, N]` seconds between the stops.
        trips_per_hour: in total.
        decay_s: seconds over which a job's pull falls by a factor e.
        walk_m: zones farther from every stop than this take no bus.

    Returns:
        `[N, N]` trips an hour, 0 on the diagonal.

    Raises:
        InputError: a number is not positive, or no zone with people or with jobs is near a stop.
    """
    for name, value in (("decay_s", decay_s), ("walk_m", walk_m)):
        if not 0 < value < np.inf:
            raise InputError(f"{name} is {quoted(value)}; it must be a positive number")
    _check_trips(trips_per_hour)
    away_m = haversine_m(zones.lonlat[:, None], lonlat[None])
    stop, near = away_m.argmin(axis=1), away_m.min(axis=1) <= walk_m
    people, jobs = (
        np.bincount(stop[near], values[near], minlength=len(lonlat))
        for values in (zones.people, zones.jobs)
    )
    pull = jobs * np.exp(-drive_s / decay_s)
    np.fill_diagonal(pull, 0.0)
    reached = pull.sum(axis=1)
    homes = np.where(reached > 0, people, 0.0)
    if not homes.any():
        raise InputError(
            f"no people or no jobs are within {walk_m:g} m of a stop; raise walk_m, or check that "
            "the zones lie in this city"
        )
    lost = 1 - near @ zones.people / zones.people.sum()
    if lost > 0:
        logger.info("%.0f %% of the people live more than %g m from a stop", 100 * lost, walk_m)
    share = (homes / homes.sum())[:, None] * pull / np.where(reached > 0, reached, 1.0)[:, None]
    return np.asarray(trips_per_hour * share)


def random_demand(n: int, trips_per_hour: float, seed: int) -> Floats:
    """Trips `[n, n]` that are uniform at random on all ordered pairs and have the given sum.

    Raises:
        InputError: `trips_per_hour` is negative.
    """
    _check_trips(trips_per_hour)
    share = np.random.default_rng(seed).random((n, n))
    np.fill_diagonal(share, 0.0)
    return np.asarray(trips_per_hour * share / share.sum())


def _check_trips(trips_per_hour: float) -> None:
    if not 0 <= trips_per_hour < np.inf:
        raise InputError(
            f"trips_per_hour is {quoted(trips_per_hour)}; it must be a number of 0 or more"
        )
