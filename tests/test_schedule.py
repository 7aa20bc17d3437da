"""The timetable agrees with the evaluation and with the definition of waiting and loads."""

import numpy as np
import pytest
from hypothesis import given, settings
from instances import early_and_late, line_of_four, problems_with_routes

from nco import Problem, Route, Solution, Vehicle
from nco.problem.schedule import schedule


def test_loads_and_metres():
    """The vehicle leaves with everything and comes home empty."""
    problem = line_of_four()
    timetables = schedule(problem, Solution.from_routes(problem, [[1], [3, 2]]))
    second = timetables[1]
    assert (second.vehicle, second.trip) == (1, 0)
    assert [visit.node for visit in second.visits] == [0, 3, 2, 0]
    assert [visit.load for visit in second.visits] == [(2,), (1,), (0,), (0,)]
    assert [visit.distance_m for visit in second.visits] == [0, 300, 400, 600]
    assert (second.distance_m, second.driving_s, second.duration_s) == (600, 60, 60)


def test_leaves_as_late_as_possible():
    """A vehicle does not wait at the door if it can wait at home."""
    problem = early_and_late()
    (timetable,) = schedule(problem, Solution.from_routes(problem, [[1]]))
    home, stop, back = timetable.visits
    assert (home.departure_s, stop.arrival_s, stop.start_s, stop.departure_s) == (
        400,
        500,
        500,
        550,
    )
    assert (back.arrival_s, stop.waiting_s, timetable.duration_s) == (650, 0, 250)


def test_waits_where_it_must():
    """Waiting that a window in between forces is shown."""
    problem = early_and_late()
    (timetable,) = schedule(problem, Solution.from_routes(problem, [[2, 1]]))
    assert timetable.visits[2].waiting_s == 250
    assert timetable.visits[2].arrival_s == 250


def test_trips_follow_one_another():
    """The second trip starts when the first is over, fully loaded again, metres adding up."""
    problem = Problem.from_matrices(
        line_of_four().profiles[0].distance_m,
        demand=[0, 1, 1, 1],
        vehicles=[Vehicle(capacity=(2,), max_trips=2)],
        service_s=[0, 5, 5, 5],
    )
    solution = Solution.from_routes(problem, [Route(0, (1, 2)), Route(0, (3,))])
    first, second = schedule(problem, solution)
    assert (first.trip, second.trip) == (0, 1)
    assert first.visits[-1].departure_s == second.visits[0].departure_s == 410
    assert second.visits[0].load == (1,)
    assert second.visits[-1].distance_m == 1000
    assert second.distance_m == 600


@settings(max_examples=200, deadline=None)
@given(pair=problems_with_routes())
def test_agrees_with_the_evaluation(pair):
    """Metres and seconds on duty are those of the cost, whatever the routes break."""
    problem, routes = pair
    solution = Solution.from_routes(problem, routes)
    timetables = schedule(problem, solution)
    assert [t.vehicle for t in timetables] == [route.vehicle for route in solution.routes]
    metres = sum(t.distance_m for t in timetables)
    assert metres == pytest.approx(solution.cost.distance_m)
    begin = {t.vehicle: t.visits[0].departure_s for t in reversed(timetables)}
    finish = {t.vehicle: t.visits[-1].start_s for t in timetables}
    assert sum(finish[v] - begin[v] for v in begin) == pytest.approx(solution.cost.duration_s)
    for timetable in timetables:
        for visit in timetable.visits[1:]:
            assert visit.start_s >= problem.window_s[visit.node, 0]
            assert visit.start_s >= visit.arrival_s
        assert np.allclose(timetable.visits[-1].load, 0)


def test_where_a_vehicle_begins_and_what_it_never_reaches():
    """The first visit is at the start depot; behind a missing street there is no waiting."""
    metres = np.full((4, 4), 10.0)
    np.fill_diagonal(metres, 0.0)
    metres[3, 0] = np.inf
    vehicle = Vehicle(start=1, end=0, shift_s=(5.0, np.inf))
    problem = Problem.from_matrices(metres, vehicles=[vehicle], depots=2)
    (timetable,) = schedule(problem, Solution.from_routes(problem, [[2, 3]]))
    first, *_, last = timetable.visits
    assert (first.node, first.arrival_s, first.start_s, first.departure_s) == (1, 5, 5, 5)
    assert (last.node, last.arrival_s, last.waiting_s) == (0, np.inf, 0.0)
    assert (timetable.distance_m, timetable.duration_s, timetable.driving_s) == (np.inf,) * 3


@pytest.mark.parametrize("begin_s", [0, 8 * 3600, 1_745_300_000])
def test_who_may_leave_in_the_morning_leaves_in_the_morning(begin_s):
    """Where nothing has to wait, a shift begins when it may, however long it is."""
    way = 60 * np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], float)
    shift = (begin_s, begin_s + 9 * 3600)
    problem = Problem.from_matrices(
        way, way, demand=[0, 0, 0], vehicles=[Vehicle(shift_s=shift, capacity=(1,))]
    )
    [timetable] = schedule(problem, Solution.from_routes(problem, [Route(0, (1, 2))]))
    assert [visit.arrival_s - begin_s for visit in timetable.visits] == [0, 60, 120, 240]
    windows = [[0, np.inf], [begin_s + 7200, begin_s + 7300], [0, np.inf]]
    later = Problem.from_matrices(
        way, way, demand=[0, 0, 0], window_s=windows,
        vehicles=[Vehicle(shift_s=shift, capacity=(1,))],
    )  # fmt: skip
    [timetable] = schedule(later, Solution.from_routes(later, [Route(0, (1, 2))]))
    assert [visit.arrival_s - begin_s for visit in timetable.visits] == [7140, 7200, 7260, 7380]
