"""What a PDF is made of, be it by its tags or by its looks; and how that is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.plain import ENDS as ENDS
from rag.readers.pdf.lines import BULLETS, Line
from rag.readers.writing import Writer

BULLET = re.compile(rf"{BULLETS}\s+(?=\S)")

Cell = tuple[Line, ...]


@dataclass(frozen=True)
class Part:
    """A heading, paragraph, item or table.

    :ivar lines: Of a table, all its cells' lines.
    :ivar level: Of a heading or an item, from 1.
    :ivar mark: What stands before an item, where the PDF tells it apart.
    :ivar opens: Whether a list begins with it.
    :ivar rows: Of a table.
    :ivar headed: Whether the first of them names the columns; None when that isn't told.
    """

    kind: Literal["heading", "text", "item", "table"]
    lines: tuple[Line, ...]
    level: int = 0
    mark: str = ""
    opens: bool = False
    rows: tuple[tuple[Cell, ...], ...] = ()
    headed: bool | None = None


def write(parts: Sequence[Part], pages: int, writer: Writer) -> None:
    """Say parts in their order, each page's beginning where its first line is.

    :param pages: How many there are.
    """
    page = group = 0
    writer.page()
    for part in parts:
        for _ in range(page, part.lines[0].page):
            writer.page()
        page = part.lines[-1].page
        if part.kind == "heading":
            writer.heading(_text(part.lines), part.level)
        elif part.kind == "item":
            group = writer.begin_list() if part.opens else group
            _write_item(part, group, writer)
        elif part.kind == "table":
            rows = [[_text(cell) for cell in row] for row in part.rows]
            writer.table(rows, headed=part.headed)
        else:
            lines = part.lines
            begins = [
                n for n in range(1, len(lines)) for _ in range(lines[n - 1].page, lines[n].page)
            ]
            writer.wrapped([line.text for line in lines], begins)
    for _ in range(page + 1, pages):
        writer.page()


def _text(lines: Sequence[Line]) -> str:
    return " ".join(line.text for line in lines)


def _write_item(part: Part, group: int, writer: Writer) -> None:
    text = " ".join(filter(None, (part.mark, _text(part.lines))))
    bullet = BULLET.match(text)
    begin = bullet.end() if bullet else 0
    writer.item(text[begin:], part.level, group, text[:begin].strip())
