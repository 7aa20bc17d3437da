"""What a worker process has open: the cities that are served, problems that were asked for."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING

import numpy as np

from nco.data.cities.cache import cache_dir
from nco.data.cities.city import City
from nco.data.cities.osrm_build import remove_old_variants
from nco.data.cities.places import city as open_city
from nco.errors import CityError, InputError, NcoError, listed, quoted
from nco.files import locked
from nco.memory import ran_out
from nco.problem import Problem
from nco.web.reply import Reply, error_json, error_reply
from nco.web.settings import Settings

if TYPE_CHECKING:
    from nco.data.formats.json_file import Fields

log = logging.getLogger("nco")
_KEPT = 16  # problems
_VARIANTS = 40  # of a city, whose engines stay on the disk
_settings = Settings()
_cities: dict[tuple[str, str], City] = {}
_streets: dict[tuple[str, str], City] = {}  # of profiles that are not served by themselves
_problems: OrderedDict[str, Problem] = OrderedDict()


def begin(settings: Settings, *, searches: bool) -> None:
    """Begins a worker: what every request needs is loaded before the first one comes.

    Args:
        settings: of the server.
        searches: whether problems will be solved here.
    """
    global _settings
    _settings = settings
    _cities.clear()
    _streets.clear()
    _problems.clear()
    with suppress(NcoError):  # whoever asks for the city will be told
        city()
    if searches:
        from nco.solve import solve

        tiny = Problem.from_matrices(np.ones((4, 4)) - np.eye(4), demand=[0, 1, 1, 1], capacity=2)
        with locked(cache_dir() / "serve", patience_s=None):  # one compiles, the others load
            solve(tiny, "auto", time_limit_s=0.05)


def settings() -> Settings:
    """Of the server."""
    return _settings


def city(name: str | None = None, profile: str | None = None) -> City:
    """A city that is served; without a name the first one.

    Raises:
        CityError: it is not served; others are not opened, whatever they are called.
    """
    name = _settings.cities[0] if name is None else name
    profile = _settings.profiles[0] if profile is None else profile
    if name not in _settings.cities:
        raise CityError(f"city {quoted(name)} is not served; served: {listed(_settings.cities)}")
    if profile not in _settings.profiles:
        raise CityError(
            f"profile {quoted(profile)} is not served; served: {listed(_settings.profiles)}"
        )
    if (name, profile) not in _cities:
        options = {} if _settings.max_snap_m is None else {"max_snap_m": _settings.max_snap_m}
        _cities[name, profile] = open_city(name, profile, **options)
    return _cities[name, profile]


def streets(name: str | None = None, profile: str | None = None) -> City:
    """Streets of any profile of a city that is served: vehicles of tables may have others.

    Raises:
        CityError: the city is not served, or has no such streets.
    """
    there = city(name)
    if profile is None or profile in _settings.profiles:
        return city(name, profile)
    key = (there.name, profile)
    if key not in _streets:
        _streets[key] = there.with_profile(profile)
    return _streets[key]


def remembered(key: str, make: Callable[[], Problem]) -> Problem:
    """A problem under a key, made where it is not known here."""
    if key not in _problems:
        _problems[key] = make()
    _problems.move_to_end(key)
    while len(_problems) > _KEPT:
        _problems.popitem(last=False)
    return _problems[key]


def tidy(there: City) -> None:
    """Keeps the engines that zones have made from filling the disk."""
    if there.extract is not None:
        remove_old_variants(there.extract, _VARIANTS)


def is_remembered(key: str) -> bool:
    """Whether a problem is known here."""
    return key in _problems


def known(key: str) -> Problem:
    """A problem that is."""
    _problems.move_to_end(key)
    return _problems[key]


def check_size(problem: Problem) -> Problem:
    """A problem that is within the limits.

    Raises:
        TooLargeError: it is not.
    """
    limits = _settings.limits
    for what, count, most in (
        ("stops", len(problem.stops), limits.stops),
        ("vehicles", len(problem.vehicles), limits.vehicles),
    ):
        if count > most:
            raise TooLargeError(f"the problem has {count} {what}; this server takes {most} at most")
    return problem


class TooLargeError(InputError):
    """More than the server's limits allow."""


def replying[**P](work: Callable[P, Reply]) -> Callable[P, Reply]:
    """Work whose errors are replies, too: a fault of ours is told without its traceback."""

    @wraps(work)
    def reply(*args: P.args, **kwargs: P.kwargs) -> Reply:
        try:
            return work(*args, **kwargs)
        except TooLargeError as error:
            return error_json("TooLargeError", str(error), 413)
        except NcoError as error:
            return error_reply(error)
        except Exception as error:
            if ran_out(error):
                return error_json("MemoryError", "it does not fit into the memory", 413)
            log.exception("a request failed")
            return error_json("Fault", "a fault of the server; its log has the details", 500)

    return reply


def fields_of(raw: bytes) -> Fields:
    """The object in a request.

    Raises:
        FormatError: it is not strict JSON, or something else than one object.
    """
    from nco.data.formats.json_file import Fields, strict_json
    from nco.errors import FormatError

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError("request: it is not UTF-8") from None
    return Fields("request", "", strict_json(text, "request"))


@contextmanager
def notes() -> Iterator[list[str]]:
    """What is logged meanwhile, for whoever asked: what was noticed and is no error."""
    told: list[str] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    handler = Note(logging.WARNING)
    logging.getLogger("nco").addHandler(handler)
    try:
        yield told
    finally:
        logging.getLogger("nco").removeHandler(handler)
