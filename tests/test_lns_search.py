"""The loop of the neighbourhood search: what it accepts, counts, remembers and hands on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import Begun, differences, searches
from test_lns import ring

from nco import Problem, Vehicle
from nco.fleet.kinds import kinds_of
from nco.search.lns import annealing, changes
from nco.search.lns.operators import INSERTIONS, REMOVALS
from nco.search.lns.search import ADAPT, Search

random_searches = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Annealed:
    """A state under annealing with chosen operators; temperatures as given.

    Args:
        begun: where it begins.
        out: removals by name.
        back: insertions by name.
    """

    def __init__(self, begun: Begun, out: tuple[str, ...], back: tuple[str, ...]) -> None:
        self.begun = begun
        self.best = begun.state.next.copy()
        self.best_cost = np.array([changes.objective(begun.instance, begun.state)])
        width = max(len(out), len(back))
        self.codes, self.weights = np.zeros((2, width), np.int64), np.ones((2, width))
        for row, (known, names) in enumerate(((REMOVALS, out), (INSERTIONS, back))):
            for k, name in enumerate(names):
                self.codes[row, k] = known[name].address(begun.instance, begun.state)
                self.weights[row, k] = (k + 1) / len(names)
        self.scores = np.zeros((2, width, 2))
        self.stop = np.zeros(1, np.int64)

    @property
    def cost(self) -> float:
        """Where it stands."""
        return changes.objective(self.begun.instance, self.begun.state)

    def run(self, iterations: int, hot: float, cold: float, most: int = 3) -> int:
        """Goes on; how many iterations it made."""
        return annealing.anneal(
            self.begun.instance, self.begun.state, self.best, self.best_cost, iterations,
            hot, cold, most, self.codes, self.weights, self.scores, self.stop,
        )  # fmt: skip


@random_searches
@given(begun=searches())
def test_frozen_searches_never_get_worse(begun: Begun):
    """At no temperature only what is no worse is kept, everything else is taken back whole."""
    search = Annealed(begun, ("random", "string"), ("greedy", "regret-2"))
    costs = [search.cost]
    for _ in range(15):
        before = begun.trips()
        search.run(1, 1e-12, 1e-12)
        costs.append(search.cost)
        assert costs[-1] <= costs[-2] + 1e-9 * abs(costs[-2])
        assert costs[-1] < costs[-2] or begun.trips() == before or costs[-1] == costs[-2]
        assert differences(begun.instance, begun.state) == []
    assert search.best_cost[0] == pytest.approx(min(costs))


@random_searches
@given(begun=searches())
def test_the_best_routes_are_those_of_the_best_cost(begun: Begun):
    """However hot the search, its best routes cost what it says, and no state seen was better."""
    search = Annealed(begun, ("random",), ("blinks",))
    seen = [search.cost]
    for _ in range(15):
        search.run(1, 1e300, 1e300)
        seen.append(search.cost)
    state = begun.fresh({})
    changes.rebuild(begun.instance, state, search.best)
    cost, tolerance = changes.objective(begun.instance, state), 1e-9 * begun.instance.barred
    assert cost == pytest.approx(search.best_cost[0], abs=tolerance)
    assert search.best_cost[0] <= min(seen) + 1e-9 * abs(min(seen)) + 1e-12


def test_hot_searches_accept_what_is_worse():
    """The hotter, the more of what is worse is kept; cold ones that are hot at first cool down."""
    kept = []
    for hot, cold in ((1e9, 1e9), (1e9, 1e-9), (1e-9, 1e-9)):
        search = Annealed(Begun(ring(24), 3).construct(), ("random",), ("greedy",))
        search.run(400, hot, cold, most=2)
        kept.append(search.scores[0, 0, 0])
        last = search.cost
        assert last >= search.best_cost[0]
    assert kept[0] > kept[1] > kept[2]
    search = Annealed(Begun(ring(24), 3).construct(), ("random",), ("greedy",))
    search.run(1, 1e9, 1e-300)
    assert search.scores[:, 0, 1].tolist() == [1, 1]


def test_scores_tell_what_operators_did():
    """Each use is counted for both operators; a new best earns more than any other change."""
    begun = Begun(ring(24), 1).construct()
    search = Annealed(begun, ("random", "worst"), ("greedy", "blinks"))
    earned = set()
    for _ in range(300):
        before, best, scores = search.cost, search.best_cost[0], search.scores.copy()
        search.run(1, 300.0, 300.0)
        rise, used = (search.scores - scores)[..., 0], (search.scores - scores)[..., 1]
        assert used.sum(axis=1).tolist() == [1, 1] and ((rise > 0) <= (used > 0)).all()
        gained = set(rise.sum(axis=1))
        assert len(gained) == 1
        if search.best_cost[0] < best:
            assert gained == {annealing.BEST} and search.cost == search.best_cost[0]
        elif search.cost < before:
            assert gained == {annealing.BETTER}
        elif search.cost > before:
            assert gained == {annealing.ACCEPTED}
        else:
            assert gained == {0.0}
        earned |= gained
    assert earned == {0.0, 1.0, 4.0, 10.0}
    assert (search.scores[..., 1] > 60).all()


def test_operators_are_drawn_by_their_weights():
    """What has no weight is never used; the others as often as cumulative weights say."""
    search = Annealed(Begun(ring(12), 1).construct(), ("random", "worst", "route"), ("greedy",))
    search.weights[0] = [0.0, 0.8, 1.0]
    search.run(500, 1.0, 1.0)
    uses = search.scores[0, :, 1]
    assert uses[0] == 0 and 350 < uses[1] < 450 and uses.sum() == 500


def test_no_more_is_removed_than_wanted():
    """One to `most` stops are taken out at a time, each number now and then."""
    begun = Begun(ring(24), 1).construct()
    counts = set()
    for _ in range(60):
        begun.state.log[:] = -2
        Annealed(begun, ("random",), ("greedy",)).run(1, 1e-12, 1e-12, most=4)
        counts.add(int(((begun.state.log[:, 0] >= 0) & (begun.state.log[:, 1] >= 0)).sum()))
    assert counts == {1, 2, 3, 4}


def test_a_stopped_loop_changes_nothing():
    """A flag that is up ends it before its next iteration; down again, it goes on."""
    search = Annealed(Begun(ring(24), 1).construct(), ("random",), ("blinks",))
    before = search.cost, search.begun.trips()
    search.stop[0] = 1
    assert search.run(50, 1e9, 1e9) == 0
    assert (search.cost, search.begun.trips()) == before and not search.scores.any()
    search.stop[0] = 0
    assert search.run(50, 1e9, 1e9) == 50
    assert search.scores[:, 0, 1].tolist() == [50, 50] and search.begun.trips() != before[1]


@random_searches
@given(begun=searches())
def test_construction_leaves_out_only_what_fits_nowhere(begun: Begun):
    """No stop that is required and left out could still be put on a vehicle."""
    trips = begun.trips()
    for j in begun.absent:
        if begun.instance.prize[j] < begun.instance.reward:
            continue
        for v in range(len(begun.fleet.numbers)):
            trip = trips.get(v, ())
            for k in range(len(trip) + 1):
                after = begun.solution(trips | {v: (*trip[:k], j, *trip[k:])})
                assert after.violations


def test_construction_begins_on_the_best_kind_of_vehicles():
    """Where one kind carries all more cheaply, a search without routes begins with it."""
    base = ring(8, capacity=1)
    small, large = Vehicle(capacity=(1,), fixed_cost=1.0), Vehicle(capacity=(8,), fixed_cost=50.0)
    for fleet in ((small,) * 8 + (large,), (large,) + (small,) * 8):
        problem = replace(base, vehicles=fleet)
        search = Search(problem, kinds_of(problem), [], 0)
        used = {problem.vehicles[route.vehicle].capacity for route in search.routes}
        assert used == {(8.0,)}


@random_searches
@given(begun=searches(), seed=st.integers(0, 99))
def test_a_search_stands_where_its_routes_say(begun: Begun, seed: int):
    """The cost is that of the routes, before and after any run, and in every copy of the search."""
    problem = begun.problem
    search = Search(problem, kinds_of(problem), [], seed)
    for _ in range(2):
        state = begun.fresh({})
        changes.rebuild(search.instance, state, search.successors)
        objective = changes.objective(search.instance, state)
        assert search.cost == pytest.approx(objective, rel=1e-9, abs=1e-9 * search.instance.barred)
        assert differences(search.instance, search.state) == []
        other = search.beside(seed + 1)
        assert other.iterations == 0 and other.successors.tolist() == search.state.next.tolist()
        assert differences(other.instance, other.state) == []
        search.run(40, 0.0, 1.0)
    assert search.iterations == 80


def test_what_runs_beside_changes_nothing_here():
    """A search, one beside it and one of a part of it share only what is not written to."""
    problem = ring(24, capacity=6)
    search = Search(problem, kinds_of(problem), [], 0)
    cost, trips = search.cost, search.state.next.copy()
    beside = search.beside(5)
    stops = np.flatnonzero(search.state.vehicle[:25] < 2).astype(np.int32)
    part = search.part(np.arange(2, dtype=np.int32), stops, 7)
    for other in (beside, part):
        other.run(200, 0.0, 1.0)
    assert search.cost == cost and (search.state.next == trips).all()
    assert search.iterations == 0 and beside.iterations == part.iterations == 200


def test_operators_that_earn_more_are_used_more():
    """Shares move towards what operators earn, and none falls to nothing."""
    problem = ring(24)
    search = Search(problem, kinds_of(problem), [], 0)
    first = [shares.copy() for shares in search.earned]
    search.run(ADAPT - 1, 0.0, 0.9)
    assert all((x == y).all() for x, y in zip(first, search.earned, strict=True))
    search.run(1, 0.9, 1.0)
    for before, after in zip(first, search.earned, strict=True):
        assert not np.allclose(before, after)
        assert (after >= 0.9 * before).all() and (after <= 1.4 * before).all()
    for _ in range(30):
        search.run(ADAPT, 0.9, 1.0)
    for before, after in zip(first, search.earned, strict=True):
        assert (after >= 0.2 * before).all() and (after <= 5.0 * before).all()


def test_where_nothing_is_earned_shares_stay():
    """A search that cannot improve keeps its operators' shares."""
    problem = Problem.from_matrices([[0.0, 1.0], [1.0, 0.0]])
    search = Search(problem, kinds_of(problem), [], 0)
    before = [shares.copy() for shares in search.earned]
    search.run(2 * ADAPT, 1.0, 1.0)
    assert search.iterations == 2 * ADAPT
    assert all((x == y).all() for x, y in zip(before, search.earned, strict=True))


def test_random_numbers_fill_their_range():
    """Whole numbers below a bound are all drawn, none beyond; seeds differ."""
    draws = []
    for seed in (1, 2):
        begun = Begun(ring(30), seed).construct()
        taken = [begun.take_out(REMOVALS["random"], 1) for _ in range(3)]
        draws.append([j for trip in taken for j in trip])
    assert draws[0] != draws[1]


def test_temperatures_do_not_count_preferences():
    """What all vehicles gain at every stop changes no route and no mean cost of a stop."""
    plain = ring(9)
    likes = np.full(plain.size, 7.0)
    likes[: plain.depots] = 0.0
    liked = [replace(vehicle, preference=likes) for vehicle in plain.vehicles]
    units = []
    for problem in (plain, replace(plain, vehicles=liked)):
        search = Search(problem, kinds_of(problem), [], 0)
        units.append(search._unit)
    assert units[1] == pytest.approx(units[0], rel=1e-3)
