"""Our environments inside RL4CO, so that its models train on them.

Importing this module imports RL4CO, which takes seconds. The transition is ours: this class only
moves tensors between tensor dictionaries and an environment of `nco.envs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from rl4co.envs.common.base import RL4COEnvBase
from rl4co.envs.common.utils import Generator
from tensordict import TensorDict
from torchrl.data import Categorical, Composite, Unbounded

from nco.envs import environment
from nco.envs.atsp import ATSPInstance, ATSPState
from nco.envs.instances import Instances, tensors
from nco.envs.rcvrp import RCVRPInstance, RCVRPState
from nco.envs.rcvrptw import RCVRPTWInstance, RCVRPTWState
from nco.errors import PolicyError, ProblemError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    type Shown = dict[str, Tensor]


class InstanceGenerator(Generator):  # type: ignore[misc]
    """Draws tensor dictionaries that hold `instance`, with the fields of its class.

    Args:
        draw: gives a number of instances, all of `num_loc` stops (nodes, where there is no depot).
        num_loc: how RL4CO calls that.
    """

    def __init__(self, draw: Callable[[int], Instances], num_loc: int) -> None:
        super().__init__()
        self.draw, self.num_loc = draw, num_loc

    def _generate(self, batch_size: Sequence[int], **_: Any) -> TensorDict:
        batch = torch.Size(batch_size)
        instance = TensorDict({}, batch_size=batch)
        _put(instance, tensors(self.draw(max(1, batch.numel()))))
        return TensorDict({"instance": instance}, batch_size=batch)


class BridgedEnv(RL4COEnvBase):  # type: ignore[misc]
    """What all environments of ours need to be one of RL4CO and of torchrl.

    Attributes:
        actions: how many there are.
    """

    actions: int

    def reset(
        self,
        td: TensorDict | None = None,
        batch_size: Any = None,
        set_state: bool | None = None,  # noqa: ARG002 (torchrl passes it; RL4CO does not take it)
    ) -> TensorDict:
        """Resets to what is given, or to what the generator draws."""
        return super().reset(td, batch_size)

    def _make_spec(self, td_params: TensorDict | None = None) -> None:  # noqa: ARG002 (theirs)
        self.observation_spec = _spec(self._reset(batch_size=[1])[0])
        self.action_spec = Categorical(self.actions, shape=(1,), dtype=torch.int64)
        self.reward_spec = Unbounded((1,))
        self.done_spec = Unbounded((1,), dtype=torch.bool)


class RL4COEnv(BridgedEnv):
    """One of our environments, on directed matrices, as an RL4CO environment.

    Observation: `instance` and `state`, with the fields of our classes; `action_mask`; and what
    RL4CO's models read, in its names and shapes, with coordinates in `[0, 1]`, demands as shares
    of the capacity, times as shares of the horizon, and costs as shares of the largest.

    Args:
        problem: name of the environment.
        generator: of its instances.
        **kwargs: of RL4CO's base class.

    Raises:
        PolicyError: there is no environment of that name.
    """

    def __init__(self, problem: str, generator: InstanceGenerator, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.env = environment(problem)
        if problem not in _BRIDGES:
            raise PolicyError(
                f"{quoted(problem)} has no names in RL4CO; use one of {sorted(_BRIDGES)}"
            )
        self.bridge = _BRIDGES[problem]
        # RL4CO picks embeddings and start nodes by this name.
        self.name = self.bridge.name
        self.generator = generator
        self.actions = self._nodes
        self._make_spec()

    def _reset(self, td: TensorDict | None = None, batch_size: Any = None) -> TensorDict:
        if td is None or "state" in td:  # torchrl resets with what an earlier reset returned
            td = self.generator(self.batch_size if batch_size is None else batch_size)
        given = td["instance"]
        nodes = given["cost"].shape[-1]
        if nodes != self._nodes:
            raise ProblemError(
                f"instances have {nodes} nodes; with num_loc = {self.generator.num_loc} they "
                f"must have {self._nodes}"
            )
        fresh = TensorDict({"instance": given}, batch_size=td.batch_size, device=td.device)
        instance = self._instance(fresh)
        _put(fresh, {"locs": (instance.xy + 1) / 2, **self.bridge.fixed(instance)})
        return self._written(fresh, instance, self.env.reset(instance, 1))

    def _step(self, td: TensorDict) -> TensorDict:
        instance = self._instance(td)
        action = td["action"].reshape(-1, 1)
        state = self.env.step(instance, self.bridge.state(**_fields(td["state"])), action)
        done = self.env.done(state).view((*td.batch_size, 1))
        reward = torch.zeros(done.shape, dtype=instance.cost.dtype, device=done.device)
        nxt = td.exclude("next", "action") if self._torchrl_mode else td
        nxt.update({"done": done, "reward": reward})
        return self._written(nxt, instance, state)

    def _instance(self, td: TensorDict) -> Any:
        """The instances in a tensor dictionary, as views with one batch dimension."""
        return self.bridge.instance(**_fields(td["instance"]))

    def _written(self, td: TensorDict, instance: Any, state: Any) -> TensorDict:
        stored = TensorDict({}, batch_size=td.batch_size, device=td.device)
        _put(stored, {name: value.clone() for name, value in vars(state).items()})
        td.set("state", stored)
        mask = self.env.mask(instance, state)[:, 0]
        _put(td, {"action_mask": mask, **self.bridge.moving(instance, state)})
        return td

    @property
    def _nodes(self) -> int:
        """How many nodes an instance has."""
        return int(self.generator.num_loc) + self.bridge.depots

    def get_num_starts(self, td: TensorDict) -> int:
        """How many nodes a rollout may start with."""
        return self.env.starts(self._instance(td)).shape[1]

    def select_start_nodes(self, td: TensorDict, num_starts: int) -> Tensor:
        """`[S * B]` first actions, start-major as RL4CO repeats batches."""
        starts = self.env.starts(self._instance(td))
        turn = torch.arange(num_starts, device=starts.device) % starts.shape[1]
        return starts[:, turn].T.flatten()

    def _get_reward(self, td: TensorDict, actions: Tensor) -> Tensor:
        """`[B]` minus the cost of complete rollouts `[B, T]`."""
        return -self.env.cost(self._instance(td), actions[:, None])[:, 0]

    def check_solution_validity(self, td: TensorDict, actions: Tensor) -> None:
        """Follows every rollout step by step.

        Raises:
            ProblemError: an action was not allowed where it was taken, or a rollout is not
                complete.
        """
        instance = self._instance(td)
        state = self.env.reset(instance, 1)
        for t in range(actions.shape[1]):
            action = actions[:, t, None]
            allowed = self.env.mask(instance, state)[:, 0].gather(1, action)[:, 0]
            if not allowed.all():
                b = int((~allowed).nonzero()[0])
                raise ProblemError(
                    f"rollout {b}: node {int(action[b])} is not allowed at step {t}: it is "
                    "visited, too large or too late, or another node must come first"
                )
            state = self.env.step(instance, state, action)
        done = self.env.done(state)[:, 0]
        if not done.all():
            raise ProblemError(f"rollout {int((~done).nonzero()[0])} is not complete")


def _fields(td: TensorDict) -> dict[str, Tensor]:
    """The tensors of a tensor dictionary, as views with one batch dimension."""
    return {name: value.reshape(-1, *value.shape[td.batch_dims :]) for name, value in td.items()}


def _put(td: TensorDict, values: dict[str, Tensor]) -> None:
    """Sets tensors with one batch dimension in the shape of a tensor dictionary."""
    for name, value in values.items():
        td.set(name, value.reshape((*td.batch_size, *value.shape[1:])))


def _spec(td: TensorDict) -> Composite:
    """What a tensor dictionary without batch holds, of any value."""
    return Composite(
        {
            name: _spec(value)
            if isinstance(value, TensorDict)
            else Unbounded(value.shape, dtype=value.dtype)
            for name, value in td.items()
        }
    )


# What RL4CO's models read ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Bridge:
    """One environment in RL4CO's words.

    Attributes:
        name: of the RL4CO environment whose embeddings fit.
        depots: nodes that RL4CO does not count in `num_loc`.
        instance: our class of instances.
        state: our class of states.
        fixed: what an instance shows, beside coordinates.
        moving: what a state of one rollout each shows, beside the mask.
    """

    name: str
    depots: int
    instance: type
    state: type
    fixed: Callable[[Any], Shown]
    moving: Callable[[Any, Any], Shown]


def _tour(instance: ATSPInstance) -> Shown:
    return {"cost_matrix": instance.cost / instance.cost.amax((1, 2), keepdim=True).clamp_min(1e-9)}


def _on_tour(instance: ATSPInstance, state: ATSPState) -> Shown:
    return {
        "first_node": state.first[:, 0],
        "current_node": state.current[:, 0],
        "i": instance.cost.shape[1] - state.unvisited,
    }


def _loads(instance: RCVRPInstance) -> Shown:
    share = instance.demand[:, 1:] / instance.capacity[:, None]
    full = torch.ones_like(instance.cost[:, 0, :1])
    return {"demand": share.to(full.dtype), "vehicle_capacity": full}


def _loading(instance: RCVRPInstance, state: RCVRPState) -> Shown:
    used = 1.0 - state.free / instance.capacity[:, None]
    return {
        "current_node": state.current,
        "visited": state.visited[:, 0],
        "used_capacity": used.to(instance.cost.dtype),
    }


def _times(instance: RCVRPTWInstance) -> Shown:
    begin, day = instance.opens[:, :1], instance.horizon[:, None]
    window = torch.stack([instance.opens - begin, instance.closes - begin], -1)
    dtype = instance.cost.dtype
    return {
        **_loads(instance),
        "durations": (instance.service / day).to(dtype),
        "time_windows": (window / day[..., None]).clamp(0.0, 1.0).to(dtype),
    }


def _timing(instance: RCVRPTWInstance, state: RCVRPTWState) -> Shown:
    gone = (state.time - instance.opens[:, :1]) / instance.horizon[:, None]
    return {**_loading(instance, state), "current_time": gone.to(instance.cost.dtype)}


_BRIDGES = {
    "atsp": _Bridge("atsp", 0, ATSPInstance, ATSPState, _tour, _on_tour),
    "rcvrp": _Bridge("cvrp", 1, RCVRPInstance, RCVRPState, _loads, _loading),
    "rcvrptw": _Bridge("cvrptw", 1, RCVRPTWInstance, RCVRPTWState, _times, _timing),
}
"""By name of our environment."""
