"""PDFs: pages, what is told by looks alone, and Arabic from whichever end it was written."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from rag import current, documents, index, sayings
from rag.config import DocumentsSettings, Settings
from rag.errors import ConfigError, DocumentError
from rag.language import fold
from rag.readers import pdf
from rag.readers.pdf import properties
from rag.readers.pdf.glyphs import Glyph
from rag.readers.sandbox import Sandbox
from tests.conftest import WordEmbedder, Write
from tests.growth import assert_about_linear
from tests.rag import files
from tests.rag.files import ARABIC, ENGLISH, Text, drawn, line
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


@pytest.mark.slow
@pytest.mark.parametrize("tagged", [True, False])
def test_letters_that_are_drawn_apart_from_their_marks(
    tagged: bool, sandbox: Sandbox, tmp_path: Path
) -> None:
    text = "أُطلق اسمها على شارع. كان عضوًا في مجلس جدّتها (Hala)، وطُبع «كتابه» بنحو 58% من الكلفة."
    page = f"<meta charset=utf-8><body dir=rtl><p>{text}</p><p>{text}</p>"
    content = files.printed(page.encode(), tmp_path, tagged=tagged)
    read = " ".join(documents.parse("a.pdf", content, sandbox).text.split())
    assert fold(read) == fold(f"{text} {text}")


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


def packet(about: str, of: str = "http://ns.adobe.com/pdf/1.3/") -> str:
    return (
        "700 0 obj\n<<>>\nstream\n<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp="
        f"'http://ns.adobe.com/xap/1.0/' xmlns:pdf='{of}' {about}</rdf:Description></rdf:RDF>"
        "</x:xmpmeta>\nendstream\nendobj\n"
    )


NAMED = "<dc:title><rdf:Alt><rdf:li>Cats</rdf:li></rdf:Alt></dc:title>"
BY = "<dc:creator><rdf:Seq><rdf:li>Salma</rdf:li><rdf:li>Omar</rdf:li></rdf:Seq></dc:creator>"
ABOUT = {
    "information": (
        "/Title (Dogs) /Author (Omar) /CreationDate (D:20240131093000+03'00')",
        packet(f"xmp:CreateDate='2020-01-01'>{NAMED}{BY}"), ("Dogs", "Omar", "2024-01-31"),
    ),
    "a year": ("/CreationDate (D:2024)", "", ("a", "", "2024")),
    "a file's name": ("/Title (report.docx)", "", ("a", "", "")),
    "what a program puts": ("/Title (untitled) /Author (anonymous)", "", ("a", "", "")),
    "XMP": ("", packet(f"xmp:CreateDate='2020-01-02T10:00:00Z'>{NAMED}{BY}"),
            ("Cats", "Salma", "2020-01-02")),
    "elements": ("", packet("><xmp:CreateDate>2020-01</xmp:CreateDate>"), ("a", "", "2020-01")),
    "of a picture": ("", packet(f">{NAMED}", of="urn:picture"), ("a", "", "")),
    "broken": ("", packet(f"<<&x;>{BY}").replace("</rdf:RDF>", ""), ("a", "", "")),
}  # fmt: skip


@pytest.mark.parametrize(("information", "extra", "about"), ABOUT.values(), ids=ABOUT)
def test_what_a_pdf_says_of_itself(
    information: str, extra: str, about: tuple[str, str, str], sandbox: Sandbox
) -> None:
    page = line("It sleeps in the garden of the house all day.", 72, 700)
    extra += f"800 0 obj\n<< {information} >>\nendobj\n"
    content = drawn(page, trailer="/Info 800 0 R", extra=extra)
    document = documents.parse("a.pdf", content, sandbox)
    found = ("a" if document.title.startswith("It") else document.title, document.author)
    assert (*found, document.date) == about


@pytest.mark.parametrize("part", ["<x:xmpmeta ", "<x:xmpmeta </x:xmpmeta>"])
@pytest.mark.slow
def test_packets_without_an_end_take_about_linear_time(part: str) -> None:
    assert_about_linear(lambda text: properties.packet(text.encode()), part, 20_000)


@pytest.mark.slow
def test_marks_that_are_drawn_after_their_items_take_about_linear_time() -> None:
    def read(places: str) -> None:
        """Draw a mark and an item at each place, all marks first."""
        heights = [10 + n % 80 * 10 + n * 1e-4 for n in range(len(places))]
        marks = [files.line("-", 40, height) for height in heights]
        items = [files.line(f"item {n}", 80, height) for n, height in enumerate(heights)]
        pdf.read(files.drawn("\n".join((*marks, *items))))

    assert_about_linear(read, ".", 200)


# What Debian's tesseract-ocr-ara brings, and the extra "ocr".
TESSERACT = pytest.mark.skipif(
    find_spec("tesserocr") is None or not list(Path("/usr/share").glob("tess*/**/ara.traineddata")),
    reason="no Tesseract for Arabic",
)


FONT = Path(__file__).parents[2] / "ui/static/fonts/plex-arabic-400.woff2"  # a machine may lack one


def scan(content: bytes) -> bytes:
    """A PDF whose pages are pictures of those of another."""
    pictures = [page.render(scale=3).to_pil() for page in pdfium.PdfDocument(content)]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", resolution=216, save_all=True, append_images=pictures[1:])
    return file.getvalue()


@TESSERACT
@pytest.mark.slow
@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "eng"), (ARABIC, "ara")])
def test_scanned_pages_are_read_where_it_is_asked_for(
    text: Text, language: str, tmp_path: Path
) -> None:
    pages = (" ".join([text.opening, text.last] * 3), " ".join([text.last, text.opening] * 3))
    direction = "rtl" if text is ARABIC else "ltr"
    font = base64.b64encode(FONT.read_bytes()).decode()
    page = (
        f"<meta charset=utf-8><style>@font-face {{ font-family: a; src: url(data:;base64,{font}) }}"
        f"</style><body dir={direction} style='font: 24px a, serif'>"
        f"<p>{pages[0]}<p style='break-before: page'>{pages[1]}"
    )
    content = scan(files.printed(page.encode(), tmp_path))
    with Sandbox(DocumentsSettings(ocr=language)) as reading:
        document = documents.parse("a.pdf", content, reading)
    second = document.pages[1]
    for wanted, found in zip(pages, (document.text[:second], document.text[second:]), strict=True):
        alike = SequenceMatcher(None, wanted, " ".join(found.split()), autojunk=False).ratio()
        assert alike > (0.98 if text is ENGLISH else 0.85)
    with pytest.raises(DocumentError, match="pictures without text"):
        documents.parse("a.pdf", content)


@TESSERACT
@pytest.mark.slow
def test_recognition_is_sure_of_letters_alone(tmp_path: Path) -> None:
    mark = "<div style='width: 300px; height: 300px; border-radius: 40%; border: 9px dashed'>"
    content = scan(files.printed(mark.encode(), tmp_path))
    with (
        Sandbox(DocumentsSettings(ocr="ara")) as reading,
        pytest.raises(DocumentError, match="sure of nothing"),
    ):
        documents.parse("a.pdf", content, reading)


@TESSERACT
def test_a_language_that_is_not_installed_is_said() -> None:
    with pytest.raises(ConfigError, match="tesseract-ocr-ara tesseract-ocr-chi-xyz"):
        Sandbox(DocumentsSettings(ocr="ara+chi_xyz"))
