"""Text → unit vectors: a sentence-transformers model behind llama-index's ``BaseEmbedding``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.config import EmbeddingSettings
from rag.errors import ModelError

Vectors = npt.NDArray[np.float32]

# Weights larger than this are recognised by size and both ends: reading half a gigabyte at every
# start would cost more than loading the model.
_HASHED_WHOLE_BYTES = 1_000_000


class Embedder(BaseEmbedding):
    """Embeds questions and passages with the prompts that the model was trained with.

    :ivar fingerprint: Of weights and prompts; vectors of two fingerprints must never be compared.
    """

    fingerprint: str
    query_prompt: str
    passage_prompt: str
    _model: Any  # SentenceTransformer

    @classmethod
    def load(cls, settings: EmbeddingSettings, weights: Path) -> Embedder:
        """Load a sentence-transformers folder.

        :raises ModelError: When it can't be loaded.
        """
        # Takes seconds; a question that can't be answered for another reason shouldn't wait for it.
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(
                str(weights),
                device=settings.device,
                trust_remote_code=False,
                local_files_only=True,
            )
        except (OSError, ValueError, RuntimeError, KeyError) as exc:
            raise ModelError(
                f"embedding.model = {weights}: can't be loaded ({exc}); run: rawi models verify"
            ) from exc
        embedder = cls(
            model_name=str(weights),
            embed_batch_size=settings.batch_size,
            fingerprint=weights_fingerprint(weights, settings),
            query_prompt=settings.query_prompt,
            passage_prompt=settings.passage_prompt,
        )
        embedder._model = model
        return embedder

    def embed_query(self, question: str) -> Vectors:
        """Return one unit vector of shape ``(dimensions,)``."""
        vector: Vectors = self._encode([self.query_prompt + question])[0]
        return vector

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape ``(len(texts), dimensions)``."""
        return self._encode([self.passage_prompt + text for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        vectors: Vectors = self._model.encode(
            texts,
            batch_size=self.embed_batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return vectors

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(x) for x in self.embed_query(query)]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self.embed_passages(texts).tolist()
        return rows

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def weights_fingerprint(weights: Path, settings: EmbeddingSettings) -> str:
    """Return a hexadecimal name for the files of a model folder and the prompts, unloaded."""
    digest = hashlib.sha256(f"{settings.query_prompt}\0{settings.passage_prompt}\0".encode())
    for path in sorted(p for p in weights.rglob("*") if p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(weights).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= _HASHED_WHOLE_BYTES:
                digest.update(file.read())
            else:
                digest.update(file.read(_HASHED_WHOLE_BYTES // 2))
                file.seek(-_HASHED_WHOLE_BYTES // 2, 2)
                digest.update(file.read())
    return digest.hexdigest()


def similarities(query: Vectors, vectors: Vectors) -> list[float]:
    """Return the cosine of a unit vector ``(d,)`` with each row of unit vectors ``(n, d)``."""
    products: Any = vectors @ query
    return [float(x) for x in products]
