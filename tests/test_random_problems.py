"""Problems that nobody would plan get an answer that is checked, in time, or an error in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import directed
from random_problems import outcome, random_fields

from nco import Objective, Problem, Vehicle, methods
from nco.baselines.pyvrp import Limit
from nco.errors import NcoError
from nco.fleet.costs import Costs
from nco.fleet.kinds import kinds_of
from nco.solver import Clock

LIMIT_S = 0.05
OTHERS = ("lns", "pyvrp", "genetic", "ortools", "vroom", "hgs", "savings", "nearest")
some = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def without_way_back() -> Problem:
    """Four stops, optional ones among them, with windows; nothing leads away from stop 2."""
    distance = directed(5)
    distance[2, :] = np.inf
    distance[2, 2] = 0.0
    return Problem.from_matrices(
        distance,
        capacity=2,
        demand=[0, 1, 1, 1, 1],
        vehicles=3,
        window_s=[[0, 1e5], [500, 9000], [0, 9000], [3000, 9000], [0, 9000]],
        prize=[0, 500, 500, np.inf, 500],
    )


def worthless() -> Problem:
    """Required stops where the objective gives unserved stops no weight."""
    return Problem.from_matrices(directed(4), objective=Objective(unserved=0.0))


def dear_vehicles() -> Problem:
    """Arcs of a nanometre, vehicles that cost 10^12 and a prize of 10^15."""
    return Problem.from_matrices(
        directed(5) * 1e-12,
        demand=[0, 1, 1, 1, 1],
        vehicles=[Vehicle(capacity=(2,), fixed_cost=1e12)] * 3,
        prize=[0, 1e15, np.inf, np.inf, np.inf],
    )


def slow_money() -> Problem:
    """Long ways on which a second costs next to nothing."""
    return Problem.from_matrices(
        directed(5) * 1e9,
        directed(5) * 1e-9,
        window_s=[[0, 1e5]] * 5,
        objective=Objective(duration=1e-9),
    )


@pytest.mark.parametrize("build", [without_way_back, worthless, dear_vehicles, slow_money])
def test_degenerate(build: Callable[[], Problem]) -> None:
    """Each of these once ended in a warning or an overflow somewhere below."""
    problem = build()
    for method in set(methods(problem)) & {"auto", *OTHERS}:
        found = outcome(problem, method, LIMIT_S)
        assert found.kind == "answer", f"{method}: {found.kind}, {found.note}"


@pytest.mark.parametrize("build", [dear_vehicles, slow_money])
def test_whole_costs_add_up(build: Callable[[], Problem]) -> None:
    """Every arc of a solution may be barred, and its cost still fits into 64 bits."""
    problem = build()
    costs = Costs.of(problem, kinds_of(problem))
    assert (problem.size + 2) * costs.barred < 2**62
    assert costs.barred > costs.reward > costs.dearest


def test_no_time_at_all() -> None:
    """A search that begins when time is up ends at once."""
    assert Limit(Clock(0.0), None, 0.0)(np.inf)


@some
@given(fields=random_fields())
def test_auto(fields: dict[str, Any]) -> None:
    """The default method answers what is a problem, or names what cannot be had together."""
    try:
        problem = Problem(**fields)
    except NcoError as error:
        assert "; " in str(error)  # what is wrong, and what to do
        return
    found = outcome(problem, "auto", LIMIT_S)
    assert found.kind == ("answer" if "auto" in methods(problem) else "error"), found.note


@some
@given(fields=random_fields(), method=st.sampled_from(OTHERS))
def test_others(fields: dict[str, Any], method: str) -> None:
    """Every other method answers, or names what it cannot do."""
    try:
        problem = Problem(**fields)
    except NcoError:
        return
    found = outcome(problem, method, LIMIT_S)
    assert found.kind == ("answer" if method in methods(problem) else "error"), found.note
