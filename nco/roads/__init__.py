"""Roads: their graph, the costs of links, and paths from A to B.

`RoadGraph.of(city)` is the graph, `Snapper.of(graph, city)` finds places on it, and
`Hierarchy(graph)` answers many questions for the same costs quickly; `AStar(graph)`,
`Bidirectional(graph)` and `Dijkstra(graph)` need no preparation.
"""

from nco.roads.costs import Costs
from nco.roads.drives import Driven, NodePairs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several import Limits, Rules, Several, paths
from nco.roads.shortest import AStar, Bidirectional, Dijkstra, ShortestPaths, Tree
from nco.roads.snap import Snapper
from nco.roads.timed import TimeDependent

__all__ = [
    "AStar",
    "Bidirectional",
    "Costs",
    "Dijkstra",
    "Driven",
    "Hierarchy",
    "Limits",
    "NodePairs",
    "Path",
    "Position",
    "RoadGraph",
    "Rules",
    "Several",
    "ShortestPaths",
    "Snapper",
    "TimeDependent",
    "Tree",
    "paths",
]
