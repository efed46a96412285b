"""The blocks of plain text, told by its own signs: blank lines, bullets, numbers, pipes, width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag import tables
from rag.blocks import Block, Layout, is_field, lines, paragraph
from rag.language import Span

_RULE = re.compile(r"([-=*_~.#–—])(?:\s*\1){2,}")
_MARKED = re.compile(r"(?P<level>#{1,6})\s+(?=\S)")
_BULLET = re.compile(r"[•▪◦‣●○*–—+-]\s+(?=\S)")
_NUMBER = re.compile(r"\(?(?:\d{1,2}|[٠-٩]{1,2}|[A-Za-z]|[أابجدهوزحطي])[.)–-]\s+(?=\S)")
_ENDS = re.compile(r"[.!?؟:؛;…][\"'”’»)\]]*$")
_NO_HEADING = re.compile(r"[.!:؛;…،,][\"'”’»)\]]*$|[.!?؟؛]\s")
_HEADING_CHARS = 80
_HEADING_WORDS = 12
# Widths that people and programs wrap text at.
_LEAST_WIDTH, _MOST_WIDTH = 40, 120
# Of the width: most lines are at least so long, and a line shorter than that was ended on purpose.
_FULL, _SHORT = 0.6, 0.4


def layout(text: str) -> Layout:
    """Return the blocks of a plain text."""
    every = list(lines(text))
    fewest = _fewest(text, every)
    blocks: list[Block] = []
    n = group = 0
    bulleted = False
    while n < len(every):
        line = every[n]
        shown = text[slice(*line)]
        rows, taken = tables.at(text, every, n) if shown else ([], 0)
        if taken:
            blocks += rows
        elif not shown or _RULE.fullmatch(shown):
            taken = 1
        elif mark := _MARKED.match(shown):
            level = len(mark["level"])
            blocks.append(Block("heading", line.start + mark.end(), line.end, level))
            taken = 1
        elif _is_heading(text, every, n):
            level = 1 if not blocks else 2
            blocks.append(Block("heading", *line, level))
            taken = 1
        elif _item(shown):
            mark = _BULLET.match(shown)
            parted = not (blocks and blocks[-1].group) or every[n - 1].start == every[n - 1].end
            if parted and (not (blocks and blocks[-1].group) or bulleted != bool(mark)):
                group = n + 1
            bulleted = bool(mark)
            taken = _taken(text, every, n, runs_on=fewest > 0)
            first = Span(line.start + (mark.end() if mark else 0), line.end)
            like = Block("item", 0, 0, 1, group=group)
            inside = [first, *every[n + 1 : n + taken]]
            blocks += paragraph(text, inside, like, max(fewest, 0))
        else:
            taken = _taken(text, every, n, runs_on=True)
            blocks += paragraph(text, every[n : n + taken], Block("text", 0, 0), fewest)
        n += taken
    return Layout(tuple(blocks), text)


def _item(shown: str) -> re.Match[str] | None:
    return _BULLET.match(shown) or _NUMBER.match(shown)


def _taken(text: str, every: Sequence[Span], n: int, *, runs_on: bool) -> int:
    """Return how many lines go together from one on.

    :param runs_on: Whether a line need not be indented for it.
    """
    taken = 1
    for m in range(n + 1, len(every)):
        shown = text[slice(*every[m])]
        deeper = _indent(text, every[m]) > _indent(text, every[n])
        if not shown or _item(shown) or _RULE.fullmatch(shown) or not (runs_on or deeper):
            break
        if tables.at(text, every, m)[1]:
            break
        taken += 1
    return taken


def _indent(text: str, line: Span) -> int:
    return line.start - text.rfind("\n", 0, line.start) - 1


def _fewest(text: str, every: Sequence[Span]) -> int:
    """Return how long a line is at least that runs on into the next; -1 where none does.

    A file is wrapped when most lines within its paragraphs come near a common width and end in the
    midst of a sentence.
    """
    inner = [
        run[:-1]
        for run in _runs(text, every)
        if len(run) > 1 and all(end - start <= _MOST_WIDTH for start, end in run)
    ]
    within = [line for run in inner for line in run]
    width = max((end - start for start, end in within), default=0)
    if width < _LEAST_WIDTH or len(within) < 2:
        return -1
    full = sum(
        end - start >= _FULL * width and not _ENDS.search(text[start:end]) for start, end in within
    )
    return int(_SHORT * width) if 2 * full > len(within) else -1


def _runs(text: str, every: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield runs of lines of prose."""
    run: list[Span] = []
    for line in [*every, Span(0, 0)]:
        shown = text[slice(*line)]
        if shown and not (_item(shown) or is_field(shown) or "|" in shown or "\t" in shown):
            run.append(line)
            continue
        if run:
            yield run
        run = []


def _is_heading(text: str, every: Sequence[Span], n: int) -> bool:
    """Tell whether a line stands alone, reads like a heading and has something to head."""
    if not _stands_alone(text, every, n):
        return False
    following = _filled(every, n + 1)
    if following is None:
        return False
    if _stands_alone(text, every, following):  # a title, and a heading under it
        after = _filled(every, following + 1)
        return after is not None and not _stands_alone(text, every, after)
    shown = text[slice(*every[following])]
    longer = len(shown) > every[n].end - every[n].start
    return longer or bool(_item(shown)) or is_field(shown) or "|" in shown or "\t" in shown


def _filled(every: Sequence[Span], n: int) -> int | None:
    """Return the number of the first line from one on that isn't blank."""
    return next((m for m in range(n, len(every)) if every[m].start < every[m].end), None)


def _stands_alone(text: str, every: Sequence[Span], n: int) -> bool:
    if every[n].end - every[n].start > _HEADING_CHARS:
        return False
    shown = text[slice(*every[n])]
    alone = (n == 0 or every[n - 1].start == every[n - 1].end) and (
        n + 1 == len(every) or every[n + 1].start == every[n + 1].end
    )
    named = not (_NO_HEADING.search(shown) or _item(shown) or is_field(shown))
    few = len(shown.split()) <= _HEADING_WORDS
    return alone and few and named and any(map(str.isalpha, shown))
