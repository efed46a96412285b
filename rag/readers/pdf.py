"""A PDF → its pages' lines, put together to what their places and sizes make of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

import pypdfium2 as pdfium

from rag.errors import DocumentError
from rag.readers import arabic, glyphs
from rag.readers.glyphs import Line
from rag.readers.writing import Reading, Writer

_BULLET = re.compile(r"[•▪◦‣●○∙·*–—-]\s+(?=\S)")
_NUMBER = re.compile(r"\(?(?:\d{1,2}|[٠-٩]{1,2}|[A-Za-z]|[أابجدهوزحطي])[.)–-]\s+(?=\S)")
_ENDS = re.compile(r"[.!?؟:؛;…][\"'”’»)\]]*$")
_DIGITS = re.compile(r"\d+")
_HEADING_CHARS = 160
_LARGER = 1.1  # than most letters: a heading
_APART = 1.35  # of the usual distance of two lines: another paragraph
_AT_THE_EDGE = 3  # lines above and below, among which those that stand on every page are
_ON_MANY = 0.5  # of the pages
_FEWEST_PAGES = 3
# Of all letters: more that no font names are not read.
_UNNAMED = 0.1
_JUNK_TITLE = re.compile(r"untitled|microsoft \w+ - .*|.*\.\w{3,4}|about:blank", re.IGNORECASE)


def read(content: bytes) -> Reading:
    """Read a PDF.

    :raises DocumentError: When it is encrypted, scanned, or its letters can't be told.
    """
    pages: list[list[Line]] = []
    with _opened(content) as file:
        for page in file:
            pages.append(glyphs.lines(page, len(pages)))
            page.close()
        said = file.get_metadata_dict()
    if pages and not any(pages):
        raise DocumentError(
            "its pages are pictures without text, as a scanner makes them; run text recognition"
            " (OCR) on it first"
        )
    lines = _in_order([line for page in _without_edges(pages) for line in page])
    writer = Writer()
    _write(lines, len(pages), writer)
    title = said.get("Title", "")
    return writer.reading(
        "" if _JUNK_TITLE.fullmatch(title.strip()) else title,
        said.get("Author", ""),
        _date(said.get("CreationDate", "")),
    )


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as exc:
        if exc.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise DocumentError("is protected by a password; save it without one") from exc
        raise


def _date(said: str) -> str:
    found = re.match(r"D:(\d{4})(\d\d)(\d\d)", said)
    return "-".join(found.groups()) if found else ""


def _in_order(lines: list[Line]) -> list[Line]:
    """Return lines with the letters of Arabic in the order that they are read in.

    :raises DocumentError: When that can't be told, or what the letters are.
    """
    text = "\n".join(line.text for line in lines)
    shown = len("".join(text.split()))
    unnamed = sum(map(text.count, "\ufffd")) + len(re.findall("[\ue000-\uf8ff]", text))
    order = arabic.order(text)
    if order == "neither" or unnamed > _UNNAMED * shown:
        raise DocumentError(
            "its letters can't be told: its fonts don't name them, or not in their order; make the"
            " PDF anew, or run text recognition (OCR) on it"
        )
    return [line.as_drawn() for line in lines] if order == "backward" else lines


def _without_edges(pages: Sequence[list[Line]]) -> Iterator[list[Line]]:
    """Yield the lines of pages without numbers, headers and footers, which most pages have."""
    counts = Counter(name for lines in pages for name in {_edge(line) for line in _edges(lines)})
    least = max(_FEWEST_PAGES, _ON_MANY * len(pages))
    for lines in pages:
        edges = [line for line in _edges(lines) if counts[_edge(line)] >= least]
        yield [line for line in lines if not any(line is edge for edge in edges)]


def _edges(lines: list[Line]) -> list[Line]:
    ordered = sorted(lines, key=lambda line: line.base)
    return [*ordered[:_AT_THE_EDGE], *ordered[_AT_THE_EDGE:][-_AT_THE_EDGE:]]


def _edge(line: Line) -> tuple[str, int]:
    """Return what a line is alike with on other pages, whatever numbers stand in it."""
    return _DIGITS.sub("0", line.text), round(line.base / 4)


def _write(lines: Sequence[Line], pages: int, writer: Writer) -> None:
    """Say lines as headings, items, rows and paragraphs."""
    sizes = Counter[float]()
    for line in lines:
        sizes[line.size] += len(line.text)
    body = max(sizes, key=lambda size: sizes[size], default=0.0)
    usual = _usual_distance(lines, body)
    levels = sorted({line.size for line in lines if line.size >= _LARGER * body}, reverse=True)
    page = n = group = 0
    writer.page()
    while n < len(lines):
        while page < lines[n].page:
            writer.page()
            page += 1
        listed, group = group, 0
        if taken := _table(lines, n):
            _write_table(lines[n : n + taken], writer)
        elif _is_heading(lines[n], body):
            taken = _run(lines, n, lambda a, b: a.size == b.size and _near(a, b, usual, 1.2))
            level = levels.index(lines[n].size) + 1 if lines[n].size in levels else len(levels) + 1
            writer.heading(" ".join(line.text for line in lines[n : n + taken]), level)
        elif _item(lines[n]):
            taken = _run(lines, n, lambda a, b: _goes_on(a, b, usual) and not _item(b))
            group = listed or writer.begin_list()
            text = " ".join(line.text for line in lines[n : n + taken])
            bullet = _BULLET.match(text)
            begin = bullet.end() if bullet else 0
            writer.item(text[begin:], 1, group, text[:begin].strip())
        else:
            taken = _paragraph(lines, n, usual, body)
            part = lines[n : n + taken]
            begins = [m for m in range(1, taken) for _ in range(part[m - 1].page, part[m].page)]
            writer.wrapped([line.text for line in part], begins)
            page += len(begins)
        n += taken
    for _ in range(page + 1, pages):
        writer.page()


def _usual_distance(lines: Sequence[Line], body: float) -> float:
    """Return how far two lines of a paragraph are from each other, for a size of one."""
    found = [
        (after.base - before.base) / body
        for before, after in pairwise(lines)
        if before.page == after.page and before.size == after.size == body
    ]
    near = [distance for distance in found if 0.5 < distance < 2.5]
    return median(near) if near else 1.2


def _near(before: Line, after: Line, usual: float, within: float = _APART) -> bool:
    """Tell whether a line stands under another as those of a paragraph do."""
    distance = after.base - before.base
    return before.page == after.page and 0 < distance <= within * usual * before.size


def _run(lines: Sequence[Line], n: int, goes_on: Callable[[Line, Line], bool]) -> int:
    """Return how many lines belong together from one on."""
    last = n
    while last + 1 < len(lines) and goes_on(lines[last], lines[last + 1]):
        last += 1
    return last + 1 - n


def _is_heading(line: Line, body: float) -> bool:
    short = len(line.text) <= _HEADING_CHARS and any(map(str.isalpha, line.text))
    larger = line.size >= _LARGER * body
    return short and (larger or (line.bold and not _ENDS.search(line.text) and not _item(line)))


def _item(line: Line) -> re.Match[str] | None:
    return _BULLET.match(line.text) or _NUMBER.match(line.text)


def _goes_on(before: Line, after: Line, usual: float) -> bool:
    """Tell whether a line is of one block with that before it."""
    return before.size == after.size and before.bold == after.bold and _near(before, after, usual)


def _paragraph(lines: Sequence[Line], n: int, usual: float, body: float) -> int:
    """Return how many lines are a paragraph from one on; it may go on after a page's end."""

    def goes_on(before: Line, after: Line) -> bool:
        if _item(after) or _is_heading(after, body):
            return False
        if before.page < after.page:
            return before.size == after.size and not _ENDS.search(before.text)
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


def _write_table(lines: Sequence[Line], writer: Writer) -> None:
    columns = lines[0].cells
    rows = []
    for line in lines:
        row = [""] * len(columns)
        for cell in line.cells:
            row[_column(cell, columns) or 0] += f" {cell.text}"
        rows.append(row)
    writer.table(rows, headed=True if lines[0].bold and not lines[1].bold else None)
