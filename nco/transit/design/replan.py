"""Lines replanned by a policy: each as if it were the last, with all others as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nco.transit.design.guide import environment_of, finish_line, network_guide, sampler
from nco.transit.instance.lines import pad_lines, unpad_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.transit.design.bees import Replan
    from nco.transit.design.guide import Guiding
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.ways import Line
    from nco.transit.policy.environment import TransitEnv


def replanner(
    objective: LineObjective,
    seed: int,
    guide: Guiding = network_guide,
    environment: Callable[[LineObjective], TransitEnv] = environment_of,
    temperature: float = 1.0,
) -> Replan:
    """What samples another line in place of one of each set, all sets side by side.

    Args:
        objective: of the instance.
        seed: of the samples.
        guide: makes the guide, by default the shipped network.
        environment: makes the environment of an objective.
        temperature: of sampling.
    """
    chosen = guide(environment(objective))
    pick = sampler(torch.Generator().manual_seed(seed), temperature)
    shape = int(objective.instance.lines), int(objective.instance.max_stops)

    def replan(sets: list[list[Line]], numbers: list[int]) -> list[Line]:
        lines = torch.stack([torch.from_numpy(pad_lines(one, *shape)) for one in sets]).long()
        state = chosen.env.reopened(lines, torch.tensor(numbers))
        with torch.inference_mode():
            done, _ = finish_line(chosen, chosen.look(state), state, torch.arange(len(sets)), pick)
        last = done.lines[torch.arange(len(sets)), state.line]
        return [tuple(line) for line in unpad_lines(last.numpy())]

    return replan
