"""Random generators that follow from a key, so that any batch can be drawn again."""

from __future__ import annotations

import hashlib

import torch


def seeded(device: torch.device | str, *key: object) -> torch.Generator:
    """A generator on a device that follows from a key."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little", signed=True))
