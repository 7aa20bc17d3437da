"""The package as users get it: its names, its wheel, its links, its pins."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest

import nco
from nco._moved import MOVED

ROOT = Path(__file__).parents[1]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run Python in another folder, where the checkout cannot be imported by accident."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, so that the build leaves nothing in the checkout
    shutil.copytree(ROOT / "nco", source / "nco", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = ["-m", "pip", "--disable-pip-version-check", "-q"]
    options = ["--no-deps", "--no-build-isolation", "-w", str(folder)]
    build = run(*pip, "wheel", *options, str(source), cwd=folder)
    assert build.returncode == 0, build.stderr
    [file] = folder.glob("nco_routing-*.whl")
    install = run(
        *pip, "install", "--no-deps", "--target", str(folder / "site"), str(file), cwd=folder
    )
    assert install.returncode == 0, install.stderr
    return folder / "site"


def test_wheel_imports_outside_the_checkout(wheel, tmp_path):
    """The installed package imports, solves and finds the policies that ship with it."""
    code = """
import nco, numpy as np, pathlib
from nco.models.files import shipped
assert "site" in nco.__file__, nco.__file__
solution = nco.solve(nco.Problem.from_matrices(1 - np.eye(4)), "nearest", time_limit_s=1)
assert solution.feasible
assert "general" in shipped()
"""
    result = run("-c", code, cwd=tmp_path, PYTHONPATH=str(wheel))
    assert result.returncode == 0, result.stderr


def test_wheel_carries_no_tests_and_its_licence(wheel):
    """Only the package is installed, with its marker for types and its licence."""
    assert {path.name for path in wheel.iterdir() if path.is_dir()} - {"bin"} == {
        "nco",
        f"nco_routing-{nco.__version__}.dist-info",
    }
    assert (wheel / "nco" / "py.typed").is_file()
    assert list(wheel.glob("*.dist-info/**/LICENSE"))


PUBLIC = {
    "nco": """
        Break City DifferentVehicles Feature GeocodeServer Group Objective OsrmServer Planner
        Precedence Problem Profile Rest Route SameVehicle Sequence Shipment Solution TableCity
        TransitInstance Vehicle check city contradictions errors load load_policy methods plot
        register sample save solve solve_many split tradeoff write_sheets
        """,
    "nco.problem": """
        Break DifferentVehicles Feature Group Objective Precedence Problem Profile Rest SameVehicle
        Sequence Shipment Vehicle
        """,
    "nco.roads": """
        AStar Bidirectional Costs Dijkstra Driven Hierarchy Limits NodePairs Path Position RoadGraph
        Rules Several ShortestPaths Snapper TimeDependent Tree paths
        """,
    "nco.sheets": "write_sheets",
    "nco.web": "Client Limits Settings application",
    "nco.plot": "alternatives anytime asymmetry fronts map routes streets tradeoff transit",
    "nco.bench": """
        Drawn Report Result Shard Stored Suite Task check_comparable gather in_cities in_files
        missing run
        """,
    "nco.transit": """
        Lines Service TransitInstance check_lines format_lines load_instance mend_lines
        parse_lines read_instance read_lines save_instance write_gtfs write_lines
        write_transit_geojson
        """,
    "nco.transit.evaluate": "Evaluation Evaluations Evaluator evaluate",
    "nco.transit.simulate": "RewardWeights Settings Simulation Simulator reward simulate",
}


@pytest.mark.parametrize("module", sorted(PUBLIC))
def test_public_names_are_these(module):
    """A public name comes or goes on purpose only, and each leads to something."""
    found = import_module(module)
    assert sorted(found.__all__) == sorted(PUBLIC[module].split())
    for name in found.__all__:
        assert getattr(found, name) is not None


def test_every_public_name_is_there():
    """Each name of `__all__` resolves, the lazy ones too, and nothing is public by accident."""
    for name in nco.__all__:
        assert getattr(nco, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        nco.slove  # noqa: B018


def test_map_of_the_house_is_that_of_the_contracts():
    """CONTRIBUTING lists every room once, each above those that it may import."""
    [contract] = [
        found
        for found in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
            "contracts"
        ]
        if found.get("containers") == ["nco"]
    ]
    level_of = {
        room: level
        for level, rooms in enumerate(contract["layers"])
        for room in re.findall(r"\w+", rooms)
        if room != "__main__"
    }
    text = (ROOT / "CONTRIBUTING.md").read_text()
    drawn = text.split("```")[1]
    # A line names one room or several: `nco/cli.py commands/`. What follows is prose.
    rows = [re.split(r"  +", row)[0].split() for row in drawn.splitlines() if "nco/" in row]
    listed = [re.sub(r"^nco/|\.py$|/$", "", room) for row in rows for room in row]
    assert sorted(listed) == sorted(level_of)
    levels = [level_of[room] for room in listed]
    assert levels == sorted(levels)


def test_functions_win_over_modules_of_their_name():
    """`nco.solve` and `nco.check` stay functions even after the modules are imported."""
    import nco.solve

    with pytest.warns(DeprecationWarning, match="nco.check is now nco.problem.check"):
        import nco.check

    assert callable(nco.solve)
    assert callable(nco.check)


@pytest.mark.parametrize("former", sorted(set(MOVED) - {"nco.check"}))
def test_former_names_of_modules_stay_valid(former):
    """A module that has moved is the same object under the name that it had."""
    sys.modules.pop(former, None)
    with pytest.warns(DeprecationWarning, match=re.escape(f"{former} is now {MOVED[former]}")):
        found = import_module(former)
    assert found is import_module(MOVED[former])


def test_metadata_names_what_the_project_is():
    """The distribution is not called nco, needs Python 3.12 and is under MIT."""
    meta = metadata.metadata("nco-routing")
    assert meta["Requires-Python"] == ">=3.12"
    assert meta["License-Expression"] == "MIT"
    assert meta["Version"] == nco.__version__


@pytest.mark.parametrize("room", ["models", "envs", "data", "baselines"])
def test_rooms_are_links_into_the_package(room):
    """The four rooms at the top level are the package's own."""
    assert (ROOT / room).resolve() == ROOT / "nco" / room


def test_constraints_are_plain_pins():
    """Every line pins one name to one version and names no host."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line), line


def test_constraints_cover_every_requirement():
    """Each requirement of the project and its extras has a pin."""
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (entry for group in groups for entry in group):
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name
        assert name.group().lower().replace("_", "-") in pinned, requirement
