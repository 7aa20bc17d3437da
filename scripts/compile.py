"""Compiles the loops that take longest to compile; the cache beside the modules keeps them.

Nothing needs this: loops are compiled when they are first used. `make test` runs it beside the
linters, which leave a core idle.
"""

from __future__ import annotations

import numpy as np

from nco import Problem
from nco.search.decoding import driving
from nco.search.lns.solver import LNS
from nco.transit.design.registry import design
from nco.transit.instance.transit_instance import TransitInstance


def main() -> None:
    """Decisions of policies, neighbourhood search, annealing of lines."""
    driving.prepare()
    distance = np.ones((4, 4)) - np.eye(4)
    LNS().prepare(Problem.from_matrices(distance, demand=[0, 1, 1, 1], capacity=2))
    design(TransitInstance.mandl(), "annealing", evaluations=1000)


if __name__ == "__main__":
    main()
