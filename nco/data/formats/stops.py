"""The problem that a table of stops poses on the streets of a city."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco.data.cities.streets import Streets, Table
from nco.data.formats import hints
from nco.data.formats.measured import first_ten, how_to_allow, measured
from nco.data.formats.own_streets import on_own_streets
from nco.data.formats.tables.fleet import Fleet, read_fleet
from nco.data.formats.tables.nodes import Nodes
from nco.data.formats.tables.stops import DEPOT, Stops
from nco.data.formats.tables.titles import WORDS
from nco.errors import (
    CityError,
    FormatError,
    InputError,
    counted,
    listed,
    option,
    quoted,
)
from nco.problem import Group, Objective, Problem, Shipment, Vehicle
from nco.problem.details import titles
from nco.problem.times import Times

__all__ = ["DEPOT", "Stops", "problem_from_stops"]

logger = logging.getLogger("nco")


def problem_from_stops(
    stops: Stops,
    city: Streets,
    *,
    vehicles: int | Sequence[Vehicle] | None = None,
    capacity: float | Sequence[float] | None = None,
    fleet: Fleet | str | Path | None = None,
    depot: str | ArrayLike | None = None,
    shift_s: tuple[float, float] = (0.0, np.inf),
    objective: Objective | None = None,
    allow_unassigned: bool = False,
    name: str = "stops",
) -> Problem:
    """The problem of serving stops along the streets of a city.

    Args:
        stops: what to serve.
        city: gives distances and durations.
        vehicles: how many, or the vehicles themselves; None means one for each stop where there
            is a capacity or a window, else a single one. They start at the first depot.
        capacity: of each vehicle, one number a dimension of demand; None means unlimited.
        fleet: a table of vehicles, or its path, in place of `vehicles` and `capacity`.
        depot: name of a row, or longitude and latitude, which then hold for the row named
            "depot" if there is one; it is the first depot. None takes the rows of the kind depot,
            or the row named "depot".
        shift_s: earliest departure and latest return of each vehicle.
        objective: what to minimise; None means distance, or what a fleet's prices say.
        allow_unassigned: keep stops that no street is near enough to, or that no route reaches,
            for solvers to report unassigned.
        name: of the problem.

    Raises:
        FormatError: there is no depot or no stop, a stop does not fit into any vehicle, or the
            table of vehicles is wrong.
        CityError: no street is near enough to a depot, or to a stop or no route reaches one
            while `allow_unassigned` is off; the message lists such stops.
        InputError: vehicles are given twice.
        ProblemError: a vehicle or a number is malformed.
    """
    nodes = Nodes.of(stops, depot)
    if fleet is not None:
        if vehicles is not None or capacity is not None or tuple(shift_s) != (0.0, np.inf):
            raise InputError(
                "vehicles are given twice: by a table and by their number, capacity or shift; "
                "leave one out"
            )
        fleet = fleet if isinstance(fleet, Fleet) else read_fleet(fleet, stops.first_day)
        if fleet.clock and stops.times is Times.UNIX:
            raise FormatError(
                f"{fleet.path}: shifts are times of day, but the times of the stops are seconds "
                "from 1970; write both alike, with dates"
            )
        made = fleet.vehicles(nodes.depots(stops), stops.demand.shape[1])
        vehicles, objective = made, fleet.objective() if objective is None else objective
    _check_fit(stops, nodes.rest, vehicles, capacity)
    table = measured(
        city,
        nodes.lonlat,
        nodes.labels,
        depots=nodes.count,
        allow_unassigned=allow_unassigned,
    )
    _check_ways(city, table, nodes, allowed=allow_unassigned)
    fields = _fields(stops, nodes, table)
    if objective is not None:
        fields["objective"] = objective
    if fleet is not None and fleet.clock and stops.times is Times.NUMBERS:
        fields["times"] = Times.CLOCK
    if vehicles is None:
        unlimited = capacity is None and np.isinf(fields["window_s"][:, 1]).all()
        vehicles = 1 if unlimited and shift_s[1] == np.inf else len(nodes.rest)
    problem = Problem.from_matrices(
        table.distance_m,
        table.duration_s,
        vehicles=vehicles,
        capacity=capacity,
        shift_s=shift_s,
        depots=nodes.count,
        name=name,
        **fields,
    )
    if fleet is not None:
        problem = on_own_streets(problem, city, fleet.profiles(), nodes)
    if stops.vehicles:
        problem = _with_allowed(problem, stops, nodes)
    if fleet is None and not isinstance(vehicles, Sequence) and nodes.count > 1:
        logger.warning(
            "there are %d depots, and all vehicles start at %s; a table of vehicles "
            "(%s) says which start where",
            nodes.count,
            nodes.labels[0],
            option("fleet"),
        )
    hints.warn(problem, nodes.labels)
    return problem


def _fields(stops: Stops, nodes: Nodes, table: Table) -> dict[str, Any]:
    """The fields of the problem that rows and streets decide."""
    node = nodes.node
    fields: dict[str, Any] = {
        "window_s": nodes.spread(stops.window_s, (0.0, np.inf)),
        "more_windows_s": nodes.by_node(stops.more_windows_s),
        "service_s": nodes.spread(stops.service_s, 0.0),
        "setup_s": nodes.spread(stops.setup_s, 0.0),
        "prize": nodes.spread(stops.prize, np.inf),
        "release_s": nodes.spread(stops.release_s, 0.0),
        "priority": nodes.spread(stops.priority, 0.0),
        "soft_window_s": nodes.spread(stops.soft_window_s, (0.0, np.inf)),
        "early_per_s": nodes.spread(stops.early_per_s, 0.0),
        "late_per_s": nodes.spread(stops.late_per_s, 0.0),
        "ties": [replace(tie, stops=tuple(node[k] for k in tie.stops)) for tie in stops.ties],
        "skills": nodes.by_node(stops.skills),
        "shipments": [
            Shipment(pickup=node[start], delivery=node[end], amount=amount)
            for start, end, amount in stops.shipments
        ],
        "groups": [
            Group(stops=tuple(node[k] for k in rows), prize=float(stops.prize[rows[0]]))
            for rows in stops.groups
        ],
        "lonlat": nodes.lonlat,
        "moved_m": table.moved_m,
        "off_street": table.refused,
        "details": nodes.by_node(stops.details),
        "names": (*nodes.depots(stops), *(stops.names[k] for k in nodes.rest)),
        "times": stops.times,
    }
    if stops.demand.shape[1]:
        fields["demand"] = nodes.spread(stops.demand, 0.0)
        fields["pickup"] = nodes.spread(stops.pickup, 0.0)
    return fields


def _with_allowed(problem: Problem, stops: Stops, nodes: Nodes) -> Problem:
    """The problem in which some stops may be served by the vehicles that they name alone."""
    known = [vehicle.name.casefold() for vehicle in problem.vehicles]
    allowed = np.ones((len(known), problem.size), dtype=bool)
    for row, names in stops.vehicles.items():
        allowed[:, nodes.node[row]] = False
        for name in names:
            # `van` is each of `van 1`, `van 2`, ...
            own = name.casefold()
            meant = [v for v, k in enumerate(known) if own in (k, k.rpartition(" ")[0])]
            if not meant:
                raise FormatError(
                    f"{stops.label(row)}: the allowed vehicle {quoted(name)} is none of "
                    f"{_named(known)}"
                )
            allowed[meant, nodes.node[row]] = True
    kept: dict[tuple[int, bytes], Vehicle] = {}
    vehicles = []
    for vehicle, own_mask in zip(problem.vehicles, allowed, strict=True):
        mask = own_mask if vehicle.allowed is None else own_mask & vehicle.allowed
        key = id(vehicle), mask.tobytes()
        if key not in kept:
            kept[key] = vehicle if mask.all() else replace(vehicle, allowed=mask)
        vehicles.append(kept[key])
    return replace(problem, vehicles=tuple(vehicles))


def _named(names: Sequence[str]) -> str:
    named = [quoted(name) for name in dict.fromkeys(names) if name]
    if not named:
        return f"the vehicles, which have no names; give a table of vehicles ({option('fleet')})"
    return f"the vehicles ({listed(named)})"


def _check_fit(
    stops: Stops, rows: list[int], vehicles: Any, capacity: float | Sequence[float] | None
) -> None:
    """Refuse demands that no vehicle can carry, and capacities that do not match them."""
    dimensions = stops.demand.shape[1]
    if isinstance(vehicles, Sequence):
        if capacity is not None:
            raise InputError("capacity is given twice: by vehicles and on its own; leave one out")
        limits = [vehicle.capacity for vehicle in vehicles]
    else:
        limits = [] if capacity is None else [tuple(np.atleast_1d(capacity))]
    limits = list(dict.fromkeys(limits))
    for limit in limits:
        if not all(number >= 0 for number in limit):
            raise InputError(f"capacity is {_numbers(limit)}; give numbers of 0 or more")
        if limit and not dimensions:
            raise FormatError(
                f"{stops.places[0]}: there is no column 'demand', so a capacity of "
                f"{_numbers(limit)} limits nothing; add the column or leave the capacity out"
                f"{_other_titles(stops)}"
            )
        if len(limit) != dimensions:
            raise InputError(
                f"capacity has {counted(len(limit), 'number')} but the stops have {dimensions} "
                "of demand; "
                "give one number for each column of demand"
            )
    shipped = {start: amount for start, _, amount in stops.shipments}
    too_big = []
    for k in rows if limits else ():
        for what, amount in (
            ("demand", stops.demand[k]),
            ("pickup", stops.pickup[k]),
            ("what it gives", np.asarray(shipped.get(k, ()))),
        ):
            if not any((amount <= limit[: len(amount)]).all() for limit in limits):
                too_big.append(f"{stops.label(k)}: {what} is {_numbers(amount)}")
    if too_big:
        raise FormatError(
            f"{first_ten(too_big)}, more than any vehicle carries "
            f"({'; '.join(sorted({_numbers(limit) for limit in limits}))}); split such stops or "
            "use larger vehicles"
        )


def _other_titles(stops: Stops) -> str:
    """Which columns might be the demand under another title."""
    others = [title for title in titles(stops.details) if title not in WORDS]
    return f" (demand may be called quantity or amount, none of {listed(others)})" if others else ""


def _check_ways(city: Streets, table: Table, nodes: Nodes, *, allowed: bool) -> None:
    """Refuse or report stops that no depot reaches, or that reach none."""
    home = slice(nodes.count)
    cut_off = np.isinf(table.duration_s[home]).all(axis=0)
    cut_off |= np.isinf(table.duration_s[:, home]).all(axis=1)
    cut_off[list(table.refused)] = False
    if not cut_off.any():
        return
    missed = [nodes.labels[k] for k in np.flatnonzero(cut_off)]
    depot = nodes.labels[0] if nodes.count == 1 else "any depot"
    text = f"no street of {city.name} leads from {depot} to {first_ten(missed)} and back"
    if allowed:
        logger.warning("%s; they stay unassigned", text)
        return
    raise CityError(f"{text}; move them or the depot to a street, remove them, or {how_to_allow()}")


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
