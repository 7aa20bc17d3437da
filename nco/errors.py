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

A message says what was given, what is allowed and what to do about it.
"""


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


class UnsupportedError(InputError):
    """A method was asked for something that it cannot do; the message names what."""


class PolicyError(InputError):
    """A policy file or a training option is unusable, or made for something else."""


class ServiceError(NcoError):
    """A remote service is down, too slow, or answered something that makes no sense."""


class StorageError(NcoError):
    """A file could not be written; whatever stood there before is still there."""
