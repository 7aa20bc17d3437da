"""Weights to begin with: of a policy file or a checkpoint, and only of the same network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nco.errors import PolicyError, quoted
from nco.models.files import CHECKPOINT_KEY, policy_tensors, read_policy

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from nco.models.policy import Policy


def begin_with(policy: Policy, source: str | Path) -> None:
    """Gives a policy the weights of a file.

    Args:
        policy: to change.
        source: name of a shipped policy, a `.safetensors` file or a checkpoint.

    Raises:
        PolicyError: the file is missing or damaged, or of another network.
    """
    loaded = read_policy(source).policy
    check_same_network(policy, loaded.state_dict(), loaded.spec()["init_args"], source)
    policy.load_state_dict(loaded.state_dict())


def check_checkpoint(policy: Policy, checkpoint: dict[str, Any]) -> None:
    """Refuses a checkpoint that a policy cannot go on from.

    Raises:
        PolicyError: it is not of nco, or of another network.
    """
    try:
        init_args = checkpoint[CHECKPOINT_KEY]["policy"]["init_args"]
        tensors = policy_tensors(checkpoint["state_dict"])
    except (KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"the checkpoint is not of nco: it lacks {error}") from error
    check_same_network(policy, tensors, init_args, "the checkpoint")


def check_same_network(
    policy: Policy, tensors: dict[str, Tensor], init_args: dict[str, Any], source: str | Path
) -> None:
    """Refuses weights of another network.

    Raises:
        PolicyError: names the first tensor that differs, or features of the same number that
            mean something else.
    """
    wanted = policy.state_dict()
    for name in [*wanted, *tensors]:
        here, there = wanted.get(name), tensors.get(name)
        if here is None or there is None or here.shape != there.shape:
            raise PolicyError(
                f"{source} is of another network: tensor {quoted(name)} {_said(there)}, and in the "
                f"config's network it {_said(here)}; give the model the same options and problems"
            )
        if not torch.isfinite(there).all():
            raise PolicyError(f"{source}: tensor {quoted(name)} holds numbers that are not finite")
    own = policy.spec()["init_args"]["features"]
    other = init_args["features"]
    for kind in own:
        if list(own[kind]) != list(other[kind]):
            raise PolicyError(
                f"{source} is of another network: its {kind} features are "
                f"{', '.join(other[kind])}; train on the same problems in the same order"
            )


def _said(tensor: Tensor | None) -> str:
    return "is missing" if tensor is None else f"has shape {tuple(tensor.shape)}"
