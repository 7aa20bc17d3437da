"""A request as VROOM reads it: what VROOM does not know counts for nothing, and is told of.

In files (`nco.load`) a key that is nearly right is refused, because it surely is a slip. Clients of
vroom-express have been answered for years whatever else they send, so that here they are as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nco.data.formats.json_file import Fields
from nco.data.formats.vroom_keys import is_known, meant_by
from nco.data.formats.vroom_tasks import breaks_of
from nco.errors import quoted

_AMOUNTS = ("amount", "delivery", "pickup")
_MOST_TOLD = 20
# Where lists of objects, or an object, are below an object of a kind, and of which kind they are.
_BELOW = {
    "problem": {"vehicles": "vehicle", "jobs": "job", "shipments": "shipment"},
    "vehicle": {"breaks": "break", "steps": "step", "costs": "costs"},
    "shipment": {"pickup": "shipment step", "delivery": "shipment step"},
}


def as_vroom_reads(data: Fields) -> tuple[Fields, list[str]]:
    """The problem without what VROOM would not look at.

    Args:
        data: a request.

    Returns:
        The problem, and what of the rest may have been meant to count, in words.
    """
    notes: list[str] = []
    given = dict(data.data)
    matrix = given.pop("matrix", None)  # what `matrices` was called before there were profiles
    kept = _known(given, "problem", "", notes)
    if matrix is not None:
        vehicles = [one for one in kept.get("vehicles") or () if isinstance(one, dict)]
        profiles = {str(vehicle.get("profile", "car")) for vehicle in vehicles}
        kept.setdefault("matrices", {name: {"durations": matrix} for name in profiles})
    for job in kept.get("jobs") or ():
        if isinstance(job, dict) and "amount" in job and ("delivery" in job or "pickup" in job):
            del job["amount"]  # their former name, which counts where they are not
    tasks = [task for key in ("jobs", "shipments") for task in kept.get(key) or ()]
    if not any(_carried(task) for task in tasks):
        for vehicle in kept.get("vehicles") or ():
            if isinstance(vehicle, dict):
                vehicle.pop("capacity", None)  # there is nothing that could fill it
                for one in vehicle.get("breaks") or ():
                    if isinstance(one, dict):
                        one.pop("max_load", None)
    return Fields(data.path, data.where, kept), notes


def _carried(task: Any) -> bool:
    """Whether a task asks for room; `pickup` and `delivery` of shipments are places."""
    return isinstance(task, dict) and any(isinstance(task.get(key), list) for key in _AMOUNTS)


def _known(entry: Mapping[str, Any], kind: str, where: str, notes: list[str]) -> dict[str, Any]:
    """An object with the keys that VROOM knows, and so below."""
    kept: dict[str, Any] = {}
    for key, value in entry.items():
        place = f"{where}.{key}" if where else key
        if is_known(key, kind):
            kept[key] = _below(value, _BELOW.get(kind, {}).get(key), place, notes)
        elif (meant := meant_by(key, kind)) and len(notes) < _MOST_TOLD:
            notes.append(f"{place} is not known and was not used; did you mean {quoted(meant)}?")
    return kept


def _below(value: Any, kind: str | None, place: str, notes: list[str]) -> Any:
    if kind is None:
        return value
    if isinstance(value, dict):
        return _known(value, kind, place, notes)
    if isinstance(value, list):
        return list(_each(value, kind, place, notes))
    return value


def _each(values: list[Any], kind: str, place: str, notes: list[str]) -> Iterator[Any]:
    for k, value in enumerate(values):
        yield _known(value, kind, f"{place}[{k}]", notes) if isinstance(value, dict) else value


def in_own_words(answer: dict[str, Any], data: Fields) -> None:
    """Gives breaks the ids of the request, and steps and routes its descriptions, or none.

    Args:
        answer: of `vroom_answer`, which numbers breaks and describes steps by names of ours.
        data: the request.
    """
    described = {(kind, entry.data.get("id")): entry for kind, entry in _tasks(data)}
    vehicles = {vehicle.data.get("id"): vehicle for vehicle in data.children("vehicles")}
    for route in answer["routes"]:
        vehicle = vehicles[route["vehicle"]]
        _describe(route, vehicle)
        known = zip(breaks_of(vehicle), vehicle.children("breaks", []), strict=True)
        breaks = [entry for _, entry in sorted(known, key=lambda pair: pair[0].window_s)]
        for step in route["steps"]:
            if step["type"] == "break" and "id" in step:
                own = breaks[step["id"] - 1]
                step["id"] = own.data.get("id", step["id"])
            else:
                own = described.get((step["type"], step.get("id")), Fields("", "", {}))
            _describe(step, own)


def _tasks(data: Fields) -> Iterator[tuple[str, Fields]]:
    for job in data.children("jobs", []):
        yield "job", job
    for shipment in data.children("shipments", []):
        for kind in ("pickup", "delivery"):
            yield kind, shipment.child(kind)


def _describe(entry: dict[str, Any], own: Fields) -> None:
    entry.pop("description", None)
    if isinstance(own.data.get("description"), str):
        entry["description"] = own.data["description"]
