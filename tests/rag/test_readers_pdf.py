"""PDFs: pages, what is told by looks alone, and Arabic from whichever end it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import current, documents, index, sayings
from rag.config import DocumentsSettings, Settings
from rag.errors import DocumentError
from rag.readers import pdf
from rag.readers.pdf.glyphs import Glyph
from rag.readers.sandbox import Sandbox
from tests.conftest import WordEmbedder, Write
from tests.rag import files
from tests.rag.files import ARABIC, drawn, line
from tests.rag.test_readers import check_exact, said

PAGES = drawn(
    line("Guide to the cats", 72, 780, 18)
    + line("The cat sleeps in the garden of the house all day, and does so", 72, 740)
    + line("even when it rains. In the evening it wakes up and looks for its", 72, 726)
    + line("food, as all", 72, 712)
    + line("page 1", 290, 30, 9),
    line("cats do. Then it sleeps.", 72, 780)
    + line("Fees", 72, 740, 11, "F2")
    + line("Animal", 72, 720) + line("Fee", 200, 720) + line("Year", 300, 720)
    + line("Cat", 72, 706) + line("20", 200, 706) + line("2025", 300, 706)
    + line("Dog", 72, 692) + line("30", 200, 692) + line("2026", 300, 692)
    + line("page 2", 290, 30, 9),
    line("1. Bring the cat.", 72, 780) + line("2. Bring its food, which has to be", 72, 766)
    + line("in a box.", 84, 752)
    + line("page 3", 290, 30, 9),
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(DocumentsSettings()) as sandbox:
        yield sandbox


def test_a_pdf_without_tags_is_read_by_its_looks(sandbox: Sandbox) -> None:
    document = documents.parse("a.pdf", PAGES, sandbox)
    assert document.title == "Guide to the cats"
    assert [unit for unit, _, _ in said(document)] == [
        "The cat sleeps in the garden of the house all day, and does so even when it rains.",
        "In the evening it wakes up and looks for its food, as all cats do.",
        "Then it sleeps.",
        "Animal: Cat; Fee: 20; Year: 2025",
        "Animal: Dog; Fee: 30; Year: 2026",
        "1. Bring the cat.",
        "2. Bring its food, which has to be in a box.",
    ]
    assert "page" not in document.text
    check_exact(document)


def test_a_place_has_its_page(settings: Settings, write: Write, embedder: WordEmbedder) -> None:
    write("a.pdf", PAGES)
    write("a.txt", "Cats.")
    index.update(settings, embedder)
    with current.open_current(settings, embedder.fingerprint) as store:
        text = store.text("a.pdf")
        places = {"The cat": 1, "as all": 1, "cats do": 2, "Dog": 2, "1. Bring": 3, "a box": 3}
        assert {said: store.page("a.pdf", text.index(said)) for said in places} == places
        assert store.page("a.txt", 0) is None
    assert sayings.on_page(13).both == ("ص ١٣", "p. 13")


def arabic() -> bytes:
    texts = (ARABIC.opening, ARABIC.last) * 2
    paragraphs = "".join(f"<p>{text}</p>" for text in texts)
    return f"<meta charset=utf-8><body dir=rtl>{paragraphs}".encode()


@pytest.mark.slow
@pytest.mark.parametrize("tagged", [True, False])
def test_arabic_is_read_from_the_right(tagged: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    content = files.printed(arabic(), tmp_path, tagged=tagged)
    text = " ".join(documents.parse("a.pdf", content, sandbox).text.split())
    assert text == " ".join((ARABIC.opening, ARABIC.last) * 2)


def test_arabic_that_was_drawn_from_the_left_is_turned() -> None:
    rows = []
    for number, text in enumerate((ARABIC.opening, ARABIC.announced, ARABIC.last)):
        row, word = [], 0
        for at, char in enumerate(text):
            word += char == " "
            glyph = Glyph(char, 5.0 * at, 5.0 * at + 5, 20.0 * number, 10, word, False, -1)
            row += [glyph] * (char != " ")
        rows.append(row)
    found = [line.text for part in pdf._parts([rows], [()]) for line in part.lines]
    assert found == [ARABIC.opening, ARABIC.announced, ARABIC.last]


@pytest.mark.slow
def test_arabic_whose_letters_make_no_words_is_kept_out(sandbox: Sandbox, tmp_path: Path) -> None:
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
    mixed = str.maketrans(letters, letters[9:] + letters[:9])
    page = f"<meta charset=utf-8><p>{(ARABIC.opening + ARABIC.last).translate(mixed) * 3}"
    with pytest.raises(DocumentError, match="its letters can't be told"):
        documents.parse("a.pdf", files.printed(page.encode(), tmp_path), sandbox)


@pytest.mark.slow
def test_shapes_become_letters(sandbox: Sandbox, tmp_path: Path) -> None:
    page = "<meta charset=utf-8><body dir=rtl><p>ﻛﻠﺐ ﻻ ﻳﻨﺎﻡ ﷺ"
    text = documents.parse("a.pdf", files.printed(page.encode(), tmp_path), sandbox).text
    assert text.startswith("كلب لا ينام")
