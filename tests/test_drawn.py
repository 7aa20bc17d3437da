"""Along whose streets lines go."""

import logging
from itertools import pairwise

import numpy as np
import pytest

import nco
from nco.data.formats.drawn import streets_of
from nco.errors import CityError


class Town:
    """Streets of a profile, and of another one by its name.

    Args:
        profile: whose streets they are.
    """

    def __init__(self, profile: str = "car") -> None:
        self.profile = profile

    def geometry(self, points):
        """See `Drawn`."""
        return [np.array(pair) for pair in pairwise(points)]

    def with_profile(self, profile: str) -> "Town":
        """As a city has it."""
        if profile != "bicycle":
            raise CityError("there is none")
        return Town(profile)


def problem(*names: str) -> nco.Problem:
    """With a vehicle on streets of each name."""
    way = 1.0 - np.eye(3)
    return nco.Problem(
        profiles=[nco.Profile(distance_m=way, duration_s=way, name=name) for name in names],
        vehicles=[nco.Vehicle(profile=k) for k in range(len(names))],
    )


def test_each_profile_has_its_own_streets(caplog):
    """By name, by another word for it, as given; what nobody knows is none, and is told."""
    town, around = Town(), Town("car")
    kinds = problem("car", "bike", "car around 'x'", "sledge")
    with caplog.at_level(logging.WARNING, "nco"):
        own, bike, closed, unknown = streets_of(kinds, town, {"car around 'x'": around})
    assert (own, bike.profile, closed, unknown) == (town, "bicycle", around, None)
    assert caplog.messages == [
        "the streets of profile 'sledge' are not known here: its routes are drawn in straight lines"
    ]


@pytest.mark.parametrize(("city", "found"), [(None, [None]), (Town("foot"), ["foot"])])
def test_one_kind_of_vehicles_follows_the_city(city, found):
    """Whatever its profile is called; without a city lines are straight."""
    assert [getattr(one, "profile", None) for one in streets_of(problem("any"), city)] == found
