"""The planner: what is fixed, what may change, and that the whole day is counted right."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nco
from nco import Feature, Objective, Problem, Route, Solution, TableCity, Vehicle
from nco.data.cities.engine import Matrices
from nco.errors import CityError, InputError, NcoError, StorageError
from nco.planner import Arcs, Plan, Planner
from nco.search.lns.solver import LNS

QUICK = LNS(max_iterations=300)
LIMIT_S = 30.0  # iterations end the search


def lattice(size: int = 40) -> TableCity:
    """Points in a square; the way east is longer than the way west, ten metres a second."""
    xy = np.random.default_rng(3).uniform(0, 0.05, (size, 2)).round(5)
    step = (xy[None] - xy[:, None]) * 100_000
    metres = np.abs(step).sum(axis=2) + 0.3 * np.maximum(step[..., 0], 0)
    return TableCity("lattice", 24.0 + xy, Matrices(metres, metres / 10))


CITY = lattice()


def day(stops: int = 12, vehicles: int | list[Vehicle] = 4, **changes: object) -> Problem:
    """The first places of the lattice, by default vans that hold five of demand 1."""
    points = CITY.lonlat[: stops + 1]
    table = CITY.matrix(points)
    van = Vehicle(capacity=(5.0,), fixed_cost=100.0)
    given = {
        "demand": [0] + [1] * stops,
        "vehicles": [van] * vehicles if isinstance(vehicles, int) else vehicles,
        "service_s": [0] + [60] * stops,
        "lonlat": points,
        "name": "lattice",
        **changes,
    }
    return Problem.from_matrices(table.distance_m, table.duration_s, **given)


def begun(problem: Problem, share: float = 0.4, **given: object) -> tuple[Planner, Plan]:
    """A planner in the middle of the day, and the plan that it drives."""
    planner = Planner(problem, city=CITY, method=QUICK, **given)
    plan = planner.plan(LIMIT_S)
    starts = [call.start_s for route in plan.routes for call in route.calls]
    planner.advance(float(np.quantile(starts, share)))
    return planner, plan


def fixed(plan: Plan) -> dict[int, list[str]]:
    """Stops that each vehicle has begun."""
    return {
        route.vehicle: [call.name for call in route.calls if call.begun] for route in plan.routes
    }


def served(plan: Plan) -> list[str]:
    """All stops on routes."""
    return sorted(call.name for route in plan.routes for call in route.calls)


def test_the_first_plan_is_a_solution_of_the_day():
    """Before anything happens the rest is the day, and costs what a solution of it costs."""
    problem = day()
    plan = Planner(problem, method=QUICK).plan(LIMIT_S)
    assert plan.feasible and plan.rest == replace(problem, name=plan.rest.name)
    assert nco.check(plan.rest, plan.solution)
    assert plan.cost.total == pytest.approx(plan.solution.cost.total)
    assert served(plan) == sorted(problem.names[1:])


def test_what_is_begun_stays_and_nothing_is_paid_twice():
    """Without news the plan goes on: the same vehicles, the same order, the same whole cost."""
    planner, before = begun(day())
    after = planner.replan(LIMIT_S)
    assert any(fixed(after).values())
    for route in after.routes:
        done = [call.name for call in route.calls if call.begun]
        old = next(r for r in before.routes if r.vehicle == route.vehicle)
        assert list(old.stops[: len(done)]) == done
    assert after.cost.total <= before.cost.total + 1e-6
    assert after.cost.fixed == 100.0 * len({r.vehicle for r in after.routes})
    assert nco.check(after.rest, after.solution)


@pytest.mark.parametrize(
    ("objective", "shares"),
    [
        (Objective(), True),
        (Objective(distance=0.2, duration=1.0), True),
        (Objective(distance=0.1, longest_route=2.0), False),
        (Objective(distance=0.1, longest_route=2.0, longest_by="duration"), False),
    ],
)
def test_the_whole_is_what_is_behind_and_the_rest(objective, shares):
    """The cost of a whole plan and that of its rest differ by what nobody can change any more."""
    windows = np.array([[0, 9e3]] + [[300.0 * k, 300.0 * k + 3000] for k in range(12)])
    planner, _ = begun(day(objective=objective, window_s=windows))
    differences = []
    for seed in (1, 2):
        planner._seed = seed
        planner._planned = {}
        plan = planner.replan(LIMIT_S)
        assert plan.feasible and nco.check(plan.rest, plan.solution)
        differences.append(plan.cost.total - plan.solution.cost.total)
        if not shares:
            assert plan.cost.longest_route == pytest.approx(plan.solution.cost.longest_route)
    assert differences[0] == pytest.approx(differences[1], abs=1e-6)


def test_an_emptied_vehicle_still_drives_home():
    """A vehicle that stands far out is not free: what it costs to come home is in every plan."""
    problem = day(stops=4, vehicles=2)
    planner = Planner(problem, city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    first = plan.routes[0]
    planner.advance(first.calls[0].start_s)
    for name in first.stops[1:]:
        planner.cancel(name)
    after = planner.replan(LIMIT_S)
    same = next(route for route in after.routes if route.vehicle == first.vehicle)
    j = problem.names.index(first.stops[0])
    way = problem.profiles[0].distance_m
    if len(same.stops) == 1:
        assert same.distance_m == pytest.approx(way[0, j] + way[j, 0])
    assert same.end is not None


def test_news_of_every_kind():
    """Stops come, move and go and a vehicle drops out: all are served, none twice."""
    planner, before = begun(day(vehicles=6))
    left = planner.waiting
    planner.add("late", CITY.lonlat[20], demand=1, service_s=60)
    planner.add("later", CITY.lonlat[21], demand=2, window_s=(0, 9e9))
    planner.cancel(left[0])
    planner.move(left[1], CITY.lonlat[22])
    planner.change(left[2], demand=2, service_s=10)
    out = next(v for v, names in fixed(planner.replan(LIMIT_S)).items() if names)
    planner.drop_vehicle(out)
    plan = planner.replan(LIMIT_S)
    expected = {*before.rest.names[1:], "late", "later"} - {left[0]}
    assert plan.feasible and served(plan) == sorted(expected)
    assert nco.check(plan.rest, plan.solution)
    assert all(call.begun for route in plan.routes if route.vehicle == out for call in route.calls)
    moved = plan.rest.names.index(left[1])
    assert plan.rest.lonlat[moved] == pytest.approx(CITY.lonlat[22])
    known = CITY.matrix(plan.rest.lonlat).distance_m
    metres = plan.rest.profiles[0].distance_m
    closed = np.isinf(metres)  # from where a vehicle stands, to all but its anchor
    assert np.allclose(metres[~closed], known[~closed])
    assert set(np.flatnonzero(closed.any(1))) == set(range(1, plan.rest.depots))


def test_a_moved_stop_is_planned_anew():
    """At its old turn a stop that moved would make a detour: until the next plan it is in none."""
    planner, _ = begun(day())
    name = planner.waiting[0]
    planner.move(name, CITY.lonlat[25])
    planner.advance(1e6)
    assert planner.waiting == (name,)
    planner.add_vehicle(Vehicle(capacity=(1.0,)))
    assert name in served(planner.replan(LIMIT_S))


def test_a_solution_from_elsewhere_is_adopted():
    """What another method finds for the rest becomes the plan that goes on."""
    planner, _ = begun(day())
    found = nco.solve(planner.rest, QUICK, time_limit_s=LIMIT_S, seed=5)
    plan = planner.adopt(found)
    assert plan.solution.routes == found.routes
    again = planner.replan(LIMIT_S)
    assert again.cost.total <= plan.cost.total + 1e-6
    behind = [p.cost.total - p.solution.cost.total for p in (plan, again)]
    assert behind[0] == pytest.approx(behind[1])
    planner.advance(1e6)
    with pytest.raises(InputError, match="nothing is left"):
        planner.adopt(found)


def test_a_stop_is_where_it_was_given_or_moved_to():
    """Depots and stops have a place, added and moved ones too; what there is not is refused."""
    planner = Planner(day(), city=CITY, method=QUICK)
    lon, lat = (float(x) for x in CITY.lonlat[20])
    planner.add("late", (lon, lat), demand=1)
    assert planner.place_of("late") == pytest.approx((lon, lat), abs=1e-6)
    planner.move("late", CITY.lonlat[3])
    assert planner.place_of("late") == pytest.approx(tuple(CITY.lonlat[3]), abs=1e-6)
    assert planner.place_of(planner.places[0]) == pytest.approx(tuple(CITY.lonlat[0]), abs=1e-6)
    with pytest.raises(InputError, match="no stop or depot"):
        planner.place_of("nobody")


def test_arcs_stand_for_a_city():
    """Without a city a new stop brings its rows and columns, in the order of the places."""
    problem = replace(day(), lonlat=None)
    planner = Planner(problem, method=QUICK)
    planner.plan(LIMIT_S)
    where = [problem.names.index(name) for name in planner.places]
    way = CITY.matrix(CITY.lonlat)
    arcs = Arcs(
        way.distance_m[20, where], way.duration_s[20, where],
        way.distance_m[where, 20], way.duration_s[where, 20],
    )  # fmt: skip
    planner.add("late", arcs=arcs, demand=1)
    with_city = Planner(day(), city=CITY, method=QUICK)
    with_city.add("late", CITY.lonlat[20], demand=1)
    a, b = planner.rest, with_city.rest
    assert np.allclose(a.profiles[0].distance_m, b.profiles[0].distance_m)
    assert np.allclose(a.profiles[0].duration_s, b.profiles[0].duration_s)
    with pytest.raises(InputError, match="no city"):
        planner.add("latest", CITY.lonlat[21])


def test_what_cannot_be_done_is_said():
    """Errors name the stop or the vehicle and what to do instead."""
    planner, plan = begun(day())
    done = next(names for names in fixed(planner.replan(LIMIT_S)).values() if names)[0]
    waiting = planner.waiting[0]
    for call, words in (
        (lambda: planner.cancel(done), "bound for it"),
        (lambda: planner.move(done, CITY.lonlat[20]), "bound for it"),
        (lambda: planner.cancel("nobody"), "no stop 'nobody'"),
        (lambda: planner.add(waiting, CITY.lonlat[20]), "already there"),
        (lambda: planner.add("depot", CITY.lonlat[20]), "already there"),
        (lambda: planner.add("new"), "no place"),
        (lambda: planner.advance(planner.now_s - 1), "time only goes on"),
        (lambda: planner.drop_vehicle(9), "no vehicle 9"),
        (lambda: planner.served(0, [waiting, waiting], 1e4), "once"),
        (lambda: planner.change(waiting, window_s=(5, 1)), "window_s"),
        (lambda: planner.change(waiting, demand=-1), "demand"),
        (lambda: planner.replan(0), "time_limit_s"),
    ):
        with pytest.raises(InputError, match=words):
            call()
    planner.cancel(waiting)
    with pytest.raises(InputError, match="cancelled before"):
        planner.cancel(waiting)
    with pytest.raises(InputError, match="was cancelled"):
        planner.add(waiting, CITY.lonlat[20])
    planner.drop_vehicle(0)
    with pytest.raises(InputError, match="dropped out"):
        planner.drop_vehicle(0)
    assert planner.replan(LIMIT_S).feasible
    assert plan.feasible


def test_when_all_is_done_nothing_is_left():
    """At the end of the day there is no rest, and every vehicle is home."""
    planner, before = begun(day(), 1.0)
    planner.advance(1e6)
    assert planner.rest is None
    plan = planner.replan()
    assert plan.feasible and plan.solution is None
    assert plan.cost.total == pytest.approx(before.cost.total)
    assert all(route.end.begun for route in plan.routes)
    planner.add("late", CITY.lonlat[20])
    used = {route.vehicle for route in plan.routes}
    again = planner.replan(LIMIT_S)
    assert again.route_of("late").vehicle not in used  # one trip each, and those are driven


def test_stops_that_nobody_can_take_are_named():
    """Where the last vehicle drops out, its stops are unassigned, with a reason."""
    planner = Planner(day(stops=4, vehicles=1), city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    order = plan.routes[0].stops
    planner.advance(plan.routes[0].calls[0].departure_s - 1)
    planner.drop_vehicle(0)
    plan = planner.replan()
    assert not plan.feasible and plan.rest is None
    assert plan.unassigned == dict.fromkeys(plan.unassigned, "no vehicle is left")
    assert set(plan.unassigned) == set(order[1:])
    assert served(plan) == [order[0]] and plan.routes[0].end is None
    planner.add_vehicle(Vehicle(capacity=(2.0,)))
    planner.change(order[1], demand=2)
    planner.change(order[2], demand=3)
    plan = planner.replan(LIMIT_S)
    assert "more than any vehicle" in plan.unassigned[order[2]]
    assert order[1] in served(plan) or order[3] in served(plan)


def test_a_vehicle_that_breaks_down_on_its_way_has_not_served_the_stop():
    """The stop that a dropped vehicle was bound for goes to another one."""
    planner = Planner(day(stops=4, vehicles=3), city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    route = plan.routes[0]
    planner.advance((route.start.departure_s + route.calls[0].arrival_s) / 2)
    planner.drop_vehicle(route.vehicle)
    again = planner.replan(LIMIT_S)
    assert again.feasible and again.route_of(route.stops[0]).vehicle != route.vehicle


def test_a_report_from_the_road_counts_more_than_the_plan():
    """Stops that a vehicle served out of order are fixed so, and those it passed are open again."""
    planner = Planner(day(), city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    one = plan.routes[0]
    planner.advance(one.calls[1].start_s)
    taken = next(name for name in planner.waiting if name not in one.stops)
    planner.served(one.vehicle, [one.stops[0], taken], 5000.0)
    again = planner.replan(LIMIT_S)
    mine = next(route for route in again.routes if route.vehicle == one.vehicle)
    assert mine.stops[:2] == (one.stops[0], taken)
    assert mine.calls[1].departure_s == 5000.0
    assert again.feasible and len(served(again)) == 12
    assert all(call.arrival_s >= 5000.0 for call in mine.calls[2:])


def test_trips_that_have_not_begun_are_passed_by():
    """Before the first of several trips begins, time may go on, and nothing is fixed."""
    van = Vehicle(capacity=(5.0,), max_trips=2, shift_s=(8 * 3600.0, 18 * 3600.0))
    planner = Planner(day(8, vehicles=[van]), city=CITY, method="pyvrp")
    assert len(planner.plan(0.2).routes) == 2
    planner.advance(7 * 3600.0)
    assert len(planner.waiting) == 8 and planner.replan(0.2).feasible


def test_a_report_from_before_the_shift_is_believed():
    """Who reports a stop before the shift begins has left the depot no later than that."""
    van = Vehicle(capacity=(9.0,), shift_s=(8 * 3600.0, 18 * 3600.0))
    weights = Objective(longest_route=1.0, longest_by="duration")
    planner = Planner(day(6, vehicles=[van, van], objective=weights), city=CITY, method=QUICK)
    first = planner.plan(LIMIT_S).routes[0]
    planner.advance(7.5 * 3600)
    planner.served(first.vehicle, [first.calls[0].name], ready_s=7.9 * 3600)
    plan = planner.replan(LIMIT_S)
    route = next(route for route in plan.routes if route.vehicle == first.vehicle)
    assert plan.feasible and route.start.departure_s <= route.calls[0].departure_s == 7.9 * 3600


def test_a_vehicle_leaves_from_where_it_stands():
    """A short way back through where a vehicle stands is none that it could still take."""
    metres = np.full((5, 5), 1000.0) - 1000 * np.eye(5)
    metres[1, 2] = metres[2, 1] = metres[1, 3] = metres[3, 1] = 1.0  # all ways lead through 1
    problem = Problem.from_matrices(metres, metres, vehicles=1)
    planner = Planner(problem, method=LNS(max_iterations=500))
    planner.plan(LIMIT_S)
    planner.served(0, ["1"], ready_s=1000.0)
    plan = planner.replan(LIMIT_S)
    assert plan.solution.routes[0].stops[0] == plan.rest.size - 1  # the anchor
    order = [int(call.name) for call in plan.routes[0].calls]
    assert order[0] == 1
    legs = [0, *order, 0]
    assert plan.cost.total == sum(metres[i, j] for i, j in pairwise(legs))


def test_several_trips_are_fixed_one_by_one():
    """A trip that has begun is driven to its end; the vehicle may drive others afterwards."""
    fleet = [Vehicle(capacity=(3.0,), max_trips=3)] * 2
    planner = Planner(day(vehicles=fleet), city=CITY, method="pyvrp")
    plan = planner.plan(0.5)
    assert plan.feasible
    planner.advance(plan.routes[0].calls[0].start_s)
    planner.cancel(planner.waiting[0])
    planner.add("late", CITY.lonlat[20], demand=1)
    again = planner.replan(0.5)
    assert again.feasible and len(served(again)) == 12
    first = next(route for route in again.routes if route.vehicle == plan.routes[0].vehicle)
    assert all(call.begun for call in first.calls) and first.end.begun
    for vehicle in (0, 1):
        own = [route for route in again.routes if route.vehicle == vehicle]
        assert len(own) <= 3
        for a, b in pairwise(own):
            assert a.end.departure_s <= b.start.departure_s + 1e-6


def test_optional_stops_profits_and_own_ends():
    """Prizes, preferences, closed doors and ends of one's own mean what they mean on the day."""
    size = 13
    likes = np.r_[0.0, 0.0, np.linspace(50, 300, size - 2)]
    fleet = [
        Vehicle(capacity=(9.0,), end=1, preference=likes),
        Vehicle(capacity=(9.0,), end=1, allowed=np.arange(size) % 2 == 0),
    ]
    prize = np.full(size, 2500.0)
    prize[[2, 4]] = np.inf
    demand, service = np.ones(size), np.full(size, 60.0)
    demand[:2] = service[:2] = 0
    base = day(depots=2, vehicles=fleet, prize=prize, demand=demand, service_s=service)
    planner, before = begun(base)
    assert before.cost.total == pytest.approx(before.solution.cost.total)
    planner.add("late", CITY.lonlat[20], demand=1, prize=1.0, vehicles=[0])
    planner.add("must", CITY.lonlat[21], demand=1, vehicles=[1])
    plan = planner.replan(LIMIT_S)
    assert plan.feasible and nco.check(plan.rest, plan.solution)
    assert plan.route_of("must").vehicle == 1
    assert all(route.end.name == base.names[1] for route in plan.routes)
    odd = [base.names[j] for j in range(3, size, 2)]
    mine = [route for route in plan.routes if route.vehicle == 1]
    assert not {name for route in mine for name in route.stops} & set(odd)


def test_a_vehicle_that_is_late_goes_home():
    """Who cannot be back in time gets no further stops, and the plan says how late it is."""
    fleet = [Vehicle(capacity=(9.0,), shift_s=(0, 9000.0))] * 2
    planner = Planner(day(vehicles=fleet), city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    route = plan.routes[0]
    planner.advance(route.calls[0].start_s)
    planner.served(route.vehicle, [route.stops[0]], 9000.0)
    again = planner.replan(LIMIT_S)
    assert any("late" in text for text in again.violations) and not again.feasible
    mine = next(r for r in again.routes if r.vehicle == route.vehicle)
    assert mine.stops == (route.stops[0],) and mine.end.arrival_s > 9000.0


def test_vehicles_under_way_share_their_tables():
    """However many vehicles have left, arcs are kept once."""
    from nco.fleet.kinds import kinds_of
    from nco.search.lns.arrays import Fleet, instance_of

    planner, _ = begun(day(stops=30, vehicles=10), 0.3)
    rest = planner.rest
    kinds = kinds_of(rest)
    assert len(kinds) > 3 and len({id(kind.cost) for kind in kinds}) == 1
    instance = instance_of(rest, Fleet.of(rest, kinds, []))
    assert len(instance.cost) == 1 and len(instance.first) == len(kinds) + 1


@settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(seed=st.integers(0, 10_000), windows=st.booleans())
def test_a_day_of_chances_is_counted_right(seed, windows):
    """Random news at random times: the checker is content, nothing is lost, the past stays."""
    rng = np.random.default_rng(seed)
    changes = {}
    if windows:
        opens = rng.integers(0, 3000, 13)
        window_s = np.stack([opens, opens + 2500], 1)
        window_s[0] = (0, 20_000)
        changes["window_s"] = window_s
    planner = Planner(day(vehicles=8, **changes), city=CITY, method=LNS(max_iterations=60))
    plan = planner.plan(LIMIT_S)
    expected, out, new = set(day().names[1:]), set(), 13
    for _ in range(5):
        past = fixed(plan)
        planner.advance(planner.now_s + float(rng.uniform(0, 1200)))
        for _ in range(int(rng.integers(0, 4))):
            waiting = planner.waiting
            what = rng.integers(0, 5)
            if what == 0 and new < len(CITY):
                planner.add(f"new {new}", CITY.lonlat[new], demand=1)
                expected.add(f"new {new}")
                new += 1
            elif what == 1 and waiting:
                planner.cancel(waiting[0])
                expected.remove(waiting[0])
            elif what == 2 and waiting and new < len(CITY):
                planner.move(waiting[-1], CITY.lonlat[new])
                new += 1
            elif what == 3 and len(out) < 3:
                vehicle = int(rng.choice([v for v in range(8) if v not in out]))
                planner.drop_vehicle(vehicle)
                out.add(vehicle)
                past.pop(vehicle, None)
            elif what == 4 and waiting:
                planner.change(waiting[0], service_s=float(rng.integers(0, 300)))
        plan = planner.replan(LIMIT_S)
        assert sorted(expected) == sorted([*served(plan), *plan.unassigned])
        now = fixed(plan)
        for vehicle, names in past.items():
            assert now.get(vehicle, [])[: len(names)] == names
        if plan.rest is not None:
            report = nco.check(plan.rest, plan.solution)
            assert report or not plan.feasible, report
        loads = [sum(1 for _ in route.calls) for route in plan.routes]
        assert max(loads, default=0) <= 5
        for route in plan.routes:
            times = [t for call in route.calls for t in (call.arrival_s, call.start_s)]
            assert times == sorted(times)


def test_no_stop_is_lost_for_want_of_time():
    """Where the machine leaves no time for a search, new stops are inserted all the same."""

    @dataclass(frozen=True)
    class Hasty:
        name: str = "hasty"
        supports: frozenset[Feature] = frozenset(Feature)

        def solve(self, problem, time_limit_s, seed, initial=None):
            return initial

    planner, _ = begun(day())
    planner.add("late", CITY.lonlat[20], demand=1)
    planner._method = Hasty()
    plan = planner.replan(1e-3)
    assert plan.feasible and "late" in served(plan)


def test_any_method_takes_the_rest():
    """The rest is an ordinary problem: other methods solve it, and the checker reads it."""
    planner, _ = begun(day())
    for method in ("pyvrp", "lns", "auto"):
        found = nco.solve(planner.rest, method, time_limit_s=0.5)
        assert nco.check(planner.rest, found)
    routes = [Route(0, ())]
    assert isinstance(Solution.from_routes(planner.rest, routes), Solution)


def test_rows_of_a_contracted_city(helsinki: nco.City):
    """New places of a small city are asked of its contraction hierarchy; durations are the same."""
    problem = nco.sample.rcvrp(helsinki, 20, seed=5)
    planner = Planner(problem, city=helsinki, method=QUICK)
    point = helsinki.sample(1, seed=6)
    planner.add("late", point[0], demand=1)
    rest = planner.rest
    assert rest is not None
    late = rest.names.index("late")
    others = [j for j in rest.stops if j != late]
    usual = helsinki.matrix(point, targets=rest.lonlat[others])
    assert (rest.profiles[0].duration_s[late, others] == usual.duration_s[0]).all()


def test_a_city_that_cannot_be_contracted_serves_as_it_is(
    helsinki: nco.City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """A cache folder that cannot be written costs time, not the planner."""

    def refuse(*_: object, **__: object) -> object:
        raise StorageError("the cache folder is read-only")

    monkeypatch.setattr(nco.City, "contracted", refuse)
    planner = Planner(nco.sample.rcvrp(helsinki, 8, seed=5), city=helsinki, method=QUICK)
    assert "read-only" in caplog.text
    planner.add("late", helsinki.sample(1, seed=6)[0], demand=1)
    assert planner.rest is not None


def test_places_and_names_that_are_none():
    """What cannot be a place or a name is refused when it is given, not when it is planned."""
    planner = Planner(day(), city=CITY, method=QUICK)
    for lonlat in ([(24.0, 0.01), (24.0, 0.02)], "here", 5.0):
        with pytest.raises(CityError):
            planner.add("late", lonlat)
    with pytest.raises(InputError, match="names are text"):
        planner.add(5, CITY.lonlat[20])  # type: ignore[arg-type]
    size = len(planner.places)
    arcs = Arcs(*([100.0] * size for _ in range(4)))
    with pytest.raises(InputError, match="the planner asks its city"):
        planner.add("late", arcs=arcs)
    with pytest.raises(InputError, match="give the city itself"):
        Planner(day(), city="helsinki")  # type: ignore[arg-type]
    assert planner.plan(LIMIT_S).solution is not None


ODD = (None, 5, -1, 1.5, "", "x", np.nan, np.inf, [], [1, 2, 3], (5, 1), object(), True, "08:00")


@pytest.mark.parametrize("seed", range(6))
def test_odd_events_are_refused_and_the_day_goes_on(seed):
    """Unknown stops, clocks that go back, anything of another kind: our errors, nothing lost."""
    rng = np.random.default_rng(seed)
    planner = Planner(day(vehicles=6), city=CITY, method=LNS(max_iterations=20))
    planner.plan(LIMIT_S)

    def odd_or(value: object) -> object:
        return value if rng.random() < 0.7 else ODD[rng.integers(len(ODD))]

    def name() -> object:
        return odd_or(rng.choice(list(planner._day.stops)).item())

    def vehicle() -> object:
        return odd_or(int(rng.integers(-1, 8)))

    def time_s() -> object:
        return odd_or(planner.now_s + float(rng.uniform(-300, 800)))

    def place() -> object:
        return odd_or(CITY.lonlat[rng.integers(len(CITY))])

    def asked() -> dict[str, object]:
        fields = ("demand", "window_s", "service_s", "prize")
        return {field: odd_or(1.0) for field in fields if rng.random() < 0.3}

    refused = 0
    for step in range(40):
        event = (
            lambda: planner.advance(time_s()),
            lambda: planner.cancel(name()),
            lambda: planner.drop_vehicle(vehicle()),
            lambda: planner.served(vehicle(), odd_or([name(), name()]), time_s()),
            lambda: planner.move(name(), place()),
            lambda: planner.change(name(), **asked()),
            lambda step=step: planner.add(odd_or(f"new {step}"), place(), **asked()),
            lambda: planner.add_vehicle(odd_or(Vehicle(capacity=(5,)))),
            lambda: planner.adopt(odd_or(None)),
        )[rng.integers(9)]
        try:
            event()
        except NcoError:
            refused += 1
        if step % 10 == 9:
            plan = planner.replan(LIMIT_S)
            there = set(planner._day.stops) - planner._day.cancelled
            assert sorted(there) == sorted([*served(plan), *plan.unassigned])
    assert 5 < refused < 35
