"""What a source file imports, remembered by its content.

To find what compiled code depends on, every start looks at some two hundred files. To parse them
takes longer than to load the code; to read and hash them does not.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 1000  # files of which imports are kept; beyond, those of others are forgotten


class Import(NamedTuple):
    """A statement that imports.

    Attributes:
        module: that is imported, or from which; empty in `from . import name`.
        level: dots before it.
        names: in it that are imported, which may be modules as well; none of `import module`.
    """

    module: str
    level: int
    names: tuple[str, ...]


def cache_dir() -> Path:
    """The user's cache folder, as everywhere in nco; `NCO_CACHE` names another one."""
    if chosen := os.environ.get("NCO_CACHE"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("nco")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside another one, which it takes the place of at the end."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


class Remembered:
    """The imports of sources by the SHA-256 of these, in memory and in a file.

    Another version of this module, or of Python, keeps a file of its own. The file begins with the
    hash of the rest: one that is damaged counts for nothing.
    """

    def __init__(self) -> None:
        self._known: dict[str, list[Import]] = {}
        self._new = False
        own = hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()
        name = f"imports-{own[:16]}.json"
        self._files = [Path(__file__).parent / "__pycache__" / name, cache_dir() / name]
        for file in reversed(self._files):
            self._known |= _read(file)

    def of(self, content: bytes, digest: str) -> list[Import]:
        """The imports of a source, but those for type checkers.

        Args:
            content: of the file.
            digest: its SHA-256.

        Raises:
            SyntaxError: it is no Python.
        """
        if digest not in self._known:
            self._known[digest] = list(_imports(ast.parse(content)))
            self._new = True
        return self._known[digest]

    def keep(self, used: set[str]) -> None:
        """Writes what was not known before, as far as that is possible.

        Args:
            used: digests of the sources that are kept in any case.
        """
        if not self._new:
            return
        self._new = False
        kept = {d: found for d, found in self._known.items() if d in used} | self._known
        body = json.dumps(dict(list(kept.items())[:_MOST])).encode()
        for file in self._files:
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                with replacing(file) as temporary:
                    temporary.write_bytes(hashlib.sha256(body).hexdigest().encode() + body)
                return


@cache
def remembered() -> Remembered:
    """Those of this process."""
    return Remembered()


def _read(file: Path) -> dict[str, list[Import]]:
    try:
        raw = file.read_bytes()
    except OSError:
        return {}
    if hashlib.sha256(raw[64:]).hexdigest().encode() != raw[:64]:
        return {}
    entries = json.loads(raw[64:])
    return {
        digest: [Import(module, level, tuple(names)) for module, level, names in found]
        for digest, found in entries.items()
    }


def _imports(tree: ast.AST) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, 0, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.module or "", node.level, names)
        elif isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            yield from _imports(ast.Module(node.orelse, []))
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _imports(node)
