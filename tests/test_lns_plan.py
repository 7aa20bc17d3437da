"""What a neighbourhood search keeps of its routes is what a fresh build of them says.

Operators change routes stop by stop, and costs, loads and times along with them. After every one of
them, and after taking it back, nothing may be known that the routes do not say.
"""

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from states import Begun, ruled_searches, searches, walk

from nco.problem.duty import duty
from nco.problem.route import Route
from nco.search.lns.operators import INSERTIONS, REMOVALS

random_searches = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@random_searches
@given(begun=searches() | ruled_searches())
def test_every_operator_and_every_undo_leaves_what_a_fresh_build_says(begun: Begun):
    """All arrays follow from the successors: after removal, insertion, and taking both back."""
    walk(begun)


@random_searches
@given(begun=searches() | ruled_searches())
def test_a_fresh_build_says_what_the_problem_says(begun: Begun):
    """Loads, seconds on duty, lateness and cost are those of the evaluation, which shares none."""
    for turn, (out, back) in enumerate(product(*begun.operators())):
        begun.take_out(REMOVALS[out], 1 + turn % 5)
        begun.run(INSERTIONS[back])
        agree_with_the_evaluation(begun)


TIMED = {"time window", "shift", "longest duty", "longest distance", "longest driving"}


def agree_with_the_evaluation(begun: Begun) -> None:
    """Compares what is known of each vehicle, and in all."""
    instance, state, problem, trips = begun.instance, begun.state, begun.problem, begun.trips()
    found = begun.solution()
    for v, number in enumerate(begun.fleet.numbers):
        trip = trips.get(v, ())
        vehicle = problem.vehicles[number]
        assert state.served[v] == len(trip)
        assert state.load[v] == pytest.approx(problem.demand[list(trip)].sum(axis=0))
        alone = duty(problem, vehicle, [Route(0, trip)])
        broken = {violation.kind for violation in found.violations if violation.vehicle == number}
        if not trip or "unreachable" in broken:
            continue
        assert bool(state.late[v]) == (instance.times and bool(broken & TIMED))
        assert not broken & {"capacity", "shipment", "group", "stops"}  # never brought about
        if instance.times and not state.late[v]:
            assert state.duty[v] == pytest.approx(alone.duration_s)
        if instance.longest:
            measure = alone.duration_s if instance.by_time else alone.distance_m
            assert state.late[v] or state.measure[v] == pytest.approx(measure, rel=1e-6)
    if not found.violations:
        mates = [problem.mates[j] for j in begun.absent if j in problem.mates]
        left_out = sum(float(instance.prize[j]) for j in [*begun.absent, *mates])
        left_out += float(instance.group_prize[state.group_served == 0].sum())
        routes = found.cost.total - found.cost.unserved - found.cost.longest_route
        routes -= found.cost.makespan + found.cost.longest_leg
        assert state.total[0] - left_out == pytest.approx(routes, rel=1e-6, abs=1e-2)
        assert routes <= instance.reward  # or a required stop would be left out to save them
        for j in begun.absent:
            optional = problem.objective.unserved * min(problem.prize[j], 1e300)
            price = instance.reward if problem.required[j] else optional
            if any(j in group.stops for group in problem.groups):
                price = 0.0  # the group has one
            assert instance.prize[j] == pytest.approx(price)
