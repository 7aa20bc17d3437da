"""The way in: programs from text, without the text ever being parsed in this process.

An interpreter's parser is no guard: text can make it use all memory or crash. So a caged process
reads it (`nco.sandbox`), and answers with plain data, which is checked here as any file is.
"""

from __future__ import annotations

from nco.errors import InputError, quoted
from nco.sandbox.cage import caged
from nco.sandbox.limits import Limits
from nco.search.evolve.language import Program, program_of
from nco.search.evolve.outside.grammar import MOST_TEXT

_TASK = "nco.search.evolve.outside.program:plain_program"
_MOST_WORDS = 2000
LIMITS = Limits(time_s=2.0, cpu_s=3.0, memory_bytes=256 << 20, answer_bytes=1 << 16)


def program_from_text(text: str) -> Program:
    """A program from text of a stranger, in the subset of Python of `grammar`.

    Args:
        text: at most 16,000 characters.

    Raises:
        InputError: it is no such program; the message says in which line, and what to do.
        UnsupportedError: unknown text is not safe to read on this system.
    """
    if not isinstance(text, str) or len(text) > MOST_TEXT:
        raise InputError(f"a program is text of {MOST_TEXT} characters at most, not {quoted(text)}")
    outcome = caged(_TASK, text, LIMITS)
    answer = outcome.answer
    if outcome.why is not None:
        raise InputError(f"the program cannot be read: {outcome.why}; write a simpler one")
    if not isinstance(answer, dict):
        raise InputError("the program cannot be read; write a simpler one")
    if isinstance(answer.get("fault"), str):
        words = answer["fault"][:_MOST_WORDS]
        raise InputError("".join(one if one.isprintable() else " " for one in words))
    return program_of(answer.get("program"))


def admitted(text: str) -> Program:
    """A program from text of a stranger that was also tried out; only such are used in searches.

    Raises:
        InputError: see `program_from_text`; or it left no plan on a small problem.
        UnsupportedError: unknown text is not safe to read on this system.
    """
    from nco.search.evolve.trial import try_out  # with it come the compiled loops

    program = program_from_text(text)
    try_out(program)
    return program
