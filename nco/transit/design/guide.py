"""What judges moves in policies and tree search, and rollouts by it.

A guide judges moves: a network does (`NetworkGuide`), or nothing but chance (`WalkGuide`). Lines
are built one after another, each as if it were the last; a scene is mixed once a line, for all
rollouts together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch

from nco.transit.design.objective import ServiceObjective
from nco.transit.policy.environment import TransitEnv, TransitState
from nco.transit.policy.files import load_network
from nco.transit.policy.observe import Observer

if TYPE_CHECKING:
    from torch import Tensor

    from nco.transit.design.objective import LineObjective
    from nco.transit.policy.network import TransitNetwork


class Guide(Protocol):
    """Judges moves of an environment.

    Attributes:
        env: whose moves.
    """

    env: TransitEnv

    def look(self, closed: TransitState) -> Any:
        """What it makes of the closed lines of `Q` rollouts, once a line."""
        ...

    def judge(
        self, view: Any, state: TransitState, moves: Tensor, scene: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities `[B, K]` of moves, -inf where there is none, and values `[B]`.

        Args:
            view: of the closed lines.
            state: `B` rollouts that have a move.
            moves: `[B, K]` of the environment.
            scene: `[B]` number in the view of the closed lines of each.
        """
        ...


class NetworkGuide:
    """The moves that a network thinks best.

    What it sees is moved to where its weights are, and its answers to where rollouts are: trees
    and rollouts stay on the processor.

    Args:
        env: whose moves.
        network: in evaluation mode.
    """

    def __init__(self, env: TransitEnv, network: TransitNetwork) -> None:
        self.env, self.network, self.observer = env, network, Observer(env)
        self._device = next(network.parameters()).device

    def look(self, closed: TransitState) -> Any:
        """See `Guide`."""
        seen = self.observer.see(closed)
        return seen, self.network.mix(seen.scenes().to(self._device))

    def judge(
        self, view: Any, state: TransitState, moves: Tensor, scene: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `Guide`."""
        seen, mixed = view
        choices = seen.choices(state, moves, scene).to(self._device)
        log_p, value = self.network.judge_moves(mixed, choices)
        return log_p.to(moves.device), value.to(moves.device)


class WalkGuide:
    """All moves alike, but for closing.

    Args:
        env: whose moves.
        close: probability of closing where that is possible; a random walk with as good a chance
            to close as to go anywhere would be short.
    """

    def __init__(self, env: TransitEnv, close: float = 0.05) -> None:
        self.env, self.close = env, close

    def look(self, closed: TransitState) -> Any:  # noqa: ARG002 (see Guide)
        """See `Guide`."""
        return None

    def judge(
        self,
        view: Any,  # noqa: ARG002 (see Guide)
        state: TransitState,
        moves: Tensor,
        scene: Tensor,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """See `Guide`."""
        allowed, closes = moves >= 0, moves == self.env.close
        others = (allowed & ~closes).sum(1, keepdim=True)
        share = torch.where(closes.any(1, keepdim=True) & (others > 0), 1 - self.close, 1.0)
        weight = torch.where(closes, torch.where(others > 0, self.close, 1.0), share / others)
        weight = weight.masked_fill(~allowed, 0.0)
        return weight.log(), torch.zeros(len(state), device=moves.device)


class DemandGuide(WalkGuide):
    """Moves to where the line's stops have demand: a prior that nobody has to train.

    The next stop is drawn by the exponentials of its demand with the line's stops, in standard
    deviations over all stops, as AlphaTransit's "demand coverage" draws it.

    Args:
        env: whose moves.
        close: probability of closing where that is possible.
    """

    def __init__(self, env: TransitEnv, close: float = 0.05) -> None:
        super().__init__(env, close)
        demand = env.instance.demand + env.instance.demand.T
        self._demand = torch.as_tensor(demand, dtype=torch.float32, device=env.device)

    def judge(
        self,
        view: Any,  # noqa: ARG002 (see Guide)
        state: TransitState,
        moves: Tensor,
        scene: Tensor,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """See `Guide`."""
        allowed, closes = moves >= 0, moves == self.env.close
        others = allowed & ~closes
        with_line = state.used.to(self._demand) @ self._demand
        # Before a line has stops, what counts is all the demand of a stop.
        empty = (state.stops == 0)[:, None]
        with_line = torch.where(empty, self._demand.sum(0)[None], with_line)
        spread = with_line.std(1, keepdim=True).clamp(min=1e-6)
        node = moves.clamp(min=0) % self.env.instance.size
        score = (with_line / spread).gather(1, node).masked_fill(~others, -torch.inf)
        some = others.any(1, keepdim=True)
        log_p = torch.where(some, score - score.logsumexp(1, keepdim=True).nan_to_num(), score)
        can = closes.any(1, keepdim=True)
        go_on = torch.where(can & some, math.log1p(-self.close), 0.0)
        stop = torch.where(some, math.log(self.close), 0.0)
        log_p = torch.where(closes, stop, log_p + go_on)
        return log_p.masked_fill(~allowed, -torch.inf), torch.zeros(len(state), device=moves.device)


class Taken(NamedTuple):
    """One move of each of some rollouts.

    Attributes:
        row: `[C]` which rollouts.
        line: `[C, L]` the line before the move, -1 behind its end.
        stops: `[C]` how many it had.
        moves: `[C, K]` what was allowed, -1 for padding.
        log_p: `[C, K]` of the guide.
        value: `[C]` of the guide.
        taken: `[C]` number of the move that was made.
    """

    row: Tensor
    line: Tensor
    stops: Tensor
    moves: Tensor
    log_p: Tensor
    value: Tensor
    taken: Tensor


type Pick = Callable[[Tensor], Tensor]
"""Numbers `[B]` of moves by their log-probabilities `[B, K]`."""


def greedy(log_p: Tensor) -> Tensor:
    """The likeliest moves."""
    return log_p.argmax(1)


def sampler(generator: torch.Generator, temperature: float = 1.0) -> Pick:
    """Moves at random by their probabilities."""

    def pick(log_p: Tensor) -> Tensor:
        # Gumbel's trick: the largest of noisy logarithms is a sample.
        noise = torch.rand(log_p.shape, generator=generator).clamp(1e-20, 1 - 1e-7)
        return (log_p / temperature - (-noise.log()).log().to(log_p)).argmax(1)

    return pick


def finish_line(
    guide: Guide, view: Any, state: TransitState, scene: Tensor, pick: Pick
) -> tuple[TransitState, list[Taken]]:
    """Goes on until the line under way of every rollout is closed.

    Args:
        guide: judges moves.
        view: of the closed lines.
        state: `B` rollouts.
        scene: `[B]` number in the view of the closed lines of each.
        pick: chooses moves.

    Returns:
        The rollouts, and all moves that were made, in order.
    """
    env, number = guide.env, state.line
    whole, made = TransitState(*(tensor.clone() for tensor in vars(state).values())), []
    row = (~state.done).nonzero()[:, 0]
    part = whole.rows(row)
    while len(row):
        moves = env.moves(part)
        log_p, value = guide.judge(view, part, moves, scene[row])
        taken = pick(log_p)
        made.append(Taken(row, part.current, part.stops, moves, log_p, value, taken))
        part = env.step(part, moves.gather(1, taken[:, None])[:, 0])
        for to, tensor in zip(vars(whole).values(), vars(part).values(), strict=True):
            to[row] = tensor
        open_ = part.line == number[row]
        part, row = part.rows(open_), row[open_]
    return whole, made


def build(guide: Guide, state: TransitState, pick: Pick) -> TransitState:
    """Goes on until all lines of every rollout, which are at the same line, are closed."""
    scene = torch.arange(len(state), device=state.line.device)
    with torch.inference_mode():
        while not state.done.all():
            state, _ = finish_line(guide, guide.look(state), state, scene, pick)
    return state


type Guiding = Callable[[TransitEnv], Guide]
"""Makes the guide of an environment."""

NETWORK = "transit"
"""The network that methods are guided by if they are told of no other."""


def environment_of(objective: LineObjective) -> TransitEnv:
    """Lines that grow at their end, with the demand that the objective lets travel."""
    share = 1.0
    if isinstance(objective, ServiceObjective):
        share = objective.simulator.settings.demand_share
    return TransitEnv(objective.instance, demand_share=share)


@cache
def _shipped() -> TransitNetwork:
    return load_network(NETWORK).network


def network_guide(env: TransitEnv) -> Guide:
    """Guided by the network that comes with the package.

    Raises:
        PolicyError: it is missing or damaged.
    """
    return NetworkGuide(env, _shipped())
