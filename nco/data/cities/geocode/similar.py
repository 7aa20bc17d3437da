"""Which names of streets and places are meant by words that may be misspelt or cut short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from nco.data.cities.geocode import words

ABBREVIATED, CUT_SHORT = 0.96, 0.94
_CUTOFF = 72  # of rapidfuzz's ratio, in per cent
_MOST = 12
_OTHER_LETTER = 0.93  # people rarely get the first letter wrong
_OTHER_KIND = 0.85
_LONG_WORD = 4


def similarity(asked: str, known: str) -> float:
    """How alike two keys are, 0 to 1; endings that many streets have count less than the rest."""
    from rapidfuzz import fuzz

    a, b = words.joined(asked), words.joined(known)
    if a == b:
        return 1.0
    inner, outer = words.stem(asked), words.stem(known)
    if b.startswith(a) and a.startswith(outer):
        return CUT_SHORT  # nothing but the ending is cut
    if b.startswith(outer) and inner == a:  # a misspelt ending is cut off all the same
        inner = a[: max(1, len(a) - len(b) + len(outer))]
    alike = min(fuzz.ratio(a, b), fuzz.ratio(inner, outer)) / 100
    return alike if inner[:1] == outer[:1] else alike * _OTHER_LETTER


def trust(alike: float) -> float:
    """What a similarity makes of the certainty that a name is the one that is meant."""
    return max(0.0, min(1.0, (alike - 0.6) / 0.4))


class Names:
    """Names to choose from, by their keys."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(set(keys))
        self._joined = [words.joined(key) for key in self._keys]
        self._with: dict[str, list[int]] = defaultdict(list)
        for k, key in enumerate(self._keys):
            for word in words.telling(key):
                self._with[word].append(k)
        self._known: dict[str, list[tuple[str, float]]] = {}

    def like(self, text: str) -> list[tuple[str, float]]:
        """Joined keys that a text may stand for, and how alike they are, the likest first."""
        if text not in self._known:
            self._known[text] = self._like(text)
        return self._known[text]

    def abbreviated(self, text: str) -> list[tuple[str, float]]:
        """Joined keys that a text with abbreviated words may stand for."""
        pattern = words.abbreviated(text)
        if pattern is None:
            return []
        hits = [
            joined
            for key, joined in zip(self._keys, self._joined, strict=True)
            if pattern.fullmatch(key) or pattern.fullmatch(joined)
        ]
        return [(hit, ABBREVIATED) for hit in hits[:_MOST]]

    def _like(self, text: str) -> list[tuple[str, float]]:
        from rapidfuzz import fuzz, process

        asked = words.key(text)
        if len(words.joined(asked)) < _LONG_WORD:
            return []
        hits = process.extract(
            words.joined(asked), self._joined, scorer=fuzz.ratio, score_cutoff=_CUTOFF, limit=_MOST
        )
        found = {self._joined[k]: similarity(asked, self._keys[k]) for _, _, k in hits}
        for k, alike in self._partly(asked):
            found[self._joined[k]] = max(alike, found.get(self._joined[k], 0.0))
        likest = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return [(joined, alike) for joined, alike in likest[:_MOST] if trust(alike) > 0]

    def _partly(self, asked: str) -> Sequence[tuple[int, float]]:
        """Names that have all telling words of the text, or of which the text has all."""
        given = words.telling(asked)
        if not any(len(word) >= _LONG_WORD or word[0].isdigit() for word in given):
            return []
        found = []
        for k in {k for word in given for k in self._with.get(word, ())}:
            key = self._keys[k]
            known = words.telling(key)
            if not (given <= known or known <= given):
                continue
            shared = sum(map(len, given & known)) / sum(map(len, given | known))
            kinds, other = (set(name.split()) - words.telling(name) for name in (asked, key))
            clash = bool(kinds) and not (kinds <= other or other <= kinds)  # Street, but Court
            found.append((k, (0.7 + 0.25 * shared) * (_OTHER_KIND if clash else 1.0)))
        return sorted(found, key=lambda one: -one[1])[:_MOST]
