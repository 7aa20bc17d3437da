"""Everything compiled ahead, so that no first call has to wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.problem import Problem


def _neighbourhoods() -> None:
    from nco.problem import Objective, Problem, Vehicle
    from nco.search.lns.solver import GUIDED

    problem = Problem.from_matrices(
        np.ones((3, 3)) - np.eye(3), demand=[0, 1, 1], more_windows_s={1: [(3, 4)]},
        window_s=[(0, 4), (0, 1), (0, 4)], vehicles=[Vehicle(capacity=(1,), max_trips=2)],
    )  # fmt: skip
    GUIDED.prepare(problem)
    weights = Objective(makespan=1.0, longest_leg=1.0)
    GUIDED.prepare(Problem.from_matrices(np.ones((3, 3)) - np.eye(3), objective=weights))
    GUIDED.prepare(_plain())


def _plain() -> Problem:
    from nco.problem import Problem

    return Problem.from_matrices(np.ones((4, 4)) - np.eye(4), demand=[0, 1, 1, 1], capacity=2)


def _programs() -> None:
    from nco.search.evolve.files import SHIPPED, read_operators
    from nco.search.lns.solver import SOLVER

    shipped = read_operators(SHIPPED)
    SOLVER.with_operators(shipped.removals, shipped.insertions).prepare(_plain())


def _policies() -> None:
    from nco.search.decoding import fleet_driving
    from nco.search.tree.solver import SOLVER

    SOLVER.prepare(_plain())
    fleet_driving.prepare()


def _lines() -> None:
    from nco.transit.design.city_objective import CityObjective
    from nco.transit.design.registry import design
    from nco.transit.instance.transit_instance import TransitInstance

    mandl = TransitInstance.mandl()
    design(mandl, "annealing", evaluations=1000)
    design(CityObjective(mandl), "hyper", evaluations=20)


def _paths() -> None:
    from nco.roads import Bidirectional, Dijkstra, Position, RoadGraph, TimeDependent, paths
    from nco.roads.several.sweep import Sweep

    # Two ways round a block, so that there is an alternative to find.
    nodes = [[0, 0], [0.01, 0], [0.02, 0.001], [0.02, -0.0011], [0.03, 0], [0.04, 0]]
    graph = RoadGraph.from_links(nodes, [0, 1, 1, 2, 3, 4], [1, 2, 3, 4, 4, 5])
    a, b = Position.on(graph, 0), Position.on(graph, 5)
    paths(graph, a, b, 2, search=(search := Dijkstra(graph)), trees=Sweep(graph, search.costs))
    Dijkstra(graph).path(a, b)
    Dijkstra(graph).tree_to(b)
    Bidirectional(graph).path(a, b)
    TimeDependent(graph).path(a, b, 0.0)


LOOPS: dict[str, Callable[[], None]] = {
    "neighbourhood search": _neighbourhoods,
    "operators that evolve": _programs,
    "decisions of policies": _policies,
    "search for bus lines": _lines,
    "shortest paths": _paths,
}
"""What is compiled, and a function that compiles it, or loads it where it was compiled before."""
