"""The cache folder: where engines and fetched extracts live, and hashes that need no re-reading.

`NCO_CACHE` names another folder than the platform's usual one.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nco.errors import CityError, StorageError
from nco.files import update_atomic
from nco.json_text import parse_json


def cache_dir() -> Path:
    """The folder that everything rebuildable is kept in; it may not exist yet."""
    chosen = os.environ.get("NCO_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("nco")


def read_json(path: Path) -> dict[str, Any]:
    """A cached JSON object; empty if it is not there or was damaged (all of it can be remade)."""
    try:
        return _object(path.read_bytes())
    except OSError:
        return {}


def update_json(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change a cached JSON object, which is as `read_json` says, while no other process does.

    Raises:
        StorageError: the cache folder cannot be written.
    """
    update_atomic(path, lambda raw: json.dumps(change(_object(raw or b"")), indent=1))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        content = parse_json(raw)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        CityError: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CityError(f"cannot read {path}: {error.strerror or error}") from error


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, remembered by its path, size and modification time.

    Raises:
        CityError: the file is missing or cannot be read.
    """
    path = path.absolute()
    try:
        status = path.stat()
    except OSError as error:
        raise CityError(f"cannot read {path}: {error.strerror or error}") from error
    memo = cache_dir() / "hashes.json"
    stamp = [status.st_size, status.st_mtime_ns]
    entry = read_json(memo).get(str(path))
    if isinstance(entry, list) and entry[:2] == stamp:
        return str(entry[2])
    digest = file_hash(path)

    def with_this(known: dict[str, Any]) -> dict[str, Any]:
        there = {name: value for name, value in known.items() if Path(name).exists()}
        return there | {str(path): [*stamp, digest]}

    # Forgetting a hash costs time, nothing else; a real storage problem shows when building.
    with contextlib.suppress(StorageError):
        update_json(memo, with_this)
    return digest
