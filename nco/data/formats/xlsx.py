"""Tables as a workbook for spreadsheets: texts and numbers, and nothing that is run.

Only what a table needs of the format (ECMA-376): cells hold their text themselves, so that none is
a formula, and those that would be one once they are edited or saved as CSV are marked as text.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from nco.data.formats.csv_rows import is_formula

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 32767  # characters of a cell
_PLAIN, _BOLD, _TEXT = range(3)  # styles of cells, as `_STYLES` has them
_STYLES = f"""<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/>
</font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill>
<patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="3"><xf fontId="0"/><xf fontId="1" applyFont="1"/><xf quotePrefix="1"/></cellXfs>
</styleSheet>"""
_TYPES = {
    "/xl/workbook.xml": "sheet.main+xml",
    "/xl/styles.xml": "styles+xml",
}


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A workbook.

    Args:
        sheets: rows by the name of the sheet, of 31 letters and digits at most; the first row of
            each has the titles. Numbers stay numbers, None is an empty cell, all else is text.
    """
    names = list(sheets)
    links = [(f"worksheets/sheet{k + 1}.xml", "worksheet") for k in range(len(names))]
    entries = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{k}" r:id="r{k}"/>'
        for k, name in enumerate(names, 1)
    )
    types = _TYPES | {f"/xl/{target}": "worksheet+xml" for target, _ in links}
    members = {
        "[Content_Types].xml": _content_types(types),
        "_rels/.rels": _links([("xl/workbook.xml", "officeDocument")]),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{entries}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _links([*links, ("styles.xml", "styles")]),
        "xl/styles.xml": _STYLES,
        **{
            f"xl/{target}": _sheet(rows)
            for (target, _), rows in zip(links, sheets.values(), strict=True)
        },
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, _HEAD + content)
    return packed.getvalue()


def _content_types(types: Mapping[str, str]) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    parts = "".join(
        f'<Override PartName="{name}" ContentType="{kind}{of}"/>' for name, of in types.items()
    )
    default = (
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    return f'<Types xmlns="{_PACKAGE}/content-types">{default}{parts}</Types>'


def _links(targets: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f'<Relationship Id="r{k}" Type="{_REL}/{kind}" Target="{target}"/>'
        for k, (target, kind) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{body}</Relationships>'


def _sheet(rows: Iterable[Sequence[object]]) -> str:
    body = "".join(
        f"<row>{''.join(_cell(value, bold=not r) for value in row)}</row>"
        for r, row in enumerate(rows)
    )
    frozen = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{frozen}</sheetView></sheetViews>'
    return f'<worksheet xmlns="{_MAIN}">{view}<sheetData>{body}</sheetData></worksheet>'


def _cell(value: object, *, bold: bool) -> str:
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return "<c/>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = _NO_XML.sub("\ufffd", str(value))[:_MOST]
    style = _TEXT if is_formula(text) else _BOLD if bold else _PLAIN
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
