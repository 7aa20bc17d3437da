"""Policy files: weights in safetensors beside a plain JSON card, and checkpoints of training.

Nothing in a file is executed: weights are numbers, and the class that a card names is built only
if it is a `Policy` of this package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from nco.files import write_atomic
from nco.observation import Features
from nco.errors import PolicyError
from nco.models.policy import Policy, Spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor


WEIGHTS = Path(__file__).parent / "weights"
CHECKPOINT_KEY = "nco"
FORMAT = "nco policy 2"


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as its file has it, and what is known of it.

    Attributes:
        policy: in evaluation mode, on the CPU.
        problems: names of the environments that it was trained for.
        card: everything else on its card.
    """

    policy: Policy
    problems: tuple[str, ...]
    card: dict[str, Any]


def shipped() -> tuple[str, ...]:
    """Names of the policies that come with the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def build(spec: Spec) -> Policy:
    """Builds an untrained policy from plain data.

    Raises:
        PolicyError: the class is not a policy of this package, or refuses its arguments.
    """
    path = spec.get("class_path") if isinstance(spec, dict) else None
    arguments = spec.get("init_args") if isinstance(spec, dict) else None
    if not isinstance(path, str) or not isinstance(arguments, dict):
        raise PolicyError(f"policy is {spec!r}; it must have class_path and init_args")
    module, _, name = path.rpartition(".")
    found = None
    if module.startswith("nco.models."):
        try:
            found = getattr(import_module(module), name, None)
        except ImportError:
            found = None
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise PolicyError(f"class_path is {path!r}; only policies under nco.models are built")
    try:
        features = Features(**{kind: tuple(names) for kind, names in arguments["features"].items()})
        policy = found(**{**arguments, "features": features})
    except (AttributeError, KeyError, TypeError, RuntimeError, ValueError) as error:
        raise PolicyError(f"init_args of {path}: {error}") from error
    return policy.eval()


def save_policy(
    path: str | Path,
    policy: Policy,
    problems: Sequence[str],
    card: dict[str, Any] | None = None,
) -> Path:
    """Writes weights and card; each file is whole or not there.

    Args:
        path: of the weights, ending in `.safetensors`; the card lies beside it as `.json`.
        policy: to save.
        problems: names of its environments.
        card: whatever else is known, as plain data.

    Raises:
        PolicyError: the name has another ending.
        StorageError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise PolicyError(f"{path.name}: a policy file must end in .safetensors")
    known = {"format": FORMAT, "problems": list(problems), "policy": policy.spec()}
    tensors = {name: value.detach().contiguous() for name, value in policy.state_dict().items()}
    # The spec travels in the weights too: a card that was swapped or lost cannot mislead.
    own = {
        "format": FORMAT,
        "problems": json.dumps(list(problems)),
        "policy": json.dumps(policy.spec()),
    }
    write_atomic(path, save(tensors, metadata=own))
    write_atomic(path.with_suffix(".json"), json.dumps({**(card or {}), **known}, indent=2) + "\n")
    return path


def read_policy(source: str | Path, problem: str | None = None) -> StoredPolicy:
    """Reads a policy.

    Args:
        source: name of a shipped policy, path of a `.safetensors` file, or of a Lightning
            checkpoint (`.ckpt`) that nco trained.
        problem: name of the environment that the policy must be for; None takes any.

    Raises:
        PolicyError: the file is missing, damaged, for another problem, or its tensors do not
            belong to the network that it names.
    """
    path = _locate(source)
    if path.suffix == ".ckpt":
        found, spec, tensors, card = _read_checkpoint(path)
    else:
        found, spec, tensors, card = _read_weights(path)
    if problem is not None and problem not in found:
        raise PolicyError(
            f"{path} is a policy for {', '.join(found)}, not for {problem!r}; give another file"
        )
    policy = build(spec)
    _fill(policy, tensors, path)
    return StoredPolicy(policy, found, card)


def _locate(source: str | Path) -> Path:
    if isinstance(source, str) and source in shipped():
        return WEIGHTS / f"{source}.safetensors"
    path = Path(source)
    if path.suffix not in (".safetensors", ".ckpt"):
        names = ", ".join(shipped()) or "none"
        raise PolicyError(
            f"policy {str(source)!r} is unknown; give a .safetensors or .ckpt file, or the name "
            f"of a shipped one ({names})"
        )
    if not path.is_file():
        raise PolicyError(f"policy file {path} does not exist")
    return path


type _Content = tuple[tuple[str, ...], Spec, dict[str, Tensor], dict[str, Any]]


def _read_weights(path: Path) -> _Content:
    try:
        raw = path.read_bytes()
        tensors = load(raw)
        length = int.from_bytes(raw[:8], "little")
        own = json.loads(raw[8 : 8 + length]).get("__metadata__", {})
    except (OSError, SafetensorError, ValueError) as error:
        raise PolicyError(f"{path} is damaged or no safetensors file: {error}") from error
    if own.get("format") != FORMAT:
        raise PolicyError(f"{path} is not a policy of nco: its format is {own.get('format')!r}")
    try:
        problems, spec = tuple(json.loads(own["problems"])), json.loads(own["policy"])
    except (KeyError, ValueError) as error:
        raise PolicyError(f"{path} does not say what network it is of: {error}") from error
    return problems, spec, tensors, _read_card(path)


def _read_card(path: Path) -> dict[str, Any]:
    card = path.with_suffix(".json")
    if not card.is_file():
        return {}
    try:
        content = json.loads(card.read_text())
    except ValueError as error:
        raise PolicyError(f"card {card} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise PolicyError(f"card {card} is damaged: it must hold one object")
    return content


def policy_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of a checkpoint's tensors that are the policy's, as it names them."""
    return {k.removeprefix("policy."): v for k, v in state.items() if k.startswith("policy.")}


def _read_checkpoint(path: Path) -> _Content:
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        about, state = checkpoint[CHECKPOINT_KEY], checkpoint["state_dict"]
        tensors = policy_tensors(state)
        card = {"training": about["training"]} if "training" in about else {}
        return tuple(about["problems"]), about["policy"], tensors, card
    except Exception as error:  # torch.load raises almost anything on a damaged file
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PolicyError(f"{path} is damaged or no checkpoint of nco: {text}") from error


def _fill(policy: Policy, tensors: dict[str, Tensor], path: Path) -> None:
    wanted = policy.state_dict()
    for name, tensor in wanted.items():
        if name not in tensors:
            raise PolicyError(f"{path} lacks tensor {name!r}; it is of another network")
        if tensors[name].shape != tensor.shape:
            raise PolicyError(
                f"{path}: tensor {name!r} has shape {tuple(tensors[name].shape)}, "
                f"not {tuple(tensor.shape)}; it is of another network"
            )
        if not torch.isfinite(tensors[name]).all():
            raise PolicyError(f"{path}: tensor {name!r} holds numbers that are not finite")
    surplus = sorted(tensors.keys() - wanted.keys())
    if surplus:
        raise PolicyError(f"{path} has tensors that the network lacks: {', '.join(surplus[:3])}")
    policy.load_state_dict({name: value.to(torch.float32) for name, value in tensors.items()})
