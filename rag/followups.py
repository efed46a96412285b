"""Whether a question leans on what was said before it, or stands alone.

No list of pronouns tells: «من هم المؤسسون؟» has one and stands alone, "the second prize?" has none.
How a question is put tells (see ``wording``), by a logistic regression that learnt it from written
conversations (``eval/training/train_followups.py``).
"""

from __future__ import annotations

from pathlib import Path

from rag.conversation import Asked
from rag.embedding import Embedder
from rag.wording import Linear

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("followups.safetensors")
# Where nothing better is known: a question of so few words has left out what it asks about.
_SHORT = 4


def load(embedder: Embedder) -> Linear:
    """Load what tells follow-ups apart, with one output.

    :param embedder: The one that it was trained with.
    :raises ModelError: When it is another.
    """
    return Linear.load(embedder, BUILT_IN, 1)


def leans(question: str, follows: Linear | None) -> bool:
    """Tell whether a question is to be read with what it follows.

    :param follows: None takes short questions for follow-ups.
    """
    if follows is None:
        return len(question.split()) <= _SHORT
    return bool(follows.logits(question)[0] > 0)


def decided(asked: Asked, follows: Linear | None) -> Asked:
    """Return a question with what it follows, or alone.

    :param asked: With what it follows.
    """
    return asked if asked.context and leans(asked.question, follows) else asked.alone()
