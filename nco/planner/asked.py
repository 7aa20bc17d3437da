"""What stops ask for, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from nco import _validate as validate
from nco.arguments import refuse_unknown
from nco.errors import InputError, quoted
from nco.problem import Feature
from nco.problem.hours import checked_windows
from nco.problem.priorities import checked_priority

if TYPE_CHECKING:
    from nco.planner.day import Day, Stop


class Asked(TypedDict, total=False):
    """What a stop asks for; all as in a `Problem`.

    Attributes:
        demand: one number a dimension.
        window_s: earliest and latest start of service.
        more_windows_s: further windows, apart from the first one.
        soft_window_s: when service should begin.
        early_per_s: cost of a second before that.
        late_per_s: cost of a second after it.
        service_s: seconds.
        prize: cost of not serving it; `inf` makes it required.
        priority: 0 to 100.
        pickup: one number a dimension, taken to the end of the trip.
        setup_s: seconds on arrival.
        release_s: when its goods are at the depot.
        skills: words that a vehicle must have.
    """

    demand: float | Sequence[float] | None
    window_s: tuple[float, float] | None
    more_windows_s: Sequence[tuple[float, float]] | None
    soft_window_s: tuple[float, float] | None
    early_per_s: float | None
    late_per_s: float | None
    service_s: float | None
    prize: float | None
    priority: float | None
    pickup: float | Sequence[float] | None
    setup_s: float | None
    release_s: float | None
    skills: AbstractSet[str] | Sequence[str] | None


NEW: Asked = {
    "demand": 0.0,
    "pickup": 0.0,
    "window_s": (0.0, np.inf),
    "service_s": 0.0,
    "prize": np.inf,
}
"""What a stop asks for of which nothing is said."""


def refuse_shipments(day: Day) -> None:
    """Refuse shipments beside pickups where deliveries from the depot come first.

    Goods that are on board when a day is planned again are delivered as if they came from there.

    Raises:
        InputError: names both.
    """
    collects = any(stop.pickup.any() for stop in day.stops.values())
    if day.shipments and day.problem.linehauls_first and collects:
        raise InputError(
            f"problem {quoted(day.problem.name)} asks for {Feature.BACKHAULS} and for "
            f"{Feature.SHIPMENTS}, which the planner does not know together; plan the day with "
            "nco.solve, or leave one of them out"
        )


def checked_fields(name: str, given: Mapping[str, Any], dimensions: int) -> dict[str, Any]:
    """Fields of a stop as they are kept.

    Args:
        name: of the stop, for messages.
        given: some of the fields of `Asked`.
        dimensions: of demand and pickup; a single 0 stands for none in any.

    Raises:
        ProblemError: a field is not known, or a number is malformed.
    """
    refuse_unknown(given, list(Asked.__annotations__), "a stop")
    made: dict[str, Any] = {}
    for field, value in given.items():
        what = f"{quoted(name)}: {field}"
        if field in ("demand", "pickup"):
            amount = np.atleast_1d(validate.array(value, what))
            nothing = amount.shape == (1,) and not amount[0]
            made[field] = validate.vector(
                np.zeros(dimensions) if nothing else amount, what, dimensions, low=0.0
            )
        elif field == "skills":
            made[field] = validate.words(value, what)
        elif field == "more_windows_s":
            made[field] = _further(value, what)
        elif field == "priority":
            one = np.array([0.0, validate.number(value, what)])
            made[field] = float(checked_priority(one, 2, 1)[1])
        elif field in ("window_s", "soft_window_s"):
            window = validate.windows(np.atleast_2d(validate.array(value, what)), 1, what)[0]
            made[field] = (float(window[0]), float(window[1]))
        else:
            amount = validate.array(value, what)
            made[field] = validate.vector(
                np.atleast_1d(amount), what, 1, low=0.0, finite=field != "prize"
            )[0].item()
    return made


def _further(value: Any, what: str) -> tuple[tuple[float, float], ...]:
    pairs = list(value) if isinstance(value, Sequence) else value
    if not len(pairs):
        return ()
    windows = validate.windows(validate.array(pairs, what), len(pairs), what)
    return tuple((float(begin), float(end)) for begin, end in windows)


def refuse_overlaps(stop: Stop) -> None:
    """Refuse windows of a stop that are not apart.

    Raises:
        ProblemError: names them.
    """
    first = np.array([stop.window_s])
    checked_windows({0: stop.more_windows_s}, range(1), first, [stop.name])
