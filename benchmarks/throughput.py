"""How fast is a training step? REINFORCE with many starts, against RL4CO's POMO on its own CVRP.

    python benchmarks/throughput.py
    python benchmarks/throughput.py --device cuda --stops 100

Same sizes of networks (width, heads, layers, feed-forward), same batch, same starts, same machine,
one run: both take turns, each in a process of its own. A step is everything from drawn instances to
updated weights. Memory is the most that a step adds to what the process held before the first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

SYSTEMS = ("nco", "nco with matrices", "rl4co")
WIDTH, HEADS, LAYERS, HIDDEN = 128, 8, 6, 512


def peak_bytes() -> int:
    """The most memory that this process ever held, since `forget_peak`."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def forget_peak() -> int:
    """Starts measuring anew; gives what is held now."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def nco_step(given: argparse.Namespace, pairs: bool) -> Callable[[], object]:
    """A step of ours; `pairs` for attention under a bias from the matrix, as shipped policies."""
    from nco.envs.rcvrp import RCVRP, UNLIMITED, RCVRPInstance
    from nco.models.attention import AttentionPolicy
    from nco.training.memory import keep_freed_memory
    from nco.training.reinforce import rollout_loss

    keep_freed_memory()
    env = RCVRP()
    policy = AttentionPolicy(
        env.features, WIDTH, HEADS, HEADS, LAYERS, HIDDEN, pairs=pairs
    ).to(given.device)  # fmt: skip
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-4)
    generator = torch.Generator(given.device).manual_seed(0)
    nodes = given.stops + 1

    def step() -> None:
        def draw(*shape: int) -> torch.Tensor:
            return torch.rand(*shape, generator=generator, device=given.device)

        xy = 2 * draw(given.batch, nodes, 2) - 1
        demand = (1 + 9 * draw(given.batch, nodes)).long()
        demand[:, 0] = 0
        capacity = torch.full((given.batch,), given.capacity, device=given.device)
        instance = RCVRPInstance(
            torch.cdist(xy, xy), xy, demand, capacity, torch.full_like(capacity, UNLIMITED)
        )
        loss, _ = rollout_loss(env, instance, policy, given.stops, generator)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()

    return step


def rl4co_step(given: argparse.Namespace) -> Callable[[], object]:
    """A step of RL4CO's POMO on its own environment."""
    from rl4co.envs import CVRPEnv
    from rl4co.models import POMO
    from rl4co.utils.ops import unbatchify

    env = CVRPEnv(
        generator_params={"num_loc": given.stops, "capacity": given.capacity}, device=given.device
    )
    sizes = {
        "embed_dim": WIDTH, "num_heads": HEADS, "num_encoder_layers": LAYERS,
        "feedforward_hidden": HIDDEN,
    }  # fmt: skip
    model = POMO(env, policy_kwargs=sizes).to(given.device)
    optimizer = torch.optim.Adam(model.policy.parameters(), lr=1e-4)

    def step() -> None:
        td = env.reset(env.generator(given.batch).to(given.device))
        out = model.policy(td, env, phase="train", num_starts=given.stops)
        reward = unbatchify(out["reward"], (0, given.stops))
        likelihood = unbatchify(out["log_likelihood"], (0, given.stops))
        model.calculate_loss(td, td, out, reward, likelihood)
        optimizer.zero_grad()
        out["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.policy.parameters(), 1.0)
        optimizer.step()

    return step


def measure(given: argparse.Namespace) -> dict[str, float]:
    """Seconds a step and bytes an instance of one system, in this process."""
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    step = rl4co_step(given) if given.system == "rl4co" else nco_step(given, "with" in given.system)
    before = forget_peak()
    step()
    seconds = []
    for _ in range(given.steps):
        begin = time.perf_counter()
        step()
        if given.device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    return {"s": statistics.median(seconds), "bytes": (peak_bytes() - before) / given.batch}


def main() -> None:
    """Measures and prints; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--capacity", type=int, default=40)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5, help="of each system in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0 for what torch takes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--system", choices=SYSTEMS, help="measure this one here, print JSON")
    given = parser.parse_args()
    if given.system:
        print(json.dumps(measure(given)))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SYSTEMS}
    for _ in range(given.turns):
        for name in SYSTEMS:
            again = [sys.executable, __file__, *sys.argv[1:], "--system", name]
            done = subprocess.run(again, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    best = {
        name: {key: min(turn[key] for turn in turns) for key in ("s", "bytes")}
        for name, turns in found.items()
    }
    print(f"{given.batch} instances x {given.stops} starts x {given.stops} stops, {given.device}")
    for name, row in best.items():
        print(
            f"{name:18} {row['s']:6.2f} s a step, {given.batch / row['s']:6.1f} instances/s "
            f"({best['rl4co']['s'] / row['s']:.2f} x RL4CO), {row['bytes'] / 1e6:6.2f} MB an "
            f"instance ({row['bytes'] / best['rl4co']['bytes']:.2f} x)"
        )


if __name__ == "__main__":
    main()
