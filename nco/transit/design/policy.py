"""Lines by a policy alone: the best of many samples, or of a beam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from nco.transit.design.guide import build, environment_of, greedy, network_guide, sampler
from nco.transit.design.method import Progress
from nco.transit.design.start import take
from nco.transit.policy.environment import TransitState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nco.transit.design.guide import Guide, Guiding, Pick
    from nco.transit.design.method import Budget
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines
    from nco.transit.policy.environment import TransitEnv


@dataclass(frozen=True)
class PolicySampling:
    """The best of many designs that a guide samples.

    Attributes:
        environment: makes the environment of an objective.
        guide: makes the guide.
        name: see `DesignMethod`.
        temperature: of sampling; the first design is made of the likeliest moves.
        rollouts: at a time.
    """

    environment: Callable[[LineObjective], TransitEnv] = environment_of
    guide: Guiding = network_guide
    name: str = "policy-sampling"
    temperature: float = 1.0
    rollouts: int = 16

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
        guide = self.guide(self.environment(objective))
        generator = torch.Generator().manual_seed(seed)
        pick: Pick = greedy
        count = 1
        with progress.keeping_best():
            while not progress.over or progress.lines is None:
                count = min(count, progress.left) or 1
                state = build(guide, guide.env.reset(count), pick)
                progress.costs(state.padded())
                pick, count = sampler(generator, self.temperature), self.rollouts
        return progress.design(self.name, seed)


@dataclass(frozen=True)
class PolicyBeam:
    """Beam search on the guide's probabilities, line by line; what comes out is evaluated.

    After each line the most probable designs go on. Where the budget lasts, a beam twice as wide
    follows.

    Attributes:
        environment: makes the environment of an objective.
        guide: makes the guide.
        name: see `DesignMethod`.
        width: designs that go on.
    """

    environment: Callable[[LineObjective], TransitEnv] = environment_of
    guide: Guiding = network_guide
    name: str = "policy-beam"
    width: int = 8

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`; nothing is random."""
        progress = Progress(objective, budget)
        take(progress, initial)
        guide, width = self.guide(self.environment(objective)), self.width
        with progress.keeping_best():
            while not progress.over or progress.lines is None:
                with torch.inference_mode():
                    state = _beam(guide, width)
                whole = state.padded()
                progress.costs(whole[: max(1, progress.left)])
                if len(whole) < width:
                    break  # there are no more
                width *= 2
        return progress.design(self.name, seed)


def _beam(guide: Guide, width: int) -> TransitState:
    """Complete rollouts, the most probable first."""
    env = guide.env
    state, total = env.reset(1), torch.zeros(1)
    while not state.done.all():
        view, number = guide.look(state), int(state.line[0])
        scene = torch.arange(len(state))
        going = torch.ones(len(state), dtype=torch.bool)
        while going.any():
            part = state.rows(going)
            moves = env.moves(part)
            log_p, _ = guide.judge(view, part, moves, scene[going])
            row, move = (moves >= 0).nonzero().unbind(1)
            after = env.step(part.rows(row), moves[row, move])
            both = zip(vars(state).values(), vars(after).values(), strict=True)
            state = TransitState(*(torch.cat([a[~going], b]) for a, b in both))
            total = torch.cat([total[~going], total[going][row] + log_p[row, move]])
            scene = torch.cat([scene[~going], scene[going][row]])
            best = total.topk(min(width, len(total))).indices
            state, total, scene = state.rows(best), total[best], scene[best]
            going = state.line == number
    return state


SAMPLING = PolicySampling()
BEAM = PolicyBeam()
