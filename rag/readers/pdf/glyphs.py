"""The lines of a PDF's page, from the places of its letters.

PDFium tells each letter's place and which letters share a line. Of Arabic its order is not taken:
programs write words from either end, and often each its own way; what stands right of what is what
a reader of the page sees.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import hypot
from statistics import mode
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.readers import arabic
from rag.readers.writing import one_line

_ARABIC = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MARKED = re.compile("([\u064b-\u0652\u0670]+)([\u0621-\u064a])")
_BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)
_BULLETS = "\uf0b7\uf0a7\uf076\uf0d8\uf0fc"  # of fonts that are all signs
_SIGNS = frozenset('()[]«»“”"•')
_HYPHENS = ("\x02", "\ufffe")  # as PDFium says that a word goes on with the next line
# Of a letter's size: how far words are apart at least, and those beside a sign; what is a space in
# any case, and what parts columns.
_TOUCHING, _NEAR, _SPACE, _COLUMN = 0.1, 0.2, 0.5, 0.8
# Of the likelihood of a pair of letters: over 84 PDFs, .24 and more with words that were not told,
# .01 at the most with others.
_BETTER = 0.1
_LIST_MARK = re.compile(r"[•▪◦‣●○∙·*–—-]|\(?(?:\d{1,2}|[a-zA-Z\u0621-\u064a])[.)–-]")
_INDENT = 4  # of a letter's size, between the mark of a list and its item
_NAME_BYTES = 128
_MOST_NESTED = 15
UNNAMED = "\ufffd"  # a letter of which the font doesn't say which it is
_TINY = 0.001  # points
_ON = 0.25  # of the narrower letter: between the middles of two that stand on each other
_ALEFS = "اأإآٱ"
_SAME_LINE = 0.3  # at most between two baselines
_OFF, _FEW = 0.7, 3  # of letters that stand higher or lower than their line: how far, how many
_SAME_BASE = 0.05  # points
_NEAR_ROWS = 4


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
    for glyph in _glyphs(text, page.get_height(), _clusters(page)):
        char = glyph.char
        beside = next((row for row in found[-_NEAR_ROWS:] if _adjoins(row, glyph)), None)
        if char.isspace():
            ended = ended or char in "\r\n"
        elif beside is not None:
            beside.append(glyph)
        elif found and _goes_on(found[-1], glyph, ended=ended):
            found[-1].append(glyph)
            ended = False
        else:
            found.append([glyph])
            ended = False
    text.close()
    return _spread(_whole(found))


def _spread(rows: list[Row]) -> list[Row]:
    """Return lines with words told by the space between them, where that makes better Arabic.

    Of what was drawn without spaces, as TeX and Cairo do, PDFium tells few words.
    """
    spread = [_worded(row) for row in rows]
    counts = [sum(len({glyph.word for glyph in row}) for row in each) for each in (rows, spread)]
    if counts[1] <= counts[0]:
        return rows
    told, better = (
        arabic.likelihood("\n".join(_part(_from_left(row), row, 0).text for row in each)).forward
        for each in (rows, spread)
    )
    return spread if better - told > _BETTER else rows


def _worded(row: Row) -> Row:
    """Return letters with words told by the space between them."""
    words = dict[int, int]()
    ordered = sorted(row, key=lambda g: g.left)
    word, edge = row[0].word, ordered[0].right
    for glyph in ordered:
        word += glyph.left - edge > _NEAR * glyph.size
        edge = max(edge, glyph.right)
        words[id(glyph)] = word
    return [glyph._replace(word=words[id(glyph)]) for glyph in row]


def _whole(found: Sequence[list[Glyph]]) -> list[Row]:
    """Return lines of Arabic in one piece that PDFium parts where a letter stands off the line."""
    whole: list[list[Glyph]] = []
    for row in found:
        line = next((line for line in whole[-_NEAR_ROWS:] if _meets(line, row)), None)
        if line is None:
            whole.append(row)
        else:
            line += row
    letters = (row for row in whole if not all(unicodedata.combining(g.char) for g in row))
    return _marked(_downward(letters))


def _base(row: Row) -> float:
    """Return where most letters of a line stand."""
    return mode([g.base for g in row if not unicodedata.combining(g.char)] or [row[0].base])


def _downward(rows: Iterable[Row]) -> list[Row]:
    """Return lines with those that were drawn after the one below them before it."""
    found: list[Row] = []
    for row in rows:
        at = len(found)
        while at and 0 < _base(found[at - 1]) - _base(row) < 2 * row[0].size:
            above = found[at - 1]
            if min(g.left for g in above) > max(g.right for g in row):
                break
            if max(g.right for g in above) < min(g.left for g in row):
                break
            at -= 1
        found.insert(at, row)
    return found


def _marked(rows: list[Row]) -> list[Row]:
    """Return lines with the marks of lists, which some programs draw after all the items."""
    marks = [row for row in rows if _LIST_MARK.fullmatch("".join(glyph.char for glyph in row))]
    used = set[int]()
    found = list[Row]()
    for row in rows:
        mark = next((each for each in marks if _marks(each, row)), ())
        used.add(id(mark))
        found.append([*mark, *row])
    return [line for line, row in zip(found, rows, strict=True) if id(row) not in used]


def _marks(mark: Row, row: Row) -> bool:
    """Tell whether the mark of a list stands before a line."""
    size = row[0].size
    if mark is row or abs(mark[0].base - _base(row)) > _SAME_LINE * size:
        return False
    if any(_ARABIC.match(glyph.char) for glyph in row):
        gap = min(g.left for g in mark) - max(g.right for g in row)
    else:
        gap = min(g.left for g in row) - max(g.right for g in mark)
    return 0 <= gap <= _INDENT * size


def _meets(line: Row, row: Row) -> bool:
    """Tell whether letters go on with a line, or fill a hole in it."""
    size = max(line[0].size, row[0].size)
    part, whole = sorted((line, row), key=len)
    off = abs(_base(line) - _base(row))
    few = len(part) <= _FEW
    if off > (_OFF if few else _SAME_LINE) * size:
        return False
    if not any(_ARABIC.match(glyph.char) for glyph in (*line, *row)):
        return False
    left, right = min(g.left for g in part), max(g.right for g in part)
    first, last = min(g.left for g in whole), max(g.right for g in whole)
    if abs(max(left - last, first - right)) <= _SPACE * size:
        return True
    over = sum(max(0.0, min(g.right, right) - max(g.left, left)) for g in whole)
    is_hole = first < left and right < last and over < (right - left) / 2
    return is_hole and (few or off < _SAME_BASE)


def lines(rows: Sequence[Row], page: int, *, as_drawn: bool = False) -> list[Line]:
    """Return the lines that letters stand on.

    :param page: Its number, from 0.
    :param as_drawn: Whether Arabic was drawn from left to right as it is read, by mistake.
    """
    found = [_line(_once(row), page) for row in rows]
    found = [line for line in _unbroken(found) if line.text]
    return [line.as_drawn() for line in found] if as_drawn else found


def _once(row: Row) -> Row:
    """Return letters without those that are drawn a second time, as some do for bold ones."""
    again = set[int]()
    for a, b in pairwise(sorted(row, key=lambda g: (g.char, g.left))):
        near = _TOUCHING * a.size
        if a.char == b.char and b.left - a.left < near and b.right - a.right < near:
            again |= {id(b)} if a[1:3] != b[1:3] else set()  # equal places: both are of one sign
    return [g for g in row if id(g) not in again]


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
    for part in page.get_objects((raw.FPDF_PAGEOBJ_TEXT,), max_depth=_MOST_NESTED):
        mark = _said_span(part.raw)
        if mark and mark == span:
            drawn, whole = found[first]
            place = _place(part.raw)
            edges = min(whole.left, place.left), max(whole.right, place.right)
            found[first] = (drawn, _Place(*edges, min(whole.base, place.base)))
        elif mark:
            first = _address(part.raw)
            found[first] = (_place(part.raw), _place(part.raw))
        span = mark
    return {part: places for part, places in found.items() if places[0] != places[1]}


def _place(part: Any) -> _Place:
    left, low, right, high = (ctypes.c_float() for _ in range(4))
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetBounds(part, left, low, right, high)
    raw.FPDFPageObj_GetMatrix(part, matrix)
    return _Place(left.value, right.value, matrix.f)


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
            alone = sum(not unicodedata.combining(glyph.char) for glyph in glyphs) == 1
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
        if char not in _BULLETS and raw.FPDFText_HasUnicodeMapError(page, at) == 1:
            char = UNNAMED
        word += char.isspace()
        raw.FPDFText_GetLooseCharBox(page, at, box)
        raw.FPDFText_GetCharOrigin(page, at, x, y)
        pointer = raw.FPDFText_GetTextObject(page, at)
        if (place := _address(pointer)) != drawn:
            drawn, look = place, _look(text, at, pointer)
        char = "•" if char in _BULLETS else char
        base = height - y.value
        yield place, Glyph(char, box.left, box.right, base, look[0], word, *look[1:])


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


def _adjoins(row: Row, glyph: Glyph) -> bool:
    """Tell whether a letter stands right beside those of a line that isn't the last one.

    What is drawn in parts comes after its line, for PDFium.
    """
    if abs(row[-1].base - glyph.base) > _SAME_BASE or row[-1].size != glyph.size:
        return False
    if unicodedata.combining(glyph.char):
        return glyph[1:3] == row[-1][1:3]
    near = _TOUCHING * glyph.size
    left, right = min(g.left for g in row), max(g.right for g in row)
    return abs(glyph.left - right) <= near or abs(glyph.right - left) <= near


def _goes_on(row: Row, glyph: Glyph, *, ended: bool) -> bool:
    """Tell whether a letter stands on the line of others.

    :param ended: Whether PDFium begins a line with it: of a table, it does so with each cell.
    """
    apart = abs(row[-1].base - glyph.base) > _SAME_LINE * max(row[-1].size, glyph.size)
    if not ended:
        # Marks and indices stand higher, what is far lower is another line.
        last = next((g for g in reversed(row) if not unicodedata.combining(g.char)), row[0])
        return abs(last.base - glyph.base) < max(last.size, glyph.size)
    near = _TOUCHING * glyph.size
    left, right = min(g.left for g in row), max(g.right for g in row)
    beside = glyph.left >= right - near or glyph.right <= left + near
    return beside and not apart


def _line(row: Row, number: int) -> Line:
    """Return the line of some letters, in the order that PDFium has them."""
    drawn = _from_left(row)
    cells = _read(list(_columns(drawn)))
    if _LIST_MARK.fullmatch("".join(glyph.char for glyph in cells[0])):
        cells[:2] = [[glyph for cell in cells[:2] for glyph in cell]]
    sizes = [glyph.size for glyph in row]
    large = [glyph for glyph in row if glyph.size == max(sizes)]
    whole = _part(drawn, row, number)
    return replace(
        whole,
        base=_base(large),
        size=max(set(sizes), key=sizes.count),
        bold=all(glyph.bold for glyph in row),
        cells=tuple(_part(cell, (), number) for cell in cells) if cells[1:] else (),
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
    is_read = [not _ARABIC.match(g.char) or _is_read(letters, n) for n, g in enumerate(letters)]
    centres = {id(g): (g.left + g.right) / 2 for g in row}
    for (a, b), read in zip(pairwise(letters), is_read[1:], strict=True):
        # Calligraphic fonts put a letter on the one before it: the two stand as they are named.
        on = abs(centres[id(a)] - centres[id(b)]) < _ON * min(a.right - a.left, b.right - b.left)
        if on and a.word == b.word and a[1:3] != b[1:3]:
            centres[id(b)] = centres[id(a)] + (-_TINY if read else _TINY)
    # Letters that are drawn as one have one place, and are named as those around them.
    turned = {
        id(g): n if read else -n for n, (g, read) in enumerate(zip(letters, is_read, strict=True))
    }
    ordered = sorted(letters, key=lambda g: (centres[id(g)], turned[id(g)]))
    for n, (a, b) in enumerate(pairwise(ordered)):
        # Of lam and alef there is one such sign, whichever is named first.
        if a.char == "ل" and b.char in _ALEFS and a[1:3] == b[1:3]:
            ordered[n], ordered[n + 1] = b, a
    for mark in (g for g in row if unicodedata.combining(g.char)):
        near = min(range(len(ordered)), key=lambda n: _distance(mark, ordered[n]), default=0)
        ordered.insert(near, mark)
    return ordered


def _distance(mark: Glyph, letter: Glyph) -> float:
    """Return how far a mark stands from a letter."""
    if _are_halves(mark, letter) or _are_halves(letter, mark):
        return 0.0
    return abs(mark.left + mark.right - letter.left - letter.right) / 2


def _are_halves(one: Glyph, other: Glyph) -> bool:
    """Tell whether PDFium parts one place among two letters, that have one sign."""
    wider = abs((one.right - one.left) - (other.right - other.left))
    return wider < _SAME_BASE and abs(one.right - other.left) < _SAME_BASE


def _is_read(letters: Row, n: int) -> bool:
    """Tell whether PDFium gives Arabic around a letter as it is read, or else as it is drawn."""
    inside = [g for g in letters[max(0, n - 4) : n + 5] if g.word == letters[n].word]
    apart = [(a, b) for a, b in pairwise(inside) if _ARABIC.match(a.char) and a.left != b.left]
    return sum(1 if a.left > b.left else -1 for a, b in apart) > 0


def _spaced(glyphs: Row) -> str:
    """Return letters with the spaces that stand between them.

    PDFium tells words by an order that isn't that of the page for brackets among Arabic, and a
    mark that is drawn apart parts them for it.
    """
    is_arabic = any(_ARABIC.match(glyph.char) for glyph in glyphs)
    parts, marks = list[str](), list[Glyph]()
    before: Glyph | None = None
    edge = 0.0
    for glyph in glyphs:
        if is_arabic and unicodedata.combining(glyph.char):
            marks.append(glyph)  # of the letter that follows, in a word of its own for PDFium
            continue
        if before is not None:
            parted = glyph.word != before.word
            halves = (mark.left for mark in marks if _are_halves(mark, glyph))
            gap = (min(halves, default=glyph.left) - edge) / max(1.0, glyph.size)
            apart = parted or gap > _SPACE
            if is_arabic and gap < _SPACE:
                signs = bool(_SIGNS.intersection((before.char, glyph.char)))
                apart = gap > (_NEAR if signs else _TOUCHING) and (apart or signs)
            parts += [" "] * apart
        parts += [each.char for each in (*marks, glyph)]
        edge = max(edge, glyph.right) if before is not None else glyph.right
        marks, before = [], glyph
    return "".join((*parts, *(mark.char for mark in marks)))


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
