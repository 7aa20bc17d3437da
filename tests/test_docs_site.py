"""The site of the documentation: all pages are in it, and links lead somewhere."""

import re
from pathlib import Path

import pytest
import yaml

import nco

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
FROM_ROOT = {"contributing.md", "changelog.md"}
TEXTS = [*(DOCS / page for page in PAGES), *(ROOT.glob("*.md"))]
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _in_navigation(part) -> list[str]:
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part
    return [page for one in inner for page in _in_navigation(one)]


def _anchors(text: str) -> set[str]:
    """Anchors of headings, as GitHub makes them."""
    found: dict[str, int] = {}
    anchors = set()
    for title in re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", bare).strip().lower().replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        anchors.add(f"{name}-{count}" if count else name)
    return anchors


def test_every_page_is_in_the_navigation():
    """No page is forgotten, none is there twice, and none is missing."""
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = _in_navigation(site["nav"])
    assert sorted(pages) == sorted({*PAGES, *FROM_ROOT})


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path):
    """Files, pictures and headings that a text links to are there."""
    text = path.read_text(encoding="utf-8")
    for target in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor:
            assert anchor in _anchors(there.read_text(encoding="utf-8")), target


def test_pages_of_the_interface_name_what_there_is():
    """Each name on a page is defined where it says, and every public name of nco is on one."""
    names = [
        name
        for page in (DOCS / "api").glob("*.md")
        for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.M)
    ]
    assert len(names) == len(set(names))
    for name in names:
        module, _, attribute = name.rpartition(".")
        if (ROOT / name.replace(".", "/")).with_suffix(".py").exists() or attribute == "plot":
            continue
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
        assert re.search(rf"^(class|def) {attribute}\b", source, re.M), name
    shown = {name.rpartition(".")[2] for name in names}
    assert set(nco.__all__) <= shown


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """MkDocs in its strict mode, into a folder of the test."""
    build = pytest.importorskip("mkdocs.commands.build", reason="the extra `docs` is missing")
    config = pytest.importorskip("mkdocs.config")
    build.build(config.load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path)))
    assert "nco.solve.solve" in (tmp_path / "api" / "solve.html").read_text(encoding="utf-8")
    assert "https://unpkg" not in (tmp_path / "index.html").read_text(encoding="utf-8")
