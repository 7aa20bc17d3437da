"""Steps of vehicles in VROOM's input: routes to begin with, or to be driven as they are.

VROOM solves from them, or in plan mode (`-c`) tells how late they would be; `service_at`,
`service_after` and `service_before` count in plan mode only. Here the steps are a solution of the
problem in the same file: a search may begin with it, and `nco.check` tells what it breaks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nco.data.formats.json_file import Fields, read_bytes, read_json
from nco.data.formats.vroom_keys import check_keys
from nco.data.formats.vroom_tasks import MOST_ID, Task, tasks_of
from nco.errors import InputError, quoted
from nco.problem import Problem
from nco.problem.solution import Route, Solution

logger = logging.getLogger("nco")
_NO_STOPS = ("start", "end", "break")


def has_steps(path: Path) -> bool:
    """Whether a file is a problem of VROOM in which vehicles have steps.

    Raises:
        FormatError: there is no such file, or it is malformed.
        StorageError: it cannot be read.
    """
    if path.suffix.lower() != ".json" or b'"steps"' not in read_bytes(path):
        return False
    data = read_json(path)
    if not ("jobs" in data or "shipments" in data) or "vehicles" not in data:
        return False
    return any("steps" in vehicle for vehicle in data.children("vehicles"))


def vroom_steps(data: Fields, problem: Problem) -> Solution:
    """The routes that the steps of vehicles are.

    Args:
        data: VROOM's input.
        problem: read from it.

    Raises:
        FormatError: a step is malformed, or of a task that there is not.
        InputError: the problem is another one, or no vehicle has steps.
    """
    tasks = tasks_of(data)
    vehicles = data.children("vehicles")
    if len(tasks) != len(problem.stops) or len(vehicles) != len(problem.vehicles):
        raise InputError(
            f"{data.path} has {len(tasks)} tasks and {len(vehicles)} vehicles, but problem "
            f"{quoted(problem.name)} has {len(problem.stops)} and {len(problem.vehicles)}; give "
            "the problem that was read from this file"
        )
    if not any("steps" in vehicle for vehicle in vehicles):
        raise InputError(f"{data.path} holds a problem, and no vehicle has steps; give routes")
    routes: dict[int, list[int]] = {}
    for v, node, _ in _steps(vehicles, tasks, problem.depots):
        routes.setdefault(v, []).append(node)
    return Solution.from_routes(problem, [Route(v, tuple(stops)) for v, stops in routes.items()])


def narrow_windows(data: Fields, tasks: Sequence[Task], given: dict[str, Any]) -> None:
    """Let windows be what steps ask of the beginning of service, as in plan mode.

    Args:
        data: VROOM's input.
        tasks: one a stop.
        given: fields of the problem, of which windows are changed.

    Raises:
        FormatError: a step is malformed.
    """
    window_s, more = given["window_s"], given["more_windows_s"]
    first = len(window_s) - len(tasks)
    for _, node, step in _steps(data.children("vehicles"), tasks, first):
        after = max(step.whole(key, 0) for key in ("service_at", "service_after"))
        befores = [float(step.whole(k)) for k in ("service_at", "service_before") if k in step]
        before = min(befores, default=math.inf)
        if before < after:
            step.fail("service_before", f"is {before:g}, before service may begin ({after})")
        windows = [tuple(window_s[node].tolist()), *more.get(node, [])]
        both = [(max(begin, after), min(end, before)) for begin, end in windows]
        both = [(begin, end) for begin, end in both if begin <= end]
        if not both:
            logger.warning(
                "%s asks for service at a time that is in no window of its stop; the window counts",
                step.where,
            )
            continue
        window_s[node], *more[node] = both


def _steps(
    vehicles: Sequence[Fields], tasks: Sequence[Task], first: int
) -> Iterator[tuple[int, int, Fields]]:
    """Number of the vehicle, node and entry of each step that is a stop."""
    nodes = {
        (task.kind, task.entry.whole("id", most=MOST_ID)): node
        for node, task in enumerate(tasks, start=first)
    }
    for v, vehicle in enumerate(vehicles):
        for step in vehicle.children("steps", []):
            check_keys(step, "step")
            kind = step.text("type")
            if kind in _NO_STOPS:
                forced = [key for key in step.data if key.startswith("service_")]
                if forced:
                    logger.warning("%s is not used: it is no stop", step.place(forced[0]))
                continue
            if kind not in ("job", "pickup", "delivery"):
                step.fail(
                    "type",
                    f"is {quoted(kind)}; use start, job, pickup, delivery, break or end",
                )
            number = step.whole("id", most=MOST_ID)
            if (kind, number) not in nodes:
                step.fail("id", f"is {number}; there is no {kind} with this id")
            yield v, nodes[kind, number], step
