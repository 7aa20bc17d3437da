"""The loader behind training: numbers of batches, which are drawn where they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Numbers:
    """Gives one process's numbers, epoch after epoch; Lightning keeps its place in checkpoints.

    Args:
        numbers: of an epoch.
    """

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers
        self._taken = 0
        self._begin = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        begin, self._begin = self._begin, 0
        for place in range(begin, len(self._numbers)):
            self._taken = place + 1
            yield self._numbers[place]

    def state_dict(self) -> dict[str, Any]:
        """How many numbers of the epoch were taken."""
        return {"taken": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next iteration goes on from there."""
        self._begin = int(state["taken"]) % max(1, len(self._numbers))
        self._taken = self._begin
