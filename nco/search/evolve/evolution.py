"""Operators that evolve: two pools, of removals and of insertions, judged in pairs.

In the manner of G-LNS (arXiv 2602.08253): operators are judged by what they bring together, and a
pair that does well has children together. Unlike it, what pairs were worth is remembered over all
episodes (the synergy matrix) and measured on common random numbers, poor pairs are given up after a
few episodes (successive halving, K. Jamieson and A. Talwalkar 2016), pools keep operators that
differ, and nobody has to be asked over a network; a writer may be.

A generation is a function of the state before it: a run that was ended goes on from its file as if
it had not been.
"""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nco.errors import InputError, quoted
from nco.search.evolve import seeds
from nco.search.evolve.genetics import (
    crossed,
    mutated,
    random_insertion,
    random_removal,
)
from nco.search.evolve.judge import Trial, episode, loss, plain
from nco.search.evolve.language import Insertion, Program, Removal
from nco.search.evolve.state import Pair, State, program_from, text_of
from nco.spread import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.problem import Problem

POOL = 8  # operators of each kind
CHILDREN = 6  # new pairs a generation
MUTATION, CROSSOVER = 0.5, 0.4  # chances; what is left is for children of a pair together
FRESH = 0.15  # chance that a child is drawn at random instead
WRITTEN = 0.5  # chance that a child is asked of a writer, where there is one
HALVING = 2  # of how many pairs one is judged further
RUNGS = 3  # of judging, each on twice as many instances as the one before
PARENTS = 16  # pairs that have children
KNOWN = 2000  # pairs of which is remembered what they were worth
ALIKE = 1e-9  # losses on each instance that differ by less are those of the same behaviour


class Writer(Protocol):
    """Who writes operators after others, such as `llm.author.Author`; None where none came out."""

    @property
    def ended(self) -> bool:
        """Whether nothing is to be asked any more."""

    def initialise(self, kind: type[Program], known: Sequence[Program]) -> Program | None:
        """One unlike those that are known."""

    def vary(self, program: Program) -> Program | None:
        """One with another idea in it."""

    def calibrate(self, program: Program) -> Program | None:
        """One with other numbers."""

    def recombine(self, one: Program, other: Program) -> Program | None:
        """One of the second's kind with both ideas."""

    def pair(self, removal: Removal, insertion: Insertion) -> tuple[Removal, Insertion] | None:
        """Two that belong together."""


class Evolution:
    """An evolution over some instances.

    Args:
        problems: to be judged on, in their normal form; poor pairs see the first ones only.
        trial: how to search.
        seed: of all that is random.
        executor: where episodes are run, those of lost workers again; None runs them here, one
            after the other.
        state: to go on from.
        writer: asked for about half of the children; genetic programming makes the others, and
            those that do not come out. Only without one is a run the same every time.
        island: evolutions of the same seed on different islands are judged on the same searches,
            but draw operators of their own.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        trial: Trial,
        seed: int,
        executor: Executor | None = None,
        state: State | None = None,
        writer: Writer | None = None,
        island: int = 0,
    ) -> None:
        if len(problems) < 2:
            raise InputError(f"problems are {quoted(len(problems))}; give two or more")
        self._problems, self.trial, self._seed = list(problems), trial, seed
        self._executor, self._writer = executor, writer
        self.state = state or State()
        self._rng = np.random.default_rng([seed, island] if island else seed)
        if self.state.random:
            self._rng.bit_generator.state = self.state.random

    def __len__(self) -> int:
        """How many instances there are."""
        return len(self._problems)

    @property
    def rungs(self) -> list[int]:
        """Instances that a pair is judged on, from rung to rung."""
        count = len(self._problems)
        return sorted({max(1, count // HALVING**k) for k in range(RUNGS)})

    def step(self) -> None:
        """One generation; the first one judges the hand-made operators."""
        begun, state = time.monotonic(), self.state
        if not state.known:
            state.known = self._episodes([(None, k) for k in range(len(self._problems))])
        pairs = self._children() if state.generation else self._first()
        self._judge(pairs)
        self._select()
        state.generation += 1
        best = state.best(len(self._problems), self.trial)
        state.told.append(self.loss(best[0]) if best else math.inf)
        state.random = dict(self._rng.bit_generator.state)
        state.seconds += time.monotonic() - begun

    def loss(self, pair: Pair) -> float:
        """What a pair loses against the hand-made operators, its steps included."""
        return self.state.loss(pair, self.trial)

    def _episodes(self, wanted: Sequence[tuple[Pair | None, int]]) -> list[list[float]]:
        """Curves of pairs on instances."""
        trial, seed = plain(self.trial), self._seed
        calls = [
            (
                self._problems[k],
                seed + k,
                trial,
                None if pair is None else [json.loads(text) for text in pair],
            )
            for pair, k in wanted
        ]
        if self._executor is None:
            return [episode(*call) for call in calls]
        done = dict(spread(episode, enumerate(calls), executor=self._executor))
        return [done[n].result() for n in range(len(calls))]

    def _judge(self, pairs: Sequence[Pair]) -> None:
        """Judges pairs on more and more instances, of which the poor half is given up each time."""
        losses, left = self.state.losses, list(dict.fromkeys(pairs))
        for rung, count in enumerate(self.rungs):
            wanted = [(p, k) for p in left for k in range(len(losses.get(p, ())), count)]
            for (pair, k), costs in zip(wanted, self._episodes(wanted), strict=True):
                losses.setdefault(pair, []).append(loss(costs, self.state.known[k]))
            left.sort(key=lambda pair: (self.loss(pair), pair))
            if rung + 1 < len(self.rungs):
                left = left[: max(1, len(left) // HALVING)]

    def _first(self) -> list[Pair]:
        """The hand-made operators as programs, in pairs, and random ones."""
        outs = [text_of(p) for name, p in seeds.REMOVALS.items() if name != "policy"]
        backs = [
            text_of(p) for name, p in seeds.INSERTIONS.items() if name not in ("policy", "kind")
        ]
        while len(outs) < len(backs):
            outs.append(text_of(random_removal(self._rng)))
        self.state.removals, self.state.insertions = outs, backs
        order = self._rng.permutation(len(backs))
        usual = (text_of(seeds.REMOVALS["string"]), text_of(seeds.INSERTIONS["blinks"]))
        return [usual, *((outs[n], backs[order[n]]) for n in range(len(backs)))]

    def _children(self) -> list[Pair]:
        """New operators, each with the best partner of its parent."""
        rng = self._rng
        found: list[Pair] = []
        parents = self.state.parents
        weights = 1.0 / np.arange(1, len(parents) + 1)
        while len(found) < CHILDREN:
            out, back = parents[int(rng.choice(len(parents), p=weights / weights.sum()))]
            mother = (program_from(out), program_from(back))
            draw = rng.random()
            if draw >= MUTATION + CROSSOVER:  # children of a pair together
                other = parents[int(rng.choice(len(parents), p=weights / weights.sum()))]
                father = (program_from(other[0]), program_from(other[1]))
                writer = self._asked()
                pair: Any = writer.pair(*mother) if writer else None  # type: ignore[arg-type]
                if pair is None:
                    new = [crossed(m, f, rng) for m, f in zip(mother, father, strict=True)]  # type: ignore[type-var]
                    pair = mutated(new[0], rng), mutated(new[1], rng)  # type: ignore[type-var]
                found.append((text_of(pair[0]), text_of(pair[1])))
                continue
            kind = int(rng.integers(2))
            child = self._child(mother[kind], draw < MUTATION, kind)
            found.append((child, back) if kind == 0 else (out, child))
        return found

    def _child(self, program: Any, mutation: bool, kind: int) -> str:
        """A new operator after another one."""
        rng, writer = self._rng, self._asked()
        pool = (self.state.removals, self.state.insertions)[kind]
        written: Program | None = None
        if rng.random() < FRESH:
            if writer:
                written = writer.initialise(type(program), [program_from(text) for text in pool])
            return text_of(written or (random_removal, random_insertion)[kind](rng))
        if mutation:
            if writer:
                written = (writer.vary, writer.calibrate)[int(rng.integers(2))](program)
            return text_of(written or mutated(program, rng))
        other: Any = program_from(pool[int(rng.integers(len(pool)))])
        written = writer.recombine(other, program) if writer else None
        return text_of(written or mutated(crossed(program, other, rng), rng))

    def _asked(self) -> Writer | None:
        """The writer, if this child is asked of it."""
        writer = self._writer
        if writer is None or writer.ended or self._rng.random() >= WRITTEN:
            return None
        return writer

    def _select(self) -> None:
        """Keeps the operators of the best pairs, none twice that behaves like another one."""
        state = self.state
        ranked = sorted(state.losses, key=lambda p: (-len(state.losses[p]), self.loss(p), p))
        pools: tuple[list[str], list[str]] = ([], [])
        parents: list[Pair] = []
        for pair in ranked:
            losses = state.losses[pair]
            if any(_alike(losses, state.losses[known]) for known in parents):
                continue
            parents.append(pair)
            for pool, text in zip(pools, pair, strict=True):
                if text not in pool and len(pool) < POOL:
                    pool.append(text)
            if len(parents) == PARENTS:
                break
        state.parents, (state.removals, state.insertions) = parents, pools
        state.losses = {pair: state.losses[pair] for pair in ranked[:KNOWN]}


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two pairs went the same way on all instances that both saw."""
    return all(abs(a - b) < ALIKE for a, b in zip(one, other, strict=False))
