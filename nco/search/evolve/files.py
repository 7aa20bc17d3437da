"""Files of operators and of evolutions: plain JSON that says what there is and executes nothing.

    {"format": "nco-operators", "version": 1, "made": {...}, "measured": {...},
     "operators": [{"name": "...", "weight": 2.0, "program": {...}}, ...]}

`made` says where operators come from and `measured` what they gain; both are for people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.data.formats.json_file import read_json, write_json
from nco.errors import FormatError, InputError, quoted, shortened
from nco.search.evolve.language import Program, Removal, program_of, to_json
from nco.search.evolve.linking import operator_of
from nco.search.evolve.state import State, program_from

if TYPE_CHECKING:
    from nco.search.lns.operators import Operator

OPERATORS, EVOLUTION, VERSION = "nco-operators", "nco-evolution", 1
MOST_OPERATORS, MOST_NAME = 32, 60
MOST_WEIGHT = 100.0
SHIPPED = Path(__file__).with_name("operators.json")
"""The operators that come with nco; no method uses them unless it is told to."""


@dataclass(frozen=True)
class NamedProgram:
    """An operator of a file.

    Attributes:
        name: for people.
        program: what it does.
        weight: how often it is used at first; hand-made operators have 0.5 to 6.
    """

    name: str
    program: Program
    weight: float = 1.0


@dataclass(frozen=True)
class OperatorSet:
    """Operators that join a search.

    Attributes:
        operators: of either kind.
        made: how they were found.
        measured: what they gain.
    """

    operators: tuple[NamedProgram, ...]
    made: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)

    @property
    def removals(self) -> tuple[Operator, ...]:
        """Those that take stops out, for a search."""
        return self._of(removal=True)

    @property
    def insertions(self) -> tuple[Operator, ...]:
        """Those that put stops in."""
        return self._of(removal=False)

    def _of(self, *, removal: bool) -> tuple[Operator, ...]:
        return tuple(
            operator_of(known.program, known.weight)
            for known in self.operators
            if isinstance(known.program, Removal) is removal
        )


def read_operators(path: str | Path) -> OperatorSet:
    """The operators in a file.

    Raises:
        FormatError: it is no file of operators, or one of them is not of the language.
        StorageError: it cannot be read.
    """
    data = read_json(path).data
    _check(path, data, OPERATORS)
    entries = data.get("operators")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_OPERATORS:
        raise FormatError(f"{path}: operators are no list of 1 to {MOST_OPERATORS} objects")
    notes = [data.get(name, {}) for name in ("made", "measured")]
    if not all(isinstance(note, dict) for note in notes):
        raise FormatError(f"{path}: made and measured are objects, or left out")
    found = tuple(_named(path, n, entry) for n, entry in enumerate(entries))
    return OperatorSet(found, *notes)


def write_operators(path: str | Path, operators: OperatorSet) -> Path:
    """Writes a file of operators.

    Raises:
        StorageError: it cannot be written; what stood there before is untouched.
    """
    entries = [
        {"name": known.name, "weight": known.weight, "program": to_json(known.program)}
        for known in operators.operators
    ]
    return write_json(
        path,
        {
            "format": OPERATORS,
            "version": VERSION,
            "made": operators.made,
            "measured": operators.measured,
            "operators": entries,
        },
    )


def given_operators(operators: object) -> OperatorSet:
    """Operators as they are given: a set of them, or the path of a file.

    Raises:
        InputError: it is something else.
        FormatError: the file is none of operators.
        StorageError: it cannot be read.
    """
    if isinstance(operators, OperatorSet):
        return operators
    if isinstance(operators, str | Path):
        return read_operators(operators)
    raise InputError(
        f"operators are {quoted(operators)}; give the path of a file that `nco evolve operators` "
        "has written, or an OperatorSet"
    )


def _check(path: str | Path, data: dict[str, Any], kind: str) -> None:
    if data.get("format") != kind:
        raise FormatError(f"{path}: format is {quoted(data.get('format'))}; it must be {kind}")
    if data.get("version") != VERSION:
        raise FormatError(
            f"{path}: version is {quoted(data.get('version'))}; this nco reads {VERSION}"
        )


def _named(path: str | Path, n: int, entry: object) -> NamedProgram:
    at = f"{path}: operators[{n}]"
    if not isinstance(entry, dict):
        raise FormatError(f"{at} is {quoted(entry)}; give an object with name and program")
    name, weight = entry.get("name"), entry.get("weight", 1.0)
    if not isinstance(name, str) or not 1 <= len(name) <= MOST_NAME or not name.isprintable():
        raise FormatError(f"{at}: name is {quoted(name)}; give 1 to {MOST_NAME} printable letters")
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not 0 < weight <= MOST_WEIGHT:
        raise FormatError(
            f"{at}: weight is {quoted(weight)}; give a number above 0 up to {MOST_WEIGHT:g}"
        )
    try:
        return NamedProgram(name, program_of(entry.get("program")), float(weight))
    except InputError as error:
        raise FormatError(f"{at}: {shortened(error)}") from error


def write_state(path: str | Path, state: State, task: dict[str, Any]) -> Path:
    """Writes down where an evolution stands, whole or not at all.

    Args:
        path: where to.
        state: where it stands.
        task: what the evolution is of, to which alone it may be taken up again.

    Raises:
        StorageError: it cannot be written; what stood there before is untouched.
    """
    known = {name: value for name, value in vars(state).items() if name != "losses"}
    losses = [[*pair, losses] for pair, losses in state.losses.items()]
    data = {"format": EVOLUTION, "version": VERSION, "task": task, "losses": losses}
    return write_json(path, {**data, "state": known})


def read_state(path: str | Path, task: dict[str, Any]) -> State:
    """Where an evolution stood.

    Raises:
        FormatError: the file is damaged, or of another evolution.
        StorageError: it cannot be read.
    """
    state, known = read_evolution(path)
    if known != task:
        raise FormatError(
            f"{path} is of another evolution, of {quoted(known)}; give the same options "
            "to go on with it, or another file to begin one"
        )
    return state


def read_evolution(path: str | Path) -> tuple[State, dict[str, Any]]:
    """Where an evolution stood, and what it is of.

    Raises:
        FormatError: the file is damaged, or something else.
        StorageError: it cannot be read.
    """
    data = read_json(path).data
    _check(path, data, EVOLUTION)
    try:
        task = dict(data["task"])
        known = data["state"]
        losses = {(str(a), str(b)): list(map(float, c)) for a, b, c in data["losses"]}
        state = State(
            generation=int(known["generation"]),
            seconds=float(known["seconds"]),
            removals=list(map(str, known["removals"])),
            insertions=list(map(str, known["insertions"])),
            parents=[(str(a), str(b)) for a, b in known["parents"]],
            losses=losses,
            known=[list(map(float, costs)) for costs in known["known"]],
            random=_checked_random(known["random"]),
            told=[float("inf") if x is None else float(x) for x in known["told"]],
            asked=dict(known.get("asked", {})),
        )
        for pair in (*losses, *state.parents):
            for text in pair:
                program_from(text)
        for text in (*state.removals, *state.insertions):
            program_from(text)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{path} is damaged: {shortened(error)}; delete it to begin anew"
        ) from error
    return state, task


def _checked_random(state: Any) -> dict[str, Any]:
    """A state that random numbers can go on from; numpy raises where they cannot."""
    np.random.default_rng(0).bit_generator.state = state
    return dict(state)
