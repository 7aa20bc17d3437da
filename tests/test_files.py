"""Files are written whole or not at all."""

import json
import multiprocessing
import os
import time

import pytest

from nco.errors import StorageError
from nco.files import appending, locked, update_atomic, write_atomic


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


def added(path, number, count, ready):
    """Adds lines to one file by several means, as other processes do at the same time."""
    from nco.data.cities.cache import update_json
    from nco.files import appending

    ready.wait()
    with appending(path / "lines.jsonl") as append:
        for k in range(count):
            update_json(path / "names.json", lambda known, k=k: known | {f"{number}-{k}": k})
            append(f"{number}-{k}")


def test_no_change_of_several_processes_is_lost(tmp_path):
    """What six processes add to one object, and to one file of lines, is all there, each whole."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(6)
    running = [context.Process(target=added, args=(tmp_path, n, 10, ready)) for n in range(6)]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    wanted = sorted(f"{n}-{k}" for n in range(6) for k in range(10))
    assert sorted(json.loads((tmp_path / "names.json").read_text())) == wanted
    assert sorted((tmp_path / "lines.jsonl").read_text().splitlines()) == wanted


def held(path, told):
    """Holds the lock of a file until it is killed."""
    with locked(path):
        told.set()
        time.sleep(60)


def test_a_killed_holder_leaves_no_lock(tmp_path):
    """While a process holds a lock others give up after their patience; once it is killed, not."""
    context = multiprocessing.get_context("spawn")
    path, told = tmp_path / "file.txt", context.Event()
    process = context.Process(target=held, args=(path, told))
    process.start()
    assert told.wait(60)
    with pytest.raises(StorageError, match=r"another process has been changing .*file\.txt"):
        update_atomic(path, lambda _: "lost", patience_s=0.1)
    process.kill()
    process.join()
    update_atomic(path, lambda known: f"{known} then mine", patience_s=10)
    assert path.read_text() == "None then mine"
    update_atomic(path, lambda known: known + b", twice")
    assert path.read_text() == "None then mine, twice"


def test_a_change_that_fails_changes_nothing(tmp_path):
    """An error in the middle leaves the file as it was, and nobody waits for its lock."""
    path = write_atomic(tmp_path / "file.txt", "old")
    with pytest.raises(ZeroDivisionError):
        update_atomic(path, lambda _: str(1 / 0))
    assert path.read_text() == "old"
    update_atomic(path, lambda _: "new", patience_s=1)
    assert path.read_text() == "new"


def test_places_that_cannot_be_locked(tmp_path):
    """A parent that is a file, or a file that is a folder, is a StorageError."""
    (tmp_path / "file").write_text("keep")
    with pytest.raises(StorageError, match="cannot lock"):
        update_atomic(tmp_path / "file" / "inner", lambda _: "new")
    with pytest.raises(StorageError, match="cannot read"):
        update_atomic(tmp_path, lambda _: "new")
    assert (tmp_path / "file").read_text() == "keep"


def test_lines_after_one_that_was_cut_off(tmp_path):
    """A writer that was ended in the middle of a line leaves nothing to those who go on."""
    path = tmp_path / "lines.jsonl"
    path.write_text("one\ntw")
    with appending(path) as append:
        assert path.read_text() == "one\n"
        append("two")
        with path.open("a") as other:  # what a process leaves that is killed meanwhile
            other.write("thr")
        append("three")
    assert path.read_text() == "one\ntwo\nthree\n"
