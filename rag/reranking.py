"""Optional: a cross-encoder reads each passage together with the question and reorders them.

Better than any pair of vectors, and far slower: one pass of a model for every passage of every
question. Off by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag import models
from rag.config import Settings
from rag.errors import ModelError


class Reranker:
    """A sentence-transformers cross-encoder."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def order(self, question: str, texts: Sequence[str]) -> list[int]:
        """Return the texts' indices, the one that answers the question best first."""
        scores = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        return sorted(range(len(texts)), key=lambda i: -float(scores[i]))


def load(settings: Settings) -> Reranker | None:
    """Load the reranker that ``retrieval.reranker`` names; None when it names none.

    :raises ModelError: When it isn't there or can't be loaded.
    """
    reference = settings.retrieval.reranker
    if reference is None:
        return None
    folder: Path = models.resolve(reference, kind="reranker", settings=settings.models)
    # Takes seconds, and hardly anyone has one.
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(
            str(folder),
            num_labels=1,
            device=settings.embedding.device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, RuntimeError, KeyError) as exc:
        raise ModelError(f"retrieval.reranker = {folder}: can't be loaded ({exc})") from exc
    return Reranker(model)
