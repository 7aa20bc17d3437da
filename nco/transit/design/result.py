"""What every design method returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nco.transit.instance.lines import Lines


@dataclass(frozen=True)
class Design:
    """Lines that a method found.

    Attributes:
        lines: nodes of each line in order.
        cost: by the objective it was found for.
        method: name.
        seed: of all that was random.
        evaluations: sets of lines evaluated until the method ended.
        time_s: wall-clock seconds.
        trace: each time a better one was found: evaluations so far, and its cost.
        interrupted: whether the search was interrupted, so that these are the best until then.
    """

    lines: Lines
    cost: float
    method: str
    seed: int
    evaluations: int
    time_s: float
    trace: tuple[tuple[int, float], ...] = ()
    interrupted: bool = False
