"""The command line: exit codes, messages that scripts read, files that are never lost."""

import json
import logging
import os
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from instances import line_of_four

import nco
from nco import Problem, Solution, console, sample
from nco.cli import main
from nco.data.cities.places import known_cities
from nco.data.formats.registry import load, save
from nco.data.formats.stops import Stops


@pytest.fixture(scope="module")
def stops(helsinki, tmp_path_factory):
    """A table of eight stops in Helsinki."""
    problem = sample.rcvrp(helsinki, 8, seed=2)
    path = tmp_path_factory.mktemp("stops") / "stops.csv"
    return str(save(Stops.from_problem(problem), path))


@pytest.fixture
def four(tmp_path):
    """The file of a problem with three stops."""
    return str(save(line_of_four(), tmp_path / "four.json"))


def solve(stops, *options):
    """Solve the table of stops by savings."""
    fleet = ["--city", "helsinki", "--vehicles", "3", "--capacity", "30"]
    return main(["solve", stops, *fleet, "--method", "savings", *options])


def test_help_is_quick_and_imports_nothing_heavy():
    """`nco --help` names every verb without numpy, in a fraction of a second."""
    code = (
        "import sys; from nco.cli import main; main(['--help']); "
        "assert not {'numpy', 'torch', 'rich', 'matplotlib', 'bokeh'} & set(sys.modules)"
    )
    begin = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Under 0.3 s on an idle machine, see docs/cli.md; tests share theirs.
    assert time.perf_counter() - begin < 3
    for verb in (
        "solve",
        "check",
        "city",
        "bench",
        "train",
        "transit",
        "demo",
        "warm-up",
        "versions",
    ):
        assert verb in found.stdout


@pytest.mark.parametrize(
    "verb", ["solve", "check", "city", "bench", "transit", "demo", "warm-up", "versions"]
)
def test_every_verb_explains_itself(verb, capsys):
    """`nco VERB --help` ends with 0."""
    assert main([verb, "--help"]) == 0
    assert f"usage: nco {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["slove"],
        ["solve"],
        ["solve", "x.csv", "--time-limit", "-1"],
        ["solve", "x.csv", "--method", ","],
        ["city"],
        ["solve", ""],
    ],
    ids=["nothing", "verb", "file", "limit", "method", "action", "path"],
)
def test_wrong_usage_is_exit_code_two(argv, capsys):
    """Argparse's errors are as unusable input as any other."""
    assert main(argv) == 2
    assert "usage: nco" in capsys.readouterr().err


def test_solve_writes_checked_files_that_check_accepts(stops, tmp_path, capsys):
    """A table of stops becomes routes in four files; `nco check` agrees on each of them."""
    out = tmp_path / "out"
    assert solve(stops, "--out", str(out)) == 0
    text = capsys.readouterr().out
    assert "savings" in text
    assert f"written: {out / 'routes.geojson'}" in text
    names = {"problem.json", "solution.json", "routes.csv", "routes.geojson"}
    assert {path.name for path in out.iterdir()} == names
    for name in sorted(names - {"problem.json"}):
        assert main(["check", str(out / "problem.json"), str(out / name)]) == 0
        assert capsys.readouterr().out.startswith("feasible, cost ")


def test_solve_json_is_one_object_and_nothing_else(stops, capsys):
    """Machines get one line with cost, gap, findings and routes by name."""
    assert solve(stops, "--json", "--method", "savings,nearest") == 0
    out = capsys.readouterr().out
    result = json.loads(out)
    assert out.count("\n") == 1
    assert result["feasible"]
    assert [answer["method"] for answer in result["answers"]] == ["savings", "nearest"]
    served = [stop for route in result["answers"][0]["routes"] for stop in route["stops"]]
    assert sorted(served, key=int) == [str(k) for k in range(1, 9)]
    assert min(answer["gap"] for answer in result["answers"]) == 0


def test_too_few_vehicles_is_exit_code_one_with_reasons(stops, capsys):
    """The best partial answer is printed, each stop left out with its reason."""
    fleet = ["--city", "helsinki", "--vehicles", "1", "--capacity", "10"]
    assert main(["solve", stops, *fleet, "--method", "nearest", "--json"]) == 1
    [answer] = json.loads(capsys.readouterr().out)["answers"]
    assert not answer["feasible"]
    assert answer["gap"] is None
    assert all(entry["reason"] for entry in answer["unassigned"])
    assert main(["solve", stops, *fleet, "--method", "nearest"]) == 1
    assert "unassigned: " in capsys.readouterr().out


def test_check_explains_stop_by_stop(four, tmp_path, capsys):
    """A solution that breaks rules is exit code 1, in words and as JSON."""
    bad = Solution.from_routes(load(four), [[1, 2, 3, 3]])
    path = str(save(bad, tmp_path / "bad.json"))
    assert main(["check", four, path]) == 1
    assert "served" in capsys.readouterr().out
    assert main(["check", four, path, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {"capacity", "served twice"} <= {finding["kind"] for finding in report["findings"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["{stops}"], "say where with --city"),
        (["{stops}", "--city", "atlantis"], "'atlantis'"),
        (["{stops}", "--city", "helsinki", "--method", "magic"], "'magic' is unknown"),
        (["{stops}", "--city", "helsinki", "--map"], "--out DIR"),
        (["{stops}", "--city", "helsinki", "--capacity", "-1"], "capacity is -1"),
        (["{stops}", "--city", "helsinki", "--capacity", "nan"], "capacity is nan"),
        (["{four}", "--capacity", "3"], "--capacity does not apply"),
        (["{stops}", "--city", "helsinki", "--depot", "nobody"], "as --depot asks"),
        (["."], ". is a folder"),
        (["{four}", "--policy", "x.safetensors"], "--method policy"),
        (["{four}", "--initial", "{four}"], "holds a problem"),
        (["missing.vrp"], "no such file"),
        (["{stops}.xyz"], "suffix"),
    ],
)
def test_unusable_input_is_exit_code_two(options, message, stops, four, capsys):
    """One line on stderr says what is wrong, without traceback; with --json stdout says it too."""
    argv = ["solve", *(option.format(stops=stops, four=four) for option in options)]
    assert main([*argv, "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("nco: error: ")
    assert message in err
    assert "Traceback" not in err
    error = json.loads(out)["error"]
    assert message in error["message"]
    assert issubclass(getattr(nco.errors, error["kind"]), nco.errors.NcoError)


def test_failure_keeps_the_files_of_the_last_success(stops, tmp_path, capsys):
    """Bad input in a folder with answers leaves them as they are."""
    out = tmp_path / "out"
    assert solve(stops, "--out", str(out)) == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert solve(stops, "--out", str(out), "--method", "magic") == 2
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_folder_that_cannot_be_written_is_found_before_solving(stops, tmp_path, capsys):
    """A file in place of the folder is an error at once."""
    (tmp_path / "taken").touch()
    assert solve(stops, "--out", str(tmp_path / "taken" / "out")) == 2
    assert "cannot write into" in capsys.readouterr().err


def test_classical_instance_is_solved_with_its_rounding(tmp_path, capsys):
    """A .vrp file needs no city; its answer is a .sol as well, and the rounding rule counts."""
    path = tmp_path / "tiny.vrp"
    path.write_text(
        "NAME : tiny\nTYPE : CVRP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 2\n"
        "NODE_COORD_SECTION\n1 0 0\n2 1 1\n3 2 1\nDEMAND_SECTION\n1 0\n2 1\n3 1\n"
        "DEPOT_SECTION\n1\n-1\nEOF\n"
    )
    out = tmp_path / "out"
    assert main(["solve", str(path), "--method", "savings", "--out", str(out)]) == 0
    assert (out / "solution.sol").read_text().startswith("Route #1: ")
    capsys.readouterr()
    costs = []
    for rounding in ("round", "none"):
        argv = ["solve", str(path), "--method", "savings", "--rounding", rounding, "--json"]
        assert main(argv) == 0
        costs.append(json.loads(capsys.readouterr().out)["answers"][0]["cost"])
    assert costs == [4.0, pytest.approx(2**0.5 + 1 + 5**0.5)]


def test_start_from_a_solution_is_never_worse(four, tmp_path, capsys):
    """`--initial` takes what `nco solve` wrote."""
    given = Solution.from_routes(load(four), [[1, 2], [3]], method="mine")
    path = str(save(given, tmp_path / "start.json"))
    assert main(["solve", four, "--method", "nearest", "--initial", path, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["answers"][0]
    assert answer["cost"] <= given.cost.total


def test_city_is_built_listed_and_described(cache, toy_extract, capsys):
    """A city built under a name is found by it; a broken extract is exit code 2."""
    assert main(["city", "build", str(toy_extract), "--name", "toy", "--quiet"]) == 0
    assert "OpenStreetMap" in capsys.readouterr().out
    assert main(["city", "list", "--json"]) == 0
    assert {"toy", "helsinki"} <= {c["name"] for c in json.loads(capsys.readouterr().out)["cities"]}
    assert main(["city", "list"]) == 0
    assert "toy" in capsys.readouterr().out
    assert main(["city", "info", "toy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "toy"
    broken = cache.parent / "broken.osm"
    broken.write_text("<osm><node")
    assert main(["city", "build", str(broken)]) == 2
    assert "nco: error: " in capsys.readouterr().err
    assert main(["city", "build", str(cache.parent)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_cities_are_removed_by_name(cache, toy_extract, capsys, monkeypatch):
    """Never without being asked or `--yes`, never the built-in one, and the extract stays."""
    assert main(["city", "build", str(toy_extract), "--name", "gone", "--quiet"]) == 0
    engines = list((cache / "osrm").glob("*-car-*"))
    assert main(["city", "remove", "gone"]) == 2
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr("nco.console.confirmed", lambda _question: True)
    assert main(["city", "remove", "gone"]) == 0
    assert main(["city", "remove", "gone", "--yes"]) == 2
    assert "those that can be removed" in capsys.readouterr().err
    assert main(["city", "remove", "Helsinki", "--yes"]) == 2
    assert "comes with nco" in capsys.readouterr().err
    assert toy_extract.is_file() and engines
    names = [city["name"] for city in known_cities()]
    assert "gone" not in names and "helsinki" in names


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", "..", "~x", "a\0b", ""])
def test_names_of_cities_are_no_paths(name, toy_extract, capsys):
    """What looks like a path is refused, before anything is remembered under it."""
    assert main(["city", "build", str(toy_extract), "--name", name, "--quiet"]) == 2
    assert "name" in capsys.readouterr().err


def test_versions_name_every_solver_and_the_processor(capsys):
    """What a measurement must name is there in both forms."""
    assert main(["versions", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["versions"]["nco"] == nco.__version__
    assert found["machine"]["processor"]
    assert main(["versions"]) == 0
    assert "pyvrp" in capsys.readouterr().out


def test_train_gets_its_arguments_untouched(capsys):
    """Everything behind `nco train` is the training's own, its help and errors too."""
    assert main(["train", "--help"]) == 0
    assert "nco train" in capsys.readouterr().out
    assert main(["train", "fly"]) == 2
    assert "nco: error: " in capsys.readouterr().err


def test_out_of_memory_is_a_sentence(monkeypatch, capsys):
    """Where memory ends, the message says what was asked for and what to do."""
    import nco.commands.versions as verb

    def fail(_arguments):
        raise MemoryError("Unable to allocate 1.46 TiB for an array")

    monkeypatch.setattr(verb, "run", fail)
    assert main(["versions"]) == 2
    said = capsys.readouterr().err
    assert "out of memory (Unable to allocate 1.46 TiB for an array); give fewer stops" in said


def test_no_memory_for_a_library_is_a_sentence(monkeypatch, capsys):
    """What the loader says, and what a package says of that, is no fault of nco."""
    import nco.commands.versions as verb

    def fail(_arguments):
        try:
            raise OSError("libLLVM.so: failed to map segment from shared object")
        except OSError:
            raise OSError("could not find libLLVM.so")  # noqa: B904 - as llvmlite does

    monkeypatch.setattr(verb, "run", fail)
    assert main(["versions"]) == 2
    assert "out of memory (could not find libLLVM.so); give fewer" in capsys.readouterr().err


def test_faults_and_interrupts_have_codes_of_their_own(monkeypatch, capsys):
    """A fault of nco is not taken for "not feasible"; Ctrl-C is 130."""
    import nco.commands.versions as verb

    def fail(_arguments):
        raise ZeroDivisionError

    def stop(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "run", fail)
    assert main(["versions"]) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setattr(verb, "run", stop)
    assert main(["versions"]) == 130


def test_program_and_module_are_the_same_command():
    """`python -m nco` exits with the code of the verb."""
    command = [sys.executable, "-m", "nco", "solve", "missing.vrp"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.startswith("nco: error: ")


def test_log_lines_go_to_stderr_unless_quiet(capsys):
    """Info lines are shown while a verb runs, and not with --quiet; warnings always are."""
    log = logging.getLogger("nco")
    for quiet in (False, True):
        with console.logging_to_stderr(quiet=quiet):
            log.info("news")
            log.warning("beware")
        lines = capsys.readouterr().err.splitlines()
        assert lines == (["nco: beware"] if quiet else ["nco: news", "nco: beware"])
    assert not log.handlers


def test_long_tasks_show_a_bar_on_a_terminal(monkeypatch, capsys):
    """After a while a bar appears; short tasks and quiet ones show nothing."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(console, "PATIENCE_S", 0.01)
    with console.progress("thinking", 1.0, quiet=True):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""
    with console.progress("thinking", 1.0):
        time.sleep(1.0)
    assert "thinking" in capsys.readouterr().err
    with console.counter("running") as done:
        done(1, 2)
    assert "running" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_stdout_that_cannot_hold_a_name_shows_it_escaped(options, tmp_path):
    """A terminal without UTF-8 is no fault of nco; JSON stays JSON."""
    problem = save(replace(line_of_four(), names=("depot", "Töölö", "b", "c")), tmp_path / "p.json")
    command = [sys.executable, "-m", "nco", "solve", str(problem), "--method", "nearest", *options]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    found = subprocess.run(command, capture_output=True, text=True, env=ascii_only, check=False)
    assert found.returncode == 0
    assert "T\\xf6" in found.stdout or "Töölö" in str(json.loads(found.stdout))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_and_closed_output_end_without_traceback(four):
    """Results that cannot be written are exit code 2; nobody who listens is no error."""
    command = f"{shlex.quote(sys.executable)} -m nco solve {shlex.quote(four)} --method nearest"
    codes = {"> /dev/full": 2, "--json > /dev/full": 2, ">&-": 0, "2>&-": 0}
    for redirection, code in codes.items():
        found = subprocess.run(
            ["/bin/sh", "-c", f"{command} {redirection}"], capture_output=True, check=False
        )
        assert found.returncode == code, redirection
        assert b"Traceback" not in found.stderr


def test_names_do_not_steer_the_terminal(tmp_path, capsys):
    """A stop called `ESC[31m` and a bell, or written from right to left, is shown as letters."""
    evil, turned = "\x1b[31mred\x07\x9b2J", "a\u202eb\u2066"
    table = tmp_path / "stops.csv"
    rows = f"depot,60.17,24.94,\n{evil},60.171,24.945,3\n{turned},60.168,24.95,4\n"
    table.write_text(f"name,lat,lon,demand\n{rows}", encoding="utf-8")
    made = tmp_path / "out"
    options = ["--city", "helsinki", "--method", "nearest", "--out", str(made)]
    main(["solve", str(table), *options, "--vehicles", "2", "--capacity", "4"])
    main(["check", str(made / "problem.json"), str(made / "solution.json")])
    main(["solve", str(tmp_path / f"{evil}.csv")])
    console.write(evil + turned)
    console.write(console.table(["a", evil], [[turned, "two\nlines"]]))
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert set("\x1b\x07\x9b\u202e\u2066").isdisjoint(text)
    assert r"\x1b[31mred\x07\x9b2J" in told.out
    assert r"a\u202eb\u2066" in told.out
    assert r"two\nlines" in told.out
    assert nco.load(made / "problem.json").names[1:] == (evil, turned)


def test_json_has_no_infinity():
    """What JSON cannot hold becomes null, however deep."""
    assert console.finite({"a": [1.0, float("inf"), (float("nan"),)]}) == {"a": [1.0, None, [None]]}


def test_compared_answers_of_problem_without_any_feasible():
    """Without a feasible answer there is no gap, and the best is the nearest to feasible."""
    from nco.compare import best, compare, gaps

    problem = Problem.from_matrices(
        line_of_four().profiles[0].distance_m, demand=[0, 1, 1, 1], capacity=1, vehicles=1
    )
    answers = compare(problem, ["nearest", "savings"], time_limit_s=1)
    assert gaps(answers) == [None, None]
    assert len(best(answers).solution.unassigned) == 2


def test_warm_up_says_what_is_ready(capsys, monkeypatch):
    """Each part is prepared once; `--quiet` keeps the lines back."""
    done = []
    loops = {"one thing": lambda: done.append(1), "another": lambda: done.append(2)}
    monkeypatch.setattr("nco.warm_up.LOOPS", loops)
    assert main(["warm-up"]) == 0
    printed = capsys.readouterr().out
    assert done == [1, 2] and "one thing" in printed and "another" in printed
    assert main(["warm-up", "--quiet"]) == 0
    assert done == [1, 2, 1, 2] and capsys.readouterr().out == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_that_something_is_compiled_is_said_unless_quiet(quiet, capsys):
    """The line of a first call goes to stderr."""
    from nco.kernels import compiled

    compiled.say_once.cache_clear()
    with console.logging_to_stderr(quiet=quiet):
        compiled.say_once()
        compiled.say_once()
    assert capsys.readouterr().err.count("compiling loops, once") == int(not quiet)
