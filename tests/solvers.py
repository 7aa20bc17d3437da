"""The baselines as tests use them: ended by iterations, and problems cut to what they support."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nco import Feature, Problem
from nco.baselines.hgs import HGS
from nco.baselines.nearest import Nearest
from nco.baselines.ortools import ORTools
from nco.baselines.pyvrp import PyVRP
from nco.baselines.savings import Savings
from nco.baselines.vroom import Vroom
from nco.problem.objective import TIES
from nco.search.auto import Auto
from nco.search.genetic.solver import SOLVER as GENETIC
from nco.search.lns.solver import LNS
from nco.search.tree.solver import TreeSearch, TreeSolver
from nco.solver import Solver

SEARCHES: dict[str, Solver] = {
    "ortools": ORTools(max_iterations=300),
    "pyvrp": PyVRP(max_iterations=400),
    "vroom": Vroom(level=3),
    "hgs": HGS(max_iterations=60),
    "auto": Auto(LNS(max_iterations=300), replace(GENETIC, max_iterations=60), PyVRP(400)),
    "genetic": replace(GENETIC, max_iterations=60),
    "lns": LNS(max_iterations=300),
    "mcts": TreeSolver("mcts", TreeSearch(rounds=4, views=2)),
}
CONSTRUCTIONS: dict[str, Solver] = {"nearest": Nearest(), "savings": Savings()}
SOLVERS = SEARCHES | CONSTRUCTIONS

# Where tiny problems offer OR-Tools too few solutions to count, this ends it.
LIMIT_S = 0.3


def supported(problem: Problem, solver: Solver) -> Problem:
    """The problem without what the solver does not support."""
    # Ties go first: without the rest of a problem they may contradict one another.
    tied = TIES | {Feature.SEQUENCES}
    # Without one feature another may begin to count, as priorities do without prizes.
    while lacking := (problem.features - solver.supports) & _WITHOUT.keys():
        first = min(lacking, key=lambda feature: (feature not in tied, feature))
        problem = _WITHOUT[first](problem)
    return problem


def _vehicles(problem: Problem, **changes: object) -> Problem:
    return replace(problem, vehicles=[replace(v, **changes) for v in problem.vehicles])


def _objective(problem: Problem, **changes: float | bool) -> Problem:
    return replace(problem, objective=replace(problem.objective, **changes))


def _one_dimension(problem: Problem) -> Problem:
    vehicles = [replace(v, capacity=v.capacity[:1]) for v in problem.vehicles]
    shipments = tuple(replace(s, amount=s.amount[:1]) for s in problem.shipments)
    return replace(
        problem,
        vehicles=vehicles,
        demand=problem.demand[:, :1],
        pickup=problem.pickup[:, :1],
        shipments=shipments,
    )


def _plain_ends(problem: Problem) -> Problem:
    ends = list(problem.mates)
    given = {}
    for name in ("demand", "pickup", "release_s"):
        given[name] = getattr(problem, name).copy()
        given[name][ends] = 0.0
    return replace(problem, **given)


_WITHOUT: dict[Feature, Callable[[Problem], Problem]] = {
    Feature.ALLOWED_STOPS: lambda p: _vehicles(p, allowed=None),
    Feature.RELOADS: lambda p: replace(
        p, vehicles=[replace(v, reload_at=(), end=v.start) for v in p.vehicles]
    ),
    Feature.DEPOTS: lambda p: _vehicles(p, start=0, end=0, reload_at=()),
    Feature.DIMENSIONS: _one_dimension,
    Feature.DURATION_COST: lambda p: _objective(p, duration=0.0),
    Feature.LONGEST_ROUTE: lambda p: _objective(p, longest_route=0.0),
    Feature.LONGEST_LEG: lambda p: _objective(p, longest_leg=0.0),
    Feature.MAKESPAN: lambda p: _objective(p, makespan=0.0),
    Feature.MIXED_FLEET: lambda p: replace(p, vehicles=[p.vehicles[0]] * len(p.vehicles)),
    Feature.OPTIONAL_STOPS: lambda p: replace(p, prize=None),
    Feature.PREFERENCES: lambda p: _objective(p, preference=0.0),
    Feature.PROFILES: lambda p: _vehicles(p, profile=0),
    Feature.SHIFTS: lambda p: _vehicles(p, shift_s=(0.0, np.inf)),
    Feature.TIME_WINDOWS: lambda p: replace(p, window_s=None),
    Feature.TRIPS: lambda p: _vehicles(p, max_trips=1),
    Feature.PICKUPS: lambda p: replace(p, pickup=np.zeros_like(p.demand)),
    Feature.BACKHAULS: lambda p: replace(p, linehauls_first=False),
    Feature.SHIPMENTS: lambda p: replace(p, shipments=()),
    Feature.SHARED_ENDS: _plain_ends,
    Feature.GROUPS: lambda p: replace(p, groups=()),
    Feature.RELEASES: lambda p: replace(p, release_s=None),
    Feature.LONGEST_DUTY: lambda p: _vehicles(p, max_duration_s=np.inf),
    Feature.MOST_DISTANCE: lambda p: _vehicles(p, max_distance_m=np.inf),
    Feature.MOST_DRIVING: lambda p: _vehicles(p, max_driving_s=np.inf),
    Feature.MOST_STOPS: lambda p: _vehicles(p, max_stops=None),
    Feature.OPEN_ROUTES: lambda p: _vehicles(p, open_start=False, open_end=False),
    Feature.SKILLS: lambda p: replace(p, skills={}),
    Feature.SPEEDS: lambda p: _vehicles(p, speed=1.0),
    Feature.OWN_SERVICE: lambda p: _vehicles(p, service_s=None),
    Feature.SETUP: lambda p: replace(p, setup_s=None),
    Feature.FEWEST_VEHICLES: lambda p: _objective(p, fewest_vehicles=False),
    Feature.SEVERAL_WINDOWS: lambda p: replace(p, more_windows_s={}),
    Feature.SOFT_WINDOWS: lambda p: _objective(p, soft_windows=0.0),
    Feature.BREAKS: lambda p: _vehicles(p, breaks=()),
    Feature.RESTS: lambda p: _vehicles(p, rest=None),
    Feature.OVERTIME: lambda p: _objective(p, overtime=0.0),
    Feature.TRAFFIC: lambda p: replace(
        p, profiles=tuple(replace(profile, traffic=()) for profile in p.profiles)
    ),
    **dict.fromkeys(
        (
            Feature.SAME_VEHICLE,
            Feature.DIFFERENT_VEHICLES,
            Feature.PRECEDENCE,
            Feature.SEQUENCES,
        ),
        lambda p: replace(p, ties=()),
    ),
    Feature.LOADING: lambda p: _vehicles(p, loading_s=0.0, unloading_s=0.0),
    Feature.PRIORITIES: lambda p: replace(p, priority=None),
}
