"""Whether what a program does to small plans leaves them plans, before a search ever calls it.

By its making the language can do nothing else. This looks at what came out all the same, in plain
Python on copies of what the compiled loops leave, so that a fault in them is seen here and not in
somebody's routes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError, listed
from nco.fleet.kinds import kinds_of
from nco.problem import Problem
from nco.problem.check import check
from nco.problem.route import Route
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle
from nco.search.evolve.language import Program, Removal
from nco.search.evolve.linking import operator_of
from nco.search.lns import annealing, changes, insertion, operators, removal  # noqa: F401
from nco.search.lns.arrays import Fleet, empty_state, instance_of
from nco.search.lns.operators import INSERTIONS, REMOVALS, Operator

if TYPE_CHECKING:
    from nco.search.lns.records import Instance, SearchState

_STOPS, _TAKEN, _TIMES = 14, 4, 3


def try_out(program: Program) -> None:
    """Runs a program on two small problems and looks at what it leaves.

    Args:
        program: one that `language.program_of` lets pass.

    Raises:
        InputError: it left something that is no plan.
    """
    operator = operator_of(program)
    for problem in _problems():
        fleet = Fleet.of(problem, kinds_of(problem), [])
        instance = instance_of(problem, fleet, None)
        state = empty_state(instance, 0)
        changes.rebuild(instance, state, state.next.copy())
        annealing.construct(instance, state, -1)
        for _ in range(_TIMES):
            if isinstance(program, Removal):
                fault = _removed(instance, state, operator, len(fleet.numbers))
                _insert(instance, state, INSERTIONS["greedy"])
            else:
                _remove(instance, state, REMOVALS["random"])
                _insert(instance, state, operator)
                fault = None
            trips = _trips(state, problem.size, len(fleet.numbers))
            fault = fault or plan_fault(trips, _bank(state), range(1, problem.size))
            fault = fault or _broken(problem, fleet, trips)
            if fault:
                raise InputError(f"the program left no plan on a small problem: {fault}")


def _remove(instance: Instance, state: SearchState, operator: Operator) -> list[int]:
    """Runs a removal; the stops that it says it took."""
    state.log_size[0] = 0
    operators.run(operator, instance, state, _TAKEN)
    taken: list[int] = state.log[: state.log_size[0], 0].tolist()
    changes.settle(instance, state)
    return taken


def _insert(instance: Instance, state: SearchState, operator: Operator) -> None:
    operators.run(operator, instance, state, int(state.bank_size[0]))


def _removed(
    instance: Instance, state: SearchState, operator: Operator, vehicles: int
) -> str | None:
    """Runs a removal; what is wrong with what it took."""
    size = len(instance.service)
    before = _trips(state, size, vehicles)
    taken = _remove(instance, state, operator)
    return removal_fault(before, taken, _trips(state, size, vehicles), 2 * _TAKEN)


def removal_fault(
    before: Sequence[Sequence[int]],
    taken: Sequence[int],
    after: Sequence[Sequence[int]],
    most: int,
) -> str | None:
    """What is wrong with a removal; None if it is one.

    Args:
        before: stops of each route.
        taken: stops that it took.
        after: stops of each route.
        most: stops that it may take.
    """
    served = {stop for trip in before for stop in trip}
    if len(set(taken)) < len(taken):
        return f"a stop was taken twice ({listed(taken)})"
    if not served.issuperset(taken):
        return f"a stop was taken that is on no route ({listed(taken)})"
    if len(taken) > most:
        return f"{len(taken)} stops were taken, {most} are the most there may be"
    for one, other in zip(before, after, strict=True):
        if [stop for stop in one if stop not in set(taken)] != list(other):
            return f"a route has other stops than those that were left ({listed(other)})"
    return None


def plan_fault(
    trips: Sequence[Sequence[int]], left_out: Sequence[int], stops: Collection[int]
) -> str | None:
    """What is wrong with a plan: every stop is on one route once, or left out once.

    Args:
        trips: stops of each route.
        left_out: stops on none.
        stops: all that there are.
    """
    found = [stop for trip in trips for stop in trip] + list(left_out)
    if len(set(found)) < len(found):
        return f"a stop is there twice ({listed(found)})"
    if set(found) != set(stops):
        return f"a stop is missing, or is none of the problem's ({listed(found)})"
    return None


def _broken(problem: Problem, fleet: Fleet, trips: Sequence[Sequence[int]]) -> str | None:
    """Which rule routes break, by the checker that shares nothing with solvers."""
    routes = [Route(fleet.numbers[v], tuple(trip)) for v, trip in enumerate(trips) if trip]
    found = check(problem, Solution.from_routes(problem, routes)).findings
    return next((finding.message for finding in found if finding.kind != "unserved"), None)


def _bank(state: SearchState) -> list[int]:
    return list(map(int, state.bank[: state.bank_size[0]]))


def _trips(state: SearchState, size: int, vehicles: int) -> list[list[int]]:
    """Stops of each vehicle, at most one more than there are, so that a circle ends."""
    found = []
    for v in range(vehicles):
        trip, place = list[int](), int(state.next[size + 2 * v])
        while 0 <= place < size and len(trip) <= size:
            trip.append(place)
            place = int(state.next[place])
        found.append(trip)
    return found


@cache
def _problems() -> tuple[Problem, ...]:
    """Small ones: loads alone, and loads, windows and vehicles of two kinds."""
    dice = np.random.default_rng(0)
    points = dice.random((_STOPS + 1, 2))
    metres = 1000 * np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    demand = np.append(0, dice.integers(1, 5, _STOPS))
    plain = Problem.from_matrices(metres, demand=demand, capacity=12, vehicles=5)
    opens = np.append(0, dice.integers(0, 2000, _STOPS)).astype(float)
    closes = np.append(9000, opens[1:] + 3000)
    return plain, Problem.from_matrices(
        metres,
        metres / 2,
        demand=demand,
        window_s=np.stack((opens, closes), 1),
        vehicles=[Vehicle(capacity=(8,)), Vehicle(capacity=(8,)), *[Vehicle(capacity=(15,))] * 3],
    )
