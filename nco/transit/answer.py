"""What is known of lines, and the files that they leave behind."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nco.data.formats.json_file import read_json, write_json
from nco.errors import ProblemError, quoted
from nco.transit.evaluate.exact import evaluate
from nco.transit.files.native import read_lines, save_instance, write_lines
from nco.transit.instance.lines import as_lines, check_lines
from nco.transit.simulate.simulation import Settings, reward, simulate

if TYPE_CHECKING:
    from pathlib import Path

    from nco.data.cities.city import City
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines, LinesLike
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.operate.network_cost import CostModel, NetworkCost
    from nco.transit.simulate.simulation import Simulation

logger = logging.getLogger("nco")

_NUMBERS = (
    *("generated", "arrived", "riding", "waiting", "unserved", "service_rate_of_all"),
    *("service_rate_of_connected", "coverage", "demand_share", "mean_wait_s", "mean_ride_s"),
    *("transfer_share", "fleet", "utilisation", "route_efficiency_per_km", "overlap"),
)
_FORMAT = "nco-transit-design"


def describe(
    instance: TransitInstance,
    lines: LinesLike,
    settings: Settings | None = None,
    *,
    connected: bool = True,
    simulated: bool = True,
    model: CostModel | None = None,
) -> tuple[dict[str, Any], Simulation | None]:
    """Everything that both evaluators and the checker say about lines.

    Args:
        instance: what they are for.
        lines: nodes in order.
        settings: of the simulation; None for the defaults.
        connected: whether nodes that are not joined are a violation.
        simulated: whether to simulate, which takes up to some seconds.
        model: of what lines cost; with it lines may not be led astray, and the simulation has its
            frequencies and the passengers who have walked to their stops.

    Returns:
        Plain data, and the simulation; None without one, or where it cannot be run, which the
        log explains.

    Raises:
        ProblemError: a line uses a stop or a link that does not exist.
    """
    given = as_lines(lines)
    exact = asdict(evaluate(instance, given))
    exact.pop("violations")
    broken = [v.message for v in check_lines(instance, given, connected=connected)]
    cost = None if model is None else model.of(given)
    if cost is not None and model is not None:
        broken += _led_astray(cost, model.prices.most_line_detour)
    facts: dict[str, Any] = {"feasible": not broken, "violations": broken, "exact": exact}
    facts["cost_parts"] = None if cost is None else cost.facts()
    facts["moved"] = [
        {"stop": instance.names[node], "moved_m": round(far_m, 1)}
        for node, far_m in instance.moved.items()
    ]
    if not simulated:
        return facts | {"simulation": None}, None
    try:
        if cost is None:
            found = simulate(instance, given, settings)
        else:
            riders = instance.changed(demand=cost.taken)
            found = simulate(riders, given, settings, per_h=cost.per_h)
    except ProblemError as error:
        logger.warning("no simulation: %s", error)
        return facts | {"simulation": None}, None
    numbers = {name: getattr(found, name) for name in _NUMBERS} | {"reward": reward(found)}
    return facts | {"simulation": numbers}, found


def _led_astray(cost: NetworkCost, most: float) -> list[str]:
    """Lines that take too long for where they lead, in words."""
    return [
        f"line {r} takes {detour:.2f} times the fastest way between its ends; less than {most:g} "
        "is allowed"
        for r, detour in enumerate(cost.line_detour.tolist())
        if detour >= most
    ]


def write_design(
    folder: Path,
    instance: TransitInstance,
    found: Design,
    facts: dict[str, Any],
    simulation: Simulation | None = None,
    city: City | None = None,
    settings: Settings | None = None,
) -> dict[str, Path]:
    """Write lines in every format that fits the instance; the folder exists.

    Args:
        folder: where to.
        instance: what they are for.
        found: the lines.
        facts: of `describe`, and whatever else the JSON file is to hold.
        simulation: gives the timetable and loads; every ten minutes without.
        city: its streets are followed in maps.
        settings: that the simulation had; None for the defaults.

    Raises:
        StorageError: the folder cannot be written.
    """
    written = {
        "instance": save_instance(folder / "instance.json", instance),
        "lines": write_lines(folder / "lines.txt", found.lines),
    }
    data = {"format": _FORMAT, "instance": instance.name, **asdict(found), **facts}
    written["design"] = write_json(folder / "design.json", data)
    per_h = None if simulation is None else simulation.per_h
    if instance.lonlat is not None:
        from nco.transit.files.geojson import write_transit_geojson
        from nco.transit.files.gtfs import write_gtfs
        from nco.transit.operate.timetable import timetable_of

        more = None if per_h is None else [{"per_h": round(float(value), 3)} for value in per_h]
        written["geojson"] = write_transit_geojson(
            folder / "lines.geojson", instance, found.lines, city=city, properties=more
        )
        written["gtfs"] = write_gtfs(
            folder / "gtfs.zip",
            instance,
            found.lines,
            timetable=(
                None
                if simulation is None
                else timetable_of(instance, simulation, settings or Settings())
            ),
            city=city,
        )
    return written


def read_design(path: str | Path) -> Lines:
    """Lines from a file that `write_design` wrote, or in the published form.

    Raises:
        FormatError: it is something else.
        StorageError: it cannot be read.
    """
    if not str(path).endswith(".json"):
        return read_lines(path)
    data = read_json(path)
    if data.raw("format", None) != _FORMAT:
        data.fail("format", f"must be {quoted(_FORMAT)}: this is no file of a design")
    rows = data.items("lines")
    for k, row in enumerate(rows):
        if not isinstance(row, list) or not all(type(node) is int for node in row):
            data.fail(f"lines[{k}]", "must be a list of nodes, whole numbers")
    return as_lines(rows)
