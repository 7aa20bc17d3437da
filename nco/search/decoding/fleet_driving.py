"""Rollouts of vehicles with profiles in compiled loops.

They take the actions that `rollout` takes step by step, from the same random numbers, in a tenth of
the time: step by step all vehicles are scored, although one moves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs.pvrp import MANY, PVRP, PVRPInstance
from nco.models import threads
from nco.models.fleet import FleetEncoded
from nco.models.pointer import Encoded
from nco.search.decoding.expiry import watched

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.base import AnyEnvironment
    from nco.envs.pvrp import PVRPState
    from nco.search.decoding.expiry import Expired

LIGHT = 300  # nodes of all vehicles and rollouts below which loops are not worth being loaded
_HEAVY = 2**28  # bytes of scores and states; what would need more goes step by step


def drives_fleet(env: AnyEnvironment, encoded: FleetEncoded, rollouts: int) -> bool:
    """Whether so many rollouts are for the compiled loops, and worth it.

    Sizes alone decide: the same seed, the same answer.
    """
    work = rollouts * encoded.vehicles * encoded.query.shape[2]
    plain = encoded.query.device.type == "cpu" and encoded.query.dtype == torch.float32
    return (
        isinstance(env, PVRP)
        and plain
        and encoded.exchange is None
        and LIGHT <= work <= _HEAVY // 8
    )


def driven_fleet(
    instance: PVRPInstance,
    encoded: FleetEncoded,
    state: PVRPState,
    temperature: float,
    generator: torch.Generator | None,
    expired: Expired | None = None,
) -> tuple[Tensor, PVRPState]:
    """Rolls out from any state in which one vehicle is away at most.

    Args:
        instance: `B` instances.
        encoded: the instances in `V / B` views each.
        state: of `S` rollouts each, view-major.
        temperature: see `nco.models.pointer.decide`.
        generator: of samples.
        expired: asked every millisecond, in a thread of its own, whether to give up.

    Returns:
        Actions `[B, S, T]` and the last state, as far as fleets go.

    Raises:
        TimeUp: `expired` said so.
    """
    from nco.search.decoding import fleet_kernels as kernels

    count, fleet, nodes = encoded.count, encoded.vehicles, encoded.query.shape[2]
    batch, total = state.left.shape
    rollouts, most = batch * total // count, 2 * nodes  # from a stop to the depot to a stop
    draw = torch.zeros(1, count, rollouts)
    if temperature:
        draw = torch.rand(most, count, rollouts, generator=generator)
    each = (state.current, state.visited.view(torch.uint8), state.free, state.left,
            state.unserved, state.spare)  # fmt: skip
    held = tuple(_own(x, count, rollouts) for x in each)
    tables = [
        _array(x.view(-1, fleet, *x.shape[1:]))
        for x in (encoded.query, encoded.key, encoded.value, encoded.target, encoded.pair)
    ]
    action = np.zeros((count, most, rollouts), np.int64)
    piece = threads.piece(count, rollouts)
    steps = np.zeros((count, -(-rollouts // piece)), np.int64)
    given = (
        *tables, _array(encoded.weight), _array(encoded.bias), np.float32(encoded.clip),
        np.float32(temperature), draw.numpy(), _array(instance.demand), _array(instance.capacity),
        _array(instance.permitted), _array((instance.counts - 1).clamp_min(1)), MANY, piece, held,
    )  # fmt: skip
    with watched(expired) as stop:
        threads.share_out(
            lambda taken: kernels.drive(*given, stop, taken, action, steps), steps.size
        )
    longest = int(steps.max())
    for (v, part), last in np.ndenumerate(steps):  # rollouts that are over stay as they are
        own = slice(part * piece, (part + 1) * piece)
        action[v, last:longest, own] = held[0][v, own, 0]
    taken = torch.from_numpy(action[:, :longest]).transpose(1, 2).reshape(batch, total, longest)
    ended = {
        name: torch.from_numpy(x).view(batch, total, *x.shape[2:])
        for name, x in zip(("current", "free", "spare"), (held[0], held[2], held[5]), strict=True)
    }
    return taken, replace(state, **ended)


def prepare() -> None:
    """Loads the compiled loops; otherwise the first that are worth it do."""
    # They are loaded, or compiled, for types of arguments: this is the smallest rollout.
    one = torch.ones(1, 2, dtype=torch.int64)
    instance = PVRPInstance(
        cost=torch.ones(1, 2, 2, 2), xy=torch.zeros(1, 2, 2), forgone=torch.zeros(1, 2, 2),
        permitted=torch.tensor([[[False, True]] * 2]), demand=torch.tensor([[0, 1]]),
        capacity=one, trips=one,
    )  # fmt: skip
    shapes = (2, 2, 2, 1), (2, 1, 2, 1), (2, 1, 2, 1), (2, 2, 1), (2, 2, 2), (4, 1), (1,)
    encoded = Encoded.of([torch.zeros(shape) for shape in shapes], 1.0)
    fleet = FleetEncoded(**vars(encoded), vehicles=2)
    driven_fleet(instance, fleet, PVRP().reset(instance, 1), 0.0, None)


def _own(tensor: Tensor, count: int, rollouts: int) -> Any:
    """A copy of `[B, S, ...]` as an array `[V, rollouts, ...]`."""
    shaped = tensor.reshape(count, rollouts, *tensor.shape[2:])
    return shaped.clone(memory_format=torch.contiguous_format).numpy()


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()
