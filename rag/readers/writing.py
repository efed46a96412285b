"""What a reader makes of a file: its text, and the blocks that its author laid it out in.

A reader says what it finds, in order, to a ``Writer``, which cleans it and counts its characters.
The text holds no markup, so a quote is what the file shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag import plain, tables
from rag.blocks import Block
from rag.language import clean

_BETWEEN_CELLS = " | "


@dataclass(frozen=True)
class Reading:
    """A file as text.

    :ivar text: Cleaned; every offset counts its characters.
    :ivar title: What the file gives as its title; empty where a heading names it, or nothing does.
    :ivar date: As the file has it, in ISO 8601 where it can be told; may be empty.
    :ivar pages: Where each page begins; empty for a file without pages.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    author: str = ""
    date: str = ""
    pages: tuple[int, ...] = ()


class Writer:
    """A reading, while it is made."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[int] = []
        self._lists = 0
        self._in_table = False

    def page(self) -> None:
        """Begin a page: what is said next stands on it."""
        self._pages.append(self._length)

    def heading(self, text: str, level: int) -> None:
        """Say a heading of a level, from 1."""
        self._say(Block("heading", 0, 0, level), one_line(text))

    def paragraph(self, text: str, level: int = 0, group: int = 0) -> None:
        """Say a paragraph; each of its lines is one that its author ended on purpose.

        :param level: How deep the item is nested that it goes on with, from 1; 0 for none.
        :param group: What ``begin_list`` gave for the item's list.
        """
        for line in map(one_line, text.split("\n")):
            self._say(Block("text", 0, 0, level, group=group), line)

    def wrapped(self, lines: Sequence[str], pages: Sequence[int] = ()) -> None:
        """Say a paragraph that runs over several lines.

        :param pages: The numbers of those that begin a page.
        """
        lines = list(map(one_line, lines))
        end = self._say(Block("text", 0, 0), "\n".join(lines))
        self._pages += [end - len("\n".join(lines[n:])) for n in pages]

    def begin_list(self) -> int:
        """Return what tells the items of a list from those of others."""
        self._lists += 1
        return self._lists

    def item(self, text: str, level: int, group: int, mark: str = "") -> None:
        """Say an item of a list.

        :param mark: What stands before it and is no part of it, such as a bullet.
        """
        if text := one_line(text):
            close = bool(self._blocks) and self._blocks[-1].group == group
            mark = "  " * (level - 1) + f"{mark} " * bool(mark)
            self._say(Block("item", 0, 0, level, group=group), text, mark=mark, close=close)

    def table(self, rows: Sequence[Sequence[str]], *, headed: bool | None = None) -> None:
        """Say the rows of a table; what has one column or one row is none.

        :param headed: Whether the first row names the columns; None leaves it to what stands there.
        """
        filled = [[one_line(cell) for cell in row] for row in rows]
        filled = [row for row in filled if any(row)]
        if len(filled) < 2 or max(map(len, filled)) < 2:
            for row in filled:
                self.paragraph(_joined(list(filter(None, row))))
            return
        headed = tables.is_headed(filled) if headed is None else headed
        header = filled[0] if headed else []
        if headed:
            self.header(header)
        for row in filled[1:] if headed else filled:
            self.row(header, row)

    def header(self, cells: Sequence[str]) -> None:
        """Begin a table whose columns have names; they are said with each row."""
        self._append(_joined(cells), close=False)
        self._in_table = True

    def row(self, header: Sequence[str], cells: Sequence[str]) -> None:
        """Say one more row of a table.

        :param header: The names of its columns; may be empty.
        """
        cells = list(map(one_line, cells))
        if any(cells):
            block = Block("row", 0, 0, said=tables.said(header, cells))
            self._say(block, _joined(cells), close=self._in_table)
            self._in_table = True

    def code(self, text: str, group: int = 0) -> None:
        """Say lines as they stand.

        :param group: What ``begin_list`` gave for the list that they stand in; 0 for none.
        """
        text = "\n".join(line.rstrip() for line in clean(text).strip("\n").split("\n"))
        self._say(Block("code", 0, 0, said=text, group=group), text)

    def plain(self, text: str) -> None:
        """Say a text whose blocks are told by its own signs."""
        if text := clean(text).strip():
            shift, lists = self._append(text, close=False), self._lists
            for block in plain.layout(text).blocks:
                group = block.group and block.group + lists
                self._lists = max(self._lists, group)
                start, end = block.start + shift, block.end + shift
                self._blocks.append(replace(block, start=start, end=end, group=group))

    def reading(self, title: str = "", author: str = "", date: str = "") -> Reading:
        """Return all that was said.

        :param title: Stands for a heading where there is none.
        """
        named = any(block.kind == "heading" for block in self._blocks)
        return Reading(
            "".join(self._parts),
            tuple(self._blocks),
            "" if named else one_line(title),
            one_line(author),
            one_line(date),
            tuple(self._pages),
        )

    def _say(self, block: Block, text: str, *, mark: str = "", close: bool = False) -> int:
        """Say a block, if it says anything, and return where the text ends."""
        if text:
            start = self._append(mark + text, close=close) + len(mark)
            self._blocks.append(replace(block, start=start, end=start + len(text)))
        return self._length

    def _append(self, text: str, *, close: bool) -> int:
        """Return where a text begins that is put after the others.

        :param close: Whether no blank line stands between.
        """
        between = ("\n" if close else "\n\n") if self._parts else ""
        self._parts.append(between + text)
        self._in_table = False
        begin = self._length + len(between)
        self._length = begin + len(text)
        return begin


def _joined(cells: Sequence[str]) -> str:
    return _BETWEEN_CELLS.join(cells).strip()


def one_line(text: str) -> str:
    """Return a text cleaned and on one line."""
    return " ".join(clean(text).split())
