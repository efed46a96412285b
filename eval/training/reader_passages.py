"""Passages as the reader sees them, with sentences put in and taken out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from rag.embedding import PassageInput
from rag.language import Language, Span


def joined(heading: str, sentences: Sequence[str], language: Language) -> PassageInput:
    """Return a passage of these sentences."""
    return _of(PassageInput(heading, "", (), language), [(" ", said) for said in sentences])


def without(passage: PassageInput, places: Collection[int]) -> PassageInput:
    """Return a passage without some of its sentences, but with what they stand under."""
    parts = enumerate(_parts(passage))
    return _of(passage, [(before, "" if n in places else said) for n, (before, said) in parts])


def with_sentences(passage: PassageInput, place: int, added: Sequence[str]) -> PassageInput:
    """Return a passage with more sentences before one of its own, or at its end."""
    before = [text for text, _ in _parts(passage)]
    said = [text for _, text in _parts(passage)]
    said[place:place] = added
    before[place + 1 : place + 1] = [" "] * len(added)  # they stand under what it stood under
    return _of(passage, list(zip(before, said, strict=True)))


def _parts(passage: PassageInput) -> list[tuple[str, str]]:
    """Return the sentences, each after what stands between it and the one before."""
    ends = [0, *(end for _, end in passage.sentences)]
    spans = zip(ends, passage.sentences, strict=False)
    return [(passage.text[end:a], passage.text[a:z]) for end, (a, z) in spans]


def _of(passage: PassageInput, parts: Sequence[tuple[str, str]]) -> PassageInput:
    """Return a passage with these parts in place of its own; what is empty is no sentence."""
    text, spans = "", list[Span]()
    for before, said in parts:
        text += before if text else before.lstrip()
        if said:
            spans.append(Span(len(text), len(text) + len(said)))
            text += said
    return replace(passage, text=text.rstrip(), sentences=tuple(spans))
