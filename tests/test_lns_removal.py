"""Removal operators take out what their names say, and no more than they are asked for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from instances import directed
from states import Begun, searches
from test_lns import ring

from nco import Objective, Problem, Route, Vehicle
from nco.search.lns import changes
from nco.search.lns.operators import REMOVALS
from nco.search.lns.removal import STRING

random_searches = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def runs_taken(trip: tuple[int, ...], taken: set[int]) -> int:
    """How many pieces in a row were taken out of a trip."""
    gone = np.array([j in taken for j in trip])
    return int(gone[0]) + int((gone[1:] & ~gone[:-1]).sum())


@random_searches
@given(begun=searches(9), name=st.sampled_from(list(REMOVALS)), count=st.integers(1, 5))
def test_removals_take_about_as_many_as_wanted(begun: Begun, name: str, count: int):
    """Each stop is taken once, off a route; single stops not more than wanted, routes whole."""
    assume(REMOVALS[name].when(begun.instance))
    before = begun.trips()
    taken = begun.take_out(REMOVALS[name], count)
    served = {j for trip in before.values() for j in trip}
    assert set(taken) <= served
    assert len(set(taken)) == len(taken) or name == "trade"  # that may take a stop again
    assert {j for trip in begun.trips().values() for j in trip} == served - set(taken)
    hit = {v: runs_taken(trip, set(taken)) for v, trip in before.items() if {*trip} & {*taken}}
    match name:
        case "string" | "longest":
            assert len(taken) <= count
            assert all(pieces <= 2 for pieces in hit.values())
        case "route":
            assert len(taken) <= 2 * count and len(hit) <= 1
            assert all(pieces == 1 for pieces in hit.values())
            trip = next((before[v] for v in hit), ())
            assert len(taken) == min(len(trip), 2 * count) or trip[-1] in taken
        case "routes":
            assert all({*before[v]} <= {*taken} for v in hit)
        case "trade":  # what does not fit on the other vehicle is left out, however much it is
            pass
        case _:
            assert len(taken) <= count


def searched(stops: int, seed: int, **changes: object) -> Begun:
    """A ring of stops on vans."""
    return Begun(ring(stops, **changes), seed).construct()


def test_strings_are_short_of_gaps_and_of_all_lengths():
    """Strings take one piece, or two around a gap; one stop up to ten; from many routes."""
    pieces, lengths, routes = set(), set(), set()
    for seed in range(60):
        begun = searched(48, seed, capacity=16)
        before = begun.trips()
        taken = set(begun.take_out(REMOVALS["string"], 15))
        assert 1 <= len(taken) <= 15
        hit = [trip for trip in before.values() if {*trip} & taken]
        routes.add(len(hit))
        pieces |= {runs_taken(trip, taken) for trip in hit}
        lengths |= {len({*trip} & taken) for trip in hit}
    assert pieces == {1, 2}
    assert min(lengths) == 1 and max(lengths) == STRING
    assert max(routes) >= 3


def test_a_string_may_lie_anywhere_around_its_stop():
    """A string of two on a route of three takes the first two as well as the last two."""
    seen = set()
    for seed in range(40):
        begun = searched(3, seed, capacity=3, vehicles=1)
        (trip,) = begun.trips().values()
        taken = begun.take_out(REMOVALS["string"], 2)
        seen.add(tuple(sorted(trip.index(j) for j in taken)))
    assert {(0, 1), (1, 2), (0, 2), (0,), (1,), (2,)} <= seen


def test_strings_are_taken_near_one_another():
    """Where every stop has a route of its own, the nearest ones go, in order."""
    for seed in range(5):
        begun = searched(40, seed, capacity=1)
        first, *others = begun.take_out(REMOVALS["string"], 8)
        assert others == begun.instance.related[first, :7].tolist()


def test_related_stops_are_near_the_first():
    """Most of the stops nearest to the first one go, now and then one is passed over."""
    skipped = set()
    for seed in range(30):
        begun = searched(30, seed)
        first, *others = begun.take_out(REMOVALS["related"], 6)
        ranks = [begun.instance.related[first].tolist().index(j) for j in others]
        assert ranks == sorted(ranks) and len(others) == 5
        skipped.add(ranks[-1] - 4)
    assert 0 in skipped and max(skipped) <= 12 and len(skipped) >= 3


def test_the_worst_stop_goes_first():
    """Of a few drawn stops the one that costs the longest detour is taken out."""
    ranks = []
    for seed in range(30):
        begun = Begun(Problem.from_matrices(directed(13, seed), vehicles=1), seed).construct()
        (trip,) = begun.trips().values()
        metres, path = begun.problem.profiles[0].distance_m, (0, *trip, 0)
        detours = {
            j: metres[path[k], j] + metres[j, path[k + 2]] - metres[path[k], path[k + 2]]
            for k, j in enumerate(trip)
        }
        (taken,) = begun.take_out(REMOVALS["worst"], 1)
        ranks.append(sorted(detours, key=detours.get, reverse=True).index(taken))
    assert np.mean(ranks) < 2.5  # of twelve, drawn six times; at random it is 5.5


def test_the_longest_route_loses_a_string():
    """Where the longest route costs, a stop of it is taken out every time."""
    objective = Objective(longest_route=1.0)
    positions = set()
    for seed in range(30):
        begun = searched(14, seed, objective=objective, vehicles=4)
        longest = int(np.argmax(begun.state.measure))
        trip = begun.trips()[longest]
        taken = begun.take_out(REMOVALS["longest"], 1)
        assert len(taken) == 1 and taken[0] in trip
        positions.add(trip.index(taken[0]))
    assert positions == set(range(len(trip)))


def test_unlikely_arcs_go_first():
    """The first of a few drawn stops is one that the policy hardly drives to, as all others are."""
    heatmap = np.ones((31, 31), np.float32)
    heatmap[:, 1:16] = 0.0
    for seed in range(10):
        taken = Begun(ring(30), seed, heatmap).construct().take_out(REMOVALS["policy"], 3)
        assert len(taken) == 3 and {*taken} <= set(range(1, 16))


def traded(begun: Begun) -> bool:
    """Whether a trade put all of a route on a vehicle of another kind, in the same order."""
    before, small = begun.trips(), begun.instance.first[1]
    begun.take_out(REMOVALS["trade"], 1)
    after = begun.trips()
    for v, trip in before.items():
        for w, other in after.items():
            rest = [j for j in trip if j in other]
            if (v < small) != (w < small) and len(rest) >= len(trip) - 1 > 1:
                return tuple(rest) == other
    return False


@pytest.mark.parametrize("used", ["idle", "busy"])
def test_a_route_goes_to_a_vehicle_of_another_kind_as_it_is(used: str):
    """A trade keeps the order of a route, whether the other vehicle was idle or gives its own."""
    vans = [Vehicle(capacity=3)] * 3 + [Vehicle(capacity=6, fixed_cost=1.0)] * 3
    seen = 0
    for seed in range(40):
        begun = Begun(replace(ring(9), vehicles=vans), seed)
        trips = [(1, 2, 3), (4, 5, 6)] + ([(7, 8, 9)] if used == "busy" else [])
        begun.drive([Route(v, t) for v, t in zip((0, 1, 3), trips, strict=False)])
        seen += traded(begun)
        assert begun.solution().violations == ()
        fresh = begun.fresh(begun.trips())
        assert begun.state.total[0] == pytest.approx(fresh.total[0])
    assert seen >= 10


@pytest.mark.parametrize("name", REMOVALS)
def test_nothing_is_taken_where_nothing_is_served(name: str):
    """Operators find no stop on an empty state, and end."""
    heatmap = np.ones((13, 13), np.float32)
    begun = Begun(ring(12), 0, heatmap)
    assert begun.take_out(REMOVALS[name], 3) == []


def test_a_route_that_is_dirty_is_settled_once():
    """However many stops a route loses, its times are brought up to date once."""
    begun = searched(12, 0)
    trip = next(iter(begun.trips().values()))
    for j in trip[:3]:
        changes.remove(begun.instance, begun.state, j)
    assert begun.state.stale_size[0] == 1
