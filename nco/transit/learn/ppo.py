"""Lines by reinforcement: lines that several rollouts make of the same design, against their mean.

Proximal policy optimisation (Schulman et al. 2017), with the mean of the other rollouts of the
same design for a baseline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.errors import PolicyError
from nco.transit.design.guide import build, finish_line, sampler
from nco.transit.learn.lessons import Lesson, closed_lines

if TYPE_CHECKING:
    from torch import Tensor

    from nco.transit.design.guide import Guide
    from nco.transit.learn.lessons import Judged, Town


class TransitPPO:
    """Learns from each lesson a few times, soon after it was collected.

    Args:
        designs: of a city, each with another line to be built anew.
        rollouts: lines for each.
        rounds: how often lines are taken out and built anew, the best being kept.
        clip: ratios of probabilities beyond 1 plus or minus this are clipped.
        epochs: how often each lesson is learned from.
        entropy: weight of the entropy of moves.
        value: weight of the error of values.

    Raises:
        PolicyError: a number makes no sense.
    """

    def __init__(
        self,
        designs: int = 6,
        rollouts: int = 16,
        rounds: int = 2,
        clip: float = 0.2,
        epochs: int = 2,
        entropy: float = 0.01,
        value: float = 0.5,
    ) -> None:
        if min(designs, rounds, epochs) < 1 or rollouts < 2 or not 0 < clip < 1:
            raise PolicyError(
                f"designs, rounds and epochs are {designs}, {rounds} and {epochs} (1 or more), "
                f"rollouts {rollouts} (2 or more), clip {clip} (between 0 and 1); mend one of them"
            )
        self.designs, self.rollouts, self.rounds = designs, rollouts, rounds
        self.clip, self.epochs, self.entropy, self.value = clip, epochs, entropy, value
        self.replays = False

    def collect(
        self,
        town: Town,
        city: int,
        guide: Guide,
        generator: torch.Generator,
        scale: float,  # noqa: ARG002 (lines are measured against their like)
    ) -> tuple[list[Lesson], list[float]]:
        """Plays in a city.

        Args:
            town: the city.
            city: its seed.
            guide: the network's.
            generator: of all that is random.
            scale: costs that a gain of one stands for.

        Returns:
            Lessons, and the standard deviations of the costs of each design's lines.
        """
        env, pick = town.env, sampler(generator)
        designs = build(guide, env.reset(self.designs), pick).lines
        lessons, spreads = [], []
        for _ in range(self.rounds):
            out = torch.randint(designs.shape[1], (self.designs,), generator=generator)
            roots = env.reopened(designs, out)
            with torch.inference_mode():
                view = guide.look(roots)
                scene = torch.arange(self.designs).repeat_interleave(self.rollouts)
                done, made = finish_line(guide, view, roots.rows(scene), scene, pick)
            cost = town.objective.costs(done.padded()).reshape(self.designs, self.rollouts)
            spread = cost.std(1)
            gain = (cost.mean(1, keepdims=True) - cost) / np.maximum(spread, 1e-6)[:, None]
            spreads += spread.tolist()
            gains = torch.from_numpy(gain.flatten()).float()
            rows = torch.cat([step.row for step in made])
            wide = max(step.moves.shape[1] for step in made)
            pad = torch.nn.functional.pad
            moves = torch.cat([pad(s.moves, (0, wide - s.moves.shape[1]), value=-1) for s in made])
            taken = torch.cat([step.taken for step in made])
            old = torch.cat([s.log_p.gather(1, s.taken[:, None])[:, 0] for s in made])
            choice = ((moves >= 0).sum(1) > 1).nonzero()[:, 0]
            lessons.append(
                Lesson(
                    city, env.demand_share, closed_lines(roots), scene[rows][choice],
                    torch.cat([step.line for step in made])[choice],
                    torch.cat([step.stops for step in made])[choice], moves[choice],
                    torch.nn.functional.one_hot(taken[choice], wide).float(),
                    gains[rows][choice], old[choice],
                )
            )  # fmt: skip
            best = torch.from_numpy(cost.argmin(1)) + self.rollouts * torch.arange(self.designs)
            designs = done.lines[best]
        return lessons, spreads

    def loss(self, judged: Judged) -> tuple[Tensor, dict[str, Tensor]]:
        """What is minimised, and numbers to look at."""
        log_p = judged.log_p.masked_fill(judged.log_p.isinf(), 0.0)
        new = (log_p * judged.target).sum(1)
        ratio = (new - judged.old).exp()
        clipped = ratio.clamp(1 - self.clip, 1 + self.clip)
        gain = torch.minimum(ratio * judged.gain, clipped * judged.gain).mean()
        entropy = -(judged.log_p.exp() * log_p).sum(1).mean()
        error = (judged.value - judged.gain).square().mean()
        logged = {"gain": gain, "entropy": entropy, "value_error": error}
        return self.value * error - gain - self.entropy * entropy, logged
