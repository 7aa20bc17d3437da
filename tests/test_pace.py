"""How a search is cooled: rounds that do not depend on the limit, pieces that a clock can end."""

from __future__ import annotations

import time

import numpy as np
import pytest
from test_lns import ring

from nco.fleet.kinds import kinds_of
from nco.search.lns import pace
from nco.search.lns.pace import Pace, stopped
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS
from nco.solver import Clock

STOPS = 12


class Stopped(Clock):
    """A clock that is set by hand."""

    now = 0.0

    @staticmethod
    def now_s() -> float:
        """What it is set to."""
        return Stopped.now


class Told:
    """A search whose iterations take as long as is said, and that notes what it was asked for."""

    cost, routes = 0.0, ()

    def __init__(self, each_s) -> None:
        self.instance = type("Instance", (), {"stops": range(STOPS)})
        self.each_s, self.asked, self.tops = each_s, [], []

    def run(self, count: int, begin: float, end: float) -> None:
        """Lets time go by."""
        made = sum(asked[0] for asked in self.asked)
        self.asked.append((count, begin, end))
        Stopped.now += sum(self.each_s(made + k) for k in range(count))

    def go_on_from(self, other) -> None:
        """Notes after how many iterations a round ended."""
        assert other is self
        self.tops.append(sum(count for count, _, _ in self.asked))


def rounds(limit_s: float, each_s) -> Told:
    """What a search is asked for within a limit."""
    Stopped.now = 0.0
    told = Told(each_s)
    Pace(Stopped(limit_s), None).run_rounds(told)
    return told


def cooling(told: Told, most: int) -> list[float]:
    """How far a search has cooled before each of its first iterations."""
    found = []
    for count, begin, end in told.asked:
        found += [begin + (end - begin) * k / count for k in range(count)]
    return found[:most]


def test_a_longer_limit_begins_like_a_shorter_one():
    """All rounds of a short run are rounds of a long one, to the last iteration."""
    first = pace.ROUND * STOPS
    each_s = 1e-4
    short = rounds(3.0 * first * each_s, lambda _: each_s)
    long = rounds(9.0 * first * each_s, lambda _: each_s)
    assert short.tops[:2] == long.tops[:2] == [first, 2 * first]
    assert long.tops[2] == 4 * first
    assert cooling(short, 2 * first) == pytest.approx(cooling(long, 2 * first))


@pytest.mark.parametrize("share", [0.05, 0.4, 0.999, 1.3, 3.0, 5.5])
def test_a_run_ends_cold(share):
    """However long the limit is, the last iterations are the coldest."""
    told = rounds(share * pace.ROUND * STOPS * 1e-4, lambda _: 1e-4)
    assert told.asked[0][1] == 0.0
    assert told.asked[-1][2] > 0.95
    assert Stopped.now <= 1.01 * share * pace.ROUND * STOPS * 1e-4 + 2e-3


@pytest.mark.parametrize("jump", [3.0, 10.0, 50.0])
def test_no_piece_takes_more_than_a_tenth_of_what_is_left(jump):
    """By the pace of the piece before; if iterations slow down, two pieces at most are longer."""
    told = rounds(1.0, lambda k: 1e-5 if k < 20_000 else 1e-5 * jump)
    now, last, wrong = 0.0, 1.0, 0
    for n, (count, _, _) in enumerate(told.asked):
        made = sum(asked[0] for asked in told.asked[:n])
        took = sum(1e-5 if k < 20_000 else 1e-5 * jump for k in range(made, made + count))
        if n:
            assert count * last <= max(pace.SHARE * (1.0 - now), pace.LEAST_S) + 2e-4
            assert count <= pace.GROWTH * told.asked[n - 1][0]
        wrong += took > 0.1 * (1.0 - now) + 1e-3
        now, last = now + took, took / count
    assert wrong <= 2


def test_pieces_change_nothing():
    """Routes and chances of operators are the same in whatever pieces iterations are run."""
    problem = ring(30)
    one, other = (Search(problem, kinds_of(problem), [], 4) for _ in range(2))
    one.run(2500, 0.2, 0.9)
    done = 0
    for count in (1, 700, 299, 1000, 13, 487):
        other.run(count, 0.2 + 0.7 * done / 2500, 0.2 + 0.7 * (done + count) / 2500)
        done += count
    assert one.iterations == other.iterations == 2500
    assert one.routes == other.routes and one.cost == other.cost
    assert all((a == b).all() for a, b in zip(one.earned, other.earned, strict=True))


def test_more_iterations_are_never_worse():
    """Whole rounds are the same in a longer run, which keeps the best of them."""
    problem = ring(24, capacity=5)
    costs = [
        LNS(max_iterations=pace.ROUND * 24 * 2**k).solve(problem, 60.0, seed=3).cost.total
        for k in range(4)
    ]
    assert costs == sorted(costs, reverse=True)


def test_a_search_can_be_stopped_from_beside_it():
    """A piece of misjudged length ends with the clock, not with its iterations."""
    problem = ring(24)
    search = Search(problem, kinds_of(problem), [], 0)
    begin_s = time.perf_counter()
    with stopped(search, Clock(0.05)):
        search.run(10**9, 0.0, 1.0)
    assert 100 < search.iterations < 10**9
    assert time.perf_counter() - begin_s >= 0.05
    before = search.iterations
    search.run(1000, 0.0, 1.0)
    assert search.iterations == before
    assert np.isfinite(search.cost)
