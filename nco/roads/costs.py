"""What links and turns cost: any numbers that are not negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nco.arrays import Floats
from nco.errors import InputError, shortened
from nco.roads.graph import RoadGraph


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of links and turns; `inf` closes one.

    Attributes:
        links: `[L]`, from end to end.
        turns: `[T]`.

    Raises:
        InputError: a cost is negative or NaN, or there is not one number for each.
    """

    links: Floats
    turns: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "links", _checked(self.links, "links"))
        object.__setattr__(self, "turns", _checked(self.turns, "turns"))

    @classmethod
    def free_flow(cls, graph: RoadGraph) -> Costs:
        """Seconds on empty roads: paths of least duration."""
        return cls(graph.links.duration_s, graph.turns.duration_s)

    @classmethod
    def usual(cls, graph: RoadGraph) -> Costs:
        """What OSRM minimises: seconds, more where one would rather not go. Its paths are these."""
        return cls(graph.links.weight_s, graph.turns.weight_s)

    @classmethod
    def of(cls, graph: RoadGraph, links: ArrayLike, turns: ArrayLike | None = None) -> Costs:
        """Costs for a graph.

        Args:
            graph: whose links and turns they are of.
            links: `[L]`.
            turns: `[T]`; the seconds of free flow if left out.

        Raises:
            InputError: they do not fit the graph, or one is negative or NaN.
        """
        return cls(
            np.asarray(links), graph.turns.duration_s if turns is None else np.asarray(turns)
        ).fitting(graph)

    def fitting(self, graph: RoadGraph) -> Costs:
        """These costs, if they are of that graph.

        Raises:
            InputError: there are more or fewer of them.
        """
        for what, given, needed in (
            ("links", len(self.links), len(graph.links)),
            ("turns", len(self.turns), len(graph.turns)),
        ):
            if given != needed:
                raise InputError(
                    f"costs of {what} has {given} entries; {graph.name} has {needed} {what}, give "
                    "one number for each"
                )
        return self


def _checked(given: Floats, what: str) -> Floats:
    try:
        costs = np.array(given, dtype=np.float64)  # a copy that nobody else changes
    except (TypeError, ValueError) as error:
        raise InputError(f"costs of {what} must be numbers: {shortened(error)}") from None
    if costs.ndim != 1:
        raise InputError(f"costs of {what} has shape {list(costs.shape)}; give one row of numbers")
    bad = np.flatnonzero(~(costs >= 0))
    if len(bad):
        raise InputError(
            f"costs of {what}[{bad[0]}] is {costs[bad[0]]:g}, and {len(bad) - 1} more are wrong; a "
            "cost is 0 or more, and inf closes what must not be used"
        )
    costs.flags.writeable = False
    return costs
