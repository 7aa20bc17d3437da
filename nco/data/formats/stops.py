"""A table of stops, and the problem that it poses on the streets of a city."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import ByValue, Floats
from nco.data.cities.streets import Streets
from nco.data.formats import hints
from nco.data.formats.measured import first_ten, how_to_allow, measured
from nco.errors import CityError, FormatError, InputError, ProblemError, counted, option, quoted
from nco.problem import Objective, Problem, Vehicle
from nco.problem.times import Times

logger = logging.getLogger("nco")
DEPOT = "depot"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stops(ByValue):
    """Stops as they stand in a table, before any street is looked at.

    Attributes:
        names: `n` different names.
        lonlat: `[n, 2]` degrees, longitude first.
        demand: `[n, K]`; None means that nothing is carried.
        window_s: `[n, 2]` earliest and latest start of service; None means any time.
        service_s: `[n]` seconds; None means 0.
        prize: `[n]` cost of not serving a stop, `inf` for a required one; None means all required.
        places: where each stop was read, for messages.
        times: what times count, see `Problem`.

    Raises:
        ProblemError: a field is malformed; the message names the field and the index.
    """

    names: tuple[str, ...]
    lonlat: Floats
    demand: Floats = field(default=None)  # type: ignore[arg-type]
    window_s: Floats = field(default=None)  # type: ignore[arg-type]
    service_s: Floats = field(default=None)  # type: ignore[arg-type]
    prize: Floats = field(default=None)  # type: ignore[arg-type]
    places: tuple[str, ...] = ()
    times: Times = Times.NUMBERS

    def __post_init__(self) -> None:
        names = tuple(str(name).strip() for name in self.names)
        n = len(names)
        demand = np.zeros((n, 0)) if self.demand is None else np.asarray(self.demand)
        demand = demand[:, None] if demand.ndim == 1 else demand
        window = np.tile([0.0, np.inf], (n, 1)) if self.window_s is None else self.window_s
        service = np.zeros(n) if self.service_s is None else self.service_s
        prize = np.full(n, np.inf) if self.prize is None else self.prize
        clean = {
            "names": validate.names(names, n),
            "lonlat": validate.lonlat(self.lonlat, n),
            "demand": validate.table(demand, (n, None), "demand", low=0.0),
            "window_s": validate.windows(window, n, "window_s"),
            "service_s": validate.vector(service, "service_s", n, low=0.0),
            "prize": validate.vector(prize, "prize", n, low=0.0, finite=False),
            "times": validate.choice(self.times, Times, "times"),
            "places": tuple(self.places) or tuple(f"stops[{k}]" for k in range(n)),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_problem(cls, problem: Problem) -> Stops:
        """The stops of a problem, its depot first under the name "depot".

        Raises:
            InputError: the problem has no coordinates, or more than one depot.
        """
        if problem.lonlat is None or problem.depots != 1:
            raise InputError(
                f"problem {quoted(problem.name)} has {problem.depots} depots and "
                f"{'no ' if problem.lonlat is None else ''}lonlat; a table of stops needs one "
                "depot and lonlat: save it as .json instead"
            )
        return cls(
            names=(DEPOT, *problem.names[1:]),
            lonlat=problem.lonlat,
            demand=problem.demand,
            window_s=problem.window_s,
            service_s=problem.service_s,
            prize=problem.prize,
            times=problem.times,
        )

    def row(self, name: str) -> int:
        """The row of a stop, upper and lower case alike; -1 if there is none or several."""
        if name in self.names:
            return self.names.index(name)
        folded = [known.casefold() for known in self.names]
        key = name.casefold()
        return folded.index(key) if folded.count(key) == 1 else -1

    def label(self, k: int) -> str:
        """Place and name of a row, for messages."""
        return f"{self.places[k]} ({quoted(self.names[k])})"


def problem_from_stops(
    stops: Stops,
    city: Streets,
    *,
    vehicles: int | Sequence[Vehicle] | None = None,
    capacity: float | Sequence[float] | None = None,
    depot: str | ArrayLike | None = None,
    shift_s: tuple[float, float] = (0.0, np.inf),
    objective: Objective | None = None,
    allow_unassigned: bool = False,
    name: str = "stops",
) -> Problem:
    """The problem of serving stops along the streets of a city, from one depot.

    Args:
        stops: what to serve.
        city: gives distances and durations.
        vehicles: how many, or the vehicles themselves; None means one for each stop where there
            is a capacity or a window, else a single one.
        capacity: of each vehicle, one number a dimension of demand; None means unlimited.
        depot: name of a row, or longitude and latitude, which then hold for the row named
            "depot" if there is one; None takes the row named "depot".
        shift_s: earliest departure and latest return of each vehicle.
        objective: what to minimise; None means distance.
        allow_unassigned: keep stops that no street is near enough to, or that no route reaches,
            for solvers to report unassigned.
        name: of the problem.

    Raises:
        FormatError: there is no depot or no stop, or a stop does not fit into any vehicle.
        CityError: no street is near enough to the depot, or to a stop or no route reaches one
            while `allow_unassigned` is off; the message lists such stops.
        ProblemError: a vehicle or a number is malformed.
    """
    home, place = _find_depot(stops, depot)
    rest = [k for k in range(len(stops)) if k != home]
    if not rest:
        raise FormatError(f"{stops.places[0]} is the only row; add stops beside the depot")
    _check_fit(stops, rest, vehicles, capacity)
    labels = [DEPOT if home is None else stops.label(home), *(stops.label(k) for k in rest)]
    lonlat = np.concatenate([place[None], stops.lonlat[rest]])
    table = measured(city, lonlat, labels, allow_unassigned=allow_unassigned)
    cut_off = np.isinf(table.duration_s[0]) | np.isinf(table.duration_s[:, 0])
    cut_off[list(table.refused)] = False
    if cut_off.any():
        missed = [labels[k] for k in np.flatnonzero(cut_off)]
        _report_cut_off(city, missed, labels[0], allowed=allow_unassigned)

    def with_depot(values: Floats, otherwise: Any) -> Floats:
        first = np.full_like(values[:1], otherwise) if home is None else values[[home]]
        return np.concatenate([first, values[rest]])

    fields: dict[str, Any] = {
        "window_s": with_depot(stops.window_s, (0.0, np.inf)),
        "service_s": with_depot(stops.service_s, 0.0),
        "prize": with_depot(stops.prize, np.inf),
        "lonlat": lonlat,
        "moved_m": table.moved_m,
        "off_street": table.refused,
        "names": (DEPOT if home is None else stops.names[home], *(stops.names[k] for k in rest)),
        "name": name,
        "times": stops.times,
    }
    if stops.demand.shape[1]:
        fields["demand"] = with_depot(stops.demand, 0.0)
    if objective is not None:
        fields["objective"] = objective
    if vehicles is None:
        unlimited = capacity is None and np.isinf(fields["window_s"][:, 1]).all()
        vehicles = 1 if unlimited and shift_s[1] == np.inf else len(rest)
    problem = Problem.from_matrices(
        table.distance_m,
        table.duration_s,
        vehicles=vehicles,
        capacity=capacity,
        shift_s=shift_s,
        **fields,
    )
    hints.warn(problem, labels)
    return problem


def _find_depot(stops: Stops, depot: str | ArrayLike | None) -> tuple[int | None, Floats]:
    """The depot's row, None if it is only a place, and its longitude and latitude."""
    if not len(stops):
        raise FormatError("there are no stops; give at least one beside the depot")
    place = None
    if depot is not None and not isinstance(depot, str):
        try:
            place = validate.lonlat(np.atleast_2d(np.asarray(depot, float)), 1)[0]
        except (ProblemError, TypeError, ValueError):
            raise InputError(
                f"depot is {quoted(depot)}; give the name of a stop, or longitude and latitude "
                "in degrees"
            ) from None
    home = stops.row(depot if isinstance(depot, str) else DEPOT)
    if home < 0 and place is not None:
        return None, place
    if home < 0 and depot is None:
        raise FormatError(
            f"{stops.places[0]}: no row is named '{DEPOT}'; name the row of the depot so, or give "
            f"{option('depot')} the name of a row, or its longitude and latitude (24.94,60.17)"
        )
    if home < 0:
        close = difflib.get_close_matches(str(depot), stops.names, 1)
        hint = f"; did you mean {quoted(close[0])}?" if close else ""
        raise FormatError(
            f"{stops.places[0]}: no row is named {quoted(depot)}, as {option('depot')} asks{hint}"
        )
    if stops.demand[home].any() or stops.service_s[home] or np.isfinite(stops.prize[home]):
        raise FormatError(
            f"{stops.label(home)} is the depot; leave its demand, service and prize empty"
        )
    return home, stops.lonlat[home] if place is None else place


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
    for limit in limits:
        if not all(number >= 0 for number in limit):
            raise InputError(f"capacity is {_numbers(limit)}; give numbers of 0 or more")
        if limit and not dimensions:
            raise FormatError(
                f"{stops.places[0]}: there is no column 'demand', so a capacity of "
                f"{_numbers(limit)} limits nothing; add the column or leave the capacity out"
            )
        if len(limit) != dimensions:
            raise InputError(
                f"capacity has {counted(len(limit), 'number')} but the stops have {dimensions} "
                "of demand; "
                "give one number for each column of demand"
            )
    for k in rows:
        if limits and not any((stops.demand[k] <= limit).all() for limit in limits):
            raise FormatError(
                f"{stops.label(k)}: demand is {_numbers(stops.demand[k])}, more than any vehicle "
                f"carries ({'; '.join(sorted({_numbers(limit) for limit in limits}))}); split the "
                "stop or use larger vehicles"
            )


def _report_cut_off(city: Streets, labels: list[str], depot: str, *, allowed: bool) -> None:
    text = f"no street of {city.name} leads from {depot} to {first_ten(labels)} and back"
    if allowed:
        logger.warning("%s; they stay unassigned", text)
        return
    raise CityError(f"{text}; move them or the depot to a street, remove them, or {how_to_allow()}")


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
