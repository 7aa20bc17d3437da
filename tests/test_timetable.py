"""The cheapest times of a route: against times that are tried out, and against compiled ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whole_seconds import WholeSeconds

import nco
from nco import Break, Objective, Problem, Profile, Rest, Route, Solution, Vehicle
from nco.errors import ProblemError
from nco.fleet.kinds import kinds_of
from nco.problem.normal import normal
from nco.problem.schedule import schedule
from nco.search.lns import arrays, changes


@st.composite
def timetabled(draw: st.DrawFn, *, traffic: bool = False) -> Problem:
    """One vehicle and up to four stops, everything in whole seconds."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = int(rng.integers(2, 6))
    seconds = rng.integers(1, 15, (n, n)).astype(float)
    np.fill_diagonal(seconds, 0)
    is_stop = np.arange(n) > 0
    opens = rng.integers(0, 25, n) * is_stop
    window = np.stack([opens, np.where(is_stop, opens + rng.integers(3, 60, n), np.inf)], axis=1)
    fields: dict[str, object] = {}
    if draw(st.booleans()):
        gaps = rng.integers(1, 8, n), rng.integers(0, 20, n)
        fields["more_windows_s"] = {
            j: [(window[j, 1] + gaps[0][j], window[j, 1] + gaps[0][j] + gaps[1][j])]
            for j in range(1, n)
            if rng.random() < 0.6
        }
    if draw(st.booleans()):
        begins = rng.integers(0, 40, n)
        fields["soft_window_s"] = np.stack([begins, begins + rng.integers(0, 10, n)], axis=1)
        fields["early_per_s"] = rng.integers(0, 3, n) * is_stop
        fields["late_per_s"] = rng.integers(0, 4, n) * is_stop
    own: dict[str, object] = {}
    if draw(st.booleans()):
        a, b = int(rng.integers(0, 30)), int(rng.integers(30, 50))
        breaks = [Break(window_s=(a, a + rng.integers(0, 15)), length_s=rng.integers(1, 8))]
        if rng.random() < 0.4:
            breaks.append(Break(window_s=(b, b + 20), length_s=rng.integers(1, 8)))
        own["breaks"] = breaks
    if draw(st.booleans()):
        own["rest"] = Rest(after_driving_s=rng.integers(4, 20), length_s=rng.integers(1, 9))
    if draw(st.booleans()):
        own |= {"overtime_after_s": rng.integers(10, 50), "cost_per_overtime_s": 2}
    periods = ((5.0, 0.5), (float(rng.integers(6, 20)), 2.0)) if traffic else ()
    end = draw(st.sampled_from([60.0, 110.0, np.inf]))
    return Problem(
        profiles=[Profile(distance_m=seconds, duration_s=seconds, traffic=periods)],
        vehicles=[Vehicle(shift_s=(int(rng.integers(0, 8)), end), **own)],
        window_s=window,
        service_s=rng.integers(0, 4, n) * is_stop,
        objective=Objective(distance=0, duration=draw(st.sampled_from([0.0, 1.0, 2.0]))),
        **fields,
    )


many = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@many
@given(problem=timetabled(), data=st.data())
def test_cheapest_times_are_those_of_whole_seconds_tried_out(
    problem: Problem, data: st.DataObject
) -> None:
    """Evaluation, checker and compiled search all find what trying every second finds."""
    order = tuple(data.draw(st.permutations(list(problem.stops))))
    found = Solution.from_routes(problem, [Route(0, order)], explain=False)
    best = WholeSeconds(problem, order).least()
    assert found.feasible == math.isfinite(best)
    if found.feasible:
        assert found.cost.total == pytest.approx(best, abs=1e-6)
    assert compiled(problem, order) == pytest.approx(best, rel=1e-6, abs=1e-4)


@many
@given(problem=timetabled(traffic=True), data=st.data())
def test_compiled_times_are_those_of_evaluation_in_traffic(
    problem: Problem, data: st.DataObject
) -> None:
    """Where speeds change over the day, evaluation, checker and compiled search agree."""
    order = tuple(data.draw(st.permutations(list(problem.stops))))
    found = Solution.from_routes(problem, [Route(0, order)], explain=False)
    report = nco.check(problem, found)
    assert report.feasible == found.feasible
    assert not any(finding.kind == "cost" for finding in report.findings)
    cost = found.cost.total if found.feasible else math.inf
    assert compiled(problem, order) == pytest.approx(cost, rel=1e-6, abs=1e-4)


def compiled(problem: Problem, order: tuple[int, ...]) -> float:
    """What the search thinks that a route costs; `inf` if it cannot be driven."""
    form = normal(problem).problem
    kinds = kinds_of(form)
    if not kinds[0].stops[list(order)].all():
        return math.inf
    fleet = arrays.Fleet.of(form, kinds, [])
    instance = arrays.instance_of(form, fleet)
    state = arrays.empty_state(instance, 0)
    changes.rebuild(instance, state, arrays.successors_of([Route(0, order)], fleet, instance))
    return math.inf if state.late[0] else float(state.total[0])


RING = (np.arange(4) - np.arange(4)[:, None]) % 4 * 100.0


def one_vehicle(vehicle: Vehicle, **fields: object) -> Problem:
    """Depot and three stops on a ring, 100 s from each to the next."""
    return Problem.from_matrices(RING, RING, vehicles=[vehicle], **fields)


def test_pauses_are_in_the_timetable() -> None:
    """A break on the road lies where it is taken, and the arrival comes after it."""
    van = Vehicle(breaks=[Break(window_s=(150, 250), length_s=60)])
    problem = one_vehicle(van, window_s=[(0, 900), (0, 100), (0, 900), (0, 900)])
    (route,) = schedule(problem, Solution.from_routes(problem, [[1, 2, 3]]))
    assert [visit.arrival_s for visit in route.visits] == [0, 100, 260, 360, 460]
    assert route.visits[1].pauses == ((150, 60),)


def test_a_break_that_cannot_be_taken_is_named() -> None:
    """Who serves without a pause while the break is due misses it, and evaluation says which."""
    van = Vehicle(shift_s=(0, 900), breaks=[Break(window_s=(150, 160), length_s=60)])
    windows = [(0, 900), (0, 100), (0, 900), (0, 900)]
    problem = one_vehicle(van, window_s=windows, service_s=[0, 300, 0, 0])
    solution = Solution.from_routes(problem, [[1, 2, 3]])
    assert [violation.kind for violation in solution.violations] == ["break"]
    assert "misses its break of 60 s" in solution.violations[0].message
    assert [f.kind for f in nco.check(problem, solution).findings] == ["break"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Break(window_s=5, length_s=1), "earliest and the latest time"),
        (lambda: Break(window_s=(9, 5), length_s=1), "empty"),
        (lambda: Break(length_s=-1), "at least 0"),
        (lambda: Rest(after_driving_s=0, length_s=1), "after_driving_s is 0"),
        (lambda: Vehicle(breaks=[(0, 5)]), "give nco.Break"),
        (lambda: Vehicle(breaks=5), "list of nco.Break"),
        (
            lambda: Vehicle(
                breaks=[
                    Break(window_s=(0, 10), length_s=50),
                    Break(window_s=(5, 20), length_s=5),
                ]
            ),
            "leaves no room",
        ),
        (lambda: Vehicle(rest=45), "give nco.Rest"),
        (lambda: Profile(distance_m=RING, duration_s=RING, traffic=[(5, 0)]), "factor is 0"),
        (
            lambda: Profile(distance_m=RING, duration_s=RING, traffic=[(5, 1), (5, 2)]),
            "periods in order",
        ),
        (lambda: Profile(distance_m=RING, duration_s=RING, traffic=[7]), "traffic"),
        (lambda: one_vehicle(Vehicle(), more_windows_s={0: [(1, 2)]}), "stops are 1 to 3"),
        (lambda: one_vehicle(Vehicle(), more_windows_s={1: [(1, 2)]}), "overlap"),
        (lambda: one_vehicle(Vehicle(), more_windows_s=[(1, 2)]), "windows by stop"),
        (lambda: one_vehicle(Vehicle(), late_per_s=1), "without soft_window_s"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: object, said: str) -> None:
    """Fields that make no sense are refused with what to give."""
    with pytest.raises(ProblemError, match=said):
        make()


def test_a_day_is_planned_with_its_breaks() -> None:
    """A day with breaks is not planned without them in silence: what is left has them."""
    problem = one_vehicle(Vehicle(breaks=[Break(length_s=60)]))
    plan = nco.Planner(problem).plan(0.3)
    assert plan.feasible
    assert plan.rest is not None and plan.solution is not None
    assert plan.rest.vehicles[0].breaks
    assert nco.check(plan.rest, plan.solution).feasible


def test_search_finds_the_cheapest_order_of_times() -> None:
    """The neighbourhood search leaves no penalty where an order without one is as short."""
    opens = [0, 0, 300, 600, 900, 1200]
    position = np.arange(6) * 10.0
    matrix = np.abs(position[:, None] - position[None])
    soft = [(t, t + 50) for t in opens]
    problem = Problem.from_matrices(
        matrix, soft_window_s=soft, late_per_s=1, early_per_s=1, objective=Objective(duration=0.01)
    )
    found = nco.solve(problem, method="lns", time_limit_s=0.3, seed=1)
    assert found.routes[0].stops == (1, 2, 3, 4, 5)
    assert found.cost.soft_windows == pytest.approx(0, abs=1e-6)
    assert nco.check(problem, found).feasible
