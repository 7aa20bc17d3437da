"""Many clients of one server at once: what fails, what is refused, how long answers take.

    python benchmarks/serve_load.py [--clients 50] [--seconds 60] [--stops 50] [--time-limit 1]
                                    [--waiting 32]

A server of its own is started on loopback. Each client sends its own problem of VROOM (so that an
answer for another one would be seen: ids and number of jobs differ), waits for the answer, checks
it, and sends the next. A client that is refused (503) waits as long as `Retry-After` says, or a
little longer each time. Memory is that of the server and of all its workers together. The machine
and what else it did belong to every number.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from serving import serving

from nco.versions import machine

LOOK_S = 5.0  # between two looks at the memory
ENOUGH = httpx.Limits(max_connections=None)  # of a client, whose set-up takes long


@dataclass
class Tally:
    """What came of all requests."""

    answered_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    mixed: int = 0
    memory_mb: list[float] = field(default_factory=list)


def problem(client: int, stops: int, limit_s: float) -> dict:
    """A problem that no other client has: ids begin at a number of its own."""
    rng = np.random.default_rng(client)
    xy = rng.uniform(0, 5000, (stops + 1, 2))
    seconds = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) / 8).astype(int)
    vehicles = [
        {"id": k, "start_index": 0, "end_index": 0, "capacity": [-(-stops // 4)]} for k in range(5)
    ]
    jobs = [
        {"id": 1000 * client + k, "location_index": k, "delivery": [1]} for k in range(1, stops + 1)
    ]
    matrices = {"car": {"durations": seconds.tolist()}}
    return {"vehicles": vehicles, "jobs": jobs, "matrices": matrices, "options": {"l": limit_s}}


def served(answer: dict) -> list[int]:
    """Ids of the jobs in an answer."""
    steps = [step for route in answer["routes"] for step in route["steps"]]
    return sorted(step["id"] for step in steps if step["type"] == "job")


async def run_client(
    number: int,
    client: httpx.AsyncClient,
    end_s: float,
    options: argparse.Namespace,
    tally: Tally,
) -> None:
    """One client until time is up."""
    asked = problem(number, options.stops - number % 5, options.time_limit)
    wanted = sorted(job["id"] for job in asked["jobs"])
    raw = json.dumps(asked).encode()
    headers, tries = {"content-type": "application/json"}, 0
    while time.monotonic() < end_s:
        begin = time.monotonic()
        try:
            reply = await client.post("/", content=raw, headers=headers)
        except httpx.HTTPError as error:
            tally.failed.append(repr(error))
            continue
        took = time.monotonic() - begin
        if reply.status_code == 503:
            tally.refused_s.append(took)
            tries += 1
            await asyncio.sleep(float(reply.headers["retry-after"]) * min(tries, 5))
            continue
        tries = 0
        if reply.status_code != 200:
            tally.failed.append(f"{reply.status_code}: {reply.text[:100]}")
            continue
        tally.answered_s.append(took)
        tally.mixed += served(reply.json()) != wanted


def memory_mb(process: int) -> float:
    """Resident memory of a process and all that it has started."""
    pages, page = 0, os.sysconf("SC_PAGE_SIZE")
    waiting = [process]
    while waiting:
        number = waiting.pop()
        try:
            pages += int(Path(f"/proc/{number}/statm").read_text().split()[1])
            for task in Path(f"/proc/{number}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
    return pages * page / 1e6


async def watch(process: int, tally: Tally) -> None:
    """Looks at the memory now and then."""
    while True:
        tally.memory_mb.append(memory_mb(process))
        await asyncio.sleep(LOOK_S)


async def measure(options: argparse.Namespace) -> Tally:
    """Starts the server and all clients."""
    own = ("--quiet", "--waiting", str(options.waiting))
    async with (
        serving(*own, data=options.data) as (base, server),
        httpx.AsyncClient(base_url=base, timeout=900, limits=ENOUGH) as client,
    ):
        warm = await client.post("/", json=problem(999, options.stops, 0.1))
        warm.raise_for_status()
        tally, end_s = Tally(), time.monotonic() + options.seconds
        watcher = asyncio.create_task(watch(server, tally))
        numbers = range(1, options.clients + 1)
        await asyncio.gather(*(run_client(k, client, end_s, options, tally) for k in numbers))
        watcher.cancel()
    return tally


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--time-limit", type=float, default=1.0)
    parser.add_argument("--waiting", type=int, default=32)
    parser.add_argument("--data", type=Path, default=Path("out/serve_load.sqlite"))
    options = parser.parse_args()
    load = os.getloadavg()[0]
    tally = asyncio.run(measure(options))
    answered, refused = tally.answered_s, tally.refused_s
    print(f"{machine()}, load before: {load:.1f}")
    print(
        f"{options.clients} clients, {options.seconds:g} s, {options.stops} stops, "
        f"{options.time_limit:g} s each: {len(answered)} answered, {len(refused)} refused (503), "
        f"{len(tally.failed)} failed, {tally.mixed} mixed up"
    )
    if answered:
        print(f"answered after {statistics.median(answered):.2f} s (median), {max(answered):.2f} s")
    if refused:
        print(
            f"refused after {1000 * statistics.median(refused):.0f} ms (median), "
            f"{1000 * max(refused):.0f} ms at most"
        )
    print("memory in MB: " + " ".join(f"{mb:.0f}" for mb in tally.memory_mb))
    for text in tally.failed[:5]:
        print(f"failed: {text}")


if __name__ == "__main__":
    main()
