"""Which network learns most in the same time: every network from scratch, on one thread.

    python benchmarks/networks.py --folder EXTRACTS [--minutes 2] [--networks attention rrnco]

Every network serves ATSP and RCVRP and trains for the same CPU time, with the same learning rate,
which falls to 0 by then, on the cities of the shipped config. Gaps are greedy multi-start's on its
validation cities, to PyVRP with the stated CPU time. Seconds and memory are of a training step on
RCVRP with 50 stops; memory is what is kept for gradients of the encoder.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import torch
import yaml

from nco.envs import environment
from nco.envs.convert import conversion
from nco.models.attention import AttentionPolicy
from nco.models.graph import GraphPolicy
from nco.models.policy import Policy
from nco.models.rrnco import PUBLISHED, RADAR, RRNCOPolicy
from nco.search.decoding.rollout import GREEDY
from nco.threads import one_thread
from nco.training.distribution import PLAIN, Distribution
from nco.training.memory import keep_freed_memory
from nco.training.pools import Pools
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.training.sources import TableSize, find_sources, table_of
from nco.versions import machine

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training.reinforce import rollout_loss

PROBLEMS = ("atsp", "rcvrp")
STARTS, TIMED_STOPS, TIMED_BATCH, TIMED_STEPS = 20, 50, 32, 3

# Name -> network and options that are not its defaults.
NETWORKS: dict[str, tuple[type[Policy], dict[str, Any]]] = {
    "attention": (AttentionPolicy, {}),
    "attention, no pairs": (AttentionPolicy, {"pairs": False}),
    "rrnco": (RRNCOPolicy, {}),
    "rrnco, joint bias": (RRNCOPolicy, {"bias": "joint", "angle": "none"}),
    "rrnco, code form": (RRNCOPolicy, {"form": "code"}),
    "rrnco, one head": (RRNCOPolicy, {"heads": 1}),
    "rrnco, two layers": (RRNCOPolicy, {"layers": 2}),
    "rrnco, spectral": (RRNCOPolicy, {"spectral": 10}),
    "two streams": (RRNCOPolicy, {"form": "attention", "bias": "joint", "angle": "none"}),
    "two streams, sinkhorn": (RRNCOPolicy, {**RADAR, "layers": 4, "spectral": None}),
    "radar": (RRNCOPolicy, {**RADAR, "layers": 4}),
    "rrnco published": (RRNCOPolicy, {**PUBLISHED, "neighbours": 15}),
    "graph transformer": (GraphPolicy, {}),
    "graph gatv2": (GraphPolicy, {"convolution": "gatv2"}),
}


@dataclass(frozen=True)
class Task:
    """Validation instances of a problem and what PyVRP made of them.

    Attributes:
        problem: name of the environment.
        instance: the batch.
        reference: `[B]` costs in metres.
    """

    problem: str
    instance: Any
    reference: torch.Tensor


def shipped_cities(folder: str) -> tuple[Pools, Pools]:
    """Tables of the shipped config's cities: those to train on, and those to validate on."""
    config = resources.files("nco.training") / "configs" / "general.yaml"
    data = yaml.safe_load(config.read_text())["data"]
    sources = [find_sources(data[kind], folder) for kind in ("cities", "validation_cities")]
    training, unseen = (Pools.of([table_of(s, TableSize()) for s in some]) for some in sources)
    return training, unseen


def tasks(
    pools: Pools, stops: int, count: int, cpu_s: float, problems: Sequence[str] = PROBLEMS
) -> list[Task]:
    """Validation instances of each problem."""
    from nco.bench.policies.references import solve_by_cpu

    made = []
    for problem in problems:
        instance = DRAW[problem](pools, count, stops, PLAIN, seeded("cpu", "networks", stops))
        costs = [solve_by_cpu(p, cpu_s) for p in conversion(problem).problems(instance)]
        made.append(Task(problem, instance, torch.tensor(costs)))
    return made


def step(policy: Policy, pools: Pools, stops: int, batch: int, number: int) -> torch.Tensor:
    """The loss of one training batch, the problems in turn."""
    problem = PROBLEMS[number % len(PROBLEMS)]
    instance = DRAW[problem](pools, batch, stops, Distribution(), seeded("cpu", number))
    starts = seeded("cpu", "rollouts", number)
    return rollout_loss(environment(problem), instance, policy, STARTS, starts)[0]


def for_minutes(
    loss: Callable[[int], torch.Tensor],
    parameters: list[torch.nn.Parameter],
    rate: float,
    minutes: float,
    falls: bool = True,
) -> int:
    """Takes steps on `loss(number)` for so much CPU time; returns how many.

    The learning rate rises, and falls to 0 by then, unless it is to stay as it is.
    """
    optimizer = torch.optim.AdamW(parameters, rate, weight_decay=1e-6)
    begin, done, number = time.process_time(), 0.0, 0
    while done < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = rate * (min(1.0, 50 * done + 0.02, 2 * (1 - done)) if falls else 1.0)
        optimizer.zero_grad()
        loss(number).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        number += 1
        done = (time.process_time() - begin) / (60 * minutes)
    return number


def gap_percent(policy: Policy, task: Task) -> tuple[float, float]:
    """Mean gap of the best of all starts, and its standard error."""
    best = GREEDY.decode(environment(task.problem), task.instance, policy).best().cost[:, 0]
    gap = 100 * (best / task.reference - 1)
    return float(gap.mean()), float(gap.std() / len(gap) ** 0.5)


def cpu_ms(run: Callable[[], object]) -> float:
    """CPU milliseconds, the least of some repetitions."""
    found = []
    for _ in range(TIMED_STEPS):
        begin = time.process_time()
        run()
        found.append(1000 * (time.process_time() - begin))
    return min(found)


def costs(policy: Policy, pools: Pools) -> tuple[float, float, float]:
    """Milliseconds of a step and of its encoder, and kB kept for gradients, of each instance."""
    env = environment("rcvrp")
    instance = DRAW["rcvrp"](pools, TIMED_BATCH, TIMED_STOPS, PLAIN, seeded("cpu", 0))
    seen = env.observe(instance)
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        encoded = policy.encode(seen)
    weights = {p.untyped_storage().data_ptr() for p in policy.parameters()}
    total = sum(size for address, size in kept.items() if address not in weights)
    del encoded

    def encode() -> None:
        rows, columns = policy.embed(seen)
        (rows.sum() + columns.sum()).backward()

    whole = cpu_ms(lambda: step(policy, pools, TIMED_STOPS, TIMED_BATCH, 1).backward())
    return whole / TIMED_BATCH, cpu_ms(encode) / TIMED_BATCH, total / TIMED_BATCH / 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, help="of the extracts of the shipped config")
    parser.add_argument("--minutes", type=float, default=2.0, help="CPU time for each network")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--instances", type=int, default=64, help="of validation, each problem")
    parser.add_argument("--reference-s", type=float, default=0.5, help="CPU time of PyVRP")
    given = parser.parse_args()
    one_thread()
    keep_freed_memory()
    training, unseen = shipped_cities(given.folder)
    validation = tasks(unseen, given.stops, given.instances, given.reference_s)
    print(
        f"{machine()}; {given.minutes} min CPU each, {given.stops} stops, "
        f"PyVRP {given.reference_s} s CPU"
    )
    print("network | parameters | ms a step | encoder | kB kept | steps | gap % atsp | gap % rcvrp")
    for name in given.networks:
        kind, options = NETWORKS[name]
        features = environment("atsp").features | environment("rcvrp").features
        torch.manual_seed(1)
        policy = kind(features, **options)
        step(policy, training, given.stops, 2, 0)  # compiles the kernels
        size = sum(p.numel() for p in policy.parameters())
        whole, encoder, kept = costs(policy, training)
        row = f"{name} | {size} | {whole:.1f} | {encoder:.1f} | {kept:.0f}"
        policy.train()
        steps = for_minutes(
            lambda number, policy=policy: step(policy, training, given.stops, given.batch, number),
            list(policy.parameters()),
            given.rate,
            given.minutes,
        )
        policy.eval()
        gaps = [gap_percent(policy, task) for task in validation]
        found = " | ".join(f"{mean:.2f} ± {error:.2f}" for mean, error in gaps)
        print(f"{row} | {steps} | {found}", flush=True)


if __name__ == "__main__":
    main()
