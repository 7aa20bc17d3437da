"""What rows say of one another: goods from stop to stop, alternatives, ties to vehicles."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from nco.data.formats.tables.cells import words
from nco.data.formats.tables.faults import Faults
from nco.data.formats.tables.stop_rows import DELIVERY, DEPOT, PICKUP, StopRow
from nco.errors import quoted
from nco.problem import DifferentVehicles, Precedence, SameVehicle
from nco.problem.tied import Tie


class Links:
    """Shipments and groups of rows; amounts of shipments are no demand or pickup any more.

    Args:
        rows: without faults of their own.
        faults: where to say which links are wrong.

    Attributes:
        shipments: pickup row, delivery row and amounts.
        groups: rows of which one is served.
        ties: of rows to vehicles, and which come before which.
    """

    def __init__(self, rows: Sequence[StopRow], faults: Faults) -> None:
        self._rows, self._faults = rows, faults
        self.shipments: tuple[tuple[int, int, tuple[float, ...]], ...] = ()
        self.groups: tuple[tuple[int, ...], ...] = ()
        self.ties: tuple[Tie, ...] = ()
        self._amounts: dict[int, tuple[list[float], list[float]]] = {}
        self._prizes: dict[int, float] = {}
        self._number: dict[str, int] = {}
        for k, row in enumerate(rows):
            self._number.setdefault(row.details.get("id", row.name).casefold(), k)
        self._number |= {row.name.casefold(): k for k, row in enumerate(rows)}
        self._pair()
        self._collect()
        self._group()
        self._tie()

    def demand(self, k: int) -> list[float]:
        """What is brought to a row from the depot."""
        return self._amounts.get(k, (self._rows[k].demand, []))[0]

    def pickup(self, k: int) -> list[float]:
        """What is taken from a row to the depot."""
        return self._amounts.get(k, ([], self._rows[k].pickup))[1]

    def prize(self, k: int) -> float:
        """What leaving out a row costs."""
        return self._prizes.get(k, self._rows[k].prize)

    def _pair(self) -> None:
        """Rows that name the other end of what they take or bring."""
        owner: dict[int, tuple[int, int]] = {}
        found: dict[tuple[int, int], tuple[float, ...]] = {}
        for k, row in enumerate(self._rows):
            if not row.pickup_of and not row.delivery_of:
                continue
            title = "pickup_of" if row.pickup_of else "delivery_of"
            other = self._number.get((row.pickup_of or row.delivery_of).casefold())
            if other is None:
                self._fault(k, title, self._not_found(row.pickup_of or row.delivery_of))
                continue
            pair = self._ends(k, other)
            taken = [end for end in pair if owner.get(end, pair) != pair]
            depots = [end for end in pair if self._rows[end].kind == DEPOT]
            if other == k:
                self._fault(k, title, "names its own row; name the other end of the way")
            elif depots:
                name = quoted(self._rows[depots[0]].name)
                self._fault(
                    k, title, f"{name} is a depot; goods from it are demand, goods to it pickup"
                )
            elif taken:
                name = quoted(self._rows[taken[0]].name)
                self._fault(
                    k,
                    title,
                    f"{name} is an end of another way already; give it a row for each, at the same "
                    "place",
                )
            else:
                owner |= dict.fromkeys(pair, pair)
                found[pair] = self._carried(k, pair)
        self.shipments = tuple((*pair, amount) for pair, amount in found.items())

    def _ends(self, k: int, other: int) -> tuple[int, int]:
        """Pickup and delivery. Kinds decide; else `pickup_of` stands in the row of the pickup."""
        row, named = self._rows[k], self._rows[other]
        if row.pickup_of:
            is_pickup = row.kind != DELIVERY and named.kind != PICKUP
        else:
            is_pickup = row.kind == PICKUP or named.kind == DELIVERY
        return (k, other) if is_pickup else (other, k)

    def _carried(self, k: int, pair: tuple[int, int]) -> tuple[float, ...]:
        """The amounts of a shipment, which may stand in either row."""
        start, end = (self._rows[j] for j in pair)
        width = max(len(start.demand), len(start.pickup))
        given = []
        for row in (start, end):
            if any(row.demand) and any(row.pickup):
                self._fault(k, "", f"{quoted(row.name)} has both demand and pickup; leave one out")
            amount = row.demand if any(row.demand) else row.pickup
            given.append((*amount, *[0.0] * (width - len(amount))))
        if any(given[0]) and any(given[1]) and given[0] != given[1]:
            self._fault(
                k,
                "",
                f"{quoted(start.name)} and {quoted(end.name)} are ends of one way with different "
                "amounts; give the amount once",
            )
        self._amounts |= dict.fromkeys(pair, ([0.0] * width, [0.0] * width))
        if math.isinf(start.prize) != math.isinf(end.prize):
            without = pair[0] if math.isinf(start.prize) else pair[1]
            self._prizes[without] = 0.0
        return given[0] if any(given[0]) else given[1]

    def _collect(self) -> None:
        """What stops of the kind pickup have under demand goes to the depot."""
        for k, row in enumerate(self._rows):
            if row.kind == PICKUP and k not in self._amounts and any(row.demand):
                if any(row.pickup):
                    self._fault(k, "", "a pickup has amounts in demand and pickup; leave one out")
                self._amounts[k] = ([0.0] * len(row.demand), row.demand)

    def _group(self) -> None:
        tied = {k for first, second, _ in self.shipments for k in (first, second)}
        members: dict[str, list[int]] = {}
        for k, row in enumerate(self._rows):
            if not row.group:
                continue
            if k in tied or row.kind == DEPOT:
                kind = "a depot" if row.kind == DEPOT else "an end of a way from stop to stop"
                self._fault(k, "group", f"is of {kind}; only single stops are alternatives")
            else:
                members.setdefault(row.group.casefold(), []).append(k)
        for group in members.values():
            prizes = {self._rows[k].prize for k in group}
            if len(prizes) > 1:
                self._fault(
                    group[-1],
                    "group",
                    f"has stops with prizes of {' and '.join(f'{p:g}' for p in sorted(prizes))}; "
                    "give all stops of a group the same prize",
                )
        self.groups = tuple(tuple(group) for group in members.values() if len(group) > 1)

    def _tie(self) -> None:
        """Rows that share a word, and rows that name those that come behind them."""
        found: list[Tie] = []
        for title, kind, told in (
            ("same_vehicle", SameVehicle, [row.same for row in self._rows]),
            ("different_vehicles", DifferentVehicles, [row.apart for row in self._rows]),
        ):
            members: dict[str, list[int]] = {}
            for k, word in enumerate(told):
                if word and not self._is_depot(k, title):
                    members.setdefault(word.casefold(), []).append(k)
            found += [kind(stops=tuple(rows)) for rows in members.values() if len(rows) > 1]
        for k, row in enumerate(self._rows):
            whole = row.ahead_of.casefold() in self._number
            for name in (row.ahead_of,) if whole else words(row.ahead_of):
                other = self._number.get(name.casefold())
                if other is None:
                    self._fault(k, "visit_before", self._not_found(name))
                elif other == k:
                    self._fault(k, "visit_before", "names its own row; name one behind it")
                elif not self._is_depot(k, "visit_before", other):
                    found.append(Precedence(stops=(k, other)))
        self.ties = tuple(found)

    def _is_depot(self, k: int, title: str, *others: int) -> bool:
        depots = [self._rows[j].name for j in (k, *others) if self._rows[j].kind == DEPOT]
        if depots:
            self._fault(k, title, f"ties {quoted(depots[0])}, which is a depot; tie stops alone")
        return bool(depots)

    def _not_found(self, name: str) -> str:
        close = difflib.get_close_matches(name.casefold(), self._number, 1)
        hint = ""
        if close:
            hint = f"; did you mean {quoted(self._rows[self._number[close[0]]].name)}?"
        return f"names {quoted(name)}, and no row that can be used is called so{hint}"

    def _fault(self, k: int, title: str, text: str) -> None:
        self._faults.about(self._rows[k].line, title, text)
