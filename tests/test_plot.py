"""Figures: what they draw, that they return their axes, and that lines keep to the right."""

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import given
from hypothesis import strategies as st
from instances import line_of_four
from matplotlib import pyplot

from nco import Problem, Route, Solution, plot, sample
from nco.data.cities.city import CREDIT
from nco.errors import InputError
from nco.plot.paths import keep_right, lanes, paths, street_widths


@pytest.fixture(autouse=True)
def _closed_figures():
    """Figures of one test do not pile up for the next."""
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def ten(helsinki):
    """Ten stops in Helsinki and an answer that leaves the last one out."""
    problem = sample.rcvrp(helsinki, 10, seed=1)
    return problem, Solution.from_routes(problem, [[1, 2, 3], [4, 5, 6, 7], [8, 9]])


def test_routes_are_drawn_along_streets_with_credit(helsinki, ten):
    """Lines have many more corners than the routes have stops, and the streets are credited."""
    problem, solution = ten
    ax = plot.routes(problem, solution, helsinki)
    assert sum(len(line.get_xdata()) for line in ax.lines) > 100
    assert CREDIT in [text.get_text() for text in ax.texts]
    assert "not feasible" in ax.get_title(loc="left")


def test_routes_go_on_the_given_axes_in_the_plane(ten):
    """Without a city lines are straight, and a problem without lonlat is drawn by its xy."""
    flat = Problem.from_matrices(1 - np.eye(4), xy=[[0, 0], [1, 0], [1, 1], [0, 1]])
    for problem in (ten[0], flat):
        ax = pyplot.figure().add_subplot()
        solution = Solution.from_routes(problem, [[1, 2, 3]])
        assert plot.routes(problem, solution, ax=ax, title="mine") is ax
        assert ax.get_title(loc="left") == "mine"


def test_routes_need_coordinates():
    """A problem of matrices only says how to give it coordinates."""
    problem = line_of_four()
    with pytest.raises(InputError, match="neither lonlat nor xy"):
        plot.routes(problem, Solution.from_routes(problem, [[1, 2]]))


def test_empty_solution_shows_every_stop_missing(helsinki, ten):
    """Nothing served is drawn too: crosses, no lines but the scale bar."""
    problem, _ = ten
    ax = plot.routes(problem, Solution.from_routes(problem, []), helsinki)
    assert len(ax.lines) == 1


def test_anytime_averages_and_orders_budgets():
    """Runs of one method and budget are averaged; budgets go from left to right."""
    ax = plot.anytime([("a", 2.0, 0.0), ("a", 1.0, 0.02), ("a", 1.0, 0.04), ("b", 1.0, 0.1)])
    assert [line.get_label() for line in ax.lines] == ["b", "a"]
    first = ax.lines[1]
    np.testing.assert_allclose(first.get_xdata(), [1, 2])
    np.testing.assert_allclose(first.get_ydata(), [3, 0])
    with pytest.raises(InputError, match="no runs"):
        plot.anytime([])


def test_asymmetry_draws_the_pair_that_differs_most(helsinki):
    """The legend gives both distances of the most different pair, the longer way first."""
    points = helsinki.sample(8, 2)
    there = helsinki.matrix(points).distance_m
    worst = (there - there.T).max()
    ax = plot.asymmetry(helsinki, points)
    numbers = [float(t.get_text().split()[-2]) for t in ax.get_legend().get_texts()]
    assert numbers[0] - numbers[1] == pytest.approx(worst, abs=1)
    with pytest.raises(InputError, match="no two"):
        plot.asymmetry(helsinki, points[:1])


def test_streets_of_faster_traffic_are_wider(helsinki):
    """Every street gets a width, and they differ."""
    widths = street_widths(helsinki)
    assert len(widths) == len(helsinki.streets())
    assert widths.min() >= 1
    assert np.ptp(widths) > 0.5


def test_routes_on_one_street_get_lanes_of_their_own(helsinki, ten):
    """Two routes that share a piece of street in one direction are in different lanes there."""
    problem, solution = ten
    drawn = paths(problem, solution, helsinki)
    numbers = lanes(drawn)
    taken = set()
    for path, offsets in zip(drawn, numbers, strict=True):
        pieces = {
            (*a, *b, lane)
            for leg, lane_of in zip(path.legs, offsets, strict=True)
            for a, b, lane in zip(leg.line.round(6), leg.line.round(6)[1:], lane_of, strict=False)
            for a, b in [(tuple(a), tuple(b))]
        }
        assert not pieces & taken
        taken |= pieces


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=8))
def test_keep_right_moves_every_corner_by_the_offset(corners):
    """Whatever the line, every place is moved by the offset, and nothing becomes NaN."""
    line = np.array(corners, float)
    shifted = keep_right(line, np.full(len(line) - 1, 0.25))
    kept = line[np.append(True, (np.diff(line, axis=0) != 0).any(axis=1))]
    if len(kept) > 1:
        np.testing.assert_allclose(np.linalg.norm(shifted - kept, axis=1), 0.25)


def test_keep_right_is_to_the_right():
    """Driving east, the right side is south."""
    east = np.array([[0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(keep_right(east, np.array([0.1]))[:, 1], -0.1)


def test_routes_follow_the_streets_of_their_own_profile():
    """Vehicles of a profile with streets of its own are drawn on these, the others straight."""
    city = FakeCity()
    streets = {"car": city, "bicycle": FakeCity("lanes")}
    fleet = {"van": 1, "cargo bicycle": 1}
    problem = sample.pvrp(streets, 4, seed=1, vehicles=fleet)
    routes = [Route(0, (1, 2)), Route(1, (3, 4))]
    solution = Solution.from_routes(problem, routes)
    van, bicycle = paths(problem, solution, None, {"bicycle": streets["bicycle"]})
    assert [len(leg.line) for leg in van.legs] == [2, 2, 2]
    assert [len(leg.line) for leg in bicycle.legs] == [3, 3, 3]
