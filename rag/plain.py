"""The blocks of plain text, told by its own signs: blank lines, bullets, numbers, pipes, width.

What an indented run of lines after a colon holds is shown as it stands, as code is; a mark of
quotation before each line is not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag import front_matter, tables
from rag.blocks import Block, Layout, is_field, is_value, lines, paragraph
from rag.language import Span

_RULE = re.compile(r"([-=*_~.#–—])(?:\s*\1){2,}")
_MARKED = re.compile(r"(?P<level>#{1,6})\s+(?=\S)")
_BULLET = re.compile(r"[•▪◦‣●○*–—+-]\s+(?=\S)")
NUMBER = re.compile(r"\(?(?:\d{1,2}|[٠-٩]{1,2}|[A-Za-z]|[أابجدهوزحطي])[.)–-]\s+(?=\S)")
ENDS = re.compile(r"[.!?؟:؛;…][\"'”’»)\]]*$")
_ENDS_NAME = re.compile(r"[.!:؛;…،,][\"'”’»)\]]*$")
_SENTENCE = re.compile(r"[.!?؟؛]\s")
_HEADING_CHARS = 80
_HEADING_WORDS = 12
_ANNOUNCES = re.compile(r"[:：]$")
_QUOTED = re.compile(r"(?:[ \t]*>)+")
_INDENTED = 4  # spaces, of code
# Widths that people and programs wrap text at.
_LEAST_WIDTH, _MOST_WIDTH = 40, 120
# Of the width: most lines are at least so long, and a line shorter than that was ended on purpose.
_FULL, _SHORT = 0.6, 0.4


def layout(text: str) -> Layout:
    """Return the blocks of a plain text."""
    begin, title = front_matter.read(text)
    begin = begin if title else 0  # fields without a title may be all that a note has to say
    text = _unquoted(text)
    every = list(lines(text, begin))
    fewest = _fewest(text, every)
    headed = _headed(text, every, fewest)
    blocks: list[Block] = []
    n = group = base = 0
    bulleted = False
    while n < len(every):
        line = every[n]
        shown = text[slice(*line)]
        rows, taken = tables.at(text, every, n) if shown else ([], 0)
        if taken:
            blocks += rows
        elif not shown or _is_rule(shown):
            taken = 1
        elif code := _code(text, every, n):
            said = "\n".join(text[slice(*each)] for each in every[n : n + code])
            within = blocks[-1].group if blocks else 0
            end = every[n + code - 1].end
            blocks.append(Block("code", line.start, end, said=said, group=within))
            taken = code
        elif mark := _MARKED.match(shown):
            level = len(mark["level"])
            blocks.append(Block("heading", line.start + mark.end(), line.end, level))
            taken = 1
        elif n in headed or _is_heading(text, every, n, headed):
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
            base = _indent(text, line) if group == n + 1 else base
            level = 1 if _indent(text, line) <= base else 2
            like = Block("item", 0, 0, level, group=group)
            inside = [first, *every[n + 1 : n + taken]]
            blocks += paragraph(text, inside, like, max(fewest, 0))
        else:
            taken = _taken(text, every, n, runs_on=True)
            blocks += paragraph(text, every[n : n + taken], Block("text", 0, 0), fewest)
        n += taken
    return Layout(tuple(blocks), text, title if begin else "")


def _unquoted(text: str) -> str:
    """Return a text as long as it is without the marks of quotation before some lines in a row.

    "> 5 mg" under "> 2 mg" says more than, and has none.
    """
    parts, run = list[str](), list[str]()
    for line in [*text.splitlines(keepends=True), ""]:
        if _QUOTED.match(line):
            run.append(line)
            continue
        inside = [each[m.end() :].strip() for each in run if (m := _QUOTED.match(each))]
        if len(run) > 1 and not all(each[:1].isdigit() for each in inside):
            run = [_QUOTED.sub(lambda mark: " " * len(mark[0]), each, count=1) for each in run]
        parts += [*run, line]
        run = []
    return "".join(parts)


def _code(text: str, every: Sequence[Span], n: int) -> int:
    """Return how many lines from one on are code: indented, after a line that announces it."""
    before = next((m for m in range(n - 1, -1, -1) if every[m].start < every[m].end), None)
    if before is None or not _ANNOUNCES.search(text[slice(*every[before])]):
        return 0
    least = _indent(text, every[before]) + _INDENTED
    taken = ended = filled = 0
    for m in range(n, len(every)):
        shown = text[slice(*every[m])]
        if not shown:
            continue
        if _indent(text, every[m]) < least or _item(shown):
            break
        taken, filled, ended = m + 1 - n, filled + 1, ended + bool(ENDS.search(shown))
    return taken if 2 * ended < filled else 0


def _headed(text: str, every: Sequence[Span], fewest: int) -> set[int]:
    """Return the numbers of lines that head the paragraph right below them.

    One such line may be anything; they are headings where most paragraphs of several lines have
    one, and at least two do.
    """
    runs: list[list[int]] = [[]]
    for n, (start, end) in enumerate(every):
        if start == end:
            runs.append([])
        elif not is_field(text[start:end]):
            runs[-1].append(n)
    several = [run for run in runs if len(run) > 1]
    heads = {run[0] for run in several if _heads(text, every, run[0], fewest)}
    return heads if len(heads) > 1 and 2 * len(heads) > len(several) else set()


def _heads(text: str, every: Sequence[Span], n: int, fewest: int) -> bool:
    """Tell whether a line was ended on purpose without a stop, and a sentence follows it."""
    shown, below = (text[slice(*every[m])] for m in (n, n + 1))
    if not _is_short(shown) or _SENTENCE.search(shown) or _item(shown) or _item(below):
        return False
    if fewest > 0:
        return len(shown) < fewest
    return len(shown) < len(below) and bool(ENDS.search(below))


def _is_rule(shown: str) -> bool:
    return bool(_RULE.fullmatch(shown)) or tables.is_rule(shown)


def _item(shown: str) -> re.Match[str] | None:
    return _BULLET.match(shown) or NUMBER.match(shown)


def _taken(text: str, every: Sequence[Span], n: int, *, runs_on: bool) -> int:
    """Return how many lines go together from one on.

    :param runs_on: Whether a line need not be indented for it.
    """
    taken = 1
    for m in range(n + 1, len(every)):
        shown = text[slice(*every[m])]
        deeper = _indent(text, every[m]) > _indent(text, every[n])
        if not shown or _item(shown) or _is_rule(shown) or not (runs_on or deeper):
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
    full = [
        line
        for line in within
        if line.end - line.start >= _FULL * width and not ENDS.search(text[slice(*line)])
    ]
    # By characters: short lines, of addresses or signatures, stand beside wrapped prose.
    return int(_SHORT * width) if 2 * _length(full) > _length(within) else -1


def _length(some: Sequence[Span]) -> int:
    return sum(end - start for start, end in some)


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


def _is_heading(text: str, every: Sequence[Span], n: int, headed: set[int]) -> bool:
    """Tell whether a line stands alone, reads like a heading and has something to head."""
    if NUMBER.match(text, every[n].start):
        return _is_numbered(text, every, n)
    if not _stands_alone(text, every, n):
        return False
    following = _filled(every, n + 1)
    if following is None:
        return False
    if following in headed:
        return True
    if _stands_alone(text, every, following):  # a title, and a heading under it
        after = _filled(every, following + 1)
        return after is not None and not _stands_alone(text, every, after)
    shown = text[slice(*every[following])]
    longer = len(shown) > every[n].end - every[n].start
    return longer or bool(_item(shown)) or is_field(shown) or "|" in shown or "\t" in shown


def _is_numbered(text: str, every: Sequence[Span], n: int) -> bool:
    """Tell whether a line with a number heads prose, "2) Staff", and is no item among others."""
    following = _filled(every, n + 1)
    if following is None or not _is_short(text[slice(*every[n])]):
        return False
    before = next((m for m in range(n - 1, -1, -1) if every[m].start < every[m].end), None)
    near = [text[slice(*every[m])] for m in (before, following) if m is not None]
    if any(map(_item, near)) or _indent(text, every[following]) > _indent(text, every[n]):
        return False
    return len(near[-1]) > every[n].end - every[n].start


def _is_short(shown: str) -> bool:
    """Tell whether a line may be a heading by its length and marks."""
    return (
        len(shown) <= _HEADING_CHARS
        and len(shown.split()) <= _HEADING_WORDS
        and not (_ENDS_NAME.search(shown) or is_value(shown))
        and any(map(str.isalpha, shown))
    )


def _filled(every: Sequence[Span], n: int) -> int | None:
    """Return the number of the first line from one on that isn't blank."""
    return next((m for m in range(n, len(every)) if every[m].start < every[m].end), None)


def _stands_alone(text: str, every: Sequence[Span], n: int) -> bool:
    shown = text[every[n].start : min(every[n].end, every[n].start + _HEADING_CHARS + 1)]
    alone = (n == 0 or every[n - 1].start == every[n - 1].end) and (
        n + 1 == len(every) or every[n + 1].start == every[n + 1].end
    )
    return alone and _is_short(shown) and not (_item(shown) or _SENTENCE.search(shown))
