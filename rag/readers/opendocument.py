"""OpenDocument's texts and sheets, as LibreOffice and others write them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lxml import etree

from rag.errors import DocumentError
from rag.readers import archives, html, rows
from rag.readers.writing import Reading, Writer

# An element by its name without its namespace → its like in HTML; others are what they hold.
_LIKE = {
    "p": "p", "table": "table", "table-row": "tr", "table-cell": "td", "list-item": "li",
    "list-header": "li", "line-break": "br",
}  # fmt: skip
_SPACES = {"s": " ", "tab": " "}
# Remarks at the edge, what was deleted, what a picture is called, and headings a second time.
_UNSAID = frozenset("annotation tracked-changes title desc table-of-content note-citation".split())
_MOST_REPEATED = 100  # cells or rows that are alike: what claims more is empty
_NAME = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}name"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_HEADER_ROWS = f"{_TABLE}table-header-rows"
_STYLE_NAME = f"{_TEXT}style-name"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"


def text(content: bytes) -> Reading:
    """Read a text, with its footnotes below it.

    :raises DocumentError: When it is encrypted, or not safe to be read.
    """
    root, styles, about = _opened(content)
    writer = Writer()
    body = root.find(f"{_OFFICE}body/{_OFFICE}text")
    notes = list(body.iter(f"{_TEXT}note-body"))
    numbered = {
        (level.getparent().get(_NAME), level.get(f"{_TEXT}level"))
        for part in (root, styles)
        for level in part.iter(f"{_TEXT}list-level-style-number")
    }
    for part in (body, *notes):
        html.write("".join(_html(part, numbered)), writer)
    return writer.reading(*about)


def sheets(content: bytes) -> Reading:
    """Read the sheets of a workbook that are shown.

    :raises DocumentError: When it is encrypted, or not safe to be read.
    """
    root, _, about = _opened(content)
    writer = Writer()
    hidden = {
        style.get(_NAME)
        for style in root.iter("{*}style")
        if any(one.get(f"{_TABLE}display") == "false" for one in style.iter("{*}table-properties"))
    }
    tables = root.findall(f"{_OFFICE}body/{_OFFICE}spreadsheet/{_TABLE}table")
    for table in (one for one in tables if one.get(f"{_TABLE}style-name") not in hidden):
        rows.write_sheet(table.get(f"{_TABLE}name", ""), list(_rows(table)), writer)
    return writer.reading(*about)


def _opened(content: bytes) -> tuple[etree._Element, etree._Element, tuple[str, str, str]]:
    """Return what a file holds, its named styles, and its title, author and date."""
    with archives.opened(content) as archive:
        archives.check(archive)
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise DocumentError("is protected by a password; save it without one")
        root = archives.xml(archive.read("content.xml"))
        styles, meta = (
            archives.xml(archive.read(name)) if name in archive.namelist() else root
            for name in ("styles.xml", "meta.xml")
        )
    title, author, editor, date, begun = (
        meta.findtext(f".//{name}") or ""
        for name in (
            f"{archives.DUBLIN_CORE}title",
            f"{_META}initial-creator",
            f"{archives.DUBLIN_CORE}creator",
            f"{archives.DUBLIN_CORE}date",
            f"{_META}creation-date",
        )
    )
    return root, styles, (title, author or editor, (date or begun)[:10])


def _html(
    node: etree._Element, numbered: set[tuple[str, str]], style: str = "", level: int = 0
) -> Iterator[str]:
    """Yield an element as HTML, without the footnotes in it.

    :param numbered: The styles of lists, by name and level, that have numbers.
    :param style: Of the list that the element lies in: a list within it has the same.
    :param level: Of that list, from 1; 0 outside of any.
    """
    name = etree.QName(node).localname
    if name == "h":
        like = f"h{min(6, int(node.get(f'{_TEXT}outline-level', '1')))}"
    elif name == "list":
        style, level = node.get(_STYLE_NAME, style), level + 1
        like = "ol" if (style, str(level)) in numbered else "ul"
    elif name == "table-cell" and node.getparent().getparent().tag == _HEADER_ROWS:
        like = "th"
    else:
        like = _LIKE.get(name, "")
    spans = "".join(
        f' {kind}span="{wide}"'
        for kind, what in (("col", "columns"), ("row", "rows"))
        if (wide := node.get(f"{_TABLE}number-{what}-spanned", "1")).isdecimal()
    )
    yield f"<{like}{spans}>" if like else ""
    yield escape(node.text or "")
    for child in _cells(node) if name == "table-row" else node:
        kind = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if kind in _SPACES:
            yield _SPACES[kind]
        elif kind and kind not in _UNSAID and kind != "note":
            yield from _html(child, numbered, style, level)
        yield escape(child.tail or "")
    yield f"</{like}>" if like and like != "br" else ""


def _rows(table: etree._Element) -> Iterator[list[str]]:
    for row in table.iter(f"{_TABLE}table-row"):
        cells = list[str]()
        for cell in _cells(row):
            cells += [_shown(cell)] * _repeated(cell, "columns")
        yield from [cells[: rows.MOST_COLUMNS]] * (_repeated(row, "rows") if any(cells) else 1)


def _cells(row: etree._Element) -> list[etree._Element]:
    """Return a row's cells to the last that says something."""
    cells = list(row)
    while cells and not any(map(str.strip, cells[-1].itertext())):
        cells.pop()
    return cells


def _repeated(node: etree._Element, what: str) -> int:
    times = node.get(f"{_TABLE}number-{what}-repeated", "1")
    return min(int(times), _MOST_REPEATED) if times.isdecimal() and len(times) < 9 else 1


def _shown(cell: etree._Element) -> str:
    """Return what a cell shows; a date as in other formats."""
    if date := cell.get(f"{_OFFICE}date-value"):
        return str(date).replace("T00:00:00", "").replace("T", " ")
    return " ".join("".join(part.itertext()) for part in cell.findall(f"{_TEXT}p"))
