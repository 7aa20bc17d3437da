"""Vehicles of a table that use other streets than the others: matrices of their own profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError, quoted
from nco.problem import Problem, Profile

if TYPE_CHECKING:
    from nco.data.cities.streets import Streets
    from nco.data.formats.tables.nodes import Nodes


def on_own_streets(problem: Problem, city: Streets, wanted: Sequence[str], nodes: Nodes) -> Problem:
    """The problem with a profile for each that its vehicles ask for.

    A stop that one profile does not reach is left to the others; that all reach the depots is
    not asked for.

    Args:
        problem: of the profile of the city.
        city: with an extract, from which streets of other profiles come.
        wanted: the profile of each vehicle, "" for that of the city.
        nodes: where places are.

    Raises:
        InputError: the city has but one kind of streets.
        CityError: a depot is not on streets of a profile.
    """
    own = str(getattr(city, "profile", "car"))
    others = [name for name in dict.fromkeys(wanted) if name not in ("", own)]
    if not others:
        return problem
    with_profile = getattr(city, "with_profile", None)
    if with_profile is None:
        raise InputError(
            f"{city.name} has streets of one profile, and vehicles ask for {quoted(others[0])}; "
            "open an extract, or leave the column out"
        )
    optional = np.arange(problem.size) >= problem.depots
    profiles = [replace(problem.profiles[0], name=own)]
    off_street = dict(problem.off_street)
    for name in others:
        table = with_profile(name).matrix(nodes.lonlat, names=nodes.labels, optional=optional)
        profiles.append(
            Profile(distance_m=table.distance_m, duration_s=table.duration_s, name=name)
        )
        off_street = {j: why for j, why in off_street.items() if j in table.refused}
    index = {"": 0, own: 0} | {name: k + 1 for k, name in enumerate(others)}
    vehicles = [
        replace(vehicle, profile=index[name])
        for vehicle, name in zip(problem.vehicles, wanted, strict=True)
    ]
    return replace(
        problem, profiles=tuple(profiles), vehicles=tuple(vehicles), off_street=off_street
    )
