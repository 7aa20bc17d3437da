"""Files of transit instances: both benchmark layouts, Bloomington, our own, and their mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest

from nco.data.cities.roads import haversine_m
from nco.errors import FormatError, InputError, NcoError, ProblemError
from nco.transit.files.benchmark import SIZES, read_benchmark
from nco.transit.files.bloomington import read_bloomington, read_bloomington_lines
from nco.transit.files.native import load_instance, read_lines, save_instance, write_lines
from nco.transit.files.read import read_instance
from nco.transit.instance.lines import check_lines, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.sources.demand import read_demand

SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "transit"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared instances are not here")

CSV = {
    "nodes": "id,lat,lon,terminal\n1,0,0,1\n2,0,1,0\n3,0,2,1\n",
    "links": "from,to,travel_time\n1,2,5\n2,1,5\n2,3,4\n3,2,4\n",
    "demand": "from,to,demand\n1,3,10\n3,1,10\n",
}


def write_csv(folder, **changed):
    """Three stops in a row as CSV files, some of them with another content."""
    for part, text in (CSV | changed).items():
        (folder / f"row_{part}.txt").write_text(text)
    return folder


def write_raw(folder, instance, newline="\r\n\r\n"):
    """An instance in the raw layout, with the line ends that circulate."""
    minutes = instance.link_s / 60
    rows = [" ".join(f"{v:g}" for v in row).replace("inf", "Inf") for row in minutes]
    trips = ["\t".join(f"{v:g}" for v in row) for row in instance.demand]
    places = [str(instance.size), *(f"{x:g} {y:g}" for x, y in instance.xy)]
    for part, lines in (("Coords", places), ("TravelTimes", rows), ("Demand", trips)):
        text = newline.join([*lines, ""]).encode()
        (folder / f"Mandl{part}.txt").write_bytes(text)
    return folder / "Mandl"


BOUNDS = {"lines": 1, "min_stops": 2, "max_stops": 3}


def test_raw_layout_reads_back_whatever_its_line_ends(tmp_path):
    """CRLF and blank lines do not matter: Mandl's network is the one that is built in."""
    for newline in ("\r\n\r\n", "\n"):
        assert read_benchmark(write_raw(tmp_path, TransitInstance.mandl(), newline)) == (
            TransitInstance.mandl()
        )


def test_csv_layout_reads_minutes_and_terminals(tmp_path):
    """Minutes become seconds, ids become numbers from 0, and a folder is enough."""
    row = read_benchmark(write_csv(tmp_path), **BOUNDS)
    assert row.link_s.tolist() == [[0, 300, np.inf], [300, 0, 240], [np.inf, 240, 0]]
    assert row.demand[0, 2] == row.demand[2, 0] == 10
    assert row.terminals.tolist() == [True, False, True]
    assert row.name == "row"
    assert read_instance(tmp_path / "row_links.txt", **BOUNDS) == row


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"demand": "from,to,demand\n1,4,10\n"}, "row_demand.txt, line 2, column 'to' is '4'"),
        ({"demand": "from,to,demand\n1,3,-1\n"}, "line 2, column 'demand' is -1"),
        ({"demand": "from,to,demand\n1,1,3\n"}, "line 2, column 'to' is '1' like 'from'"),
        ({"demand": "from,to\n1,3\n"}, "line 1: there is no column 'demand'"),
        ({"links": "from,to,travel_time\n1,2,-5\n"}, "line 2, column 'travel_time' is -5"),
        ({"links": "from,to,travel_time\n1,2,0\n"}, "line 2, column 'travel_time' is 0"),
        ({"links": "from,to,travel_time\n1,2,5\n2,1,6\n"}, "line 2: .* takes 5 min.* back is 6"),
        ({"links": "from,to,travel_time\n1,2,5\n"}, "line 2: .* back is missing"),
        ({"links": "from,to,travel_time\n1,2,5\n1,2,5\n"}, "line 3, column 'to' closes a link"),
        ({"links": "from,to,travel_time\n1,2,5\n2,1,5\n"}, "no links lead from node 0"),
        ({"nodes": "id,lat,lon\n1,0,0\n1,0,1\n"}, "line 3, column 'id' is '1'"),
        ({"nodes": "id,lat,lon\n1,0,north\n"}, "line 2, column 'lon' is 'north'"),
        ({"nodes": "id,lat,lon\n"}, "no row below"),
    ],
)
def test_mistakes_in_csv_files_name_file_and_line(tmp_path, changed, message):
    """Every mistake is refused where it stands."""
    with pytest.raises((FormatError, ProblemError), match=message):
        read_benchmark(write_csv(tmp_path, **changed), **BOUNDS)


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("TravelTimes", "0 5\n6 0\n", "row 1, column 2 is 5 but row 2, column 1 is 6"),
        ("TravelTimes", "0 5\n-5 0\n", "line 2: -5 is negative"),
        ("TravelTimes", "0 5\n5\n", "3 numbers; 2 nodes need 2 x 2 = 4"),
        ("Demand", "0 many\n1 0\n", "line 1: 'many' is no number"),
        ("Demand", "0 Inf\n1 0\n", "row 1, column 2 is Inf"),
        ("Coords", "3\n0 0\n1 1\n", "4 numbers after a first line of 3"),
        ("Coords", "Inf\n0 0\n1 1\n", "4 numbers after a first line of inf"),
    ],
)
def test_mistakes_in_raw_files_name_file_and_place(tmp_path, part, text, message):
    """Matrices of another size, sign or symmetry are refused."""
    files = {"Coords": "2\n0 0\n1 1\n", "TravelTimes": "0 5\n5 0\n", "Demand": "0 1\n1 0\n"}
    for name, content in (files | {part: text}).items():
        (tmp_path / f"Pair{name}.txt").write_text(content)
    with pytest.raises(FormatError, match=message):
        read_benchmark(tmp_path / "Pair", lines=1, min_stops=2, max_stops=2)


def test_unknown_networks_are_refused_with_what_is_needed(tmp_path):
    """A missing file says how it would be called, a new name that it needs bounds."""
    with pytest.raises(FormatError, match="there is no such network; it would be xCoords"):
        read_benchmark(tmp_path / "x")
    with pytest.raises(FormatError, match="holds no network"):
        read_benchmark(tmp_path)
    with pytest.raises(FormatError, match="give lines, min_stops and max_stops"):
        read_benchmark(write_csv(tmp_path))


def test_demand_without_rows_is_no_demand(tmp_path):
    """A header alone is an empty matrix, and rows of one pair add up."""
    path = tmp_path / "demand.csv"
    path.write_text("orig,dest,volume\n")
    assert read_demand(path, {"a": 0, "b": 1}).tolist() == [[0, 0], [0, 0]]
    path.write_text("orig,dest,volume\na,b,1\na,b,2\n")
    assert read_demand(path, {"a": 0, "b": 1}).tolist() == [[0, 3], [0, 0]]


@needs_shared
def test_shared_mandl_is_the_one_built_in():
    """Links and demand of the published file are those in the code."""
    shared = read_benchmark(SHARED / "mandl")
    assert np.array_equal(shared.link_s, TransitInstance.mandl().link_s)
    assert np.array_equal(shared.demand, TransitInstance.mandl().demand)
    assert read_instance("mandl", lines=4) == TransitInstance.mandl(4)


@needs_shared
@pytest.mark.parametrize(
    ("name", "nodes", "links", "trips", "bound_min"),
    [
        ("mumford0", 30, 90, 342_160, 13.0121),
        ("mumford1", 70, 210, 1_926_170, 19.2695),
        ("mumford2", 110, 385, 4_847_900, 22.1689),
        ("mumford3", 127, 425, 6_394_950, 24.7453),
    ],
)
def test_shared_mumford_networks(name, nodes, links, trips, bound_min):
    """Sizes, demand and lower bounds of travel time are those of the literature."""
    network = read_benchmark(SHARED / "mumford" / name)
    assert (network.size, len(network.links), network.trips) == (nodes, links, trips)
    assert (network.lines, network.min_stops, network.max_stops) == SIZES[name]
    mean = (network.demand * network.drive_s).sum() / network.trips / 60
    assert mean == pytest.approx(bound_min, abs=5e-5)


def write_bloomington(folder, lines):
    """Three nodes in a row in Bloomington's layout."""
    texts = {
        "nodes_standard.csv": (
            "name,x,y\n7,536021.1,4340153.6\n8,536629.8,4335982.4\n9,536700,4336000\n"
        ),
        "links_standard.csv": (
            "name,start,end,length,free_flow_speed\na,7,8,1000,10\nb,8,9,500,10\n"
        ),
        "demand_standard.csv": "orig,dest,volume\n7,9,3\n",
        "existing_routes.json": json.dumps(lines),
    }
    for name, text in texts.items():
        (folder / f"bloomington_{name}").write_text(text)
    return folder


def test_bloomington_layout(tmp_path, caplog):
    """Metres and speeds become seconds, UTM degrees, and a missing link the way around."""
    folder = write_bloomington(tmp_path, [{"name": "A", "nodes": [7, 9]}])
    network = read_bloomington(folder, lines=2, max_stops=3, hub="8")
    assert network.link_s[0, 1] == 100
    assert network.link_m[2, 1] == 500
    assert network.hub == 1
    assert network.lonlat[0] == pytest.approx([-86.58, 39.21], abs=0.01)
    metres = haversine_m(network.lonlat[0], network.lonlat[1])
    assert metres == pytest.approx(np.linalg.norm(network.xy[0] - network.xy[1]), rel=5e-3)
    assert read_bloomington(folder, max_stops=3, hub=None, speed_m_per_s=20).link_s[0, 1] == 50
    with pytest.raises(InputError, match="speed_m_per_s is 0"):
        read_bloomington(folder, speed_m_per_s=0)
    names, lines = read_bloomington_lines(folder, network)
    assert (names, lines) == (("A",), ((0, 1, 2),))
    assert "line 'A' goes from 7 to 9" in caplog.text


def test_bloomington_refuses_unknown_places(tmp_path):
    """A hub or a stop of a line that is no node is named."""
    folder = write_bloomington(tmp_path, [{"name": "A", "nodes": [7, 5]}])
    with pytest.raises(FormatError, match="hub is '96'"):
        read_bloomington(folder)
    network = read_bloomington(folder, max_stops=3, hub=None)
    with pytest.raises(FormatError, match=r"lines\[0\].nodes\[1\] is 5, which is no node"):
        read_bloomington_lines(folder, network)


@needs_shared
def test_shared_bloomington_and_its_defect(caplog):
    """The real network is whole, and its one broken line is led over node 56, as the log says."""
    network = read_instance(SHARED / "bloomington")
    assert (network.size, len(network.links), network.trips) == (143, 243, 9181)
    assert (network.lines, network.max_stops, network.names[network.hub]) == (16, 14, "96")
    names, lines = read_bloomington_lines(SHARED / "bloomington", network)
    assert len(lines) == 16
    west = [network.names[node] for node in lines[names.index("3 West")]]
    assert west[west.index("47") : west.index("121") + 1] == ["47", "56", "121"]
    assert caplog.text.count("there is no link") == 1
    assert refuse_bad_lines(network, lines) == lines
    assert "too long" in {violation.kind for violation in check_lines(network, lines)}


def test_our_file_reads_back_equal(tmp_path):
    """Everything an instance holds survives, infinity and absence included."""
    mandl = TransitInstance.mandl()
    rich = mandl.changed(
        hub=3,
        fleet=9,
        terminals=np.arange(15) > 2,
        link_m=8 * mandl.link_s,
        walk_m=9 * mandl.link_s,
        lonlat=mandl.xy,
        names=tuple("abcdefghijklmno"),
        demand=mandl.demand * np.arange(15),
    )
    for instance in (mandl, rich):
        path = save_instance(tmp_path / "instance.json", instance)
        assert load_instance(path) == instance
    assert read_instance(path, lines=4) == rich.changed(lines=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "nco-problem"}, "format must be 'nco-transit'"),
        ({"version": 99}, "version is newer"),
        ({"line": 3}, "line is not known here; did you mean 'lines'"),
        ({"link_s": None}, "link_s is missing"),
        ({"link_s": [[0, 1], [1]]}, "link_s has rows of different lengths"),
        ({"link_s": [[0, "far"], [1, 0]]}, r"link_s.0\[1\] is 'far'"),
        ({"hub": 15}, "hub is 15"),
        ({"terminals": ["yes"]}, "terminals must be a list of true and false"),
    ],
)
def test_our_file_names_what_is_wrong_with_it(tmp_path, change, message):
    """A damaged entry is named, and no other error escapes."""
    path = save_instance(tmp_path / "instance.json", TransitInstance.mandl())
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(NcoError, match=message):
        load_instance(path)


def test_lines_as_text(tmp_path):
    """Lines read back, one line of text may be one line of buses, and nonsense names the file."""
    path = write_lines(tmp_path / "lines.txt", [[0, 1], [2, 3, 4]])
    assert path.read_text() == "0-1*2-3-4\n"
    assert read_lines(path) == ((0, 1), (2, 3, 4))
    path.write_text("0-1\n\n2-3-4\n")
    assert read_lines(path) == ((0, 1), (2, 3, 4))
    path.write_text("0-1\nA-3\n")
    with pytest.raises(FormatError, match=r"lines.txt: line 1, place 0: 'A'"):
        read_lines(path)
