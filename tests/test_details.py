"""Free words about nodes go from the problem to every output, and change no plan."""

import csv
import json

import numpy as np
import pytest
from instances import directed, line_of_four

from nco import Planner, Problem, Solution, Vehicle, load, save
from nco.data.formats.geojson import write_geojson
from nco.data.formats.native import read_problem, write_problem
from nco.data.formats.solution_csv import read_routes, write_routes
from nco.errors import ProblemError
from nco.fleet.reductions.open_routes import open_routes

WORDS = {2: {"phone": "+358 40 1", "Note": "ring =twice"}, 0: {"city": "Töölö"}}


def told(**fields) -> Problem:
    """A depot and three stops, two of the four nodes with details."""
    return Problem.from_matrices(
        directed(4), lonlat=np.full((4, 2), 10.0), details=WORDS, vehicles=2, **fields
    )


def test_details_are_no_feature_and_are_kept_in_order():
    """They ask nothing of a solver; entries without words are dropped."""
    problem = told()
    assert problem.features == Problem.from_matrices(directed(4), vehicles=2).features
    assert list(problem.details) == [0, 2]
    assert Problem.from_matrices(directed(2), details={1: {}}).details == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({4: {"a": "b"}}, "details names node 4; nodes are 0 to 3"),
        ({-1: {"a": "b"}}, "details names node -1"),
        ({"1": {"a": "b"}}, "details names node '1'"),
        ({True: {"a": "b"}}, "details names node True"),
        ({1: "phone"}, r"details\[1\] is 'phone'; give texts by title"),
        ({1: {"phone": 5}}, r"details\[1\] has 'phone': 5"),
        ({1: {" ": "x"}}, "a title that is not empty"),
        (["x"], r"details is \['x'\]"),
    ],
)
def test_details_of_another_kind_are_refused(given, message):
    """Each message names the node and what is to be given."""
    with pytest.raises(ProblemError, match=message):
        Problem.from_matrices(directed(4), details=given)


def test_details_survive_the_native_format(tmp_path):
    """A problem reads back the same; a problem without details has no such entry."""
    path = write_problem(tmp_path / "p.json", told())
    assert read_problem(path) == told()
    assert "details" not in json.loads(write_problem(path, line_of_four()).read_text())


def test_every_output_has_the_details(tmp_path):
    """Timetable, GeoJSON and JSON name the words of each stop, served or not."""
    problem = told()
    solution = Solution.from_routes(problem, [[2]])
    path = write_routes(tmp_path / "r.csv", problem, solution)
    with path.open(newline="", encoding="utf-8") as opened:
        rows = {row["stop"]: row for row in csv.DictReader(opened)}
    assert rows["2"]["phone"] == "'+358 40 1" and rows["2"]["Note (given)"] == "ring =twice"
    assert rows["depot"]["city"] == "Töölö" and rows["3"]["phone"] == ""
    assert read_routes(path, problem) == solution
    features = json.loads(write_geojson(tmp_path / "r.geojson", problem, solution).read_text())
    given = [f["properties"].get("details") for f in features["features"]]
    assert [words for words in given if words] == [WORDS[0], WORDS[2]]
    path = save(solution, tmp_path / "s.json", problem=problem)
    assert json.loads(path.read_text())["details"][1] == {"node": 2, "words": WORDS[2]}
    assert load(path) == solution


def test_reductions_and_plans_of_the_rest_of_a_day():
    """A reduction that inserts a node mixes nothing up; the planner keeps what it still plans."""
    problem = told()
    van = Vehicle(open_end=True)
    reduced = open_routes(Problem.from_matrices(directed(4), vehicles=[van], details=WORDS))
    assert reduced is not None and reduced.details == {}
    assert Planner(problem).rest.details == problem.details
