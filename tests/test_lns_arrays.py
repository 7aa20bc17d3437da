"""What the neighbourhood search makes of a problem: which nodes are near, and what is minimised."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import Begun, searches

from nco import Objective, Problem
from nco.fleet.kinds import kinds_of
from nco.search.lns import changes

random_searches = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("longest", [0.0, 2.0])
def test_the_objective_prefers_even_routes(longest: float):
    """Of plans with the same longest route, the one with the shorter others is a little better."""
    line = np.array([0.0, 100.0, 90.0, 10.0])
    distance = np.abs(line[:, None] - line[None])
    weights = Objective(distance=0.0, longest_route=longest)
    problem = Problem.from_matrices(distance, vehicles=2, objective=weights)
    begun = Begun(problem)
    costs = [
        changes.objective(begun.instance, begun.fresh(trips))
        for trips in ({0: (3, 2, 1)}, {0: (2, 1), 1: (3,)}, {0: (1,), 1: (2, 3)})
    ]
    if not longest:
        assert costs == [0.0, 0.0, 0.0]
        return
    squares = [200**2, 200**2 + 20**2, 200**2 + 180**2]
    expected = [longest * (200 + changes.SMOOTH * x / (2 * 200)) for x in squares]
    assert costs == pytest.approx(expected)


@given(
    far=st.lists(
        st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5, np.inf]), min_size=5, max_size=5),
        min_size=1,
        max_size=4,
    ),
    width=st.integers(1, 7),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_nearest_are_found_in_order(far: list[list[float]], width: int):
    """Columns of the smallest finite entries, smallest first; the rest stays as it was."""
    matrix = np.array(far, np.float32)
    columns = np.full((len(far), width), -1, np.int32)
    changes.nearest(matrix, columns, np.zeros(width, np.float32))
    for row, found in zip(matrix, columns, strict=True):
        order = [int(k) for k in np.argsort(row, kind="stable") if np.isfinite(row[k])][:width]
        assert found.tolist() == order + [-1] * (width - len(order))


@random_searches
@given(begun=searches())
def test_neighbours_are_all_that_can_be_driven(begun: Begun):
    """On small problems each arc that some vehicle may drive in time is among the nearest."""
    problem, instance = begun.problem, begun.instance
    kinds = [kind for kind in kinds_of(problem) if kind.stops.any()]
    for i in range(problem.size):
        for j in problem.stops:
            if i == j:
                assert j not in instance.behind[i] and i not in instance.before[j]
                continue
            exists = any(np.isfinite(kind.cost[i, j]) for kind in kinds)
            drive = min(kind.duration_s[i, j] for kind in kinds)
            early = problem.window_s[i, 0] + problem.service_s[i] + drive
            on_time = not instance.times or early <= problem.window_s[j, 1] + 1e-6
            if i >= problem.depots:
                assert (j in instance.behind[i]) == (exists and on_time)
                assert (i in instance.before[j]) == (exists and on_time)
                either = j in instance.behind[i] or j in instance.before[i]
                assert (j in instance.related[i]) == either


def test_near_is_what_is_cheap_to_drive_without_waiting():
    """The nearest are ordered by cost, and a stop for which one would wait is further away."""
    distance = np.array([[0, 9, 9, 9], [9, 0, 2, 3], [9, 3, 0, 2], [9, 2, 3, 0]], float)
    plain = Begun(Problem.from_matrices(distance))
    assert plain.instance.behind[1, :2].tolist() == [2, 3]
    assert plain.instance.before[1, :2].tolist() == [3, 2]
    windows = [[0, np.inf], [0, 10], [500, 900], [0, 900]]
    waiting = Begun(Problem.from_matrices(distance, window_s=windows))
    assert waiting.instance.behind[1, :2].tolist() == [3, 2]
