"""Of sentences that say alike of several things, the one that a question names.

"A pitch costs 14 euros" stands under "Lake site" and "A pitch costs 11 euros" under "Forest site",
a table has a row for each branch, a report of each year its total. The reader finds them all alike;
which is meant, the question says: by the heading or the title that they stand under, or a row's
cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import lexical
from rag.language import fold, is_function_word

if TYPE_CHECKING:
    from rag.retrieval import Found

_WORD = re.compile(r"\w+")
# Of another's probability: what the reader finds alike has as much at least, and what repeats a
# question's words without an answer next to none.
_AS_LIKELY = 0.1
_FIELD = re.compile(r"(?:^|[;؛] )([^;؛:]+):")


def as_named(sentences: Sequence[Found], headings: Mapping[str, str], question: str) -> list[Found]:
    """Return sentences, where one has given its probability to one that the question names.

    :param headings: Of their documents, by id.
    """
    words = [word for word in _WORD.findall(question) if not is_function_word(word)]
    named = [lexical.held(words, _name(found, headings)) for found in sentences]
    said = [_said(found) for found in sentences]
    scores = [found.score for found in sentences]
    for n, found in enumerate(sentences):
        better = [
            m
            for m, other in enumerate(sentences)
            if named[m] > named[n]
            and other.score >= _AS_LIKELY * found.score
            and _are_alike(said[n], said[m])
        ]
        if better:
            best = max(
                better,
                key=lambda m: (len(named[m]), len(said[n] & said[m]), sentences[m].score),
            )
            scores[best] += found.score
            scores[n] -= found.score
    return [replace(found, score=score) for found, score in zip(sentences, scores, strict=True)]


def _name(found: Found, headings: Mapping[str, str]) -> str:
    """Return what tells of what a sentence says what it says."""
    own = found.shown if _FIELD.search(found.said) else ""
    return "\n".join((headings.get(found.doc, ""), found.lead, own))


def _said(found: Found) -> frozenset[str]:
    """Return the words of a sentence; of a row the names of its columns, which no sentence has."""
    columns = _FIELD.findall(found.said)
    words = _WORD.findall(fold(" ".join(columns) if columns else found.shown))
    return frozenset(f"{word}:" if columns else word for word in words)


def _are_alike(some: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two sentences, or two rows, have most of their words in common."""
    return 2 * len(some & others) > min(len(some), len(others))
