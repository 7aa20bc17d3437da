"""The planner's page as files: its words, its modules, and that names are never read as HTML."""

import re
from pathlib import Path

import pytest

import nco.web

PAGE = Path(nco.web.__file__).with_name("page")
OURS = sorted(path for folder in ("js", "words") for path in (PAGE / folder).rglob("*.js"))
WORDS = PAGE / "words" / "en.js"


def _text(paths) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _keys() -> set[str]:
    text = WORDS.read_text(encoding="utf-8")
    found = re.findall(r'(?:^|[\s{,])(?:"([\w.]+)"|(\w+)): "', text)
    return {a or b for a, b in found}


def test_each_label_has_a_word_and_each_word_is_used():
    """What modules ask for by a fixed key is in the words, and no word is left over."""
    code = _text(path for path in OURS if path != WORDS)
    keys = _keys()
    asked = set(re.findall(r'\bt\(\s*"([\w.]+)"', code))
    assert asked - keys == set()
    named = set(re.findall(r'"([\w.]+)"', code))
    starts = tuple(re.findall(r"`([\w.]+\.)\$\{", code))
    unused = {
        key for key in keys
        if key not in named and not key.startswith(starts) and not key.endswith(".one")
        and not key.endswith((".more", ".tip", ".empty", ".add"))
    }  # fmt: skip
    assert unused == set()
    assert {key.removesuffix(".one") for key in keys if key.endswith(".one")} <= keys


def test_nothing_that_is_sent_is_read_as_html():
    """No module of ours parses HTML or code: names are text wherever they are shown."""
    code = _text(OURS)
    wrong = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )
    assert re.findall(wrong, code) == []
    assert re.findall(r"<script>|\son\w+=|style=", (PAGE / "index.html").read_text()) == []


def test_all_modules_are_loaded_at_once():
    """The page names all modules, so that a browser does not find one behind the other."""
    index = (PAGE / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:href|src)="/page/([^"]+)"', index))
    assert {path.relative_to(PAGE).as_posix() for path in OURS} <= named
    assert [name for name in named if not (PAGE / name).is_file()] == []
    assert re.findall(r"https?://", index) == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_modules_are_small_and_import_what_there_is(path):
    """One idea a file, and no import that leads nowhere."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 500
    for wanted in re.findall(r'from "([^"]+)"', text):
        there = PAGE / wanted.removeprefix("/page/") if wanted[0] == "/" else path.parent / wanted
        assert there.is_file(), wanted


def test_what_is_from_others_has_its_licence_and_loads_nothing():
    """Packages that ship with the page have their licences, and name no server to load from."""
    for folder in (PAGE / "vendor").iterdir():
        assert "Copyright" in (folder / "LICENSE").read_text(encoding="utf-8")
        for style in folder.glob("*.css"):
            assert re.findall(r"url\(\s*['\"]?(?:https?:)?//", style.read_text("utf-8")) == []
