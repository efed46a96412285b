"""Passages as the reader sees them, with sentences put in and taken out."""

from __future__ import annotations

from collections.abc import Sequence

from rag.embedding import PassageInput
from rag.language import Language, Span


def joined(heading: str, sentences: Sequence[str], language: Language) -> PassageInput:
    """Return a passage of these sentences."""
    spans, start = [], 0
    for sentence in sentences:
        spans.append(Span(start, start + len(sentence)))
        start += len(sentence) + 1
    return PassageInput(heading, " ".join(sentences), tuple(spans), language)


def without(passage: PassageInput, places: Sequence[int]) -> PassageInput:
    """Return a passage without some of its sentences."""
    for place in sorted(places, reverse=True):
        passage = _spliced(passage, place, place + 1, *passage.sentences[place], ())
    return passage


def with_sentences(passage: PassageInput, place: int, added: Sequence[str]) -> PassageInput:
    """Return a passage with more sentences before one of its own, or at its end."""
    ends = place == len(passage.sentences)
    at = len(passage.text) if ends else passage.sentences[place].start
    texts = [f" {text}" if ends else f"{text} " for text in added]
    return _spliced(passage, place, place, at, at, texts)


def _spliced(
    passage: PassageInput, first: int, last: int, start: int, end: int, texts: Sequence[str]
) -> PassageInput:
    """Return a passage with texts, each a sentence, in place of some sentences and characters."""
    spans, at = list[Span](), start
    for text in texts:
        left = len(text) - len(text.lstrip())
        spans.append(Span(at + left, at + len(text.rstrip())))
        at += len(text)
    shift = at - end
    after = [Span(a + shift, z + shift) for a, z in passage.sentences[last:]]
    whole = passage.text[:start] + "".join(texts) + passage.text[end:]
    sentences = (*passage.sentences[:first], *spans, *after)
    return PassageInput(passage.heading, whole, sentences, passage.language)
