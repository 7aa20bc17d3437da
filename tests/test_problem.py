"""Problems check every field at construction and say what they ask of a solver."""

import dataclasses

import numpy as np
import pytest
from instances import directed, line_of_four

from nco import Feature, Objective, Problem, Profile, Vehicle
from nco.errors import InputError, ProblemError


def test_fields_are_copied_and_read_only():
    """A problem does not change when the caller's array does."""
    distance = directed(3)
    problem = Problem.from_matrices(distance)
    distance[0, 1] = 7.0
    assert problem.profiles[0].distance_m[0, 1] != 7.0
    with pytest.raises(ValueError, match="read-only"):
        problem.profiles[0].distance_m[0, 1] = 7.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.depots = 2


def test_equality_is_by_value():
    """Two problems with the same fields are equal, arrays included."""
    assert line_of_four() == line_of_four()
    assert line_of_four() != dataclasses.replace(line_of_four(), service_s=np.array([0, 1, 0, 0]))


def test_identical_vehicles_form_one_group():
    """The fleet groups vehicles that differ in nothing but their names."""
    fleet = [Vehicle(capacity=(5,), name="a"), Vehicle(capacity=(9,)), Vehicle(capacity=(5,))]
    problem = Problem.from_matrices(directed(3), demand=[0, 1, 1], vehicles=fleet)
    assert [members for _, members in problem.fleet] == [(0, 2), (1,)]


def test_default_fleet_has_one_vehicle_for_each_stop_where_capacity_binds():
    """Without a count, a capacity means an unlimited fleet and a plain matrix one tour."""
    assert len(Problem.from_matrices(directed(5)).vehicles) == 1
    assert len(Problem.from_matrices(directed(5), demand=[0, 1, 1, 1, 1], capacity=2).vehicles) == 4


def test_features_name_what_matters():
    """Features appear exactly when a field makes a difference."""
    n = 4
    assert Problem.from_matrices(directed(n)).features == frozenset()
    assert line_of_four().features == {Feature.CAPACITY}
    cases = {
        Feature.TIME_WINDOWS: {"window_s": [[0, np.inf]] * 3 + [[0, 9]]},
        Feature.OPTIONAL_STOPS: {"prize": [np.inf, 1, np.inf, np.inf]},
        Feature.LONGEST_ROUTE: {"objective": Objective(longest_route=1)},
        Feature.LONGEST_LEG: {"objective": Objective(longest_leg=1)},
        Feature.MAKESPAN: {"objective": Objective(makespan=1)},
        Feature.DURATION_COST: {"objective": Objective(duration=1)},
        Feature.FIXED_COST: {"vehicles": [Vehicle(fixed_cost=3)]},
        Feature.SHIFTS: {"vehicles": [Vehicle(shift_s=(0, 9))]},
        Feature.TRIPS: {"vehicles": [Vehicle(max_trips=2)]},
        Feature.DEPOTS: {"vehicles": [Vehicle(), Vehicle(start=1, end=1)], "depots": 2},
        Feature.ALLOWED_STOPS: {"vehicles": [Vehicle(allowed=np.array([1, 1, 0, 1]))]},
        Feature.PREFERENCES: {"vehicles": [Vehicle(preference=np.array([0, 1, 0, 1.0]))]},
    }
    for feature, fields in cases.items():
        assert feature in Problem.from_matrices(directed(n), **fields).features


BAD = {
    "NaN": ({"distance_m": [[0, np.nan], [1, 0]]}, r"distance_m\[0, 1\] is NaN"),
    "negative": ({"distance_m": [[0, -1], [1, 0]]}, r"distance_m\[0, 1\] is -1"),
    "diagonal": ({"distance_m": [[0, 1], [1, 3]]}, r"distance_m\[1, 1\] is 3"),
    "not square": ({"distance_m": [[0, 1, 2], [1, 0, 2]]}, "square"),
    "text": ({"distance_m": [["a", 1], [1, 0]]}, "not an array of numbers"),
    "other size": ({"duration_s": directed(3)}, "different shapes"),
    "half unreachable": ({"duration_s": [[0, np.inf], [1, 0]]}, r"\[0, 1\] is unreachable"),
    "demand length": ({"demand": [0, 1, 1], "capacity": 5}, "demand is 3 x 1"),
    "negative demand": ({"demand": [0, -1], "capacity": 5}, r"demand\[1, 0\] is -1"),
    "too large": ({"demand": [0, 6], "capacity": 5}, r"demand\[1\] of '1' is 6, more than any"),
    "depot demand": ({"demand": [1, 1], "capacity": 5}, r"demand\[0\].*depot"),
    "capacity alone": ({"capacity": 5}, "capacity is given without demand"),
    "empty window": ({"window_s": [[0, 9], [5, 4]]}, r"window_s\[1\] is \(5, 4\), which is empty"),
    "negative window": ({"window_s": [[0, 9], [-5, 4]]}, r"window_s\[1\]"),
    "negative service": ({"service_s": [0, -1]}, r"service_s\[1\] is -1"),
    "negative prize": ({"prize": [0, -1]}, r"prize\[1\] is -1"),
    "names twice": ({"names": ("a", "a")}, r"names\[0\]: the name 'a' is used 2 times"),
    "names short": ({"names": ("a",)}, "names has 1 entry"),
    "swapped": ({"lonlat": [[60.1, 24.9], [60.1, 124.9]]}, r"lonlat\[1\].*swapped"),
    "no depot": ({"depots": 0}, "depots is 0"),
    "no vehicle": ({"vehicles": 0}, "vehicles is 0"),
    "empty fleet": ({"vehicles": []}, "vehicles is empty"),
    "far depot": ({"vehicles": [Vehicle(start=1)]}, r"vehicles\[0\]: start is node 1"),
    "no profile": ({"vehicles": [Vehicle(profile=1)]}, r"vehicles\[0\]: profile is 1"),
    "no capacity": ({"demand": [0, 1], "vehicles": [Vehicle()]}, "capacity has 0 numbers"),
    "allowed": ({"vehicles": [Vehicle(allowed=np.array([1]))]}, "allowed has 1 entry"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_field_is_named(case: str):
    """Each malformed field is refused with its name and index."""
    fields, message = BAD[case]
    with pytest.raises(ProblemError, match=message):
        Problem.from_matrices(**{"distance_m": [[0, 1], [1, 0]], **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"capacity": (-1,)}, r"capacity\[0\] is -1"),
        ({"shift_s": (5, 4)}, "shift_s is .* empty"),
        ({"shift_s": (np.nan, 4)}, "shift_s"),
        ({"cost_per_m": -1.0}, "cost_per_m is -1"),
        ({"fixed_cost": np.inf}, "fixed_cost is inf"),
        ({"max_trips": 0}, "max_trips is 0"),
        ({"max_trips": 2, "start": 0, "end": 1}, "several trips need one depot"),
        ({"allowed": np.array([0.5])}, "allowed must be one true or false"),
        ({"preference": np.array([np.nan])}, r"preference\[0\] is NaN"),
    ],
)
def test_bad_vehicle_is_named(fields: dict, message: str):
    """Each malformed field of a vehicle is refused by name."""
    with pytest.raises(ProblemError, match=message):
        Vehicle(name="van", **fields)


def test_bad_objective_is_named():
    """Weights are finite and not negative, and the longest route is measured in something."""
    with pytest.raises(ProblemError, match="objective: distance is -1"):
        Objective(distance=-1)
    with pytest.raises(ProblemError, match="longest_by is 'cost'"):
        Objective(longest_by="cost")


def test_profiles_must_agree_in_size():
    """All profiles of a problem describe the same nodes."""
    small, large = (Profile(distance_m=directed(n), duration_s=directed(n)) for n in (2, 3))
    with pytest.raises(ProblemError, match=r"profiles\[1\] has 3 nodes"):
        Problem(profiles=(small, large), vehicles=(Vehicle(),))


def test_errors_are_value_errors():
    """Callers who know nothing of nco can still catch bad input."""
    assert issubclass(InputError, ValueError)
    assert issubclass(ProblemError, InputError)


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("vehicles", [3], r"vehicles\[0\] is 3; give nco.Vehicle"),
        ("vehicles", Vehicle(), "give a whole number, or a list of vehicles"),
        ("vehicles", 2.0, "vehicles is 2.0; give a whole number"),
        ("shipments", [(1, 2)], r"shipments\[0\] is \(1, 2\); give nco.Shipment"),
        ("groups", [(1, 2)], r"groups\[0\] is \(1, 2\); give nco.Group"),
        ("objective", "distance", "objective is 'distance'; give nco.Objective"),
    ],
)
def test_what_is_no_object_of_its_class_is_named(field, given, message):
    """A number, a tuple or a word in place of an object is refused with the object to give."""
    with pytest.raises(ProblemError, match=message):
        Problem.from_matrices(directed(3), **{field: given})


@pytest.mark.parametrize("alike", [{"capacity": 5}, {"shift_s": (0, 3600)}])
def test_what_identical_vehicles_have_is_not_given_beside_a_list(alike):
    """A capacity or a shift beside vehicles that have their own was passed over in silence."""
    with pytest.raises(ProblemError, match="beside a list of vehicles"):
        Problem.from_matrices(
            directed(3), vehicles=[Vehicle(capacity=9)], demand=[0, 1, 1], **alike
        )
