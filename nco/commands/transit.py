"""`nco transit`: design bus lines, evaluate them, and compare methods."""

from __future__ import annotations

import argparse

from nco.commands import (
    _transit_bench,
    _transit_compare,
    _transit_design,
    _transit_evaluate,
    _transit_improve,
    _transit_read,
    _transit_week,
)
from nco.commands._parser import add_actions

_ACTIONS = {
    "design": (_transit_design, "design lines for an instance or a city"),
    "evaluate": (_transit_evaluate, "evaluate lines exactly and by simulation, rule by rule"),
    "read": (_transit_read, "read a GTFS feed as a network on the streets of a city"),
    "improve": (_transit_improve, "keep some lines of a network, change and add others"),
    "week": (_transit_week, "set frequencies by period and kind of day, and write the feed"),
    "compare": (_transit_compare, "report what changes between two networks, and for whom"),
    "bench": (_transit_bench, "compare methods over instances, budgets and seeds"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    add_actions(parser, _ACTIONS)


def run(arguments: argparse.Namespace) -> int:
    """Do the action."""
    code: int = _ACTIONS[arguments.action][0].run(arguments)
    return code
