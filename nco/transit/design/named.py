"""Objectives by name, and the lines that run today: what command line and benchmark ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.fronts import weighted
from nco.transit.design.objective import ExactObjective, ServiceObjective
from nco.transit.simulate.simulation import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.transit.design.objective import LineObjective
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance

_SETTINGS: dict[str, Callable[..., Settings]] = {
    "nco": Settings,
    "alphatransit": Settings.alphatransit,
    "city": Settings.city,
}
RULES = tuple(_SETTINGS)
"""What a simulation may assume: the defaults, AlphaTransit's, what a city's buses do."""


def usual_objective(instance: TransitInstance) -> str:
    """What lines are judged by unless somebody says otherwise.

    On the streets of a city that is passengers and operator together, waits and transfers
    included; on a benchmark network, where nobody waits, the passengers' mean journey.
    """
    return "passenger" if instance.moved_m is None else "cost"


def usual_method(objective: LineObjective) -> str:
    """The method that is best for an objective: annealing is compiled for the exact evaluator."""
    return "annealing" if isinstance(objective, ExactObjective) else "hyper"


def usual_rules(objective: str) -> str:
    """What a simulation assumes unless somebody says otherwise."""
    return "city" if objective == "cost" else "nco"


def settings_of(rules: str = "nco", demand_share: float = 1.0) -> Settings:
    """Settings of a simulation.

    Args:
        rules: "nco" for the defaults, "alphatransit" for those of its simulator, "city" for what
            a city's buses do.
        demand_share: share of the demand that travels by bus.

    Raises:
        InputError: unknown rules.
        ProblemError: the share is not 0 to 1.
    """
    if rules not in _SETTINGS:
        raise InputError(f"rules are {quoted(rules)}; known are {', '.join(RULES)}")
    return _SETTINGS[rules](demand_share=demand_share)


def objective_of(
    instance: TransitInstance, name: str, settings: Settings | None = None
) -> LineObjective:
    """An objective.

    Args:
        instance: what lines are for.
        name: "cost" (walking, waiting, riding, transfers and the operator, in minutes on board a
            trip: `nco.transit.operate`), "passenger" (minutes of the mean journey), "operator"
            (minutes of all lines), "service" (AlphaTransit's reward of the simulation, as a cost),
            or a number from 0 to 1, the passengers' share of a weighted sum of passenger and
            operator (`nco.transit.design.fronts`).
        settings: of the simulation; None for the defaults.

    Raises:
        InputError: none of these.
    """
    if name == "cost":
        return CityObjective(instance, settings=settings)
    if name == "service":
        return ServiceObjective(instance, settings)
    if name in ("passenger", "operator"):
        return ExactObjective(instance, float(name == "passenger"), float(name == "operator"))
    try:
        share = float(name)
    except ValueError:
        raise InputError(
            f"objective is {quoted(name)}; give cost, passenger, operator, service, or the "
            "passengers' share of a weighted sum, such as 0.5"
        ) from None
    return weighted(instance, share)


def needs_all_joined(name: str) -> bool:
    """Whether an objective asks that lines join all nodes, as the benchmarks do."""
    return name not in ("service", "cost")


def running_lines(path: str | Path, instance: TransitInstance) -> list[Lines]:
    """The set of lines that runs today, in a list; an empty list where the files do not tell.

    Raises:
        FormatError: the file of the lines is wrong.
    """
    if not (Path(path) / "bloomington_existing_routes.json").exists():
        return []
    from nco.transit.files.bloomington import read_bloomington_lines

    return [read_bloomington_lines(path, instance)[1]]
