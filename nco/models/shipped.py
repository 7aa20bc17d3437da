"""Where the policies that ship are, and what the head of a file of weights says; without torch."""

from __future__ import annotations

import json
from pathlib import Path

from nco.json_text import parse_json

WEIGHTS = Path(__file__).parent / "weights"


def shipped() -> tuple[str, ...]:
    """Names of the policies that come with the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def served_by(name: str) -> tuple[str, ...]:
    """Names of the problems that a shipped policy serves."""
    return tuple(json.loads(header_of((WEIGHTS / f"{name}.safetensors").read_bytes())["problems"]))


def header_of(raw: bytes) -> dict[str, str]:
    """What a safetensors file says of itself beside its tensors.

    Raises:
        ValueError: it is no such file.
    """
    length = int.from_bytes(raw[:8], "little")
    found: dict[str, str] = parse_json(raw[8 : 8 + length]).get("__metadata__", {})
    return found
