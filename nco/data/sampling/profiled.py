"""Problems of vehicles with profiles: preferences, zones, own streets, and several trips each.

The objective is that of CAMP (Hua et al., arXiv 2501.02977): the time of all vehicles, minus the
preferences of the vehicles for the stops that they serve, with a weight each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import Bools, Floats
from nco.data.cities.city import City
from nco.data.cities.streets import Streets, Table, given_city
from nco.data.sampling.drawing import (
    ATTEMPTS,
    derived,
    draw_demand,
    generator,
    lonlat,
    scattered,
    whole,
)
from nco.data.sampling.fleets import TYPES, fleet_of
from nco.data.sampling.preferences import draw_preference, draw_zone
from nco.errors import InputError, quoted
from nco.memory import require_matrices
from nco.problem import Objective, Problem, Profile, Vehicle

CAPACITY = 40.0  # of CAMP's vehicles
WEIGHTS = (0.8, 0.2)  # of time and preference, CAMP's
MEAN_DISTANCE = 0.5214  # between two places in the unit square
_METRES = 111_195.0  # a degree of latitude


def pvrp(
    city: Streets | Mapping[str, Streets] | None,
    n: int,
    *,
    seed: int,
    vehicles: int | Mapping[str, int] = 5,
    preference: str | None = None,
    zone: str | None = None,
    weights: Sequence[float] = WEIGHTS,
    how: str = "road",
    depot: ArrayLike | None = None,
    **drawing: Any,
) -> Problem:
    """Vehicles with profiles of their own, in the unit square or in a city.

    Vehicles drive any number of trips; demands are the whole numbers 1 to 9. The cost is
    `weights[0]` times the time of all vehicles minus `weights[1]` times the preferences of the
    stops for their vehicles. In the unit square time is distance and all capacities are 40. In a
    city, time is seconds, and a preference of 1 is worth as much of it as the side of that square
    would be: a pair of places is 0.52 sides apart on average, in both.

    Args:
        city: where; None is CAMP's unit square. A mapping gives the streets of types of vehicles
            ("van") or of profiles ("bicycle"), such as `{"car": city, "van": city.variant(...)}`;
            of a city alone the other profiles come from its extract. Places are drawn on the first.
        n: stops; 1 or more.
        seed: of all that is drawn, each thing by a stream of its own.
        vehicles: how many, or how many of each type: "van", "electric van", "cargo bicycle" and
            "walker"; in the unit square their number.
        preference: "random", "sector", "cluster", "territory" or "familiarity"; None is 0 for all.
        zone: "random", "sector" or "cluster"; None lets every vehicle serve every stop.
        weights: of time and preference, 0 or more.
        how: how `city.sample` draws points.
        depot: longitude and latitude of the depot; None draws it as well.
        **drawing: passed on to `city.sample`.

    Raises:
        InputError: a number or a name makes no sense, or no vehicle reaches some stop.
        CityError: the city has no such points, or the depot is not in it.
    """
    n, seed = whole(n, "n", 1), whole(seed, "seed", 0)
    w_t, w_p = objective_weights(weights)
    if city is None:
        if drawing or depot is not None or how != "road":
            raise InputError("depot, how and what else draws points in a city need a city")
        count = whole(vehicles, "vehicles", 1)
        area = _square(n, seed, count)
    else:
        area = _in_city(city, n, seed, fleet_of(vehicles), how, depot, drawing)
    fleet = []
    rng = generator(seed, "preference")
    able = np.stack([area.able[p] for p in area.profile_of])
    wishes = np.zeros(able.shape)
    if preference is not None:
        wishes = draw_preference(preference, rng, area.away, len(able), area.diagonal)
    allowed = None
    if zone is not None:
        allowed = draw_zone(zone, generator(seed, "zone"), area.away, len(able), able)
    for k, profile in enumerate(area.profile_of):
        fleet.append(
            Vehicle(
                capacity=(area.capacity[k],),
                profile=profile,
                max_trips=n,
                allowed=None if allowed is None else np.concatenate([[True], allowed[k]]),
                preference=None if preference is None else np.concatenate([[0.0], wishes[k]]),
                name=area.names[k],
            )
        )
    kinds = "-".join(x for x in (preference, zone and f"zone-{zone}") if x) or "plain"
    w_distance, w_duration = (w_t, 0.0) if city is None else (0.0, w_t)
    return Problem(
        profiles=area.profiles,
        vehicles=tuple(fleet),
        demand=draw_demand(generator(seed, "demand"), n),
        objective=Objective(distance=w_distance, duration=w_duration, preference=w_p * area.side),
        name=f"{area.name}-pvrp-{kinds}-n{n}-m{len(fleet)}-s{seed}",
        **area.places,
    )


class _Area:
    """Points, their matrices, and the vehicles on them.

    Args:
        name: of the place.
        profiles: different ones.
        profile_of: of each vehicle.
        capacity: of each vehicle.
        names: of the vehicles.
        xy: `[n + 1, 2]` of the depot and the stops, for angles and distances as the crow flies.
        side: what a preference of 1 is worth in the unit of time.
        diagonal: of the area in units of `xy`; None takes that of the box around the points.
        places: fields of the problem that say where its nodes are.
    """

    def __init__(
        self,
        name: str,
        profiles: Sequence[Profile],
        profile_of: Sequence[int],
        capacity: Sequence[float],
        names: Sequence[str],
        xy: Floats,
        side: float,
        diagonal: float | None = None,
        places: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name, self.profiles, self.profile_of = name, tuple(profiles), profile_of
        self.capacity, self.names, self.side, self.places = capacity, names, side, places
        self.away = xy[1:] - xy[0]
        self.diagonal = diagonal or float(np.linalg.norm(np.ptp(xy, axis=0))) or 1.0
        self.able = [_there_and_back(profile) for profile in profiles]


def _there_and_back(profile: Profile) -> Bools:
    """`[n]` which stops one reaches from the depot and leaves for it again."""
    metres = profile.distance_m
    return np.asarray(np.isfinite(metres[0, 1:]) & np.isfinite(metres[1:, 0]))


def _square(n: int, seed: int, vehicles: int) -> _Area:
    xy = generator(seed, "places").random((n + 1, 2))
    metres = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
    profile = Profile(distance_m=metres, duration_s=metres, name="plane")
    numbers = range(vehicles)
    return _Area(
        "square",
        [profile],
        [0 for _ in numbers],
        [CAPACITY for _ in numbers],
        [f"vehicle {k}" for k in numbers],
        xy,
        1.0,
        np.sqrt(2.0),
        {"xy": xy},
    )


def _in_city(
    city: Streets | Mapping[str, Streets],
    n: int,
    seed: int,
    fleet: Sequence[str],
    how: str,
    depot: ArrayLike | None,
    drawing: dict[str, Any],
) -> _Area:
    require_matrices(n + 1, n + 1)  # before points are drawn for nothing
    first = next(iter(city.values()), None) if isinstance(city, Mapping) else city
    where, made = given_city(first, Streets), dict[str, Streets]()  # type: ignore[type-abstract]
    streets = {name: _streets(city, name, made) for name in dict.fromkeys(fleet)}
    keys = {id(own): key for key, own in reversed(streets.values())}
    distinct = list({id(own): own for _, own in streets.values()}.values())
    fixed = None if depot is None else lonlat(depot)
    for attempt in range(ATTEMPTS):
        drawn = scattered(where, n + 1, derived(seed, attempt), how, fixed, drawing)
        optional = np.arange(n + 1) > 0
        tables: list[Table] = [own.matrix(drawn, optional=optional) for own in distinct]
        profiles = [
            Profile(distance_m=t.distance_m, duration_s=t.duration_s, name=keys[id(own)])
            for t, own in zip(tables, distinct, strict=True)
        ]
        if np.any([_there_and_back(profile) for profile in profiles], axis=0).all():
            break
    else:
        raise InputError(
            f"no vehicle reaches all stops drawn in {quoted(where.name)} and comes back "
            f"({ATTEMPTS} draws); choose another depot, or vehicles for other streets"
        )
    moved = [np.zeros(n + 1) if t.moved_m is None else t.moved_m for t in tables]
    seconds = profiles[0].duration_s
    apart = np.isfinite(seconds) & ~np.eye(n + 1, dtype=bool)
    xy = _METRES * drawn * [np.cos(np.radians(drawn[0, 1])), 1.0]
    return _Area(
        where.name,
        profiles,
        [next(p for p, own in enumerate(distinct) if own is streets[name][1]) for name in fleet],
        [TYPES[name].capacity for name in fleet],
        [f"{name} {list(fleet[: k + 1]).count(name)}" for k, name in enumerate(fleet)],
        xy,
        float(seconds[apart].mean()) / MEAN_DISTANCE,
        places={
            "lonlat": drawn,
            "moved_m": np.max(np.where(np.isfinite(moved), moved, 0.0), axis=0),
        },
    )


def _streets(
    city: Streets | Mapping[str, Streets], name: str, made: dict[str, Streets]
) -> tuple[str, Streets]:
    """The streets of a type of vehicle, and what they are called; those of profiles are kept."""
    profile = TYPES[name].profile
    if isinstance(city, Mapping):
        for key in (name, profile):
            if key in city:
                return key, given_city(city[key], Streets)  # type: ignore[type-abstract]
        raise InputError(
            f"city has streets for {', '.join(map(quoted, city))}, but none for {quoted(name)}; "
            f"give it {quoted(name)} or {quoted(profile)}"
        )
    own = given_city(city, Streets)  # type: ignore[type-abstract]
    if isinstance(own, City):
        if profile not in made:
            made[profile] = own if own.profile == profile else own.with_profile(profile)
        return profile, made[profile]
    if profile != "car":
        raise InputError(
            f"city {quoted(own.name)} has one kind of streets, and {quoted(name)} needs those of "
            f"profile {quoted(profile)}; give a mapping such as {{'car': ..., {quoted(profile)}: "
            "...}"
        )
    return profile, own


def objective_weights(weights: Sequence[float]) -> tuple[float, float]:
    """The weights of time and preference.

    Raises:
        InputError: they are not two numbers of 0 or more.
    """
    try:
        w_t, w_p = (validate.number(weight, "weights", InputError) for weight in weights)
        good = 0 <= w_t < np.inf and 0 <= w_p < np.inf
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError(
            f"weights is {quoted(weights)}; give two numbers of 0 or more, of time and preference"
        )
    return w_t, w_p
