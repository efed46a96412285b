"""Rows of a table, each said with the header of its columns: "Branch: Hail; Staff: 7".

In plain text, a table is lines of as many cells each, parted by pipes or drawn lines, by tabs, or
by spaces where they stand in columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.blocks import Block, spoken
from rag.language import Language, Span, detect

# Pipes, and what stands for them among the signs that boxes are drawn with.
_UPRIGHT = "|│┃║"
_DRAWN = "\u2500-\u257f"
_DELIMITERS = re.compile(rf"[\s|:+=–{_DRAWN}-]*[–={_DRAWN}-]{{2}}[\s|:+=–{_DRAWN}-]*")
_GAP = re.compile(r"\s{2,}|\t+")
_CELL = re.compile(r"\S+(?: \S+)*")
_PIPE = re.compile(rf"(?<!\\)[{_UPRIGHT}]")
_DIGIT = re.compile(r"\d")
_FEWEST = 2  # rows, and cells in each
_LONGEST_RULE = 400  # characters
_FEWEST_IN_COLUMNS = 3  # lines that happen to have gaps in one place are hardly more


def said(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return a row as models read it and an answer says it; without a header its cells alone."""
    if not any(header):
        return " — ".join(filter(None, cells))
    names = [*header, *[""] * len(cells)]
    pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(names, cells) if cell]  # noqa: B905
    return _AND[detect(" ".join(pairs))].join(pairs)


_AND: dict[Language, str] = {"ar": "؛ ", "en": "; "}


def is_rule(line: str) -> bool:
    """Tell whether a line only parts rows."""
    return len(line) < _LONGEST_RULE and bool(_DELIMITERS.fullmatch(line))


def at(text: str, every: Sequence[Span], n: int) -> tuple[list[Block], int]:
    """Return the rows of the table that begins with a line, and how many lines it takes.

    :param every: The lines of the text.
    :param n: Which of them.
    """
    for cells_of in (_piped, _tabbed, _spaced):
        if cells_of is _spaced and not _in_columns(text, every[n : n + _FEWEST_IN_COLUMNS]):
            continue
        taken = list(_alike(text, every, n, cells_of))
        rows = [(line, cells) for line, cells in taken if cells]
        if len(rows) < _FEWEST:
            continue
        headed = not taken[1][1] or is_headed([cells for _, cells in rows])
        header = rows[0][1] if headed else []
        body = rows[1:] if headed else rows
        return [Block("row", *line, said=said(header, cells)) for line, cells in body], len(taken)
    return [], 0


def _alike(
    text: str, every: Sequence[Span], n: int, cells_of: Callable[[str], list[str]]
) -> Iterator[tuple[Span, list[str]]]:
    """Yield lines with their cells, as long as they have as many; delimiters have none."""
    width = 0
    for m in range(n, len(every)):
        shown = text[slice(*every[m])]
        if m > n and is_rule(shown):
            yield every[m], []
            continue
        cells = cells_of(shown)
        width = width or len(cells)
        if width < _FEWEST or len(cells) != width:
            return
        yield every[m], cells


def _piped(line: str) -> list[str]:
    if not _PIPE.search(line):
        return []
    inside = slice(line[0] in _UPRIGHT, -1 if line[-1] in _UPRIGHT else None)
    return [spoken(cell) for cell in _PIPE.split(line[inside])]


def _tabbed(line: str) -> list[str]:
    return [spoken(cell) for cell in line.split("\t")] if "\t" in line else []


def _spaced(line: str) -> list[str]:
    return _GAP.split(line)


def _in_columns(text: str, some: Sequence[Span]) -> bool:
    """Tell whether lines are cells, and those of each column begin or end in one place."""
    places = []
    for line in some:
        indent = text[max(0, line.start - _LONGEST_RULE) : line.start].rpartition("\n")[2]
        if indent.strip():  # a piece of a line
            return False
        places.append([m.span() for m in _CELL.finditer(indent + text[slice(*line)])])
    if (
        len(places) < _FEWEST_IN_COLUMNS
        or len(set(map(len, places))) > 1
        or len(places[0]) < _FEWEST
    ):
        return False
    return all(
        len({a for a, _ in column}) == 1 or len({z for _, z in column}) == 1
        for column in list(zip(*places, strict=True))[1:]
    )


def is_headed(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names the columns: it holds no figures, or there are many.

    Two columns without such a sign are names and what they have, "Phone | 055".
    """
    first, others = rows[0], rows[1:]
    if any(map(_DIGIT.search, first)):
        return False
    figures = sum(any(map(_DIGIT.search, row)) for row in others)
    return len(first) > 2 or 2 * figures > len(others) > 1
