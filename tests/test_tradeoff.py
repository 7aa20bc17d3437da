"""The trade-off between time and preference: its points, its order, and its figure."""

from dataclasses import replace

import numpy as np
import pytest
from instances import line_of_four
from matplotlib import pyplot

import nco
from nco import Objective, Problem, Vehicle, plot, sample
from nco.baselines.pyvrp import PyVRP
from nco.errors import InputError
from nco.tradeoff import FACTORS

SEARCH = PyVRP(max_iterations=100)


@pytest.fixture(scope="module")
def found():
    """Nine weights of the territories of two vehicles in the unit square."""
    problem = sample.pvrp(None, 8, seed=4, vehicles=2, preference="territory")
    return nco.tradeoff(problem, SEARCH, time_limit_s=5.0, seed=1)


def test_what_counts_more_is_served_more(found):
    """Neither effort nor preference falls where preferences weigh more, and both ends differ."""
    assert found.factors == FACTORS
    assert (np.diff(found.effort) >= -1e-9).all()
    assert (np.diff(found.preference) >= -1e-9).all()
    assert found.preference[-1] == 1
    assert found.effort[0] < found.effort[-1]
    assert found.effort[4] == found.solutions[4].cost.distance_m


def test_each_weight_has_the_best_of_all_answers(found):
    """No answer for another weight would be better where its own counts."""
    for factor, own in zip(found.factors, found.solutions, strict=True):
        weights = replace(found.problem.objective, preference=0.2 * factor)
        other = replace(found.problem, objective=weights)
        costs = [solution.on(other).cost.total for solution in found.solutions]
        assert own.on(other).cost.total == min(costs)


def test_mean_preference_by_hand():
    """Stops of a vehicle without preferences count as 0, those left out not at all."""
    likes = np.array([0, 0.5, 1.0, 0.0])
    vehicles = [Vehicle(preference=likes), Vehicle()]
    problem = Problem.from_matrices(
        line_of_four().profiles[0].distance_m, vehicles=vehicles,
        objective=Objective(preference=1e4),
    )  # fmt: skip
    found = nco.tradeoff(problem, SEARCH, factors=[1], time_limit_s=5.0)
    assert found.preference.tolist() == [0.5]


def test_figure(found):
    """A curve of nine labelled points in the unit of the plane; several have their names."""
    ax = plot.tradeoff(found)
    assert len(ax.lines[0].get_xdata()) == 9
    assert [text.get_text() for text in ax.texts] == [f"{factor:g}" for factor in FACTORS]
    assert ax.get_xlabel() == "distance"
    both = plot.tradeoff({"pyvrp": found, "other": found}, title="two")
    assert both.get_legend() is not None
    assert both.get_title(loc="left") == "two"
    pyplot.close("all")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda found: nco.tradeoff(line_of_four()), "has no preferences"),
        (lambda found: nco.tradeoff(found.problem, factors=[-1]), "numbers of 0 or more"),
        (lambda found: nco.tradeoff(found.problem, factors=[]), "numbers of 0 or more"),
        (lambda found: plot.tradeoff({}), "is empty"),
        (lambda found: plot.tradeoff({"a": 3}), "nco.tradeoff"),
    ],
)
def test_what_makes_no_sense_is_said(found, call, message):
    """Problems, weights and curves that cannot be meant are refused in words."""
    with pytest.raises(InputError, match=message):
        call(found)
