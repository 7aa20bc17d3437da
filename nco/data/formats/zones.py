"""Zones that some vehicles avoid: streets of their own, on which the zones are closed."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.data.cities.changes import rings_of
from nco.data.cities.city import City
from nco.errors import CityError, InputError, counted, listed, quoted
from nco.problem import Problem, Profile

_MOST = 20  # kinds of streets, each with an engine and matrices of its own
log = logging.getLogger("nco")


@dataclass(frozen=True, eq=False)
class Zone:
    """An area that some vehicles do not enter.

    Attributes:
        name: for messages.
        ring: `[k, 2]` (lonlat) its corners.
        vehicles: names of those that avoid it; `van` is each of `van 1`, `van 2`, ...
        profiles: likewise, of all that use these streets. With neither, it is every vehicle.
    """

    name: str
    ring: Floats
    vehicles: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    def concerns(self, vehicle: str, profile: str) -> bool:
        """Whether a vehicle avoids it."""
        if not self.vehicles and not self.profiles:
            return True
        own = vehicle.casefold()
        named = {name.casefold() for name in self.vehicles}
        return profile in self.profiles or not named.isdisjoint((own, own.rpartition(" ")[0]))


class Around(NamedTuple):
    """A problem with zones.

    Attributes:
        problem: in which vehicles drive around the zones that concern them.
        streets: what vehicles drive on, by the names of the problem's profiles.
    """

    problem: Problem
    streets: dict[str, City]


def around_zones(problem: Problem, city: City, zones: Sequence[Zone]) -> Around:
    """The problem in which vehicles drive around the zones that concern them.

    A stop in a zone is left to the vehicles that may enter it. A zone without streets changes
    nothing, which the log says.

    Args:
        problem: with coordinates; each of its profiles has the name of one of the city.
        city: with an extract.
        zones: in any order.

    Raises:
        InputError: a zone names a vehicle or a profile that the problem has not.
        CityError: a zone has no area, or a depot of its vehicles lies in it.
        StorageError: the cache folder cannot be written.
    """
    base = [profile.name for profile in problem.profiles]
    _check_names(problem, zones, base)
    zones = list(with_streets(city, zones)) if zones else []
    lonlat = problem.lonlat
    plain = {name: _streets(city, name) for name in base}
    if not zones or lonlat is None:
        return Around(problem, plain)
    optional = np.arange(problem.size) >= problem.depots
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    profiles: list[Profile] = []
    streets: dict[str, City] = {}
    refused: list[dict[int, str]] = []
    vehicles = []
    for vehicle in problem.vehicles:
        name = base[vehicle.profile]
        own = tuple(k for k, zone in enumerate(zones) if zone.concerns(vehicle.name, name))
        key = vehicle.profile, own
        if key not in known:
            known[key] = len(profiles)
            if len(known) > _MOST:
                raise InputError(
                    f"the zones make streets of more than {_MOST} kinds, one for each set of zones "
                    "that a vehicle avoids; let more vehicles avoid the same zones"
                )
            if not own:
                profiles.append(problem.profiles[vehicle.profile])
                streets[name] = plain[name]
                refused.append(dict(problem.off_street))
            else:
                closed = plain[name].variant(closed=[zones[k].ring for k in own])
                table = closed.matrix(lonlat, names=problem.names, optional=optional)
                told = _unlike(
                    f"{name} around {listed([quoted(zones[k].name) for k in own])}", streets
                )
                streets[told] = closed
                profiles.append(
                    Profile(distance_m=table.distance_m, duration_s=table.duration_s, name=told)
                )
                refused.append(_reasons(table.refused, [zones[k] for k in own], lonlat))
        vehicles.append(replace(vehicle, profile=known[key]))
    nowhere = set.intersection(*(set(one) for one in refused))
    off_street = {j: refused[0][j] for j in sorted(nowhere)}
    made = replace(
        problem, profiles=tuple(profiles), vehicles=tuple(vehicles), off_street=off_street
    )
    return Around(made, streets)


def _streets(city: City, profile: str) -> City:
    return city if profile == city.profile else city.with_profile(profile)


def _reasons(refused: Mapping[int, str], zones: Sequence[Zone], lonlat: Floats) -> dict[int, str]:
    """Why places are on no street of vehicles that avoid zones; a zone is named where it is one."""
    import shapely

    found = dict(refused)
    for zone in zones:
        inside = shapely.contains_xy(shapely.Polygon(zone.ring), lonlat)
        for j in np.flatnonzero(inside):
            if j in found:
                found[int(j)] = f"it lies in {quoted(zone.name)}, a zone that vehicles avoid"
    return found


def _unlike(name: str, known: Container[str]) -> str:
    """A name that is not there yet: zones may be called alike."""
    named = (name if k == 1 else f"{name} ({k})" for k in count(1))
    return next(one for one in named if one not in known)


def _check_names(problem: Problem, zones: Iterable[Zone], profiles: Sequence[str]) -> None:
    names = {vehicle.name.casefold() for vehicle in problem.vehicles}
    names |= {name.rpartition(" ")[0] for name in names}
    for zone in zones:
        for name in zone.vehicles:
            if name.casefold() not in names - {""}:
                there = listed([quoted(vehicle.name) for vehicle in problem.vehicles])
                raise InputError(
                    f"zone {quoted(zone.name)} is for vehicle {quoted(name)}, which there is not; "
                    f"vehicles are {there}"
                )
        for name in zone.profiles:
            if name not in profiles:
                raise InputError(
                    f"zone {quoted(zone.name)} is for profile {quoted(name)}, which no vehicle "
                    f"has; profiles are {listed([quoted(one) for one in profiles])}"
                )


def with_streets(city: City, zones: Iterable[Zone]) -> Iterator[Zone]:
    """Zones in which there is a street; the log names the others.

    Raises:
        CityError: one has no area.
    """
    import shapely

    edges = city.roads.edges()
    ends = np.stack([city.roads.lonlat[edges.tail], city.roads.lonlat[edges.head]], axis=1)
    streets = shapely.linestrings(ends)
    for zone in zones:
        try:
            [ring] = rings_of(zone.ring)
        except CityError:
            raise CityError(
                f"zone {quoted(zone.name)} has {counted(len(zone.ring), 'corner')}, and its "
                "outline crosses itself or has no area; give corners (longitude, latitude) in order"
            ) from None
        area = shapely.Polygon(ring)
        shapely.prepare(area)
        if shapely.intersects(area, streets).any():
            yield replace(zone, ring=ring)
        else:
            log.warning("zone %s has no street in it and changes nothing", quoted(zone.name))
