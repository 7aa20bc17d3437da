"""Random days that are planned, driven, changed and planned again, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import nco
from nco import Group, Problem, Route, Shipment, Solution
from nco.errors import InputError, UnsupportedError
from nco.planner import Arcs, Plan, Planner
from nco.planner.day import VehicleDay
from nco.planner.driving import on_board
from nco.search.lns.solver import LNS

QUICK, LIMIT_S = LNS(max_iterations=40), 20.0  # iterations end the search
SAME = ("distance_m", "distance", "fixed", "preference", "unserved", "longest_leg", "vehicles")
"""Parts of the cost that do not depend on when something is done."""


def faults(problem: Problem, rng: np.random.Generator, *, changes: bool, steps: int = 4) -> str:
    """What is wrong with the plans of a day of chances; empty where nothing is.

    Args:
        problem: the day.
        rng: draws what happens.
        changes: whether stops come, change and go, and vehicles drop out.
        steps: how many times it is planned again.
    """
    try:
        planner = Planner(problem, method=QUICK)
        plan = planner.plan(LIMIT_S)
    except (InputError, UnsupportedError) as error:
        assert "together" in str(error) or "cannot handle" in str(error)
        return ""
    for step in range(steps):
        wrong = _wrong(planner, plan, changed=changes)
        starts = [c.start_s for r in plan.routes for c in r.calls if not c.begun]
        if wrong or not starts:
            return wrong
        past = _begun(plan)
        planner.advance(max(planner.now_s, float(rng.choice(starts)) + float(rng.choice([-1, 50]))))
        if changes:
            for _ in range(int(rng.integers(1, 4))):
                past.pop(_happens(planner, rng, f"new {step} {rng.integers(1e6)}"), None)
        try:
            plan = planner.replan(LIMIT_S)
        except UnsupportedError as error:  # of what was added, which can be cancelled
            assert " can), or " in str(error)
            return ""
        now = _begun(plan)
        for vehicle, names in past.items():
            if now.get(vehicle, [])[: len(names)] != names:
                return f"the past of vehicle {vehicle} was {names}, it is {now.get(vehicle)}"
    return _wrong(planner, plan, changed=changes)


def _otherwise(duty: VehicleDay) -> bool:
    """Whether what it has driven is no part of the whole, or a last trip that did not end there."""
    open_end = duty.by_trips and duty.vehicle.open_end
    return bool(duty.trips) and (duty.dropped or open_end)


def _begun(plan: Plan) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for route in plan.routes:
        found.setdefault(route.vehicle, []).extend(c.name for c in route.calls if c.begun)
    return found


def _happens(planner: Planner, rng: np.random.Generator, name: str) -> int | None:
    """Something changes; the vehicle that drops out, if one does."""
    waiting, day = planner.waiting, planner._day
    amount = rng.integers(0, 5, day.problem.dimensions)
    match rng.integers(0, 6):
        case 0:
            _add(planner, rng, name, demand=amount)
        case 1:
            _add(planner, rng, name, pickup=0 * amount)
            _add(planner, rng, f"{name} to")
            try:
                planner.add_shipment(name, f"{name} to", amount)
            except InputError as error:  # where deliveries come first
                assert "does not know together" in str(error)
        case 2 if waiting:
            planner.cancel(str(rng.choice(waiting)))
        case 3 if waiting:
            planner.change(str(rng.choice(waiting)), service_s=float(rng.integers(0, 300)))
        case 4 if waiting:
            planner.move(str(rng.choice(waiting)), arcs=_arcs(planner, rng))
        case 5:
            free = [v for v, duty in enumerate(day.duties) if not duty.dropped]
            if len(free) > 1:
                vehicle = int(rng.choice(free))
                planner.drop_vehicle(vehicle)
                return vehicle
    return None


def _arcs(planner: Planner, rng: np.random.Generator) -> list[Arcs]:
    size = len(planner.places)
    rows = [rng.uniform(100, 2000, (2, size)) for _ in planner._day.problem.profiles]
    return [Arcs(there, there / 8, back, back / 8) for there, back in rows]


def _add(planner: Planner, rng: np.random.Generator, name: str, **asked: object) -> None:
    closes = float(rng.choice([np.inf, planner.now_s + 2500]))
    planner.add(
        name,
        arcs=_arcs(planner, rng),
        window_s=(0.0, closes),
        service_s=float(rng.integers(0, 200)),
        prize=float(rng.choice([np.inf, 900.0])),
        **asked,
    )


def _wrong(planner: Planner, plan: Plan, *, changed: bool = False) -> str:
    day = planner._day
    served = [call.name for route in plan.routes for call in route.calls]
    if len(served) != len(set(served)) or day.cancelled & (set(served) - set(day.begun)):
        return f"{served} are served, of which {day.cancelled} are cancelled"
    grouped = {name for names, _ in day.groups for name in names}
    lost = day.stops.keys() - day.cancelled - set(served) - plan.unassigned.keys() - grouped
    if lost:
        return f"{lost} are lost"
    if plan.violations or on_board(day).keys() & plan.unassigned.keys():
        # What was cancelled or moved may have been the only way home in time, or with all goods.
        return "" if changed and not plan.feasible else f"it breaks {plan.violations}"
    broken = _broken(plan.rest, plan.solution) if plan.rest is not None else []
    whole, routes = as_known(planner, plan)
    found = Solution.from_routes(whole, routes, explain=False)
    broken += _broken(whole, found)
    if broken or (plan.feasible and not nco.check(whole, found).feasible):
        return f"the rest or the whole breaks {broken}; {plan}"
    if any(_otherwise(duty) for duty in day.duties):
        return ""
    for part in SAME:
        there, here = getattr(found.cost, part), getattr(plan.cost, part)
        if abs(there - here) > 1e-6 * max(1.0, abs(there)):
            return f"{part} of the whole is {there}, of the plan {here}"
    if found.cost.total > plan.cost.total + 1e-6 * max(1.0, abs(plan.cost.total)):
        return f"all known before, it costs {found.cost}, but {plan.cost} as it was driven"
    return ""


def _broken(problem: Problem, solution: Solution) -> list[str]:
    """What the checker finds but for stops left out."""
    report = nco.check(problem, solution)
    return [finding.message for finding in report.findings if finding.kind != "unserved"]


def as_known(planner: Planner, plan: Plan) -> tuple[Problem, list[Route]]:
    """The day as if all had been known when it began, without vehicles that dropped out."""
    day, own = planner._day, planner._day.problem
    out = {v for v, duty in enumerate(day.duties) if duty.dropped}
    gone = {name for name, v in day.begun.items() if v in out} | day.cancelled
    gone |= {goods.delivery for goods in day.shipments if goods.pickup in gone}
    gone |= {
        name for names, _ in day.groups if gone & {*names} & day.begun.keys() for name in names
    }
    stops = [stop for name, stop in day.stops.items() if name not in gone]
    node = {stop.name: own.depots + n for n, stop in enumerate(stops)}
    node |= {name: d for d, name in enumerate(own.names[: own.depots])}
    place = [*range(own.depots), *(stop.place for stop in stops)]
    cells, depots = np.ix_(place, place), own.depots

    def spread(field: str, at_depots: object) -> np.ndarray:
        return np.array([*[at_depots] * depots, *(getattr(stop, field) for stop in stops)], float)

    def prize(name: str) -> float:
        return np.inf if day.tied(name) & day.begun.keys() else day.prize(name)

    def of_vehicle(v: int) -> nco.Vehicle:
        vehicle = day.duties[v].vehicle
        allowed, gain = np.ones(len(place), bool), np.zeros(len(place))
        service = spread("service_s", 0.0)
        for j, stop in enumerate(stops, depots):
            known = stop.node is not None
            if known and vehicle.preference is not None:
                gain[j] = vehicle.preference[stop.node]
            if known and vehicle.allowed is not None:
                allowed[j] = vehicle.allowed[stop.node]
            unchanged = known and stop.service_s == own.service_s[stop.node]
            if unchanged and vehicle.service_s is not None:
                service[j] = vehicle.service_s[stop.node]
        return replace(vehicle, allowed=allowed, preference=gain, service_s=service)

    whole = Problem(
        profiles=tuple(
            replace(
                p,
                distance_m=day.places.distance_m[k][cells],
                duration_s=day.places.duration_s[k][cells],
            )
            for k, p in enumerate(own.profiles)
        ),
        vehicles=tuple(of_vehicle(v) for v in range(len(day.duties))),
        depots=depots,
        demand=spread("demand", [0.0] * own.dimensions).reshape(len(place), -1),
        pickup=spread("pickup", [0.0] * own.dimensions).reshape(len(place), -1),
        linehauls_first=own.linehauls_first,
        window_s=np.concatenate([own.window_s[:depots], spread("window_s", (0, 0))[depots:]])
        if stops
        else own.window_s[:depots],
        more_windows_s={node[s.name]: s.more_windows_s for s in stops if s.more_windows_s},
        soft_window_s=spread("soft_window_s", (0.0, np.inf)),
        early_per_s=spread("early_per_s", 0.0),
        late_per_s=spread("late_per_s", 0.0),
        service_s=spread("service_s", 0.0),
        setup_s=spread("setup_s", 0.0),
        release_s=spread("release_s", 0.0),
        prize=np.array([*[np.inf] * depots, *(prize(stop.name) for stop in stops)]),
        skills={node[s.name]: s.skills for s in stops if s.skills},
        shipments=tuple(
            Shipment(pickup=node[g.pickup], delivery=node[g.delivery], amount=tuple(g.amount))
            for g in day.shipments
            if g.pickup in node and g.delivery in node
        ),
        groups=tuple(
            Group(stops=tuple(node[n] for n in names if n in node), prize=prize)
            for names, prize in day.groups
            if any(n in node for n in names)
        ),
        ties=tuple(
            replace(tie, stops=left)
            for tie in own.ties
            for left in [tuple(node[own.names[j]] for j in tie.stops if own.names[j] in node)]
            if len(left) > 1
        ),
        objective=own.objective,
        names=tuple(sorted(node, key=node.__getitem__)),
    )
    routes = [
        Route(
            r.vehicle,
            tuple(node[n] for n in r.stops if n in node),
            None if r.end is None else node[r.end.name],
        )
        for r in plan.routes
        if r.calls and r.vehicle not in out
    ]
    return whole, routes
