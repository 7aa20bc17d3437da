"""Two networks on the same stops: what changes, and for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nco.data.cities.roads import haversine_m
from nco.errors import InputError
from nco.transit.instance.stops import spread
from nco.transit.instance.walks import metres_on_foot
from nco.transit.operate.mode_choice import Modes, chosen
from nco.transit.simulate.days import Figure, simulate_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.instance.demand import Zones
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.streets import SampledCity
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.operate.mode_choice import ModeChoice
    from nco.transit.operate.network_cost import CostModel, NetworkCost

_FELT_S = 60.0  # what a trip must change by to count as better or worse


@dataclass(frozen=True)
class District:
    """What changes for the people who begin their trips around a stop.

    Attributes:
        name: of the stop in its middle.
        stops: in it.
        trips: an hour that begin there.
        before_min: what a trip is worth in the mean, minutes on board.
        after_min: likewise.
        gain: share of trips that are better by a minute or more.
        lose: share that are worse.
    """

    name: str
    stops: int
    trips: float
    before_min: float
    after_min: float
    gain: float
    lose: float


@dataclass(frozen=True)
class Side:
    """One of the networks.

    Attributes:
        title: what it is called.
        lines: nodes of each.
        names: of the lines.
        cost: what it costs, and what that is made of.
        catchment: share of the people, or where they are unknown of the trips, that have a line
            within a walk.
        fullness: `[R]` passengers by places on the fullest stretch of each line.
        modes: how all trips are made, where people choose; else None.
        days: figures of several days of random demand, each with its error; empty without any.
    """

    title: str
    lines: Lines
    names: tuple[str, ...]
    cost: NetworkCost
    catchment: float
    fullness: Floats
    modes: Modes | None = None
    days: dict[str, Figure] = field(default_factory=dict)

    def facts(self) -> dict[str, float]:
        """Means and sums, ready for JSON."""
        modes = {} if self.modes is None else self.modes.shares()
        chosen_by = {f"share_{name}": share for name, share in modes.items()}
        return self.cost.facts() | {"catchment": self.catchment} | chosen_by


@dataclass(frozen=True)
class Comparison:
    """Before and after.

    Attributes:
        instance: stops, links and demand.
        before: as it is.
        after: as it would be.
        districts: by trips, most first.
        gain: share of all trips that are better by a minute or more.
        lose: share that are worse.
        people: whether catchments are of people, or of trips.
    """

    instance: TransitInstance
    before: Side
    after: Side
    districts: tuple[District, ...]
    gain: float
    lose: float
    people: bool


def compare(
    model: CostModel,
    before: tuple[str, Lines, tuple[str, ...], Floats | None],
    after: tuple[str, Lines, tuple[str, ...], Floats | None],
    *,
    districts: int = 8,
    zones: Zones | None = None,
    choice: ModeChoice | None = None,
    days: int = 0,
    foot: SampledCity | None = None,
) -> Comparison:
    """Compare two networks.

    Args:
        model: what counts, on the stops and the demand of both.
        before: title, lines, names of the lines, and buses an hour of each; None plans those.
        after: likewise.
        districts: how many to divide the stops into, around stops far from one another.
        zones: where people live; None takes trips for people.
        choice: whether trips are made by bus, by car or on foot is chosen with these constants,
            and a trip is worth what the choice of all of them is; None gives the bus, or one's
            feet, whatever is better.
        days: of random demand, simulated on both networks, 2 or more; 0 for none.
        foot: the city for people on foot, whose paths say who is within a walk; None measures as
            the crow flies.

    Raises:
        InputError: the stops have no places, or there are no districts.
        ProblemError: a line cannot be run.
    """
    instance = model.instance
    if instance.lonlat is None:
        raise InputError("a comparison by districts needs the places of the stops")
    if districts < 1:
        raise InputError(f"districts is {districts}; give 1 or more")
    lonlat = instance.lonlat
    sides = [
        _side(model, lonlat, *side, zones=zones, choice=choice, days=days, foot=foot)
        for side in (before, after)
    ]
    old_s, new_s = (_worth_s(side, model) for side in sides)
    demand = model.demand
    found = []
    for own in _districts(lonlat, districts):
        trips = demand[own]
        total = float(trips.sum())
        change_s = np.where(trips > 0, new_s[own] - old_s[own], 0.0)
        found.append(
            District(
                _middle(lonlat, instance.names, own),
                int(own.sum()),
                total,
                _mean_min(trips, old_s[own]),
                _mean_min(trips, new_s[own]),
                _share(trips, change_s <= -_FELT_S),
                _share(trips, change_s >= _FELT_S),
            )
        )
    change_s = np.where(demand > 0, new_s - old_s, 0.0)
    return Comparison(
        instance,
        sides[0],
        sides[1],
        tuple(sorted(found, key=lambda one: -one.trips)),
        _share(demand, change_s <= -_FELT_S),
        _share(demand, change_s >= _FELT_S),
        zones is not None,
    )


def _side(
    model: CostModel,
    lonlat: Floats,
    title: str,
    lines: Lines,
    names: tuple[str, ...],
    per_h: Floats | None,
    *,
    zones: Zones | None,
    choice: ModeChoice | None,
    days: int,
    foot: SampledCity | None,
) -> Side:
    if per_h is not None:
        # What does not run at that time of day is no part of it.
        runs = [r for r, often in enumerate(per_h.tolist()) if often > 0]
        lines, names = tuple(lines[r] for r in runs), tuple(names[r] for r in runs)
        per_h = per_h[runs]
    modes = None if choice is None else chosen(model, lines, choice, per_h=per_h)
    cost = model.of(lines, per_h=per_h) if modes is None else modes.cost
    fullness = cost.peak / np.maximum(cost.per_h * model.instance.capacity, 1e-9)
    catchment = _catchment(model, lonlat, lines, zones, foot)
    figures = {}
    if days:
        riders = model.instance.changed(demand=cost.taken, fleet=None)
        figures = simulate_days(riders, lines, model.settings, days=days, per_h=cost.per_h)
    return Side(title, lines, names, cost, catchment, fullness, modes, figures)


def _worth_s(side: Side, model: CostModel) -> Floats:
    """`[N, N]` what a trip is worth; where nobody can make it, as much as a lost one."""
    if side.modes is None:
        return side.cost.weighed_s
    worth_s = 60.0 * side.modes.worth_min
    return np.where(np.isfinite(worth_s), worth_s, model.limit_s)


def _catchment(
    model: CostModel,
    lonlat: Floats,
    lines: Lines,
    zones: Zones | None,
    foot: SampledCity | None,
) -> float:
    """Share of people, or of trips, with a served stop within a walk."""
    served = lonlat[sorted({node for line in lines for node in line})]
    if zones is None:
        places, weight = lonlat, model.demand.sum(axis=1) + model.demand.sum(axis=0)
    else:
        places, weight = zones.lonlat, zones.people
    away_m = metres_on_foot(places, served, foot, model.prices.walk_detour).min(axis=1)
    total = float(weight.sum())
    near = float(weight[away_m <= model.prices.most_way_m].sum())
    return near / total if total else 0.0


def _districts(lonlat: Floats, count: int) -> list[NDArray[np.bool_]]:
    """Masks `[N]` of stops around stops that are far from one another."""
    middles = spread(lonlat, count)
    away_m = haversine_m(lonlat[:, None], lonlat[middles][None])
    nearest = away_m.argmin(axis=1)
    return [np.asarray(nearest == k) for k in range(len(middles))]


def _middle(lonlat: Floats, names: tuple[str, ...], own: NDArray[np.bool_]) -> str:
    """The name of the stop nearest to the middle of a district."""
    places = lonlat[own]
    k = int(haversine_m(places, places.mean(axis=0)).argmin())
    return names[int(np.flatnonzero(own)[k])]


def _mean_min(trips: Floats, worth_s: Floats) -> float:
    total = float(trips.sum())
    return float((trips * worth_s)[trips > 0].sum()) / 60.0 / total if total else 0.0


def _share(trips: Floats, those: NDArray[np.bool_]) -> float:
    total = float(trips.sum())
    return float(trips[those].sum()) / total if total else 0.0
