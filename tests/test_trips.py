"""Trips dealt out among vehicles."""

import numpy as np
import pytest

from nco import Objective, Problem, Route, Solution, Vehicle
from nco.search.trips import dealt_out


def line(vehicles: list[Vehicle], longest_by: str = "distance", **changes: object) -> Problem:
    """Stops 1 to 6 on a line, 100 m apart."""
    at = np.arange(7.0) * 100
    return Problem.from_matrices(
        abs(at[:, None] - at),
        vehicles=vehicles,
        objective=Objective(longest_route=1.0, longest_by=longest_by),
        **changes,
    )


@pytest.mark.parametrize("longest_by", ["distance", "duration"])
def test_the_longest_trip_first_to_who_has_driven_least(longest_by):
    """Trips of 1200, 1000 and 400 m are 1200 and 1400 m of two vans."""
    problem = line([Vehicle(max_trips=3)] * 2, longest_by)
    given = [Route(0, (2, 1)), Route(0, (6, 4)), Route(0, (5, 3))]
    found = dealt_out(problem, Solution.from_routes(problem, given))
    assert found.cost.longest_route == 1400.0
    assert {(r.stops, r.vehicle) for r in found.routes} == {((6, 4), 0), ((5, 3), 1), ((2, 1), 1)}


def test_trips_stay_with_their_kind_and_its_number_of_trips():
    """A small van gets none of a large one's trips, and nobody more trips than he may drive."""
    small, large = Vehicle(capacity=(1.0,), max_trips=2), Vehicle(capacity=(3.0,), max_trips=1)
    problem = line([small, small, large], demand=[0, 1, 1, 1, 1, 1, 1])
    given = [Route(0, (1,)), Route(0, (2,)), Route(1, (3,)), Route(2, (4, 5, 6))]
    found = dealt_out(problem, Solution.from_routes(problem, given))
    assert not found.violations
    assert [r.stops for r in found.routes if r.vehicle == 2] == [(4, 5, 6)]


def test_what_would_break_a_window_stays_as_it_is():
    """Where the order of trips matters, a deal that is late is none."""
    problem = line(
        [Vehicle(max_trips=2)],
        window_s=[[0, 1e4], [0, 150], [0, 1e4], [0, 1e4], [0, 1e4], [0, 1e4], [0, 1e4]],
    )
    given = Solution.from_routes(problem, [Route(0, (1,)), Route(0, (2, 3, 4, 5, 6))])
    assert not given.violations
    assert dealt_out(problem, given) == given
