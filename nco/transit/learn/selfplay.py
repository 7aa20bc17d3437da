"""Lines by self-play: tree search on lines, whose counts of visits the network learns.

After AlphaZero (Silver et al. 2017): noise at the roots, moves in proportion to visits at first, a
replay buffer. Three things differ. A game is a line, with all other lines of a design as they are,
as in `nco.transit.design.tree`; the next games take out other lines of the designs that came of it.
Values in the trees are true ones, of lines that the network completed, mixed with its own. And what
the network learns for a value is the gain over its own first line, in units of the running spread
of such gains, so that objectives and sizes do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.errors import PolicyError
from nco.kernels import tree as mcts
from nco.transit.design.guide import build, sampler
from nco.transit.design.tree import LineTrees
from nco.transit.learn.lessons import Lesson, closed_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from nco.transit.design.guide import Guide
    from nco.transit.learn.lessons import Judged, Town
    from nco.transit.policy.environment import TransitState


class SelfPlay:
    """See above.

    Args:
        designs: of a city, each with a tree.
        rounds: how often a line of each is taken out and played anew.
        first: leaves at the root of a line.
        leaves: further leaves for each move.
        width: leaves that are answered for at a time.
        explored: moves of a line that are drawn by visits; later ones are the most visited.
        noise: of Dirichlet's distribution.
        noise_weight: in the prior of the roots.
        trust: share of the network's value in that of a leaf.
        exploration: see `nco.kernels.tree.Rule`.
        value: weight of the error of values.

    Raises:
        PolicyError: a number makes no sense.
    """

    def __init__(
        self,
        designs: int = 12,
        rounds: int = 2,
        first: int = 16,
        leaves: int = 8,
        width: int = 4,
        explored: int = 4,
        noise: float = 0.5,
        noise_weight: float = 0.25,
        trust: float = 0.25,
        exploration: float = 1.0,
        value: float = 0.5,
    ) -> None:
        if min(designs, rounds, first, leaves, width) < 1:
            raise PolicyError(
                f"designs, rounds, first, leaves and width are {designs}, {rounds}, {first}, "
                f"{leaves} and {width}; give 1 or more each"
            )
        if noise <= 0 or not 0 <= noise_weight <= 1 or not 0 <= trust < 1:
            raise PolicyError(
                f"noise is {noise}, noise_weight {noise_weight} and trust {trust}; give a number "
                "above 0, a share from 0 to 1, and a share below 1"
            )
        self.designs, self.rounds, self.first = designs, rounds, first
        self.leaves, self.width, self.explored = leaves, width, explored
        self.noise, self.noise_weight, self.trust = noise, noise_weight, trust
        self.rule = mcts.Rule(exploration=exploration, best=0.25)
        self.value = value
        self.epochs, self.replays = 1, True

    def collect(
        self, town: Town, city: int, guide: Guide, generator: torch.Generator, scale: float
    ) -> tuple[list[Lesson], list[float]]:
        """Plays in a city; see `nco.transit.learn.ppo.TransitPPO.collect`."""
        env = town.env
        designs = build(guide, env.reset(self.designs), sampler(generator)).lines
        lessons, spreads = [], []
        for _ in range(self.rounds):
            out = torch.randint(designs.shape[1], (self.designs,), generator=generator)
            roots = env.reopened(designs, out)
            lesson, spread, lines = self._game(town, city, guide, roots, generator, scale)
            if lesson is not None:
                lessons.append(lesson)
            spreads.append(spread)
            designs = roots.lines.clone()
            designs[:, -1] = lines
        return lessons, spreads

    def _game(
        self,
        town: Town,
        city: int,
        guide: Guide,
        roots: TransitState,
        generator: torch.Generator,
        scale: float,
    ) -> tuple[Lesson | None, float, Tensor]:
        """A lesson, the spread of gains, and the best line of each tree `[T, L]`."""
        most = roots.lines.shape[2]
        trees = LineTrees(
            guide, roots, town.objective.costs, sampler(generator),
            self.first + self.leaves * most, trust=self.trust, scale=scale,
        )  # fmt: skip
        rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        found: list[tuple[Tensor, ...]] = []
        playing = np.ones(len(roots), bool)
        for number in range(most):
            trees.stir(rng, self.noise, self.noise_weight)
            count = self.leaves if number else self.first
            trees.search(-(-count // self.width), self.width, self.rule)
            visits = trees.trees.visits[:, 0]
            playing &= visits.any(1)
            if not playing.any():
                break
            found.append(_targets(trees, playing))
            move = _chosen(visits, playing, rng if number < self.explored else None)
            before = trees.trees.label[:, 0].copy()
            mcts.advance(trees.trees, move)
            playing &= trees.trees.label[:, 0] != before
        gain = (trees.base - trees.cost) / scale
        spread, lines = float(gain.std()) * scale, trees.line
        if not found:
            return None, spread, lines
        row, line, stops, moves, share = (torch.cat(x) for x in zip(*found, strict=True))
        gains = torch.from_numpy(gain).float().clamp(-3.0, 3.0)
        lesson = Lesson(
            city, town.env.demand_share, closed_lines(roots), row, line, stops, moves, share,
            gains[row], torch.zeros(len(row)),
        )  # fmt: skip
        return lesson, spread, lines

    def loss(self, judged: Judged) -> tuple[Tensor, dict[str, Tensor]]:
        """What is minimised, and numbers to look at."""
        log_p = judged.log_p.masked_fill(judged.log_p.isinf(), 0.0)
        imitation = -(judged.target * log_p).sum(1).mean()
        entropy = -(judged.log_p.exp() * log_p).sum(1).mean()
        error = (judged.value - judged.gain).square().mean()
        logged = {"imitation": imitation, "entropy": entropy, "value_error": error}
        return imitation + self.value * error, logged


def _targets(trees: LineTrees, playing: NDArray[np.bool_]) -> tuple[Tensor, ...]:
    """Tree, line so far, its stops, moves and shares of visits, at roots that are played on."""
    tree = torch.from_numpy(np.flatnonzero(playing))
    line, stops = trees.root_lines()
    known = trees.trees.prior[:, 0] > 0
    moves = torch.from_numpy(np.where(known, trees.trees.action[:, 0], -1)).long()
    share = torch.from_numpy(trees.trees.visit_share()).float()
    return tree, line[tree], stops[tree], moves[tree], share[tree]


def _chosen(
    visits: NDArray[np.int32], playing: NDArray[np.bool_], rng: np.random.Generator | None
) -> NDArray[np.int32]:
    """`[T]` moves drawn by visits, or the most visited ones; -1 where nothing is played."""
    weight = visits.astype(float)
    if rng is not None:
        # Exponential times, divided by rates: the first is drawn in proportion to its rate.
        weight = weight / rng.exponential(size=weight.shape)
    return np.where(playing, weight.argmax(1), -1).astype(np.int32)
