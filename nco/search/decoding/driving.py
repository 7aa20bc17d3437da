"""Rollouts of vehicles in compiled loops, where there are many of them and all are wanted.

They take the actions that `rollout` takes step by step, from the same random
numbers: a step of 64 x 50 rollouts otherwise loses a quarter of its time between operations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs.rcvrp import RCVRP, RCVRPInstance
from nco.envs.rcvrptw import RCVRPTW
from nco.models import threads
from nco.models.pointer import LIGHT, Decisions, Encoded, instance_arrays
from nco.models.pointer import prepare as prepare_decisions
from nco.search.decoding.expiry import watched

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.base import AnyEnvironment
    from nco.search.decoding.expiry import Expired

_HEAVY = 2**28  # bytes of masks; what would need more goes step by step


def drives(env: AnyEnvironment, encoded: Encoded, first: Tensor) -> bool:
    """Whether rollouts from first actions `[B, S]` are for the compiled loops, and worth it.

    Sizes alone decide: the same seed, the same answer.
    """
    nodes = encoded.query.shape[2]
    return (
        isinstance(env, RCVRP | RCVRPTW)
        and encoded.compiles
        and LIGHT <= first.numel() * nodes <= _HEAVY // (2 * nodes)
    )


@dataclass(frozen=True)
class Driven:
    """Rollouts, complete.

    Attributes:
        actions: `[B, S, T + 1]` from the first on.
        state: of the environment, the last one, as far as fleets go.
        decisions: `T S B / V` of each encoded instance, step-major; of no use where none were
            wanted.
        taken: `[V, D]` what was decided.
    """

    actions: Tensor
    state: Any
    decisions: Decisions
    taken: Tensor


def driven(
    env: AnyEnvironment,
    instance: Any,
    encoded: Encoded,
    first: Tensor,
    temperature: float,
    generator: torch.Generator | None,
    traced: bool,
    expired: Expired | None = None,
) -> Driven:
    """Rolls out.

    Args:
        env: of the instances.
        instance: `B` instances.
        encoded: the instances in `V / B` views each.
        first: `[B, S]` first actions.
        temperature: see `nco.models.pointer.decide`.
        generator: of samples.
        traced: whether decisions are wanted.
        expired: asked every millisecond, in a thread of its own, whether to give up.

    Raises:
        TimeUp: `expired` said so.
    """
    from nco.search.decoding import driving_kernels as kernels

    count, nodes = len(encoded.query), encoded.query.shape[2]
    rollouts, most = first.numel() // count, 2 * nodes  # from a stop to the depot to a stop
    draw = torch.zeros(1, count, rollouts)
    if temperature:
        draw = torch.rand(most, count, rollouts, generator=generator)
    timed = isinstance(env, RCVRPTW)
    state = env.reset(instance, first.shape[1])
    time = state.time if timed else torch.zeros(first.shape, dtype=torch.int32)
    visited = state.visited.view(torch.uint8)
    each = (state.current, visited, state.free, state.left, state.unserved, state.spare, time)
    held = tuple(_own(x, count, rollouts) for x in each)
    stops, units = instance.counts - 1, instance.demand.sum(1)
    whole = torch.stack([stops, units], 1).clamp_min(1).float()
    kept, numbers = most if traced else 1, len(env.features.context)
    roles = np.empty((count, kept, rollouts, 2), np.int64)
    context = np.empty((count, kept, rollouts, numbers), np.float32)
    allowed = np.empty((count, kept, rollouts, nodes), np.bool_)
    action = np.empty((count, most, rollouts), np.int64)
    piece = threads.piece(count, rollouts)
    steps = np.empty((count, -(-rollouts // piece)), np.int64)
    given = (
        *instance_arrays(encoded), np.float32(temperature), draw.numpy(),
        _array(first.reshape(count, rollouts)), _array(instance.demand), _array(instance.capacity),
        whole.numpy(), timed, _day(instance) if timed else _NO_DAY, piece, held,
    )  # fmt: skip
    filled = (roles, context, allowed, action, steps)
    with watched(expired) as stop:
        threads.share_out(lambda taken: kernels.drive(*given, stop, taken, *filled), steps.size)
    longest = int(steps.max())
    for (v, part), last in np.ndenumerate(steps):  # rollouts that are over stay as they are
        own = slice(part * piece, (part + 1) * piece)
        for array in (roles, context, allowed, action) if traced else (action,):
            array[v, last + 1 : longest, own] = array[v, last, own]
    taken = torch.from_numpy(action[:, :longest])
    paths = taken.transpose(1, 2).reshape(*first.shape, longest)
    shown = (torch.from_numpy(x[:, :longest].reshape(count, -1, x.shape[-1]))
             for x in (roles, context, allowed))  # fmt: skip
    return Driven(
        torch.cat([first[..., None], paths], 2),
        replace(state, spare=torch.from_numpy(held[5]).view(first.shape)),
        Decisions(*shown),
        taken.reshape(count, -1),
    )


def _own(tensor: Tensor, count: int, rollouts: int) -> Any:
    """A copy of `[B, S, ...]` as an array `[V, rollouts, ...]`."""
    shaped = tensor.reshape(count, rollouts, *tensor.shape[2:])
    return shaped.clone(memory_format=torch.contiguous_format).numpy()


def _array(tensor: Tensor) -> Any:
    return tensor.contiguous().numpy()


def _day(instance: Any) -> tuple[Any, ...]:
    times = (instance.duration, instance.opens, instance.latest, instance.service)
    return (*map(_array, times), _array(instance.horizon))


_NO_DAY = (
    np.zeros((1, 1, 1), np.int32), *np.zeros((3, 1, 1), np.int32), np.zeros(1, np.int32)
)  # fmt: skip


@cache
def prepare() -> None:
    """Loads all compiled loops of policies; otherwise the first that are worth it do."""
    from nco.envs import mask_kernels
    from nco.models import biased

    biased.prepare()
    prepare_decisions()
    mask_kernels.prepare()
    # Loops are loaded, or compiled, for types of arguments: this is the smallest rollout.
    cost, one = torch.ones(1, 2, 2), torch.ones(1, dtype=torch.int64)
    instance = RCVRPInstance(cost, cost[0, :1].expand(1, 2, 2), torch.tensor([[0, 1]]), one, one)
    shapes = (1, 2, 2, 1), (1, 1, 2, 1), (1, 1, 2, 1), (1, 2, 1), (1, 2, 2), (2, 1), (1,)
    encoded = Encoded.of([torch.zeros(shape) for shape in shapes], 1.0)
    driven(RCVRP(), instance, encoded, one[None], 0.0, None, traced=False)
