"""Paths are put in the order in which a driver would want to see them, and the list ends in time.

Each step takes one of the paths that are left, or ends the list. A path is judged by its
differences from the others, field by field, as CCN does (arXiv 2508.08745), and by what it adds to
those already taken; ending the list is one more alternative, as in SCASRec (arXiv 2602.03324), and
steps count by what was to be gained in them. What is to be taken are shares, as in ListNet (Z. Cao
et al., ICML 2007): a path that gains nearly as much as the best one is nearly as right. Scores are
sums over fields, so that what decided between two paths can be read off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import InputError
from nco.roads.learn.drive import Drive
from nco.roads.learn.features import Usage
from nco.roads.path import Path
from nco.roads.ranking.differences import FIELDS, measures, path_sizes, shares
from nco.roads.ranking.logit import Choice, Logit, fit

# What a path must add to the share of a drive that is covered for the list to go on.
LEAST_GAIN = 0.05
# Gains that differ by this much are e times as much wanted.
_TEMPERATURE = 0.1
_RIDGE = 1e-3
# A list ends where that is likelier than any way to go on.
_SURE = 0.5
_OWN = len(FIELDS)
_SMOOTH = 2 * len(FIELDS)
_REST = ("log_path_size", "with_list", "first_in_common", "stop", "stop_by_length", "stop_by_share")


@dataclass(frozen=True)
class Reason:
    """A difference that decided.

    Attributes:
        field: one of `FIELDS`.
        difference: in its unit, of the path taken from the next best one.
        weight: how much it spoke for the path taken, in units of the score.
    """

    field: str
    difference: float
    weight: float


@dataclass(frozen=True)
class Ranked:
    """A list of paths.

    Attributes:
        order: indices of the paths taken, the first one first.
        reasons: for each, what spoke for it against the next best one, the strongest first.
        stopped: whether the list was ended although paths were left.
    """

    order: tuple[int, ...]
    reasons: tuple[tuple[Reason, ...], ...]
    stopped: bool


@dataclass(frozen=True, eq=False)
class Ranker:
    """Puts paths in order.

    Attributes:
        logit: of the features of a step.
    """

    logit: Logit

    @classmethod
    def learn(
        cls,
        requests: Sequence[tuple[Sequence[Path], Drive]],
        costs_s: Sequence[Sequence[float]] | None = None,
        usages: Sequence[Usage] | None = None,
    ) -> Ranker:
        """Learn from what was driven.

        Args:
            requests: candidates, two or more, and the drive.
            costs_s: what the candidates cost by learned costs.
            usages: for each request where others drove, without its own driver.

        Raises:
            InputError: there are no requests with a choice.
        """
        known: list[tuple[Table, Floats]] = []
        for k, (paths, drive) in enumerate(requests):
            if len(paths) > 1:
                table = Table.of(
                    paths,
                    None if costs_s is None else costs_s[k],
                    None if usages is None else usages[k],
                )
                known.append((table, np.array([drive.covered(path) for path in paths])))
        if not known:
            raise InputError("no request has two paths or more; give some that do")
        first = cls(fit([c for table, covers in known for c in _lessons(table, covers)], _RIDGE))
        # Behind the best path there is little to gain, behind the one that it takes there may be:
        # a list that was learned from the best ones alone would end too early.
        own = [c for table, covers in known for c in _lessons(table, covers, first)]
        return cls(fit(own, _RIDGE))

    def __call__(
        self,
        paths: Sequence[Path],
        most: int = 3,
        cost_s: Sequence[float] | None = None,
        usage: Usage | None = None,
    ) -> Ranked:
        """The order of paths.

        Args:
            paths: candidates of any generators, one at least.
            most: how many are taken at most.
            cost_s: what they cost by learned costs, if it was learned with those.
            usage: where others drove, if it was learned with that.

        Raises:
            InputError: there are no paths.
        """
        if not paths or most < 1:
            raise InputError(f"{len(paths)} paths, {most} wanted at most; give one of each or more")
        table = Table.of(paths, cost_s, usage)
        order: list[int] = []
        reasons: list[tuple[Reason, ...]] = []
        while len(order) < min(most, len(paths)):
            left = [i for i in range(len(paths)) if i not in order]
            features = table.step(order, left)
            scores = self.logit.scores(features)
            if order and self.logit.chances(features)[-1] > _SURE:
                return Ranked(tuple(order), tuple(reasons), True)
            ranks = np.argsort(-scores[:-1], kind="stable")
            reasons.append(self._reasons(table, features, left, ranks))
            order.append(left[int(ranks[0])])
        return Ranked(tuple(order), tuple(reasons), False)

    def chances(
        self,
        paths: Sequence[Path],
        cost_s: Sequence[float] | None = None,
        usage: Usage | None = None,
    ) -> Floats:
        """`[n]`, how likely each path is to be the first one of the list; they sum to 1.

        A list goes on with what adds to it, so that near copies of its first path come last; an
        order by these does not put them there.

        Args:
            paths: as in a call.
            cost_s: as in a call.
            usage: as in a call.

        Raises:
            InputError: there are no paths.
        """
        if not paths:
            raise InputError("there are no paths to choose from; give one or more")
        table = Table.of(paths, cost_s, usage)
        odds = self.logit.chances(table.step([], list(range(len(paths)))))[:-1]
        return np.asarray(odds / odds.sum())

    def _reasons(
        self, table: Table, features: Floats, left: list[int], ranks: NDArray[np.int64]
    ) -> tuple[Reason, ...]:
        if len(left) == 1:
            return ()
        best, next_best = int(ranks[0]), int(ranks[1])
        spoken = (features[best] - features[next_best]) / self.logit.scale * self.logit.weights
        by_field = spoken[:_OWN] + spoken[_OWN:_SMOOTH]
        apart = table.fields[left[best]] - table.fields[left[next_best]]
        strongest = np.argsort(-by_field, kind="stable")
        return tuple(
            Reason(FIELDS[f], float(apart[f]), float(by_field[f]))
            for f in strongest.tolist()
            if by_field[f] > 0 and apart[f] != 0
        )


@dataclass(frozen=True, eq=False)
class Table:
    """What is known of candidates.

    Attributes:
        fields: `[n, F]`.
        shares: `[n, n]`.
        sizes: `[n]`, logarithms of path sizes.
    """

    fields: Floats
    shares: Floats
    sizes: Floats

    @classmethod
    def of(
        cls, paths: Sequence[Path], cost_s: Sequence[float] | None, usage: Usage | None
    ) -> Table:
        """Measure candidates."""
        return cls(measures(paths, cost_s, usage), shares(paths), np.log(path_sizes(paths)))

    def step(self, order: Sequence[int], left: Sequence[int]) -> Floats:
        """`[m + 1, F]`, features of the paths left, and of ending the list."""
        apart = self.fields[left][:, None] - self.fields[None, :]
        size = np.maximum(np.abs(self.fields).mean(axis=0), 1e-9)
        rest = np.zeros((len(left), len(_REST)))
        rest[:, 0] = self.sizes[left]
        if order:
            rest[:, 1] = self.shares[np.ix_(left, order)].max(axis=1)
            rest[:, 2] = self.shares[left, order[0]]
        paths = np.concatenate(
            [apart.mean(axis=1), np.tanh(4 * apart / size).mean(axis=1), rest], axis=1
        )
        stop = np.zeros((1, paths.shape[1]))
        stop[0, -3] = 1.0
        stop[0, -2] = len(order)
        stop[0, -1] = rest[:, 1].min() if order else 0.0
        return np.concatenate([paths, stop])


def _lessons(table: Table, covers: Floats, ranker: Ranker | None = None) -> list[Choice]:
    """Each step should take the path that adds most to what is covered; or stop.

    The list goes on with that path, or with the one that a ranker takes.
    """
    order: list[int] = []
    lessons = []
    covered = 0.0
    while len(order) < len(covers):
        left = [i for i in range(len(covers)) if i not in order]
        gains = covers[left] - covered
        features = table.step(order, left)
        offered = np.append(gains, LEAST_GAIN if order else -np.inf)
        wanted = np.exp((offered - offered.max()) / _TEMPERATURE)
        apart = float(np.ptp(offered[np.isfinite(offered)]))
        lessons.append(Choice(features, wanted / wanted.sum(), max(apart, LEAST_GAIN)))
        if order and gains.max() < LEAST_GAIN:
            return lessons
        scores = gains if ranker is None else ranker.logit.scores(features)[:-1]
        taken = left[int(scores.argmax())]
        covered = max(covered, float(covers[taken]))
        order.append(taken)
    return lessons
