"""Published sets of lines for the benchmark networks, with the values their authors gave.

They show that the evaluator does what others' does, and searches can begin with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from nco.errors import InputError, quoted
from nco.transit.instance.lines import Lines, parse_lines

NETWORKS = ("mandl", "mumford0", "mumford1", "mumford2", "mumford3")


@dataclass(frozen=True)
class PublishedLines:
    """A set of lines from the literature.

    Attributes:
        name: who designed them, for whom.
        source: where they are from; the head of the file in this folder says more.
        travel_min: mean minutes of passengers as published, None if not at hand.
        operator_min: minutes of the lines one way as published, None if not at hand.
        shares: percent of the demand with no, one, two and more transfers as published, or ().
        lines: nodes in order.
    """

    name: str
    source: str
    travel_min: float | None
    operator_min: float | None
    shares: tuple[float, ...]
    lines: Lines


def published(network: str) -> tuple[PublishedLines, ...]:
    """What was published for a network.

    Args:
        network: one of `NETWORKS`.

    Raises:
        InputError: nothing is known of that network.
    """
    if network not in NETWORKS:
        raise InputError(
            f"no lines are known for {quoted(network)}; there are {', '.join(NETWORKS)}"
        )
    text = (files(__name__) / f"{network}.txt").read_text(encoding="utf-8")
    return tuple(_read(*row.split(" | ")) for row in text.splitlines() if row[0] != "#")


def _read(
    name: str, source: str, travel: str, operator: str, shares: str, lines: str
) -> PublishedLines:
    return PublishedLines(
        name,
        source,
        None if travel == "-" else float(travel),
        None if operator == "-" else float(operator),
        () if shares == "-" else tuple(float(share) for share in shares.split()),
        parse_lines(lines),
    )
