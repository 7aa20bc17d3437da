"""Operators that evolve: programs drawn and changed, judged in pairs, written and read."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from states import Begun
from test_lns import ring

import nco
from nco.errors import FormatError, InputError, UnsupportedError
from nco.problem.normal import normal
from nco.search.evolve import genetics, seeds
from nco.search.evolve.evolution import Evolution
from nco.search.evolve.files import (
    SHIPPED,
    NamedProgram,
    OperatorSet,
    read_operators,
    read_state,
    write_operators,
    write_state,
)
from nco.search.evolve.instances import square
from nco.search.evolve.judge import Trial, loss, scattered, searched
from nco.search.evolve.language import (
    FEATURES,
    Insertion,
    Phase,
    Removal,
    expression_of,
    nodes,
    program_of,
    to_json,
)
from nco.search.evolve.linking import operator_of
from nco.search.evolve.plain import reckoned, simplified, steps
from nco.search.evolve.state import State, program_from, text_of
from nco.search.lns.operators import INSERTIONS, REMOVALS

TRIAL = Trial(60, alone=True, scattered=True, share=0.3, hot=0.1, cold=0.01)


def programs(seed: int, count: int) -> list[Removal | Insertion]:
    """Programs of a small evolution without judges."""
    rng = np.random.default_rng(seed)
    known: list[Any] = [*seeds.REMOVALS.values(), *seeds.INSERTIONS.values()]
    for _ in range(count):
        kind = (Removal, Insertion)[int(rng.integers(2))]
        alike = [program for program in known if isinstance(program, kind)]
        mother, father = (alike[int(rng.integers(len(alike)))] for _ in range(2))
        match int(rng.integers(4)):
            case 0:
                new = (
                    genetics.random_removal(rng)
                    if kind is Removal
                    else genetics.random_insertion(rng)
                )
            case 1:
                new = genetics.crossed(mother, father, rng)
            case _:
                new = genetics.mutated(mother, rng)
        known.append(new)
    return known


def test_what_is_drawn_and_changed_is_of_the_language():
    """Each program is read back from its own JSON as it was, and simplifying it again is no use."""
    for program in programs(0, 400):
        assert program_of(json.loads(json.dumps(to_json(program)))) == program
        assert program_from(text_of(program)) == program
        assert simplified(simplified(program)) == simplified(program)
        assert steps(program) >= 0


def test_children_differ_from_their_parents():
    """A change changes something; something of either parent is in what they have together."""
    rng = np.random.default_rng(1)
    string, worst = seeds.REMOVALS["string"], seeds.REMOVALS["worst"]
    assert all(genetics.mutated(string, rng) != string for _ in range(50))
    children = {text_of(genetics.crossed(string, worst, rng)) for _ in range(50)}
    assert any("detour" in child and "routes" in child for child in children)


def test_simplified_expressions_are_worth_the_same():
    """With any values of features, but for those that are drawn."""
    rng = np.random.default_rng(2)
    names = [name for name, feature in FEATURES.items() if "place" in feature.holes]
    shorter = 0
    for _ in range(400):
        expression = genetics.random_expression(rng, "place", 5)
        (simple,) = (simplified(Insertion(place=expression)).place,)
        shorter += nodes(simple) < nodes(expression)
        values = dict(zip(names, rng.normal(0, 10, len(names)), strict=True)) | {"random": 0.5}
        assert reckoned(simple, values) == pytest.approx(reckoned(expression, values))
    assert shorter > 10


@pytest.mark.parametrize(
    ("expression", "simple"),
    [
        (["+", 1, 2], 3.0),
        (["*", "cost", 1], "cost"),
        (["-", "cost", "cost"], 0.0),
        (["-", "random", "random"], ("-", "random", "random")),
        (["if", 1, "cost", "fill"], "cost"),
        (["neg", ["neg", "cost"]], "cost"),
        (["/", "cost", 0], ("/", "cost", 0.0)),
    ],
)
def test_simplification_knows_what_is_drawn(expression: Any, simple: Any):
    """What is the same twice goes, unless it is drawn twice."""
    place = expression_of(expression, "place")
    assert simplified(Insertion(place=place)).place == simple


def test_the_machine_reckons_as_plain_python_does():
    """Stops go in by the worth of an expression, greatest first, on a vehicle that has room."""
    begun = Begun(square(14, 1, capacity=1000.0))
    instance, state, rng = begun.instance, begun.state, np.random.default_rng(3)
    cheaper = np.minimum(instance.cost[0], instance.cost[0].T)
    leaves = {
        "demand": instance.demand[:, 0] / instance.capacity[0, 0],
        "depot": instance.cost[0, 0].astype(float),
        "crowd": cheaper[np.arange(15), instance.related[:, 0]].astype(float),
    }
    told = 0
    for _ in range(60):
        expression = _of_these(genetics.random_expression(rng, "order", 5), sorted(leaves))
        begun.drive([])  # an empty plan: units of cost are 1
        state.log_size[0] = 0
        begun.run(operator_of(Insertion(order=expression)))
        order = state.log[: state.log_size[0], 0]
        worth = [reckoned(expression, {n: leaves[n][j] for n in leaves}) for j in order]
        assert len(order) == 14 and worth == sorted(worth, reverse=True)
        told += len(set(worth)) > 3
    assert told >= 20


def _of_these(expression: Any, names: list[str]) -> Any:
    """An expression with other features in place of those that are not among some."""
    if isinstance(expression, tuple):
        return (expression[0], *(_of_these(part, names) for part in expression[1:]))
    if isinstance(expression, str) and expression not in names:
        return names[len(expression) % len(names)]
    return expression


@pytest.mark.parametrize("name", ["string", "related", "worst", "random", "route"])
def test_seeds_take_out_as_many_as_the_hand_made_operators(name: str):
    """Over many calls, within a third."""
    means = []
    for operator in (REMOVALS[name], operator_of(seeds.REMOVALS[name])):
        begun, taken = Begun(ring(40), seed=5).construct(), []
        for _ in range(60):
            taken.append(len(begun.take_out(operator, 6)))
            begun.run(INSERTIONS["greedy"])
        means.append(np.mean(taken))
    assert means[1] == pytest.approx(means[0], rel=0.34)


def test_a_heavy_program_ends_soon_and_inserts_all():
    """Steps run out in the middle of it; then places count by their cost."""
    deep = expression_of(_balanced(5, "cost"), "place")
    begun = Begun(ring(60), seed=1).construct()
    for back in (Insertion("regret", "regret", deep, vehicles=4), Insertion(place=deep)):
        begun.take_out(REMOVALS["random"], 20)
        begun.run(operator_of(back))
        assert begun.absent == []


def _balanced(depth: int, leaf: str) -> Any:
    return leaf if depth == 0 else ["+", _balanced(depth - 1, leaf), _balanced(depth - 1, leaf)]


def test_random_programs_never_break_a_plan():
    """Searches by pairs of random programs end with plans that the checker finds whole."""
    problem = normal(square(20, 4)).problem
    known = programs(7, 160)
    outs = [program for program in known if isinstance(program, Removal)]
    backs = [program for program in known if isinstance(program, Insertion)]
    for turn, (out, back) in enumerate(zip(outs, backs, strict=False)):
        costs, routes = searched(problem, turn, TRIAL, TRIAL.settings(20, (out, back)))
        assert costs == sorted(costs, reverse=True)
        found = nco.Solution.from_routes(problem, routes)
        assert nco.check(problem, found).feasible


def test_scattered_routes_serve_all_and_hold():
    """What G-LNS begins with is feasible, and bad."""
    problem = square(30, 1)
    found = nco.Solution.from_routes(problem, scattered(problem, 0))
    assert nco.check(problem, found).feasible
    assert found.cost.total > 1.5 * nco.solve(problem, "savings", time_limit_s=1).cost.total


def test_losses_compare_costs_and_plateaus():
    """As good is 0; worse is more; to stand still at the end costs something."""
    assert loss([4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]) == 0.0
    assert loss([4.0, 3.0, 2.0, 1.1], [4.0, 3.0, 2.0, 1.0]) > 0.0
    assert loss([1.0, 1.0, 1.0, 1.0], [1.0 + 3e-9, 1.0 + 2e-9, 1.0 + 1e-9, 1.0]) > 0.002


@pytest.fixture(scope="module")
def evolved() -> Evolution:
    """A small evolution after two generations."""
    evolution = Evolution(tiny(), TRIAL, 3)
    for _ in range(2):
        evolution.step()
    return evolution


def tiny() -> list[nco.Problem]:
    return [normal(square(15, k)).problem for k in range(2)]


def test_a_run_that_was_ended_goes_on_as_if_it_had_not_been(evolved: Evolution, tmp_path: Path):
    """After the first generation it is written and read; the second is the same, on threads too."""
    task = {"seed": 3}
    first = Evolution(tiny(), TRIAL, 3)
    first.step()
    write_state(tmp_path / "state", first.state, task)
    with ThreadPoolExecutor(2) as executor:
        again = Evolution(tiny(), TRIAL, 3, executor, read_state(tmp_path / "state", task))
        again.step()
    wanted, found = vars(copy.copy(evolved.state)), vars(again.state)
    assert {**found, "seconds": 0} == {**wanted, "seconds": 0}


def test_pools_hold_pairs_that_behave_differently(evolved: Evolution):
    """No two parents lose the same on all instances; the best ones are ahead of the first."""
    state = evolved.state
    behaviours = [tuple(state.losses[pair]) for pair in state.parents]
    assert len(set(behaviours)) == len(behaviours) >= 4
    assert len(state.best(2, TRIAL, 3)) == 3
    assert evolved.loss(state.best(2, TRIAL)[0]) == state.told[-1] <= state.told[0]


def test_a_state_of_another_evolution_is_refused(evolved: Evolution, tmp_path: Path):
    """So is one that was damaged."""
    path = tmp_path / "state"
    write_state(path, evolved.state, {"seed": 3})
    with pytest.raises(FormatError, match="another evolution"):
        read_state(path, {"seed": 4})
    data = json.loads(path.read_text())
    luck = {**data["state"], "random": {**data["state"]["random"], "state": {"state": "x"}}}
    for change in ({"losses": [["x", "y", [0]]]}, {"state": {}}, {"losses": 3}, {"state": luck}):
        path.write_text(json.dumps(data | change))
        with pytest.raises(FormatError, match="damaged"):
            read_state(path, {"seed": 3})


def test_an_evolution_wants_instances():
    """One instance would be chance."""
    with pytest.raises(InputError, match="two or more"):
        Evolution(tiny()[:1], TRIAL, 0, None, State())


def pair(weight: float = 2.0) -> OperatorSet:
    named = [("strings", seeds.REMOVALS["string"]), ("blinks", seeds.INSERTIONS["blinks"])]
    return OperatorSet(tuple(NamedProgram(n, p, weight) for n, p in named), {"by": "hand"})


def test_operators_are_written_and_read_and_join_a_search(tmp_path: Path):
    """As an argument of `nco.solve`, as a set or a path; methods without operators refuse them."""
    path = write_operators(tmp_path / "ops.json", pair())
    assert read_operators(path) == pair()
    for operators in (path, str(path), pair()):
        found = nco.solve(ring(12), "lns", time_limit_s=0.1, operators=operators)
        assert nco.check(ring(12), found).feasible
    assert nco.solve(ring(12), time_limit_s=0.1, operators=path).feasible
    with pytest.raises(UnsupportedError, match=r"nearest.*operators"):
        nco.solve(ring(12), "nearest", operators=path)
    with pytest.raises(InputError, match="give the path"):
        nco.solve(ring(12), "lns", operators=[1])


def test_the_shipped_pair_says_where_it_gains_and_where_not():
    """A removal and an insertion, with what was measured of them."""
    shipped = read_operators(SHIPPED)
    assert len(shipped.removals) == len(shipped.insertions) == 1
    assert {"50 stops", "100 stops", "200 stops"} <= shipped.measured.keys()


PROGRAM = to_json(seeds.INSERTIONS["greedy"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "x"}, "format is 'x'"),
        ({"version": 2}, "version is 2"),
        ({"operators": []}, "list of 1 to 32"),
        ({"operators": [{"program": PROGRAM}] * 33}, "list of 1 to 32"),
        ({"operators": [3]}, "give an object"),
        ({"operators": [{"name": "", "program": PROGRAM}]}, "printable"),
        ({"operators": [{"name": "a\u0007", "program": PROGRAM}]}, "printable"),
        ({"operators": [{"name": "a", "weight": 0, "program": PROGRAM}]}, "weight is 0"),
        ({"operators": [{"name": "a", "weight": True, "program": PROGRAM}]}, "weight is True"),
        ({"operators": [{"name": "a", "program": "import os"}]}, "a program is 'import os'"),
        ({"made": 3}, "made and measured"),
    ],
)
def test_hostile_files_are_refused(change: dict[str, Any], words: str, tmp_path: Path):
    """By a FormatError that names the file and says what is wrong."""
    path = write_operators(tmp_path / "ops.json", pair())
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FormatError, match=words) as caught:
        read_operators(path)
    assert "ops.json" in str(caught.value)


DEEP: Any = "cost"
for _ in range(5000):
    DEEP = ["neg", DEEP]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ({"kind": "other"}, "kind is 'other'"),
        ({"kind": "removal"}, "phases are None"),
        ({"kind": "removal", "phases": [{}] * 4}, "1 to 3"),
        ({"kind": "removal", "phases": [{"share": float("nan")}]}, "share of .* is nan"),
        ({"kind": "removal", "phases": [{"draws": 10**9}]}, "draws of .* 1 to 16"),
        ({"kind": "removal", "phases": [{"reach": 1.5}]}, "reach of"),
        ({"kind": "removal", "phases": [{"spread": ["near"]}]}, "spread of"),
        ({"kind": "removal", "phases": [{"take": "cost"}]}, "there it may use"),
        ({"kind": "removal", "phases": [{"take": "__import__"}]}, "there it may use"),
        ({"kind": "removal", "phases": [{"code": 1}]}, "its fields are"),
        ({"kind": "insertion", "place": ["eval", "cost"]}, "function 'eval'"),
        ({"kind": "insertion", "place": ["+", "cost"]}, "takes 2"),
        ({"kind": "insertion", "place": 1e99}, "from -1e9 to 1e9"),
        ({"kind": "insertion", "place": None}, "give a number"),
        ({"kind": "insertion", "place": True}, "give a number"),
        ({"kind": "insertion", "place": DEEP}, "too large"),
        ({"kind": "insertion", "place": _balanced(6, "cost")}, "too large"),
        ({"kind": "insertion", "order": "regret"}, "there it may use"),
        ({"kind": "insertion", "free": 1}, "true or false"),
        ({"kind": "insertion", "blink": 1}, "0.0 to 0.5"),
        ([], "a program is"),
    ],
)
def test_what_is_no_program_is_refused(program: Any, words: str):
    """By a message that says where and what there may be."""
    with pytest.raises(InputError, match=words):
        program_of(program)


def test_the_command_evolves_goes_on_and_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Two generations in two runs are those of one; `nco solve` takes what was written."""
    from nco.cli import main

    def evolve(name: str, generations: int) -> dict[str, Any]:
        out = tmp_path / name
        assert not main(
            ["evolve", "operators", "--alone", "--stops", "12", "--instances", "2",
             "--iterations", "40", "--generations", str(generations), "--jobs", "1",
             "--out", str(out), "--quiet", "--json"]
        )  # fmt: skip
        capsys.readouterr()
        data: dict[str, Any] = json.loads(out.read_text())
        data["made"].pop("seconds")
        return data

    evolve("twice.json", 1)
    assert evolve("twice.json", 2) == evolve("once.json", 2)
    problem = nco.save(ring(8), tmp_path / "problem.json")
    arguments = ["solve", str(problem), "--time-limit", "0.1", "--method", "lns", "--quiet"]
    assert main([*arguments, "--operators", str(tmp_path / "once.json")]) == 0
    (tmp_path / "bad.json").write_text('{"format": "nco-operators", "version": 1}')
    assert main([*arguments, "--operators", str(tmp_path / "bad.json")]) == 2
    assert "bad.json" in capsys.readouterr().err


def test_phases_have_the_defaults_that_files_may_leave_out():
    """An empty phase is a removal of stops near a random one."""
    assert program_of({"kind": "removal", "phases": [{}]}) == Removal((Phase(),))
    assert program_of({"kind": "insertion"}) == Insertion()
