"""Answer a question: READ THIS FIRST.

::

    question → language → retrieve → Evidence, shown at once
             → enough? → prompt → LLM → Token… → checked against the evidence → Answer

Every other file of ``rag`` is one of these steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from llama_index.core.llms import LLM

from rag import grounding, llm, models, prompts, reranking, storage
from rag.config import QuestionSettings, Settings
from rag.embedding import Embedder, weights_fingerprint
from rag.errors import QuestionError
from rag.grounding import Citation
from rag.language import Language, clean, detect, is_supported
from rag.retrieval import Found, Retriever


@dataclass(frozen=True)
class Turn:
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Evidence:
    """The sentences that bear on the question, best first; there before the LLM begins."""

    sentences: tuple[Found, ...]


@dataclass(frozen=True)
class Token:
    """The next piece of the answer as the LLM writes it, not yet checked."""

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
    """The checked answer; ``answer`` holds ``[n]`` where citation n stands."""

    question: str
    language: Language
    answer: str
    abstained: bool
    citations: tuple[Citation, ...]
    evidence: tuple[Found, ...]
    timings: Timings


class Engine:
    """Answers questions about one index."""

    def __init__(self, settings: Settings, retriever: Retriever, model: LLM) -> None:
        self.settings = settings
        self.retriever = retriever
        self._llm = model

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Iterator[Evidence | Token | Answer]:
        """Yield the evidence, then the answer as it is written, then the checked answer.

        Closing the iterator stops the LLM at once.

        :raises QuestionError: When the question can't be asked.
        :raises GenerationError: When the LLM fails.
        """
        began = time.perf_counter()
        question = check_question(question, self.settings.question)
        language = detect(question)
        evidence = tuple(self.retriever.evidence(question, _context(history)))
        retrieved = time.perf_counter()
        yield Evidence(evidence)
        if not grounding.is_enough(evidence, self.settings.retrieval):
            now = time.perf_counter() - began
            timings = Timings(retrieved - began, now, now, 0, 0)
            yield Answer(question, language, prompts.REFUSAL[language], True, (), evidence, timings)
            return
        read = evidence[: self.settings.retrieval.prompt_sentences]
        prompt = prompts.build(question, language, read)
        text, usage, first_token = "", llm.Usage(), 0.0
        for piece in self._generate(prompt):
            if isinstance(piece, llm.Usage):
                usage = piece
                continue
            first_token = first_token or time.perf_counter()
            text += piece
            yield Token(piece)
        answer, citations = grounding.cite(
            text, read, self.retriever.embedder, self.retriever.storage.text
        )
        ended = time.perf_counter()
        timings = Timings(
            retrieve_s=retrieved - began,
            first_token_s=(first_token or ended) - began,
            total_s=ended - began,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
        yield Answer(question, language, answer, False, citations, evidence, timings)

    def _generate(self, prompt: prompts.Prompt) -> Iterator[str | llm.Usage]:
        pieces = llm.stream(self._llm, prompt.messages, self.settings.llm.timeout_s)
        if prompt.answer_marker is None:
            return pieces
        return _without_working(pieces, prompt.answer_marker)


def _without_working(pieces: Iterator[str | llm.Usage], marker: str) -> Iterator[str | llm.Usage]:
    """Hold back what precedes the answer marker; without a marker it was the answer after all."""
    held: str | None = ""
    for piece in pieces:
        if isinstance(piece, llm.Usage):
            if held and marker not in held:
                yield held
            yield piece
        elif held is None:
            yield piece
        else:
            held += piece
            beginning = held.partition(marker)[2].lstrip()
            if beginning:
                yield beginning
                held = None


@contextmanager
def open_retriever(settings: Settings) -> Iterator[Retriever]:
    """Load the embedder and open the index.

    :raises RawiError: When weights or index are missing or don't fit; see ``rag.errors``.
    """
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    fingerprint = weights_fingerprint(weights, settings.embedding)
    with storage.open_current(settings, fingerprint) as store:
        embedder = Embedder.load(settings.embedding, weights)
        yield Retriever(store, embedder, settings.retrieval, reranker=reranking.load(settings))


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


def load_llm(settings: Settings) -> LLM:
    """Load what ``settings.llm`` names.

    :raises ModelError: When the weights are missing or can't be loaded.
    """
    weights = None
    if settings.llm.backend != "openai":
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


def _context(history: Sequence[Turn]) -> str:
    """Return the last exchange, which a follow-up most often refers to."""
    return "\n".join(clean(turn.content) for turn in history[-2:])
