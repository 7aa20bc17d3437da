"""Bus lines as an RL4CO (and torchrl) environment; importing this module imports RL4CO.

The transition is that of `environment`: this class only moves tensors between tensor
dictionaries and that environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from rl4co.envs.common.utils import Generator
from tensordict import TensorDict

from nco.envs.rl4co import BridgedEnv
from nco.errors import ProblemError
from nco.transit.policy.environment import TransitState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from nco.transit.design.objective import LineObjective
    from nco.transit.policy.environment import TransitEnv

_FIELDS = ("lines", "line", "stops", "used")


class _Begin(Generator):  # type: ignore[misc]
    """All rollouts are of one instance: there is nothing to draw but how many."""

    def _generate(self, batch_size: Sequence[int], **_: Any) -> TensorDict:
        # RL4CO takes an empty dictionary for none.
        return TensorDict({"line": torch.zeros(tuple(batch_size), dtype=torch.int64)}, batch_size)


class TransitRL4COEnv(BridgedEnv):
    """One instance, any number of rollouts of it.

    Observation: the fields of `TransitState` and `action_mask`. Rewards are zero but for the last
    step, where they are minus the cost of the lines, unless there is a potential: then each step
    also has what it adds to the potential (Ng et al. 1999), which is taken to be zero at the end.

    Args:
        env: the decision process.
        objective: of complete lines.
        potential: `[B]` of states, such as `direct_share`; None for none.
        **kwargs: of RL4CO's base class.
    """

    name = "transit"

    def __init__(
        self,
        env: TransitEnv,
        objective: LineObjective,
        potential: Callable[[TransitState], Tensor] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.env, self.objective, self.potential = env, objective, potential
        self.generator = _Begin()
        self.actions = env.close + 1
        self._make_spec()

    def _reset(self, td: TensorDict | None = None, batch_size: Any = None) -> TensorDict:
        given = td.batch_size if td is not None else batch_size
        batch = torch.Size(self.batch_size if given is None else given)
        fresh = TensorDict({}, batch_size=batch)
        return self._written(fresh, self.env.reset(max(1, batch.numel())))

    def _step(self, td: TensorDict) -> TensorDict:
        before = self._state(td)
        after = self.env.step(before, td["action"].reshape(-1))
        nxt = td.exclude("next", "action") if self._torchrl_mode else td
        shape = (*td.batch_size, 1)
        reward = self._rewards(before, after)
        nxt.update({"done": after.done.reshape(shape), "reward": reward.reshape(shape)})
        return self._written(nxt, after)

    def _rewards(self, before: TransitState, after: TransitState) -> Tensor:
        reward = torch.zeros(len(after))
        ended = (after.done & ~before.done).nonzero()[:, 0]
        if len(ended):
            reward[ended] = -self._costs(after.rows(ended))
        if self.potential is not None:
            left = self.potential(after).masked_fill(after.done, 0.0)
            reward = reward + left - self.potential(before).masked_fill(before.done, 0.0)
        return reward

    def _costs(self, state: TransitState) -> Tensor:
        return torch.as_tensor(self.objective.costs(state.padded()), dtype=torch.float32)

    def _state(self, td: TensorDict) -> TransitState:
        tensors = (td[name] for name in _FIELDS)
        return TransitState(*(x.reshape(-1, *x.shape[td.batch_dims :]) for x in tensors))

    def _written(self, td: TensorDict, state: TransitState) -> TensorDict:
        shown = {**vars(state), "action_mask": self.env.mask(state)}
        for name, value in shown.items():
            td.set(name, value.clone().reshape((*td.batch_size, *value.shape[1:])))
        return td

    def _get_reward(self, td: TensorDict, actions: Tensor) -> Tensor:  # noqa: ARG002 (theirs)
        """`[B]` minus the cost of complete rollouts."""
        return -self._costs(self._state(td))

    def check_solution_validity(self, td: TensorDict, actions: Tensor) -> None:  # noqa: ARG002
        """Refuses rollouts that are not complete; masks see to the rest.

        Raises:
            ProblemError: lines are missing; the message says of which rollout.
        """
        done = self._state(td).done
        if not done.all():
            b = int((~done).nonzero()[0])
            raise ProblemError(
                f"rollout {b} has lines that are not closed; go on until all are done"
            )


def direct_share(env: TransitEnv, weight: float = 1.0) -> Callable[[TransitState], Tensor]:
    """A potential: the share of the demand that closed lines serve without a transfer.

    Args:
        env: of the instance.
        weight: of the share.
    """
    from nco.transit.policy.observe import Observer

    observer = Observer(env)

    def potential(state: TransitState) -> Tensor:
        left = observer.see(state).open.sum(1) / observer.total
        return weight * (1 - left)

    return potential
