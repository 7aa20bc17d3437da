"""Files are written whole or not at all."""

import os

import pytest

from nco.errors import StorageError
from nco.files import write_atomic


def names(folder):
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


def test_write_and_replace(tmp_path):
    """Content arrives whole, parents are made, and no temporary file stays."""
    path = tmp_path / "new" / "file.txt"
    write_atomic(path, "eins")
    write_atomic(path, b"zwei")
    assert path.read_text() == "zwei"
    assert names(path.parent) == ["file.txt"]


def test_failure_keeps_what_was_there(tmp_path, monkeypatch):
    """A full disk is a StorageError and leaves the old file and no debris."""
    path = write_atomic(tmp_path / "file.txt", "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_folder_that_cannot_be_made(tmp_path):
    """A file where a folder should be is a StorageError, not a crash."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        write_atomic(tmp_path / "file" / "below.txt", "x")
