"""`nco geocode`: what it prints, writes and answers to bad input."""

import csv
import json
from pathlib import Path

import pytest
from loopback import loopback
from test_geocode_server import HOUSE

from nco.cli import main


def test_addresses_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Addresses of the command and of a table go into one table; doubtful ones end with 1."""
    table = tmp_path / "in.csv"
    table.write_text("address,postcode,city\nAleksanterinkatu 26,00170,Helsinki\nKaivokatu,,\n")
    out = tmp_path / "out.csv"
    common = ["geocode", "--city", "helsinki", "--quiet"]
    assert main([*common, "Kaivokatu 1", "--file", str(table), "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["word"] for row in rows] == ["exact", "exact", "street"]
    assert rows[1]["found"] == "Aleksanterinkatu 26, 00170 Helsinki"
    capsys.readouterr()
    lines = tmp_path / "in.txt"
    lines.write_text("Kaivokatu 1\n\nMannerheimintie\n", encoding="utf-8")
    assert main([*common, "--file", str(lines), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["addresses"], result["doubtful"]) == (2, 1)
    assert main([*common, "Mannerheimintie"]) == 1
    assert "1 of 1 should be looked at by a person" in capsys.readouterr().out


def test_a_server_is_asked(capsys: pytest.CaptureFixture) -> None:
    """With a server no city is needed."""
    with loopback(lambda *_: (200, json.dumps([HOUSE]).encode())) as url:
        assert main(["geocode", "Mannerheimintie 5", "--geocoder", url]) == 0
    assert "exact" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--city", "helsinki"], "there is no address"),
        (["Kaivokatu 1"], "say where with --city"),
        (["Kaivokatu 1", "--geocoder-kind", "photon"], "give both"),
        (["--city", "helsinki", "--file", "gone.csv"], "gone.csv"),
        (["--city", "helsinki", "--file", "bad.csv"], "no column 'address'"),
        (["--city", "helsinki", "Kaivokatu 1", "--out", "x.pdf"], "must end in .csv"),
    ],
)
def test_bad_input(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    arguments: list[str],
    message: str,
) -> None:
    """Whatever is missing is said, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text("name,lon\nA,1\n")
    assert main(["geocode", "--quiet", *arguments]) == 2
    assert message in capsys.readouterr().err
