"""Versions of everything that can change a result, and the machine it was measured on."""

import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

# Distribution -> the method or the part that it stands behind.
PACKAGES = {
    "torch": "policy",
    "ortools": "ortools",
    "pyvrp": "pyvrp",
    "pyvroom": "vroom",
    "hybgensea": "hgs",
    "osrm-bindings": "streets",
    "numpy": "matrices",
    "lightning": "training",
    "rl4co": "environments",
    "torch-geometric": "graphs",
    "osmnx": "extracts",
    "pyrosm": "extracts",
    "safetensors": "weights",
    "bokeh": "map",
    "matplotlib": "figures",
}


@cache
def versions() -> dict[str, str]:
    """Version of nco, Python and each package; "not installed" where one is missing."""
    from nco import __version__

    found = {"nco": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def version_of(method: str) -> str:
    """Version of the package behind a method; of nco for its own."""
    package = next((name for name, part in PACKAGES.items() if part == method), "nco")
    return f"{package} {versions()[package]}"


@cache
def machine() -> dict[str, str | int]:
    """Operating system, processor's name, and how many processors this process may use."""
    usable = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    return {"system": platform.platform(), "processor": _processor(), "processors": usable or 1}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
