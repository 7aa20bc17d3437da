"""Files of networks for bus lines: weights in safetensors beside a plain JSON card.

Nothing in a file is executed. Networks of the package lie in `weights/` next to this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from nco.cards import read_card, write_with_card
from nco.errors import PolicyError, quoted, shortened
from nco.json_text import parse_json
from nco.models.tensor_files import filled, read_checkpoint, read_safetensors
from nco.transit.policy.network import TransitNetwork

WEIGHTS = Path(__file__).parent / "weights"
CHECKPOINT_KEY = "nco transit"
FORMAT = "nco transit network 1"


@dataclass(frozen=True)
class LoadedNetwork:
    """A network and what is known of it.

    Attributes:
        network: in evaluation mode, on the CPU.
        card: what its card says.
    """

    network: TransitNetwork
    card: dict[str, Any]


def shipped_networks() -> tuple[str, ...]:
    """Names of the networks that come with the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def save_network(
    path: str | Path, network: TransitNetwork, card: dict[str, Any] | None = None
) -> Path:
    """Writes weights and card; each file is whole or not there.

    Args:
        path: of the weights, ending in `.safetensors`; the card lies beside it as `.json`.
        network: to save.
        card: whatever is known of it, as plain data.

    Raises:
        PolicyError: the name has another ending.
        StorageError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise PolicyError(f"{path.name}: a file of weights must end in .safetensors")
    tensors = {name: x.detach().contiguous() for name, x in network.state_dict().items()}
    own = {"format": FORMAT, "network": json.dumps(network.options)}
    known = {**(card or {}), "format": FORMAT, "network": network.options}
    write_with_card(path, save(tensors, metadata=own), known)
    return path


def load_network(source: str | Path) -> LoadedNetwork:
    """Loads a network.

    Args:
        source: name of a shipped network, path of a `.safetensors` file, or of a checkpoint
            (`.ckpt`) of `nco.transit.learn.module`.

    Raises:
        PolicyError: the file is missing, damaged, or of something else.
    """
    path = _locate(source)
    options, tensors, card = _checkpoint(path) if path.suffix == ".ckpt" else _weights(path)
    return LoadedNetwork(filled(lambda: _build(options, path), tensors, path), card)


def _build(options: Any, path: Path) -> TransitNetwork:
    try:
        return TransitNetwork(**options)
    except Exception as error:  # of whatever kind the options are that a file has
        raise PolicyError(f"{path} is no network for bus lines: {shortened(error)}") from error


def _locate(source: str | Path) -> Path:
    if isinstance(source, str) and source in shipped_networks():
        return WEIGHTS / f"{source}.safetensors"
    path = Path(source)
    if path.suffix not in (".safetensors", ".ckpt") or not path.is_file():
        names = ", ".join(shipped_networks()) or "none"
        raise PolicyError(
            f"network {quoted(str(source))} is unknown; give a .safetensors or .ckpt file that "
            f"exists, or the name of a shipped one ({names})"
        )
    return path


type _Content = tuple[Any, dict[str, torch.Tensor], dict[str, Any]]


def _weights(path: Path) -> _Content:
    tensors, own = read_safetensors(path)
    if own.get("format") != FORMAT:
        given = quoted(own.get("format"))
        raise PolicyError(f"{path} is no network for bus lines: its format is {given}")
    try:
        options = parse_json(own.get("network", ""))
    except ValueError as error:
        raise PolicyError(f"{path} does not say what network it is of: {error}") from error
    return options, tensors, read_card(path)


def _checkpoint(path: Path) -> _Content:
    about, state = read_checkpoint(path, CHECKPOINT_KEY)
    mine = {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}
    card = {"training": about["training"]} if "training" in about else {}
    return about.get("network"), mine, card
