"""Compiled functions are kept on disk, and what is kept is never out of date."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nco
from nco.kernels import fingerprint as prints
from nco.kernels import objects
from nco.kernels.compiled import compiled

HOME = Path(nco.__file__).parent
FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": "PRICE = 3.0\n",
    "shop/inner.py": (
        "from typing import TYPE_CHECKING\n"
        "from nco.kernels.compiled import compiled\n"
        "from .prices import PRICE\n"
        "if TYPE_CHECKING:\n"
        "    import shop.unrelated\n"
        "@compiled(cache=False, nogil=True, error_model='numpy', _nrt=False)\n"
        "def each(x):\n"
        "    return PRICE * x\n"
    ),
    "shop/outer.py": (
        "from nco.kernels.compiled import compiled\n"
        "from shop import inner\n"
        "def total(x):\n"
        "    sum_ = 0.0\n"
        "    for k in range(len(x)):\n"
        "        sum_ += inner.each(x[k])\n"
        "    return sum_\n"
        "options = dict(nogil=True, error_model='numpy', _nrt=False)\n"
        "ahead, numba = compiled(total, ahead=True, **options), compiled(total, **options)\n"
    ),
    "shop/unrelated.py": "",
}
RUN = """
import sys
import numpy as np
from shop import outer
x = np.arange(4.0)
print(outer.ahead(x), 'numba' in sys.modules, outer.numba(x))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A package outside of nco whose compiled function calls one in another module of it."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder: Path, cache: Path) -> tuple[list[str], bool]:
    """What the package's program prints in a fresh process, and whether it compiled anything."""
    paths = os.pathsep.join([str(folder), str(HOME.parent)])
    environment = {**os.environ, "PYTHONPATH": paths, "NCO_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        env=environment, capture_output=True, text=True, check=True, cwd=folder,
    )  # fmt: skip
    return done.stdout.split(), "compiling" in done.stderr


def test_compiled_code_follows_what_it_calls(shop):
    """A constant two modules away changes; both ways to call the function give the new result."""
    cache = shop / "cache"
    assert run(shop, cache) == (["18.0", "True", "18.0"], True)
    assert run(shop, cache) == (["18.0", "False", "18.0"], False)
    prices = shop / "shop" / "prices.py"
    status = prices.stat()
    prices.write_text("PRICE = 5.0\n")
    os.utime(prices, ns=(status.st_atime_ns, status.st_mtime_ns))  # of the same size and time
    assert run(shop, cache) == (["30.0", "True", "30.0"], True)
    # The same content elsewhere, files newer: what was compiled there is good here.
    other = shop / "other"
    shutil.copytree(shop / "shop", other / "shop", copy_function=shutil.copy)
    assert run(other, cache) == (["30.0", "False", "30.0"], False)


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(shop):
    """Where `__pycache__` cannot be made, the user's cache folder keeps what is compiled."""
    (shop / "shop" / "__pycache__").write_text("a file in its place")
    assert run(shop, shop / "cache") == (["18.0", "True", "18.0"], True)
    assert run(shop, shop / "cache") == (["18.0", "False", "18.0"], False)


def test_fingerprints_look_at_all_that_is_imported(shop, monkeypatch):
    """Each module on the way counts, those for type checkers alone do not, nor does the folder."""
    monkeypatch.syspath_prepend(str(shop))

    def now() -> str:
        prints.fingerprint.cache_clear()
        prints._read.cache_clear()
        prints._imported.cache_clear()
        return prints.fingerprint("shop.outer")

    known = now()
    assert now() == known
    for name in ("prices", "inner", "__init__", "outer"):
        path = shop / "shop" / f"{name}.py"
        text = path.read_text()
        path.write_text(text + "# changed\n")
        assert now() != known
        path.write_text(text)
    (shop / "shop" / "unrelated.py").write_text("X = 1\n")
    assert now() == known
    prints.fingerprint.cache_clear()
    prints._read.cache_clear()
    prints._imported.cache_clear()


def test_every_compiled_function_is_kept_under_a_fingerprint():
    """No module of the package uses numba's own decorators, whose cache looks at one file."""
    own = {"dispatch.py", "emit.py"}
    for path in HOME.rglob("*.py"):
        text = path.read_text()
        if path.parent.name != "kernels" or path.name not in own:
            assert "njit" not in text.replace("`numba.njit`", ""), path


def test_damaged_files_are_no_files(tmp_path):
    """A file cut short, or changed, or of nothing holds no function; a whole one holds them all."""
    path, known = tmp_path / "x.objects", {"f": objects.Compiled(b"code", "d")}
    known["g"] = objects.Compiled(b"more code", "")
    objects.write(path, known)
    assert objects.read(path) == known
    raw = path.read_bytes()
    for damaged in (b"", raw[:20], raw[:-1], raw[:-1] + b"!", b"\0" + raw[1:]):
        path.write_bytes(damaged)
        assert objects.read(path) == {}
    assert objects.read(tmp_path / "missing") == {}


@compiled(ahead=True, cache=False, nogil=True, error_model="numpy", _nrt=False)
def _measured(x, rate, single, whole, switch):
    """A number of each kind, and an array of any strides."""
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += x[i, j] * (i + 1)
    return total + rate + single + whole + (1000.0 if switch else 0.0)


@pytest.mark.parametrize("turn", [lambda x: x, np.transpose, lambda x: x[::2, 1:]])
def test_arguments_arrive(turn):
    """Arrays in any order, and numbers of every kind, signs included."""
    x = turn(np.arange(12.0).reshape(4, 3))
    expected = float((x * np.arange(1, len(x) + 1)[:, None]).sum()) - 0.5 + 0.25 - 7
    for switch in (True, False):
        found = _measured(x, -0.5, np.float32(0.25), -7, switch)
        assert found == expected + 1000 * switch


def test_other_arguments_are_refused():
    """What has no place in a block of words is named."""
    with pytest.raises(TypeError, match="'text'"):
        _measured(np.zeros((1, 1)), 0.0, np.float32(0), 1, "text")


def test_what_has_no_file_is_compiled_and_not_kept():
    """Code that was made by `exec`, under the name of a real module, is no part of its file."""
    for scope in ({}, {"__name__": __name__}):
        found = []
        for power in (2, 3):  # the same instructions: only a constant differs
            exec(f"def raised(x):\n    return x[0] ** {power}\n", scope)
            kernel = compiled(scope["raised"], ahead=True, nogil=True, error_model="numpy")
            found.append(kernel(np.array([2.0])))
            assert prints.home_of(kernel.py_func) == ""
        assert found == [4.0, 8.0]
    assert prints.home_of(_measured.py_func) == __name__


def test_what_allocates_cannot_be_compiled_ahead():
    """The message says what to do about it."""

    @compiled(ahead=True, cache=False, nogil=True)
    def grown(x):
        return np.zeros(len(x)).sum()

    with pytest.raises(RuntimeError, match="instead of allocating"):
        grown(np.zeros(3))
