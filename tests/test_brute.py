"""The optimum by trying everything, tried in two ways."""

import pytest
from brute import optimum, plainest
from hypothesis import HealthCheck, given, settings
from instances import problems, ruled_problems

from nco import Problem

few = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@few
@given(problem=ruled_problems(max_stops=3) | problems(max_stops=3))
def test_optimum_is_that_of_all_lists_of_routes(problem: Problem) -> None:
    """Vehicle by vehicle, the same optimum is found as among all lists of routes for all."""
    assert optimum(problem) == pytest.approx(plainest(problem), rel=1e-9)
