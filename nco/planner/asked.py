"""What stops ask for, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nco import _validate as validate
from nco.errors import InputError, quoted
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL, LIMITS

KNOWN = CLASSICAL | LIMITS | {Feature.SPEEDS}  # features that a day may have


def refuse_unknown_features(problem: Problem) -> None:
    """Refuse a problem that the planner would plan without some of its rules.

    Raises:
        InputError: names them.
    """
    unknown = sorted(problem.features - KNOWN)
    if unknown:
        raise InputError(
            f"problem {quoted(problem.name)} asks for {', '.join(unknown)}, which the planner does "
            "not know; plan the day with nco.solve, or leave that out"
        )


def checked_fields(name: str, given: Mapping[str, Any], dimensions: int) -> dict[str, Any]:
    """Fields of a stop as they are kept.

    Args:
        name: of the stop, for messages.
        given: some of "demand", "window_s", "service_s" and "prize".
        dimensions: of demand; a single 0 stands for none in any.

    Raises:
        ProblemError: a number is malformed.
    """
    made: dict[str, Any] = {}
    for field, value in given.items():
        what = f"{quoted(name)}: {field}"
        if field == "demand":
            demand = np.atleast_1d(validate.array(value, what))
            nothing = demand.shape == (1,) and not demand[0]
            made[field] = validate.vector(
                np.zeros(dimensions) if nothing else demand, what, dimensions, low=0.0
            )
        elif field == "window_s":
            window = validate.windows(np.atleast_2d(validate.array(value, what)), 1, what)[0]
            made[field] = (float(window[0]), float(window[1]))
        else:
            amount = validate.array(value, what)
            made[field] = validate.vector(
                np.atleast_1d(amount), what, 1, low=0.0, finite=field != "prize"
            )[0].item()
    return made
