"""Numbers, words and answers in cells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from nco._validate import LEAST, MOST
from nco.data.formats.tables.faults import CellFault
from nco.errors import quoted, shortened

NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "#n/a", "none", "null"})
"""What people write into a cell to say that it is empty, in small letters."""

_YES = frozenset({"yes", "y", "true", "1", "x", "✓"})
_NO = frozenset({"no", "n", "false", "0"})
_COMMA = re.compile(r"[+-]?\d+,\d+")
_POINT = re.compile(r"[+-]?\d+\.\d+")
_BETWEEN = re.compile(r"[;,|\n]")
_MOST_LETTERS = 500


def is_empty(text: str) -> bool:
    """Whether a cell says nothing."""
    return text.strip().casefold() in NOTHING


def check_length(text: str) -> None:
    """Refuse what is too long for a number or a time, before anybody looks for one in it.

    Raises:
        CellFault: it is.
    """
    if len(text) > _MOST_LETTERS:
        raise CellFault(f"is {quoted(text)}, of {len(text)} letters; write a number or a time")


def commas_are_points(texts: Iterable[str], *, allowed: bool) -> bool:
    """Whether numbers of a table are written with decimal commas.

    Args:
        texts: cells that should be numbers.
        allowed: whether cells may hold a comma without quotes.
    """
    if not allowed:
        return False
    comma = point = False
    for text in texts:
        comma = comma or bool(_COMMA.fullmatch(text.strip()))
        point = point or bool(_POINT.fullmatch(text.strip()))
    return comma and not point


def number(text: str, *, commas: bool, low: float = 0.0) -> float:
    """A finite number of at least `low`.

    Args:
        text: of a cell that is not empty.
        commas: whether a comma is a decimal point.
        low: the least that it may be.

    Raises:
        CellFault: it is something else.
    """
    plain = text.strip()
    if commas:
        plain = plain.replace(",", ".")
    elif _COMMA.fullmatch(plain):
        raise CellFault(f"is {quoted(plain)}; write decimals with a point, and thousands without")
    try:
        value = float(plain.replace("_", "?"))  # Python would accept 1_000
    except ValueError:
        raise CellFault(f"is {quoted(text)}; it must be a number") from None
    if not math.isfinite(value):
        raise CellFault(f"is {quoted(text)}; it must be a finite number")
    if value < low:
        raise CellFault(f"is {shortened(text)}; it must be {low:g} or more")
    if value > MOST:
        raise CellFault(f"is {shortened(text)}; it must be {MOST:g} at most")
    return value if low < 0 or value >= LEAST else 0.0


def whole(text: str, *, low: int = 0, most: int = 100_000) -> int:
    """A whole number.

    Raises:
        CellFault: it is something else.
    """
    value = number(text, commas=False, low=-math.inf)
    if not value.is_integer() or not low <= value <= most:
        raise CellFault(f"is {quoted(text)}; it must be a whole number from {low} to {most}")
    return int(value)


def words(text: str) -> tuple[str, ...]:
    """Words with `;`, `,` or `|` between them, each once."""
    parts = (part.strip() for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def yes(text: str) -> bool:
    """An answer, yes or no.

    Raises:
        CellFault: it is neither.
    """
    folded = text.strip().casefold()
    if folded not in _YES | _NO:
        raise CellFault(f"is {quoted(text)}; write yes or no")
    return folded in _YES
