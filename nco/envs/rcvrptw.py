"""Capacitated vehicle routing with time windows, on directed costs and durations.

As `nco.envs.rcvrp`, and every vehicle leaves the depot when it opens, waits where it is early,
starts each service in the window of the stop and is back before the depot closes or its shift
ends. Time is counted in whole ticks, so that whether a vehicle is late is exact: who makes
instances rounds durations and services up and windows inward (`ticks_up`, `ticks_down`), and
then what is on time in ticks is on time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch

from nco.envs import observe
from nco.envs.base import wrapped
from nco.envs.instances import transposed
from nco.envs.rcvrp import (
    RCVRP,
    RCVRPInstance,
    RCVRPState,
    compiles,
    filled,
    fitting,
    loads,
    with_depot,
)
from nco.observation import Features, Observation, gather_rows

if TYPE_CHECKING:
    from torch import Tensor

TICKS_PER_S = 100
FOREVER = 2**28
"""Ticks (31 days): what never closes closes then. Sums of a few of them fit into 32 bits."""

_GRAIN = 1e-7  # ticks: what floating point adds to a number of seconds with two decimals


@dataclass(frozen=True)
class RCVRPTWInstance(RCVRPInstance):
    """A batch of instances. Node 0 is the depot.

    All times are int32 ticks from 0 to `FOREVER`.

    Attributes:
        duration: `[B, N, N]` from row to column, zero diagonal.
        opens: `[B, N]` earliest start of service; at the depot, the earliest departure.
        closes: `[B, N]` latest start of service; at the depot, the latest return.
        service: `[B, N]` 0 at the depot.
    """

    duration: Tensor
    opens: Tensor
    closes: Tensor
    service: Tensor
    per_pair: ClassVar[tuple[str, ...]] = ("cost", "duration")

    @cached_property
    def latest(self) -> Tensor:
        """`[B, N]` latest start of a service after which the vehicle is back in time."""
        home = self.closes[:, :1] - self.service - self.duration[:, :, 0]
        return torch.minimum(self.closes, home)

    @cached_property
    def horizon(self) -> Tensor:
        """`[B]` ticks from when the depot opens until the last vehicle must, or can, be back."""
        early, late = earliest(self), self.latest
        # Where nothing closes, the day is as long as it takes to serve the farthest stop.
        begin = torch.where(late > FOREVER // 2, early, torch.maximum(early, late))
        back = begin + self.service + self.duration[:, :, 0]
        if self.present is not None:
            back = back.masked_fill(~self.present, 0)
        return (back.amax(1) - self.opens[:, 0]).clamp_min(1)


@dataclass(frozen=True)
class RCVRPTWState(RCVRPState):
    """Where rollouts are.

    Attributes:
        time: `[B, S]` int32 ticks when the vehicle can leave its node.
    """

    time: Tensor


class RCVRPTW:
    """Environment of `RCVRPTWInstance`; see `nco.envs.base.Environment` for the functions.

    A stop that not even a vehicle straight from the depot can serve is never served: it counts
    as visited from the beginning, so that rollouts end.
    """

    name = "rcvrptw"
    features = Features(
        node=(*RCVRP.features.node, "duration from depot", "duration to depot", "opens",
              "latest start", "service", "slack"),
        pair=(*RCVRP.features.pair, "duration", "duration back", "log duration",
              "log duration back", "slack", "slack back", "wait", "wait back"),
        context=(*RCVRP.features.context, "share of demand left", "time"),
        roles=RCVRP.features.roles,
    )  # fmt: skip

    def __init__(self) -> None:
        self._loads = RCVRP()

    def observe(self, instance: RCVRPTWInstance) -> Observation:
        """What `RCVRP` shows, relative durations, and times as shares of the horizon.

        The slack of a pair is what is left at its second stop if the first is served as early
        as possible, its wait what a vehicle waits there if the first is served as late as
        possible; both are cut off at one horizon.
        """
        seen = self._loads.observe(instance)
        dtype = instance.xy.dtype
        duration = observe.relative(instance.duration.to(dtype), instance.size)
        depart, day = instance.opens[:, :1], instance.horizon[:, None]
        early, late = earliest(instance), torch.minimum(instance.latest, depart + day)
        ready = (early + instance.service)[:, :, None] + instance.duration
        slack = late[:, None, :] - ready
        left = (late + instance.service)[:, :, None] + instance.duration
        wait = instance.opens[:, None, :] - left

        def share(ticks: Tensor) -> Tensor:
            return ticks.to(dtype) / day.view(-1, *[1] * (ticks.ndim - 1))

        single = [
            duration[:, 0, :],
            duration[:, :, 0],
            share(instance.opens - depart).clamp(0.0, 1.0),
            share(late - depart).clamp(0.0, 1.0),
            share(instance.service).clamp(0.0, 1.0),
            share(late - early).clamp(-1.0, 1.0),
        ]
        node = torch.cat([seen.node, torch.stack(single, -1)], -1)
        planes = [
            *observe.directed(duration),
            *observe.directed(observe.logarithm(duration)),
            *observe.directed(share(slack).clamp(-1.0, 1.0)),
            *observe.directed(share(wait).clamp(0.0, 1.0)),
        ]
        pair = torch.cat([seen.pair, torch.stack(planes, 1)], 1)
        whole = Observation(node, pair, self.features, xy=seen.xy, present=seen.present)
        return whole.blanked()

    def starts(self, instance: RCVRPTWInstance) -> Tensor:
        """Every stop that can be served; the depot where there is none."""
        possible = servable(instance)
        possible[:, 0] = ~possible[:, 1:].any(1)
        return wrapped(possible)

    def reset(self, instance: RCVRPTWInstance, rollouts: int) -> RCVRPTWState:
        """All vehicles at the depot, which has just opened."""
        loads = self._loads.reset(instance, rollouts)
        never = ~servable(instance)
        if instance.present is not None:  # what is not there is not missed either
            never &= instance.present
        never[:, 0] = False
        lost = (instance.demand * never).sum(1, keepdim=True)
        counted = {
            "visited": loads.visited | never[:, None],
            "left": loads.left - lost,
            "unserved": loads.unserved - never.sum(1, keepdim=True),
            "time": instance.opens[:, :1].expand(loads.current.shape),
        }
        return RCVRPTWState(**{**vars(loads), **counted})

    def step(self, instance: RCVRPTWInstance, state: RCVRPTWState, action: Tensor) -> RCVRPTWState:
        """Drives to the action, waits and serves; at the depot the next vehicle takes over."""
        loads = self._loads.step(instance, state, action)
        nodes = instance.demand.shape[1]
        flat = instance.duration.reshape(len(action), -1)
        arrival = state.time + flat.gather(1, state.current * nodes + action)
        begin = torch.maximum(arrival, instance.opens.gather(1, action))
        ready = begin + instance.service.gather(1, action)
        time = torch.where(action == 0, instance.opens[:, :1], ready)
        return RCVRPTWState(**vars(loads), time=time)

    def mask(self, instance: RCVRPTWInstance, state: RCVRPTWState) -> Tensor:
        """What `RCVRP` allows, of the stops that are reached in time for them and for the return.

        So the depot is always reached in time.
        """
        if compiles(state.visited):
            from nco.envs import mask_kernels as kernels

            times = instance.duration, instance.latest, state.current, state.time
            return filled(kernels.allow_in_time, *loads(instance, state), *times)
        arrival = gather_rows(instance.duration, state.current)
        arrival += state.time[..., None]
        allowed = fitting(instance, state)
        allowed &= arrival <= instance.latest[:, None]
        return with_depot(instance, state, allowed)

    def roles(self, state: RCVRPTWState) -> Tensor:
        """The node where the vehicle is, and the depot."""
        return self._loads.roles(state)

    def context(self, instance: RCVRPTWInstance, state: RCVRPTWState) -> Tensor:
        """Free share of the capacity, shares of stops and demand left, and the time of day."""
        loads = self._loads.context(instance, state)
        left = state.left / instance.demand.sum(1, keepdim=True).clamp_min(1)
        gone = (state.time - instance.opens[:, :1]) / instance.horizon[:, None]
        return torch.cat([loads, torch.stack([left, gone.clamp_max(1.0)], -1)], -1)

    def done(self, state: RCVRPTWState) -> Tensor:
        """All stops served that can be, and the vehicle back at the depot."""
        return self._loads.done(state)

    def cost(self, instance: RCVRPTWInstance, actions: Tensor) -> Tensor:
        """Sum of the costs from the depot along the actions and back to the depot."""
        return self._loads.cost(instance, actions)

    def violation(self, state: RCVRPTWState) -> Tensor:
        """Number of vehicles used beyond the fleet."""
        return self._loads.violation(state)

    def reversed(self, instance: RCVRPTWInstance) -> RCVRPTWInstance | None:
        """Every arc the other way, on a day that begins when the depot closes.

        A service that starts at `t` then starts at `opens + closes - t - service`, these two
        being the depot's. None where a depot never closes: the day would begin in a month.
        """
        opens, closes = instance.opens[:, :1], instance.closes[:, :1]
        if (closes > FOREVER // 2).any():
            return None
        ends = opens + closes - instance.service
        if instance.present is not None:
            ends = ends.where(instance.present, 0)
        return replace(
            transposed(instance),
            opens=(ends - instance.closes).clamp_min(0),
            closes=(ends - instance.opens).clamp_min(-1),
        )

    def turned_round(self, instance: RCVRPTWInstance, actions: Tensor) -> Tensor:
        """The last route first, each backwards."""
        return self._loads.turned_round(instance, actions)


def earliest(instance: RCVRPTWInstance) -> Tensor:
    """`[B, N]` when a vehicle straight from the depot starts its service."""
    return torch.maximum(instance.opens[:, :1] + instance.duration[:, 0], instance.opens)


def servable(instance: RCVRPTWInstance) -> Tensor:
    """`[B, N]` whether a vehicle can serve a stop if it drives there and back; depot included."""
    possible = earliest(instance) <= instance.latest
    possible &= instance.demand <= instance.capacity[:, None]
    return possible if instance.present is None else possible & instance.present


def ticks_up(seconds: Tensor) -> Tensor:
    """Seconds of 0 or more as int32 ticks, rounded up: durations, services, openings.

    What takes longer than `FOREVER` is a tick longer, so that it is late for everything.
    """
    return (seconds.double() * TICKS_PER_S - _GRAIN).ceil().clamp(0, FOREVER + 1).int()


def ticks_down(seconds: Tensor) -> Tensor:
    """Seconds as int32 ticks, rounded down: closings. What closed before 0 closed at -1."""
    return (seconds.double() * TICKS_PER_S + _GRAIN).floor().clamp(-1, FOREVER).int()
