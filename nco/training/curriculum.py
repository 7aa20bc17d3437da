"""Sizes that grow while a policy learns: what holds for few stops is learnt on few stops."""

from __future__ import annotations

from dataclasses import dataclass

from nco.errors import PolicyError, quoted


@dataclass(frozen=True)
class Curriculum:
    """The range of sizes moves from a first one to that of the config.

    It follows from the epoch and the number of a batch, not from the length of training, so that
    training may be resumed and extended.

    Attributes:
        stops: smallest and largest number of stops at first.
        epochs: how long the range moves, evenly; 0 begins with the range of the config.
    """

    stops: tuple[int, int] = (10, 20)
    epochs: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.stops
        if not 2 <= low <= high:
            raise PolicyError(
                f"curriculum.stops is {quoted(self.stops)}; give 2 <= smallest <= largest"
            )
        if not 0 <= self.epochs < float("inf"):
            raise PolicyError(f"curriculum.epochs is {quoted(self.epochs)}; give 0 or more")

    def at(self, epochs: float, last: tuple[int, int]) -> tuple[int, int]:
        """Smallest and largest number of stops after so many epochs, given the final ones."""
        if epochs >= self.epochs:
            return last
        done = epochs / self.epochs
        low, high = (
            round(begin + done * (end - begin)) for begin, end in zip(self.stops, last, strict=True)
        )
        return low, high
