"""A policy for one city: fine-tuning in a stated time, judged between places it was not trained on.

The points of the city are split once: most are trained on, the others only measured on. The time
limit holds for everything, from the matrices to the file; the learning rate falls to 0 by its end.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs import environment
from nco.envs.convert import conversion
from nco.errors import PolicyError, quoted
from nco.interruption import answering
from nco.memory import require_memory
from nco.models.files import read_policy, save_policy
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.views import EIGHT
from nco.threads import torch_threads
from nco.training.distribution import PLAIN, Distribution
from nco.training.memory import keep_freed_memory
from nco.training.pools import Pools
from nco.training.references import reference_costs
from nco.training.reinforce import rollout_loss
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.training.sources import TableSize, find_sources, table_of
from nco.training.threads import threads_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from nco.models.files import StoredPolicy
    from nco.models.policy import Policy

log = logging.getLogger("nco")

SIZE = TableSize(whole=1500, boxed=600, boxes=6)
HELD_OUT = 1 / 3
"""Share of the points that are only measured on."""
EIGHT_VIEWS = Strategy(views=EIGHT)

_WARMUP = 0.03  # share of the time in which the learning rate rises
_REPORT_S = 60.0
_LEAST_SHARE = 0.7  # of the stops of the largest instances, in the smallest
_LEAST_S = 5.0  # of training, or it is not worth its name


@dataclass(frozen=True)
class FineTuning:
    """What to fine-tune and for how long.

    Attributes:
        city: name, extract or table, as `nco train fit` takes cities.
        policy: shipped name, policy file or checkpoint to begin with.
        folder: of extracts.
        depot: lonlat of the depot of all instances; None to draw one for each.
        minutes: for everything.
        problems: names of environments; None for all that the policy serves.
        stops: of the largest instances trained on; the smallest have 30 % less.
        instances: measured on, of each problem.
        reference_s: PyVRP's CPU seconds for each of these.
        learning_rate: largest of AdamW.
        batch_size: instances of a step.
        starts: rollouts of each.
        seed: of everything random.
        table: how many points the city gives.

    Raises:
        PolicyError: a number makes no sense.
        InputError: the instances do not fit into the memory.
    """

    city: str
    policy: str
    folder: str | None = None
    depot: tuple[float, float] | None = None
    minutes: float = 30.0
    problems: tuple[str, ...] | None = None
    stops: int = 50
    instances: int = 32
    reference_s: float = 1.0
    learning_rate: float = 5e-4
    batch_size: int = 32
    starts: int = 20
    seed: int = 1
    table: TableSize = SIZE

    def __post_init__(self) -> None:
        if not 0 < self.minutes < math.inf:
            raise PolicyError(f"minutes is {quoted(self.minutes)}; give a number above 0")
        least = {"stops": 4, "instances": 2, "batch_size": 1, "starts": 2, "seed": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise PolicyError(f"{name} is {quoted(getattr(self, name))}; give {low} or more")
        require_memory(8 * self.instances * (self.stops + 1) ** 2, f"{self.instances} instances")
        for name in ("reference_s", "learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise PolicyError(f"{name} is {quoted(getattr(self, name))}; give a number above 0")


@dataclass(frozen=True)
class Gap:
    """Mean gaps to PyVRP with eight views, in percent, before and after.

    Attributes:
        problem: name of the environment.
        before: of the policy that training began with.
        after: of the policy that it ended with.
        error: standard error of `after`.
        gain_error: standard error of the difference, instance by instance.
    """

    problem: str
    before: float
    after: float
    error: float
    gain_error: float


@dataclass(frozen=True)
class _Cases:
    """Instances that are measured on, and what PyVRP found for them."""

    problem: str
    instance: Any
    reference: Tensor

    def gaps(self, policy: Policy) -> Tensor:
        """`[B]` percent."""
        env = environment(self.problem)
        best = EIGHT_VIEWS.decode(env, self.instance, policy).best()
        return 100 * (best.cost[:, 0].double() / self.reference.double() - 1)


def specialise(settings: FineTuning, out: str | Path) -> list[Gap]:
    """Fine-tunes a policy on one city and writes it.

    An interrupt (Ctrl-C) ends training at once; what was learnt is written, but not measured.

    Args:
        settings: what and for how long.
        out: path of the policy file, ending in `.safetensors`.

    Returns:
        One gap a problem, all of instances between held-out places of the city.

    Raises:
        CityError: the city or the depot cannot be used.
        PolicyError: the policy cannot be loaded or does not serve a problem, the city has too few
            points, or the time is over before training begins.
        KeyboardInterrupt: after what was learnt was written.
    """
    end_s = time.monotonic() + 60 * settings.minutes
    if Path(out).suffix != ".safetensors":
        raise PolicyError(f"{out}: a policy file must end in .safetensors")
    keep_freed_memory()
    loaded = read_policy(settings.policy)
    names = _problems(loaded, settings)
    trained, held_out = _pools(settings)
    for pools in (trained, held_out):
        pools.check(settings.stops + 1)
    cases = [_cases(name, held_out, settings) for name in names]
    policy = loaded.policy
    begin_s = time.monotonic()
    before = [case.gaps(policy) for case in cases]
    # Measuring again takes as long as it took now.
    last_s = end_s - 1.2 * (time.monotonic() - begin_s)
    if last_s - time.monotonic() < _LEAST_S:
        raise PolicyError(
            f"{settings.minutes:g} minutes were over before training began: matrices and "
            "references take some; give more minutes, or fewer instances"
        )
    steps = 0

    def write(measured: list[Gap]) -> None:
        card = {
            "about": f"{settings.policy}, fine-tuned on {settings.city}",
            "training": {
                **asdict(settings),
                "steps": steps,
                "began_with": loaded.card.get("training"),
            },
            "measured": [asdict(gap) for gap in measured],
        }
        save_policy(out, policy, loaded.problems, card)

    threads = threads_for(policy, settings.batch_size * settings.stops)
    # A step, and writing what it has learnt, may take seconds.
    with answering(), torch_threads(threads):
        try:
            for steps in _train(policy, names, trained, settings, last_s):  # noqa: B007
                pass
            after = [case.gaps(policy) for case in cases]
        except KeyboardInterrupt:
            if steps:
                write([])
                log.warning(
                    "interrupted after %d steps; %s is written, but not measured", steps, out
                )
            raise
        found = [_gap(*row) for row in zip(names, before, after, strict=True)]
        write(found)
    return found


def _problems(loaded: StoredPolicy, settings: FineTuning) -> tuple[str, ...]:
    names = loaded.problems if settings.problems is None else settings.problems
    strange = [name for name in names if name not in loaded.problems]
    if strange or not names:
        raise PolicyError(
            f"policy {quoted(settings.policy)} serves {', '.join(loaded.problems)}, not "
            f"{', '.join(strange) or 'nothing'}; choose of these"
        )
    return tuple(names)


def _pools(settings: FineTuning) -> tuple[Pools, Pools]:
    """The city's points to train on, and those to measure on."""
    (source,) = find_sources([settings.city], settings.folder)
    table = table_of(source, settings.table, settings.depot)
    order = np.random.default_rng(settings.seed).permutation(len(table.lonlat))
    fixed = settings.depot is not None
    order = order[order != 0] if fixed else order
    cut = round(HELD_OUT * len(order))
    depot = torch.tensor([0]) if fixed else None
    first = [np.array([0])] if fixed else []

    def pools(points: Any) -> Pools:
        part = table.part(np.sort(np.concatenate([*first, points])))
        return Pools.of([part], depot=depot)

    return pools(order[cut:]), pools(order[:cut])


def _cases(name: str, pools: Pools, settings: FineTuning) -> _Cases:
    generator = seeded("cpu", "specialise, held out", name, settings.seed)
    instance = DRAW[name](pools, settings.instances, settings.stops, PLAIN, generator)
    log.info("%s: references of %d instances", name, settings.instances)
    costs = reference_costs(conversion(name).problems(instance), settings.reference_s)
    return _Cases(name, instance, torch.tensor(costs))


def _train(
    policy: Policy, names: Sequence[str], pools: Pools, settings: FineTuning, last_s: float
) -> Iterator[int]:
    """Trains until a time; gives the number of steps after each."""
    optimizer = torch.optim.AdamW(policy.parameters(), settings.learning_rate, weight_decay=1e-6)
    policy.train()
    steps, reported_s = 0, 0.0
    try:
        for done in _shares_until(last_s):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * min(1.0, done / _WARMUP + 0.01, 1.0 - done)
            loss, cost = _step(policy, names, pools, settings, steps)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            optimizer.step()
            steps += 1
            if time.monotonic() - reported_s > _REPORT_S:
                reported_s = time.monotonic()
                log.info("%3.0f %% of the time, %d steps, mean cost %.0f", 100 * done, steps, cost)
            yield steps
    finally:
        policy.eval()


def _shares_until(last_s: float) -> Iterator[float]:
    """Again and again the share of the time that has passed, until it has."""
    begin_s = time.monotonic()
    while (now_s := time.monotonic()) < last_s:
        yield (now_s - begin_s) / (last_s - begin_s)


def _step(
    policy: Policy, names: Sequence[str], pools: Pools, settings: FineTuning, number: int
) -> tuple[Tensor, float]:
    """Loss and mean cost of one batch; problems take turns, sizes are drawn."""
    name = names[number % len(names)]
    generator = seeded("cpu", "specialise", settings.seed, number)
    least = math.ceil(_LEAST_SHARE * settings.stops)
    stops = least + int(torch.randint(settings.stops - least + 1, (), generator=generator))
    batch = settings.batch_size * settings.stops // stops
    instance = DRAW[name](pools, batch, stops, Distribution(), generator)
    env = environment(name)
    if number // len(names) % 2:
        instance = env.reversed(instance)  # as half of the views that it is measured with
    loss, cost = rollout_loss(env, instance, policy, settings.starts, generator, turn=True)
    return loss, float(cost.mean())


def _gap(problem: str, before: Tensor, after: Tensor) -> Gap:
    root = len(after) ** 0.5
    return Gap(
        problem,
        float(before.mean()),
        float(after.mean()),
        float(after.std() / root),
        float((before - after).std() / root),
    )
