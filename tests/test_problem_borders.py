"""Values on the border of what a problem may hold are taken; those just beyond are refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import PLACES, directed, line_of_four

import nco
from nco import Feature, Objective, Problem, Profile, Route, Vehicle
from nco.errors import ProblemError
from nco.problem.evaluate import Cost

TWO = directed(2)


def refused(message: str, **fields: object) -> None:
    """A problem of two nodes with these fields is refused with a message."""
    with pytest.raises(ProblemError, match=message):
        Problem.from_matrices(**{"distance_m": TWO, **fields})


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    beyond=st.floats(1e-6, 1e6),
    west=st.booleans(),
)
def test_all_of_the_earth_is_taken_and_nothing_beyond(lon, lat, beyond, west):
    """Longitudes go to 180 either way, latitudes to 90."""
    sign = -1 if west else 1
    problem = Problem.from_matrices(TWO, lonlat=[[lon, lat], [180 * sign, 90 * sign]])
    assert problem.lonlat.tolist() == [[lon, lat], [180 * sign, 90 * sign]]
    refused(r"lonlat\[1\]", lonlat=[[0, 0], [sign * (180 + beyond), lat]])
    refused(r"lonlat\[0\]", lonlat=[[lon, sign * (90 + beyond)], [0, 0]])


def test_generators_draw_all_hemispheres():
    """Tests see longitudes beyond 90 of both signs, and latitudes of both signs."""
    assert (PLACES[:, 0] > 90).any() and (PLACES[:, 0] < -90).any()
    assert (PLACES[:, 1] > 0).any() and (PLACES[:, 1] < 0).any()


@pytest.mark.parametrize("field", ["window", "shift"])
@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((7, 7), ""),
        ((0, np.inf), ""),
        ((7, np.nextafter(7, 0)), "ends too early"),
        ((np.inf, np.inf), "must begin at a time of 0 or later"),
        ((-1e-9, 5), "must begin at a time of 0 or later"),
    ],
)
def test_intervals_may_be_an_instant(field, pair, message):
    """Windows and shifts begin at a finite time of 0 or later, and end no sooner."""
    windows = [(0, np.inf), pair]
    fields = {"window_s": windows} if field == "window" else {"shift_s": pair}
    if message:
        refused(message, **fields)
        return
    problem = Problem.from_matrices(TWO, **fields)
    assert tuple(problem.window_s[1]) == pair or problem.vehicles[0].shift_s == pair


@pytest.mark.parametrize("pair", [(np.nan, 4), (4, np.nan)])
def test_shifts_are_numbers(pair):
    """NaN is neither a beginning nor an end."""
    with pytest.raises(ProblemError, match="shift_s"):
        Vehicle(shift_s=pair)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"distance_m": np.zeros((0, 0))}, "0 x 0; it must be a square matrix"),
        ({"distance_m": np.zeros(4)}, "4; it must be a square matrix"),
        ({"distance_m": np.zeros((2, 2, 2))}, "2 x 2 x 2; it must be a square matrix"),
        ({"distance_m": 5.0}, "a single number; it must be a square matrix"),
        ({"demand": np.zeros((3, 1))}, "demand is 3 x 1; it must be 2 x any"),
        ({"demand": np.zeros((2, 1, 1))}, "2 x 1 x 1; it must be 2 x any"),
        ({"service_s": [[0, 1]]}, "service_s is 1 x 2; it must be 2"),
        ({"service_s": 3.0}, "service_s is a single number"),
        ({"service_s": [1, 0]}, r"service_s\[0\].*depot"),
        ({"service_s": [0, np.inf]}, r"service_s\[1\] is inf; it must be a finite number"),
        ({"xy": [[0, 0], [0, np.inf]]}, r"xy\[1, 1\] is inf; it must be a finite number$"),
        ({"lonlat": [[0, 0], [np.inf, 0]]}, r"lonlat\[1, 0\] is inf"),
        ({"prize": [0, -1e-9]}, r"prize\[1\] is -1e-09; it must be a number of at least 0"),
        ({"vehicles": [Vehicle(end=1)]}, "end is node 1; depots are 0 to 0"),
        ({"vehicles": [Vehicle(start=-1)]}, "start is node -1"),
        ({"vehicles": [Vehicle(profile=-1)]}, "profile is -1"),
        ({"vehicles": [Vehicle(preference=[0, 1, 2])]}, "preference has 3 entries"),
        ({"depots": 3}, "depots is 3; with 2 nodes it must be 1 to 2"),
    ],
)
def test_what_is_malformed_is_named(fields, message):
    """Shapes and numbers just beyond what is allowed are refused, with what was given."""
    refused(message, **fields)


def test_what_is_on_the_border_is_taken():
    """No prize, no stop, a capacity without limit, a stop as large as the largest van."""
    assert Problem.from_matrices(TWO, prize=[0, 0]).prize[1] == 0
    assert Problem.from_matrices(TWO, depots=2).stops == range(2, 2)
    assert Problem.from_matrices(TWO, demand=[0, 5], capacity=5).demand[1, 0] == 5
    assert Vehicle(capacity=(np.inf, 0.0)).capacity == (np.inf, 0.0)
    fleet = [Vehicle(capacity=(1, 9)), Vehicle(capacity=(9, 1))]
    Problem.from_matrices(TWO, demand=[[0, 0], [1, 9]], vehicles=fleet)
    with pytest.raises(ProblemError, match=r"demand\[1\] of '1' is 2, 9, more than any"):
        Problem.from_matrices(TWO, demand=[[0, 0], [2, 9]], vehicles=fleet)


@pytest.mark.parametrize("bad", [[[True, False]], [0.5, 1.0], [2, 0]])
def test_masks_are_one_truth_value_a_node(bad):
    """Whom a vehicle may serve is told by true and false, or 0 and 1, in a row."""
    with pytest.raises(ProblemError, match="vehicle 'van': allowed must be one true or false"):
        Vehicle(name="van", allowed=np.array(bad))
    assert Vehicle(allowed=[0, 1]).allowed.tolist() == [False, True]


def test_messages_name_the_vehicle_where_it_has_a_name():
    """A van is called by its name, one without is just a vehicle."""
    with pytest.raises(ProblemError, match=r"^vehicle 'van': capacity\[1\] is -1"):
        Vehicle(name="van", capacity=(1, -1))
    with pytest.raises(ProblemError, match=r"^vehicle: capacity\[0\] is -1"):
        Vehicle(capacity=(-1,))


def test_all_arrays_are_copies_and_cannot_be_written_to():
    """Neither the caller nor a solver changes a problem by accident."""
    given = {"allowed": np.array([True, True]), "preference": np.array([0.0, -3.0])}
    vehicle = Vehicle(**given, shift_s=[1, 2], capacity=[3])
    profile = Profile(distance_m=[[0, 1], [2, 0]], duration_s=[[0, 1], [2, 0]])
    assert (vehicle.shift_s, vehicle.capacity) == ((1.0, 2.0), (3.0,))
    problem = Problem(
        profiles=[profile], vehicles=[vehicle], demand=[0, 1], lonlat=[[0, 0], [1, 1]], xy=TWO
    )
    arrays = [getattr(profile, name) for name in ("distance_m", "duration_s")]
    arrays += [getattr(vehicle, name) for name in given]
    arrays += [
        getattr(problem, name)
        for name in ("demand", "window_s", "service_s", "prize", "lonlat", "xy")
    ]
    for array in arrays:
        assert not array.flags.writeable
    given["allowed"][0] = False
    assert vehicle.allowed[0] and vehicle.preference[1] == -3


def test_what_is_not_given_asks_for_nothing():
    """By default: one depot, no demand, always open, required stops, metres count."""
    profile = Profile(distance_m=directed(3), duration_s=directed(3))
    problem = Problem(profiles=(profile,), vehicles=(Vehicle(),))
    assert (problem.depots, problem.dimensions, problem.names) == (1, 0, ("depot", "1", "2"))
    assert (problem.window_s == [0, np.inf]).all() and not problem.service_s.any()
    assert problem.required.tolist() == [False, True, True]
    assert problem.objective == Objective(
        distance=1, duration=0, fixed=1, preference=1, unserved=1, longest_route=0
    )
    vehicle = problem.vehicles[0]
    assert (vehicle.start, vehicle.end, vehicle.profile, vehicle.max_trips) == (0, 0, 0, 1)
    assert (vehicle.shift_s, vehicle.fixed_cost) == ((0, np.inf), 0)
    assert (vehicle.cost_per_m, vehicle.cost_per_s) == (1, 1)
    two = Problem(profiles=(profile,), vehicles=(Vehicle(),), depots=2)
    assert two.names == ("depot 0", "depot 1", "1")
    nothing = Cost()
    assert (nothing.total, nothing.distance_m, nothing.duration_s) == (0, 0, 0)


def test_capacities_that_are_not_given_are_endless():
    """Demand without capacity is carried; where something binds, each stop has a vehicle."""
    flat = Problem.from_matrices(directed(4), demand=[0, 1, 2, 3])
    assert flat.vehicles[0].capacity == (np.inf,) and len(flat.vehicles) == 1
    wide = Problem.from_matrices(directed(4), demand=np.tile([[0], [1], [2], [3]], (1, 2)))
    assert wide.vehicles[0].capacity == (np.inf, np.inf)
    for binding in ({"window_s": [[0, 9]] * 4}, {"shift_s": (0, 9)}):
        assert len(Problem.from_matrices(directed(4), **binding).vehicles) == 3
    assert len(Problem.from_matrices(directed(1), shift_s=(0, 9)).vehicles) == 1
    assert len(Problem.from_matrices(directed(4), depots=2, shift_s=(0, 9)).vehicles) == 2


ABSENT = [
    ("lonlat", [[0, 0], [1, 1]]),
    ("xy", [[0, 0], [1, 1]]),
    ("vehicles", [Vehicle(allowed=[True, True])]),
    ("vehicles", [Vehicle(preference=[0, 0])]),
]


@pytest.mark.parametrize(("field", "value"), ABSENT)
def test_nothing_equals_no_array(field, value):
    """A field that is not given differs from any array, whichever of the two is asked."""
    without = Problem.from_matrices(TWO)
    given = replace(without, **{field: value})
    assert without != given and given != without
    assert given == replace(without, **{field: value})
    assert without != "a problem"


def test_vehicles_are_alike_but_for_their_names():
    """Every field but the name sets a vehicle apart."""
    plain = Vehicle(name="a")
    assert plain.likeness == Vehicle(name="b").likeness and plain != Vehicle(name="b")
    for change in (
        {"capacity": (1.0,)}, {"start": 1}, {"end": 1}, {"shift_s": (0, 1)}, {"profile": 1},
        {"fixed_cost": 1.0}, {"cost_per_m": 2.0}, {"cost_per_s": 2.0}, {"max_trips": 2},
        {"allowed": [True]}, {"preference": [0.0]},
    ):  # fmt: skip
        other = replace(plain, **change)
        assert plain.likeness != other.likeness


def test_profiles_belong_to_vehicles():
    """`profile_of` goes by the number of a vehicle."""
    profiles = [Profile(distance_m=directed(3, k), duration_s=directed(3, k)) for k in (1, 2)]
    problem = Problem(profiles=profiles, vehicles=[Vehicle(profile=1), Vehicle()])
    assert problem.profile_of(0) == profiles[1] and problem.profile_of(1) == profiles[0]
    assert Feature.PROFILES in problem.features


def test_routes_are_values():
    """Two routes of the same stops by the same vehicle are the same."""
    assert Route(0, (1, 2)) == Route(0, (1, 2)) != Route(1, (1, 2))
    assert line_of_four() == line_of_four()


def test_a_problem_has_profiles():
    """Without matrices there is nothing to solve."""
    with pytest.raises(ProblemError, match="profiles is empty; give at least one"):
        Problem(profiles=(), vehicles=(Vehicle(),))


def test_how_far_places_were_moved():
    """Metres from 0 to infinity, one a node; what is on no street is a stop that nobody reaches."""
    problem = Problem.from_matrices(TWO, moved_m=[0, np.inf])
    assert problem.moved_m.tolist() == [0, np.inf] and not problem.moved_m.flags.writeable
    assert problem.off_street == {} and Problem.from_matrices(TWO).moved_m is None
    refused(r"moved_m\[1\] is -1; it must be a number of at least 0", moved_m=[0, -1])
    refused("moved_m is 1; it must be 2", moved_m=[0])
    away = np.array([[0.0, np.inf], [1.0, 0.0]])
    given = {1: "in the sea"}
    problem = Problem.from_matrices(away, off_street=given)
    given[1] = "elsewhere"
    assert problem.off_street == {1: "in the sea"}
    refused("stop 1 .* is on no street, but profiles.0. leads there", off_street={1: "why"})
    for node in (0, 2):
        refused(f"off_street names node {node}; stops are 1 to 1", off_street={node: "why"})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("capacity", 10**400, r"capacity is 10+\.\.\.0+; give a number for each dimension"),
        ("capacity", "much", "capacity is 'much'"),
        ("shift_s", 5, "shift_s is 5; give two times"),
        ("shift_s", (0, 10**400), r"shift_s\[1\] is 10+"),
        ("shift_s", (0, "noon"), r"shift_s\[1\] is 'noon'; give a number"),
        ("fixed_cost", "much", "fixed_cost is 'much'; give a number"),
        ("max_duration_s", None, "max_duration_s is None; give a number"),
        ("speed", "fast", "speed is 'fast'; give a number"),
        ("start", "a", "start is 'a'; give a whole number"),
        ("profile", 0.5, "profile is 0.5; give a whole number"),
        ("max_trips", 1.5, "max_trips is 1.5; give a whole number"),
        ("max_trips", float("inf"), "max_trips is inf; give a whole number"),
        ("max_stops", "all", "max_stops is 'all'; give a whole number"),
        ("skills", 3, "skills is 3; give a set of words"),
    ],
)
def test_fields_of_a_vehicle_that_are_of_another_type_are_refused_by_name(field, value, message):
    """A word where a number belongs, or a number no float holds, ends in a ProblemError."""
    with pytest.raises(ProblemError, match=message):
        Vehicle(**{field: value})


def test_numbers_of_a_vehicle_may_be_numpys():
    """Whatever holds a whole number is taken for it, and a vehicle then has Python's own."""
    vehicle = Vehicle(start=np.int64(0), max_trips=np.float64(2), fixed_cost=np.float32(3))
    assert [type(x) for x in (vehicle.start, vehicle.max_trips, vehicle.fixed_cost)] == [
        int, int, float,
    ]  # fmt: skip


@pytest.mark.parametrize("count", [np.int64(2), np.uint8(2)])
def test_how_many_vehicles_there_are_may_be_any_whole_number(count):
    """A number out of an array does as well as Python's own."""
    assert len(Problem.from_matrices(TWO, vehicles=count).vehicles) == 2


def test_vehicles_that_are_far_too_many_are_refused():
    """Ten million identical vehicles for two stops took a minute and two gigabytes."""
    refused("vehicles is 10000000; give 1 to 100000", vehicles=10**7)


@pytest.mark.parametrize("demand", [[0, 10**400], [0, 1j]])
def test_numbers_that_no_float_holds_are_refused(demand):
    """Neither is cut down to one that does."""
    refused("demand is not an array of numbers", demand=demand, capacity=1)


HUGE = {
    "distance_m": lambda: TWO * 1e300,
    "service_s": lambda: [0, 1e308],
    "prize": lambda: [0, 1e308],
    "vehicles": lambda: Vehicle(fixed_cost=1e308),
}


@pytest.mark.parametrize("field", HUGE)
def test_finite_numbers_that_add_up_to_infinity_are_refused(field):
    """Checker and evaluation differed or ended in an OverflowError; infinity itself is no such."""
    with pytest.raises(ProblemError, match=r"is .*e\+30\d; .* 1e\+150 at most"):
        Problem.from_matrices(**{"distance_m": TWO, field: HUGE[field]()})
    assert Problem.from_matrices(TWO, prize=[0, np.inf], window_s=[[0, np.inf]] * 2).size == 2


def test_counts_that_no_solver_can_hold_are_refused():
    """PyVRP, OR-Tools and VROOM ended in an OverflowError or a TypeError."""
    with pytest.raises(ProblemError, match=r"max_trips is 10+; it must be 2147483647 at most"):
        Vehicle(max_trips=10**30)
    with pytest.raises(ProblemError, match=r"max_stops is 10+; it must be 2147483647 at most"):
        Vehicle(max_stops=10**30)


@pytest.mark.parametrize("factor", [1e-150, 1e-300])
def test_problems_in_the_smallest_units_are_solved(factor):
    """A power of two beyond the largest float ended in an OverflowError."""
    problem = Problem.from_matrices(
        directed(4) * factor, vehicles=4, demand=np.array([0, 1, 1, 1]) * factor, capacity=factor
    )
    solution = nco.solve(problem, "nearest", time_limit_s=1)
    assert solution.feasible
    assert nco.check(problem, solution).feasible
