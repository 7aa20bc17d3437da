"""Cards: plain JSON beside a file of weights, on which stands what is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nco.errors import PolicyError, shortened
from nco.files import write_atomic
from nco.json_text import parse_json


def write_with_card(weights: Path, raw: bytes, card: Mapping[str, Any]) -> None:
    """Writes weights and their card; each file is whole or not there.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    write_atomic(weights, raw)
    write_atomic(weights.with_suffix(".json"), json.dumps(card, indent=2) + "\n")


def read_card(weights: Path) -> dict[str, Any]:
    """What the card beside weights says; nothing without one.

    Raises:
        PolicyError: it is damaged.
    """
    card = weights.with_suffix(".json")
    if not card.is_file():
        return {}
    try:
        content = parse_json(card.read_bytes())
    except (OSError, ValueError) as error:
        raise PolicyError(f"card {card} is damaged: {shortened(error)}") from error
    if not isinstance(content, dict):
        raise PolicyError(f"card {card} is damaged: it must hold one object")
    return content
