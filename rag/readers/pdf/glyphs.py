"""The letters of a PDF's page with their places, as PDFium tells them."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import hypot
from statistics import mode
from string import ascii_letters, ascii_lowercase
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

ARABIC = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
UNNAMED = "\ufffd"  # a letter of which the font doesn't say which it is
# Of a letter's size: how far words are apart at least, and those beside a sign; what is a space in
# any case; and how far two baselines of one line are from each other at most.
TOUCHING, NEAR, SPACE, SAME_LINE = 0.1, 0.2, 0.5, 0.3
SAME_BASE = 0.05  # points
HYPHEN = "\u2010"  # where a word goes on with the next line
_BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)
_BULLETS = "\uf0b7\uf0a7\uf076\uf0d8\uf0fc"  # of fonts that are all signs
_HYPHENS = ("\x02", "\ufffe")
_SMALL = 0.6  # of a page's letters without a name
# Of TeX's encodings, OT1 and T1.
_LIGATURES = {
    chr(first + n): said
    for first in (0x0B, 0x1B)
    for n, said in enumerate(("ff", "fi", "fl", "ffi", "ffl"))
}
# Of ligatures' letters Ghostscript 10.0 swaps the bytes.
_SWAPPED = {chr(ord(letter) << 8): letter for letter in ascii_letters}
_NAME_BYTES = 128


class Glyph(NamedTuple):
    """A letter with its place in points, y from above.

    :ivar word: Tells the letters of one word from those of the next.
    :ivar mark: The number of what the letter is tagged with; -1 for none.
    :ivar is_named: Whether the font says which letter it is.
    """

    char: str
    left: float
    right: float
    base: float
    size: float
    word: int
    bold: bool
    mark: int
    is_named: bool = True


Row = Sequence[Glyph]


def read(page: pdfium.PdfPage) -> list[Glyph]:
    """Return the letters of a page with the spaces between them, in the order that PDFium has."""
    text = page.get_textpage()
    found = list(_glyphs(text, page.get_height(), _clusters(page)))
    text.close()
    unnamed = [glyph.char for glyph in found if not glyph.is_named and not glyph.char.isspace()]
    # TeX's bitmaps have no names and yet the codes of their letters, most of which are small ones.
    coded = sum(char in ascii_lowercase for char in unnamed) > _SMALL * len(unnamed)
    latin = {glyph.word for glyph in found if glyph.char in ascii_letters}

    def said(glyph: Glyph) -> str:
        if glyph.char in _SWAPPED and glyph.word in latin:
            return _SWAPPED[glyph.char]
        if glyph.is_named:
            return glyph.char
        return _LIGATURES.get(glyph.char, glyph.char) if coded else UNNAMED

    return [glyph._replace(char=char) for glyph in found for char in said(glyph)]


def is_arabic(row: Row) -> bool:
    """Tell whether there is a letter that runs from the right."""
    return any(ARABIC.match(glyph.char) for glyph in row)


def is_mark(glyph: Glyph) -> bool:
    """Tell whether it stands on another."""
    return bool(unicodedata.combining(glyph.char))


def base(row: Row) -> float:
    """Return where most letters of a line stand."""
    return mode([glyph.base for glyph in row if not is_mark(glyph)] or [row[0].base])


def edges(row: Row) -> tuple[float, float]:
    """Return where letters begin and end, on the page from the left."""
    return min(glyph.left for glyph in row), max(glyph.right for glyph in row)


class _Place(NamedTuple):
    """Where something is drawn; ``base`` is from below."""

    left: float
    right: float
    base: float


# By the address of what PDFium takes for all of a letter: where that stands, and where all of it.
_Clusters = Mapping[int, tuple[_Place, _Place]]


def _clusters(page: pdfium.PdfPage) -> _Clusters:
    """Return where letters stand that are drawn in parts.

    Browsers draw a letter and the mark on it apart, and say both as the text of the two; PDFium
    gives them the place of the first, which may be the mark's.
    """
    found = dict[int, tuple[_Place, _Place]]()
    first = span = 0
    for part in page.get_objects((raw.FPDF_PAGEOBJ_TEXT,)):
        mark = _said_span(part.raw)
        if mark and mark == span:
            drawn, whole = found[first]
            place = _place(part)
            edges = min(whole.left, place.left), max(whole.right, place.right)
            found[first] = (drawn, _Place(*edges, min(whole.base, place.base)))
        elif mark:
            first = _address(part.raw)
            found[first] = (_place(part), _place(part))
        span = mark
    return {part: places for part, places in found.items() if places[0] != places[1]}


def _place(part: pdfium.PdfObject) -> _Place:
    left, _, right, _ = part.get_bounds()
    return _Place(left, right, part.get_matrix().f)


def _said_span(part: Any) -> int:
    """Return what tells a span whose text is said apart from what is drawn; 0 for none."""
    for n in range(raw.FPDFPageObj_CountMarks(part)):
        mark = raw.FPDFPageObj_GetMark(part, n)
        for m in range(raw.FPDFPageObjMark_CountParams(mark)):
            name, size = ctypes.create_string_buffer(_NAME_BYTES), ctypes.c_ulong()
            buffer = ctypes.cast(name, ctypes.POINTER(ctypes.c_ushort))
            raw.FPDFPageObjMark_GetParamKey(mark, m, buffer, _NAME_BYTES, size)
            if name.raw[: max(0, size.value - 2)].decode("utf-16-le", "replace") == "ActualText":
                return _address(mark)
    return 0


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def _glyphs(text: pdfium.PdfTextPage, height: float, clusters: _Clusters) -> Iterator[Glyph]:
    """Yield the letters of a page with the spaces between them, in the order that PDFium has."""
    for place, group in groupby(_placed(text, height), lambda one: one[0]):
        glyphs = [glyph for _, glyph in group]
        if place in clusters:
            drawn, whole = clusters[place]
            alone = sum(not is_mark(glyph) for glyph in glyphs) == 1
            wider = (whole.right - whole.left) / max(0.01, drawn.right - drawn.left)
            for n, glyph in enumerate(glyphs):
                left, right = (
                    whole.left + (at - drawn.left) * wider for at in (glyph.left, glyph.right)
                )
                edges = (whole.left, whole.right) if alone else (left, right)
                glyphs[n] = glyph._replace(left=edges[0], right=edges[1], base=height - whole.base)
        yield from glyphs


def _placed(text: pdfium.PdfTextPage, height: float) -> Iterator[tuple[int, Glyph]]:
    """Yield what a page's letters are drawn with, and they."""
    page, box, x, y = text.raw, raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    drawn, look = 0, (0.0, False, -1)
    word = 0
    for at in range(text.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(page, at))
        named = char in _BULLETS or raw.FPDFText_HasUnicodeMapError(page, at) != 1
        word += named and char.isspace()
        raw.FPDFText_GetLooseCharBox(page, at, box)
        raw.FPDFText_GetCharOrigin(page, at, x, y)
        pointer = raw.FPDFText_GetTextObject(page, at)
        if (place := _address(pointer)) != drawn:
            drawn, look = place, _look(text, at, pointer)
        char = "•" if char in _BULLETS else char
        char = HYPHEN if char in _HYPHENS else char
        where = (box.left, box.right, height - y.value, look[0])
        yield place, Glyph(char, *where, word, *look[1:], is_named=named)


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
