"""`nco.load` and `nco.save` find the format by suffix and content, and lose nothing."""

import shutil
from pathlib import Path

import pytest
from fake_city import FakeCity
from instances import line_of_four

import nco
from nco import Problem, Solution
from nco.data.formats.stops import Stops
from nco.errors import FormatError, InputError, StorageError

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Four stops on a city."""
    return nco.sample.rcvrp(FakeCity(), 4, seed=1)


@pytest.fixture(scope="module")
def solution(problem) -> Solution:
    """All of them served on two routes."""
    return Solution.from_routes(problem, [[1, 3], [4, 2]])


@pytest.mark.parametrize("name", ["p.json", "p.vrp", "p.vroom.json", "P.JSON"])
def test_problem_files(tmp_path, problem, name):
    """A problem comes back from each format with the same stops, demands and distances."""
    back = nco.load(nco.save(problem, tmp_path / "deep" / name))
    assert back.demand.tolist() == problem.demand.tolist()
    distance = problem.profiles[0].distance_m
    assert abs(back.profiles[0].distance_m - distance).max() <= 0.5
    assert (back == problem) == name.lower().endswith("p.json")


def test_problem_as_table(tmp_path, problem):
    """A problem written as a table of stops is posed again on its city."""
    path = nco.save(problem, tmp_path / "p.csv")
    assert isinstance(nco.load(path), Stops)
    fields = {"capacity": problem.vehicles[0].capacity, "name": problem.name}
    assert nco.load(path, city=FakeCity(), **fields) == problem
    assert nco.load(path, city=FakeCity()).name == "p"


@pytest.mark.parametrize("name", ["s.json", "s.sol", "s.csv", "s.geojson", "s.vroom.json"])
def test_solution_files(tmp_path, problem, solution, name):
    """A solution comes back from each format with the same routes and cost."""
    path = nco.save(solution, tmp_path / name, problem=problem, city=FakeCity())
    assert nco.load(path, problem=problem) == solution


@pytest.mark.parametrize("name", ["s.sol", "s.csv", "s.geojson", "s.vroom.json"])
def test_routes_need_their_problem(tmp_path, problem, solution, name):
    """Formats that hold only routes ask for the problem, in both directions."""
    with pytest.raises(InputError, match="give problem="):
        nco.save(solution, tmp_path / name)
    path = nco.save(solution, tmp_path / name, problem=problem)
    with pytest.raises(InputError, match="holds routes only; give problem="):
        nco.load(path)


def test_stops_files(tmp_path):
    """A table of stops is written and read as such."""
    stops = nco.load(DATA / "stops" / "valid.csv")
    back = nco.load(nco.save(stops, tmp_path / "s.csv"))
    assert back.names == stops.names


def test_examples_by_content():
    """Classical and VROOM files are told apart by what is in them."""
    assert nco.load(DATA / "vrp" / "tiny.vrp", rounding="none").size == 4
    assert nco.load(DATA / "vrp" / "S3.txt").name == "S3"
    assert nco.load(DATA / "vroom" / "tiny.json", names="description").names[2] == "Kallio"


def test_unknown_suffix(tmp_path, problem):
    """Suffixes that are not known list those that are."""
    with pytest.raises(FormatError, match=r"the suffix '.docx' is not known; read are .json"):
        nco.load(tmp_path / "stops.docx")
    with pytest.raises(InputError, match=r"a problem cannot be written so; .* .csv, .json"):
        nco.save(problem, tmp_path / "p.sol")
    with pytest.raises(InputError, match="a dict cannot be saved"):
        nco.save({}, tmp_path / "p.json")
    assert not list(tmp_path.iterdir())


def test_unknown_content(tmp_path):
    """JSON that is none of ours says what is known."""
    path = tmp_path / "x.json"
    path.write_text('{"hello": 1}')
    with pytest.raises(FormatError, match="known are 'nco-problem', 'nco-solution', VROOM"):
        nco.load(path)


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        (
            "vrp/tiny.vrp",
            {"capacity": 5},
            "capacity= does not apply.*it takes rounding=, vehicles=",
        ),
        ("vroom/tiny.json", {"rounding": "none"}, "rounding= does not apply.*it takes names="),
        ("stops/valid.csv", {"capacity": 5}, "capacity= does not apply.*give city="),
    ],
)
def test_options_that_do_not_apply(file, options, message):
    """An option of another format is refused, not ignored."""
    with pytest.raises(InputError, match=message):
        nco.load(DATA / file, **options)


def test_nothing_is_lost_on_failure(tmp_path):
    """A file stays as it was when what should replace it cannot be written."""
    path = shutil.copy(DATA / "vrp" / "tiny.vrp", tmp_path / "p.vrp")
    before = path.read_bytes()
    unfit = Problem.from_matrices([[0, 1], [1, 0]], skills={1: ["cold"]})
    with pytest.raises(InputError):
        nco.save(unfit, path)
    assert path.read_bytes() == before
    with pytest.raises(StorageError):
        nco.save(line_of_four(), path / "p.json")
    assert [file.name for file in tmp_path.iterdir()] == ["p.vrp"]


def test_damaged_files_never_crash(tmp_path):
    """Cut off anywhere, a file is read, or refused with an error of ours."""
    for source in ("vrp/tiny.vrp", "vrp/directed.vrp", "vrp/S3.txt", "vroom/tiny.json"):
        content = (DATA / source).read_bytes()
        path = tmp_path / Path(source).name
        for end in range(0, len(content), 7):
            path.write_bytes(content[:end])
            try:
                nco.load(path)
            except FormatError as error:
                assert path.name in str(error)
