"""Conditional logit: the chance of each alternative by its features (D. McFadden 1974).

With features of paths it is multinomial logit, with the logarithm of path sizes among them
path-size logit. The likelihood is concave, so that the estimate is the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.errors import InputError


@dataclass(frozen=True, eq=False)
class Choice:
    """Alternatives, and which of them was taken.

    Attributes:
        features: `[n, F]`.
        taken: index; or `[n]`, the share of each where several were as good, which sum to 1.
        weight: how much it counts.
    """

    features: Floats
    taken: int | Floats
    weight: float = 1.0

    @property
    def shares(self) -> Floats:
        """`[n]`, which sum to 1."""
        if isinstance(self.taken, np.ndarray):
            return self.taken
        shares: Floats = np.eye(len(self.features))[self.taken]
        return shares


@dataclass(frozen=True, eq=False)
class Logit:
    """Weights of features.

    Attributes:
        weights: `[F]`, of features in units of `scale`.
        scale: `[F]`.
    """

    weights: Floats
    scale: Floats

    def scores(self, features: Floats) -> Floats:
        """`[n]`, logarithms of chances up to a constant."""
        return np.asarray((features / self.scale) @ self.weights)

    def chances(self, features: Floats) -> Floats:
        """`[n]`, which sum to 1."""
        scores = self.scores(features)
        odds = np.exp(scores - scores.max())
        return np.asarray(odds / odds.sum())

    def log_likelihood(self, choices: Sequence[Choice]) -> float:
        """Of what was taken."""
        return float(
            sum(
                c.weight * (c.shares * np.log(np.maximum(self.chances(c.features), 1e-300))).sum()
                for c in choices
            )
        )


def fit(choices: Sequence[Choice], ridge: float = 1e-3) -> Logit:
    """The weights of the largest likelihood, with a small penalty on their squares.

    Args:
        choices: with the same features each.
        ridge: of the penalty, for each choice.

    Raises:
        InputError: there are no choices, or features are not finite or differ in number.
    """
    from scipy.optimize import minimize

    if not choices:
        raise InputError("there are no choices to learn from; give one at least")
    sizes = {choice.features.shape[1:] for choice in choices}
    if len(sizes) > 1:
        raise InputError("choices have different numbers of features; give the same for all")
    whole = np.concatenate([choice.features for choice in choices])
    if not np.isfinite(whole).all():
        raise InputError("features of choices must be finite numbers")
    apart = np.concatenate([c.features - c.features.mean(axis=0) for c in choices])
    spread = apart.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    first = np.cumsum([0, *(len(c.features) for c in choices)])
    inputs = whole / scale
    shares = np.concatenate([c.shares for c in choices])
    weight = np.array([c.weight for c in choices])
    of = np.repeat(np.arange(len(choices)), np.diff(first))

    def minus(weights: Floats) -> tuple[float, Floats]:
        scores = inputs @ weights
        top = np.maximum.reduceat(scores, first[:-1])
        odds = np.exp(scores - top[of])
        total = np.add.reduceat(odds, first[:-1])
        value = (weight[of] * shares * (scores - top[of] - np.log(total)[of])).sum()
        chance = odds / total[of]
        slope = (weight[of] * (shares - chance)) @ inputs
        penalty = ridge * weight.sum()
        return -value + penalty * (weights**2).sum(), -slope + 2 * penalty * weights

    found = minimize(minus, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B")
    return Logit(found.x, scale)
