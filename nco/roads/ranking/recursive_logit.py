"""Recursive logit: how likely a driver's path is, link by link, without a set of choices.

M. Fosgerau, E. Frejinger and A. Karlström, "A link based network route choice model with
unrestricted choice set" (Transportation Research B 56, 2013). At each link the driver chooses the
next one by its utility and by what is to be expected from there to the destination. With
`z = exp(V)` the expectation solves `z = M z + e`, where `M` holds `exp(v(a|k))` of all turns and
`e` is 1 at the destination's link: one sparse matrix for all destinations, factored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.errors import InputError, counted

_LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class Fitted:
    """An estimate.

    Attributes:
        weights: `[P]`, of the features.
        errors: `[P]`, standard errors, from the outer product of gradients.
        log_likelihood: of all paths.
        steps: of the optimiser.
    """

    weights: Floats
    errors: Floats
    log_likelihood: float
    steps: int


@dataclass(frozen=True, eq=False)
class RecursiveLogit:
    """The model of a network.

    Attributes:
        from_link: `[T]`, links that turns leave.
        to_link: `[T]`, links that they enter.
        features: `[T, P]`, of turns, together with those of the links entered.
        links: how many there are.

    Raises:
        InputError: the arrays do not fit together.
    """

    from_link: NDArray[np.int64]
    to_link: NDArray[np.int64]
    features: Floats
    links: int

    def __post_init__(self) -> None:
        turns = len(self.from_link)
        if len(self.to_link) != turns or self.features.shape[:1] != (turns,):
            raise InputError(
                f"{turns} turns leave links, {len(self.to_link)} enter them, and features are of "
                f"{len(self.features)}; give one entry a turn"
            )
        ends = np.concatenate([self.from_link, self.to_link])
        if turns == 0 or ends.min() < 0 or ends.max() >= self.links:
            raise InputError(f"turns must be between links 0 to {self.links - 1}, one at least")
        if not np.isfinite(self.features).all():
            raise InputError("features of turns must be finite numbers")

    def turns_of(self, path: ArrayLike) -> NDArray[np.int64]:
        """Turns along a path of links.

        Raises:
            InputError: no turn leads from one of its links to the next.
        """
        links = np.asarray(path, dtype=np.int64)
        keys, order = self._keys
        wanted = links[:-1] * self.links + links[1:]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        missing = np.flatnonzero(keys[place] != wanted)
        if len(missing):
            k = int(missing[0])
            raise InputError(
                f"no turn leads from link {links[k]} to link {links[k + 1]} of a path; leave such "
                "paths out"
            )
        return np.asarray(order[place])

    @cached_property
    def _keys(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        keys = self.from_link * self.links + self.to_link
        order = np.argsort(keys, kind="stable")
        return keys[order], order

    def expected(self, weights: ArrayLike, destinations: ArrayLike) -> Floats:
        """`[L, D]`, what is to be expected from each link to each destination: `z`, not its log.

        Raises:
            InputError: utilities are so large that going in circles pays, and there is no
                expectation.
        """
        matrix, factored = self._factored(np.asarray(weights, dtype=np.float64))
        del matrix
        return self._expected(factored, np.asarray(destinations, dtype=np.int64))

    def _factored(self, weights: Floats) -> tuple[Any, Any]:
        from scipy.sparse import csc_array, eye_array
        from scipy.sparse.linalg import splu

        values = np.exp(self.features @ weights)
        shape = (self.links, self.links)
        matrix = csc_array((values, (self.from_link, self.to_link)), shape=shape)
        try:
            factored = splu((eye_array(self.links, format="csc") - matrix).tocsc())
        except RuntimeError:  # singular
            raise InputError(_CIRCLES) from None
        return matrix, factored

    def _expected(self, factored: Any, destinations: NDArray[np.int64]) -> Floats:
        right = np.zeros((self.links, len(destinations)))
        right[destinations, np.arange(len(destinations))] = 1.0
        z: Floats = factored.solve(right)
        if not np.isfinite(z).all() or z.min() < -1e-9:
            raise InputError(_CIRCLES)
        return np.maximum(z, 0.0)

    def log_likelihood(
        self, weights: ArrayLike, paths: Sequence[ArrayLike]
    ) -> tuple[Floats, Floats]:
        """`[n]`, of each path from its first link to its last, and `[n, P]`, its gradient.

        Raises:
            InputError: a path has a turn that is not there, or there is no expectation.
        """
        weights = np.asarray(weights, dtype=np.float64)
        links = [np.asarray(path, dtype=np.int64) for path in paths]
        origin = np.array([path[0] for path in links])
        last = np.array([path[-1] for path in links])
        destinations, column = np.unique(last, return_inverse=True)
        matrix, factored = self._factored(weights)
        z = self._expected(factored, destinations)
        along = np.stack([self.features[self.turns_of(path)].sum(axis=0) for path in links])
        start = np.maximum(z[origin, column], _LEAST)
        likelihood = along @ weights - np.log(start)
        slope = along.copy()
        values = np.exp(self.features @ weights)
        for p in range(len(weights)):
            from scipy.sparse import csc_array

            changed = csc_array(
                (values * self.features[:, p], (self.from_link, self.to_link)), shape=matrix.shape
            )
            moved = factored.solve(changed @ z)
            slope[:, p] -= moved[origin, column] / start
        return likelihood, slope

    def fit(self, paths: Sequence[ArrayLike], start: ArrayLike | None = None) -> Fitted:
        """Weights of the largest likelihood.

        Args:
            paths: of links, two at least each.
            start: `[P]`, where to begin; -1 each if left out.

        Raises:
            InputError: there are no paths, or one has a turn that is not there.
        """
        from scipy.optimize import minimize

        if not len(paths):
            raise InputError(f"{counted(0, 'path')} says nothing; give one at least")
        size = self.features.shape[1]
        begin = np.full(size, -1.0) if start is None else np.asarray(start, dtype=np.float64)
        count = len(paths)

        def minus(weights: Floats) -> tuple[float, Floats]:
            try:
                likelihood, slope = self.log_likelihood(weights, paths)
            except InputError:  # too near to circles that pay: the line search must turn back
                return 1e10, np.zeros(size)
            return -likelihood.sum() / count, -slope.sum(axis=0) / count

        self.log_likelihood(begin, paths)  # what is wrong with the paths is said here
        found = minimize(minus, begin, jac=True, method="BFGS", options={"gtol": 1e-5})
        likelihood, slope = self.log_likelihood(found.x, paths)
        errors = np.sqrt(np.diag(np.linalg.pinv(slope.T @ slope)))
        return Fitted(found.x, errors, float(likelihood.sum()), int(found.nit))


_CIRCLES = (
    "with these weights going in circles pays, so that nothing can be expected; give smaller ones "
    "(more negative)"
)
