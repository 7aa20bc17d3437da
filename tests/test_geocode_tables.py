"""Tables of stops that have addresses in place of coordinates."""

import csv
import json
from pathlib import Path

import pytest
from extracts import town_xml
from loopback import loopback
from test_geocode_server import HOUSE

from nco.cli import main
from nco.data.cities.city import City
from nco.data.cities.geocode.server import GeocodeServer
from nco.data.formats.registry import load
from nco.data.formats.tables.stops import Stops
from nco.errors import FormatError, InputError
from nco.problem import Problem

TABLE = """name,address,postcode,phone
depot,Königstraße 1,,
Ada,Hafenk. 14,12345,+358 9 1
Bob,Café Größe,,
"""
DOUBTS = """name,address
depot,Königstraße 1
Ada,Dorfstraße 5
Bob,Nowhere 7
Cy,Königstraße 31
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A hand-made town."""
    path = tmp_path_factory.mktemp("town") / "town.osm"
    path.write_text(town_xml(), encoding="utf-8")
    return City.from_file(path)


def table(folder: Path, text: str) -> Path:
    """A table in a file."""
    path = folder / "stops.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_addresses_alone_make_a_problem(tmp_path: Path, town: City) -> None:
    """Each row gets the place of its address, and says what was found and how sure that is."""
    problem = load(table(tmp_path, TABLE), city=town)
    assert isinstance(problem, Problem)
    ada, bob = problem.details[1], problem.details[2]
    assert (ada["phone"], ada["geocoded_as"], bob["geocoded_as"]) == (
        "+358 9 1", "interpolated", "place",
    )  # fmt: skip
    assert ada["geocoded"].startswith("Hafenkatu 14, 12345 Neustadt")
    assert 0.5 < float(ada["geocoded_sure"]) < 1
    assert problem.lonlat is not None
    assert problem.lonlat[1].tolist() == pytest.approx([10.0001, 0.0018])


def test_all_doubts_are_told_together(tmp_path: Path, town: City) -> None:
    """Doubtful rows and rows that are not found are refused in one message, with candidates."""
    path = table(tmp_path, DOUBTS)
    with pytest.raises(FormatError) as refused:
        load(path, city=town)
    message = str(refused.value)
    assert "line 3: 'Dorfstraße 5' is doubtful" in message
    assert "or is it Dorfstraße 5" in message
    assert "accept_doubtful=" in message
    assert "line 4: nothing is found for 'Nowhere 7'" in message
    assert "line 5" not in message
    problem = load(path, city=town, accept_doubtful=True, skip_bad_rows=True)
    assert isinstance(problem, Problem)
    assert problem.names == ("depot", "Ada", "Cy")
    assert problem.details[1]["geocoded_as"] == "doubtful"


def test_coordinates_go_before_addresses(tmp_path: Path) -> None:
    """Rows with both are not looked up, so that a person's correction counts."""
    text = "name,lat,lon,address\ndepot,0.0,10.0,Nowhere 7\nAda,0.001,10.0,Nowhere 8\n"
    stops = load(table(tmp_path, text))
    assert isinstance(stops, Stops)
    assert stops.lonlat.tolist() == [[10.0, 0.0], [10.0, 0.001]]


def test_without_a_city_nothing_is_looked_up(tmp_path: Path) -> None:
    """A table of addresses alone is refused, with what to give."""
    with pytest.raises(FormatError, match="or give city= to have it looked up"):
        load(table(tmp_path, TABLE))
    with pytest.raises(InputError, match="accept_doubtful= does not apply"):
        load(tmp_path / "x.sol", accept_doubtful=True)


def test_a_server_finds_rows(tmp_path: Path) -> None:
    """With a server no city is needed to read a table."""
    path = table(tmp_path, "name,address\nA,Mannerheimintie 5\nB,Mannerheimintie 5 A\n")
    with loopback(lambda *_: (200, json.dumps([HOUSE]).encode())) as url:
        stops = load(path, geocoder=url)
    assert isinstance(stops, Stops)
    assert stops.lonlat[0].tolist() == [24.9398, 60.1694]


def test_a_server_is_asked_for_places_in_the_city(tmp_path: Path, town: City) -> None:
    """Whoever names a city wants no place of the same name elsewhere."""
    asked: list[str] = []

    def answer(path: str, body: bytes, before: int) -> tuple[int, bytes]:
        asked.append(path)
        return 200, b"[]"

    west = f"{town.bbox[0]:.6f}"
    with loopback(answer) as url:
        with pytest.raises(FormatError, match="knows no such place"):
            load(table(tmp_path, TABLE), city=town, geocoder=GeocodeServer(url))
        town.geocode(["Dorfstr. 5"], server=url)
    assert len(asked) == 4
    assert all(f"viewbox={west}" in path for path in asked)


def test_commands(tmp_path: Path, town: City, capsys: pytest.CaptureFixture) -> None:
    """`nco solve` plans with addresses alone, tells what it found, and refuses what is doubtful."""
    out = tmp_path / "out"
    common = ["solve", "--city", str(town.extract), "--method", "nearest", "--quiet"]
    path = str(table(tmp_path, TABLE))
    assert main([*common, path, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["geocoded"]
    assert [(one["stop"], one["word"]) for one in told] == [
        ("depot", "exact"), ("Ada", "interpolated"), ("Bob", "place"),
    ]  # fmt: skip
    rows = list(csv.DictReader((out / "routes.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["geocoded_as"] for row in rows} == {"exact", "interpolated", "place"}
    assert main([*common, path]) == 0
    shown = capsys.readouterr().out
    assert "addresses: 3 looked up" in shown
    assert "address: Ada: interpolated" in shown
    doubts = str(table(tmp_path, DOUBTS))
    assert main([*common, doubts]) == 2
    assert "--accept-doubtful" in capsys.readouterr().err
    assert main([*common, doubts, "--accept-doubtful", "--skip-bad-rows"]) in (0, 1)
    assert "1 doubtful" in capsys.readouterr().out
    assert main(["solve", "x.vrp", "--accept-doubtful"]) == 2
    assert "is for tables of stops" in capsys.readouterr().err
