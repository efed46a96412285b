"""A page of the web → its article: no scripts, comments, menus or forms, and nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import lxml.html
from lxml.etree import ErrorTypes, ParserError
from lxml.html import HtmlElement

from rag.errors import DocumentError
from rag.readers.decoding import decode
from rag.readers.writing import Reading, Writer

_CHARSET = re.compile(rb"<meta\b[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HEAD_BYTES = 4_096
# lxml refuses to read a text whose XML declaration names an encoding.
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*\?>")
_UNSAID = frozenset(
    "script style noscript template svg math canvas object embed iframe audio video button select"
    " input textarea dialog head title".split()
)
_AROUND = frozenset("nav aside footer form menu".split())
_ROLES = frozenset("navigation banner contentinfo complementary search dialog menu alert".split())
_NAMES_AROUND = re.compile(
    r"(?:^|[\s_-])(?:comments?|disqus|breadcrumbs?|cookies?|sidebar|navbar|share|sharing|pagination"
    r"|skip-link|related-posts?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_INLINE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp small"
    " span strike strong sub sup time tt u var wbr img acronym big".split()
)
# A table with such in its cells only lays out a page.
_LAYS_OUT = ".//table | .//h1 | .//h2 | .//h3 | .//ul | .//ol | .//pre"
_HEADING = re.compile(r"h[1-6]")
_MOST_SPANNED = 100  # columns or rows: what claims more is no table
# Of what a page holds in all: a part of it with as much is its article.
_MOST_OF_IT = 0.5


def read(content: bytes) -> Reading:
    """Read a page.

    :raises DocumentError: When its encoding can't be told.
    """
    named = _CHARSET.search(content[:_HEAD_BYTES])
    page = parsed(decode(content, named[1].decode() if named else ""))
    writer = Writer()
    if page is None:
        return writer.reading()
    _Walk(writer, _surroundings(page)).through(_article(page))
    return writer.reading(
        _first(page, "//meta[@property='og:title']/@content", "//title/text()"),
        _first(page, "//meta[@name='author']/@content", "//*[@itemprop='author' or @rel='author']"),
        _first(
            page,
            "//meta[@property='article:published_time' or @name='date']/@content",
            "//*[@itemprop='datePublished']/@content",
            "//article//time/@datetime",
        ),
    )


def parsed(text: str) -> HtmlElement | None:
    """Return a page as a tree; None when it is empty.

    :raises DocumentError: When its elements are nested so deep that some would be lost.
    """
    parser = lxml.html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True)
    try:
        page = lxml.html.document_fromstring(_DECLARATION.sub("", text), parser=parser)
    except ParserError:
        return None
    if any(entry.type == ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        raise DocumentError("its elements are nested too deep; save it anew, as simple HTML")
    return page


def write(text: str, writer: Writer) -> None:
    """Say all that a page holds.

    :raises DocumentError: As of ``parsed``.
    """
    page = parsed(text)
    if page is not None:
        _Walk(writer, frozenset()).through(page)


def _article(page: HtmlElement) -> HtmlElement:
    """Return the element that holds the article."""
    whole = _size(page)
    for path in ("//main | //*[@role='main']", "//article"):
        found = page.xpath(path)
        if len(found) == 1 and _size(found[0]) >= _MOST_OF_IT * whole:
            return found[0]
    body: HtmlElement = page if page.find("body") is None else page.find("body")
    return body


def _surroundings(page: HtmlElement) -> frozenset[HtmlElement]:
    """Return what stands around an article, and what is hidden."""
    whole = _size(page)
    return frozenset(
        node for node in page.iter() if isinstance(node.tag, str) and _is_around(node, whole)
    )


def _is_around(node: HtmlElement, whole: int) -> bool:
    style = node.get("style", "").replace(" ", "").lower()
    if node.get("hidden") is not None or "display:none" in style:
        return True
    if node.tag in _AROUND or node.get("role", "") in _ROLES or node.get("aria-hidden") == "true":
        around = True
    elif node.tag == "header":
        around = not any(above.tag in ("article", "main") for above in node.iterancestors())
        around = around and node.find(".//h1") is None
    else:
        names = f"{node.get('class', '')} {node.get('id', '')}"
        around = node.tag != "body" and bool(_NAMES_AROUND.search(names))
    return around and _size(node) < _MOST_OF_IT * whole


def _size(node: HtmlElement) -> int:
    return sum(len(text.strip()) for text in node.itertext() if isinstance(text, str))


def _first(page: HtmlElement, *paths: str) -> str:
    """Return what the first of some paths leads to that says anything."""
    for path in paths:
        for found in page.xpath(path):
            said = found if isinstance(found, str) else found.text_content()
            if said.strip():
                return str(said)
    return ""


class _Walk:
    """A tree, while it is said: what stands in a line is gathered until something else begins."""

    def __init__(self, writer: Writer, without: frozenset[HtmlElement]) -> None:
        self._writer = writer
        self._without = without
        self._line: list[str] = []
        self._level = self._group = 0
        self._mark: str | None = None  # of an item of which nothing is said yet

    def through(self, node: HtmlElement) -> None:
        """Say an element and what is in it."""
        self._inside(node)
        self._end()

    def _inside(self, node: HtmlElement) -> None:
        self._say(node.text)
        for child in node:
            if isinstance(child.tag, str) and child not in self._without:
                self._element(child)
            self._say(child.tail)

    def _element(self, node: HtmlElement) -> None:
        tag = node.tag
        if tag in _UNSAID:
            return
        if tag == "br":
            self._line.append("\n")
        elif tag in _INLINE:
            self._inside(node)
        else:
            self._end()
            self._block(node, tag)
            self._end()

    def _block(self, node: HtmlElement, tag: str) -> None:
        if _HEADING.fullmatch(tag):
            self._writer.heading(_said(node), int(tag[1]))
        elif tag == "pre":
            self._writer.code(node.text_content(), self._group if self._level else 0)
        elif tag in ("ul", "ol"):
            self._list(node)
        elif tag == "table" and not node.xpath(_LAYS_OUT):
            for caption in node.findall("caption"):
                self._writer.paragraph(_said(caption))
            rows = list(_rows(node))
            headed = True if rows and rows[0][0] else None
            self._writer.table([cells for _, cells in rows], headed=headed)
        else:
            self._inside(node)

    def _list(self, node: HtmlElement) -> None:
        before = self._mark
        self._group = self._group if self._level else self._writer.begin_list()
        self._level += 1
        start = node.get("start", "1")
        number = int(start) if start.isdecimal() and len(start) < 9 else 1
        for child in node:
            if child.tag == "li":
                self._mark = "-" if node.tag == "ul" else f"{number}."
                number += 1
                self._inside(child)
                self._end()
            elif isinstance(child.tag, str) and child not in self._without:
                self._element(child)
        self._level -= 1
        self._mark = before

    def _say(self, text: str | None) -> None:
        if text:
            self._line.append(re.sub(r"\s+", " ", text))

    def _end(self) -> None:
        """End a paragraph, or an item."""
        text = "".join(self._line).strip()
        self._line = []
        if not text:
            return
        if self._level and self._mark is not None:
            first, _, text = text.partition("\n")
            if self._mark == "-":
                self._writer.item(first, self._level, self._group, "-")
            else:
                self._writer.item(f"{self._mark} {first}", self._level, self._group)
            self._mark = None
        group = self._group if self._level else 0
        self._writer.paragraph(text, self._level, group)


def _said(node: HtmlElement) -> str:
    """Return what an element says on one line."""
    return "".join(_texts(node))


def _texts(node: HtmlElement) -> Iterator[str]:
    if not isinstance(node.tag, str) or node.tag in _UNSAID:
        return
    apart = node.tag not in _INLINE
    yield " " * apart
    yield node.text or ""
    for child in node:
        yield from _texts(child)
        yield child.tail or ""
    yield " " * apart


def _rows(table: HtmlElement) -> Iterator[tuple[bool, Sequence[str]]]:
    """Yield the rows of a table, and whether they name its columns; what spans some is in each."""
    spanned = dict[int, tuple[int, str]]()  # column → for how many rows more, what
    for row in table.iter("tr"):
        if next(row.iterancestors("table")) is not table:
            continue
        cells = list[str]()
        given = [cell for cell in row if cell.tag in ("td", "th")]
        for cell in given:
            _fill(cells, spanned)
            said, wide = _said(cell), _number(cell.get("colspan"))
            if (high := _number(cell.get("rowspan"))) > 1:
                spanned.update((len(cells) + n, (high - 1, said)) for n in range(wide))
            cells += [said] + [""] * (wide - 1)
        _fill(cells, spanned)
        yield bool(given) and all(cell.tag == "th" for cell in given), cells


def _fill(cells: list[str], spanned: dict[int, tuple[int, str]]) -> None:
    """Add the cells of rows above that reach down to where a row goes on."""
    while len(cells) in spanned:
        more, said = spanned.pop(len(cells))
        if more > 1:
            spanned[len(cells)] = (more - 1, said)
        cells.append(said)


def _number(span: str | None) -> int:
    return min(int(span), _MOST_SPANNED) if span and span.isdecimal() and len(span) < 5 else 1
