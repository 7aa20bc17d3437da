"""An answer that a method did not find itself is marked as such, wherever it is shown."""

from dataclasses import replace

import numpy as np
import pytest
from bench_results import result

import nco
from nco import plot
from nco.bench import Report
from nco.bench.result import from_line
from nco.compare import compare, notes, table
from nco.problem.solution import CONSTRUCTION, INITIAL


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(3)
    distance_m = rng.integers(100, 1000, (41, 41)).astype(float)
    np.fill_diagonal(distance_m, 0)
    return nco.Problem.from_matrices(
        distance_m, demand=[0, *rng.integers(1, 9, 40)], capacity=40, vehicles=10
    )


@pytest.mark.parametrize("method", ["pyvrp", "ortools", "vroom", "hgs", "policy", "genetic"])
def test_without_time_the_answer_is_marked(method, problem):
    """In a limit too short for its search, the answer says that the method did not find it."""
    nco.solve(problem, method, time_limit_s=0.5)  # loads it
    found = nco.solve(problem, method, time_limit_s=1e-6)
    assert found.fallback
    assert found.label == f"{method}*"
    assert "not the method's own answer" in found.summary()


@pytest.mark.parametrize("method", ["pyvrp", "ortools", "hgs"])
def test_with_time_the_answer_is_its_own(method, problem):
    """Where the search ran, there is no mark."""
    found = nco.solve(problem, method, time_limit_s=1.0)
    assert found.fallback == ""
    assert found.label == method


def test_an_initial_solution_that_comes_back_is_marked(problem):
    """A method that returns what it was given says so."""
    best = nco.solve(problem, "pyvrp", time_limit_s=1.0)
    assert nco.solve(problem, "nearest", time_limit_s=1.0, initial=best).fallback == INITIAL


def test_marks_are_kept_in_files(problem, tmp_path):
    """Fallback and interruption survive a file; without them nothing is added to it."""
    plain = nco.solve(problem, "nearest")
    marked = replace(plain, fallback=CONSTRUCTION, interrupted=True)
    assert "fallback" not in nco.save(plain, tmp_path / "plain.json").read_text()
    assert nco.load(nco.save(marked, tmp_path / "marked.json")) == marked


def test_tables_of_methods_explain_the_mark(problem):
    """The name has a star, and a line below the table says what it means."""
    (answer,) = compare(problem, ["pyvrp"], time_limit_s=1e-6)
    assert table(problem, [answer])[1][0] == "pyvrp*"
    (note,) = notes([answer])
    assert note.startswith("pyvrp*: not the method's own answer")


def test_benchmarks_count_fallbacks():
    """Gaps and duels that fallbacks are part of have a star and their number."""
    lines = [result("a", 100.0, seed=seed) for seed in range(3)]
    lines += [
        result("b", 110.0, seed=seed, fallback="construction" * (seed < 2)) for seed in (0, 1, 2)
    ]
    report = Report(lines, compare="a")
    (row,) = [row for row in report.rows if row.method == "b"]
    assert row.fallbacks == 2
    text = report.text()
    assert text.count("*2") == 3  # gap, duel, lead
    assert "not the method's own" in text
    assert "not the method's own" not in Report(lines[:3]).text()


def test_results_from_before_fallbacks_were_kept_are_read():
    """A line without the field has none."""
    line = result("a").line().replace(', "fallback": ""', "")
    assert "fallback" not in line
    assert from_line(line).fallback == ""


def test_a_mean_over_fewer_instances_says_so_in_tables():
    """Where a run is missing, the cell has the number of instances that it is over."""
    lines = [result("a", 100.0, seed=seed) for seed in range(3)]
    lines += [result("b", 110.0, seed=seed) for seed in range(2)]
    assert "(2/3)" in Report(lines).text()


def test_points_over_fewer_runs_and_fallbacks_say_so():
    """n=1 stands on the point over one run; a hollow point has the number of its fallbacks."""
    runs = [("a", 1.0, 0.0), ("a", 1.0, 0.1), ("b", 1.0, 0.2), ("c", 1.0, 0.1), ("c", 1.0, 0.1)]
    ax = plot.anytime(runs, fallbacks={("c", 1.0): 2})
    assert sorted(text.get_text() for text in ax.texts) == ["*2", "n=1"]
    assert any(line.get_markerfacecolor() == "white" for line in ax.lines)
    assert not plot.anytime(runs[:2]).texts
