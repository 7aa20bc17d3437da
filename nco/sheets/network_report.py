"""A bus network before and after a change, for those who decide: HTML and PDF."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nco.plot.transit_figures import picture
from nco.sheets.html import map_figure, page, table
from nco.sheets.pdf import Pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.data.cities.city import City
    from nco.transit.operate.compare import Comparison, Side

_NOTE = (
    "Minutes are minutes on board: walking and waiting count as often as the prices say, and a "
    "transfer as many minutes as they say. Better and worse are by a minute or more."
)
_BY_CHOICE = (
    "By district, minutes are those of the choice among bus, car and feet (the logsum of all, from "
    "which who gains and who loses follows as well), so they lie below those of trips by bus."
)
_FACTS = (
    ("trips an hour", "trips_per_h", "{:.0f}"),
    ("by bus", "by_bus", "{:.1%}"),
    ("on foot", "on_foot", "{:.1%}"),
    ("without a journey that anybody would take", "lost", "{:.1%}"),
    ("minutes that a trip is worth", "minutes", "{:.1f}"),
    ("walk, minutes a trip by bus", "mean_walk_min", "{:.1f}"),
    ("wait, minutes", "mean_wait_min", "{:.1f}"),
    ("ride, minutes", "mean_ride_min", "{:.1f}"),
    ("of it standing, minutes", "mean_stand_min", "{:.1f}"),
    ("transfers a trip by bus", "transfers_per_trip", "{:.2f}"),
    ("buses", "fleet", "{:.0f}"),
    ("kilometres of buses an hour", "bus_km_per_h", "{:.0f}"),
    ("cost of the operator an hour", "operator_per_h", "{:.0f}"),
    ("cost of passengers and operator an hour", "cost_per_h", "{:.0f}"),
    ("passengers an hour without room", "overload_per_h", "{:.0f}"),
    ("largest detour of a line", "largest_line_detour", "{:.2f}"),
)
_MODES = (
    ("of all trips, by bus", "share_bus", "{:.1%}"),
    ("of all trips, by car", "share_car", "{:.1%}"),
    ("of all trips, on foot", "share_foot", "{:.1%}"),
    ("of all trips, not made", "share_stay", "{:.1%}"),
)
_DAYS = (
    ("passengers a day simulated", "generated", 1.0, ".0f"),
    ("wait, minutes", "mean_wait_s", 60.0, ".2f"),
    ("ride, minutes", "mean_ride_s", 60.0, ".2f"),
    ("share that changes buses", "transfer_share", 1.0, ".3f"),
    ("fullest stretch, passengers a bus", "peak_load", 1.0, ".1f"),
)
_DISTRICTS = ("around", "stops", "trips an hour", "before, min", "after, min", "better", "worse")
_LINES = ("line", "from", "to", "stops", "an hour", "buses", "fullest stretch")


def report_html(found: Comparison, title: str, city: City | None = None) -> str:
    """The report as one page that needs nothing else.

    Args:
        found: before and after.
        title: of the page.
        city: its streets are drawn; None draws straight lines.
    """
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(_summary(found))}</p>",
        f'<p class="faint">{escape(_note(found))}</p>',
        table(("", found.before.title, found.after.title), _escaped(_facts(found)), 1),
        "<h2>Who gains and who loses</h2>",
        table(_DISTRICTS, _escaped(_districts(found)), 1),
    ]
    for side in (found.before, found.after):
        body += [
            f"<h2>{escape(side.title)}</h2>",
            map_figure(picture(found.instance, side.lines, city, names=side.names)),
            table(_LINES, _escaped(_lines(found, side)), 3),
        ]
    return page(title, body)


def report_pdf(found: Comparison, title: str, city: City | None = None) -> bytes:
    """The report as a PDF; see `report_html`."""
    facts, districts = _facts(found), _districts(found)
    sides = [(side, _lines(found, side)) for side in (found.before, found.after)]
    text = " ".join([title, *(cell for _, rows in sides for row in rows for cell in row)])
    pages = _Report(text + " ".join(cell for row in districts for cell in row), title)
    try:
        pages.overview(found, title, facts, districts)
        for side, rows in sides:
            png = picture(found.instance, side.lines, city, names=side.names)
            pages.network(side.title, png, rows)
        return pages.content()
    finally:
        pages.close()


class _Report(Pages):
    """A PDF of a comparison."""

    def overview(
        self,
        found: Comparison,
        title: str,
        facts: Sequence[Sequence[str]],
        districts: Sequence[Sequence[str]],
    ) -> None:
        """The page of numbers."""
        self._begin(title, _note(found))
        self._say(_summary(found))
        self._table(("", found.before.title, found.after.title), facts, (96, 45, 45), 1)
        self._pdf.ln(4)
        self._table(_DISTRICTS, districts, (60, 16, 24, 24, 24, 19, 19), 1)
        self._end()

    def network(self, title: str, png: bytes, rows: Sequence[Sequence[str]]) -> None:
        """The page of one of the networks."""
        self._begin(title, "")
        self._map(png)
        self._table(_LINES, rows, (22, 52, 52, 14, 16, 14, 16), 3)
        self._end()


def _escaped(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[escape(cell) for cell in row] for row in rows]


def _note(found: Comparison) -> str:
    """What minutes are; by district they are other ones where people choose how to travel."""
    return _NOTE if found.before.modes is None else f"{_NOTE} {_BY_CHOICE}"


def _summary(found: Comparison) -> str:
    return (
        f"{found.gain:.0%} of the trips are better, {found.lose:.0%} are worse; a trip is worth "
        f"{found.before.cost.minutes:.1f} minutes before and {found.after.cost.minutes:.1f} after, "
        f"with {found.before.cost.fleet} and {found.after.cost.fleet} buses."
    )


def _facts(found: Comparison) -> list[list[str]]:
    before, after = found.before.facts(), found.after.facts()
    rows = [
        [text, shape.format(before[key]), shape.format(after[key])]
        for text, key, shape in (*_FACTS, *_MODES)
        if key in before
    ]
    rows += _simulated(found)
    who = "people" if found.people else "trips"
    walk = f"{who} with a line within a walk"
    return [*rows, [walk, f"{found.before.catchment:.1%}", f"{found.after.catchment:.1%}"]]


def _simulated(found: Comparison) -> list[list[str]]:
    """Figures of several days of random demand, each with its standard error."""
    sides = found.before.days, found.after.days
    return [
        [
            f"simulated: {text}",
            *(
                f"{side[key].mean / unit:{shape}} ± {side[key].error / unit:{shape}}"
                for side in sides
            ),
        ]
        for text, key, unit, shape in _DAYS
        if all(key in side for side in sides)
    ]


def _districts(found: Comparison) -> list[list[str]]:
    return [
        [
            one.name,
            str(one.stops),
            f"{one.trips:.0f}",
            f"{one.before_min:.1f}",
            f"{one.after_min:.1f}",
            f"{one.gain:.0%}",
            f"{one.lose:.0%}",
        ]
        for one in found.districts
    ]


def _lines(found: Comparison, side: Side) -> list[list[str]]:
    stops = found.instance.names
    return [
        [
            name,
            stops[line[0]],
            stops[line[-1]],
            str(len(line)),
            f"{per_h:.1f}",
            str(buses),
            f"{full:.0%}",
        ]
        for name, line, per_h, buses, full in zip(
            side.names,
            side.lines,
            side.cost.per_h.tolist(),
            side.cost.buses.tolist(),
            side.fullness.tolist(),
            strict=True,
        )
    ]
