"""What rounding may add to an amount is forgiven, and not more: on both sides of each border."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nco import Problem, Solution, Vehicle, check

TOLERANCE, SLACK, COST = 1e-9, 1e-6, 1e-9  # of evaluation, of the checker, of a claimed cost
some = settings(max_examples=60, deadline=None, derandomize=True)
sizes = st.sampled_from([1.0, 1.5, 1e3, 12345.6, 1e6])
METRES = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])


def loaded(have: float, holds: float) -> Problem:
    """Two stops that together weigh `have`, and a van that holds a bit more or less."""
    problem = Problem.from_matrices(METRES, demand=[0, have / 2, have / 2], capacity=have)
    return replace(problem, vehicles=(Vehicle(capacity=(holds,)),))


def timed(takes: float, closes: float) -> Problem:
    """A stop that is reached at `takes`, and closes a bit before or after."""
    return Problem.from_matrices(
        METRES, takes * METRES, vehicles=1, window_s=[[0, np.inf], [0, closes], [0, np.inf]]
    )


def back(takes: float, ends: float) -> Problem:
    """A tour that takes three times `takes / 3`, and a shift that ends a bit before or after."""
    return Problem.from_matrices(METRES, takes / 3 * METRES, vehicles=1, shift_s=(0, ends))


def leaving(opens: float, closes: float) -> Problem:
    """A shift that begins at `opens`, from a depot that closes a bit before or after."""
    return Problem.from_matrices(
        METRES, vehicles=[Vehicle(start=0, end=1, shift_s=(opens, np.inf))], depots=2,
        window_s=[[0, closes], [0, np.inf], [0, np.inf]],
    )  # fmt: skip


@some
@pytest.mark.parametrize(
    ("of", "kind"),
    [(loaded, "capacity"), (timed, "time window"), (back, "shift")],
)
@given(size=sizes, part=st.floats(0.0, 0.9), more=st.floats(1.1, 100))
def test_only_noise_is_forgiven(of, kind, size, part, more):
    """Evaluation forgives 1e-9 of a limit, the checker 1e-6; both find what is over that."""
    for within, name in ((TOLERANCE, "evaluation"), (SLACK, "checker")):
        for times, expected in ((-1.0, []), (part, []), (more, [kind])):
            problem = of(size, size / (1 + times * within))
            solution = Solution.from_routes(problem, [[1, 2]])
            found = {
                "evaluation": solution.violations,
                "checker": check(problem, solution).findings,
            }[name]
            assert [x.kind for x in found] == expected, (name, times)


@pytest.mark.parametrize("size", [1.0, 1.5, 1e3, 12345.6, 1.7e9])
@pytest.mark.parametrize(("late", "expected"), [(-1e-5, []), (0.0, []), (1e-5, ["time window"])])
def test_whoever_leaves_a_closed_depot_is_found(size, late, expected):
    """Nothing was driven yet, so that there is no rounding to forgive."""
    problem = leaving(size, size * (1 - late))
    solution = Solution.from_routes(problem, [[2]])
    assert [x.kind for x in solution.violations] == expected
    assert [x.kind for x in check(problem, solution).findings] == expected


@pytest.mark.parametrize("closes", [1e-3, 0.5, 1e6])
@pytest.mark.parametrize(("late", "expected"), [(1e-13, []), (1e-5, ["time window"])])
def test_tolerance_has_no_unit(closes, late, expected):
    """A window that closes soon forgives as large a share as one that closes late."""
    problem = timed(closes * (1 + late), closes)
    solution = Solution.from_routes(problem, [[1, 2]])
    assert [x.kind for x in solution.violations] == expected
    assert [x.kind for x in check(problem, solution).findings] == expected


@pytest.mark.parametrize(("share", "expected"), [(0.9, []), (1.1, ["cost"])])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_a_claimed_cost_may_be_off_by_rounding(size, share, expected):
    """1e-9 of the sum is forgiven, in either direction, and no more."""
    problem = Problem.from_matrices(size / 3 * METRES, vehicles=1)
    true = Solution.from_routes(problem, [[1, 2]])
    for sign in (1, -1):
        claimed = replace(true.cost, distance=size * (1 + sign * share * COST))
        found = check(problem, replace(true, cost=claimed)).findings
        assert [x.kind for x in found] == expected
