"""How `nco transit` names an instance, an objective and a simulation."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.commands import _problem
from nco.errors import CityError, InputError, quoted, shortened

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.transit.instance.bus_speeds import BusSpeeds
    from nco.transit.instance.transit_instance import TransitInstance

logger = logging.getLogger("nco")

INSTANCE = (
    "mandl (built in), a folder or common name of benchmark files, Bloomington's folder, or nco "
    ".json"
)

_BOUNDS = ("lines", "min_stops", "max_stops")
_PASSED_ON = ("within_km", "spacing_m", "trips_per_hour")
"""Options of a city that `nco.transit.instance.city.from_city` takes under the same names."""
_SPEEDS = ("bus_hour", "car_speeds")


def add_bounds(parser: argparse.ArgumentParser) -> None:
    """Add what changes the lines that an instance asks for."""
    group = parser.add_argument_group("lines")
    group.add_argument("--lines", type=_problem.whole, metavar="R", help="how many to design")
    group.add_argument("--min-stops", type=_problem.whole, metavar="N", help="fewest of a line")
    group.add_argument("--max-stops", type=_problem.whole, metavar="N", help="most of a line")
    group.add_argument(
        "--hub", metavar="STOP", help="name or number of where all lines begin, centre, or none"
    )
    group.add_argument("--fleet", type=_problem.whole, metavar="BUSES", help="that there are")
    group.add_argument("--capacity", type=_problem.whole, metavar="P", help="of a bus")


def add_city(parser: argparse.ArgumentParser) -> None:
    """Add what makes an instance on the streets of a city."""
    group = parser.add_argument_group("in a city, in place of an instance")
    group.add_argument("--city", help="name of a city, or path of an .osm.pbf, .osm or .city file")
    group.add_argument(
        "--stops", metavar="N|FILE", help="how many to draw, a table of stops or a GTFS feed (60)"
    )
    group.add_argument(
        "--demand",
        metavar="FILE",
        help="orig, dest, volume or lon, lat, people, jobs; or gravity: fewer"
        " trips the longer the drive (uniform)",
    )  # fmt: skip
    group.add_argument("--within-km", type=_problem.positive, metavar="KM", help="of the middle")
    group.add_argument(
        "--spacing-m", type=_problem.positive, metavar="M", help="least distance of two stops"
    )
    group.add_argument(
        "--trips-per-hour", type=_problem.positive, metavar="T",
        help="in total, where no file says it (10000)",
    )  # fmt: skip
    group.add_argument(
        "--bus-hour", type=_hour, metavar="H",
        help="of the day, whose traffic slows buses, or none for streets without traffic (8)",
    )  # fmt: skip
    group.add_argument(
        "--car-speeds", action="store_true", default=None, help="buses drive like free cars"
    )
    _problem.add_max_snap(group)
    group.add_argument("--instance-seed", type=_problem.seed, help="of stops and demand (0)")


def add_simulation(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add what the simulation assumes; shares of the demand may be several to compare."""
    group = parser.add_argument_group("simulation")
    group.add_argument(
        "--rules",
        choices=("nco", "alphatransit", "city"),
        help="of the simulation (city for the objective cost, else nco)",
    )
    many: dict[str, Any] = {"nargs": "+", "action": "extend"} if several else {"default": 1.0}
    group.add_argument(
        "--demand-share", **many, type=_share, metavar="A", help="that takes the bus (1)"
    )


def add_periods(parser: argparse._ActionsContainer) -> None:
    """Add when people travel."""
    parser.add_argument(
        "--periods",
        type=_problem.path,
        metavar="FILE",
        help="days, from_h, to_h, share, and where known name, demand (ten usual ones)",
    )


def periods(arguments: argparse.Namespace, instance: TransitInstance) -> dict[str, Any]:
    """Periods and their demand, as `plan_week` takes them; nothing where none are given."""
    if arguments.periods is None:
        return {}
    from nco.transit.operate.period_files import read_periods

    found, demands = read_periods(arguments.periods, instance)
    return {"periods": found, "demands": demands}


def add_days(parser: argparse.ArgumentParser) -> None:
    """Add how many days of random demand are simulated besides."""
    parser.add_argument(
        "--days", type=days, metavar="N", help="of random demand, for figures with errors"
    )


def days(text: str) -> int:
    """A number of days that errors can be worked out from."""
    count = _problem.whole(text)
    if count < 2:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is one day; an error takes 2 or more")
    return count


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options that all actions have."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def open_instance(arguments: argparse.Namespace) -> tuple[TransitInstance, City | None]:
    """The instance that the arguments name, with the bounds and the hub they ask for.

    Raises:
        InputError: both or none of instance and city are given, or the hub is no stop.
        NcoError: a file or the city cannot be used.
    """
    city_name = getattr(arguments, "city", None)
    if (arguments.instance is None) == (city_name is None):
        raise InputError("give either an instance (mandl, a file or a folder) or --city, not both")
    if city_name is None:
        _refuse_city_options(arguments)
        from nco.transit.files.read import read_instance

        bounds = _given(arguments, _BOUNDS)
        return _changed(read_instance(arguments.instance, **bounds), arguments), None
    from nco.transit.instance.city import from_city

    city, stops = _problem.open_city(arguments), arguments.stops or "60"
    instance = from_city(
        city,
        speeds=_speeds(arguments),
        foot=on_foot(city),
        stops=int(stops) if stops.isdecimal() else stops,
        demand=arguments.demand or "uniform",
        **_given(arguments, _PASSED_ON),
        **_given(arguments, _BOUNDS),
        **({} if arguments.instance_seed is None else {"seed": arguments.instance_seed}),
    )
    return _changed(instance, arguments), city


def on_foot(city: City) -> City | None:
    """The same city for people on foot; None where only its streets for cars are known."""
    try:
        return city.with_profile("foot")
    except CityError as error:
        logger.warning("walks are measured as the crow flies: %s", error)
        return None


def _speeds(arguments: argparse.Namespace) -> BusSpeeds:
    """How fast buses are."""
    from nco.transit.instance.bus_speeds import AS_CARS, BusSpeeds

    hour = arguments.bus_hour
    if arguments.car_speeds:
        if hour is not None:
            raise InputError("give either --bus-hour or --car-speeds, not both")
        return AS_CARS
    if hour is None:
        return BusSpeeds()
    return BusSpeeds(hour=None if hour == "none" else hour)


def _changed(instance: TransitInstance, arguments: argparse.Namespace) -> TransitInstance:
    """The instance with another fleet, capacity and hub, where they are given."""
    fields = _given(arguments, ("fleet", "capacity"))
    return with_hub(instance.changed(**fields) if fields else instance, arguments.hub)


def _refuse_city_options(arguments: argparse.Namespace) -> None:
    for name in _given(
        arguments, ("stops", "demand", "max_snap", *_PASSED_ON, *_SPEEDS, "instance_seed")
    ):
        raise InputError(
            f"--{name.replace('_', '-')} is for an instance in a city; give --city, or leave it out"
        )


def _given(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """The options that were given, by name; an action may have none of them."""
    values = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def with_hub(instance: TransitInstance, hub: str | None) -> TransitInstance:
    """The instance with another hub, "centre" being the stop nearest to all others.

    Raises:
        InputError: it is no stop.
    """
    if hub is None:
        return instance
    if hub == "none":
        return instance.changed(hub=None)
    if hub == "centre":
        return instance.changed(hub=int(instance.drive_s.sum(axis=1).argmin()))
    if hub in instance.names:
        return instance.changed(hub=instance.names.index(hub))
    if hub.isdecimal() and int(hub) < instance.size:
        return instance.changed(hub=int(hub))
    raise InputError(
        f"--hub {shortened(hub)}: {quoted(instance.name)} has no such stop; its {instance.size} "
        f"stops are called {quoted(instance.names[0])} to {quoted(instance.names[-1])}, or "
        "give centre or none"
    )


def instance_path(text: str) -> str:
    """A path, as it is given: files of an instance may have no single name."""
    return str(Path(text)) if text else text


def _hour(text: str) -> int | str:
    if text == "none":
        return text
    if text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) < 24:
        return int(text)
    raise argparse.ArgumentTypeError(f"{quoted(text)} is no hour from 0 to 23, nor none")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number from 0 to 1")
    return value
