"""The text of a page that is a picture, as Tesseract reads it where ``documents.ocr`` says so.

It gets the letters' picture alone, as PDFium draws the page, and nothing of the file.
"""

from __future__ import annotations

import os
from math import sqrt

import pypdfium2 as pdfium

from rag.readers import OCR
from rag.readers.pdf.lines import Line
from rag.readers.pdf.parts import BULLET, Part
from rag.readers.writing import one_line

_DOTS, _POINTS = 300, 72  # an inch
_MOST_PIXELS = 30_000_000
_LEAST_SURE = 60  # of 100, in the mean of a page's words: below, it is guesses


def is_read() -> bool:
    """Tell whether such pages are read."""
    return bool(os.environ.get(OCR))


def parts(page: pdfium.PdfPage, number: int) -> list[Part]:
    """Return the paragraphs and items of a page; none where its letters aren't sure.

    :param number: Of the page, from 0.
    """
    from tesserocr import PSM, PyTessBaseAPI

    width, height = page.get_size()
    scale = min(_DOTS / _POINTS, sqrt(_MOST_PIXELS / max(1.0, width * height)))
    picture = page.render(scale=scale, grayscale=True)
    size = picture.width, picture.height, 1, picture.stride
    with PyTessBaseAPI(lang=os.environ[OCR], psm=PSM.AUTO) as reader:
        reader.SetImageBytes(bytes(picture.buffer), *size)
        reader.SetSourceResolution(round(scale * _POINTS))
        text = reader.GetUTF8Text()
        if reader.MeanTextConf() < _LEAST_SURE:
            return []
    found: list[list[Line]] = []
    for paragraph in text.split("\n\n"):
        for n, said in enumerate(filter(None, map(one_line, paragraph.split("\n")))):
            if n == 0 or BULLET.match(said):
                found.append([])
            found[-1].append(Line(said, said, number, 0, 0, 0, 0, bold=False))
    return [_part(lines, n) for n, lines in enumerate(found)]


def _part(lines: list[Line], nth: int) -> Part:
    is_item = bool(BULLET.match(lines[0].text))
    return Part("item" if is_item else "text", tuple(lines), int(is_item), opens=nth == 0)
