"""Decide whether and how evidence answers a question: quoted, said shortly by the LLM, or refused.

The reader chooses sentences and says how likely they answer. Where it is not sure, or they are in
the other language, the LLM is asked, and both decide together.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from rag import drafting, grounding, lists
from rag.config import Settings
from rag.conversation import Asked
from rag.drafting import Draft, Drafter
from rag.errors import GenerationError
from rag.language import Language
from rag.retrieval import Found
from rag.storage import Storage


@dataclass(frozen=True)
class Decision:
    """How to answer one question.

    :ivar language: The answer's.
    :ivar drafter: None answers with quotes alone.
    """

    asked: Asked
    language: Language
    settings: Settings
    storage: Storage
    drafter: Drafter | None

    def draft(
        self, evidence: Sequence[Found], parts: Sequence[Sequence[Found]]
    ) -> Generator[str, None, Draft]:
        """Yield what is written, and return the draft.

        :param parts: The evidence for each part of the question.
        """
        usable = self._usable(evidence)
        confidence = grounding.confidence(usable, self.settings.retrieval)
        parts = [found for part in parts if (found := self._usable(part))]
        if not parts or self._is_far(confidence):
            draft = self._refusal(usable, confidence)
            yield draft.text
            return draft
        chosen, listed = self._chosen(usable, parts)
        stand = not self._writes() and all(found.language == self.language for found in chosen)
        draft = self._by_reader(chosen, usable, confidence)
        if self.drafter is not None and not (stand and self._is_sure(chosen)):
            read = drafting.distinct([*chosen, *usable])
            read = read[: max(len(chosen), self.settings.retrieval.prompt_sentences)]
            try:
                spent = drafting.NO_USAGE
                if stand:
                    odds, best, spent = self.drafter.answered(self.asked, read, self.language)
                    yield ""
                    if self._is_one and not listed and not _is_among(best, chosen[:1]):
                        chosen, stand = (best,), best.language == self.language
                if stand:
                    draft = self._judged(chosen, draft, odds)
                else:
                    draft = yield from self._said(self.drafter, chosen, read, confidence, listed)
                draft = replace(draft, usage=draft.usage + spent)
            except GenerationError as exc:
                draft = replace(draft, failure=str(exc))
        yield draft.text
        return draft

    @property
    def _is_one(self) -> bool:
        """Whether the question asks one thing."""
        return len(self.asked.parts) == 1

    def _usable(self, evidence: Sequence[Found]) -> tuple[Found, ...]:
        """Return the sentences that stand in their documents word for word."""
        text_of = self.storage.text
        return tuple(
            found for found in evidence if text_of(found.doc)[found.start : found.end] == found.text
        )

    def _is_far(self, confidence: float) -> bool:
        """Tell whether the LLM need not be asked about evidence; cosines tell no odds to join."""
        retrieval = self.settings.retrieval
        if retrieval.reader == "none":
            return not grounding.is_enough(confidence, retrieval)
        return confidence < retrieval.min_closest

    def _chosen(
        self, usable: Sequence[Found], parts: Sequence[Sequence[Found]]
    ) -> tuple[tuple[Found, ...], bool]:
        """Return the sentences to answer with, and whether they are a list, which is whole."""
        asked = self.asked.question
        wanted = lists.asked_for(asked, usable, self.storage) if self._is_one else []
        items = self._usable(wanted)
        if items:
            return items, True
        best = drafting.choose(parts, self.language, self.settings.answer)
        if not self._is_one:
            return tuple(best), False
        candidates = drafting.candidates(parts[0])
        items = self._usable(lists.with_items(best, candidates, self.storage))
        return items, len(items) > len(best)

    def _is_sure(self, chosen: Sequence[Found]) -> bool:
        """Tell whether the reader is sure of the best sentence, and of that of each other part."""
        best = chosen[: len(self.asked.parts)]
        reads = self.settings.retrieval.reader != "none"
        return reads and min(found.score for found in best) >= self.settings.answer.sure

    def _of_shown(self, shown: Sequence[Found]) -> float:
        """Return how sure the reader is of what is shown; of several parts, on average.

        That any sentence answers says less: it is as sure of that between two that say alike.
        """
        settings = self.settings.retrieval
        if self._is_one:
            return grounding.confidence(shown, settings)
        return fmean(grounding.confidence([found], settings) for found in shown)

    def _by_reader(
        self, chosen: Sequence[Found], usable: Sequence[Found], confidence: float
    ) -> Draft:
        """Quote or refuse, as the reader alone would have it."""
        if not grounding.is_enough(confidence, self.settings.retrieval):
            return self._refusal(usable, confidence)
        return self._quotes(chosen, confidence)

    def _judged(self, chosen: Sequence[Found], draft: Draft, odds: float | None) -> Draft:
        """Quote what was chosen, or refuse, by what the LLM finds as well.

        :param draft: As the reader alone would have it, which counts where the LLM tells nothing.
        :param odds: The LLM's log-odds that any sentence answers.
        """
        if odds is None or self.settings.retrieval.reader == "none":
            return draft
        confidence = grounding.joined(self._of_shown(chosen), odds)
        if confidence < self.settings.answer.min_confidence:
            return self._refusal(chosen, confidence)
        return self._quotes(chosen, confidence)

    def _said(
        self,
        drafter: Drafter,
        chosen: Sequence[Found],
        read: Sequence[Found],
        confidence: float,
        listed: bool,
    ) -> Generator[str, None, Draft]:
        """Ask the LLM, and answer with what holds, quote, or refuse.

        :param chosen: What would be quoted.
        :param read: What the LLM is asked about.
        :param listed: Whether what would be quoted is a list.
        :raises GenerationError: When the LLM fails or takes too long.
        """
        said = yield from drafter.short(self.asked, read, self.language)
        answers, retrieval = self.settings.answer, self.settings.retrieval
        quote = said.used if said.is_placed else chosen
        others = list[Found]()
        if not self._is_one:  # each part has its sentence
            quote = drafting.distinct([*said.used, *chosen])
            others = [found for found in chosen if not _is_among(found, said.used)]
        elif listed:  # it is quoted whole
            quote = chosen
        tells = said.right is not None or not said.used
        if tells and retrieval.reader != "none":
            confidence = grounding.joined(self._of_shown(quote), said.answered)
            enough = confidence >= answers.min_confidence
        else:
            enough = bool(said.used) and grounding.is_enough(confidence, retrieval)
        foreign = any(found.language != self.language for found in said.used)
        # Only across languages is an LLM believed that doesn't say how sure it is.
        right = said.right
        sure = said.is_restated or (
            foreign
            if right is None
            else grounding.rightness(right, said.certainty) >= answers.min_right
        )
        if not enough:
            draft = self._refusal(quote, confidence)
        elif said.checked and sure and (foreign or self._writes()):
            draft = drafting.shortly(said, others, self.language)
        elif said.quote and foreign and not listed:
            draft = drafting.in_its_words(said, others, self.language, self.asked.question)
        else:
            draft = self._quotes(quote, confidence)
        return replace(draft, usage=said.usage, confidence=confidence)

    def _quotes(self, chosen: Sequence[Found], confidence: float) -> Draft:
        most = self.settings.answer.max_words
        draft = drafting.quoted(chosen, self.language, most, self.asked.question)
        return replace(draft, confidence=confidence)

    def _refusal(self, closest: Sequence[Found], confidence: float) -> Draft:
        question = self.asked.question
        return drafting.refused(closest, self.language, self.settings, confidence, question)

    def _writes(self) -> bool:
        """Say whether the LLM's words come before quotes in the asker's language, too.

        ``auto`` trusts the small built-in model with that across languages alone.
        """
        if self.settings.answer.style == "auto":
            return self.settings.llm.backend not in ("llamacpp", "none")
        return self.settings.answer.style == "written"


def _is_among(found: Found, others: Sequence[Found]) -> bool:
    """Tell whether a sentence is one of others, whichever of its words they have."""
    return (found.doc, found.start) in {(other.doc, other.start) for other in others}
