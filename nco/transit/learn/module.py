"""The Lightning module that learns bus networks, and its data: made-up cities, as many as wanted.

    nco train transit fit --config transit-ppo
    nco train transit fit --config transit-selfplay --model.weights LAST.ckpt
    nco train transit export LAST.ckpt mine.safetensors

Each step plays in one city and learns from what was played; methods that replay keep lessons in a
buffer, which is part of checkpoints. Cities, games and what is drawn from the buffer follow from
the seed and the number of the step, so training goes on exactly where it was stopped.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Timer
from torch.utils.data import DataLoader

from nco.errors import PolicyError, quoted
from nco.training.checkpoints import AtomicCheckpoints
from nco.transit.design.guide import NetworkGuide
from nco.transit.learn.cities import Cities
from nco.transit.learn.lessons import Lesson, judge, town
from nco.transit.policy.files import CHECKPOINT_KEY, load_network
from nco.transit.policy.network import TransitNetwork

if TYPE_CHECKING:
    from torch import Tensor

    from nco.transit.design.guide import Guide
    from nco.transit.learn.lessons import Judged, Town

MOST_LESSONS = 1_000_000
"""In the buffer: more than a run of months plays."""
_MEMORY = 0.98
"""Weight of what was in the running spread of costs."""


class TransitMethod(Protocol):
    """How lessons come about and what is learned from them.

    Attributes:
        epochs: how often fresh lessons are learned from.
        replays: whether lessons are kept and learned from again.
    """

    epochs: int
    replays: bool

    def collect(
        self, town: Town, city: int, guide: Guide, generator: torch.Generator, scale: float
    ) -> tuple[list[Lesson], list[float]]:
        """Lessons of a city, and spreads of costs."""
        ...

    def loss(self, judged: Judged) -> tuple[Tensor, dict[str, Tensor]]:
        """What is minimised, and numbers to look at."""
        ...


class TransitTraining(lightning.LightningModule):
    """Trains a network for bus lines.

    Args:
        method: self-play or reinforcement.
        network: to be trained.
        cities: how they are drawn.
        demand_shares: of the demand that travels; each city has one of them.
        weights: network to begin with: a file or a checkpoint.
        learning_rate: of AdamW.
        cooldown: share of all steps, or of `max_time`, in which the learning rate falls to a tenth.
        buffer: lessons that are kept.
        batch: lessons that a step learns from besides the fresh ones.
        seed: of cities and games.

    Raises:
        PolicyError: an option makes no sense, or `weights` are of another network.
    """

    def __init__(
        self,
        method: TransitMethod,
        network: TransitNetwork,
        cities: Cities = Cities(),  # noqa: B008 (frozen)
        demand_shares: tuple[float, ...] = (0.3, 1.0),
        weights: str | None = None,
        learning_rate: float = 1e-3,
        cooldown: float = 0.3,
        buffer: int = 400,
        batch: int = 3,
        seed: int = 1,
    ) -> None:
        super().__init__()
        if not demand_shares or not all(0 < share <= 1 for share in demand_shares):
            raise PolicyError(
                f"demand_shares is {quoted(demand_shares)}; give shares above 0, up to 1"
            )
        if not 0 < learning_rate < float("inf") or not 0 <= cooldown <= 1 or min(buffer, batch) < 0:
            raise PolicyError(
                f"learning_rate is {learning_rate} (above 0), cooldown {cooldown} (a share), "
                f"buffer {buffer} and batch {batch} (0 or more); mend one of them"
            )
        if buffer > MOST_LESSONS or seed < 0:
            raise PolicyError(
                f"buffer is {quoted(buffer)} (at most {MOST_LESSONS}) and seed {quoted(seed)} "
                "(0 or more); mend one of them"
            )
        self.method, self.network, self.cities = method, network, cities
        self.demand_shares, self.learning_rate = tuple(demand_shares), learning_rate
        self.cooldown, self.batch, self.seed, self.weights = cooldown, batch, seed, weights
        self.lessons: deque[Lesson] = deque(maxlen=buffer)
        self.automatic_optimization = False
        # Of costs of lines of one design: what a gain of one stands for.
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(0.0))
        if weights is not None:
            network.load_state_dict(load_network(weights).network.state_dict())

    def setup(self, stage: str) -> None:  # noqa: ARG002 (Lightning's signature)
        """Has checkpoints written whole."""
        self.trainer.strategy.checkpoint_io = AtomicCheckpoints()

    def training_step(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Plays in one city and learns."""
        # Lightning counts optimizer steps; what is drawn follows from the count of batches.
        number = self.trainer.fit_loop.epoch_loop.total_batch_idx
        rng = np.random.default_rng((self.seed, number))
        city, share = int(rng.integers(2**31)), float(rng.choice(self.demand_shares))
        fresh, spreads = self._play(city, share)
        kept = list(self.lessons)
        for _ in range(self.method.epochs):
            count = min(self.batch, len(kept)) if self.method.replays else 0
            drawn = rng.choice(len(kept), count, replace=False).tolist() if count else []
            lessons = [*fresh, *(kept[k] for k in drawn)]
            if lessons:
                self._learn(lessons)
        if self.method.replays:
            self.lessons.extend(fresh)
        self.log("spread", float(np.mean(spreads)))
        self.log("scale", self.scale)

    def _play(self, city: int, share: float) -> tuple[list[Lesson], list[float]]:
        self.network.eval()
        place = town(self.cities, city, share)
        generator = torch.Generator().manual_seed(city)
        guide = NetworkGuide(place.env, self.network)
        scale = float(self.scale) or 1.0
        fresh, spreads = self.method.collect(place, city, guide, generator, scale)
        self.network.train()
        mean = float(np.mean(spreads))
        old = float(self.scale)
        self.scale.fill_(_MEMORY * old + (1 - _MEMORY) * mean if old else mean)
        return fresh, spreads

    def _learn(self, lessons: list[Lesson]) -> None:
        optimizer: Any = self.optimizers()
        fall = min(1.0, (1 - self._done()) / self.cooldown) if self.cooldown else 1.0
        for group in optimizer.param_groups:
            group["lr"] = self.learning_rate * max(0.1, fall)
        loss, logged = self.method.loss(judge(self.network, self.cities, lessons))
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, 1.0, "norm")
        optimizer.step()
        self.log_dict({name: value.detach() for name, value in logged.items()})

    def _done(self) -> float:
        """Share of the training that is done, by steps or by time, whichever is more."""
        trainer, shares = self.trainer, [0.0]
        if trainer.max_steps > 0:
            shares.append(trainer.global_step / trainer.max_steps)
        callbacks: list[Any] = getattr(trainer, "callbacks", [])
        for timer in (one for one in callbacks if isinstance(one, Timer)):
            gone_s, left_s = timer.time_elapsed(), timer.time_remaining()
            if left_s is not None:
                shares.append(gone_s / max(gone_s + left_s, 1e-9))
        return min(1.0, max(shares))

    def configure_optimizers(self) -> Any:
        """AdamW."""
        return torch.optim.AdamW(self.network.parameters(), self.learning_rate, weight_decay=1e-4)

    def train_dataloader(self) -> DataLoader[int]:
        """Numbers of steps; what is learned from is played."""
        return DataLoader(range(10**6), batch_size=None)  # type: ignore[arg-type]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the buffer, and what the network is."""
        checkpoint["lessons"] = [dict(vars(lesson)) for lesson in self.lessons]
        checkpoint[CHECKPOINT_KEY] = {
            "network": dict(self.network.options),
            "training": {
                "steps": int(self.trainer.global_step),
                "method": type(self.method).__name__,
                "weights": self.weights,
                "cities": vars(self.cities).copy(),
                "demand_shares": list(self.demand_shares),
                "learning_rate": self.learning_rate,
                "seed": self.seed,
            },
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the buffer back."""
        self.lessons.extend(Lesson(**fields) for fields in checkpoint["lessons"])
