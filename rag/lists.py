"""A sentence that announces a list says nothing without the items that follow it.

"There are three reasons:" is followed by what has a bullet or a number, or is counted in words. A
question after "the three reasons" is answered by a list of three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.language import Span, detect, fold, split_sentences
from rag.retrieval import Found

_ANNOUNCES = re.compile(r":\s*$")
# Of folded text.
_ITEM = re.compile(
    r"[•▪◦‣*–—-]\s"
    r"|\(?(?:\d{1,2}|[a-z]|[ابجدهوزحطي])[.)]\s"
    r"|(?:اولا|ثانيا|ثالثا|رابعا|خامسا|سادسا)\b"
    r"|(?:first|second|third|fourth|fifth|sixth)(?:ly)?\b"
)
# Of a folded question; "two" is an ending in Arabic, and not told from other plurals.
_COUNTS = (
    (3, re.compile(r"\b(?:three|(?:ال)?ثلاث[ةه]?)\b")),
    (4, re.compile(r"\b(?:four|(?:ال)?اربع[ةه]?)\b")),
    (5, re.compile(r"\b(?:five|(?:ال)?خمس[ةه]?)\b")),
    (6, re.compile(r"\b(?:six|(?:ال)?ست[ةه]?)\b")),
)
_MOST = 6
_READ_CHARS = 4_000  # on either side of a sentence: six items of a long paragraph each


@dataclass(frozen=True)
class _List:
    """Items that follow one another, each by its first sentence.

    :ivar before: The sentence before the first of them; None at the beginning of a text.
    """

    before: Span | None
    items: tuple[Span, ...]


def with_items(chosen: Sequence[Found], text_of: Callable[[str], str]) -> list[Found]:
    """Return sentences, each that announces a list followed by the list's items.

    :param text_of: The cleaned text of a document, by id.
    """
    found: list[Found] = []
    for sentence in chosen:
        items = _items(sentence, text_of) if _ANNOUNCES.search(sentence.text) else []
        found += [each for each in (sentence, *items) if not _holds(found, each)]
    return found


def asked_for(
    question: str, evidence: Sequence[Found], text_of: Callable[[str], str]
) -> list[Found]:
    """Return the first list of as many items as a question asks for; nothing where there is none.

    :param evidence: Sentences that may stand before or in the list.
    :param text_of: The cleaned text of a document, by id.
    """
    folded = fold(question)
    counts = {count for count, named in _COUNTS if named.search(folded)}
    for sentence in evidence if counts else ():
        here = Span(sentence.start, sentence.end)
        text = text_of(sentence.doc)
        for each in _lists(text, here):
            if len(each.items) in counts and here in (each.before, *each.items):
                spans = list(each.items)
                if each.before and _ANNOUNCES.search(text[slice(*each.before)]):
                    spans.insert(0, each.before)
                return [_at(span, text, sentence) for span in spans]
    return []


def _items(announcement: Found, text_of: Callable[[str], str]) -> list[Found]:
    """Return the items that an announcement is followed by."""
    here, text = Span(announcement.start, announcement.end), text_of(announcement.doc)
    for each in _lists(text, here):
        if each.before == here:
            return [_at(span, text, announcement) for span in each.items[:_MOST]]
    return []


def _lists(text: str, around: Span) -> Iterator[_List]:
    """Yield the lists of a text near a sentence."""
    line = text.rfind("\n", 0, max(0, around.start - _READ_CHARS)) + 1
    begin = max(line, around.start - 2 * _READ_CHARS)
    last, before, items = begin, None, list[Span]()
    for start, end in split_sentences(text[begin : around.end + _READ_CHARS]):
        span = Span(begin + start, begin + end)
        if _ITEM.match(fold(text[span.start : span.end])):
            items.append(span)
        elif not items or "\n" in text[last : span.start]:
            # Else it only goes with the item on its line.
            if items:
                yield _List(before, tuple(items))
            before, items = span, []
        last = span.end
    if items:
        yield _List(before, tuple(items))


def _at(span: Span, text: str, like: Found) -> Found:
    said = text[span.start : span.end]
    return replace(like, start=span.start, end=span.end, text=said, language=detect(said))


def _holds(found: Sequence[Found], sentence: Found) -> bool:
    return any((f.doc, f.start) == (sentence.doc, sentence.start) for f in found)
