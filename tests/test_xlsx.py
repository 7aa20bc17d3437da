"""Workbooks that are written: another package reads the same texts and numbers."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from nco.data.formats.xlsx import workbook

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=30)
_CELL = _TEXT | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(_CELL, _CELL), max_size=8))
def test_what_was_written_is_read(rows):
    """Texts stay texts, whatever they look like, and numbers numbers."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook({"a & b": [("x", "y"), *rows]})))
    [name] = book.sheet_names
    read = book.get_sheet_by_name(name).to_python()
    assert name == "a & b"
    for row, found in zip(rows, read[1:], strict=True):
        for cell, there in zip(row, found, strict=True):
            assert type(there) is (str if isinstance(cell, str) else float)
            assert there == (cell if isinstance(cell, str) else pytest.approx(cell))


def test_no_cell_is_a_formula_or_breaks_the_file():
    """What would be run is marked as text; letters that XML has not are replaced."""
    raw = workbook({"s": [["t"], ["=cmd|' /C calc'!A0"], ["a\x00<b>&"], [None], [float("inf")]]})
    read = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_name("s").to_python()
    assert [row[0] for row in read[:3]] == ["t", "=cmd|' /C calc'!A0", "a\ufffd<b>&"]
