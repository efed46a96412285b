"""CSV: fields parted by commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from rag.errors import DocumentError
from rag.readers import rows
from rag.readers.decoding import decode
from rag.readers.writing import Reading, Writer

_DELIMITERS = ",;\t|"
_LOOKED_AT = 20  # rows


def read(content: bytes) -> Reading:
    """Read a table.

    :raises DocumentError: When its encoding can't be told, or a field is endless.
    """
    text = decode(content)
    tries = [list(_parted(text, delimiter, _LOOKED_AT)) for delimiter in _DELIMITERS]
    regular = [_regularity(some) for some in tries]
    delimiter = _DELIMITERS[regular.index(max(regular))]
    writer = Writer()
    rows.write(_parted(text, delimiter), writer)
    return writer.reading()


def _parted(text: str, delimiter: str, most: int | None = None) -> Iterator[list[str]]:
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ):
            if number == most:
                return
            yield row[: rows.MOST_COLUMNS]
    except csv.Error as exc:
        raise DocumentError(f"not a table of fields ({exc})") from exc


def _regularity(some: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Return the share of rows with the commonest width, and that; of one column, nothing."""
    widths = [len(row) for row in some if row]
    width = max(set(widths), key=widths.count, default=1)
    return (widths.count(width) / len(widths), width) if width > 1 else (0.0, 0)
