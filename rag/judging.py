"""Which sentences answer, and whether any does: the LLM's word, where the reader isn't sure.

The reader compares hundreds of sentences in a tenth of a second and hardly understands a question;
the LLM takes a second for one and understands it better. So it is asked about the few sentences
that the reader can't choose between, one by one. The small model's word is worth little, how likely
it finds its own "yes" a good deal: see eval/risk-coverage.svg.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from llama_index.core.llms import LLM

from rag import drafting, grounding, lists, llm, prompts
from rag.config import Settings
from rag.drafting import NO_USAGE
from rag.errors import GenerationError
from rag.llm import Usage
from rag.retrieval import Found

# What a sentence's log-odds by the LLM count for beside its log-probability by the reader; by hand.
_WEIGHT = 1.0
_MOST = 4


@dataclass(frozen=True)
class Part:
    """A question, or one of those that it asks, with the sentences that the reader found for it."""

    question: str
    evidence: tuple[Found, ...]


@dataclass(frozen=True)
class Judgement:
    """What answers, and how sure that is.

    :ivar parts: For each part what an answer may be made of, best first; scores compare within a
        part, and are no probabilities any more where the LLM was asked.
    :ivar enough: Whether any of it answers.
    :ivar confidence: How sure it is that it does, 0 to 1.
    :ivar usage: What it cost to tell.
    :ivar failure: Why the LLM could not tell, where it should have; else empty.
    """

    parts: tuple[tuple[Found, ...], ...]
    enough: bool
    confidence: float
    usage: Usage = NO_USAGE
    failure: str = ""


class Judge:
    """Asks the LLM where the reader isn't sure."""

    def __init__(
        self, model: LLM | None, settings: Settings, text_of: Callable[[str], str]
    ) -> None:
        """Put the parts together.

        :param model: None leaves it to the reader.
        :param text_of: The cleaned text of a document, by id.
        """
        self._model = model
        self._settings = settings
        self._text_of = text_of

    def warm(self) -> None:
        """Have the LLM read the fixed beginning of its prompt, whose KV cache is kept.

        :raises GenerationError: When the LLM fails.
        """
        if self._model is not None and self._settings.answer.judge_below > 0:
            self._odds(self._model, "…", "…")

    def judged(self, parts: Sequence[Part]) -> Generator[str, None, Judgement]:
        """Return the judgement; an empty piece for each sentence is where it may be left.

        A model that fails, or doesn't tell its probabilities, leaves it to the reader.

        :param parts: At least one, each with at least one sentence.
        """
        judged = []
        for part in parts:
            judged.append((yield from self._part(part)))
        surest = max(judged, key=lambda part: part.confidence)
        return Judgement(
            tuple(evidence for part in judged for evidence in part.parts),
            any(part.enough for part in judged),
            surest.confidence,
            sum((part.usage for part in judged), NO_USAGE),
            next((part.failure for part in judged if part.failure), ""),
        )

    def _part(self, part: Part) -> Generator[str, None, Judgement]:
        confidence = grounding.confidence(part.evidence, self._settings.retrieval)
        enough = grounding.is_enough(confidence, self._settings.retrieval)
        by_reader = Judgement((part.evidence,), enough, confidence)
        if self._model is None or confidence >= self._settings.answer.judge_below:
            return by_reader
        usage, odds = NO_USAGE, dict[Found, float]()
        for found in drafting.candidates(part.evidence)[:_MOST]:
            yield ""
            text = " ".join(f.text for f in lists.with_items([found], self._text_of))
            try:
                told, spent = self._odds(self._model, part.question, text)
            except GenerationError as exc:
                return replace(by_reader, usage=usage, failure=str(exc))
            usage += spent
            if told is None:
                return replace(by_reader, usage=usage)
            odds[found] = told
        return self._by(odds, usage)

    def _by(self, odds: dict[Found, float], usage: Usage) -> Judgement:
        """Return the judgement that log-odds make."""
        most = max(odds.values())
        rescored = [
            replace(found, score=found.score * math.exp(_WEIGHT * (told - most)))
            for found, told in odds.items()
        ]
        rescored.sort(key=lambda found: -found.score)
        beyond = most - self._settings.answer.min_yes
        # Never as sure as where the LLM need not be asked.
        sure = self._settings.answer.judge_below / (1 + math.exp(-beyond))
        return Judgement((tuple(rescored),), beyond >= 0, sure, usage)

    def _odds(self, model: LLM, question: str, text: str) -> tuple[float | None, Usage]:
        """Return the log-odds of the LLM's word that a text answers, and what it cost.

        Natural logarithm; None where the model doesn't tell its probabilities.

        :raises GenerationError: When the LLM fails or takes too long.
        """
        messages = prompts.judging(question, text)
        timeout_s = self._settings.llm.timeout_s
        return llm.log_odds(model, messages, prompts.YES, prompts.NO, timeout_s)
