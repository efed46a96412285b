"""A PDF → what its tags, or else its pages' looks, make of it."""

from __future__ import annotations

from collections.abc import Sequence

import pypdfium2 as pdfium

from rag.errors import DocumentError
from rag.readers.pdf import laid_out, legible, parts, properties, scanned, tagged
from rag.readers.pdf.glyphs import Row
from rag.readers.pdf.lines import Line, lines_of
from rag.readers.pdf.parts import Part
from rag.readers.pdf.rows import rows_of
from rag.readers.pdf.tagged import Element
from rag.readers.writing import Reading, Writer

_TAGGED = 0.7  # of all letters: fewer are not all


def read(content: bytes) -> Reading:
    """Read a PDF.

    :raises DocumentError: When it is encrypted, scanned or blank, or its letters can't be told.
    """
    with _opened(content) as file:
        pages = [_page(page) for page in file]
        about = properties.read(file, content)
        try:
            found = _parts([rows for rows, _, _ in pages], [tags for _, tags, _ in pages])
            pictures = [n for n, (_, _, is_picture) in enumerate(pages) if is_picture]
        except DocumentError:
            if not scanned.is_read():
                raise
            found, pictures = [], list(range(len(pages)))
        if scanned.is_read():
            found += [part for n in pictures for part in scanned.parts(file[n], n)]
    if pages and not found:
        if not pictures:
            raise DocumentError("holds no text")
        if scanned.is_read():
            raise DocumentError(
                "its pages are pictures in which text recognition is sure of nothing"
            )
        raise DocumentError(
            "its pages are pictures without text, as a scanner makes them; run text recognition"
            " (OCR) on it first, or set documents.ocr"
        )
    writer = Writer()
    parts.write(sorted(found, key=lambda part: part.lines[0].page), len(pages), writer)
    return writer.reading(*about)


def _page(page: pdfium.PdfPage) -> tuple[list[Row], Sequence[Element], bool]:
    """Return the letters of a page, its tags, and whether it is drawn without letters."""
    rows = rows_of(page)
    # Of a blank page there may be a space.
    is_drawn_on = not rows and any(
        found.type != pdfium.raw.FPDF_PAGEOBJ_TEXT for found in page.get_objects()
    )
    found = rows, tagged.elements(page), is_drawn_on
    page.close()
    return found


def _parts(pages: Sequence[Sequence[Row]], tags: Sequence[Sequence[Element]]) -> list[Part]:
    lines = [lines_of(rows, number) for number, rows in enumerate(pages)]
    as_drawn = legible.is_backward("\n".join(line.text for page in lines for line in page))
    if not _are_whole(pages, tags):
        if as_drawn:
            lines = [[line.as_drawn() for line in page] for page in lines]
        return laid_out.parts(lines)

    def under(number: int, marks: Sequence[int]) -> tuple[Line, ...]:
        wanted = set(marks)
        rows = ([g for g in row if g.mark in wanted] for row in pages[number])
        return tuple(lines_of([row for row in rows if row], number, as_drawn=as_drawn))

    return tagged.parts(tags, under)


def _are_whole(pages: Sequence[Sequence[Row]], tags: Sequence[Sequence[Element]]) -> bool:
    """Tell whether most of the text is tagged."""
    count = found = 0
    for rows, elements in zip(pages, tags, strict=True):
        marks = {mark for element in elements for mark in element.marks()}
        count += sum(map(len, rows))
        found += sum(glyph.mark in marks for row in rows for glyph in row)
    return found >= _TAGGED * count


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as exc:
        if exc.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise DocumentError("is protected by a password; save it without one") from exc
        raise
