"""The smallest XLSX and ODS files that hold a table, written by hand."""

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_FIRST = dt.datetime(1899, 12, 30)
_STYLES = {dt.date: 1, dt.time: 2, dt.datetime: 3, dt.timedelta: 4}
_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_FORMATS = (0, 14, 20, 22, 46)


def write_xlsx(path: Path, **sheets: list[list[Any]]) -> Path:
    """A workbook with sheets of texts, numbers, truth values, dates, times and lengths."""
    names = "".join(
        f'<sheet name="{name}" sheetId="{k}" r:id="r{k}"/>' for k, name in enumerate(sheets, 1)
    )
    targets = [
        (f"r{k}", "worksheet", f"worksheets/sheet{k}.xml") for k in range(1, 1 + len(sheets))
    ]
    formats = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in _FORMATS)
    members = {
        "_rels/.rels": _links([("r1", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook {_NS} xmlns:r="{_REL}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _links(targets),
        "xl/styles.xml": f"<styleSheet {_NS}><cellXfs>{formats}</cellXfs></styleSheet>",
    }
    for (_, _, target), rows in zip(targets, sheets.values(), strict=True):
        body = "".join(
            f'<row r="{r}">{"".join(_cell(r, c, v) for c, v in enumerate(row))}</row>'
            for r, row in enumerate(rows, 1)
        )
        data = f"<sheetData>{body}</sheetData>"
        members[f"xl/{target}"] = f"<worksheet {_NS}>{data}</worksheet>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _links(targets: list[tuple[str, str, str]]) -> str:
    body = "".join(
        f'<Relationship Id="{name}" Type="{_REL}/{kind}" Target="{target}"/>'
        for name, kind, target in targets
    )
    return f"<Relationships {_PACKAGE}>{body}</Relationships>"


def _cell(row: int, column: int, value: Any) -> str:
    place = f'r="{chr(65 + column)}{row}"'
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    style = _STYLES.get(type(value), 0)
    return f'<c {place} s="{style}"><v>{_days(value)}</v></c>'


def _days(value: Any) -> float:
    """A number as it is; dates and times in days, as spreadsheets count them."""
    if isinstance(value, dt.datetime):
        return (value - _FIRST) / dt.timedelta(days=1)
    if isinstance(value, dt.date):
        return (value - _FIRST.date()).days
    if isinstance(value, dt.time):
        return (dt.datetime.combine(_FIRST, value) - _FIRST) / dt.timedelta(days=1)
    return value / dt.timedelta(days=1) if isinstance(value, dt.timedelta) else value


def write_ods(path: Path, rows: list[list[Any]], more: str = "") -> Path:
    """A document with one sheet of texts and numbers; `more` is put behind its rows."""
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, float | int):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        if isinstance(value, dt.time):
            length = f"{value:PT%HH%MM%SS}"
            return f'<table:table-cell office:value-type="time" office:time-value="{length}"/>'
        text = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Stops">{body}{more}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path
