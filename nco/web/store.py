"""What outlives a server: scenarios and days, in one SQLite file.

Every change is a transaction in a write-ahead log that is on the disk before a client is answered:
a server that is killed, or a machine that loses power, loses nothing that was saved.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nco.errors import StorageError
from nco.web.reply import RefusedError

_VERSION = 1
_PATIENCE_S = 10.0  # for another server of the same file
_TABLES = """
create table if not exists scenarios (
  id text primary key, name text not null, content text not null, version integer not null,
  created real not null, updated real not null
) strict;
create table if not exists plans (
  id text primary key, problem blob not null, options text not null, created real not null
) strict;
create table if not exists changes (
  plan text not null references plans(id) on delete cascade, number integer not null,
  change text not null, primary key (plan, number)
) strict, without rowid;
"""


class Store:
    """Scenarios and days; used by one thread at a time.

    Args:
        path: of the file, made if it is missing, for nobody else to read; None keeps all of it in
            memory.
        most_bytes: how large it may become.

    Raises:
        StorageError: the file cannot be written, or is something else.
    """

    def __init__(self, path: Path | None, most_bytes: int = 1 << 30) -> None:
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=_PATIENCE_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.execute("pragma foreign_keys = on")
            [[page_bytes]] = self._database.execute("pragma page_size").fetchall()
            self._database.execute(f"pragma max_page_count = {most_bytes // page_bytes}")
            [[version]] = self._database.execute("pragma user_version").fetchall()
            if version not in (0, _VERSION):
                raise StorageError(
                    f"{path} was written by another version of nco; give another file with --data"
                )
            self._database.executescript(f"{_TABLES} pragma user_version = {_VERSION};")
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise StorageError(
                f"cannot keep anything in {path}: {error}; give another file with --data"
            ) from error

    def close(self) -> None:
        """Ends the use of the file."""
        self._database.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, or nothing.

        Raises:
            StorageError: the disk is full, or the file cannot be written.
        """
        try:
            self._database.execute("begin immediate")
            try:
                yield self._database
            except BaseException:
                if self._database.in_transaction:  # a full disk has ended it already
                    self._database.execute("rollback")
                raise
            self._database.execute("commit")
        except sqlite3.Error as error:
            raise StorageError(
                f"nothing was saved: {error}; delete scenarios or days that are not needed"
            ) from error

    def _rows(self, question: str, *given: object) -> list[tuple[Any, ...]]:
        """What the file answers.

        Raises:
            StorageError: it is damaged, or cannot be read.
        """
        try:
            return self._database.execute(question, given).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise StorageError(
                f"what was kept cannot be read: {error}; give another file with --data"
            ) from error

    def scenarios(self) -> list[dict[str, Any]]:
        """All of them without their content, the latest first."""
        rows = self._rows(
            "select id, name, version, created, updated from scenarios order by updated desc, id"
        )
        names = ("id", "name", "version", "created", "updated")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def scenario(self, number: str) -> tuple[dict[str, Any], str]:
        """A scenario, and its content as JSON text.

        Raises:
            RefusedError: there is none.
        """
        rows = self._rows(
            "select id, name, version, created, updated, content from scenarios where id = ?",
            number,
        )
        if not rows:
            raise RefusedError(404, "NotFound", "there is no such scenario")
        [row] = rows
        names = ("id", "name", "version", "created", "updated")
        return dict(zip(names, row[:-1], strict=True)), str(row[-1])

    def add_scenario(self, name: str, content: str, most: int) -> dict[str, Any]:
        """Saves a new one.

        Raises:
            RefusedError: there are as many as may be.
        """
        number, now = secrets.token_hex(8), time.time()
        with self._change() as database:
            [[count]] = database.execute("select count(*) from scenarios").fetchall()
            if count >= most:
                raise RefusedError(
                    507, "TooMany", f"there are {count} scenarios, which is the limit; delete some"
                )
            database.execute(
                "insert into scenarios values (?, ?, ?, 1, ?, ?)", (number, name, content, now, now)
            )
        return self.scenario(number)[0]

    def change_scenario(
        self, number: str, name: str, content: str, version: int | None
    ) -> dict[str, Any]:
        """Saves a scenario again.

        Args:
            number: its id.
            name: its new name.
            content: JSON text.
            version: that was read; None overwrites whatever is there.

        Raises:
            RefusedError: there is none, or somebody has changed it since.
        """
        with self._change() as database:
            there = self.scenario(number)[0]["version"]
            if version is not None and version != there:
                raise RefusedError(
                    409, "Changed", f"version {version} was changed meanwhile, to {there}; read it"
                )
            database.execute(
                "update scenarios set name = ?, content = ?, version = version + 1, updated = ? "
                "where id = ?",
                (name, content, time.time(), number),
            )
        return self.scenario(number)[0]

    def remove_scenario(self, number: str) -> None:
        """Deletes a scenario.

        Raises:
            RefusedError: there is none.
        """
        with self._change() as database:
            if not database.execute("delete from scenarios where id = ?", (number,)).rowcount:
                raise RefusedError(404, "NotFound", "there is no such scenario")

    def plans(self) -> list[dict[str, Any]]:
        """All days without their problems, the latest first."""
        rows = self._rows(
            "select id, created, (select count(*) from changes where plan = id) from plans "
            "order by created desc, id"
        )
        return [dict(zip(("id", "created", "changes"), row, strict=True)) for row in rows]

    def add_plan(self, problem: bytes, options: str, most: int) -> str:
        """Keeps a day.

        Returns:
            Its id.

        Raises:
            RefusedError: there are as many as may be.
        """
        number = secrets.token_hex(8)
        with self._change() as database:
            [[count]] = database.execute("select count(*) from plans").fetchall()
            if count >= most:
                raise RefusedError(
                    507, "TooMany", f"there are {count} plans, which is the limit; delete some"
                )
            database.execute(
                "insert into plans values (?, ?, ?, ?)", (number, problem, options, time.time())
            )
        return number

    def plan(self, number: str) -> tuple[bytes, str, list[str]]:
        """The problem of a day, its options, and what has happened so far.

        Raises:
            RefusedError: there is none.
        """
        rows = self._rows("select problem, options from plans where id = ?", number)
        if not rows:
            raise RefusedError(404, "NotFound", "there is no such plan")
        [(problem, options)] = rows
        changes = self._rows("select change from changes where plan = ? order by number", number)
        return problem, options, [change for (change,) in changes]

    def add_change(self, number: str, count: int, change: str) -> None:
        """Keeps what has happened.

        Args:
            number: id of the plan.
            count: how many changes there were before.
            change: JSON text.

        Raises:
            StorageError: it could not be kept, or another server was faster.
        """
        with self._change() as database:
            database.execute("insert into changes values (?, ?, ?)", (number, count, change))

    def remove_plan(self, number: str) -> None:
        """Deletes a day.

        Raises:
            RefusedError: there is none.
        """
        with self._change() as database:
            if not database.execute("delete from plans where id = ?", (number,)).rowcount:
                raise RefusedError(404, "NotFound", "there is no such plan")
