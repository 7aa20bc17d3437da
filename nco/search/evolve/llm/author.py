"""Programs out of a model's answers; what cannot be used is told to the model, a few times.

Of an answer nothing is used but the programs in it, which come in by `outside.door`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from nco.errors import InputError, ServiceError, shortened
from nco.search.evolve.language import Insertion, Program, Removal
from nco.search.evolve.llm import prompts
from nco.search.evolve.llm.model import Message, Model
from nco.search.evolve.outside.door import admitted

log = logging.getLogger("nco")

_FENCED = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_MOST_READ = 64_000  # characters of an answer
_MOST_FAILED = 3  # questions in a row without an answer, after which nothing is asked any more


class Author:
    """Writes programs by asking a model.

    Args:
        model: whom to ask.
        tries: answers for one program, the first included; what is wrong with one is told.
    """

    def __init__(self, model: Model, tries: int = 3) -> None:
        self.model = model
        self._tries = tries
        self._failed = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is asked any more: the tokens are used up, or the server is gone."""
        return self.model.used_up or self._failed >= _MOST_FAILED

    def initialise(self, kind: type[Program], known: Sequence[Program]) -> Program | None:
        """A new program unlike those that are known; None if there is none to be had."""
        return self._one(kind, prompts.initialise(kind, known))

    def vary(self, program: Program) -> Program | None:
        """A program with another idea in it; None if there is none to be had."""
        return self._one(type(program), prompts.vary(program))

    def calibrate(self, program: Program) -> Program | None:
        """A program with other numbers; None if there is none to be had."""
        return self._one(type(program), prompts.calibrate(program))

    def recombine(self, one: Program, other: Program) -> Program | None:
        """A program of the second's kind with both ideas; None if there is none to be had."""
        return self._one(type(other), prompts.recombine(one, other))

    def pair(self, removal: Removal, insertion: Insertion) -> tuple[Removal, Insertion] | None:
        """A removal and an insertion that belong together; None if there are none to be had."""
        written = self._written((Removal, Insertion), prompts.pair(removal, insertion))
        match written:
            case [Removal() as one, Insertion() as other]:
                return one, other
        return None

    def _one(self, kind: type[Program], asked: list[Message]) -> Program | None:
        written = self._written((kind,), asked)
        return written[0] if written else None

    def _written(
        self, kinds: Sequence[type[Program]], asked: list[Message]
    ) -> list[Program] | None:
        """Programs of these kinds, in this order."""
        conversation = list(asked)
        for _ in range(self._tries):
            if self.ended:
                return None
            answer = self._answer(conversation)
            if answer is None:
                return None
            try:
                programs = _programs(answer, kinds)
            except InputError as error:
                self.model.spent.unread += 1
                log.info("a program of %s is refused: %s", self.model.name, shortened(error))
                conversation = [
                    *asked,
                    ("assistant", answer[:_MOST_READ]),
                    ("user", prompts.refused(str(error))),
                ]
            else:
                self.model.spent.programs += len(programs)
                return programs
        return None

    def _answer(self, conversation: list[Message]) -> str | None:
        """What the model says; None if it says nothing.

        Raises:
            NcoError: it has never said anything, so that address, key or name may be wrong.
        """
        try:
            answer = self.model.answer(conversation)
        except ServiceError as error:
            if not self.model.spent.asked:
                raise
            self._failed += 1
            log.warning("%s", error)
            return None
        self._failed = 0
        return answer


def _programs(answer: str, kinds: Sequence[type[Program]]) -> list[Program]:
    """The programs in an answer.

    Raises:
        InputError: there are others, or they cannot be used; in words for whoever wrote them.
    """
    read = answer[:_MOST_READ]
    blocks = _FENCED.findall(read) or [read]
    if len(blocks) < len(kinds):
        raise InputError(f"there are {len(blocks)} blocks of code, not {len(kinds)}")
    programs = [admitted(block) for block in blocks[: len(kinds)]]
    for program, kind in zip(programs, kinds, strict=True):
        if not isinstance(program, kind):
            raise InputError(f'it should be a {kind.__name__.lower()}, by kind = "..."')
    return programs
