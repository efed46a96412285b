"""Rich Text, as striprtf reads it; what it knows nothing of is told by its looks as plain text."""

from __future__ import annotations

import re
from itertools import groupby

from striprtf.striprtf import rtf_to_text

from rag.errors import DocumentError
from rag.readers.writing import Reading, Writer

_BEGINS = b"{\\rtf"
_HEADING = re.compile("[\x01-\x06]")  # put before a heading, by its level; cleaned away elsewhere
# What striprtf would lose or take for more than it is, and how it is written instead: an item's
# bullet in the word of older programs, the level of a heading, a paragraph that a cell ends anyway.
_INSTEAD = (
    (re.compile(r"\{\\pntext\b"), r"{\\listtext"),
    (re.compile(r"\\outlinelevel([0-5])(?!\d)"), lambda level: f"{{{chr(int(level[1]) + 1)}}}"),
    (re.compile(r"\\par(?=[\s}]*\\cell\b)"), ""),
)
_LINK = re.compile(r"\(\"\w+:[^\"\n]*\"\)")  # where the words before it lead to
_ITEM = "- "
_BULLET = re.compile(r"^[•·▪◦‣o§-]\t", re.MULTILINE)
_CELL = "|"  # after each, as striprtf writes it


def read(content: bytes) -> Reading:
    """Read a text with its headings, tables and lists.

    :raises DocumentError: When it is no Rich Text.
    """
    if not content.lstrip().startswith(_BEGINS):
        raise DocumentError("is damaged, or no .rtf file")
    source = content.decode("latin-1")
    for pattern, instead in _INSTEAD:
        source = pattern.sub(instead, source)
    said: str = rtf_to_text(source, errors="ignore")  # type: ignore[no-untyped-call]
    text = _BULLET.sub(_ITEM, _LINK.sub("", said))
    writer = Writer()
    for kind, lines in groupby(text.split("\n"), key=_kind):
        if kind == _CELL:
            writer.table([line.split(_CELL)[:-1] for line in lines])
        elif kind:
            for line in lines:
                writer.heading(line, ord(kind))
        else:
            # A line is a paragraph here, and those of a list stand together.
            writer.plain("".join(line + "\n" * (2 - line.startswith(_ITEM)) for line in lines))
    return writer.reading()


def _kind(line: str) -> str:
    heading = _HEADING.match(line)
    return heading[0] if heading else _CELL if line.endswith(_CELL) else ""
