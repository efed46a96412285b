"""What a message looks like, as numbers: its vector, and the pieces of its words.

The vector says what a message is about, and hardly how it is put: "summarise the contract" and
"what does the contract cost?" lie close. Pieces of words tell those apart, and what is misspelt, in
dialect or in Latin letters is in pieces still what it was. Each piece is a place in a row of fixed
length, chosen by its hash (Weinberger et al. 2009, arXiv:0902.2206), so that nothing is listed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from rag.embedding import Embedder, Vectors
from rag.errors import ModelError
from rag.language import fold

PIECES = 4096
_SIZES = (2, 3, 4)  # characters of a piece, with the word's ends
_WORD = re.compile(r"\w+|[^\w\s]")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")  # "hiiiii"


def features(message: str, vector: Vectors) -> Vectors:
    """Return the vector ``(d,)`` and the pieces of words as one row ``(d + PIECES,)``.

    :param vector: Of the message, as the embedder gives it; both parts have length 1.
    """
    row = np.zeros(PIECES, dtype=np.float32)
    row[sorted({zlib.crc32(piece.encode()) % PIECES for piece in _pieces(message)})] = 1.0
    return np.concatenate([vector, row / max(1.0, float(np.linalg.norm(row)))])


def _pieces(message: str) -> Iterator[str]:
    """Yield words, their pieces and pairs of neighbours."""
    words = _WORD.findall(_DRAWN_OUT.sub(r"\1\1", fold(message)))
    for word in words:
        whole = f"<{word}>"
        yield whole
        for size in _SIZES:
            yield from (whole[at : at + size] for at in range(len(whole) - size + 1))
    for first, second in zip(["^", *words], [*words, "$"], strict=True):
        yield f"{first} {second}"


class Linear:
    """Gives messages logits: a linear map of ``features``, learned from written examples."""

    def __init__(self, embedder: Embedder, weight: Vectors, bias: Vectors) -> None:
        """Put the parts together.

        :param weight: ``(outputs, d + PIECES)``.
        :param bias: ``(outputs,)``.
        """
        self._embedder = embedder
        self._weight = weight
        self._bias = bias

    @classmethod
    def load(cls, embedder: Embedder, path: Path, outputs: int) -> Linear:
        """Read a file of weights.

        :param embedder: The one that they were trained with.
        :raises ModelError: When the file can't be read or is one of another embedder.
        """
        try:
            tensors = {name: part.astype(np.float32) for name, part in load_file(path).items()}
            weight, bias = tensors["weight"], tensors["bias"]
            if (weight.shape[0], *bias.shape) != (outputs, outputs):
                raise ValueError(f"it has {weight.shape[0]} outputs")
            if weight.shape[1] != len(embedder.embed_query("")) + PIECES:
                raise ValueError("its embedder has other dimensions")
        except (OSError, SafetensorError, LookupError, ValueError) as exc:
            raise ModelError(f"{path}: can't be used with this embedder ({exc})") from exc
        return cls(embedder, weight, bias)

    def logits(self, message: str) -> Vectors:
        """Return the logits of a message, ``(outputs,)``."""
        row = features(message, self._embedder.embed_query(message))
        logits: Vectors = self._weight @ row + self._bias
        return logits
