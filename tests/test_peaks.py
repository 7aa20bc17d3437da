"""Makespan and longest leg, which count once for all vehicles: evaluated, checked and searched."""

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from instances import directed
from states import Begun, differences, ruled_searches

import nco
from nco import Break, Objective, Problem, Sequence, Shipment, Vehicle
from nco.errors import InputError, ProblemError
from nco.problem.objective import PEAKED
from nco.search.lns import operators, peaks
from nco.search.lns.operators import REMOVALS
from nco.search.lns.solver import LNS

random_searches = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def drawn(seed: int) -> Problem:
    """Four stops for four vehicles, or five for one, some optional; windows and late shifts."""
    rng = np.random.default_rng(seed)
    stops, count = (4, 4) if seed % 2 else (5, 1)
    window = np.tile([0.0, np.inf], (stops + 1, 1))
    window[1:, 0] = rng.choice([0.0, 0.0, 300.0], stops)
    weights = {"longest_leg": (0.0, 1.0, 3.0), "makespan": (0.0, 1.0, 2.0)}
    peak = {name: float(rng.choice(values)) for name, values in weights.items()}
    return Problem.from_matrices(
        directed(stops + 1, seed),
        directed(stops + 1, seed + 1) / 5,
        vehicles=[Vehicle(shift_s=(float(rng.choice([0, 100])), np.inf)) for _ in range(count)],
        window_s=window,
        service_s=rng.integers(0, 90, stops + 1) * (np.arange(stops + 1) > 0),
        prize=np.where(rng.random(stops + 1) < 0.2 * (seed % 3 != 1), 400.0, np.inf),
        shipments=[Shipment(pickup=2, delivery=1)] if seed % 3 == 1 else (),
        objective=Objective(
            distance=float(rng.choice([0.0, 0.1])),
            longest_by=str(rng.choice(["distance", "duration"])),
            **(peak if any(peak.values()) else {"makespan": 1.0}),
        ),
    )


@pytest.mark.parametrize("seed", [1, 2, 7, 11, 18])
def test_the_search_finds_what_trying_everything_finds(seed: int) -> None:
    """The cheapest answer of tiny problems, with four vehicles as well; the checker agrees."""
    problem = drawn(seed)
    found = LNS(max_iterations=600).solve(problem, 5.0, seed=1)
    assert nco.check(problem, found).feasible
    assert found.cost.total == pytest.approx(optimum(problem), rel=1e-6)


def rise(before: np.ndarray, after: np.ndarray, v: int, weights: np.ndarray) -> float:
    """What a change of one vehicle adds to the price of makespan and longest leg, as formulas."""
    price = 0.0
    squares = (after[v, 0] ** 2 - before[v, 0] ** 2, after[v, 2] - before[v, 2])
    for column in (0, 1):
        largest, then = before[:, column].max(), after[v, column]
        if weights[column] and max(largest, then) > 0:
            more = max(0.0, then - largest) + squares[column] / (2 * max(largest, then))
            price += weights[column] * more
    return price


@random_searches
@given(
    begun=ruled_searches(5, frozenset({"peaks"}), ("shipments", "releases")),
    count=st.integers(1, 4),
)
def test_a_price_is_that_of_the_route_built_anew(begun: Begun, count: int) -> None:
    """Of a stop, or of a shipment, in every place; the state is that of a fresh build."""
    assume(begun.problem.features & PEAKED)
    begun.take_out(REMOVALS["random"], count)
    assume(not begun.solution().violations)
    assert differences(begun.instance, begun.state) == []
    trips, size, mates = begun.trips(), begun.problem.size, begun.problem.mates
    before = begun.fresh(trips).peak
    pickups = [s.pickup for s in begun.problem.shipments]
    for j in begun.absent:
        if j in mates and j not in pickups:
            continue
        for v in range(len(begun.fleet.numbers)):
            trip = trips.get(v, ())
            places = [size + 2 * v, *trip]
            for k, place in enumerate(places):
                longer = (*trip[:k], j, *trip[k:])
                new = [(longer, (j, place, -1, -1))]
                if j in mates:
                    behind = [j, *trip[k:]]
                    new = [
                        ((*longer[: k + 1 + m], mates[j], *longer[k + 1 + m :]),
                         (j, place, mates[j], behind[m]))
                        for m in range(len(behind))
                    ]  # fmt: skip
                for route, asked in new:
                    after = trips | {v: route}
                    if begun.solution(after).violations:
                        continue
                    begun.state.asked[:] = asked
                    operators._run(begun.instance.peaks, begun.instance, begun.state, v)
                    wanted = rise(before, begun.fresh(after).peak, v, begun.instance.peak)
                    assert begun.state.answer[2] == pytest.approx(wanted, rel=1e-5, abs=1e-2)


def test_plain_problems_load_none_of_it() -> None:
    """Their searches have no address to call, and arrays of one entry a vehicle."""
    assert Begun(Problem.from_matrices(directed(4))).instance.peaks == 0
    peaked = Problem.from_matrices(directed(4), objective=Objective(makespan=1))
    assert Begun(peaked).instance.peaks == peaks.address(
        Begun(peaked).instance, Begun(peaked).state
    )


def test_a_makespan_is_not_weighed_beside_chosen_times() -> None:
    """The error names what is asked for and what to weigh in its place."""
    van = Vehicle(breaks=[Break(window_s=(0, 100), length_s=10)])
    with pytest.raises(ProblemError, match="makespan is weighed beside breaks"):
        Problem.from_matrices(directed(3), vehicles=[van], objective=Objective(makespan=1))


def test_a_makespan_counts_from_the_first_departure_in_any_clock() -> None:
    """Seconds from 1970 change neither the cost nor the answer; a depot that opens later does."""
    for zero in (0.0, 1.7e9):
        vans = [Vehicle(shift_s=(zero + 50, np.inf)), Vehicle(shift_s=(zero + 900, np.inf))]
        window = [(zero + 100, np.inf), *[(zero, np.inf)] * 3]
        problem = Problem.from_matrices(
            np.full((4, 4), 100.0) - 100 * np.eye(4),
            vehicles=vans,
            window_s=window,
            objective=Objective(distance=0.0, makespan=2.0),
        )
        assert problem.begins_s == zero + 100
        found = nco.Solution.from_routes(problem, [[1, 2], [3]])
        assert found.cost.makespan == 2 * (900 + 200 - 100)
        assert nco.check(problem, found).feasible
        assert nco.solve(problem, time_limit_s=0.05).cost.makespan == 2 * 400


def test_longest_legs_end_what_would_change_them() -> None:
    """A sequence is driven by those alone who count its legs; others refuse it by name."""
    problem = Problem.from_matrices(
        directed(4), ties=[Sequence(stops=(1, 2))], objective=Objective(longest_leg=1)
    )
    with pytest.raises(InputError, match="directly after one another"):
        nco.solve(problem, time_limit_s=0.05)
