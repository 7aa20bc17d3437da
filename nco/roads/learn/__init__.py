"""Costs of links learned from drives, and several paths by them.

`load_costs()` is a network that comes with the package, `LearnedPaths(graph, network)` answers by
it, `learn_costs` and `learn_memory` make another one from drives (`read_drives`, or made-up ones of
`nco.roads.learn.made_up`).
"""

from nco.roads.learn.boosting import learn_memory
from nco.roads.learn.drive import Drive, read_drives
from nco.roads.learn.features import Usage
from nco.roads.learn.files import LoadedCosts, load_costs, save_costs, shipped_costs
from nco.roads.learn.known import learn_known
from nco.roads.learn.network import CostNetwork
from nco.roads.learn.paths import LearnedPaths
from nco.roads.learn.training import Settings, groups_of, learn_costs, usage_of

__all__ = [
    "CostNetwork",
    "Drive",
    "LearnedPaths",
    "LoadedCosts",
    "Settings",
    "Usage",
    "groups_of",
    "learn_costs",
    "learn_known",
    "learn_memory",
    "load_costs",
    "read_drives",
    "save_costs",
    "shipped_costs",
    "usage_of",
]
