"""The lines of a PDF's page, as they are read, from the places of its letters.

Of Arabic PDFium's order is not taken: programs write words from either end, and often each its own
way; what stands right of what is what a reader of the page sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import mode

from rag.readers import arabic
from rag.readers.pdf.glyphs import (
    ARABIC,
    HYPHEN,
    NEAR,
    SAME_BASE,
    SPACE,
    TOUCHING,
    Glyph,
    Row,
    base,
    edges,
    is_arabic,
    is_mark,
)
from rag.readers.writing import one_line

BULLETS = "[•▪◦‣●○∙·*–—-]"
LIST_MARK = re.compile(rf"{BULLETS}|\(?(?:\d{{1,2}}|[a-zA-Z\u0621-\u064a])[.)–-]")
_MARKED = re.compile("([\u064b-\u0652\u0670]+)([\u0621-\u064a])")
_SIGNS = frozenset('()[]«»“”"•')
_WORD = re.compile(r"\w+(?:-\w+)*")
_BROKEN = 0.03  # of the lines
_ALEFS = "اأإآٱ"
_COLUMN = 0.8  # of a letter's size: what parts columns
_TINY = 0.001  # points
_ON = 0.25  # of the narrower letter: between the middles of two that stand on each other


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


def lines_of(rows: Sequence[Row], page: int, *, as_drawn: bool = False) -> list[Line]:
    """Return the lines that letters stand on.

    :param page: Its number, from 0.
    :param as_drawn: Whether Arabic was drawn from left to right as it is read, by mistake.
    """
    found = [_line(_once(row), page) for row in rows]
    found = [line for line in _unbroken(found) if line.text]
    return [line.as_drawn() for line in found] if as_drawn else found


def text(row: Row) -> str:
    """Return letters as they are read."""
    return _part(_from_left(row), row, 0).text


def _once(row: Row) -> Row:
    """Return letters without those that are drawn a second time, as some do for bold ones."""
    again = set[int]()
    for a, b in pairwise(sorted(row, key=lambda g: (g.char, g.left))):
        near = TOUCHING * a.size
        if a.char == b.char and b.left - a.left < near and b.right - a.right < near:
            again |= {id(b)} if a[1:3] != b[1:3] else set()  # equal places: both are of one sign
    return [g for g in row if id(g) not in again]


def _line(row: Row, number: int) -> Line:
    """Return the line of some letters, in the order that PDFium has them."""
    drawn = _from_left(row)
    cells = _read(list(_columns(drawn)))
    if LIST_MARK.fullmatch("".join(glyph.char for glyph in cells[0])):
        cells[:2] = [[g for cell in sorted(cells[:2], key=edges) for g in cell]]
    sizes = [glyph.size for glyph in row]
    largest = max(sizes)
    whole = _part(drawn, row, number)
    return replace(
        whole,
        base=base([glyph for glyph in row if glyph.size == largest]),
        size=mode(sizes),
        bold=all(glyph.bold for glyph in row),
        cells=tuple(_part(cell, (), number) for cell in cells) if cells[1:] else (),
    )


def _part(drawn: Row, row: Row, number: int) -> Line:
    """Return letters, from the left, as a line.

    :param row: They in PDFium's order, which is taken where nothing runs from the right.
    """
    shown = one_line(arabic.undrawn(_spaced(drawn)))
    if not ARABIC.search(shown):
        read = one_line(_spaced(row)) if row else shown
    else:
        read = one_line(arabic.logical(shown))
    left, right = edges(drawn)
    return Line(read, shown, number, left, right, drawn[0].base, drawn[0].size, drawn[0].bold)


def _from_left(row: Row) -> list[Glyph]:
    """Return letters by their places; a mark before the letter that it stands on, in Arabic."""
    letters = [g for g in row if not is_mark(g)]
    is_read = [not ARABIC.match(g.char) or _is_read(letters, n) for n, g in enumerate(letters)]
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
    for mark in (g for g in row if is_mark(g)):
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
    return wider < SAME_BASE and abs(one.right - other.left) < SAME_BASE


def _is_read(letters: Row, n: int) -> bool:
    """Tell whether PDFium gives Arabic around a letter as it is read, or else as it is drawn."""
    inside = [g for g in letters[max(0, n - 4) : n + 5] if g.word == letters[n].word]
    apart = [(a, b) for a, b in pairwise(inside) if ARABIC.match(a.char) and a.left != b.left]
    return sum(1 if a.left > b.left else -1 for a, b in apart) > 0


def _spaced(glyphs: Row) -> str:
    """Return letters with the spaces that stand between them.

    PDFium tells words by an order that isn't that of the page for brackets among Arabic, and a
    mark that is drawn apart parts them for it.
    """
    arab = is_arabic(glyphs)
    parts, marks = list[str](), list[Glyph]()
    before: Glyph | None = None
    edge = 0.0
    for glyph in glyphs:
        if arab and is_mark(glyph):
            marks.append(glyph)  # of the letter that follows, in a word of its own for PDFium
            continue
        if before is not None:
            parted = glyph.word != before.word
            halves = (mark.left for mark in marks if _are_halves(mark, glyph))
            gap = (min(halves, default=glyph.left) - edge) / max(1.0, glyph.size)
            apart = parted or gap > SPACE
            if arab and gap < SPACE:
                signs = bool(_SIGNS.intersection((before.char, glyph.char)))
                apart = gap > (NEAR if signs else TOUCHING) and (apart or signs)
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
    arab = sum(bool(ARABIC.search(g.char)) for cell in cells for g in cell)
    latin = sum(g.char.isascii() and g.char.isalpha() for cell in cells for g in cell)
    return cells[::-1] if arab > latin else cells


def _unbroken(found: Sequence[Line]) -> Iterator[Line]:
    """Yield lines, a word that was broken at the end of one made whole.

    Its hyphen stays where the same is written so elsewhere, or hardly any line ends in one: then no
    program has broken words, and the author has written it.
    """
    words = set(_WORD.findall("\n".join(line.text for line in found)))
    few = sum(line.text.endswith(HYPHEN) for line in found) <= max(1, _BROKEN * len(found))
    held = ""
    for line in found:
        text = line.text
        if held:
            ended = _WORD.match(text)
            whole = held + (ended[0] if ended else "")
            stays = few and whole.replace(HYPHEN, "") not in words
            stays |= whole.replace(HYPHEN, "-") in words
            text = held.replace(HYPHEN, "-" if stays else "") + text
            held = ""
        if text.endswith(HYPHEN) and line is not found[-1]:
            text, _, held = text.rpartition(" ")
        if text.strip():
            yield replace(line, text=text.strip().replace(HYPHEN, "-"))
