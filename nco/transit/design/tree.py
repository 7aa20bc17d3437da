"""Lines by tree search: the line under way is searched, move by move, with all others as they are.

A tree is of one line. Each untried move of a position is completed by the guide to a whole line,
and the lines are evaluated: values are those of the objective, not guesses, because evaluators are
cheap. All moves of a completion become positions, as in `nco.search.tree`. With a network whose
values are worth something, they can be given a share.

A design begins with the best of a few that are built from demand or sampled by the guide. Then one
line after another is taken out, in random order, and searched anew as if it were the last: PUCT
finds a line that is at least as good, or the old one stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.kernels import tree as mcts
from nco.transit.design.greedy import construction
from nco.transit.design.guide import (
    DemandGuide,
    WalkGuide,
    build,
    environment_of,
    finish_line,
    greedy,
    network_guide,
    sampler,
)
from nco.transit.design.method import Progress
from nco.transit.design.start import fitted, take
from nco.transit.design.ways import Ways, padded
from nco.transit.policy.environment import TransitState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from nco.arrays import Floats
    from nco.transit.design.guide import Guide, Guiding, Pick, Taken
    from nco.transit.design.method import Budget
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines
    from nco.transit.policy.environment import TransitEnv

FIRST_STOPS = 16
"""Most first stops that a tree distinguishes, where lines may begin anywhere."""

type Costs = Callable[[NDArray[np.int16]], Floats]


class LineTrees:
    """Trees of the lines under way of `T` rollouts, and what is behind their leaves.

    Args:
        guide: judges moves and completes lines.
        roots: `T` rollouts.
        costs: of sets of lines `[B, R, L]`.
        pick: how completions are made.
        leaves: most that are answered for, to make room.
        trust: share of the guide's own value in that of a leaf.
        scale: costs that a value of one stands for.

    Attributes:
        trees: what is known.
        base: `[T]` cost of the guide's own first line, which values are measured from.
        cost: `[T]` least cost so far.
        line: `[T, L]` the line that has it.
    """

    def __init__(
        self,
        guide: Guide,
        roots: TransitState,
        costs: Costs,
        pick: Pick,
        leaves: int,
        *,
        trust: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        self.guide, self.roots = guide, roots
        self._costs, self._pick, self._trust, self.scale = costs, pick, trust, scale
        size, most = roots.used.shape[1], roots.lines.shape[2]
        ends = guide.env.near.shape[1] * (2 if guide.env.rules.both else 1)
        first = FIRST_STOPS if guide.env.instance.hub is None else 0
        positions = most * (leaves + 1)
        self.trees = mcts.Trees.empty(len(roots), positions, max(ends, min(first, size)) + 1)
        self.base: Floats = np.zeros(len(roots))
        self.cost = np.full(len(roots), np.inf)
        self.line = torch.full((len(roots), most), -1)
        self._store = torch.full((len(roots) * positions, most), -1)
        self._stops = torch.zeros(len(roots) * positions, dtype=torch.int64)
        self._stored = 0
        with torch.inference_mode():
            self._view = guide.look(roots)

    def search(self, rounds: int, width: int, rule: mcts.Rule) -> None:
        """See `nco.kernels.tree.search`; the first round of all is the root's own completion."""
        with torch.inference_mode():
            mcts.search(self.trees, self, rounds, width, rule)

    def __call__(self, leaves: mcts.Leaves) -> mcts.Expansion:
        """Completes leaves and evaluates the lines."""
        tree = torch.from_numpy(leaves.tree).long()
        state = self.roots.rows(tree)
        if leaves.position[0] >= 0:
            state = self._behind(state, leaves)
        done, made = finish_line(self.guide, self._view, state, tree, self._pick)
        cost = self._costs(done.padded())
        if leaves.position[0] < 0:
            self.base = cost
        self._keep(leaves.tree, cost, done.lines[torch.arange(len(tree)), self.roots.line[tree]])
        gain = self.base[leaves.tree] - cost
        if self._trust and made:
            guess = torch.zeros(len(tree))
            guess[made[0].row] = made[0].value
            gain = (1 - self._trust) * gain + self._trust * self.scale * guess.numpy()
        return self._answer(len(tree), gain, made)

    def _keep(self, tree: NDArray[np.int32], cost: Floats, lines: Tensor) -> None:
        # The last of equal numbers is written, so the cheapest has to come last.
        order = np.argsort(-cost, kind="stable")
        order = order[cost[order] < self.cost[tree[order]]]
        self.cost[tree[order]] = cost[order]
        self.line[torch.from_numpy(tree[order]).long()] = lines[torch.from_numpy(order)]

    def _behind(self, state: TransitState, leaves: mcts.Leaves) -> TransitState:
        """The rollouts after the untried moves of positions."""
        label = torch.from_numpy(leaves.label)
        return self.guide.env.step(
            with_line(state, self._store[label], self._stops[label]),
            torch.from_numpy(leaves.action).long(),
        )

    def _answer(self, count: int, gain: Floats, made: list[Taken]) -> mcts.Expansion:
        """All moves that had alternatives become positions, leaf by leaf."""
        width = self.trees.action.shape[2]
        parts = []
        for step in made:
            choice = (step.moves >= 0).sum(1) > 1
            if choice.any():
                moves, log_p, taken = likeliest(
                    step.moves[choice], step.log_p[choice], step.taken[choice], width
                )
                parts.append(
                    (step.row[choice], step.line[choice], step.stops[choice], moves, log_p, taken)
                )
        if not parts:
            none = np.zeros((0, width))
            return mcts.Expansion(
                gain, np.zeros(count + 1, np.int32), np.zeros(0, np.int64),
                none.astype(np.int32), none, np.zeros(0, np.int32),
            )  # fmt: skip
        row, line, stops, moves, log_p, taken = (
            torch.cat(columns) for columns in zip(*parts, strict=True)
        )
        order = row.argsort(stable=True)
        label = self._stored + torch.arange(len(order))
        self._stored += len(order)
        self._store[label], self._stops[label] = line[order], stops[order]
        first = torch.zeros(count + 1, dtype=torch.int64)
        first[1:] = torch.bincount(row, minlength=count).cumsum(0)
        return mcts.Expansion(
            value=gain,
            first=first.int().numpy(),
            label=label.numpy(),
            action=moves[order].int().numpy(),
            prior=log_p[order].exp().double().numpy(),
            taken=taken[order].int().numpy(),
        )

    def stir(self, rng: np.random.Generator, alpha: float, weight: float) -> None:
        """Mixes noise into the priors of the roots (Silver et al. 2017)."""
        for prior in self.trees.prior[:, 0]:
            there = prior > 0
            if there.sum() > 1:
                noise = rng.dirichlet(np.full(int(there.sum()), alpha))
                prior[there] = (1 - weight) * prior[there] + weight * noise

    def root_lines(self) -> tuple[Tensor, Tensor]:
        """`[T, L]` the lines so far at the roots, and `[T]` how many stops they have."""
        label = torch.from_numpy(self.trees.label[:, 0])
        return self._store[label], self._stops[label]


def with_line(state: TransitState, line: Tensor, stops: Tensor) -> TransitState:
    """Rollouts with other lines under way.

    Args:
        state: `B` rollouts.
        line: `[B, L]` nodes, -1 behind the end.
        stops: `[B]` how many.
    """
    lines, row = state.lines.clone(), torch.arange(len(state))
    lines[row, state.line] = line
    used = torch.zeros(len(line), state.used.shape[1] + 1, dtype=torch.bool)
    used.scatter_(1, torch.where(line < 0, used.shape[1] - 1, line), True)
    return TransitState(lines, state.line, stops, used[:, :-1])


def likeliest(
    moves: Tensor, log_p: Tensor, taken: Tensor, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same choices with `width` moves: the likeliest, what was done always being one of them.

    Args:
        moves: `[C, K]`, -1 for padding.
        log_p: `[C, K]`.
        taken: `[C]` number of what was done.
        width: of the result.
    """
    if moves.shape[1] > width:
        wanted = log_p.scatter(1, taken[:, None], torch.inf)
        kept = wanted.topk(width, 1).indices
        taken = (kept == taken[:, None]).int().argmax(1)
        moves, log_p = moves.gather(1, kept), log_p.gather(1, kept)
    blank = (0, width - moves.shape[1])
    moves = torch.nn.functional.pad(moves, blank, value=-1)
    return moves, torch.nn.functional.pad(log_p, blank, value=-torch.inf), taken


class _Found:
    """The best lines that keep all rules: those that were given may be better and break some.

    Args:
        progress: counts, and keeps the best of all.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress, self.cost = progress, np.inf
        self.lines: NDArray[np.int16] | None = None

    def costs(self, lines: NDArray[np.int16]) -> Floats:
        """See `Progress.costs`."""
        found = self.progress.costs(lines)
        if len(found) and found.min() < self.cost:
            self.lines, self.cost = lines[found.argmin()].copy(), float(found.min())
        return found


@dataclass(frozen=True)
class TreeDesign:
    """See above.

    Attributes:
        environment: makes the environment of an objective.
        guide: makes the guide.
        name: see `DesignMethod`.
        built: designs that are built from demand first, as other methods begin with.
        starts: designs that are sampled then; the first of them greedily.
        effort: lines that are tried for a line before the next one's turn.
        width: leaves of a tree that are answered for at a time.
        rule: how moves are chosen.
        temperature: of completions and first designs.
        tree: whether what is tried for a line is searched; else so many lines are sampled from the
            guide and the best is taken, which says what the tree is worth.
    """

    environment: Callable[[LineObjective], TransitEnv] = environment_of
    guide: Guiding = network_guide
    name: str = "mcts"
    built: int = 0
    starts: int = 16
    effort: int = 8
    width: int = 4
    rule: mcts.Rule = field(default=mcts.Rule(exploration=0.5, best=0.5))
    temperature: float = 1.0
    tree: bool = True

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        progress = Progress(objective, budget)
        take(progress, initial)
        with progress.keeping_best():
            self._search(progress, seed, initial)
        return progress.design(self.name, seed)

    def _search(self, progress: Progress, seed: int, initial: Sequence[Lines]) -> None:
        objective, found = progress.objective, _Found(progress)
        guide = self.guide(self.environment(objective))
        generator = torch.Generator().manual_seed(seed)
        pick = sampler(generator, self.temperature)
        ways, draws = Ways(objective.instance, seed), Random(seed)
        if initial and progress.left:
            legal = [fitted(ways, lines, draws) for lines in initial[: progress.left]]
            found.costs(padded(legal, ways))
        if self.built and not progress.over:
            count = min(self.built, progress.left)
            found.costs(padded([construction(ways, draws, k) for k in range(count)], ways))
        for count, how in ((1, greedy), (self.starts - 1, pick)):
            if count and progress.left:
                state = guide.env.reset(min(count, progress.left))
                found.costs(build(guide, state, how).padded())
        rng = np.random.default_rng(seed)
        waiting: list[int] = []
        while not progress.over:
            waiting = waiting or rng.permutation(objective.instance.lines).tolist()
            self._search_again(found, guide, pick, waiting.pop())

    def _search_again(self, found: _Found, guide: Guide, pick: Pick, number: int) -> None:
        """Takes a line out of the best lines and searches it; what is better is kept."""
        progress = found.progress
        assert found.lines is not None  # noqa: S101 (the first designs were evaluated)
        lines = torch.from_numpy(found.lines[None]).long()
        root = guide.env.reopened(lines, torch.tensor([number]))
        if not self.tree:
            scene = torch.zeros(min(self.effort, progress.left), dtype=torch.int64)
            with torch.inference_mode():
                state = root.rows(scene)
                done, _ = finish_line(guide, guide.look(root), state, scene, pick)
            found.costs(done.padded())
            return
        end = progress.evaluations + self.effort
        trees = LineTrees(guide, root, found.costs, pick, self.effort + self.width)
        while progress.evaluations < end and not progress.over:
            before = progress.evaluations
            # The root's own completion comes before its first leaves.
            first = int(not trees.trees.used.any())
            width = min(self.width, progress.left - first, end - before - first)
            trees.search(int(width > 0), max(1, width), self.rule)
            if progress.evaluations == before:
                return


MCTS = TreeDesign()
BUILT = TreeDesign(built=8, starts=8, name="mcts-built")
PLAIN = TreeDesign(guide=WalkGuide, name="mcts-plain")
BUILT_DEMAND = TreeDesign(guide=DemandGuide, built=8, starts=8, name="mcts-built-demand")
RESAMPLED = TreeDesign(built=8, starts=8, tree=False, name="resample-built")
RESAMPLED_DEMAND = TreeDesign(
    guide=DemandGuide, built=8, starts=8, tree=False, name="resample-built-demand"
)
RESAMPLED_PLAIN = TreeDesign(
    guide=WalkGuide, built=8, starts=8, tree=False, name="resample-built-plain"
)
BUILT_PLAIN = TreeDesign(guide=WalkGuide, built=8, starts=8, name="mcts-built-plain")
