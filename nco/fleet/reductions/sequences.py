"""Stops directly after one another as a single stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.loads import most_stops
from nco.fleet.reductions.vehicles import INTERRUPTED, changed
from nco.problem import Feature, Profile, Sequence
from nco.problem.duty import loads
from nco.problem.passages import services
from nco.problem.slots import Segment
from nco.problem.tolerance import slack

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nco.arrays import Floats
    from nco.problem import Problem, Shipment, Vehicle
    from nco.problem.tied import Tie

type Row = tuple[int, ...]


@dataclass(frozen=True)
class _Passed:
    """What a vehicle takes for stops in a row.

    Attributes:
        opens: start at the first of them that takes no longer.
        closes: latest start.
        stays: seconds of service, and of waiting that nothing can save.
        possible: whether it can serve them at all.
    """

    opens: float
    closes: float
    stays: float
    possible: bool


def sequences(problem: Problem) -> Problem | None:
    """The first stop of each sequence stands for all of it, ways out begin at the last one.

    Driving within it is part of the ways out. Not where it depends on the vehicle when a sequence
    can begin, where its goods take more room within than before and behind it, where the longest
    leg counts, where a drive may be interrupted or a stop of it has several or soft windows, nor
    where other rules tell its stops apart.
    """
    other: Problem | None = problem
    if Feature.MOST_STOPS in problem.features:
        other = most_stops(problem)
    apart = {Feature.OPEN_ROUTES, Feature.SETUP, Feature.LOADING, Feature.LONGEST_LEG}
    if other is None or other.features & (apart | INTERRUPTED):
        return None
    rows = [tie.stops for tie in other.ties if isinstance(tie, Sequence)]
    if any(_chooses(other, j) for row in rows for j in row):
        return None
    ties, shipments = _other_ties(other, rows), _other_shipments(other, rows)
    passed = _all_passed(other, rows)
    if ties is None or passed is None or not all(_has_room(other, row) for row in rows):
        return None
    return _joined(other, rows, passed, ties, shipments)


def _chooses(problem: Problem, j: int) -> bool:
    """Whether it is a matter of cost, or of which window, when a stop is begun."""
    priced = problem.early_per_s[j] or problem.late_per_s[j]
    return bool(priced) or j in problem.more_windows_s


def _passed(problem: Problem, vehicle: Vehicle, row: Row) -> _Passed:
    drive = problem.profiles[vehicle.profile].duration_s / vehicle.speed
    service, window = services(problem, vehicle), problem.window_s
    whole = Segment(service[row[0]], *window[row[0]])
    possible, driven = True, 0.0
    for i, j in pairwise(row):
        leg = float(drive[i, j])
        if np.isinf(leg) or whole.done + leg > window[j, 1] + slack(float(window[j, 1])):
            possible, leg = False, 0.0
        driven += leg
        whole = whole.then(leg, Segment(service[j], *window[j]))
    if vehicle.allowed is not None:
        possible = possible and bool(vehicle.allowed[list(row)].all())
    if not _carries(problem, vehicle, row):
        possible = False
    stays = float(whole.duration) - driven
    return _Passed(float(whole.earliest), float(whole.latest), stays, possible)


def _carries(problem: Problem, vehicle: Vehicle, row: Row) -> bool:
    """Whether a vehicle holds what a row asks for."""
    if not problem.dimensions:
        return True
    most = np.array(vehicle.capacity)
    most = most + np.where(np.isinf(most), 0.0, slack(most))
    return bool((loads(problem, row).max(axis=0) <= most).all())


def _all_passed(problem: Problem, rows: list[Row]) -> dict[Hashable, list[_Passed]] | None:
    """By the likeness of each vehicle; None where those that can serve a row differ in when."""
    found: dict[Hashable, list[_Passed]] = {
        vehicle.likeness: [_passed(problem, vehicle, row) for row in rows]
        for vehicle, _ in problem.fleet
    }
    for k in range(len(rows)):
        hours = {(own[k].opens, own[k].closes) for own in found.values() if own[k].possible}
        if len(hours) > 1:
            return None
    return found


def _has_room(problem: Problem, row: Row) -> bool:
    """Whether goods take no more room within a row than before or behind it."""
    if not problem.dimensions:
        return True
    gives, takes = (x[list(row)].sum(axis=0) for x in (problem.demand, problem.pickup))
    peak = loads(problem, row).max(axis=0)
    bound = np.isfinite([vehicle.capacity for vehicle, _ in problem.fleet]).any(axis=0)
    return bool((peak <= np.maximum(gives, takes))[bound].all())


def _other_ties(problem: Problem, rows: list[Row]) -> tuple[Tie, ...] | None:
    """The other ties, of first stops; None if they tell stops of a row apart."""
    first = {j: row[0] for row in rows for j in row}
    found = []
    for tie in problem.ties:
        if isinstance(tie, Sequence):
            continue
        stops = [first.get(j, j) for j in tie.stops]
        kept = [j for k, j in enumerate(stops) if k == 0 or j != stops[k - 1]]
        ordered = tie.feature is Feature.PRECEDENCE
        merged = list(dict.fromkeys(stops))
        if tie.feature is Feature.DIFFERENT_VEHICLES and len(merged) < len(stops):
            return None
        if ordered and (len(kept) > len(merged) or not _along(tie.stops, rows)):
            return None
        if len(merged) > 1:
            found.append(replace(tie, stops=tuple(merged)))
    return tuple(found)


def _along(stops: Row, rows: list[Row]) -> bool:
    """Whether stops of each row come in the order of the row."""
    return all(
        sorted(own, key=row.index) == own
        for row in rows
        for own in [[j for j in stops if j in row]]
    )


def _other_shipments(problem: Problem, rows: list[Row]) -> tuple[Shipment, ...]:
    """Shipments but for those within a row."""
    within = {j for row in rows for j in row}
    return tuple(s for s in problem.shipments if s.pickup not in within)


def _shared_service(
    vehicles: tuple[Vehicle, ...], service: Floats
) -> tuple[Floats, tuple[Vehicle, ...]]:
    """Service of all vehicles, and those without their own where that is the same."""
    known = [v.service_s for v in vehicles if v.service_s is not None]
    if len({own.tobytes() for own in known}) != 1 or len(known) < len(vehicles):
        return service, vehicles
    plain = {v.sameness: replace(v, service_s=None) for v in vehicles}
    return known[0], tuple(plain[v.sameness] for v in vehicles)


def _joined(
    problem: Problem,
    rows: list[Row],
    passed: dict[Hashable, list[_Passed]],
    ties: tuple[Tie, ...],
    shipments: tuple[Shipment, ...],
) -> Problem:
    inner = {j for row in rows for j in row[1:]}
    kept = [j for j in range(problem.size) if j not in inner]
    number = {j: n for n, j in enumerate(kept)}
    heads = [number[row[0]] for row in rows]
    leaves = np.array(kept)
    leaves[heads] = [row[-1] for row in rows]

    def summed(values: Floats) -> Floats:
        found = values[kept].copy()
        for n, row in zip(heads, rows, strict=True):
            found[n] = values[list(row)].sum(axis=0)
        return found

    def wider(matrix: Floats) -> Floats:
        found = matrix[np.ix_(leaves, kept)]
        for n, row in zip(heads, rows, strict=True):
            found[n] += sum(matrix[i, j] for i, j in pairwise(row))
        np.fill_diagonal(found, 0.0)
        return found

    def own(vehicle: Vehicle) -> Vehicle:
        known = passed[vehicle.likeness]
        service = services(problem, vehicle)[kept].copy()
        service[heads] = [p.stays for p in known]
        allowed = None if vehicle.allowed is None else vehicle.allowed[kept].copy()
        if not all(p.possible for p in known):
            allowed = np.ones(len(kept), bool) if allowed is None else allowed
            allowed[heads] &= [p.possible for p in known]
        return replace(
            vehicle,
            service_s=service,
            allowed=allowed,
            preference=None if vehicle.preference is None else summed(vehicle.preference),
        )

    vehicles = changed(problem, own)
    demand, pickup = summed(problem.demand), summed(problem.pickup)
    for k, n in enumerate(heads):
        if not any(p[k].possible for p in passed.values()):
            demand[n] = pickup[n] = 0.0  # more than any vehicle carries would be an error
    window, release = problem.window_s[kept].copy(), problem.release_s[kept].copy()
    for k, (n, row) in enumerate(zip(heads, rows, strict=True)):
        hours = [p[k] for p in passed.values() if p[k].possible]
        if hours:
            window[n] = (hours[0].opens, max(hours[0].opens, hours[0].closes))
        release[n] = problem.release_s[list(row)].max()
    priority = problem.priority[kept].copy()
    priority[heads] = [problem.priority[list(row)].max() for row in rows]
    service, vehicles = _shared_service(vehicles, problem.service_s[kept])
    words = {j: problem.skills.get(j, frozenset()) for j in problem.stops}
    for row in rows:
        words[row[0]] = frozenset().union(*(words[j] for j in row))
    return replace(
        problem,
        profiles=tuple(
            Profile(
                distance_m=wider(profile.distance_m),
                duration_s=wider(profile.duration_s),
                name=profile.name,
            )
            for profile in problem.profiles
        ),
        vehicles=vehicles,
        demand=demand,
        pickup=pickup,
        prize=summed(problem.prize),
        priority=priority,
        window_s=window,
        service_s=service,
        setup_s=problem.setup_s[kept],
        more_windows_s={number[j]: windows for j, windows in problem.more_windows_s.items()},
        soft_window_s=problem.soft_window_s[kept],
        early_per_s=problem.early_per_s[kept],
        late_per_s=problem.late_per_s[kept],
        release_s=release,
        shipments=tuple(
            replace(s, pickup=number[s.pickup], delivery=number[s.delivery]) for s in shipments
        ),
        groups=tuple(replace(g, stops=tuple(number[j] for j in g.stops)) for g in problem.groups),
        ties=tuple(replace(tie, stops=tuple(number[j] for j in tie.stops)) for tie in ties),
        skills={number[j]: own for j, own in words.items() if j in number and own},
        off_street={},  # nobody sees this problem
        details={},
        lonlat=None if problem.lonlat is None else problem.lonlat[kept],
        xy=None if problem.xy is None else problem.xy[kept],
        moved_m=None if problem.moved_m is None else problem.moved_m[kept],
        names=tuple(problem.names[j] for j in kept),
    )
