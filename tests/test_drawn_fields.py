"""What a problem can say is drawn by the problems that all solvers are tried on."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from random_problems import Thrown, fields_by

from nco import (
    Break,
    Feature,
    Group,
    Objective,
    Problem,
    Profile,
    Rest,
    Shipment,
    Vehicle,
)
from nco.errors import NcoError

DRAWS = 400


@pytest.fixture(scope="module")
def drawn() -> list[Problem]:
    """Problems as `benchmarks/random_problems.py` draws them."""
    found = []
    for seed in range(DRAWS):
        try:
            found.append(Problem(**fields_by(Thrown(np.random.default_rng(seed)))))
        except NcoError:  # what contradicts itself is drawn as well
            continue
    assert len(found) > DRAWS / 2
    return found


def _unsaid(problem: Problem) -> Problem:
    """A problem on the same streets of which nothing is said."""
    plain = Problem(profiles=problem.profiles[:1], vehicles=(Vehicle(),))
    return replace(plain, profiles=(replace(plain.profiles[0], name="plain"),))


def _told(value: object) -> str:
    return value.tobytes().hex() if isinstance(value, np.ndarray) else repr(value)


def _said(thing: object, unsaid: object = None) -> Iterator[tuple[str, str]]:
    """Fields that hold something else than what they do where nothing is said of them."""
    if isinstance(thing, tuple):
        for part in thing:
            yield from _said(part)
    elif is_dataclass(thing):
        for field in fields(thing):
            value = getattr(thing, field.name)
            yield from _said(value)
            if _told(value) != _told(getattr(unsaid, field.name, field.default)):
                yield type(thing).__name__, field.name


def test_all_fields(drawn: list[Problem]) -> None:
    """A field that is new, and that no problem is drawn with, is found here."""
    said = {pair for problem in drawn for pair in _said(problem, _unsaid(problem))}
    kinds = (Problem, Vehicle, Objective, Profile, Break, Rest, Group, Shipment)
    asked = {(kind.__name__, field.name) for kind in kinds for field in fields(kind)}
    assert asked <= said, f"add to `rule_fields` or `fields_by`: {sorted(asked - said)}"


def test_all_features(drawn: list[Problem]) -> None:
    """Each feature is asked for by several problems."""
    for feature in Feature:
        assert sum(feature in problem.features for problem in drawn) >= 5, feature
