"""Question → passages → evidence sentences; a llama-index ``BaseRetriever``.

A passage is found by its vector; a sentence of it is ranked by the mean of its own cosine with the
question and its passage's, so that a sentence is read in its context.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from rag.config import RetrievalSettings
from rag.embedding import Embedder, Vectors, similarities
from rag.language import Language, Span, detect
from rag.storage import Storage


@dataclass(frozen=True)
class Found:
    """A passage or sentence that bears on a question.

    :ivar start: First character in the document's cleaned text; ``end`` is one past the last.
    :ivar score: Cosine with the question, -1 to 1; comparable within one question only.
    :ivar language: Of the text itself.
    """

    doc: str
    start: int
    end: int
    text: str
    score: float
    language: Language


class Retriever(BaseRetriever):
    """Finds passages in one index, or in some of its documents."""

    def __init__(
        self,
        storage: Storage,
        embedder: Embedder,
        settings: RetrievalSettings,
        docs: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self.storage = storage
        self.embedder = embedder
        self._settings = settings
        self._docs = docs
        self._only = None
        if docs is not None:
            among = MetadataFilter(key="doc", value=sorted(docs), operator=FilterOperator.IN)
            self._only = MetadataFilters(filters=[among])

    def within(self, docs: Collection[str]) -> Retriever:
        """Return a retriever that searches these documents alone, given by their ids."""
        return Retriever(self.storage, self.embedder, self._settings, docs)

    def passages(self, question: str, k: int | None = None) -> list[Found]:
        """Return the ``k`` best passages, best first; ``retrieval.passages`` of them by default."""
        query = self.embedder.embed_query(question)
        return [_found(node) for node in self._nearest(query, k or self._settings.passages)]

    def evidence(self, question: str, context: str = "") -> list[Found]:
        """Return the ``retrieval.evidence_sentences`` best sentences, best first.

        :param context: What was said before a follow-up. The search goes half by the question
            alone and half by both together: a follow-up may name its subject or lean on what it
            follows, and nothing tells which.
        """
        query = self.embedder.embed_query(question)
        if context:
            both = query + self.embedder.embed_query(f"{context}\n{question}")
            query = both / np.linalg.norm(both)
        candidates = [
            sentence
            for node in self._nearest(query, self._settings.passages)
            for sentence in self._sentences(node, query)
        ]
        candidates.sort(key=lambda found: -found.score)
        return candidates[: self._settings.evidence_sentences]

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = self.embedder.embed_query(query_bundle.query_str)
        return self._nearest(query, self._settings.passages)

    def _nearest(self, query: Vectors, k: int) -> list[NodeWithScore]:
        if self._docs is not None and not self._docs:
            return []  # Chroma refuses an empty filter
        result = self.storage.vectors.query(
            VectorStoreQuery(
                query_embedding=[float(x) for x in query], similarity_top_k=k, filters=self._only
            )
        )
        # The store answers exp(-distance), where the distance is 1 - cosine.
        cosines = [1 + math.log(similarity) for similarity in result.similarities or []]
        # Chroma is ahead of SQLite while another process is indexing, and after a kill.
        true = self.storage.passage_ids(result.ids or [])
        return [
            NodeWithScore(node=node, score=cosine)
            for node, cosine in zip(result.nodes or [], cosines, strict=True)
            if node.node_id in true
        ]

    def _sentences(self, node: NodeWithScore, query: Vectors) -> list[Found]:
        """Return the sentences of a passage with their scores, in the passage's order."""
        row = self.storage.db.execute(
            "SELECT doc, text, sentences, vectors FROM passages"
            " JOIN documents ON documents.id = doc WHERE passages.id = ?",
            (node.node.node_id,),
        ).fetchone()
        if row is None:  # Removed since it was found.
            return []
        doc, text, spans, blob = row
        spans = [Span(*span) for span in json.loads(spans)]
        vectors = np.frombuffer(blob, dtype=np.float16).reshape(len(spans), -1)
        own = similarities(query, vectors.astype(np.float32))
        return [
            Found(
                doc=doc,
                start=span.start,
                end=span.end,
                text=text[span.start : span.end],
                score=(score + (node.score or 0.0)) / 2,
                language=detect(text[span.start : span.end]),
            )
            for span, score in zip(spans, own, strict=True)
        ]


def _found(node: NodeWithScore) -> Found:
    metadata = node.node.metadata
    return Found(
        doc=metadata["doc"],
        start=metadata["start"],
        end=metadata["end"],
        text=node.node.get_content(),
        score=node.score or 0.0,
        language=detect(node.node.get_content()),
    )
