"""Several good paths from A to B: methods, what they must keep, and how good they are."""

from nco.roads.several.ask import METHODS, Several, add_paths_method, paths
from nco.roads.several.described import Described, described, geojson
from nco.roads.several.quality import Quality, largest_overlap, qualities, share
from nco.roads.several.query import Chosen, Limits, Query
from nco.roads.several.rules import KINDS, Rules

__all__ = [
    "KINDS",
    "METHODS",
    "Chosen",
    "Described",
    "Limits",
    "Quality",
    "Query",
    "Rules",
    "Several",
    "add_paths_method",
    "described",
    "geojson",
    "largest_overlap",
    "paths",
    "qualities",
    "share",
]
