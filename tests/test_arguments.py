"""Arguments of another kind: a typed error says what to give, whatever public function is asked."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module

import numpy as np
import pytest
from instances import line_of_four

import nco
from nco.errors import InputError, NcoError, ProblemError

MATRIX = 1 - np.eye(4)
PROBLEM = line_of_four()
SOLUTION = nco.Solution.from_routes(PROBLEM, [[1, 2, 3]])
WRONG = (5, None, "x", [], {}, 3.5, object(), np.zeros(3), b"x", float("nan"), [["a"], 1])
GIVEN = {  # what each class needs, beside the field that is wrong
    nco.Break: {"length_s": 5.0},
    nco.Rest: {"after_driving_s": 100.0, "length_s": 5.0},
    nco.DifferentVehicles: {"stops": (1, 2)},
    nco.Group: {"stops": (1, 2)},
    nco.Objective: {},
    nco.Precedence: {"stops": (1, 2)},
    nco.Problem: {"profiles": PROBLEM.profiles, "vehicles": PROBLEM.vehicles},
    nco.Profile: {"distance_m": MATRIX, "duration_s": MATRIX},
    nco.SameVehicle: {"stops": (1, 2)},
    nco.Sequence: {"stops": (1, 2)},
    nco.Shipment: {"pickup": 1, "delivery": 2},
    nco.Vehicle: {},
}


def _city():
    return nco.city("helsinki")


ASKED = {
    "City": [nco.City.from_file, nco.City.load, nco.City.from_server],
    "GeocodeServer": [nco.GeocodeServer],
    "OsrmServer": [nco.OsrmServer],
    "Planner": [
        nco.Planner,
        lambda wrong: nco.Planner(PROBLEM, city=wrong),
        lambda wrong: nco.Planner(PROBLEM, method=wrong),
    ],
    "Route": [
        lambda wrong: nco.Solution.from_routes(PROBLEM, [nco.Route(wrong, (1,))]),
        lambda wrong: nco.Solution.from_routes(PROBLEM, [nco.Route(0, wrong)]),
    ],
    "Solution": [
        lambda wrong: nco.Solution.from_routes(wrong, [[1]]),
        lambda wrong: nco.Solution.from_routes(PROBLEM, wrong),
        SOLUTION.on,
    ],
    "TableCity": [lambda wrong: nco.TableCity("a", wrong, wrong)],
    "check": [lambda wrong: nco.check(wrong, SOLUTION), lambda wrong: nco.check(PROBLEM, wrong)],
    "city": [
        lambda wrong: nco.city("" if isinstance(wrong, str) else wrong),
        lambda wrong: nco.city("helsinki", profile=wrong),
        lambda wrong: nco.city("helsinki", max_snap_m=wrong),
    ],
    "contradictions": [nco.contradictions],
    "load": [
        nco.load,
        lambda wrong: nco.load("a.csv", city=wrong),
        lambda wrong: nco.load("a.sol", problem=wrong),
    ],
    "load_policy": [nco.load_policy, lambda wrong: nco.load_policy("general", wrong)],
    "methods": [nco.methods],
    "plot": [
        lambda wrong: nco.plot.map(wrong, SOLUTION),
        lambda wrong: nco.plot.map(PROBLEM, wrong),
        lambda wrong: nco.plot.routes(wrong, SOLUTION),
        lambda wrong: nco.plot.routes(PROBLEM, wrong),
        lambda wrong: nco.plot.asymmetry(wrong, [[0, 0], [1, 1]]),
        lambda wrong: nco.plot.transit(wrong, []),
        nco.plot.streets,
        nco.plot.anytime,
        nco.plot.fronts,
    ],
    "register": [
        lambda wrong: nco.register(wrong, "a"),
        lambda wrong: nco.register("never", wrong),
    ],
    "sample": [
        lambda wrong: nco.sample.atsp(wrong, 5, seed=1),
        lambda wrong: nco.sample.rcvrp(_city(), 5, seed=1, how=wrong),
        lambda wrong: nco.sample.rcvrptw(_city(), wrong, seed=wrong),
        lambda wrong: nco.sample.rcvrp(_city(), 5, seed=1, capacity=wrong),
        lambda wrong: _city().sample(wrong, seed=1),
    ],
    "save": [
        lambda wrong: nco.save(wrong, "a.json"),
        lambda wrong: nco.save(PROBLEM, wrong),
        lambda wrong: nco.save(SOLUTION, "a.sol", problem=wrong),
        lambda wrong: nco.save(SOLUTION, "a.geojson", problem=PROBLEM, city=wrong),
    ],
    "solve_many": [
        lambda wrong: list(nco.solve_many(wrong, "nearest", jobs=1)),
        lambda wrong: list(nco.solve_many([PROBLEM], wrong, jobs=1)),
        lambda wrong: list(nco.solve_many([PROBLEM], "nearest", executor=wrong)),
    ],
    "split": [
        lambda wrong: nco.split(wrong, [1]),
        lambda wrong: nco.split(PROBLEM, wrong),
        lambda wrong: nco.split(PROBLEM, [1], part=wrong),
    ],
    "tradeoff": [
        nco.tradeoff,
        lambda wrong: nco.tradeoff(PROBLEM, wrong),
        lambda wrong: nco.tradeoff(PROBLEM, "nearest", factors=wrong),
    ],
    "write_sheets": [
        lambda wrong: nco.write_sheets(wrong, PROBLEM, SOLUTION),
        lambda wrong: nco.write_sheets("sheets", wrong, SOLUTION),
        lambda wrong: nco.write_sheets("sheets", PROBLEM, wrong),
    ],
    "solve": [
        nco.solve,
        lambda wrong: nco.solve(PROBLEM, wrong),
        lambda wrong: nco.solve(PROBLEM, "nearest", time_limit_s=wrong),
        lambda wrong: nco.solve(PROBLEM, "nearest", seed=wrong),
        lambda wrong: nco.solve(PROBLEM, "nearest", jobs=wrong),
        lambda wrong: nco.solve(PROBLEM, "nearest", initial=wrong),
        lambda wrong: nco.solve(PROBLEM, "lns", operators=wrong),
    ],
}


@pytest.mark.parametrize("name", sorted(ASKED))
def test_functions_refuse_wrong_kinds(name, tmp_path, monkeypatch):
    """Each call either takes the value or raises an error of ours; nothing else comes out."""
    monkeypatch.chdir(tmp_path)
    refused = 0
    for ask in ASKED[name]:
        for wrong in WRONG:
            try:
                ask(wrong)
            except NcoError:
                refused += 1
    assert refused >= 5 * len(ASKED[name])


@pytest.mark.parametrize("kind", GIVEN, ids=lambda kind: kind.__name__)
def test_fields_refuse_wrong_kinds(kind):
    """The same of each field of what problems are made of."""
    for field in fields(kind):
        refused = 0
        for wrong in WRONG:
            try:
                kind(**{**GIVEN[kind], field.name: wrong})
            except ProblemError:
                refused += 1
        assert refused >= 5, field.name


def test_every_public_name_is_asked():
    """A new public function or class comes into one of the tables above."""
    other = {"Feature", "TransitInstance", "errors"}  # names, tables of another wing, a module
    assert {*ASKED, *(kind.__name__ for kind in GIVEN), *other} == set(nco.__all__)


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        (lambda: nco.Vehicle(capasity=3), "did you mean capacity"),
        (lambda: nco.Vehicle(zzz=3), "it has capacity, start, end"),
        (lambda: nco.Objective(distances=3), "did you mean distance"),
        (lambda: nco.Problem.from_matrices(MATRIX, demands=[0, 1, 1, 1]), "did you mean demand"),
        (lambda: nco.Problem.from_matrices(MATRIX, vehicle=3), "did you mean vehicles"),
        (lambda: nco.Problem.from_matrices(MATRIX, profiles=()), "no field 'profiles'"),
        (lambda: nco.Problem(profiles=()), "Problem lacks vehicles; give vehicles="),
        (lambda: nco.Vehicle(3), "name each field"),
    ],
)
def test_misspelt_fields_name_the_one_that_is_meant(make, meant):
    """Not Python's bare TypeError, which names nothing."""
    with pytest.raises(ProblemError, match=meant):
        make()


def test_named_fields_keep_their_signature():
    """What editors and `help` show is what it was."""
    assert list(inspect.signature(nco.Group).parameters) == ["stops", "prize"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nco.Vehicle(shift_s="08:00"),
        lambda: nco.Vehicle(shift_s=("08:00", "17:00")),
        lambda: nco.Vehicle(max_duration_s="08:00"),
        lambda: nco.Problem.from_matrices(MATRIX, shift_s=("8.00", "17.00")),
        lambda: nco.Problem.from_matrices(MATRIX, window_s=[("08:00", "17:00")] * 4),
        lambda: nco.Problem.from_matrices(MATRIX, release_s=["08:00"] * 4),
        lambda: nco.Planner(PROBLEM).add("a", window_s=("08:00", "09:00")),
        lambda: nco.Planner(PROBLEM).advance("08:00"),
        lambda: nco.Planner(PROBLEM).served(0, ["1"], "08:00"),
    ],
)
def test_clock_times_are_told_in_seconds(make):
    """A time as text is refused with what it is in seconds."""
    with pytest.raises(InputError, match=r"3600 \* 8 \+ 60 \* 0 = 28800"):
        make()


def test_pickups_without_a_capacity_have_no_limit():
    """As demand without one has."""
    taken = nco.Problem.from_matrices(MATRIX, pickup=[0, 1, 2, 3])
    assert taken.vehicles[0].capacity == (np.inf,)
    sent = nco.Problem.from_matrices(
        MATRIX, shipments=[nco.Shipment(pickup=1, delivery=2, amount=(1, 2))]
    )
    assert sent.vehicles[0].capacity == (np.inf, np.inf)
    assert nco.solve(taken, "lns", time_limit_s=0.2).feasible
    held = nco.Problem.from_matrices(MATRIX, pickup=[0, 1, 2, 3], capacity=4, vehicles=2)
    assert held.vehicles[0].capacity == (4.0,)


def test_a_method_that_is_nowhere_is_named(monkeypatch):
    """What was registered without being there is told when it is asked for."""
    methods = import_module("nco.solve")
    monkeypatch.setattr(methods, "_METHODS", {"mine": "no.such.module:SOLVER"})
    with pytest.raises(InputError, match=r"'mine' is registered as 'no.such.module:SOLVER'"):
        nco.solve(PROBLEM, "mine")


@pytest.mark.parametrize(
    "make",
    [
        lambda tiny: nco.Problem.from_matrices(MATRIX, demand=[0, tiny, 1, 1], capacity=5),
        lambda tiny: nco.Problem.from_matrices(MATRIX * tiny),
        lambda tiny: nco.Vehicle(capacity=(tiny,)),
        lambda tiny: nco.Objective(distance=tiny),
        lambda tiny: nco.Vehicle(speed=tiny),
    ],
)
def test_numbers_too_small_to_have_digits_are_refused(make):
    """Below 1e-300 a load of 5.0 and one of 5.9 are the same number."""
    with pytest.raises(ProblemError, match=r"smaller unit|above 0"):
        make(5e-324)


def test_small_amounts_are_solved():
    """The smallest numbers that are taken still count right."""
    problem = nco.Problem.from_matrices(
        MATRIX, demand=np.array([0, 1, 1, 1]) * 1e-299, capacity=2e-299, vehicles=2
    )
    for method in ("lns", "pyvrp", "vroom", "ortools", "hgs"):
        solution = nco.solve(problem, method, time_limit_s=0.1)
        assert nco.check(problem, solution) and len(solution.routes) == 2
