"""The sentences that tell most of a document: a summary that invents nothing.

A sentence tells much when the others are near it (LexRank without its walk: Erkan & Radev 2004,
arXiv:1109.2128), and somewhat more when it stands near the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.embedding import Vectors
from rag.language import fold
from rag.retrieval import Found

_MOST = 4
# What the first sentence gains over one far from the beginning, in cosines.
_FIRST = 0.1
_FEWEST_WORDS = 4  # fewer are a heading, a signature or a page number


def gist(
    sentences: Sequence[Found], vectors: Vectors, title: str, most: int = _MOST
) -> list[Found]:
    """Return the most telling sentences of a document, in its order.

    :param sentences: All of it, in order.
    :param vectors: Unit vectors of theirs, ``(sentences, d)``.
    :param title: Left out, as are repetitions and what is too short to tell.
    """
    if not sentences:
        return []
    central = vectors @ vectors.mean(axis=0)
    places = np.arange(len(sentences))
    scores = central + _FIRST / (1 + places)
    order = sorted(_telling(sentences, title), key=lambda n: -scores[n])
    return [sentences[n] for n in sorted(order[:most])]


def opening(sentences: Sequence[Found], title: str) -> Found | None:
    """Return the first sentence that isn't the title; that, where nothing else is there."""
    kept = _telling(sentences, title)
    return sentences[kept[0]] if kept else next(iter(sentences), None)


def _telling(sentences: Sequence[Found], title: str) -> list[int]:
    """Return the places of the sentences that may stand in a summary; of all, if none may."""
    seen, kept = {fold(title).strip()}, list[int]()
    for place, found in enumerate(sentences):
        said = fold(found.shown).strip(" #*-")
        if said in seen:
            continue
        seen.add(said)
        if len(said.split()) >= _FEWEST_WORDS:
            kept.append(place)
    return kept or list(range(len(sentences)))
