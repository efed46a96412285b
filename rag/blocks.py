"""What a text is made of, as its author laid it out: headings, paragraphs, items, rows, code.

``plain.py`` and ``markdown.py`` find the blocks of a file, ``sentences.py`` makes units of them.
Offsets count characters of the document's text, always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.language import Span

Kind = Literal["heading", "text", "item", "question", "answer", "row", "code"]

# Stands in ``Layout.masked`` for what isn't said within a word; cleaned text never holds it.
NOTHING = "\0"
_RUN_OF_NOTHING = re.compile(f"{NOTHING}+")
# A question and an answer are told by their marks only where one follows the other.
_QUESTION = re.compile(
    r"(?:س|سؤال|السؤال|q|question)\s?\d{0,3}\s?[:/.)–-]+\s*(?=\S)", re.IGNORECASE
)
_ANSWER = re.compile(
    r"(?:ج|جواب|الجواب|إجابة|الإجابة|a|answer)\s?\d{0,3}\s?[:/.)–-]+\s*(?=\S)", re.IGNORECASE
)
_QUESTION_CHARS = 200
_ASKS = re.compile(r"[?؟][\"'”’»)\]]*$")
_SAYS = re.compile(r"[.!?؟؛…]\s")
# "Phone: 055 …": a short name, and what it has.
_FIELD = re.compile(r"[^\W\d_][^\n:.!?؟]{0,40}:\s+\S")
_FIELD_WORDS = 4
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Block:
    """A piece of a text that is one in its author's eyes.

    :ivar level: Of a heading, from 1; how deep an item or what goes on with it is nested, from 1.
    :ivar mark: Characters at the start that only say what the block is, such as "Q:".
    :ivar said: How it is said, where that isn't its text on one line.
    :ivar group: Tells the items of one list from those of the next.
    """

    kind: Kind
    start: int
    end: int
    level: int = 0
    mark: int = 0
    said: str = ""
    group: int = 0


@dataclass(frozen=True)
class Layout:
    """The blocks of a text.

    :ivar masked: The text with what is not said blanked out, as long as the text itself.
    :ivar title: What the file itself gives as its title; may be empty.
    """

    blocks: tuple[Block, ...]
    masked: str
    title: str = ""


def spoken(masked: str) -> str:
    """Return a piece of masked text as it is said: on one line."""
    return " ".join(_RUN_OF_NOTHING.sub("", masked).split())


def lines(text: str, start: int = 0) -> Iterator[Span]:
    """Yield the lines of a text without the space around them; blank ones are empty spans."""
    while start < len(text):
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        yield stripped(text, start, stop)
        start = stop + 1


def stripped(text: str, start: int, end: int) -> Span:
    """Return a span without the space around what it holds."""
    said = text[start:end]
    left = len(said) - len(said.lstrip())
    return Span(start + left, start + max(left, len(said.rstrip())))


def is_field(line: str) -> bool:
    """Tell whether a line says what something has: "Phone: 055 1234"."""
    return bool(_FIELD.match(line)) and len(line.partition(":")[0].split()) <= _FIELD_WORDS


def is_value(line: str) -> bool:
    """Tell whether a line is a field of few words or with figures: no title, as "A: b c d e" is."""
    return is_field(line) and (len(line.split()) <= _FIELD_WORDS or bool(_DIGIT.search(line)))


def paragraph(masked: str, inside: Sequence[Span], like: Block, fewest: int = 0) -> list[Block]:
    """Return the blocks of a paragraph's lines: one, where they run on.

    :param inside: Its lines, none of them blank.
    :param like: A block of the kind that they are.
    :param fewest: A line shorter than that was ended on purpose; -1 when each line was.
    """
    said = [spoken(masked[slice(*line)]) for line in inside]
    fields = sum(map(is_field, said))
    parted = fewest < 0 or (fields > 1 and 2 * fields >= len(said))
    found: list[Block] = []
    for n, (line, text) in enumerate(zip(inside, said, strict=True)):
        begins = _QUESTION.match(text) or _ANSWER.match(text)
        if found and not (parted or begins or len(said[n - 1]) < fewest):
            found[-1] = replace(found[-1], end=line.end)
        else:
            kind = like.kind if not found else "text"
            found.append(Block(kind, line.start, line.end, like.level, group=like.group))
    return found


def paired(blocks: Sequence[Block], masked: str) -> list[Block]:
    """Return blocks with the questions and answers among them told, by their marks or place."""
    found: list[Block] = []
    for n, block in enumerate(blocks):
        following = blocks[n + 1] if n + 1 < len(blocks) else None
        if _marked(block, masked, _QUESTION) and following and _marked(following, masked, _ANSWER):
            found.append(_as(block, "question", _marked(block, masked, _QUESTION)))
        elif found and found[-1].kind == "question" and _marked(block, masked, _ANSWER):
            found.append(_as(block, "answer", _marked(block, masked, _ANSWER)))
        elif following and following.kind == "text" and _is_asked(blocks, n, masked):
            found.append(_as(block, "question", 0))
        else:
            found.append(block)
    return found


def _is_asked(blocks: Sequence[Block], n: int, masked: str) -> bool:
    """Tell whether what follows a block answers it; a list of questions is a list."""
    near = [blocks[n + 1], *([blocks[n - 1]] if n and blocks[n].kind == "item" else [])]
    return _asks(blocks[n], masked) and not any(_asks(block, masked) for block in near)


def _asks(block: Block, masked: str) -> bool:
    """Tell whether a block is one question and nothing else."""
    goes_on = block.kind == "text" and block.level  # with an item
    if block.kind not in ("text", "item") or goes_on or block.end - block.start > _QUESTION_CHARS:
        return False
    return is_question(spoken(masked[block.start : block.end]))


def is_question(said: str) -> bool:
    """Tell whether what is said is one question and nothing else."""
    return bool(_ASKS.search(said)) and not _SAYS.search(said)


def _marked(block: Block, masked: str, mark: re.Pattern[str]) -> int:
    """Return how many characters of a mark a block begins with; 0 for none."""
    if block.kind not in ("text", "item", "heading"):
        return 0
    said = masked[block.start : block.end]
    blank = len(said) - len(said.lstrip(f"{NOTHING} "))
    found = mark.match(said, blank)
    return found.end() if found else 0


def _as(block: Block, kind: Kind, mark: int) -> Block:
    return Block(kind, block.start, block.end, 0, mark)
