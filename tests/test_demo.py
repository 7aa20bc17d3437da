"""The demo, small: all its files, their content, and the credit on each."""

import json

import pytest

from nco import check, demo
from nco.cli import main
from nco.data.formats.registry import load


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Ten stops by two quick methods."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    return demo.run(folder, methods=("nearest", "savings"), size=10, time_limit_s=0.5)


def test_demo_leaves_every_file_with_the_credit(done):
    """Table aside, the demo is its files; those with streets say whose they are."""
    folder = done.files["report"].parent
    names = {"problem.json", "solution.json", "routes.csv", "routes.geojson", "routes.png"}
    assert {path.name for path in folder.iterdir()} == names | {"map.html", "report.json"}
    for name in ("problem.json", "routes.csv", "routes.geojson", "map.html", "report.json"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "OpenStreetMap contributors" in text or "\\u00a9 OpenStreetMap" in text, name
    assert (folder / "routes.png").read_bytes().startswith(b"\x89PNG")


def test_demo_report_says_how_it_was_measured(done):
    """The report has versions, processor, seeds, limits and one answer a method."""
    report = json.loads(done.files["report"].read_text())
    assert [answer["method"] for answer in report["answers"]] == ["nearest", "savings"]
    assert report["machine"]["processor"]
    assert report["versions"]["nco"]
    for answer in report["answers"]:
        assert {"seed", "time_limit_s", "version", "gap", "routes"} <= set(answer)
    assert report["best"] in ("nearest", "savings")


def test_demo_files_pass_the_checker(done):
    """What is on the disk is the best answer, and feasible."""
    problem, solution = load(done.files["problem"]), load(done.files["solution"])
    assert check(problem, solution)
    assert done.sound
    assert solution.method == json.loads(done.files["report"].read_text())["best"]


def test_demo_verb_prints_one_table(tmp_path, capsys):
    """The verb ends with 0 and shows method, cost, gap, time and feasibility."""
    out = str(tmp_path / "demo")
    argv = ["demo", "--out", out, "--method", "nearest,savings", "--time-limit", "0.2"]
    assert main(argv) == 0
    text = capsys.readouterr().out
    for word in ("nearest", "savings", "cost km", "gap", "feasible", "report.json"):
        assert word in text
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"]


def test_policy_stands_beside_the_best_in_the_picture(done, helsinki):
    """The picture shows two answers, also where the policy is not second."""
    assert demo.picture(done.problem, done.answers, helsinki).startswith(b"\x89PNG")
    assert demo.picture(done.problem, done.answers[:1], helsinki).startswith(b"\x89PNG")
