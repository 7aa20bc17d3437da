"""What a network learns bus lines from: moves on lines, each with a target, in groups by city.

A lesson holds the closed lines of a few designs of one city, and moves on lines that were built
beyond them. Features are worked out again when a lesson is learned from, so that lessons are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.transit.design.objective import ServiceObjective
from nco.transit.design.tree import with_line
from nco.transit.policy.environment import TransitEnv
from nco.transit.policy.graph import join_choices, join_scenes
from nco.transit.policy.observe import Observer
from nco.transit.simulate.simulation import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.transit.learn.cities import Cities
    from nco.transit.policy.environment import TransitState
    from nco.transit.policy.network import TransitNetwork


@dataclass(frozen=True)
class Lesson:
    """Moves on lines of one city.

    Attributes:
        city: seed of the city.
        demand_share: of the demand that travels.
        closed: `[Q, R, L]` closed lines of designs, -1 elsewhere.
        scene: `[C]` number of the design.
        line: `[C, L]` line under way, -1 behind its end.
        stops: `[C]` how many it has.
        moves: `[C, K]` actions, -1 for padding.
        target: `[C, K]` probabilities to learn; in reinforcement, 1 for what was done.
        gain: `[C]` normalised gain of the line that came out.
        old: `[C]` log-probability of what was done when it was done; 0 where that does not matter.
    """

    city: int
    demand_share: float
    closed: Tensor
    scene: Tensor
    line: Tensor
    stops: Tensor
    moves: Tensor
    target: Tensor
    gain: Tensor
    old: Tensor


class Town:
    """A city of a seed, ready to be played and learned from.

    Args:
        cities: how cities are drawn.
        seed: of the city.
        demand_share: of the demand that travels.
    """

    def __init__(self, cities: Cities, seed: int, demand_share: float) -> None:
        self.instance = cities.draw(seed)
        self.env = TransitEnv(self.instance, demand_share=demand_share)
        self.observer = Observer(self.env)
        settings = Settings.alphatransit(demand_share=demand_share)
        self.objective = ServiceObjective(self.instance, settings)


@lru_cache(maxsize=64)
def town(cities: Cities, seed: int, demand_share: float) -> Town:
    """A town, kept for as long as lessons in it are likely to come again."""
    return Town(cities, seed, demand_share)


@dataclass(frozen=True)
class Judged:
    """What a network makes of lessons; `C` moves in all.

    Attributes:
        log_p: `[C, K]` log-probabilities, -inf where there is no move.
        value: `[C]` normalised gains that are expected.
        target: `[C, K]` of the lessons.
        gain: `[C]` of the lessons.
        old: `[C]` of the lessons.
    """

    log_p: Tensor
    value: Tensor
    target: Tensor
    gain: Tensor
    old: Tensor


def judge(network: TransitNetwork, cities: Cities, lessons: Sequence[Lesson]) -> Judged:
    """Asks a network about the moves of lessons, all in one graph."""
    scenes, choices = [], []
    for lesson in lessons:
        place = town(cities, lesson.city, lesson.demand_share)
        closed = place.env.begun(lesson.closed)
        seen = place.observer.see(closed)
        scenes.append(seen.scenes())
        state = with_line(closed.rows(lesson.scene), lesson.line, lesson.stops)
        choices.append(seen.choices(state, lesson.moves, lesson.scene))
    device = next(network.parameters()).device
    joined = join_choices(choices, scenes).to(device)
    log_p, value = network.judge_moves(network.mix(join_scenes(scenes).to(device)), joined)
    wide = log_p.shape[1]

    def column(name: str) -> Tensor:
        return torch.cat([getattr(lesson, name) for lesson in lessons]).to(device)

    target = [_widened(lesson.target, wide) for lesson in lessons]
    return Judged(log_p, value, torch.cat(target).to(device), column("gain"), column("old"))


def _widened(x: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(x, (0, width - x.shape[1]))


def closed_lines(state: TransitState) -> Tensor:
    """`[B, R, L]` the lines of rollouts that are closed, -1 elsewhere, small enough to keep."""
    closed = torch.arange(state.lines.shape[1]) < state.line[:, None]
    return torch.where(closed[..., None], state.lines, -1).short()
