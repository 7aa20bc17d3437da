"""Tree search on a policy: its probabilities are the prior, its own rollouts the values.

Every untried move of a position is completed by the policy, hundreds of them side by side. All
decisions of the best rollouts become positions of the tree, not only the first: a tree is a tour
with its best deviations, their deviations, and so on, and the next to be tried is a likely move, by
the policy, close to good tours. Decisions without a choice are passed over.

A pass begins with a few trees in each view, one at each of its best starts, and goes down the tour:
after every round the roots move on along their best rollouts, so that all of a tour has been
searched in the end. As less and less is left to decide, moves are made faster and faster. The next
pass begins with sampled rollouts.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nco.envs.base import feasible
from nco.errors import PolicyError, quoted
from nco.kernels import tree as mcts
from nco.models.pointer import Decisions, logits
from nco.search.decoding import driving
from nco.search.decoding.completion import Asked, Begun, Choices, Completed, complete
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import GREEDY, Decoder, Strategy, check_counts, spread
from nco.search.decoding.rollouts import Rollouts
from nco.search.policy.solver import PolicySolver
from nco.solver import Clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.problem import Feature, Problem
    from nco.problem.solution import Solution
    from nco.search.decoding.expiry import Expired

# Rollouts times nodes times nodes: of a round in each view, so that it ends soon, but not so few
# that they take as long as many; and of all views, whose masks are kept for a round.
_QUICK, _FEWEST = 2_500_000, 4
_CELLS = 100_000_000
# Decisions times nodes whose probabilities are computed at once.
_AT_ONCE = 1_000_000
_SAMPLED = Strategy(temperature=1.0)


@dataclass(frozen=True)
class TreeSearch(Decoder):
    """PUCT on the policy's moves; each view is searched on its own.

    Attributes:
        rounds: how many there are; None goes on until time is up.
        width: rollouts of a round in each view, fewer where instances are large.
        trees: in each view.
        moves: of a position, the most likely ones.
        kept: share of the rollouts of a round whose decisions become positions.
        descent: rounds of a pass, from the first to the last action of a tour.
        positions: most of a tree; the untried moves of these are still completed.
        rule: how moves are chosen.
        completion: how the policy completes a rollout; its views and starts do not matter.
        first: actions of a rollout, driven forwards, at which a tree begins; left out where they
            break a rule.
    """

    rounds: int | None = 32
    width: int = 256
    trees: int = 2
    moves: int = 8
    kept: float = 0.1
    descent: int = 32
    positions: int = 20_000
    rule: mcts.Rule = field(default=mcts.Rule(exploration=0.5, best=0.8))
    completion: Strategy = GREEDY
    first: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(
            rounds=self.rounds, width=self.width, trees=self.trees, moves=self.moves,
            descent=self.descent, positions=self.positions,
        )  # fmt: skip
        if not 0.0 < self.kept <= 1.0:
            raise PolicyError(f"kept is {quoted(self.kept)}; give a share above 0, at most 1")

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `nco.search.decoding.rollout.Decoder`; the best rollout of each view, `S = turns`.

        Raises:
            PolicyError: `rounds` is None and nothing else ends the search, or vehicles are decided
                for together.
            TimeUp: before the first rollouts were complete.
        """
        if self.rounds is None and expired is None:
            raise PolicyError("rounds is None, which needs a time limit; give a number of rounds")
        if encoded.count != len(encoded.query):
            raise PolicyError(
                f"tree search is for one vehicle after another, and not for {quoted(env.name)}; "
                "use greedy decoding, sampling or a beam"
            )
        search = _Search(env, instance, encoded, self, generator, expired)
        with torch.inference_mode():
            with contextlib.suppress(TimeUp):
                search.run()
            best, batch = search.best, len(instance.cost)
            if best is None:
                raise TimeUp
            return Rollouts(*(x.reshape(batch, -1, *x.shape[2:]) for x in vars(best).values()))


class _Search:
    """The trees of all views, and the best rollout of each.

    Trees are numbered view by view. The label of a position is the number of a path and how many
    of its actions lead to the position.

    Args:
        env: the environment of the instances.
        instance: `B` instances.
        encoded: the instances in `V` views.
        how: the options.
        generator: of samples.
        expired: whether to give up.
    """

    def __init__(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        how: TreeSearch,
        generator: torch.Generator | None,
        expired: Expired | None,
    ) -> None:
        self._env, self._instance, self._encoded, self._how = env, instance, encoded, how
        self._generator, self._expired = generator, expired
        self._views, self._nodes = len(encoded.query), encoded.query.shape[2]
        # A vehicle returns to the depot after every stop at most.
        self._longest = 2 * self._nodes + 2
        room = max(1, _CELLS // (self._nodes**2 * self._views))
        self._width = min(how.width, room, max(_FEWEST, _QUICK // self._nodes**2))
        possible = env.starts(instance)
        starts = spread(possible, min(how.starts or possible.shape[1], room))
        self._starts = starts.repeat_interleave(self._views // len(starts), 0)
        self._trees_each = min(how.trees, self._starts.shape[1])
        self._moves = min(how.moves, self._nodes)
        self.best: Rollouts | None = None

    def run(self) -> None:
        """Makes passes until enough rounds are made, or until there is nothing left to find."""
        left, completion = self._how.rounds, self._how.completion
        first = self._known()
        asked = self._starting() if first is None else self._following(first)
        while left is None or left > 0:
            before = self._total()
            trees = self._planted(asked, completion)
            made = 0
            while made < self._how.descent and made != left and self._round(trees):
                made += 1
                self._descend(trees, 1 - (1 - made / self._how.descent) ** 0.5)
            left = None if left is None else left - max(1, made)
            if trees.finished.all() and self._total() == before:
                return
            asked, completion = self._starting(), _SAMPLED

    def _total(self) -> tuple[float, float]:
        """What gets smaller whenever a better rollout is found."""
        if self.best is None:
            return np.inf, np.inf
        return float(self.best.violation.double().sum()), float(self.best.cost.double().sum())

    def _starting(self) -> Asked:
        """A rollout from each start."""
        one = torch.ones_like(self._starts)
        places = torch.arange(one.shape[1]).expand_as(one)
        return Asked(self._starts[..., None], one, places)

    def _following(self, first: Tensor) -> Asked:
        """The same, and the actions `[V, T]` that are known, -1 where none are."""
        usual, known = self._starting(), (first >= 0).sum(1, keepdim=True)
        # A view where they break a rule gets one of its starts twice.
        first = first.where(known > 0, usual.path[:, :1, 0])
        path = F.pad(usual.path, (0, first.shape[1] - 1))
        places = torch.arange(path.shape[1] + 1).expand(self._views, -1)
        one = torch.ones_like(places)
        until = torch.cat([usual.length, known.clamp_min(1)], 1)
        return Asked(torch.cat([path, first[:, None]], 1), one, places, until)

    def _known(self) -> Tensor | None:
        """`[V, T]` the actions that each view is to begin with, -1 where they break a rule."""
        if not self._how.first:
            return None
        ahead = torch.tensor(self._how.first).expand(len(self._instance.cost), 1, -1)
        ways = torch.cat([ahead, self._env.turned_round(self._instance, ahead)], 1)
        # A view drives forwards or backwards; it is the way that costs less in it.
        good = feasible(self._env, self._instance, ways)
        cost = self._env.cost(self._instance, ways).masked_fill(~good, torch.inf)
        way = cost.argmin(1)
        rows = torch.arange(len(way))
        chosen = ways[rows, way].where(good[rows, way][:, None], -1)
        return chosen.repeat_interleave(self._views // len(way), 0)

    def _planted(self, asked: Asked, strategy: Strategy) -> mcts.Trees:
        """Trees at the best rollouts of those asked for."""
        each = asked.length.shape[1]
        state = self._env.reset(self._instance, asked.length.numel() // len(self._instance.cost))
        self._begun = Begun(state, 0)
        found = self._completed(asked, strategy)
        count = self._trees_each
        best = self._values(found).topk(count, 1).indices
        rows = (best + torch.arange(self._views)[:, None] * each).flatten()
        self._begun = Begun(Begun(state, 0).spread(best), 0)
        self._paths = torch.zeros(0, self._longest, dtype=torch.int32)
        trees = mcts.Trees.empty(len(rows), self._how.positions, self._moves)
        mcts.expand_and_backup(trees, mcts.roots_of(trees), self._expansion(found, rows, rows))
        return trees

    def _round(self, trees: mcts.Trees) -> bool:
        """Completes the next leaves; whether there were any."""
        width = max(1, self._width // self._trees_each)
        leaves = mcts.select(trees, width, self._how.rule)
        if not len(leaves.tree):
            return False
        counts = np.bincount(leaves.tree, minlength=len(trees.used))
        most = int(counts.max())
        slot = np.arange(len(leaves.tree)) - np.repeat(counts.cumsum() - counts, counts)
        rows = torch.as_tensor(leaves.tree * most + slot)
        # Slots without a leaf get a path that is complete, which takes next to no time.
        label = torch.from_numpy(trees.label[:, 0]).repeat_interleave(most)
        label[rows] = torch.from_numpy(leaves.label)
        path, depth = self._paths[label // self._longest].long(), label % self._longest
        length = torch.full_like(label, self._longest)
        length[rows] = depth[rows] + 1
        path[rows, depth[rows]] = torch.from_numpy(leaves.action).long()
        shape = (self._views, -1)
        origin = torch.arange(self._trees_each).repeat_interleave(most).expand(self._views, -1)
        asked, place = Asked(path.view(*shape, self._longest), length.view(shape), origin).sorted()
        found = self._completed(asked, self._how.completion)
        each = place.shape[1]
        rows = rows // each * each + place.flatten()[rows]
        mcts.expand_and_backup(
            trees, leaves, self._expansion(found, rows, self._kept(found, rows, counts))
        )
        return True

    def _completed(self, asked: Asked, strategy: Strategy) -> Completed:
        """Completes rollouts and keeps the best of each view."""
        found = complete(
            self._env, self._instance, self._encoded, self._begun, asked, strategy,
            self._generator, self._expired,
        )  # fmt: skip
        self._steps = found.rollouts.actions.shape[2]
        own = found.rollouts.best()
        own = replace(own, actions=self._whole(own.actions))
        if self.best is not None:
            pairs = zip(vars(self.best).values(), vars(own).values(), strict=True)
            own = Rollouts(*(torch.cat(pair, 1) for pair in pairs)).best()
        self.best = own
        return found

    def _values(self, found: Completed) -> Tensor:
        """`[V, D]` the larger, the better."""
        cost = found.rollouts.cost.double()
        # A vehicle too many weighs as much as all routes of a rollout.
        return -(cost + found.rollouts.violation * cost.mean(1, keepdim=True))

    def _kept(self, found: Completed, rows: Tensor, counts: NDArray[np.int64]) -> Tensor:
        """The best of the rollouts `rows` of each tree, `counts` of which there are."""
        value, ends = self._values(found).flatten()[rows], counts.cumsum()
        best = []
        for begin, end in zip(ends - counts, ends, strict=True):
            some = math.ceil(self._how.kept * (end - begin))
            best.append(begin + value[begin:end].topk(some).indices)
        return rows[torch.cat(best)]

    def _expansion(self, found: Completed, rows: Tensor, kept: Tensor) -> mcts.Expansion:
        """What is behind leaves: the values of their rollouts, and the choices of some.

        Args:
            found: the rollouts.
            rows: `[J]` number in `[V, D]`, flat, of each leaf's.
            kept: `[C]` those of which the choices matter.
        """
        each = found.asked.length.shape[1]
        wanted = torch.zeros(self._views * each, dtype=torch.bool)
        wanted[kept] = True
        leaf = wanted[rows].nonzero()[:, 0]
        some = rows[leaf]
        number = len(self._paths) + torch.arange(len(some))
        paths = self._whole(found.rollouts.actions).flatten(0, 1)[some]
        self._paths = torch.cat([self._paths, paths.int()])
        choices = found.choices(some)
        prior, action, taken = self._likely(some[choices.rollout] // each, choices)
        first = torch.zeros(len(rows) + 1, dtype=torch.int64)
        first[leaf + 1] = torch.bincount(choices.rollout, minlength=len(some))
        return mcts.Expansion(
            value=self._values(found).flatten()[rows].numpy(),
            first=first.cumsum(0).int().numpy(),
            label=(number[choices.rollout] * self._longest + choices.depth).numpy(),
            action=action.int().numpy(),
            prior=prior.double().numpy(),
            taken=taken.int().numpy(),
        )

    def _likely(self, view: Tensor, choices: Choices) -> tuple[Tensor, Tensor, Tensor]:
        """The most likely moves of choices, what was done always being one of them.

        Args:
            view: `[P]` of each choice, in order.
            choices: `P` of them.

        Returns:
            `[P, K]` probabilities, `[P, K]` actions, `[P]` the number of what was done.
        """
        count = torch.bincount(view, minlength=self._views)
        most = int(count.max())
        place = view * most + torch.arange(len(view)) - (count.cumsum(0) - count)[view]

        def by_view(x: Tensor, filling: bool) -> Tensor:
            whole = x.new_full((self._views * most, *x.shape[1:]), filling)
            whole[place] = x
            return whole.view(self._views, most, *x.shape[1:])

        own = choices.decisions
        roles, context = by_view(own.roles, False), by_view(own.context, False)
        allowed, done = by_view(own.allowed, True), by_view(choices.action, False)[..., None]
        parts = []
        size = max(1, _AT_ONCE // (self._views * self._nodes))
        for begin in range(0, most, size):
            part = slice(begin, begin + size)
            some = Decisions(roles[:, part], context[:, part], allowed[:, part])
            probability = logits(self._encoded, some).softmax(-1)
            prior, action = probability.topk(self._moves, -1)
            lacks = (action != done[:, part]).all(-1)
            action[..., -1] = torch.where(lacks, done[:, part, 0], action[..., -1])
            parts.append((probability.gather(-1, action), action))
        if not parts:
            none = torch.zeros(0, self._moves)
            return none, none, none[:, 0]
        prior, action = (
            torch.cat(some, 1).flatten(0, 1)[place] for some in zip(*parts, strict=True)
        )
        return prior, action, (action == choices.action[:, None]).int().argmax(1)

    def _whole(self, actions: Tensor) -> Tensor:
        """Rollouts `[V, D, T]` with the last action repeated up to the longest there can be."""
        return F.pad(actions, (0, self._longest - actions.shape[2]), mode="replicate")

    def _descend(self, trees: mcts.Trees, share: float) -> None:
        """Moves the roots on to a share of their tours."""
        while True:
            depth = trees.label[:, 0] % self._longest
            move = np.where(depth < share * self._steps, trees.best_move(), -1).astype(np.int32)
            before = trees.label[:, 0].copy()
            mcts.advance(trees, move)
            if (trees.label[:, 0] == before).all():
                break
        label = torch.from_numpy(trees.label[:, 0])
        path = self._paths[label // self._longest].view(self._views, -1, self._longest).long()
        least = int((label % self._longest).min())
        self._begun = self._begun.driven(self._env, self._instance, path, least)


@dataclass(frozen=True)
class TreeSolver(PolicySolver):
    """Tree search behind the signature of a solver; see `PolicySolver`."""

    @property
    def alternatives(self) -> tuple[frozenset[Feature], ...]:
        """Only vehicles that are alike."""
        return super().alternatives[:1]

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`: loads the policy and the compiled loops."""
        super().prepare(problem)
        driving.prepare()
        mcts.prepare()

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`; a tree begins at an initial solution."""
        self.prepare(problem)
        clock = Clock(time_limit_s)
        found = super().solve(problem, time_limit_s, seed, initial)
        return found.stamped(method=self.name, seed=seed, time_s=clock.elapsed_s)

    def _begun(self, actions: list[int]) -> Decoder:
        if not isinstance(self.strategy, TreeSearch):
            return self.strategy
        return replace(self.strategy, first=tuple(actions))


# Two views are two directions.
SOLVER = TreeSolver("mcts", TreeSearch(rounds=None, views=2, starts=64))
