"""PyVRP's dialect of VRPLIB: every section means what its own reader makes of it."""

import logging
from pathlib import Path

import numpy as np
import pytest

from nco import Group, Vehicle, check, load, save
from nco.data.formats.sol import read_sol
from nco.data.formats.vrplib import read_instance
from nco.errors import FormatError, InputError

DATA = Path(__file__).parent / "data" / "vrp"
SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "vrp" / "families"
TINY = ("gvrp", "hfvrp", "mdvrptw", "mtvrptwr", "pcvrptw", "sdvrptw", "vrpb")
KEPT = [
    *("GVRP/G-n262-k25-C131-V12", "GVRP/M-n101-k10-C34-V4"),
    *("HFVRP/X101-FSMFD", "HFVRP/X106-FSMD", "HFVRP/X110-HD", "HFVRP/X115-HVRP"),
    *("HFVRP/X502-FSMFD", "MDVRPTW/PR11B", "MDVRPTW/PR24A"),
    *("MTVRPTWR/C202R0.5", "MTVRPTWR/R202R0.75", "MTVRPTWR/RC2_2_03R0.75"),
    *("PCVRPTW/C1_10_10", "PCVRPTW/R2_10_2", "SDVRPTW/PR11", "SDVRPTW/PR16A"),
    *("VRPB/X-n524-66-k129", "VRPB/X-n685-80-k62", "VRPTW/C1_10_10", "VRPTW/R2_10_2"),
]


def both_ways(tmp_path, file, caplog):
    """Read a problem and its solution; compare with what is published and with what is written."""
    with caplog.at_level(logging.WARNING, "nco"):
        problem = load(file)
        solution = load(file.with_suffix(".sol"), problem=problem)
    assert not caplog.text  # the stated cost is met, in its unit
    assert check(problem, solution)
    assert len({id(v) for v in problem.vehicles}) == len(problem.fleet)
    again = load(save(problem, tmp_path / "again.vrp"))
    assert again == problem
    assert load(save(solution, tmp_path / "again.sol", problem=problem), problem=again) == solution


@pytest.mark.parametrize("name", TINY)
def test_tiny_families(tmp_path, name, caplog):
    """Made-up instances of each family are read with their routes, and written as they were."""
    both_ways(tmp_path, DATA / f"{name}.vrp", caplog)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared benchmark files are not here")
@pytest.mark.parametrize("name", KEPT)
def test_published_costs(tmp_path, name, caplog):
    """Published routes are feasible and cost what is published, in the unit of the family."""
    both_ways(tmp_path, SHARED / f"{name}.vrp", caplog)


def test_vehicles_one_by_one():
    """Capacities and costs of HFVRP are those of each vehicle, and distances are not rounded."""
    problem = read_instance(DATA / "hfvrp.vrp")
    first, *_, last = problem.vehicles
    assert (first.capacity, first.fixed_cost, first.cost_per_m) == ((10,), 100, 10)
    assert (last.capacity, last.fixed_cost, last.cost_per_m) == ((20,), 150, 15)
    assert problem.profiles[0].distance_m[0, 1] == np.sqrt(2)
    solution = read_sol(DATA / "hfvrp.sol", problem)
    assert [route.vehicle for route in solution.routes] == [1, 2]


def test_vehicles_at_depots():
    """Vehicles stand at their depots, and stops are called by their nodes."""
    problem = read_instance(DATA / "mdvrptw.vrp")
    assert [(v.start, v.end, v.max_duration_s) for v in problem.vehicles] == [
        (0, 0, 30),
        (1, 1, 30),
        (1, 1, 30),
    ]
    assert problem.profiles[0].distance_m[0, 2] == 1.414
    solution = read_sol(DATA / "mdvrptw.sol", problem)
    assert [route.stops for route in solution.routes] == [(2,), (3,), (4,)]


def test_stops_of_vehicles():
    """Vehicles serve the clients that are listed for them."""
    problem = read_instance(DATA / "sdvrptw.vrp")
    assert [v.allowed.tolist() for v in problem.vehicles] == [
        [True, True, True, False],
        [True, False, True, True],
    ]
    assert problem.vehicles[0].max_distance_m == 25


def test_prizes():
    """A prize of 0 makes a stop required, the others cost theirs when they are left out."""
    problem = read_instance(DATA / "pcvrptw.vrp")
    assert problem.prize.tolist() == [np.inf, np.inf, 9, 15]
    assert problem.profiles[0].distance_m[0, 1] == 1.4
    assert read_sol(DATA / "pcvrptw.sol", problem).cost.unserved == 15


def test_backhauls():
    """No street leads from the depot to where something is picked up, and deliveries are first."""
    problem = read_instance(DATA / "vrpb.vrp")
    assert problem.linehauls_first
    assert problem.pickup[:, 0].tolist() == [0, 0, 0, 7, 3]
    assert problem.profiles[0].distance_m[0].tolist() == [0, 3, 5, np.inf, np.inf]


def test_pickups_of_another_type(tmp_path):
    """Under another TYPE, backhauls are pickups in any order."""
    path = tmp_path / "p.vrp"
    path.write_text((DATA / "vrpb.vrp").read_text().replace("VRPB", "CVRP"))
    problem = read_instance(path)
    assert not problem.linehauls_first
    assert np.isfinite(problem.profiles[0].distance_m).all()
    assert read_instance(save(problem, tmp_path / "again.vrp")) == problem


def test_groups():
    """One of each group is served; a group of one stop is just that stop."""
    problem = read_instance(DATA / "gvrp.vrp")
    assert problem.groups == (Group(stops=(2, 3)),)
    assert problem.required.tolist() == [False, True, False, False, True]


def test_reloads():
    """Who loads again at the depot has several trips, which wait for their goods."""
    problem = read_instance(DATA / "mtvrptwr.vrp")
    assert [v.max_trips for v in problem.vehicles] == [3, 1]
    assert problem.release_s.tolist() == [0, 5, 0, 30]
    solution = read_sol(DATA / "mtvrptwr.sol", problem)
    assert [(route.vehicle, route.stops) for route in solution.routes] == [(0, (1, 2)), (0, (3,))]


def test_reloads_without_number(tmp_path):
    """Without VEHICLES_MAX_RELOADS there are as many trips as stops."""
    path = tmp_path / "p.vrp"
    whole = (DATA / "mtvrptwr.vrp").read_text()
    path.write_text(whole.replace("VEHICLES_MAX_RELOADS_SECTION\n1 2\n2 0\n", ""))
    assert [v.max_trips for v in read_instance(path).vehicles] == [3, 3]


def test_one_value_for_all(tmp_path):
    """What differs between vehicles or stops is a section, what does not is one value."""
    path = tmp_path / "p.vrp"
    keys = ["CAPACITY : 9", "VEHICLES : 2", "VEHICLES_FIXED_COST : 7", "DEMAND : 2"]
    keys += ["VEHICLES_UNIT_DISTANCE_COST : 3", "VEHICLES_DEPOT : 1", "VEHICLES_MAX_DISTANCE : 50"]
    keys += ["VEHICLES_MAX_DURATION : 40", "VEHICLES_RELOAD_DEPOT : 1", "VEHICLES_MAX_RELOADS : 1"]
    keys += ["PRIZE : 5", "RELEASE_TIME : 6", "BACKHAUL : 1"]
    text = (DATA / "pcvrptw.vrp").read_text()
    text = text[: text.index("DEMAND_SECTION")] + "EOF"
    head = text.index("VEHICLES : 2\nCAPACITY : 10\n")
    path.write_text(text[:head] + "\n".join(keys) + text[head + 26 :])
    problem = read_instance(path)
    van = Vehicle(
        capacity=(9,),
        fixed_cost=7,
        cost_per_m=3,
        max_trips=2,
        max_duration_s=40,
        max_distance_m=50,
    )
    assert problem.vehicles == (van, van)
    assert problem.vehicles[0] is problem.vehicles[1]
    assert problem.demand[:, 0].tolist() == [0, 2, 2, 2]
    assert problem.pickup[:, 0].tolist() == [0, 1, 1, 1]
    assert problem.prize.tolist() == [np.inf, 5, 5, 5]
    assert problem.release_s.tolist() == [0, 6, 6, 6]


def test_unlimited_fleet(tmp_path):
    """Of thousands of vehicles, one of each kind for every stop is kept."""
    path = tmp_path / "p.vrp"
    text = (DATA / "pcvrptw.vrp").read_text()
    path.write_text(text.replace("VEHICLES : 2", "VEHICLES : 5000"))
    assert len(read_instance(path).vehicles) == 3
    rows = "\n".join(f"{v} {6 if v % 2 else 10}" for v in range(1, 5001))
    text = text.replace("CAPACITY : 10", "VEHICLES : 5000").replace("VEHICLES : 2\n", "")
    path.write_text(text.replace("DEPOT_SECTION", f"CAPACITY_SECTION\n{rows}\nDEPOT_SECTION"))
    assert [v.capacity[0] for v in read_instance(path).vehicles] == [6, 10] * 3


def test_empty_routes_of_alike_vehicles(tmp_path):
    """Where vehicles are alike, empty routes say nothing, however many there are."""
    problem = read_instance(DATA / "gvrp.vrp")
    path = tmp_path / "s.sol"
    path.write_text("Route #1:\nRoute #2:\nRoute #3: 1 3\nRoute #4:\nRoute #5: 4\nCost: 32")
    assert [route.stops for route in read_sol(path, problem).routes] == [(1, 3), (4,)]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("hfvrp", "4 20\n", "", "CAPACITY_SECTION has 3 rows; give one a vehicle .4."),
        ("hfvrp", "4 20", "3 20", "CAPACITY_SECTION must number its vehicles 1, 2, 3"),
        ("hfvrp", "4 20", "4 20 1", "CAPACITY_SECTION has 2 numbers for vehicle 4; give 1"),
        ("hfvrp", "4 20", f"4 {'9' * 400}", "CAPACITY_SECTION holds '999+[.]{3}9+', which is not"),
        ("hfvrp", "4 20", "4 -20", r"capacity\[0\] is -20"),
        ("hfvrp", "DEPOT_SECTION", "CAPACITY_SECTION\n1 1\nDEPOT_SECTION", "'CAPACITY' is there t"),
        ("hfvrp", "VEHICLES : 4", "VEHICLES : 4\nCAPACITY : 5", "CAPACITY is there twice, as a"),
        ("hfvrp", "VEHICLES : 4", "VEHICLES : 5", "CAPACITY_SECTION has 4 rows; give one a veh"),
        ("hfvrp", "DEPOT_SECTION", "LINEHAUL_SECTION\n1 0\nDEPOT_SECTION", "two names of one"),
        ("hfvrp", "VEHICLES_FIXED_COST", "VEHICLES_FIXED_COSTS", "VEHICLES_FIXED_COSTS cannot be"),
        ("mdvrptw", "3\t2\nDEPOT", "3\t3\nDEPOT", "VEHICLES_DEPOT of vehicle 3 is '3', which is"),
        ("mdvrptw", "3\t2\nDEPOT", "3\t.5\nDEPOT", "of vehicle 3 is '0.5', which is no node"),
        ("mdvrptw", "VEHICLES: 3", "VEHICLES: 3\nDISTANCE: 9", "both limit how long a route takes"),
        ("sdvrptw", "2 3 4\nDEPOT", "2 3 5\nDEPOT", "names node '5' for vehicle 2; nodes are 1 to"),
        ("sdvrptw", "2 3 4\nDEPOT", "2 3 1.5\nDEPOT", "names node '1.5' for vehicle 2"),
        ("sdvrptw", "2 3 4\nDEPOT", "2 3 1\nDEPOT", "names a depot for vehicle 2; list stops"),
        ("sdvrptw", "2 3 4\nDEPOT", "DEPOT", "ALLOWED_CLIENTS_SECTION has 1 row; give one a v"),
        ("pcvrptw", "4 15", "4 -15", r"prize\[3\] is -15"),
        ("pcvrptw", "4 15\n", "", "PRIZE_SECTION has 3 rows; give one a node .4."),
        ("vrpb", "BACKHAUL_SECTION\n1 0\n2 0", "BACKHAUL_SECTION\n1 0\n2 1", "node 2 has both DEM"),
        ("vrpb", "BACKHAUL_SECTION\n1 0", "BACKHAUL_SECTION\n1 4", r"pickup\[0\]"),
        ("gvrp", "2 3 4\n3 5", "2 3 4\n3 4 5", "belongs to groups.0. already"),
        ("gvrp", "2 3 4\n3 5", "2 3 4\n3 1", "names a depot in group 3; list stops alone"),
        ("gvrp", "2 3 4\n3 5", "2 3 9\n3 5", "names node '9' for group 2; nodes are 1 to 5"),
        ("gvrp", "2 3 4\n3 5", "2 3 4\n4 5", "must number its groups 1, 2, 3, ...; expected 3"),
        ("gvrp", "VEHICLES: 3", "PRIZE: 3", "names a stop with a PRIZE in group 1"),
        ("mtvrptwr", "2 1\nVEHICLES_MAX", "2 2\nVEHICLES_MAX", "of vehicle 2 is no node of DEPOT"),
        ("mtvrptwr", "1 2\n2 0", "1 2\n2 -1", "VEHICLES_MAX_RELOADS holds -1; give whole numbers"),
        ("mtvrptwr", "VEHICLES_RELOAD_DEPOT_SECTION\n1 1\n2 1\n", "", "of vehicle 1 is 2, but no"),
        ("mtvrptwr", "RELEASE_TIME_SECTION\n1 0", "RELEASE_TIME_SECTION\n1 4", r"release_s\[0\]"),
    ],
)  # fmt: skip
def test_malformed(tmp_path, name, old, new, message):
    """Each malformed file is refused with the section, the row and what it should be."""
    text = (DATA / f"{name}.vrp").read_text()
    assert old in text
    path = tmp_path / "t.vrp"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=message):
        read_instance(path)


def test_number_of_listed_vehicles():
    """Vehicles that are listed one by one cannot be of another number."""
    with pytest.raises(InputError, match="vehicles= does not apply, CAPACITY_SECTION has a row"):
        read_instance(DATA / "hfvrp.vrp", vehicles=2)


@pytest.mark.parametrize("visit", ["1", "5", "9" * 9])
def test_strange_node_in_a_route(tmp_path, visit):
    """A route names stops and its own depot, nothing else."""
    path = tmp_path / "s.sol"
    path.write_text(f"Route #1: 2 {visit} 2\n")
    with pytest.raises(FormatError, match=f"route #1 visits {visit}.*has stops 2 to 4"):
        read_sol(path, read_instance(DATA / "mdvrptw.vrp"))
