"""Benchmarks: suites, and results that survive an interruption."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from bench_results import write_files
from instances import line_of_four

import nco
from nco import bench
from nco.bench.provenance import code, fingerprint
from nco.bench.result import from_line, read_results
from nco.cli import main
from nco.errors import CityError, FormatError, InputError, NcoError, StorageError
from nco.problem import Problem

METHODS = ("nearest", "savings")
KIND = {"cities": ("helsinki",), "problems": ("rcvrp",), "sizes": (5,), "count": 2}
SMALL = bench.Suite(
    instances=bench.in_cities(**KIND), methods=METHODS, budgets_s=(0.2, 0.4)
)  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The small suite, run once."""
    folder = tmp_path_factory.mktemp("bench")
    told = []
    lines = bench.run(SMALL, folder, done=lambda *counts: told.append(counts))
    assert told == [(k, 8) for k in range(1, 9)]
    return folder, lines


@pytest.fixture
def files(tmp_path):
    """A folder of two tiny instances."""
    return write_files(tmp_path / "tiny")


def crash(problem, time_limit_s, seed, initial=None):
    """A method with a fault."""
    raise ZeroDivisionError("by design")


class Crashing:
    """A solver that raises."""

    name, supports, solve = "crashing", frozenset(nco.Feature), staticmethod(crash)


CRASHING = Crashing()


def test_tasks_put_methods_side_by_side():
    """Every method at every budget on every instance, methods innermost."""
    tasks = list(SMALL.tasks())
    assert len(tasks) == 8
    assert [(t.instance.seed, t.budget_s, t.method) for t in tasks[:3]] == [
        (0, 0.2, "nearest"),
        (0, 0.2, "savings"),
        (0, 0.4, "nearest"),
    ]


def test_instances_are_every_combination():
    """Cities, squares, problems and sizes multiply; each size has its capacity."""
    found = bench.in_cities(
        ["helsinki"],
        ["rcvrp", "rcvrptw"],
        [20, 50],
        count=3,
        seed=7,
        within_km=(None, 3.0),
        capacity=(40.0, 60.0),
    )
    assert len(found) == 2 * 2 * 2 * 3
    assert len({instance.name for instance in found}) == len(found)
    assert {(i.size, i.capacity) for i in found} == {(20, 40.0), (50, 60.0)}
    assert {i.seed for i in found} == {7, 8, 9}
    assert len({i.group for i in found}) == 8
    assert (
        "3 km square"
        in bench.Drawn(city="x.osm.pbf", problem="atsp", size=4, seed=0, within_km=3.0).group
    )


def test_source_names_no_folder():
    """The same extract elsewhere gives the same instance of a suite."""
    one, other = (
        bench.Drawn(city=city, problem="rcvrp", size=5, seed=0)
        for city in ("/here/porto.osm.pbf", "porto.osm.pbf")
    )
    assert one.source == other.source
    assert one.source["city"] == "porto"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"problems": ("tsp",)}, "problem is 'tsp'"),
        ({"sizes": (0,)}, "size is 0"),
        ({"problems": ("atsp",), "sizes": (1,)}, "atsp takes 2 or more"),
        ({"count": 0}, "instances is 0"),
        ({"within_km": (-1.0,)}, "within_km is -1"),
        ({"how": "drones"}, "how is 'drones'"),
        ({"capacity": (9.0, 9.0)}, "2 capacities for 1 sizes"),
        ({"problems": ("atsp",), "capacity": (9.0,)}, "does not apply to atsp"),
    ],
)
def test_drawn_instances_refuse_what_makes_no_sense(wrong, message):
    """The error names the field, before anything runs."""
    with pytest.raises(InputError, match=message):
        bench.in_cities(**(KIND | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"instances": ()}, "instances is empty"),
        ({"methods": ()}, "methods is empty"),
        ({"methods": ("magic",)}, "'magic' is unknown"),
        ({"budgets_s": (0.0,)}, "time_limit_s is 0"),
    ],
)
def test_suite_refuses_what_makes_no_sense(wrong, message):
    """The error names the field, before anything runs."""
    with pytest.raises(InputError, match=message):
        bench.Suite(**({"instances": SMALL.instances} | wrong))


def test_city_that_is_not_there_is_told_at_once():
    """A typo in the last of many cities costs no hours of the others."""
    with pytest.raises(NcoError, match="atlantis"):
        bench.in_cities(**(KIND | {"cities": ("helsinki", "atlantis.osm.pbf")}))


def test_cities_of_one_name_are_refused(tmp_path):
    """Results could not tell them apart."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "porto.osm").touch()
    with pytest.raises(CityError, match="both called 'porto'"):
        bench.in_cities(
            **(KIND | {"cities": [str(tmp_path / k / "porto.osm") for k in ("a", "b")]})
        )


def test_capacity_follows_from_size(helsinki):
    """100 stops have vehicles of 50, as published results have; an own one replaces it."""
    plain = bench.Drawn(city="helsinki", problem="rcvrp", size=100, seed=0)
    own = replace(plain, capacity=30.0)
    assert plain.build().vehicles[0].capacity == (50.0,)
    assert own.build().vehicles[0].capacity == (30.0,)
    assert plain.source != own.source


def test_every_line_tells_all(results):
    """A line repeats the run: versions, seed, processor, limit, cost by solver and checker."""
    folder, found = results
    for result in found:
        assert result.feasible
        assert result.sound
        assert result.cost == pytest.approx(result.claimed, rel=1e-9)
        assert result.threads == 1
        assert result.suite == SMALL.digest
        assert result.code == code()
    lines = (folder / "results.jsonl").read_text().splitlines()
    assert [from_line(line) for line in lines] == found
    assert {json.loads(line)["processor"] for line in lines} == {found[0].processor}


def test_interrupted_suite_goes_on_where_it_stopped(results, tmp_path):
    """Done runs are kept as they are; a line that was cut off and old code run again."""
    folder, lines = results
    kept = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    old = replace(lines[5], code="another").line() + "\n"
    (tmp_path / "results.jsonl").write_text("".join(kept[:5]) + old + kept[6][:40])
    told = []
    again = bench.run(SMALL, tmp_path, done=lambda *counts: told.append(counts))
    assert told == [(6, 8), (7, 8), (8, 8)]
    assert again[:5] == lines[:5]
    assert [found.cost for found in again] == [found.cost for found in lines]
    assert bench.run(SMALL, tmp_path) == again
    assert len(read_results(tmp_path / "results.jsonl")) == 9


def test_suite_may_grow(results, tmp_path):
    """Runs of a smaller suite count for a larger one, and say then that they belong to it."""
    folder, _ = results
    (tmp_path / "results.jsonl").write_bytes((folder / "results.jsonl").read_bytes())
    larger = replace(SMALL, instances=bench.in_cities(**(KIND | {"count": 3})))
    told = []
    found = bench.run(larger, tmp_path, done=lambda *counts: told.append(counts))
    assert len(told) == 4
    assert {(result.suite, result.suite_instances) for result in found} == {(larger.digest, 3)}
    assert bench.gather([tmp_path]) == sorted(
        found, key=lambda r: (r.size, r.instance, r.budget_s, r.method)
    )


def test_other_files_are_not_taken_for_results(tmp_path):
    """A file that is no result is refused and left alone; a folder in its place is too."""
    path = tmp_path / "results.jsonl"
    path.write_text('{"something": "else"}\n')
    with pytest.raises(FormatError, match="line 1: not a result"):
        bench.run(SMALL, tmp_path)
    assert path.read_text() == '{"something": "else"}\n'
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose a folder that can be written"):
        bench.run(SMALL, tmp_path / "file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": 3}, "method is 3"),
        ({"cost": True}, "cost is True"),
        ({"findings": None}, "findings is None"),
        ({"source": "x"}, "source is 'x'"),
    ],
)
def test_lines_with_a_wrong_value_are_refused(results, tmp_path, change, message):
    """The message names file, line and value."""
    _, found = results
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(json.loads(found[0].line()) | change) + "\n")
    with pytest.raises(FormatError, match=f"line 1.*{message}"):
        read_results(path)


def test_files_are_instances_too(files, tmp_path):
    """CVRPLIB and Solomon files run, and the routes in the .sol file are the best known."""
    instances = bench.in_files([], [files], seed=3)
    assert [(i.name, i.size, i.seed, i.group) for i in instances] == [
        ("line", 3, 3, "tiny"),
        ("tiny", 3, 3, "tiny"),
    ]
    assert [i.best_known for i in instances] == [800.0, None]
    suite = bench.Suite(instances=instances, methods=("nearest",), budgets_s=(0.2,))
    found = bench.run(suite, tmp_path / "out")
    assert [result.feasible for result in found] == [True, True]
    assert [result.best_known for result in found] == [800.0, None]
    assert str(tmp_path) not in (tmp_path / "out" / "results.jsonl").read_text()


def test_routes_that_do_not_fit_are_no_best_known(files, caplog):
    """A .sol file of another instance is reported and left out."""
    (files / "line.sol").write_text("Route #1: 1 2 3\nCost 600\n")
    assert bench.in_files([files / "line.vrp"])[0].best_known is None
    assert "without a best known cost" in caplog.text


def test_files_that_hold_no_problem_are_refused(files, tmp_path):
    """Wrong folders and files are errors before anything runs."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no instance"):
        bench.in_files([], [tmp_path / "empty"])
    with pytest.raises(InputError, match="is not a folder"):
        bench.in_files([], [files / "line.vrp"])
    (files / "notes.txt").write_text("not an instance")
    with pytest.raises(FormatError, match="notes"):
        bench.in_files([], [files])


def test_the_same_file_twice_is_one_instance(files, tmp_path):
    """Copies are known by what is in them."""
    copy = tmp_path / "copy.vrp"
    copy.write_bytes((files / "line.vrp").read_bytes())
    assert len(bench.in_files([files / "line.vrp", copy, files / "line.vrp"])) == 1


def test_method_that_raises_or_refuses_is_a_result(files, tmp_path, monkeypatch, caplog):
    """One method's fault costs the others nothing; a crash is run again, a refusal is not."""
    monkeypatch.setitem(import_module("nco.solve")._METHODS, "crashing", "test_bench:CRASHING")
    suite = bench.Suite(
        instances=bench.in_files([files / "tiny.txt"]),
        methods=("crashing", "hgs", "nearest"),
        budgets_s=(0.2,),
    )
    crashed, refused, good = bench.run(suite, tmp_path / "out")
    assert crashed.crashed == "ZeroDivisionError: by design"
    assert not crashed.sound
    assert "by design" in caplog.text
    assert "time windows" in (refused.refused or "")
    assert refused.sound
    assert not refused.counts
    assert good.counts
    told = []
    bench.run(suite, tmp_path / "out", done=lambda *counts: told.append(counts))
    assert told == [(3, 3)]


def test_fingerprint_follows_from_what_decides_costs():
    """Matrices, demands, vehicles and objective count; names and places do not."""
    problem = line_of_four()
    distance = problem.profiles[0].distance_m
    plain = {"demand": [0, 1, 1, 1], "capacity": 2, "vehicles": 2}
    base = Problem.from_matrices(distance, distance / 10, **plain)
    assert fingerprint(base) == fingerprint(problem)
    longer = distance + np.where(distance > 250, 0.1, 0.0)
    others = [
        Problem.from_matrices(longer, distance / 10, **plain),
        Problem.from_matrices(distance, distance / 10, **(plain | {"capacity": 3})),
        Problem.from_matrices(distance, distance / 10, **(plain | {"vehicles": 3})),
        replace(base, objective=nco.Objective(duration=1.0)),
        replace(base, prize=[np.inf, 5.0, np.inf, np.inf]),
    ]
    assert len({fingerprint(other) for other in [base, *others]}) == 6


def test_city_that_disappears_ends_the_suite(tmp_path):
    """A worker's error reaches the caller as what it is."""
    gone = bench.Drawn(city="atlantis.osm.pbf", problem="rcvrp", size=3, seed=0)
    suite = bench.Suite(instances=(gone,), methods=("nearest",))
    with pytest.raises(NcoError, match="atlantis"):
        bench.run(suite, tmp_path)


def test_bench_verb_writes_table_lines_and_curve(tmp_path, capsys):
    """The verb goes on from earlier lines too, and its exit code says whether all is sound."""
    out = tmp_path / "out"
    argv = ["bench", "--size", "5", "--instances", "1", "--method", "nearest", "savings"]
    argv += ["--budget", "0.2", "--out", str(out)]
    assert main(argv) == 0
    assert "nearest" in capsys.readouterr().out
    assert {path.name for path in out.glob("[!.]*")} == {  # locks are hidden
        "results.jsonl",
        "table.txt",
        "report.json",
        "anytime.png",
    }
    assert (out / "anytime.png").read_bytes().startswith(b"\x89PNG")
    assert main([*argv, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound"]
    assert len(found["rows"]) == 2
    assert found == json.loads((out / "report.json").read_text())
