"""Records, one a line: texts with their titles, or else rows of a table."""

from __future__ import annotations

import json
from typing import Any

from rag.errors import DocumentError
from rag.readers import rows
from rag.readers.decoding import decode
from rag.readers.writing import Reading, Writer

# Fields that hold a text, the first that is there; and what it is called.
_TEXTS = ("text", "content", "body", "passage", "contents", "document", "النص", "نص", "المحتوى")
_TITLES = ("title", "heading", "headline", "name", "العنوان", "عنوان")


def read(content: bytes) -> Reading:
    """Read the records of a file.

    :raises DocumentError: When a line is no JSON object, or the encoding can't be told.
    """
    records = [
        _record(line, number)
        for number, line in enumerate(decode(content).split("\n"), start=1)
        if line.strip()
    ]
    writer = Writer()
    names = list(dict.fromkeys(name for record in records for name in record))
    text = next((name for name in _TEXTS if name in names), None)
    if text is None:
        said = ([rows.shown(record.get(name)) for name in names] for record in records)
        writer.table([names, *said], headed=True)
        return writer.reading()
    title = next((name for name in _TITLES if name in names), "")
    for record in records:
        if record.get(title):
            writer.heading(str(record[title]), 1)
        writer.plain(str(record.get(text) or ""))
    return writer.reading()


def _record(line: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise DocumentError(f"line {number:,} is not JSON ({exc})") from exc
    if not isinstance(record, dict):
        raise DocumentError(f"line {number:,} is not a JSON object; write {{…}} on each line")
    return record
