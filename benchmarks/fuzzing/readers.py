"""Every reader of nco, with files that it reads."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spreadsheets import write_ods, write_xlsx

import nco
from fuzzing import addresses, kept, roads, web
from fuzzing.mutations import BYTES, JSON, TENSORS, TEXT, ZIP, Mutation
from nco import Problem, Route, Solution, TableCity, Vehicle
from nco.bench.policies.references import FORMAT
from nco.bench.policies.references import _read as read_references
from nco.bench.result import read_results
from nco.bench.stored import Stored
from nco.data.cities.city_file import pack, unpack
from nco.data.cities.engine import Matrices
from nco.data.cities.server import OsrmServer
from nco.data.formats.tables.fleet import read_fleet
from nco.models.attention import AttentionPolicy
from nco.models.files import CHECKPOINT_KEY, read_policy, save_policy
from nco.observation import Features
from nco.training.labels import Group, read_labels, write_labels
from nco.training.tables import CityTable, load_table
from nco.transit.bench.result import read_runs
from nco.transit.files.benchmark import read_benchmark
from nco.transit.files.bloomington import read_bloomington, read_bloomington_lines
from nco.transit.files.native import load_instance, read_lines, save_instance, write_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.policy.files import CHECKPOINT_KEY as TRANSIT_KEY
from nco.transit.policy.files import load_network, save_network
from nco.transit.policy.network import TransitNetwork
from nco.transit.sources.gtfs_stops import read_gtfs_stops


@dataclass(frozen=True)
class Reader:
    """A reader and a file for it.

    Attributes:
        name: for reports.
        file: that is damaged; others in its folder stay whole.
        ways: how.
        read: takes the damaged file.
    """

    name: str
    file: Path
    ways: tuple[Mutation, ...]
    read: Callable[[Path], Any]


PROBLEM = Problem.from_matrices(
    [[0, 3, 5, 4], [3, 0, 4, 2], [6, 4, 0, 3], [4, 2, 3, 0]],
    demand=[0, 4, 5, 6],
    window_s=[[0, 900], [10, 90], [0, 400], [0, np.inf]],
    service_s=[0, 5, 5, 5],
    vehicles=[Vehicle(capacity=(10,), shift_s=(0, 800), name="van")] * 3,
    lonlat=[[24.9, 60.1], [24.91, 60.1], [24.9, 60.11], [24.92, 60.12]],
)
SOLUTION = Solution.from_routes(PROBLEM, [[1, 2], [3]])

VRP = """NAME : tiny
COMMENT : three corners
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
DISTANCE : 500
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
4 1.5 2
DEMAND_SECTION
1 0
2 4
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""
FLEET = """NAME : fleet
TYPE : VRPB
DIMENSION : 5
VEHICLES : 2
EDGE_WEIGHT_TYPE : EUC_2D
VEHICLES_MAX_DURATION : 900
NODE_COORD_SECTION
1 0 0
2 9 0
3 3 4
4 1.5 2
5 2 2
DEMAND_SECTION
1 0
2 0
3 4
4 0
5 6
BACKHAUL_SECTION
1 0
2 0
3 0
4 2
5 0
TIME_WINDOW_SECTION
1 0 900
2 0 900
3 10 90
4 0 400
5 0 900
RELEASE_TIME_SECTION
1 0
2 0
3 5
4 0
5 0
PRIZE_SECTION
1 0
2 0
3 7
4 0
5 0
MUTUALLY_EXCLUSIVE_GROUP_SECTION
1 4 5
CAPACITY_SECTION
1 10
2 12
VEHICLES_FIXED_COST_SECTION
1 10
2 12
VEHICLES_UNIT_DISTANCE_COST_SECTION
1 1.5
2 1
VEHICLES_DEPOT_SECTION
1 1
2 2
VEHICLES_RELOAD_DEPOT_SECTION
1 1
2
VEHICLES_MAX_RELOADS_SECTION
1 3
2 0
VEHICLES_ALLOWED_CLIENTS_SECTION
1 3 4
2 3 4 5
DEPOT_SECTION
1
2
-1
EOF
"""
TSP = """TYPE : ATSP
DIMENSION : 3
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : LOWER_DIAG_ROW
EDGE_WEIGHT_SECTION
0 3 0
4 5 0
EOF
"""
SOLOMON = """S3

VEHICLE
NUMBER     CAPACITY
  2         20

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0        0        0        0         100        0
    1      1        1       10       10          50       10
    2      1        2        7.5     20          60       10
"""
LI_LIM = """3 10 1
0 0 0 0 0 100 0 0 0
1 3 4 4 0 50 2 0 2
2 6 8 -4 10 60 2 1 0
3 0 5 -6 0 90 1 4 0
4 0 2 6 0 90 1 0 3
"""
SARTORI_BURIOL = """NAME: tiny-n2
TYPE: PDPTW
SIZE: 3
ROUTE-TIME: 200
CAPACITY: 300
NODES
0 52.5 13.28 0 0 240 0 0 0
1 52.6 13.28 20 0 120 5 0 2
2 52.7 13.29 -20 60 180 5 1 0
EDGES
0 2 14
3 0 4
14 13 0
EOF
"""
STOPS = """name,lon,lat,demand,window_start,window_end,service,prize
depot,24.9414,60.1719,0,06:00,20:00,0,
Kamppi,24.9310,60.1687,3,08:00,10:30,180,
"Kallio, Töölö",24.9500,60.1840,5,,,120,900
"""
TABLE = """Customer;Lat;Long;Qty;qty 2;Time window;Service (min);type;pickup of;skills;Phone;Region
Depot;60,1719;24,9414;;;06:00-20:00;;depot;;;;
Kamppi;60,1687;24,931;3;1;9:30 AM - 11 am;15;pickup;Kallio;lift;040 1;west
Kallio;60,184;24,95;;;after 14:00;0:10;;;;040 2;east
"""
VANS = """vehicle,start,end,capacity,capacity_2,shift,km cost,max duty,max distance,trips,count
van,Depot,any,9,4,07:00-16:00,0.5,8 h,120 km,1,2
bike,Depot,Depot,3,2,2026-11-29 08:00 - 2026-11-29 12:00,0.1,,,3,1
"""
VROOM = {
    "vehicles": [
        {"id": 7, "start_index": 0, "end_index": 0, "capacity": [4], "skills": [1],
         "time_window": [0, 1000], "costs": {"fixed": 50, "per_hour": 0, "per_km": 1000}},
        {"id": 8, "start_index": 2, "capacity": [4]},
    ],
    "jobs": [
        {"id": 11, "location_index": 1, "service": 30, "delivery": [2], "skills": [1],
         "time_windows": [[100, 200]]},
        {"id": 12, "location_index": 3, "delivery": [1]},
    ],
    "matrices": {"car": {"durations": [[abs(i - j) * 10 for i in range(4)] for j in range(4)]}},
}  # fmt: skip
SHIPPING = {
    "vehicles": [
        {"id": 1, "start_index": 0, "end_index": 0, "capacity": [9], "type": "van"},
        {"id": 2, "start_index": 0, "capacity": [9], "speed_factor": 0.5, "max_tasks": 3,
         "max_travel_time": 900, "max_distance": 5000, "skills": [7, 9]},
    ],
    "jobs": [
        {"id": 1, "location_index": 1, "delivery": [4], "pickup": [5], "service": 30,
         "service_per_type": {"van": 60}},
    ],
    "shipments": [{
        "amount": [3], "skills": [9],
        "pickup": {"id": 1, "location_index": 2, "time_windows": [[5, 800]]},
        "delivery": {"id": 1, "location_index": 3, "service": 20},
    }],
    "matrices": {"car": {"durations": [[abs(i - j) * 10 for i in range(4)] for j in range(4)]}},
}  # fmt: skip
BLOOMINGTON = {
    "bloomington_nodes_standard.csv": "name,x,y\n96,0,4330000\n97,0,4331000\n98,0,4332000\n",
    "bloomington_links_standard.csv": (
        "name,start,end,length,free_flow_speed\na,96,97,1000,10\nb,97,98,1000,10\n"
    ),
    "bloomington_demand_standard.csv": "orig,dest,volume\n96,98,10\n98,97,3\n",
    "bloomington_existing_routes.json": '[{"name": "1", "nodes": [96, 97, 98]}]',
}
NETWORK = {
    "row_nodes.txt": "id,lat,lon,terminal\n1,0,0,1\n2,0,1,0\n3,0,2,1\n",
    "row_links.txt": "from,to,travel_time\n1,2,5\n2,1,5\n2,3,4\n3,2,4\n",
    "row_demand.txt": "from,to,demand\n1,3,10\n3,1,10\n",
    "RawCoords.txt": "3\n0 0\n1 0\n2 0\n",
    "RawTravelTimes.txt": "0 5 Inf\n5 0 4\nInf 4 0\n",
    "RawDemand.txt": "0 1 10\n1 0 2\n10 2 0\n",
}
RESULT = {
    "source": {"city": "x", "seed": 0}, "instance": "x-0", "group": "g", "size": 5,
    "fingerprint": "0", "best_known": None, "method": "a", "budget_s": 1.0, "seed": 0,
    "cost": 100.0, "claimed": 100.0, "disagreement": 0.0, "distance_m": 100.0,
    "duration_s": 10.0, "routes": 1, "feasible": True, "refused": None, "crashed": None,
    "findings": [], "time_s": 0.5, "version": "nco 0", "nco": "0", "code": "c0de",
    "python": "3", "system": "Linux", "processor": "Abacus", "processors": 2, "threads": 1,
    "jobs": 1, "suite": "5u17e", "suite_instances": 2, "at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
RUN = {
    "run": {"instance": "mandl", "method": "greedy", "objective": "cost", "rules": "plain",
            "demand_share": 1.0, "evaluations": None, "time_limit_s": 1.0, "seed": 0},
    "fingerprint": "0", "cost": 1.0, "travel_min": 1.0, "operator_min": 1.0, "service_rate": None,
    "fleet": None, "wait_min": None, "feasible": True, "refused": None, "evaluations": 5,
    "time_s": 1.0, "cpu_s": 1.0, "lines": "0-1", "code": "c", "processor": "p", "at": "now",
}  # fmt: skip
ENTRY = {"problem": "rcvrp", "stops": 20, "cpu_s": 1.0, "method": "pyvrp", "seed": 1,
         "cost_m": {"a": 1.0, "b": 2.5}}  # fmt: skip
ABOUT = {"cities": ["x"], "seed": 3}


def readers(folder: Path) -> list[Reader]:
    """All readers, their valid files written into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return [
        *_routes(folder), *_cities(folder), *_training(folder), *_transit(folder), *_other(folder),
        *(Reader(*one) for room in (roads, kept, web) for one in room.readers(folder)),
    ]  # fmt: skip


def _routes(folder: Path) -> list[Reader]:
    def alone(path: Path) -> Any:
        return nco.load(path)

    def for_problem(path: Path) -> Any:
        return nco.load(path, problem=PROBLEM)

    big = Problem.from_matrices(np.add.outer(np.arange(51.0), np.arange(51.0)) * (1 - np.eye(51)))
    vroom = Problem.from_matrices(PROBLEM.profiles[0].distance_m, demand=[0, 1, 2, 3], capacity=6)
    answer = Solution.from_routes(vroom, [[1, 2, 3]])
    files = {
        "p.json": nco.save(PROBLEM, folder / "p.json"),
        "packed.json": nco.save(big, folder / "packed.json"),
        "s.json": nco.save(SOLUTION, folder / "s.json"),
    }
    written = [Reader(name, file, JSON, alone) for name, file in files.items()]
    nco.save(SOLUTION, folder / "r.csv", problem=PROBLEM)
    nco.save(SOLUTION, folder / "r.geojson", problem=PROBLEM)
    nco.save(SOLUTION, folder / "r.sol", problem=PROBLEM)
    nco.save(answer, folder / "a.vroom.json", problem=vroom)
    (folder / "s.vrp").write_text(FLEET)
    fleet = alone(folder / "s.vrp")
    nco.save(Solution.from_routes(fleet, [Route(1, (2, 3))]), folder / "f.sol", problem=fleet)
    (folder / "l.txt").write_text(LI_LIM)
    pairs = alone(folder / "l.txt")
    nco.save(Solution.from_routes(pairs, [[1, 2], [4, 3]]), folder / "l.sol", problem=pairs)
    texts = {
        "t.vrp": VRP,
        "f.vrp": FLEET,
        "l.txt": LI_LIM,
        "b.txt": SARTORI_BURIOL,
        "t.tsp": TSP,
        "t.txt": SOLOMON,
        "t.csv": STOPS,
        "w.csv": TABLE,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "f.csv").write_text(VANS)
    cells = [line.split(";") for line in TABLE.splitlines()]
    write_xlsx(folder / "t.xlsx", Stops=cells, Fleet=[["name"], ["van"]])
    write_ods(folder / "t.ods", cells)
    (folder / "v.vroom.json").write_text(json.dumps(VROOM))
    (folder / "s.vroom.json").write_text(json.dumps(SHIPPING))
    shipping = alone(folder / "s.vroom.json")
    carried = Solution.from_routes(shipping, [Route(0, (1,)), Route(1, (2, 3))])
    nco.save(carried, folder / "b.vroom.json", problem=shipping)
    return [
        *written,
        *(Reader(name, folder / name, TEXT, alone) for name in texts),
        Reader("f.csv", folder / "f.csv", TEXT, read_fleet),
        Reader("t.xlsx", folder / "t.xlsx", ZIP, alone),
        Reader("t.ods", folder / "t.ods", ZIP, alone),
        Reader("v.vroom.json", folder / "v.vroom.json", JSON, alone),
        Reader("s.vroom.json", folder / "s.vroom.json", JSON, alone),
        Reader(
            "b.vroom.json", folder / "b.vroom.json", JSON, lambda p: nco.load(p, problem=shipping)
        ),
        Reader("a.vroom.json", folder / "a.vroom.json", JSON, lambda p: nco.load(p, problem=vroom)),
        Reader("r.csv", folder / "r.csv", TEXT, for_problem),
        Reader("r.geojson", folder / "r.geojson", JSON, for_problem),
        Reader("r.sol", folder / "r.sol", TEXT, for_problem),
        Reader("f.sol", folder / "f.sol", TEXT, lambda path: nco.load(path, problem=fleet)),
        Reader("l.sol", folder / "l.sol", TEXT, lambda path: nco.load(path, problem=pairs)),
    ]


def _cities(folder: Path) -> list[Reader]:
    metres = np.array([[0.0, 100, 250], [110, 0, 300], [240, 310, 0]])
    table = TableCity("tiny", PROBLEM.lonlat[:3], Matrices(metres, metres / 10))
    table.save(folder / "table.npz")
    table.to_rrnco(folder / "rrnco.npz")
    (folder / "extract.osm").write_text("<osm>" + "<node/>" * 50 + "</osm>")
    pack(folder / "saved.city", "tiny", "car", folder / "extract.osm")
    answers = {
        "nearest": {"code": "Ok", "waypoints": [{"location": [24.9, 60.1], "distance": 3.5}]},
        "table": {"code": "Ok", "distances": [[0, 5], [6, 0]], "durations": [[0, 1], [None, 0]]},
        "route": {"code": "Ok", "routes": [{"legs": [{"distance": 5, "duration": 1, "steps": [
            {"geometry": {"coordinates": [[24.9, 60.1], [24.91, 60.1]]}}]}]}]},
    }  # fmt: skip
    served = []
    for service, answer in answers.items():
        file = folder / f"{service}.answer"
        file.write_text(json.dumps(answer))
        served.append(Reader(f"server {service}", file, JSON, _asked(service)))
    return [
        Reader("table.npz", folder / "table.npz", ZIP, TableCity.load),
        Reader("rrnco.npz", folder / "rrnco.npz", ZIP, TableCity.from_rrnco),
        Reader("saved.city", folder / "saved.city", ZIP, unpack),
        *served,
        *(Reader(*one) for one in addresses.readers(folder)),
    ]


def _asked(service: str) -> Callable[[Path], Any]:
    """A question to a server that answers what is in a file."""

    def ask(path: Path) -> Any:
        server = OsrmServer("http://localhost")
        vars(server)["_ask"] = lambda _url: (200, path.read_bytes())
        points = PROBLEM.lonlat[: 1 if service == "nearest" else 2]
        return getattr(server, service)(points)

    return ask


def _training(folder: Path) -> list[Reader]:
    rng = np.random.default_rng(0)
    metres = rng.uniform(1, 9, (5, 5)).astype(np.float32)
    CityTable("x", rng.uniform(0, 1, (5, 2)), metres, metres, 3).save(folder / "city.npz")
    group = Group(np.array([[1, 2, -1], [2, 1, 0]], np.int16), np.array([1, 2], np.float32))
    write_labels(str(folder / "labels.npz"), ABOUT, {0: group, 1: group})
    features = Features(("x", "y"), ("distance",), ("load",), ("here",))
    policy = AttentionPolicy(features, 8, 2, 2, 1, 8, 4)
    save_policy(folder / "policy.safetensors", policy, ["rcvrp"], {"note": "x"})
    save_policy(folder / "carded.safetensors", policy, ["rcvrp"], {"note": {"a": [1, 2]}})
    state = {f"policy.{k}": v for k, v in policy.state_dict().items()}
    own = {"problems": ["rcvrp"], "policy": policy.spec(), "training": {"steps": 3}}
    torch.save({"state_dict": state, CHECKPOINT_KEY: own}, folder / "policy.ckpt")

    def card(path: Path) -> Any:
        return read_policy(path.with_suffix(".safetensors"))

    return [
        Reader("city.npz", folder / "city.npz", ZIP, load_table),
        Reader("labels.npz", folder / "labels.npz", ZIP, lambda p: read_labels(str(p), ABOUT)),
        Reader("policy.safetensors", folder / "policy.safetensors", TENSORS, read_policy),
        Reader("policy card", folder / "carded.json", JSON, card),
        Reader("policy.ckpt", folder / "policy.ckpt", ZIP, read_policy),
    ]


def _transit(folder: Path) -> list[Reader]:
    network = TransitNetwork(8, 2, 1, 8)
    save_network(folder / "network.safetensors", network, {})
    state = {f"network.{k}": v for k, v in network.state_dict().items()}
    own = {"network": network.options, "training": {}}
    torch.save({"state_dict": state, TRANSIT_KEY: own}, folder / "network.ckpt")
    mandl = TransitInstance.mandl()
    save_instance(folder / "mandl.json", mandl)
    write_lines(folder / "lines.txt", [(0, 1, 2), (2, 5, 7)])
    for name, text in (BLOOMINGTON | NETWORK).items():
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "feed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("agency.txt", "agency_id\n0\n")
        archive.writestr("stops.txt", "stop_id,stop_lat,stop_lon\na,60.1,24.9\nb,60.2,24.9\n")
    bounds = {"lines": 1, "min_stops": 2, "max_stops": 3}

    def bloomington(path: Path) -> Any:
        instance = read_bloomington(path.parent, lines=1, max_stops=3)
        return read_bloomington_lines(path.parent, instance)

    return [
        Reader("network.safetensors", folder / "network.safetensors", TENSORS, load_network),
        Reader("network.ckpt", folder / "network.ckpt", ZIP, load_network),
        Reader("mandl.json", folder / "mandl.json", JSON, load_instance),
        Reader("lines.txt", folder / "lines.txt", TEXT, read_lines),
        Reader("feed.zip", folder / "feed.zip", ZIP, read_gtfs_stops),
        *(
            Reader(name, folder / name, JSON if name.endswith("json") else TEXT, bloomington)
            for name in BLOOMINGTON
        ),
        *(
            Reader(name, folder / name, TEXT, lambda path: read_benchmark(path, **bounds))
            for name in NETWORK
        ),
    ]


def _other(folder: Path) -> list[Reader]:
    (folder / "results.jsonl").write_text(f"{json.dumps(RESULT)}\n" * 2)
    (folder / "runs.jsonl").write_text(f"{json.dumps(RUN)}\n" * 2)
    (folder / "references.json").write_text(json.dumps({"format": FORMAT, "entries": [ENTRY] * 2}))
    (folder / "stored.vrp").write_text(VRP)
    (folder / "stored.sol").write_text("Route #1: 1 2\nRoute #2: 3\nCost 18\n")

    def beside(path: Path) -> Any:
        return Stored.open(path.with_suffix(".vrp"))

    return [
        Reader("results.jsonl", folder / "results.jsonl", TEXT, read_results),
        Reader("runs.jsonl", folder / "runs.jsonl", TEXT, read_runs),
        Reader("references.json", folder / "references.json", JSON, read_references),
        Reader("stored.vrp", folder / "stored.vrp", TEXT, Stored.open),
        Reader("stored.sol", folder / "stored.sol", (*BYTES, *TEXT), beside),
    ]
