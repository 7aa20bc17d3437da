"""Transit instances on the streets of a city: stops, links between them and demand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco.arrays import Floats
from nco.data.cities.engine import as_lonlat
from nco.data.cities.roads import haversine_m
from nco.data.formats.csv_rows import read_csv
from nco.data.formats.stops_csv import read_stops
from nco.errors import CityError, InputError, counted, quoted
from nco.transit.instance.bus_speeds import BusSpeeds
from nco.transit.instance.demand import (
    gravity_demand,
    nearer_demand,
    random_demand,
    read_zones,
)
from nco.transit.instance.links import neighbour_links
from nco.transit.instance.stops import draw_stops, spread
from nco.transit.instance.streets import SampledCity
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.sources.demand import ELSEWHERE, read_demand
from nco.transit.sources.gtfs_stops import read_gtfs_stops

logger = logging.getLogger("nco")

# A feed has a stop on each side of a street; within so many metres they are one.
_FEED_SPACING_M = 250.0


def from_city(
    city: SampledCity,
    *,
    stops: int | str | Path | ArrayLike = 60,
    demand: str | Path | ArrayLike | None = "uniform",
    lines: int = 12,
    min_stops: int | None = None,
    max_stops: int = 30,
    hub: int | str | None = None,
    spacing_m: float | None = None,
    within_km: float | None = None,
    centre: ArrayLike | None = None,
    detour: float = 1.3,
    trips_per_hour: float = 10_000.0,
    decay_s: float = 900.0,
    walk_m: float = 1000.0,
    speeds: BusSpeeds | None = None,
    foot: SampledCity | None = None,
    seed: int = 0,
    **fields: Any,
) -> TransitInstance:
    """Make an instance whose links follow the streets of a city.

    Metres of links are those of the routing engine, directed; times are what buses make of the
    engine's, which are of cars that meet nobody. A link is there in both directions or in none,
    for lines run both ways. Stops that are drawn are called after their streets.

    Args:
        city: measures times; draws the stops if they are not given.
        stops: how many to draw; or places `[N, 2]` (lonlat); or a table of stops (CSV with name,
            lon, lat); or a GTFS feed (a `.zip` or a folder), whose stops inside the city are used.
        demand: "uniform" (at random), "gravity" (trips between stops that are all alike, the
            fewer the longer the drive), None for none, a matrix `[N, N]` of trips an hour, or a
            CSV: orig, dest, volume by names of stops, or lon, lat, people, jobs for a gravity
            model. Trips of stops that were thinned out are those of the nearest stop that was kept,
            trips of a feed's stops outside the city are left out.
        lines: how many lines to design.
        min_stops: fewest stops of a line; None for 5 where there are 30 stops or more, else 2.
        max_stops: most stops of a line.
        hub: node that every line begins at, or its name; "centre" takes the stop that is nearest
            to all others; None for no hub.
        spacing_m: the least distance between two stops, as the crow flies; stops that are given
            are thinned out to it. None spreads drawn stops as far as they can be, keeps all
            given ones, and takes 250 m for a feed.
        within_km: draw from a square of this side only.
        centre: lonlat of the square's middle.
        detour: see `nco.transit.instance.links.neighbour_links`.
        trips_per_hour: in total, for "uniform" and the gravity model.
        decay_s: of the gravity model, see `nco.transit.instance.demand.gravity_demand`.
        walk_m: of the gravity model.
        speeds: of buses on the streets; None for those of `BusSpeeds` in the morning peak,
            `AS_CARS` for those of cars that meet nobody.
        foot: the same city for people on foot, whose paths say how far stops are apart for them;
            None leaves that to the crow's way and a detour.
        seed: of drawn stops and of uniform demand.
        **fields: further fields of `TransitInstance`: terminals, fleet, capacity, name.

    Raises:
        CityError: no street is near enough to a stop, some do not reach one another, or there is
            no room for so many; the message names the stop.
        FormatError: a file is wrong; the message names the line.
        InputError: an option is out of bounds.
        ProblemError: no line can meet the bounds.
    """
    if not 1 <= detour < np.inf:
        raise InputError(f"detour is {quoted(detour)}; it must be a number of 1 or more")
    if isinstance(stops, int | np.integer):
        lonlat = draw_stops(
            city, int(stops), seed, spacing_m=spacing_m, within_km=within_km, centre=centre
        )
        names: tuple[str, ...] = ()
        merged: dict[str, int] = {}
    else:
        names, lonlat, merged = _given_stops(city, stops, spacing_m)
    table = city.matrix(lonlat, names=names or None)
    _check_reached(city, table.duration_s, names)
    names = names or names_by_streets(city, lonlat)
    duration_s = (speeds or BusSpeeds()).run_s(table.duration_s, table.distance_m)
    linked = neighbour_links(table.duration_s, detour=detour)
    here = np.eye(len(lonlat), dtype=bool)
    link_s, link_m = (
        np.where(linked | here, matrix, np.inf) for matrix in (duration_s, table.distance_m)
    )
    fields = {"name": city.name} | fields
    instance = TransitInstance(
        link_s=link_s,
        # Points across a street may be no metre apart for the engine, yet a turn away in time.
        link_m=np.where(here, 0.0, np.maximum(link_m, 1.0)),
        lines=lines,
        min_stops=_fewest(len(lonlat)) if min_stops is None else min_stops,
        max_stops=max_stops,
        hub=_hub(hub, names, duration_s),
        walk_m=ways_on_foot(foot, lonlat),
        lonlat=lonlat,
        moved_m=table.moved_m,
        names=names,
        **fields,
    )
    gravity = {"trips_per_hour": trips_per_hour, "decay_s": decay_s, "walk_m": walk_m}
    return instance.changed(demand=demand_of(instance, demand, merged, seed, gravity, foot))


def ways_on_foot(foot: SampledCity | None, lonlat: Floats) -> Floats | None:
    """`[N, N]` metres on foot between stops, `inf` from and to those far from any path."""
    if foot is None:
        return None
    way_m = foot.matrix(lonlat, optional=np.ones(len(lonlat), dtype=bool)).distance_m
    way_m = np.minimum(way_m, way_m.T)
    np.fill_diagonal(way_m, 0.0)
    return np.asarray(way_m)


def _fewest(stops: int) -> int:
    """Fewest stops that a line is worth being run for."""
    return 5 if stops >= 30 else 2


def names_by_streets(city: SampledCity, lonlat: Floats) -> tuple[str, ...]:
    """Names of drawn stops; none where the city has no extract with names of streets."""
    extract = getattr(city, "extract", None)
    if extract is None:
        return ()
    from nco.transit.instance.stop_names import stop_names

    try:
        return stop_names(extract, lonlat)
    except CityError as error:
        # Streets without names are streets all the same.
        logger.warning("stops are called by numbers: %s", error)
        return ()


def _given_stops(
    city: SampledCity, stops: str | Path | ArrayLike, spacing_m: float | None
) -> tuple[tuple[str, ...], Floats, dict[str, int]]:
    """Names and places of stops that are given, thinned out.

    Returns:
        Names, places, and for the name of each stop of a file the number of the one that is kept
        in its place, `ELSEWHERE` outside of the city.
    """
    names: tuple[str, ...]
    outside: dict[str, int] = {}
    if not isinstance(stops, str | Path):
        lonlat = as_lonlat(stops, "stops")
        names = tuple(str(k) for k in range(len(lonlat)))
    elif Path(stops).suffix.lower() == ".zip" or Path(stops).is_dir():
        names, lonlat = read_gtfs_stops(stops)
        inside = city.covers(lonlat)
        logger.info("%d of %d stops of %s lie in %s", inside.sum(), len(inside), stops, city.name)
        outside = dict.fromkeys(np.array(names)[~inside].tolist(), ELSEWHERE)
        names, lonlat = tuple(np.array(names)[inside].tolist()), lonlat[inside]
        spacing_m = _FEED_SPACING_M if spacing_m is None else spacing_m
    else:
        table = read_stops(stops)
        names, lonlat = table.names, table.lonlat
    if len(lonlat) < 2:
        raise CityError(f"{counted(len(lonlat), 'stop')} lie in {city.name}; a bus needs 2 or more")
    if spacing_m is None:
        return names, lonlat, outside
    kept = np.sort(spread(lonlat, len(lonlat), spacing_m))
    nearest = haversine_m(lonlat[:, None], lonlat[kept][None]).argmin(axis=1)
    merged = dict(zip(names, nearest.tolist(), strict=True))
    return tuple(names[k] for k in kept), lonlat[kept], merged | outside


def _check_reached(city: SampledCity, duration_s: Floats, names: Sequence[str]) -> None:
    """Refuse stops that do not all reach one another, or that are one and the same."""
    off = ~np.eye(len(duration_s), dtype=bool)
    for bad, text, fix in (
        (np.isinf(duration_s), "no street leads", "move or remove one of them"),
        ((duration_s <= 0) & off, "it takes no time", "they are one place; remove one of them"),
    ):
        if bad.any():
            i, j = (int(k) for k in np.argwhere(bad)[0])
            a, b = (quoted(names[k]) if names else f"number {k}" for k in (i, j))
            raise CityError(f"{text} from stop {a} to stop {b} in {city.name}; {fix}")


def _hub(hub: int | str | None, names: Sequence[str], duration_s: Floats) -> int | None:
    """The number of the hub."""
    if not isinstance(hub, str):
        return hub
    if hub in names:
        return names.index(hub)
    if hub != "centre":
        raise InputError(f"hub is {quoted(hub)}; give the number or name of a stop, or 'centre'")
    return int(duration_s.sum(axis=1).argmin())


def demand_of(
    instance: TransitInstance,
    demand: str | Path | ArrayLike | None,
    merged: dict[str, int],
    seed: int,
    gravity: dict[str, float],
    foot: SampledCity | None = None,
) -> Floats | None:
    """Trips an hour between the stops of an instance; see `from_city`.

    Args:
        instance: with names and places.
        demand: what is given.
        merged: nodes by further names of stops.
        seed: of uniform demand.
        gravity: trips_per_hour, decay_s and walk_m.
        foot: the city for people on foot, where it is known.
    """
    if demand is None:
        return None
    if isinstance(demand, str) and demand == "uniform":
        return random_demand(instance.size, gravity["trips_per_hour"], seed)
    if isinstance(demand, str) and demand == "gravity":
        pulled = {name: gravity[name] for name in ("trips_per_hour", "decay_s")}
        return nearer_demand(instance.drive_s, **pulled)
    if not isinstance(demand, str | Path):
        return np.asarray(demand, dtype=np.float64)
    if "people" in (name.lower() for name in read_csv(demand).header):
        if instance.lonlat is None:
            raise InputError("a gravity model needs the places of the stops")
        return gravity_demand(
            read_zones(demand), instance.lonlat, instance.drive_s, **gravity, foot=foot
        )
    known = {name: k for k, name in enumerate(instance.names)}
    return read_demand(demand, merged | known, size=instance.size)
