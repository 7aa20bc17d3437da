"""Shares of a suite that run on different machines, each about as long as the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from nco.bench.suite import Task
from nco.errors import InputError, quoted


@dataclass(frozen=True)
class Shard:
    """One of several shares.

    Attributes:
        number: from 1 on.
        count: how many shares there are.

    Raises:
        InputError: there is no such share.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise InputError(
                f"shard is {self}; give i/n with i from 1 to n, such as 1/8 and so on to 8/8"
            )

    @classmethod
    def of(cls, text: str) -> Shard:
        """The share that a text such as "3/8" names.

        Raises:
            InputError: it names none.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found:
            raise InputError(f"shard is {quoted(text)}; give i/n, such as 1/8 and so on to 8/8")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def share(self, tasks: Iterable[Task]) -> list[Task]:
        """The tasks of this share, in their order.

        Runs of all methods on an instance at a budget stay together, so that the same machine
        meets all of them. The longest go first to whoever has least to do (Graham 1969).

        Args:
            tasks: of a whole suite, methods innermost.
        """
        units = [
            list(unit)
            for _, unit in groupby(tasks, key=lambda task: (task.instance, task.budget_s))
        ]
        planned_s = [sum(task.planned_s for task in unit) for unit in units]
        load_s = [0.0] * self.count
        mine = set()
        for k in sorted(range(len(units)), key=lambda k: -planned_s[k]):
            least = min(range(self.count), key=load_s.__getitem__)
            load_s[least] += planned_s[k]
            if least == self.number - 1:
                mine.add(k)
        return [task for k in sorted(mine) for task in units[k]]
