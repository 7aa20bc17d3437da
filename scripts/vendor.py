"""Fetches the packages that the planner's page is made with, by name and version.

`python scripts/vendor.py` asks npm for each of them and writes what the page loads, with the
licence, to `nco/web/page/vendor/`. What is there ships with nco: the page needs no network, and
neither does this repository, until a version below is changed.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "nco" / "web" / "page" / "vendor"
PACKAGES = {
    "leaflet==1.9.4": ("dist/leaflet-src.esm.js", "dist/leaflet.css", "LICENSE"),
    "tabulator-tables==6.5.3": (
        "dist/js/tabulator_esm.min.mjs",
        "dist/css/tabulator_simple.min.css",
        "LICENSE",
    ),
}
_MAP = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")


def fetched(name: str, version: str) -> dict[str, bytes]:
    """The files of a package as npm has it."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed; it comes with Node.js")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", f"{name}@{version}"], cwd=folder, check=True)  # noqa: S603
        [packed] = Path(folder).glob("*.tgz")
        raw = packed.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        files = [entry for entry in archive if entry.isfile()]
        return {
            entry.name.split("/", 1)[1]: (archive.extractfile(entry) or io.BytesIO()).read()
            for entry in files
        }


def main() -> None:
    """Writes the files of all packages."""
    for package, wanted in PACKAGES.items():
        name, version = package.split("==")
        files = fetched(name, version)
        folder = FOLDER / name.partition("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        for path in wanted:
            # Not all systems know that .mjs is a script, and maps of sources are not shipped.
            target = folder / Path(path).name.replace(".mjs", ".js")
            target.write_bytes(_MAP.sub(b"\n", files[path]))
            print(target.relative_to(FOLDER))  # noqa: T201


if __name__ == "__main__":
    main()
