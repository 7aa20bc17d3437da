"""Answers of the server's `POST /` beside VROOM's own, at the same time limit.

    python benchmarks/serve_vroom.py [--city helsinki] [--stops 50] [--instances 20]
                                     [--time-limit 1] [--seed 2000] [--windows]

Instances of capacities, with `--windows` of time windows as well, are drawn in a city and sent to
the server as VROOM's JSON with matrices, the costs being driving time. The other answer is VROOM's,
through its Python package, from the same matrices and in as long, and its cost is driving time as
well: neither counts waiting. What is told is on how many the server's answer costs at most as much,
and the mean gap.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
from serving import serving

import nco
from nco.data.formats.vroom_json import read_vroom
from nco.data.formats.vroom_write import write_vroom
from nco.versions import machine, version_of
from nco.web.work.vroom_costs import as_charged


def instances(options: argparse.Namespace) -> list[dict]:
    """Problems as VROOM's JSON, by driving time."""
    city, found = nco.city(options.city), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.json"
        for seed in range(options.seed, options.seed + options.instances):
            draw = nco.sample.rcvrptw if options.windows else nco.sample.rcvrp
            drawn = draw(city, options.stops, seed=seed)
            timed = replace(drawn, objective=nco.Objective(distance=0, duration=1))
            write_vroom(path, timed)
            found.append(json.loads(path.read_text()))
    return found


def by_vroom(asked: dict, limit_s: float) -> float:
    """Driving seconds of VROOM's own answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.json"
        path.write_text(json.dumps(asked))
        problem = read_vroom(path)
        charged = as_charged(problem, [0.0] * len(problem.vehicles))
        return nco.solve(charged, "vroom", time_limit_s=limit_s).cost.total


async def measure(options: argparse.Namespace) -> list[tuple[float, float]]:
    """Costs of the server and of VROOM for each instance."""
    problems = instances(options)
    async with (
        serving("--jobs", "1") as (base, _),
        httpx.AsyncClient(base_url=base, timeout=900) as client,
    ):
        pairs = []
        for asked in problems:
            asked["options"] = {"l": options.time_limit}
            reply = await client.post("/", json=asked)
            reply.raise_for_status()
            summary = reply.json()["summary"]
            assert not summary["unassigned"], summary
            pairs.append((summary["cost"], by_vroom(asked, options.time_limit)))
        return pairs


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--time-limit", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=2000)
    parser.add_argument("--windows", action="store_true", help="time windows as well")
    options = parser.parse_args()
    pairs = asyncio.run(measure(options))
    print(f"{machine()}, VROOM {version_of('vroom')}")
    for k, (ours, theirs) in enumerate(pairs):
        print(f"seed {options.seed + k}: {ours:.0f} s, VROOM {theirs:.0f} s")
    most = sum(ours <= round(theirs) for ours, theirs in pairs)
    mean = sum(ours / theirs - 1 for ours, theirs in pairs) / len(pairs)
    print(
        f"{options.stops} stops, {options.time_limit:g} s: at most VROOM's cost on {most} of",
        end=" ",
    )
    print(f"{len(pairs)}, {100 * mean:+.2f} % on average")


if __name__ == "__main__":
    main()
