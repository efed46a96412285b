"""The parts of a PDF without tags, by the places, sizes and signs of its lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from rag.plain import NUMBER
from rag.readers.pdf.lines import Line
from rag.readers.pdf.parts import BULLET, ENDS, Part

_DIGITS = re.compile(r"\d+")
_HEADING_CHARS = 160
_LARGER = 1.1  # than most letters: a heading
_APART = 1.35  # of the usual distance of two lines: another paragraph
_AT_THE_EDGE = 3  # lines above and below, among which those that stand on every page are
_ON_MANY = 0.5  # of the pages
_FEWEST_PAGES = 3
_ROOM = 0.1  # of a line: by how much it may fall short of its paragraph's width anyway


def _without_edges(pages: Sequence[list[Line]]) -> Iterator[list[Line]]:
    """Yield the lines of pages without numbers, headers and footers, which most pages have."""
    counts = Counter(name for lines in pages for name in {_edge(line) for line in _edges(lines)})
    least = max(_FEWEST_PAGES, _ON_MANY * len(pages))
    for lines in pages:
        edges = {id(line) for line in _edges(lines) if counts[_edge(line)] >= least}
        text = [line for line in lines if id(line) not in edges]
        # What is most of the page is no edge of it, however alike the pages are.
        yield text if 2 * _chars(text) >= _chars(lines) else lines


def _chars(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _edges(lines: list[Line]) -> list[Line]:
    ordered = sorted(lines, key=lambda line: line.base)
    return [*ordered[:_AT_THE_EDGE], *ordered[_AT_THE_EDGE:][-_AT_THE_EDGE:]]


def _edge(line: Line) -> tuple[str, int]:
    """Return what a line is alike with on other pages, whatever numbers stand in it."""
    return _DIGITS.sub("0", line.text), round(line.base / 4)


def parts(pages: Sequence[list[Line]]) -> list[Part]:
    """Return the headings, items, tables and paragraphs of pages."""
    lines = [line for page in _without_edges(pages) for line in page]
    sizes = Counter[float]()
    for line in lines:
        sizes[line.size] += len(line.text)
    body = max(sizes, key=lambda size: sizes[size], default=0.0)
    usual = _usual_distance(lines, body)
    widths = _widths(lines, body)
    levels = sorted({line.size for line in lines if line.size >= _LARGER * body}, reverse=True)
    found: list[Part] = []
    n = 0
    while n < len(lines):
        if taken := _table(lines, n):
            found.append(_as_table(lines[n : n + taken]))
        elif _is_heading(lines[n], body):
            taken = _run(lines, n, lambda a, b: _goes_on(a, b, usual, within=1.2))
            level = levels.index(lines[n].size) + 1 if lines[n].size in levels else len(levels) + 1
            found.append(Part("heading", tuple(lines[n : n + taken]), level))
        elif _item(lines[n]):
            taken = _run(lines, n, lambda a, b: _goes_on(a, b, usual) and not _item(b))
            opens = not (found and found[-1].kind == "item")
            found.append(Part("item", tuple(lines[n : n + taken]), 1, opens=opens))
        else:
            taken = _paragraph(lines, n, usual, body, widths)
            found.append(Part("text", tuple(lines[n : n + taken])))
        n += taken
    return found


def _usual_distance(lines: Sequence[Line], body: float) -> float:
    """Return how far two lines of a paragraph are from each other, for a size of one."""
    found = [
        (after.base - before.base) / body
        for before, after in pairwise(lines)
        if before.page == after.page and before.size == after.size == body
    ]
    near = [distance for distance in found if 0.5 < distance < 2.5]
    return median(near) if near else 1.2


def _run(lines: Sequence[Line], n: int, goes_on: Callable[[Line, Line], bool]) -> int:
    """Return how many lines belong together from one on."""
    last = n
    while last + 1 < len(lines) and goes_on(lines[last], lines[last + 1]):
        last += 1
    return last + 1 - n


def _is_heading(line: Line, body: float) -> bool:
    short = len(line.text) <= _HEADING_CHARS and any(map(str.isalpha, line.text))
    larger = line.size >= _LARGER * body
    return short and (larger or (line.bold and not ENDS.search(line.text) and not _item(line)))


def _item(line: Line) -> re.Match[str] | None:
    return BULLET.match(line.text) or NUMBER.match(line.text)


def _goes_on(before: Line, after: Line, usual: float, within: float = _APART) -> bool:
    """Tell whether a line is of one block with that before it."""
    alike = before.size == after.size and before.bold == after.bold
    distance = after.base - before.base
    near = before.page == after.page and 0 < distance <= within * usual * before.size
    return alike and near


def _widths(lines: Sequence[Line], body: float) -> dict[int, float]:
    """Return how wide each page's lines of text are: as the upper quarter of them."""
    found = dict[int, list[float]]()
    for line in lines:
        if line.size == body:
            found.setdefault(line.page, []).append(line.right - line.left)
    return {page: sorted(wide)[len(wide) * 3 // 4] for page, wide in found.items()}


def _ended(before: Line, after: Line, width: float) -> bool:
    """Tell whether a line was ended on purpose: the next word would have stood there."""
    word = len(after.text.split()[0]) / len(after.text) * (after.right - after.left)
    room = width - (before.right - before.left)
    announces = before.text.endswith(":")
    return room > word + _ROOM * width and (announces or not after.text[0].islower())


def _paragraph(
    lines: Sequence[Line], n: int, usual: float, body: float, widths: dict[int, float]
) -> int:
    """Return how many lines are a paragraph from one on; it may go on after a page's end."""

    def goes_on(before: Line, after: Line) -> bool:
        if _item(after) or _is_heading(after, body):
            return False
        if before.size == body and _ended(before, after, widths[before.page]):
            return False
        if before.page < after.page:
            return before.size == after.size and not ENDS.search(before.text)
        return _goes_on(before, after, usual)

    taken = _run(lines, n, goes_on)
    inner = (m for m in range(n + 1, n + taken) if _table(lines, m))
    return next(inner, n + taken) - n


def _table(lines: Sequence[Line], n: int) -> int:
    """Return how many lines are rows of a table from one on: two at least, of columns in line."""
    first = lines[n]
    if len(first.cells) < 2:
        return 0
    taken = _run(
        lines,
        n,
        lambda before, after: (
            before.page == after.page
            and after.base > before.base
            and len(after.cells) >= 2
            and len(after.cells) <= len(first.cells)
            and all(_column(cell, first.cells) is not None for cell in after.cells)
        ),
    )
    return taken if taken > 1 else 0


def _column(cell: Line, columns: Sequence[Line]) -> int | None:
    """Return the number of the column that a cell stands in; None where it does in none."""
    shared = [min(cell.right, at.right) - max(cell.left, at.left) for at in columns]
    best = max(range(len(columns)), key=shared.__getitem__)
    return best if shared[best] > 0 else None


def _as_table(lines: Sequence[Line]) -> Part:
    columns = lines[0].cells
    rows = []
    for line in lines:
        row: list[tuple[Line, ...]] = [()] * len(columns)
        for cell in line.cells:
            column = _column(cell, columns) or 0
            row[column] = (*row[column], cell)
        rows.append(tuple(row))
    headed = True if lines[0].bold and not lines[1].bold else None
    return Part("table", tuple(lines), rows=tuple(rows), headed=headed)
