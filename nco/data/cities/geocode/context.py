"""What the words behind street and number say for and against a place: postcode, city, the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nco.data.cities.geocode import words
from nco.data.cities.geocode.found import Address
from nco.data.cities.geocode.numbers import house
from nco.data.cities.geocode.readings import Reading
from nco.errors import shortened

_WRONG_POSTCODE, _WRONG_TOWN, _UNKNOWN_TOWN = 0.45, 0.45, 0.45
_TOWN_UNSAID = 0.75  # where the map does not say in which town a street is
_UNEXPLAINED, _UNEXPLAINED_MUCH = 0.9, 0.45
_FRONT, _FRONT_NUMBER = 0.4, 0.3
_LONGEST_NAME = 4  # words of a town
_SHORT = 2


@dataclass(frozen=True)
class Known:
    """What towns and postcodes there are, as they are compared.

    Attributes:
        postcodes: see `postcode_key`.
        towns: joined keys of what addresses name as their town.
        regions: joined keys of these and of districts, states and countries.
    """

    postcodes: frozenset[str] = frozenset()
    towns: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()


def postcode_key(text: str) -> str:
    """A postcode as it is compared."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def same_town(said: str, town: str) -> bool:
    """Whether two keys are one town: equal but for a slip, or one without its addition."""
    from rapidfuzz import fuzz

    if said.startswith(f"{town} ") or town.startswith(f"{said} "):
        return True
    return fuzz.ratio(words.joined(said), words.joined(town)) >= 85


def weigh(
    reading: Reading, asked: Address, postcode: str, town: str, known: Known
) -> tuple[float, list[str]]:
    """A factor of the certainty of a place, and what speaks against it in words.

    Args:
        reading: how the address is read.
        asked: the address, with what else is known of it.
        postcode: of the place; empty if the map does not say.
        town: likewise.
        known: what there is elsewhere on the map.
    """
    rest = _Rest(reading.rest, known, postcode_key(postcode), words.key(town))
    factor, against = 1.0, []
    said = postcode_key(asked.postcode) or rest.postcode
    there = postcode_key(postcode)
    if said and there:
        if not (said.startswith(there) or there.startswith(said)):
            factor *= _WRONG_POSTCODE
            against.append(f"its postcode is {postcode}")
    elif said and said not in known.postcodes:
        factor *= _UNEXPLAINED
    factor *= _town_factor(asked.city, town, rest, known, against)
    confirmed = rest.town_said or bool(said and there and factor == 1.0)
    if rest.unexplained:
        factor *= _UNEXPLAINED if confirmed else _UNEXPLAINED_MUCH
        against.append(f"not on the map: {shortened(' '.join(rest.unexplained))}")
    return factor * _front_factor(reading, known, against), against


def _town_factor(city: str, town: str, rest: _Rest, known: Known, against: list[str]) -> float:
    said, there = words.key(city), words.key(town)
    name = words.joined(said)
    if said and there and not same_town(said, there):
        if name not in known.regions or name in known.towns:  # no district of it
            against.append(f"it is in {town}")
            return _WRONG_TOWN
    elif said and not there and known.regions and name not in known.regions:
        against.append(f"{shortened(city)} is not on the map")
        return _UNKNOWN_TOWN
    elif not there and (name in known.towns or rest.other_town):
        return _TOWN_UNSAID
    if not said and there and rest.other_town and not rest.town_said:
        against.append(f"it is in {town}")
        return _WRONG_TOWN
    return 1.0


def _front_factor(reading: Reading, known: Known, against: list[str]) -> float:
    """Names of companies stand in front of a street; a street does not stand before a place."""
    unknown = [part for part in reading.front if words.joined(words.key(part)) not in known.regions]
    if not unknown:
        return 1.0
    numbered = any(house(word) for part in unknown for word in part.split())
    if reading.number is not None:
        return _FRONT if numbered else 1.0
    against.append(f"not used: {shortened(', '.join(unknown))}")
    return _FRONT_NUMBER if numbered else _FRONT


class _Rest:
    """The words behind an address, explained one after the other."""

    def __init__(self, given: Sequence[str], known: Known, postcode: str, town: str) -> None:
        self._words = [word for one in given for word in words.folded(one).split()]
        self._used = [False] * len(self._words)
        self.postcode = self._find_postcode(known, postcode)
        self.town_said, self.other_town = False, False
        self._find_towns(known, town)
        self.unexplained = [
            word
            for word, used in zip(self._words, self._used, strict=True)
            if not used
            and len(word) > _SHORT
            and word not in words.LEFT_ALONE
            and not any(letter.isdigit() for letter in word)
        ]

    def _find_postcode(self, known: Known, there: str) -> str:
        for size in (2, 1):
            for k in range(len(self._words) - size + 1):
                text = "".join(self._words[k : k + size])
                if text == there or text in known.postcodes:
                    self._used[k : k + size] = [True] * size
                    return text
        for k, word in enumerate(self._words):
            if word.isdecimal() and len(word) >= 4:
                self._used[k] = True
                return word
        return ""

    def _find_towns(self, known: Known, town: str) -> None:
        k = 0
        while k < len(self._words):
            step = 1
            for size in range(min(_LONGEST_NAME, len(self._words) - k), 0, -1):
                if any(self._used[k : k + size]):
                    continue
                said = words.key(" ".join(self._words[k : k + size]))
                name = words.joined(said)
                ours = bool(town) and len(name) > _SHORT and same_town(said, town)
                if not ours and name not in known.regions:
                    continue
                self._used[k : k + size] = [True] * size
                self.town_said |= ours
                self.other_town |= not ours and name in known.towns
                step = size
                break
            k += step
