"""Checks of a problem's ties at construction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.arguments import several
from nco.errors import ProblemError, quoted
from nco.problem.tied.contradictions import refuse_contradictions
from nco.problem.tied.sequence import Sequence
from nco.problem.tied.tie import Tie

if TYPE_CHECKING:
    from nco.problem.problem import Problem


def checked_ties(problem: Problem) -> tuple[Tie, ...]:
    """The ties of a problem, whose shipments and groups are checked.

    Raises:
        ProblemError: names the tie and the stop.
    """
    ties = several(problem.ties, "ties", "ties such as nco.SameVehicle(stops=(1, 2))", ProblemError)
    for k, tie in enumerate(ties):
        if not isinstance(tie, Tie):
            raise ProblemError(
                f"ties[{k}] is {quoted(tie)}; give nco.SameVehicle, nco.DifferentVehicles, "
                "nco.Precedence or nco.Sequence with its stops"
            )
        for node in tie.stops:
            if node not in problem.stops:
                raise ProblemError(
                    f"ties[{k}] ({tie.kind}) names node {node}; stops are {problem.depots} to "
                    f"{problem.size - 1}"
                )
    _check_sequences(problem, ties)
    refuse_contradictions(problem, ties)
    return ties


def _check_sequences(problem: Problem, ties: tuple[Tie, ...]) -> None:
    """Refuse sequences that share stops, with one another or with groups, or that are torn."""
    owner = {j: f"groups[{g}]" for g, group in enumerate(problem.groups) for j in group.stops}
    for k, tie in enumerate(ties):
        if not isinstance(tie, Sequence):
            continue
        where = f"ties[{k}] (sequence)"
        for j in tie.stops:
            if j in owner:
                raise ProblemError(
                    f"{where} names stop {j} ({quoted(problem.names[j])}), which belongs to "
                    f"{owner[j]} already; join sequences into one, and give alternatives none"
                )
            owner[j] = where
        prizes = problem.prize[list(tie.stops)]
        if len(set(np.isinf(prizes).tolist())) > 1:
            raise ProblemError(
                f"{where}: some prizes of its stops are finite, others are not ({quoted(prizes)});"
                " all of them are served or none is: give finite prizes to all, or to none"
            )
        for n, shipment in enumerate(problem.shipments):
            ends = [j in tie.stops for j in (shipment.pickup, shipment.delivery)]
            if ends[0] != ends[1]:
                raise ProblemError(
                    f"{where} has one end of shipments[{n}], from {shipment.pickup} to "
                    f"{shipment.delivery}; give it both, the pickup first, or none"
                )
