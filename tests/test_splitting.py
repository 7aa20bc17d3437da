"""Demand that is split over visits: cut into parts, planned, joined again."""

from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
from instances import directed

import nco
from nco import Group, Objective, Problem, SameVehicle, Solution, Vehicle
from nco.baselines.pyvrp import PyVRP
from nco.errors import ProblemError
from nco.problem.splitting import RULE, split


def plainest(problem: Problem, whole: dict[int, int]) -> float:
    """The least cost by every way to hand out whole units to vehicles, and every order of each."""
    stops, count = list(whole), len(problem.vehicles)
    tours: dict[tuple[int, ...], float] = {(): 0.0}
    for size in range(1, len(stops) + 1):
        for order in permutations(stops, size):
            one = Solution.from_routes(problem, [order], explain=False)
            key = tuple(sorted(order))
            if not [v for v in one.violations if v.kind != "capacity"]:
                tours[key] = min(tours.get(key, np.inf), one.cost.total)
    ways = [
        [[ends.count(v) for v in range(count)] for ends in
         combinations_with_replacement(range(count), whole[j])]
        for j in stops
    ]  # fmt: skip
    best = np.inf
    for handed in product(*ways):
        loads = np.sum(handed, axis=0)
        if (loads <= problem.vehicles[0].capacity[0]).all():
            sets = [tuple(j for j, h in zip(stops, handed, strict=True) if h[v])
                    for v in range(count)]  # fmt: skip
            best = min(best, sum(tours.get(own, np.inf) for own in sets))
    return best


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_split_demand_is_planned_as_well_as_can_be(seed: int) -> None:
    """With windows and service, which every visit takes; two stops are larger than any vehicle."""
    whole = {1: 3, 2: 5, 3: 2}
    window = np.array([[0, np.inf], [0, 900], [100, 1500], [0, np.inf]])
    problem = Problem.from_matrices(
        directed(4, seed),
        directed(4, seed + 10) / 5,
        demand=[0, 3, 3, 2],
        window_s=window,
        service_s=[0, 50, 30, 20],
        vehicles=[Vehicle(capacity=4)] * 3,
        objective=Objective(distance=1.0, duration=0.5),
    )
    parts = split(problem, whole, part=1.0)
    assert parts.problem.size == 1 + sum(whole.values())
    found = nco.solve(parts.problem, PyVRP(max_iterations=1000), time_limit_s=20, seed=1)
    assert nco.check(parts.problem, found).feasible
    assert found.cost.total == pytest.approx(plainest(problem, whole), rel=1e-6)
    brought = np.zeros(4)
    for visit in parts.visits(found):
        brought[visit.stop] += visit.amount[0]
    assert brought.tolist() == [0, 3, 5, 2]
    assert len(parts.visits(found)) < sum(whole.values())


def test_parts_by_the_rule_of_shares() -> None:
    """A fifth of a vehicle as often as it goes, then a tenth, a twentieth and a hundredth."""
    problem = Problem.from_matrices(
        directed(3), demand=[[0, 0], [47.5, 1], [3, 9]], vehicles=[Vehicle(capacity=(100, 10))] * 2
    )
    parts = split(problem, [1])
    amounts = parts.problem.demand[[k for k, j in enumerate(parts.stop) if j == 1], 0]
    assert amounts == pytest.approx([20, 20, 5, 1, 1, 0.5])
    assert amounts.max() == pytest.approx(100 * RULE[0])
    assert parts.problem.demand[:, 1].sum() == pytest.approx(10)
    assert parts.problem.names[:3] == ("depot", "1 (part 1)", "1 (part 2)")
    assert parts.stop[-1] == 2 and parts.problem.names[-1] == "2"


def test_service_is_taken_once_for_parts_in_a_row() -> None:
    """And windows are about its start, as in the problem that was split."""
    problem = Problem.from_matrices(
        directed(3),
        directed(3) / 5,
        demand=[0, 4, 1],
        capacity=9,
        vehicles=1,
        window_s=[(0, np.inf), (700, 800), (0, np.inf)],
        service_s=[0, 60, 5],
    )
    parts = split(problem, [1], part=2.0)
    one, two = (Solution.from_routes(p, [r]) for p, r in
                ((problem, (1, 2)), (parts.problem, (1, 2, 3))))  # fmt: skip
    assert one.feasible and two.feasible
    assert two.cost.duration_s == pytest.approx(one.cost.duration_s)
    assert [(v.stop, v.amount) for v in parts.visits(two)] == [(1, (4.0,)), (2, (1.0,))]


@pytest.mark.parametrize(
    ("fields", "stops", "message"),
    [
        ({}, [0], "split names node 0; stops are 1 to 3"),
        ({}, [3], "has no demand; name stops with some"),
        ({}, {1: [1, 2]}, r"split\[1\]"),
        ({"groups": [Group(stops=(1, 2))]}, [1], "is tied to others"),
        ({"ties": [SameVehicle(stops=(1, 2))]}, [2], "is tied to others"),
        ({"vehicles": [Vehicle(capacity=9, max_stops=3)]}, [1], "max_stops of vehicle 0"),
        (
            {"vehicles": [Vehicle(capacity=9, service_s=[0, 5, 5, 5])]},
            [1],
            "vehicle 0 has service times of its own",
        ),
    ],
)
def test_what_cannot_be_split(fields, stops, message) -> None:
    """Is refused by name, with what to do."""
    given = {"demand": [0, 3, 2, 0], "vehicles": [Vehicle(capacity=9)], **fields}
    with pytest.raises(ProblemError, match=message):
        split(Problem.from_matrices(directed(4), **given), stops)


def test_parts_have_a_size() -> None:
    """Above 0, and not so small that there would be more than a thousand."""
    problem = Problem.from_matrices(directed(3), demand=[0, 3, 2], capacity=9)
    with pytest.raises(ProblemError, match="part is 0; give the size of parts, above 0"):
        split(problem, [1], part=0)
    with pytest.raises(ProblemError, match="more than 1000 parts; give larger ones"):
        split(problem, [1], part=1e-6)
