"""Tree search of any game for one player: PUCT on batched trees, as functions on arrays.

After Silver et al. 2017 (AlphaZero), with three changes for games that one plays alone. Values are
scaled by the worst and the best of each tree (Schrittwieser et al. 2020), so that constants have no
unit. What has been searched to its end is closed and never visited again. And a move may be judged
by the best end seen behind it instead of by the mean, where values are those of ends that were
reached and not guesses.

The game is not known here. Whoever plays it is told of leaves, untried moves of positions, and
answers with a value and with the positions that follow: a single one with its moves, as a network
with a value head gives it, or all of a rollout. Many leaves are selected before the first is
answered: visits under way count as visits that have no value yet (Liu et al. 2020, WU-UCT).

Shapes: `T` trees of up to `M` positions, the first of which is the root, with up to `K` moves each.
Trees share nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nco.kernels import tree_kernels as kernels
from nco.kernels.by_reference import by_reference

type Bools = NDArray[np.bool_]
type Ints = NDArray[np.int32]
type Labels = NDArray[np.int64]
type Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """How a move is chosen: the largest `q + exploration prior sqrt(n) / (1 + n_move)`.

    Values in `q` are scaled to [0, 1]. An untried move has the mean of its position.

    Attributes:
        exploration: weight of the prior.
        best: share of the best value behind a move in its `q`; the mean has the rest.
    """

    exploration: float = 1.0
    best: float = 0.0


@by_reference
class Trees(NamedTuple):
    """Trees, whose arrays are written in place.

    Attributes:
        used: `[T]` number of positions.
        parent: `[T, M]` position before; -1 at the root.
        via: `[T, M]` move that led there.
        label: `[T, M]` int64, whatever the player wants to be reminded of.
        action: `[T, M, K]` what the player calls a move.
        prior: `[T, M, K]` probabilities; 0 where there is no move.
        child: `[T, M, K]` position behind a move, or a negative mark.
        visits: `[T, M, K]` values recorded behind a move.
        pending: `[T, M, K]` visits under way.
        total: `[T, M, K]` sum of the values.
        best: `[T, M, K]` largest of the values.
        bounds: `[T, 2]` smallest and largest value of a tree.
    """

    used: Ints
    parent: Ints
    via: Ints
    label: Labels
    action: Ints
    prior: Reals
    child: Ints
    visits: Ints
    pending: Ints
    total: Reals
    best: Reals
    bounds: Reals

    @classmethod
    def empty(cls, trees: int, positions: int, moves: int) -> Trees:
        """Trees without a position; `expand_and_backup` gives them a root.

        Args:
            trees: `T`.
            positions: `M`; what there is no room for is closed.
            moves: `K`.
        """
        nodes, edges = (trees, positions), (trees, positions, moves)
        return cls(
            used=np.zeros(trees, np.int32),
            parent=np.full(nodes, -1, np.int32),
            via=np.full(nodes, -1, np.int32),
            label=np.zeros(nodes, np.int64),
            action=np.zeros(edges, np.int32),
            prior=np.zeros(edges),
            child=np.full(edges, kernels.CLOSED, np.int32),
            visits=np.zeros(edges, np.int32),
            pending=np.zeros(edges, np.int32),
            total=np.zeros(edges),
            best=np.full(edges, -np.inf),
            bounds=np.tile([np.inf, -np.inf], (trees, 1)),
        )

    @property
    def finished(self) -> Bools:
        """`[T]` whether nothing is left to try."""
        return np.asarray((self.child[:, 0] == kernels.CLOSED).all(1))

    def visit_share(self) -> Reals:
        """`[T, K]` share of each move of the root in its visits: what a network may learn."""
        count = self.visits[:, 0].astype(float)
        return np.asarray(count / np.maximum(1.0, count.sum(1, keepdims=True)))

    def best_move(self) -> Ints:
        """`[T]` move of each root behind which the best value is; -1 where none was tried."""
        tried = self.visits[:, 0].any(1)
        return np.where(tried, self.best[:, 0].argmax(1), -1).astype(np.int32)


@by_reference
class Leaves(NamedTuple):
    """Untried moves, which the player is to answer for; `J` of them.

    Attributes:
        tree: `[J]`.
        position: `[J]` the position; -1 asks for a root.
        move: `[J]` number of the move there.
        label: `[J]` of the position.
        action: `[J]` of the move.
    """

    tree: Ints
    position: Ints
    move: Ints
    label: Labels
    action: Ints


@by_reference
class Expansion(NamedTuple):
    """What is behind `J` leaves: a value each, and the positions that follow, `P` in all.

    Attributes:
        value: `[J]` the larger, the better.
        first: `[J + 1]` where the positions of each leaf begin in what follows, and where the
            last ends. A leaf without positions is the end of a game, or not worth going on with.
        label: `[P]` to be remembered.
        action: `[P, K]` moves of each position.
        prior: `[P, K]` their probabilities; 0 where there are fewer moves.
        taken: `[P]` number of the move by which the line goes on. The one of its last position is
            the end of a game, unless it is -1: then the line ends there with nothing tried.
    """

    value: Reals
    first: Ints
    label: Labels
    action: Ints
    prior: Reals
    taken: Ints


type Player = Callable[[Leaves], Expansion]
"""Answers for leaves."""


def roots_of(trees: Trees) -> Leaves:
    """What asks for the roots of empty trees."""
    none = np.full(len(trees.used), -1, np.int32)
    return Leaves(np.arange(len(none), dtype=np.int32), none, none, none.astype(np.int64), none)


def search(trees: Trees, play: Player, rounds: int, width: int, rule: Rule) -> None:
    """Searches for a number of rounds, or until everything has been tried.

    Args:
        trees: empty ones get a root first.
        play: answers for the leaves of a round.
        rounds: how many.
        width: most leaves of a tree in a round.
        rule: how moves are chosen.
    """
    if not trees.used.any():
        roots = roots_of(trees)
        expand_and_backup(trees, roots, play(roots))
    for _ in range(rounds):
        leaves = select(trees, width, rule)
        if not len(leaves.tree):
            return
        expand_and_backup(trees, leaves, play(leaves))


def select(trees: Trees, width: int, rule: Rule) -> Leaves:
    """The next leaves of every tree, in the order of trees.

    All must be answered, by `expand_and_backup`.

    Args:
        trees: their visits under way are counted.
        width: most leaves of a tree.
        rule: how moves are chosen.
    """
    found = np.zeros((len(trees.used) * width, 3), np.int32)
    blocked = np.zeros(trees.label.shape[1], np.bool_)
    count = kernels.select(trees, width, rule.exploration, rule.best, blocked, found)
    tree, position, move = np.ascontiguousarray(found[:count].T)
    label, action = trees.label[tree, position], trees.action[tree, position, move]
    return Leaves(tree, position, move, label, action)


def expand_and_backup(trees: Trees, leaves: Leaves, expansion: Expansion) -> None:
    """Adds positions behind leaves, and records their values on the way back to the root."""
    kernels.expand_and_backup(trees, leaves, expansion)


def advance(trees: Trees, move: Ints) -> None:
    """Makes moves for good: the positions behind them become roots, all others are forgotten.

    Args:
        trees: without visits under way.
        move: `[T]` of each root. Where it is negative, or no position is behind it, all stays.
    """
    kernels.advance(trees, move, np.zeros(trees.label.shape[1], np.int32))


@cache
def prepare() -> None:
    """Loads the compiled loops, or compiles them; otherwise the first search does."""

    def end(leaves: Leaves) -> Expansion:
        one, rows = np.ones((1, 1)), len(leaves.tree)
        none = np.full(1, -1, np.int32)
        # A root with a single move, which ends the game.
        first = np.array([0, leaves.position[0] < 0], np.int32)
        return Expansion(np.zeros(rows), first, none.astype(np.int64), none[:, None], one, none)

    trees = Trees.empty(1, 1, 1)
    search(trees, end, 1, 1, Rule())
    advance(trees, trees.best_move())
