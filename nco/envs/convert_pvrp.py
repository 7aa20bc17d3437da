"""Profiled problems as instances on tensors, and back.

Vehicles that are alike are one vehicle of the instance, with the trips of all of them: where
shifts, fixed costs and the longest route do not count, it does not matter which one drives a trip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs.arcs import coordinates
from nco.envs.pvrp import PVRPInstance
from nco.envs.rcvrp import UNLIMITED
from nco.fleet.alike import arc_cost, linked, whole_loads
from nco.fleet.kinds import kinds_of, numbered
from nco.problem import Feature, Objective, Problem, Profile, Vehicle
from nco.problem.normal import normal
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nco.arrays import Floats
    from nco.fleet.kinds import Kind

SPARE = 2  # trips beyond those that could carry everything

FEATURES = frozenset(
    {
        Feature.CAPACITY,
        Feature.PROFILES,
        Feature.MIXED_FLEET,
        Feature.ALLOWED_STOPS,
        Feature.PREFERENCES,
        Feature.TRIPS,
        Feature.DURATION_COST,
        Feature.UNREACHABLE,
    }
)


def pvrp_instance(
    problem: Problem, dtype: torch.dtype = torch.float32
) -> tuple[PVRPInstance, tuple[int, ...]]:
    """The instance of a problem, and the node number in the problem of each of its nodes.

    The cost of an arc is what the objective charges for driving it; service and preference count
    in what is forgone. Stops that no vehicle can serve are missing. A vehicle is not permitted to
    serve stops that do not reach all its others both ways.
    """
    problem = normal(problem).problem
    kinds = kinds_of(problem)
    depot = problem.vehicles[0].start
    able = [_reached(problem, kind) for kind in kinds]
    nodes = (depot, *sorted(set().union(*able)))
    chosen = list(nodes)
    permitted = np.array([[node in own for node in nodes] for own in able])
    drive = np.zeros((len(kinds), len(nodes), len(nodes)))
    for own, reached, kind in zip(drive, permitted, kinds, strict=True):
        places = [0, *np.flatnonzero(reached).tolist()]
        there = [nodes[k] for k in places]
        own[np.ix_(places, places)] = arc_cost(problem, there, kind.numbers[0])
    spent = np.stack([_at_stops(problem, kind)[chosen] for kind in kinds])
    best = np.where(permitted, spent, np.inf).min(axis=0)
    forgone = np.where(permitted, spent - np.where(np.isinf(best), 0.0, best), 0.0)
    demand, capacity = whole_loads(problem, [kind.vehicle for kind in kinds])
    trips = [min(k.vehicle.max_trips * len(k.numbers), UNLIMITED) for k in kinds]
    instance = PVRPInstance(
        cost=torch.as_tensor(drive, dtype=dtype)[None],
        xy=coordinates(problem, nodes, drive.mean(axis=0)).to(dtype),
        forgone=torch.as_tensor(forgone, dtype=dtype)[None],
        permitted=torch.as_tensor(permitted)[None],
        demand=torch.as_tensor(demand[chosen])[None],
        capacity=torch.as_tensor(capacity)[None],
        trips=torch.tensor(trips)[None],
    )
    return instance, nodes


def cut_off(problem: Problem) -> dict[str, list[int]]:
    """Stops that a vehicle may serve, reaches and leaves again, and that are not permitted to it.

    They do not reach all its other stops, or are not reached from them. By the name of the first
    vehicle of each kind.
    """
    problem = normal(problem).problem
    depot, found = problem.vehicles[0].start, dict[str, list[int]]()
    for kind in kinds_of(problem):
        number = kind.numbers[0]
        metres = problem.profile_of(number).distance_m
        able = np.isfinite(metres[depot]) & np.isfinite(metres[:, depot]) & kind.stops
        lost = sorted(set(np.flatnonzero(able).tolist()) - _reached(problem, kind))
        if lost:
            found[kind.vehicle.name or f"vehicle {number}"] = lost
    return found


def _reached(problem: Problem, kind: Kind) -> set[int]:
    """Stops that vehicles of a kind may serve, all of which reach one another."""
    own = np.flatnonzero(kind.stops).tolist()
    return set(linked(problem, kind.numbers[0], own)[1:])


def _at_stops(problem: Problem, kind: Kind) -> Floats:
    """`[N]` what the objective charges vehicles of a kind for a service."""
    vehicle = kind.vehicle
    service_s = problem.service_s if vehicle.service_s is None else vehicle.service_s
    spent: Floats = kind.cost_per_s * service_s
    if vehicle.preference is not None:
        spent = spent - problem.objective.preference * vehicle.preference
    return spent


def pvrp_routes(problem: Problem, nodes: Sequence[int], actions: Sequence[int]) -> list[Route]:
    """The trips of a rollout, dealt out among vehicles that are alike.

    Where there are more trips than those vehicles may drive, those with the fewest stops are left
    out, so that their stops are unassigned.
    """
    kinds = kinds_of(problem)
    trips: list[list[list[int]]] = [[[]] for _ in kinds]
    for action in actions:
        vehicle, node = divmod(action, len(nodes))
        open_ = trips[vehicle][-1]
        if not node:
            if open_:
                trips[vehicle].append([])
        elif not open_ or open_[-1] != nodes[node]:
            open_.append(nodes[node])
    duties = []
    for k, (kind, driven) in enumerate(zip(kinds, trips, strict=True)):
        most = kind.vehicle.max_trips
        whole = sorted((trip for trip in driven if trip), key=len, reverse=True)
        whole = whole[: most * len(kind.numbers)]
        each = -(-len(whole) // len(kind.numbers))
        duties += [(k, whole[i : i + each]) for i in range(0, len(whole), max(each, 1))]
    return numbered(kinds, duties)


def pvrp_actions(problem: Problem, nodes: Sequence[int], routes: Iterable[Route]) -> list[int]:
    """The trips of all vehicles one after another, each ended by a return to the depot."""
    kind_of = {number: k for k, kind in enumerate(kinds_of(problem)) for number in kind.numbers}
    number = {node: k for k, node in enumerate(nodes)}
    return [
        kind_of[route.vehicle] * len(nodes) + node
        for route in routes
        if route.stops
        for node in (*(number[stop] for stop in route.stops), 0)
    ]


def pvrp_problem(instance: PVRPInstance, index: int) -> Problem:
    """One instance of a batch: what is forgone becomes a negative preference.

    Several trips of a vehicle become vehicles that are alike, of one trip each and as many as are
    ever of use, which more solvers know.
    """
    real = torch.nonzero(instance.capacity[index])[:, 0].tolist()
    load = int(instance.demand[index].sum())
    profiles, vehicles = [], []
    for k in real:
        matrix = instance.cost[index, k].double().numpy()
        allowed = instance.permitted[index, k].numpy().copy()
        allowed[0] = True
        profiles.append(Profile(distance_m=matrix, duration_s=matrix, name=f"vehicle {k}"))
        capacity = int(instance.capacity[index, k])
        vehicle = Vehicle(
            capacity=(float(capacity),),
            profile=len(profiles) - 1,
            allowed=allowed,
            preference=-instance.forgone[index, k].double().numpy(),
            name=f"vehicle {k}",
        )
        vehicles += [vehicle] * min(int(instance.trips[index, k]), -(-load // capacity) + SPARE)
    return Problem(
        profiles=tuple(profiles),
        vehicles=tuple(vehicles),
        demand=instance.demand[index].double().numpy(),
        xy=instance.xy[index].double().numpy(),
        objective=Objective(),
    )
