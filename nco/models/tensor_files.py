"""Tensors from files that may be damaged: safetensors and checkpoints.

Nothing in a file is executed, and no network is larger than the file that fills it: it is built
without memory first, and takes the tensors of the file once their shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load

from nco.archives import BrokenArchiveError, check_members
from nco.errors import PolicyError, listed, quoted, shortened
from nco.models.shipped import header_of

if TYPE_CHECKING:
    from torch import Tensor, nn


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name, and what the file says of itself.

    Raises:
        PolicyError: it is damaged, no such file, or cannot be read.
    """
    try:
        raw = path.read_bytes()
        tensors = load(raw)
        own = header_of(raw)
    except Exception as error:  # the library raises almost anything on a damaged file
        raise PolicyError(f"{path} is damaged or no safetensors file: {_words(error)}") from error
    return tensors, {str(name): str(value) for name, value in own.items()}


def read_checkpoint(path: Path, key: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What training kept under a key of a checkpoint, and the tensors in it.

    Raises:
        PolicyError: it is damaged, or no checkpoint with such a key.
    """
    try:
        check_members(path)  # else torch would unpack whatever there is, and unpickle old forms
        content = torch.load(path, map_location="cpu", weights_only=True)
        about, state = dict(content[key]), dict(content["state_dict"])
    except BrokenArchiveError as error:
        raise PolicyError(
            f"{path} is no checkpoint of nco: {error}; pickled files are not opened"
        ) from error
    except Exception as error:  # torch.load raises almost anything on a damaged file
        raise PolicyError(f"{path} is damaged or no checkpoint of nco: {_words(error)}") from error
    return about, {str(k): x for k, x in state.items() if isinstance(x, torch.Tensor)}


def filled[Network: nn.Module](
    make: Callable[[], Network], tensors: Mapping[str, Tensor], path: Path
) -> Network:
    """A network in evaluation mode that holds the tensors of a file.

    Args:
        make: builds it; may raise anything but is not to allocate beside torch.
        tensors: by name.
        path: of the file, for messages.

    Raises:
        PolicyError: it cannot be built, or the tensors are of another network.
    """
    with torch.device("meta"):
        network = make()
    wanted = network.state_dict()
    surplus = sorted(tensors.keys() - wanted.keys())
    if surplus:
        raise PolicyError(f"{path} has tensors that the network lacks: {listed(surplus)}")
    held = {name: _fitting(name, like, tensors.get(name), path) for name, like in wanted.items()}
    network.load_state_dict(held, assign=True)
    return network.eval()


def _fitting(name: str, like: Tensor, tensor: Tensor | None, path: Path) -> Tensor:
    """A tensor of the file in the type of the network's."""
    if tensor is None:
        raise PolicyError(f"{path} lacks tensor {quoted(name)}; it is of another network")
    if tensor.shape != like.shape:
        raise PolicyError(
            f"{path}: tensor {quoted(name)} has shape {quoted(tuple(tensor.shape))}, "
            f"not {tuple(like.shape)}; it is of another network"
        )
    if like.is_floating_point() and not tensor.is_floating_point():
        raise PolicyError(
            f"{path}: tensor {quoted(name)} holds {tensor.dtype}; it must hold fractions"
        )
    # A copy, so that tensors of a file that overlap do not share what training changes.
    mine = tensor.detach().to(like.dtype, copy=True, memory_format=torch.contiguous_format)
    if not torch.isfinite(mine).all():
        raise PolicyError(f"{path}: tensor {quoted(name)} holds numbers that are not finite")
    return mine


def _words(error: Exception) -> str:
    """The first line of an error, or else its kind."""
    return shortened((str(error).splitlines() or [type(error).__name__])[0])
