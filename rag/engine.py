"""Answer a question: READ THIS FIRST.

::

    message → a question? otherwise a greeting, thanks …: answered without the LLM
    question → alone or with what it refers to → retrieve → Evidence, shown at once
             → which sentences answer? by the reader
             → quoted as they stand where it is sure and they are in the asker's language;
               or prompt → LLM → a short answer, held against the sentences that it names
             → is it enough? by both → Answer, its short answer beside the sentences it holds in

Every other file of ``rag`` is one of these steps.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from llama_index.core.llms import LLM

from rag import (
    conversation,
    current,
    followups,
    llm,
    messages,
    models,
    reader,
    reranking,
    sayings,
    small_talk,
)
from rag.config import QuestionSettings, Settings
from rag.conversation import Asked
from rag.conversation import Turn as Turn  # a part of the engine's interface
from rag.deciding import Decision
from rag.drafting import Draft, Drafter, How
from rag.embedding import Embedder, weights_fingerprint
from rag.errors import NoDocumentError, QuestionError
from rag.grounding import Citation
from rag.language import Language, clean, detect, is_supported
from rag.retrieval import Found, Retriever, of_unit
from rag.sentences import Unit
from rag.translating import Translator
from rag.wording import Linear


@dataclass(frozen=True)
class Evidence:
    """The sentences that bear on the question, best first; there before the LLM begins."""

    sentences: tuple[Found, ...]


@dataclass(frozen=True)
class Token:
    """The next piece of the answer; empty while something is written that isn't shown yet.

    There, too, the iterator may be closed.
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

    :ivar how: Written by the LLM; quoted, the best evidence as it stands; refused; or told, where
        the message asked nothing of the documents' text.
    :ivar short_answer: The answer in Rawi's own words, without markers; empty where it only quotes
        or refuses.
    :ivar failure: Why the LLM did not answer, where it should have; else empty.
    :ivar confidence: 0 to 1: how sure the reader is that any of the evidence answers (see
        ``grounding.confidence``) or, where the LLM was asked, how sure both are of what is shown.
    """

    question: str
    language: Language
    answer: str
    abstained: bool
    citations: tuple[Citation, ...]
    evidence: tuple[Found, ...]
    timings: Timings
    how: How = "written"
    failure: str = ""
    confidence: float = 0.0
    short_answer: str = ""

    @property
    def text(self) -> str:
        """``answer``, by the name that it has beside ``citations``."""
        return self.answer


class Engine:
    """Answers questions about one index."""

    _whole: Engine | None = None

    def __init__(
        self,
        settings: Settings,
        retriever: Retriever,
        model: LLM | None,
        kinds: Linear | None = None,
        follows: Linear | None = None,
    ) -> None:
        """Put the parts together.

        :param model: None answers with quotes alone.
        :param kinds: See ``messages.kind``.
        :param follows: See ``followups.leans``.
        """
        self._kinds = kinds
        self._follows = follows
        self.settings = settings
        self.retriever = retriever
        self._drafter = None if model is None else Drafter(model, settings)
        self._translator = None if model is None else Translator(model, settings)

    def within(self, docs: Collection[str]) -> Engine:
        """Return an engine that knows some of the documents alone, sharing everything."""
        other = copy.copy(self)
        other.retriever = self.retriever.within(docs)
        other._whole = self  # which keeps the index open
        return other

    def asked_of(self, docs: Collection[str] | None) -> Engine:
        """Return an engine for the documents that an asker named; None names all.

        :raises NoDocumentError: When the index doesn't hold one of them, or none is named.
        """
        if docs is None:
            return self
        known = self.retriever.titles()
        unknown = [doc for doc in docs if doc not in known]
        if unknown or not docs:
            raise NoDocumentError(sayings.no_document(unknown))
        return self.within(docs)

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Generator[Evidence | Token | Answer, None, None]:
        """Yield the evidence, then what is checked of the answer, then all about it.

        Closing the iterator stops the LLM at once. When the LLM fails or takes too long, the answer
        is the evidence itself.

        :raises QuestionError: When the question can't be asked.
        """
        began = time.perf_counter()
        question = check_question(question, self.settings.question)
        asked = conversation.resolve(question, history, self.settings.question.history_turns)
        language = detect(question)
        draft = self._told(asked, language)
        if draft is not None:
            evidence = small_talk.evidence(draft)
            pieces = _at_once(draft)
        else:
            asked = followups.decided(asked, self._follows)
            evidence, parts = self._evidence(asked)
            decision = Decision(
                asked, language, self.settings, self.retriever.storage, self._drafter
            )
            pieces = decision.draft(evidence, parts)
        retrieved = time.perf_counter() - began
        yield Evidence(evidence)
        draft, first = yield from _timed(pieces, began)
        total, usage = time.perf_counter() - began, draft.usage
        yield Answer(
            question=question,
            language=language,
            answer=draft.text,
            abstained=draft.how == "refused",
            citations=tuple(map(self._with_origin, draft.citations)),
            evidence=evidence,
            timings=Timings(
                retrieved, first or total, total, usage.prompt_tokens, usage.completion_tokens
            ),
            how=draft.how,
            failure=draft.failure,
            confidence=draft.confidence,
            short_answer=draft.short,
        )

    def translation(self, doc: str, start: int, end: int) -> str:
        """Return a place of a document in the other language; "" where no translation holds.

        :raises QuestionError: When there is no such place, or it is longer than one sentence.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        store = self.retriever.storage
        within = (u for u in store.units(doc, start, end) if u.start <= start < end <= u.end)
        unit = next(within, None)
        if unit is None:
            raise QuestionError(
                "a translation is made of a sentence of a document, or a part of it"
            )
        if self._translator is None:
            return ""
        part = unit if (start, end) == (unit.start, unit.end) else Unit(start, end)
        return self._translator.translation(of_unit(part, doc, store.text(doc)[start:end], 1.0))

    def warm(self) -> None:
        """Have the LLM read ahead what its prompts begin with.

        :raises GenerationError: When the LLM fails.
        """
        if self._drafter is not None:
            self._drafter.warm()

    @property
    def translates(self) -> bool:
        """Whether there is an LLM to translate with."""
        return self._translator is not None

    @property
    def llm_failure(self) -> str:
        """Why the LLM failed when it was last asked; empty where it didn't, or there is none."""
        return "" if self._drafter is None else self._drafter.failure

    def quoting(self) -> Engine:
        """Return an engine that answers without the LLM, sharing everything else."""
        other = copy.copy(self)
        other._drafter = None
        return other

    def _told(self, asked: Asked, language: Language) -> Draft | None:
        """Answer a message that is no question; None where it is one."""
        kind = messages.kind(asked.question, self._kinds)
        untitled = small_talk.untitled(asked.question, language, self.retriever)
        # What a title says is nothing that is wanted.
        if kind == "question" and messages.kind(untitled, self._kinds) == "summary":
            kind = "summary"
        if kind == "question":
            return None
        limit = self.settings.answer.max_words
        return small_talk.told(kind, asked.question, asked.context, language, self.retriever, limit)

    def _evidence(self, asked: Asked) -> tuple[tuple[Found, ...], list[Sequence[Found]]]:
        """Return the sentences that bear on the question, and those that bear on each part.

        The best of each part stand first. They are scored for the whole question, as the others
        are: where one isn't among them, no better than the last.
        """
        question = asked.question
        whole = self.retriever.evidence(question, asked.context, read_as=asked.read(question))
        if len(asked.parts) == 1:
            return tuple(whole), [whole]
        parts = [
            self.retriever.evidence(part, asked.standalone, read_as=asked.read(part))
            for part in asked.parts
        ]
        places = {(found.doc, found.start): found for found in whole}
        leads: dict[tuple[str, int], Found] = {}
        for found in (evidence[0] for evidence in parts if evidence):
            unlisted = replace(found, score=min(found.score, whole[-1].score))
            leads[found.doc, found.start] = places.get((found.doc, found.start), unlisted)
        shown = tuple((leads | places).values())[: self.settings.retrieval.evidence_sentences]
        return shown, list(parts)

    def _with_origin(self, citation: Citation) -> Citation:
        """Return a citation with what is known of its document."""
        store = self.retriever.storage
        page, known = store.page(citation.doc, citation.start), store.origin(citation.doc)
        return replace(citation, page=page, title=known.title, author=known.author, date=known.date)


def _at_once(draft: Draft) -> Generator[str, None, Draft]:
    """Yield all of an answer that is there already, and return it."""
    yield draft.text
    return draft


def _timed(
    pieces: Generator[str, None, Draft], began: float
) -> Generator[Token, None, tuple[Draft, float]]:
    """Yield the pieces as events; return the draft, and after how long the first said something."""
    first = 0.0
    try:
        while True:
            piece = next(pieces)
            if piece:
                first = first or time.perf_counter() - began
            yield Token(piece)
    except StopIteration as done:
        return done.value, first
    finally:
        pieces.close()


@contextmanager
def open_retriever(
    settings: Settings, embedder: Embedder | None = None, *, any_passages: bool = False
) -> Iterator[Retriever]:
    """Load the embedder and the reader, and open the index.

    :param embedder: One that is loaded already.
    :param any_passages: See ``current.open_current``.
    :raises RawiError: When weights or index are missing or don't fit; see ``rag.errors``.
    """
    if embedder is None:  # it is loaded once there is an index for it
        section = settings.embedding
        weights = models.resolve(section.model, kind="embedder", settings=settings.models)
        fingerprint = weights_fingerprint(weights, section)
    else:
        fingerprint = embedder.fingerprint
    with current.open_current(settings, fingerprint, any_passages=any_passages) as store:
        embedder = embedder or Embedder.load(settings.embedding, weights)
        yield Retriever(
            store,
            embedder,
            settings.retrieval,
            reranker=reranking.load(settings),
            reader=reader.load(settings, embedder),
        )


def make_engine(settings: Settings, retriever: Retriever, model: LLM | None) -> Engine:
    """Return an engine that also tells questions from other messages, and from follow-ups.

    What it tells them by was learned with the built-in embedder; where that isn't loaded, the
    engine does without.
    """
    own = reader.built_in(settings, retriever.embedder, retriever.reader)
    if own is None:
        return Engine(settings, retriever, model)
    return Engine(settings, retriever, model, messages.load(own), followups.load(own))


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Load embedder and LLM and open the index.

    :raises RawiError: As ``open_retriever``; and when the LLM can't be loaded.
    """
    # Side by side: the embedder's imports and the LLM's file take seconds each.
    with ThreadPoolExecutor(1) as pool:
        model = pool.submit(load_llm, settings)
        with open_retriever(settings) as retriever:
            yield make_engine(settings, retriever, model.result())


def load_llm(settings: Settings) -> LLM | None:
    """Load what ``settings.llm`` names; None with ``llm.backend: none``.

    :raises ModelError: When the weights are missing or can't be loaded.
    """
    weights = None
    if settings.llm.has_weights:
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
