"""Fonts of PDF sheets: DejaVu, which comes with matplotlib, and what else this machine has.

A letter that no font has is shown as a box, and the page says so: nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

BOX = "\u25a1"
_MOST_FONTS = 300  # of the machine that are looked into
_MOST_ADDED = 3


@cache
def dejavu() -> tuple[Path, Path]:
    """DejaVu Sans, regular and bold."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"


@cache
def letters_of(font: Path) -> frozenset[int]:
    """Code points that a font has; none for a file that is no font."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(font, lazy=True) as opened:
            return frozenset(opened.getBestCmap() or ())
    except (TTLibError, OSError, KeyError, ValueError, AssertionError):
        return frozenset()


def further(text: str) -> list[Path]:
    """Fonts of this machine for letters of a text that DejaVu lacks, as few as will do."""
    missing = missing_of(text, [dejavu()[0]])
    if not missing:
        return []
    found: list[Path] = []
    for font in _of_machine():
        if have := missing & letters_of(font):
            found.append(font)
            missing -= have
        if not missing or len(found) == _MOST_ADDED:
            break
    return found


def missing_of(text: str, fonts: Iterable[Path]) -> set[int]:
    """Code points of a text that none of some fonts has."""
    wanted = {ord(letter) for letter in text if not letter.isspace()}
    return wanted.difference(*(letters_of(font) for font in fonts))


@cache
def _of_machine() -> tuple[Path, ...]:
    from matplotlib import font_manager

    paths = sorted(font_manager.findSystemFonts(fontext="ttf"))
    files = [Path(path) for path in paths if Path(path).suffix.lower() in (".ttf", ".otf")]
    # Fonts of many letters are large; what is looked into first is most likely to do.
    files.sort(key=lambda path: -path.stat().st_size)
    return tuple(files[:_MOST_FONTS])
