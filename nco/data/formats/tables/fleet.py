"""A table of vehicles, a row for each or for several that are alike."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nco.data.formats.rows import Rows
from nco.data.formats.table_files import read_rows
from nco.data.formats.tables.faults import Faults
from nco.data.formats.tables.fleet_rows import FleetReader, FleetRow
from nco.data.formats.tables.titles import Columns
from nco.errors import FormatError, listed, quoted
from nco.problem import Objective, Vehicle

SHEETS = ("fleet", "vehicles", "trucks", "vans", "drivers")


@dataclass(frozen=True)
class Fleet:
    """A table of vehicles, before it is known which depot is which node.

    Attributes:
        path: of the file.
        rows: as they stand in the table.
        capacities: columns of capacity.
        priced: columns of costs that there are.
        clock: whether shifts are times of day.
        faults: empty, for what is found out later.
    """

    path: str | Path
    rows: tuple[FleetRow, ...]
    capacities: int
    priced: tuple[str, ...]
    clock: bool
    columns: Columns
    faults: Faults

    def vehicles(self, depots: Sequence[str], dimensions: int) -> tuple[Vehicle, ...]:
        """Every single vehicle.

        Args:
            depots: names of the depots, by node.
            dimensions: of demand.

        Raises:
            FormatError: a start or an end is no depot, or capacities do not match the demand.
        """
        if self.capacities not in (0, dimensions):
            raise FormatError(
                f"{self.path}: there are {self.capacities} columns of capacity, but the stops have "
                f"{dimensions} of demand; give one of each for each kind of goods"
            )
        node = {name.casefold(): k for k, name in enumerate(depots)}
        made: list[Vehicle] = []
        for row in self.rows:
            start = self._node(row.line, "start", row.ends[0], node, depots)
            end = self._node(row.line, "end", row.ends[1], node, depots)
            vehicle = row.vehicle
            if not self.capacities:
                vehicle = replace(vehicle, capacity=(math.inf,) * dimensions)
            again = tuple(
                self._node(row.line, "reload_at", name, node, depots) or 0 for name in row.reloads
            )
            one_depot = start == end or None in (start, end)
            if vehicle.max_trips > 1 and not (one_depot or again):
                text = (
                    f"is {vehicle.max_trips}; a vehicle of several trips starts where it ends, or "
                    "has a column reload_at with the depots where it loads again"
                )
                self.faults.about(row.line, self.columns.title("trips"), text)
                continue
            home = next((n for n in (start, end) if n is not None), 0)
            vehicle = replace(
                vehicle,
                start=home if start is None else start,
                end=home if end is None else end,
                open_start=start is None,
                open_end=end is None,
                reload_at=tuple(dict.fromkeys(again)),
            )
            made += [vehicle] if row.count == 1 else [
                replace(vehicle, name=f"{vehicle.name} {k + 1}") for k in range(row.count)
            ]  # fmt: skip
        self.faults.raise_rows()
        return tuple(made)

    def profiles(self) -> tuple[str, ...]:
        """The profile of each vehicle that `vehicles` makes, "" for that of the city."""
        return tuple(row.profile for row in self.rows for _ in range(row.count))

    def objective(self) -> Objective | None:
        """What prices say is to be minimised; None where there are none."""
        if not self.priced:
            return None
        return Objective(distance=1.0, duration=1.0 if "cost_per_hour" in self.priced else 0.0)

    def _node(
        self, line: int, side: str, name: str | None, node: dict[str, int], depots: Sequence[str]
    ) -> int | None:
        """The depot of a name, None for an open end."""
        if name is None:
            return None
        if not name:
            return 0
        found = node.get(name.casefold())
        if found is None:
            close = difflib.get_close_matches(name.casefold(), node, 1)
            hint = f"did you mean {quoted(depots[node[close[0]]])}? " if close else ""
            title = self.columns.title(side if side in self.columns else "depot")
            self.faults.about(
                line,
                title,
                f"is {quoted(name)}, which is no depot of the stops ({listed(depots)}); {hint}"
                "Depots are rows of the kind depot; any is an open end",
            )
            return 0
        return found


def read_fleet(path: str | Path, first_day: dt.date | None = None) -> Fleet:
    """Read a table of vehicles.

    Args:
        path: of a CSV, TSV, XLSX or ODS file.
        first_day: the day from whose midnight times of the stops count.

    Raises:
        FormatError: anything about it is wrong; all faults are in the message.
        StorageError: it cannot be read.
    """
    return fleet_from(path, read_rows(path, SHEETS), first_day)


def fleet_from(path: str | Path, table: Rows, first_day: dt.date | None = None) -> Fleet:
    """The vehicles in a table that was read already; see `read_fleet`.

    Raises:
        FormatError: anything about it is wrong; all faults are in the message.
    """
    reader = FleetReader(path, table, first_day)
    return Fleet(
        path=path,
        rows=reader.rows(),
        capacities=len(reader.capacities),
        priced=reader.priced,
        clock=reader.calendar.clock,
        columns=reader.columns,
        faults=reader.faults,
    )
