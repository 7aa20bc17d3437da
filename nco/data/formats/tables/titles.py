"""What columns of tables may be called: one list of names, each with those that mean the same.

Titles are compared without regard to case, spaces and signs: `TW start`, `tw_start` and `TwStart`
are one. Behind a length of time or a distance its unit may stand: `service_min`, `Service (min)`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nco.data.formats.tables.faults import Faults
from nco.errors import quoted

STOPS: Mapping[str, tuple[str, ...]] = {
    "name": ("stop", "stop name", "customer", "customer name", "client", "client name"),
    "id": ("stop id", "order id", "order number", "order no"),
    "kind": ("type", "stop type", "stop kind"),
    "lat": ("latitude", "y", "lat wgs84", "latitude wgs84", "gps lat"),
    "lon": ("longitude", "lng", "long", "x", "lon wgs84", "longitude wgs84", "gps lon"),
    "lat_lon": ("lat long", "lat lng", "latitude longitude", "coordinates", "coords", "gps"),
    "demand": ("demand 1", "quantity", "qty", "amount", "load", "delivery amount",
               "parcels", "packages", "boxes", "crates", "pallets"),
    "pickup": ("pickup 1", "pickup amount", "pickup quantity", "collection amount"),
    "window": ("windows", "time window", "time windows", "tw", "time slot", "slot",
               "opening hours", "delivery window", "delivery hours"),
    "window_start": ("tw start", "time window start", "start", "start time", "earliest",
                     "earliest time", "earliest start", "ready time", "open", "opens", "opening",
                     "open time", "opening time", "from", "time from", "not before", "after",
                     "arrive after"),
    "window_end": ("tw end", "time window end", "end", "end time", "latest", "latest time",
                   "latest start", "due time", "deadline", "close", "closes", "closing",
                   "close time", "closing time", "to", "time to", "until", "not after", "before",
                   "arrive before"),
    "date": ("day", "delivery date", "visit date"),
    "service": ("service time", "service duration", "duration", "stop time", "dwell time",
                "handling time", "unloading time", "unload", "unloading"),
    "setup": ("setup time", "parking time"),
    "soft_start": ("soft window start", "preferred start", "preferred from", "wished from"),
    "soft_end": ("soft window end", "preferred end", "preferred to", "preferred until",
                 "wished until"),
    "early_cost_per_hour": ("early cost", "cost per hour early", "early penalty"),
    "late_cost_per_hour": ("late cost", "cost per hour late", "late penalty"),
    "prize": ("penalty",),
    "priority": ("importance",),
    "required": ("mandatory",),
    "release": ("release time", "released", "available from"),
    "skills": ("skill", "required skills", "requirements", "requires"),
    "group": ("alternatives", "group id"),
    "same_vehicle": ("same driver", "together"),
    "different_vehicles": ("different drivers", "apart"),
    "visit_before": ("visited before", "served before"),
    "allowed_vehicles": ("allowed vehicle", "allowed", "only vehicles", "only vehicle"),
    "pickup_of": ("is pickup of",),
    "delivery_of": ("is delivery of", "pickup at", "pickup from"),
    "address": ("street address", "full address", "address 1", "address line 1",
                "delivery address"),
    "street": ("street name",),
    "house_number": ("house no", "street number", "street no"),
    "postcode": ("postal code", "zip", "zip code"),
    "city": ("town", "municipality"),
    "country": (),
    "phone": ("phone number", "phone no", "telephone", "tel"),
    "email": ("email address",),
    "contact": ("contact name", "contact person"),
    "notes": ("note", "comment", "comments", "remark", "remarks"),
}  # fmt: skip
"""Columns of a table of stops."""

FLEET: Mapping[str, tuple[str, ...]] = {
    "name": ("vehicle", "vehicle name", "vehicle id", "id"),
    "driver": ("driver name",),
    "count": ("number", "quantity", "how many"),
    "depot": ("home", "base"),
    "start": ("start depot", "start at", "start location", "from"),
    "end": ("end depot", "end at", "end location", "to"),
    "capacity": ("capacity 1", "max load", "payload"),
    "shift": ("hours", "working hours", "time window", "window"),
    "shift_start": (
        "start time",
        "tw start",
        "window start",
        "earliest",
        "earliest start",
        "time window start",
        "begin",
    ),
    "shift_end": ("end time", "tw end", "window end", "latest", "latest end", "time window end"),
    "break_start": ("break from", "break earliest", "lunch start", "pause start"),
    "break_end": ("break to", "break latest", "break until", "lunch end", "pause end"),
    "break_length": ("break duration", "break time", "lunch length", "pause length"),
    "rest_after": ("rest after driving", "driving before rest"),
    "rest_length": ("rest duration", "rest time"),
    "overtime_after": ("overtime from", "overtime start"),
    "skills": ("skill", "equipment"),
    "profile": ("mode", "travel mode"),
    "speed": ("speed factor",),
    "fixed_cost": ("cost fixed", "fixed", "cost per day", "cost per use"),
    "cost_per_km": ("cost km", "km cost", "per km", "cost per kilometre", "cost per kilometer"),
    "cost_per_hour": ("cost hour", "hourly cost", "per hour", "cost per h", "hourly rate", "wage"),
    "cost_per_overtime_hour": ("overtime cost", "overtime rate", "cost per hour overtime"),
    "max_distance": ("longest distance", "distance limit"),
    "max_duration": ("longest duration", "max duty", "duration limit", "max working time"),
    "max_driving": ("max driving time", "longest driving", "driving limit"),
    "max_stops": ("most stops", "stop limit"),
    "trips": ("max trips", "most trips", "tours", "max tours"),
    "reload_at": ("reload depots", "loads again at", "reload"),
    "loading": ("loading time",),
    "unloading": ("unloading time",),
}
"""Columns of a table of vehicles."""

WORDS = ("id", "address", "street", "house_number", "postcode", "city", "country", "phone", "email",
         "contact", "notes")  # fmt: skip
"""Columns of stops that are carried through under these names."""

_TIMES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
}
_METRES = {"m": 1.0, "metres": 1.0, "meters": 1.0, "km": 1e3, "kilometres": 1e3, "kilometers": 1e3,
           "miles": 1609.344}  # fmt: skip
_UNITS = {
    **dict.fromkeys(
        (
            "service",
            "setup",
            "max_duration",
            "max_driving",
            "loading",
            "unloading",
            "break_length",
            "rest_after",
            "rest_length",
        ),
        _TIMES,
    ),
    "max_distance": _METRES,
}
_NUMBERED = frozenset({"demand", "pickup", "capacity", "window", "window_start", "window_end"})
_ROUTES = frozenset({"route", "vehicle", "position", "stop"})
_ORDINARY = frozenset({"price", "prices"})  # words that only look like names of columns
_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_LONG = (5, 40)  # letters of a title that is looked at for slips


type _Index = dict[str, tuple[str, float | None]]


def plain(title: str) -> str:
    """A title without what does not count: small letters and digits alone."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    return "".join(filter(str.isalnum, folded))


def _index(known: Mapping[str, tuple[str, ...]]) -> _Index:
    """Name of the column, and its unit in seconds or metres, of each title that is known."""
    found: _Index = {}
    for name, others in known.items():
        for title in (name, *others):
            found[plain(title)] = (name, None)
            for unit, factor in _UNITS.get(name, {}).items():
                found[plain(title) + unit] = (name, factor)
    return found


_INDEX = {id(STOPS): _index(STOPS), id(FLEET): _index(FLEET)}
_BY_LENGTH = {  # titles that are a letter longer or shorter at most
    id(index): {
        size: [title for title in index if abs(len(title) - size) < 2]
        for size in range(_LONG[0], _LONG[1] + 1)
    }
    for index in _INDEX.values()
}


def is_known(title: str) -> bool:
    """Whether a table has such a column."""
    key = plain(title)
    if key in _ROUTES:
        return True
    return any(_column(key, index) or _in_a_unit(title, index) for index in _INDEX.values())


def name_of(title: str, known: Mapping[str, tuple[str, ...]]) -> str:
    """Which column a title means, "" if none of this kind of table."""
    found = _column(plain(title), _INDEX[id(known)])
    return "" if found is None else found[0]


def mostly(header: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether most titles of a table are columns of this kind of table."""
    titles = [title for title in header if plain(title)]
    return 2 * sum(bool(name_of(title, known)) for title in titles) > len(titles)


def _column(key: str, index: _Index) -> tuple[str, float | None] | None:
    """Name and unit of the column that a title means; None if it is not known."""
    first, _ = index.get(key[:-1], ("", None))
    if key in index or first not in _NUMBERED or key[-1] not in "123456789":
        return index.get(key)
    return first if key[-1] == "1" else f"{first}_{key[-1]}", None


@dataclass
class Columns:
    """Where each column stands.

    Attributes:
        at: index by name.
        titles: as they stand in the file, by name.
        units: seconds or metres that a number counts, where the title says so, by name.
        others: index by title of columns that are not known.
        copies: how many of these have the same title, by title.
    """

    at: dict[str, int] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    units: dict[str, float] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    copies: defaultdict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1))

    def __contains__(self, name: str) -> bool:
        return name in self.at

    def title(self, name: str) -> str:
        """What the file calls a column."""
        return self.titles.get(name, name)

    def numbered(self, name: str, faults: Faults) -> list[str]:
        """`demand`, `demand_2`, ... as far as they go."""
        given = sorted(found for found in self.at if re.fullmatch(rf"{name}(_[2-9])?", found))
        wanted = [name, *(f"{name}_{k}" for k in range(2, 10))][: len(given)]
        if given != wanted:
            faults.about_titles(f"columns {', '.join(given)}; number them {', '.join(wanted)}")
        return given


def columns_of(
    header: Iterable[str], known: Mapping[str, tuple[str, ...]], faults: Faults
) -> Columns:
    """Find the columns of a table; what is wrong with its titles goes to `faults`.

    Args:
        header: the titles.
        known: `STOPS` or `FLEET`.
        faults: where to say that two mean the same, or that one looks misspelt.
    """
    index = _INDEX[id(known)]
    columns = Columns()
    for k, title in enumerate(header):
        key = plain(title)
        if not key or title.startswith("#"):
            continue
        found = _column(key, index) or _in_a_unit(title, index)
        if found is None:
            _add_other(columns, title, k, index, faults)
            continue
        name, unit = found
        if name in columns.at:
            faults.about_titles(_twice(columns.titles[name], title, name))
            continue
        columns.at[name], columns.titles[name] = k, title
        if unit is not None:
            columns.units[name] = unit
    return columns


def _in_a_unit(title: str, index: _Index) -> tuple[str, float | None] | None:
    """The column of a title with a remark in brackets, such as `Demand (kg)`."""
    bare = plain(_BRACKETS.sub("", title))
    found = _column(bare, index) if bare else None
    return None if found is None or found[0] in _UNITS else found


def _twice(first: str, second: str, name: str) -> str:
    """Two columns for the same."""
    if plain(first) == plain(second):
        return f"column {quoted(first)} is there twice; remove one, or put # before its title"
    return (
        f"columns {quoted(first)} and {quoted(second)} mean the same ({name}); remove one, or put "
        "# before its title"
    )


def _add_other(columns: Columns, title: str, k: int, index: _Index, faults: Faults) -> None:
    """Keep a column that is not known, or say that its title looks misspelt."""
    meant = _meant(plain(title), index)
    if meant:
        faults.about_titles(
            f"column {k + 1} is named {quoted(title)}; did you mean {quoted(meant)}? Put # before "
            "its title if not"
        )
    other = title
    while other in columns.others:
        columns.copies[title] += 1
        other = f"{title} ({columns.copies[title]})"
    columns.others[other] = k


def _meant(key: str, index: _Index) -> str:
    """The title that differs by one slip: a letter more, less, other, or two exchanged."""
    if (
        not _LONG[0] <= len(key) <= _LONG[1]
        or key in _ORDINARY
        or key.rstrip("0123456789") in index
    ):
        return ""
    cuts = [(key[:k], key[k:]) for k in range(len(key) + 1)]
    shorter = {a + b[1:] for a, b in cuts if b}
    exchanged = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    alike = (shorter | exchanged) & index.keys()
    for title in _BY_LENGTH[id(index)][len(key)]:
        if title in alike or _one_letter(title, key):
            return index[title][0]
    return ""


def _one_letter(title: str, key: str) -> bool:
    """Whether one letter of `key` is another one in `title`, or missing."""
    same = next((k for k, (a, b) in enumerate(zip(title, key, strict=False)) if a != b), len(key))
    return title[same + 1 :] in (key[same + 1 :], key[same:]) and len(title) >= len(key)
