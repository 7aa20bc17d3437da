"""Where an evolution of operators stands: pairs of programs, as text, and what they are worth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.search.evolve.judge import price
from nco.search.evolve.language import Program, program_of, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.search.evolve.judge import Trial

type Pair = tuple[str, str]
"""A removal and an insertion, as text."""


def text_of(program: Program) -> str:
    """A program as one line, by which it is known."""
    return json.dumps(to_json(program), separators=(",", ":"))


def program_from(text: str) -> Program:
    """A program from its line."""
    return program_of(json.loads(text))


@dataclass
class State:
    """Where an evolution stands.

    Attributes:
        generation: how many have been.
        seconds: that they took.
        removals: the pool, as text.
        insertions: likewise.
        parents: pairs that have children, the best first.
        losses: of each pair, by instance, in order; the synergy matrix.
        known: costs of the hand-made operators on each instance.
        random: state of the random numbers.
        told: best loss after each generation.
        asked: what was asked of a language model until then; empty where none was.
    """

    generation: int = 0
    seconds: float = 0.0
    removals: list[str] = field(default_factory=list)
    insertions: list[str] = field(default_factory=list)
    parents: list[Pair] = field(default_factory=list)
    losses: dict[Pair, list[float]] = field(default_factory=dict)
    known: list[list[float]] = field(default_factory=list)
    random: dict[str, Any] = field(default_factory=dict)
    told: list[float] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)

    def loss(self, pair: Pair, trial: Trial) -> float:
        """What a pair loses against the hand-made operators, its steps included."""
        steps = price([program_from(text) for text in pair], trial)
        return float(np.mean(self.losses[pair])) + steps

    def best(self, instances: int, trial: Trial, most: int = 1) -> list[Pair]:
        """The best pairs that were judged on all instances."""
        whole = [pair for pair, losses in self.losses.items() if len(losses) >= instances]
        return sorted(whole, key=lambda pair: (self.loss(pair, trial), pair))[:most]


def joined(states: Sequence[State]) -> State:
    """What evolutions on several islands know together: their pairs, and what these are worth.

    Args:
        states: of the same instances, seed and trial.
    """
    whole = State()
    for state in states:
        whole.generation += state.generation
        whole.seconds += state.seconds
        for pair, losses in state.losses.items():
            if len(losses) > len(whole.losses.get(pair, ())):
                whole.losses[pair] = losses
    return whole
