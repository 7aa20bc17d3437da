"""Days with rules beyond capacities and windows are planned, driven by half and planned again."""

import numpy as np
import pytest
from driven_days import faults
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import RULES, ruled_problems
from test_planner import CITY, LIMIT_S, QUICK, begun, day, fixed

import nco
from nco import DifferentVehicles, Precedence, SameVehicle, Shipment, Solution, Vehicle
from nco.errors import InputError, ProblemError
from nco.planner import Plan, Planner

ALWAYS = (0.0, np.inf)
CHEAP = tuple(rule for rule in RULES if rule not in ("peaks", "fewest"))


def driven(problem: nco.Problem) -> tuple[Planner, Plan]:
    """The plan when all is done, and the same routes as a solution of the day say the same."""
    planner, _ = begun(problem)
    assert any(fixed(planner.replan(LIMIT_S)).values())
    middle = planner.replan(LIMIT_S)
    assert middle.feasible and nco.check(middle.rest, middle.solution)
    node = {name: j for j, name in enumerate(problem.names)}
    routes = [nco.Route(r.vehicle, tuple(node[name] for name in r.stops)) for r in middle.routes]
    whole = Solution.from_routes(problem, routes)
    assert whole.feasible
    return planner, middle


def test_soft_windows_and_overtime_cost_what_the_day_says() -> None:
    """Of whole routes that are what a solution of the day would cost at best, or a little more."""
    soft = [ALWAYS, *[(300.0 * k, 300.0 * k + 600) for k in range(12)]]
    problem = day(
        vehicles=[Vehicle(capacity=(5.0,), overtime_after_s=2500, cost_per_overtime_s=3.0)] * 4,
        soft_window_s=soft,
        early_per_s=0.5,
        late_per_s=2.0,
    )
    _, plan = driven(problem)
    starts = {call.name: call.start_s for route in plan.routes for call in route.calls}
    penalty = 0.0
    for j in problem.stops:
        first, last = soft[j]
        start = starts[problem.names[j]]
        penalty += 0.5 * max(0.0, first - start) + 2.0 * max(0.0, start - last)
    late = [max(0.0, route.end.departure_s - 2500) for route in plan.routes]
    assert plan.cost.soft_windows == pytest.approx(penalty)
    assert plan.cost.overtime == pytest.approx(3.0 * sum(late))


def test_several_windows_are_kept() -> None:
    """Of what is done and of what is planned; a new stop may have several as well."""
    windows = np.array([ALWAYS, *[(0.0, 900.0)] * 12])
    problem = day(window_s=windows, more_windows_s={j: [(2000, 9000)] for j in range(1, 13)})
    planner, _ = driven(problem)
    planner.add("new", CITY.lonlat[20], demand=0, window_s=(0, 1), more_windows_s=[(5000, 5100)])
    plan = planner.replan(LIMIT_S)
    for route in plan.routes:
        for call in route.calls:
            if call.name == "new":
                assert 5000 <= call.start_s <= 5100
            else:
                assert call.start_s <= 900 or 2000 <= call.start_s <= 9000
    with pytest.raises(ProblemError, match="which overlap"):
        planner.change("new", more_windows_s=[(0, 50)])


def test_priorities_decide_who_is_left_out_of_the_rest() -> None:
    """A new stop of a high priority takes the room of one of a low one."""
    planner, _ = begun(day(vehicles=3, priority=[0, *[1] * 12]))
    for k in range(5):
        planner.add(f"new {k}", CITY.lonlat[20 + k], demand=1, priority=50)
    plan = planner.replan(LIMIT_S)
    assert plan.unassigned
    assert not any(name.startswith("new") for name in plan.unassigned)


def test_skills_and_ties_hold_through_the_day() -> None:
    """What is begun decides who serves what it is tied to."""
    able = {"lift"}
    problem = day(
        vehicles=[Vehicle(capacity=(5.0,), skills=able), *[Vehicle(capacity=(5.0,))] * 3],
        skills={3: able},
        ties=[
            SameVehicle(stops=(1, 7)),
            DifferentVehicles(stops=(2, 9)),
            Precedence(stops=(4, 5, 10)),
        ],
    )
    planner, plan = driven(problem)
    assert plan.route_of(problem.names[3]).vehicle == 0
    name, stops = problem.names[7], plan.route_of(problem.names[7]).stops
    if name in planner.waiting:
        assert problem.names[1] in stops


def test_a_tie_follows_what_is_begun() -> None:
    """The second of two stops for one vehicle may go to the one that has begun the first, alone."""
    problem = day(stops=4, vehicles=2, ties=[SameVehicle(stops=(1, 2)), Precedence(stops=(3, 4))])
    planner = Planner(problem, city=CITY, method=QUICK)
    planner.plan(LIMIT_S)
    first, second = problem.names[1], problem.names[3]
    planner.served(0, [first], 100.0)
    planner.served(1, [second], 100.0)
    plan = planner.replan(LIMIT_S)
    assert plan.feasible
    assert plan.route_of(problem.names[2]).vehicle == 0
    assert plan.route_of(problem.names[4]).vehicle == 1


def van(**given: object) -> Vehicle:
    """One that holds five."""
    return Vehicle(capacity=(5.0,), **given)


def test_goods_on_board_are_delivered_by_who_has_them() -> None:
    """After a pickup its delivery stays with that vehicle, whose room the goods take till then."""
    goods = [Shipment(pickup=1, delivery=2, amount=4)]
    problem = day(stops=4, vehicles=2, demand=[0, 0, 0, 1, 1], shipments=goods)
    planner = Planner(problem, city=CITY, method=QUICK)
    planner.plan(LIMIT_S)
    pickup, delivery = problem.names[1], problem.names[2]
    planner.served(1, [pickup], 500.0)
    planner.add("large", CITY.lonlat[20], demand=4)
    plan = planner.replan(LIMIT_S)
    assert plan.feasible and plan.route_of(delivery).vehicle == 1
    route = plan.route_of("large")
    assert route.vehicle == 0 or route.stops.index("large") > route.stops.index(delivery)
    with pytest.raises(InputError, match="which the report does not name before it"):
        planner.served(0, [delivery], 500.0)
    planner.advance(501.0)
    planner.drop_vehicle(1)
    assert "on board of vehicle 1" in planner.replan(LIMIT_S).unassigned[delivery]
    planner.cancel(delivery)
    assert delivery not in planner.replan(LIMIT_S).unassigned


def test_a_shipment_that_comes_up_is_carried_by_one_vehicle() -> None:
    """Two new stops become its ends, and are cancelled together."""
    planner, _ = begun(day())
    planner.add("from", CITY.lonlat[20])
    planner.add("to", CITY.lonlat[21])
    planner.add_shipment("from", "to", 1)
    plan = planner.replan(LIMIT_S)
    stops = plan.route_of("to").stops
    assert plan.feasible and stops.index("from") < stops.index("to")
    with pytest.raises(InputError, match="part of a shipment, a group or a sequence already"):
        planner.add_shipment("to", "from")
    planner.cancel("to")
    assert not {"from", "to"} & {*planner.waiting}


def test_breaks_are_taken_once_and_driving_so_far_counts() -> None:
    """The whole day has one break, and never more driving without a rest than is allowed."""
    pause, rest = (
        nco.Break(window_s=(1000, 2500), length_s=300),
        nco.Rest(after_driving_s=900, length_s=200),
    )
    problem = day(stops=8, vehicles=[van(breaks=[pause], rest=rest)] * 3)
    planner = Planner(problem, city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    for now_s in range(200, 4000, 400):
        planner.advance(now_s)
        plan = planner.replan(LIMIT_S)
        assert plan.feasible
    assert any(call.pauses for route in plan.routes for call in route.calls)
    for route in plan.routes:
        calls = [*route.calls, route.end]
        taken = [p for c in calls for p in c.pauses if p[1] >= 300 and 1000 <= p[0] <= 2500]
        assert len(taken) == 1 or route.start.start_s + 300 > 2500 or route.end.start_s < 2500
        driven, before = 0.0, route.start
        for call in calls:
            driven = call.driving_s - before.driving_s + (0.0 if call.pauses else driven)
            assert driven <= 900 * (2 if call.pauses else 1) + 1e-6
            before = call


def test_limits_are_what_is_left_of_them() -> None:
    """Metres, stops and hours that are behind a vehicle are not given to it again."""
    problem = day(vehicles=[van(max_stops=4, max_distance_m=9000, max_duration_s=2000)] * 4)
    planner, _ = begun(problem)
    for k in range(4):
        planner.add(f"new {k}", CITY.lonlat[20 + k], demand=0.1)
    plan = planner.replan(LIMIT_S)
    for route in plan.routes:
        assert len(route.calls) <= 4 and route.distance_m <= 9000 + 1e-6
        assert route.end.departure_s - route.start.start_s <= 2000 + 1e-6


def test_open_routes_end_at_their_last_stop() -> None:
    """Nobody drives home, and who stands at its last stop takes more until its shift is over."""
    problem = day(stops=4, vehicles=[van(open_end=True)])
    planner = Planner(problem, city=CITY, method=QUICK)
    plan = planner.plan(LIMIT_S)
    assert plan.routes[0].end is None
    planner.advance(plan.routes[0].calls[-1].departure_s + 100)
    planner.add("new", CITY.lonlat[20], demand=1)
    plan = planner.replan(LIMIT_S)
    assert plan.feasible and plan.routes[0].stops[-1] == "new" and plan.routes[0].end is None


def test_alternatives_to_what_is_begun_are_not_asked_for() -> None:
    """Of a group one is served on the whole day, and none is missed for that."""
    problem = day(stops=6, groups=[nco.Group(stops=(1, 2, 3))])
    planner, _ = begun(problem)
    group = {*problem.names[1:4]}
    while planner.waiting and planner.now_s < 20_000:
        planner.advance(planner.now_s + 500)
        plan = planner.replan(LIMIT_S)
        assert plan.feasible
        assert len(group & {name for route in plan.routes for name in route.stops}) == 1
        if not group.isdisjoint(planner._day.begun):
            break


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(ruled_problems(6, CHEAP), st.integers(0, 9999), st.booleans())
def test_a_day_with_rules_of_all_kinds(problem, seed, changes) -> None:
    """Whatever is drawn and happens, plans keep all rules, of the rest and of the whole day."""
    assert not faults(problem, np.random.default_rng(seed), changes=changes)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(ruled_problems(7), st.integers(0, 9999), st.booleans())
def test_many_days_with_rules_of_all_kinds(problem, seed, changes) -> None:
    """The same of more days, with those that take other compiled loops."""
    assert not faults(problem, np.random.default_rng(seed), changes=changes)


def test_what_the_planner_does_not_know_is_refused() -> None:
    """By name: what does not go together, and fields of stops."""
    last = {"pickup": [0, 0, 0, 1, 0], "linehauls_first": True}
    with pytest.raises(InputError, match="does not know together"):
        Planner(day(stops=4, shipments=[Shipment(pickup=1, delivery=2)], **last))
    with pytest.raises(ProblemError, match="a stop has no field 'windows'; did you mean window_s"):
        Planner(day(), city=CITY, method=QUICK).add("x", CITY.lonlat[20], windows=(0, 1))
