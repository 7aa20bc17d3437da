"""On tiny problems the searches find the optimum and the constructions stay within their slack."""

import numpy as np
import pytest
from brute import optimum
from instances import directed, early_and_late, line_of_four, one_way_street
from solvers import LIMIT_S, SOLVERS

import nco
from nco import (
    Break,
    DifferentVehicles,
    Group,
    Objective,
    Precedence,
    Problem,
    Profile,
    Rest,
    SameVehicle,
    Sequence,
    Shipment,
    Vehicle,
)

EXACT = {"ortools", "pyvrp", "hgs", "auto", "lns"}
# How far above the optimum the others may be, as a share of their cost without preferences.
SLACK = {"vroom": 0.1, "genetic": 0.3, "mcts": 0.3, "savings": 0.4, "nearest": 0.9}


def _windows(n: int, seed: int) -> np.ndarray:
    start = np.random.default_rng(seed).uniform(0, 2000, n).round()
    windows = np.stack([start, start + 1500], axis=1)
    windows[0] = (0, np.inf)
    return windows


def _many(vehicles: list[Vehicle], **fields: object) -> Problem:
    """Six nodes with two profiles and one dimension of demand."""
    n = 6
    profiles = tuple(
        Profile(name=name, distance_m=directed(n, seed), duration_s=directed(n, seed) / speed)
        for name, seed, speed in (("car", 1, 10.0), ("bicycle", 2, 4.0))
    )
    demand = np.array([0, 3, 4, 2, 5, 3.0])
    if fields.get("depots") == 2:
        demand[1] = 0
    return Problem(profiles=profiles, vehicles=tuple(vehicles), demand=demand, **fields)


PREFERENCE = np.array([0, 0.9, 0.1, 0.8, 0.2, 0.7])
EVEN = np.arange(6) % 2 == 0
GAPS = directed(6, 8)
GAPS[0, 3] = GAPS[3, 4] = GAPS[5, 0] = np.inf

PROBLEMS = {
    "one way": one_way_street(),
    "line": line_of_four(),
    "waiting": early_and_late(),
    "tour": Problem.from_matrices(directed(7, 3)),
    "capacity": Problem.from_matrices(
        directed(7, 4), demand=[0, 2, 3, 4, 2, 3, 4], capacity=9, vehicles=3
    ),
    "fractions": Problem.from_matrices(
        directed(6, 4) / 777, demand=[0, 0.1, 0.2, 0.3, 0.1, 0.3], capacity=0.5, vehicles=2
    ),
    "two dimensions": Problem.from_matrices(
        directed(6, 5),
        demand=[[0, 0], [1, 4], [2, 3], [3, 2], [4, 1], [1, 1]],
        capacity=[6, 6],
        vehicles=3,
    ),
    "windows": Problem.from_matrices(
        directed(6, 6), directed(6, 6) / 5, window_s=_windows(6, 1), service_s=[0] + [60] * 5
    ),
    "shifts": Problem.from_matrices(
        directed(6, 7), directed(6, 7) / 5, vehicles=3, shift_s=(100, 700)
    ),
    "time counts": Problem.from_matrices(
        directed(6, 6),
        directed(6, 9) / 5,
        window_s=_windows(6, 2),
        vehicles=2,
        objective=Objective(distance=0.3, duration=2.0),
    ),
    "fixed cost": _many([Vehicle(capacity=(9,), fixed_cost=5000.0)] * 3),
    "unreachable": Problem.from_matrices(GAPS, vehicles=2),
    "optional": Problem.from_matrices(directed(6, 9), prize=[np.inf, 900, 2000, np.inf, 100, 1200]),
    "two depots": _many(
        [
            Vehicle(capacity=(8,)),
            Vehicle(capacity=(8,), start=1, end=1),
            Vehicle(capacity=(9,), end=1),
        ],
        depots=2,
    ),
    "two kinds": _many(
        [
            Vehicle(capacity=(9,), cost_per_m=2.0, fixed_cost=300.0),
            Vehicle(capacity=(10,), profile=1, fixed_cost=100.0),
        ]
    ),
    "allowed": _many(
        [Vehicle(capacity=(20,), allowed=EVEN), Vehicle(capacity=(20,), allowed=~EVEN)]
    ),
    "preferences": _many(
        [
            Vehicle(capacity=(10,), preference=PREFERENCE),
            Vehicle(capacity=(10,), preference=np.r_[0, 1 - PREFERENCE[1:]], profile=1),
        ],
        objective=Objective(preference=1500.0),
    ),
    "preferred optional": _many(
        [Vehicle(capacity=(10,), preference=PREFERENCE)],
        objective=Objective(preference=1000.0),
        prize=np.array([np.inf, 500, 500, 500, 500, 500]),
    ),
    "trips": _many([Vehicle(capacity=(7,), max_trips=3), Vehicle(capacity=(5,), max_trips=1)]),
    "loading at another depot": _many(
        [
            Vehicle(capacity=(7,), max_trips=3, reload_at=(0, 1)),
            Vehicle(capacity=(5,), start=1, end=1, fixed_cost=900.0),
        ],
        depots=2,
    ),
    "longest distance": _many(
        [Vehicle(capacity=(20,))] * 2, objective=Objective(distance=0.1, longest_route=1.0)
    ),
    "longest duration": _many(
        [Vehicle(capacity=(20,)), Vehicle(capacity=(20,), profile=1)],
        objective=Objective(distance=0.1, longest_route=5.0, longest_by="duration"),
    ),
    "longest leg": Problem.from_matrices(
        directed(6, 12), objective=Objective(distance=0.01, longest_leg=1.0)
    ),
    "longest drive": _many(
        [Vehicle(capacity=(9,)), Vehicle(capacity=(17,), profile=1)],
        objective=Objective(distance=0.01, longest_leg=9.0, longest_by="duration"),
        service_s=np.array([0, 30, 20, 10, 40, 20.0]),
    ),
    "makespan": _many(
        [Vehicle(capacity=(20,), shift_s=(100 * v, np.inf)) for v in range(3)],
        objective=Objective(distance=0.01, makespan=1.0),
        window_s=np.array([[50, np.inf], [0, 900], [300, 600], [0, 700], [0, np.inf], [0, 800]]),
    ),
    "makespan of shipments": Problem.from_matrices(
        directed(5, 13),
        directed(5, 13) / 5,
        shipments=[Shipment(pickup=1, delivery=2), Shipment(pickup=4, delivery=3)],
        release_s=[0, 0, 0, 300, 0],
        vehicles=4,
        objective=Objective(distance=0, makespan=1.0, longest_leg=0.2),
    ),
    "service of optional stops": Problem.from_matrices(
        directed(5, 3),
        directed(5, 3) / 10,
        service_s=[0, 10, 5000, 20, 4000],
        prize=[np.inf, 4000, 4000, 5000, 3000],
        objective=Objective(distance=0.5, duration=1.0),
    ),
    "pickups": _many(
        [Vehicle(capacity=(10,)), Vehicle(capacity=(9,))], pickup=np.array([0, 0, 3, 6, 1, 2.0])
    ),
    "backhauls": Problem.from_matrices(
        directed(6, 4),
        demand=[0, 3, 4, 0, 0, 0],
        pickup=[0, 0, 0, 4, 5, 0],
        linehauls_first=True,
        capacity=9,
        vehicles=2,
    ),
    "shipments": Problem.from_matrices(
        directed(6, 5),
        demand=[0, 2, 0, 0, 1, 3],
        shipments=[
            Shipment(pickup=1, delivery=2, amount=(4,)),
            Shipment(pickup=5, delivery=3, amount=(3,)),
        ],
        capacity=6,
        vehicles=2,
    ),
    "shared ends": Problem.from_matrices(
        directed(6),
        demand=[0, 2, 0, 1, 0, 1],
        shipments=[Shipment(pickup=1, delivery=2, amount=(2,))],
        capacity=4,
        vehicles=2,
    ),
    "optional shipments": Problem.from_matrices(
        directed(6, 6),
        shipments=[Shipment(pickup=2, delivery=1), Shipment(pickup=3, delivery=5)],
        prize=[np.inf, 200, 100, 900, np.inf, 1500],
        vehicles=2,
    ),
    "groups": _many(
        [Vehicle(capacity=(9,))] * 2,
        groups=[Group(stops=(1, 3)), Group(stops=(2, 5), prize=700.0)],
    ),
    "releases": _many(
        [Vehicle(capacity=(9,))] * 3,
        release_s=np.array([0, 0, 350, 0, 100, 0.0]),
        window_s=np.array([[0, np.inf], [0, 250], [0, 600], [0, 250], [0, 400], [0, np.inf]]),
    ),
    "released trips": _many(
        [Vehicle(capacity=(9,), max_trips=3, shift_s=(0, 1100))],
        release_s=np.array([0, 0, 900, 0, 300, 0.0]),
        objective=Objective(distance=0.1, duration=1.0),
    ),
    "longest duty": _many(
        [Vehicle(capacity=(20,), max_duration_s=420.0)] * 3,
        window_s=np.array([[0, np.inf], [500, 900], [0, 300], [0, np.inf], [900, 950], [0, 800]]),
        service_s=np.array([0, 30, 20, 10, 40, 20.0]),
    ),
    "longest distance of each": _many([Vehicle(capacity=(20,), max_distance_m=3200.0)] * 3),
    "longest driving": _many(
        [Vehicle(capacity=(20,), max_driving_s=310.0)] * 3,
        service_s=np.array([0, 300, 200, 100, 400, 200.0]),
    ),
    "priorities": _many([Vehicle(capacity=(9,))] * 2, priority=np.array([0, 3, 0, 1, 0, 3.0])),
    "one vehicle": _many(
        [Vehicle(capacity=(9,)), Vehicle(capacity=(10,))], ties=[SameVehicle(stops=(1, 2))]
    ),
    "different vehicles": _many(
        [Vehicle(capacity=(17,))] * 2, ties=[DifferentVehicles(stops=(3, 4))]
    ),
    "in order": _many([Vehicle(capacity=(17,))] * 2, ties=[Precedence(stops=(5, 2, 1))]),
    "in a row": _many([Vehicle(capacity=(9,))] * 2, ties=[Sequence(stops=(3, 1))]),
    "several windows": _many(
        [Vehicle(capacity=(20,))] * 2,
        window_s=np.array([[0, np.inf], [0, 90], [0, 600], [0, 250], [0, 400], [0, np.inf]]),
        more_windows_s={1: [(700, 900)], 3: [(500, 550), (800, np.inf)]},
    ),
    "breaks": _many(
        [
            Vehicle(
                capacity=(20,), shift_s=(0, 1500), breaks=[Break(window_s=(200, 300), length_s=90)]
            )
        ]
        * 2,
        window_s=np.array([[0, np.inf], [0, 250], [0, 600], [0, 450], [0, 700], [0, np.inf]]),
    ),
    "soft windows, rests and overtime": Problem.from_matrices(
        directed(5, 7),
        directed(5, 7) / 5,
        vehicles=[
            Vehicle(
                rest=Rest(after_driving_s=200, length_s=60),
                overtime_after_s=500,
                cost_per_overtime_s=2.0,
            )
        ]
        * 2,
        soft_window_s=[(0, np.inf), (100, 200), (0, 300), (0, np.inf), (50, 400)],
        early_per_s=1.0,
        late_per_s=3.0,
    ),
    "traffic": Problem(
        profiles=[
            Profile(
                distance_m=directed(5, 8),
                duration_s=directed(5, 8) / 5,
                traffic=((0, 1.0), (150, 0.5), (600, 2.0)),
            )
        ],
        vehicles=[Vehicle()] * 2,
        window_s=[(0, np.inf), (0, 400), (0, 900), (0, np.inf), (0, 700)],
    ),
    "own service": Problem.from_matrices(
        directed(5, 9),
        directed(5, 9) / 5,
        vehicles=[Vehicle(service_s=[0, 300, 5, 200, 5]), Vehicle(max_driving_s=700)],
        service_s=[0, 10, 400, 20, 300],
        window_s=[(0, 1200), (0, 500), (0, 900), (0, 700), (0, 800)],
    ),
    "most stops": _many([Vehicle(capacity=(20,), max_stops=2), Vehicle(capacity=(9,))]),
}
OPTIMA = {name: optimum(problem) for name, problem in PROBLEMS.items()}


def _supported() -> list[tuple[str, str]]:
    return [
        (method, name)
        for method, solver in SOLVERS.items()
        for name, problem in PROBLEMS.items()
        if problem.features <= solver.supports
    ]


@pytest.mark.parametrize(("method", "name"), _supported())
def test_optimum(method: str, name: str) -> None:
    """Every solver that supports a tiny problem solves it as well as its kind can."""
    problem = PROBLEMS[name]
    found = SOLVERS[method].solve(problem, LIMIT_S, seed=1)
    report = nco.check(problem, found)
    assert report, str(report)
    best = OPTIMA[name]
    assert found.cost.total >= best - 1e-6 * abs(best)
    if method in EXACT:
        assert found.cost.total == pytest.approx(best, rel=1e-6)
    else:
        cost = found.cost
        assert cost.total - best <= SLACK[method] * (cost.total - cost.preference)


def test_every_solver_is_tried() -> None:
    """The list above covers every feature that some solver supports."""
    asked = frozenset().union(*(problem.features for problem in PROBLEMS.values()))
    offered = frozenset().union(*(solver.supports for solver in SOLVERS.values()))
    assert asked == offered
    assert EXACT | set(SLACK) == set(SOLVERS)
