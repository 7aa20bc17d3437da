"""Demand that may be split over visits: cut into parts, each of them a stop, and joined again.

The parts are chosen before anything is planned: as many of a fifth of a vehicle as go into the
demand, then of a tenth, a twentieth and a hundredth (the 20/10/5/1 rule of P. Chen, B. Golden,
X. Wang and E. Wasil 2017, "A novel approach to solve the split delivery vehicle routing problem"),
or parts of a given size. Whatever can be planned with the parts is a plan with split demand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nco import _validate as validate
from nco.arguments import several
from nco.errors import ProblemError, counted, quoted
from nco.problem.given import given_problem
from nco.problem.problem import Problem

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.problem.solution import Solution
    from nco.problem.vehicle import Profile, Vehicle

RULE = (0.2, 0.1, 0.05, 0.01)  # sizes of parts, as shares of the smallest vehicle
MOST_PARTS = 1000  # of a stop


@dataclass(frozen=True)
class Delivery:
    """One visit of a split stop.

    Attributes:
        route: number of the route.
        vehicle: number of its vehicle.
        stop: node in the problem that was split.
        amount: what is delivered there, one number a dimension of demand.
    """

    route: int
    vehicle: int
    stop: int
    amount: tuple[float, ...]


@dataclass(frozen=True)
class Split:
    """A problem whose demand was cut into parts.

    Attributes:
        problem: in which each part is a stop of its own; solved, checked and saved as any other.
        stop: of the split problem, for each node of this one.
    """

    problem: Problem
    stop: tuple[int, ...]

    def visits(self, solution: Solution) -> tuple[Delivery, ...]:
        """Who brings how much to which stop; parts in a row are one visit.

        Args:
            solution: of `problem`.
        """
        found: list[Delivery] = []
        for r, route in enumerate(solution.routes):
            before = -1
            for node in route.stops:
                amount = self.problem.demand[node]
                if self.stop[node] == before:
                    amount = amount + np.array(found.pop().amount)
                before = self.stop[node]
                whole = tuple(amount.tolist())
                found.append(Delivery(r, route.vehicle, before, whole))
        return tuple(found)


def split(
    problem: Problem, stops: Iterable[int] | Mapping[int, Any], *, part: float | None = None
) -> Split:
    """Lets the demand of stops be split over visits.

    Every visit takes the service time and set-up of the stop. Prizes, preferences and costs of
    early and late service are shared out by amount.

    Args:
        problem: with these stops.
        stops: that may be visited several times; a mapping gives their demand as well, which may be
            more than a vehicle holds.
        part: size of the parts in the first dimension of demand; None takes the 20/10/5/1 rule.

    Raises:
        ProblemError: a stop is none, has no demand, or is tied to others; or a rule counts visits.
    """
    given_problem(problem)
    wanted = _wanted(problem, stops)
    _refuse(problem, list(wanted))
    shares = {j: _shares(problem, j, demand, part) for j, demand in wanted.items()}
    rows = [(j, share) for j in range(problem.size) for share in shares.get(j, (1.0,))]
    node, share = np.array([j for j, _ in rows]), np.array([s for _, s in rows])
    demand = problem.demand[node] * share[:, None]
    for j, whole in wanted.items():
        demand[node == j] = whole * share[node == j][:, None]
    at = np.isin(node, list(wanted))
    stays = np.where(at, problem.service_s[node], 0.0)
    renumbered = {int(j): n for n, j in reversed(list(enumerate(node)))}

    def by_node(values: Mapping[int, Any]) -> dict[int, Any]:
        return {n: values[int(j)] for n, j in enumerate(node) if int(j) in values}

    def moved(pairs: Iterable[tuple[float, float]], n: int) -> tuple[tuple[float, float], ...]:
        return tuple((begin + stays[n], end + stays[n]) for begin, end in pairs)

    names = [problem.names[j] for j in node]
    for j in wanted:
        for k, n in enumerate(np.flatnonzero(node == j), 1):
            names[n] = f"{problem.names[j]} (part {k})"
    other = replace(
        problem,
        profiles=tuple(_profile(profile, node) for profile in problem.profiles),
        vehicles=tuple(_vehicle(vehicle, node, share) for vehicle in problem.vehicles),
        demand=demand,
        pickup=problem.pickup[node] * share[:, None],
        window_s=problem.window_s[node] + stays[:, None],
        more_windows_s={n: moved(pairs, n) for n, pairs in by_node(problem.more_windows_s).items()},
        soft_window_s=problem.soft_window_s[node] + stays[:, None],
        early_per_s=problem.early_per_s[node] * share,
        late_per_s=problem.late_per_s[node] * share,
        service_s=problem.service_s[node] - stays,
        setup_s=problem.setup_s[node] + stays,
        prize=problem.prize[node] * share,
        priority=problem.priority[node],
        release_s=problem.release_s[node],
        skills=by_node(problem.skills),
        shipments=tuple(
            replace(s, pickup=renumbered[s.pickup], delivery=renumbered[s.delivery])
            for s in problem.shipments
        ),
        groups=tuple(
            replace(g, stops=tuple(renumbered[j] for j in g.stops)) for g in problem.groups
        ),
        ties=tuple(replace(t, stops=tuple(renumbered[j] for j in t.stops)) for t in problem.ties),
        lonlat=None if problem.lonlat is None else problem.lonlat[node],
        xy=None if problem.xy is None else problem.xy[node],
        moved_m=None if problem.moved_m is None else problem.moved_m[node],
        off_street=by_node(problem.off_street),
        details=by_node(problem.details),
        names=tuple(names),
    )
    return Split(other, tuple(int(j) for j in node))


def _wanted(problem: Problem, stops: Iterable[int] | Mapping[int, Any]) -> dict[int, Floats]:
    """The demand of each stop that may be split."""
    found = {}
    for given in several(stops, "split: stops", "numbers of stops, such as [3, 5]", ProblemError):
        j = validate.whole(given, "split: a stop")
        if j not in problem.stops:
            raise ProblemError(
                f"split names node {j}; stops are {problem.depots} to {problem.size - 1}"
            )
        amount = problem.demand[j]
        if isinstance(stops, Mapping):
            told = np.atleast_1d(validate.array(stops[given], f"split[{j}]"))
            amount = validate.vector(told, f"split[{j}]", problem.dimensions, low=0.0)
        if not amount.any():
            raise ProblemError(
                f"split: stop {j} ({quoted(problem.names[j])}) has no demand; name stops with some"
            )
        found[j] = amount
    return found


def _refuse(problem: Problem, stops: list[int]) -> None:
    """Refuse what would not mean the same of parts."""
    tied = {j for tie in problem.ties for j in tie.stops} | problem.mates.keys()
    tied |= {j for group in problem.groups for j in group.stops}
    for j in stops:
        name = f"split: stop {j} ({quoted(problem.names[j])})"
        if j in tied:
            raise ProblemError(
                f"{name} is tied to others, by a shipment, a group or a tie; take it out of one"
            )
        own = [v for v, vehicle in enumerate(problem.vehicles) if vehicle.service_s is not None]
        if own:
            raise ProblemError(
                f"{name}: vehicle {own[0]} has service times of its own, which parts cannot have; "
                "give service_s to the problem"
            )
        for profile in problem.profiles:
            same = (profile.distance_m[:, j] == 0) & (profile.duration_s[:, j] == 0)
            same[j] = False
            if same.any() and (problem.service_s[j] or problem.setup_s[j]):
                raise ProblemError(
                    f"{name} is at the place of node {int(np.argmax(same))}, so that it cannot be "
                    "told what its service takes; join the two"
                )
    limited = [v for v, vehicle in enumerate(problem.vehicles) if vehicle.max_stops is not None]
    if stops and limited:
        raise ProblemError(
            f"split: max_stops of vehicle {limited[0]} would count the parts of a stop; limit "
            "something else"
        )


def _shares(problem: Problem, j: int, demand: Floats, part: float | None) -> tuple[float, ...]:
    """Of the whole demand of a stop, those of its parts; the largest first."""
    if part is not None:
        size = validate.number(part, "part")
        if not 0 < size < np.inf:
            raise ProblemError(f"part is {quoted(part)}; give the size of parts, above 0")
        steps = [size / float(demand[0])] if demand[0] else [1.0]
    else:
        capacity = np.array([vehicle.capacity for vehicle, _ in problem.fleet]).min(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            fill = float(np.nanmax(np.where(demand > 0, demand / capacity, 0.0)))
        steps = [step / fill for step in RULE] if fill > 0 else [1.0]
    found: list[float] = []
    left = 1.0
    for step in steps:
        count = int(left / step + 1e-9)
        if len(found) + count > MOST_PARTS:
            raise ProblemError(
                f"split: stop {j} ({quoted(problem.names[j])}) would have more than "
                f"{counted(MOST_PARTS, 'part')}; give larger ones"
            )
        found += [step] * count
        left -= count * step
    return (*found, left) if left > 1e-9 or not found else tuple(found)


def _profile(profile: Profile, node: np.ndarray) -> Profile:
    cells = np.ix_(node, node)
    return replace(
        profile, distance_m=profile.distance_m[cells], duration_s=profile.duration_s[cells]
    )


def _vehicle(vehicle: Vehicle, node: np.ndarray, share: Floats) -> Vehicle:
    return replace(
        vehicle,
        allowed=None if vehicle.allowed is None else vehicle.allowed[node],
        preference=None if vehicle.preference is None else vehicle.preference[node] * share,
        service_s=None if vehicle.service_s is None else vehicle.service_s[node],
    )
