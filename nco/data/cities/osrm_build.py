"""From an OpenStreetMap extract to a folder that OSRM opens, built once and kept.

A folder is named after what it is made of: the content of the extract, the profile and OSRM's
version. It is built under a temporary name and renamed, so it is whole or not there; a lock keeps
two processes from building the same one; a manifest tells whether it is still as it was built,
because OSRM crashes on files that are not.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nco.data.cities.cache import cache_dir, content_hash, file_hash, read_json
from nco.data.cities.changes import Changes
from nco.data.cities.roads import StreetNetwork, component_sizes, read_roads, reconnected
from nco.errors import CityError, StorageError, quoted, shortened
from nco.files import locked, write_atomic
from nco.interruption import undone

log = logging.getLogger("nco")

PROFILES = ("car", "bicycle", "foot")
BASE = "city.osrm"
# Part of every folder's name: raise it when the recipe below changes.
RECIPE = 2
_MANIFEST = "manifest.json"
_SPEEDS = "speeds.csv"
# Needed to build, not to answer.
_INTERMEDIATE = ("cnbg", "cnbg_to_ebg", "ebg", "enw", "restrictions", "turn_penalties_index")
_SUFFIXES = (".pbf", ".osm")
_VARIANT = re.compile(r"-[0-9a-f]{24}(-contracted)?$")  # the digest of its changes
_DAY_S = 86_400
_FULL_BYTES = 1 << 16


@dataclass(frozen=True)
class Built:
    """An engine's folder.

    Attributes:
        base: what OSRM is told to open.
        info: what is known of the network without reading it: `bbox`, `nodes`, `streets`,
            `street_km`, `main_share`.
    """

    base: Path
    info: dict[str, Any]


def build(
    extract: Path,
    profile: str = "car",
    *,
    contracted: bool = False,
    afresh: bool = False,
    changes: Changes | None = None,
) -> Built:
    """Return the engine's folder of an extract, building it if it is missing or damaged.

    Args:
        extract: `.osm.pbf` or `.osm`.
        profile: one of `PROFILES`.
        contracted: a contraction hierarchy (Geisberger et al. 2008) in place of nested cells
            (Delling et al. 2011): several times the work to build, a tenth of the work to ask.
        afresh: build even if the folder looks whole.
        changes: speeds of segments that are not as the profile has them.

    Raises:
        CityError: the extract is missing, damaged or without streets, or the profile is unknown.
        StorageError: the cache folder cannot be written.
    """
    if not isinstance(profile, str) or profile not in PROFILES:
        raise CityError(
            f"profile {quoted(profile)} is unknown; choose one of {', '.join(PROFILES)}"
        )
    _check_extract(extract)
    root = cache_dir() / "osrm"
    if ".osm" in str(root):
        raise StorageError(
            f"the cache folder {root} has '.osm' in its name, where OSRM would cut it; "
            "choose another with NCO_CACHE"
        )
    name = f"{content_hash(extract)[:24]}-{profile}-{version('osrm-bindings')}-{RECIPE}"
    steps = ["contract"] if contracted else ["partition", "customize"]
    name += (f"-{changes.digest}" if changes else "") + ("-contracted" if contracted else "")
    make: Callable[[Path], dict[str, Any]]
    if changes is None:
        make = partial(_run_osrm, extract.absolute(), profile, steps)
    else:
        make = partial(_run_changed, extract, profile, steps, changes)
    return _made(extract, root / name, make, afresh=afresh)


def _made(
    extract: Path, folder: Path, make: Callable[[Path], dict[str, Any]], *, afresh: bool = False
) -> Built:
    """A folder of an engine, made in another one if it is missing or damaged."""
    root = folder.parent
    if not afresh and (info := _whole(folder)) is not None:
        return Built(folder / BASE, info)
    started = time.perf_counter()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(folder, patience_s=None):
            # Another process may have built it while this one waited.
            info = None if afresh else _whole(folder)
            if info is None:
                info = _build_locked(extract, make, folder)
    except OSError as error:
        raise StorageError(
            f"cannot write the cache folder {root}: {error.strerror or error}; free some space "
            "there or choose another folder with NCO_CACHE"
        ) from error
    log.info("%s ready after %.1f s", folder.name, time.perf_counter() - started)
    return Built(folder / BASE, info)


def remove_engines(extract: Path) -> None:
    """Remove the engines of an extract, for whatever profile.

    Raises:
        CityError: the extract cannot be read.
        StorageError: the cache folder cannot be written.
    """
    _remove(_engines(extract))


def remove_old_variants(extract: Path, keep: int) -> None:
    """Remove the engines of an extract's variants but for the last ones that were built.

    Args:
        extract: of the city.
        keep: how many stay.

    Raises:
        CityError: the extract cannot be read.
        StorageError: the cache folder cannot be written.
    """
    variants = [folder for folder in _engines(extract) if _VARIANT.search(folder.name)]
    built = sorted((folder.stat().st_mtime, folder) for folder in variants)
    _remove([folder for _, folder in built[: max(0, len(built) - keep)]])


def _engines(extract: Path) -> list[Path]:
    """Folders of the engines of an extract."""
    found = (cache_dir() / "osrm").glob(f"{content_hash(extract)[:24]}-*")
    return [folder for folder in found if folder.is_dir()]


def _remove(folders: Sequence[Path]) -> None:
    """Remove engines, each under its lock."""
    try:
        for folder in folders:
            with locked(folder):
                shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"cannot remove engines from {cache_dir() / 'osrm'}: {error.strerror or error}"
        ) from error


def _check_extract(extract: Path) -> None:
    if not extract.is_file():
        raise CityError(f"{shortened(extract)} is not a file; give an .osm.pbf or .osm file")
    if extract.suffix not in _SUFFIXES:
        raise CityError(f"extract {extract.name} must end in .osm.pbf, .pbf or .osm")


def _build_locked(
    extract: Path, make: Callable[[Path], dict[str, Any]], folder: Path
) -> dict[str, Any]:
    _sweep(folder.parent)
    if folder.exists():
        log.warning("rebuilding %s: its cached engine was damaged", extract.name)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix="building-"))
    remove = partial(shutil.rmtree, work, ignore_errors=True)
    try:
        with undone(remove):
            info = make(work)
            _seal(work, info)
            if folder.exists():
                folder.rename(Path(tempfile.mkdtemp(dir=folder.parent, prefix="damaged-")) / "old")
            work.rename(folder)
    finally:
        remove()
        _sweep(folder.parent, "damaged-*", older_than_s=0)
    return info


def _run_osrm(
    extract: Path, profile: str, steps: Iterable[str], work: Path, *, keep: bool = False
) -> dict[str, Any]:
    """Extract and take further steps in a folder; return what is known of the network.

    Args:
        extract: of OpenStreetMap.
        profile: of vehicles.
        steps: of OSRM, after it has extracted.
        work: the folder.
        keep: what is needed to build only, for customising it again.
    """
    log.info("building the %s network of %s with OSRM", profile, extract.name)
    _extract(extract, profile, work)
    sizes = component_sizes(work / BASE)
    if len(sizes) and sizes[0] < 1000:
        # OSRM snaps to components of 1000 or more streets and, where there are none, to any
        # private lane. A small city deserves the same: snap to its largest component.
        _extract(extract, profile, work, small_component=max(1, int(sizes[0]) // 2))
    for step in steps:
        _osrm(step, [BASE], work, extract)
    if not keep:
        _tidy(work)
    return _known(extract, profile, read_roads(work / BASE))


def _run_changed(
    extract: Path, profile: str, steps: Sequence[str], changes: Changes, work: Path
) -> dict[str, Any]:
    """Take the last step with other speeds, from what the steps before it have left."""
    before = list(steps[:-1])
    name = f"{content_hash(extract)[:24]}-{profile}-{version('osrm-bindings')}-{RECIPE}"
    shop = cache_dir() / "osrm" / f"{name}-open-{'-'.join(['extract', *before])}"
    opened = _made(
        extract, shop, partial(_run_osrm, extract.absolute(), profile, before, keep=True)
    )
    for path in opened.base.parent.glob(f"{BASE}.*"):
        shutil.copy(path, work)
    (work / _SPEEDS).write_bytes(changes.table)
    _osrm(steps[-1], [BASE, "--segment-speed-file", _SPEEDS], work, extract)
    (work / _SPEEDS).unlink()
    _tidy(work)
    info = _known(extract, profile, reconnected(read_roads(work / BASE)))
    return info | {"changed_segments": len(changes.speeds)}


def _tidy(work: Path) -> None:
    """Remove what only building needs."""
    for kind in _INTERMEDIATE:
        (work / f"{BASE}.{kind}").unlink(missing_ok=True)


def _known(extract: Path, profile: str, roads: StreetNetwork) -> dict[str, Any]:
    """What is told of a network."""
    if not roads.main.any():
        raise CityError(f"extract {extract.name} has no street that a {profile} may use")
    length, main = roads.segment_length_m, roads.segment_main
    return {
        "bbox": list(roads.bbox),
        "nodes": len(roads.lonlat),
        "streets": len(roads.main),
        "street_km": round(float(length.sum()) / 1000, 3),
        "main_share": round(float(length[main].sum() / max(float(length.sum()), 1e-9)), 4),
    }


def _extract(extract: Path, profile: str, work: Path, small_component: int = 1000) -> None:
    import osrm

    lua = Path(osrm.__file__).parent / "share" / "profiles" / f"{profile}.lua"
    options = ["--profile", str(lua), "--output", BASE]
    options += ["--small-component-size", str(small_component)]
    _osrm("extract", [*options, str(extract)], work, extract)


def _osrm(step: str, arguments: list[str], work: Path, extract: Path) -> None:
    """Run one of OSRM's tools: a process of its own, for it aborts on bad extracts."""
    outcome = subprocess.run(  # noqa: S603 -- the wheel's own tools, no shell
        [sys.executable, "-m", "osrm", step, *arguments],
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if outcome.returncode == 0:
        return
    reason = _reason(outcome.stdout)
    # A full disk kills some of the tools before they can say so.
    full = shutil.disk_usage(work).free < _FULL_BYTES
    if full or re.search("no space left|read-only|permission denied", reason, re.IGNORECASE):
        raise StorageError(
            f"OSRM could not write in {work.parent}: {reason}; free some space there"
        )
    if "no edges" in reason or "no nodes" in reason:
        raise CityError(
            f"extract {extract.name} has no streets for this profile; "
            "is it an OpenStreetMap extract with highways in it?"
        )
    raise CityError(
        f"extract {extract.name} is truncated or damaged: osrm-{step} stopped with "
        f"{quoted(reason)}; download it again"
    )


def _reason(output: str) -> str:
    """The line of OSRM's log that says why it stopped."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "[error]" in line or "what():" in line]
    line = (telling or lines or ["no message"])[-1]
    line = re.sub(r"^\[\d{4}-[^\]]*\] *(\[error\])?|^what\(\):|src/[\w/]+\.[ch]pp:\d+$", "", line)
    return line.strip()


def _seal(folder: Path, info: dict[str, Any]) -> None:
    files = {}
    for path in sorted(folder.iterdir()):
        status = path.stat()
        files[path.name] = [status.st_size, status.st_mtime_ns, file_hash(path)]
    write_atomic(folder / _MANIFEST, json.dumps({"files": files, "info": info}))


def _whole(folder: Path) -> dict[str, Any] | None:
    """What is known of the network if every file is as it was built, else None."""
    manifest = read_json(folder / _MANIFEST)
    files, info = manifest.get("files"), manifest.get("info")
    if not isinstance(files, dict) or not isinstance(info, dict):
        return None
    for name, known in files.items():
        try:
            size, mtime_ns, digest = known
            status = os.stat(folder / name)  # noqa: PTH116 -- half the time of Path.stat
        except (OSError, TypeError, ValueError):  # gone, or the manifest is damaged
            return None
        if status.st_size != size:
            return None
        # A copied cache has new times and the same content.
        if status.st_mtime_ns != mtime_ns and file_hash(folder / name) != digest:
            return None
    return info


def _sweep(root: Path, pattern: str = "building-*", older_than_s: float = _DAY_S) -> None:
    """Remove what processes that were killed have left."""
    for left in root.glob(pattern):
        if time.time() - left.stat().st_mtime >= older_than_s:
            shutil.rmtree(left, ignore_errors=True)
