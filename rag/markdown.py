"""The blocks of a Markdown file, by CommonMark with tables; markdown-it-py tells the lines."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag import front_matter, tables
from rag.blocks import NOTHING, Block, Layout, lines, paragraph, spoken, stripped
from rag.language import Span, clean

# What is within a line is told here: only its place matters, which the parser doesn't tell.
_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")

# What isn't said within a line; of a link or emphasis, that which is.
_UNSAID = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|<!--.*?(?:-->|\Z)"
    r"|!\[[^\[\]\n]*\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)"
    r"|\[(?P<link>[^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)|\[[^\]\n]*\])"
    r"|</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>"
    r"|(?P<on>\*{2,3}|(?<![\w*])\*|(?<!\w)_{1,2})(?=[^\s*_])"  # not 2*3*4
    r"(?P<strong>[^*_]{1,400}?)(?<=\S)(?P=on)(?!\*|(?<=_)\w)"
    r"|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])",
    re.DOTALL,
)
_QUOTED = re.compile(r"^(?:[ \t]*>)+", re.MULTILINE)
_BULLET = re.compile(r"[*+-][ \t]+(?:\[[ xX]\][ \t]+)?")
_HASHES = re.compile(r"\A[ \t]*#{1,6}(?=[ \t])|[ \t]#+\Z")
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_ROW = re.compile(r"<tr\b[^<>]*>(.*?)(?=</?tr\b|</table\b|\Z)", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<t([dh])\b[^<>]*>(.*?)(?=</?t[dh]\b|\Z)", re.DOTALL | re.IGNORECASE)
_PART = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|caption|center|d[dlt]|details|div|fig\w+|footer"
    r"|form|h[1-6]|head|header|hr|html|iframe|li|link|main|meta|nav|ol|option|p|pre|section|select"
    r"|summary|table|tbody|t[dhr]|tfoot|thead|title|ul)\b[^<>]*>",
    re.IGNORECASE,
)


def layout(text: str) -> Layout:
    """Return the blocks of a Markdown text."""
    begin, title = front_matter.read(text)
    return _Reading(text, begin).layout(title)


def masked(text: str) -> str:
    """Return a piece of Markdown as long as it is, with what isn't said of it blanked out."""
    return _UNSAID.sub(_blanked, text)


def _blanked(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    if found[0][0] == "&":
        return _meant(found[0])
    if _PART.fullmatch(found[0]):
        return " " * len(found[0])
    start, end = found.span()
    name = next((name for name in ("link", "strong", "escaped") if found[name] is not None), None)
    inside = Span(*found.span(name)) if name else Span(end, end)
    # Beside a space it is one; within a word, "un**bold**ed", it leaves none.
    left = " " if start == 0 or found.string[start - 1].isspace() else NOTHING
    right = " " if end == len(found.string) or found.string[end].isspace() else NOTHING
    said = found.string[slice(*inside)]
    said = said if name == "escaped" else masked(said)
    return left * (inside.start - start) + said + right * (end - inside.end)


def _meant(entity: str) -> str:
    """Return the character that an entity stands for, and nothing up to its length."""
    char = clean(html.unescape(entity))
    return char + NOTHING * (len(entity) - 1) if len(char) == 1 else entity


class _Reading:
    """One text, while its blocks are found: first what is said of it, then where it is parted."""

    def __init__(self, text: str, begin: int) -> None:
        """Begin after the front matter."""
        self._text = text
        self._begin = begin
        self._masked = list(text)
        self._found: list[Block | tuple[Block, list[Span]]] = []
        self._starts = [begin, *(m.end() for m in re.finditer("\n", text) if m.end() > begin)]
        self._starts.append(len(text) + 1)

    def layout(self, title: str) -> Layout:
        """Return the blocks."""
        self._read(_PARSER.parse(self._text[self._begin :]))
        whole = "".join(self._masked)
        blocks: list[Block] = []
        for found in self._found:
            if isinstance(found, Block):
                blocks.append(found)
            else:
                blocks += _parted(whole, *found)
        return Layout(tuple(blocks), whole, title)

    def _read(self, tokens: Sequence[Token]) -> None:
        depth = group = number = 0
        header: list[str] = []
        for n, token in enumerate(tokens):
            before = tokens[n - 1].type if n else ""
            if token.type in ("bullet_list_open", "ordered_list_open"):
                if not depth and token.attrGet("start") == number + 1:
                    self._go_on(group)
                elif not depth:
                    group = n + 1
                depth += 1
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                depth -= 1
            elif token.type == "list_item_open" and depth == 1:
                number = int(token.info or 0)
            elif token.type == "inline" and before == "heading_open":
                self._heading(token, int(tokens[n - 1].tag[1:]))
            elif token.type == "inline" and before == "paragraph_open":
                item = tokens[n - 2].type == "list_item_open"
                kind = Block("item" if item else "text", 0, 0, depth, group=group if depth else 0)
                self._paragraph(token, kind)
            elif token.type in ("fence", "code_block"):
                said = token.content.strip("\n")
                inside = group if depth else 0
                self._found.append(
                    Block("code", *self._span(token), depth, said=said, group=inside)
                )
            elif token.type == "html_block":
                self._html(self._span(token))
            elif token.type == "tr_open":
                cells = [spoken(masked(cell)) for cell in _cells(tokens, n)]
                if before == "thead_open":
                    header = cells
                elif any(cells):
                    said = tables.said(header, cells)
                    inside = group if depth else 0
                    self._found.append(Block("row", *self._span(token), said=said, group=inside))

    def _go_on(self, group: int) -> None:
        """Put the code that parts a list from where its numbers go on into that list."""
        for n in range(len(self._found) - 1, -1, -1):
            found = self._found[n]
            if not isinstance(found, Block) or found.kind != "code" or found.group:
                return
            self._found[n] = replace(found, group=group)

    def _span(self, token: Token) -> Span:
        first, last = token.map or (0, 0)
        return stripped(self._text, self._starts[first], self._starts[last] - 1)

    def _mask(self, span: Span, said: str) -> None:
        self._masked[slice(*span)] = said

    def _heading(self, token: Token, level: int) -> None:
        span = self._span(token)
        said = _QUOTED.sub(_spaces, self._text[slice(*span)])
        said = masked(_HASHES.sub(_spaces, said))
        self._mask(span, said)
        inside = stripped(said.replace(NOTHING, " "), 0, len(said))
        if inside.start < inside.end:
            start, end = span.start + inside.start, span.start + inside.end
            self._found.append(Block("heading", start, end, level))

    def _paragraph(self, token: Token, like: Block) -> None:
        span = self._span(token)
        said = _QUOTED.sub(_spaces, self._text[slice(*span)])
        if like.kind == "item":
            begin = len(said) - len(said.lstrip())
            while bullet := _BULLET.match(said, begin):
                said = said[:begin] + " " * len(bullet[0]) + said[bullet.end() :]
                begin = bullet.end()
        said = masked(said)
        self._mask(span, said)
        inside: list[Span] = []
        blank = said.replace(NOTHING, " ")
        for start, end in lines(blank):
            if start < end:
                inside.append(Span(span.start + start, span.start + end))
            if inside and self._text.startswith(("  \n", "\\\n"), span.start + end):
                self._found.append((like, inside))  # the line was ended on purpose
                like, inside = Block("text", 0, 0, like.level, group=like.group), []
        if inside:
            self._found.append((like, inside))

    def _html(self, span: Span) -> None:
        """Find what is said between the tags of HTML."""
        text = _UNSEEN.sub(_spaces, self._text[slice(*span)])
        header: list[str] = []
        for row in _ROW.finditer(text):
            cells = list(_CELL.finditer(row[1]))
            said = [spoken(masked(cell[2])) for cell in cells]
            if cells and all(cell[1] in "hH" for cell in cells):
                header = said
            elif any(said):
                start = span.start + row.start(1)
                inside = stripped(row[1], cells[0].start(2), cells[-1].end(2))
                self._found.append(
                    Block(
                        "row",
                        start + inside.start,
                        start + inside.end,
                        said=tables.said(header, said),
                    )
                )
        text = _ROW.sub(_spaces, text)
        bare = masked(text)
        self._mask(span, bare)
        last, blank = 0, bare.replace(NOTHING, " ")
        for part in [*_PART.finditer(text), None]:
            end = part.start() if part else len(text)
            inside = stripped(blank, last, end)
            if inside.start < inside.end:
                place = Span(span.start + inside.start, span.start + inside.end)
                self._found.append((Block("text", 0, 0), [place]))
            last = part.end() if part else end


def _parted(whole: str, like: Block, inside: Sequence[Span]) -> Iterator[Block]:
    """Yield the blocks of a paragraph; it may hold a table that Markdown has no sign for."""
    n = 0
    run: list[Span] = []
    while n < len(inside):
        rows, taken = tables.at(whole, inside, n) if like.kind == "text" else ([], 0)
        if taken or tables.is_rule(whole[slice(*inside[n])]):
            yield from paragraph(whole, run, like)
            yield from rows
            run = []
        else:
            run.append(inside[n])
        n += taken or 1
    yield from paragraph(whole, run, like)


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _cells(tokens: Sequence[Token], n: int) -> Iterator[str]:
    """Yield the cells of the row that begins with a token."""
    while tokens[n].type != "tr_close":
        if tokens[n].type == "inline":
            yield tokens[n].content
        n += 1
