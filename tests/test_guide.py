"""What a policy's routes tell the neighbourhood search."""

import math
import time

import numpy as np
import pytest
from instances import directed

from nco import Problem, Route, Solution, Vehicle
from nco.baselines.fleet import kinds_of
from nco.search.lns import guide
from nco.search.lns.search import Search
from nco.solver import Clock

PRIZES = [math.inf, math.inf, 5.0, math.inf, math.inf]


def town(stops: int, **changes: object) -> Problem:
    """Directed distances between stops of demand 1; vans hold five."""
    given = {"demand": [0] + [1] * stops, "capacity": 5, **changes}
    return Problem.from_matrices(directed(stops + 1, seed=1), **given)


def guided(problem: Problem, count: int = 8, seed: int = 0, limit_s: float = 60.0):
    """What the policy says of a problem."""
    return guide.guide_of(problem, kinds_of(problem), count, Clock(limit_s), seed)


def test_heat_is_the_share_of_solutions():
    """Arcs count once for each solution that drives them, those at the vehicle's depots too."""
    vans = (Vehicle(start=0, end=1), Vehicle(start=1, end=1))
    problem = Problem.from_matrices(np.ones((5, 5)) - np.eye(5), depots=2, vehicles=vans)
    heat = guide.heat_of(problem, [[Route(0, (2, 3)), Route(1, (4,))], [Route(0, (2, 3, 4))]])
    arcs = {(i, j): float(heat[i, j]) for i, j in np.argwhere(heat).tolist()}
    assert arcs == {
        (0, 2): 1.0, (2, 3): 1.0, (3, 1): 0.5, (1, 4): 0.5, (4, 1): 1.0, (3, 4): 0.5
    }  # fmt: skip


def test_every_stop_is_driven_to_and_left_in_every_solution():
    """Where the policy serves all stops, the arcs into each and out of each make up a whole."""
    found = guided(town(20))
    assert found is not None
    assert found.heat.dtype == np.float32
    assert found.heat[1:].sum(1) == pytest.approx(np.ones(20), abs=1e-5)
    assert found.heat[:, 1:].sum(0) == pytest.approx(np.ones(20), abs=1e-5)
    assert Solution.from_routes(town(20), found.routes).feasible


def test_the_same_seed_gives_the_same_heat():
    """The policy's solutions follow from the seed."""
    heats = [guided(town(15), seed=seed) for seed in (3, 3)]
    assert all(found is not None for found in heats)
    assert np.array_equal(heats[0].heat, heats[1].heat)


@pytest.mark.parametrize(
    ("problem", "limit_s"),
    [(town(20), 1e-3), (town(4, prize=PRIZES), 60.0)],
    ids=["too little time", "no policy for optional stops"],
)
def test_without_a_policy_there_is_no_guide(problem, limit_s):
    """Where no policy is for a problem, or there is no time for it, the search goes unguided."""
    assert guided(problem, limit_s=limit_s) is None


def test_no_more_time_is_taken_than_its_share():
    """However many solutions are wanted, the policy ends within its share of the time."""
    problem = town(60)
    guide.prepare(problem)
    began_s = time.perf_counter()
    guided(problem, count=10_000, limit_s=0.5)
    assert time.perf_counter() - began_s < guide.SHARE * 0.5 + 0.2  # for a busy machine


def test_a_guided_search_goes_on_from_the_policy():
    """A search with the policy's routes and heat ends no worse, and breaks no rule."""
    problem = town(40)
    found = guided(problem)
    assert found is not None
    begun = Solution.from_routes(problem, found.routes)
    search = Search(problem, kinds_of(problem), found.routes, 0, found.heat)
    search.run(2000, 0.0, 1.0)
    ended = Solution.from_routes(problem, search.routes)
    assert ended.feasible and ended.cost.total < begun.cost.total
