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
_MOST_KNOWN = 10_000  # answers that are remembered


def similarity(asked: str, known: str) -> float:
    """How alike two names are, 0 to 1; endings that many streets have count less than the rest.

    They are compared by their keys, and as they are written: an ending that is misspelt is not
    known as one.
    """
    given, key = words.key(asked), words.key(known)
    outer = words.stem(key)
    by_key = _alike(words.joined(given), words.joined(key), words.stem(given), outer)
    return max(by_key, _alike(words.written(asked), words.written(known), "", outer))


def _alike(a: str, b: str, inner: str, outer: str) -> float:
    """How alike two texts without spaces are whose stems are known, the first one's if it has any.

    The ending of the second one is cut off of the first all the same, however it is spelled.
    """
    from rapidfuzz import fuzz

    if a == b:
        return 1.0
    if b.startswith(a) and a.startswith(outer):
        return CUT_SHORT  # nothing but the ending is cut
    if b.startswith(outer) and inner in ("", a):
        inner = a[: max(1, len(a) - len(b) + len(outer))]
    alike = min(fuzz.ratio(a, b), fuzz.ratio(inner or a, outer)) / 100
    return alike if (inner or a)[:1] == outer[:1] else alike * _OTHER_LETTER


def trust(alike: float) -> float:
    """What a similarity makes of the certainty that a name is the one that is meant."""
    return max(0.0, min(1.0, (alike - 0.6) / 0.4))


class Names:
    """Names to choose from."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted({name for name in names if words.key(name)})
        self._keys = [words.key(name) for name in self._names]
        self._joined = [words.joined(key) for key in self._keys]
        self._written = [words.written(name) for name in self._names]
        self._with: dict[str, list[int]] = defaultdict(list)
        for k, key in enumerate(self._keys):
            for word in words.telling(key):
                self._with[word].append(k)
        self._known: dict[str, list[tuple[str, float]]] = {}

    def like(self, text: str) -> list[tuple[str, float]]:
        """Joined keys that a text may stand for, and how alike they are, the likest first."""
        if text not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = self._like(text)
        return self._known[text]

    def abbreviated(self, text: str) -> list[tuple[str, float]]:
        """Joined keys that a text with abbreviated words may stand for."""
        patterns = words.abbreviated(text)
        if patterns is None:
            return []
        spaced, whole = patterns
        hits = dict.fromkeys(
            joined
            for key, joined in zip(self._keys, self._joined, strict=True)
            if spaced.fullmatch(key) or (whole and whole.fullmatch(joined))
        )
        return [(hit, ABBREVIATED) for hit in list(hits)[:_MOST]]

    def _like(self, text: str) -> list[tuple[str, float]]:
        from rapidfuzz import fuzz, process

        asked = words.key(text)
        if len(words.joined(asked)) < _LONG_WORD:
            return []
        found: dict[str, float] = {}
        for given, known in (
            (words.joined(asked), self._joined), (words.written(text), self._written)
        ):  # fmt: skip
            hits = process.extract(
                given, known, scorer=fuzz.ratio, score_cutoff=_CUTOFF, limit=_MOST
            )
            for _, _, k in hits:
                alike = similarity(text, self._names[k])
                found[self._joined[k]] = max(alike, found.get(self._joined[k], 0.0))
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
