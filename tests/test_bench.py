"""Benchmarks: suites, results that survive an interruption, and the summary."""

import json

import pytest

from nco import bench
from nco.cli import main
from nco.errors import FormatError, InputError, NcoError, StorageError

SMALL = bench.Suite(size=5, instances=2, methods=("nearest", "savings"), budgets_s=(0.2, 0.4))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The small suite, run once."""
    folder = tmp_path_factory.mktemp("bench")
    told = []
    lines = bench.run(SMALL, folder, done=lambda *counts: told.append(counts))
    assert told == [(k, 8) for k in range(1, 9)]
    return folder, lines


def line(method, cost, *, seed=0, budget_s=1.0, feasible=True, disagreement=0.0):
    """A line of results as far as the summary reads it."""
    return {
        "city": "x",
        "problem": "rcvrp",
        "size": 5,
        "seed": seed,
        "within_km": None,
        "method": method,
        "budget_s": budget_s,
        "cost": cost,
        "feasible": feasible,
        "time_s": 0.5,
        "disagreement": disagreement,
    }


def test_tasks_put_methods_side_by_side():
    """Every method at every budget on every instance, methods innermost."""
    tasks = list(SMALL.tasks())
    assert len(tasks) == 8
    assert [(t.seed, t.budget_s, t.method) for t in tasks[:3]] == [
        (0, 0.2, "nearest"),
        (0, 0.2, "savings"),
        (0, 0.4, "nearest"),
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"problem": "tsp"}, "problem is 'tsp'"),
        ({"methods": ()}, "methods is empty"),
        ({"methods": ("magic",)}, "'magic' is unknown"),
        ({"budgets_s": (0.0,)}, "time_limit_s is 0"),
        ({"instances": 0}, "instances is 0"),
    ],
)
def test_suite_refuses_what_makes_no_sense(wrong, message):
    """The error names the field, before anything runs."""
    with pytest.raises(InputError, match=message):
        bench.Suite(**wrong)


def test_every_line_tells_all(results):
    """A line repeats the run: versions, seed, processor, limit, cost by solver and checker."""
    folder, lines = results
    assert [json.loads(text) for text in (folder / "results.jsonl").read_text().splitlines()]
    for found in lines:
        assert found["feasible"]
        assert found["cost"] == pytest.approx(found["claimed"], rel=1e-9)
        assert {"version", "nco", "python", "processor", "seed", "budget_s", "at"} <= set(found)
        assert found["threads"] == 1
    assert bench.sound(lines)


def test_interrupted_suite_goes_on_where_it_stopped(results, tmp_path):
    """Done runs are kept as they are, a line that was cut off and old versions run again."""
    folder, lines = results
    kept = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    old = json.dumps(json.loads(kept[5]) | {"version": "nco 0.0.0"}) + "\n"
    (tmp_path / "results.jsonl").write_text("".join(kept[:5]) + old + kept[6][:40])
    told = []
    again = bench.run(SMALL, tmp_path, done=lambda *counts: told.append(counts))
    assert told == [(6, 8), (7, 8), (8, 8)]
    assert again[:5] == lines[:5]
    assert [found["cost"] for found in again] == [found["cost"] for found in lines]
    assert bench.run(SMALL, tmp_path) == again
    for text in (tmp_path / "results.jsonl").read_text().splitlines():
        json.loads(text)


def test_other_files_are_not_taken_for_results(tmp_path):
    """A file that is no result is refused and left alone; a folder in its place is too."""
    path = tmp_path / "results.jsonl"
    path.write_text('{"something": "else"}\n')
    with pytest.raises(FormatError, match="line 1: not a result"):
        bench.run(SMALL, tmp_path)
    assert path.read_text() == '{"something": "else"}\n'
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose another folder"):
        bench.run(SMALL, tmp_path / "file")


def test_summary_compares_with_the_best_of_all_budgets():
    """Gaps are to the best feasible run on the instance, whatever its budget."""
    lines = [
        line("a", 110.0, budget_s=1.0),
        line("b", 90.0, budget_s=1.0, feasible=False),
        line("a", 100.0, budget_s=2.0),
        line("b", 120.0, budget_s=2.0, disagreement=1e-3),
    ]
    assert bench.gaps(lines) == pytest.approx([0.1, None, 0.0, 0.2])
    rows = bench.summarise(lines)
    assert [(row.method, row.budget_s, row.feasible) for row in rows] == [
        ("a", 1.0, 1),
        ("b", 1.0, 0),
        ("a", 2.0, 1),
        ("b", 2.0, 1),
    ]
    assert rows[1].cost is None
    assert not bench.sound(lines)
    assert not bench.sound(lines[3:])
    assert "20.00 %" in bench.table(lines)


def test_bench_verb_writes_table_lines_and_curve(tmp_path, capsys):
    """The verb goes on from earlier lines too, and its exit code says whether all is sound."""
    out = tmp_path / "out"
    argv = ["bench", "--size", "5", "--instances", "1", "--method", "nearest", "savings"]
    argv += ["--budget", "0.2", "--out", str(out)]
    assert main(argv) == 0
    assert "nearest" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"results.jsonl", "table.txt", "anytime.png"}
    assert (out / "anytime.png").read_bytes().startswith(b"\x89PNG")
    assert main([*argv, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound"]
    assert len(found["rows"]) == 2


def test_city_that_is_not_there_ends_the_suite(tmp_path):
    """A worker's error reaches the caller as what it is."""
    suite = bench.Suite(cities=("atlantis.osm.pbf",), size=3, instances=1, methods=("nearest",))
    with pytest.raises(NcoError, match="atlantis"):
        bench.run(suite, tmp_path)
