"""What a message wants: an answer from the documents, or something else.

A greeting isn't searched for. Which messages are none is learned from written examples
(``eval/training/train_messages.py``): a multinomial logistic regression over what a message looks
like (see ``wording``). In doubt, a message is a question.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rag.embedding import Embedder, Vectors
from rag.wording import Linear

# Greeting; thanks or goodbye; who Rawi is and what it does; which documents there are; which of
# them is about something; what one of them says in short.
Kind = Literal["question", "greeting", "thanks", "about", "documents", "find", "summary"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# For multilingual-e5-small with the built-in adapter.
BUILT_IN = Path(__file__).with_name("messages.safetensors")


def load(embedder: Embedder) -> Linear:
    """Load what tells kinds of messages apart, with an output for each of ``KINDS``.

    :param embedder: The one that it was trained with.
    :raises ModelError: When it is another.
    """
    return Linear.load(embedder, BUILT_IN, len(KINDS))


def kind(message: str, kinds: Linear | None) -> Kind:
    """Return what a message wants.

    :param kinds: None takes every message for a question.
    """
    return "question" if kinds is None else decided(kinds.logits(message))


def decided(logits: Vectors) -> Kind:
    """Return the likeliest kind but ``question``, if all of them together are likelier than that.

    :param logits: Of ``KINDS``, ``(kinds,)``.
    """
    others = float(np.logaddexp.reduce(logits[1:]))
    return KINDS[1 + int(np.argmax(logits[1:]))] if others > logits[0] else "question"
