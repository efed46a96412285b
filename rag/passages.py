"""Document → ``Passage``s: whole sentences, gathered until a passage is full.

``document.text[passage.start:passage.end] == passage.text``, always.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from rag.documents import Document
from rag.language import Span, split_sentences

# A "sentence" longer than this is text without any full stop: it is cut at a comma or a space, or
# the embedder would read only its beginning and the LLM would have to read all of it.
SENTENCE_MAX_CHARS = 1_000


@dataclass(frozen=True)
class Passage:
    """Some sentences that stand together in a document.

    :ivar id: Made from the document's id and content and the offsets, so it is stable.
    :ivar start: First character, counted in the document's text.
    :ivar end: One past the last character.
    :ivar sentences: Spans in the document's text, in order.
    """

    id: str
    doc: str
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]


def cut(document: Document, max_chars: int) -> list[Passage]:
    """Cut a document into passages of at most ``max_chars``, or of one longer sentence.

    A passage also ends with its paragraph once it is half full, so that what belongs together
    stays together and headings go with what they head.
    """
    groups: list[list[Span]] = []
    for span in _sentences(document.text):
        group = groups[-1] if groups else []
        length = span.end - group[0].start if group else 0
        half_full = bool(group) and group[-1].end - group[0].start >= max_chars / 2
        new_paragraph = bool(group) and "\n" in document.text[group[-1].end : span.start]
        if not group or length > max_chars or (half_full and new_paragraph):
            groups.append([span])
        else:
            group.append(span)
    return [_passage(document, group) for group in groups]


def _sentences(text: str) -> Iterator[Span]:
    """Yield the sentences, the endless ones in pieces."""
    for start, end in split_sentences(text):
        while end - start > SENTENCE_MAX_CHARS:
            limit = start + SENTENCE_MAX_CHARS
            # Not the comma in 25,000 or the colon in 10:30.
            comma = max(text.rfind(f"{mark} ", start, limit) for mark in "،,؛;:")
            stop = comma + 1 if comma > start else text.rfind(" ", start, limit)
            stop = stop if stop > start else limit
            yield Span(start, start + len(text[start:stop].rstrip()))
            start = stop
            while text[start].isspace():
                start += 1
        yield Span(start, end)


def _passage(document: Document, sentences: list[Span]) -> Passage:
    start, end = sentences[0].start, sentences[-1].end
    identity = f"{document.id}\0{document.sha256}\0{start}\0{end}"
    return Passage(
        id=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        doc=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        sentences=tuple(sentences),
    )
