"""Files of learned costs: weights in safetensors beside a plain JSON card.

Nothing in a file is executed. Networks of the package lie in `weights/` next to this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from nco.cards import read_card, write_with_card
from nco.errors import PolicyError, listed, quoted, shortened
from nco.roads.learn.network import CostNetwork, Perceptron

WEIGHTS = Path(__file__).parent / "weights"
FORMAT = "nco road costs 2"
_LARGEST_BYTES = 10_000_000


@dataclass(frozen=True)
class LoadedCosts:
    """A network and what is known of it.

    Attributes:
        network: of costs.
        card: what its card says.
    """

    network: CostNetwork
    card: dict[str, Any]


def shipped_costs() -> tuple[str, ...]:
    """Names of the networks that come with the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def save_costs(path: str | Path, network: CostNetwork, card: dict[str, Any] | None = None) -> Path:
    """Write weights and card; each file is whole or not there.

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
    tensors = {
        f"{part.name}.{name}": np.ascontiguousarray(array, dtype=np.float32)
        for part in fields(network)
        for name, array in vars(getattr(network, part.name)).items()
    }
    known = {**(card or {}), "format": FORMAT, "parameters": network.parameters}
    write_with_card(path, save(tensors, metadata={"format": FORMAT}), known)
    return path


def load_costs(source: str | Path = "porto") -> LoadedCosts:
    """Load a network of costs.

    Args:
        source: name of a shipped network, or path of a `.safetensors` file.

    Raises:
        PolicyError: the file is missing, damaged, or of something else.
    """
    path = Path(source)
    if path.suffix != ".safetensors":
        if str(source) not in shipped_costs():
            raise PolicyError(
                f"there are no learned costs {quoted(str(source))}; use a .safetensors file or "
                f"{listed(shipped_costs())}"
            )
        path = WEIGHTS / f"{source}.safetensors"
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise PolicyError(f"{path} is too large for a network of costs")
        raw = path.read_bytes()
        tensors = load(raw)
        _check_format(path, raw)
        parts = {
            part.name: Perceptron(
                **{f.name: tensors[f"{part.name}.{f.name}"] for f in fields(Perceptron)}
            )
            for part in fields(CostNetwork)
        }
        network = CostNetwork(**parts)
    except PolicyError:
        raise
    except Exception as error:  # the library raises almost anything on a damaged file
        raise PolicyError(f"{path} holds no learned costs: {shortened(error)}") from error
    return LoadedCosts(network, read_card(path))


def _check_format(path: Path, raw: bytes) -> None:
    """Refuse weights of something else, and of a version that this one does not know.

    Raises:
        PolicyError: the format that the file states is another one.
    """
    size = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + size]).get("__metadata__") or {}
    if (stated := metadata.get("format")) != FORMAT:
        raise PolicyError(
            f"{path} is of format {quoted(stated)}; this version reads {quoted(FORMAT)}: save it "
            "with save_costs, or use a version of nco that knows it"
        )
