"""Tables without a document around them: CSV, and the sheets of a workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl

from rag.errors import DocumentError
from rag.readers import archives
from rag.readers.decoding import decode
from rag.readers.writing import Reading, Writer, one_line

_DELIMITERS = ",;\t|"
_LOOKED_AT = 20  # rows
_FIGURE = re.compile(r"[\W\d_]*\d[\W\d_]*")
_MOST_COLUMNS = 500
# The names that Excel and others give a sheet by themselves.
_UNNAMED = re.compile(r"(?:sheet|worksheet|ورقة|ورقة عمل)\s?\d*", re.IGNORECASE)


def read_csv(content: bytes) -> Reading:
    """Read a table of fields parted by commas, semicolons, tabs or bars.

    :raises DocumentError: When its encoding can't be told, or a field is endless.
    """
    text = decode(content)
    rows = [list(_parted(text, delimiter, _LOOKED_AT)) for delimiter in _DELIMITERS]
    regular = [_regularity(some) for some in rows]
    delimiter = _DELIMITERS[regular.index(max(regular))]
    writer = Writer()
    _write(_parted(text, delimiter), writer)
    return writer.reading()


def read_xlsx(content: bytes) -> Reading:
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
        rows = [[_value(cell) for cell in row[:_MOST_COLUMNS]] for row in sheet.iter_rows()]
        if any(map(any, rows)) and not _UNNAMED.fullmatch(sheet.title):
            writer.heading(sheet.title, 1)
        _write(rows, writer)
    return writer.reading(*properties)


def write_records(records: Sequence[dict[str, Any]], writer: Writer) -> None:
    """Say records as rows of a table, with their fields' names as its header."""
    header = list(dict.fromkeys(name for record in records for name in record))
    writer.table(
        [header, *([_plain(r.get(name)) for name in header] for r in records)], headed=True
    )


def _parted(text: str, delimiter: str, most: int | None = None) -> Iterator[list[str]]:
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ):
            if number == most:
                return
            yield row[:_MOST_COLUMNS]
    except csv.Error as exc:
        raise DocumentError(f"not a table of fields ({exc})") from exc


def _regularity(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Return the share of rows with the commonest width, and that; of one column, nothing."""
    widths = [len(row) for row in rows if row]
    width = max(set(widths), key=widths.count, default=1)
    return (widths.count(width) / len(widths), width) if width > 1 else (0.0, 0)


def _write(rows: Iterable[Sequence[str]], writer: Writer) -> None:
    """Say rows: those of one cell before a table are said above it, a blank one ends it."""
    header: Sequence[str] | None = None
    for row in rows:
        row = list(map(one_line, row))
        filled = [cell for cell in row if cell]
        if not filled:
            header = None
        elif header is None and len(filled) == 1:
            writer.paragraph(filled[0])
        elif header is None and _is_header(filled):
            header = row
            writer.header(row)
        else:
            header = header or ()
            writer.row(header, row)


def _is_header(cells: Sequence[str]) -> bool:
    """Tell whether cells may name columns: no two alike, and none a figure."""
    return len(set(cells)) == len(cells) and not any(map(_FIGURE.fullmatch, cells))


def _value(cell: Any) -> str:
    """Return what a cell shows, near enough: whole numbers, dates and shares as such."""
    value = cell.value
    if isinstance(value, float) and "%" in (cell.number_format or ""):
        return f"{value * 100:.10g}%"
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)
