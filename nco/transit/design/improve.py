"""Lines that run today, some of them kept, others changed and more added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError, listed, quoted
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.registry import design

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.design.method import DesignMethod
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines
    from nco.transit.operate.network import Network
    from nco.transit.operate.network_cost import CostModel
    from nco.transit.operate.periods import Period


class BesideKept:
    """The objective of lines that run beside others, which stay as they are.

    Args:
        model: of all lines together; its instance bounds the fleet of all.
        kept: lines that stay.
        lines: how many more are designed.
        periods: see `CityObjective`.
    """

    def __init__(
        self,
        model: CostModel,
        kept: Lines,
        lines: int,
        periods: Sequence[Period] | None = None,
    ) -> None:
        self._all = CityObjective(model.instance, model.prices, model.settings, periods)
        self.model, self.kept = model, kept
        self.instance = model.instance.changed(lines=lines)
        self._alone = CityObjective(self.instance, model.prices, model.settings)
        self.evaluations = 0

    def costs(self, lines: NDArray[np.int16]) -> Floats:
        """See `LineObjective`."""
        self.evaluations += len(lines)
        broken = self._alone.broken(lines)
        sets = [
            [*self.kept, *(line[line >= 0].tolist() for line in given if line[0] >= 0)]
            for given in lines
        ]
        found = [self._all.judged(one, free=len(self.kept)) for one in sets]
        return np.asarray(np.array(found) + broken)


@dataclass(frozen=True)
class Improved:
    """Lines that are kept and lines that are new.

    Attributes:
        lines: nodes of each, those that are kept first.
        names: of the lines; new ones are called "new 1" and so on.
        design: how the others were found.
    """

    lines: Lines
    names: tuple[str, ...]
    design: Design


def improve(
    network: Network,
    model: CostModel,
    *,
    keep: Sequence[str] = (),
    lines: int | None = None,
    periods: Sequence[Period] | None = None,
    method: str | DesignMethod | None = None,
    evaluations: int | None = None,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Improved:
    """Design lines beside those that are kept, beginning with those that run today.

    Args:
        network: as it is.
        model: what counts; the fleet of its instance bounds all lines together.
        keep: names of lines that stay as they are.
        lines: how many there are to be in all; None for as many as today.
        periods: of a week, for which frequencies are set together with the lines; None for the
            peak hour alone.
        method: see `nco.transit.design.registry.design`, as all further ones.
        evaluations: see there.
        time_limit_s: see there.
        seed: see there.

    Raises:
        InputError: no such line, or nothing is left to be designed.
        ProblemError: there are fewer buses than lines.
    """
    unknown = [name for name in keep if name not in network.names]
    if unknown:
        raise InputError(
            f"there is no line {quoted(unknown[0])} to keep; lines are {listed(network.names)}"
        )
    stay = [r for r, name in enumerate(network.names) if name in keep]
    change = [r for r in range(len(network.lines)) if r not in stay]
    total = len(network.lines) if lines is None else lines
    count = total - len(stay)
    if count < 1:
        raise InputError(
            f"{total} lines in all and {len(stay)} kept leave none to design; keep fewer"
        )
    kept = tuple(network.lines[r] for r in stay)
    objective = BesideKept(model, kept, count, periods)
    today = [network.lines[r] for r in change][:count]
    found = design(
        objective,
        method,
        evaluations=evaluations,
        time_limit_s=time_limit_s,
        seed=seed,
        initial=[today] if len(today) == count else [],
    )
    before = {network.lines[r]: network.names[r] for r in change}
    names, new = [network.names[r] for r in stay], 0
    for line in found.lines:
        same = before.get(line) or before.get(line[::-1])
        new += same is None
        names.append(same or f"new {new}")
    return Improved((*kept, *found.lines), tuple(names), found)
