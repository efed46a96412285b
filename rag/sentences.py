"""Blocks → ``Unit``s: what is retrieved, read, quoted and cited, with what it stands under.

"The price is $9." says nothing without the heading "Basic plan", a row nothing without its header,
an answer nothing without its question. A unit carries these as its ``lead``, which models read
before it and nobody is shown as an answer: a heading or a question is no unit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rag import markdown, plain
from rag.blocks import Block, Layout, is_question, paired, spoken
from rag.language import Span, fold, split_sentences

# A "sentence" longer than this is text without any full stop: it is cut at commas or spaces, or its
# vector would tell nothing and the LLM would have to read all of it.
SENTENCE_MAX_CHARS = 1_000
_PIECE_CHARS = 400
# Of a heading or a question: what is longer is no name of what follows.
_LEAD_CHARS = 200
_ANNOUNCES = re.compile(r"[:：]\W*$")
# Of folded text: items that a text counts in words.
_COUNTED = re.compile(
    r"\W*(?:(?:اولا|ثانيا|ثالثا|رابعا|خامسا|سادسا)\b"
    r"|(?:first|second|third|fourth|fifth|sixth)(?:ly)?\b)"
)


@dataclass(frozen=True)
class Unit:
    """A sentence, an item, a row, or code with the line that announces it.

    :ivar lead: What it stands under, a line each: headings, a question, what announces its list.
    :ivar said: How it is said, where that isn't its own text on one line; a row's pairs.
    :ivar list: Where the first item of its list begins; -1 for what is no item. A unit before that
        place announces the list, and says nothing without it.
    """

    start: int
    end: int
    lead: str = ""
    said: str = ""
    list: int = -1

    @property
    def opens(self) -> bool:
        """Whether it announces a list."""
        return self.list > self.start


class _Sentence(NamedTuple):
    """A unit to be.

    :ivar block: The number of its block.
    :ivar group: Tells items of one list from those of the next; 0 for what is no item.
    :ivar inside: The group of the item that it goes on with.
    :ivar heading: Whether it is only a heading.
    :ivar level: How deep an item is nested.
    """

    unit: Unit
    block: int
    group: int
    inside: int = 0
    heading: bool = False
    level: int = 0


def shown(text: str, said: str = "") -> str:
    """Return how a unit of this verbatim text is said."""
    return said or " ".join(text.split())


def layout(text: str, *, is_markdown: bool) -> Layout:
    """Return the blocks of a text."""
    return asked(markdown.layout(text) if is_markdown else plain.layout(text))


def asked(found: Layout) -> Layout:
    """Return a layout with the questions and answers among its blocks told."""
    return replace(found, blocks=tuple(paired(found.blocks, found.masked)))


def units(found: Layout, text: str, title: str = "") -> list[list[Unit]]:
    """Return the units of a text, block by block, in their order.

    :param title: Of the document, which is read with every passage and leads nothing by itself.
    """
    blocks: list[list[Unit]] = []
    last = -1
    for sentence in _with_lists(list(_sentences(found, text, title)), found.masked):
        if sentence.block != last:
            blocks.append([])
        blocks[-1].append(sentence.unit)
        last = sentence.block
    return blocks


def headings(found: Layout) -> Iterator[tuple[Block, str]]:
    """Yield the headings of a text and what they say."""
    for block in found.blocks:
        if block.kind == "heading":
            yield block, spoken(found.masked[block.start : block.end])


def _sentences(found: Layout, text: str, title: str) -> Iterator[_Sentence]:
    """Yield the sentences of the blocks with the headings and questions that they stand under."""
    under: list[tuple[int, str]] = []
    title = title if _is_whole(found, title) else ""
    asked, until = "", 0  # a question without a mark is answered by the next block alone
    held: _Sentence | None = None  # code may go with it
    for n, block in enumerate(found.blocks):
        said = spoken(found.masked[block.start : block.end])
        heads = block.kind == "heading" and len(said) <= _LEAD_CHARS and _heads(found.blocks, n)
        if heads:
            under = [(level, line) for level, line in under if level < block.level]
            under.append((block.level, said))
            asked = ""
        elif block.kind == "question":
            asked = spoken(found.masked[block.start + block.mark : block.end])[:_LEAD_CHARS]
            until = len(found.blocks) if block.mark else n + 1
            if held:
                yield held
                held = None
            continue
        elif n > until:
            asked = ""
        lines = [line for _, line in under if line != title]
        if heads:
            lead = "\n".join(lines[: -1 if lines and said != title else None])
        else:
            lead = "\n".join([*lines, *([asked] if asked else [])])
        if block.kind == "code" and held and _goes_with(block, held, found):
            held = held._replace(unit=_with_code(held.unit, block, found.masked))
            continue
        if held:
            yield held
            held = None
        for sentence in _of_block(block, n, found.masked, text, lead, heads=heads):
            if held:
                yield held
            held = sentence
    if held:
        yield held


def _is_whole(found: Layout, title: str) -> bool:
    """Tell whether a title is of the whole text, and not the first heading of several."""
    levels = [(block.level, said == title) for block, said in headings(found)]
    named = next((level for level, is_title in levels if is_title), 0)
    return sum(level <= named for level, _ in levels) <= 1


def _of_block(
    block: Block, n: int, masked: str, text: str, lead: str, *, heads: bool
) -> Iterator[_Sentence]:
    if heads or block.kind in ("row", "code"):
        for start, end in _pieces(text, Span(block.start, block.end)):
            whole = (start, end) == (block.start, block.end)
            said = block.said if whole else _said(masked, text, start, end)
            yield _Sentence(Unit(start, end, lead, said), n, 0, block.group, heads)
        return
    begin = block.start + block.mark
    flow = masked[begin : block.end].replace("\n", " ")
    for number, (question, span) in enumerate(_answering(flow, list(split_sentences(flow)))):
        under = "\n".join(filter(None, (lead, question)))
        # An item that asks and answers is whole: the next one is about something else.
        is_item = block.kind == "item" and not number and not question
        for start, end in _pieces(flow, span):
            place = Span(begin + start, begin + end)
            said = _said(masked, text, *place)
            counted = _COUNTED.match(fold(said[:40] or text[place.start : place.start + 40]))
            group = block.group if is_item else 0
            group = group or (-1 if counted and start == span.start else 0)
            yield _Sentence(Unit(*place, under, said), n, group, block.group, level=block.level)


def _answering(flow: str, spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Yield the sentences of a block, each with the question before it that it answers.

    A question that is answered is no sentence of its own, in a block that begins with one.
    """
    said = [spoken(flow[slice(*span)]) for span in spans[:1]]
    if not any(map(is_question, said)):
        yield from (("", span) for span in spans)
        return
    said += [spoken(flow[slice(*span)]) for span in spans[1:]]
    asks = [is_question(each) and len(each) <= _LEAD_CHARS for each in said]
    question = ""
    for n, span in enumerate(spans):
        if asks[n : n + 2] == [True, False]:
            question = said[n]
        else:
            yield ("" if asks[n] else question), span


def _said(masked: str, text: str, start: int, end: int) -> str:
    """Return how a place is said; "" where that is its own text on one line."""
    said = spoken(masked[start:end])
    return "" if said == shown(text[start:end]) else said


def _heads(blocks: Sequence[Block], n: int) -> bool:
    """Tell whether something stands under a heading; else it is a sentence like others."""
    if n + 1 == len(blocks):
        return False
    return blocks[n + 1].kind != "heading" or blocks[n + 1].level > blocks[n].level


def announces(said: str) -> bool:
    """Tell whether what is said announces what follows it."""
    return bool(_ANNOUNCES.search(said))


def _announces(unit: Unit, masked: str) -> bool:
    return announces(unit.said or spoken(masked[unit.start : unit.end]))


def _goes_with(code: Block, held: _Sentence, found: Layout) -> bool:
    """Tell whether code goes with the sentence before it, as code in between does.

    What a sentence announces is of any length; a few lines belong to one that ends in a full stop.
    """
    before = found.blocks[held.block]
    if held.heading or before.kind in ("row", "code"):
        return False
    if announces(spoken(found.masked[before.start : before.end])):
        return True
    return before.group == code.group and len(code.said) <= _PIECE_CHARS


def _with_code(unit: Unit, code: Block, masked: str) -> Unit:
    said = f"{unit.said or spoken(masked[unit.start : unit.end])}\n{code.said}"
    return replace(unit, end=code.end, said=said)


def _pieces(text: str, span: Span) -> Iterator[Span]:
    """Yield a sentence, an endless one in pieces."""
    start, end = span
    most = _PIECE_CHARS if end - start > SENTENCE_MAX_CHARS else SENTENCE_MAX_CHARS
    while end - start > most:
        limit = start + most
        # Not the comma in 25,000 or the colon in 10:30.
        comma = max(text.rfind(f"{mark} ", start, limit) for mark in "،,؛;:")
        stop = comma + 1 if comma > start else text.rfind(" ", start, limit)
        stop = stop if stop > start else limit
        yield Span(start, start + len(text[start:stop].rstrip()))
        start = stop
        while text[start].isspace():
            start += 1
    yield Span(start, end)


def _with_lists(sentences: Sequence[_Sentence], masked: str) -> list[_Sentence]:
    """Return sentences without headings, those of lists told which they are of.

    What stands within an item's block after its first sentence goes with it.
    """
    found: list[_Sentence] = []
    before: _Sentence | None = None  # that may announce a list
    opening: _Sentence | None = None
    first, group, block = -1, 0, -1
    above: list[_Sentence] = []  # the items that one is nested in
    for sentence in sentences:
        if sentence.group and sentence.group == group:
            above = [item for item in above if item.level < sentence.level]
            sentence = _listed(sentence, first, [opening, *above], masked)
            above.append(sentence)
        elif sentence.group:
            first, group = sentence.unit.start, sentence.group
            opening = _opening(before, first, masked)
            if opening is not None:
                if found and found[-1].block == opening.block:
                    found.pop()
                found.append(opening)
            sentence = _listed(sentence, first, [opening], masked)
            above = [sentence]
        elif sentence.block != block and sentence.inside != group:
            group = 0
        before, block = sentence, sentence.block
        if not sentence.heading:
            found.append(sentence)
    return found


def _opening(before: _Sentence | None, first: int, masked: str) -> _Sentence | None:
    """Return what announces the list whose first item begins at a place; None if nothing does."""
    if before is None or not (before.heading or _announces(before.unit, masked)):
        return None
    unit = before.unit
    said = unit.said or spoken(masked[unit.start : unit.end])
    return before._replace(unit=replace(unit, said=said, list=first), heading=False)


def _listed(
    sentence: _Sentence, first: int, above: Sequence[_Sentence | None], masked: str
) -> _Sentence:
    """Return an item of a list, under what announces it and the items that it is nested in."""
    lead = sentence.unit.lead
    for unit in (each.unit for each in above if each is not None):
        under = unit.lead if unit.opens else lead
        said = unit.said or spoken(masked[unit.start : unit.end])
        lead = "\n".join(filter(None, (under, said)))
    return sentence._replace(unit=replace(sentence.unit, lead=lead, list=first))
