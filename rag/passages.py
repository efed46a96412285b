"""Document → ``Passage``s: whole units, gathered until a passage is full.

``document.text[passage.start:passage.end] == passage.text``, always. What models read of a passage
is another text, ``read_form``: what its units stand under is said once before them, a row is said
with its header, and there is no tashkeel.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from rag.documents import PATH_MARK, Document
from rag.embedding import PassageInput
from rag.language import Span, bare, detect
from rag.sentences import Unit, shown


@dataclass(frozen=True)
class Passage:
    """Some units that stand together in a document.

    :ivar id: Made from the document's id and content and the offsets, so it is stable.
    :ivar start: First character, counted in the document's text.
    :ivar end: One past the last character.
    :ivar units: In order, with offsets in the document's text. What announces a list is among them
        wherever items of the list are, and then may lie before ``start``.
    """

    id: str
    doc: str
    start: int
    end: int
    text: str
    units: tuple[Unit, ...]


def cut(document: Document, max_chars: int) -> list[Passage]:
    """Cut a document into passages of which at most ``max_chars`` are read, or one longer unit.

    A passage also ends with its paragraph once it is half full, so that what belongs together
    stays together.
    """
    groups: list[list[Unit]] = [[]]
    openings: dict[int, Unit] = {}
    length = -1
    for block in document.units:
        for number, unit in enumerate(block):
            if unit.opens:
                openings[unit.list] = unit
                continue
            more = _more(groups[-1], unit, document.text)
            full = length + more > max_chars or (number == 0 and length >= max_chars / 2)
            if groups[-1] and full:
                groups.append([])
                length, more = -1, _more([], unit, document.text)
            opening = openings.get(unit.list)
            if opening is not None and opening not in groups[-1]:
                groups[-1].append(opening)
            groups[-1].append(unit)
            length += more
    return [_passage(document, group) for group in groups if group]


def read_form(heading: str, units: Sequence[Unit], text: str, begin: int) -> PassageInput:
    """Return a passage as embedder and reader read it; the spans are of its units, in order.

    :param heading: See ``documents.heading``; left out where the passage begins with it.
    :param text: Verbatim, from ``begin`` on in the document.
    """
    parts: list[str] = []
    spans: list[Span] = []
    length, led = 0, list[str]()
    for unit in units:
        whole = _said(unit, text, begin)
        said = bare(whole)
        lines = _lines(unit)
        for line in map(bare, _new(lines, led)):
            parts.append(line + "\n")
            length += len(parts[-1])
        spans.append(Span(length, length + len(said)))
        parts.append(said + ("\n" if unit.opens else " "))
        length += len(parts[-1])
        led = [*lines, whole]
    read = "".join(parts).rstrip()
    title = heading.partition(PATH_MARK)[0]
    if read.startswith(bare(title)):
        heading = heading[len(title) :].removeprefix(PATH_MARK)
    return PassageInput(bare(heading), read, tuple(spans), detect(read))


def read_hash(read: PassageInput) -> str:
    """Name a read form: of the same one, an embedder makes the same vectors."""
    said = json.dumps([read.heading, read.text, read.sentences])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def of_document(document: Document, passage: Passage, *, title: bool = True) -> PassageInput:
    """Return the read form of a document's passage.

    :param title: Whether it is read with the document's heading.
    """
    heading = document.heading if title else ""
    return read_form(heading, passage.units, passage.text, passage.start)


def _said(unit: Unit, text: str, begin: int) -> str:
    return unit.said or shown(text[unit.start - begin : unit.end - begin])


def _new(lines: Sequence[str], led: Sequence[str]) -> Sequence[str]:
    """Return the lines of a lead from the first on that isn't among those before it."""
    same = 0
    while same < min(len(lines), len(led)) and lines[same] == led[same]:
        same += 1
    return lines[same:]


def _more(group: Sequence[Unit], unit: Unit, text: str) -> int:
    """Return how many characters more are read with a unit."""
    last = group[-1] if group else None
    led = [*_lines(last), _said(last, text, 0)] if last else []
    return len(_said(unit, text, 0)) + 1 + sum(len(line) + 1 for line in _new(_lines(unit), led))


def _lines(unit: Unit) -> list[str]:
    return unit.lead.split("\n") if unit.lead else []


def _passage(document: Document, units: list[Unit]) -> Passage:
    own = [unit for unit in units if not unit.opens]
    begins = units[0].opens and units[0].list == own[0].start
    start, end = (units if begins else own)[0].start, own[-1].end
    identity = f"{document.id}\0{document.sha256}\0{start}\0{end}"
    return Passage(
        id=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        doc=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        units=tuple(units),
    )
