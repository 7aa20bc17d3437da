"""Several paths in a city: by Python and by command, from places and addresses; drives matched."""

import gzip
import json

import numpy as np
import pytest
from extracts import osm_xml

from nco import plot
from nco.cli import main
from nco.data.cities.city import City
from nco.errors import CityError, FormatError, InputError, NoPathError, UnsupportedError
from nco.roads.matching import match_drive, read_drives, read_matched
from nco.roads.several import described, geojson

STEP = 0.005  # degrees, 556 m
A, B = "10.0005,0.0", "10.0195,0.01"


def grid_xml() -> str:
    """A grid of 5 x 3 streets, the southern one a motorway with a toll; a house with an address."""
    nodes = {100 + 10 * i + j: (10 + i * STEP, j * STEP) for i in range(5) for j in range(3)}
    nodes[7] = (10 + 2.1 * STEP, STEP + 1e-4)
    kinds = [
        {"highway": "primary", "name": "South Road", "toll": "yes"},
        {"highway": "secondary", "name": "Middle Road"},
        {"highway": "residential", "name": "North Road"},
    ]
    ways = [([100 + 10 * i + j for i in range(5)], kinds[j]) for j in range(3)]
    ways += [
        ([100 + 10 * i + j for j in range(3)], {"highway": "residential", "name": f"Street {i}"})
        for i in range(5)
    ]
    house = {"addr:street": "Middle Road", "addr:housenumber": "3", "addr:city": "Gridton"}
    return osm_xml(nodes, ways, {7: house})


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """The grid, its cache in a folder of its own."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "grid.osm").write_text(grid_xml())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NCO_CACHE", str(folder / "cache"))
        yield City.from_file(folder / "grid.osm")


@pytest.fixture
def command(city, monkeypatch, capsys):
    """Runs the command on the grid; its exit code and what it says."""

    def run(*words):
        code = main([*words, "--city", str(city.extract), "--quiet"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_city_has_several_paths(city):
    """Places as numbers and as text give the same; rules hold; the answer tells what differs."""
    found = city.paths((10.0005, 0.0), (10.0195, 0.01), k=3)
    assert [p.links.tolist() for p in found] == [p.links.tolist() for p in city.paths(A, B, k=3)]
    assert len(found) >= 2
    free = city.paths(A, B, k=3, avoid=["Middle Road"], method="penalty")
    assert all("Middle Road" not in {p.graph.link_name(i) for i in p.links} for p in free)
    rows = described(found)
    assert rows[0].distance_m == pytest.approx(found[0].length_m)
    assert rows[0].main_roads_m == rows[0].toll_m
    assert "fastest" in rows[0].words
    lines = geojson(found)["features"]
    assert [line["properties"]["rank"] for line in lines] == [*range(1, len(found) + 1)]
    assert np.allclose(lines[0]["geometry"]["coordinates"][0], [10.0005, 0], atol=1e-5)
    html = plot.alternatives(found, city).html
    assert "on main roads" in html
    through = city.paths(A, B, k=2, through=[(10.0105, 0.01)])
    assert any(p.graph.link_name(p.links[0]) for p in through)


def test_addresses_begin_and_end_paths(city):
    """An address that is found is a place; one in doubt is refused with what there is."""
    assert len(city.paths("Middle Road 3, Gridton", B, k=1)) == 1
    with pytest.raises(InputError, match="A: address 'Nowhere 99' is not found without doubt"):
        city.paths("Nowhere 99", B)
    with pytest.raises(InputError, match="A is empty"):
        city.paths("  ", B)
    with pytest.raises(InputError, match=r"B is 7; give lon, lat"):
        city.paths(A, 7)
    with pytest.raises(InputError, match="through is '10,0'"):
        city.paths(A, B, through="10,0")


def test_places_that_are_none(city):
    """The same place twice, the sea, and what is outside of the extract are refused."""
    with pytest.raises(InputError, match="same place"):
        city.paths(A, A)
    with pytest.raises(CityError, match="B"):
        city.paths(A, (11.0, 1.0))
    with pytest.raises(NoPathError, match="lies on what is avoided: South Road"):
        city.paths(A, B, avoid="South Road")


def test_osrm_answers_on_the_links_of_the_graph(city):
    """OSRM's first route is the cheapest path, and its alternatives follow; others are refused."""
    ours = city.paths(A, B, k=3)
    theirs = city.paths(A, B, k=3, method="osrm")
    assert theirs[0].cost(ours.costs) == pytest.approx(ours[0].cost(ours.costs), rel=0.01)
    for path in city.paths(A, B, k=3, method="osrm", avoid="Middle Road"):
        assert "Middle Road" not in {path.graph.link_name(i) for i in path.links}


def test_valhalla_answers_on_the_links_of_the_graph(city):
    """Valhalla's routes are paths of the graph, where the package is installed."""
    pytest.importorskip("valhalla", reason="pyvalhalla is not installed (extra valhalla)")
    try:
        found = city.paths(A, B, k=3, method="valhalla")
    except (UnsupportedError, CityError) as error:
        pytest.skip(f"Valhalla reads .osm.pbf only: {error}")
    assert len(found) >= 1


def test_the_command_finds_paths(command, tmp_path):
    """It prints a table, writes a map and lines, and its exit code says whether there are fewer."""
    page, lines = tmp_path / "map.html", tmp_path / "lines.geojson"
    code, said = command("paths", A, B, "--k", "2", "--map", str(page), "--geojson", str(lines))
    assert code == 0
    assert "main km" in said
    assert page.read_text().startswith("\n<!DOCTYPE html>") or "<html" in page.read_text()
    assert len(json.loads(lines.read_text())["features"]) == 2
    code, said = command("paths", A, B, "--k", "90", "--json")
    assert code == 1
    assert "instead of 90" in json.loads(said)["why_fewer"]
    code, said = command("paths", "-8.61,41.15", A)
    assert code == 2
    assert "longitude -8.61" in said
    code, said = command("paths", A, B, "--avoid", "swamps")
    assert code == 2
    assert "no street is called" in said
    code, said = command("paths", A, B, "--map", "map.txt")
    assert code == 2
    assert "must end in .html" in said


def drives_csv() -> str:
    """A drive along the southern and an eastern street, one in the sea, one of one point."""
    rows = ["trip,unix_time,lon,lat"]
    at = [(10 + k * 0.001, 0.00002) for k in range(21)] + [(10.02, k * 0.001) for k in range(1, 9)]
    rows += [f"good,{1000 + 8 * k},{lon:.6f},{lat:.6f}" for k, (lon, lat) in enumerate(at)]
    rows += [f"sea,{1000 + 8 * k},{12 + k / 1000},3" for k in range(5)]
    return "\n".join([*rows, "alone,1,10.001,0", ""])


def test_drives_are_matched(city, command, tmp_path):
    """A drive becomes the nodes along it; what does not match is left out with its reason."""
    file, out = tmp_path / "drives.csv.gz", tmp_path / "matched.csv"
    file.write_bytes(gzip.compress(drives_csv().encode()))
    code, said = command("match", str(file), "--out", str(out), "--json")
    told = json.loads(said)
    assert code == 1
    assert told["matched"] == 1
    assert told["left_out"] == {"sea": "fits no streets", "alone": "has a single point"}
    (matched,) = read_matched(out)
    nodes = matched.osm_nodes.tolist()
    assert nodes[:5] == [100, 110, 120, 130, 140]
    assert matched.start == pytest.approx((10.0, 0.0), abs=1e-4)
    good = read_drives(file)[0]
    assert match_drive(city, good).osm_nodes.tolist() == nodes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("trip,lon\n1,2\n", "there is no column 'lat'"),
        ("trip,lon,lat\n1,x,2\n", "line 2: lon is 'x'"),
        ("trip,lon,lat\n1,200,2\n", "line 2: longitude 200"),
        ("trip,lon,lat\n", "holds no drive"),
        ("trip,lon,lat\n1,2\n", "line 2 has too few cells"),
    ],
)
def test_files_of_drives_that_are_none(text, says, tmp_path):
    """The message says where a file is wrong."""
    file = tmp_path / "drives.csv"
    file.write_text(text)
    with pytest.raises(FormatError, match=says):
        read_drives(file)


def test_the_bench_measures_and_goes_on(city, command, tmp_path):
    """Rows come from drives and pairs; a second run takes what is there; others are refused."""
    file, out = tmp_path / "drives.csv", tmp_path / "matched.csv"
    file.write_text(drives_csv())
    command("match", str(file), "--out", str(out))
    words = ["bench", "paths", "--drives", str(out), "--method", "plateau", "osrm", "--k", "1", "3"]
    code, said = command(*words, "--out", str(tmp_path / "bench"), "--json")
    rows = json.loads(said)["rows"]
    assert code == 0
    assert [(row["method"], row["k"]) for row in rows] == [
        ("plateau", 1), ("plateau", 3), ("osrm", 1), ("osrm", 3)]  # fmt: skip
    assert rows[0]["coverage"] == pytest.approx(rows[2]["coverage"], abs=0.05)
    assert rows[1]["coverage"] >= rows[0]["coverage"] > 0.5
    results = tmp_path / "bench" / "paths.jsonl"
    before = results.read_text()
    results.write_text(before + before.splitlines()[-1][:20])  # a run that was ended
    assert (
        json.loads(command(*words, "--out", str(tmp_path / "bench"), "--json")[1])["rows"] == rows
    )
    assert results.read_text() == before
    code, said = command(*words[:-1], "2", "--out", str(tmp_path / "bench"))
    assert code == 2
    assert "another question" in said
    code, said = command("bench", "paths", "--pairs", "3", "--out", str(tmp_path / "pairs"))
    assert code == 0
    assert "admissible K" in said
    assert command("bench", "paths", "--out", str(tmp_path))[0] == 2
