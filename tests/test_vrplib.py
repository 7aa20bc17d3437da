"""Classical files: distances under the stated rule, published costs met, errors named."""

import logging
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import directed, line_of_four, one_way_street, problems

from nco import Group, Objective, Problem, Route, Shipment, Solution, Vehicle, check, memory
from nco.data.formats.rounding import euclidean
from nco.data.formats.sol import read_sol, write_sol
from nco.data.formats.vrplib import read_instance
from nco.data.formats.vrplib_write import write_instance
from nco.errors import FormatError, InputError, UnsupportedError
from nco.problem import Feature

DATA = Path(__file__).parent / "data" / "vrp"
SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "vrp"
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_euclidean_instance():
    """Coordinates become whole distances; the -k2 of the name limits nothing."""
    problem = read_instance(DATA / "tiny.vrp")
    assert problem.name == "tiny-k2"
    assert problem.profiles[0].distance_m[0].tolist() == [0, 3, 5, 3]
    assert problem.xy[3].tolist() == [1.5, 2]
    assert problem.demand[:, 0].tolist() == [0, 4, 5, 6]
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(10,)] * 3
    assert len(read_instance(DATA / "tiny.vrp", vehicles=2).vehicles) == 2


@pytest.mark.parametrize(
    ("rule", "length"),
    [("none", 2.5), ("round", 3), ("trunc", 2), ("ceil", 3), ("dimacs", 2.5), ("exact", 2.5)],
)
def test_rounding_rules(rule, length):
    """Each rule does what its name says; the middle of the square is 2.5 from its corner."""
    problem = read_instance(DATA / "tiny.vrp", rounding=rule)
    assert problem.profiles[0].distance_m[0, 3] == length


def test_dimacs_cuts_the_second_decimal():
    """One decimal is kept and the rest cut off, not rounded."""
    distance = euclidean(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.6]]), "dimacs")
    assert distance[0].tolist() == [0, 1.4, 3.2]


def test_unknown_rule():
    """An unknown rule lists the known ones."""
    with pytest.raises(InputError, match="use one of none, round, trunc, ceil, dimacs, exact"):
        read_instance(DATA / "tiny.vrp", rounding="floor")


def test_directed_matrix():
    """A full matrix broken over lines is read row by row, its diagonal set to 0."""
    problem = read_instance(DATA / "directed.vrp")
    assert problem.profiles[0].distance_m.tolist() == [[0, 1, 2], [3, 0, 4], [5, 6.5, 0]]
    assert len(problem.vehicles) == 2
    assert read_instance(DATA / "directed.vrp", rounding="round").profiles[0].distance_m[2, 1] == 7


@pytest.mark.parametrize(
    ("form", "weights"),
    [
        ("FULL_MATRIX", "0 1 2 4 1 0 3 5 2 3 0 6 4 5 6 0"),
        ("UPPER_ROW", "1 2 4 3 5 6"),
        ("LOWER_ROW", "1 2 3 4 5 6"),
        ("UPPER_DIAG_ROW", "0 1 2 4 0 3 5 0 6 0"),
        ("LOWER_DIAG_ROW", "0 1 0 2 3 0 4 5 6 0"),
        ("UPPER_COL", "1 2 3 4 5 6"),
        ("LOWER_COL", "1 2 4 3 5 6"),
        ("UPPER_DIAG_COL", "0 1 0 2 3 0 4 5 6 0"),
        ("LOWER_DIAG_COL", "0 1 2 4 0 3 5 0 6 0"),
    ],
)
def test_edge_weight_formats(tmp_path, form, weights):
    """All matrices that TSPLIB has a name for are read, however the numbers fall into lines."""
    numbers = weights.split()
    rows = [" ".join(numbers[k : k + 3]) for k in range(0, len(numbers), 3)]
    text = ["TYPE : CVRP", "DIMENSION : 4", "CAPACITY : 9", "EDGE_WEIGHT_SECTION", *rows]
    text += ["EDGE_WEIGHT_TYPE : EXPLICIT", f"EDGE_WEIGHT_FORMAT : {form}"]
    text += ["DEMAND_SECTION", "1 0", "2 3", "3 4", "4 5", "EOF"]
    path = tmp_path / "m.vrp"
    path.write_text("\n".join(text))
    matrix = read_instance(path).profiles[0].distance_m
    assert matrix.tolist() == [[0, 1, 2, 4], [1, 0, 3, 5], [2, 3, 0, 6], [4, 5, 6, 0]]


def test_longest_route():
    """DISTANCE limits driving and service together, as a shift from 0 does."""
    problem = read_instance(DATA / "route_limit.vrp")
    assert {vehicle.shift_s for vehicle in problem.vehicles} == {(0, 50)}


def test_longest_route_beside_windows():
    """Beside time windows, DISTANCE limits a route whenever it begins: the longest duty."""
    problem = read_instance(DATA / "limit_and_windows.vrp")
    assert {(v.max_duration_s, v.shift_s) for v in problem.vehicles} == {(50, (0, np.inf))}


def test_fraction_of_capacity(tmp_path):
    """A Solomon instance may have a capacity that is no whole number."""
    path = tmp_path / "f.txt"
    path.write_text((DATA / "S3.txt").read_text().replace("20", "20.5", 1))
    assert "20.5" in path.read_text()
    assert read_instance(path).vehicles[0].capacity == (20.5,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DEPOT_SECTION", "TURN_SECTION\n3\nDEPOT_SECTION", "TURN cannot be expressed"),
        ("TYPE : CVRP", "TYPE : OVRP", "in .json, routes end at their last stop where a vehicle"),
        ("CAPACITY : 10", "CAPACITY : ten", "line 6: CAPACITY is 'ten'; it must be a finite"),
        ("CAPACITY : 10", f"CAPACITY : {'9' * 400}", "CAPACITY is '999+[.]{3}9+'; it must"),
        ("2 3 0", "2 3 0 0", "line 9: NODE_COORD_SECTION has 3 numbers for node 2; give 2"),
        ("2 3 0", f"2 {'9' * 400} 0", "line 9: NODE_COORD_SECTION holds '999+[.]{3}9+', which"),
        ("2 3 0", "2 1e200 0", "coordinates are too far apart for numbers"),
        ("DIMENSION : 4", "DIMENSION : 4\nDIMENSION : 4", "line 5: 'DIMENSION' is there twice"),
        ("DIMENSION : 4", f"DIMENSION : {10**12}", "DIMENSION is 1e.12 but there are 4 nodes"),
        ("DIMENSION : 4", "DIMENSION : 4\nVEHICLES : 9999999", "a whole number from 1 to 1000000"),
    ],
)
def test_changed_instance(tmp_path, old, new, message):
    """What cannot be read is refused by its name, with the way that there is instead."""
    text = (DATA / "tiny.vrp").read_text()
    assert old in text
    path = tmp_path / "t.vrp"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=message):
        read_instance(path)


def test_huge_matrix_is_refused_before_it_is_made(tmp_path, monkeypatch):
    """Distances between more points than fit into the memory are a sentence, not a crash."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 30)
    with pytest.raises(InputError, match="matrices between 85900 points need 165 GiB of memory"):
        euclidean(np.zeros((85900, 2)), "none")


def test_windows_and_service():
    """Time windows are read; one service time holds at every stop but not at the depot."""
    problem = read_instance(DATA / "windows.vrp")
    assert problem.window_s.tolist() == [[0, 100], [10, 20], [5, 50]]
    assert problem.service_s.tolist() == [0, 5, 5]
    assert problem.profiles[0].duration_s[0].tolist() == [0, 1, 2]


def test_two_depots():
    """Depots become the first nodes, each with vehicles for all stops."""
    problem = read_instance(DATA / "two_depots.vrp")
    assert problem.depots == 2
    assert problem.xy[:, 0].tolist() == [0, 9, 0.5, 10]
    assert problem.demand[:, 0].tolist() == [0, 0, 3, 4]
    assert [vehicle.start for vehicle in problem.vehicles] == [0, 0, 1, 1]
    assert Feature.DEPOTS in problem.features


def test_tsp():
    """A TSPLIB tour has one vehicle and no demand."""
    problem = read_instance(DATA / "triangle.tsp")
    assert problem.profiles[0].distance_m.tolist() == [[0, 3, 4], [3, 0, 5], [4, 5, 0]]
    assert (len(problem.vehicles), problem.features) == (1, frozenset())


def test_solomon():
    """Windows, service, fractions and the number of vehicles are read; one decimal by default."""
    problem = read_instance(DATA / "S3.txt")
    assert problem.name == "S3"
    assert problem.demand[:, 0].tolist() == [0, 10, 7.5]
    assert problem.window_s[2].tolist() == [20, 60]
    assert problem.service_s.tolist() == [0, 10, 10]
    assert problem.profiles[0].distance_m[0].tolist() == [0, 1.4, 2.2]
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(20,)] * 2
    exact = read_instance(DATA / "S3.txt", rounding="none").profiles[0].distance_m
    assert exact[0, 1] == np.sqrt(2)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("node_order.vrp", "line 9: NODE_COORD_SECTION must number.*expected 2, found '3'"),
        (
            "coordinate.vrp",
            "line 9: NODE_COORD_SECTION holds 'three', which is not a finite number",
        ),
        ("weight_type.vrp", "EDGE_WEIGHT_TYPE is GEO; read are EXPLICIT"),
        ("dimension.vrp", "DIMENSION is 5 but there are 4 nodes in NODE_COORD_SECTION"),
        ("no_capacity.vrp", "both CAPACITY and DEMAND_SECTION"),
        ("over_capacity.vrp", r"demand\[3\] of '3' is 16, more than any vehicle carries"),
        ("negative_demand.vrp", r"demand\[3, 0\] is -6"),
        ("short_demand.vrp", "DEMAND_SECTION has 3 rows; give one a node .4."),
        ("kind.vrp", "TYPE is PDP; read are TSP"),
        ("depot.vrp", r"DEPOT_SECTION names nodes \[9.0\]; give different nodes from 1 to 4"),
        ("short_matrix.vrp", "holds 7 numbers; as FULL_MATRIX, 3 nodes have 9"),
        ("negative_weight.vrp", r"distance_m\[0, 1\] is -1"),
        ("function.vrp", "EDGE_WEIGHT_FORMAT is FUNCTION; read are FULL_MATRIX, UPPER_ROW"),
        ("vehicles.vrp", "VEHICLES is 0; it must be a whole number from 1 to 1000000"),
        ("no_weights.vrp", "EDGE_WEIGHT_TYPE is EXPLICIT; read are EXPLICIT with an EDGE_WEIGHT"),
        ("window.vrp", r"window_s\[1\] is \(20, 10\), which is empty"),
        ("shared_fleet.vrp", "VEHICLES does not say how many stand at each of 2 depots"),
        ("prose.vrp", "not a VRPLIB or Solomon instance"),
        ("word.txt", "line 12: expected customer 2 with x, y, demand.*found '2 "),
        ("customer_order.txt", "line 12: expected customer 2"),
        ("no_customer.txt", "there is no customer beside the depot"),
        ("heading.txt", "not a Solomon instance"),
    ],
)
def test_malformed_instance(file, message):
    """Each malformed file is refused with the place and what it should be."""
    with pytest.raises(FormatError, match=message) as caught:
        read_instance(DATA / file)
    assert file in str(caught.value)


def test_solution():
    """Stops count from 1; the stated cost is met."""
    problem = read_instance(DATA / "tiny.vrp")
    solution = read_sol(DATA / "tiny.sol", problem)
    assert [route.stops for route in solution.routes] == [(1, 2), (3,)]
    assert solution.cost.total == 18
    assert solution.feasible


def test_other_cost_is_reported(caplog):
    """A stated cost that is not met points to the rounding rule."""
    with caplog.at_level(logging.WARNING, "nco"):
        read_sol(DATA / "tiny.sol", read_instance(DATA / "tiny.vrp", rounding="none"))
    assert "states a cost of 18" in caplog.text
    assert "another rounding rule" in caplog.text


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("stop.sol", "route #2 visits 7, but problem 'tiny-k2' has stops 1 to 3"),
        ("word.sol", "a route holds something that is no stop"),
        ("no_route.sol", "there is no line such as 'Route #1: 5 3 7'"),
    ],
)
def test_malformed_solution(file, message):
    """Each malformed file is refused with what it should be."""
    with pytest.raises(FormatError, match=message):
        read_sol(DATA / file, read_instance(DATA / "tiny.vrp"))


def test_too_many_routes():
    """More routes than vehicles are refused with both numbers."""
    with pytest.raises(FormatError, match="there are 2 routes, but problem 'tiny-k2' has 1 veh"):
        read_sol(DATA / "tiny.sol", read_instance(DATA / "tiny.vrp", vehicles=1))


@pytest.mark.parametrize("file", ["tiny.vrp", "directed.vrp", "windows.vrp", "triangle.tsp"])
def test_instance_round_trip(tmp_path, file):
    """An instance that was read is written so that it reads back the same."""
    problem = read_instance(DATA / file)
    path = write_instance(tmp_path / "again.vrp", problem)
    assert read_instance(path) == problem


def test_coordinates_keep_their_type(tmp_path):
    """Distances that follow from coordinates are written as coordinates."""
    path = write_instance(tmp_path / "again.vrp", read_instance(DATA / "windows.vrp"))
    assert "EDGE_WEIGHT_TYPE : FLOOR_2D" in path.read_text()
    exact = read_instance(DATA / "tiny.vrp", rounding="none")
    path = write_instance(tmp_path / "exact.vrp", exact)
    assert "FULL_MATRIX" in path.read_text()
    assert read_instance(path) == exact


@quick
@given(
    seed=st.integers(0, 2**32 - 1),
    stops=st.integers(1, 6),
    windows=st.booleans(),
    vehicles=st.integers(1, 8),
)
def test_random_round_trip(tmp_path, seed, stops, windows, vehicles):
    """Directed problems of the kind that fits read back bit for bit."""
    rng = np.random.default_rng(seed)
    n = stops + 1
    fields = {}
    if windows:
        start = rng.uniform(0, 100, n)
        fields["window_s"] = np.stack([start, start + rng.uniform(0, 100, n)], axis=1)
        fields["service_s"] = rng.uniform(0, 9, n) * (np.arange(n) > 0)
    problem = Problem.from_matrices(
        directed(n, seed),
        demand=rng.integers(1, 9, n) * (np.arange(n) > 0),
        capacity=float(rng.uniform(9, 30)),
        vehicles=vehicles,
        name=f"random {seed}",
        **fields,
    )
    back = read_instance(write_instance(tmp_path / "p.vrp", problem))
    assert back == problem


def test_endless_windows_are_closed_late(tmp_path):
    """A window without end closes after any sensible schedule is over."""
    window = [[0, np.inf], [50, np.inf], [0, 60]]
    distance = directed(3)
    problem = Problem.from_matrices(distance, window_s=window, vehicles=2)
    back = read_instance(write_instance(tmp_path / "p.vrp", problem))
    assert back.window_s[2].tolist() == [0, 60]
    assert (back.window_s[:2, 1] > distance.sum()).all()


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Problem.from_matrices([[0, np.inf], [1, 0]]), "it has unreachable pairs"),
        (Problem.from_matrices(directed(3), prize=[0, 0, 9]), "stops with a prize of 0"),
        (
            Problem.from_matrices(directed(3), prize=[9, 9, 9], objective=Objective(unserved=2)),
            "it weighs prizes",
        ),
        (
            Problem.from_matrices(directed(3), groups=[Group(stops=(1, 2), prize=5)]),
            "it has groups that may be left out",
        ),
        (
            Problem.from_matrices(directed(3), shipments=[Shipment(pickup=1, delivery=2)]),
            "it has shipments from stop to stop",
        ),
        (
            Problem.from_matrices(
                directed(3), demand=[0, 1, 0], pickup=[0, 0, 1], linehauls_first=True, capacity=9
            ),
            "it has routes of pickups alone",
        ),
        (Problem.from_matrices(directed(3), depots=2), "it has 2 depots"),
        (Problem.from_matrices(directed(3), demand=[0, 1, 1]), "no limit on capacity"),
        (Problem.from_matrices(directed(3), name="EOF"), "its name contains EOF"),
        (
            Problem.from_matrices(directed(3), objective=Objective(distance=2)),
            "its cost is not the distance",
        ),
        (
            Problem.from_matrices(directed(3), directed(3) * 2, service_s=[0, 1, 1]),
            "durations that differ from distances",
        ),
        (
            Problem.from_matrices(directed(3), vehicles=[Vehicle(speed=2.0)]),
            "it has vehicles that are faster",
        ),
    ],
)
def test_problem_that_does_not_fit(tmp_path, problem, message):
    """What the format has no words for is refused by name, and nothing is written."""
    with pytest.raises(UnsupportedError, match=f"{message}.*save it as .json"):
        write_instance(tmp_path / "p.vrp", problem)
    assert not list(tmp_path.iterdir())


@quick
@given(problem=problems(rich=False), data=st.data())
def test_solution_round_trip(tmp_path, problem, data):
    """Routes for alike vehicles come back with the same stops and cost."""
    order = data.draw(st.permutations(list(problem.stops)))
    cuts = sorted(
        data.draw(st.sets(st.integers(1, len(order)), max_size=len(problem.vehicles) - 1))
    )
    bounds = [0, *cuts, len(order)]
    routes = [order[a:b] for a, b in pairwise(bounds) if order[a:b]]
    solution = Solution.from_routes(problem, routes)
    back = read_sol(write_sol(tmp_path / "s.sol", problem, solution), problem)
    assert back == solution


def test_trips_are_divided_by_the_depot(tmp_path):
    """Several routes of one vehicle are one in the file, with the depot inside of it."""
    problem = one_way_street()
    solution = Solution.from_routes(problem, [Route(0, (1,)), Route(0, (2, 3))])
    path = write_sol(tmp_path / "s.sol", problem, solution)
    assert path.read_text().startswith("Route #1: 1 0 2 3\n")
    assert read_sol(path, problem).routes == solution.routes


def test_written_solution(tmp_path):
    """The file looks as CVRPLIB's do."""
    problem = line_of_four()
    path = write_sol(tmp_path / "s.sol", problem, Solution.from_routes(problem, [[1], [3, 2]]))
    assert path.read_text() == "Route #1: 1\nRoute #2: 3 2\nCost 800\n"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared benchmark files are not here")
@pytest.mark.parametrize(
    "name",
    [
        *("X/X-n101-k25", "X/X-n200-k36", "X/X-n303-k21", "X/X-n502-k39", "X/X-n1001-k43"),
        *(f"Solomon/{name}" for name in ("C101", "C201", "R101", "R201", "RC101", "RC201")),
    ],
)
def test_published_costs(name, caplog):
    """The published routes cost what is published, and are feasible."""
    file = SHARED / f"{name}{'.vrp' if name.startswith('X') else '.txt'}"
    problem = read_instance(file)
    with caplog.at_level(logging.WARNING, "nco"):
        solution = read_sol(SHARED / f"{name}.sol", problem)
    assert not caplog.text
    assert check(problem, solution)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared benchmark files are not here")
def test_unrounded_solomon_cost():
    """Without rounding, the best routes of C101 cost the 828.94 that others publish."""
    problem = read_instance(SHARED / "Solomon" / "C101.txt", rounding="none")
    solution = read_sol(SHARED / "Solomon" / "C101.sol", problem)
    assert solution.cost.total == pytest.approx(828.94, abs=0.005)
