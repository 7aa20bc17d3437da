"""Stops as they stand in a table, before any street is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco import _validate as validate
from nco.arrays import ByValue, Floats
from nco.errors import InputError, quoted
from nco.problem import Problem
from nco.problem.details import checked_details
from nco.problem.priorities import checked_priority
from nco.problem.tied import Tie
from nco.problem.times import Times

DEPOT = "depot"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stops(ByValue):
    """Stops as they stand in a table, before any street is looked at.

    Attributes:
        names: `n` different names.
        lonlat: `[n, 2]` degrees, longitude first.
        demand: `[n, K]`; None means that nothing is carried.
        pickup: `[n, K]` amounts that are taken from stops; None means none.
        window_s: `[n, 2]` earliest and latest start of service; None means any time.
        more_windows_s: further windows of a stop, by row.
        service_s: `[n]` seconds; None means 0.
        prize: `[n]` cost of not serving a stop, `inf` for a required one; None means all required.
        setup_s: `[n]` seconds before service, paid once at a place; None means 0.
        release_s: `[n]` when goods are at the depot; None means 0.
        skills: words that a vehicle must have, by row.
        priority: `[n]` see `Problem`; None means 0.
        soft_window_s: `[n, 2]` when service should begin; None means at any time.
        early_per_s: `[n]` cost of a second before that; None means 0.
        late_per_s: `[n]` cost of a second after it; None means 0.
        groups: rows of which one is served.
        ties: of rows, as a problem has them of stops.
        shipments: pickup row, delivery row and amounts of goods that go from stop to stop.
        vehicles: names of the vehicles that may serve a stop, by row; all may serve the others.
        depots: rows that are depots; none means the row named "depot".
        details: free words by row, see `Problem`.
        places: where each stop was read, for messages.
        times: what times count, see `Problem`.
        first_day: the day from whose midnight times count, where the table has dates.
        skipped: what was wrong with rows that were left out.

    Raises:
        ProblemError: a field is malformed; the message names the field and the index.
    """

    names: tuple[str, ...]
    lonlat: Floats
    demand: Floats = field(default=None)  # type: ignore[arg-type]
    pickup: Floats = field(default=None)  # type: ignore[arg-type]
    window_s: Floats = field(default=None)  # type: ignore[arg-type]
    more_windows_s: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    service_s: Floats = field(default=None)  # type: ignore[arg-type]
    prize: Floats = field(default=None)  # type: ignore[arg-type]
    setup_s: Floats = field(default=None)  # type: ignore[arg-type]
    release_s: Floats = field(default=None)  # type: ignore[arg-type]
    skills: Mapping[int, frozenset[str]] = field(default_factory=dict)
    priority: Floats = field(default=None)  # type: ignore[arg-type]
    soft_window_s: Floats = field(default=None)  # type: ignore[arg-type]
    early_per_s: Floats = field(default=None)  # type: ignore[arg-type]
    late_per_s: Floats = field(default=None)  # type: ignore[arg-type]
    groups: tuple[tuple[int, ...], ...] = ()
    ties: tuple[Tie, ...] = ()
    shipments: tuple[tuple[int, int, tuple[float, ...]], ...] = ()
    vehicles: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    depots: tuple[int, ...] = ()
    details: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    times: Times = Times.NUMBERS
    first_day: date | None = None
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = tuple(str(name).strip() for name in self.names)
        n = len(names)
        amounts = {
            name: _columns(getattr(self, name))
            for name in ("demand", "pickup")
            if getattr(self, name) is not None
        }
        width = max((a.shape[1] for a in amounts.values() if a.ndim == 2), default=0)
        none = np.zeros((n, width))
        window = np.tile([0.0, np.inf], (n, 1)) if self.window_s is None else self.window_s
        seconds = {
            name: np.zeros(n) if getattr(self, name) is None else getattr(self, name)
            for name in ("service_s", "setup_s", "release_s", "early_per_s", "late_per_s")
        }
        always = np.tile([0.0, np.inf], (n, 1))
        soft = always if self.soft_window_s is None else self.soft_window_s
        prize = np.full(n, np.inf) if self.prize is None else self.prize
        clean = {
            "names": validate.names(names, n),
            "lonlat": validate.lonlat(self.lonlat, n),
            **{
                name: validate.table(amounts.get(name, none), (n, width), name, low=0.0)
                for name in ("demand", "pickup")
            },
            "window_s": validate.windows(window, n, "window_s"),
            **{name: validate.vector(value, name, n, low=0.0) for name, value in seconds.items()},
            "priority": checked_priority(self.priority, n, 0),
            "soft_window_s": validate.windows(soft, n, "soft_window_s"),
            "prize": validate.vector(prize, "prize", n, low=0.0, finite=False),
            "details": checked_details(self.details, n),
            "times": validate.choice(self.times, Times, "times"),
            "places": tuple(self.places) or tuple(f"stops[{k}]" for k in range(n)),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_problem(cls, problem: Problem) -> Stops:
        """The stops of a problem, its depots first, a single one under the name "depot".

        Raises:
            InputError: the problem has no coordinates.
        """
        if problem.lonlat is None:
            raise InputError(
                f"problem {quoted(problem.name)} has no lonlat, which a table of stops needs: save "
                "it as .json instead"
            )
        several = problem.depots > 1
        return cls(
            names=problem.names if several else (DEPOT, *problem.names[1:]),
            depots=tuple(range(problem.depots)) if several else (),
            lonlat=problem.lonlat,
            demand=problem.demand,
            window_s=problem.window_s,
            more_windows_s=problem.more_windows_s,
            service_s=problem.service_s,
            setup_s=problem.setup_s,
            pickup=problem.pickup,
            prize=_with_groups(problem),
            release_s=problem.release_s,
            skills=problem.skills,
            priority=problem.priority,
            soft_window_s=problem.soft_window_s,
            early_per_s=problem.early_per_s,
            late_per_s=problem.late_per_s,
            groups=tuple(group.stops for group in problem.groups),
            ties=problem.ties,
            shipments=tuple((s.pickup, s.delivery, s.amount) for s in problem.shipments),
            details=problem.details,
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


def _columns(amounts: ArrayLike) -> NDArray[Any]:
    """Amounts as a table; a vector is one column."""
    table = np.asarray(amounts)
    return table[:, None] if table.ndim == 1 else table


def _with_groups(problem: Problem) -> Floats:
    """Prizes of stops, those in a group with the group's."""
    prize = problem.prize.copy()
    for group in problem.groups:
        prize[list(group.stops)] = group.prize
    return prize
