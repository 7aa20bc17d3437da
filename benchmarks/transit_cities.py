"""Bus networks in cities: transfers, detours and the processor time of the whole command.

    python benchmarks/transit_cities.py EXTRACT.osm.pbf ... [--evaluations 8000] [--lines 12]
        [--demand FILE] [--within-km KM] [--out out/transit-cities]

Of each city first what minutes alone make of it, with 8 lines of at most 14 stops and no rule
against transfers: its buses are the fleet. Then `nco transit design` under the defaults with that
many buses, as a command of its own, whose processor time is told: stops drawn, lines designed,
simulated, drawn and written. Demand is uniform between all pairs of stops, the hardest there is for
few lines, unless `--demand` says otherwise.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nco.transit.design.city_objective import CityObjective
from nco.transit.design.registry import design
from nco.transit.files.native import load_instance
from nco.transit.operate.prices import Prices
from nco.versions import machine

OLD = {"lines": 8, "max_stops": 14}


def commanded(extract: Path, given: argparse.Namespace, fleet: int | None) -> dict[str, Any]:
    """What the command says, with the seconds of the processor that it took."""
    out = given.out / extract.name.split(".")[0]
    limits = [] if fleet is None else ["--fleet", str(fleet)]
    limits += [] if given.within_km is None else ["--within-km", str(given.within_km)]
    limits += [] if given.demand is None else ["--demand", str(given.demand)]
    evaluations = 1 if fleet is None else given.evaluations
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run(
        [
            *(sys.executable, "-m", "nco", "transit", "design", "--city", str(extract)),
            *("--stops", "60", "--lines", str(given.lines), "--trips-per-hour", "4000"),
            *("--evaluations", str(evaluations), "--out", str(out), "--json", "--quiet", *limits),
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts: dict[str, Any] = json.loads(found.stdout)
    facts["processor_s"] = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    return facts


def row(extract: Path, given: argparse.Namespace) -> str:
    """One line of the table."""
    commanded(extract, given, None)
    name = extract.name.split(".")[0]
    plain = load_instance(given.out / name / "instance.json").changed(**OLD)
    objective = CityObjective(plain, Prices(most_transfers=np.inf))
    old = objective.model.of(design(objective, evaluations=given.evaluations).lines)
    found = commanded(extract, given, old.fleet)
    parts, simulated = found["cost_parts"], found["simulation"]
    return (
        f"| {name} | {found['processor_s']:.0f} | {parts['largest_line_detour']:.2f} | "
        f"{old.transfer_share:.2f} | {parts['transfers_per_trip']:.2f} | {old.fleet}, "
        f"{parts['fleet']} | {60 * old.cost / 12 / old.trips:.1f}, "
        f"{5 * parts['cost_per_h'] / parts['trips_per_h']:.1f} | {parts['lost']:.1%} | "
        f"{simulated['mean_wait_s'] / 60:.1f}, {simulated['mean_ride_s'] / 60:.1f} min |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extracts", nargs="+", type=Path)
    parser.add_argument("--evaluations", type=int, default=8000)
    parser.add_argument("--lines", type=int, default=12)
    parser.add_argument("--demand", help="uniform, gravity or a file")
    parser.add_argument("--within-km", type=float)
    parser.add_argument("--out", type=Path, default=Path("out/transit-cities"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print(
        "| city | processor s | largest detour | transfers a trip: minutes alone | as designed | "
        "buses | minutes a trip, operator included | lost | wait, ride (simulated) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for extract in given.extracts:
        print(row(extract, given), flush=True)
    print(machine())


if __name__ == "__main__":
    main()
