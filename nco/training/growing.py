"""A policy that grows out of a trained one: what both have by name is taken over.

A network of more features, or with parts that begin as zero, then decides as the trained one does
until it has learned more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.errors import PolicyError, listed
from nco.models.files import read_policy
from nco.models.layers import NamedLinear

if TYPE_CHECKING:
    from pathlib import Path

    from nco.models.policy import Policy


def grow_from(policy: Policy, source: str | Path) -> None:
    """Gives a policy the weights of another one; those of features that it lacks become 0.

    Args:
        policy: to change.
        source: name of a shipped policy, a `.safetensors` file or a checkpoint.

    Raises:
        PolicyError: the file is missing or damaged, or its network has parts that the policy lacks
            or other sizes.
    """
    given = read_policy(source).policy
    own, other = dict(policy.named_modules()), dict(given.named_modules())
    wanted, known = policy.state_dict(), given.state_dict()
    strange = [name for name in known if name not in wanted]
    if strange:
        raise PolicyError(
            f"{source} has {listed(strange)}, which the config's network lacks; give the model the "
            "same class or one that adds to it"
        )
    for name, tensor in known.items():
        part, _, kind = name.rpartition(".")
        here, there = own[part], other[part]
        if kind == "weight" and isinstance(here, NamedLinear) and isinstance(there, NamedLinear):
            tensor = _by_name(tensor, there.names, here.names)
        elif name == "pointer.role.weight":
            width = tensor.shape[1]
            each = tensor.view(-1, width, width).flatten(1).T
            each = _by_name(each, given.features.roles, policy.features.roles)
            tensor = each.T.reshape(-1, width)
        if wanted[name].shape != tensor.shape:
            raise PolicyError(
                f"{source}: {name} has shape {tuple(tensor.shape)}, and in the config's network "
                f"{tuple(wanted[name].shape)}; give the model the same sizes"
            )
        wanted[name] = tensor
    policy.load_state_dict(wanted)


def _by_name(weight: Tensor, given: tuple[str, ...], wanted: tuple[str, ...]) -> Tensor:
    """Columns `[E, F]` in another order, zeros for those that are not given."""
    columns = {name: weight[:, k] for k, name in enumerate(given)}
    zero = torch.zeros_like(weight[:, 0])
    return torch.stack([columns.get(name, zero) for name in wanted], 1)
