"""OR-Tools where times are chosen: several and soft windows, breaks and overtime."""

from dataclasses import replace

import numpy as np
import pytest
from brute import optimum
from instances import directed

import nco
from nco import Break, Feature, Objective, Problem, Profile, Rest, Vehicle
from nco.baselines.ortools import ORTools
from nco.errors import UnsupportedError
from nco.fleet.reductions.reduced import reduced

SOLVER = ORTools(max_iterations=60)
LIMIT_S = 0.3


def line(**vehicle: object) -> Problem:
    """Depot and two stops in a row, 100 s and 100 m apart, with 10 s of service; time is paid."""
    position = np.arange(3) * 100.0
    distance = np.abs(position[:, None] - position[None])
    return Problem.from_matrices(
        distance,
        service_s=[0, 10, 10],
        vehicles=[Vehicle(cost_per_s=1.0, **vehicle)],
        objective=Objective(distance=0.0, duration=1.0),
    )


def solved(problem: Problem) -> nco.Solution:
    """OR-Tools' answer, which the checker agrees with."""
    found = SOLVER.solve(problem, LIMIT_S, seed=0)
    assert nco.check(problem, found), found.summary()
    return found


ON_THE_ROAD = Break(window_s=(150.0, 150.0), length_s=30.0)
CASES = {
    "the second window of a stop": (
        replace(
            line(), more_windows_s={2: [(500.0, 600.0)]}, window_s=[[0, 999], [0, 200], [0, 150]]
        ),
        610.0,
    ),
    "a break on the road": (line(shift_s=(0, 450), breaks=[ON_THE_ROAD]), 450.0),
    "a break that service lies in the way of": (
        line(shift_s=(0, 470), breaks=[Break(window_s=(105.0, 109.0), length_s=30.0)]),
        450.0,
    ),
    "a break before the departure": (
        line(shift_s=(0, 700), breaks=[Break(window_s=(0.0, 50.0), length_s=200.0)]),
        420.0,
    ),
    "a break after the return": (
        line(shift_s=(0, 430), breaks=[Break(window_s=(400.0, 500.0), length_s=900.0)]),
        420.0,
    ),
    "two breaks in order": (
        line(
            shift_s=(0, 570),
            breaks=[
                Break(window_s=(250.0, 250.0), length_s=20.0),
                Break(window_s=(120.0, 120.0), length_s=20.0),
            ],
        ),
        460.0,
    ),
    "who comes late pays": (
        replace(
            line(),
            window_s=[[0, 999], [300, 400], [0, 999]],
            soft_window_s=[[0, 999], [0, 320], [0, 250]],
            late_per_s=[0, 0.5, 0.5],
        ),
        420.0,
    ),
    "who comes early pays": (
        replace(
            line(shift_s=(0, 460)),
            soft_window_s=[[0, 999], [0, 999], [300, 999]],
            early_per_s=[0, 0, 0.25],
        ),
        420.0 + 0.25 * 50,
    ),
    "overtime costs more": (
        replace(line(overtime_after_s=400.0, cost_per_overtime_s=3.0)),
        420.0 + 3 * 20,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cheapest_times(name):
    """Where one vehicle passes two stops, the answer is the known one, and nothing beats it."""
    problem, cost = CASES[name]
    assert optimum(problem) == pytest.approx(cost)
    assert solved(problem).cost.total == pytest.approx(cost)


def test_a_break_that_cannot_be_taken():
    """Whoever is on the road when a break must begin, and has no time left, serves less."""
    problem = line(shift_s=(0, 440), breaks=[ON_THE_ROAD])
    found = SOLVER.solve(problem, LIMIT_S, seed=0)
    assert not found.violations
    assert len(found.unassigned) == 1
    assert {one.kind for one in nco.check(problem, found).findings} == {"unserved"}


def test_what_it_does_not_know():
    """Traffic, and rests by what one has driven, are refused by name."""
    problem = line(rest=Rest(after_driving_s=100.0, length_s=10.0))
    with pytest.raises(UnsupportedError, match=str(Feature.RESTS)):
        nco.solve(problem, "ortools", time_limit_s=1)
    (profile,) = line().profiles
    slow = replace(line(), profiles=[replace(profile, traffic=[(0.0, 0.5)])])
    assert isinstance(profile, Profile)
    with pytest.raises(UnsupportedError, match=str(Feature.TRAFFIC)):
        nco.solve(slow, "ortools", time_limit_s=1)


def drawn(seed: int) -> Problem:
    """Three stops and two vehicles with hours of all kinds that OR-Tools knows."""
    rng, n = np.random.default_rng(seed), 4
    distance = directed(n, seed)
    begin = rng.uniform(0, 800, n)
    windows = np.stack([begin, begin + rng.uniform(0, 300, n)], axis=1)
    windows[rng.random(n) < 0.4] = 0, 1500
    windows[0] = 0, np.inf
    vehicles = []
    for _ in range(2):
        first = float(rng.integers(0, 400))
        breaks = [Break(window_s=(first, first + float(rng.integers(0, 400))), length_s=50.0)]
        breaks.append(Break(window_s=(first + 450, first + 800), length_s=30.0))
        vehicles.append(
            Vehicle(
                shift_s=(float(rng.integers(0, 200)), float(rng.integers(900, 2500))),
                breaks=breaks[: rng.integers(0, 3)],
                overtime_after_s=float(rng.integers(200, 1000)),
                cost_per_overtime_s=float(rng.integers(0, 3)),
                cost_per_s=float(rng.integers(0, 2)),
                open_start=bool(rng.random() < 0.3),
                open_end=bool(rng.random() < 0.3),
            )
        )
    return Problem.from_matrices(
        distance,
        distance / 8,
        window_s=windows,
        more_windows_s={j: [(1600.0, 1700.0 + j)] for j in range(1, n) if rng.random() < 0.5},
        soft_window_s=np.stack([begin, begin + 100], axis=1),
        early_per_s=np.append(0, rng.integers(0, 3, n - 1)),
        late_per_s=np.append(0, rng.integers(0, 3, n - 1)),
        service_s=np.append(0, rng.integers(0, 120, n - 1)),
        vehicles=vehicles,
        objective=Objective(duration=float(rng.integers(0, 2))),
    )


@pytest.mark.parametrize("seed", range(12))
def test_what_it_believes_is_so(seed):
    """Routes as OR-Tools gives them, with nothing mended, keep all hours and breaks."""
    problem = reduced(drawn(seed), SOLVER.supports).problem
    assert problem.features <= SOLVER.supports
    found = SOLVER.solve(problem, LIMIT_S, seed=0)
    assert not found.violations
    assert {one.kind for one in nco.check(problem, found).findings} <= {"unserved"}
    if found.feasible:
        best = optimum(problem)
        assert found.cost.total >= best - 1e-6 * abs(best) - 1e-6
