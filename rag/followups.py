"""Whether a question leans on what was said before it, or stands alone.

No list of pronouns tells: «من هم المؤسسون؟» has one and stands alone, "the second prize?" has none.
How a question is put tells (see ``wording``), by a logistic regression that learnt it from written
conversations (``eval/train_followups.py``).
"""

from __future__ import annotations

from pathlib import Path

from rag import wording
from rag.conversation import Asked
from rag.embedding import Embedder, Vectors
from rag.errors import ModelError

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("followups.safetensors")
# Where nothing better is known: a question of so few words has left out what it asks about.
_SHORT = 4


class FollowUps:
    """Tells follow-ups from questions that stand alone."""

    def __init__(self, embedder: Embedder, weight: Vectors, bias: float) -> None:
        """Put the parts together.

        :param weight: ``(features,)``, of ``wording.features``.
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
        width = len(embedder.embed_query("")) + wording.PIECES
        found = wording.read(path, {"weight": (width,), "bias": (1,)})
        return cls(embedder, found["weight"], float(found["bias"][0]))

    def leans(self, question: str) -> bool:
        """Tell whether a question is to be read with what it follows."""
        row = wording.features(question, self._embedder.embed_query(question))
        return bool(self._weight @ row + self._bias > 0)


def decided(asked: Asked, follows: FollowUps | None) -> Asked:
    """Return a question with what it follows, or alone.

    :param asked: With what it follows.
    :param follows: None takes short questions for follow-ups.
    """
    if not asked.context:
        return asked
    short = len(asked.question.split()) <= _SHORT
    leans = short if follows is None else follows.leans(asked.question)
    return asked if leans else asked.alone()


def load(embedder: Embedder | None) -> FollowUps | None:
    """Return the built-in ones; None where the embedder isn't the one that they were trained with.

    Without them, short questions are follow-ups.
    """
    try:
        return None if embedder is None else FollowUps.load(embedder)
    except ModelError:
        return None
