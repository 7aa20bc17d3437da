"""Fronts of passengers and operator, their hypervolume, and sweeps of weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.errors import InputError
from nco.transit.design.fronts import (
    RANGES,
    Front,
    Range,
    Recorded,
    hypervolume,
    range_of,
    sweep,
    undominated,
    weighted,
)
from nco.transit.design.registry import design
from nco.transit.evaluate.exact import evaluate
from nco.transit.instance.lines import check_lines
from nco.transit.instance.transit_instance import TransitInstance

MANDL = TransitInstance.mandl()
SQUARE = Range(1.0, 0.0, 1.0, 0.0)

points = st.lists(st.tuples(*[st.integers(-2, 12).map(lambda n: n / 10)] * 2), max_size=12)


def slow_area(rows):
    """How many of 100 x 100 cells have a point that is better than their middle."""
    middles = (np.arange(100) + 0.5) / 100
    covered = np.zeros((100, 100), bool)
    for x, y in rows:
        covered |= (middles[:, None] > x) & (middles[None] > y)
    return covered.mean()


@settings(max_examples=60, deadline=None)
@given(points)
def test_hypervolume_is_the_area_that_a_front_dominates(rows):
    """It agrees with counting cells; points outside of the range count as on its edge."""
    assert hypervolume(np.reshape(rows, (-1, 2)), SQUARE) == pytest.approx(slow_area(rows))


@settings(max_examples=60, deadline=None)
@given(points)
def test_undominated_rows_beat_all_others(rows):
    """What remains beats or equals all that goes, and nothing that remains beats another."""
    given_rows = np.reshape(rows, (-1, 2)).astype(float)
    kept = given_rows[undominated(given_rows)]
    for row in given_rows:
        assert (kept <= row).all(axis=1).any()
    assert (np.diff(kept[:, 0]) > 0).all()
    assert (np.diff(kept[:, 1]) < 0).all()


def test_a_single_design_of_the_literature():
    """One point of Mandl's network in its range: 10.27 and 221 minutes fill a thin strip."""
    value = hypervolume([[10.27, 221.0]], RANGES["mandl"])
    assert value == pytest.approx((15 - 10.27) / 5 * 3 / 161)


def test_an_objective_records_all_that_it_judges():
    """The front holds only designs that break no rule, with their own values."""
    objective = Recorded(MANDL)
    design(objective, "nsga2", evaluations=600, seed=0)
    front = objective.front
    assert len(front.points) == len(front.lines) >= 5
    for point, lines in zip(front.points, front.lines, strict=True):
        found = evaluate(MANDL, lines)
        assert (found.travel_min, found.operator_min) == pytest.approx(tuple(point))
        assert check_lines(MANDL, lines) == []


def test_a_sweep_reaches_both_ends():
    """Weights from operator to passengers give a front from the spanning tree to short journeys."""
    front = sweep(MANDL, "hyper", evaluations=5000, weights=5, seed=0)
    assert front.points[-1, 1] == pytest.approx(63.0)
    assert front.points[0, 0] < 10.5
    assert front.hypervolume(range_of(MANDL)) > 0.8


def test_annealing_takes_up_what_it_passes_by():
    """One run for passengers alone finds designs of many lengths, each with its own values."""
    objective = Recorded(MANDL)
    best = design(objective, "annealing", evaluations=20_000, seed=0)
    front = objective.front
    assert len(front.points) >= 10
    assert front.points[0, 0] == pytest.approx(best.cost)
    for point, lines in zip(front.points, front.lines, strict=True):
        found = evaluate(MANDL, lines)
        assert (found.travel_min, found.operator_min) == pytest.approx(tuple(point))
        assert check_lines(MANDL, lines) == []


def test_several_sweeps_share_the_budget():
    """Two sweeps of three weights are six runs, by seeds of their own."""
    once, twice = (
        sweep(MANDL, "annealing", evaluations=30_000, weights=3, sweeps=k) for k in (1, 2)
    )
    assert twice.hypervolume(range_of(MANDL)) > 0.8
    assert not np.array_equal(once.points, twice.points)


def test_weights_are_shares_of_the_range():
    """Half passengers, half operator: a full range of either costs the same."""
    objective = weighted(MANDL, 0.5)
    assert objective.passenger * 5.0 == pytest.approx(objective.operator * 161.0)


def test_other_networks_have_ranges_too():
    """Without published points a range follows from the network and contains its designs."""
    other = MANDL.changed(name="elsewhere")
    within = range_of(other)
    assert within.best_operator_min == pytest.approx(63.0)
    found = evaluate(other, design(other, "hyper", evaluations=300).lines)
    assert within.best_travel_min <= found.travel_min < within.worst_travel_min
    assert found.operator_min < within.worst_operator_min


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Range(1.0, 1.0, 2.0, 1.0), "worst_travel_min is 1.0"),
        (lambda: weighted(MANDL, 1.5), "share is 1.5"),
        (lambda: sweep(MANDL, "hyper", evaluations=9, weights=1), "weights is 1"),
        (lambda: sweep(MANDL, "hyper", evaluations=9, sweeps=0), "sweeps is 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    """Empty ranges, shares beyond 1, and sweeps of one weight."""
    with pytest.raises(InputError, match=message):
        call()


def test_an_empty_front_has_no_volume():
    """Nothing found is worth nothing."""
    assert Front().hypervolume(SQUARE) == 0.0
