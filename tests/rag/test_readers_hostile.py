"""Files that are broken, locked, enormous or made to do harm: each is reported, and that is all."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from rag import documents, index, readers
from rag.config import DocumentsSettings, Settings
from rag.errors import DocumentError
from rag.readers.sandbox import Sandbox
from tests.conftest import WordEmbedder, Write
from tests.rag import files
from tests.rag.files import ENGLISH, archive, drawn, line, replaced
from ui import reasons

pytestmark = pytest.mark.slow

MEMORY = 400_000_000
LIMITS = DocumentsSettings(max_seconds=10, max_memory_bytes=MEMORY, max_chars=200_000)
SECRET = "the-secret-of-the-disk"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY x SYSTEM "file://PATH">]>'
DOCX, XLSX, PPTX = files.word(ENGLISH), files.workbook(ENGLISH), files.slides(ENGLISH)
BOOK = files.book(ENGLISH)
PDF = drawn(line("The cats sleep at home.", 72, 700))
# A page drawn over and over: PDFium compares each letter with those before it.
SLOW = drawn(*[line("word " * 300, 0, 400, 1) * 40] * 200)
BODY = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
ENCRYPTED = drawn(
    line("The cats sleep at home.", 72, 700),
    extra=f"10 0 obj\n<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <{'41' * 32}>"
    f" /U <{'42' * 32}> >>\nendobj\n",
    trailer="/Encrypt 10 0 R /ID [<00> <00>]",
)


def lying(content: bytes) -> bytes:
    """An archive whose members say that they hold ten bytes."""
    with zipfile.ZipFile(BytesIO(content)) as read:
        sizes = {struct.pack("<L", member.file_size) for member in read.infolist()}
    for size in sizes:
        content = content.replace(size, struct.pack("<L", 10))
    return content


def locked(content: bytes) -> bytes:
    """An archive whose members say that they are encrypted."""
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        found = content.find(signature)
        while found >= 0:
            content = content[: found + at] + b"\x01" + content[found + at + 1 :]
            found = content.find(signature, found + 4)
    return content


def flate(size: int) -> bytes:
    """A PDF whose page unpacks to many bytes."""
    packed = zlib.compress(line("a" * 100, 72, 700).encode() * (size // 130), 9)
    head = (
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages"
        b" /Kids [5 0 R] /Count 1 /MediaBox [0 0 595 842] >>\nendobj\n5 0 obj\n<< /Type /Page"
        b" /Parent 2 0 R /Contents 6 0 R /Resources << /Font << /F1 3 0 R >> >> >>\nendobj\n"
        b"3 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n"
        b"6 0 obj\n<< /Length "
    ) + f"{len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    tail = b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R /Size 9 >>\n%%EOF\n"
    return head + packed + tail


def sheet(body: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return replaced(
        XLSX, {"xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}">{body}</worksheet>'}
    )


REFUSED = {
    "zip bomb": ("docx", lambda: replaced(DOCX, {"word/a.xml": b"\0" * 301_000_000}),
                 "unpacks to more than 300 MB"),
    "zip bomb that lies": ("docx", lambda: lying(replaced(DOCX, {"word/a.xml": b" " * 90_000_000})),
                           "damaged"),
    "a header said with each row": ("csv", lambda: b"%s,b\n" % (b"x" * 9_000) + b"1,2\n" * 90,
                                    "documents.max_chars"),
    "too many members": ("xlsx", lambda: archive({f"{n}": "" for n in range(20_001)}),
                         "unpacks to"),
    "a billion laughs": ("docx", lambda: replaced(DOCX, {"word/document.xml": LAUGHS + BODY}),
                         "XML entities"),
    "laughs in UTF-16": ("docx", lambda: replaced(
        DOCX, {"word/document.xml": (LAUGHS + BODY).encode("utf-16")}), "XML entities"),
    "laughs in a sheet": ("xlsx", lambda: replaced(XLSX, {"xl/workbook.xml": LAUGHS}), "entities"),
    "a file of the disk": ("pptx", lambda: replaced(
        PPTX, {"ppt/slides/slide1.xml": XXE + "<a>&x;</a>"}), "XML entities"),
    "Word with a password": ("docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9_000),
                             "password"),
    "archive with a password": ("xlsx", lambda: locked(XLSX), "password"),
    "book with a lock": ("epub", lambda: replaced(BOOK, {"META-INF/encryption.xml":
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><CipherReference '
        'URI="OEBPS/one.xhtml"/></encryption>'}), "password"),
    "PDF with a password": ("pdf", lambda: ENCRYPTED, "password"),
    "blank PDF": ("pdf", lambda: drawn("", "BT /F1 11 Tf 9 9 Td ( ) Tj ET\n"), "holds no text"),
    "scanned PDF": ("pdf", lambda: drawn("0 0 m 100 100 l S\n", "0 0 m 9 9 l S\n"), "pictures"),
    "letters without names": ("pdf", lambda: drawn(line("\x90\x81\x8d\x8f" * 9, 72, 700)),
                              r"holds no text|letters can't be told"),
    "Word cut in two": ("docx", lambda: DOCX[: len(DOCX) // 2], "damaged, or no .docx file"),
    "PDF cut in two": ("pdf", lambda: PDF[:60], "damaged, or no .pdf file"),
    "PDF as Word": ("docx", lambda: PDF, "damaged, or no .docx file"),
    "Word as PDF": ("pdf", lambda: DOCX, "damaged, or no .pdf file"),
    "archive without a document": ("docx", lambda: archive({"a.txt": "a"}), "damaged"),
    "book without a list": ("epub", lambda: archive({"mimetype": "x"}), "damaged"),
    "book that lists another's file": ("epub", lambda: replaced(BOOK, {"OEBPS/book.opf":
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="../../../../'
        'etc/passwd" media-type="text/html"/></manifest><spine><itemref idref="a"/></spine>'
        "</package>"}), "holds no text"),
    "tables within tables": ("docx", lambda: replaced(DOCX, {"word/document.xml":
        BODY + "<w:tbl><w:tr><w:tc>" * 5_000}), "damaged"),
    "elements within elements": ("html", lambda: b"<div>" * 50_000 + b"Cats.", "too deep"),
    "JSON within JSON": ("jsonl", lambda: b'{"a": ' + b"[" * 100_000, "line 1 is not JSON"),
    "no JSON": ("jsonl", lambda: b'{"a": 1}\n[1]', "line 2 is not a JSON object"),
    "an endless field": ("csv", lambda: b'a,b\n"' + b"x" * 200_000, "not a table of fields"),
    "too much text": ("csv", lambda: b"some,words\n" * 20_000, "documents.max_chars"),
    "too much for the memory": ("pdf", lambda: flate(150_000_000),
                                "max_memory_bytes"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as sandbox:
        yield sandbox


def test_what_takes_too_long_is_broken_off() -> None:
    # A tenth of the time that a fast machine takes for it.
    with Sandbox(LIMITS.model_copy(update={"max_seconds": 1.0})) as sandbox:
        with pytest.raises(DocumentError, match="max_seconds") as refused:
            documents.parse("a.pdf", SLOW, sandbox)
        assert reasons.phrase(str(refused.value)) is not None
        assert documents.parse("a.html", b"<p>The cats sleep.", sandbox).text == "The cats sleep."


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("suffix", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_is_reported_in_both_languages(
    suffix: str, content: object, reason: str, sandbox: Sandbox
) -> None:
    assert callable(content)
    began = time.monotonic()
    with pytest.raises(DocumentError, match=reason) as refused:
        documents.parse(f"a.{suffix}", content(), sandbox)
    assert time.monotonic() - began < 2 * LIMITS.max_seconds + 5
    assert reasons.phrase(str(refused.value)) is not None, str(refused.value)
    good = documents.parse("a.html", b"<p>The cats sleep.", sandbox)
    assert good.text == "The cats sleep."


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 999, b"PK\x03\x04", b"%PDF-1.7\n", bytes(range(256)) * 99]
)
@pytest.mark.parametrize("suffix", [s for s in readers.suffixes() if s not in readers.TEXTS])
def test_no_bytes_break_a_reader(suffix: str, content: bytes, sandbox: Sandbox) -> None:
    try:
        documents.parse(f"a{suffix}", content, sandbox)
    except DocumentError as exc:
        assert reasons.phrase(str(exc)) is not None, str(exc)  # noqa: PT017 - some can be read


def remote_images(path: Path) -> bytes:
    """A Word document with pictures on a server and on the disk, and a template to be fetched."""
    types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="x{n}" Type="{types}/{kind}" Target="{target}" TargetMode="External"/>'
        for n, (kind, target) in enumerate(
            [("image", "http://127.0.0.1:9/a.png"), ("image", f"file://{path}"),
             ("attachedTemplate", "http://127.0.0.1:9/a.dotm")]
        )
    )  # fmt: skip
    with zipfile.ZipFile(BytesIO(DOCX)) as read:
        body = read.read("word/document.xml").decode()
        links = read.read("word/_rels/document.xml.rels").decode()
    image = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
        'wordprocessingDrawing"><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/'
        'main"><a:graphicData><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships" r:link="ID"/></a:graphicData></a:graphic></wp:inline></w:drawing>'
        "</w:r></w:p>"
    )
    images = image.replace("ID", "x0") + image.replace("ID", "x1")
    return replaced(
        DOCX,
        {
            "word/document.xml": body.replace("<w:body>", f"<w:body>{images}"),
            "word/_rels/document.xml.rels": links.replace("</Rel", f"{relations}</Rel", 1),
            "word/vbaProject.bin": b"\xd0\xcf\x11\xe0 Sub AutoOpen()",
        },
    )


def test_a_book_that_repeats_a_chapter_says_it_once(sandbox: Sandbox) -> None:
    with zipfile.ZipFile(BytesIO(BOOK)) as read:
        package = read.read("OEBPS/book.opf").decode()
    spine = package.replace('<itemref idref="a"/>', '<itemref idref="a"/>' * 100_000)
    once = documents.parse("a.epub", BOOK, sandbox).text
    assert (
        documents.parse("a.epub", replaced(BOOK, {"OEBPS/book.opf": spine}), sandbox).text == once
    )


def test_what_lies_elsewhere_stays_there(tmp_path: Path, sandbox: Sandbox) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    plain = documents.parse("a.md", files.markdown(ENGLISH)).units
    word = documents.parse("a.docx", remote_images(secret), sandbox)
    assert len(word.units) == len(plain)
    page = XXE.replace("PATH", str(secret)) + f"<p>&x; The cats.<iframe src='file://{secret}'>"
    book = replaced(BOOK, {"OEBPS/one.xhtml": page.replace("<p>", "<html><body><p>")})
    for suffix, content in (("html", page.encode()), ("epub", book)):
        text = documents.parse(f"a.{suffix}", content, sandbox).text
        assert "The cats." in text
        assert SECRET not in text


def test_a_pdf_does_nothing_by_itself(sandbox: Sandbox) -> None:
    acts = (
        "10 0 obj\n<< /S /JavaScript /JS (while(true){}) >>\nendobj\n"
        "11 0 obj\n<< /S /Launch /F (/bin/sh) >>\nendobj\n"
    )
    content = drawn(line("The cats sleep.", 72, 700), extra=acts).replace(
        b"/Type /Catalog", b"/Type /Catalog /OpenAction 10 0 R /AA << /WC 11 0 R >>"
    )
    assert documents.parse("a.pdf", content, sandbox).text == "The cats sleep."
    looped = drawn(line("The cats sleep.", 72, 700)).replace(b"/Kids [", b"/Kids [2 0 R ")
    try:
        assert "sleep" in documents.parse("a.pdf", looped, sandbox).text
    except DocumentError as exc:
        assert reasons.phrase(str(exc))  # noqa: PT017 - either will do


WIDE = {
    "a sheet that claims to be endless": ("xlsx", lambda: sheet(
        '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>The'
        " cats.</t></is></c></row></sheetData>")),
    "a cell at the end of the world": ("xlsx", lambda: sheet(
        '<sheetData><row r="1048576"><c r="A1048576" t="inlineStr"><is><t>The cats.</t></is></c>'
        "</row></sheetData>")),
    "elements within elements": ("html", lambda: b"<div>" * 240 + b"The cats."),
    "entities": ("html", lambda: (LAUGHS + "<p>The cats. &j;").encode()),
    "a comment without an end": ("html", lambda: b"<p>The cats.<!--" + b"-" * 90_000),
    "cells over everything": ("html", lambda: b"<table><tr><td colspan=9999 rowspan=9999>The cats."
                              b"<td>x<tr><td>y</table>"),
    "one endless line": ("html", lambda: b"<p>The cats." + b" word" * 30_000),
    "many marks": ("html", lambda: b"<p>The cats." + "\u0301".encode() * 50_000),
    "unclosed tags": ("html", lambda: b"<p>The cats." + b"<a href='" * 30_000),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("suffix", "content"), WIDE.values(), ids=WIDE)
def test_what_can_be_read_is(suffix: str, content: object, sandbox: Sandbox) -> None:
    assert callable(content)
    assert "The cats." in documents.parse(f"a.{suffix}", content(), sandbox).text


FORBIDDEN = {
    "a connection": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "a name's address": "import socket; socket.getaddrinfo('a.test', 80)",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a fork": "import os; os.fork() or os._exit(0)",
    "a file of the disk": "open('/etc/hostname').read()",
    "a file beside the package": "import rag; open(rag.__path__[0] + '/../config.yaml').read()",
    "a file named like it": "import rag; open(rag.__path__[0] + '-secrets').read()",
    "a file in its folder": "open('made', 'w').write('x')",
}


@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_reader_can_do_nothing_but_read(act: str, tmp_path: Path) -> None:
    program = (
        "import os, sys; from rag.readers import worker; worker._confine(10**9)\n"
        f"try:\n    {act}\nexcept worker._ForbiddenError:\n    os._exit(7)"
    )
    path = os.pathsep.join([str(Path(readers.__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": path}, timeout=30
    )
    assert done.returncode == 7
    assert not list(tmp_path.iterdir())


def test_the_process_has_no_secrets_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWI_LLM__API_KEY", SECRET)
    with Sandbox(LIMITS) as sandbox:
        sandbox.read(".html", b"<p>x")
        process = sandbox._process
        assert process is not None
        environment = Path(f"/proc/{process.pid}/environ")
        if environment.exists():
            assert SECRET not in environment.read_text()
    assert process.returncode is not None


def test_the_rest_of_a_folder_is_indexed(
    settings: Settings, write: Write, embedder: WordEmbedder
) -> None:
    write("good.html", "<p>The cat sleeps.")
    write("bad.docx", DOCX[:900])
    write("scan.pdf", drawn("0 0 m 100 100 l S\n"))
    write("also good.pdf", PDF)
    report = index.update(settings, embedder)
    assert report.documents == 2
    assert sorted(report.failed) == ["bad.docx", "scan.pdf"]
    again = index.update(settings, embedder)
    assert (again.unchanged, sorted(again.failed)) == (2, ["bad.docx", "scan.pdf"])
