"""Objectives by name, and the lines that run today: what command line and benchmark ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from nco.errors import InputError, quoted
from nco.transit.design.fronts import weighted
from nco.transit.design.objective import ExactObjective, ServiceObjective
from nco.transit.simulate.simulation import Settings

if TYPE_CHECKING:
    from nco.transit.design.objective import LineObjective
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance

Rules = Literal["nco", "alphatransit"]


def settings_of(rules: str = "nco", demand_share: float = 1.0) -> Settings:
    """Settings of a simulation.

    Args:
        rules: "nco" for the defaults, "alphatransit" for those of its simulator.
        demand_share: share of the demand that travels by bus.

    Raises:
        InputError: unknown rules.
        ProblemError: the share is not 0 to 1.
    """
    if rules not in get_args(Rules):
        raise InputError(f"rules are {quoted(rules)}; known are {', '.join(get_args(Rules))}")
    if rules == "alphatransit":
        return Settings.alphatransit(demand_share=demand_share)
    return Settings(demand_share=demand_share)


def objective_of(
    instance: TransitInstance, name: str, settings: Settings | None = None
) -> LineObjective:
    """An objective.

    Args:
        instance: what lines are for.
        name: "passenger" (minutes of the mean journey), "operator" (minutes of all lines),
            "service" (AlphaTransit's reward of the simulation, as a cost), or a number from 0 to 1,
            the passengers' share of a weighted sum of the first two (`nco.transit.design.fronts`).
        settings: of the simulation; None for the defaults.

    Raises:
        InputError: none of these.
    """
    if name == "service":
        return ServiceObjective(instance, settings)
    if name in ("passenger", "operator"):
        return ExactObjective(instance, float(name == "passenger"), float(name == "operator"))
    try:
        share = float(name)
    except ValueError:
        raise InputError(
            f"objective is {quoted(name)}; give passenger, operator, service, or the passengers' "
            "share of a weighted sum, such as 0.5"
        ) from None
    return weighted(instance, share)


def needs_all_joined(name: str) -> bool:
    """Whether an objective asks that lines join all nodes, as the benchmarks do."""
    return name != "service"


def running_lines(path: str | Path, instance: TransitInstance) -> list[Lines]:
    """The set of lines that runs today, in a list; an empty list where the files do not tell.

    Raises:
        FormatError: the file of the lines is wrong.
    """
    if not (Path(path) / "bloomington_existing_routes.json").exists():
        return []
    from nco.transit.files.bloomington import read_bloomington_lines

    return [read_bloomington_lines(path, instance)[1]]
