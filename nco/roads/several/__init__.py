"""Several good paths from A to B: methods, what they must keep, and how good they are."""

from nco.roads.several.ask import METHODS, Several, add_paths_method, paths
from nco.roads.several.quality import Quality, largest_overlap, qualities, share
from nco.roads.several.query import Chosen, Limits, Query

__all__ = [
    "METHODS",
    "Chosen",
    "Limits",
    "Quality",
    "Query",
    "Several",
    "add_paths_method",
    "largest_overlap",
    "paths",
    "qualities",
    "share",
]
