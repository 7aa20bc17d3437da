"""Instances of pickup and delivery: what is read, what is published, and what is refused."""

import logging
from pathlib import Path

import numpy as np
import pytest

from nco import Shipment, check, load, save
from nco.data.formats.vrplib import read_instance
from nco.errors import FormatError
from nco.problem import Feature
from nco.problem.normal import normal

DATA = Path(__file__).parent / "data" / "pairs"
SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "vrp"
# Vehicles and distance of the best-known solutions that are kept; Li and Lim's name no cost.
KEPT = {
    "LiLim/lc101": (10, 828.94),
    "LiLim/lc2_2_3": (6, 1844.33),
    "LiLim/lr101": (19, 1650.80),
    "LiLim/lr1_4_2": (30, 11009.51),
    "LiLim/lr201": (4, 1253.23),
    "LiLim/lrc101": (14, 1708.80),
    "LiLim/lrc202": (3, 1374.27),
    "SartoriBuriol/bar-n100-1": (6, 732),
    "SartoriBuriol/bar-n200-4": (13, 832),
    "SartoriBuriol/ber-n100-3": (3, 713),
    "SartoriBuriol/ber-n400-2": (33, 5494),
    "SartoriBuriol/nyc-n100-2": (4, 563),
    "SartoriBuriol/poa-n200-1": (25, 2426),
}


def both_ways(tmp_path, file, caplog):
    """Read a problem and its solution, check them, and write the solution and read it again."""
    with caplog.at_level(logging.WARNING, "nco"):
        problem = load(file)
        solution = load(file.with_suffix(".sol"), problem=problem)
        again = load(save(solution, tmp_path / "again.sol", problem=problem), problem=problem)
    assert not caplog.text  # stated costs are met, without what vehicles cost
    assert check(problem, solution)
    assert again == solution
    assert load(save(problem, tmp_path / "again.json")) == problem
    return problem, solution


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared benchmark files are not here")
@pytest.mark.parametrize("name", KEPT)
def test_published_costs(tmp_path, name, caplog):
    """Published routes are feasible, as many as stated, and as long."""
    _, solution = both_ways(tmp_path, SHARED / f"{name}.txt", caplog)
    vehicles, distance = KEPT[name]
    assert len(solution.routes) == vehicles
    assert solution.cost.distance == pytest.approx(distance, abs=0.005)


def test_li_lim(tmp_path, caplog):
    """Pairs become shipments, whichever end stands first; distances are not rounded."""
    problem, solution = both_ways(tmp_path, DATA / "lilim.txt", caplog)
    assert problem.name == "lilim"
    assert problem.shipments == (
        Shipment(pickup=1, delivery=2, amount=(4,)),
        Shipment(pickup=4, delivery=3, amount=(6,)),
    )
    assert problem.window_s[2].tolist() == [10, 60]
    assert problem.service_s.tolist() == [0, 2, 2, 1, 1]
    assert [vehicle.capacity for vehicle in problem.vehicles] == [(10,)] * 3
    assert problem.profiles[0].distance_m[1, 4] == np.sqrt(13)
    assert Feature.SHIPMENTS in problem.features
    assert (tmp_path / "again.sol").read_text().startswith("Route #1: 4 1 3 2\nVehicles 1\nCost 25")
    assert solution.cost.total - solution.cost.fixed == pytest.approx(25.476, abs=0.001)


def test_few_vehicles_come_first():
    """One vehicle outweighs all distances; solvers meet a fixed cost that no digits are lost to."""
    problem = load(DATA / "lilim.txt")
    fixed = problem.vehicles[0].fixed_cost
    assert fixed > problem.profiles[0].distance_m.sum()
    assert normal(problem).problem.vehicles[0].fixed_cost < fixed


def test_speed():
    """Durations are distances over the speed."""
    profile = load(DATA / "lilim_speed.txt").profiles[0]
    assert (profile.distance_m[0, 1], profile.duration_s[0, 1]) == (5, 2.5)


def test_rounding_and_vehicles():
    """Both options of classical files apply."""
    problem = read_instance(DATA / "lilim.txt", rounding="trunc", vehicles=2)
    assert problem.profiles[0].distance_m[1, 4] == 3
    assert len(problem.vehicles) == 2
    assert len(read_instance(DATA / "sartori.txt", vehicles=7).vehicles) == 7


def test_sartori_buriol(tmp_path, caplog):
    """Minutes are read as they stand, directed; coordinates are latitude first in the file."""
    problem, solution = both_ways(tmp_path, DATA / "sartori.txt", caplog)
    assert problem.name == "tiny-n4"
    assert problem.lonlat[0].tolist() == [13.28913570, 52.51646210]
    assert problem.profiles[0].distance_m[:2, :2].tolist() == [[0, 2], [3, 0]]
    assert [s.amount for s in problem.shipments] == [(20,), (147,)]
    assert [v.max_duration_s for v in problem.vehicles] == [np.inf] * 2
    assert solution.cost.distance == 43


def test_shorter_route_time():
    """ROUTE-TIME that is shorter than the depot is open limits each duty."""
    problem = load(DATA / "sartori_short.txt")
    assert problem.name == "sartori_short"
    assert {v.max_duration_s for v in problem.vehicles} == {200}


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("lilim", "3\t10\t1", "3\t10", "line 1: found '3.t10'; give the number of vehicles"),
        ("lilim", "3\t10\t1", "0\t10\t1", "line 1: found '0.t10.t1'; give the number"),
        ("lilim", "3\t10\t1", "3\t10\t0", "their speed above 0"),
        ("lilim", "3\t10\t1", f"{'9' * 400}\t10\t1", "line 1: found '999+[.]{3}"),
        ("lilim", "3\t10\t1", "3\t5\t1", "the shipment.* is 6, more than any vehicle carries"),
        ("lilim", "\n1\t3", "\n1\t3\t3", "line 3: expected node 1 with its place, demand"),
        ("lilim", "\n1\t3", f"\n1\t{'9' * 400}", "line 3: expected node 1 with its place"),
        ("lilim", "\n1\t3", "\n1\tthree", "line 3: expected node 1 with its place"),
        ("lilim", "\n1\t3", "\n2\t3", "line 3: expected node 1 with its place"),
        ("lilim", "\n1\t3", "\n1\t1e200", "coordinates are too far apart"),
        ("lilim", "50\t2\t0\t2", "50\t2\t0\t9", "node 1 names pickup 0 and delivery 9; give one"),
        ("lilim", "50\t2\t0\t2", "50\t2\t0\t0", "node 1 names pickup 0 and delivery 0; give one"),
        ("lilim", "50\t2\t0\t2", "50\t2\t3\t2", "node 1 names pickup 3 and delivery 2; give one"),
        ("lilim", "50\t2\t0\t2", "50\t2\t0\t1.5", "node 1 names pickup 0 and delivery 1.5; give"),
        ("lilim", "50\t2\t0\t2", "50\t2\t0\t3", "node 1 names node 3, which names 4 and not 1"),
        ("lilim", "50\t2\t0\t2", "50\t2\t0\t1", "node 1 names node 1, which names 0 and not 1"),
        ("lilim", "8\t-4", "8\t-5", "node 1 picks up 4 and node 2 has a demand of -5"),
        ("lilim", "0\t0\t0\t0\t0\t100", "0\t0\t0\t5\t0\t100", "node 0 is the depot; its demand"),
        ("lilim", "0\t50\t2", "60\t50\t2", r"window_s\[1\] is \(60, 50\), which is empty"),
        ("sartori", "SIZE: 5", "SIZE: 6", "SIZE is '6', but NODES has 5 rows"),
        ("sartori", "CAPACITY: 300\n", "", "CAPACITY is missing; give it before NODES"),
        ("sartori", "CAPACITY: 300", "CAPACITY: many", "line 10: CAPACITY is 'many'; it must be a"),
        ("sartori", "CAPACITY: 300", f"CAPACITY: {'9' * 400}", "CAPACITY is '999+[.]{3}"),
        ("sartori", "CAPACITY: 300", "SIZE: 5", "line 10: SIZE is there twice; remove one"),
        ("sartori", "CAPACITY: 300", "HEIGHT: 3", "'HEIGHT: 3' is none of the keys NAME"),
        ("sartori", "TYPE: PDPTW", "TYPE: PDP", "TYPE is 'PDP'; read is PDPTW"),
        ("sartori", "EDGES\n", "", "line 12: expected node 0 with|EDGES is missing"),
        ("sartori", "EDGES\n", "NODES\n", "line 17: found NODES, expected EDGES"),
        ("sartori", "EOF", "EDGES", "found EDGES, expected EOF"),
        ("sartori", "3 0 4 12 9\n", "", "EDGES has 4 rows; give one a node .5."),
        ("sartori", "3 0 4 12 9", "3 0 4 12", "line 19: EDGES has 4 numbers for node 1; give 5"),
        ("sartori", "3 0 4 12 9", "3 0 4 x 9", "line 19: '3 0 4 x 9' holds something that is no"),
        ("sartori", "3 0 4 12 9", f"3 0 4 {'9' * 400} 9", "line 19: '3 0 4 999+[.]{3}9+ 9' holds"),
        ("sartori", "3 0 4 12 9", "3 0 -4 12 9", r"distance_m\[1, 2\] is -4"),
        ("sartori", "13.28913570 0 0", "1328.9 0 0", "lonlat"),
    ],
)
def test_malformed(tmp_path, file, old, new, message):
    """Each malformed file is refused with the place and what it should be."""
    text = (DATA / f"{file}.txt").read_text()
    assert old in text
    path = tmp_path / "t.txt"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=message):
        read_instance(path)


@pytest.mark.parametrize("text", ["3 10 1\n", "3 10 1\n0 0 0 0 0 100 0 0 0\n", "7\n"])
def test_too_short(tmp_path, text):
    """A file that ends behind its beginning is refused."""
    path = tmp_path / "t.txt"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"no pickup and delivery beside|give the number of veh"):
        read_instance(path)


def test_our_own_file_is_not_taken_for_vroom(tmp_path):
    """Our .json with shipments is ours, although VROOM's problems have such a key as well."""
    problem = load(DATA / "lilim.txt")
    assert load(save(problem, tmp_path / "p.json")) == problem
