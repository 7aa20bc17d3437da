"""As many good alternatives as are asked for: methods one after the other, then looser limits.

Plateaus come first, then all ways over single links in the published rank, then penalties: each is
asked for what is still missing, and all of them keep the same limits. Where that is not enough,
limits are relaxed step by step, in the order of `STEPS`, which the answer tells. What nobody wants
(`Limits.clean`) is never relaxed.
"""

from __future__ import annotations

from dataclasses import fields, replace

from nco.roads.several.penalty import penalty
from nco.roads.several.plateau import plateau
from nco.roads.several.query import Chosen, Limits, Query
from nco.roads.several.via import via

STEPS: tuple[dict[str, float], ...] = (
    {"detour": 1.4},
    {"stretch": 1.4},
    {"detour": 1.75},
    {"local": 0.1},
    {"stretch": 1.5, "share": 0.85},
)
"""Limits that are relaxed, one step on top of the other; a limit that is looser stays so."""

_METHODS = (plateau, via, penalty)


def auto(query: Query, chosen: Chosen) -> None:
    """Offers paths of several methods, at looser limits where these do not suffice."""
    _ask(chosen)
    for step in STEPS:
        if chosen.full or len(query.best) == 1:
            return
        relaxed = loosened(chosen.query.limits, step)
        if relaxed != chosen.query.limits:
            chosen.relax(relaxed)
            _ask(chosen)


def loosened(limits: Limits, step: dict[str, float]) -> Limits:
    """Limits after a step."""
    return replace(
        limits,
        **{
            name: (min if name == "local" else max)(getattr(limits, name), value)
            for name, value in step.items()
        },
    )


def told(asked: Limits, kept: Limits) -> str:
    """Which limits were relaxed, and to what; empty where none was."""
    changed = [
        f"{field.name} {getattr(kept, field.name):g} in place of {getattr(asked, field.name):g}"
        for field in fields(Limits)
        if getattr(kept, field.name) != getattr(asked, field.name)
    ]
    return ", ".join(changed)


def _ask(chosen: Chosen) -> None:
    for method in _METHODS:
        if not chosen.full:
            method(chosen.query, chosen)
