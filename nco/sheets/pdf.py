"""Sheets as PDF, to be printed: a vehicle begins a page of its own."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from nco.sheets import links
from nco.sheets.fonts import BOX, dejavu, further, missing_of
from nco.sheets.html import NO_PLACES, SUMMARY, caption
from nco.sheets.links import Part
from nco.sheets.sheet import Day, Line, Sheet

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it tells of every letter that fonts lack
logging.getLogger("fontTools").setLevel(logging.ERROR)
_FONT = "sheet"
_LONGEST = 300  # letters in a cell: one of several pages cannot be laid out
_MARGIN, _SMALL, _PLAIN, _LARGE = 12.0, 7.5, 9.0, 15.0
_LEADING = 0.45  # millimetres of height a point of type
_CODE_MM, _CODES_A_ROW = 27.0, 6
_LACKING = (
    f"Letters that no font of this machine has are shown as {BOX} here; the HTML page has them."
)
_RED, _INK, _FAINT, _SHADE = (176, 0, 32), (34, 38, 43), (107, 114, 124), (238, 240, 242)


class Pages:
    """A PDF that grows page by page.

    Args:
        text: all that it will hold, to choose fonts by.
        title: of the document.
    """

    def __init__(self, text: str, title: str) -> None:
        regular, bold = dejavu()
        added = further(text)
        self._lacking = missing_of(text, [regular, *added])
        self._boxed = False  # whether a box stands on the page
        self._pdf = pdf = FPDF(format="A4")
        pdf.set_title(self._safe(title))
        pdf.set_margin(_MARGIN)
        pdf.set_auto_page_break(auto=True, margin=_MARGIN)
        pdf.add_font(_FONT, "", str(regular))
        pdf.add_font(_FONT, "B", str(bold))
        for k, font in enumerate(added):
            pdf.add_font(f"more{k}", "", str(font))
        pdf.set_fallback_fonts([f"more{k}" for k in range(len(added))], exact_match=False)

    def sheet(
        self,
        day: Day,
        sheet: Sheet,
        parts: Sequence[Part],
        picture: bytes | None,
        profile: str,
    ) -> None:
        """Add the pages of a vehicle; see `html.sheet_page`."""
        self._begin(sheet.name, ", ".join(part for part in (day.title, day.date) if part))
        self._say(
            f"{sheet.stops} stops, {sheet.km} km, {sheet.duty} on duty ({sheet.driving} driving); "
            f"leaves at {sheet.departure}, ends at {sheet.end}"
        )
        if sheet.others:
            self._say(", ".join(f"{title}: {text}" for title, text in sheet.others.items()))
        self._bad(sheet.breaks)
        self._map(picture)
        self._codes(sheet, parts)
        header = ("", "stop", "window", "arrival", "departure", "on board", "km", "total km")
        rows = [
            [
                str(line.number or ""),
                self._stop(line),
                line.window,
                line.arrival,
                line.departure,
                line.load,
                line.leg_km,
                line.km,
            ]
            for line in sheet.lines
        ]
        urls = [
            None if one.lonlat is None else links.google(one.lonlat, profile) for one in sheet.lines
        ]
        shaded = [not line.number for line in sheet.lines]
        self._table(header, rows, (6, 74, 22, 18, 20, 18, 13, 15), 3, urls, shaded)
        self._end()

    def summary(self, day: Day, picture: bytes | None) -> None:
        """Add the page for the dispatcher."""
        self._begin(day.title, day.date)
        late = f", {day.late} late" if day.late else ""
        self._say(
            f"{len(day.sheets)} vehicles, {day.stops} stops, {day.km} km, {day.duty}{late}; "
            f"{day.idle} vehicles stay at home; {len(day.unserved)} stops not served"
        )
        self._bad(day.breaks)
        if day.sheets:
            self._map(picture)
            rows = [
                [one.name, str(one.stops), one.km, one.departure, one.end, one.duty, one.driving,
                 one.most_load, str(one.late)]
                for one in day.sheets
            ]  # fmt: skip
            self._table(SUMMARY, rows, (46, 14, 16, 18, 18, 24, 24, 18, 10), 1)
        else:
            self._say("No vehicle drives.")
        if day.unserved:
            self._pdf.ln(3)
            self._table(("not served", "reason"), day.unserved, (60, 126), 2)
        self._end()

    def close(self) -> None:
        """Close the files of the fonts, which are read until the end."""
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def content(self) -> bytes:
        """The finished file."""
        return bytes(self._pdf.output())

    def _safe(self, text: str) -> str:
        """A text on one line whose letters are all in the fonts, no longer than a cell takes."""
        line = " ".join(text.split())
        if len(line) > _LONGEST:
            line = f"{line[:_LONGEST]} \u2026"
        shown = "".join(BOX if ord(letter) in self._lacking else letter for letter in line)
        self._boxed |= shown != line
        return shown

    def _begin(self, title: str, below: str) -> None:
        pdf = self._pdf
        pdf.add_page()
        self._boxed = False
        pdf.set_text_color(*_INK)
        self._say(title, "B", _LARGE)
        pdf.set_text_color(*_FAINT)
        self._say(below)
        pdf.set_text_color(*_INK)

    def _end(self) -> None:
        if self._boxed:
            self._pdf.set_text_color(*_FAINT)
            self._pdf.ln(2)
            self._say(_LACKING, size=_SMALL)

    def _bad(self, messages: Iterable[str]) -> None:
        self._pdf.set_text_color(*_RED)
        for message in messages:
            self._say(message)
        self._pdf.set_text_color(*_INK)

    def _say(self, text: str, style: str = "", size: float = _PLAIN) -> None:
        if not text:
            return
        self._pdf.set_font(_FONT, style, size)
        height = _LEADING * size
        self._pdf.multi_cell(0, height, self._safe(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _map(self, picture: bytes | None) -> None:
        if picture is None:
            self._say(NO_PLACES)
            return
        self._pdf.ln(1)
        self._pdf.image(io.BytesIO(picture), w=self._pdf.epw)
        self._pdf.ln(1)

    def _codes(self, sheet: Sheet, parts: Sequence[Part]) -> None:
        """A code a part of the route, several in a row, each a link as well."""
        pdf = self._pdf
        for first in range(0, len(parts), _CODES_A_ROW):
            if pdf.will_page_break(_CODE_MM + 6):
                pdf.add_page()
            top = pdf.y
            for k, part in enumerate(parts[first : first + _CODES_A_ROW]):
                png = io.BytesIO()
                links.code(part.url).save(png, kind="png", scale=4, border=2)
                x = pdf.l_margin + k * (_CODE_MM + 4)
                pdf.image(png, x=x, y=top, w=_CODE_MM, link=part.url)
                pdf.set_xy(x, top + _CODE_MM)
                pdf.set_font(_FONT, "", _SMALL)
                pdf.cell(_CODE_MM, 4, caption(sheet, part, len(parts)), align="C")
            pdf.set_xy(pdf.l_margin, top + _CODE_MM + 6)
        if parts:
            self._say("The codes open the route in Google Maps.", size=_SMALL)

    def _stop(self, line: Line) -> str:
        others = [f"{title}: {text}" for title, text in line.others.items()]
        words = [line.name, line.address, line.phone, line.notes, *others, line.remark]
        return "\n".join(self._safe(word) for word in words if word)

    def _table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        first_words: int,
        urls: Sequence[str | None] | None = None,
        shaded: Sequence[bool] | None = None,
    ) -> None:
        """Rows of text; columns after the first ones hold numbers."""
        pdf = self._pdf
        pdf.set_font(_FONT, "", _SMALL)
        align: Any = tuple("LEFT" if k < first_words else "RIGHT" for k in range(len(header)))
        style: dict[str, Any] = {"headings_style": FontFace(emphasis="BOLD"), "padding": 0.6}
        style |= {
            "line_height": 3.6,
            "v_align": "TOP",
            "borders_layout": "HORIZONTAL_LINES",
            "first_row_as_headings": True,
        }
        with pdf.table(col_widths=tuple(widths), text_align=align, **style) as table:
            table.row(list(header))
            for k, cells in enumerate(rows):
                fill = FontFace(fill_color=_SHADE) if shaded and shaded[k] else None
                row = table.row(style=fill)
                for c, cell in enumerate(cells):
                    text = "\n".join(map(self._safe, cell.split("\n")))
                    link = urls[k] if urls and c == 1 else None
                    row.cell(text, link=link)
