"""Our own JSON keeps every bit of problems and solutions and refuses what it does not know."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from instances import directed, line_of_four, problems, problems_with_routes, ruled_problems

from nco import Problem, Solution
from nco.data.formats.native import read_problem, read_solution, write_problem, write_solution
from nco.errors import FormatError, StorageError

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(problem=problems() | ruled_problems())
def test_problem_round_trip(tmp_path, problem):
    """Every field of a problem, unreachable pairs included, comes back bit for bit."""
    assert read_problem(write_problem(tmp_path / "p.json", problem)) == problem


@quick
@given(pair=problems_with_routes())
def test_solution_round_trip(tmp_path, pair):
    """Routes, reasons, violations (also infinite ones) and costs come back bit for bit."""
    solution = Solution.from_routes(*pair)
    solution = solution.stamped(method="any", seed=3, time_s=0.1, setup_s=0.2)
    path = write_solution(tmp_path / "s.json", solution)
    assert read_solution(path) == solution
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_total_that_its_parts_do_not_make_is_refused(tmp_path):
    """A cost that was written into a file by hand does not pass for the solver's."""
    problem = line_of_four()
    path = write_solution(tmp_path / "s.json", Solution.from_routes(problem, [[1, 2]]))
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"cost": data["cost"] | {"total": 1.0}}))
    with pytest.raises(FormatError, match=r"cost\.total is 1, but its parts make"):
        read_solution(path)


def test_large_matrices_are_packed(tmp_path):
    """A matrix of 120 x 120 is packed to less than its raw size and comes back exactly."""
    distance = directed(120)
    distance[3, 7] = np.inf
    problem = Problem.from_matrices(distance, lonlat=np.ones((120, 2)))
    path = write_problem(tmp_path / "p.json", problem)
    assert read_problem(path) == problem
    assert path.stat().st_size < 2 * distance.nbytes
    assert "OpenStreetMap" in path.read_text()


def test_many_alike_vehicles_are_one_entry(tmp_path):
    """Vehicles that are one object stay one object, so that large fleets cost nothing."""
    problem = Problem.from_matrices(directed(4), demand=[0, 1, 1, 1], capacity=2, vehicles=500)
    back = read_problem(write_problem(tmp_path / "p.json", problem))
    assert len(back.vehicles) == 500
    assert len({id(vehicle) for vehicle in back.vehicles}) == 1


def changed(tmp_path, **changes):
    """The file of `line_of_four` with some entries replaced; `...` removes one."""
    path = write_problem(tmp_path / "p.json", line_of_four())
    data = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "format is 'other'; it must be 'nco-problem'"),
        ({"format": ...}, "format is missing"),
        ({"version": 99}, "version is 99; this nco reads version 1"),
        ({"vehicels": []}, "did you mean 'vehicles'"),
        ({"profiles": ...}, "profiles is missing"),
        ({"profiles": [{"distance_m": [[0]]}]}, r"profiles\[0\].duration_s is missing"),
        ({"profiles": [{"distance_m": [[0, "a"]]}]}, "must be .lists of. numbers"),
        ({"demand": [[0], [1, 2], [1], [1]]}, "rows of different lengths"),
        ({"demand": [0, 1, -1, 1]}, r"demand\[2, 0\] is -1"),
        ({"depots": "one"}, "depots is 'one'; it must be a whole number"),
        ({"objective": {"distanc": 1}}, "did you mean 'distance'"),
        ({"vehicles": [{"count": 0}]}, r"vehicles\[0\].count is 0; it must be 1 or more"),
        ({"vehicles": [{"count": 10**9}]}, "at most 1000000"),
        ({"vehicles": [{"capacity": [True]}]}, r"capacity\[0\] is true"),
        ({"vehicles": [{"shift_s": [5]}]}, "must be two numbers"),
        ({"vehicles": [{"capacity": [-1]}]}, r"vehicles\[0\]: vehicle: capacity\[0\] is -1"),
        (
            {"demand": {"encoding": "zlib+base64", "dtype": "<f8", "shape": [4, 1], "data": "&"}},
            "demand.data is damaged",
        ),
        ({"demand": {"encoding": "lzma"}}, "only 'zlib[+]base64' is known"),
    ],
)
def test_malformed_problem(tmp_path, changes, message):
    """Each malformed entry is named with what it must be."""
    with pytest.raises(FormatError, match=message):
        read_problem(changed(tmp_path, **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"format": \xff}', "line 1: byte 0xff is not UTF-8"),
        (b'{\n"format" 1}', "line 2, column 10: not JSON"),
        (b'{"version": NaN}', "NaN is not JSON"),
        (b'{"version": 1e999}', "1e999 is too large"),
        (b"[1]", "is a list; it must be an object"),
        (b"[" * 100000, "nested too deeply"),
        (b'{"name": "\\ud800"}', "half a character"),
        (b'{"version": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_not_json(tmp_path, content, message):
    """Files that are no strict JSON say where."""
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_problem(path)


def test_missing_file_and_folder(tmp_path):
    """A path that leads nowhere and one that leads to a folder are told apart."""
    with pytest.raises(FormatError, match="there is no such file"):
        read_problem(tmp_path / "none.json")
    with pytest.raises(FormatError, match="is a folder"):
        read_problem(tmp_path)


def test_unwritable_place(tmp_path):
    """A file where a folder should be is a StorageError, and stays as it is."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(StorageError, match="cannot write"):
        write_problem(tmp_path / "file" / "p.json", line_of_four())
    assert (tmp_path / "file").read_text() == "kept"
