"""The exact evaluator of the transit benchmark objectives.

Every line runs both ways. A ride takes the times of its links, changing takes `transfer_s`, and
nothing else takes time: no waiting, no dwelling, and buses hold everybody. Passengers take the
fastest way, and among these one with the fewest transfers. (C. L. Mumford, "New heuristic and
evolutionary operators for the multi-objective urban transit routing problem", CEC 2013.)

- Passengers' cost: the mean time of those who arrive at all, transfers included.
- Operator's cost: the time of all lines one way; where the way back takes another time, half of
  both.
- Shares of the demand with no, one and two transfers. Everybody else is *unserved*, of whom those
  with three and more transfers arrive nevertheless and count in the mean, as in the literature.

Without any demand the mean time and all shares are 0; with demand of which nobody arrives the mean
time is `inf`. Times are whole numbers throughout: of milliseconds if all given are, else of parts
2^-20 of a second.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import ProblemError, quoted
from nco.transit.evaluate import kernels
from nco.transit.evaluate.arrays import Base, Found, Given, Room
from nco.transit.evaluate.result import KINDS, Counts, Evaluation, Evaluations
from nco.transit.evaluate.times import Code, codes
from nco.transit.instance.lines import Lines, LinesLike, pad_lines, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance

__all__ = ["KINDS", "TRANSFER_S", "Evaluation", "Evaluations", "Evaluator", "State", "evaluate"]

TRANSFER_S = 300.0
"""What a transfer costs in the benchmarks."""

Nodes = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class State:
    """A set of lines with what is needed to evaluate changes of it fast.

    Attributes:
        lines: the lines.
        evaluation: what they are worth.
        code: of `dist`; opaque, as are all others.
        padded: `[R, L]` the lines, -1 after their ends.
        dist: best way from each node to each other.
        on: stops that lines have at each node.
        length: times of all lines there and back, in units of the code.
        without: the states of these lines without one, as far as they were asked for.
    """

    lines: Lines
    evaluation: Evaluation
    code: Code
    padded: Nodes
    dist: NDArray[Any]
    on: Counts
    length: int
    without: dict[int, State] = field(default_factory=dict, repr=False)


def _blank(sets: int) -> tuple[Floats, Counts]:
    """Values and violations to be filled."""
    return np.empty((sets, 7)), np.empty((sets, len(KINDS)), np.int32)


class _Coded:
    """An instance in one code."""

    def __init__(self, instance: TransitInstance, code: Code) -> None:
        self.code, self.given = code, Given.of(instance, code)
        self._spare = threading.local()

    def room(self, stops: int) -> Room:
        """Room for lines of so many stops, the same one for the same thread."""
        spare: Room | None = getattr(self._spare, "room", None)
        if spare is None or len(spare.there) < stops:
            spare = self._spare.room = Room.of(self.code, stops)
        return spare


class Evaluator:
    """Evaluates lines of one instance again and again; threads may share it.

    Args:
        instance: what the lines are for.
        transfer_s: what a transfer costs.

    Raises:
        ProblemError: a transfer takes less than nothing or forever.
    """

    def __init__(self, instance: TransitInstance, transfer_s: float = TRANSFER_S) -> None:
        if not 0 <= transfer_s < np.inf:
            raise ProblemError(f"transfer_s is {quoted(transfer_s)}; give seconds, 0 or more")
        self.instance = instance
        self.transfer_s = float(transfer_s)
        self._coded = [_Coded(instance, code) for code in codes(instance.link_s, self.transfer_s)]

    def evaluate(self, lines: LinesLike) -> Evaluation:
        """Evaluates one set of lines.

        Raises:
            ProblemError: a line uses a stop or a link that does not exist; the message names line
                and place.
        """
        return self.batch(pad_lines(refuse_bad_lines(self.instance, lines))[None])[0]

    def batch(self, lines: NDArray[np.integer], threads: int = 1) -> Evaluations:
        """Evaluates many sets of lines.

        A line that uses missing links is no error here: it is violated, and its parts between
        these links are evaluated as if they were lines.

        Args:
            lines: `[B, R, L]` nodes, -1 after the end of a line and in rows without one.
            threads: how many to use.

        Raises:
            ProblemError: wrong shape, or a stop that does not exist.
        """
        given = self._nodes(lines, 3)
        if threads < 1:
            raise ProblemError(f"threads is {quoted(threads)}; give 1 or more")
        threads = min(threads, max(1, len(given)))
        values, violations = _blank(len(given))

        def piece(begin: int, end: int) -> None:
            self._from_scratch(given[begin:end], values[begin:end], violations[begin:end])

        cuts = pairwise(len(given) * k // threads for k in range(threads + 1))
        if threads == 1:
            piece(0, len(given))
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda cut: piece(*cut), cuts))
        return Evaluations(values, violations)

    def _from_scratch(
        self, lines: Nodes, values: Floats, violations: Counts, first: int = 0
    ) -> tuple[_Coded, Room]:
        """Fills values and violations, by the first code that is exact for each set.

        Returns:
            The code of the last set and the room that holds its `dist` and `on`.
        """
        coded = self._coded[first]
        room, exact = coded.room(lines.shape[2]), np.empty(len(lines), bool)
        kernels.evaluate_batch(lines, coded.given, room, Found(values, violations, exact))
        last = coded, room
        if not exact.all():
            again = np.flatnonzero(~exact)
            wide = _blank(len(again))
            slow = self._from_scratch(lines[again], *wide, first + 1)
            values[again], violations[again] = wide
            last = last if exact[-1] else slow
        return last

    def state(self, lines: LinesLike) -> State:
        """Evaluates lines and keeps what makes the evaluation of changes fast.

        Raises:
            ProblemError: see `evaluate`.
        """
        return self._state(refuse_bad_lines(self.instance, lines))

    def _state(self, lines: Lines) -> State:
        padded = pad_lines(lines)
        # There is always a row and a stop, which loops may look at.
        rows, width = padded.shape
        padded = np.pad(padded, ((0, not rows), (0, not width)), constant_values=-1)
        found = _blank(1)
        coded, room = self._from_scratch(padded[None], *found)
        return self._kept(lines, padded[:rows], Evaluations(*found), coded.code, room)

    @staticmethod
    def _kept(lines: Lines, padded: Nodes, found: Evaluations, code: Code, room: Room) -> State:
        length = round(2 * float(found.operator_min[0]) * 60 / code.unit_s)
        return State(lines, found[0], code, padded, room.dist.copy(), room.on.copy(), length)

    def insertions(self, state: State, candidates: NDArray[np.integer]) -> Evaluations:
        """Evaluates lines, each added alone to those of a state.

        Args:
            state: of `state`, or any that follows from it.
            candidates: `[B, L]` nodes, -1 after the end of a line.

        Raises:
            ProblemError: wrong shape, a stop that does not exist, or a line without stops.
        """
        given = self._nodes(candidates, 2)
        if not (given[:, :1] >= 0).all():
            b = int(np.flatnonzero((given < 0).all(axis=1))[0])
            raise ProblemError(f"candidate {b} has no stops; give at least one a line")
        return self._insert(state, given)[0]

    def with_line(self, state: State, line: Iterable[int], number: int | None = None) -> State:
        """The state with one line more.

        Args:
            state: to begin with; it stays as it is.
            line: nodes in order.
            number: of the line in the new state; None for the last.

        Raises:
            ProblemError: there is no such place, or see `evaluate`.
        """
        (added,) = refuse_bad_lines(self.instance, [line])
        place = len(state.lines) if number is None else number
        if not 0 <= place <= len(state.lines):
            raise ProblemError(
                f"number is {number}; a new line takes a place from 0 to {len(state.lines)}"
            )
        lines = (*state.lines[:place], added, *state.lines[place:])
        found, padded, room = self._insert(state, np.array([added], np.int16))
        if room is None:
            return self._state(lines)
        if place < len(state.lines):
            padded[place:] = np.roll(padded[place:], 1, axis=0)
        return self._kept(lines, padded, found, state.code, room)

    def without_line(self, state: State, number: int) -> State:
        """The state without one of its lines, from scratch the first time it is asked for.

        Raises:
            ProblemError: there is no such line.
        """
        if not 0 <= number < len(state.lines):
            raise ProblemError(
                f"line {number} does not exist; lines are 0 to {len(state.lines) - 1}"
            )
        if number not in state.without:
            rest = (*state.lines[:number], *state.lines[number + 1 :])
            state.without[number] = self._state(rest)
        return state.without[number]

    def replace_line(self, state: State, number: int, line: Iterable[int]) -> State:
        """The state with another line in place of one.

        The state without the line is kept, so that the same line is replaced fast again, in this
        state and in what comes out.

        Raises:
            ProblemError: there is no such line, or see `evaluate`.
        """
        rest = self.without_line(state, number)
        found = self.with_line(rest, line, number)
        found.without[number] = rest
        return found

    def _insert(self, state: State, candidates: Nodes) -> tuple[Evaluations, Nodes, Room | None]:
        """Evaluations, all lines with the last one, and the room with its `dist` if it is exact."""
        coded = next(c for c in self._coded if c.code is state.code)
        rows, width = state.padded.shape
        lines = np.full((rows + 1, max(width, candidates.shape[1])), -1, np.int16)
        lines[:rows, :width] = state.padded
        values, violations = _blank(len(candidates))
        exact, room = np.empty(len(candidates), bool), coded.room(lines.shape[1])
        broken = np.array(state.evaluation.violations, np.int32)
        base = Base(state.dist, state.on, state.length, broken, lines)
        kernels.insert_batch(base, candidates, coded.given, room, Found(values, violations, exact))
        if exact.all():
            return Evaluations(values, violations), lines, room
        again = np.flatnonzero(~exact)
        whole = np.repeat(lines[None], len(again), axis=0)
        whole[:, -1] = -1
        whole[:, -1, : candidates.shape[1]] = candidates[again]
        wide = _blank(len(again))
        self._from_scratch(whole, *wide)
        values[again], violations[again] = wide
        return Evaluations(values, violations), lines, room if exact[-1] else None

    def _nodes(self, lines: NDArray[np.integer], dimensions: int) -> Nodes:
        given = np.asarray(lines)
        if given.ndim != dimensions or given.dtype.kind not in "iu":
            raise ProblemError(
                f"lines have shape {given.shape} and type {given.dtype}; give whole numbers "
                f"[{'B, R, L' if dimensions == 3 else 'B, L'}]"
            )
        low, high = (-1, -1) if not given.size else (int(given.min()), int(given.max()))
        if low < -1 or high >= self.instance.size:
            raise ProblemError(
                f"lines have node {low if low < -1 else high}; nodes are 0 to "
                f"{self.instance.size - 1}, and -1 fills up lines"
            )
        return np.ascontiguousarray(given, np.int16)


def evaluate(instance: TransitInstance, lines: LinesLike) -> Evaluation:
    """Evaluates one set of lines; `Evaluator` is for many.

    Raises:
        ProblemError: a line uses a stop or a link that does not exist; the message names line and
            place.
    """
    return Evaluator(instance).evaluate(lines)
