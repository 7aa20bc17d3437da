"""Shards of a benchmark: who runs what, how results are joined, and the command for it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from bench_results import result, write_files
from hypothesis import given
from hypothesis import strategies as st

from nco import bench
from nco.bench.merge import check_comparable, missing
from nco.bench.result import read_results
from nco.cli import main
from nco.errors import FormatError, InputError

ROOT = Path(__file__).parents[1]


def suite(sizes=(5, 10), count=3, budgets_s=(0.25, 1.0, 10.0), methods=("nearest", "savings")):
    """A suite that never runs."""
    instances = bench.in_cities(["helsinki"], ["rcvrp"], sizes, count=count)
    return bench.Suite(instances=instances, methods=methods, budgets_s=budgets_s)


@given(st.integers(1, 30), st.integers(1, 4))
def test_shards_share_everything_once_and_evenly(shards, count):
    """No task is lost or done twice, methods stay together, and no shard has much more to do."""
    tasks = list(suite(count=count).tasks())
    shares = [bench.Shard(k + 1, shards).share(iter(tasks)) for k in range(shards)]
    assert sorted(task.key for share in shares for task in share) == sorted(t.key for t in tasks)
    planned_s = [sum(task.planned_s for task in share) for share in shares]
    units_s = [2 * task.planned_s for task in tasks]
    assert max(planned_s) - min(planned_s) <= max(units_s) + 1e-9
    for share in shares:
        methods = [task.method for task in share]
        assert methods == ["nearest", "savings"] * (len(methods) // 2)


@pytest.mark.parametrize("text", ["3/2", "0/2", "1/0", "1", "a/b", "-1/2", "1/2/3", ""])
def test_shards_that_do_not_exist_are_refused(text):
    """The message says how shards are named."""
    with pytest.raises(InputError, match=r"i/n"):
        bench.Shard.of(text)


def write(folder, results, name="results.jsonl"):
    """A file of results."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{one.line()}\n" for one in results))
    return folder


def test_gather_takes_the_latest_of_a_run(tmp_path):
    """Results of several folders and shards in one are joined, each run once."""
    early, late = (result(cost=cost, at=f"2026-01-0{day}") for cost, day in ((9.0, 1), (8.0, 2)))
    one = write(tmp_path / "one", [late, result("b")])
    two = write(tmp_path / "two", [early], "results-1-of-2.jsonl")
    write(two, [result(seed=1)], "results-2-of-2.jsonl")
    (two / "results-3-of-3.jsonl").touch()
    found = bench.gather([one, two, one / "results.jsonl"])
    assert [(r.method, r.seed, r.cost) for r in found] == [
        ("a", 0, 8.0),
        ("b", 0, 100.0),
        ("a", 1, 100.0),
    ]


def test_gather_refuses_nothing_and_nonsense(tmp_path):
    """Empty folders, empty files and garbled lines are errors that name the place."""
    with pytest.raises(InputError, match="holds no results"):
        bench.gather([tmp_path])
    with pytest.raises(InputError, match="no results to join"):
        bench.gather([write(tmp_path / "empty", [])])
    folder = write(tmp_path / "garbled", [result(), result("b")])
    path = folder / "results.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], "{oops\n", lines[1]]))
    with pytest.raises(FormatError, match=r"results\.jsonl, line 2"):
        bench.gather([folder])
    path.write_text("".join([lines[0], lines[1][:50]]))
    assert bench.gather([folder]) == [result()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suite": "other"}, "suites"),
        ({"nco": "9"}, "versions of nco"),
        ({"code": "9"}, "code"),
        ({"python": "9"}, "versions of Python"),
        ({"processor": "Napier's Bones"}, "processors: Abacus, Napier's Bones"),
        ({"version": "nco 9"}, "versions of a: nco 0, nco 9"),
        ({"fingerprint": "another", "instance": "x-0"}, "same instance: x-0"),
    ],
)
def test_results_that_were_not_measured_alike_are_refused(change, message):
    """The message says what differs, how, and what to do."""
    check_comparable([result(), result("b"), result(seed=1)])
    with pytest.raises(InputError, match=message) as caught:
        check_comparable([result(), result(seed=1, **change)])
    assert "--mixed" in str(caught.value)


def test_missing_runs_are_counted_by_suite():
    """Each suite has its own number of instances."""
    whole = [result(seed=seed) for seed in range(2)]
    assert missing(whole) == []
    assert "1 of 2 runs are there, on 1 of 2" in missing(whole[:1])[0]
    assert len(missing([whole[0], result(seed=1, suite="other")])) == 2


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Both shards of a tiny suite of files, run by the command, in one folder."""
    base = tmp_path_factory.mktemp("shards")
    files = write_files(base / "tiny")
    argv = ["bench", "solvers", "--folder", str(files), "--budget", "0.1", "0.2", "--seed", "4"]
    argv += ["--method", "nearest", "savings", "--out", str(base / "out")]
    for shard in ("1/2", "2/2"):
        assert main([*argv, "--shard", shard]) == 0
    return base, argv


def test_shards_merge_into_what_one_machine_finds(shards, tmp_path, capsys):
    """The merged report has all runs, and the same gaps as the suite run at once."""
    base, argv = shards
    names = {path.name for path in (base / "out").glob("[!.]*")}  # locks are hidden
    assert names == {"results-1-of-2.jsonl", "results-2-of-2.jsonl"}
    capsys.readouterr()
    merge = ["bench", "merge", str(base / "out"), "--out", str(tmp_path / "merged"), "--json"]
    assert main(merge) == 0
    merged = json.loads(capsys.readouterr().out)
    assert merged["incomplete"] == []
    assert merged["best_known"]["file"] + merged["best_known"]["runs"] == 2
    assert merged["provenance"]["seeds"] == "4"
    # Nothing is left to run: the whole suite finds the results of its shards.
    assert main([*argv, "--json", "--compare", "savings"]) == 0
    captured = capsys.readouterr()
    assert "8 of 8 runs were done before" in captured.err
    alone = json.loads(captured.out)
    assert alone["rows"] == merged["rows"]
    assert {duel["method"] for duel in alone["duels"]} == {"savings"}
    assert read_results(tmp_path / "merged" / "results.jsonl") == bench.gather([base / "out"])
    assert (tmp_path / "merged" / "anytime.png").is_file()


def test_merge_command_refuses_and_mixes(shards, tmp_path, capsys):
    """Different suites are an error of usage, unless they are wanted; references add answers."""
    base, _ = shards
    other = write(tmp_path / "other", [result()])
    merge = ["bench", "merge", str(base / "out"), str(other), "--out", str(tmp_path / "merged")]
    assert main(merge) == 2
    assert "differ in suites" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()
    # The other suite is not there whole.
    assert main([*merge, "--mixed", "--references", str(other / "results.jsonl")]) == 1
    assert "rcvrp, 5 stops" in capsys.readouterr().out
    assert main(["bench", "merge", "--out", str(tmp_path)]) == 2
    assert main(["bench", "merge", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "3/2"], "shard is 3/2"),
        (["--method", "magic"], "'magic' is unknown"),
        (["--city", "atlantis.osm.pbf"], "atlantis"),
        (["--size", "0"], "'0' is not a whole number of 1 or more"),
        (["--within-km", "wide"], "'wide' is not a number above 0"),
        (["--problem", "tsp"], "problem is 'tsp'"),
        (["--compare", "magic"], "not among the methods"),
        (["--rounding", "none"], "--rounding is for files"),
        (["--instance", "a.vrp", "--size", "5"], "--size is for instances drawn in cities"),
        (["--instance", "a.vrp"], "no such file"),
        (["--references", "none.jsonl"], "holds no results"),
    ],
)
def test_unusable_options_are_told_before_anything_runs(options, message, tmp_path, capsys):
    """Exit code 2, a message that says what was given, and no folder."""
    out = tmp_path / "out"
    assert main(["bench", "solvers", "--method", "nearest", "--out", str(out), *options]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_options_before_the_action_count(shards, capsys):
    """`nco bench OPTIONS solvers OPTIONS` loses none of the first."""
    _, argv = shards
    assert main(["bench", "--json", *argv[2:], "solvers", "--jobs", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["suite"]["methods"] == ["nearest", "savings"]


def test_slurm_example_is_a_valid_script(tmp_path):
    """Bash reads it, and each task of the array runs the shard of its number."""
    script = ROOT / "scripts" / "bench_array.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    told = tmp_path / "nco"
    told.write_text('#!/bin/sh\necho "$@"\n')
    told.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    slurm = {"ID": "3", "COUNT": "8", "MIN": "1", "MAX": "8"}

    def submitted(**more: str) -> subprocess.CompletedProcess[str]:
        told = {f"SLURM_ARRAY_TASK_{name}": value for name, value in (slurm | more).items()}
        return subprocess.run(
            [shutil.which("bash") or "bash", str(script), "--out", "o"],
            env={"PATH": path, **told, **shards}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    shards: dict[str, str] = {}
    assert submitted().stdout.split() == ["bench", "solvers", "--shard", "3/8", "--out", "o"]
    # --array=3,7 alone does not say of how many.
    some = {"COUNT": "2", "MIN": "3", "MAX": "7"}
    refused = submitted(**some)
    assert refused.returncode == 2
    assert "NCO_SHARDS" in refused.stderr
    shards = {"NCO_SHARDS": "8"}
    assert "3/8" in submitted(**some).stdout
