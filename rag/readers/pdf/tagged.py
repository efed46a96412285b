"""The parts of a PDF whose program has tagged them, as Word, LibreOffice and browsers do."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.readers.pdf.lines import BULLETS
from rag.readers.pdf.parts import ENDS, Cell, Part

_HEADING = re.compile(r"H([1-6])?|Title")
_NAME_BYTES = 128
_MOST_NESTED = 100
# Within a paragraph; what else has text of its own is one.
_INLINE = frozenset("Span Link Quote Reference Note Em Strong Code Lbl Annot NonStruct Sub".split())
_BULLET = re.compile(f"{BULLETS}|o")  # of which Word draws one as a letter


@dataclass(frozen=True)
class Element:
    """A tagged part of a page.

    :ivar inside: Elements, and the numbers of the marks on what it holds itself.
    """

    kind: str
    inside: tuple[Element | int, ...]

    def marks(self) -> Iterator[int]:
        """Yield the numbers of all marks in it, in order."""
        for one in self.inside:
            yield from (one,) if isinstance(one, int) else one.marks()


def elements(page: pdfium.PdfPage) -> tuple[Element, ...]:
    """Return the tags of a page; none where its program has left them out."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return ()
    children = (
        raw.FPDF_StructTree_GetChildAtIndex(tree, n)
        for n in range(raw.FPDF_StructTree_CountChildren(tree))
    )
    found = tuple(_element(child, _MOST_NESTED) for child in children if child)
    raw.FPDF_StructTree_Close(tree)
    return found


def _element(pointer: Any, most: int) -> Element:
    name = ctypes.create_string_buffer(_NAME_BYTES)
    size = raw.FPDF_StructElement_GetType(pointer, name, _NAME_BYTES)
    inside = list[Element | int]()
    for n in range(raw.FPDF_StructElement_CountChildren(pointer)):
        child = raw.FPDF_StructElement_GetChildAtIndex(pointer, n)
        mark = raw.FPDF_StructElement_GetChildMarkedContentID(pointer, n)
        if child and most:
            inside.append(_element(child, most - 1))
        elif mark >= 0:
            inside.append(mark)
    return Element(name.raw[: max(0, size - 2)].decode("utf-16-le", "replace"), tuple(inside))


def parts(
    pages: Sequence[Sequence[Element]], lines_of: Callable[[int, Sequence[int]], Cell]
) -> list[Part]:
    """Return the parts of a file; one that a page's end has cut in two is one again.

    :param lines_of: Gives the lines of a page that some marks are on.
    """
    found: list[Part] = []
    for number, page in enumerate(pages):
        reading = _Page(partial(lines_of, number))
        for element in page:
            reading.add(element)
        begins = reading.parts
        if found and begins and (whole := _whole(found[-1], begins[0])):
            found[-1:], begins = [whole], begins[1:]
        found += begins
    return found


def _whole(before: Part, after: Part) -> Part | None:
    """Return two parts as one, where they were one."""
    lines = (*before.lines, *after.lines)
    if before.kind == after.kind == "text" and not ENDS.search(before.lines[-1].text):
        return replace(before, lines=lines)
    if before.kind == after.kind == "table" and not after.headed:
        return replace(before, lines=lines, rows=(*before.rows, *after.rows))
    return None


class _Page:
    """The tags of a page, while its parts are made of them."""

    def __init__(self, lines_of: Callable[[Sequence[int]], Cell]) -> None:
        self.parts: list[Part] = []
        self._lines_of = lines_of

    def add(self, element: Element, level: int = 0) -> None:
        """Add an element's parts.

        :param level: How many lists it is nested in.
        """
        if heading := _HEADING.fullmatch(element.kind):
            self._add(Part("heading", self._lines(element), int(heading[1] or 1)))
        elif element.kind == "Table":
            self._table(element)
        elif element.kind == "L":
            for n, item in enumerate(_within(element, "LI")):
                self._item(item, level + 1, opens=level == 0 and n == 0)
        elif element.kind not in ("Artifact", "Figure", "Formula"):
            self._others(element, level)

    def _others(self, element: Element, level: int) -> None:
        """Add what is in an element: its own text as paragraphs, between others' parts."""
        marks = list[int]()
        for one in (*element.inside, None):
            if isinstance(one, int):
                marks.append(one)
            elif one is not None and _is_inline(one):
                marks += one.marks()
            else:
                if marks:
                    self._add(Part("text", self._lines_of(marks)))
                    marks = []
                if one is not None:
                    self.add(one, level)

    def _item(self, item: Element, level: int, *, opens: bool) -> None:
        mark = "".join(
            line.text for label in _within(item, "Lbl") for line in self._lines(label)
        ).strip()
        marks, nested = list[int](), list[Element]()
        _split(item, marks, nested)
        lines = self._lines_of(marks)
        mark = "•" if _BULLET.fullmatch(mark) else mark
        self._add(Part("item", lines, level, mark, opens))
        for one in nested:
            self.add(one, level)

    def _table(self, table: Element) -> None:
        rows, heads = [], []
        for row in _within(table, "TR"):
            cells = [one for one in row.inside if isinstance(one, Element)]
            rows.append(tuple(self._lines(cell) for cell in cells))
            heads.append(bool(cells) and all(cell.kind == "TH" for cell in cells))
        lines = tuple(line for row in rows for cell in row for line in cell)
        headed = True if heads and heads[0] else None
        self._add(Part("table", lines, rows=tuple(rows), headed=headed))

    def _add(self, part: Part) -> None:
        if part.lines:
            self.parts.append(part)

    def _lines(self, element: Element) -> Cell:
        return self._lines_of(tuple(element.marks()))


def _within(element: Element, kind: str) -> Iterator[Element]:
    """Yield an element's elements of a kind, those too that only group them."""
    for one in element.inside:
        if isinstance(one, Element):
            if one.kind == kind:
                yield one
            elif one.kind in ("THead", "TBody", "TFoot", "NonStruct", "Div", "Sect"):
                yield from _within(one, kind)


def _split(element: Element, marks: list[int], nested: list[Element]) -> None:
    """Sort what is in an item into the marks of its text and the lists in it."""
    for one in element.inside:
        if isinstance(one, int):
            marks.append(one)
        elif one.kind in ("L", "Table"):
            nested.append(one)
        elif one.kind != "Lbl":
            _split(one, marks, nested)


def _is_inline(element: Element) -> bool:
    """Tell whether an element is of a paragraph's text."""
    return element.kind in _INLINE and all(
        isinstance(one, int) or _is_inline(one) for one in element.inside
    )
