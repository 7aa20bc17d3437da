"""A population that is kept good and different.

After T. Vidal et al., "A hybrid genetic algorithm for multidepot and periodic vehicle routing
problems" (2012): feasible and infeasible members live apart, and in each of the two a member's
fitness is its rank by cost plus its weighted rank by how different it is from the nearest others.
Difference is the share of directed arcs that two solutions do not have in common.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.baselines.pyvrp_model import KindTrips


def arcs_of(duties: Sequence[KindTrips], size: int) -> NDArray[np.int32]:
    """`[2 N]` the node after each stop, then that before it; -1 for the depot, -2 if unserved."""
    after, before = np.full(size, -2, np.int32), np.full(size, -2, np.int32)
    for _, trips in duties:
        for trip in trips:
            order = np.array(trip.stops)
            after[order] = [*trip.stops[1:], -1]
            before[order] = [-1, *trip.stops[:-1]]
    return np.concatenate([after, before])


@dataclass(frozen=True, eq=False)
class Member[S]:
    """A solution in a population.

    Attributes:
        solution: in the terms of the engine.
        duties: of its vehicles.
        arcs: as `arcs_of` gives them.
        cost: penalised; of a feasible one, what it costs.
        feasible: whether nothing is broken and nothing missing.
    """

    solution: S
    duties: tuple[KindTrips, ...]
    arcs: NDArray[np.int32]
    cost: float
    feasible: bool


@dataclass(frozen=True)
class Sizes:
    """How large populations are.

    Attributes:
        least: members of each side that survive.
        children: beyond these, of a side, after which survivors are chosen.
        elite: best by cost, that always survive.
        close: nearest others that say how different a member is.
    """

    least: int = 4
    children: int = 10
    elite: int = 2
    close: int = 2


@dataclass
class _Side[S]:
    """The feasible members, or the infeasible ones."""

    members: list[Member[S]] = field(default_factory=list)
    difference: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, member: Member[S]) -> None:
        """Takes a member in, whatever it is."""
        row = np.array([np.mean(member.arcs != other.arcs) for other in self.members])
        wider = np.zeros((len(row) + 1, len(row) + 1))
        wider[:-1, :-1] = self.difference
        wider[-1, :-1] = wider[:-1, -1] = row
        self.members.append(member)
        self.difference = wider

    def drop(self, index: int) -> None:
        """Lets a member go."""
        del self.members[index]
        self.difference = np.delete(np.delete(self.difference, index, 0), index, 1)

    def fitness(self, sizes: Sizes) -> Floats:
        """`[M]` biased fitness; the smaller, the better."""
        count = len(self.members)
        cost = np.argsort(np.argsort([member.cost for member in self.members], kind="stable"))
        if count == 1:
            return cost.astype(float)
        others = self.difference + np.diag(np.full(count, np.inf))
        near = np.sort(others, axis=1)[:, : min(sizes.close, count - 1)].mean(axis=1)
        novelty = np.argsort(np.argsort(-near, kind="stable"))
        weight = 1.0 - min(sizes.elite, count) / count
        return (cost + weight * novelty) / (count - 1)

    def survive(self, sizes: Sizes) -> None:
        """Lets the least fit go, copies of others first."""
        while len(self.members) > sizes.least:
            fitness = self.fitness(sizes)
            same = (self.difference + np.eye(len(fitness)) == 0).any(axis=1)
            cheapest = int(np.argmin([member.cost for member in self.members]))
            fitness[cheapest] = -np.inf
            same[cheapest] = False
            self.drop(int(np.argmax(np.where(same, np.inf, fitness))))


class Population[S]:
    """Members to choose parents from.

    Args:
        sizes: how many there are.
        rng: draws parents.

    Attributes:
        best: the cheapest feasible member there ever was.
    """

    def __init__(self, sizes: Sizes, rng: np.random.Generator) -> None:
        self._sizes, self._rng = sizes, rng
        self._sides: tuple[_Side[S], _Side[S]] = (_Side(), _Side())
        self.best: Member[S] | None = None

    def __len__(self) -> int:
        return sum(len(side.members) for side in self._sides)

    @property
    def members(self) -> list[Member[S]]:
        """All members, the feasible ones first."""
        return [member for side in self._sides for member in side.members]

    def add(self, member: Member[S]) -> bool:
        """Takes a member in; where its side is full, those survive who are good or different.

        Returns:
            Whether it is the best feasible one so far.
        """
        side = self._sides[not member.feasible]
        side.add(member)
        if len(side.members) > self._sizes.least + self._sizes.children:
            side.survive(self._sizes)
        if member.feasible and (self.best is None or member.cost < self.best.cost):
            self.best = member
            return True
        return False

    def parents(self) -> tuple[Member[S], Member[S]]:
        """Two members, different ones where there are, each the fitter of two random ones."""
        fitness = np.concatenate(
            [side.fitness(self._sizes) for side in self._sides if side.members]
        )
        members = self.members

        def drawn() -> Member[S]:
            pair = self._rng.integers(len(members), size=2)
            return members[int(pair[np.argmin(fitness[pair])])]

        first, second = drawn(), drawn()
        for _ in range(10):
            if second is not first:
                break
            second = drawn()
        return first, second

    def clear(self) -> None:
        """Lets all go but the memory of the best."""
        self._sides = (_Side(), _Side())
