"""The lines of a PDF's page, from the places of its letters.

PDFium tells each letter's place and which letters share a line. Of Arabic its order is not taken:
programs write words from either end, and often each its own way; what stands right of what is what
a reader of the page sees.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.readers import arabic
from rag.readers.writing import one_line

_ARABIC = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MARKED = re.compile("([\u064b-\u0652\u0670]+)([\u0621-\u064a])")
_BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)
_BULLETS = "\uf0b7\uf0a7\uf076\uf0d8\uf0fc"  # of fonts that are all signs
_HYPHENS = ("\x02", "\ufffe")  # as PDFium says that a word goes on with the next line
# Of a letter's size: wider is a space, and wider by far another column.
_SPACE, _COLUMN = 0.5, 0.8
_NAME_BYTES = 128
_SAME_LINE = 0.3  # at most between two baselines


class Glyph(NamedTuple):
    """A letter with its place in points, y from above.

    :ivar word: Tells the letters of one word from those of the next.
    :ivar mark: The number of what the letter is tagged with; -1 for none.
    """

    char: str
    left: float
    right: float
    base: float
    size: float
    word: int
    bold: bool
    mark: int


@dataclass(frozen=True)
class Line:
    """A line of a page.

    :ivar text: As it is read.
    :ivar drawn: As it stands from left to right; the same where nothing runs the other way.
    :ivar cells: Its parts that stand far from each other, as they are read.
    """

    text: str
    drawn: str
    page: int
    left: float
    right: float
    base: float
    size: float
    bold: bool
    cells: tuple[Line, ...] = ()

    def as_drawn(self) -> Line:
        """Return the line as one whose letters were drawn in the order of reading."""
        cells = tuple(cell.as_drawn() for cell in self.cells)
        text = _MARKED.sub(r"\2\1", self.drawn)  # a mark was put where it is read once turned
        return replace(self, text=arabic.bracketed(text), cells=cells[::-1])


Row = Sequence[Glyph]


def rows(page: pdfium.PdfPage) -> list[Row]:
    """Return the letters of a page, line by line in the order that the file has them."""
    text = page.get_textpage()
    found: list[list[Glyph]] = []
    ended = True
    for glyph in _glyphs(text, page.get_height()):
        char = glyph.char
        if char.isspace():
            ended = ended or char in "\r\n"
        elif found and _goes_on(found[-1], glyph, ended=ended):
            found[-1].append(glyph)
            ended = False
        else:
            found.append([glyph])
            ended = False
    text.close()
    return list[Row](found)


def lines(rows: Sequence[Row], page: int, *, as_drawn: bool = False) -> list[Line]:
    """Return the lines that letters stand on.

    :param page: Its number, from 0.
    :param as_drawn: Whether Arabic was drawn from left to right as it is read, by mistake.
    """
    found = [_line(row, page) for row in rows]
    found = [line for line in _unbroken(found) if line.text]
    return [line.as_drawn() for line in found] if as_drawn else found


def _glyphs(text: pdfium.PdfTextPage, height: float) -> Iterator[Glyph]:
    """Yield the letters of a page with the spaces between them, in the order that PDFium has."""
    page, box, x, y = text.raw, raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    drawn, look = 0, (0.0, False, -1)
    word = 0
    for at in range(text.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(page, at))
        word += char.isspace()
        raw.FPDFText_GetLooseCharBox(page, at, box)
        raw.FPDFText_GetCharOrigin(page, at, x, y)
        pointer = raw.FPDFText_GetTextObject(page, at)
        if (place := ctypes.cast(pointer, ctypes.c_void_p).value or 0) != drawn:
            drawn, look = place, _look(text, at, pointer)
        char = "•" if char in _BULLETS else char
        yield Glyph(char, box.left, box.right, height - y.value, look[0], word, *look[1:])


def _look(text: pdfium.PdfTextPage, at: int, pointer: Any) -> tuple[float, bool, int]:
    """Return size, weight and mark of what a letter was drawn with."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text, at, matrix)
    size = raw.FPDFText_GetFontSize(text, at) * (hypot(matrix.c, matrix.d) or 1.0)
    mark = raw.FPDFPageObj_GetMarkedContentID(pointer) if pointer else -1
    return round(size, 1), _is_bold(text, at), mark


def _is_bold(text: pdfium.PdfTextPage, at: int) -> bool:
    name = ctypes.create_string_buffer(_NAME_BYTES)
    raw.FPDFText_GetFontInfo(text, at, name, _NAME_BYTES, ctypes.c_int())
    return bool(_BOLD.search(name.value.decode("utf-8", "replace")))


def _goes_on(row: Row, glyph: Glyph, *, ended: bool) -> bool:
    """Tell whether a letter stands on the line of others.

    :param ended: Whether PDFium begins a line with it: of a table, it does so with each cell.
    """
    apart = abs(row[-1].base - glyph.base) > _SAME_LINE * max(row[-1].size, glyph.size)
    if not ended:
        # Marks and indices stand higher, what is far lower is another line.
        return abs(row[-1].base - glyph.base) < max(row[-1].size, glyph.size)
    beside = glyph.left >= max(g.right for g in row) or glyph.right <= min(g.left for g in row)
    return beside and not apart


def _line(row: Row, number: int) -> Line:
    """Return the line of some letters, in the order that PDFium has them."""
    drawn = _from_left(row)
    cells = list(_columns(drawn))
    sizes = [glyph.size for glyph in row]
    whole = _part(drawn, row, number)
    return replace(
        whole,
        base=max(glyph.base for glyph in row if glyph.size == max(sizes)),
        size=max(set(sizes), key=sizes.count),
        bold=all(glyph.bold for glyph in row),
        cells=tuple(_part(cell, (), number) for cell in _read(cells)) if cells[1:] else (),
    )


def _part(drawn: Row, row: Row, number: int) -> Line:
    """Return letters, from the left, as a line.

    :param row: They in PDFium's order, which is taken where nothing runs from the right.
    """
    shown = one_line(arabic.undrawn(_spaced(drawn)))
    if not _ARABIC.search(shown):
        read = one_line(_spaced(row)) if row else shown
    else:
        read = one_line(arabic.logical(shown))
    left, right = min(g.left for g in drawn), max(g.right for g in drawn)
    return Line(read, shown, number, left, right, drawn[0].base, drawn[0].size, drawn[0].bold)


def _from_left(row: Row) -> list[Glyph]:
    """Return letters by their places; a mark before the letter that it stands on, in Arabic."""
    letters = [g for g in row if not unicodedata.combining(g.char)]
    centres = {id(g): (g.left + g.right) / 2 for g in row}
    # Letters that are drawn as one, such as لا, have one place, and are named as they are read.
    turned = {id(g): -n if _ARABIC.match(g.char) else n for n, g in enumerate(letters)}
    ordered = sorted(letters, key=lambda g: (centres[id(g)], turned[id(g)]))
    for mark in (g for g in row if unicodedata.combining(g.char)):
        near = min(
            range(len(ordered)),
            key=lambda n: abs(centres[id(ordered[n])] - centres[id(mark)]),
            default=0,
        )
        ordered.insert(near, mark)
    return ordered


def _spaced(glyphs: Row) -> str:
    """Return letters with the spaces that stand between them."""
    parts = list[str]()
    for n, glyph in enumerate(glyphs):
        gap = glyph.left - glyphs[n - 1].right if n else 0.0
        apart = n > 0 and (glyph.word != glyphs[n - 1].word or gap > _SPACE * glyph.size)
        parts += [" "] * apart + [glyph.char]
    return "".join(parts)


def _columns(drawn: Row) -> Iterator[list[Glyph]]:
    """Yield the parts of a line that stand far from each other, without spaces around them."""
    part: list[Glyph] = []
    end = 0.0
    for glyph in drawn:
        if part and glyph.left - end > _COLUMN * glyph.size:
            yield part
            part = []
        end = max(end, glyph.right) if part else glyph.right
        part.append(glyph)
    yield part


def _read(cells: list[list[Glyph]]) -> list[list[Glyph]]:
    """Return the cells of a line in the order that they are read in."""
    arab = sum(bool(_ARABIC.search(g.char)) for cell in cells for g in cell)
    latin = sum(g.char.isascii() and g.char.isalpha() for cell in cells for g in cell)
    return cells[::-1] if arab > latin else cells


def _unbroken(found: Sequence[Line]) -> Iterator[Line]:
    """Yield lines, a word that was broken at the end of one made whole."""
    held = ""
    for line in found:
        text = held + line.text
        held = ""
        if text.endswith(_HYPHENS):
            text, _, held = text[:-1].rpartition(" ")
        if text.strip():
            yield replace(line, text=text.strip())
