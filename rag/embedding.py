"""Text → unit vectors: a sentence-transformers model behind llama-index's ``BaseEmbedding``.

The vectors of a passage's sentences come from the passage's own pass through the model: each is the
mean of its tokens' states, so a sentence is read in its context and costs nothing more.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr

from rag import adapter, models
from rag.adapter import Adapter, Role
from rag.config import EmbeddingSettings, Settings
from rag.errors import ModelError
from rag.language import Language, Span, bare, detect

Vectors = npt.NDArray[np.float32]

BUILT_IN_MODEL = "multilingual-e5-small"
# Weights larger than this are recognised by size and both ends: reading half a gigabyte at every
# start would cost more than loading the model.
_HASHED_WHOLE_BYTES = 1_000_000
# Attention on a CPU goes 16 tokens at a time and is slow with what is left over: 112 tokens take it
# two thirds of the time of 111.
TOKENS_AT_ONCE = 16


@dataclass(frozen=True)
class PassageInput:
    """A passage as models read it; ``passages.read_form`` makes it.

    :ivar heading: Read before the text, and not part of it: ``documents.heading``; may be empty.
    :ivar sentences: Spans within ``text``.
    """

    heading: str
    text: str
    sentences: tuple[Span, ...]
    language: Language


@dataclass(frozen=True)
class PassageVectors:
    """Unit vectors of a passage ``(d,)`` and of its sentences ``(sentences, d)``."""

    passage: Vectors
    sentences: Vectors


class Embedder(BaseEmbedding):
    """Embeds questions and passages with the prompts that the model was trained with.

    :ivar fingerprint: Of weights, adapter and prompts; vectors of two fingerprints must never be
        compared.
    """

    fingerprint: str
    query_prompt: str
    passage_prompt: str
    centring: float = 0.0
    _model: Any = None  # SentenceTransformer
    _adapter: Adapter | None = None
    _lock: Any = PrivateAttr(default_factory=threading.RLock)
    _last: tuple[str | None, Any] = PrivateAttr(default=(None, None))  # question and its vector

    @classmethod
    def load(cls, settings: EmbeddingSettings, weights: Path) -> Embedder:
        """Load a sentence-transformers folder, and add the adapter to it.

        :raises ModelError: When either can't be loaded.
        """
        # Takes seconds; a question that can't be answered for another reason shouldn't wait for it.
        from sentence_transformers import SentenceTransformer

        from rag.prepacked import prepack

        try:
            model = SentenceTransformer(
                str(weights),
                device=settings.device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
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
            centring=settings.centring,
        )
        embedder._model = model
        path = adapter_path(settings)
        if path is not None:
            embedder._adapter = adapter.read(path)
            adapter.add_to(embedder.encoder, embedder._adapter, path)
        # Only now: the updates are smaller than what bfloat16 can tell apart.
        model.to(_dtype(settings))
        prepack(model)
        return embedder

    @property
    def encoder(self) -> Any:
        """The transformers model within."""
        return self._model[0].auto_model

    @property
    def tokenizer(self) -> Any:
        """The model's own tokenizer."""
        return self._model.tokenizer

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Reentrant; held while the tokenizer is used, whose way to truncate threads share."""
        lock: AbstractContextManager[Any] = self._lock
        return lock

    def embed_query(self, question: str) -> Vectors:
        """Return one unit vector of shape ``(dimensions,)``, not to be written to.

        The last one is kept: what a message wants, whether it follows another and what is near it
        are all told by the same.
        """
        asked, vector = self._last
        if asked != question:
            vector = self.embed_queries([question])[0]
            self._last = question, vector
        found: Vectors = vector
        return found

    def embed_queries(self, questions: Sequence[str]) -> Vectors:
        """Return unit vectors of shape ``(len(questions), dimensions)``."""
        return self._embed(questions, "query", self.query_prompt)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape ``(len(texts), dimensions)``, as of passages."""
        return self._embed(texts, "passage", self.passage_prompt)

    def _embed(self, texts: Sequence[str], role: Role, prompt: str) -> Vectors:
        vectors = self.encode([prompt + bare(text) for text in texts])
        rows = [
            self._centred(row, role, detect(text)) for row, text in zip(vectors, texts, strict=True)
        ]
        return np.stack(rows) if rows else vectors

    def embed_passages(self, passages: Sequence[PassageInput]) -> list[PassageVectors]:
        """Return the vectors of passages and of their sentences."""
        found: list[PassageVectors | None] = [None] * len(passages)
        order = sorted(range(len(passages)), key=lambda i: len(passages[i].text))
        for start in range(0, len(order), self.embed_batch_size):
            batch = order[start : start + self.embed_batch_size]
            raw = self._pool([passages[i] for i in batch])
            for i, (whole, sentences) in zip(batch, raw, strict=True):
                language = passages[i].language
                found[i] = PassageVectors(
                    self._centred(whole, "passage", language),
                    self._centred(sentences, "passage", language),
                )
        return [vectors for vectors in found if vectors is not None]

    def encode(self, texts: list[str]) -> Vectors:
        """Return unit vectors of texts with their prompts, as the model makes them."""
        with self._lock:
            vectors: Vectors = self._model.encode(
                texts,
                batch_size=self.embed_batch_size,
                normalize_embeddings=True,
                convert_to_tensor=True,
                show_progress_bar=False,
            )
        return vectors.float().cpu().numpy()  # type: ignore[attr-defined, no-any-return]

    def _pool(self, passages: Sequence[PassageInput]) -> Iterator[tuple[Vectors, Vectors]]:
        """Yield the unit vectors of each passage and of its sentences, from one pass."""
        texts = [
            self.passage_prompt + "\n".join(filter(None, (passage.heading, passage.text)))
            for passage in passages
        ]
        if not self._pools_means():
            wholes = self.encode(texts)
            for whole, passage in zip(wholes, passages, strict=True):
                parts = [self.passage_prompt + passage.text[a:z] for a, z in passage.sentences]
                yield whole, self.encode(parts)
            return
        import torch

        inputs = self.tokenizer(
            texts,
            padding=True,
            pad_to_multiple_of=TOKENS_AT_ONCE,
            truncation=True,
            max_length=self._model.max_seq_length,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = inputs.pop("offset_mapping").numpy()
        with torch.inference_mode():
            states = self.encoder(**inputs.to(self._model.device)).last_hidden_state
        mask = inputs["attention_mask"].bool().cpu().numpy()
        for i, passage in enumerate(passages):
            state = states[i].float().cpu().numpy()
            whole = _unit(state[mask[i]].mean(axis=0))
            shift = len(texts[i]) - len(passage.text)
            starts, ends = offsets[i, :, 0] - shift, offsets[i, :, 1] - shift
            rows = []
            for start, end in passage.sentences:
                inside = (starts < end) & (ends > start) & (ends > starts)
                # Beyond what the model reads, a sentence is known by its passage alone.
                rows.append(_unit(state[inside].mean(axis=0)) if inside.any() else whole)
            yield whole, np.stack(rows)

    def _pools_means(self) -> bool:
        """Tell whether the model's vectors are means of token states; others pool otherwise."""
        return (
            self._model is not None
            and len(self._model) > 1
            and getattr(self._model[1], "pooling_mode", None) == "mean"
            and bool(getattr(self.tokenizer, "is_fast", False))
            and not any("Dense" in type(module).__name__ for module in self._model)
        )

    def _centred(self, vectors: Vectors, role: Role, language: Language) -> Vectors:
        if self._adapter is None:
            return vectors
        return self._adapter.centred(vectors, role, language, self.centring)

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(x) for x in self.embed_query(query)]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self.embed_texts(texts).tolist()
        return rows

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def adapter_path(settings: EmbeddingSettings) -> Path | None:
    """Return the adapter that the settings name: ours, one given, or none."""
    if settings.adapter == "auto":
        return adapter.BUILT_IN if settings.model == BUILT_IN_MODEL else None
    return None if settings.adapter == "none" else Path(settings.adapter)


def _dtype(settings: EmbeddingSettings) -> Any:
    """Return the torch type to compute in: bfloat16 where the hardware has it."""
    import torch

    if settings.dtype != "auto":
        return getattr(torch, settings.dtype)
    if settings.device == "cpu":
        fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    else:
        fast = settings.device == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / np.linalg.norm(vector)
    return unit


def weights_fingerprint(weights: Path, settings: EmbeddingSettings) -> str:
    """Return a hexadecimal name for a model folder's files, adapter and prompts, unloaded."""
    digest = hashlib.sha256(f"{settings.query_prompt}\0{settings.passage_prompt}\0".encode())
    if (path := adapter_path(settings)) is not None and path.is_file():
        digest.update(f"{settings.centring}\0".encode() + path.read_bytes())
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


def load_embedder(settings: Settings, **changes: Any) -> Embedder:
    """Load the embedder that the settings name, with some keys of its section changed.

    :raises ModelError: When its weights are missing or can't be loaded.
    """
    section = settings.embedding.model_copy(update=changes)
    weights = models.resolve(section.model, kind="embedder", settings=settings.models)
    return Embedder.load(section, weights)
