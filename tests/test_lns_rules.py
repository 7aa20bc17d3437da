"""Rules of the search: shipments, groups, limits and vehicles saved, as plain code says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from instances import directed
from states import Begun, ruled_searches

import nco
from nco import Group, Problem, Route, Shipment, Vehicle
from nco.fleet.kinds import kinds_of
from nco.problem.objective import PEAKED
from nco.search.lns import changes, pairs, shrinking
from nco.search.lns.operators import REMOVALS
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS
from nco.solver import Clock

NEVER = 1e300
random_searches = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@changes.compiled
def _pair_delta(instance, state, p, i, out):
    out[0] = pairs.pair_delta(instance, state, p, i, 1.0, 1e300)


def cheapest(begun: Begun, v: int, k: int, shipment: Shipment) -> float:
    """The least rise of the price with a pickup at a position of a trip, its delivery anywhere."""
    trips = begun.trips()
    before, trip = begun.fresh(trips), trips.get(v, ())
    best, longest = NEVER, begun.instance.longest
    worth = sum(begun.instance.prize[j] for j in (shipment.pickup, shipment.delivery))
    for m in range(k, len(trip) + 1):
        stops = (*trip[:k], shipment.pickup, *trip[k:m], shipment.delivery, *trip[m:])
        after = trips | {v: stops}
        if begun.solution(after).violations:
            continue
        state = begun.fresh(after)
        rise = float(state.total[0] - before.total[0]) + worth
        if longest:
            own, most, measure = before.measure[v], before.measure.max(), state.measure[v]
            if measure > 0:
                squares = (measure**2 - own**2) / (2 * max(most, measure))
                rise += longest * (max(0.0, measure - most) + squares)
        best = min(best, rise)
    return best


@pytest.mark.slow  # compiles the price of a pair on its own, most of a minute
@random_searches
@given(begun=ruled_searches(always=frozenset({"shipments"})), count=st.integers(1, 4))
def test_a_shipment_goes_where_trying_every_two_places_says(begun: Begun, count: int):
    """The compiled price of a pickup behind each place is that of the best delivery behind it."""
    assume(begun.problem.shipments and not begun.problem.features & PEAKED)
    begun.take_out(REMOVALS["random"], count)
    assume(not begun.solution().violations)
    out = np.zeros(1)
    absent, size = set(begun.absent), begun.problem.size
    for shipment in begun.problem.shipments:
        if shipment.pickup not in absent:
            continue
        for v in range(len(begun.fleet.numbers)):
            places = [size + 2 * v, *begun.trips().get(v, ())]
            for k, place in enumerate(places):
                _pair_delta(begun.instance, begun.state, shipment.pickup, place, out)
                wanted = cheapest(begun, v, k, shipment)
                if wanted >= begun.instance.barred / 2 or out[0] >= begun.instance.barred / 2:
                    assert wanted == NEVER and out[0] >= begun.instance.barred / 2
                else:
                    assert out[0] == pytest.approx(wanted, rel=1e-6, abs=1e-2)


def in_pairs(stops: int, capacity: float, fixed: float = 1e6, **fields: object) -> Problem:
    """Shipments of size 1 between random places, and a dear vehicle for each."""
    shipments = [
        Shipment(pickup=1 + 2 * k, delivery=2 + 2 * k, amount=(1.0,)) for k in range(stops // 2)
    ]
    return Problem.from_matrices(
        directed(stops + 1, 3),
        vehicles=[Vehicle(capacity=(capacity,), fixed_cost=fixed)] * (stops // 2),
        demand=np.zeros(stops + 1),
        shipments=tuple(shipments),
        **fields,
    )


def test_routes_are_dissolved_until_one_vehicle_is_left():
    """Ten shipments that one vehicle can carry in turn end on one, whatever they began on."""
    problem = in_pairs(20, 1.0)
    search = Search(problem, kinds_of(problem), [], 0)
    begin = [Route(k, (1 + 2 * k, 2 + 2 * k)) for k in range(10)]
    search.offer(begin)
    changes.rebuild(search.instance, search.state, search.successors)
    shrinking.shrink(search, Clock(20), 20.0, 0)
    assert len(search.routes) == 1
    assert nco.check(problem, nco.Solution.from_routes(problem, search.routes))


def test_stops_that_fit_nowhere_at_first_are_served():
    """A stop that a full van alone may serve is served by it when another goes to the idle one."""
    at = np.array([0.0, 10.0, 20.0, 30.0])
    problem = Problem.from_matrices(
        abs(at[:, None] - at),
        vehicles=[
            Vehicle(capacity=(2.0,)),
            Vehicle(capacity=(1.0,), allowed=[True, True, False, False]),
        ],
        demand=[0.0, 1.0, 1.0, 1.0],
    )
    search = Search(problem, kinds_of(problem), [Route(0, (1, 2))], 0)
    before = search.cost
    shrinking.complete(search, Clock(20), 20.0, 0)
    assert not search.incomplete and search.cost < before
    assert nco.check(problem, nco.Solution.from_routes(problem, search.routes))


def test_what_nobody_can_serve_takes_no_time():
    """With a vehicle of each kind idle, a stop that is left out fits nowhere: nothing is tried."""
    problem = in_pairs(20, 5.0)
    search = Search(problem, kinds_of(problem), [], 0)
    search.state.bank_size[0] = 1
    search.serve_all = None  # type: ignore[assignment]
    shrinking.complete(search, Clock(20), 20.0, 0)
    search.state.bank_size[0] = 0


def test_vehicles_are_not_saved_below_what_capacity_asks_for():
    """Twelve demands of 1 on vehicles that hold 5 take three of them, and shrinking ends there."""
    problem = Problem.from_matrices(
        directed(13, 1),
        vehicles=[Vehicle(capacity=(5.0,), fixed_cost=1e6)] * 12,
        demand=[0.0, *[1.0] * 12],
    )
    found = LNS().solve(problem, 0.5, 1)
    assert found.feasible
    assert len(found.routes) == 3


@pytest.mark.parametrize("fields", [{"fixed": 0.0}, {"prize": [np.inf, *[50.0] * 20]}])
def test_vehicles_are_not_saved_where_that_is_not_what_counts(fields):
    """Vehicles that cost nothing, and stops that may be left out, are for the annealing."""
    problem = in_pairs(20, 5.0, **fields)
    search = Search(problem, kinds_of(problem), [], 0)
    assert not shrinking.worth_shrinking(search)


def test_one_of_each_group_is_served_and_the_best_one():
    """Of a near and a far alternative the near one is, and none where a group may be left out."""
    distance = np.abs(np.subtract.outer([0, 10, 500, 20, 600], [0, 10, 500, 20, 600])).astype(float)
    needed = Problem.from_matrices(distance, vehicles=2, groups=(Group(stops=(1, 2)),))
    found = nco.solve(needed, "lns", time_limit_s=0.3)
    served = {j for route in found.routes for j in route.stops}
    assert found.feasible and served == {1, 3, 4}
    free = Problem.from_matrices(
        distance, vehicles=2, groups=(Group(stops=(2, 4), prize=5.0), Group(stops=(1, 3)))
    )
    found = nco.solve(free, "lns", time_limit_s=0.3)
    assert [route.stops for route in found.routes] == [(1,)]
    assert found.cost.total == 25.0


def test_many_optional_stops_are_chosen_where_they_pay_together():
    """Far from the depot, stops that pay only together are served, and those that never pay not."""
    rng = np.random.default_rng(0)
    near = rng.uniform(0, 50, (90, 2))  # each is worth 100, the way there costs 4000
    far = rng.uniform(0, 50, (90, 2))  # all of them are worth less than their way
    near[:, 0] += 2000
    far[:, 0] -= 9000
    xy = np.vstack([np.zeros((1, 2)), near, far])
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    prize = np.concatenate([[np.inf], np.full(90, 100.0), np.full(90, 10.0)])
    problem = Problem.from_matrices(distance, vehicles=3, prize=prize)
    found = nco.solve(problem, "lns", time_limit_s=1)
    served = {j for route in found.routes for j in route.stops}
    assert served == set(range(1, 91))


def test_no_stop_that_can_be_served_is_no_search():
    """Where the only shipment cannot be delivered, the answer comes and says so."""
    distance = directed(3)
    distance[:, 2] = np.inf
    distance[2, 2] = 0.0
    problem = Problem.from_matrices(
        distance, vehicles=1, shipments=(Shipment(pickup=1, delivery=2),)
    )
    found = nco.solve(problem, "lns", time_limit_s=0.2)
    assert not found.feasible and not found.routes
    assert "no street leads" in found.unassigned[0].reason
