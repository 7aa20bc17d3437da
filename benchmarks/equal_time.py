"""Our policy and RL4CO's attention model and MatNet, trained for the same time on real matrices.

    python benchmarks/equal_time.py --folder EXTRACTS [--minutes 10] [--stops 50] [--problems P]

All train from scratch on one thread for the same CPU time, with POMO's shared baseline, on
instances of the training cities drawn by the same sampler; RL4CO's run in its own loop through
`nco.envs.rl4co`, with its default sizes and learning rate. Gaps are greedy multi-start's on the
validation cities, to PyVRP with the stated CPU time: the attention model on RCVRP, MatNet on ATSP,
our policy on each alone.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

import torch
from networks import PROBLEMS, STARTS, Task, for_minutes, gap_percent, shipped_cities, tasks

from nco.envs import environment
from nco.models.attention import AttentionPolicy
from nco.threads import one_thread
from nco.training.distribution import PLAIN
from nco.training.memory import keep_freed_memory
from nco.training.reinforce import rollout_loss
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.versions import machine

if TYPE_CHECKING:
    from nco.training.pools import Pools

RL4CO_RATE = 1e-4  # its default


def ours(task: Task, pools: Pools, given: argparse.Namespace) -> tuple[int, float, float]:
    """Steps, gap and its standard error of our attention policy."""
    env = environment(task.problem)
    policy = AttentionPolicy(env.features, layers=given.layers)

    def step(number: int) -> torch.Tensor:
        instance = DRAW[task.problem](
            pools, given.batch, given.stops, PLAIN, seeded("cpu", "equal time", number)
        )
        return rollout_loss(env, instance, policy, STARTS, seeded("cpu", "starts", number))[0]

    step(0)  # compiles
    steps = for_minutes(step, list(policy.parameters()), given.rate, given.minutes)
    return steps, *gap_percent(policy.eval(), task)


def rl4co(task: Task, pools: Pools, given: argparse.Namespace) -> tuple[int, float, float]:
    """Steps, gap and its standard error of RL4CO's model for the problem."""
    from rl4co.models import POMO, MatNet
    from rl4co.utils.ops import unbatchify

    from nco.envs.rl4co import InstanceGenerator, RL4COEnv

    drawn = iter(range(10**9))

    def draw(batch: int) -> Any:
        generator = seeded("cpu", "equal time", next(drawn))
        return DRAW[task.problem](pools, batch, given.stops, PLAIN, generator)

    torch.set_num_threads(1)  # RL4CO sets another number when it is imported
    env = RL4COEnv(task.problem, InstanceGenerator(draw, given.stops))
    model = MatNet(env) if task.problem == "atsp" else POMO(env)

    def step(number: int) -> torch.Tensor:
        return model.shared_step(env.generator([given.batch]), number, phase="train")["loss"]

    steps = for_minutes(step, list(model.parameters()), RL4CO_RATE, given.minutes, falls=False)
    env.generator = InstanceGenerator(lambda _: task.instance, given.stops)
    td = env.reset(env.generator([len(task.reference)]))
    starts = env.get_num_starts(td)
    with torch.no_grad():
        out = model.policy.eval()(
            td, env, phase="test", decode_type="multistart_greedy", num_starts=starts
        )
    best = -unbatchify(out["reward"], (starts,)).amax(1)
    gap = 100 * (best / task.reference - 1)
    return steps, float(gap.mean()), float(gap.std() / len(gap) ** 0.5)


def main() -> None:
    """Trains, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, help="of the extracts of the shipped config")
    parser.add_argument("--minutes", type=float, default=10.0, help="CPU time for each")
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--layers", type=int, default=4, help="of our encoder")
    parser.add_argument("--rate", type=float, default=1e-3, help="our learning rate")
    parser.add_argument("--instances", type=int, default=64, help="of validation")
    parser.add_argument("--reference-s", type=float, default=1.0, help="CPU time of PyVRP")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=PROBLEMS)
    given = parser.parse_args()
    one_thread()
    keep_freed_memory()
    training, unseen = shipped_cities(given.folder)
    print(f"{machine()}; {given.minutes} min CPU each, {given.stops} stops")
    for task in tasks(unseen, given.stops, given.instances, given.reference_s, given.problems):
        theirs = "RL4CO MatNet" if task.problem == "atsp" else "RL4CO attention model"
        for name, run in (("nco attention policy", ours), (theirs, rl4co)):
            torch.manual_seed(1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # RL4CO's and Lightning's own
                steps, gap, error = run(task, training, given)
            print(
                f"{task.problem} | {name} | {steps} steps | {gap:.2f} ± {error:.2f} %", flush=True
            )


if __name__ == "__main__":
    main()
