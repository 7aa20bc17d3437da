"""How long a server takes to judge routes that a person made, over HTTP.

    python benchmarks/serve_evaluate.py [--stops 500] [--vehicles 25] [--times 50]

A problem with time windows is posed once; then two stops of a random plan change places again and
again, as when one is dragged, and each plan is judged. Told are the median, the 95th percentile and
the longest of all but the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time

import httpx
import numpy as np
from serving import serving

import nco
from nco.data.formats.json_file import finite
from nco.data.formats.native import problem_data
from nco.versions import machine


def problem(stops: int, vehicles: int, rng: np.random.Generator) -> nco.Problem:
    """Stops in a square of 10 km with windows of two hours."""
    xy = rng.random((stops + 1, 2)) * 1e4
    metres = np.abs(xy[:, None] - xy[None]).sum(axis=-1)
    opens = rng.integers(0, 20_000, stops + 1).astype(float)
    window = np.stack([opens, opens + 7200], axis=1)
    window[0] = 0, 40_000
    return nco.Problem.from_matrices(
        metres, metres / 8, demand=[0, *[1] * stops], vehicles=vehicles,
        capacity=-(-stops // vehicles) + 5, window_s=window, service_s=[0, *[120] * stops],
        lonlat=np.stack([24.9 + xy[:, 0] / 1e6, 60.1 + xy[:, 1] / 1e6], axis=1),
    )  # fmt: skip


async def measure(options: argparse.Namespace) -> list[float]:
    """Seconds of each judgement."""
    rng = np.random.default_rng(0)
    posed = problem(options.stops, options.vehicles, rng)
    order = rng.permutation(np.arange(1, options.stops + 1)).tolist()
    async with (
        serving("--no-warm-up") as (base, _),
        httpx.AsyncClient(base_url=base, timeout=300) as client,
    ):
        took = []
        raw = json.dumps(finite(problem_data(posed)))
        reply = await client.post("/v1/problems", content=raw)
        place = f"/v1/problems/{reply.json()['id']}/evaluate"
        for _ in range(options.times + 1):
            a, b = rng.integers(0, options.stops, 2)
            order[a], order[b] = order[b], order[a]
            routes = [
                {"vehicle": v, "stops": order[v :: options.vehicles]}
                for v in range(options.vehicles)
            ]
            begun = time.perf_counter()
            reply = await client.post(place, json={"routes": routes})
            took.append(time.perf_counter() - begun)
            reply.raise_for_status()
        return took[1:]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=500)
    parser.add_argument("--vehicles", type=int, default=25)
    parser.add_argument("--times", type=int, default=50)
    options = parser.parse_args()
    took = 1000 * np.array(asyncio.run(measure(options)))
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    print(
        f"{options.stops} stops, {options.vehicles} vehicles, {options.times} judgements: median "
        f"{np.median(took):.0f} ms, 95 % within {np.percentile(took, 95):.0f} ms, longest "
        f"{took.max():.0f} ms, shortest {took.min():.0f} ms"
    )


if __name__ == "__main__":
    main()
