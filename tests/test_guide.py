"""What a policy's routes tell the neighbourhood search."""

import math
import time

import numpy as np
import pytest
from instances import directed

import nco
from nco import Problem, Route, Solution, Vehicle
from nco.fleet.kinds import kinds_of
from nco.search.lns import guide
from nco.search.lns.search import Search
from nco.search.lns.solver import GUIDED, LNS
from nco.search.seeds import policy
from nco.search.seeds.policy import PLENTY, SOURCE
from nco.solver import Clock

PRIZES = [math.inf, math.inf, 5.0, math.inf, math.inf]


def town(stops: int, **changes: object) -> Problem:
    """Directed distances between stops of demand 1; vans hold five."""
    given = {"demand": [0] + [1] * stops, "capacity": 5, **changes}
    return Problem.from_matrices(directed(stops + 1, seed=1), **given)


class Stopped(Clock):
    """Time does not pass."""

    @staticmethod
    def now_s() -> float:
        """Always the same."""
        return 0.0


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
    assert found.heatmap.dtype == np.float32
    assert found.heatmap[1:].sum(1) == pytest.approx(np.ones(20), abs=1e-5)
    assert found.heatmap[:, 1:].sum(0) == pytest.approx(np.ones(20), abs=1e-5)
    assert Solution.from_routes(town(20), found.routes).feasible


def test_the_same_seed_gives_the_same_heat():
    """The policy's solutions follow from the seed."""
    heats = [guided(town(15), seed=seed) for seed in (3, 3)]
    assert all(found is not None for found in heats)
    assert np.array_equal(heats[0].heatmap, heats[1].heatmap)


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
    search = Search(problem, kinds_of(problem), found.routes, 0, found.heatmap)
    search.run(2000, 0.0, 1.0)
    ended = Solution.from_routes(problem, search.routes)
    assert ended.feasible and ended.cost.total < begun.cost.total


def test_where_plenty_counts_a_problem_is_cut_for_it():
    """In the same time there are as many solutions as wanted, instead of fewer of the whole."""
    problem = town(300)
    few, many = (
        source(problem, kinds_of(problem), 32, Stopped(0.3), 0) for source in (SOURCE, PLENTY)
    )
    assert 1 <= len(few) < len(many) == 32
    assert all(Solution.from_routes(problem, routes).feasible for routes in many)


def test_half_as_many_where_there_is_no_time_for_all():
    """With little time the policy still gives some solutions, and none with next to none."""
    problem = town(300)
    counts = [
        len(PLENTY(problem, kinds_of(problem), 32, Stopped(limit_s), 0))
        for limit_s in (0.3, 0.15, 0.02)
    ]
    assert counts[0] == 32 and 1 <= counts[1] < 32 and counts[2] == 0


def test_the_method_is_registered_and_starts_from_the_policy():
    """`lns-policy` gives checked routes, without a single iteration those of the policy."""
    problem = town(20)
    begun = LNS("lns-policy", guided=8, max_iterations=0, clock=Stopped).solve(problem, 5.0, seed=0)
    found = guide.guide_of(problem, kinds_of(problem), 8, Stopped(5.0), 0)
    assert {r.stops for r in begun.routes} == {r.stops for r in found.routes}
    ended = nco.solve(problem, "lns-policy", time_limit_s=0.3)
    assert ended.method == GUIDED.name == "lns-policy"
    assert nco.check(problem, ended).feasible


def test_given_routes_come_before_those_of_the_policy():
    """A guided search goes on from an initial solution."""
    problem = town(20)
    initial = LNS(max_iterations=500).solve(problem, 60.0, seed=1)
    found = LNS(guided=8, max_iterations=0).solve(problem, 60.0, seed=0, initial=initial)
    assert {r.stops for r in found.routes} == {r.stops for r in initial.routes}


def test_unguided_where_there_is_no_policy():
    """Without a policy for a problem the guided method is the unguided one."""
    problem = town(4, prize=PRIZES)
    one, other = (LNS(guided=k, max_iterations=50).solve(problem, 60.0, seed=2) for k in (0, 8))
    assert one.routes == other.routes


def test_a_policy_is_tried_only_once(monkeypatch):
    """What was loaded is not used again within somebody's time limit, only to see that it is."""
    PLENTY.prepare(town(20))
    monkeypatch.setattr(policy, "given_of", None)
    PLENTY.prepare(town(30))
