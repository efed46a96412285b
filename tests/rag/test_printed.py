"""Texts as programs print them: the PDFs of tests/rag/printed, read.

With ``-s``, the table of docs/formats.md.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from lxml import html

from rag import documents
from rag.config import DocumentsSettings
from rag.errors import DocumentError
from rag.language import fold
from rag.readers import pdf
from rag.readers.sandbox import Sandbox
from tests.rag.test_readers_pdf import TESSERACT

PRINTED = Path(__file__).parent / "printed"
# Of a text's words, how many are read in their order; and what the pages themselves have otherwise.
LEAST = 0.96
OTHERWISE = {
    "tcpdf.station": 0.9,  # a line that begins with Latin letters is set from the left
    "weasyprint.station": 0.92,  # one letter has no name
    "wkhtmltopdf.loans": 0.92,  # numbers are drawn over the words beside them
    "wkhtmltopdf.station": 0.93,
    "writer.library": 0.86,  # the table's columns stand from the left
    "writer-web.loans": 0.95,  # the title isn't printed
    "writer-web.station": 0.93,
}
NONSENSE = (
    "fop-amiri", "ghostscript-chromium", "ghostscript-reportlab", "ghostscript-typst",
    "ghostscript-xelatex", "inkscape-amiri", "texttopdf", "weasyprint-57", "wkhtmltopdf-amiri",
    "xhtml2pdf",
)  # fmt: skip


def words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def share(path: Path) -> float:
    """Return how many of a text's words are read, in their order, from its PDF."""
    program, name = path.stem.rsplit(".", 1)
    right = alike(name, pdf.read(path.read_bytes()).text)
    print(f"{program:22} {name:8} {right:.3f}")
    return right


def alike(name: str, text: str) -> float:
    """Return how many of a text's words are in another, in their order."""
    wanted = words(" ".join(html.parse(PRINTED / f"{name}.html").find("body").itertext()))
    blocks = SequenceMatcher(None, wanted, words(text), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


def printed(*, legible: bool) -> list[str]:
    names = sorted(path.stem for path in PRINTED.glob("*.pdf"))
    return [name for name in names if (name.rsplit(".", 1)[0] in NONSENSE) != legible]


@pytest.mark.parametrize("name", printed(legible=True))
def test_words_are_read_in_their_order(name: str) -> None:
    assert share(PRINTED / f"{name}.pdf") > OTHERWISE.get(name, LEAST) - 0.005


@pytest.mark.parametrize("name", printed(legible=False))
def test_nonsense_is_kept_out(name: str) -> None:
    with pytest.raises(DocumentError, match="its letters can't be told"):
        pdf.read((PRINTED / f"{name}.pdf").read_bytes())


@TESSERACT
@pytest.mark.slow
def test_nonsense_is_read_as_pictures_where_it_is_asked_for() -> None:
    content = (PRINTED / "ghostscript-chromium.loans.pdf").read_bytes()
    with Sandbox(DocumentsSettings(ocr="ara")) as reading:
        found = documents.parse("a.pdf", content, reading).text
    assert alike("loans", found) > 0.9
