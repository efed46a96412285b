"""Question → passages → evidence sentences; a llama-index ``BaseRetriever``.

A passage is found by its vector or by its words, and ranked by both::

    same language as the question     cosine + words · (BM25 - the best two's mean)
    the other language                cosine + words_across · BM25 + names_across · BM25 of names

Words say which of two passages in one language is nearer, but nothing about a passage in the other
that says the same: so BM25 only lowers the passages that hold fewer of the question's words than
the best do, and a right passage in the other language isn't outranked for want of them.

A sentence is ranked by its own cosine, its passage's score and its share of the question's words.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from rag import lexical
from rag.config import RetrievalSettings
from rag.embedding import Embedder, PassageInput, Vectors
from rag.errors import IndexStorageError
from rag.language import Language, Span, detect
from rag.lexical import LexicalQuery
from rag.reader import Reader
from rag.reranking import Reranker
from rag.storage import Storage, translated

# Passages that each ranking brings to the fusion: the right one is hardly ever further down.
_CANDIDATES = 50
# A sentence's own part in its score; the rest is its passage's.
_OWN = 0.7


@dataclass(frozen=True)
class Found:
    """A passage or sentence that bears on a question.

    :ivar start: First character in the document's cleaned text; ``end`` is one past the last.
    :ivar score: Higher is nearer; comparable within one question only.
    :ivar language: Of the text itself.
    """

    doc: str
    start: int
    end: int
    text: str
    score: float
    language: Language


@dataclass(frozen=True)
class _Query:
    """A question, as each ranking wants it."""

    question: str
    language: Language
    vector: Vectors
    words: LexicalQuery


@dataclass(frozen=True)
class _Passage:
    """A passage of the index.

    :ivar vectors: Unit vectors: of the passage, then of each sentence.
    """

    id: str
    doc: str
    span: Span
    language: Language
    sentences: tuple[Span, ...]
    vectors: Vectors


@dataclass(frozen=True)
class _Ranked:
    """A passage with its text and its score."""

    passage: _Passage
    title: str
    text: str
    score: float


class Retriever(BaseRetriever):
    """Finds passages in one index, or in some of its documents."""

    def __init__(
        self,
        storage: Storage,
        embedder: Embedder,
        settings: RetrievalSettings,
        docs: Collection[str] | None = None,
        reranker: Reranker | None = None,
        reader: Reader | None = None,
    ) -> None:
        super().__init__()
        self._reader = reader
        self._reranker = reranker
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
        return Retriever(
            self.storage, self.embedder, self._settings, docs, self._reranker, self._reader
        )

    def passages(self, question: str, k: int | None = None, *, context: str = "") -> list[Found]:
        """Return the ``k`` best passages, best first; ``retrieval.passages`` of them by default.

        :param context: As of ``evidence``.
        """
        with self._searching():
            best = self._ranked(self._query(question, context), k or self._settings.passages)
        return [
            Found(
                doc=ranked.passage.doc,
                start=ranked.passage.span.start,
                end=ranked.passage.span.end,
                text=ranked.text,
                score=ranked.score,
                language=ranked.passage.language,
            )
            for ranked in best
        ]

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        """Return the ``retrieval.evidence_sentences`` best sentences, best first.

        With a reader, a sentence's score is the probability that it answers, and what they leave of
        1 the probability that nothing in the documents does.

        :param context: What was said before a follow-up. The search goes half by the question
            alone and half by both together: a follow-up may name its subject or lean on what it
            follows, and nothing tells which.
        :param read_as: What the reader is asked; the question by default.
        """
        with self._searching():
            query = self._query(question, context)
            ranked = self._ranked(query, self._settings.passages)
            found = [self._sentences(passage, query) for passage in ranked]
            if self._reader is not None:
                found = self._read_by(self._reader, read_as or question, ranked, found)
        candidates = [sentence for sentences in found for sentence in sentences]
        candidates.sort(key=lambda sentence: -sentence.score)
        return candidates[: self._settings.evidence_sentences]

    def titles(self) -> dict[str, str]:
        """Return the titles of the documents that are searched, by their ids, in their order."""
        with translated(self.storage.folder):
            rows = self.storage.db.execute("SELECT id, title FROM documents ORDER BY id").fetchall()
        return {doc: title for doc, title in rows if self._docs is None or doc in self._docs}

    def sentences(self, doc: str) -> tuple[list[Found], Vectors]:
        """Return all sentences of a document in order, and their unit vectors, one a row."""
        with self._searching():
            numbers = self.storage.db.execute(
                "SELECT number, length(vectors), json_array_length(sentences) FROM passages"
                " WHERE doc = ?",
                (doc,),
            ).fetchall()
            widths = {size // (2 * (1 + held)) for _, size, held in numbers}
            read = self._read((), [number for number, _, _ in numbers], max(widths, default=1))
        text = self.storage.text(doc)
        found, rows = list[Found](), list[Vectors]()
        for passage in sorted(read.values(), key=lambda passage: passage.span):
            for span, vector in zip(passage.sentences, passage.vectors[1:], strict=True):
                said = text[span.start : span.end]
                found.append(Found(doc, *span, said, 0.0, detect(said)))
                rows.append(vector)
        return found, np.stack(rows) if rows else np.zeros((0, 1), np.float32)

    @staticmethod
    def _read_by(
        reader: Reader,
        question: str,
        ranked: Sequence[_Ranked],
        found: Sequence[Sequence[Found]],
    ) -> list[list[Found]]:
        """Return the sentences with the probabilities that they answer as their scores."""
        passages = [
            PassageInput(
                passage.title,
                passage.text,
                tuple(
                    Span(s.start - passage.passage.span.start, s.end - passage.passage.span.start)
                    for s in sentences
                ),
                passage.passage.language,
            )
            for passage, sentences in zip(ranked, found, strict=True)
        ]
        scores = [[sentence.score for sentence in sentences] for sentences in found]
        probabilities = reader.probabilities(question, passages, scores)
        return [
            [replace(sentence, score=p) for sentence, p in zip(sentences, row, strict=True)]
            for sentences, row in zip(found, probabilities, strict=True)
        ]

    @contextmanager
    def _searching(self) -> Iterator[None]:
        """Have embedder and index to oneself.

        :raises IndexStorageError: When the index can't be read.
        """
        with self.embedder.lock, translated(self.storage.folder):
            yield

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with self._searching():
            found = self._ranked(self._query(query_bundle.query_str), self._settings.passages)
        return [
            NodeWithScore(
                node=TextNode(
                    id_=ranked.passage.id,
                    text=ranked.text,
                    metadata={
                        "doc": ranked.passage.doc,
                        "title": ranked.title,
                        "start": ranked.passage.span.start,
                        "end": ranked.passage.span.end,
                        "language": ranked.passage.language,
                    },
                ),
                score=ranked.score,
            )
            for ranked in found
        ]

    def _query(self, question: str, context: str = "") -> _Query:
        vector = self.embedder.embed_query(question)
        if context:
            both = vector + self.embedder.embed_query(f"{context}\n{question}")
            vector = both / np.linalg.norm(both)
        words = lexical.prepare(self.storage.db, question)
        return _Query(question, detect(question), vector, words)

    def _ranked(self, query: _Query, k: int) -> list[_Ranked]:
        """Return the ``k`` best passages by vectors and words, best first."""
        wanted = max(k, _CANDIDATES)
        words = self._search(query, "grams", wanted)
        names = self._search(query, "names", wanted)
        near = self._nearest(query.vector, wanted)
        passages = self._read(near, words.keys() | names.keys(), len(query.vector))
        same = [
            words[n] for n, p in passages.items() if p.language == query.language and n in words
        ]
        best_two = sorted(same)[-2:]
        reference = sum(best_two) / len(best_two) if best_two else 0.0
        # What a full list doesn't hold may score as much as its last.
        unlisted = min(words.values()) if len(words) == wanted else 0.0
        settings = self._settings
        scored = []
        for number, passage in passages.items():
            score = float(passage.vectors[0] @ query.vector)
            if passage.language == query.language:
                score += settings.words * (words.get(number, unlisted) - reference)
            else:
                score += settings.words_across * words.get(number, 0.0)
                score += settings.names_across * names.get(number, 0.0)
            scored.append((score, passage))
        scored.sort(key=lambda pair: (-pair[0], pair[1].id))
        ranked = [self._with_text(passage, score) for score, passage in scored[:k]]
        if self._reranker is None:
            return ranked
        order = self._reranker.order(query.question, [r.text for r in ranked])
        # The scores stay where they are: thresholds know this scale and no cross-encoder's.
        return [replace(ranked[i], score=r.score) for i, r in zip(order, ranked, strict=True)]

    def _search(self, query: _Query, table: lexical.Table, limit: int) -> Mapping[int, float]:
        return lexical.search(self.storage.db, query.words, table, limit, self._docs)

    def _nearest(self, query: Vectors, k: int) -> list[str]:
        """Return the ids of the passages with the nearest vectors."""
        if self._docs is not None and not self._docs:
            return []  # Chroma refuses an empty filter
        result = self.storage.vectors.query(
            VectorStoreQuery(
                query_embedding=[float(x) for x in query], similarity_top_k=k, filters=self._only
            )
        )
        return result.ids or []

    def _read(
        self, ids: Collection[str], numbers: Collection[int], width: int
    ) -> dict[int, _Passage]:
        """Read passages by id or number; those that the index doesn't hold are left out.

        Chroma is ahead of SQLite while another process is indexing, and after a kill.

        :param width: Dimensions of a vector.
        """
        rows = self.storage.db.execute(
            'SELECT number, id, doc, start, "end", language, sentences, vectors FROM passages'
            " WHERE id IN (SELECT value FROM json_each(?))"
            " OR number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)), json.dumps(list(numbers))),
        )
        passages = {}
        for number, id_, doc, start, end, language, spans, blob in rows:
            try:
                sentences = tuple(Span(*span) for span in json.loads(spans))
                vectors = np.frombuffer(blob, dtype=np.float16).reshape(1 + len(sentences), width)
            except (TypeError, ValueError) as exc:
                raise IndexStorageError(
                    f"{self.storage.folder}: a passage of {doc} is damaged; run: rawi index"
                ) from exc
            passages[number] = _Passage(
                id_, doc, Span(start, end), language, sentences, vectors.astype(np.float32)
            )
        return passages

    def _with_text(self, passage: _Passage, score: float) -> _Ranked:
        start, end = passage.span
        row = self.storage.db.execute(
            "SELECT title, substr(text, ?, ?) FROM documents WHERE id = ?",
            (start + 1, end - start, passage.doc),
        ).fetchone()
        title, text = row or ("", "")  # removed since it was found
        return _Ranked(passage, title, text, score)

    def _sentences(self, ranked: _Ranked, query: _Query) -> list[Found]:
        """Return the sentences of a passage with their scores, in the passage's order."""
        found = []
        begin = ranked.passage.span.start
        cosines = ranked.passage.vectors[1:] @ query.vector
        for span, cosine in zip(ranked.passage.sentences, cosines, strict=True):
            text = ranked.text[span.start - begin : span.end - begin]
            if not text:
                continue
            language = detect(text)
            table: lexical.Table = "grams" if language == query.language else "names"
            words = self._settings.sentence_words * query.words.share(text, table)
            score = _OWN * float(cosine) + (1 - _OWN) * ranked.score + words
            found.append(Found(ranked.passage.doc, *span, text, score, language))
        return found
