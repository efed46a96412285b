"""Rows as files of data have them: below each other, their names above, and often no document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from rag.readers.writing import Writer, one_line

MOST_COLUMNS = 500
# The names that Excel and others give a sheet by themselves.
_UNNAMED = re.compile(r"(?:sheet|worksheet|ورقة|ورقة عمل)\s?\d*", re.IGNORECASE)
_FIGURE = re.compile(r"[\W\d_]*\d[\W\d_]*")


def write(rows: Iterable[Sequence[str]], writer: Writer) -> None:
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


def write_sheet(name: str, rows: Sequence[Sequence[str]], writer: Writer) -> None:
    """Say the rows of a sheet under its name, if somebody gave it one."""
    if any(map(any, rows)) and not _UNNAMED.fullmatch(name):
        writer.heading(name, 1)
    write(rows, writer)


def shown(value: Any) -> str:
    """Return how a value is written."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def _is_header(cells: Sequence[str]) -> bool:
    """Tell whether cells may name columns: no two alike, and none a figure."""
    return len(set(cells)) == len(cells) and not any(map(_FIGURE.fullmatch, cells))
