"""From drives to a file of costs: what `nco train paths` does."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nco.arguments import refuse_unknown
from nco.errors import FormatError, InputError, quoted, shortened
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn.boosting import learn_memory
from nco.roads.learn.drive import Drive
from nco.roads.learn.files import save_costs
from nco.roads.learn.network import CostNetwork
from nco.roads.learn.paths import LearnedPaths
from nco.roads.learn.training import Settings, groups_of, learn_costs

CONFIGS = Path(__file__).parent / "configs"
_FOLDS = 5


def read_settings(source: str | Path, **changes: Any) -> Settings:
    """Settings from a TOML file or a config of the package.

    Args:
        source: `porto`, or a path that ends in `.toml`.
        **changes: that win over the file; None changes nothing.

    Raises:
        FormatError: there is no such config, or it is damaged.
        InputError: it names what is no setting, or a value is not allowed.
    """
    path = Path(source)
    if path.suffix != ".toml":
        path = CONFIGS / f"{source}.toml"
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise FormatError(f"config {quoted(str(source))}: {shortened(error)}") from None
    given |= {name: value for name, value in changes.items() if value is not None}
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    refuse_unknown(given, kinds, "setting")
    for name, value in given.items():
        fits = isinstance(value, kinds[name]) or (kinds[name] is float and type(value) is int)
        if not fits or (kinds[name] is int and isinstance(value, bool)):
            raise InputError(f"{name} is {quoted(value)}; give {kinds[name].__name__}")
    return Settings(**given)


@dataclass(frozen=True)
class Measured:
    """What was gained on drives of drivers that were not learned from.

    Attributes:
        drives: how many they are.
        usual: the share of them that OSRM's fastest path covers.
        covered: by the best of one, two and three learned paths.
    """

    drives: int
    usual: float
    covered: tuple[float, ...]


def train(
    graph: RoadGraph, drives: Sequence[Drive], settings: Settings, out: str | Path
) -> Measured:
    """Learn from four fifths of the drivers, measure on the rest, learn from all, write.

    Raises:
        InputError: there are too few drivers.
        StorageError: the files cannot be written.
    """
    fold = groups_of(drives, _FOLDS, settings.seed)
    parts = [
        [d for d, f in zip(drives, fold, strict=True) if (f == 0) == held] for held in (False, True)
    ]
    measured = measure(graph, learn(graph, parts[0], settings), parts[1])
    card = {
        "about": "costs of links and turns learned from drives; works in any city",
        "drives": len(drives),
        "drivers": len({drive.driver for drive in drives}),
        "city": graph.name,
        "settings": asdict(settings),
        "held_out": asdict(measured),
    }
    save_costs(out, learn(graph, drives, settings), card)
    return measured


def learn(graph: RoadGraph, drives: Sequence[Drive], settings: Settings) -> CostNetwork:
    """Costs of the first path and what earlier paths change."""
    network = learn_costs(graph, drives, settings)
    return learn_memory(graph, drives, network, settings) if settings.rounds else network


def measure(graph: RoadGraph, network: CostNetwork, drives: Sequence[Drive]) -> Measured:
    """How much of drives is covered."""
    usual, ours = Hierarchy(graph), LearnedPaths(graph, network)
    rows, before = [], []
    for drive in drives:
        if np.isfinite(usual.cost(drive.source, drive.target)):
            before.append(drive.covered(usual.path(drive.source, drive.target)))
            paths = ours(drive.source, drive.target, 3)
            rows.append([drive.covered(*paths[:k]) for k in (1, 2, 3)])
    if not rows:
        return Measured(0, float("nan"), ())
    return Measured(len(rows), float(np.mean(before)), tuple(np.mean(rows, axis=0).tolist()))
