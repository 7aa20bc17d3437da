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

from safetensors.torch import save

from nco.arguments import of_kind, path_of
from nco.cards import read_card, write_with_card
from nco.errors import PolicyError, listed, quoted, shortened
from nco.json_text import parse_json
from nco.models.policy import Policy, Spec
from nco.models.shipped import WEIGHTS as WEIGHTS
from nco.models.shipped import shipped as shipped
from nco.models.tensor_files import filled, read_checkpoint, read_safetensors
from nco.observation import Features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor


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


def build(spec: Spec) -> Policy:
    """Builds an untrained policy from plain data.

    Raises:
        PolicyError: the class is not a policy of this package, or refuses its arguments.
    """
    path = spec.get("class_path") if isinstance(spec, dict) else None
    arguments = spec.get("init_args") if isinstance(spec, dict) else None
    if not isinstance(path, str) or not isinstance(arguments, dict):
        raise PolicyError(f"policy is {quoted(spec)}; it must have class_path and init_args")
    module, _, name = path.rpartition(".")
    found = None
    if module.startswith("nco.models."):
        try:
            found = getattr(import_module(module), name, None)
        except (ImportError, ValueError):
            found = None
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise PolicyError(f"class_path is {quoted(path)}; only policies under nco.models are built")
    try:
        features = Features(**{kind: tuple(names) for kind, names in arguments["features"].items()})
        policy = found(**{**arguments, "features": features})
    except Exception as error:  # of whatever kind the arguments are that a file has
        raise PolicyError(f"init_args of {path}: {shortened(error)}") from error
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
    write_with_card(path, save(tensors, metadata=own), {**(card or {}), **known})
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
    if problem is not None:
        of_kind(problem, str, "problem", "the name of one, such as 'rcvrp'", PolicyError)
    if path.suffix == ".ckpt":
        found, spec, tensors, card = _read_policy_checkpoint(path)
    else:
        found, spec, tensors, card = _read_weights(path)
    if problem is not None and problem not in found:
        raise PolicyError(
            f"{path} is a policy for {listed(found)}, not for {quoted(problem)}; give another file"
        )
    policy = filled(lambda: build(spec), tensors, path)
    return StoredPolicy(policy, found, card)


def _locate(source: str | Path) -> Path:
    if isinstance(source, str) and source in shipped():
        return WEIGHTS / f"{source}.safetensors"
    path = path_of(source, "policy", PolicyError)
    if path.suffix not in (".safetensors", ".ckpt"):
        names = ", ".join(shipped()) or "none"
        raise PolicyError(
            f"policy {quoted(str(source))} is unknown; give a .safetensors or .ckpt file, or the "
            "name "
            f"of a shipped one ({names})"
        )
    if not path.is_file():
        raise PolicyError(f"policy file {path} does not exist")
    return path


type _Content = tuple[tuple[str, ...], Spec, dict[str, Tensor], dict[str, Any]]


def _read_weights(path: Path) -> _Content:
    tensors, own = read_safetensors(path)
    if own.get("format") != FORMAT:
        given = quoted(own.get("format"))
        raise PolicyError(f"{path} is not a policy of nco: its format is {given}")
    try:
        problems, spec = parse_json(own["problems"]), parse_json(own["policy"])
    except (KeyError, ValueError) as error:
        raise PolicyError(f"{path} does not say what network it is of: {error}") from error
    return _names(problems, path), spec, tensors, read_card(path)


def policy_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of a checkpoint's tensors that are the policy's, as it names them."""
    return {k.removeprefix("policy."): v for k, v in state.items() if k.startswith("policy.")}


def _read_policy_checkpoint(path: Path) -> _Content:
    about, state = read_checkpoint(path, CHECKPOINT_KEY)
    card = {"training": about["training"]} if "training" in about else {}
    problems = _names(about.get("problems"), path)
    return problems, about.get("policy", {}), policy_tensors(state), card


def _names(problems: Any, path: Path) -> tuple[str, ...]:
    """Names of problems, as they must be in every file."""
    if not isinstance(problems, list | tuple) or not all(isinstance(p, str) for p in problems):
        raise PolicyError(f"{path} does not say for which problems it is, but {quoted(problems)}")
    return tuple(problems)
