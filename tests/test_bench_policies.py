"""Policies on fixed test sets: the sets, their references, what is measured and reported."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from city_tables import make_table

from nco.bench.policies import measure, references, report, run, sets
from nco.bench.policies.references import References, compute, usual_limit_s
from nco.bench.policies.sets import SETS, Cell, Cities, Places, draw, fingerprint
from nco.bench.policies.solver import solve_by_cpu
from nco.cli import main
from nco.envs import environment
from nco.errors import CityError, FormatError, InputError, PolicyError
from nco.models.attention import AttentionPolicy
from nco.models.files import save_policy
from nco.search.policy.loaded import load_policy
from nco.solver import ThreadClock

LIMIT_S = 0.02


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A set called "fake" on two cities without streets."""
    monkeypatch.chdir(tmp_path)  # instances follow from the cities' names
    for seed in (1, 2):
        make_table(seed).save(Path(f"city{seed}.npz"))
    places = Places(("city1.npz", "city2.npz"), (1.0, 0.0, 0.0), "cities without streets")
    monkeypatch.setitem(SETS, "fake", places)
    return places


@pytest.fixture
def store(tmp_path, cache):
    """An empty folder of references."""
    return References(tmp_path / "references")


def marks(cases):
    """Fingerprints of the instances."""
    return [fingerprint(problem) for problem in cases.problems]


@pytest.mark.parametrize("problem", sets.PROBLEMS)
def test_instances_follow_from_the_cell_alone(fake, problem):
    """The first few are the same whatever the count, the order of drawing and the threads."""
    cell, threads = Cell("fake", problem, 8), torch.get_num_threads()
    all_of_them = draw(cell, 40, Cities())
    try:
        torch.set_num_threads(2)
        few = draw(cell, 5, Cities())
    finally:
        torch.set_num_threads(threads)
    assert marks(few) == marks(all_of_them)[:5]
    assert len(set(marks(all_of_them))) == 40
    assert marks(draw(replace(cell, stops=9), 5, Cities())) != marks(few)


def test_instances_go_round_the_cities(fake):
    """The cities take turns, so that any first few are of all of them."""
    cases = draw(Cell("fake", "atsp", 6), 4, Cities())
    for k, problem in enumerate(cases.problems):
        known = {round(float(x), 1) for x in make_table(1 + k % 2).distance_m.ravel()}
        assert {round(x, 1) for x in problem.profile_of(0).distance_m.ravel()} <= known


def test_a_part_is_the_same_instances(fake):
    """Cutting a batch and cutting the list of problems agree."""
    cases = draw(Cell("fake", "rcvrptw", 6), 5, Cities())
    part = cases.part(2, 4)
    assert torch.equal(part.cost, cases.instance.cost[2:4])
    assert len(part.cost) == 2


def test_the_sampler_draws_what_the_stored_references_are_of(fake):
    """If this fails, instances changed: draw as before, or compute the references anew."""
    found = {p: marks(draw(Cell("fake", p, 8), 2, Cities())) for p in sets.PROBLEMS}
    assert found == {
        "atsp": ["7fc3d90a", "81d59f94"],
        "rcvrp": ["93923bbc", "20fdebf3"],
        "rcvrptw": ["937f3eb2", "72ecbafe"],
    }


def test_trained_cities_are_those_of_the_config_and_unseen_ones_are_not():
    """The split of the sets is the split of training."""
    import yaml

    config = Path(sets.__file__).parents[2] / "training" / "configs" / "general.yaml"
    data = yaml.safe_load(config.read_text())["data"]
    assert set(sets.TRAINED) == set(data["cities"])
    assert not set(sets.UNSEEN) & {*data["cities"], *data["validation_cities"]}


def test_a_fingerprint_follows_from_what_decides_the_cost(fake):
    """Costs, demands and windows count, coordinates do not."""
    cases = draw(Cell("fake", "rcvrptw", 6), 1, Cities())
    problem = cases.problems[0]
    own = fingerprint(problem)
    window, demand = problem.window_s.copy(), problem.demand.copy()
    window[1, 1] += 1
    demand[1] += 1
    assert fingerprint(replace(problem, xy=problem.xy + 1)) == own
    assert fingerprint(replace(problem, window_s=window)) != own
    assert fingerprint(replace(problem, demand=demand)) != own


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("moon", "rcvrp", 50), "set 'moon' is unknown; known are unseen"),
        (("unseen", "vrp", 50), "problem 'vrp' is unknown; known are atsp"),
        (("unseen", "rcvrp", 1), "stops is 1; give 2 or more"),
    ],
)
def test_cells_that_do_not_exist_are_refused(cell, message):
    """The message says what is allowed."""
    with pytest.raises(InputError, match=message):
        Cell(*cell)


def test_missing_cities_are_all_named_before_anything_is_drawn(tmp_path):
    """The message names them, the folder, and what needs none."""
    (tmp_path / "munich_centre.osm.pbf").touch()
    with pytest.raises(CityError, match=r"'helsinki_centre', 'berlin.*--folder.*helsinki needs"):
        Cities(str(tmp_path)).check(["unseen"])
    Cities().check(["helsinki"])


def test_the_thread_clock_counts_work_and_not_waiting():
    """Time in which the thread sleeps is not taken from the limit."""
    clock = ThreadClock(10.0)
    time.sleep(0.2)
    assert clock.elapsed_s < 0.1
    begin = time.thread_time()
    while time.thread_time() < begin + 0.1:
        pass
    assert clock.elapsed_s >= 0.1


def test_a_reference_takes_its_cpu_time_and_no_more(fake):
    """The limit is met within 10 % and 50 ms of the thread's time."""
    problem = draw(Cell("fake", "rcvrp", 20), 1, Cities()).problems[0]
    solve_by_cpu(problem, LIMIT_S)
    begin = time.thread_time()
    cost = solve_by_cpu(problem, 0.3)
    assert 0.25 <= time.thread_time() - begin <= 0.38
    assert cost == round(cost, 1) > 0


def test_a_construction_is_no_reference(fake):
    """Where PyVRP's search did not run, that is an error and nothing to compare policies with."""
    problem = draw(Cell("fake", "rcvrp", 20), 1, Cities()).problems[0]
    with pytest.raises(
        InputError, match="only a construction, which is no reference; give it more"
    ):
        solve_by_cpu(problem, 1e-6)


def test_references_are_computed_once(fake, store, monkeypatch):
    """What is stored is not solved again; another limit and more instances are."""
    cell = Cell("fake", "rcvrptw", 6)
    problems = draw(cell, 4, Cities()).problems
    told = []
    first = compute(store, cell, problems[:3], LIMIT_S, done=lambda *counts: told.append(counts))
    assert told == [(1, 3), (2, 3), (3, 3)]
    solved = []
    monkeypatch.setattr(references, "solve_by_cpu", lambda p, s: solved.append(p) or 5.0)
    assert compute(store, cell, problems[:3], LIMIT_S) == first
    assert not solved
    again = compute(References(store.folder), cell, problems, LIMIT_S)
    assert solved == [problems[3]]
    assert again == first | {fingerprint(problems[3]): 5.0}
    compute(store, cell, problems, 2 * LIMIT_S)
    assert len(solved) == 5
    assert store.costs(cell, LIMIT_S) == again
    assert store.methods(cell, LIMIT_S)[0].startswith("pyvrp 0.")


def test_an_interrupted_computation_keeps_what_it_has(fake, store, monkeypatch):
    """Whatever ends it, the references that were found are on the disk."""
    cell = Cell("fake", "atsp", 6)
    problems = draw(cell, 3, Cities()).problems

    def interrupted(problem, cpu_s):
        if problem is problems[2]:
            raise KeyboardInterrupt
        return 7.0

    monkeypatch.setattr(references, "solve_by_cpu", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compute(store, cell, problems, LIMIT_S)
    assert store.costs(cell, LIMIT_S) == {fingerprint(p): 7.0 for p in problems[:2]}


def test_references_in_two_processes_are_those_of_one(fake, store, tmp_path):
    """The instances are shared out, and each is answered."""
    cell = Cell("fake", "rcvrp", 5)
    problems = draw(cell, 3, Cities()).problems
    alone = compute(References(tmp_path / "alone"), cell, problems, 0.1)
    assert compute(store, cell, problems, 0.1, jobs=2) == alone


def test_references_of_other_instances_are_not_taken(fake, store):
    """A city whose matrices changed has no references, whatever its name."""
    cell = Cell("fake", "atsp", 6)
    before = compute(store, cell, draw(cell, 2, Cities()).problems, LIMIT_S)
    make_table(3).save(Path(fake.cities[0]))
    problems = draw(cell, 2, Cities()).problems
    after = compute(store, cell, problems, LIMIT_S)
    assert len(store.costs(cell, LIMIT_S)) == 3
    assert set(after) == set(marks(draw(cell, 2, Cities())))
    assert set(before) & set(after) == {fingerprint(problems[1])}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "holds no references"),
        ('{"format": "other"}', "holds no references"),
        ('{"format": "nco policy references 1"}', "damaged"),
        ('{"format": "nco policy references 1", "entries": [{"stops": 5}]}', "damaged"),
        (
            '{"format": "nco policy references 1", "entries": [{"problem": "atsp", "stops": 6, '
            '"cpu_s": 1, "method": "pyvrp", "seed": 1, "cost_m": {"0": -1}}]}',
            "a cost is -1.0",
        ),
    ],
)
def test_malformed_references_are_named_and_left_alone(store, content, message):
    """The error names the file, what is wrong, and what to do."""
    path = store.folder / "unseen.json"
    store.folder.mkdir()
    path.write_text(content)
    for use in (
        lambda: store.costs(Cell("unseen", "atsp", 6), 1.0),
        lambda: store.add(Cell("unseen", "atsp", 6), 1.0, "pyvrp", {"1": 2.0}),
    ):
        with pytest.raises(FormatError, match=f"unseen.json.*{message}.*remove the file"):
            use()
    assert path.read_text() == content


def test_shipped_references_are_small_and_whole():
    """Under 300 KB; all of the main set, and of the others whole cells or none."""
    files = list(references.SHIPPED.glob("*.json"))
    assert {"unseen"} <= {path.stem for path in files} <= set(SETS)
    assert sum(path.stat().st_size for path in files) < 300_000
    shipped = References(references.SHIPPED)
    for path in files:
        allowed = {sets.INSTANCES} if path.stem == "unseen" else {0, sets.INSTANCES}
        for cell in sets.cells([path.stem]):
            assert len(shipped.costs(cell, usual_limit_s(cell))) in allowed, cell


def test_shipped_references_are_of_the_instances_drawn_here(shared_cities, monkeypatch):
    """Those of one city, which are the same with the other cities left out."""
    city = Places(sets.UNSEEN[:1], SETS["unseen"].weights, "")
    monkeypatch.setitem(SETS, "unseen", city)
    cities = Cities(str(shared_cities))
    for cell in sets.cells(["unseen"]):
        known = References(references.SHIPPED).costs(cell, usual_limit_s(cell))
        assert set(marks(draw(cell, 16, cities))) <= set(known)


@pytest.mark.parametrize(
    ("stops", "seconds"), [(20, 2.0), (50, 2.0), (100, 5.0), (500, 25.0), (1000, 50.0)]
)
def test_larger_instances_get_more_time(stops, seconds):
    """Above 100 stops the limit grows with them."""
    assert usual_limit_s(Cell("unseen", "rcvrp", stops)) == seconds


def small_policy():
    """An untrained policy that is built and run in milliseconds."""
    torch.manual_seed(0)
    features = environment("atsp").features | environment("rcvrp").features
    return AttentionPolicy(features, width=16, heads=2, decoder_heads=2, layers=2, hidden=16)


@pytest.fixture
def loaded(tmp_path):
    """An untrained policy for RCVRP, from a file."""
    return load_policy(save_policy(tmp_path / "tiny.safetensors", small_policy(), ("rcvrp",)))


def test_answers_are_checked_and_cost_what_the_policy_says(fake, loaded):
    """Untrained policies answer feasibly; eight views are never worse than one of them."""
    cases = draw(Cell("fake", "rcvrp", 8), 3, Cities())
    one, eight = (
        measure.by_policy(loaded, cases, strategy, torch.device("cpu"))
        for strategy in measure.DECODINGS.values()
    )
    assert one.errors == eight.errors == ()
    assert all(a <= b for a, b in zip(eight.cost_m, one.cost_m, strict=True))
    assert one.time_s > 0
    assert one.latency_s > 0


def test_one_thread_is_timed_by_its_own_clock():
    """Other load must not lengthen what one thread does; several are timed by the wall."""
    cpu = torch.device("cpu")
    assert measure._clock(cpu, 1) == ("cpu", time.process_time)
    assert measure._clock(cpu, 2) == ("wall", time.perf_counter)
    assert measure._clock(torch.device("cuda"), 1) == ("wall", time.perf_counter)


@pytest.mark.parametrize("method", measure.BASELINES)
@pytest.mark.parametrize("problem", sets.PROBLEMS)
def test_baselines_answer_every_problem(fake, problem, method):
    """Rows for orientation are feasible on every set."""
    cases = draw(Cell("fake", problem, 8), 2, Cities())
    assert measure.by_method(method, cases).errors == ()


def test_wrong_answers_are_found(fake):
    """A cost that is off by two millionths and a stop that is missing are both errors."""
    (problem,) = draw(Cell("fake", "rcvrp", 6), 1, Cities()).problems
    from nco import solve
    from nco.problem.solution import Solution

    good = solve(problem, "savings")
    bad = Solution.from_routes(problem, [route.stops[1:] for route in good.routes])
    cost = good.cost.total
    assert measure.judged([problem], [good], [cost]) == ((cost,), ())
    _, (off,) = measure.judged([problem], [good], [cost * (1 + 2e-6)])
    assert off.startswith("instance 0: costs ")
    _, missing = measure.judged([problem], [bad], [bad.cost.total])
    assert "served by no route" in missing[0]


def test_a_policy_without_test_sets_is_refused(tmp_path):
    """The message names what it serves and what there is."""
    path = save_policy(tmp_path / "p.safetensors", small_policy(), ("knapsack",))
    with pytest.raises(PolicyError, match="serves knapsack; there are test sets for atsp"):
        measure.load(str(path))


def test_devices_that_are_not_there_are_refused():
    """The message repeats what torch says of it."""
    with pytest.raises(InputError, match="device 'abacus' cannot be used"):
        measure.device_of("abacus")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sets": ()}, "sets is empty"),
        ({"problems": ()}, "problems is empty"),
        ({"sets": ("moon",)}, "set 'moon' is unknown"),
        ({"instances": 0}, "instances is 0"),
        ({"long": -1}, "long is -1"),
        ({"decodings": ("magic",)}, "decoding 'magic' is unknown"),
    ],
)
def test_plans_that_make_no_sense_are_refused(wrong, message):
    """The error names the field, before anything is drawn."""
    with pytest.raises(InputError, match=message):
        run.PolicySuite(**{"sets": ("unseen",), **wrong})


@pytest.mark.parametrize("problem", ["atsp", "rcvrp"])
def test_one_policy_may_serve_several_problems(fake, tmp_path, problem):
    """It is measured on each of them."""
    path = save_policy(tmp_path / "both.safetensors", small_policy(), ("atsp", "rcvrp"))
    both = measure.load(str(path))
    (cell,) = run.PolicySuite(sets=("fake",), problems=(problem,), stops=(6,)).cells({"both": both})
    found = measure.by_policy(
        both, draw(cell, 2, Cities()), measure.DECODINGS["greedy"], torch.device("cpu")
    )
    assert found.errors == ()


def test_problems_are_those_that_the_policies_serve(loaded):
    """Unless others are asked for; then a policy must serve one of them."""
    plan = run.PolicySuite(sets=("unseen",))
    assert {cell.problem for cell in plan.cells({"p": loaded})} == {"rcvrp"}
    assert {cell.problem for cell in plan.cells({})} == set(sets.PROBLEMS)
    with pytest.raises(InputError, match="policy 'p' serves rcvrp, not atsp"):
        replace(plan, problems=("atsp",)).cells({"p": loaded})


def test_means_carry_their_standard_error():
    """As computed by hand; errors of a sum add up as those of independent means."""
    a = report.Mean.of([0.01, 0.02, 0.06])
    assert (a.percent, a.standard_error) == pytest.approx((3.0, 1.5275252))
    assert str(a) == "3.00 ± 1.53 %"
    total = a + report.Mean(1.0, 2.0, 2)
    assert (total.percent, total.standard_error) == pytest.approx((4.0, 2.5166115))
    one = report.Mean.of([0.5])
    assert (str(one), (a + one).standard_error) == ("50.00 %", None)


def answers(costs, errors=()):
    """Answers as `measure` gives them."""
    return measure.Answers(tuple(costs), tuple(errors), 0.01, None, 1, "cpu", "cpu")


ABOUT = {"solver": "pyvrp 0", "cpu_s": 2.0, "seed": 1}


def test_the_gap_to_20_s_adds_what_the_references_lack():
    """Measured on the first instances, added to the gap of all; without them there is none."""
    cell = Cell("unseen", "rcvrp", 50)
    found = report.row(cell, ("p", "greedy"), answers([11.0, 22.0]), [10.0, 20.0], [9.9], ABOUT)
    assert found.gap.percent == pytest.approx(10.0)
    assert found.behind.percent == pytest.approx(100 / 99)
    assert found.gap_long.percent == pytest.approx(10.0 + 100 / 99)
    alone = report.row(cell, ("p", "greedy"), answers([11.0]), [10.0], [], ABOUT)
    assert alone.gap_long is None
    assert "-" in report.table([alone])


def test_wrong_answers_have_no_gap():
    """The table says so, with the first reasons."""
    cell = Cell("unseen", "rcvrp", 50)
    wrong = answers([11.0], ["instance 0: is late"])
    found = report.row(cell, ("p", "greedy"), wrong, [10.0], [], ABOUT)
    assert found.gap is None
    assert not report.sound([found])
    text = report.table([found])
    assert "WRONG unseen rcvrp 50 p greedy: instance 0: is late" in text
    assert "WRONG" in report.sentence(found)


def test_checkpoints_have_no_card():
    """The message says what to do."""
    with pytest.raises(PolicyError, match=r"has no card; save it as \.safetensors"):
        report.card_of("last.ckpt")


@pytest.fixture
def options(fake, loaded, tmp_path, cache):
    """Options of a small run of the command."""
    return [
        "bench", "policies", "--policy", str(tmp_path / "tiny.safetensors"), "--sets", "fake",
        "--stops", "6", "--instances", "3", "--time-limit", str(LIMIT_S), "--quiet",
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip


def test_the_command_measures_writes_and_reports(options, tmp_path, capsys, monkeypatch):
    """Table, rows with all that is needed to judge them, and the card with the rest as it was."""
    monkeypatch.setattr(run, "LONG_S", 2 * LIMIT_S)
    card = tmp_path / "tiny.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"note": "kept", "measured": "old"}))
    assert main([*options, "--long", "2", "--write-card"]) == 0
    text = capsys.readouterr().out
    assert text.count("tiny") == 2 + 1  # rows, and the card's path
    assert (tmp_path / "out" / "table.txt").read_text() in text
    lines = [
        json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    ]
    assert [line["method"] for line in lines] == ["greedy", "greedy-x8", "nearest", "savings"]
    for line in lines:
        assert line["instances"] == len(line["cost_m"]) == line["gap"]["count"] == 3
        assert line["behind"]["count"] == 2
        assert line["gap_20s"]["percent"] >= line["gap"]["percent"] - 100
        assert line["reference"]["cpu_s"] == LIMIT_S
        assert {"nco", "torch", "processor", "threads", "at"} <= set(line)
    content = json.loads(card.read_text())
    assert content["note"] == "kept"
    assert [row["decoding"] for row in content["measured"]["rows"]] == ["greedy", "greedy-x8"]
    assert content["measured"]["rows"][0]["instances"] == 3
    assert load_policy(tmp_path / "tiny.safetensors").card["measured"]["by"] == "nco bench policies"


def test_wrong_answers_end_the_command_with_1(options, tmp_path, capsys, monkeypatch):
    """A policy that claims another cost is found out, and no card is written."""
    honest = measure.decoded

    def boasting(*given):
        found = honest(*given)
        return replace(found, cost=found.cost * 0.9)

    monkeypatch.setattr(measure, "decoded", boasting)
    card = (tmp_path / "tiny.json").read_text()
    assert main([*options, "--json", "--write-card", "--decoding", "greedy"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert not content["sound"]
    assert content["rows"][0]["gap"] is None
    assert len(content["rows"][0]["errors"]) == 3
    assert (tmp_path / "tiny.json").read_text() == card


def test_references_only_computes_them_and_measures_nothing(options, tmp_path, capsys):
    """They are in the folder, and the table says how many."""
    options = [*options, "--references-only", "--references", str(tmp_path / "mine")]
    assert main([*options, "--problems", "atsp", "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert (cell["problem"], cell["references"], cell["long"]) == ("atsp", 3, 0)
    assert (tmp_path / "mine" / "fake.json").is_file()
    assert not (tmp_path / "out").exists()
    assert main([*options, "--problems", "atsp", "rcvrp"]) == 0
    assert str(tmp_path / "mine") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--sets", "moon"], "set 'moon' is unknown"),
        (["--sets", "trained"], "'andorra'"),
        (["--problems", "atsp"], "serves rcvrp, not atsp"),
        (["--policy", "nobody"], "policy 'nobody' is unknown"),
        (["--stops", "90"], "has only 40 points"),
        (["--decoding", "magic"], "decoding 'magic' is unknown"),
        (["--device", "abacus"], "device 'abacus' cannot be used"),
        (["--policy", "x.ckpt", "--write-card"], "x.ckpt"),
    ],
)
def test_unusable_options_end_the_command_with_2(options, capsys, wrong, message):
    """One line says what is allowed."""
    assert main([*options, *wrong]) == 2
    assert message in capsys.readouterr().err


def test_without_a_folder_the_built_in_city_is_measured(loaded, tmp_path, caplog, monkeypatch):
    """The log says what is left out for want of extracts."""
    asked = []
    monkeypatch.setattr(run, "measure", lambda plan, *rest, **more: asked.append(plan) or [])
    with caplog.at_level("INFO", "nco"):
        policy = str(tmp_path / "tiny.safetensors")
        assert main(["bench", "policies", "--policy", policy, "--out", str(tmp_path / "o")]) == 0
    assert asked[0].sets == ("helsinki",)
    assert "without the sets unseen, unseen-box, unseen-cluster, trained" in caplog.text
