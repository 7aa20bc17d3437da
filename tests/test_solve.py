"""One call for every method, with limits, refusals and warm starts."""

import dataclasses
import sys
import time

import numpy as np
import pytest
from instances import line_of_four

import nco
from nco import Objective, Solution
from nco.compare import as_row, compare, table
from nco.errors import InputError, UnsupportedError
from nco.problem.objective import Feature
from nco.solver import Clock


class Fixed:
    """A solver that always answers the same, for tests of the registry."""

    name = "fixed"
    supports = frozenset({Feature.CAPACITY})

    def solve(self, problem, time_limit_s, seed, initial=None):
        """The same routes whatever is asked."""
        return Solution.from_routes(problem, [[3, 1], [2]])


FIXED = Fixed()


@pytest.fixture
def fixed():
    """A registry that also holds `Fixed`, for one test."""
    nco.register("fixed", f"{__name__}:FIXED")
    yield
    sys.modules["nco.solve"]._METHODS.pop("fixed")


class Slow(Fixed):
    """A solver that takes a while to load, and the first time only."""

    name = "slow"
    ready = False

    def prepare(self, problem):
        """Loads."""
        if not self.ready:
            time.sleep(0.05)
            self.ready = True


def test_loading_is_reported_beside_the_time():
    """What comes before the clock is `setup_s`, not `time_s`; it counts in rows and files."""
    problem, slow = line_of_four(), Slow()
    first, again = (nco.solve(problem, slow, time_limit_s=1) for _ in range(2))
    assert first.setup_s > 0.05 > first.time_s
    assert again.setup_s < 0.05
    (answer,) = compare(problem, [Slow()], time_limit_s=1)
    row = as_row(problem, answer, None)
    assert row["setup_s"] == answer.solution.setup_s > 0.05
    shown = dict(zip(*table(problem, [answer]), strict=True))
    assert float(shown["setup"]) >= 0.05
    assert "gap to best" not in shown  # of one answer there is none
    assert "gap to best" in table(problem, [answer, answer])[0]


def test_unknown_method_lists_the_known():
    """A misspelt method is refused with the names there are."""
    with pytest.raises(InputError, match=r"'pyrvp' is unknown; known are .*pyvrp"):
        nco.solve(line_of_four(), "pyrvp")
    with pytest.raises(InputError, match="method is None; give the name"):
        nco.solve(line_of_four(), None)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"time_limit_s": 0}, "time_limit_s is 0"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
        ({"time_limit_s": "2"}, "time_limit_s is '2'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"jobs": 1.5}, "jobs is 1.5"),
        ({"jobs": True}, "jobs is True"),
        ({"time_limit_s": True}, "time_limit_s is True"),
        ({"time_limit_s": 10**400}, "time_limit_s is 10"),
        ({"seed": 2**31}, "seed is 2147483648"),
    ],
)
def test_senseless_limits_are_refused(limits, message):
    """Limits are checked before anything is loaded."""
    with pytest.raises(InputError, match=message):
        nco.solve(line_of_four(), "nearest", **limits)


def test_limits_of_single_precision_are_kept():
    """A thread that waited for numpy's own number of seconds ended with a traceback."""
    assert type(Clock(np.float32(0.05)).left_s) is float


def test_registered_method_solves_and_is_stamped(fixed):
    """What a method returns carries the registry's name, the seed and the time."""
    solution = nco.solve(line_of_four(), "fixed", seed=5)
    assert (solution.method, solution.seed) == ("fixed", 5)
    assert 0 < solution.time_s < 1


def test_taken_name_is_refused(fixed):
    """A method cannot be replaced by accident."""
    with pytest.raises(InputError, match="already registered"):
        nco.register("fixed", "elsewhere:SOLVER")


def test_unsupported_feature_is_refused_by_name(fixed):
    """A method refuses what it lacks instead of ignoring it."""
    balanced = dataclasses.replace(line_of_four(), objective=Objective(longest_route=1))
    with pytest.raises(UnsupportedError, match="'fixed' cannot handle: a cost on the longest"):
        nco.solve(balanced, "fixed")


def test_warm_start_is_never_lost(fixed):
    """The initial solution comes back if the method finds nothing better."""
    problem = line_of_four()
    best = Solution.from_routes(problem, [[1], [2, 3]])
    assert nco.solve(problem, "fixed", initial=best).routes == best.routes
    worse = Solution.from_routes(problem, [[1, 2]])
    assert nco.solve(problem, "fixed", initial=worse).feasible


def test_methods_of_a_problem(fixed):
    """Only methods that support every feature of a problem are offered for it."""
    assert "fixed" in nco.methods()
    balanced = dataclasses.replace(line_of_four(), objective=Objective(longest_route=1))
    assert "fixed" not in nco.methods(balanced)
