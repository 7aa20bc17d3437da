"""Requests that only VROOM can answer: breaks in one of several windows, or up to a largest load.

A `Problem` cannot say these. Streets are measured here, and the answer is VROOM's own, word for
word; `nco.check` has no part in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import Fields
from nco.data.formats.vroom_tasks import joined_windows, tasks_of
from nco.errors import InputError
from nco.problem import Problem

NO_WAY = 10**7  # seconds and metres where there is none: longer than any day
_LEVEL = 5


def is_needed(data: Fields) -> bool:
    """Whether a break asks for what a `Problem` cannot say."""
    breaks = (
        one for vehicle in data.children("vehicles") for one in vehicle.children("breaks", [])
    )
    return any(one.data.get("max_load") or len(joined_windows(one)) > 1 for one in breaks)


def without_such_breaks(data: Fields) -> Fields:
    """The problem without these breaks, to be read and measured."""
    kept = [
        {k: v for k, v in one.data.items() if k != "breaks"} for one in data.children("vehicles")
    ]
    return Fields(data.path, data.where, {**data.data, "vehicles": kept})


def answered(data: Fields, problem: Problem, limit_s: float, *, plan: bool) -> dict[str, Any]:
    """VROOM's answer.

    Args:
        data: the request.
        problem: that without such breaks, whose matrices count where the request has none.
        limit_s: seconds to search.
        plan: only time the given steps.

    Raises:
        InputError: VROOM refuses it.
    """
    import vroom
    from vroom import _vroom

    given, left = dict(data.data), list[dict[str, Any]]()
    if "matrices" in given:
        given["matrices"] = {
            name: {key: _whole(rows) for key, rows in one.items()}
            for name, one in given["matrices"].items()
        }
    else:
        given, left = _measured(data, problem)
        if not given["jobs"] and not given["shipments"]:
            raise InputError("no street is near enough to any of the tasks")
    model = vroom.Input()
    try:
        # Its public way reads a file, and would forget the distances.
        model._from_json(json.dumps(given), False)  # noqa: SLF001
        model._distances = any("distances" in one for one in given["matrices"].values())  # noqa: SLF001
        found = (
            model.check(nb_threads=1)
            if plan
            else model.solve(_LEVEL, nb_threads=1, timeout=timedelta(seconds=limit_s))
        )
    except _vroom.VroomInputException as error:
        raise InputError(str(error)) from None
    answer: dict[str, Any] = found.to_dict()
    answer["unassigned"] += left
    answer["summary"]["unassigned"] += len(left)
    for part in (answer["summary"], *answer["routes"]):
        part.setdefault("distance", 0)
    return answer


def _measured(data: Fields, problem: Problem) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The request with matrices, and tasks that no street is near enough to."""
    profile = problem.profiles[0]
    names = {vehicle.text("profile", "car") for vehicle in data.children("vehicles")}
    table = {"durations": _whole(profile.duration_s), "distances": _whole(profile.distance_m)}
    vehicles = []
    for entry, vehicle in zip(data.children("vehicles"), problem.vehicles, strict=True):
        ends = {"start_index": vehicle.start, "end_index": vehicle.end}
        vehicles.append(entry.data | {k: v for k, v in ends.items() if k[:-6] in entry})
    at = {id(task.entry.data): node for node, task in enumerate(tasks_of(data), problem.depots)}
    left: list[dict[str, Any]] = []

    def placed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {**entry, "location_index": at[id(entry)]}

    def is_near(*entries: tuple[str, Mapping[str, Any]]) -> bool:
        if not any(at[id(entry)] in problem.off_street for _, entry in entries):
            return True
        left.extend(
            {"id": entry["id"], "type": kind, "location": entry["location"]}
            for kind, entry in entries
        )
        return False

    jobs = [placed(job) for job in data.data.get("jobs") or () if is_near(("job", job))]
    shipments = [
        {**one, **{end: placed(one[end]) for end in ("pickup", "delivery")}}
        for one in data.data.get("shipments") or ()
        if is_near(*((end, one[end]) for end in ("pickup", "delivery")))
    ]
    measured = {
        "vehicles": vehicles, "jobs": jobs, "shipments": shipments,
        "matrices": dict.fromkeys(names, table),
    }  # fmt: skip
    return data.data | measured, left


def _whole(rows: Floats | list[list[float]]) -> list[list[int]]:
    """Whole numbers, as VROOM reads them."""
    table = np.array(rows, float)
    found: list[list[int]] = (
        np.where(np.isfinite(table), table, NO_WAY).round().astype(int).tolist()
    )
    return found
