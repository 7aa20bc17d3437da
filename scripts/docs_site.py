"""Hooks of MkDocs: pages from the root of the repository, and links that lead out of `docs`."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
FROM_ROOT = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages of the site by the files that they are."""
_AGAIN = re.compile(r"-(\d)$")  # the anchor of a second heading of the same words, as GitHub has it
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie elsewhere."""
    for page, path in FROM_ROOT.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files that are no pages become their paths, which a reader of a checkout has."""
    source = FROM_ROOT.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return _LINK.sub(lambda found: linked(found, source), markdown)


def linked(found: re.Match[str], source: str) -> str:
    """A link as the site has it.

    Args:
        found: the link.
        source: path of the file in which it stands, from the root.
    """
    text, target = found.groups()
    if re.match(r"[a-z]+:", target):
        return found.group()
    path, _, anchor = target.partition("#")
    anchor = _AGAIN.sub(r"_\1", anchor)
    if not path:
        return f"[{text}](#{anchor})"
    there = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    pages = {path: page for page, path in FROM_ROOT.items()}
    here = posixpath.dirname(pages.get(source, source.removeprefix("docs/")))
    if there in pages or there.startswith("docs/"):
        own = posixpath.relpath(pages.get(there, there.removeprefix("docs/")), here or ".")
        return f"[{text}]({own}{'#' if anchor else ''}{anchor})"
    return text if there in text else f"{text} (`{there}`)"
