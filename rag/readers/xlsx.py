"""The sheets of a workbook."""

from __future__ import annotations

import io
from typing import Any

import openpyxl

from rag.readers import archives, rows
from rag.readers.writing import Reading, Writer


def read(content: bytes) -> Reading:
    """Read the sheets of a workbook, with the values that its formulas had when it was saved.

    :raises DocumentError: When it is encrypted, or not safe to be read.
    """
    properties = archives.office(content)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    writer = Writer()
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # what the file says of them may be wrong, and huge
        cells = [[_value(cell) for cell in row[: rows.MOST_COLUMNS]] for row in sheet.iter_rows()]
        rows.write_sheet(sheet.title, cells, writer)
    return writer.reading(*properties)


def _value(cell: Any) -> str:
    """Return what a cell shows, near enough: whole numbers, dates and shares as such."""
    value = cell.value
    if isinstance(value, float) and "%" in (cell.number_format or ""):
        return f"{value * 100:.10g}%"
    return rows.shown(value)
