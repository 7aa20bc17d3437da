"""Modules that have moved answer to the names that they had, with a `DeprecationWarning`."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Former name -> the module that it stands for; those that users may import.
MOVED = {
    "nco.check": "nco.problem.check",
    "nco.evaluate": "nco.problem.evaluate",
    "nco.objective": "nco.problem.objective",
    "nco.reasons": "nco.problem.reasons",
    "nco.route": "nco.problem.route",
    "nco.schedule": "nco.problem.schedule",
    "nco.solution": "nco.problem.solution",
    "nco.vehicle": "nco.problem.vehicle",
    "nco.map": "nco.plot.page",
    "nco.paths": "nco.plot.paths",
    "nco.data.city": "nco.data.cities.city",
    "nco.data.engine": "nco.data.cities.engine",
    "nco.data.files": "nco.files",
    "nco.data.places": "nco.data.cities.places",
    "nco.data.roads": "nco.data.cities.roads",
    "nco.data.sample": "nco.data.sampling.sample",
    "nco.data.server": "nco.data.cities.server",
    "nco.data.stops": "nco.data.formats.stops",
    "nco.data.table": "nco.data.cities.table",
    "nco.envs.transit": "nco.transit.policy.environment",
    "nco.envs.transit_rl4co": "nco.transit.learn.rl4co",
    "nco.models.transit": "nco.transit.policy.network",
    "nco.search.batch": "nco.search.policy.batch",
    "nco.search.views": "nco.search.decoding.views",
    "nco.training.transit": "nco.transit.learn.module",
    "nco.training.transit_ppo": "nco.transit.learn.ppo",
    "nco.training.transit_selfplay": "nco.transit.learn.selfplay",
    "nco.transit.crosscheck": "nco.transit.simulate.crosscheck",
    "nco.transit.figures": "nco.plot.transit_figures",
    "nco.transit.fronts": "nco.transit.design.fronts",
    "nco.transit.geojson": "nco.transit.files.geojson",
    "nco.transit.gtfs": "nco.transit.files.gtfs",
    "nco.transit.lines": "nco.transit.instance.lines",
}


class _Forwarding(MetaPathFinder, Loader):
    """Finds the former names, and puts the module that they stand for in their place."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 -- the signature is Python's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Where a former name is asked for, this is what loads it."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Puts the real module where Python will look for the one that it made."""
        former = module.__name__
        now = MOVED[former]
        warnings.warn(f"{former} is now {now}", DeprecationWarning, stacklevel=2)
        sys.modules[former] = import_module(now)


def forward() -> None:
    """Have former names found, after all others."""
    sys.meta_path.append(_Forwarding())
