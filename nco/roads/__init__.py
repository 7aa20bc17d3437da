"""Roads: their graph, the costs of links, and paths from A to B.

`RoadGraph.of(city)` is the graph, `Snapper.of(graph, city)` finds places on it, and
`AStar(graph)`, `Dijkstra(graph)` and `Bidirectional(graph)` find paths of least cost.
"""

from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.shortest import AStar, Bidirectional, Dijkstra, ShortestPaths, Tree
from nco.roads.snap import Snapper

__all__ = [
    "AStar",
    "Bidirectional",
    "Costs",
    "Dijkstra",
    "Path",
    "Position",
    "RoadGraph",
    "ShortestPaths",
    "Snapper",
    "Tree",
]
