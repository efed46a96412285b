"""Question → passages → evidence sentences; a llama-index ``BaseRetriever``.

A passage is found by its vector or by its words, and ranked by both::

    same language as the question     nearness + words · (BM25 / the best two's mean - 1)
    the other language                nearness + words_across · BM25 + names_across · BM25 of names

It is as near as its nearest sentence, for the most part. Words say which of two passages in one
language is nearer, but nothing about a passage in the other that says the same: so BM25 only lowers
the passages that hold fewer of the question's words than the best do, and a right passage in the
other language isn't outranked for want of them. Nor is one in the same language that says it in
other words: it is lowered by no more than ``words``.

A sentence is ranked by its own cosine, its passage's score and its share of the question's words.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from rag import documents, lexical, naming, passages
from rag.config import RetrievalSettings
from rag.embedding import Embedder, PassageInput, Vectors
from rag.errors import IndexStorageError
from rag.language import Language, Span, detect, wording
from rag.lexical import LexicalQuery
from rag.reader import Reader
from rag.reranking import Reranker
from rag.sentences import Unit, shown
from rag.storage import Storage, read_units, translated

# Fields of a sentence that serve Rawi alone.
_INNER = ("lead", "said", "list", "words")
# Passages that each ranking brings to the fusion: the right one is hardly ever further down.
_CANDIDATES = 50
# The nearest sentence's part in a passage's score; the rest is the passage's own cosine.
_NEAREST = 0.7
# A sentence's own part in its score; the rest is its passage's.
_OWN = 0.7
# Passages that a follow-up has read of the document that it goes on about, beside the others.
_GONE_ON_ABOUT = 3


@dataclass(frozen=True)
class Found:
    """A passage or sentence that bears on a question.

    :ivar start: First character in the document's cleaned text; ``end`` is one past the last.
    :ivar score: Higher is nearer; comparable within one question only.
    :ivar language: Of the text itself.
    :ivar lead: What a sentence stands under, a line each; read with it, never quoted.
    :ivar said: How it is said, where that isn't its text on one line; see ``sentences.Unit``.
    :ivar list: Where the first item of its list begins; -1 for what is no item.
    :ivar words: Of it, those that say the answer, where the LLM has told; else empty.
    """

    doc: str
    start: int
    end: int
    text: str
    score: float
    language: Language
    lead: str = ""
    said: str = ""
    list: int = -1
    words: str = ""

    @property
    def shown(self) -> str:
        """What an answer says of it."""
        return shown(self.text, self.said)

    @property
    def read(self) -> str:
        """What a model reads of it."""
        lead = self.lead.replace("\n", " › ")
        return f"{lead}: {self.shown}" if lead else self.shown


def public(value: Any) -> dict[str, Any]:
    """Return a ``Found``, or what holds some, as others are given it: without its inner fields."""
    return asdict(value, dict_factory=lambda pairs: {k: v for k, v in pairs if k not in _INNER})


def of_unit(unit: Unit, doc: str, text: str, score: float) -> Found:
    """Return a unit of a document as what was found.

    :param text: Verbatim.
    """
    language = detect(shown(text, unit.said))
    return Found(doc, unit.start, unit.end, text, score, language, unit.lead, unit.said, unit.list)


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
    units: tuple[Unit, ...]
    vectors: Vectors

    def nearness(self, query: Vectors) -> float:
        """Return its nearest sentence's cosine, with its own, which knows its title."""
        whole, *sentences = map(float, self.vectors @ query)
        return _NEAREST * max(sentences, default=whole) + (1 - _NEAREST) * whole


@dataclass(frozen=True)
class _Ranked:
    """A passage with its text and its score."""

    passage: _Passage
    title: str
    text: str
    score: float

    @property
    def heading(self) -> str:
        """What models read before it."""
        return documents.heading(self.passage.doc, self.title)

    @property
    def read(self) -> PassageInput:
        """What the reader reads of it."""
        units, begin = self.passage.units, self.passage.span.start
        return passages.read_form(self.heading, units, self.text, begin)


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
        self.reader = reader
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
            self.storage, self.embedder, self._settings, docs, self._reranker, self.reader
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
            follows, and nothing tells which. Most go on about the same document, so some passages
            of it are read beside those that are found.
        :param read_as: What the reader is asked; the question by default.
        """
        with self._searching():
            query = self._query(question, context)
            ranked = self._ranked(query, self._settings.passages)
            if context:
                ranked += self._gone_on_about(context, query, ranked)
            found = [self._sentences(passage, query) for passage in ranked]
            if self.reader is not None:
                found = self._read_by(self.reader, read_as or question, ranked, found)
        candidates = [sentence for sentences in found for sentence in sentences]
        add_up = self.reader is not None and self.reader.adds_up
        candidates = _once(_without_openings(candidates, add_up=add_up), add_up=add_up)
        if add_up:
            headings = {each.passage.doc: each.heading for each in ranked}
            candidates = naming.as_named(candidates, headings, read_as or question)
        candidates.sort(key=lambda sentence: -sentence.score)
        return candidates[: self._settings.evidence_sentences]

    def titles(self) -> dict[str, str]:
        """Return the titles of the documents that are searched, by their ids, in their order."""
        with translated(self.storage.folder):
            rows = self.storage.db.execute("SELECT id, title FROM documents ORDER BY id").fetchall()
        return {doc: title for doc, title in rows if self._docs is None or doc in self._docs}

    def sentences(self, doc: str) -> tuple[list[Found], Vectors]:
        """Return all units of a document in order, and their unit vectors, one a row.

        What only announces a list is left out.
        """
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
            for unit, vector in zip(passage.units, passage.vectors[1:], strict=True):
                if not unit.opens:
                    found.append(of_unit(unit, doc, text[unit.start : unit.end], 0.0))
                    rows.append(vector)
        return found, np.stack(rows) if rows else np.zeros((0, 1), np.float32)

    @staticmethod
    def _read_by(
        reader: Reader,
        question: str,
        ranked: Sequence[_Ranked],
        found: Sequence[Sequence[Found]],
    ) -> list[list[Found]]:
        """Return the sentences as the reader judges them, their scores probabilities."""
        scores = [[sentence.score for sentence in sentences] for sentences in found]
        judged = reader.judged(question, [passage.read for passage in ranked], scores)
        return [
            [replace(sentence, score=p) for sentence, p in zip(sentences, row, strict=True)]
            for sentences, row in zip(found, judged, strict=True)
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
        held = self._read(near, words.keys() | names.keys(), len(query.vector))
        same = [words[n] for n, p in held.items() if p.language == query.language and n in words]
        best_two = sorted(same)[-2:]
        reference = sum(best_two) / len(best_two) if best_two else 0.0
        # What a full list doesn't hold may score as much as its last.
        unlisted = min(words.values()) if len(words) == wanted else 0.0
        settings = self._settings
        scored = []
        for number, passage in held.items():
            score = passage.nearness(query.vector)
            if passage.language == query.language:
                share = words.get(number, unlisted) / reference if reference else 1.0
                score += settings.words * (share - 1)
            else:
                score += settings.words_across * words.get(number, 0.0)
                score += settings.names_across * names.get(number, 0.0)
            scored.append((score, passage))
        scored.sort(key=lambda pair: (-pair[0], pair[1].id))
        ranked = self._distinct(scored, k)
        if self._reranker is None:
            return ranked
        order = self._reranker.order(query.question, [r.read.text for r in ranked])
        # The scores stay where they are: thresholds know this scale and no cross-encoder's.
        return [replace(ranked[i], score=r.score) for i, r in zip(order, ranked, strict=True)]

    def _gone_on_about(
        self, context: str, query: _Query, found: Sequence[_Ranked]
    ) -> list[_Ranked]:
        """Return the best passages of the document that was spoken of, but those found already."""
        spoken_of = {ranked.passage.doc for ranked in self._ranked(self._query(context), 1)}
        known = {ranked.passage.id for ranked in found}
        best = self.within(spoken_of)._ranked(query, _GONE_ON_ABOUT)
        return [ranked for ranked in best if ranked.passage.id not in known]

    def _search(self, query: _Query, table: lexical.Table, limit: int) -> Mapping[int, float]:
        return lexical.search(self.storage.db, query.words, table, limit, self._docs)

    def _nearest(self, query: Vectors, k: int) -> list[str]:
        """Return the ids of the passages with the nearest vectors."""
        if self._docs is not None and not self._docs:
            return []  # Chroma refuses an empty filter
        wanted = VectorStoreQuery(
            query_embedding=[float(x) for x in query], similarity_top_k=k, filters=self._only
        )
        with translated(self.storage.folder.parent):
            result = self.storage.vectors.query(wanted)
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
        found = {}
        for number, id_, doc, start, end, language, spans, blob in rows:
            try:
                units = read_units(spans)
                vectors = np.frombuffer(blob, dtype=np.float16).reshape(1 + len(units), width)
            except (TypeError, ValueError) as exc:
                raise IndexStorageError(
                    f"{self.storage.folder}: a passage of {doc} is damaged; run: rawi index"
                ) from exc
            found[number] = _Passage(
                id_, doc, Span(start, end), language, units, vectors.astype(np.float32)
            )
        return found

    def _distinct(self, scored: Sequence[tuple[float, _Passage]], k: int) -> list[_Ranked]:
        """Return the first ``k`` passages with their texts, of copies the first alone.

        A title is part of what is said, but not one that is only the name of a copy's file.
        """
        ranked: dict[str, _Ranked] = {}
        for score, passage in scored:
            if len(ranked) == k:
                break
            found = self._with_text(passage, score)
            if not found.text:  # removed since it was found
                continue
            said = passages.read_form(found.title, passage.units, found.text, passage.span.start)
            title = "" if found.title == documents.file_title(passage.doc) else found.title
            ranked.setdefault(f"{title}\n{wording(said.text)}", found)
        return list(ranked.values())

    def _with_text(self, passage: _Passage, score: float) -> _Ranked:
        start, end = passage.span
        row = self.storage.db.execute(
            "SELECT title, substr(text, ?, ?) FROM documents WHERE id = ?",
            (start + 1, end - start, passage.doc),
        ).fetchone()
        title, text = row or ("", "")
        return _Ranked(passage, title, text, score)

    def _sentences(self, ranked: _Ranked, query: _Query) -> list[Found]:
        """Return the units of a passage with their scores, in the passage's order."""
        found = []
        begin = ranked.passage.span.start
        cosines = ranked.passage.vectors[1:] @ query.vector
        for unit, cosine in zip(ranked.passage.units, cosines, strict=True):
            text = ranked.text[max(0, unit.start - begin) : max(0, unit.end - begin)]
            sentence = of_unit(unit, ranked.passage.doc, text, 0.0)
            table: lexical.Table = "grams" if sentence.language == query.language else "names"
            words = self._settings.sentence_words * query.words.share(sentence.read, table)
            score = _OWN * float(cosine) + (1 - _OWN) * ranked.score + words
            found.append(replace(sentence, score=score))
        return found


def _without_openings(sentences: Sequence[Found], *, add_up: bool) -> list[Found]:
    """Return sentences without those that only announce a list.

    :param add_up: Whether scores are probabilities: then what announces a list gives its own to the
        items, for they are what answers.
    """
    items: dict[tuple[str, int], set[int]] = {}
    given: dict[tuple[str, int], float] = {}
    for found in sentences:
        if found.list > found.start:
            given[found.doc, found.list] = given.get((found.doc, found.list), 0.0) + found.score
        elif found.list >= 0:
            items.setdefault((found.doc, found.list), set()).add(found.start)
    kept = [found for found in sentences if found.list <= found.start]
    if not add_up:
        return kept
    return [
        replace(found, score=found.score + given.get(key, 0.0) / len(items[key]))
        if (key := (found.doc, found.list)) in items
        else found
        for found in kept
    ]


def _once(sentences: Sequence[Found], *, add_up: bool) -> list[Found]:
    """Return what is said in several places once.

    :param add_up: Whether scores are probabilities: then they are added up, at the likeliest place;
        else the first is taken.
    """
    said: dict[str, list[Found]] = {}
    for found in sentences:
        said.setdefault(wording(f"{found.lead}\n{found.shown}"), []).append(found)
    once = []
    for places in said.values():
        best = max(places, key=lambda found: found.score) if add_up else places[0]
        score = min(1.0, sum(found.score for found in places)) if add_up else best.score
        once.append(replace(best, score=score))
    return once
