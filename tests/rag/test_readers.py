"""Files of every type: what is made of them, and that quotes of it are exact."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import docx
import openpyxl
import pytest

from rag import documents, readers
from rag.config import DocumentsSettings
from rag.documents import Document
from rag.errors import DocumentError
from rag.language import clean
from rag.readers import Writer, arabic
from rag.readers.decoding import decode
from rag.readers.sandbox import Sandbox
from rag.sentences import shown
from tests.rag import files
from tests.rag.files import ARABIC, ENGLISH, Text

Said = list[tuple[str, str, bool]]
BOTH = pytest.mark.parametrize("text", [ENGLISH, ARABIC], ids=["English", "Arabic"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(DocumentsSettings()) as sandbox:
        yield sandbox


def said(document: Document) -> Said:
    """What the units say, what they stand under, and which are of a list."""
    return [
        (shown(document.text[unit.start : unit.end], unit.said), unit.lead, unit.list >= 0)
        for block in document.units
        for unit in block
    ]


def check_exact(document: Document) -> None:
    """Every unit is a place of a clean text, and all that it says is there."""
    assert clean(document.text) == document.text
    last = 0
    for unit in (unit for block in document.units for unit in block):
        quote = document.text[unit.start : unit.end]
        assert last <= unit.start < unit.end
        assert quote == quote.strip()
        last = unit.end if not unit.opens else last


@BOTH
@pytest.mark.parametrize(
    "suffix", ["html", "docx", "epub", "odt", "rtf", pytest.param("pdf", marks=pytest.mark.slow)]
)
def test_one_text_in_every_format_gives_the_same_units(
    suffix: str, text: Text, sandbox: Sandbox, tmp_path: Path
) -> None:
    made = {
        "html": files.html,
        "docx": files.word,
        "epub": files.book,
        "odt": files.open_text,
        "rtf": files.rich,
        "pdf": lambda text: files.printed(files.html(text), tmp_path),
    }
    document = documents.parse(f"a.{suffix}", made[suffix](text), sandbox)
    plain = documents.parse("a.md", files.markdown(text))
    assert said(document) == said(plain)
    assert (document.title, document.language) == (text.title, text.language)
    check_exact(document)


@BOTH
def test_fields_and_sheets_are_rows_with_their_header(text: Text, sandbox: Sandbox) -> None:
    rows = said(documents.parse("a.md", files.markdown(text)))[5:7]
    assert all(text.header[0] in row and text.rows[0][2] in rows[0][0] for row, _, _ in rows)
    expected = [(row, "", False) for row, _, _ in rows]
    workbook = documents.parse("a.xlsx", files.workbook(text), sandbox)
    assert (said(workbook), workbook.title) == (expected, text.title)
    sheets = documents.parse("a.ods", files.open_sheets(text), sandbox)
    assert (said(sheets), sheets.title) == (expected, text.title)
    for suffix, delimiter in (("csv", ","), ("csv", ";"), ("tsv", "\t"), ("csv", "|")):
        fields = documents.parse(f"a.{suffix}", files.fields(text, delimiter), sandbox)
        assert said(fields) == expected
        check_exact(fields)


REVISED = (
    "<office:text><text:tracked-changes><text:p>It was gone.</text:p></text:tracked-changes>"
    "<text:table-of-content><text:p>Fees 2</text:p></text:table-of-content>"
    "<text:p>The cat<office:annotation><text:p>really?</text:p></office:annotation> sleeps<text:s/>"
    "all day<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>At night,"
    "<text:tab/>too.</text:p></text:note-body></text:note>.<text:line-break/>It purrs.</text:p>"
    '<text:list text:style-name="L1"><text:list-item><text:p>Wake it.</text:p></text:list-item>'
    "<text:list-item><text:p>Feed it.</text:p><text:list><text:list-item><text:p>Fish</text:p>"
    "<text:list><text:list-item><text:p>Boil it.</text:p></text:list-item></text:list>"
    "</text:list-item></text:list></text:list-item></text:list></office:text>"
)
NUMBERS = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1"/>'
    '<text:list-level-style-bullet text:level="2"/><text:list-level-style-number text:level="3"/>'
    "</text:list-style>"
)


@pytest.mark.parametrize("styles", [(NUMBERS,), ("", NUMBERS)])
def test_an_opendocument_text_says_what_it_shows(sandbox: Sandbox, styles: Sequence[str]) -> None:
    document = documents.parse("a.odt", files.opendocument(REVISED, *styles), sandbox)
    assert [text for text, _, _ in said(document)] == [
        "The cat sleeps all day.", "It purrs.", "1. Wake it.", "2. Feed it.", "Fish",
        "1. Boil it.", "At night, too.",
    ]  # fmt: skip
    assert (document.author, document.date) == ("Salma Haddad", "2026-01-02")


def test_the_sheets_of_opendocument_that_are_shown(sandbox: Sandbox) -> None:
    def row(*cells: str) -> str:
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(text: str, about: str = "") -> str:
        return f"<table:table-cell {about}><text:p>{text}</text:p></table:table-cell>"

    rows = row(cell("Day"), cell("Hail"), cell("Abha")) + row(
        cell("1/2/26", 'office:date-value="2026-02-01"'),
        cell("7 °C", 'table:number-columns-repeated="2"'),
        '<table:table-cell table:number-columns-repeated="999999999"/>',
    )
    empty = '<table:table-row table:number-rows-repeated="1048576"/>'
    body = (
        f'<office:spreadsheet><table:table table:name="Degrees">{rows}{empty}</table:table>'
        f'<table:table table:style-name="ta2">{row(cell("secret"), cell("9"))}</table:table>'
        "</office:spreadsheet>"
    )
    display = '<style:table-properties table:display="false"/>'
    hidden = f'<style:style style:name="ta2">{display}</style:style>'
    document = documents.parse("a.ods", files.opendocument(body, hidden), sandbox)
    assert document.title == "Degrees"
    assert [text for text, _, _ in said(document)] == ["Day: 2026-02-01; Hail: 7 °C; Abha: 7 °C"]


def test_opendocument_with_a_password_is_told(sandbox: Sandbox) -> None:
    manifest = "<manifest><encryption-data/></manifest>"
    content = files.replaced(files.open_text(ENGLISH), {"META-INF/manifest.xml": manifest})
    with pytest.raises(DocumentError, match="password"):
        documents.parse("a.odt", content, sandbox)


def test_rich_text_of_other_programs(sandbox: Sandbox) -> None:
    content = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset178 B;}}"
        r"\f0 Caf\'e9 and \f1\'de\'e5\'e6\'c9\f0  or \u1588?\u1575?\u1610?.\par"
        r' See {\field{\*\fldinst{HYPERLINK "http://a.b/c"}}{\fldrslt the list}} of it.\par'
        r"{\header Page}{\*\generator X}{\pict\wmetafile8 0102}{\listtext\'95\tab}Tea.\par}"
    )
    document = documents.parse("a.rtf", content.encode(), sandbox)
    assert [text for text, _, _ in said(document)] == [
        "Café and قهوة or شاي.", "See the list of it.", "Tea.",
    ]  # fmt: skip
    with pytest.raises(DocumentError, match="damaged"):
        documents.parse("a.rtf", b"Tea.", sandbox)


def test_rich_text_as_it_is_laid_out(sandbox: Sandbox) -> None:
    content = (
        r"{\rtf1\ansi\ansicpg1252{\stylesheet{\s1\outlinelevel0 heading 1;}}"
        r"\pard\s1\outlinelevel0\outlinelevel0 Fees of 2024\par"
        r"\pard\'a7 5 The tenant pays.\par\pard\'02 He pays at once.\par"
        r"\trowd\intbl{\pard Floor\par}\cell{\pard Fee\par}\cell\row"
        r"\trowd\intbl{\pard first\par}\cell{\pard 30\par}\cell\row}"
    )
    document = documents.parse("a.rtf", content.encode(), sandbox)
    assert document.title == "Fees of 2024"
    assert document.text.startswith("Fees of 2024\n\n§ 5 The tenant pays.\n\n")
    assert [text for text, _, _ in said(document)][-2:] == ["Floor — Fee", "first — 30"]


@BOTH
def test_slides(text: Text, sandbox: Sandbox) -> None:
    document = documents.parse("a.pptx", files.slides(text), sandbox)
    listed = said(document)
    assert document.title == text.title
    assert [unit for unit in listed if unit[2]] == [
        (text.section, "", True), *((item, text.section, True) for item in text.items),
    ]  # fmt: skip
    assert [row for row, _, _ in listed[-2:]] == [
        shown(row) for row, _, _ in said(documents.parse("a.md", files.markdown(text)))[5:7]
    ]
    _, second, third = document.pages
    assert document.text[second:].lstrip().startswith(text.section)
    assert document.text[third:].lstrip().startswith(text.header[0])
    check_exact(document)


@BOTH
def test_lines_of_json(text: Text, sandbox: Sandbox) -> None:
    document = documents.parse("a.jsonl", files.lines(text), sandbox)
    assert document.title == text.title
    assert said(document)[-1] == (text.last, "", False)
    rows = documents.parse("a.jsonl", b'{"city": "Hail", "staff": 7}\n\n{"city": "Abha"}', sandbox)
    assert [row for row, _, _ in said(rows)] == ["city: Hail; staff: 7", "city: Abha"]
    check_exact(document)


def test_a_page_of_the_web_is_its_article(sandbox: Sandbox) -> None:
    head = (
        "<title>Guide | A site</title><meta name=author content='Salma Haddad'>"
        "<meta property='article:published_time' content='2026-03-01'><script>var x=1</script>"
    )
    before = "<header><a>Home</a></header><nav><ul><li>Menu</li></ul></nav><!-- a comment -->"
    after = (
        "<div class='comments'><p>Nice!</p></div><aside>Ads</aside><footer>(c) Us</footer>"
        "<p hidden>Unseen</p><p style='display: none'>Unseen</p><img src=http://a.test alt=Unseen>"
        "<form><input value=Unseen><button>Send</button></form><noscript>Unseen</noscript>"
    )
    content = files.html(ENGLISH, head=head, before=before, after=after)
    document = documents.parse("a.html", content, sandbox)
    assert said(document) == said(documents.parse("a.md", files.markdown(ENGLISH)))
    assert (document.title, document.author) == (ENGLISH.title, "Salma Haddad")
    assert document.date == "2026-03-01"


HTML = {
    "title without heading": ("<title>Cats</title><p>They sleep.", "Cats", ["They sleep."]),
    "broken lines": ("<p>One<br>two</p>", "One", ["One", "two"]),
    "nested lists": (
        "<p>Bring:<ul><li>food<ol start=3><li>rice<li>figs</ol><li>water</ul>",
        "a", ["Bring:", "food", "3. rice", "4. figs", "water"],
    ),
    "merged cells": (
        "<table><tr><th>A<th>B<tr><td rowspan=2>x<td>1<tr><td>2</table>",
        "a", ["A: x; B: 1", "A: x; B: 2"],
    ),
    "a table that lays out": (
        "<table><tr><td><h1>Cats</h1><td><p>Sleep.</table>", "Cats", ["Sleep."],
    ),
    "code": ("<p>Run this:<pre>a  b\n  c</pre>", "a", ["Run this:\na  b\n  c"]),
    "inline": (
        "<p>un<b>bold</b>ed &amp; <a href=x>linked</a> 5*3*2 _x_", "unbolded & linked 5*3*2 _x_",
        ["unbolded & linked 5*3*2 _x_"],
    ),
    "questions": ("<p>Who?<p>He. <p>End.", "a", ["He.", "End."]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "title", "units"), HTML.values(), ids=HTML)
def test_html(content: str, title: str, units: list[str], sandbox: Sandbox) -> None:
    document = documents.parse("a.html", content.encode(), sandbox)
    assert (document.title, [unit for unit, _, _ in said(document)]) == (title, units)
    check_exact(document)


def test_a_workbook_shows_what_people_see(sandbox: Sandbox) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Fees"
    for row in (["Fees of 2026"], ["Name", "Share", "Due"], ["Card", 0.25, None], ["Copy", 1.0]):
        sheet.append(row)
    sheet["B3"].number_format = "0%"
    sheet["C3"] = datetime(2026, 5, 1)
    sheet["C4"] = "=1+1"
    hidden = book.create_sheet("Hidden")
    hidden["A1"] = "Secret"
    hidden.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    document = documents.parse("a.xlsx", file.getvalue(), sandbox)
    assert [unit for unit, _, _ in said(document)] == [
        "Fees of 2026", "Name: Card; Share: 25%; Due: 2026-05-01", "Name: Copy; Share: 1",
    ]  # fmt: skip


def test_word_keeps_what_was_inserted_and_leaves_what_was_deleted(sandbox: Sandbox) -> None:
    made = docx.Document()
    made.add_paragraph("It costs PLACE riyals.")
    file = io.BytesIO()
    made.save(file)
    with zipfile.ZipFile(file) as archive:
        body = archive.read("word/document.xml").decode()
    changed = body.replace(
        "<w:r><w:t>It costs PLACE riyals.</w:t></w:r>",
        '<w:r><w:t xml:space="preserve">It costs </w:t></w:r><w:ins w:id="1" w:author="a"><w:r>'
        '<w:t>30</w:t></w:r></w:ins><w:del w:id="2" w:author="a"><w:r><w:delText>20</w:delText>'
        '</w:r></w:del><w:r><w:t xml:space="preserve"> riyals.</w:t></w:r>',
    )
    content = files.replaced(file.getvalue(), {"word/document.xml": changed})
    assert documents.parse("a.docx", content, sandbox).text == "It costs 30 riyals."


CHARSETS = {
    "named windows-1256": ("<meta charset='windows-1256'><p>تنام القطط.", "cp1256"),
    "named iso-8859-6": (
        "<meta http-equiv=x content='text/html; charset=ISO-8859-6'><p>تنام القطط.", "iso8859-6",
    ),
    "UTF-16": ("<p>تنام القطط.", "utf-16"),
}  # fmt: skip


@pytest.mark.parametrize(("page", "encoding"), CHARSETS.values(), ids=CHARSETS)
def test_a_page_in_its_own_encoding(page: str, encoding: str, sandbox: Sandbox) -> None:
    assert documents.parse("a.html", page.encode(encoding), sandbox).text == "تنام القطط."


LONG = f"{ARABIC.opening} {ARABIC.announced} {' '.join(ARABIC.items)} {ARABIC.last} " * 2


@pytest.mark.parametrize("encoding", ["cp1256", "iso8859-6"])
def test_arabic_of_a_byte_a_letter_is_read_where_one_encoding_alone_makes_words(
    encoding: str,
) -> None:
    assert documents.parse("a.txt", LONG.encode(encoding)).text == LONG.strip()


def test_english_of_a_byte_a_letter_is_read_where_all_encodings_agree() -> None:
    text = "It’s “the café” – naïve."
    assert documents.parse("a.txt", text.encode("cp1252")).text == text


BYTES = {
    "too few letters": ARABIC.title.encode("cp1256"),
    "Russian": ("Кошки спят дома, а собаки во дворе. " * 9).encode("cp1251"),
    "UTF-8 with a broken letter": LONG.encode()[:101] + b" " + LONG.encode()[104:],
    "Spanish": ("El niño duerme mañana. " * 9).encode("cp1252"),
    "DOS": LONG.encode("cp720", "ignore"),
}


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_nothing_is_guessed(content: bytes) -> None:
    with pytest.raises(DocumentError, match="not UTF-8"):
        documents.parse("a.txt", content)


@BOTH
def test_order_of_letters(text: Text) -> None:
    whole = " ".join([text.opening, text.announced, *text.items, text.last])
    forward = arabic.order(whole)
    backward = arabic.order(whole[::-1])
    assert (forward, backward) == (("forward", "backward") if text is ARABIC else ("few", "few"))


def test_a_text_drawn_from_left_to_right_is_turned() -> None:
    line = "تأسست مدرسة القرية عام 1952 وفيها اليوم مئتا طالب من أبناء المنطقة"
    drawn = f"Notes\n\n{arabic.logical(line)}\n"
    assert drawn != f"Notes\n\n{line}\n"
    assert decode(drawn.encode()) == f"Notes\n\n{line}\n"
    assert decode(line.encode()) == line
    few = "قطة"[::-1]
    assert decode(few.encode()) == few


def test_a_short_note_in_an_old_encoding_is_read_where_its_letters_are_clear() -> None:
    note = "إعلان\n\nتبدأ الدورة يوم الأحد في قاعة المركز الثقافي وتستمر خمسة أسابيع."
    assert decode(note.encode("cp1256")) == note
    assert decode(note.encode("iso8859-6")) == note


DRAWN = {
    "دليل الفروع": "عورفلا ليلد",
    "عام 2019، وفيه": "هيفو ،2019 ماع",
    "بطاقة OpenAI GPT جديدة": "ةديدج OpenAI GPT ةقاطب",
    "نحو 25% (أو 3.5)": "(3.5 وأ) 25% وحن",
    "The word كلب قط is": "The word طق بلك is",
    "بنحو 6% على 4410-772": "772-4410 ىلع %6 وحنب",
    "12-4 مادة": "ةدام 12-4",
    "المادة ٢-٣ هنا": "انه ٣-٢ ةداملا",
    "قالت (Hala) نعم": "معن )Hala) تلاق",
    "أ) بطاقة": "ةقاطب (أ",
}


@pytest.mark.parametrize(("read", "drawn"), DRAWN.items())
def test_a_drawn_line_is_read_from_its_own_end(read: str, drawn: str) -> None:
    assert arabic.logical(drawn) == read


def test_another_package_adds_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [EntryPoint("ODT", "tests.rag.test_readers:read_odt", readers.GROUP)]
    monkeypatch.setattr(readers, "entry_points", lambda group: found)
    readers._found.cache_clear()
    try:
        assert ".odt" in readers.suffixes()
        assert readers.load(".odt")(b"x").text == "x"
    finally:
        readers._found.cache_clear()


def read_odt(content: bytes) -> readers.Reading:
    writer = Writer()
    writer.paragraph(content.decode())
    return writer.reading()


@pytest.mark.slow
def test_reading_imports_no_models() -> None:
    program = (
        "import sys; from rag import readers; [readers.load(s) for s in readers.suffixes()"
        " if s not in readers.TEXTS]; print({'torch', 'chromadb', 'transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
