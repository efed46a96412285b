"""The letters of a PDF's page, those of a line together.

PDFium tells which letters share a line, but parts one where a letter stands off it, and what a
program draws later comes later, be it the mark before a list's item or the line above.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import pypdfium2 as pdfium

from rag.readers import arabic
from rag.readers.pdf import glyphs, lines
from rag.readers.pdf.glyphs import (
    NEAR,
    SAME_BASE,
    SAME_LINE,
    SPACE,
    TOUCHING,
    Glyph,
    Row,
    base,
    edges,
    is_arabic,
    is_mark,
)

_INDENT = 4  # of a letter's size, between the mark of a list and its item
_MARK_LETTERS = 4  # at most, as of (12)
_OFF, _FEW = 0.7, 3  # of letters that stand higher or lower than their line: how far, how many
_NEAR_ROWS = 4
# Of the likelihood of a pair of letters: over 84 PDFs, .24 and more with words that were not told,
# .01 at the most with others.
_BETTER = 0.1


def rows_of(page: pdfium.PdfPage) -> list[Row]:
    """Return the letters of a page, line by line in the order that the file has them."""
    found: list[list[Glyph]] = []
    ended = True
    for glyph in glyphs.read(page):
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
    return _spread(_whole(found))


def _adjoins(row: Row, glyph: Glyph) -> bool:
    """Tell whether a letter stands right beside those of a line that isn't the last one.

    What is drawn in parts comes after its line, for PDFium.
    """
    if abs(row[-1].base - glyph.base) > SAME_BASE or row[-1].size != glyph.size:
        return False
    if is_mark(glyph):
        return glyph[1:3] == row[-1][1:3]
    near = TOUCHING * glyph.size
    left, right = edges(row)
    return abs(glyph.left - right) <= near or abs(glyph.right - left) <= near


def _goes_on(row: Row, glyph: Glyph, *, ended: bool) -> bool:
    """Tell whether a letter stands on the line of others.

    :param ended: Whether PDFium begins a line with it: of a table, it does so with each cell.
    """
    apart = abs(row[-1].base - glyph.base) > SAME_LINE * max(row[-1].size, glyph.size)
    if not ended:
        # Marks and indices stand higher, what is far lower is another line.
        last = next((g for g in reversed(row) if not is_mark(g)), row[0])
        return abs(last.base - glyph.base) < max(last.size, glyph.size)
    near = TOUCHING * glyph.size
    left, right = edges(row)
    beside = glyph.left >= right - near or glyph.right <= left + near
    return beside and not apart


def _whole(found: Sequence[list[Glyph]]) -> list[Row]:
    """Return lines of Arabic in one piece that PDFium parts where a letter stands off the line."""
    whole: list[list[Glyph]] = []
    for row in found:
        line = next((line for line in whole[-_NEAR_ROWS:] if _meets(line, row)), None)
        if line is None:
            whole.append(row)
        else:
            line += row
    letters = (row for row in whole if not all(is_mark(g) for g in row))
    return _marked(_downward(letters))


def _meets(line: Row, row: Row) -> bool:
    """Tell whether letters go on with a line, or fill a hole in it."""
    size = max(line[0].size, row[0].size)
    part, whole = sorted((line, row), key=len)
    off = abs(base(line) - base(row))
    few = len(part) <= _FEW
    if off > (_OFF if few else SAME_LINE) * size:
        return False
    if not is_arabic(line) and not is_arabic(row):
        return False
    (left, right), (first, last) = edges(part), edges(whole)
    if abs(max(left - last, first - right)) <= SPACE * size:
        return True
    over = sum(max(0.0, min(g.right, right) - max(g.left, left)) for g in whole)
    is_hole = first < left and right < last and over < (right - left) / 2
    return is_hole and (few or off < SAME_BASE)


def _downward(rows: Iterable[Row]) -> list[Row]:
    """Return lines with those that were drawn after the one below them before it."""
    found: list[Row] = []
    for row in rows:
        at = len(found)
        while at and 0 < base(found[at - 1]) - base(row) < 2 * row[0].size:
            (left, right), (first, last) = edges(row), edges(found[at - 1])
            if right < first or last < left:
                break  # another column
            at -= 1
        found.insert(at, row)
    return found


def _marked(rows: list[Row]) -> list[Row]:
    """Return lines with the marks of lists, which some programs draw after all the items."""
    marks = sorted((row for row in rows if _is_list_mark(row)), key=base)
    bases = [base(mark) for mark in marks]
    used = set[int]()
    found = list[Row]()
    for row in rows:
        off, at = SAME_LINE * row[0].size, base(row)
        near = marks[bisect_left(bases, at - off) : bisect_right(bases, at + off)]
        mark = next((mark for mark in near if mark is not row and _is_before(mark, row)), ())
        used.add(id(mark))
        found.append([*mark, *row])
    return [line for line, row in zip(found, rows, strict=True) if id(row) not in used]


def _is_list_mark(row: Row) -> bool:
    short = len(row) <= _MARK_LETTERS
    return short and bool(lines.LIST_MARK.fullmatch("".join(glyph.char for glyph in row)))


def _is_before(mark: Row, row: Row) -> bool:
    """Tell whether the mark of a list stands before its item."""
    (left, right), (first, last) = edges(mark), edges(row)
    gap = left - last if is_arabic(row) else first - right
    return 0 <= gap <= _INDENT * row[0].size


def _spread(rows: list[Row]) -> list[Row]:
    """Return lines with words told by the space between them, where that makes better Arabic.

    Of what was drawn without spaces, as TeX and Cairo do, PDFium tells few words.
    """
    spread = [_worded(row) for row in rows]
    counts = [sum(len({glyph.word for glyph in row}) for row in each) for each in (rows, spread)]
    if counts[1] <= counts[0]:
        return rows
    told, better = (
        arabic.likelihood("\n".join(map(lines.text, each))).forward for each in (rows, spread)
    )
    return spread if better - told > _BETTER else rows


def _worded(row: Row) -> Row:
    """Return letters with words told by the space between them."""
    words = dict[int, int]()
    ordered = sorted(row, key=lambda g: g.left)
    word, edge = row[0].word, ordered[0].right
    for glyph in ordered:
        word += glyph.left - edge > NEAR * glyph.size
        edge = max(edge, glyph.right)
        words[id(glyph)] = word
    return [glyph._replace(word=words[id(glyph)]) for glyph in row]
