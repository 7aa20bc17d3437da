"""Profiled vehicles are drawn as documented, and CAMP's files are made again number by number."""

from itertools import product

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import given, settings
from hypothesis import strategies as st

import nco
from nco import Feature, Route, Solution, sample
from nco.data.sampling.camp import FILES
from nco.data.sampling.preferences import PREFERENCES, ZONES, covering, draw_preference, draw_zone
from nco.errors import InputError

CITY = FakeCity()
STREETS = {"car": CITY, "bicycle": FakeCity("lanes"), "foot": FakeCity("paths")}
MIXED = {"van": 2, "electric van": 1, "cargo bicycle": 1, "walker": 1}


@settings(max_examples=20, deadline=None)
@given(
    preference=st.sampled_from([*PREFERENCES, None]),
    zone=st.sampled_from([*ZONES, None]),
    n=st.integers(1, 12),
    m=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_every_instance_can_be_solved(preference, zone, n, m, seed):
    """Preferences are within 0 and 1, and every stop may be served on a trip of its own."""
    problem = sample.pvrp(None, n, seed=seed, vehicles=m, preference=preference, zone=zone)
    again = sample.pvrp(None, n, seed=seed, vehicles=m, preference=preference, zone=zone)
    assert problem == again
    assert len(problem.vehicles) == m
    for vehicle in problem.vehicles:
        wishes = vehicle.preference
        assert wishes is None or (wishes[0] == 0 and (wishes >= 0).all() and (wishes <= 1).all())
    able = [v.allowed if v.allowed is not None else np.ones(n + 1, bool) for v in problem.vehicles]
    routes = [Route(int(np.argmax([a[j] for a in able])), (j,)) for j in problem.stops]
    solution = Solution.from_routes(problem, routes)
    assert solution.feasible, str(solution)
    assert not nco.contradictions(problem)


def test_cost_is_that_of_camp():
    """The cost is 0.8 times the length of all trips minus 0.2 times the preferences served."""
    problem = sample.pvrp(None, 3, seed=5, vehicles=2, preference="random")
    routes = [Route(0, (1, 2)), Route(1, (3,))]
    d = problem.profiles[0].distance_m
    length = d[0, 1] + d[1, 2] + d[2, 0] + d[0, 3] + d[3, 0]
    likes = [v.preference for v in problem.vehicles]
    gain = likes[0][1] + likes[0][2] + likes[1][3]
    total = Solution.from_routes(problem, routes).cost.total
    assert total == pytest.approx(0.8 * length - 0.2 * gain)


def test_each_thing_is_drawn_by_a_stream_of_its_own():
    """Places and demands do not depend on preferences, zones or the number of vehicles."""
    plain = sample.pvrp(None, 9, seed=3)
    other = sample.pvrp(None, 9, seed=3, vehicles=2, preference="cluster", zone="random")
    assert np.array_equal(plain.xy, other.xy)
    assert np.array_equal(plain.demand, other.demand)


def test_sectors_and_territories_have_one_owner():
    """Every stop is in the sector and the territory of exactly one vehicle."""
    rng = np.random.default_rng(0)
    away = rng.uniform(-1, 1, (4, 30, 2))
    for kind in ("sector", "territory"):
        wishes = draw_preference(kind, rng, away, 5, 1.0)
        assert wishes.shape == (4, 5, 30)
        if kind == "sector":
            assert (wishes.sum(axis=1) == 1).all()
        assert ((wishes == 0) | (wishes == 1)).all()
        assert (wishes.sum(axis=1) <= 1).all()


@pytest.mark.parametrize("kind", list(ZONES))
def test_zones_differ_from_instance_to_instance(kind):
    """Some are banned, never all, and not the same ones in each instance."""
    rng = np.random.default_rng(1)
    away = rng.uniform(-1, 1, (50, 20, 2))
    allowed = draw_zone(kind, rng, away, 6)
    assert allowed.shape == (50, 6, 20)
    assert allowed.any(axis=1).all()
    assert 0.3 < allowed.mean() < 0.95
    assert len({a.tobytes() for a in allowed}) > 30


def test_who_cannot_reach_a_stop_does_not_count_as_permitted():
    """A stop that the permitted vehicles do not reach is opened to one that does."""
    rng = np.random.default_rng(2)
    allowed = np.array([[True, False], [False, False], [False, True]])
    able = np.array([[True, False], [True, True], [True, False]])
    opened = covering(rng, allowed, able)
    assert (opened & able).any(axis=0).all()
    assert opened[:, 0].tolist() == allowed[:, 0].tolist()
    assert opened[:, 1].tolist() == [False, True, True]
    with pytest.raises(InputError, match="reached by no vehicle"):
        covering(rng, allowed, np.zeros_like(able))


def test_mixed_fleet_in_a_city():
    """Each type has its streets and capacity; a preference of 1 is worth a side of the square."""
    problem = sample.pvrp(STREETS, 8, seed=1, vehicles=MIXED, preference="familiarity")
    assert len(problem.profiles) == 3
    assert [v.profile for v in problem.vehicles] == [0, 0, 0, 1, 2]
    assert [v.capacity for v in problem.vehicles] == [(40,), (40,), (30,), (15,), (9,)]
    assert problem.vehicles[1].name == "van 2"
    assert Feature.PROFILES in problem.features
    seconds = problem.profiles[0].duration_s
    mean = seconds[~np.eye(9, dtype=bool)].mean()
    assert problem.objective.preference == pytest.approx(0.2 * mean / 0.5214)
    assert (problem.objective.distance, problem.objective.duration) == (0.0, 0.8)


def test_stops_that_only_some_reach():
    """Stops in streets that are closed to one type are left to another, else drawn again."""
    islands = FakeCity("closed", islands=24.95)
    streets = {"car": CITY, "van": islands}
    problem = sample.pvrp(
        streets, 12, seed=1, vehicles={"van": 1, "electric van": 1}, zone="random",
        depot=(24.92, 60.15),
    )  # fmt: skip
    cut = np.isinf(problem.profiles[0].distance_m[0])
    assert cut.any()
    assert problem.vehicles[1].allowed[cut].all()
    assert not nco.contradictions(problem)
    with pytest.raises(InputError, match="no vehicle reaches all stops"):
        sample.pvrp({"van": islands}, 12, seed=1, vehicles={"van": 1}, depot=(24.92, 60.15))


def test_files_of_camp():
    """The numbers are those of the calls that the generator makes, in their order."""
    assert len(FILES) == 36
    for kind in ("random", "pi", "cluster"):
        calls = np.random.RandomState(1234)  # what np.random.seed sets
        loc = calls.uniform(0, 1, size=(20, 41, 2))
        demand = calls.randint(1, 10, [20, 41])
        calls.uniform(1, 1, size=(20, 3))
        calls.randint(40, 41, size=(20, 3))
        wishes = np.zeros((20, 3, 40))
        if kind == "random":
            wishes = calls.uniform(0, 1, size=(20, 3, 40))
        elif kind == "cluster":
            index = calls.randint(0, 40, size=(20, 3))
        for b, k, j in product(range(20), range(3), range(40)):
            if kind == "pi":
                y, x = (loc[b, j] - loc[b, 40])[::-1]
                wishes[b, k, j] = k <= (np.arctan2(y, x) % (2 * np.pi)) * 3 / (2 * np.pi) < k + 1
            elif kind == "cluster":
                gap = loc[b, j] - loc[b, index[b, k]]
                wishes[b, k, j] = 1 - np.hypot(*gap) / np.sqrt(2)
        made = sample.camp_set(40, 3, kind, count=20)
        assert made.name == f"n40_m3_seed1234_{kind}"
        assert np.array_equal(made.depot, loc[:, 40].astype(np.float32))
        assert np.array_equal(made.locs, loc[:, :40].astype(np.float32))
        assert np.array_equal(made.demand, demand[:, :40].astype(np.float32))
        assert np.allclose(made.preference, wishes, atol=1e-6)
        assert (made.capacity == 40).all()
        assert (made.speed == 1).all()


def test_instances_of_a_file(tmp_path):
    """An instance is a problem, and a file that is written holds the same arrays."""
    made = sample.camp_set(40, 5, "sector", count=3)
    problem = made.problem(2, weights=(0.9, 0.1))
    assert (len(problem.stops), len(problem.vehicles), problem.name[-2:]) == (40, 5, "-2")
    assert (problem.objective.distance, problem.objective.preference) == (0.9, 0.1)
    assert np.array_equal(problem.vehicles[4].preference[1:], made.preference[2, 4])
    with np.load(made.save(tmp_path)) as file:
        assert sorted(file) == sorted(
            ("depot", "locs", "demand", "capacity", "speed", "preference")
        )
        assert np.array_equal(file["locs"], made.locs)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"preference": "zones"}, "preference is 'zones'; use one of random, sector"),
        ({"zone": "pi"}, "zone is 'pi'; use one of random, sector, cluster"),
        ({"vehicles": 0}, "vehicles is 0"),
        ({"weights": (1, -1)}, "two numbers of 0 or more"),
        ({"weights": 3}, "two numbers of 0 or more"),
        ({"depot": (1, 2)}, "need a city"),
        ({"city": CITY, "vehicles": {"lorry": 1}}, "type 'lorry'; use one of van"),
        ({"city": CITY, "vehicles": {"van": 0}}, "no vehicle"),
        ({"city": CITY, "vehicles": {"walker": 1}}, "one kind of streets"),
        ({"city": {"car": CITY}, "vehicles": {"walker": 1}}, "none for 'walker'"),
        ({"city": "helsinki"}, r"nco.city\('helsinki'\)"),
    ],
)
def test_what_makes_no_sense_is_said(given, message):
    """Each argument that cannot be meant is refused in words."""
    city = given.pop("city", None)
    with pytest.raises(InputError, match=message):
        sample.pvrp(city, 5, seed=1, **given)


def test_camp_sets_that_make_no_sense():
    """A kind or an index that is not there is refused."""
    with pytest.raises(InputError, match="use one of random, pi, cluster"):
        sample.camp_set(5, 2, "block")
    with pytest.raises(InputError, match="give 0 to 1"):
        sample.camp_set(5, 2, "pi", count=2).problem(2)
