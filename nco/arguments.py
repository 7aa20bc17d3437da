"""Arguments of public functions: what is of another kind is refused, with what to give instead."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from nco.errors import InputError, ProblemError, listed, quoted


def of_kind[T](
    value: object,
    kind: type[T],
    what: str,
    give: str,
    error: type[InputError] = InputError,
) -> T:
    """An argument, if it is of the kind that is asked for.

    Args:
        value: of the argument.
        kind: what it must be an instance of.
        what: name of the argument.
        give: what to give, in words.
        error: kind of the error.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(value, kind):
        raise error(f"{what} is {quoted(value)}; give {give}")
    return value


def path_of(value: object, what: str, error: type[InputError] = InputError) -> Path:
    """An argument that is the path of a file, as text or as a `Path`.

    Raises:
        InputError: it is something else, or empty.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise error(f"{what} is {quoted(value)}; give a path, as text or as a pathlib.Path")
    if not os.fspath(value):
        raise error(f"{what} is empty; give a path")
    return Path(value)


def several(
    value: Any, what: str, give: str, error: type[InputError] = InputError
) -> tuple[Any, ...]:
    """An argument that is several things, which a text is not.

    Raises:
        InputError: it cannot be iterated over.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise error(f"{what} is {quoted(value)}; give {give}")
    try:
        return tuple(value)
    except TypeError:  # an array without dimensions
        raise error(f"{what} is {quoted(value)}; give {give}") from None


def refuse_unknown(given: Iterable[str], known: Collection[str], what: str) -> None:
    """Refuse names of arguments that are not known, suggesting the nearest one.

    Raises:
        ProblemError: names it.
    """
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
            raise ProblemError(f"{what} has no field {quoted(name)}; {hint}")


def named_fields[T](cls: type[T]) -> type[T]:
    """A dataclass whose fields are given by name, with errors of ours for wrong names.

    Python's own is a bare TypeError, which names neither the one that was meant nor what there is.
    """
    known: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type]
    names = {field.name: None for field in known}
    needed = [f.name for f in known if f.default is MISSING and f.default_factory is MISSING]
    init: Callable[..., None] = cls.__init__

    @functools.wraps(init)
    def named(self: T, *args: Any, **given: Any) -> None:
        if args:
            raise ProblemError(
                f"{cls.__name__} is given {quoted(args[0])} without a name; name each field, as in "
                f"{cls.__name__}({(needed or list(names))[0]}=...)"
            )
        refuse_unknown(given, names, cls.__name__)
        missing = [name for name in needed if name not in given]
        if missing:
            raise ProblemError(f"{cls.__name__} lacks {listed(missing)}; give {missing[0]}=...")
        init(self, **given)

    cls.__init__ = named  # type: ignore[method-assign, assignment]
    return cls
