"""Slides: each a heading with what stands under it, and a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pptx
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

from rag.readers import archives
from rag.readers.writing import Reading, Writer

_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
# Dates, numbers and footers, alike on each slide.
_AROUND = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_BODIES = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY)
_MOST_NESTED = 20


def read(content: bytes) -> Reading:
    """Read the slides of a presentation, and the notes under each.

    :raises DocumentError: When it is encrypted, or not safe to be read.
    """
    properties = archives.office(content)
    writer = Writer()
    for number, slide in enumerate(pptx.Presentation(io.BytesIO(content)).slides):
        writer.page()
        shapes = list(_shapes(slide.shapes, _MOST_NESTED))
        for shape in shapes:
            if _kind(shape) in _TITLES:
                writer.heading(shape.text_frame.text, 1 if number == 0 else 2)
        for shape in shapes:
            if _kind(shape) not in (*_TITLES, *_AROUND):
                _write(shape, writer)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            writer.paragraph(slide.notes_slide.notes_text_frame.text)
    return writer.reading(*properties)


def _shapes(shapes: Any, most: int) -> Iterator[Any]:
    """Yield shapes from above to below, those of groups too."""
    ordered = sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))
    for shape in ordered:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes, most - 1) if most else ()
        else:
            yield shape


def _kind(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _write(shape: Any, writer: Writer) -> None:
    if shape.has_table:
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        writer.table(rows, headed=True if shape.table.first_row else None)
    elif shape.has_text_frame:
        said = [one for one in shape.text_frame.paragraphs if one.text.strip()]
        # What a slide's layout sets as a list; a single line there is a sentence.
        listed = _kind(shape) in _BODIES and len(said) > 1
        group = writer.begin_list() if listed else 0
        for one in said:
            if listed:
                writer.item(one.text, one.level + 1, group, "-")
            else:
                writer.paragraph(one.text.replace("\v", "\n"))
