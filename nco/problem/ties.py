"""What ties stops together: shipments from a pickup to a delivery, and groups of alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nco import _validate as validate
from nco.arguments import named_fields, several
from nco.errors import ProblemError, counted, quoted


@named_fields
@dataclass(frozen=True, kw_only=True)
class Shipment:
    """Goods that a vehicle takes from one stop to another, on one trip, the pickup first.

    Both stops are served or neither is. What leaving a shipment out costs is the sum of the prizes
    of its two stops.

    Attributes:
        pickup: node where the goods are.
        delivery: node where they go.
        amount: one number a dimension of demand; () is nothing that takes room.
    """

    pickup: int
    delivery: int
    amount: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        given = np.atleast_1d(validate.array(self.amount, "shipment: amount"))
        amount = tuple(validate.vector(given, "shipment: amount").tolist())
        for k, value in enumerate(amount):
            validate.at_least(value, 0.0, f"shipment: amount[{k}]")
        object.__setattr__(self, "amount", amount)
        for name in ("pickup", "delivery"):
            node = validate.whole(getattr(self, name), f"shipment: {name}")
            object.__setattr__(self, name, node)


@named_fields
@dataclass(frozen=True, kw_only=True)
class Group:
    """Alternatives: at most one of these stops is served.

    Attributes:
        stops: nodes; their own prizes do not count.
        prize: cost of serving none of them; `inf` (the default) makes one of them required.
    """

    stops: tuple[int, ...]
    prize: float = np.inf

    def __post_init__(self) -> None:
        prize = validate.number(self.prize, "group: prize")
        validate.at_least(prize, 0.0, "group: prize", finite=False)
        given = several(self.stops, "group: stops", "nodes that are stops", ProblemError)
        stops = tuple(validate.whole(j, f"group: stops[{k}]") for k, j in enumerate(given))
        object.__setattr__(self, "stops", stops)
        object.__setattr__(self, "prize", prize)


def checked_shipments(
    given: Iterable[Shipment], stops: range, dimensions: int, names: Sequence[str]
) -> tuple[Shipment, ...]:
    """Shipments with an amount in each dimension; every stop belongs to one at most.

    Raises:
        ProblemError: names the shipment and the stop.
    """
    found: list[Shipment] = []
    taken: dict[int, int] = {}
    for k, shipment in enumerate(given):
        where = f"shipments[{k}]"
        for name in ("pickup", "delivery"):
            node = getattr(shipment, name)
            if node not in stops:
                raise ProblemError(
                    f"{where}: {name} is node {node}; stops are {stops.start} to {stops.stop - 1}. "
                    "Goods that come from a depot are demand, those that go there are pickup"
                )
            if node in taken:
                other = "itself" if taken[node] == k else f"shipments[{taken[node]}]"
                raise ProblemError(
                    f"{where}: stop {node} ({quoted(names[node])}) is the {name}, but {other} has "
                    "it already; give one stop for each end of a shipment, at the same place if "
                    "need be"
                )
            taken[node] = k
        amount = shipment.amount or (0.0,) * dimensions
        if len(amount) != dimensions:
            raise ProblemError(
                f"{where}: amount has {counted(len(amount), 'number')} but demand has "
                f"{dimensions} dimensions"
            )
        found.append(Shipment(pickup=shipment.pickup, delivery=shipment.delivery, amount=amount))
    return tuple(found)


def checked_groups(
    given: Iterable[Group], stops: range, tied: Iterable[int], names: Sequence[str]
) -> tuple[Group, ...]:
    """Groups of which no two share a stop.

    Args:
        given: the groups.
        stops: nodes that are stops.
        tied: nodes that belong to shipments, which are no alternatives.
        names: of all nodes.

    Raises:
        ProblemError: names the group and the stop.
    """
    owner: dict[int, str] = dict.fromkeys(tied, "a shipment")
    groups = tuple(given)
    for k, group in enumerate(groups):
        where = f"groups[{k}]"
        if not group.stops:
            raise ProblemError(f"{where} is empty; give the stops of which one is to be served")
        for node in group.stops:
            if node not in stops:
                raise ProblemError(
                    f"{where} names node {node}; stops are {stops.start} to {stops.stop - 1}"
                )
            if node in owner:
                raise ProblemError(
                    f"{where} names stop {node} ({quoted(names[node])}), which belongs to "
                    f"{owner[node]} already; a stop is in one group at most"
                )
            owner[node] = where
    return groups
