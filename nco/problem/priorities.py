"""Priorities of stops that must be served: who comes first where not all of them can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.errors import ProblemError

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.problem.problem import Problem

MOST = 100
LARGEST = 2.0**20  # weight of a stop against one of the lowest priority
_BITS = 32  # of a count of stops


def checked_priority(given: ArrayLike | None, size: int, depots: int) -> Floats:
    """`[N]` whole numbers from 0 to `MOST`, 0 at depots.

    Raises:
        ProblemError: names the entry.
    """
    priority = validate.vector(np.zeros(size) if given is None else given, "priority", size)
    wrong = (priority != np.rint(priority)) | (priority < 0) | (priority > MOST)
    wrong[:depots] |= priority[:depots] != 0
    if wrong.any():
        j = int(np.argmax(wrong))
        of = "a depot, which has none" if j < depots else f"a whole number from 0 to {MOST}"
        raise ProblemError(
            f"priority[{j}] is {priority[j]:g}; it must be "
            + (f"0: node {j} is {of}" if j < depots else of)
        )
    return priority


def left_out_rank(priorities: Iterable[int]) -> int:
    """A number that orders what is left out: by the highest priorities first, then by the next."""
    return sum(1 << (_BITS * priority) for priority in priorities)


def weights(problem: Problem) -> Floats:
    """`[N]` how much more a required stop weighs than one of the lowest priority.

    One of a class outweighs all of the classes below it together, up to `LARGEST`.
    """
    found = np.ones(problem.size)
    required = problem.required
    below = 0.0
    for level in np.unique(problem.priority[required]):
        members = required & (problem.priority == level)
        weight = min(below + 1.0, LARGEST)
        found[members] = weight
        below += weight * int(members.sum())
    return found
