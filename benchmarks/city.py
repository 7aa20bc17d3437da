"""How long a city takes to build and open, and what numpy tables cost on top of OSRM.

    python benchmarks/city.py [--points 1000] [--repeats 3] [extract ...]

Without extracts: the built-in Helsinki, and the Porto region where it is at hand. Building starts
from an empty cache folder. OSRM's own time is what passes inside its `Table` call, measured within
the very call it is compared with, so that other work on the machine slows both alike; the
matrices' time is the whole of `City.matrix`, checking the points and converting to numpy included.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nco.data.cities.city import City
from nco.data.cities.osrm import Osrm
from nco.data.cities.places import built_in

PORTO = Path(__file__).parents[1].parent / "shared" / "data" / "cities" / "porto_region.osm.pbf"


class Stopwatch:
    """Stands in for OSRM's engine and adds up the time spent inside its tables."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.spent_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def Table(self, parameters: Any) -> Any:  # noqa: N802 -- OSRM's name
        """OSRM's table, timed."""
        started = time.perf_counter()
        answer = self.engine.Table(parameters)
        self.spent_s += time.perf_counter() - started
        return answer


def measure(extract: Path, points: int, repeats: int) -> None:
    """Print one block of measurements for an extract."""
    print(f"\n{extract.name}, {extract.stat().st_size / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory(prefix="nco-bench-") as cache:
        os.environ["NCO_CACHE"] = cache
        started = time.perf_counter()
        City.from_file(extract)
        print(f"  extract to engine          {time.perf_counter() - started:8.2f} s")
        opened = []
        for _ in range(max(repeats, 3)):
            started = time.perf_counter()
            city = City.from_file(extract)
            opened.append(time.perf_counter() - started)
        print(f"  cached engine opened       {statistics.median(opened) * 1e3:8.1f} ms")
        started = time.perf_counter()
        lonlat = city.sample(points, seed=1)
        print(f"  {points} points sampled       {time.perf_counter() - started:8.2f} s")
        if not isinstance(city.engine, Osrm):
            raise TypeError("a city of an extract has an engine in process")
        watch = Stopwatch(city.engine._engine)  # noqa: SLF001 -- to time it
        city.engine._engine = watch  # noqa: SLF001
        ratios = []
        for _ in range(repeats):
            watch.spent_s = 0.0
            started = time.perf_counter()
            found = city.matrix(lonlat)
            total_s = time.perf_counter() - started
            ratios.append(total_s / watch.spent_s)
            print(
                f"  {points} x {points} both tables   {total_s:8.2f} s as numpy, "
                f"OSRM alone {watch.spent_s:.2f} s, ratio {ratios[-1]:.3f}"
            )
        print(f"  median ratio               {statistics.median(ratios):8.3f}")
        assert np.isfinite(found.duration_s).all()


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extracts", nargs="*", type=Path)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"osrm-bindings {version('osrm-bindings')}, numpy {np.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores ({platform.machine()}), "
        f"load {load:.1f}"
    )
    for extract in arguments.extracts or [built_in("helsinki"), *([PORTO] * PORTO.is_file())]:
        measure(extract, arguments.points, arguments.repeats)


if __name__ == "__main__":
    main()
