"""The ways in which an address can be read: which words are the street, which the number.

Nothing is known here of what streets there are; `search` tries all readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nco.data.cities.geocode.numbers import House, house

LONGEST = 300  # letters of an address
_MOST_WORDS = 30
_POSTCODE_DIGITS = 4
_MOST_READINGS = 60
_PARTS = re.compile(r"[,;|\n\r\t]+")
_SIGN = re.compile(
    r"(?:\b(?:no|nr|num|numero|number)\b\.?|\bn\.|n?[\u00b0\u00ba]|#)[ :]*(?=\d)", re.I
)
_GLUED = re.compile(r"(?<=[^\W\d_]{3})(?=\d)")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Reading:
    """One way to read an address.

    Attributes:
        street: the words that name the street, or a place.
        number: of the house; None if the address has none.
        rest: the words behind and after, such as postcode and city.
        front: the parts before, such as the name of a company.
    """

    street: str
    number: House | None
    rest: tuple[str, ...] = ()
    front: tuple[str, ...] = ()

    def leaves_number(self, *, exact: bool) -> bool:
        """Whether the address has a house number that this reading makes nothing of.

        Args:
            exact: whether the words of the street are its name, which may have a number in it.
        """
        if self.number is not None:
            return False
        left = [word for word in self.rest[:1] if len(word) < _POSTCODE_DIGITS]
        left += [] if exact else self.street.split()[1:]
        return any(house(word) for word in left)


def readings(text: str) -> list[Reading]:
    """All ways to read an address, the usual ones first, each once."""
    spaced = _GLUED.sub(" ", _SIGN.sub("", text[:LONGEST]))
    parts = [words for part in _PARTS.split(spaced) if (words := part.split())]
    found: list[Reading] = []
    left = _MOST_WORDS
    for k, part in enumerate(parts):
        words = part[:left]
        left -= len(words)
        if not words:
            break
        front = tuple(" ".join(before) for before in parts[:k])
        after = [word for behind in parts[k + 1 :] for word in behind]
        found += _numbered(words, after, front)
        found += _across(words, parts[k + 1 :], front, parts[k - 1] if k else [])
        found += _plain(words, after, front)
    return list(dict.fromkeys(found))[:_MOST_READINGS]


def _numbered(words: list[str], after: list[str], front: tuple[str, ...]) -> list[Reading]:
    """`Main Street 5 a`, `5 Main Street`."""
    found = []
    for i, word in enumerate(words):
        number = house(word)
        if number is None:
            continue
        if i:
            street, rest = " ".join(words[:i]), [*words[i + 1 :], *after]
            letter = rest[0] if i + 1 < len(words) else ""
            if _LETTER.fullmatch(letter) and not number.letter:
                with_letter = number._replace(letter=letter.casefold())
                found.append(Reading(street, with_letter, tuple(rest[1:]), front))
            found.append(Reading(street, number, tuple(rest), front))
        else:
            found += [
                Reading(" ".join(words[1:k]), number, (*words[k:], *after), front)
                for k in range(len(words), 1, -1)
            ]
    return found


def _across(
    words: list[str], behind: list[list[str]], front: tuple[str, ...], before: list[str]
) -> list[Reading]:
    """`Rua da Consolação, 787` and `5, Main Street`."""
    found = []
    if behind and (number := house(behind[0][0])):
        rest = [*behind[0][1:], *(word for part in behind[1:] for word in part)]
        found.append(Reading(" ".join(words), number, tuple(rest), front))
    if before and (number := house(" ".join(before))):
        rest = [word for part in behind for word in part]
        found.append(Reading(" ".join(words), number, tuple(rest), front[:-1]))
    return found


def _plain(words: list[str], after: list[str], front: tuple[str, ...]) -> list[Reading]:
    """`Main Street`, and `Main Street Springfield`."""
    return [
        Reading(" ".join(words[:k]), None, (*words[k:], *after), front)
        for k in range(len(words), 0, -1)
    ]
