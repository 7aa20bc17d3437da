"""The data module: instances drawn from city tables, and validation against references.

Every batch follows from the seed, the epoch and its number alone. So a resumed run sees what an
uninterrupted one sees, and processes that train together, which take different numbers, see
different instances.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from nco.envs import environment
from nco.errors import FormatError, PolicyError, quoted
from nco.memory import require_memory
from nco.training.batch import Drawn, Referenced
from nco.training.curriculum import Curriculum
from nco.training.distribution import Distribution
from nco.training.labels import Group, Labels
from nco.training.lessons import Lessons, kind
from nco.training.pools import Pools
from nco.training.references import References
from nco.training.sampler import DRAW, TIMED
from nco.training.seeds import seeded
from nco.training.sources import TableSize, find_sources, table_of
from nco.training.validation import Validation

log = logging.getLogger("nco")

_PAIR_BYTES = 8  # of an instance, at least


class CityData(lightning.LightningDataModule):
    """Batches of instances on real cities.

    Args:
        cities: to train on: built-in names, names of extracts in `folder`, or paths of extracts
            or tables.
        folder: of extracts.
        city_weights: how often each city is drawn, in the order of `cities`; None for equally.
        validation_cities: to validate on; none of them may be trained on.
        references: file of reference costs, see `nco train references`; None for no validation.
        problems: names of the environments; each batch is of one of them.
        problem_weights: how often each problem is drawn, in the order of `problems`; None for
            equally.
        stops: smallest and largest number of stops (nodes, in tours); each batch has one number.
        curriculum: from which sizes training begins.
        batch_size: instances of a batch of the largest size, of each process; of smaller ones
            there are as many more as they have fewer stops.
        batches_per_epoch: of all processes together.
        distribution: how training instances are drawn.
        table: how many points each city gives.
        backwards: share of batches that drive backwards: every arc the other way, and the day from
            its end.
        half: keep distances in half precision: half the memory, each within 0.05 % of its own.
        labels: train on these instances, which have solutions, instead; see `nco train label`.
        validation_stops: sizes of validation instances.
        validation_instances: of each size.
        seed: of training instances.
    """

    def __init__(
        self,
        cities: list[str],
        folder: str | None = None,
        city_weights: list[float] | None = None,
        validation_cities: list[str] | None = None,
        references: str | None = None,
        problems: list[str] | None = None,
        problem_weights: list[float] | None = None,
        stops: tuple[int, int] = (20, 50),
        curriculum: Curriculum = Curriculum(),  # noqa: B008 (frozen)
        batch_size: int = 64,
        batches_per_epoch: int = 200,
        distribution: Distribution = Distribution(),  # noqa: B008 (frozen)
        table: TableSize = TableSize(),  # noqa: B008 (frozen)
        backwards: float = 0.0,
        half: bool = False,
        labels: Labels | None = None,
        validation_stops: tuple[int, ...] = (20, 50),
        validation_instances: int = 32,
        seed: int = 1234,
    ) -> None:
        super().__init__()
        validation_cities = validation_cities or []
        problems = ["rcvrp"] if problems is None else problems
        _check(cities, validation_cities, problems, stops)
        _check_weights("city_weights", city_weights, "cities", len(cities))
        _check_weights("problem_weights", problem_weights, "problems", len(problems))
        for name in ("batch_size", "batches_per_epoch", "validation_instances"):
            if locals()[name] < 1:
                raise PolicyError(f"{name} is {quoted(locals()[name])}; give 1 or more")
        if not 0 <= backwards <= 1:
            raise PolicyError(
                f"backwards is {quoted(backwards)}; give a share of batches from 0 to 1"
            )
        if any(size < 2 for size in validation_stops):
            raise PolicyError(
                f"validation_stops is {quoted(list(validation_stops))}; give 2 or more each"
            )
        self.sources = find_sources(cities, folder)
        self.problems = tuple(problems)
        self.validation = Validation(
            find_sources(validation_cities, folder),
            table,
            self.problems,
            tuple(validation_stops),
            validation_instances,
            References(references) if references else None,
        )
        self.city_weights, self.problem_weights = city_weights, problem_weights
        self.stops, self.curriculum, self.batch_size = stops, curriculum, batch_size
        self.batches_per_epoch = batches_per_epoch
        self.distribution, self.table, self.half = distribution, table, half
        self.backwards = backwards
        self.labels, self.seed = labels, seed
        self._pools: Pools | None = None
        self._lessons: Lessons | None = None
        self._groups: dict[int, Group] = {}
        self._validation: list[Referenced] = []

    def prepare_data(self) -> None:
        """Computes the tables that are not in the cache yet."""
        for source in (*self.sources, *self.validation.sources):
            table_of(source, self.table)

    def setup(self, stage: str) -> None:
        """Reads tables, labels and references.

        Raises:
            FormatError: a file is damaged or of other instances.
            PolicyError: a table has too few points, or there is nothing to validate on.
        """
        if stage == "fit" and self._pools is None:
            self._pools = self._read_tables()
            if self.labels is not None:
                self._lessons = self.lessons()
                self._groups = self._lessons.groups()
        references = self.validation.references
        if references is None and stage == "validate":
            raise PolicyError(
                "there is nothing to validate on: set data.references to a file that "
                "`nco train references` wrote, and data.validation_cities"
            )
        if references is None or self._validation:
            return
        if stage == "fit" and not references.exist:
            log.warning(
                "%s does not exist: training without validation; run `nco train references` with "
                "the same config to have it",
                references.path,
            )
            return
        self._validation = self.validation.batches()

    def lessons(self) -> Lessons:
        """The labelled instances of `labels`.

        Raises:
            FormatError: `labels` is not set.
            InputError: its groups do not fit into the memory.
        """
        if self.labels is None:
            raise FormatError("data.labels is not set; give data.labels.path")
        nodes, size = self.stops[1] + 1, self.labels.size
        require_memory(_PAIR_BYTES * size * nodes**2, f"groups of {size} labelled instances")
        law = {
            "problems": list(self.problems),
            "problem_weights": self.problem_weights,
            "cities": [source.path.name for source in self.sources],
            "city_weights": self.city_weights,
            "table": asdict(self.table),
            "distribution": asdict(self.distribution),
            "stops": list(self.stops),
            "size": self.labels.size,
            "seed": self.seed,
        }
        pools = self._read_tables() if self._pools is None else self._pools
        pools = pools.to(torch.device("cpu"))
        return Lessons(
            self.labels, law, pools, self.problems, self.stops, self.distribution, self.seed,
            self.problem_weights,
        )  # fmt: skip

    def _read_tables(self) -> Pools:
        pools = Pools.of(
            [table_of(source, self.table) for source in self.sources],
            half=self.half,
            times=bool(TIMED.intersection(self.problems)),
            weights=self.city_weights,
        )
        pools.check(self.stops[1] + 1)
        log.info("matrices of %d cities take %.0f MB", len(self.sources), pools.bytes / 1e6)
        return pools

    def summary(self) -> dict[str, Any]:
        """What is drawn, for the card of the policy."""
        return {
            "problems": list(self.problems),
            "problem_weights": self.problem_weights,
            "cities": [source.name for source in self.sources],
            "validation_cities": [source.name for source in self.validation.sources],
            "stops": list(self.stops),
            "backwards": self.backwards,
            "batch_size": self.batch_size,
            "seed": self.seed,
        }

    def train_dataloader(self) -> DataLoader[int]:
        """As many places as this process has batches; what is drawn for them is not loaded."""
        return DataLoader(range(self.batches_per_epoch // self._process()[1]), batch_size=None)  # type: ignore[arg-type]

    def val_dataloader(self) -> list[DataLoader[int]]:
        """Numbers of validation batches; every process takes all."""
        if not self._validation:
            return []
        return [DataLoader(range(len(self._validation)), batch_size=None)]  # type: ignore[arg-type]

    def transfer_batch_to_device(
        self,
        batch: Any,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002 (Lightning's signature)
    ) -> Drawn | Referenced:
        """Draws the batch whose turn it is."""
        trainer = self.trainer
        assert trainer is not None  # noqa: S101 (Lightning sets it before it asks for batches)
        if not trainer.training:
            return self._validation[int(batch)]
        # A loader begins again when training is resumed; the count of batches goes on.
        place = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        rank, world = self._process()
        return self.drawn(trainer.current_epoch, rank + world * place, device)

    def drawn(self, epoch: int, number: int, device: torch.device) -> Drawn:
        """The training batch of an epoch and a number."""
        generator = seeded(device, self.seed, epoch, number)
        if self._lessons is not None:
            turn = epoch * self.batches_per_epoch + number
            return self._lessons.drawn(self._groups, turn, device, generator)
        assert self._pools is not None  # noqa: S101 (set in setup)
        if self._pools.device != device:
            self._pools = self._pools.to(device)
        # Problems and sizes are drawn by the number's place in its group of processes' numbers,
        # so that processes that step together have about equal work.
        world = self._process()[1]
        group = number // world
        limits = self.curriculum.at(epoch + group * world / self.batches_per_epoch, self.stops)
        dice = seeded("cpu", "size", self.seed, epoch, group)
        problem, stops = kind(dice, self.problems, limits, self.problem_weights)
        batch = self.batch_size * self.stops[1] // stops
        instance = DRAW[problem](self._pools, batch, stops, self.distribution, generator)
        if self.backwards and float(torch.rand((), generator=dice)) < self.backwards:
            instance = environment(problem).reversed(instance) or instance
        return Drawn(problem, instance, generator)

    def _process(self) -> tuple[int, int]:
        """Number of this process and number of all."""
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)


def _check(
    cities: list[str], validation_cities: list[str], problems: list[str], stops: tuple[int, int]
) -> None:
    if not cities:
        raise PolicyError("cities is empty; name at least one city to train on")
    both = sorted(set(cities) & set(validation_cities))
    if both:
        raise PolicyError(
            f"validation_cities and cities share {', '.join(both)}; a policy must be validated on "
            "cities that it does not train on"
        )
    if not problems or any(problem not in DRAW for problem in problems):
        raise PolicyError(
            f"problems is {quoted(problems)}; name one or more of {', '.join(sorted(DRAW))}"
        )
    if not 2 <= stops[0] <= stops[1]:
        raise PolicyError(f"stops is {quoted(list(stops))}; give 2 <= smallest <= largest")


def _check_weights(name: str, weights: list[float] | None, of: str, count: int) -> None:
    if weights is not None and (
        len(weights) != count or min(weights) < 0 or not 0 < sum(weights) < float("inf")
    ):
        raise PolicyError(
            f"{name} is {quoted(weights)}; give a number of 0 or more for each of the {count} "
            f"{of}, and one above 0"
        )
