"""Whole numbers for solvers: exact where they can be, else rounded to the safe side."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import directed, line_of_four, problems

from nco import Objective, Problem, Vehicle
from nco.fleet.costs import Costs
from nco.fleet.kinds import duties_of, kinds_of, numbered
from nco.fleet.scaling import Loads, Ticks

quick = settings(max_examples=40, deadline=None, derandomize=True)


def test_whole_numbers_stay():
    """Integer loads, times and costs are passed on as they are."""
    problem = line_of_four()
    kinds = kinds_of(problem)
    assert Loads.of(problem, kinds).demand[:, 0].tolist() == [0, 1, 1, 1]
    assert Ticks.of(problem, kinds).per_s == 1.0
    assert Costs.of(problem, kinds).arcs[0].tolist() == problem.profiles[0].distance_m.tolist()


def test_fractions_fill_a_vehicle():
    """Three tenths fit into 0.3, which binary fractions do not show."""
    problem = Problem.from_matrices(directed(4), demand=[0, 0.1, 0.1, 0.1], capacity=0.3)
    loads = Loads.of(problem, kinds_of(problem))
    assert loads.demand.sum() <= loads.capacity[0, 0]


@quick
@given(st.lists(st.floats(0.001, 10), min_size=1, max_size=6), st.floats(10, 40))
def test_loads_are_safe(demand, capacity):
    """Stops that fit in whole units fit in true ones."""
    problem = Problem.from_matrices(
        directed(len(demand) + 1), demand=[0, *demand], capacity=capacity, vehicles=1
    )
    loads = Loads.of(problem, kinds_of(problem))
    if loads.demand.sum() <= loads.capacity[0, 0]:
        assert sum(demand) <= capacity * (1 + 1e-9)


@quick
@given(problems())
def test_ticks_are_safe(problem):
    """A duration in ticks is no shorter, a closing time no later, than in seconds."""
    kinds = kinds_of(problem)
    ticks = Ticks.of(problem, kinds)
    for kind in kinds:
        drive = kind.duration_s[np.isfinite(kind.duration_s)]
        short = np.minimum(drive, ticks.horizon / ticks.per_s)
        assert (ticks.up(drive) >= short * ticks.per_s - 1e-6).all()
    closes = problem.window_s[:, 1]
    assert (ticks.down(closes) <= closes * ticks.per_s + 1e-6).all()


@quick
@given(problems())
def test_arcs_are_never_negative(problem):
    """Preferences are gains, but the arcs that solvers see are not."""
    for arcs in Costs.of(problem, kinds_of(problem)).arcs:
        assert (arcs >= 0).all()


def test_preferences_cost_nothing_a_trip():
    """The shift that keeps arcs positive is paid a stop, never a return to the depot."""
    preference = np.array([0, 1.0, 0.5, 0.2])
    distance = directed(4)
    problem = Problem.from_matrices(
        distance,
        demand=[0, 1, 1, 1],
        vehicles=[Vehicle(capacity=(3,), preference=preference)],
        objective=Objective(preference=5000.0),
    )
    costs = Costs.of(problem, kinds_of(problem))
    assert (costs.arcs[0][:, 0] == np.rint(distance[:, 0] * costs.scale)).all()

    def units(trips: list[list[int]]) -> int:
        paths = [[0, *trip, 0] for trip in trips]
        return sum(int(costs.arcs[0][i, j]) for p in paths for i, j in pairwise(p))

    def metres(trips: list[list[int]]) -> float:
        paths = [[0, *trip, 0] for trip in trips]
        return sum(float(distance[i, j]) for p in paths for i, j in pairwise(p))

    one, three = [[1, 2, 3]], [[1], [2], [3]]
    assert units(three) - units(one) == pytest.approx(
        (metres(three) - metres(one)) * costs.scale, abs=5
    )


@quick
@given(problems())
def test_vehicle_numbers(problem):
    """Duties by kind and routes by vehicle number are two views of the same."""
    kinds = kinds_of(problem)
    stop = problem.depots
    duties = [(k, [(stop,)]) for k, kind in enumerate(kinds) for _ in kind.numbers]
    routes = numbered(kinds, duties)
    assert sorted(route.vehicle for route in routes) == list(range(len(problem.vehicles)))
    assert duties_of(kinds, routes) == duties
