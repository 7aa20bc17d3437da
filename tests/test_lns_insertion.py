"""Insertion operators put stops where they cost least, as trying every place says."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from states import Begun, searches

from nco import Objective, Problem, Route
from nco.search.lns import changes
from nco.search.lns.operators import INSERTIONS, REMOVALS

random_searches = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Trips = dict[int, tuple[int, ...]]


def emptied(begun: Begun, count: int) -> Begun:
    """Some stops are taken out; the routes that are left break no rule."""
    begun.take_out(REMOVALS["random"], count)
    assume(not begun.solution().violations)
    begun.state.log_size[0] = 0
    return begun


def ways(begun: Begun, trips: Trips, j: int, *, free: bool = False) -> dict[tuple[int, int], float]:
    """What the state's price rises by at each place where a stop may go: vehicle and position.

    Args:
        begun: the search.
        trips: that are driven.
        j: the stop.
        free: whether idle vehicles cost nothing.
    """
    before = begun.fresh(trips)
    found = {}
    for v in [*trips, *idle(begun, trips)]:
        trip = trips.get(v, ())
        for k in range(len(trip) + 1):
            after = trips | {v: (*trip[:k], j, *trip[k:])}
            if begun.solution(after).violations:
                continue
            state = begun.fresh(after)
            rise = state.total[0] - before.total[0] + begun.instance.prize[j]
            if free and not trip:
                rise -= begun.instance.fixed[v]
            found[v, k] = rise + longer(begun, before.measure, state.measure[v], v)
    return found


def idle(begun: Begun, trips: Trips) -> Iterable[int]:
    """The first idle vehicle of each kind; the others of a kind are like it."""
    for first, end in pairwise(begun.instance.first):
        yield from [v for v in range(first, end) if v not in trips][:1]


def longer(begun: Begun, measures: np.ndarray, measure: float, v: int) -> float:
    """The price of a longer route: what is beyond the longest, and half its growth in squares."""
    longest = measures.max()
    if measure <= 0:
        return 0.0
    squares = (measure**2 - measures[v] ** 2) / (2 * max(longest, measure))
    return begun.instance.longest * (max(0.0, measure - longest) + squares)


def replayed(begun: Begun, before: Trips) -> Iterable[tuple[Trips, int, tuple[int, int]]]:
    """Each insertion in turn: trips before it, the stop, and where it went."""
    inserted = begun.state.log[: begun.state.log_size[0], 0].tolist()
    on_route = {j for trip in before.values() for j in trip}
    trips, final = before, begun.trips()
    for j in inserted:
        on_route.add(j)
        v = next(v for v, trip in final.items() if j in trip)
        trip = tuple(i for i in final[v] if i in on_route)
        yield trips, j, (v, trip.index(j))
        trips = trips | {v: trip}


@random_searches
@given(begun=searches(), count=st.integers(1, 4))
def test_greedy_insertion_finds_the_cheapest_place_of_all(begun: Begun, count: int):
    """Each stop goes where it costs least; none is left out that is required and fits."""
    begun = emptied(begun, count)
    before, out = begun.trips(), begun.absent
    begun.run(INSERTIONS["greedy"])
    for trips, j, place in replayed(begun, before):
        known = ways(begun, trips, j)
        assert known[place] == pytest.approx(min(known.values()), rel=1e-6, abs=1e-2)
    if begun.trips() == before:
        for j in out:
            rises = ways(begun, before, j).values()
            assert all(rise >= begun.instance.prize[j] - 1e-2 for rise in rises)


@pytest.mark.parametrize("priced", ["waits", "longest in seconds", "longest in metres"])
@pytest.mark.parametrize("last", [False, True], ids=["before", "behind"])
def test_a_detour_that_saves_time_or_way_is_seen(priced: str, last: bool):
    """A place is the best although its arcs alone cost more than those of another one.

    Where arcs break the triangle inequality, a route with one more stop may be shorter. The stop
    is put before the one there or behind it, so that the order of the places does not matter.
    """
    shorter = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    shorter[(1, 0) if last else (0, 1)] = 1000.0  # over stop 2 it takes 2
    dearer = np.array([[0.0, 100.0, 100.0], [100.0, 0.0, 100.0], [100.0, 100.0, 0.0]])
    dearer[(1, 2) if last else (0, 2)] = 300.0
    of_metres = priced == "longest in metres"
    weights = {
        "waits": {"duration": 10.0},
        "longest in seconds": {"longest_route": 10.0, "longest_by": "duration"},
        "longest in metres": {"distance": 0.0, "duration": 1.0, "longest_route": 10.0},
    }[priced]
    problem = Problem.from_matrices(
        shorter if of_metres else dearer,
        dearer if of_metres else shorter,
        vehicles=1,
        window_s=None if priced != "waits" else [(0, 9e3), (5, 9e3), (0, 9e3)],
        objective=Objective(**weights),
    )
    begun = Begun(problem)
    begun.drive([Route(0, (1,))])
    begun.run(INSERTIONS["greedy"])
    assert begun.trips() == {0: (1, 2) if last else (2, 1)}


@random_searches
@given(begun=searches(), count=st.integers(1, 4), name=st.sampled_from(list(INSERTIONS)))
def test_no_insertion_breaks_a_rule(begun: Begun, count: int, name: str):
    """Whatever is overlooked or preferred, routes hold what they load and are on time."""
    assume(INSERTIONS[name].when(begun.instance))
    begun = emptied(begun, count)
    begun.run(INSERTIONS[name])
    assert begun.solution().violations == ()


@random_searches
@given(begun=searches(), count=st.integers(1, 4))
def test_a_kind_that_is_wanted_begins_routes_for_nothing(begun: Begun, count: int):
    """A stop goes to the cheapest place on routes, or on an idle vehicle of one kind, unpaid.

    To vehicles of other kinds, paid, only if it is worth none of these.
    """
    kinds = len(begun.instance.first) - 1
    assume(kinds > 1)
    begun = emptied(begun, count)
    before = begun.trips()
    for wanted in range(kinds):
        changes.rebuild(begun.instance, begun.state, begun.fresh(before).next)
        own = range(*begun.instance.first[wanted : wanted + 2])
        begun.insert_on(wanted)
        for trips, j, place in replayed(begun, before):
            unpaid = ways(begun, trips, j, free=True)
            unpaid = {at: rise for at, rise in unpaid.items() if at[0] in trips or at[0] in own}
            paid, cheapest = ways(begun, trips, j), []
            # An optional stop may cost its prize, or now and then as much as a required one.
            for worth in {begun.instance.prize[j], begun.instance.reward}:
                known = {at: rise for at, rise in unpaid.items() if rise < worth}
                known = known or {at: rise for at, rise in paid.items() if rise < worth}
                lowest = pytest.approx(min(known.values(), default=np.inf), rel=1e-6, abs=1e-2)
                cheapest += [at for at, rise in known.items() if rise == lowest]
            assert place in cheapest


@random_searches
@given(begun=searches(), count=st.integers(1, 4))
def test_what_a_policy_drives_costs_less(begun: Begun, count: int):
    """The price of a place falls with the share of the policy's routes that drive its arcs."""
    assume(begun.instance.guide > 0)
    begun = emptied(begun, count)
    before, heatmap, size = begun.trips(), begun.instance.heatmap, begun.problem.size
    begun.state.until_blink[0] = 1000  # places until one is overlooked
    begun.run(INSERTIONS["policy"])
    for trips, j, place in replayed(begun, before):
        known = {}
        for (v, k), rise in ways(begun, trips, j).items():
            path = (size + 2 * v, *trips.get(v, ()), size + 2 * v + 1)
            a, b = begun.instance.place[list(path[k : k + 2])]
            likely = float(heatmap[a, j]) + float(heatmap[j, b]) - float(heatmap[a, b])
            known[v, k] = rise - begun.instance.guide * likely
        assert known[place] == pytest.approx(min(known.values()), rel=1e-6, abs=1e-2)


@random_searches
@given(begun=searches(), count=st.integers(2, 5), vehicles=st.integers(2, 4))
def test_who_would_lose_most_goes_first(begun: Begun, count: int, vehicles: int):
    """Regret is the sum of what the next-best vehicles cost more than the best one."""
    assume(begun.problem.required[list(begun.problem.stops)].all())
    begun = emptied(begun, count)
    before, out = begun.trips(), begun.absent
    begun.run(INSERTIONS[f"regret-{vehicles}"])
    regret, rises = {}, {}
    for j in out:
        known = rises[j] = ways(begun, before, j)
        best = [min(r for (v, _), r in known.items() if v == u) for u in {v for v, _ in known}]
        best = sorted([*best, *[begun.instance.prize[j]] * vehicles])[:vehicles]
        if known:
            regret[j] = sum(best) - vehicles * best[0]
    first = next(iter(replayed(begun, before)), None)
    assert (first is None) == (not regret)
    if first is not None:
        _, j, place = first
        assert regret[j] == pytest.approx(max(regret.values()), rel=1e-6, abs=1e-1)
        assert rises[j][place] == pytest.approx(min(rises[j].values()), rel=1e-6, abs=1e-2)
