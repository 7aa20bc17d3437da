"""`nco transit`: design, evaluate and bench, their files and exit codes."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nco.cli import main
from nco.commands._transit_options import with_hub
from nco.errors import FormatError, InputError
from nco.transit.answer import describe, read_design
from nco.transit.bench import report as bench_report
from nco.transit.bench import run as bench
from nco.transit.bench.result import Run, read_runs
from nco.transit.design import registry
from nco.transit.design.named import objective_of, running_lines, settings_of
from nco.transit.evaluate.exact import evaluate
from nco.transit.files.native import load_instance, save_instance
from nco.transit.files.read import read_instance
from nco.transit.instance.lines import check_lines
from nco.transit.instance.transit_instance import TransitInstance

SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "transit"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared instances are not here")

GOOD = "0-1-2-5-7-9-10-12\n9-13-12\n4-3-5-7-14-6\n0-1-4-3-11-10\n8-14-5-2-1\n9-7-5-3-11\n"
QUICK = ("--method", "hyper", "--evaluations", "200")


@pytest.fixture
def good(tmp_path):
    """A file of lines for Mandl's network that break nothing."""
    path = tmp_path / "good.txt"
    path.write_text(GOOD)
    return path


@pytest.fixture
def city(tmp_path):
    """Mandl's network somewhere on Earth."""
    mandl = TransitInstance.mandl()
    instance = mandl.changed(lonlat=np.round([24.9, 60.1] + 0.01 * mandl.xy, 6))
    return save_instance(tmp_path / "city.json", instance)


def read(capsys):
    """The JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def test_design_writes_lines_in_every_format(city, tmp_path, capsys):
    """Text, JSON, GeoJSON, a GTFS feed, a figure and the instance; all of the same lines."""
    out = tmp_path / "out"
    assert main(["transit", "design", str(city), *QUICK, "--out", str(out), "--json"]) == 0
    data = read(capsys)
    lines = tuple(map(tuple, data["lines"]))
    assert set(data["files"]) == {"instance", "lines", "design", "geojson", "gtfs", "figure"}
    assert {path.name for path in out.iterdir()} == {
        *("instance.json", "lines.txt", "design.json", "lines.geojson", "gtfs.zip", "lines.png")
    }
    assert read_design(out / "lines.txt") == read_design(out / "design.json") == lines
    instance = load_instance(out / "instance.json")
    assert check_lines(instance, lines) == []
    assert data["cost"] == pytest.approx(evaluate(instance, lines).travel_min)
    features = json.loads((out / "lines.geojson").read_text())["features"]
    drawn = [f["properties"]["nodes"] for f in features if f["properties"]["kind"] == "line"]
    assert drawn == [list(line) for line in lines]
    with zipfile.ZipFile(out / "gtfs.zip") as feed:
        assert len(feed.read("routes.txt").decode().splitlines()) == 1 + len(lines)
    assert (out / "lines.png").read_bytes()[:4] == b"\x89PNG"


def test_design_goes_on_from_files(good, tmp_path, capsys):
    """Lines of an earlier run are a start, as text or as JSON, and the result is never worse."""
    out = tmp_path / "out"
    assert main(["transit", "design", "mandl", *QUICK, "--out", str(out), "--json"]) == 0
    first = read(capsys)["cost"]
    more = ["--initial", str(good), "--initial", str(out / "design.json")]
    code = main(["transit", "design", "mandl", "--method", "random", "--evaluations", "5", *more])
    assert code == 0
    assert f"cost {first:.4f}" in capsys.readouterr().out


def test_same_seed_gives_the_same_lines(capsys):
    """Two runs of the command agree."""
    found = []
    for _ in range(2):
        assert main(["transit", "design", "mandl", *QUICK, "--seed", "4", "--json"]) == 0
        found.append(read(capsys)["lines"])
    assert found[0] == found[1]


@pytest.mark.parametrize("objective", ["passenger", "operator", "service", "0.5"])
def test_objectives_by_name(objective, capsys):
    """Each objective designs lines that break none of its rules."""
    options = ["--objective", objective, "--rules", "alphatransit", "--demand-share", "0.3"]
    assert main(["transit", "design", "mandl", *QUICK, *options, "--json"]) == 0
    data = read(capsys)
    assert data["objective"] == objective
    assert data["simulation"]["demand_share"] == 0.3
    if objective == "service":
        assert data["cost"] == pytest.approx(-data["simulation"]["reward"])


def test_lines_that_break_a_rule_are_exit_code_one(good, capsys):
    """Every violation is printed; good lines are exit code 0."""
    assert main(["transit", "evaluate", "mandl", str(good)]) == 0
    assert "mean journey" in capsys.readouterr().out
    assert main(["transit", "evaluate", "mandl", str(good), "--max-stops", "5", "--json"]) == 1
    data = read(capsys)
    assert not data["feasible"]
    assert data["violations"] == [
        f"line {r} has {n} stops; 2 to 5 are allowed" for r, n in ((0, 8), (2, 6), (3, 6))
    ]


def test_nodes_without_a_line_can_be_allowed(good, capsys):
    """The benchmarks ask for all nodes; the simulation does not."""
    good.write_text(GOOD.replace("8-14-5-2-1", "14-5-2-1"))
    assert main(["transit", "evaluate", "mandl", str(good)]) == 1
    assert "node 8" in capsys.readouterr().out
    assert main(["transit", "evaluate", "mandl", str(good), "--allow-unconnected"]) == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["design"], "give either an instance"),
        (["design", "mandl", "--city", "helsinki"], "not both"),
        (["design", "nowhere"], "no such network"),
        (["design", "mandl", "--method", "magic"], "'magic' is unknown"),
        (["design", "mandl", "--objective", "magic"], "objective is 'magic'"),
        (["design", "mandl", "--objective", "1.5"], "share is 1.5"),
        (["design", "mandl", "--hub", "99"], "no such stop"),
        (["design", "mandl", "--demand", "x.csv"], "--demand is for an instance in a city"),
        (["design", "mandl", "--instance-seed", "1"], "--instance-seed is for an instance"),
        (["design", "mandl", "--lines", "100000000"], "at most 10000"),
        (["design", "mandl", "--spacing-m", "100"], "--spacing-m is for an instance in a city"),
        (["design", 300 * "x"], "File name too long"),
        (["design", "mandl", "--min-stops", "9"], "max_stops is 8"),
        (["design", "mandl", "--method", "real"], "none are known of 'mandl'"),
        (["evaluate", "mandl", "LINES", "--hub", "99"], "no such stop"),
        (["bench", "mandl", "--method", "magic"], "'magic' is unknown"),
    ],
)
def test_unusable_input_is_exit_code_two(argv, message, good, tmp_path, monkeypatch, capsys):
    """One line on stderr says what was given and what to do."""
    monkeypatch.chdir(tmp_path)
    assert main(["transit", *(str(good) if word == "LINES" else word for word in argv)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("nco: error:")
    assert message in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0-12", "no link from node 0"),
        ("0-99", "node 99 does not exist"),
        ("0-x", "is no node"),
        (5000 * "7", "is no node"),
    ],
)
def test_lines_that_cannot_be_run_are_exit_code_two(text, message, good, capsys):
    """Missing links and unknown stops are named with line and place."""
    good.write_text(text)
    assert main(["transit", "evaluate", "mandl", str(good), "--json"]) == 2
    assert message in read(capsys)["error"]["message"]


def test_other_json_is_no_design(tmp_path):
    """A file of something else is refused by its format."""
    path = tmp_path / "design.json"
    path.write_text('{"format": "nco-problem"}')
    with pytest.raises(FormatError, match="no file of a design"):
        read_design(path)
    path.write_text('{"format": "nco-transit-design", "lines": [[0, "1"]]}')
    with pytest.raises(FormatError, match="list of nodes"):
        read_design(path)


def test_hubs_by_name_and_number():
    """A hub is a stop's name or number, the centre, or none."""
    mandl = TransitInstance.mandl().changed(names=tuple("abcdefghijklmno"))
    assert with_hub(mandl, "f").hub == with_hub(mandl, "5").hub == 5
    assert with_hub(mandl, "centre").hub == int(mandl.drive_s.sum(axis=1).argmin())
    assert with_hub(with_hub(mandl, "f"), "none").hub is None
    with pytest.raises(InputError, match="'a' to 'o'"):
        with_hub(mandl, "z")


def test_too_few_buses_leave_the_exact_values():
    """Lines for which there is no bus cannot be simulated, but evaluated."""
    instance = TransitInstance.mandl().changed(fleet=1)
    facts, simulation = describe(instance, read_lines_of(GOOD))
    assert simulation is None
    assert facts["simulation"] is None
    assert facts["exact"]["travel_min"] > 10


def read_lines_of(text):
    """Lines in a text."""
    return [[int(node) for node in line.split("-")] for line in text.split()]


def test_bench_goes_on_where_it_stopped(tmp_path, capsys, caplog):
    """Runs that are there are not repeated; a line that was cut off is run again."""
    argv = ["transit", "bench", "mandl", "--method", "random", "hyper", "--evaluations", "40"]
    argv += ["--seeds", "2", "--out", str(tmp_path)]
    assert main(argv) == 0
    table = capsys.readouterr().out
    assert table.index("hyper") < table.index("random")
    path = tmp_path / bench.NAME
    before = path.read_text().splitlines(keepends=True)
    assert len(before) == 4
    path.write_text("".join(before[:3]) + before[3][:50])
    assert main([*argv, "--json"]) == 0
    data = read(capsys)
    assert "3 of 4 runs were done before" in caplog.text
    after = read_runs(path)
    assert len(after) == 4
    assert [(row["method"], row["runs"], row["sound"]) for row in data["rows"]] == [
        ("hyper", 2, 2),
        ("random", 2, 2),
    ]
    mean = sum(r.cost for r in after if r.run.method == "hyper") / 2
    assert data["rows"][0]["cost"] == pytest.approx(mean)
    path.write_text("nonsense\n")
    assert main(argv) == 2


def test_a_refusal_is_a_result():
    """A method that cannot do what is asked does not end a benchmark."""
    task = Run(
        instance="mandl", method="nsga2", objective="service", rules="nco", demand_share=1.0,
        evaluations=10, time_limit_s=None, seed=0,
    )  # fmt: skip
    result = bench.work(task)
    assert "ExactObjective" in result.refused
    assert bench_report.sound([result])
    assert "refused: method 'nsga2'" in bench_report.text([result])


def test_runs_of_other_instances_and_code_count_no_more(monkeypatch):
    """What decides about lines is in the fingerprint."""
    mandl = TransitInstance.mandl()
    assert bench.fingerprint(mandl) == bench.fingerprint(TransitInstance.mandl())
    others = [mandl.changed(hub=5), mandl.changed(demand=2 * mandl.demand), mandl.changed(lines=7)]
    assert len({bench.fingerprint(other) for other in [mandl, *others]}) == 4
    monkeypatch.setattr(registry, "_METHODS", {})
    with pytest.raises(InputError, match="unknown"):
        bench.Suite(instances=("mandl",), methods=("hyper",), evaluations=(1,))
    with pytest.raises(InputError, match="no budget"):
        bench.Suite(instances=("mandl",), methods=())


def test_settings_and_objectives_are_checked():
    """Unknown rules are refused by name."""
    with pytest.raises(InputError, match="known are nco, alphatransit"):
        settings_of("uxsim")
    assert settings_of("alphatransit", 0.3).assignment == "one-line"
    assert objective_of(TransitInstance.mandl(), "operator").costs is not None


@needs_shared
def test_the_lines_that_run_today():
    """Bloomington's files tell them, Mandl's do not; they break rules and are said to."""
    folder = SHARED / "bloomington"
    instance = read_instance(folder)
    (lines,) = running_lines(folder, instance)
    assert len(lines) == 16
    assert running_lines("mandl", TransitInstance.mandl()) == []
    argv = ["transit", "design", str(folder), "--method", "real", "--objective", "service"]
    assert main([*argv, "--evaluations", "1", "--rules", "alphatransit"]) == 1


def test_fleet_and_capacity_from_the_command_line(good, capsys):
    """Few buses serve fewer passengers, small buses too."""

    def served(*options: str) -> float:
        main(["transit", "evaluate", "mandl", str(good), "--json", *options])
        return read(capsys)["simulation"]["service_rate_of_all"]

    usual = served()
    assert served("--fleet", "8") < usual
    assert served("--fleet", "40", "--capacity", "5") < served("--fleet", "40")


def test_days_of_random_demand_are_printed_with_errors(good, capsys):
    """`--days` adds figures with standard errors; a single day has none and is refused."""
    assert main(["transit", "evaluate", "mandl", str(good), "--days", "3"]) == 0
    assert "3 random days: mean wait" in capsys.readouterr().out
    assert main(["transit", "evaluate", "mandl", str(good), "--days", "2", "--json"]) == 0
    assert read(capsys)["days"]["mean_wait_s"]["error"] > 0
    assert main(["transit", "evaluate", "mandl", str(good), "--days", "1"]) == 2
    assert "is one day" in capsys.readouterr().err
