"""Our environments inside RL4CO, so that its models train on them.

Importing this module imports RL4CO, which takes seconds. The transition is ours: this class only
moves tensors between tensor dictionaries and `nco.envs.rcvrp`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import torch
from rl4co.envs.common.base import RL4COEnvBase
from rl4co.envs.common.utils import Generator
from tensordict import TensorDict
from torchrl.data import Bounded, Categorical, Composite, Unbounded

from nco.envs.rcvrp import RCVRP, RCVRPInstance, RCVRPState
from nco.errors import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

_STATIC = {field.name for field in fields(RCVRPInstance)}
_SINGLE = ("free", "left", "unserved", "spare")


class RCVRPGenerator(Generator):  # type: ignore[misc]
    """Draws tensor dictionaries of instances.

    Args:
        draw: gives a number of instances, all of `num_loc` stops.
        num_loc: stops of an instance, as RL4CO calls them.
    """

    def __init__(self, draw: Callable[[int], RCVRPInstance], num_loc: int) -> None:
        super().__init__()
        self.draw, self.num_loc = draw, num_loc

    def _generate(self, batch_size: Sequence[int], **_: Any) -> TensorDict:
        batch = torch.Size(batch_size)
        instance = self.draw(max(1, batch.numel()))
        if instance.demand.shape[1] != self.num_loc + 1:
            raise ProblemError(
                f"drawn instances have {instance.demand.shape[1] - 1} stops; num_loc is "
                f"{self.num_loc}, and both must be the same"
            )
        values = {name: getattr(instance, name) for name in _STATIC}
        return TensorDict(
            {name: value.reshape((*batch, *value.shape[1:])) for name, value in values.items()},
            batch_size=batch,
        )


class RL4CORCVRP(RL4COEnvBase):  # type: ignore[misc]
    """RCVRP on directed matrices as an RL4CO environment.

    Observation, in RL4CO's names: `locs` `[N, 2]` in `[0, 1]`, `demand` `[N - 1]` of stops as a
    share of the capacity, `used_capacity`, `vehicle_capacity` (1), `current_node`, `visited`,
    `action_mask`; and in ours `cost`, `xy`, `units`, `capacity`, `vehicles` and the rest of
    `RCVRPState`.

    Args:
        generator: of instances.
        **kwargs: of RL4CO's base class.
    """

    # RL4CO picks embeddings and start nodes by this name; ours are those of its "cvrp".
    name = "cvrp"

    def __init__(self, generator: RCVRPGenerator, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.generator = generator
        self.env = RCVRP()
        self._make_spec()

    def reset(
        self,
        td: TensorDict | None = None,
        batch_size: Any = None,
        set_state: bool | None = None,  # noqa: ARG002 (torchrl passes it; RL4CO does not take it)
    ) -> TensorDict:
        """Resets to given instances, or to drawn ones."""
        return super().reset(td, batch_size)

    def _reset(self, td: TensorDict | None = None, batch_size: Any = None) -> TensorDict:
        if td is None or "units" in td:  # torchrl resets with what an earlier reset returned
            td = self.generator(self.batch_size if batch_size is None else batch_size)
        static = {name: td[name] for name in _STATIC - {"demand"}}
        units = td["demand"]
        share = units[..., 1:] / td["capacity"][..., None]
        fresh = TensorDict(
            {
                **static,
                "units": units,
                "locs": (td["xy"] + 1) / 2,
                "demand": share.to(td["cost"].dtype),
                "vehicle_capacity": torch.ones_like(td["cost"][..., 0, :1]),
            },
            batch_size=td.batch_size,
            device=td.device,
        )
        instance = _instance(fresh)
        return self._written(fresh, instance, self.env.reset(instance, 1))

    def _step(self, td: TensorDict) -> TensorDict:
        instance, state = _instance(td), _state(td)
        action = td["action"].reshape(-1, 1)
        state = self.env.step(instance, state, action)
        done = self.env.done(state).view((*td.batch_size, 1))
        reward = torch.zeros(done.shape, dtype=td["cost"].dtype, device=done.device)
        nxt = td.exclude("next", "action") if self._torchrl_mode else td
        nxt.update({"done": done, "reward": reward})
        return self._written(nxt, instance, state)

    def _written(self, td: TensorDict, instance: RCVRPInstance, state: RCVRPState) -> TensorDict:
        batch = td.batch_size
        nodes = instance.demand.shape[1]
        for name in _SINGLE:
            td.set(name, getattr(state, name).reshape((*batch, 1)).clone())
        td.set("current_node", state.current.reshape((*batch, 1)))
        td.set("visited", state.visited.reshape((*batch, nodes)))
        free = self.env.context(instance, state)[..., 0]
        td.set("used_capacity", (1.0 - free).reshape((*batch, 1)))
        td.set("action_mask", self.env.mask(instance, state).reshape((*batch, nodes)))
        return td

    def get_num_starts(self, td: TensorDict) -> int:
        """Every stop; never the depot."""
        return int(td["action_mask"].shape[-1]) - 1

    def select_start_nodes(self, td: TensorDict, num_starts: int) -> Tensor:
        """`[S * B]` first actions, start-major as RL4CO repeats batches."""
        stops = self.get_num_starts(td)
        starts = torch.arange(num_starts, device=td.device) % stops + 1
        return starts.repeat_interleave(td.shape[0])

    def _get_reward(self, td: TensorDict, actions: Tensor) -> Tensor:
        """`[B]` minus the cost of complete rollouts `[B, T]`."""
        return -self.env.cost(_instance(td), actions[:, None])[:, 0]

    @staticmethod
    def check_solution_validity(td: TensorDict, actions: Tensor) -> None:
        """Follows every rollout by hand.

        Raises:
            ProblemError: a stop is not served exactly once, or a vehicle carries too much.
        """
        units, capacity = td["units"].tolist(), td["capacity"].tolist()
        for b, taken in enumerate(actions.tolist()):
            stops = sorted(node for node in taken if node)
            if stops != list(range(1, len(units[b]))):
                raise ProblemError(f"rollout {b}: not every stop is served exactly once")
            load = 0
            for node in taken:
                load = load + units[b][node] if node else 0
                if load > capacity[b]:
                    raise ProblemError(f"rollout {b}: a vehicle carries more than {capacity[b]}")

    def _make_spec(self, td_params: TensorDict | None = None) -> None:  # noqa: ARG002 (theirs)
        nodes = self.generator.num_loc + 1
        whole = {"dtype": torch.int64}
        truth = {"dtype": torch.bool}
        self.observation_spec = Composite(
            cost=Unbounded((nodes, nodes)),
            xy=Bounded(-1.0, 1.0, (nodes, 2)),
            units=Unbounded((nodes,), **whole),
            capacity=Unbounded((), **whole),
            vehicles=Unbounded((), **whole),
            locs=Bounded(0.0, 1.0, (nodes, 2)),
            demand=Unbounded((nodes - 1,)),
            vehicle_capacity=Unbounded((1,)),
            current_node=Unbounded((1,), **whole),
            visited=Unbounded((nodes,), **truth),
            used_capacity=Unbounded((1,)),
            action_mask=Unbounded((nodes,), **truth),
            **{name: Unbounded((1,), **whole) for name in _SINGLE},
            shape=(),
        )
        self.action_spec = Categorical(nodes, shape=(1,), dtype=torch.int64)
        self.reward_spec = Unbounded((1,))
        self.done_spec = Unbounded((1,), **truth)


def _instance(td: TensorDict) -> RCVRPInstance:
    """The instances in a tensor dictionary, as views with one batch dimension."""
    nodes = td["units"].shape[-1]
    return RCVRPInstance(
        cost=td["cost"].reshape(-1, nodes, nodes),
        xy=td["xy"].reshape(-1, nodes, 2),
        demand=td["units"].reshape(-1, nodes),
        capacity=td["capacity"].reshape(-1),
        vehicles=td["vehicles"].reshape(-1),
    )


def _state(td: TensorDict) -> RCVRPState:
    """The states in a tensor dictionary, one rollout each."""
    nodes = td["units"].shape[-1]
    return RCVRPState(
        current=td["current_node"].reshape(-1, 1),
        visited=td["visited"].reshape(-1, 1, nodes),
        **{name: td[name].reshape(-1, 1) for name in _SINGLE},
    )
