"""Answer a question: READ THIS FIRST.

::

    question → with what it refers to → retrieve → Evidence, shown at once
             → which sentences answer, and is it enough? by the reader, where unsure by the LLM
             → quoted as they stand, or prompt → LLM → Token…
             → checked against the evidence, repaired where it says more → Answer

Every other file of ``rag`` is one of these steps.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from llama_index.core.llms import LLM

from rag import (
    conversation,
    drafting,
    glossary,
    grounding,
    lists,
    llm,
    models,
    orders,
    prompts,
    reader,
    reranking,
    storage,
)
from rag.config import QuestionSettings, Settings
from rag.conversation import Asked
from rag.conversation import Turn as Turn  # a part of the engine's interface
from rag.drafting import Draft, Drafter, How
from rag.embedding import Embedder, weights_fingerprint
from rag.errors import GenerationError, QuestionError
from rag.grounding import Citation
from rag.judging import Judge, Judgement, Part
from rag.language import Language, clean, detect, is_supported
from rag.llm import Usage
from rag.retrieval import Found, Retriever


@dataclass(frozen=True)
class Evidence:
    """The sentences that bear on the question, best first; there before the LLM begins."""

    sentences: tuple[Found, ...]


@dataclass(frozen=True)
class Token:
    """The next piece of the answer as it is written, not yet checked.

    Empty while something is written that isn't shown: there, too, the iterator may be closed.
    """

    text: str


@dataclass(frozen=True)
class Timings:
    """Seconds since the question was asked, and tokens of the LLM's tokenizer."""

    retrieve_s: float
    first_token_s: float
    total_s: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Answer:
    """The checked answer; ``answer`` holds ``[n]`` where citation n stands.

    :ivar how: Written by the LLM; quoted, the best evidence as it stands; or refused.
    :ivar corrected: What was streamed did not hold, and ``answer`` stands in its place.
    :ivar failure: Why the LLM did not answer, where it should have; else empty.
    :ivar confidence: How sure it is that the evidence answers, 0 to 1: the reader's probability
        (see ``grounding.confidence``) or, where the LLM was asked, its word's.
    """

    question: str
    language: Language
    answer: str
    abstained: bool
    citations: tuple[Citation, ...]
    evidence: tuple[Found, ...]
    timings: Timings
    how: How = "written"
    corrected: bool = False
    failure: str = ""
    confidence: float = 0.0


class _Clock:
    """Seconds since the question was asked, until each stage was done."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._retrieved = self._first = 0.0

    def retrieved(self) -> None:
        """Note that the evidence is there."""
        self._retrieved = time.perf_counter() - self._began

    def wrote(self) -> None:
        """Note that something of the answer is there."""
        self._first = self._first or time.perf_counter() - self._began

    def timings(self, usage: Usage) -> Timings:
        """Return the times, now that the answer is there."""
        now = time.perf_counter() - self._began
        return Timings(
            self._retrieved, self._first or now, now, usage.prompt_tokens, usage.completion_tokens
        )


class Engine:
    """Answers questions about one index."""

    def __init__(self, settings: Settings, retriever: Retriever, model: LLM | None) -> None:
        """Put the parts together.

        :param model: None answers with quotes alone.
        """
        self.settings = settings
        self.retriever = retriever
        self._judge = Judge(model, settings, retriever.storage.text)
        self._drafter = None
        if model is not None:
            self._drafter = Drafter(model, settings, retriever.embedder, retriever.storage)

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Iterator[Evidence | Token | Answer]:
        """Yield the evidence, then the answer as it is written, then the checked answer.

        Closing the iterator stops the LLM at once. When the LLM fails or takes too long, the answer
        is the evidence itself.

        :raises QuestionError: When the question can't be asked.
        """
        clock = _Clock()
        question = check_question(question, self.settings.question)
        asked = conversation.resolve(question, history, self.settings.question.history_turns)
        evidence, parts = self._evidence(asked)
        clock.retrieved()
        yield Evidence(evidence)
        language = detect(question)
        pieces = self._draft(asked, _without_orders(evidence), parts, language)
        draft, streamed = yield from _timed(pieces, clock)
        yield Answer(
            question=question,
            language=language,
            answer=draft.text,
            abstained=draft.how == "refused",
            citations=draft.citations,
            evidence=evidence,
            timings=clock.timings(draft.usage),
            how=draft.how,
            corrected=bool(streamed) and _plain(draft.text) != _plain(streamed),
            failure=draft.failure,
            confidence=draft.confidence,
        )

    def warm(self) -> None:
        """Have the LLM read ahead what judging and translating these documents begins with.

        :raises GenerationError: When the LLM fails.
        """
        if self._drafter is None or self._style() != "quoted":
            return
        self._judge.warm()
        languages: tuple[Language, ...] = ("ar", "en")
        for language in languages:
            if self.retriever.storage.languages() - {language}:
                self._drafter.warm(language)

    def _evidence(self, asked: Asked) -> tuple[tuple[Found, ...], tuple[Part, ...]]:
        """Return the sentences that bear on the question, and those that bear on each part.

        The best of each part stand first. They are scored for the whole question, as the others
        are: where one isn't among them, no better than the last.
        """
        whole = self.retriever.evidence(asked.question, asked.context, read_as=asked.standalone)
        if len(asked.parts) == 1:
            return tuple(whole), (_part(asked.standalone, whole),)
        parts = [(part, self.retriever.evidence(part, asked.standalone)) for part in asked.parts]
        places = {(found.doc, found.start): found for found in whole}
        leads: dict[tuple[str, int], Found] = {}
        for found in (evidence[0] for _, evidence in parts if evidence):
            unlisted = replace(found, score=min(found.score, whole[-1].score))
            leads[found.doc, found.start] = places.get((found.doc, found.start), unlisted)
        shown = tuple((leads | places).values())[: self.settings.retrieval.evidence_sentences]
        return shown, tuple(_part(*part) for part in parts)

    def _draft(
        self, asked: Asked, usable: Sequence[Found], parts: Sequence[Part], language: Language
    ) -> Generator[str, None, Draft]:
        """Decide whether and how to answer, yield what is written, and return the draft."""
        confidence = grounding.confidence(usable, self.settings.retrieval)
        parts = [part for part in parts if part.evidence]
        if not parts or confidence < self.settings.retrieval.min_closest:
            draft = drafting.refused(usable, language, self.settings)
            return replace(draft, confidence=confidence)
        first = self._chosen(asked, usable, [part.evidence for part in parts], language)
        shown = self._stand(first, language) and grounding.is_enough(
            confidence, self.settings.retrieval
        )
        if shown:  # should the LLM say that it doesn't answer, it is taken back
            yield self._quotes(first, language).text
        judged = yield from self._judge.judged(parts)
        if judged.enough:
            draft = yield from self._said(asked, usable, judged, language, shown=shown)
        else:
            draft = drafting.refused(judged.parts[0], language, self.settings)
        return replace(
            draft,
            usage=draft.usage + judged.usage,
            failure=draft.failure or judged.failure,
            confidence=judged.confidence,
        )

    def _said(
        self,
        asked: Asked,
        usable: Sequence[Found],
        judged: Judgement,
        language: Language,
        *,
        shown: bool,
    ) -> Generator[str, None, Draft]:
        """Answer from what was judged: quoted, put into the asker's language, or written anew.

        :param shown: Whether quotes were shown already.
        """
        chosen = self._chosen(asked, usable, judged.parts, language)
        quotes = self._quotes(chosen, language)
        if self._drafter is None or self._stand(chosen, language) or judged.failure:
            if not shown:
                yield quotes.text
            return quotes
        question = _ordering_nothing(asked.standalone)
        if self._style() == "written":
            pieces = self._drafter.written(question, usable, language)
        else:
            names = glossary.names([question, *(found.text for found in usable)])
            pieces = self._drafter.translated(chosen, names, language)
        try:
            return (yield from pieces) or quotes
        except GenerationError as exc:
            return replace(quotes, failure=str(exc))

    def _chosen(
        self,
        asked: Asked,
        usable: Sequence[Found],
        parts: Sequence[Sequence[Found]],
        language: Language,
    ) -> tuple[Found, ...]:
        """Return the sentences to answer with, lists whole."""
        text_of = self.retriever.storage.text
        chosen = lists.asked_for(asked.question, usable, text_of) if len(asked.parts) == 1 else []
        if not chosen:
            best = drafting.choose(parts, language, self.settings.answer)
            chosen = lists.with_items(best, text_of)
        return _without_orders(chosen)  # the evidence holds none, a list's other items may

    def _quotes(self, chosen: Sequence[Found], language: Language) -> Draft:
        return drafting.quoted(chosen, language, self.settings.answer.max_words)

    def _stand(self, chosen: Sequence[Found], language: Language) -> bool:
        """Say whether sentences are the answer as they stand: no LLM writes, none is foreign."""
        foreign = any(found.language != language for found in chosen)
        return self._drafter is None or (self._style() == "quoted" and not foreign)

    def _style(self) -> Literal["written", "quoted"]:
        """Say how to answer; auto trusts the small built-in model with translating alone."""
        style = self.settings.answer.style
        if style != "auto":
            return style
        return "quoted" if self.settings.llm.backend in ("llamacpp", "none") else "written"


def _timed(
    pieces: Generator[str, None, Draft], clock: _Clock
) -> Generator[Token, None, tuple[Draft, str]]:
    """Yield the pieces as events, noting the first; return the draft and all that was shown."""
    streamed = ""
    try:
        while True:
            piece = next(pieces)
            if piece:
                clock.wrote()
            streamed += piece
            yield Token(piece)
    except StopIteration as done:
        return done.value, streamed
    finally:
        pieces.close()


def _part(question: str, evidence: Sequence[Found]) -> Part:
    return Part(_ordering_nothing(question), _without_orders(evidence))


def _without_orders(evidence: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(found for found in evidence if not orders.is_order(found.text))


def _ordering_nothing(question: str) -> str:
    """Return a question without orders to a machine."""
    return orders.without_orders(question) or question


def _plain(text: str) -> str:
    return " ".join(prompts.without_markers(text).split())


@contextmanager
def open_retriever(
    settings: Settings, embedder: Embedder | None = None, *, any_passages: bool = False
) -> Iterator[Retriever]:
    """Load the embedder and the reader, and open the index.

    :param embedder: One that is loaded already.
    :param any_passages: See ``storage.open_current``.
    :raises RawiError: When weights or index are missing or don't fit; see ``rag.errors``.
    """
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    fingerprint = weights_fingerprint(weights, settings.embedding)
    with storage.open_current(settings, fingerprint, any_passages=any_passages) as store:
        embedder = embedder or Embedder.load(settings.embedding, weights)
        yield Retriever(
            store,
            embedder,
            settings.retrieval,
            reranker=reranking.load(settings),
            reader=reader.load(settings, embedder),
        )


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Load embedder and LLM and open the index.

    :raises RawiError: As ``open_retriever``; and when the LLM can't be loaded.
    """
    # Side by side: the embedder's imports and the LLM's file take seconds each.
    with ThreadPoolExecutor(1) as pool:
        model = pool.submit(load_llm, settings)
        with open_retriever(settings) as retriever:
            yield Engine(settings, retriever, model.result())


def load_llm(settings: Settings) -> LLM | None:
    """Load what ``settings.llm`` names; None with ``llm.backend: none``.

    :raises ModelError: When the weights are missing or can't be loaded.
    """
    weights = None
    if settings.llm.backend in ("llamacpp", "transformers"):
        weights = models.resolve(settings.llm.model, kind="llm", settings=settings.models)
    return llm.load_llm(settings.llm, weights)


def check_question(question: str, settings: QuestionSettings) -> str:
    """Return the question cleaned.

    :raises QuestionError: When it is empty, too long or in a third language.
    """
    question = clean(question).strip()
    if not question:
        raise QuestionError("the question is empty; ask something in Arabic or English")
    if len(question) > settings.max_chars:
        raise QuestionError(
            f"the question has {len(question):,} characters; at most {settings.max_chars:,} are"
            " read (question.max_chars)"
        )
    if not is_supported(question):
        raise QuestionError("Rawi understands questions in Arabic and English; ask in one of them")
    return question
