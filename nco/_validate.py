"""Checks of single fields: each returns a clean read-only array or raises with field and index."""

import operator
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arguments import of_kind
from nco.arrays import Floats
from nco.errors import InputError, ProblemError, counted, quoted, shortened

MOST = 1e150  # beyond, finite numbers add up to infinity
LEAST = 1e-300  # below, but for 0, numbers lose their digits: shares of them are wrong
MOST_WHOLE = 2**31 - 1  # what fits into the counts of every solver


def choice[E: StrEnum](value: str, kind: type[E], what: str) -> E:
    """One of the values of an enumeration."""
    try:
        return kind(value)
    except (TypeError, ValueError):
        known = ", ".join(repr(str(known)) for known in kind)
        raise ProblemError(f"{what} is {quoted(value)}; use one of {known}") from None


def at_least(value: float, low: float, what: str, *, finite: bool = True) -> None:
    """Refuse NaN, numbers below `low` and, if `finite`, infinity."""
    if not value >= low or (finite and not np.isfinite(value)):
        kind = "finite number" if finite else "number"
        raise ProblemError(f"{what} is {shortened(value)}; it must be a {kind} of at least {low:g}")
    if 0 < abs(value) < LEAST:
        raise ProblemError(
            f"{what} is {shortened(value)}; it must be 0 or {LEAST:g} at least: give it in a "
            "smaller unit"
        )


def number(value: object, what: str, error: type[InputError] = ProblemError) -> float:
    """A number that a float holds."""
    try:
        if isinstance(value, str | bytes):  # "8.00" is most often a time
            raise TypeError
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        hint = in_seconds(value)
        raise error(f"{what} is {quoted(value)}; give a number{hint}") from None


_CLOCK = re.compile(r"\b(\d{1,2})[:.h](\d{2})(?::(\d{2}))?\b")


def in_seconds(value: object) -> str:
    """A hint, where a text with a clock time was given: what it is in seconds."""
    found = _CLOCK.search(str(value)) if isinstance(value, str | list | tuple) else None
    if found is None:
        return ""
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = 3600 * hours + 60 * minutes + seconds
    return (
        f". Times are numbers of seconds: {shortened(found.group())} is 3600 * {hours} + 60 * "
        f"{minutes}{f' + {seconds}' if seconds else ''} = {total}"
    )


def text(value: object, what: str) -> str:
    """A text."""
    return of_kind(value, str, what, "text", ProblemError)


def flag(value: object, what: str) -> bool:
    """True or false, numpy's and 0 and 1 as well."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise ProblemError(f"{what} is {quoted(value)}; give True or False")


def whole(
    value: float,
    what: str,
    *,
    low: int | None = None,
    error: type[InputError] = ProblemError,
) -> int:
    """A whole number of at least `low`, numpy's and such as 2.0 as well."""
    try:
        integral = isinstance(value, float) and value.is_integer()
        result = int(value) if integral else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise error(f"{what} is {quoted(value)}; give a whole number") from None
    if low is not None and result < low:
        raise error(f"{what} is {quoted(value)}; it must be {low} or more")
    if result > MOST_WHOLE:
        raise error(f"{what} is {quoted(value)}; it must be {MOST_WHOLE} at most")
    return result


def interval(begin: float, finish: float, what: str) -> None:
    """Refuse intervals that are empty, NaN or begin at no finite time."""
    if np.isnan(begin) or np.isnan(finish) or not np.isfinite(begin) or begin < 0:
        raise ProblemError(
            f"{what} is ({shortened(begin)}, {shortened(finish)}); it must begin at a time of 0 or "
            "later"
        )
    if finish < begin:
        raise ProblemError(f"{what} is ({begin:g}, {finish:g}), which is empty: it ends too early")


def array(values: ArrayLike, what: str) -> Floats:
    """A float64 copy without NaN."""
    try:
        given = np.asarray(values)
        if given.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        if given.dtype.kind in "US":  # "8.00" is most often a time
            raise TypeError(f"it holds the text {quoted(str(given.flat[0]))}")
        result = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProblemError(
            f"{what} is not an array of numbers: {shortened(error)}{in_seconds(str(error))}"
        ) from None
    if np.isnan(result).any():
        index = [int(k) for k in np.argwhere(np.isnan(result))[0]] or ""
        raise ProblemError(f"{what}{index} is NaN; every entry must be a number")
    result.flags.writeable = False
    return result


def table(
    values: ArrayLike,
    shape: tuple[int | None, ...],
    what: str,
    *,
    low: float = -np.inf,
    finite: bool = True,
    most: float = MOST,
) -> Floats:
    """An array of the given shape (None: any length) with entries of at least `low`."""
    result = array(values, what)
    if result.ndim != len(shape) or any(
        want is not None and want != have for want, have in zip(shape, result.shape, strict=True)
    ):
        wanted = " x ".join("any" if k is None else str(k) for k in shape)
        have = " x ".join(map(str, result.shape)) or "a single number"
        raise ProblemError(f"{what} is {have}; it must be {wanted}")
    bad = result < low
    if finite:
        bad |= np.isinf(result)
    if bad.any():
        index = [int(k) for k in np.argwhere(bad)[0]]
        limit = f"a {'finite ' if finite else ''}number" + (
            f" of at least {low:g}" if low > -np.inf else ""
        )
        raise ProblemError(f"{what}{index} is {result[tuple(index)]:g}; it must be {limit}")
    tiny = (result < LEAST) & (result > 0) & (low >= 0)
    if tiny.any():
        first = tuple(np.argwhere(tiny)[0].tolist())
        raise ProblemError(
            f"{what}{list(first)} is {result[first]:g}; numbers must be 0 or {LEAST:g} at least: "
            "give them in a smaller unit"
        )
    huge = (np.abs(result) > most) & np.isfinite(result)
    if huge.any():
        first = tuple(np.argwhere(huge)[0].tolist())
        raise ProblemError(
            f"{what}{list(first)} is {result[first]:g}; finite numbers must be {most:g} at most"
        )
    return result


def vector(
    values: ArrayLike,
    what: str,
    length: int | None = None,
    *,
    low: float = -np.inf,
    finite: bool = True,
) -> Floats:
    """A one-dimensional array."""
    return table(values, (length,), what, low=low, finite=finite)


def mask(values: ArrayLike, what: str) -> NDArray[np.bool_]:
    """A one-dimensional read-only array of truth values."""
    try:
        given = np.asarray(values)
    except ValueError:  # rows of different lengths
        given = np.empty((0, 0))
    if given.ndim != 1 or not (given.dtype == np.bool_ or np.isin(given, (0, 1)).all()):
        raise ProblemError(f"{what} must be one true or false a node")
    result = given.astype(np.bool_)
    result.flags.writeable = False
    return result


def matrix(values: ArrayLike, what: str) -> Floats:
    """A square matrix of non-negative entries, 0 on the diagonal, `inf` where unreachable."""
    result = array(values, what)
    if result.ndim != 2 or result.shape[0] != result.shape[1] or not result.size:
        have = " x ".join(map(str, result.shape)) or "a single number"
        raise ProblemError(f"{what} is {have}; it must be a square matrix, one row a node")
    result = table(result, (None, None), what, low=0.0, finite=False)
    if np.diagonal(result).any():
        i = int(np.flatnonzero(np.diagonal(result))[0])
        raise ProblemError(f"{what}[{i}, {i}] is {result[i, i]:g}; a node is 0 away from itself")
    return result


def same_shape(a: Floats, b: Floats, what: str) -> None:
    """Refuse two arrays of different shapes."""
    if a.shape != b.shape:
        raise ProblemError(f"{what} have different shapes: {a.shape} and {b.shape}")


def windows(values: ArrayLike, n: int, what: str) -> Floats:
    """`[n, 2]` non-empty time windows."""
    result = table(values, (n, 2), what, finite=False, most=np.inf)
    for j in np.flatnonzero(
        (result[:, 0] < 0) | np.isinf(result[:, 0]) | (result[:, 1] < result[:, 0])
    ):
        interval(float(result[j, 0]), float(result[j, 1]), f"{what}[{int(j)}]")
    return result


def lonlat(values: ArrayLike, n: int) -> Floats:
    """`[n, 2]` degrees, longitude first."""
    result = table(values, (n, 2), "lonlat")
    bad = (np.abs(result[:, 0]) > 180) | (np.abs(result[:, 1]) > 90)
    if bad.any():
        j = int(np.argmax(bad))
        raise ProblemError(
            f"lonlat[{j}] is ({result[j, 0]:g}, {result[j, 1]:g}); longitude comes first and is "
            "within 180, latitude within 90: are they swapped?"
        )
    return result


def words(values: Iterable[str], what: str) -> frozenset[str]:
    """A set of words; a single string is not taken for its letters."""
    if isinstance(values, str):
        raise ProblemError(f"{what} is the text {quoted(values)}; give a set of words")
    try:
        return frozenset(str(word) for word in values)
    except TypeError:
        raise ProblemError(f"{what} is {quoted(values)}; give a set of words") from None


def names(values: Sequence[str], n: int) -> tuple[str, ...]:
    """`n` different names."""
    result = tuple(str(name) for name in values)
    if len(result) != n:
        raise ProblemError(f"names has {counted(len(result), 'entry')}; give one a node ({n})")
    twice = [name for name, count in Counter(result).items() if count > 1]
    if twice:
        raise ProblemError(
            f"names[{result.index(twice[0])}]: the name {quoted(twice[0])} is used "
            f"{result.count(twice[0])} times; names must differ"
        )
    return result
