"""The set-up script finds an interpreter under any usual name, or says what is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "cat", "cksum", "dirname", "rm")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has two plain lines instead")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the script needs of a checkout, and a `bin` with nothing but plain tools."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def script(path: Path, text: str) -> None:
    """Write an executable."""
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def set_up(checkout: Path) -> subprocess.CompletedProcess:
    """Run the script with nothing on the path but `bin`."""
    return subprocess.run(
        [str(checkout / "scripts" / "setup.sh")],
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_pip(checkout: Path) -> str:
    """Shell text that stands for `python -m venv`: an environment whose pip only takes notes."""
    note = checkout / "pip.log"
    inner = f'case "$*" in *"-m pip"*) echo "$*" >> "{note}";; esac'
    return (
        f'if [ "$2" = venv ]; then {shutil.which("mkdir")} -p .venv/bin; '
        f"printf '#!%s\\n%s\\n' '{shutil.which('sh')}' '{inner}' > .venv/bin/python; "
        f"{shutil.which('chmod')} +x .venv/bin/python; fi"
    )


def test_says_what_is_missing(checkout):
    """Without Python 3.12 or uv it stops with advice and leaves nothing behind."""
    script(checkout / "bin" / "python3", "exit 1")  # an old one: the version check fails
    result = set_up(checkout)
    assert result.returncode == 1
    assert "needs Python 3.12 or later" in result.stderr
    assert "PYTHON=/path/to/python" in result.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("name", ["python3.12", "python3.13", "python3", "python"])
def test_takes_python_under_any_usual_name(checkout, name):
    """Names that answer with an error, as those of version managers do, are passed over."""
    script(checkout / "bin" / "python3.14", "echo 'command not found' >&2; exit 127")
    script(checkout / "bin" / name, fake_pip(checkout))
    result = set_up(checkout)
    assert result.returncode == 0, result.stderr
    calls = (checkout / "pip.log").read_text()
    assert "-c constraints.txt -e .[maps,notebooks,web,dask,dev]" in calls


def test_takes_uv_where_there_is_no_python(checkout):
    """With uv alone, uv makes the environment and fills it."""
    note = checkout / "uv.log"
    script(checkout / "bin" / "uv", f'echo "$*" >> "{note}"; [ "$1" = pip ] || mkdir -p .venv/bin')
    (checkout / "bin" / "mkdir").symlink_to(str(shutil.which("mkdir")))
    result = set_up(checkout)
    assert result.returncode == 0, result.stderr
    assert "venv --quiet --seed --python >=3.12 .venv" in note.read_text()
    assert "pip install --quiet --python .venv/bin/python -c constraints.txt" in note.read_text()


def test_second_run_does_nothing(checkout):
    """Once set up, the script returns at once; a changed pin sets up again."""
    script(checkout / "bin" / "python3", fake_pip(checkout))
    assert set_up(checkout).returncode == 0
    (checkout / "pip.log").unlink()
    assert set_up(checkout).stderr == ""
    assert not (checkout / "pip.log").exists()
    with (checkout / "constraints.txt").open("a") as file:
        file.write("another==1.0\n")
    assert set_up(checkout).returncode == 0
    assert (checkout / "pip.log").exists()
