"""Does the answer follow from the evidence? Citations are attached here, never by the model.

Each sentence of the answer is matched with the evidence sentence that carries it; the quote is cut
from the document itself. A marker that the model wrote is text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.config import RetrievalSettings
from rag.embedding import Embedder
from rag.language import fold, split_sentences
from rag.retrieval import Found

# A cosine below this is no support: of the reference answers to the project's own questions, one in
# twenty is further from the sentence that holds it, and half are further from all but some thirty
# of the articles' other sentences.
MIN_SUPPORT = 0.5
# What one number or Latin name, found in both, adds to a cosine: more than two sentences of one
# passage usually differ.
SHARED_TERM_WEIGHT = 0.1

# A share of the words at which a fragment counts as taken from a sentence.
MIN_HELD = 0.75

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LATIN_NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class Citation:
    """A verbatim sentence of a document.

    :ivar marker: The number that stands in brackets in the answer, from 1.
    :ivar quote: Equals ``text[start:end]`` of the document's cleaned text.
    """

    marker: int
    doc: str
    start: int
    end: int
    quote: str


def is_enough(evidence: Sequence[Found], settings: RetrievalSettings) -> bool:
    """Say whether any sentence is near enough to the question to answer it from."""
    return any(found.score >= settings.min_score for found in evidence)


def cite(
    answer: str,
    evidence: Sequence[Found],
    embedder: Embedder,
    text_of: Callable[[str], str],
) -> tuple[str, tuple[Citation, ...]]:
    """Mark each supported sentence of the answer with ``[n]`` and return the citations.

    :param text_of: The cleaned text of a document, by id: every quote is checked against it.
    """
    answer = _MARKER.sub("", answer).strip()
    if not evidence or not answer:
        return answer, ()
    spans = split_sentences(answer)
    vectors = embedder.embed_texts(
        [answer[start:end] for start, end in spans] + [found.text for found in evidence]
    )
    cosines = vectors[: len(spans)] @ vectors[len(spans) :].T
    cited: list[Found] = []
    marked, done = "", 0
    for (start, end), row in zip(spans, cosines, strict=True):
        support = _support(answer[start:end], evidence, [float(x) for x in row])
        marked += answer[done:end]
        done = end
        if support is None or text_of(support.doc)[support.start : support.end] != support.text:
            continue
        if support not in cited:
            cited.append(support)
        marked += f" [{cited.index(support) + 1}]"
    marked += answer[done:]
    citations = (
        Citation(marker, found.doc, found.start, found.end, found.text)
        for marker, found in enumerate(cited, start=1)
    )
    return marked, tuple(citations)


def _support(sentence: str, evidence: Sequence[Found], cosines: Sequence[float]) -> Found | None:
    """Return the evidence sentence that carries ``sentence``, or None when none does.

    A fragment ("في 9 ديسمبر") lies far from the sentence that it is taken from, but its words all
    stand there.
    """
    numbers, names = terms(sentence)
    words = set(_WORD.findall(fold(sentence)))
    best: tuple[float, Found] | None = None
    for found, cosine in zip(evidence, cosines, strict=True):
        found_numbers, found_names = terms(found.text)
        shared = len(numbers & found_numbers) + len(names & found_names)
        held = len(words & set(_WORD.findall(fold(found.text)))) / max(1, len(words))
        if (cosine < MIN_SUPPORT and held < MIN_HELD) or (numbers and not numbers & found_numbers):
            continue
        score = cosine + held + SHARED_TERM_WEIGHT * shared
        if best is None or score > best[0]:
            best = score, found
    return best[1] if best else None


def terms(text: str) -> tuple[set[str], set[str]]:
    """Return the numbers and the Latin names of a text, folded."""
    folded = fold(text)
    return set(_NUMBER.findall(folded)), set(_LATIN_NAME.findall(folded))
