"""Every error that nco raises on purpose.

```
NcoError                    the command line ends with exit code 2
├── InputError (ValueError) what was given cannot be used
│   ├── ProblemError        a field of a problem, a vehicle or a solution
│   ├── FormatError         a file: its path, and the line or column where known
│   ├── CityError           a city, its extract, or a point that is not in it
│   ├── UnsupportedError    a method that cannot do what the problem asks
│   └── PolicyError         a weight file, its card, or a training option
├── ServiceError            a server that is down, slow or answers nonsense
└── StorageError            a disk that is full, or a folder that cannot be written
```

A message says what was given, what is allowed and what to do about it. Of what was given it quotes
`MOST_QUOTED` characters at most, by `quoted` and `shortened`; the path of a file that is there is
shown whole. What to do is said in words of Python or of the command line, by `worded` and `option`.
"""

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

MOST_QUOTED = 200


class _Brief(reprlib.Repr):
    """`repr` that takes little time and space, however large or deeply nested a value is."""

    def __init__(self) -> None:
        super().__init__(
            maxlevel=3,
            maxdict=20,
            maxlist=20,
            maxtuple=20,
            maxset=20,
            maxstring=MOST_QUOTED,
            maxlong=MOST_QUOTED,
            maxother=MOST_QUOTED,
        )

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write numbers of more than 4300 digits."""
        try:
            return super().repr_int(x, level)
        except ValueError:
            return f"a number of {x.bit_length()} bits"


_BRIEF = _Brief()


def quoted(value: object) -> str:
    """Something that was given as a message shows it: its `repr`, its middle left out if long."""
    return shortened(_BRIEF.repr(value))


def shortened(text: object) -> str:
    """A text that was given (or another library's words on it), its middle left out if long."""
    whole = str(text)
    if len(whole) <= MOST_QUOTED:
        return whole
    ends = (MOST_QUOTED - len(" ... ")) // 2
    return f"{whole[:ends]} ... {whole[-ends:]}"


def listed(names: Iterable[object]) -> str:
    """Names that were given, separated by commas, as many as a message holds."""
    text = ", ".join(map(shortened, islice(names, MOST_QUOTED)))
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 4]} ..."


def counted(number: int, noun: str) -> str:
    """How many of something: `1 route`, `2 routes`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


_by_command = False


@contextmanager
def told_by_command() -> Iterator[None]:
    """While a command runs, messages speak of its options and not of Python's arguments."""
    global _by_command
    before, _by_command = _by_command, True
    try:
        yield
    finally:
        _by_command = before


def worded(python: str, command: str) -> str:
    """What to do, for whoever calls a function or for whoever has typed a command."""
    return command if _by_command else python


def option(name: str) -> str:
    """An argument as who gives it writes it: `max_snap=` or `--max-snap`."""
    return worded(f"{name}=", f"--{name.replace('_', '-')}")


class NcoError(Exception):
    """Root of all errors that nco raises on purpose."""


class InputError(NcoError, ValueError):
    """Something the caller gave cannot be used."""


class ProblemError(InputError):
    """A field of a problem, a vehicle or a solution is wrong; the message names field and index."""


class FormatError(InputError):
    """A file cannot be read as what it should be; the message names the file and the place."""


class CityError(InputError):
    """A city is unknown, its extract is unusable, or a point lies outside of it."""


class OffStreetError(CityError):
    """Points that no street of a city is near enough to.

    Attributes:
        points: their indices among those that were asked for.
    """

    def __init__(self, message: str, points: tuple[int, ...]) -> None:
        super().__init__(message)
        self.points = points


class NoPathError(CityError):
    """No path leads from one place to another, or not with what was closed."""


class UnsupportedError(InputError):
    """A method was asked for something that it cannot do; the message names what."""


class PolicyError(InputError):
    """A policy file or a training option is unusable, or made for something else."""


class ServiceError(NcoError):
    """A remote service is down, too slow, or answered something that makes no sense."""


class StorageError(NcoError):
    """A file could not be written; whatever stood there before is still there."""
