"""What a search does beyond its compiled loop: its operators, how hot it begins, how much it takes.

The defaults are those of the method `lns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nco.search.lns.operators import INSERTIONS, REMOVALS

if TYPE_CHECKING:
    from nco.search.lns.operators import Operator
    from nco.search.lns.records import Instance, SearchState

HOT, COLD = 1.0, 0.02  # temperatures, in mean costs of a stop
MOST = 20  # stops that are removed in one go


@dataclass(frozen=True)
class Settings:
    """What a search does.

    Attributes:
        removals: beside the registered ones.
        insertions: beside the registered ones.
        alone: whether these are used and no registered ones; both must be given then.
        hot: temperature at first, in mean costs of a stop.
        cold: temperature in the end.
        most: stops that are removed in one go, at most.
    """

    removals: tuple[Operator, ...] = ()
    insertions: tuple[Operator, ...] = ()
    alone: bool = False
    hot: float = HOT
    cold: float = COLD
    most: int = MOST

    def operators(self, instance: Instance) -> list[list[Operator]]:
        """The removals and the insertions that are for a problem."""
        known = [(REMOVALS, self.removals), (INSERTIONS, self.insertions)]
        return [
            [
                operator
                for operator in (*(() if self.alone else registered.values()), *own)
                if operator.when(instance)
            ]
            for registered, own in known
        ]

    @property
    def compiled(self) -> bool:
        """Whether all operators beside the registered ones have been compiled before."""
        return all(operator.compiled for operator in (*self.removals, *self.insertions))

    def prepare(self, instance: Instance, state: SearchState) -> None:
        """Compiles, or loads, these operators."""
        for operator in (*self.removals, *self.insertions):
            operator.address(instance, state)


DEFAULT = Settings()
