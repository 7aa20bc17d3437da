"""What is to be done in VROOM's input: jobs, and the two ends of each shipment."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import Fields, whole
from nco.data.formats.vroom_keys import check_keys
from nco.errors import listed, quoted
from nco.problem import Shipment
from nco.problem.priorities import MOST
from nco.problem.work_rules import Break

logger = logging.getLogger("nco")
MOST_ID = 2**64 - 1
FOREVER = 2**32 - 1  # how VROOM says that a window has no end


@dataclass(frozen=True)
class Task:
    """A stop.

    Attributes:
        kind: "job", "pickup" or "delivery".
        entry: its place, times and name.
        owner: what has its skills: the job, or the shipment that it is an end of.
        own: keys of the entry that VROOM does not know.
    """

    kind: str
    entry: Fields
    owner: Fields
    own: tuple[str, ...] = ()


def tasks_of(data: Fields) -> list[Task]:
    """The jobs, and then pickup and delivery of each shipment.

    Raises:
        FormatError: a key is not known, or there is nothing to do.
    """
    found = [
        Task("job", job, job, tuple(check_keys(job, "job"))) for job in data.children("jobs", [])
    ]
    for shipment in data.children("shipments", []):
        unused = check_keys(shipment, "shipment")
        if unused:
            logger.info("%s: not used: %s", shipment.place(""), listed(unused))
        for kind in ("pickup", "delivery"):
            step = shipment.child(kind)
            own = tuple(check_keys(step, "shipment step"))
            found.append(Task(kind, step, shipment, own))
    if not found:
        data.fail("jobs", "is empty; give at least one, or shipments")
    return found


def fields_of(tasks: Sequence[Task], first: int) -> dict[str, Any]:
    """The fields of a problem that its stops decide.

    Args:
        tasks: one a stop.
        first: number of the first stop.

    Raises:
        FormatError: an entry is malformed.
    """
    given = {
        "demand": [_amount(task, "delivery") for task in tasks],
        "pickup": [_amount(task, "pickup") for task in tasks],
        "shipped": [
            task.owner.wholes("amount", []) if task.kind == "pickup" else [] for task in tasks
        ],
    }
    width = max(len(amount) for amounts in given.values() for amount in amounts)
    tables = {name: _table(amounts, first, width) for name, amounts in given.items()}
    shipped = tables.pop("shipped")
    window = np.tile([0.0, np.inf], (first + len(tasks), 1))
    more: dict[int, list[tuple[float, float]]] = {}
    service = np.zeros(first + len(tasks))
    priority = np.zeros(first + len(tasks))
    skills = {}
    for j, task in enumerate(tasks, start=first):
        window[j], *further = windows_of(task.entry)
        if further:
            more[j] = further
        service[j] = task.entry.whole("service", 0)
        priority[j] = task.owner.whole("priority", 0, most=MOST)
        words = words_of(task.owner)
        if words:
            skills[j] = words
    if len(set(priority[first:])) > 1:
        logger.info(
            "%s: no task is left out for others of a lower priority, however many; VROOM adds "
            "priorities up",
            tasks[0].entry.path,
        )
    shipments = tuple(
        Shipment(pickup=j, delivery=j + 1, amount=tuple(shipped[j].tolist()))
        for j, task in enumerate(tasks, start=first)
        if task.kind == "pickup"
    )
    return {
        **tables,
        "window_s": window,
        "more_windows_s": more,
        "service_s": service,
        "priority": priority,
        "skills": skills,
        "shipments": shipments,
        "details": _details(tasks, first),
    }


def _details(tasks: Sequence[Task], first: int) -> dict[int, dict[str, str]]:
    """Words and numbers under keys of one's own, which go along to every output."""
    found, told = dict[int, dict[str, str]](), dict[str, bool]()
    for j, task in enumerate(tasks, start=first):
        for key in task.own:
            value = task.entry.data[key]
            carried = isinstance(value, str | int | float) and bool(key.strip())
            told[key] = told.get(key, False) or carried
            if carried:
                found.setdefault(j, {})[key] = str(value)
    for text, names in (
        ("keys that VROOM does not know go along to the output: %s", [k for k in told if told[k]]),
        ("keys that VROOM does not know are not used: %s", [k for k in told if not told[k]]),
    ):
        if names:
            logger.info(text, listed(names))
    return found


def words_of(entry: Fields) -> frozenset[str]:
    """Skills, which are numbers in VROOM, as words."""
    return frozenset(map(str, entry.wholes("skills", [])))


def services_by_type(
    tasks: Sequence[Task], vehicles: Sequence[Fields], service_s: Floats
) -> dict[str, Floats]:
    """`[N]` service of vehicles by their type, for types with a time of their own.

    Raises:
        FormatError: an entry is malformed.
    """
    types = {vehicle.text("type", "") for vehicle in vehicles}
    found: dict[str, Floats] = {}
    first = len(service_s) - len(tasks)
    for j, task in enumerate(tasks, start=first):
        for name, value in task.entry.child("service_per_type", {}).data.items():
            place = f"service_per_type.{name}"
            seconds = whole(value, lambda text, e=task.entry, p=place: e.fail(p, text))  # type: ignore[misc]
            if name not in types:
                logger.warning("%s names a type that no vehicle has", task.entry.place(place))
                continue
            found.setdefault(name, service_s.copy())[j] = seconds
    return found


def interval(entry: Fields, key: str) -> tuple[float, float]:
    """Two times, the second infinite where VROOM has its largest."""
    window = entry.wholes(key, [0, FOREVER])
    if len(window) != 2 or window[1] < window[0]:
        entry.fail(key, f"is {quoted(window)}; it must be [earliest, latest] in seconds")
    return float(window[0]), np.inf if window[1] >= FOREVER else float(window[1])


def titles_of(tasks: Sequence[Task], names: str) -> Iterator[tuple[Fields, str, str]]:
    """Entry, key and title of each stop: its id, or its description.

    A pickup and a delivery may have the id of a job, so their ids follow what they are.
    """
    for task in tasks:
        title = str(task.entry.whole("id", most=MOST_ID))
        if names == "description":
            title = task.entry.text("description", "")
        elif task.kind != "job":
            title = f"{task.kind} {title}"
        yield task.entry, names, title


def windows_of(entry: Fields) -> list[tuple[float, float]]:
    """The windows of a task or a break, in order; one without an end if it has none."""
    given = entry.items("time_windows", [])
    named = {f"time_windows[{k}]": window for k, window in enumerate(given)}
    place = Fields(entry.path, entry.where, named)
    return sorted(interval(place, key) for key in named) or [(0.0, np.inf)]


def breaks_of(vehicle: Fields) -> tuple[Break, ...]:
    """Breaks of a vehicle.

    Raises:
        FormatError: an entry is malformed, or asks for more than a `Break` can say.
    """
    found = []
    for entry in vehicle.children("breaks", []):
        check_keys(entry, "break")
        window, *further = joined_windows(entry)
        if further:
            entry.fail(
                "time_windows",
                f"are {1 + len(further)} with gaps between them; a break here begins in one "
                "window, give one",
            )
        found.append(Break(window_s=window, length_s=float(entry.whole("service", 0))))
    return tuple(found)


def joined_windows(entry: Fields) -> list[tuple[float, float]]:
    """The windows of a break in order, of which those that touch are one."""
    found: list[tuple[float, float]] = []
    for begin, end in windows_of(entry):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _amount(task: Task, key: str) -> list[int]:
    """What a job gives or takes."""
    if task.kind != "job":
        return []
    job = task.entry
    if key == "delivery" and "amount" in job:
        both = [name for name in ("delivery", "pickup") if name in job]
        if both:
            job.fail("amount", f"is what `delivery` was called once; remove it beside {both[0]}")
        return job.wholes("amount")
    return job.wholes(key, [])


def _table(amounts: Sequence[Sequence[int]], first: int, width: int) -> Floats:
    table = np.zeros((first + len(amounts), width))
    for j, amount in enumerate(amounts, start=first):
        table[j, : len(amount)] = amount
    return table
