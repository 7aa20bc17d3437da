"""House numbers: what `5`, `5 A`, `5-9`, `12/a` and `221B` have in common, and how far."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = re.compile(
    r"(?P<value>[1-9]\d{0,5}) ?(?P<letter>bis|ter|[^\W\d_]{0,2})"
    r"(?: ?[-\u2013/+] ?(?:(?P<last>\d{1,6}) ?[^\W\d_]?|(?P<after>[^\W\d_])))?"
)
_ORDINALS = ("st", "nd", "rd", "th")
_SEVERAL = re.compile(r"[;,]")
_MOST_PARTS = 50


class House(NamedTuple):
    """A house number taken apart.

    Attributes:
        value: the number.
        letter: what follows it, in lower case.
        last: the end of a range, or the number itself.
    """

    value: int
    letter: str
    last: int

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.value}{self.letter}" + (f"-{self.last}" if self.last > self.value else "")


def house(text: str) -> House | None:
    """One house number, or None for a text that is none."""
    found = _NUMBER.fullmatch(text.strip().casefold())
    if found is None or found["letter"] in _ORDINALS:
        return None
    value = int(found["value"])
    last = int(found["last"] or value)
    return House(value, found["letter"] or found["after"] or "", max(value, last))


def houses(text: str) -> list[House]:
    """All the numbers that a house has (`5;7`)."""
    found = [house(part) for part in _SEVERAL.split(text)[:_MOST_PARTS]]
    return [one for one in found if one is not None]


def agreement(asked: House, known: House) -> float:
    """How well a known number answers for one that was asked for: 1 exactly, 0 not at all."""
    if asked.value == known.value:
        if asked.letter == known.letter:
            return 1.0
        if not known.letter:
            return 0.95  # the house, without its entrance
        return 0.9 if not asked.letter else 0.75
    inside = known.value < asked.value <= known.last and known.last - known.value <= 100
    if inside and (asked.value - known.value) % 2 == 0:
        return 0.95
    return 0.9 if known.value == asked.last != asked.value else 0.0
