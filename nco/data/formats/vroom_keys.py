"""The keys of VROOM's input: which are used, which are refused, and which were surely meant."""

from __future__ import annotations

import difflib
from functools import lru_cache

from nco.data.formats.json_file import Fields
from nco.errors import listed, quoted

_PLACE = ("id", "description", "location", "location_index")
_STEP = (*_PLACE, "setup", "setup_per_type", "service", "service_per_type", "time_windows")
_KNOWN = {
    "problem": ("vehicles", "jobs", "shipments", "matrices", "options", "attribution"),
    "vehicle": (
        *("id", "profile", "description", "start", "start_index", "end", "end_index", "type"),
        *("capacity", "costs", "skills", "time_window", "speed_factor"),
        *("max_tasks", "max_travel_time", "max_distance", "steps", "breaks"),
    ),
    "job": (*_STEP, "delivery", "pickup", "amount", "skills", "priority"),
    "shipment": ("id", "description", "pickup", "delivery", "amount", "skills", "priority"),
    "shipment step": _STEP,
    "break": ("id", "description", "time_windows", "service"),
    "step": ("type", "id", "description", "service_at", "service_after", "service_before"),
    "costs": ("fixed", "per_hour", "per_task_hour", "per_km"),
    "matrix": ("durations", "distances", "costs"),
}
_REFUSED = {
    "problem": ("distribute_options",),
    "break": ("max_load",),
}
# What does instead, of that which is refused.
_OTHER_WAYS = {
    "max_load": "a break here is taken whatever is on board",
}
# What is written for a key that does not look like it.
_MEANT = {
    "matrix": "matrices",
    "deliveries": "delivery",
    "pickups": "pickup",
    "capacities": "capacity",
    "windows": "time_windows",
    "time_window": "time_windows",
    "service_time": "service",
    "coordinates": "location",
    "speed": "speed_factor",
}
# Where keys of one's own have nowhere to go to.
_OURS_ALONE = ("costs", "matrix", "step", "break")
# Keys that everybody may have, for whatever reason.
_ANYBODY = ("id", "description", "type", "attribution", "costs", "profile")


def check_keys(entry: Fields, kind: str) -> list[str]:
    """Refuse what cannot be expressed, and what looks like a slip of the pen.

    Args:
        entry: of the file.
        kind: "problem", "vehicle", "job", "shipment", "shipment step", "break", "step", "costs" or
            "matrix".

    Returns:
        Keys of one's own, which VROOM allows.

    Raises:
        FormatError: names the key, and what to do.
    """
    own, known = [], _KNOWN[kind]
    for key, value in entry.data.items():
        if key in _REFUSED.get(kind, ()) and value:
            other = f" ({_OTHER_WAYS[key]})" if key in _OTHER_WAYS else ""
            entry.fail(key, f"is something that a problem here cannot express; remove it{other}")
        if key in _KNOWN[kind] or key in _REFUSED.get(kind, ()):
            continue
        # VROOM allows keys of one's own, but one that is nearly right is surely meant.
        meant = _nearly(key, kind)
        if meant:
            entry.fail(key, f"is not known; did you mean {quoted(meant)}?")
        owners = [owner for owner in _KNOWN if owner != kind and key in _all(owner)]
        if owners and key not in _ANYBODY:
            entry.fail(key, f"does not belong to a {kind}; {listed(owners)} may have it")
        if kind in _OURS_ALONE:
            entry.fail(key, f"is not known; a {kind} has {listed(known)}")
        own.append(key)
    return own


def is_known(key: str, kind: str) -> bool:
    """Whether VROOM knows a key; `distribute_options` and such are others' own."""
    return key in _KNOWN[kind] or (kind, key) == ("break", "max_load")


def meant_by(key: str, kind: str) -> str | None:
    """The key that was probably meant by one that VROOM does not know; see `check_keys`."""
    return _nearly(key, kind)


def _all(kind: str) -> tuple[str, ...]:
    return (*_KNOWN[kind], *_REFUSED.get(kind, ()))


@lru_cache(maxsize=1000)
def _nearly(key: str, kind: str) -> str | None:
    """The key that is meant by one that is not known."""
    known = _KNOWN[kind]
    if _MEANT.get(key) in known:
        return _MEANT[key]
    return next(iter(difflib.get_close_matches(key, known, 1, cutoff=0.8)), None)
