"""Files of every type, made of one text: what the tests of readers read."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Inches


@dataclass(frozen=True)
class Text:
    """A small document."""

    language: str
    title: str
    opening: str
    section: str
    announced: str
    items: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    last: str


ENGLISH = Text(
    "en",
    "Guide to the branches",
    "The Hail branch opened on 12 May 2019. It has seven employees, who take visitors from Sunday"
    " to Thursday.",
    "Services",
    "A visitor can ask for:",
    ("a new card (for 20 riyals)", "a copy of an old one"),
    ("Branch", "Staff", "Phone"),
    (("Hail", "7", "055 1234"), ("Abha", "9", "055 9876")),
    "All branches close on public holidays.",
)
ARABIC = Text(
    "ar",
    "دليل الفروع",
    "افتُتح فرع حائل في 12 مايو 2019، ويعمل فيه سبعة موظفين. يستقبل الفرع الزوار من الأحد إلى"
    " الخميس.",
    "الخدمات",
    "يستطيع الزائر أن يطلب:",
    ("بطاقة OpenAI جديدة (بمبلغ 20 ريال)", "نسخة من بطاقة قديمة"),
    ("الفرع", "الموظفون", "الهاتف"),
    (("حائل", "7", "055 1234"), ("أبها", "9", "055 9876")),
    "تغلق الفروع كلها في العطل الرسمية.",
)


def markdown(text: Text) -> bytes:
    items = "\n".join(f"- {item}" for item in text.items)
    table = "\n".join(f"| {' | '.join(row)} |" for row in (text.header, ("--",) * 3, *text.rows))
    parts = (f"# {text.title}", text.opening, f"## {text.section}", text.announced, items, table)
    return "\n\n".join((*parts, text.last)).encode()


def html(text: Text, *, head: str = "", before: str = "", after: str = "") -> bytes:
    def row(tag: str, cells: tuple[str, ...]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    items = "".join(f"<li>{escape(item)}</li>" for item in text.items)
    direction = "rtl" if text.language == "ar" else "ltr"
    return (
        f"<!DOCTYPE html><html lang={text.language} dir={direction}><head><meta charset=utf-8>"
        f"{head}</head><body>{before}<h1>{text.title}</h1><p>{text.opening}</p>"
        f"<h2>{text.section}</h2><p>{text.announced}</p><ul>{items}</ul>"
        f"<table><thead>{row('th', text.header)}</thead>"
        f"<tbody>{''.join(row('td', cells) for cells in text.rows)}</tbody></table>"
        f"<p>{text.last}</p>{after}</body></html>"
    ).encode()


def word(text: Text) -> bytes:
    made = docx.Document()
    made.core_properties.author = "Salma Haddad"
    made.add_heading(text.title, 1)
    made.add_paragraph(text.opening)
    made.add_heading(text.section, 2)
    made.add_paragraph(text.announced)
    for item in text.items:
        made.add_paragraph(item, style="List Bullet")
    table = made.add_table(rows=0, cols=len(text.header))
    for cells in (text.header, *text.rows):
        for place, said in zip(table.add_row().cells, cells, strict=True):
            place.text = said
    made.add_paragraph(text.last)
    return _saved(made.save)


def workbook(text: Text) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = text.title
    for cells in (text.header, *text.rows):
        book.active.append([int(cell) if cell.isdecimal() else cell for cell in cells])
    book.create_sheet("Sheet2")
    return _saved(book.save)


def fields(text: Text, delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([text.header, *text.rows])
    return file.getvalue().encode()


def slides(text: Text) -> bytes:
    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = text.title
    first.placeholders[1].text = text.opening
    second = made.slides.add_slide(made.slide_layouts[1])
    second.shapes.title.text = text.section
    second.placeholders[1].text = "\n".join(text.items)
    third = made.slides.add_slide(made.slide_layouts[5])
    place = (Inches(1), Inches(2), Inches(6), Inches(2))
    table = third.shapes.add_table(1 + len(text.rows), len(text.header), *place).table
    for number, cells in enumerate((text.header, *text.rows)):
        for column, said in enumerate(cells):
            table.cell(number, column).text = said
    return _saved(made.save)


def lines(text: Text) -> bytes:
    records = [{"id": 1, "title": text.title, "text": f"{text.opening}\n\n{text.last}"}]
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def book(text: Text) -> bytes:
    """An EPUB, whose chapters are the sections."""
    first, _, second = html(text).decode().partition("<h2>")
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
            'container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc='
            '"http://purl.org/dc/elements/1.1/"><metadata><dc:title>A book</dc:title><dc:creator>'
            "Salma Haddad</dc:creator><dc:date>2026-01-02</dc:date></metadata><manifest>"
            '<item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OEBPS/one.xhtml": f"<?xml version='1.0' encoding='utf-8'?>{first}</body></html>",
            "OEBPS/two b.xhtml": f"<html><body><h2>{second}",
        }
    )


_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"),
        ("meta", "meta"),
    )
)  # fmt: skip


def opendocument(body: str, styles: str = "", named: str = "") -> bytes:
    """An OpenDocument file with what stands in its body, as LibreOffice writes it.

    :param named: Styles that were chosen by name.
    """
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<!DOCTYPE manifest:manifest PUBLIC"  # as OpenOffice has it
            ' "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd"><manifest/>',
            "content.xml": f"<office:document-content {_SPACES}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body>{body}</office:body>"
            "</office:document-content>",
            "styles.xml": f"<office:document-styles {_SPACES}><office:styles>{named}"
            "</office:styles></office:document-styles>",
            "meta.xml": f"<office:document-meta {_SPACES}><office:meta xmlns:dc="
            '"http://purl.org/dc/elements/1.1/"><meta:initial-creator>Salma Haddad'
            "</meta:initial-creator><dc:creator>Omar</dc:creator>"
            "<dc:date>2026-01-02T10:00:00</dc:date></office:meta></office:document-meta>",
        }
    )


def open_text(text: Text) -> bytes:
    items = "".join(
        f"<text:list-item><text:p>{item}</text:p></text:list-item>" for item in text.items
    )
    return opendocument(
        f'<office:text><text:h text:outline-level="1">{text.title}</text:h>'
        f'<text:p>{text.opening}</text:p><text:h text:outline-level="2">{text.section}</text:h>'
        f"<text:p>{text.announced}</text:p><text:list>{items}</text:list>"
        f"{_open_table(text)}<text:p>{text.last}</text:p></office:text>"
    )


def open_sheets(text: Text) -> bytes:
    return opendocument(f"<office:spreadsheet>{_open_table(text)}</office:spreadsheet>")


def _open_table(text: Text) -> str:
    rows = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        + '<table:table-cell table:number-columns-repeated="16381"/></table:table-row>'
        for cells in (text.header, *text.rows)
    )
    return f'<table:table table:name="{text.title}">{rows}</table:table>'


def rich(text: Text) -> bytes:
    page, charset = ("1256", "178") if text.language == "ar" else ("1252", "0")

    def letter(one: str) -> str:
        code = one.encode(f"cp{page}", "ignore")
        hexed = rf"\'{code[0]:02x}" if code else rf"\u{ord(one)}?"
        return one if one.isascii() else hexed

    def said(words: str) -> str:
        return "".join(map(letter, words))

    paragraphs = (text.title, text.opening, text.section, text.announced)
    items = "".join(rf"{{\pntext\f1\'b7\tab}}{said(item)}\par " for item in text.items)
    rows = "".join(
        r"\trowd\cellx900\cellx1800\cellx2700 "
        + "".join(rf"\intbl {said(cell)}\cell " for cell in cells)
        + r"\row "
        for cells in (text.header, *text.rows)
    )
    return (
        rf"{{\rtf1\ansi\ansicpg{page}\uc1{{\fonttbl{{\f0\fcharset{charset} Arial;}}"
        r"{\f1\fcharset2 Symbol;}}{\stylesheet{\s1 heading 1;}}{\info{\author Salma}}\pard\f0 "
        + "".join(rf"{said(words)}\par " for words in paragraphs)
        + items + rows + rf"\pard {said(text.last)}\par}}"
    ).encode()  # fmt: skip


def archive(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def replaced(content: bytes, members: dict[str, str | bytes]) -> bytes:
    """Return an archive with other members under some names, or new ones."""
    with zipfile.ZipFile(io.BytesIO(content)) as archived:
        kept = {name: archived.read(name) for name in archived.namelist()}
    return archive(kept | members)


def printed(page: bytes, folder: Path, *, tagged: bool = True) -> bytes:
    """Print a page to PDF, as a reader does in a browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium")
    (folder / "page.html").write_bytes(page)
    tags = [] if tagged else ["--disable-pdf-tagging"]
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", *tags,
         f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={folder / 'page.pdf'}",
         str(folder / "page.html")],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return (folder / "page.pdf").read_bytes()


def drawn(*pages: str, extra: str = "", trailer: str = "") -> bytes:
    """A PDF written by hand: each page draws what its content stream says, in Helvetica.

    :param extra: More objects, from number 10 on.
    :param trailer: More entries of the trailer.
    """
    kids = " ".join(f"{100 + 2 * n} 0 R" for n in range(len(pages)))
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} /MediaBox [0 0 595 842] >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    }
    for n, stream in enumerate(pages):
        objects[100 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /Contents {101 + 2 * n} 0 R"
            " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        )
        objects[101 + 2 * n] = f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    body = "".join(f"{number} 0 obj\n{said}\nendobj\n" for number, said in objects.items())
    return (
        f"%PDF-1.7\n{body}{extra}trailer\n<< /Root 1 0 R /Size 900 {trailer} >>\n%%EOF\n"
    ).encode("latin-1")


def line(text: str, x: float, y: float, size: float = 11, font: str = "F1") -> str:
    """Draw a line of text at a place, from below."""
    said = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} {size} Tf {x} {y} Td ({said}) Tj ET\n"


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()
