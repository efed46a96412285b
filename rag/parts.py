"""The questions that a question asks: "When was it begun, and by whom?" asks two.

Sentences that answer one part outrank those that answer another, so each part is searched for by
itself. Nothing is rewritten: a part is a piece of the question as it was asked.
"""

from __future__ import annotations

import re

_ARABIC = (
    "ما|ماذا|من|متى|أين|اين|كم|بكم|كيف|لماذا|هل|أي|أيّ|أيهما|لمن|بماذا|على ماذا|شو|شنو|ليش|علاش|ايه"
    "|إيه|مين|امتى|إمتى|قديش|شحال"
)
_ENGLISH = (
    "who|whom|whose|what|when|where|why|which|how|did|does|do|is|are|was|were"
    "|(?:at|by|for|in|on|to|with) (?:what|whom|which)"
)
_ASKS = re.compile(rf"\b(?:{_ARABIC}|{_ENGLISH})\b", re.IGNORECASE)
# Between two sentences, or before "and" with a word that asks.
_BETWEEN = re.compile(
    rf"[؟?؛;]\s+(?=\S)|[،,]?\s+و(?=(?:{_ARABIC})\b)|,?\s+and\s+(?=(?:{_ENGLISH})\b)", re.IGNORECASE
)
_MIN_WORDS = 3
_MOST = 3


def split(question: str) -> list[str]:
    """Return the parts of a question, at most three; the question alone if it is one.

    A piece that asks nothing or is hardly a question by itself leaves the question whole.
    """
    parts = [part.strip() for part in _BETWEEN.split(question) if part.strip()]
    whole = all(len(part.split()) >= _MIN_WORDS and _ASKS.search(part) for part in parts)
    return parts if whole and len(parts) <= _MOST else [question]
