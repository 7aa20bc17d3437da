"""A problem in other words charges the same for the same routes, and has the same optimum."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brute import optimum
from hypothesis import HealthCheck, assume, given, settings
from instances import ruled_problems, ruled_problems_with_routes

import nco
from nco import Feature, Objective, Problem, Profile, Route, Solution, Vehicle
from nco.errors import ProblemError, UnsupportedError
from nco.fleet.reductions.reduced import REDUCTIONS, Reduced, reduced
from nco.problem.objective import CLASSICAL
from nco.problem.solution import Cost
from nco.search.lns.solver import LNS
from nco.solve import solver as registered

RULES = {
    Feature.TRIPS: ("pickups", "backhauls", "shipments", "skills", "speeds", "service", "handling"),
    Feature.FEWEST_VEHICLES: ("limits", "skills", "fewest"),
    Feature.SKILLS: ("skills",),
    Feature.PICKUPS: ("pickups", "backhauls", "shipments"),
    Feature.BACKHAULS: ("backhauls", "shipments"),
    Feature.MOST_STOPS: ("limits", "backhauls", "shipments"),
    Feature.LONGEST_DUTY: ("limits", "releases", "open"),
    Feature.SPEEDS: ("speeds", "service", "limits"),
    Feature.SETUP: ("handling", "speeds", "open", "service", "hours", "overtime"),
    Feature.LOADING: ("handling", "speeds", "open", "releases", "hours", "overtime"),
    Feature.SEQUENCES: (
        "sequences",
        "ties",
        "skills",
        "limits",
        "pickups",
        "releases",
        "service",
        "overtime",
        "hours",
    ),
    Feature.OPEN_ROUTES: ("open", "shipments", "groups", "skills", "releases", "service"),
    Feature.OWN_SERVICE: ("service", "speeds", "limits", "open", "hours", "overtime"),
}


def untimed(problem: Problem) -> Problem:
    """Without hours and without costs of whole vehicles, which join the trips of one."""
    vehicles = [replace(v, shift_s=(0.0, np.inf), fixed_cost=0.0) for v in problem.vehicles]
    weights = replace(problem.objective, longest_route=0.0)
    return replace(problem, vehicles=vehicles, window_s=None, objective=weights)


SIMPLER = {Feature.TRIPS: untimed}
many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Classical:
    """The neighbourhood search, as if it knew none of the features that are reduced."""

    name = "classical"
    supports = CLASSICAL - {Feature.TRIPS}
    solve = LNS(max_iterations=400).solve


def square(**fields: object) -> Problem:
    """Depot and three stops at the corners of a square of 100 m, driven at 10 m/s."""
    xy = np.array([[0, 0], [0, 100], [100, 100], [100, 0.0]])
    distance = np.abs(xy[:, None] - xy[None]).sum(axis=2)
    return Problem.from_matrices(distance, distance / 10, **fields)


def test_every_reduction_is_tried() -> None:
    """The rules above cover every reduction that there is."""
    assert RULES.keys() == REDUCTIONS.keys()


def same(problem: Problem, other: Problem, routes: list[Route]) -> None:
    """Routes cost the same on both problems, and break something on both or on neither."""
    one = Solution.from_routes(problem, routes, explain=False)
    form = Reduced(problem, other)
    two = form.there(one)
    if form.back(two.routes) != list(one.routes):  # a sequence is torn, which is not said there
        assert one.violations
        return
    assert bool(one.violations) == bool(two.violations), (one.violations, two.violations)
    assert any(u.required for u in one.unassigned) == any(u.required for u in two.unassigned)
    if not one.violations:
        if not problem.objective.fewest_vehicles:  # there a vehicle costs something artificial
            assert two.cost.total == pytest.approx(one.cost.total, rel=1e-9, abs=1e-6)
        assert two.cost.duration_s == pytest.approx(one.cost.duration_s, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("feature", REDUCTIONS)
def test_costs_of_routes_are_the_same(feature: Feature) -> None:
    """Where a reduction applies, the feature is gone and all routes are worth the same."""
    tried = []

    @many
    @given(drawn=ruled_problems_with_routes(RULES[feature]))
    def run(drawn: tuple[Problem, tuple[Route, ...]]) -> None:
        problem, routes = drawn
        problem = SIMPLER.get(feature, lambda same: same)(problem)
        assume(feature in problem.features)
        other = REDUCTIONS[feature](problem)
        assume(other is not None)
        assert feature not in other.features
        same(problem, other, list(routes))
        tried.append(Solution.from_routes(problem, routes, explain=False).violations)

    run()
    assert len(tried) > 10
    assert any(tried)
    assert not all(tried)


@many
@given(drawn=ruled_problems_with_routes())
def test_all_reductions_together(drawn: tuple[Problem, tuple[Route, ...]]) -> None:
    """One after the other they charge the same as well, in the normal form and back again."""
    problem, routes = drawn
    form = reduced(problem, CLASSICAL)
    start = Solution.from_routes(problem, routes, explain=False)
    there = form.there(start)
    if form.back(there.routes) != list(start.routes):
        assert any(violation.kind == "sequence" for violation in start.violations)
    else:
        assert bool(there.violations) == bool(start.violations)


@settings(many, max_examples=25)
@given(problem=ruled_problems(4, ("skills", "open", "speeds", "service", "backhauls", "handling")))
def test_optimum_is_found_through_reductions(problem: Problem) -> None:
    """A solver that knows none of these features finds the optimum of the given problem."""
    vehicles = [replace(vehicle, max_trips=1) for vehicle in problem.vehicles]
    problem = replace(problem, vehicles=vehicles)
    assume(reduced(problem, Classical.supports).problem.features <= Classical.supports)
    found = nco.solve(problem, Classical(), time_limit_s=1.0, seed=1)
    report = nco.check(problem, found)
    assert {finding.kind for finding in report.findings} <= {"unserved"}, str(report)
    best = optimum(problem)
    if np.isfinite(best):
        assert found.feasible
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)


CHOSEN = {Feature.SETUP, Feature.LOADING, Feature.OWN_SERVICE, Feature.SEQUENCES}


@settings(many, max_examples=12)
@given(problem=ruled_problems(3, ("hours", "overtime", "handling", "service", "sequences", "open")))
def test_optimum_where_times_are_chosen(problem: Problem) -> None:
    """Set-up, loading, own service and sequences beside several or soft windows and overtime."""
    vehicles = [replace(vehicle, max_trips=1) for vehicle in problem.vehicles]
    problem = replace(problem, vehicles=vehicles)
    assume(problem.timetabled and problem.features & CHOSEN)
    assume(reduced(problem, LNS.supports).problem.features <= LNS.supports)
    found = nco.solve(problem, LNS(max_iterations=200), time_limit_s=9.0, seed=1)
    assert {finding.kind for finding in nco.check(problem, found).findings} <= {"unserved"}
    best = optimum(problem)
    if np.isfinite(best):
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("paused", ["breaks", "rest", "traffic", "max_driving_s"])
@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ({"setup_s": [0, 9, 9, 9]}, "such times part of service_s"),
        ({"ties": [nco.Sequence(stops=(1, 2))]}, "state it as nco.SameVehicle and nco.Precedence"),
    ],
)
def test_what_is_not_had_together_is_refused_with_advice(
    paused: str, asked: dict[str, object], advice: str
) -> None:
    """Neither solved as something else nor refused without a word of what to do."""
    own: dict[str, object] = {
        "breaks": {"breaks": [nco.Break(window_s=(0, 90), length_s=9)]},
        "rest": {"rest": nco.Rest(after_driving_s=500, length_s=9)},
        "max_driving_s": {"max_driving_s": 900.0},
    }.get(paused, {})
    problem = square(vehicles=[Vehicle(**own)], **asked)
    if paused == "traffic":
        profiles = [replace(p, traffic=((50.0, 0.5),)) for p in problem.profiles]
        problem = replace(problem, profiles=profiles)
    if paused == "max_driving_s" and "ties" in asked:
        assert nco.solve(problem, "lns", time_limit_s=0.1).feasible
    else:
        with pytest.raises(UnsupportedError, match=advice):
            nco.solve(problem, "lns")


@pytest.mark.parametrize(
    "joining",
    [
        {"window_s": [[0, 50]] * 4},
        {"release_s": [0, 9, 0, 0]},
        {"objective": Objective(longest_route=1.0)},
        {"objective": Objective(fewest_vehicles=True)},
        {"vehicles": [Vehicle(max_trips=3, fixed_cost=1.0)]},
        {"vehicles": [Vehicle(max_trips=3, shift_s=(0.0, 60.0))]},
        {"vehicles": [Vehicle(max_trips=3, max_stops=2)]},
        {"vehicles": [Vehicle(max_trips=3, max_distance_m=900.0)]},
        {"ties": [nco.SameVehicle(stops=(1, 2))]},
        {"ties": [nco.Precedence(stops=(1, 2))]},
    ],
)
def test_trips_that_are_joined_stay_trips(joining: dict[str, object]) -> None:
    """Hours, limits, fixed costs and ties join the trips of a vehicle: copies would lose that."""
    problem = square(**{"vehicles": [Vehicle(max_trips=3)], **joining})
    assert REDUCTIONS[Feature.TRIPS](problem) is None
    assert REDUCTIONS[Feature.TRIPS](square(vehicles=[Vehicle(max_trips=3)])) is not None


def test_search_of_single_trips_drives_several() -> None:
    """A vehicle that holds one stop drives three trips, and is given its answer to improve."""
    problem = square(vehicles=[Vehicle(capacity=1, max_trips=3)], demand=[0, 1, 1, 1])
    found = nco.solve(problem, Classical(), time_limit_s=1.0)
    assert nco.check(problem, found)
    assert [r.vehicle for r in found.routes] == [0, 0, 0]
    assert found.cost.total == 800
    again = nco.solve(problem, Classical(), time_limit_s=1.0, initial=found)
    assert again.cost.total == 800


@pytest.mark.slow
@settings(many, max_examples=10)
@given(problem=ruled_problems(4, ("skills", "service")))
def test_optimum_of_several_trips(problem: Problem) -> None:
    """A search of one trip a vehicle finds the best trips, and goes on from given ones.

    Brute force tries every order of trips, so that no copy too few would pass.
    """
    problem = untimed(problem)
    assume(Feature.TRIPS in problem.features)
    assume(reduced(problem, Classical.supports).problem.features <= Classical.supports)
    found = nco.solve(problem, Classical(), time_limit_s=1.0, seed=1)
    assert {finding.kind for finding in nco.check(problem, found).findings} <= {"unserved"}
    best = optimum(problem)
    if np.isfinite(best):
        assert found.cost.total == pytest.approx(best, rel=1e-6, abs=1e-6)
    again = nco.solve(problem, Classical(), time_limit_s=1.0, seed=1, initial=found)
    assert again.cost.total == pytest.approx(found.cost.total, rel=1e-6, abs=1e-6)


def test_trips_come_back_to_their_vehicles() -> None:
    """Second trips come after all first ones, no more than stops, and routes find their own."""
    vehicles = [Vehicle(max_trips=2, name="a"), Vehicle(name="b"), Vehicle(max_trips=9, name="c")]
    problem = square(vehicles=vehicles)
    form = reduced(problem, frozenset())
    assert [v.name for v in form.problem.vehicles] == ["a", "b", "c", "a", "c", "c"]
    routes = [Route(2, (1,)), Route(0, (2,)), Route(2, (3,))]
    there = form.there(Solution.from_routes(problem, routes))
    assert [r.vehicle for r in there.routes] == [2, 0, 4]
    assert form.back(there.routes) == routes
    assert reduced(problem, LNS.supports).problem.features <= LNS.supports
    assert reduced(problem, frozenset(Feature)).problem.features <= LNS.supports  # PyVRP as well


def test_all_methods_take_skills() -> None:
    """Skills are allowed stops to every solver that knows those."""
    vehicles = [Vehicle(skills={"cold"}), Vehicle(skills={"lift"})]
    problem = square(skills={1: {"cold"}, 2: {"lift"}}, vehicles=vehicles)
    for method in ("auto", "pyvrp", "ortools", "vroom", "nearest"):
        assert method in nco.methods(problem)
        found = nco.solve(problem, method, time_limit_s=0.3)
        assert nco.check(problem, found), method
        assert {r.vehicle for r in found.routes if 1 in r.stops} == {0}


def test_equal_masks_are_shared() -> None:
    """Vehicles alike stay the same object, and vehicles of equal skills share one mask."""
    cold, other = Vehicle(skills={"cold"}), Vehicle(skills={"cold", "fast"}, fixed_cost=1)
    problem = square(skills={1: {"lift"}}, vehicles=[cold, other, cold])
    first, second, third = REDUCTIONS[Feature.SKILLS](problem).vehicles
    assert first is third
    assert first.allowed.base is second.allowed.base or first.allowed is second.allowed


def test_vehicles_alike_share_a_profile() -> None:
    """There are as many profiles as pairs of a profile and a speed that are driven."""
    slow, fast = Vehicle(speed=0.5), Vehicle(speed=2.0, fixed_cost=1.0)
    problem = square(vehicles=[slow, fast, slow, Vehicle()])
    other = REDUCTIONS[Feature.SPEEDS](problem)
    assert [v.profile for v in other.vehicles] == [0, 1, 0, 2]
    assert other.profiles[0].duration_s[0, 1] == 20
    assert other.profiles[2] is problem.profiles[0]


def test_open_routes_of_several_trips_load_at_home() -> None:
    """Only the last trip ends anywhere; who cannot load again elsewhere refuses it by name."""
    problem = square(
        demand=[0, 1, 1, 1], vehicles=[Vehicle(capacity=(1,), max_trips=3, open_end=True)]
    )
    other = REDUCTIONS[Feature.OPEN_ROUTES](problem)
    assert (other.vehicles[0].reloads, other.vehicles[0].end) == ((0,), 1)
    assert nco.solve(problem, "pyvrp", time_limit_s=0.2).cost.total == 600
    with pytest.raises(UnsupportedError, match="begin or end anywhere"):
        nco.solve(problem, "nearest")


def test_stops_that_an_open_route_begins_at() -> None:
    """No street leads to the first stop of an open route, and it is served all the same."""
    distance = np.full((3, 3), 10.0)
    np.fill_diagonal(distance, 0.0)
    distance[:2, 2] = np.inf
    problem = Problem(
        profiles=[Profile(distance_m=distance, duration_s=distance)],
        vehicles=[Vehicle(open_start=True)],
        off_street={2: "in a lake"},
    )
    found = nco.solve(problem, "pyvrp", time_limit_s=0.2)
    assert found.routes == (Route(0, (2, 1)),)
    assert nco.check(problem, found)


def test_initial_routes_travel() -> None:
    """Routes to start from are those of the given problem, though its stops have moved."""
    problem = square(vehicles=[Vehicle(open_end=True)])
    start = Solution.from_routes(problem, [Route(0, (1, 2, 3))])
    assert reduced(problem, CLASSICAL).there(start).routes == (Route(0, (2, 3, 4)),)
    for method in ("nearest", "lns", "pyvrp"):
        found = nco.solve(problem, method, time_limit_s=0.2, initial=start)
        assert found.cost.total == start.cost.total == 300


def test_wrong_initial_routes_are_named_as_given() -> None:
    """A stop that does not exist is named by its number in the given problem."""
    problem = square(vehicles=[Vehicle(open_end=True)])
    start = Solution((Route(0, (4,)),), (), (), Cost())
    with pytest.raises(ProblemError, match=r"4 is not a stop; stops are nodes 1 to 3"):
        nco.solve(problem, "nearest", initial=start)


def test_reductions_that_help_nobody_are_left() -> None:
    """What would bring another unsupported feature is refused by the name that was given to it."""
    problem = square(vehicles=[Vehicle(speed=2.0), Vehicle()])
    with pytest.raises(UnsupportedError, match="different vehicles, vehicles that are faster"):
        nco.solve(problem, "hgs")


def test_service_where_driving_is_limited_stays() -> None:
    """Service is no driving: where that is limited, it is not made part of the way."""
    problem = square(vehicles=[Vehicle(service_s=[0, 5, 5, 5], max_driving_s=40)])
    assert REDUCTIONS[Feature.OWN_SERVICE](problem) is None


def test_backhauls_by_way_of_others_stay() -> None:
    """A stop that neither takes nor gives may lead from a pickup to a delivery."""
    fields = {"linehauls_first": True, "vehicles": [Vehicle(capacity=(9,))]}
    problem = square(demand=[0, 1, 0, 0], pickup=[0, 0, 1, 0], **fields)
    assert REDUCTIONS[Feature.BACKHAULS](problem) is None
    problem = square(demand=[0, 1, 0, 1], pickup=[0, 0, 1, 1], **fields)
    arcs = REDUCTIONS[Feature.BACKHAULS](problem).profiles[0].distance_m
    assert np.isinf(arcs[2, [1, 3]]).all()
    assert np.isinf(arcs[3, 1])
    assert np.isfinite(arcs[1, 3])


def test_pickups_alone_are_demand() -> None:
    """Who only collects can be planned as if it were to deliver."""
    problem = square(
        pickup=[0, 1, 2, 3], vehicles=[Vehicle(capacity=(3,))] * 3, objective=Objective(fixed=1)
    )
    assert "hgs" in nco.methods(problem)
    found = nco.solve(problem, "hgs", time_limit_s=0.3)
    assert nco.check(problem, found)
    assert found.cost.total == optimum(problem)


def test_a_longest_duty_without_waiting_is_a_shift() -> None:
    """Every solver that knows shifts keeps a longest duty, where nobody has to wait."""
    vehicles = [Vehicle(max_duration_s=50.0, shift_s=(7.0, np.inf))] * 2
    problem = square(service_s=[0, 5, 5, 5], vehicles=vehicles)
    for method in ("savings", "vroom", "nearest"):
        found = nco.solve(problem, method, time_limit_s=0.3)
        assert nco.check(problem, found)
        assert len(found.routes) == 2
    assert REDUCTIONS[Feature.LONGEST_DUTY](replace(problem, release_s=[0, 0, 8, 0])) is None
    assert REDUCTIONS[Feature.LONGEST_DUTY](replace(problem, release_s=[0, 0, 7, 0])) is not None


def test_most_stops_are_a_dimension() -> None:
    """A limit on stops takes room from every solver that knows room."""
    problem = square(vehicles=[Vehicle(max_stops=2)] * 2)
    for method in ("savings", "pyvrp", "vroom"):
        found = nco.solve(problem, method, time_limit_s=0.3)
        assert nco.check(problem, found)
        assert found.cost.total == optimum(problem)


def test_documentation_lists_what_is_stated() -> None:
    """The table of rules in docs/concepts.md has every rule and the methods that know it."""
    text = (Path(__file__).parent.parent / "docs" / "concepts.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")]
    listed = {rule.strip(): set(re.findall(r"`(\w+)`", methods)) for rule, methods in rows}
    known = {name: registered(name).supports for name in ("lns", "ortools", "pyvrp", "vroom")}
    for feature in set(Feature) - CLASSICAL:
        stated = {name for name, supports in known.items() if feature in supports}
        assert listed[str(feature)] == stated, feature
