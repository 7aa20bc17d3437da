"""Drawn instances follow their distributions, are feasible, and depend on nothing but the seed."""

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import given, settings
from hypothesis import strategies as st

from nco import Feature, Solution, sample
from nco.errors import CityError, InputError

CITY = FakeCity()
DRAW = (sample.atsp, sample.rcvrp, sample.rcvrptw)


@pytest.mark.parametrize("draw", DRAW)
def test_same_seed_same_instance(draw):
    """The seed decides the instance; another seed or way of drawing gives another."""
    assert draw(CITY, 12, seed=3) == draw(CITY, 12, seed=3)
    assert draw(CITY, 12, seed=3) != draw(CITY, 12, seed=4)
    assert draw(CITY, 12, seed=3).name == draw(CITY, 12, seed=3, how="cluster").name
    assert draw(CITY, 12, seed=3) != draw(CITY, 12, seed=3, how="cluster")


def test_atsp():
    """One vehicle visits all nodes; distances are directed."""
    problem = sample.atsp(CITY, 9, seed=1)
    assert (problem.size, len(problem.vehicles), problem.features) == (9, 1, frozenset())
    distance = problem.profiles[0].distance_m
    assert not np.allclose(distance, distance.T)


def test_rcvrp():
    """Demands are the whole numbers 1 to 9, none at the depot; one vehicle for each stop."""
    problem = sample.rcvrp(CITY, 500, seed=1)
    assert problem.size == 501
    assert problem.demand[0, 0] == 0
    assert set(problem.demand[1:, 0]) == set(range(1, 10))
    assert len(problem.vehicles) == 500
    assert problem.vehicles[0].capacity == (100,)
    assert problem.features == {Feature.CAPACITY}


def test_capacities():
    """Capacities follow RRNCO's tables, linear in between and constant beyond."""
    known = {5: 20, 10: 20, 15: 25, 20: 30, 50: 40, 75: 45, 100: 50, 200: 70, 1000: 150, 2000: 150}
    assert {n: sample.rcvrp_capacity(n) for n in known} == known
    assert [sample.rcvrptw_capacity(n) for n in (10, 20, 50, 100)] == [30, 30, 40, 50]


def test_given_fleet():
    """Capacity and number of vehicles can be given."""
    problem = sample.rcvrp(CITY, 5, seed=1, capacity=11, vehicles=3)
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(11,)] * 3


@pytest.mark.parametrize("draw", DRAW[1:])
def test_fixed_depot(draw):
    """The depot stays where it is while the stops change from day to day."""
    days = [draw(CITY, 6, seed=seed, depot=(24.95, 60.15)) for seed in range(3)]
    assert all(day.lonlat[0].tolist() == [24.95, 60.15] for day in days)
    assert not np.array_equal(days[0].lonlat, days[1].lonlat)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 30), seed=st.integers(0, 1000))
def test_windows_can_be_met(n, seed):
    """Every stop can be served there and back, even by a vehicle that comes as it closes."""
    problem = sample.rcvrptw(CITY, n, seed=seed)
    solution = Solution.from_routes(problem, [[stop] for stop in problem.stops])
    assert solution.feasible, str(solution)
    back = problem.profiles[0].duration_s[:, 0]
    closes, service = problem.window_s[:, 1], problem.service_s
    assert (closes + service + back <= problem.window_s[0, 1] + 1e-9)[1:].all()


def test_windows_keep_their_shape():
    """In units of the longest duration: horizon 4.6, windows 0.18 to 0.2, service 0.15 to 0.18."""
    problem = sample.rcvrptw(CITY, 200, seed=5)
    longest = problem.profiles[0].duration_s.max()
    window, service = problem.window_s, problem.service_s
    assert window[0].tolist() == [0, np.ceil(4.6 * longest)]
    length = (window[1:, 1] - window[1:, 0]) / longest
    assert 0.178 < length.min() < length.max() < 0.202
    assert 0.149 < service[1:].min() / longest < service[1:].max() / longest < 0.18
    assert service[0] == 0
    assert (window % 1 == 0).all()
    assert (service % 1 == 0).all()
    assert window[1:, 0].max() > 2.5 * longest
    assert problem.features == {Feature.CAPACITY, Feature.TIME_WINDOWS}


def test_islands():
    """A depot that reaches nothing is an error after a few draws; chance islands are redrawn."""
    with pytest.raises(InputError, match=r"depot at 24.99.*do not all reach one another"):
        sample.rcvrp(FakeCity(islands=24.98), 3, seed=1, depot=(24.99, 60.15))
    problem = sample.rcvrp(FakeCity(islands=24.96), 3, seed=1)
    assert np.isfinite(problem.profiles[0].distance_m).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": 0}, "n is 0; give a whole number of 1 or more"),
        ({"n": 2.5}, "n is 2.5"),
        ({"n": None}, "n is None"),
        ({"seed": -1}, "seed is -1"),
        ({"capacity": 5}, "capacity is 5; demands are 1 to 9"),
        ({"capacity": float("nan")}, "capacity is nan"),
        ({"vehicles": 0}, "vehicles is 0"),
        ({"depot": (24.95,)}, "depot is .24.95,.; give its longitude and latitude"),
        ({"depot": "Kallio"}, "depot is 'Kallio'"),
        ({"depot": (60.15, 124.95)}, "are they swapped"),
    ],
)
@pytest.mark.parametrize("draw", DRAW[1:])
def test_bad_arguments(draw, fields, message):
    """Arguments that make no sense are named with what is allowed."""
    with pytest.raises(InputError, match=message):
        draw(CITY, **({"n": 5, "seed": 1} | fields))


def test_tour_of_one():
    """A tour needs two nodes."""
    with pytest.raises(InputError, match="n is 1; give a whole number of 2 or more"):
        sample.atsp(CITY, 1, seed=1)


def test_depot_outside():
    """A depot that is not in the city is the city's error."""
    with pytest.raises(CityError):
        sample.rcvrp(CITY, 3, seed=1, depot=(2.35, 48.85))


def test_real_city(helsinki):
    """On real streets all pairs are reachable and directions differ; options reach the city."""
    problem = sample.rcvrptw(helsinki, 20, seed=7, how="cluster", within_km=2.0)
    distance = problem.profiles[0].distance_m
    assert np.isfinite(distance).all()
    assert not np.allclose(distance, distance.T)
    assert np.ptp(problem.lonlat[:, 1]) < 0.02
    assert Solution.from_routes(problem, [[stop] for stop in problem.stops]).feasible


@pytest.mark.parametrize("stops", [10**9, 10**12])
def test_problems_beyond_all_memory_are_refused_before_points_are_drawn(stops, helsinki):
    """A billion stops were drawn for minutes, more of them ended in a MemoryError."""
    for draw in (sample.atsp, sample.rcvrp, sample.rcvrptw):
        with pytest.raises(InputError, match=r"need .*TiB of memory"):
            draw(helsinki, stops, seed=1)
