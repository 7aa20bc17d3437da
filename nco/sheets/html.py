"""Sheets as HTML that needs nothing else: maps and codes are inside, everything is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO

from nco.sheets import links
from nco.sheets.links import Part
from nco.sheets.sheet import Day, Line, Sheet

_STYLE = """
body{font:14px/1.35 system-ui,sans-serif;color:#22262b;margin:1.2em;max-width:62em}
h1{font-size:1.5em;margin:0}h2{font-size:1.15em;margin:1.2em 0 .3em}p{margin:.3em 0}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25em .5em;border-bottom:1px solid #c6ccd4;
overflow-wrap:anywhere}
th{font-weight:600;border-bottom:2px solid #22262b}td.n,th.n{text-align:right;white-space:nowrap}
td.name{min-width:11em}tr.depot td{background:#eef0f2}tr{break-inside:avoid}
.faint{color:#6b727c}.bad{color:#b00020;font-weight:600}img.map{width:100%;max-width:60em}
figure.code{display:inline-block;margin:.5em 1em .5em 0;text-align:center}
figure.code svg{width:9em;height:9em}a{color:#0072b2}
@media print{body{margin:0;max-width:none}a{color:inherit;text-decoration:none}.app{display:none}}
"""
_HEAD = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data:; style-src 'unsafe-inline'\">"
)
NO_PLACES = "The problem has no coordinates, so there is no map and nothing to navigate by."


def sheet_page(
    day: Day, sheet: Sheet, parts: Sequence[Part], picture: bytes | None, profile: str, gpx: str
) -> str:
    """The page of a vehicle.

    Args:
        day: that it is a part of.
        sheet: of the vehicle.
        parts: links to its route.
        picture: a PNG of its way; None where there are no coordinates.
        profile: how it moves.
        gpx: name of the file with its way; empty for none.
    """
    facts = f"{sheet.stops} stops, {sheet.km} km, {sheet.duty} on duty ({sheet.driving} driving)"
    body = [
        f"<h1>{escape(sheet.name)}</h1>",
        f'<p class="faint">{_joined(day.title, day.date)}</p>',
        f"<p>{facts}; leaves at {sheet.departure}, ends at {sheet.end}</p>",
        *(f"<p>{escape(f'{title}: {text}')}</p>" for title, text in sheet.others.items()),
        *(f'<p class="bad">{escape(message)}</p>' for message in sheet.breaks),
        map_figure(picture),
        _codes(sheet, parts, gpx),
        _stops(sheet.lines, profile),
    ]
    return page(f"{sheet.name} - {day.title}", body)


def summary_page(day: Day, pages: Sequence[str], picture: bytes | None) -> str:
    """The page for the dispatcher.

    Args:
        day: all vehicles.
        pages: names of the files of their pages.
        picture: a PNG of all ways.
    """
    rows = [
        [
            f'<a href="{escape(page)}">{escape(sheet.name)}</a>',
            str(sheet.stops),
            sheet.km,
            sheet.departure,
            sheet.end,
            sheet.duty,
            sheet.driving,
            escape(sheet.most_load),
            f'<span class="bad">{sheet.late}</span>' if sheet.late else "0",
        ]
        for sheet, page in zip(day.sheets, pages, strict=True)
    ]
    late = f', <span class="bad">{day.late} late</span>' if day.late else ""
    total = f"{len(day.sheets)} vehicles, {day.stops} stops, {day.km} km, {day.duty}{late}"
    body = [
        f"<h1>{escape(day.title)}</h1>",
        f'<p class="faint">{escape(day.date)}</p>',
        f"<p>{total}; {day.idle} vehicles stay at home; {len(day.unserved)} stops not served</p>",
        *(f'<p class="bad">{escape(message)}</p>' for message in day.breaks),
    ]
    if day.sheets:
        body += [map_figure(picture), table(SUMMARY, rows, first_words=1)]
    else:
        body.append("<p>No vehicle drives.</p>")
    if day.unserved:
        reasons = [[escape(name), escape(reason)] for name, reason in day.unserved]
        body += ["<h2>Not served</h2>", table(("stop", "reason"), reasons, first_words=2)]
    return page(f"{day.title} - summary", body)


SUMMARY = ("vehicle", "stops", "km", "leaves", "ends", "on duty", "driving", "most on board",
           "late")  # fmt: skip


def page(title: str, body: Iterable[str]) -> str:
    """A whole page with the style of all sheets; the parts of its body are HTML."""
    inside = "\n".join(part for part in body if part)
    head = f"{_HEAD}<title>{escape(title)}</title><style>{_STYLE}</style></head>"
    return f"{head}<body>\n{inside}\n</body></html>\n"


def _joined(*parts: str) -> str:
    return escape(", ".join(part for part in parts if part))


def map_figure(picture: bytes | None) -> str:
    """A map inside the page; a PNG, or None where nothing has coordinates."""
    if picture is None:
        return f'<p class="faint">{NO_PLACES}</p>'
    inside = base64.b64encode(picture).decode()
    return f'<img class="map" alt="map of the route" src="data:image/png;base64,{inside}">'


def _codes(sheet: Sheet, parts: Sequence[Part], gpx: str) -> str:
    """A code and a link for each part of the route."""
    figures = [
        f'<figure class="code"><a href="{escape(part.url)}">{_code(part.url)}<figcaption>'
        f"Google Maps: {escape(caption(sheet, part, len(parts)))}</figcaption></a></figure>"
        for part in parts
    ]
    file = f'<p>For other apps and devices: <a href="{escape(gpx)}">{escape(gpx)}</a></p>'
    return "".join(figures) + (file if gpx else "")


def caption(sheet: Sheet, part: Part, count: int) -> str:
    """Which stops a link leads to; it begins where the one before ended."""
    if count == 1:
        return "the whole route"
    placed = [line for line in sheet.lines if line.lonlat is not None]
    numbers = [line.number for line in placed[part.first + 1 : part.last + 1] if line.number]
    if not numbers:
        return "to the depot"
    return f"stops {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"stop {numbers[0]}"


def _code(url: str) -> str:
    svg = BytesIO()
    links.code(url).save(svg, kind="svg", xmldecl=False, omitsize=True)
    return svg.getvalue().decode()


def _stops(lines: Sequence[Line], profile: str) -> str:
    header = ("", "stop", "window", "arrival", "departure", "on board", "km", "total km")
    rows = []
    for line in lines:
        cells = [
            str(line.number or ""),
            _stop(line, profile),
            escape(line.window),
            line.arrival,
            line.departure,
            escape(line.load),
            line.leg_km,
            line.km,
        ]
        rows.append((cells, "" if line.number else "depot"))
    return table(header, [cells for cells, _ in rows], 3, [kind for _, kind in rows])


def _stop(line: Line, profile: str) -> str:
    """Name, address, phone and notes of a stop, and links to it."""
    parts = [f"<b>{escape(line.name)}</b>"]
    if line.address:
        parts.append(escape(line.address))
    if line.phone:
        dial = links.tel(line.phone)
        text = escape(line.phone)
        parts.append(f'<a href="{escape(dial)}">{text}</a>' if dial else text)
    if line.notes:
        parts.append(f"<i>{escape(line.notes)}</i>")
    parts += [
        f'<span class="faint">{escape(title)}: {escape(text)}</span>'
        for title, text in line.others.items()
    ]
    if line.remark:
        kind = "bad" if line.late_s else "faint"
        parts.append(f'<span class="{kind}">{escape(line.remark)}</span>')
    if line.lonlat is not None:
        apps = {
            "Google": links.google(line.lonlat, profile),
            "Apple": links.apple(line.lonlat, profile),
            "other app": links.geo(line.lonlat, line.name),
        }
        shown = " ".join(f'<a href="{escape(url)}">{name}</a>' for name, url in apps.items())
        parts.append(f'<span class="app faint">{shown}</span>')
    return "<br>".join(parts)


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    first_words: int,
    kinds: Sequence[str] | None = None,
) -> str:
    """A table of cells that are HTML; columns after the first ones hold numbers."""

    def row(tag: str, cells: Sequence[str], kind: str = "") -> str:
        inside = "".join(
            f"<{tag}{'' if k < first_words else ' class="n"'}>{cell}</{tag}>"
            for k, cell in enumerate(cells)
        )
        return f'<tr class="{kind}">{inside}</tr>' if kind else f"<tr>{inside}</tr>"

    body = [row("td", cells, kinds[k] if kinds else "") for k, cells in enumerate(rows)]
    head = row("th", [escape(title) for title in header])
    return f"<table><thead>{head}</thead><tbody>\n" + "\n".join(body) + "\n</tbody></table>"
