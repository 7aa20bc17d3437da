"""Where a neighbourhood search stands: drawn states, their routes, and how they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from instances import problems, ruled_problems

from nco import Problem, Route, Solution
from nco.fleet.kinds import kinds_of
from nco.search.lns import annealing, arrays, changes, insertion, operators
from nco.search.lns import removal as _removal  # noqa: F401 (registers operators)
from nco.search.lns import trading as _trading  # noqa: F401
from nco.search.lns.operators import INSERTIONS, REMOVALS, Operator


class Begun:
    """A problem brought into arrays, and a state for it without routes.

    Args:
        problem: to solve.
        seed: of all that is random.
        heatmap: `[N, N]` share of a policy's routes that drive an arc; without, none guides.
    """

    def __init__(self, problem: Problem, seed: int = 0, heatmap: np.ndarray | None = None) -> None:
        self.problem = problem
        self.fleet = arrays.Fleet.of(problem, kinds_of(problem), [])
        instance = arrays.instance_of(problem, self.fleet, heatmap)
        self.instance = (
            instance if heatmap is None else instance._replace(guide=0.02 * instance.reward)
        )
        self.state = arrays.empty_state(self.instance, seed)
        self.drive([])

    def __repr__(self) -> str:
        return f"Begun({self.problem.objective}, {self.problem.vehicles}, {self.trips()})"

    def construct(self) -> Begun:
        """Inserts all stops that fit, one after the other."""
        annealing.construct(self.instance, self.state, -1)
        return self

    def drive(self, routes: list[Route]) -> None:
        """Puts these routes in place of all others."""
        following = arrays.successors_of(routes, self.fleet, self.instance)
        changes.rebuild(self.instance, self.state, following)

    def operators(self) -> tuple[list[str], list[str]]:
        """Names of the removals and insertions that are for such a problem."""
        removals, insertions = (
            [name for name, operator in known.items() if operator.when(self.instance)]
            for known in (REMOVALS, INSERTIONS)
        )
        return removals, insertions

    def run(self, operator: Operator, count: int | None = None) -> None:
        """Runs an operator on so many stops, or on all that are left out."""
        wanted = len(self.absent) if count is None else count
        operators.run(operator, self.instance, self.state, wanted)

    def insert_on(self, wanted: int) -> None:
        """Inserts stops one after the other, with new routes on one kind of vehicles."""
        self.state.log_size[0] = 0
        _in_order(self.instance, self.state, wanted)

    def take_out(self, operator: Operator, count: int) -> list[int]:
        """Runs a removal and brings times up to date; the stops that it took, in order.

        Those that it put back on other vehicles are not among them.
        """
        self.state.log_size[0] = 0
        self.run(operator, count)
        log = self.state.log[: self.state.log_size[0]]
        back = {*log[log[:, 1] < 0, 0].tolist()}
        taken = [int(j) for j, before in log if before >= 0]
        changes.settle(self.instance, self.state)
        return [j for j in taken if j not in back or self.state.vehicle[j] < 0]

    @property
    def absent(self) -> list[int]:
        """Stops that are left out."""
        return self.state.bank[: self.state.bank_size[0]].tolist()

    def trips(self) -> dict[int, tuple[int, ...]]:
        """The stops of each vehicle of the search that drives, in order."""
        found = {v: tuple(self._trip(v)) for v in range(len(self.fleet.numbers))}
        return {v: trip for v, trip in found.items() if trip}

    def _trip(self, v: int) -> Iterator[int]:
        size = self.problem.size
        place = int(self.state.next[size + 2 * v])
        while place < size:
            yield place
            place = int(self.state.next[place])

    def solution(self, trips: dict[int, tuple[int, ...]] | None = None) -> Solution:
        """The routes, or those of some trips, evaluated."""
        wanted = self.trips() if trips is None else trips
        ends = self.state.place[self.problem.size + 1 :: 2].tolist()
        again = [v.max_trips > 1 for v in self.problem.vehicles]
        routes = [
            Route(number, trip, ends[v] if again[number] else None)
            for v, trip in wanted.items()
            for number in (self.fleet.numbers[v],)
        ]
        return Solution.from_routes(self.problem, routes)

    def fresh(self, trips: dict[int, tuple[int, ...]]) -> arrays.SearchState:
        """A state of some trips, built anew."""
        following = arrays.empty_state(self.instance, 0).next
        for v, trip in trips.items():
            places = [self.problem.size + 2 * v, *trip, self.problem.size + 2 * v + 1]
            following[places[:-1]] = places[1:]
        state = arrays.empty_state(self.instance, 0)
        changes.rebuild(self.instance, state, following)
        return state


@changes.compiled
def _in_order(instance, state, wanted):
    insertion.in_order(instance, state, 0.0, 0.0, wanted)


@st.composite
def searches(draw: st.DrawFn, max_stops: int = 7) -> Begun:
    """Searches of problems that use all that the search supports, some of them guided."""
    problem = draw(problems(max_stops))
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles])
    assume(any(kind.stops.any() for kind in kinds_of(problem)))
    seed = draw(st.integers(0, 1000))
    heatmap = None
    if draw(st.booleans()):
        heatmap = np.random.default_rng(seed).random((problem.size,) * 2, np.float32)
    return Begun(problem, seed, heatmap).construct()


SEARCHED = ("pickups", "shipments", "groups", "releases", "limits", "ties", "peaks")
"""Rules that the search knows itself; others are taken away before."""


@st.composite
def ruled_searches(
    draw: st.DrawFn,
    max_stops: int = 8,
    always: frozenset[str] = frozenset(),
    rules: tuple[str, ...] = SEARCHED,
) -> Begun:
    """Searches of problems with rules beyond loads, windows and trips."""
    problem = draw(ruled_problems(max_stops, rules, always))
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles])
    assume(any(kind.stops.any() for kind in kinds_of(problem)))
    begun = Begun(problem, draw(st.integers(0, 1000)))
    assume(len(begun.instance.stops) > 0)
    return begun.construct()


@st.composite
def chained_searches(draw: st.DrawFn, max_stops: int = 7) -> Begun:
    """Searches of problems whose vehicles drive several trips, from any of several depots."""
    rules = (*SEARCHED, "reloads")
    problem = draw(problems(max_stops) | ruled_problems(max_stops, rules))
    assume(any(v.max_trips > 1 for v in problem.vehicles))
    assume(any(kind.stops.any() for kind in kinds_of(problem)))
    begun = Begun(problem, draw(st.integers(0, 1000)))
    assume(len(begun.instance.stops) > 0 and begun.instance.chained)
    return begun.construct()


def differences(instance: arrays.Instance, state: arrays.SearchState) -> list[str]:
    """Names of what a state knows otherwise than a fresh build of its routes does."""
    fresh = arrays.empty_state(instance, 0)
    changes.rebuild(instance, fresh, state.next)
    on_route = state.vehicle >= 0
    timed = on_route[: len(state.prefix)] if len(state.prefix) > 1 else np.zeros(1, bool)
    out, known = state.bank[: state.bank_size[0]], np.flatnonzero(state.bank_at >= 0)
    rounding = 1e-9 * (instance.barred + abs(float(fresh.total[0])))

    def close(name: str, where: np.ndarray | slice = slice(None), atol: float = 1e-6) -> bool:
        ours, theirs = getattr(state, name)[where], getattr(fresh, name)[where]
        return np.allclose(ours, theirs, rtol=1e-9, atol=atol)

    if instance.chained:  # of empty places in a row only one is asked for
        idle = (state.served == 0) & (fresh.opening >= 1e300)
        unasked = len(instance.service) + 2 * np.repeat(np.flatnonzero(idle), 2)
        unasked[1::2] += 1
        on_route[unasked] = False
        empty = len(instance.service) + 2 * np.repeat(np.flatnonzero(state.served == 0), 2)
        empty[1::2] += 1
        for row, places in (("prefix", empty[1::2]), ("suffix", empty[::2])):
            getattr(state, row)[places] = getattr(fresh, row)[places] = 0.0
        timed = on_route
    first, last = (np.arange(len(instance.service) + k, len(state.next), 2) for k in (0, 1))
    follows, comes = on_route.copy(), on_route.copy()
    follows[last] = comes[first] = False
    holds = {
        "next": close("next", follows),
        "prev": close("prev", comes),
        "leaving": close("leaving", follows),
        "vehicle": close("vehicle"),
        "load": close("load"),
        "served": close("served"),
        "measure": close("measure"),
        "peak": close("peak"),
        "duty": close("duty"),
        "late": close("late"),
        "prefix": close("prefix", timed),
        "suffix": close("suffix", timed),
        "ahead": len(state.ahead) == 1 or close("ahead", on_route),
        "rest": len(state.rest) == 1 or close("rest", on_route),
        "driven": close("driven"),
        "place": close("place", on_route),
        "trips": close("trips"),
        "paid": close("paid"),
        "opening": close("opening"),
        "released": close("released"),
        "group_served": close("group_served"),
        "bank": sorted(out) == sorted(fresh.bank[: fresh.bank_size[0]]),
        "bank_at": sorted(known) == sorted(out)
        and bool((state.bank_at[out] == np.arange(len(out))).all()),
        "dirty": not state.dirty.any() and state.stale_size[0] == 0,
        "total": close("total", atol=rounding),
        "objective": bool(
            abs(changes.objective(instance, state) - changes.objective(instance, fresh)) <= rounding
        ),
    }
    return [name for name, same in holds.items() if not same]


def walk(begun: Begun, look: Callable[[Begun], None] = lambda _begun: None) -> None:
    """Every removal with every insertion: after each, and taken back, a state is a fresh build's.

    Args:
        begun: where it begins.
        look: what else is asked of a state after an insertion.
    """
    instance, state = begun.instance, begun.state
    assert differences(instance, state) == []
    for turn, (out, back) in enumerate(product(*begun.operators())):
        before, total = begun.trips(), float(state.total[0])
        begun.take_out(REMOVALS[out], 1 + turn % 5)
        assert differences(instance, state) == [], out
        begun.run(INSERTIONS[back])
        assert differences(instance, state) == [], (out, back)
        look(begun)
        if turn % 3:  # else the walk goes on from here
            changes.take_back(instance, state, total)
            assert begun.trips() == before
            assert state.total[0] == total
            assert differences(instance, state) == [], (out, back, "taken back")
