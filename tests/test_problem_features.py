"""Features are asked for exactly where a field makes a difference: on both sides of each border."""

import numpy as np
import pytest
from instances import directed

from nco import Feature, Objective, Problem, Vehicle

FOUR = directed(4)
GAP = np.where(np.arange(16).reshape(4, 4) == 6, np.inf, FOUR)
ON, OFF = Objective(duration=1, longest_route=1), Objective(fixed=0, preference=0)


def fleet(*fields: dict) -> dict:
    """Vehicles of these fields."""
    return {"vehicles": [Vehicle(**own) for own in fields]}


def loads(demand: list, *capacities: tuple) -> dict:
    """Demand, and a vehicle of each capacity."""
    return {"demand": demand, **fleet(*({"capacity": capacity} for capacity in capacities))}


LIKED = {"preference": [0, 1, 0, 0]}
CASES = {
    Feature.CAPACITY: (
        [loads([0, 1, 0, 0], (1,)), loads([0, 1, 0, 0], (1,), (np.inf,))],
        [{}, loads([0, 0, 0, 0], (1,)), loads([0, 1, 0, 0], (np.inf,))],
    ),
    Feature.DIMENSIONS: (
        [loads([[0, 0]] * 4, (1, 1))],
        [{}, loads([0, 0, 0, 0], (1,))],
    ),
    Feature.TIME_WINDOWS: (
        [{"window_s": [[0, np.inf]] * 3 + [late]} for late in ([1, np.inf], [0, 1e9])],
        [{}, {"window_s": [[0, np.inf]] * 4}],
    ),
    Feature.SHIFTS: (
        [fleet({"shift_s": (0, 9)}), fleet({}, {"shift_s": (1, np.inf)})],
        [{}, fleet({"shift_s": (0, np.inf)})],
    ),
    Feature.DEPOTS: (
        [
            {"depots": 2, **fleet({}, {"start": 1, "end": 1})},
            {"depots": 2, **fleet({"end": 1})},
        ],
        [{"depots": 2, **fleet({"start": 1, "end": 1})}],
    ),
    Feature.MIXED_FLEET: (
        [fleet({}, {"fixed_cost": 1})],
        [fleet({}, {"name": "other"}), fleet({"fixed_cost": 1})],
    ),
    Feature.ALLOWED_STOPS: (
        [fleet({"allowed": [1, 1, 0, 1]}), fleet({}, {"allowed": [1, 0, 1, 1]})],
        [fleet({"allowed": [1, 1, 1, 1]}), fleet({"allowed": [0, 1, 1, 1]})],
    ),
    Feature.PREFERENCES: (
        [fleet(LIKED), fleet({}, LIKED), fleet({"preference": [0, -1, -1, -1]})],
        [fleet({"preference": [0] * 4}), {"objective": OFF, **fleet(LIKED)}],
    ),
    Feature.OPTIONAL_STOPS: (
        [{"prize": [np.inf, 1, np.inf, np.inf]}, {"prize": [np.inf, 0, np.inf, np.inf]}],
        [{}, {"prize": [5, np.inf, np.inf, np.inf]}],
    ),
    Feature.TRIPS: (
        [fleet({"max_trips": 2}), fleet({}, {"max_trips": 3})],
        [fleet({"max_trips": 1})],
    ),
    Feature.DURATION_COST: (
        [{"objective": ON}, {"objective": ON, **fleet({"cost_per_s": 0}, {"cost_per_s": 0.5})}],
        [{}, {"objective": ON, **fleet({"cost_per_s": 0})}],
    ),
    Feature.FIXED_COST: (
        [fleet({"fixed_cost": 0.5}), fleet({}, {"fixed_cost": 1})],
        [{}, {"objective": OFF, **fleet({"fixed_cost": 1})}],
    ),
    Feature.LONGEST_ROUTE: (
        [{"objective": Objective(longest_route=0.5)}],
        [{}],
    ),
    Feature.UNREACHABLE: (
        [{"distance_m": GAP}],
        [{}],
    ),
}


@pytest.mark.parametrize("feature", CASES)
def test_a_feature_is_there_where_it_matters_and_nowhere_else(feature: Feature):
    """One vehicle or stop that asks for it is enough; what has no weight asks for nothing."""
    for expected, cases in zip((True, False), CASES[feature], strict=True):
        for fields in cases:
            problem = Problem.from_matrices(**{"distance_m": FOUR, **fields})
            assert (feature in problem.features) == expected, fields


def test_features_of_several_profiles():
    """Profiles that no vehicle drives are no feature."""
    profile = Problem.from_matrices(FOUR).profiles[0]
    for drives, expected in (((0, 1), True), ((1, 1), False)):
        vehicles = [Vehicle(profile=p) for p in drives]
        problem = Problem(profiles=(profile, profile), vehicles=vehicles)
        assert (Feature.PROFILES in problem.features) == expected
