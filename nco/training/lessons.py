"""Training instances that have solutions: drawn again whenever they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from nco.envs import environment
from nco.envs.instances import each
from nco.errors import FormatError
from nco.training.batch import Drawn
from nco.training.labels import Group, Labels, read_labels
from nco.training.sampler import DRAW
from nco.training.seeds import seeded

if TYPE_CHECKING:
    from nco.training.distribution import Distribution
    from nco.training.pools import Pools

_SAME_COST = 1e-3  # share by which the cost of a label may differ when it is drawn again


@dataclass(frozen=True)
class Lessons:
    """Groups of instances of one problem and size, drawn on the CPU, where draws are repeatable.

    Attributes:
        plan: which labels there are to be.
        law: everything that the instances follow from, as plain data.
        pools: of the cities, on the CPU.
        problems: names of the environments.
        stops: smallest and largest number of stops.
        distribution: of the instances.
        seed: of the instances.
        problem_weights: how often each problem is drawn; None for equally.
    """

    plan: Labels
    law: dict[str, Any]
    pools: Pools
    problems: tuple[str, ...]
    stops: tuple[int, int]
    distribution: Distribution
    seed: int
    problem_weights: list[float] | None = None

    def instance(self, group: int) -> tuple[str, Any]:
        """Problem and instances of a group."""
        generator = seeded("cpu", "labels", self.seed, group)
        problem, stops = kind(generator, self.problems, self.stops, self.problem_weights)
        draw = DRAW[problem]
        return problem, draw(self.pools, self.plan.size, stops, self.distribution, generator)

    def groups(self) -> dict[int, Group]:
        """The labels of the file.

        Raises:
            FormatError: the file is missing, damaged, empty, or of other instances.
        """
        known = read_labels(self.plan.path, self.law)
        if not known:
            raise FormatError(f"labels {self.plan.path} are empty; run `nco train label`")
        return known

    def drawn(
        self, groups: dict[int, Group], turn: int, device: torch.device, generator: torch.Generator
    ) -> Drawn:
        """The batch of a turn; every group comes once before any comes again.

        Raises:
            FormatError: the tables of the cities have changed since the labels were computed.
        """
        numbers = sorted(groups)
        cycle, place = divmod(turn, len(numbers))
        order = torch.randperm(len(numbers), generator=seeded("cpu", "cycle", self.seed, cycle))
        group = numbers[int(order[place])]
        problem, instance = self.instance(group)
        label, cost = groups[group].tensors()
        found = environment(problem).cost(instance, label.clamp_min(0)[:, None])[:, 0]
        if not torch.allclose(found, cost, rtol=_SAME_COST):
            raise FormatError(
                f"labels {self.plan.path} are of other instances: the tables of the cities have "
                "changed; remove the file and run `nco train label`"
            )
        instance = each(instance, lambda _, tensor: tensor.to(device))
        return Drawn(problem, instance, generator, label.to(device))


def kind(
    generator: torch.Generator,
    problems: tuple[str, ...],
    stops: tuple[int, int],
    weights: list[float] | None = None,
) -> tuple[str, int]:
    """Draws the problem, equally or by weight, and the number of stops of a batch."""
    low, high = stops
    size = int(torch.randint(low, high + 1, (), generator=generator))
    law = torch.ones(len(problems)) if weights is None else torch.tensor(weights)
    return problems[int(torch.multinomial(law, 1, generator=generator))], size
