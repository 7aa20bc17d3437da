"""What the docs show does what they say."""

import contextlib
import io
import re
from dataclasses import fields
from pathlib import Path

import pytest

import nco
from nco.data.formats.tables.titles import FLEET, STOPS

DOCS = Path(__file__).parents[1] / "docs"
PROBLEMS = (DOCS / "problems.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PROBLEMS, flags=re.DOTALL)


def test_every_field_of_a_problem_has_its_paragraph():
    """docs/problems.md has a heading for each field of each class, in order, and no others."""
    states = (nco.Problem, nco.Profile, nco.Vehicle, nco.Objective, nco.Shipment, nco.Group)
    ties = (nco.SameVehicle, nco.DifferentVehicles, nco.Precedence, nco.Sequence)
    for kind in (*states, *ties, nco.Break, nco.Rest):
        section = PROBLEMS.split(f"\n## {kind.__name__}\n")[1].split("\n## ")[0]
        named = re.findall(r"^### `(\w+)`$", section, flags=re.MULTILINE)
        assert sorted(named) == sorted(f.name for f in fields(kind))


@pytest.mark.parametrize("code", BLOCKS[1:], ids=str.strip)
def test_an_example_prints_what_its_comments_say(code):
    """Each example of docs/problems.md needs the first block alone, and its output is right."""
    names: dict[str, object] = {}
    exec(BLOCKS[0], names)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    said = re.findall(r"^# (.*)$", code, flags=re.MULTILINE)
    assert said
    assert printed.getvalue().splitlines() == said


def test_a_table_of_stops_is_planned_and_drawn_as_formats_shows(tmp_path, monkeypatch):
    """The table and the lines of Python in docs/formats.md leave a timetable and a map."""
    formats = (DOCS / "formats.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```csv\n(.*?)```", formats, flags=re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", formats, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("stops.csv").write_text(table, encoding="utf-8")
    exec(code, {})
    assert Path("routes.csv").read_text(encoding="utf-8").startswith("route,vehicle,")
    assert Path("map.html").stat().st_size > 0


@pytest.mark.parametrize("name", ["addresses", "sheets"])
def test_an_example_of_a_page_prints_what_its_comments_say(name, tmp_path, monkeypatch):
    """The examples of docs/addresses.md and docs/sheets.md print what their comments say."""
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue().splitlines() == re.findall(r"^# (.*)$", code, flags=re.MULTILINE)


def test_examples_of_profiles_print_what_their_comments_say():
    """The examples of docs/profiles.md, one after the other, print what their comments say."""
    text = (DOCS / "profiles.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue().splitlines() == re.findall(r"^# (.*)$", code, flags=re.MULTILINE)


TABLES = (DOCS / "tables.md").read_text(encoding="utf-8")
TABLE_BLOCKS = re.findall(r"```python\n(.*?)```", TABLES, flags=re.DOTALL)
SHARED = [code for code in TABLE_BLOCKS if "# " not in code]


@pytest.mark.parametrize(("part", "columns"), [("Stops", STOPS), ("Vehicles", FLEET)])
def test_every_column_of_a_table_has_its_paragraph(part, columns):
    """docs/tables.md has a heading for each column, in order, with all its other titles."""
    section = TABLES.split(f"\n## {part}\n")[1].split("\n## ")[0]
    parts = re.split(r"^### `(\w+)`$", section, flags=re.MULTILINE)[1:]
    assert parts[::2] == list(columns)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        found = re.search(r"^Also: (.*)\.$", text, flags=re.MULTILINE)
        listed = tuple(re.findall("`([^`]+)`", found[1])) if found else ()
        assert listed == columns[name], name
        assert "```python" in text


def test_examples_of_tables_print_what_their_comments_say(tmp_path, monkeypatch):
    """Each example of docs/tables.md needs the shared blocks alone, and its output is right."""
    monkeypatch.chdir(tmp_path)
    shared: dict[str, object] = {}
    for code in SHARED:
        exec(code, shared)
    for code in TABLE_BLOCKS:
        if code in SHARED:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, dict(shared))
        said = re.findall(r"^# (.*)$", code, flags=re.MULTILINE)
        assert printed.getvalue().splitlines() == said, code
