"""A sentence that is too long for an answer is cut around the clauses that bear on the question.

Its citation stays whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from rag import lexical

# Words of an answer that a citation's marker takes, and what shows that a sentence is cut.
MARKER = _ELLIPSIS = 1
_CLAUSE = re.compile(r"(?<=[،؛,;:])\s")
# Of a window's length: what is asked for follows what names it more often than not.
_AMID = 1 / 3


def fitted(texts: Sequence[str], max_words: int, question: str = "") -> list[str]:
    """Return each text, or as much of it as fits its share of the words, its marker counted."""
    left, said = max_words, dict[int, str]()
    # The shortest first: what they leave of their share is the others'.
    order = sorted(range(len(texts)), key=lambda n: len(texts[n].split()))
    for place, n in enumerate(order):
        said[n] = cut(texts[n], left // (len(order) - place) - MARKER, question)
        left -= len(said[n].split()) + MARKER
    return [said[n] for n in range(len(texts))]


def cut(text: str, max_words: int, question: str = "") -> str:
    """Return a text, or of a long one the clauses that bear on a question.

    Where the question tells nothing, they are the first.

    :param max_words: With what shows that it is cut.
    """
    words = text.split()
    if len(words) <= max_words:
        return text
    begins = [0]
    for clause in _CLAUSE.split(text):
        begins.append(begins[-1] + len(clause.split()))
    asked = set(lexical.grams(question))
    held = [asked & set(lexical.grams(word)) for word in words]
    if any(held):
        start, end = _best(held, begins, max(1, max_words - 2 * _ELLIPSIS))
    else:
        start, end = 0, _end(0, begins, max(1, max_words - _ELLIPSIS))
    before, after = "… " if start else "", " …" if end < len(words) else ""
    return f"{before}{' '.join(words[start:end])}{after}"


def _best(held: Sequence[AbstractSet[str]], begins: Sequence[int], room: int) -> tuple[int, int]:
    """Return which words bear most on the question: from where one begins, up to another.

    They begin with a clause, or amid one that is too long itself.

    :param held: What each word has of the question.
    :param begins: Where clauses begin, and where the last ends.
    """
    common = Counter(gram for grams in held for gram in grams)
    weights = [sum(1 / common[gram] for gram in grams) for grams in held]
    windows = []
    clause = 0
    for n in range(len(held)):
        clause = n if n in begins else clause
        if n == clause or n - clause > room / 2:
            windows.append((n, _end(n, begins, room)))

    def bears(window: tuple[int, int]) -> tuple[float, bool, float]:
        """Return how much of the question words have, rare grams first, and how amid it they do."""
        start, end = window
        whole = sum(1 / common[gram] for gram in set[str]().union(*held[start:end]))
        centre = sum(n * weights[n] for n in range(start, end)) / (sum(weights[start:end]) or 1)
        return whole, start in begins, -abs(centre - start - _AMID * (end - start))

    return max(windows, key=bears)


def _end(start: int, begins: Sequence[int], room: int) -> int:
    """Return where words end: with their last whole clause, unless that says little."""
    whole = max((n for n in begins if n <= start + room), default=start)
    return whole if 2 * (whole - start) >= room else min(start + room, begins[-1])
