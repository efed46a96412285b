"""Whether a question leans on what was said before it, or stands alone.

No list of pronouns tells: «من هم المؤسسون؟» has one and stands alone, "the second prize?" has none.
A question that lacks something is answered better together with what it follows. So it is searched
for and read both ways, and a logistic regression (``eval/train_followups.py``) weighs how sure the
reader is of either, whether both find the same, how near the question is to the one before, and how
it is put (see ``wording``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag import wording
from rag.conversation import Asked
from rag.embedding import Embedder, Vectors
from rag.errors import ModelError
from rag.retrieval import Found, Retriever

# For multilingual-e5-small with the built-in adapter, and the built-in reader.
BUILT_IN = Path(__file__).with_name("followups.safetensors")
SIGNS = 7
# Where nothing better is known: a question of so few words has left out what it asks about.
_SHORT = 5
_LEAST = 1e-3  # a probability


class FollowUps:
    """Tells follow-ups from questions that stand alone."""

    def __init__(self, embedder: Embedder, weight: Vectors, bias: float) -> None:
        """Put the parts together.

        :param weight: ``(features,)``: of ``signs``, then of ``wording.features``.
        """
        self._embedder = embedder
        self._weight = weight
        self._bias = bias

    @classmethod
    def load(cls, embedder: Embedder, path: Path = BUILT_IN) -> FollowUps:
        """Read a file of weights.

        :param embedder: The one that they were trained with.
        :raises ModelError: When the file can't be read or is one of another embedder.
        """
        width = SIGNS + len(embedder.embed_query("")) + wording.PIECES
        found = wording.read(path, {"weight": (width,), "bias": (1,)})
        return cls(embedder, found["weight"], float(found["bias"][0]))

    def leans(self, asked: Asked, alone: Sequence[Found], together: Sequence[Found]) -> bool:
        """Tell whether a question is to be read with what it follows.

        :param asked: With what it follows.
        :param alone: Evidence for the question by itself, best first.
        :param together: Evidence for it with what it follows.
        """
        vector = self._embedder.embed_query(asked.question)
        previous = self._embedder.embed_query(asked.previous)
        row = features(asked, vector, previous, alone, together)
        return bool(self._weight @ row + self._bias > 0)


def features(
    asked: Asked,
    vector: Vectors,
    previous: Vectors,
    alone: Sequence[Found],
    together: Sequence[Found],
) -> Vectors:
    """Return what the decision is made of, ``(SIGNS + d + wording.PIECES,)``.

    :param vector: Of the question.
    :param previous: Of the question before it.
    """
    by_itself, with_past = _log_odds(alone), _log_odds(together)
    signs = (
        by_itself / 4,
        with_past / 4,
        max(0.0, with_past - by_itself) / 4,
        float(_place(alone) == _place(together)),
        float(_place(alone)[:1] == _place(together)[:1]),
        math.log(1 + len(asked.question.split())),
        float(vector @ previous),
    )
    return np.concatenate([np.array(signs, np.float32), wording.features(asked.question, vector)])


def read(
    asked: Asked, retriever: Retriever, follows: FollowUps | None
) -> tuple[Asked, list[Found]]:
    """Return a question alone or with what it follows, and the evidence for it.

    :param asked: With what it follows.
    :param follows: None takes short questions for follow-ups.
    """
    alone = asked.alone()
    by_itself = retriever.evidence(alone.question)
    if not asked.context:
        return alone, by_itself
    together = retriever.evidence(asked.question, asked.context, read_as=asked.standalone)
    leans = is_short(asked) if follows is None else follows.leans(asked, by_itself, together)
    return (asked, together) if leans else (alone, by_itself)


def is_short(asked: Asked) -> bool:
    """Tell whether a question has so few words that it must lean on something."""
    return len(asked.question.split()) <= _SHORT


def _log_odds(evidence: Sequence[Found]) -> float:
    """Return the log-odds of the best sentence."""
    best = max((found.score for found in evidence), default=0.0)
    best = min(max(best, _LEAST), 1 - _LEAST)
    return math.log(best / (1 - best))


def _place(evidence: Sequence[Found]) -> tuple[str, int] | tuple[()]:
    """Return the document and place of the best sentence; nothing without any."""
    return (evidence[0].doc, evidence[0].start) if evidence else ()


def load(embedder: Embedder | None) -> FollowUps | None:
    """Return the built-in ones; None where the embedder isn't the one that they were trained with.

    Without them, short questions are follow-ups.
    """
    try:
        return None if embedder is None else FollowUps.load(embedder)
    except ModelError:
        return None
