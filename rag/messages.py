"""What a message wants: an answer from the documents, or something else.

A greeting isn't searched for. Which messages are none is learned from written examples
(``eval/train_messages.py``): a multinomial logistic regression over what a message looks like (see
``wording``). In doubt, a message is a question.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rag import wording
from rag.embedding import Embedder, Vectors
from rag.errors import ModelError

# Greeting; thanks or goodbye; who Rawi is and what it does; which documents there are; which of
# them is about something; what one of them says in short.
Kind = Literal["question", "greeting", "thanks", "about", "documents", "find", "summary"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("messages.safetensors")


class Messages:
    """Tells kinds of messages apart.

    :ivar threshold: Below this probability of being anything else, a message is a question.
    """

    def __init__(
        self, embedder: Embedder, weight: Vectors, bias: Vectors, threshold: float
    ) -> None:
        """Put the parts together.

        :param weight: ``(kinds, features)``.
        :param bias: ``(kinds,)``.
        """
        self.threshold = threshold
        self._embedder = embedder
        self._weight = weight
        self._bias = bias

    @classmethod
    def load(cls, embedder: Embedder, path: Path = BUILT_IN) -> Messages:
        """Read a file of weights.

        :param embedder: The one that they were trained with.
        :raises ModelError: When the file can't be read or is one of another embedder.
        """
        width = len(embedder.embed_query("")) + wording.PIECES
        shapes = {"weight": (len(KINDS), width), "bias": (len(KINDS),), "threshold": (1,)}
        found = wording.read(path, shapes)
        return cls(embedder, found["weight"], found["bias"], float(found["threshold"][0]))

    def kind(self, message: str) -> Kind:
        """Return what a message wants."""
        return decided(self.probabilities(message), self.threshold)

    def probabilities(self, message: str) -> Vectors:
        """Return the probability of each of ``KINDS``, ``(kinds,)``."""
        row = wording.features(message, self._embedder.embed_query(message))
        logits = self._weight @ row + self._bias
        powers = np.exp(logits - logits.max())
        shares: Vectors = powers / powers.sum()
        return shares


def decided(probabilities: Vectors, threshold: float) -> Kind:
    """Return the likeliest kind but ``question``, if the threshold allows any."""
    if 1.0 - float(probabilities[0]) < threshold:
        return "question"
    return KINDS[1 + int(np.argmax(probabilities[1:]))]


def load(embedder: Embedder | None) -> Messages | None:
    """Return the built-in ones; None where the embedder isn't the one that they were trained with.

    Without them, every message is a question.
    """
    try:
        return None if embedder is None else Messages.load(embedder)
    except ModelError:
        return None
