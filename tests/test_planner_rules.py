"""Days with rules beyond capacities and windows are planned, driven by half and planned again."""

import numpy as np
import pytest
from test_planner import CITY, LIMIT_S, QUICK, begun, day, fixed

import nco
from nco import DifferentVehicles, Objective, Precedence, SameVehicle, Solution, Vehicle
from nco.errors import InputError, ProblemError
from nco.planner import Plan, Planner

ALWAYS = (0.0, np.inf)


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


def test_what_the_planner_does_not_know_is_refused() -> None:
    """By name: problems, and fields of stops."""
    with pytest.raises(InputError, match="asks for a cost on the makespan"):
        Planner(day(objective=Objective(makespan=1.0)))
    with pytest.raises(ProblemError, match="a stop has no field 'windows'; did you mean window_s"):
        Planner(day(), city=CITY, method=QUICK).add("x", CITY.lonlat[20], windows=(0, 1))
