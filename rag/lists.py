"""A sentence that announces a list says nothing without the items that follow it.

"There are three reasons:" is followed by what has a bullet or a number, or is counted in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rag.language import detect, fold, split_sentences
from rag.retrieval import Found

_ANNOUNCES = re.compile(r":\s*$")
# Of folded text.
_ITEM = re.compile(
    r"[•▪◦‣*–—-]\s"
    r"|\(?(?:\d{1,2}|[a-z]|[ابجدهوزحطي])[.)]\s"
    r"|(?:اولا|ثانيا|ثالثا|رابعا|خامسا|سادسا)\b"
    r"|(?:first|second|third|fourth|fifth|sixth)(?:ly)?\b"
)
_MOST = 6
_READ_CHARS = 4_000  # after the announcement: six items of a long paragraph each


def with_items(chosen: Sequence[Found], text_of: Callable[[str], str]) -> list[Found]:
    """Return sentences, each that announces a list followed by the list's items.

    :param text_of: The cleaned text of a document, by id.
    """
    found: list[Found] = []
    for sentence in chosen:
        items = _items(sentence, text_of) if _ANNOUNCES.search(sentence.text) else ()
        found += [each for each in (sentence, *items) if not _holds(found, each)]
    return found


def _items(announcement: Found, text_of: Callable[[str], str]) -> Iterator[Found]:
    """Yield the items, the first sentence of each."""
    begin, end, yielded = announcement.end, 0, 0
    text = text_of(announcement.doc)[begin : begin + _READ_CHARS]
    for start, stop in split_sentences(text):
        item = text[start:stop]
        if _ITEM.match(fold(item)):
            yield replace(
                announcement,
                start=begin + start,
                end=begin + stop,
                text=item,
                language=detect(item),
            )
            yielded += 1
        elif not yielded or "\n" in text[end:start]:
            return  # the list is over; another sentence of an item's line only goes with it
        if yielded == _MOST:
            return
        end = stop


def _holds(found: Sequence[Found], sentence: Found) -> bool:
    return any((f.doc, f.start) == (sentence.doc, sentence.start) for f in found)
