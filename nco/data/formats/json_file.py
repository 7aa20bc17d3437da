"""Strict JSON in and out, with errors that name the file and the place."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from nco.errors import FormatError, StorageError, quoted, shortened
from nco.files import write_atomic
from nco.json_text import parse_json

MOST_WHOLE = 2**53  # beyond it not every whole number is a float
_MISSING: Any = object()


def read_bytes(path: str | Path) -> bytes:
    """What is in a file.

    Raises:
        FormatError: there is no such file, it is none, or it is empty.
        StorageError: it cannot be read.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # reading from a device or a pipe may never end
            kind = "a folder" if path.is_dir() else "no file"
            raise FormatError(f"{path} is {kind}; give a file")
        raw = path.read_bytes()
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{shortened(path)}: there is no such file; check the path") from None
    except OSError as error:
        given = shortened(path)  # it may be longer than any path can be
        raise StorageError(f"cannot read {given}: {error.strerror or error}") from error
    except ValueError as error:  # a path with a zero byte
        raise StorageError(f"cannot read {quoted(str(path))}: {error}") from error
    if not raw.strip():
        raise FormatError(f"{path} is empty")
    return raw


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises:
        FormatError: there is no such file, it is empty, or it is not UTF-8.
        StorageError: it cannot be read.
    """
    raw = read_bytes(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FormatError(
            f"{path}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    if not text.strip():
        raise FormatError(f"{path} is empty")
    return text


def read_json(path: str | Path) -> Fields:
    """The object in a JSON file.

    Raises:
        FormatError: the file is not strict JSON, or holds something else than one object.
        StorageError: it cannot be read.
    """
    return Fields(path, "", read_any_json(path))


def read_any_json(path: str | Path) -> Any:
    """What is in a JSON file, be it an object or not.

    Raises:
        FormatError: the file is not strict JSON.
        StorageError: it cannot be read.
    """
    return strict_json(read_text(path), path)


def strict_json(text: str, path: str | Path) -> Any:
    """What JSON text holds.

    Args:
        text: to be read.
        path: what messages call it.

    Raises:
        FormatError: it is not strict JSON.
    """

    def refuse(constant: str) -> NoReturn:
        raise FormatError(f"{path}: {constant} is not JSON; unlimited is written as null")

    def numeral(literal: str) -> float:
        number = float(literal)
        if math.isinf(number):
            given = shortened(literal)
            raise FormatError(f"{path}: {given} is too large; unlimited is written as null")
        return number

    try:
        data = parse_json(text, parse_constant=refuse, parse_float=numeral)
        encodable = "\\u" not in text or _encodable(data)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        # Python's own words on a whole number of thousands of digits help nobody here.
        reason = "a number is too large" if "set_int_max_str_digits" in str(error) else error
        raise FormatError(f"{path}: {shortened(reason)}") from None
    if not encodable:
        raise FormatError(f"{path}: a text holds half a character (\\ud800 to \\udfff)")
    return data


def _encodable(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def write_json(path: str | Path, data: Any) -> Path:
    """Write strict JSON, one top-level entry a line; infinity becomes null.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    # Half a surrogate pair, which UTF-8 cannot hold, becomes its JSON escape.
    return write_atomic(path, json_text(data).encode("utf-8", "backslashreplace"))


def json_text(data: dict[str, Any]) -> str:
    """Strict JSON, one top-level entry a line; infinity becomes null."""
    data = finite(data)
    entries = (
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in data.items()
    )
    return "{\n" + ",\n".join(entries) + "\n}\n"


def finite(data: Any) -> Any:
    """The same nested lists and dicts with None in place of infinity."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        if set(map(type, data)) <= {int, str}:
            return data  # long rows of a matrix need no look at each number
        return [finite(value) for value in data]
    return None if isinstance(data, float) and math.isinf(data) else data


class Fields:
    """A JSON object (or what should be one) whose entries are asked for by name and kind."""

    def __init__(self, path: str | Path, where: str, data: Any) -> None:
        self.path, self.where = path, where
        if not isinstance(data, dict):
            self.fail("", f"is {_kind(data)}; it must be an object in braces")
        self.data: dict[str, Any] = data

    def place(self, key: str) -> str:
        """File and dotted name of an entry, for messages."""
        inside = ".".join(shortened(part) for part in (self.where, key) if part)
        return f"{self.path}: {inside}" if inside else f"{self.path}"

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise a FormatError about an entry."""
        raise FormatError(f"{self.place(key)} {problem}")

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def raw(self, key: str, default: Any = _MISSING) -> Any:
        """An entry as it stands; `null` counts as absent where there is a default."""
        if key not in self.data or (self.data[key] is None and default is not _MISSING):
            if default is _MISSING:
                close = difflib.get_close_matches(key, self.data, 1)
                hint = f"; is {quoted(close[0])} meant to be it?" if close else ""
                self.fail(key, f"is missing{hint}")
            return default
        return self.data[key]

    def text(self, key: str, default: Any = _MISSING) -> str:
        """A string."""
        return str(self._typed(key, default, str, "text in quotes"))

    def flag(self, key: str, default: Any = False) -> bool:
        """True or false."""
        return bool(self._typed(key, default, bool, "true or false"))

    def whole(
        self, key: str, default: Any = _MISSING, *, low: int = 0, most: int = MOST_WHOLE
    ) -> int:
        """A whole number of at least `low` and at most `most`."""
        value = self.raw(key, default)
        return whole(value, lambda text: self.fail(key, text), low=low, most=most)

    def number(self, key: str, default: Any = _MISSING) -> float:
        """A number; null is infinity."""
        value = self.raw(key) if default is _MISSING else self.raw(key, default)
        return number(value, lambda text: self.fail(key, text))

    def numbers(self, key: str, default: Any = _MISSING) -> list[float]:
        """A list of numbers; null is infinity."""
        return [
            number(value, lambda text, k=k: self.fail(f"{key}[{k}]", text))  # type: ignore[misc]
            for k, value in enumerate(self.items(key, default))
        ]

    def wholes(self, key: str, default: Any = _MISSING, *, low: int = 0) -> list[int]:
        """A list of whole numbers of at least `low`."""
        return [
            whole(value, lambda text, k=k: self.fail(f"{key}[{k}]", text), low=low)  # type: ignore[misc]
            for k, value in enumerate(self.items(key, default))
        ]

    def items(self, key: str, default: Any = _MISSING) -> list[Any]:
        """A list of anything."""
        value = self._typed(key, default, list, "a list in brackets")
        return list(value)

    def child(self, key: str, default: Any = _MISSING) -> Fields:
        """An object."""
        return Fields(self.path, self.place_inside(key), self.raw(key, default))

    def children(self, key: str, default: Any = _MISSING) -> list[Fields]:
        """A list of objects."""
        return [
            Fields(self.path, f"{self.place_inside(key)}[{k}]", value)
            for k, value in enumerate(self.items(key, default))
        ]

    def place_inside(self, key: str) -> str:
        """Dotted name of an entry without the file."""
        return f"{self.where}.{key}" if self.where else key

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise if there is an entry of another name, suggesting the closest known one."""
        known = tuple(known)
        for key in self.data:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = (
                    f"did you mean {quoted(close[0])}?" if close else f"known: {', '.join(known)}"
                )
                self.fail(key, f"is not known here; {hint}")

    def _typed(self, key: str, default: Any, kind: type, wanted: str) -> Any:
        value = self.raw(key, default)
        if not isinstance(value, kind):
            self.fail(key, f"is {_kind(value)}; it must be {wanted}")
        return value


def number(value: Any, fail: Callable[[str], NoReturn]) -> float:
    """A number (None is infinity), or a call of `fail` with what is wrong."""
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        fail(f"is {_kind(value)}; it must be a number")
    try:
        return float(value)
    except OverflowError:
        fail("is too large; unlimited is written as null")


def whole(
    value: Any, fail: Callable[[str], NoReturn], *, low: int = 0, most: int = MOST_WHOLE
) -> int:
    """A whole number from `low` to `most`, or a call of `fail` with what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        fail(f"is {_kind(value)}; it must be a whole number")
    if value < low:
        fail(f"is {_kind(value)}; it must be {low} or more")
    if value > most:
        fail(f"is {_kind(value)}; it must be {most} at most")
    return int(value)


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return quoted(value)
